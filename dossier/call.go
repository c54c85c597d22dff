package dossier

import (
	"slices"
	"time"

	"detente/message"
)

// A call is a message with what it calls for, as the fold goes on.
type call struct {
	it       Item
	form     Form
	clocks   Clocks
	asks     bool      // an answer is owed; false where it was refused, led nowhere, or is itself an answer in kind
	refused  bool      // by its reader: no person has to acknowledge it
	opened   bool      // it was refused as unreadable, and its author's file key has opened it since: it counts, and is owed an answer
	withheld bool      // its reader denies it after it has its file key
	from     time.Time // from when the clocks run
	disputed time.Time // the disputing entry's second; zero: the receipt is not disputed
	stopped  time.Time // taken back, or of no use since the matter was
	recalled bool      // taken back by its author

	seen, understood, interim, answered, full, settled replies

	extended  int
	due       time.Time // after an extension; zero: by the clock
	pending   time.Time // a second extension that awaits consent
	pendingBy message.ID
	outcome   string // the code of an answer; empty: it is none
	stages    Stages
}

// callOf begins to follow what a message calls for.
func (f *fold) callOf(it Item, form Form, refused bool) *call {
	c := &call{it: it, form: form, clocks: form.clocks(it), refused: refused, from: it.Received}
	c.stages.Received = it.Received
	if key, ok := f.l.key(it.Place(), f.at); ok {
		if r, sealed := f.l.refusal(it.Place()); sealed && r.Refused.Reason == unreadable {
			c.from = later(it.Received, key.Received)
			c.withheld = f.l.refusedAgain(it.Place(), key, f.at)
			c.opened = !f.l.refusedOtherwise(it.Place(), f.at)
		}
	}
	if at, ok := f.l.dispute(it.Place(), f.at); ok {
		c.disputed = at
	}
	return c
}

// dispute returns the second of the entry that disputes the receipt of another:
// of several the first in its log, the lower writer's first.
func (l *Line) dispute(p Place, at time.Time) (time.Time, bool) {
	var first Item
	found := false
	for _, m := range l.marksOf(p) {
		it, ok := l.heard(m, at)
		if !ok || it.Disputed == nil || *it.Disputed != p {
			continue
		}
		if _, refused := l.refusal(m); !refused && (!found || earlier(it, first)) {
			first, found = it, true
		}
	}
	return first.At, found
}

// deadline returns until when an answer is due by the receipt's own second.
func (c *call) deadline() time.Time {
	if !c.due.IsZero() {
		return c.due
	}
	return c.from.Add(c.clocks.Answered)
}

// lastDeadline is the later of the deadlines of a disputed receipt.
func (c *call) lastDeadline() time.Time {
	if c.due.IsZero() && !c.disputed.IsZero() {
		return later(c.deadline(), c.disputed.Add(c.clocks.Answered))
	}
	return c.deadline()
}

// How late a full answer may be: by the agreement's usual article on inquiries,
// seven days, two where it is urgent. A first extension is by right no longer,
// nor longer than the answer's own time once more, whichever is more.
const (
	fullWithin   = 7 * 24 * time.Hour
	fullIfUrgent = 2 * 24 * time.Hour
)

// partly reports whether the answer that stands is one for the time being.
func (c *call) partly() bool {
	i := slices.IndexFunc(c.answered, func(r *call) bool { return !r.recalled })
	return i >= 0 && !slices.Contains(c.full, c.answered[i])
}

// byRight is the latest date of a first extension, and of a full answer.
func (c *call) byRight() time.Time {
	within := fullWithin
	if c.it.Precedence == message.Flash {
		within = fullIfUrgent
	}
	return c.from.Add(max(within, 2*c.clocks.Answered))
}

// The formats of the general stages.
const (
	seenFormat       message.Format = "017"
	understoodFormat message.Format = "012"
	interimFormat    message.Format = "202"
	settleFormat     message.Format = "018"
)

// duties lists what a call's clocks ask, judged.
func (f *fold) duties(c *call) []Duty {
	reader, writer := c.it.Origin.Reader, c.it.Origin.Writer
	var list []Duty
	add := func(d Duty, by replies) {
		d.Of = c.it.ID
		d.Stopped = c.stopped
		f.judge(&d, by, c)
		list = append(list, d)
	}
	clock := func(act Act, within time.Duration, by replies, formats ...message.Format) {
		if within <= 0 {
			return
		}
		d := Duty{Act: act, By: reader, Formats: formats, From: c.from, Due: c.from.Add(within)}
		if !c.disputed.IsZero() {
			d.Second = c.disputed.Add(within)
		}
		add(d, by)
	}
	if c.clocks.Received > 0 {
		d := Duty{Of: c.it.ID, Act: ActReceived, By: reader, From: c.it.At, Due: c.it.At.Add(c.clocks.Received), Met: c.it.Received, State: Met}
		if d.Met.After(d.Due) {
			d.State = Late
		}
		list = append(list, d)
	}
	if !c.refused || c.opened {
		clock(ActSeen, c.clocks.Seen, c.seen, formatsThat([]message.Format{seenFormat, understoodFormat}, c.form.Replies)...)
		clock(ActUnderstood, c.clocks.Understood, c.understood, formatsThat([]message.Format{understoodFormat}, c.form.Replies)...)
	}
	if c.asks && c.clocks.Answered > 0 {
		clock(ActInterim, c.clocks.Interim, c.interim, formatsThat([]message.Format{interimFormat}, c.form.Replies)...)
		d := Duty{Act: ActAnswered, By: reader, Formats: c.form.Replies, From: c.from, Due: c.deadline(), Extended: c.extended}
		if !c.disputed.IsZero() && c.due.IsZero() {
			d.Second = c.disputed.Add(c.clocks.Answered)
		}
		add(d, c.answered)
		if c.partly() {
			add(Duty{Act: ActFull, By: reader, Formats: c.form.Replies, From: c.from, Due: c.byRight()}, c.full)
		}
	}
	if by := c.stages.ConfirmBy; !by.IsZero() {
		d := Duty{Act: ActConfirmed, By: writer, Formats: []message.Format{settleFormat}, From: c.it.Received, Due: by}
		add(d, c.settled)
	}
	return list
}
