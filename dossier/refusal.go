package dossier

import (
	"slices"
	"time"

	"detente/message"
)

// refusal returns the refusal of an entry that stands. It holds from the receipt
// of what it refuses: the reader knew at once, though it said so later. So both
// sides fold the same as of any second. One that the record disproves, of an
// entry that the refuser had acted on before, has no effect.
func (l *Line) refusal(p Place) (Item, bool) { return l.refusalOf(p, nil) }

// refusalOf leaves out of account the refusals of what is being asked about:
// refusals of each other, in a circle, refuse nothing.
func (l *Line) refusalOf(p Place, asking []Place) (Item, bool) {
	marks := l.marksOf(p)
	if len(marks) == 0 || slices.Contains(asking, p) {
		return Item{}, false
	}
	asking = append(slices.Clip(asking), p)
	var first Item
	found := false
	for _, m := range marks {
		it := l.entry(m)
		if it.Refused == nil || it.Received.IsZero() || it.refusedPlace() != p || it.Origin.Writer != p.Origin.Reader {
			continue
		}
		if (!found || m.before(first.Place())) && !l.sealedAway(m, endOfTime(), asking) {
			first, found = it, true
		}
	}
	if !found || l.acted(l.entry(p), first, asking) {
		return Item{}, false
	}
	return first, true
}

// acted reports whether the refuser had seen, understood or answered the
// message before it refused it.
func (l *Line) acted(on, refusal Item, asking []Place) bool {
	if on.ID == (message.ID{}) {
		return false
	}
	l.looks(ofReferring(on.ID))
	for _, id := range l.referring[on.ID] {
		l.looks(ofID(id))
		for _, p := range l.ids[id] {
			it := l.items[p]
			if it.Origin.Writer != refusal.Origin.Writer || it.Received.IsZero() || !p.before(refusal.Place()) {
				continue
			}
			move := l.form(it).Move
			acts := move == "see" || move == "understand" && it.State == "UND" || l.answers(on, it)
			if acts && !l.sealedAway(p, endOfTime(), asking) {
				return true
			}
		}
	}
	return false
}

// answers reports whether a message's format answers another's.
func (l *Line) answers(asked, reply Item) bool {
	for _, f := range l.form(asked).Replies {
		if f == reply.Format {
			return true
		}
	}
	return false
}

// key returns the message by which an entry's author disclosed its file key, as
// of a second.
func (l *Line) key(p Place, at time.Time) (Item, bool) { return l.keyOf(p, at, nil) }

func (l *Line) keyOf(p Place, at time.Time, asking []Place) (Item, bool) {
	var first Item
	found := false
	for _, m := range l.marksOf(p) {
		it, ok := l.listed(m, at)
		if ok && it.Key != nil && *it.Key == p && it.Origin.Writer == p.Origin.Writer && (!found || m.before(first.Place())) &&
			!l.sealedAway(m, at, asking) {
			first, found = it, true
		}
	}
	return first, found
}

// hidden reports whether an entry is folded as one that nobody but its author
// can read: refused as unreadable, and its file key not yet received.
func (l *Line) hidden(p Place, at time.Time) bool { return l.sealedAway(p, at, nil) }

func (l *Line) sealedAway(p Place, at time.Time, asking []Place) bool {
	r, ok := l.refusalOf(p, asking)
	if !ok || r.Refused.Reason != unreadable {
		return false
	}
	_, opened := l.keyOf(p, at, append(slices.Clip(asking), p))
	return !opened
}

// heard returns an entry that stands receipted in the record as of a second and
// that its reader can read: what it says of other entries counts.
func (l *Line) heard(p Place, at time.Time) (Item, bool) {
	it, ok := l.listed(p, at)
	return it, ok && !l.hidden(p, at)
}

// refusedAgain reports whether an entry's reader still says that it cannot be
// opened after it had taken the file key, by what it had seen: it withholds. Both
// may lie in one second.
func (l *Line) refusedAgain(p Place, key Item, at time.Time) bool {
	for _, m := range l.marksOf(p) {
		it, ok := l.heard(m, at)
		if ok && it.Refused != nil && it.Refused.Reason == unreadable && it.refusedPlace() == p &&
			it.Origin.Writer == p.Origin.Reader && it.Seen.covers(key.Place()) {
			return true
		}
	}
	return false
}

// refusedOtherwise reports whether an entry's reader, who could not open it,
// refused it for another reason once it could.
func (l *Line) refusedOtherwise(p Place, at time.Time) bool {
	for _, m := range l.marks[p] {
		it, ok := l.heard(m, at)
		if ok && it.Refused != nil && it.Refused.Reason != unreadable && it.refusedPlace() == p && it.Origin.Writer == p.Origin.Reader {
			return true
		}
	}
	return false
}

// keyWithin is how long the author of an unreadable entry may take to disclose
// its file key before the entry no longer shields what it owes: a shift and its
// handover are in it.
const keyWithin = 24 * time.Hour

// maxSealedDays bounds the days that are searched for unreadable entries: no
// clock of a format runs longer.
const maxSealedDays = 400

// shielded reports whether a writer has an unreadable entry, received in a
// period, that may be what it owed.
func (l *Line) shielded(d Duty, at time.Time) bool {
	to := d.last()
	first, last := day(d.From), day(to)
	first = max(first, last-maxSealedDays)
	for n := first; n <= last; n++ {
		l.looks(ofSealed(dayOf{d.By, n}))
		for _, p := range l.sealed[dayOf{d.By, n}] {
			it, ok := l.listed(p, at)
			if !ok || it.Received.Before(d.From) || it.Received.After(to) || !l.hidden(p, at) {
				continue
			}
			r, _ := l.refusal(p)
			if !l.by(r.Received, at) || !l.past(r.Received.Add(keyWithin), at) {
				return true
			}
		}
	}
	return false
}
