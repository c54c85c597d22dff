package dossier

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// stands is a duty with the dossier that shows it.
type stands struct {
	Duty
	dossier message.ID
	gone    bool
}

// owing keeps which duties of a line are owed, message by message: what comes
// costs the dossiers that it touches, and asking costs what is due. It is of one
// second, which moves on.
type owing struct {
	at          time.Time                   // as of which
	dirty       map[message.ID]bool         // whose dossiers may stand otherwise than was folded
	ahead       []Place                     // entries received after at
	in          map[message.ID][]message.ID // the dossiers that a message is in, by id
	members     map[message.ID][]message.ID // of a dossier
	duties      map[message.ID][]*stands    // of a dossier: those owed, and all of a message that is in several
	holders     map[identity.Digest][]message.ID
	provisional map[identity.Station][]message.ID
	first       []*stands // owed, the first due first
	come, gone  []*stands // what first lacks, and what it has too much
}

func newOwing(at time.Time) *owing {
	return &owing{
		at: at, dirty: make(map[message.ID]bool), in: make(map[message.ID][]message.ID), members: make(map[message.ID][]message.ID),
		duties: make(map[message.ID][]*stands), holders: make(map[identity.Digest][]message.ID), provisional: make(map[identity.Station][]message.ID),
	}
}

// Owing returns the duties that are owed as of a second and due by another, the
// first due first, each once: those that At would show as owed. Their State is
// not filled in. The first question folds the line; each later one costs what
// came since and what it returns, as long as the seconds asked about go forward;
// a second before the last one folds the line anew.
func (l *Line) Owing(at, by time.Time) []Duty {
	at = at.UTC().Truncate(time.Second)
	if l.owing == nil || at.Before(l.owing.at) {
		l.owing = newOwing(at)
		for p, it := range l.items {
			l.owing.note(it)
			l.touch(p)
		}
	}
	o := l.owing
	o.at = at
	come := slices.Clone(o.ahead)
	o.ahead = o.ahead[:0]
	for _, p := range come {
		l.touch(p) // it stays ahead where its second is still to come
	}
	if len(o.dirty) > 0 {
		l.refold()
	}
	var list []Duty
	for _, e := range o.first {
		if e.Due.After(by) {
			break
		}
		if !o.again(e) {
			list = append(list, e.Duty)
		}
	}
	return list
}

// note notes what of a new message others may change later.
func (o *owing) note(it Item) {
	for _, d := range it.Facts.Blobs {
		o.holders[d] = append(o.holders[d], it.ID)
	}
	if it.Provisional {
		o.provisional[it.Origin.Writer] = append(o.provisional[it.Origin.Writer], it.ID)
	}
}

// touch marks what an entry may change: the dossiers of itself, of what it
// refers to and of what refers to it, and the same of entries that it refuses,
// disputes or opens.
func (l *Line) touch(p Place) {
	o := l.owing
	seen := map[Place]bool{p: true}
	for next := []Place{p}; len(next) > 0; next = next[1:] {
		it, ok := l.items[next[0]]
		if !ok {
			continue
		}
		if it.Received.After(o.at) {
			o.ahead = append(o.ahead, next[0])
		}
		o.mark(it.ID)
		o.mark(l.refs(it)...)
		o.mark(l.referring[it.ID]...)
		if it.Policy != nil {
			o.mark(o.provisional[it.Origin.Writer]...)
		}
		if form := l.form(it); form.Kind == KindService && form.Move == "receive" {
			if d, err := identity.ParseDigest(it.Facts.Words["hash"]); err == nil {
				o.mark(o.holders[d]...)
			}
		}
		var about []Place
		if it.Refused != nil {
			about = append(about, it.refusedPlace())
		}
		if it.Disputed != nil {
			about = append(about, *it.Disputed)
		}
		if it.Key != nil {
			about = append(about, *it.Key)
		}
		for _, q := range about {
			if !seen[q] {
				seen[q] = true
				next = append(next, q)
			}
		}
	}
}

func (o *owing) mark(ids ...message.ID) {
	for _, id := range ids {
		if id != (message.ID{}) {
			o.dirty[id] = true
		}
	}
}

// refold folds the dossiers of what was touched: first all that were are let go,
// with all who were in them, so that what falls apart or comes together leaves
// nothing behind.
func (l *Line) refold() {
	o := l.owing
	work := slices.SortedFunc(maps.Keys(o.dirty), compareIDs)
	for i := 0; i < len(work); i++ {
		for _, d := range slices.Clone(o.in[work[i]]) {
			for _, m := range o.forget(d) {
				if !o.dirty[m] {
					o.dirty[m] = true
					work = append(work, m)
				}
			}
		}
	}
	clear(o.dirty)
	folded := make(map[message.ID]bool)
	for _, id := range work {
		it, ok := l.get(id, o.at)
		if !ok {
			continue
		}
		for _, head := range l.heads(it, o.at) {
			h, ok := l.get(head, o.at)
			if d := l.idOf(head, o.at); ok && !folded[d] {
				folded[d] = true
				o.forget(d)
				o.keep(l.fold(h, o.at).view(), func(of message.ID) bool {
					it, _ := l.get(of, o.at)
					return len(l.heads(it, o.at)) > 1
				})
			}
		}
	}
	o.order()
}

// forget lets go of a dossier and returns who was in it.
func (o *owing) forget(d message.ID) []message.ID {
	members := o.members[d]
	for _, m := range members {
		o.in[m] = slices.DeleteFunc(o.in[m], func(other message.ID) bool { return other == d })
		if len(o.in[m]) == 0 {
			delete(o.in, m)
		}
	}
	for _, e := range o.duties[d] {
		if e.Owed() {
			e.gone = true
			o.gone = append(o.gone, e)
		}
	}
	delete(o.members, d)
	delete(o.duties, d)
	return members
}

// keep takes a dossier as it was folded. shared says which messages are in
// several dossiers.
func (o *owing) keep(d Dossier, shared func(message.ID) bool) {
	for _, e := range d.Timeline {
		if slices.Contains(o.members[d.ID], e.Message) {
			continue // an entry that bears the id of an earlier one
		}
		o.members[d.ID] = append(o.members[d.ID], e.Message)
		o.in[e.Message] = append(o.in[e.Message], d.ID)
	}
	for _, duty := range d.Duties {
		if !duty.Owed() && !shared(duty.Of) {
			continue
		}
		e := &stands{Duty: duty, dossier: d.ID}
		e.State = ""
		if slices.ContainsFunc(o.duties[d.ID], func(before *stands) bool { return before.same(duty) }) {
			continue
		}
		o.duties[d.ID] = append(o.duties[d.ID], e)
		if e.Owed() {
			o.come = append(o.come, e)
		}
	}
}

// fewMoves is up to how many duties are put into their places one by one: more
// are sorted at once.
const fewMoves = 64

// order puts what came and went into the order of what is owed.
func (o *owing) order() {
	if len(o.come)+len(o.gone) > fewMoves {
		o.first = slices.DeleteFunc(append(o.first, o.come...), func(e *stands) bool { return e.gone })
		slices.SortFunc(o.first, (*stands).compare)
	} else {
		for _, e := range o.gone {
			if at, ok := slices.BinarySearchFunc(o.first, e, (*stands).compare); ok {
				o.first = slices.Delete(o.first, at, at+1)
			}
		}
		for _, e := range o.come {
			if at, ok := slices.BinarySearchFunc(o.first, e, (*stands).compare); !ok && !e.gone {
				o.first = slices.Insert(o.first, at, e)
			}
		}
	}
	o.come, o.gone = nil, nil
}

// compare is the order of what is owed: no two that one dossier shows are alike.
func (e *stands) compare(other *stands) int {
	return cmp.Or(e.Due.Compare(other.Due), compareIDs(e.Of, other.Of), compare(e.Act, other.Act), slices.Compare(e.Formats, other.Formats),
		e.From.Compare(other.From), compareIDs(e.dossier, other.dossier))
}

// again reports whether an earlier dossier shows a duty too. A message that is
// in several dossiers calls for the same in each: it counts in the first.
func (o *owing) again(e *stands) bool {
	for _, other := range o.in[e.Of] {
		if compareIDs(other, e.dossier) < 0 && slices.ContainsFunc(o.duties[other], func(x *stands) bool { return x.same(e.Duty) }) {
			return true
		}
	}
	return false
}

// same reports whether two duties are one that two dossiers show.
func (d Duty) same(other Duty) bool {
	return d.Of == other.Of && d.Act == other.Act && d.From.Equal(other.From) && slices.Equal(d.Formats, other.Formats)
}
