package treaty

import (
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// folded is the account over a beginning of the record.
type folded struct {
	setup     Setup
	compiled  []map[string]conditions
	known     map[message.ID]*Event
	referring map[message.ID][]*Event  // messages by what they refer to
	taken     map[message.ID]time.Time // messages that were taken back, since when
	duties    []*duty
	byEvent   map[message.ID][]*duty     // by what triggered them, and for follow-ups by what that refers to
	free      map[message.Format][]*duty // that any message of a format meets
	recurring []*recurring
	denounced []Denunciation
	suspended []Suspension
	windows   []Window
	refused   []Refusal
}

func newFolded(s Setup, compiled []map[string]conditions) *folded {
	f := &folded{
		setup: s, compiled: compiled, known: make(map[message.ID]*Event), referring: make(map[message.ID][]*Event),
		taken: make(map[message.ID]time.Time), byEvent: make(map[message.ID][]*duty), free: make(map[message.Format][]*duty),
	}
	f.occasions()
	return f
}

func (f *folded) refuse(e *Event, article, why string) {
	f.refused = append(f.refused, Refusal{e.ID, article, why})
}

// version returns the index of the text in force at a second; -1: none is yet.
func (f *folded) version(at time.Time) int {
	n := -1
	for i, v := range f.setup.Versions {
		if !v.From.After(at) {
			n = i
		}
	}
	return n
}

// party reports whether the agreement binds a side.
func (f *folded) party(p identity.Party) bool {
	return p == f.setup.Parties[0] || p == f.setup.Parties[1]
}

// other returns the counterpart of a side.
func (f *folded) other(p identity.Party) identity.Party {
	if p == f.setup.Parties[0] {
		return f.setup.Parties[1]
	}
	return f.setup.Parties[0]
}

// take folds the next message of the record.
func (f *folded) take(e *Event) {
	if !f.party(e.By) || f.known[e.ID] != nil {
		return // of two entries with one id the first counts
	}
	f.known[e.ID] = e
	for _, ref := range e.Refs {
		f.referring[ref] = append(f.referring[ref], e)
	}
	for _, by := range f.referring[e.ID] { // what was taken back in the second of its receipt may come after
		if takesBack(by) && by.By == e.By {
			f.taken[e.ID] = by.Received
		}
	}
	v := f.version(e.Received)
	if v < 0 {
		return // nothing was in force
	}
	if ends := f.ends(e.Received); ends.IsZero() || !e.Received.After(ends) {
		f.end(e)
		f.suspend(e)
		f.vote(e)
	}
	f.takeBack(e)
	f.discharge(e)
	if ends := f.ends(e.Received); ends.IsZero() || !e.Received.After(ends) {
		f.trigger(e, v)
	}
}

// takeBack stops what a message that is taken back called for, and lets it meet
// nothing any more. Only its own author can take it back.
func (f *folded) takeBack(e *Event) {
	if !takesBack(e) {
		return
	}
	for _, ref := range e.Refs {
		was := f.known[ref]
		if was == nil || was.By != e.By {
			continue
		}
		if _, done := f.taken[ref]; !done {
			f.taken[ref] = e.Received
		}
		for _, o := range f.byEvent[ref] {
			if o.of == was && o.stopped.IsZero() {
				o.stopped = e.Received
			}
		}
	}
}

// discharge lets a message meet what it may meet, or move it.
func (f *folded) discharge(e *Event) {
	for _, ref := range e.Refs {
		for _, o := range f.byEvent[ref] {
			f.meet(o, e)
		}
	}
	for _, o := range f.free[e.Format] {
		f.meet(o, e)
	}
	for _, r := range f.recurring {
		r.count(f, e)
	}
}

// meet adds a message to what meets an obligation, or moves its date, where it
// does.
func (f *folded) meet(o *duty, e *Event) {
	mine := o.key.By == "" || o.key.By == e.By
	if until, ok := extension(e); ok && mine && o.d.Extends && e != o.of {
		f.extend(o, e, until)
	}
	if consents(e) && o.d.Extends {
		f.consent(o, e)
	}
	if !mine || e == o.of || o.of == nil && len(o.acts) > maxActs || slices.Contains(o.acts, e) || o.of != nil && e.Received.Before(o.of.Received) && !o.d.Act.Free {
		return
	}
	if !slices.Contains(o.d.Act.Formats, e.Format) {
		if o.d.Act.OrReply && o.of != nil && slices.Contains(e.Refs, o.of.ID) && !silent(e.Format) {
			f.act(o, e)
		}
		return
	}
	c, declared := o.conds.act[e.Format]
	if o.d.Act.Where != "" && !declared {
		o.why = fmt.Sprintf("%s: the signal book has no format %s, so its condition cannot be judged", o.d.ID, e.Format)
		return
	}
	yes, err := c.holds(e, f.phase(e.Received), f.refers(e))
	if err != nil {
		o.why = err.Error()
		return
	}
	if yes {
		f.act(o, e)
	}
}

// maxActs bounds the acts that are kept of what any message of a format meets: the
// first ones count, the others are there for those that are taken back.
const maxActs = 64

// act notes an act, and what follows from the last one that is needed.
func (f *folded) act(o *duty, e *Event) {
	o.acts = append(o.acts, e)
	if len(o.acts) != o.needed() {
		return
	}
	v := f.version(e.Received)
	text := f.setup.Versions[v].Text
	for i := range text.Articles {
		for j := range text.Articles[i].Duties {
			d := &text.Articles[i].Duties[j]
			if d.On.After == o.d.ID {
				f.follow(o, d, text.Articles[i].ID, e, v)
			}
		}
	}
}

// maxExtension is how far an interim answer may move a date by right, or to twice
// the answer's own time, whichever is more.
func maxExtension(p message.Precedence) Period {
	if p == message.Flash {
		return Period{Seconds: 2 * dayS}
	}
	return Period{Seconds: 7 * dayS}
}

// extend moves a date once by right; a second time waits for consent. What is past
// is not moved.
func (f *folded) extend(o *duty, e *Event, until time.Time) {
	due, n := o.moved(e.Received)
	if e.Received.After(due) || o.of == nil || !slices.Contains(e.Refs, o.of.ID) {
		return
	}
	if n == 0 {
		most := maxExtension(o.of.Precedence).After(o.start)
		if twice := o.due.Add(o.due.Sub(o.start)); twice.After(most) {
			most = twice
		}
		if until.After(most) {
			until = most
		}
		o.exts = append(o.exts, extended{e, until})
		return
	}
	if n == 1 {
		o.asked = append(o.asked, e)
		f.byEvent[e.ID] = append(f.byEvent[e.ID], o)
	}
}

// consent moves a date a second time where the asker says so; there is no third.
func (f *folded) consent(o *duty, e *Event) {
	if o.of == nil || e.By != o.of.By || len(o.exts) != 1 {
		return
	}
	for _, ask := range o.asked {
		if until, ok := extension(ask); ok && slices.Contains(e.Refs, ask.ID) {
			o.exts = append(o.exts, extended{e, until})
			return
		}
	}
}

// refers returns the formats of what a message refers to, as far as known.
func (f *folded) refers(e *Event) []string {
	list := []string{}
	for _, ref := range e.Refs {
		if was := f.known[ref]; was != nil {
			list = append(list, string(was.Format))
		}
	}
	return list
}

// trigger lets a message make duties arise, by the text in force at its receipt.
func (f *folded) trigger(e *Event, v int) {
	text := f.setup.Versions[v].Text
	for i := range text.Articles {
		art := &text.Articles[i]
		for j := range art.Duties {
			d := &art.Duties[j]
			named := slices.Contains(d.On.Formats, e.Format)
			if !named && (!d.On.Any || slices.Contains(d.On.Except, e.Format)) {
				continue
			}
			if d.Lead != nil && f.suspendedAt(art.ID, e.Received) {
				continue // nobody owed to say it earlier, and that it comes later changes nothing
			}
			c := f.compiled[v][d.ID]
			o := &duty{d: d, article: art.ID, of: e, conds: c, phase: f.phase(e.Received)}
			yes, err := f.holds(d, c, e, o.phase)
			switch {
			case err != nil:
				o.why = err.Error()
			case !yes:
				continue
			}
			f.arise(o, e)
		}
	}
}

// holds judges a duty's own condition over a message.
func (f *folded) holds(d *Duty, c conditions, e *Event, phase Phase) (bool, error) {
	cond := of(c.on, e.Format)
	if d.On.Where != "" && cond == nil {
		return false, fmt.Errorf("%s: the signal book has no format %s, so its condition cannot be judged", d.ID, e.Format)
	}
	return cond.holds(e, phase, f.refers(e))
}

// arise sets a new obligation's owner and clock.
func (f *folded) arise(o *duty, e *Event) {
	f.clock(o, e)
	if _, back := f.taken[e.ID]; back {
		o.stopped = e.Received
	}
	switch o.d.By {
	case Author:
		f.add(o, e.By)
	case Reader:
		f.add(o, f.other(e.By))
	case Either:
		f.add(o, "")
	case Each:
		twin := *o
		f.add(o, f.setup.Parties[0])
		f.add(&twin, f.setup.Parties[1])
	}
}

// add keeps an obligation, and lets what came before it meet it.
func (f *folded) add(o *duty, by identity.Party) {
	o.key = Key{Duty: o.d.ID, By: by}
	f.duties = append(f.duties, o)
	if o.of == nil {
		for _, n := range o.d.Act.Formats {
			f.free[n] = append(f.free[n], o)
		}
		return
	}
	o.key.Of = o.of.ID
	f.byEvent[o.of.ID] = append(f.byEvent[o.of.ID], o)
	if o.d.Act.Self || o.lead {
		o.acts = append(o.acts, o.of)
		return
	}
	if o.d.By == Author { // who follows up refers to its own message, or to what that answers
		for _, ref := range o.of.Refs {
			f.byEvent[ref] = append(f.byEvent[ref], o)
		}
	}
	if o.d.Act.Free {
		for _, n := range o.d.Act.Formats {
			f.free[n] = append(f.free[n], o)
		}
	}
	for _, e := range f.referring[o.of.ID] {
		f.meet(o, e)
	}
}

// clock sets when an obligation begins and is due.
func (f *folded) clock(o *duty, e *Event) {
	d := o.d
	if d.Lead != nil {
		from, _, ok := e.span(d.Lead.Param)
		o.lead, o.clocked, o.start = true, ok, e.Received
		if ok {
			o.within, o.due = d.Lead.Least, d.Lead.Least.Before(from)
		} else if o.why == "" {
			o.why = fmt.Sprintf("%s: the message does not give %s", d.ID, d.Lead.Param)
		}
		return
	}
	o.start = e.Received
	if d.From != "" {
		_, to, ok := e.span(d.From)
		if !ok {
			if o.why == "" {
				o.why = fmt.Sprintf("%s: the message does not give %s", d.ID, d.From)
			}
			return
		}
		o.start = to
	}
	o.within = d.Within
	if w, ok := d.WithinOf[e.Precedence.String()]; ok {
		o.within = w
	}
	f.tighten(o, e)
	if o.within != (Period{}) {
		o.clocked, o.due = true, o.within.After(o.start)
	}
}

// tighten applies the strictest of what the phase asks for.
func (f *folded) tighten(o *duty, e *Event) {
	for i, t := range o.d.Tighten {
		if o.phase == PhaseNone || t.In == PhaseCore && o.phase != PhaseCore {
			continue
		}
		if t.Where != "" {
			yes, err := of(o.conds.tighten[i], e.Format).holds(e, o.phase, f.refers(e))
			if err != nil {
				o.why = err.Error()
			}
			if !yes {
				continue
			}
		}
		w := t.Within
		if t.Halve {
			w = o.d.Within
			if own, ok := o.d.WithinOf[e.Precedence.String()]; ok {
				w = own
			}
			w = w.half()
		}
		if o.within == (Period{}) || w.After(o.start).Before(o.within.After(o.start)) {
			o.within, o.tight = w, true
		}
		if t.Raise != "" && stricter(t.Raise, o.raise) {
			o.raise = t.Raise
		}
	}
}

// stricter reports whether a precedence is above another; above none is each.
func stricter(a, b string) bool {
	p, err := message.ParsePrecedence(a)
	if err != nil {
		return false
	}
	q, err := message.ParsePrecedence(b)
	return err != nil || p > q
}

// follow makes the duty arise that follows the meeting of another.
func (f *folded) follow(parent *duty, d *Duty, article string, e *Event, v int) {
	o := &duty{d: d, article: article, of: e, conds: f.compiled[v][d.ID], phase: f.phase(e.Received), parent: parent}
	f.arise(o, e)
}
