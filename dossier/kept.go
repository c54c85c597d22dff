package dossier

import (
	"slices"
	"time"

	"detente/message"
)

// kept is a dossier as it was folded, with what it was folded from. It is the
// answer as of each second from one until another, until a part of the line that
// the fold looked at changes.
type kept struct {
	dossier Dossier
	heads   []message.ID // the messages of its kind, or the letter
	members []message.ID
	from    int64 // seconds
	to      int64 // the first that it does not hold of
	parts   int   // that it was noted under
	gone    bool  // it holds no more
}

// keep holds the dossiers of a line that were folded before. It is a cache of
// what the items say, and no more.
type keep struct {
	list    []*kept // by id, those that are gone among them until they are asked for
	mixed   bool    // list is not in its order
	heads   map[message.ID]*kept
	lookers map[part][]*kept        // who looked at a part
	noted   int                     // entries of lookers
	live    int                     // of those: of dossiers that are not gone
	open    map[message.ID]struct{} // messages whose dossiers are to be looked for
}

func newKeep() keep {
	return keep{heads: make(map[message.ID]*kept), lookers: make(map[part][]*kept), open: make(map[message.ID]struct{})}
}

// changed lets go of the dossiers that looked at a part.
func (k *keep) changed(at part) {
	list, ok := k.lookers[at]
	if !ok {
		return
	}
	for _, d := range list {
		k.drop(d)
	}
	k.noted -= len(list)
	delete(k.lookers, at)
}

// drop lets go of a dossier: its messages are looked for anew.
func (k *keep) drop(d *kept) {
	if d.gone {
		return
	}
	d.gone = true
	k.live -= d.parts
	for _, id := range d.heads {
		if k.heads[id] == d {
			delete(k.heads, id)
		}
	}
	for _, id := range d.members {
		k.open[id] = struct{}{}
	}
	d.dossier, d.heads, d.members = Dossier{ID: d.dossier.ID}, nil, nil
}

// maxGoneNotes is how many notes of dossiers that are gone may lie about beside
// as many of those that are not, before they are swept up.
const maxGoneNotes = 4096

// sweep takes away the notes of dossiers that are gone, once they are more than
// the others. Over time that costs as much as making them did.
func (k *keep) sweep() {
	if k.noted <= 2*k.live+maxGoneNotes {
		return
	}
	k.list = slices.DeleteFunc(k.list, func(d *kept) bool { return d.gone })
	k.noted = 0
	for at, list := range k.lookers {
		list = slices.DeleteFunc(list, func(d *kept) bool { return d.gone })
		if k.noted += len(list); len(list) == 0 {
			delete(k.lookers, at)
		} else {
			k.lookers[at] = slices.Clip(list)
		}
	}
}

// dossiers returns all dossiers as of a second, by id. It folds those of which
// something changed since they were asked for last, by what was put or by the
// second, and looks at each other one once.
func (l *Line) dossiers(at time.Time) []Dossier {
	k := &l.keep
	now := at.Unix()
	for _, d := range k.list {
		if !d.gone && (now < d.from || now >= d.to) {
			k.drop(d)
		}
	}
	k.list = slices.DeleteFunc(k.list, func(d *kept) bool { return d.gone })
	for id := range k.open {
		it, ok := l.get(id, at)
		if !ok {
			continue // not received by then, or sealed: it stays to be looked for
		}
		delete(k.open, id)
		for _, h := range l.heads(it, at) {
			if k.heads[h] == nil {
				l.keepFold(h, at)
			}
		}
	}
	if k.mixed {
		k.mixed = false
		slices.SortFunc(k.list, func(a, b *kept) int { return compareIDs(a.dossier.ID, b.dossier.ID) })
	}
	k.sweep()
	if len(k.list) == 0 {
		return nil
	}
	list := make([]Dossier, len(k.list))
	for i, d := range k.list {
		list[i] = d.dossier
	}
	return list
}

// keepFold folds the dossier of a head, and keeps it.
func (l *Line) keepFold(head message.ID, at time.Time) {
	d := &kept{}
	t := l.traced(at, func() {
		it, ok := l.get(head, at)
		if !ok {
			return
		}
		l.heads(it, at) // what would make it another's
		f := l.fold(it, at)
		d.dossier = f.view()
		for _, c := range f.calls {
			d.members = append(d.members, c.it.ID)
			if f.kind != KindAny && l.kind(c.it) == f.kind {
				d.heads = append(d.heads, c.it.ID)
			}
		}
		if f.kind == KindAny {
			d.heads = []message.ID{head}
		}
	})
	if len(d.members) == 0 {
		return
	}
	slices.Sort(t.parts)
	parts := slices.Compact(t.parts)
	d.from, d.to, d.parts = t.from, t.to, len(parts)
	k := &l.keep
	for _, p := range parts {
		k.lookers[p] = append(k.lookers[p], d)
	}
	k.noted, k.live = k.noted+d.parts, k.live+d.parts
	for _, h := range d.heads {
		k.heads[h] = d
	}
	k.list, k.mixed = append(k.list, d), true
}
