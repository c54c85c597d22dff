package watch

import (
	"cmp"
	"slices"
	"time"
)

// Why says what put an officer at a desk.
type Why string

// What puts an officer at a desk.
const (
	ByTurn     Why = "turn"
	BySwap     Why = "swap"
	ByOverride Why = "override"
	BySurge    Why = "surge"
)

// Duty is one officer at one desk for a span of time.
type Duty struct {
	Officer string
	Desk    string
	Shift   string // empty where no shift of the day applies
	Span
	Why Why
}

// Duties returns who is at which desk in a span, ordered by beginning, desk and
// officer. A duty that reaches over an end of the span is given whole. The
// roster must have passed Check.
func (r Roster) Duties(in Span) []Duty {
	return r.duties([]Span{in}, r.byDay())
}

// turnDay is a week of the rotation and a day of it.
type turnDay struct {
	week int
	day  time.Weekday
}

// byDay orders the turns by the days on which they begin.
func (r Roster) byDay() map[turnDay][]Turn {
	days := map[turnDay][]Turn{}
	for _, t := range r.Turns {
		for _, d := range t.Days {
			k := turnDay{t.Week, d}
			days[k] = append(days[k], t)
		}
	}
	return days
}

// duties is Duties for several spans that do not overlap.
func (r Roster) duties(in []Span, days map[turnDay][]Turn) []Duty {
	shifts := map[string]Shift{}
	for _, s := range r.shifts() {
		shifts[s.Name] = s
	}
	var out []Duty
	for _, span := range in {
		out = append(out, r.turned(span, days, shifts)...)
	}
	out = r.swapped(out)
	out = r.overridden(out, in)
	for _, l := range r.Leave {
		out = cut(out, l.From, l.To, func(d Duty) bool { return d.Officer == l.Officer })
	}
	out = slices.DeleteFunc(out, func(d Duty) bool {
		return !slices.ContainsFunc(in, func(s Span) bool { return s.overlaps(d.Span) })
	})
	slices.SortFunc(out, func(a, b Duty) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Desk, b.Desk), cmp.Compare(a.Officer, b.Officer), a.To.Compare(b.To))
	})
	return slices.CompactFunc(out, func(a, b Duty) bool { return a == b })
}

// turned expands the turns whose shifts touch a span.
func (r Roster) turned(in Span, days map[turnDay][]Turn, shifts map[string]Shift) []Duty {
	end := r.end()
	var out []Duty
	// A shift that began yesterday may reach into today.
	at := later(r.Start, in.From.UTC().Truncate(day).Add(-day))
	for ; at.Before(in.To) && at.Before(end); at = at.Add(day) {
		week := int(at.Sub(r.Start)/(7*day)) % max(r.Weeks, 1)
		for _, t := range days[turnDay{week, at.Weekday()}] {
			s := shifts[t.Shift]
			span := Span{at.Add(s.Begin), earlier(at.Add(s.Begin+s.Length), end)}
			if !span.overlaps(in) {
				continue
			}
			for _, o := range t.Officers {
				out = append(out, Duty{o, t.Desk, t.Shift, span, ByTurn})
			}
		}
	}
	return out
}

// end is the first second at which the roster says nothing any more.
func (r Roster) end() time.Time {
	if r.Until.IsZero() {
		return lastSecond
	}
	return r.Until
}

func (d Duty) at(s Slot) bool {
	return d.Officer == s.Officer && d.Desk == s.Desk && d.From.Equal(s.Begin)
}

// swapped exchanges officers, swap after swap, so that who swapped can swap on.
func (r Roster) swapped(duties []Duty) []Duty {
	for _, s := range r.Swaps {
		if !s.Effective() {
			continue
		}
		for i, d := range duties {
			switch {
			case d.at(s.First):
				duties[i].Officer, duties[i].Why = s.Second.Officer, BySwap
			case d.at(s.Second):
				duties[i].Officer, duties[i].Why = s.First.Officer, BySwap
			}
		}
	}
	return duties
}

// overridden puts overrides in place of what the turns say and adds surges.
func (r Roster) overridden(duties []Duty, in []Span) []Duty {
	add := func(t Temporary, why Why) {
		span := Span{later(t.From, r.Start), earlier(t.To, r.end())}
		if !span.From.Before(span.To) || !slices.ContainsFunc(in, span.overlaps) {
			return
		}
		for _, o := range t.Officers {
			duties = append(duties, Duty{o, t.Desk, "", span, why})
		}
	}
	for _, t := range r.Overrides {
		duties = cut(duties, t.From, t.To, func(d Duty) bool { return d.Desk == t.Desk && d.Why != ByOverride })
		add(t, ByOverride)
	}
	for _, t := range r.Surges {
		add(t, BySurge)
	}
	return duties
}

// cut takes a span out of the duties that fit.
func cut(duties []Duty, from, to time.Time, fits func(Duty) bool) []Duty {
	gone := Span{from, to}
	out := duties[:0:0]
	for _, d := range duties {
		if !fits(d) || !d.overlaps(gone) {
			out = append(out, d)
			continue
		}
		if before := d; d.From.Before(from) {
			before.To = from
			out = append(out, before)
		}
		if after := d; d.To.After(to) {
			after.From = to
			out = append(out, after)
		}
	}
	return out
}

// On returns the duties under way at a second.
func (r Roster) On(at time.Time) []Duty {
	out := r.Duties(Span{at, at.Add(time.Second)})
	return slices.DeleteFunc(out, func(d Duty) bool { return !d.Has(at) })
}

// Handover is a change of officers at a desk.
type Handover struct {
	At      time.Time
	Desk    string
	Out, In []string // pseudonyms, in order; those who stay are in neither
}

// Handovers returns the changes of officers that fall into a span, in order.
func (r Roster) Handovers(in Span) []Handover {
	duties := r.Duties(Span{in.From.Add(-time.Second), in.To.Add(time.Second)})
	var out []Handover
	for _, at := range edges(duties, in) {
		for _, desk := range r.Desks {
			before, after := onAt(duties, desk.Name, at.Add(-time.Second)), onAt(duties, desk.Name, at)
			h := Handover{At: at, Desk: desk.Name, Out: without(before, after), In: without(after, before)}
			if len(h.Out)+len(h.In) > 0 {
				out = append(out, h)
			}
		}
	}
	return out
}

// edges returns the seconds of a span at which a duty begins or ends, once
// each, in order.
func edges(duties []Duty, in Span) []time.Time {
	var at []time.Time
	for _, d := range duties {
		for _, t := range []time.Time{d.From, d.To} {
			if in.Has(t) {
				at = append(at, t)
			}
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return slices.CompactFunc(at, time.Time.Equal)
}

func onAt(duties []Duty, desk string, at time.Time) []string {
	var on []string
	for _, d := range duties {
		if d.Desk == desk && d.Has(at) {
			on = append(on, d.Officer)
		}
	}
	slices.Sort(on)
	return slices.Compact(on)
}

func without(list, gone []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(gone, s) })
}

// Posts are the people whom alarms reach, in the order in which they climb.
// Each list is ordered and holds nobody twice.
type Posts struct {
	On          []string // on watch now
	Next        []string // on watch next, and not now
	Supervisors []string
	OnCall      []string
}

// nextWithin is how far ahead the next shift is looked for.
const nextWithin = 36 * time.Hour

// Posts returns whom alarms reach at a second. Officers on leave are in no
// list.
func (r Roster) Posts(at time.Time) Posts {
	var p Posts
	for _, d := range r.On(at) {
		p.On = append(p.On, d.Officer)
	}
	var change time.Time // of the next to come
	for _, h := range r.Handovers(Span{at.Add(time.Second), at.Add(nextWithin)}) {
		if len(h.In) > 0 && (change.IsZero() || h.At.Equal(change)) {
			p.Next, change = append(p.Next, h.In...), h.At
		}
	}
	for _, o := range r.Officers {
		if slices.ContainsFunc(r.Leave, func(l Leave) bool { return l.Officer == o.Pseudonym && (Span{l.From, l.To}).Has(at) }) {
			continue
		}
		if contains(o.Roles, RoleSupervisor) {
			p.Supervisors = append(p.Supervisors, o.Pseudonym)
		}
		if contains(o.Roles, RoleOnCall) {
			p.OnCall = append(p.OnCall, o.Pseudonym)
		}
	}
	for _, l := range []*[]string{&p.On, &p.Next, &p.Supervisors, &p.OnCall} {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	p.Next = without(p.Next, p.On)
	return p
}
