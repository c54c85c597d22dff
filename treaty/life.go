package treaty

import (
	"time"

	"detente/identity"
	"detente/message"
)

// TermAt returns which term of an agreement runs at a second, the first being 1,
// and when it ends. Terms are counted from entry into force each time, so that a
// month's end is looked up once: what begins on 29 February ends on 28 February,
// and on 29 February where there is one.
func (t Term) TermAt(from, at time.Time) (n int, ends time.Time) {
	ends = t.Period.After(from)
	for n = 1; !at.Before(ends) && t.Renewal != (Period{}); n++ {
		p := t.Renewal.times(n)
		if p.Months > 0 == (t.Period.Months > 0) {
			ends = Period{Months: t.Period.Months + p.Months, Seconds: t.Period.Seconds + p.Seconds}.After(from)
		} else {
			ends = p.After(t.Period.After(from))
		}
	}
	return n, ends
}

// EndBy returns when an agreement ends by a denunciation: the notice after its
// receipt, or the later date that it names. Where the notice runs past the end of
// a term, the term renews, and the agreement ends by the notice all the same.
func (t Term) EndBy(received, named time.Time) time.Time {
	ends := t.Notice.After(received)
	if named.After(ends) {
		return named
	}
	return ends
}

// EndByTerm returns when an agreement ends by notice that it is not renewed: at
// the end of the term that runs at the receipt, or, where that is nearer than the
// notice, as by a denunciation.
func (t Term) EndByTerm(from, received time.Time) time.Time {
	_, ends := t.TermAt(from, received)
	if notice := t.Notice.After(received); notice.After(ends) {
		return notice
	}
	return ends
}

// Denunciation is a note that ends an agreement, or did.
type Denunciation struct {
	By        identity.Party
	Message   message.ID
	Received  time.Time
	Ends      time.Time // what follows from receipt and term
	Named     time.Time // what the note itself says; zero: nothing
	Withdrawn time.Time // zero: it stands
}

// Short reports whether the note names an earlier end than its notice allows.
func (d Denunciation) Short() bool { return !d.Named.IsZero() && d.Named.Before(d.Ends) }

// end notes what a message says of the agreement's end.
func (f *folded) end(e *Event) {
	d, ok := denunciation(e, f.setup.Agreement)
	if !ok {
		return
	}
	term := f.versionAt(e.Received).Text.Term
	switch {
	case d.withdrawn:
		for i := range f.denounced {
			n := &f.denounced[i]
			if n.By == e.By && n.Withdrawn.IsZero() && e.Received.Before(n.Ends) {
				n.Withdrawn = e.Received
				return
			}
		}
		f.refuse(e, "", "there is no denunciation of this side that could be withdrawn")
	case d.notRenewed:
		f.denounced = append(f.denounced, Denunciation{By: e.By, Message: e.ID, Received: e.Received, Named: d.named, Ends: term.EndByTerm(f.from(), e.Received)})
	default:
		f.denounced = append(f.denounced, Denunciation{By: e.By, Message: e.ID, Received: e.Received, Named: d.named, Ends: term.EndBy(e.Received, d.named)})
	}
}

// ends returns when the agreement ends, as is known at a second; zero: it does
// not.
func (f *folded) ends(at time.Time) (ends time.Time) {
	for _, d := range f.denounced {
		if d.Withdrawn.IsZero() && (ends.IsZero() || d.Ends.Before(ends)) {
			ends = d.Ends
		}
	}
	last := f.versionAt(at).Text.Term
	if last.Renewal == (Period{}) {
		if t := last.Period.After(f.from()); ends.IsZero() || t.Before(ends) {
			ends = t
		}
	}
	return ends
}

// from returns when the agreement entered into force.
func (f *folded) from() time.Time { return f.setup.Versions[0].From }

// versionAt returns the text in force at a second: the first one before any was.
func (f *folded) versionAt(at time.Time) Version {
	v := f.setup.Versions[0]
	for _, next := range f.setup.Versions[1:] {
		if next.From.After(at) {
			break
		}
		v = next
	}
	return v
}
