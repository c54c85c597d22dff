package dossier

import (
	"maps"
	"slices"

	"detente/identity"
	"detente/message"
)

// view ends a fold: what is owed, what may come next, what it is linked with.
func (f *fold) view() Dossier {
	f.looksAhead()
	f.d.Facts, f.d.Named, f.d.Serials = f.factStates(), f.named(), f.serials()
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
	d.ReadBacks = f.readBacks()
	for _, c := range f.calls {
		f.original(c)
		f.deed(c)
	}
	d.Timeline = f.d.Timeline
	for i := range d.Timeline {
		slices.Sort(d.Timeline[i].Flags)
	}
	f.coming(&d)
	d.Conflicts = f.conflicts()
	d.Next = f.next()
	d.Links = f.links()
	d.Ladder = f.ladder()
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
		for _, way := range t.ways() {
			for _, s := range stations {
				if !way.open(&f.course, m, s) || !f.course.open(m, t, s, way.to) || f.course.may(m, t, s, way.code, way.to) != "" || len(n.Formats) == 0 {
					continue
				}
				if !slices.Contains(n.From, s.Writer) {
					n.From = append(n.From, s.Writer)
				}
				if f.course.allows(f.course.stage, way.to) && !slices.Contains(n.To, way.to) {
					n.To = append(n.To, way.to)
				}
			}
		}
		slices.Sort(n.To)
		if len(n.From) > 0 {
			slices.Sort(n.From)
			list = append(list, n)
		}
	}
	return list
}

// way is a stage that a move may lead to, and the code by which it does.
type way struct {
	code   string
	to     Stage
	second bool // only after the counterpart's move: with the same code, or with none with another
}

// ways returns the ways of a move, by stage and code; one that leads nowhere is
// a way that stays.
func (t turn) ways() []way {
	var list []way
	for _, code := range slices.Sorted(maps.Keys(t.codes)) {
		list = append(list, way{code: code, to: t.codes[code]})
	}
	for _, code := range slices.Sorted(maps.Keys(t.agreed)) {
		list = append(list, way{code, t.agreed[code], true})
	}
	for _, to := range []Stage{t.to, t.then, t.partial} {
		if to != "" {
			list = append(list, way{to: to})
		}
	}
	if t.differs != "" {
		list = append(list, way{"", t.differs, true})
	}
	list = append(list, t.jointWays()...)
	if len(list) == 0 {
		list = append(list, way{})
	}
	return list
}

// open reports whether the way is there for a station.
func (w way) open(c *course, m Move, who identity.Origin) bool {
	if !w.second {
		return true
	}
	theirs, ok := c.agrees(m, who)
	return ok && (w.code == "" || w.code == theirs)
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
