package dossier

import (
	"slices"
	"time"

	"detente/message"
)

// Whole is where all matters of a line stand as of a second.
type Whole struct {
	At         time.Time
	Dossiers   []Dossier // by id
	Unreadable []Sealed  // by place: refused as unreadable, and not opened since
	Unlisted   []Waiting // by place: what the record does not show as received yet. Each side may know others; they are in no digest
}

// Sealed is an entry that its reader could not open: no more is known of it.
type Sealed struct {
	Place    Place
	Received time.Time
	Refusal  message.ID // that says so
}

// Waiting is a message without a receipt in the record. It is shown, never
// folded, and no clock of its reader's runs.
type Waiting struct {
	Place   Place
	Message message.ID
	Due     time.Time // by when its receipt was due; zero: by no time
	State   DutyState // Open, Undelivered or WithheldState
	Joins   []Joined  // the dossiers that it will be in
}

// Joined names a dossier that a waiting message will be in, and what it would
// answer there.
type Joined struct {
	ID    message.ID
	Meets []message.ID // the messages that call for it
}

// At returns where all matters stand as of a second. What was received later is
// not known then: neither its dossiers nor what it merged, met or moved.
// A part of a second is no time of records and is cut off. What was folded
// before, and of which nothing has changed since, is not folded again: asking
// costs what has changed, by what was put or by the second, and a glance at each
// other dossier. The caller changes nothing in what the dossiers hold.
func (l *Line) At(at time.Time) Whole {
	at = at.UTC().Truncate(time.Second)
	w := Whole{At: at, Dossiers: l.dossiers(at)}
	for p := range l.pending {
		if it := l.items[p]; it.ID != (message.ID{}) {
			w.Unlisted = append(w.Unlisted, l.waiting(it, at))
		}
	}
	for p := range l.closed {
		if it, ok := l.listed(p, at); ok && l.hidden(p, at) {
			r, _ := l.refusal(p)
			w.Unreadable = append(w.Unreadable, Sealed{p, it.Received, r.ID})
		}
	}
	slices.SortFunc(w.Unlisted, func(a, b Waiting) int { return byPlace(a.Place, b.Place) })
	slices.SortFunc(w.Unreadable, func(a, b Sealed) int { return byPlace(a.Place, b.Place) })
	return w
}

// waiting says how a message stands that no receipt covers.
func (l *Line) waiting(it Item, at time.Time) Waiting {
	w := Waiting{Place: it.Place(), Message: it.ID, State: Open}
	if within := l.form(it).Clocks[it.Precedence].Received; within > 0 {
		w.Due = it.At.Add(within)
	}
	switch {
	case it.Withheld:
		w.State = WithheldState
	case !w.Due.IsZero() && at.After(w.Due):
		w.State = Undelivered
	}
	for _, ref := range l.refs(it) {
		asked, ok := l.get(ref, at)
		if !ok {
			continue
		}
		for _, head := range l.heads(asked, at) {
			id := l.idOf(head, at)
			i := slices.IndexFunc(w.Joins, func(d Joined) bool { return d.ID == id })
			if i < 0 {
				i = len(w.Joins)
				w.Joins = append(w.Joins, Joined{ID: id})
			}
			if l.answers(asked, it) && asked.Origin.Writer != it.Origin.Writer && !slices.Contains(w.Joins[i].Meets, ref) {
				w.Joins[i].Meets = append(w.Joins[i].Meets, ref)
			}
		}
	}
	return w
}

// byPlace is the order of places of both logs.
func byPlace(a, b Place) int {
	if c := compare(a.Origin.Writer, b.Origin.Writer); c != 0 {
		return c
	}
	if c := placeOrder(a, b); c != 0 {
		return c
	}
	return compare(a.Origin.String(), b.Origin.String())
}
