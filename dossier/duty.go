package dossier

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Act is what is owed, a code.
type Act string

// The acts that may be owed.
const (
	ActReceived   Act = "received"   // by the reader's station
	ActSeen       Act = "seen"       // by a person of its watch
	ActUnderstood Act = "understood" // UND, NUN or COR
	ActInterim    Act = "interim"    // at least an interim answer
	ActAnswered   Act = "answered"
	ActFull       Act = "full"      // after an answer for the time being
	ActFollowed   Act = "followed"  // by its author, with a later message
	ActConfirmed  Act = "confirmed" // by its author: a provisional message
)

// DutyState is how a duty stands, a code.
type DutyState string

// The states of a duty.
const (
	Open             DutyState = "open"
	Met              DutyState = "met"
	Late             DutyState = "late"                 // met after it was due
	Missed           DutyState = "missed"               // not met, and past
	MetTimeDisputed  DutyState = "met-time-disputed"    // only its author's own second was in time
	LateTimeDisputed DutyState = "late-time-disputed"   // between the two deadlines of a disputed receipt
	MetDisputed      DutyState = "met-disputed"         // in time, by a message that its reader refuses
	Unreadable       DutyState = "unreadable"           // past; an entry that its reader cannot open may have met it
	WithheldState    DutyState = "withheld"             // who owes it is alive and withholds a receipt, or denies an opened entry
	EvidenceAwaited  DutyState = "evidence-outstanding" // late, while a blob that it hangs on was not receipted
	Stopped          DutyState = "stopped"              // what called for it was taken back in time
	Undelivered      DutyState = "undelivered"          // of an unlisted message: no receipt within the time
)

// Duty is what somebody owes after a message.
type Duty struct {
	Of       message.ID // the message that calls for it
	Act      Act
	By       identity.Station // who owes it
	Formats  []message.Format // that discharge it; none: a receipt of the station
	From     time.Time        // from when its clock runs
	Due      time.Time        // by when, the second itself in time
	Second   time.Time        // by when by the disputing entry's second; zero: the receipt is not disputed
	Extended int              // how often: 0, 1 by right, 2 by consent
	Met      time.Time        // zero: not
	MetBy    message.ID       // zero where Met is, and of a station's receipt
	Stopped  time.Time        // when what called for it was taken back; zero: it was not
	State    DutyState
}

// Owed reports whether the duty still waits for an act.
func (d Duty) Owed() bool { return d.Met.IsZero() && d.Stopped.IsZero() }

// confirmation reports whether the duty is one of receipt alone, which a closed
// dossier may still owe.
func (d Duty) confirmation() bool {
	return d.Act == ActReceived || d.Act == ActSeen || d.Act == ActUnderstood
}

// substance reports whether evidence belongs to what is owed.
func (d Duty) substance() bool {
	return d.Act == ActAnswered || d.Act == ActFull || d.Act == ActFollowed
}

// last returns the later of the deadlines.
func (d Duty) last() time.Time {
	if d.Second.After(d.Due) {
		return d.Second
	}
	return d.Due
}

// first returns the earlier of the deadlines.
func (d Duty) first() time.Time {
	if !d.Second.IsZero() && d.Second.Before(d.Due) {
		return d.Second
	}
	return d.Due
}

// replies are the messages that discharge a duty, in the order of the fold.
type replies []*call

// there reports whether one of them stands: not taken back by its author.
func (r replies) there() bool {
	return slices.ContainsFunc(r, func(c *call) bool { return !c.recalled })
}

// met is how a duty was met by one of its replies.
type met struct {
	by    *call     // nil: not
	at    time.Time // of the receipt, or of that of its last blob
	blobs time.Time // of that of its last blob; zero: it has none
}

// rank orders what may have met a duty: in time before late, then what its
// reader took before what it refused.
func (m met) rank(d Duty) int {
	rank := 0
	if m.at.After(d.first()) {
		rank = 2
	}
	if m.by.refused {
		rank++
	}
	return rank
}

// best returns how a duty was met; waits says that a reply is there and its
// evidence is not.
func (f *fold) best(d Duty, by replies) (best met, waits bool) {
	for _, c := range by {
		if c.recalled {
			continue
		}
		m := met{by: c, at: c.it.Received}
		if d.substance() {
			blobs, lacking := f.l.blobsIn(c.it, f.at)
			if lacking {
				waits = true
				continue
			}
			m.at, m.blobs = later(m.at, blobs), blobs
		}
		if best.by == nil || m.rank(d) < best.rank(d) || m.rank(d) == best.rank(d) && m.at.Before(best.at) {
			best = m
		}
	}
	return best, waits
}

// judge fills in when a duty was met, and its state as of the fold's second.
func (f *fold) judge(d *Duty, by replies, c *call) {
	best, waits := f.best(*d, by)
	if best.by != nil {
		d.Met, d.MetBy = best.at, best.by.it.ID
	}
	first, last := d.first(), d.last()
	switch {
	case d.Met.IsZero() && !d.Stopped.IsZero() && !d.Stopped.After(last):
		d.State = Stopped
	case !d.Met.IsZero():
		d.State = best.state(*d)
	case c.withheld && d.By == c.it.Origin.Reader:
		d.State = WithheldState
	case !f.l.past(first, f.at):
		d.State = Open
	case waits || d.substance() && f.l.blobsLate(c.it, last, f.at):
		d.State = EvidenceAwaited
	case !f.l.past(last, f.at):
		d.State = LateTimeDisputed
	case f.l.shielded(*d, f.at):
		d.State = Unreadable
	default:
		d.State = Missed
	}
}

// state is the state of a duty that was met.
func (m met) state(d Duty) DutyState {
	first, last := d.first(), d.last()
	switch {
	case !m.at.After(first) && m.by.refused:
		return MetDisputed
	case !m.at.After(first):
		return Met
	case m.blobs.After(m.by.it.Received): // its evidence made it late
		return Late
	case !m.by.it.At.After(first):
		return MetTimeDisputed
	case !m.at.After(last):
		return LateTimeDisputed
	}
	return Late
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// blobsIn returns when the last blob of a message was receipted by its reader,
// zero where it has none; waits says that one is not receipted yet.
func (l *Line) blobsIn(it Item, at time.Time) (last time.Time, waits bool) {
	for _, d := range it.Facts.Blobs {
		t, ok := l.blobAt(d, it, at)
		if !ok {
			return time.Time{}, true
		}
		last = later(last, t)
	}
	return last, false
}

// blobsLate reports whether a blob of a message was not receipted by a second.
func (l *Line) blobsLate(it Item, by, at time.Time) bool {
	last, waits := l.blobsIn(it, at)
	return waits || last.After(by)
}

func (l *Line) blobAt(d identity.Digest, of Item, at time.Time) (first time.Time, ok bool) {
	l.looks(ofBlob(d))
	for _, p := range l.blobs[d] {
		if p.Origin.Writer != of.Origin.Reader {
			continue
		}
		if it, heard := l.heard(p, at); heard && (!ok || it.Received.Before(first)) {
			first, ok = it.Received, true
		}
	}
	return first, ok
}

// outstanding counts the blobs of a message that are not receipted.
func (l *Line) outstanding(it Item, at time.Time) (n int) {
	for _, d := range it.Facts.Blobs {
		if _, ok := l.blobAt(d, it, at); !ok {
			n++
		}
	}
	return n
}

// formatsThat lists formats once each, by number.
func formatsThat(lists ...[]message.Format) []message.Format {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}
