package dossier

import (
	"maps"
	"slices"

	"detente/identity"
	"detente/message"
)

// view ends a fold: what is owed, what may come next, what it is linked with.
func (f *fold) view() Dossier {
	d := f.d
	d.Stage = f.stage()
	if d.Since.IsZero() && len(d.Timeline) > 0 {
		d.Since = d.Timeline[0].Received
	}
	byCall := make(map[message.ID][]*owed)
	for _, o := range f.owed {
		byCall[o.of] = append(byCall[o.of], o)
	}
	for _, c := range f.calls {
		d.Duties = append(d.Duties, f.duties(c)...)
		for _, o := range byCall[c.it.ID] {
			d.Duties = append(d.Duties, f.duty(o))
		}
		if by := c.stages.ConfirmBy; !by.IsZero() && (c.stages.Late || c.stages.Settled == "" && f.l.past(by, f.at)) {
			f.flag(c.it.ID, FlagUnconfirmed)
		}
	}
	d.Timeline = f.d.Timeline
	for i := range d.Timeline {
		slices.Sort(d.Timeline[i].Flags)
	}
	d.Conflicts = f.conflicts()
	d.Next = f.next()
	d.Links = f.links()
	d.Closed = f.course.rests(d.Stage) && !slices.ContainsFunc(d.Duties, func(x Duty) bool { return x.Owed() && !x.confirmation() })
	return d
}

// next lists what may come next, by move.
func (f *fold) next() []Next {
	var list []Next
	stations := f.stations()
	for _, m := range slices.Sorted(maps.Keys(f.course.turns)) {
		if f.kind == KindAny {
			break // to a letter anything may follow
		}
		t := f.course.turns[m]
		n := Next{Move: m, Formats: f.l.moves[f.kind][m]}
		targets := t.targets()
		if len(targets) == 0 {
			targets = []Stage{""}
		}
		for _, to := range targets {
			for _, s := range stations {
				if f.course.may(m, t, s, to) == "" && len(n.Formats) > 0 {
					if !slices.Contains(n.From, s.Writer) {
						n.From = append(n.From, s.Writer)
					}
					if f.course.allows(f.course.stage, to) && !slices.Contains(n.To, to) {
						n.To = append(n.To, to)
					}
				}
			}
		}
		if len(n.From) > 0 {
			slices.Sort(n.From)
			list = append(list, n)
		}
	}
	return list
}

// stations returns the two directions of the line.
func (f *fold) stations() []identity.Origin {
	o := f.calls[0].it.Origin
	return []identity.Origin{{Writer: o.Writer, Reader: o.Reader}, {Writer: o.Reader, Reader: o.Writer}}
}

// shared reports whether a message of no kind may be in this dossier and in
// others too: one of them refers to something outside.
func (f *fold) shared() bool {
	return slices.ContainsFunc(f.calls, func(c *call) bool {
		return f.l.kind(c.it) == KindAny && slices.ContainsFunc(f.l.refs(c.it), func(ref message.ID) bool {
			_, known := f.l.get(ref, f.at)
			return known && f.byID[ref] == nil
		})
	})
}

// links lists the references between this dossier and others.
func (f *fold) links() []Link {
	var list []Link
	add := func(by message.ID, to Item) {
		for _, head := range f.l.heads(to, f.at) {
			if id := f.l.idOf(head, f.at); id != f.d.ID && !slices.Contains(list, Link{id, by}) {
				list = append(list, Link{id, by})
			}
		}
	}
	shared := f.shared()
	for _, c := range f.calls {
		for _, ref := range f.l.refs(c.it) {
			if it, ok := f.l.get(ref, f.at); ok && (f.byID[ref] == nil || shared && f.l.kind(it) == KindAny) {
				add(c.it.ID, it)
			}
		}
		for _, id := range f.l.referrers(c.it.ID, f.at) {
			if it, ok := f.l.get(id, f.at); ok && f.byID[id] == nil {
				add(id, it)
			}
		}
	}
	slices.SortFunc(list, func(a, b Link) int {
		if c := compareIDs(a.Dossier, b.Dossier); c != 0 {
			return c
		}
		return compareIDs(a.By, b.By)
	})
	return list
}
