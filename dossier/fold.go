package dossier

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// fold is a dossier being folded, as of a second.
type fold struct {
	l      *Line
	at     time.Time
	kind   Kind
	course course
	d      Dossier

	calls   []*call
	byID    map[message.ID]*call
	entries map[message.ID]int // of the timeline
	made    []Item             // the moves that were made, in order
	ledger  ledger             // what they say by points

	proposals []*call // of publication, that ask for consent
	owed      []*owed
	assets    assets // notice: what it touches now
	lapses    time.Duration
	passes    []pass // what time will do, the earliest first
}

// Dossier returns the dossier that a message belongs to, the first one where it
// refers to several, as of a second: from what the record says was received by
// then. False where the message is unknown, or was not received by then. It
// costs what the dossier costs, however long the record is.
func (l *Line) Dossier(id message.ID, at time.Time) (Dossier, bool) {
	at = at.UTC().Truncate(time.Second)
	it, ok := l.get(id, at)
	if !ok {
		return Dossier{}, false
	}
	head, _ := l.get(l.heads(it, at)[0], at)
	return l.fold(head, at).view(), true
}

// fold folds the dossier of a head.
func (l *Line) fold(head Item, at time.Time) *fold {
	f := &fold{
		l: l, at: at, kind: l.kind(head), byID: make(map[message.ID]*call), entries: make(map[message.ID]int), ledger: newLedger(),
	}
	f.course = course{machine: machines[f.kind], made: make(map[Move][]identity.Station)}
	var items []Item
	items, f.d.ID = l.gather(head, at)
	f.d.Kind = f.kind
	for _, it := range items {
		f.lapse(it.Received)
		f.silence(it.Received)
		f.take(it)
	}
	f.lapse(at)
	f.silence(at)
	return f
}

// take folds one message.
func (f *fold) take(it Item) {
	form, known := f.l.known(it)
	e := Entry{
		Place: it.Place(), Message: it.ID, Format: it.Format, Move: form.Move, By: it.Origin.Writer, At: it.At, Received: it.Received,
		Blobs: len(it.Facts.Blobs), Outstanding: f.l.outstanding(it, f.at),
	}
	f.d.Last = later(f.d.Last, it.Received)
	if counts, _ := f.l.get(it.ID, f.at); counts.Place() != it.Place() {
		f.line(e, FlagDouble)
		return
	}
	_, refused := f.l.refusal(it.Place())
	c := f.callOf(it, form, refused)
	f.entries[it.ID] = len(f.d.Timeline)
	f.calls, f.byID[it.ID] = append(f.calls, c), c
	f.line(e, f.marks(c, known)...)
	counts := !refused || c.opened
	if counts {
		if c.asks = f.move(it, form); c.asks && form.Kind == KindPublication {
			f.proposals = append(f.proposals, c)
		}
		f.announce(it, form)
		f.promise(it, form)
	}
	f.confirmBy(c)
	for _, ref := range f.l.refs(it) {
		asked, ok := f.byID[ref]
		switch {
		case !ok || asked == c:
		case asked.it.Origin.Writer != it.Origin.Writer:
			f.reply(asked, c)
		case counts:
			f.own(asked, c)
		}
	}
	f.d.Timeline[f.entries[it.ID]].Stage = f.stage()
}

// line adds a line to the timeline.
func (f *fold) line(e Entry, flags ...Flag) {
	e.Stage, e.Flags = f.stage(), flags
	f.d.Timeline = append(f.d.Timeline, e)
}

// flag adds a flag to the line of a message.
func (f *fold) flag(id message.ID, flag Flag) {
	e := &f.d.Timeline[f.entries[id]]
	if !slices.Contains(e.Flags, flag) {
		e.Flags = append(e.Flags, flag)
	}
}

// marks are the flags that a message has from the first.
func (f *fold) marks(c *call, known bool) (flags []Flag) {
	if !known {
		flags = append(flags, FlagUnknown)
	}
	if c.refused && (!c.opened || c.withheld) {
		flags = append(flags, FlagRefused)
	}
	if c.it.Provisional {
		flags = append(flags, FlagProvisional)
	}
	if !c.disputed.IsZero() {
		flags = append(flags, FlagTimeDisputed)
	}
	if f.l.contested(c.it, f.at) {
		flags = append(flags, FlagContested)
	}
	if c.from.After(c.it.Received) {
		flags = append(flags, FlagKeyDisclosed)
	}
	if f.l.outstanding(c.it, f.at) > 0 {
		flags = append(flags, FlagEvidence)
	}
	return flags
}

// move makes the move of a message of the dossier's kind, and reports whether it
// may ask for an answer.
func (f *fold) move(it Item, form Form) (asks bool) {
	asks = !f.mirrors(it, form)
	if f.l.kind(it) != f.kind {
		return asks
	}
	m := form.Move
	if f.kind == KindAny && m == "" { // a letter in a form that the edition lacks
		m = "write"
	}
	before := f.course.stage
	if flag := f.course.move(m, it, f.leaves(it)); flag != "" {
		f.flag(it.ID, flag)
		return false
	}
	f.made = append(f.made, it)
	f.enter(it)
	f.settled(before, it.Received)
	f.effects(it, form)
	t := f.course.turns[m]
	return asks && !slices.Contains(t.quiet, it.Facts.Words[t.by])
}

// mirrors reports whether a message answers one of its own format, and so asks
// for nothing itself.
func (f *fold) mirrors(it Item, form Form) bool {
	return form.mirrored() && slices.ContainsFunc(f.l.refs(it), func(ref message.ID) bool {
		asked, ok := f.byID[ref]
		return ok && asked.it.Format == it.Format && asked.it.Origin.Writer != it.Origin.Writer
	})
}

// settled notes since when the stage holds.
func (f *fold) settled(before Stage, at time.Time) {
	if f.course.stage != before {
		f.d.Since = at
	}
}

// stage returns the stage for people.
func (f *fold) stage() Stage {
	if f.course.stage == "" {
		return Unopened
	}
	return f.course.stage
}

// recall takes a message back: the dossier stands where it would without it.
func (f *fold) recall(c *call, at time.Time) {
	if c.recalled {
		return
	}
	c.recalled = true
	if c.stopped.IsZero() {
		c.stopped = at
	}
	f.d.Outcome = ""
	for _, r := range f.calls {
		if r.outcome != "" && !r.recalled {
			f.d.Outcome = r.outcome
		}
	}
	f.flag(c.it.ID, FlagRecalled)
	f.stopOwed(at, func(o *owed) bool { return o.of == c.it.ID })
	n := len(f.made)
	f.made = slices.DeleteFunc(f.made, func(it Item) bool { return it.ID == c.it.ID })
	if len(f.made) == n {
		return
	}
	before, since := f.course.stage, f.d.Since
	f.course, f.passes = course{machine: f.course.machine, made: make(map[Move][]identity.Station)}, nil
	f.ledger = newLedger()
	made := f.made
	f.d.Terms = nil
	for i, it := range made {
		f.pass(it.Received)
		f.course.move(f.l.form(it).Move, it, f.leaves(it))
		f.enter(it)
		f.made = made[:i+1]
		f.replan(it)
	}
	f.made = made
	f.pass(at)
	f.d.Since = since
	if f.course.stage == "" {
		f.course.stage = Withdrawn
	}
	f.settled(before, at)
}
