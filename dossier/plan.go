package dossier

import (
	"cmp"
	"slices"
	"time"
)

// pass is what time alone does to a dossier: at its second the stage becomes
// another one, if the table has that way from where the dossier then stands.
type pass struct {
	at time.Time
	to Stage
}

// planner returns what time will do after a move that was made, all of it: the
// passes that were planned before are given and may be kept. It may note in the
// dossier what now holds.
type planner func(f *fold, it Item) []pass

// replan notes what a move makes time do, and what of it is so at once.
func (f *fold) replan(it Item) {
	if f.course.plan == nil {
		return
	}
	f.passes = f.course.plan(f, it)
	slices.SortStableFunc(f.passes, func(a, b pass) int { return cmp.Or(a.at.Compare(b.at), compare(a.to, b.to)) })
	f.pass(it.Received)
}

// pass lets time do what it does up to a second, that second in it.
func (f *fold) pass(at time.Time) {
	for len(f.passes) > 0 && f.l.by(f.passes[0].at, at) {
		p := f.passes[0]
		f.passes = f.passes[1:]
		if f.course.allows(f.course.stage, p.to) {
			f.course.stage, f.d.Since = p.to, p.at
		}
	}
}

// coming notes the next thing that time alone does.
func (f *fold) coming(d *Dossier) {
	for _, p := range f.passes {
		if f.course.allows(f.course.stage, p.to) {
			d.ChangesAt, d.ChangesTo = p.at, p.to
			return
		}
	}
}

// lastOf returns the last move of a name that was made, stands and fits.
func (f *fold) lastOf(m Move, fits func(Item) bool) (Item, bool) {
	for _, it := range slices.Backward(f.made) {
		if f.l.form(it).Move == m && fits(it) {
			return it, true
		}
	}
	return Item{}, false
}

// notBefore returns a time named in a message, or its receipt where that is
// later or none is named.
func notBefore(it Item, param string) time.Time { return later(it.Received, it.Facts.Times[param]) }

// since returns what of a plan comes after a message, and the one pass before it
// that still holds, from the receipt of the message on.
func since(plan []pass, it Item) []pass {
	slices.SortStableFunc(plan, func(a, b pass) int { return a.at.Compare(b.at) })
	i := slices.IndexFunc(plan, func(p pass) bool { return p.at.After(it.Received) })
	if i < 0 {
		i = len(plan)
	}
	if i == 0 {
		return plan
	}
	return append([]pass{{it.Received, plan[i-1].to}}, plan[i:]...)
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
