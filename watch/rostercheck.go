package watch

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"detente/identity"
)

var (
	pseudonymForm = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{1,31}$`) // as certificates have it
	roleForm      = regexp.MustCompile(`^[a-z][a-z-]{1,31}$`)
)

// Check returns all that is wrong with a roster, each as a *message.FieldError
// that names the entry. What is merely thin is no error: see Risks.
func (r Roster) Check() error {
	var f faults
	r.checkHead(&f)
	r.checkShifts(&f)
	r.checkPeople(&f)
	if err := f.err(); err != nil {
		return err // what follows reads these
	}
	r.checkTurns(&f)
	r.checkLeave(&f)
	r.checkTemporaries(&f, "overrides", r.Overrides)
	r.checkTemporaries(&f, "surges", r.Surges)
	if err := f.err(); err != nil {
		return err
	}
	r.checkSwaps(&f)
	r.checkDoubles(&f)
	return f.err()
}

func (r Roster) checkHead(f *faults) {
	if _, err := identity.ParseStation(string(r.Station)); err != nil {
		f.add("station", err.Error(), "name the station whose roster this is")
	}
	if r.Version == 0 {
		f.add("version", "it is zero", "count versions from 1")
	}
	if s := r.Start; !whole(s) || s.Weekday() != time.Monday || !s.Equal(s.Truncate(day)) {
		monday := s.UTC().Truncate(day)
		monday = monday.AddDate(0, 0, -(int(monday.Weekday())+6)%7)
		f.add("start", stamp(s)+" is no Monday at 00:00Z", "weeks are counted from one: give "+stamp(monday))
	}
	if !r.Until.IsZero() && (!whole(r.Until) || !r.Until.After(r.Start)) {
		f.add("until", "it is not after the start, or after year 9999", "give a later second, or leave it out")
	}
	if r.Weeks < 1 || r.Weeks > MaxWeeks {
		f.add("weeks", fmt.Sprintf("a rotation of %d weeks", r.Weeks), fmt.Sprintf("give 1 to %d", MaxWeeks))
	}
	for _, n := range []struct {
		name      string
		have, max int
	}{
		{"officers", len(r.Officers), MaxOfficers}, {"desks", len(r.Desks), MaxDesks}, {"shifts", len(r.Shifts), MaxShifts},
		{"turns", len(r.Turns), MaxTurns}, {"leave", len(r.Leave), MaxChanges}, {"swaps", len(r.Swaps), MaxChanges},
		{"overrides", len(r.Overrides), MaxChanges}, {"surges", len(r.Surges), MaxChanges}, {"clearances", len(r.Clearances), MaxClearances},
	} {
		if n.have > n.max {
			f.add(n.name, fmt.Sprintf("%d entries are more than %d", n.have, n.max), "take out what is past")
		}
	}
}

// checkShifts refuses shifts that leave a part of the day to nobody or to two.
func (r Roster) checkShifts(f *faults) {
	all := slices.Clone(r.shifts())
	slices.SortStableFunc(all, func(a, b Shift) int { return cmp.Compare(a.Begin, b.Begin) })
	for i, s := range all {
		entry := "shifts." + s.Name
		if why := checkRef(s.Name, maxName); why != "" {
			f.add("shifts", why, "name it like night")
		}
		if slices.ContainsFunc(all[:i], func(o Shift) bool { return o.Name == s.Name }) {
			f.add(entry, "the name stands twice", "give each shift its own name")
		}
		if s.Begin < 0 || s.Begin >= day || s.Begin%time.Second != 0 {
			f.add(entry, "it begins outside the day", "give 00:00Z to 23:59:59Z")
			continue
		}
		if s.Length <= 0 || s.Length > day || s.Length%time.Second != 0 {
			f.add(entry, fmt.Sprintf("a length of %s: it ends before it begins, or after a day", s.Length), "give more than nothing and at most 24h")
			continue
		}
		next := all[(i+1)%len(all)]
		begin := next.Begin
		if i == len(all)-1 {
			begin += day
		}
		switch gap := begin - s.Begin - s.Length; {
		case gap > 0:
			f.add(entry, fmt.Sprintf("it ends %s before %s begins", gap, next.Name), "let the shifts of a day follow each other without a hole")
		case gap < 0:
			f.add(entry, fmt.Sprintf("it ends %s after %s began", -gap, next.Name), "let the shifts of a day follow each other; put two officers into one shift instead")
		}
	}
}

func (r Roster) checkPeople(f *faults) {
	for i, c := range r.Clearances {
		if why := checkRef(c, maxName); why != "" || contains(r.Clearances[:i], c) {
			f.add("clearances", fmt.Sprintf("%q is no name, or stands twice", clip(c)), "name each level once, lowest first")
		}
	}
	for i, d := range r.Desks {
		if why := checkRef(d.Name, maxName); why != "" || slices.ContainsFunc(r.Desks[:i], func(o Desk) bool { return o.Name == d.Name }) {
			f.add("desks", fmt.Sprintf("%q is no name, or stands twice", clip(d.Name)), "name each desk once, like notification")
		}
	}
	if len(r.Desks) == 0 {
		f.add("desks", "there is none", "name at least one, like watch")
	}
	seen := map[string]bool{}
	for _, o := range r.Officers {
		entry := "officers." + clip(o.Pseudonym)
		if !pseudonymForm.MatchString(o.Pseudonym) || seen[o.Pseudonym] {
			f.add(entry, "it is no pseudonym, or stands twice", "write each officer once, like ARD-W-07")
		}
		seen[o.Pseudonym] = true
		r.checkOfficer(f, entry, o)
	}
	for i, l := range r.Needs.Languages {
		if !knownLang(l) || contains(r.Needs.Languages[:i], l) {
			f.add("needs.languages", fmt.Sprintf("%q is none of the six, or stands twice", clip(string(l))), "use en, ru, zh, es, fr or ar")
		}
	}
	if c := r.Needs.Clearance; c != "" && !contains(r.Clearances, c) {
		f.add("needs.clearance", fmt.Sprintf("%q is no level of this roster", clip(c)), "name one of its clearances")
	}
	if n := r.Needs; n.Officers < 0 || n.Officers > MaxOfficers || n.Flash < 0 || n.Flash > MaxOfficers || n.MaxDuty < 0 || n.MaxDuty > 7*day || n.MinRest < 0 || n.MinRest > 7*day {
		f.add("needs", "a number is negative or beyond reason", "leave out what the defaults say well")
	}
}

func (r Roster) checkOfficer(f *faults, entry string, o Officer) {
	for i, l := range o.Languages {
		if !knownLang(l) || contains(o.Languages[:i], l) {
			f.add(entry, fmt.Sprintf("language %q is none of the six, or stands twice", clip(string(l))), "use en, ru, zh, es, fr or ar")
		}
	}
	if o.Clearance != "" && !contains(r.Clearances, o.Clearance) {
		f.add(entry, fmt.Sprintf("clearance %q is no level of this roster", clip(o.Clearance)), "name one of its clearances")
	}
	for i, role := range o.Roles {
		if !roleForm.MatchString(role) || contains(o.Roles[:i], role) || i >= 16 {
			f.add(entry, fmt.Sprintf("role %q is none, stands twice, or is one too many", clip(role)), "write at most 16, each once, in lower-case letters and hyphens")
			return
		}
	}
}

// knows finds officers and desks that the roster does not have, and officers
// who stand twice in one list.
func (r Roster) knows(f *faults, entry, desk string, officers []string, most int) {
	if desk != "" && !slices.ContainsFunc(r.Desks, func(d Desk) bool { return d.Name == desk }) {
		f.add(entry, fmt.Sprintf("desk %q is not in this roster", clip(desk)), "name one of its desks")
	}
	if len(officers) == 0 || len(officers) > most {
		f.add(entry, fmt.Sprintf("it names %d officers", len(officers)), fmt.Sprintf("name 1 to %d", most))
		return
	}
	for i, o := range officers {
		if _, ok := r.Officer(o); !ok {
			f.add(entry, fmt.Sprintf("officer %q is not in this roster", clip(o)), "add the officer first, or correct the pseudonym")
		}
		if contains(officers[:i], o) {
			f.add(entry, "officer "+clip(o)+" stands twice in one shift", "name another officer in the second place")
		}
	}
}

func (r Roster) checkTurns(f *faults) {
	type place struct {
		turnDay
		shift, desk string
	}
	said := map[place]int{}
	for i, t := range r.Turns {
		entry := fmt.Sprintf("turns[%d]", i)
		if t.Week < 0 || t.Week >= r.Weeks {
			f.add(entry, fmt.Sprintf("week %d is not in a rotation of %d", t.Week, r.Weeks), "count weeks from 0")
		}
		if !slices.ContainsFunc(r.shifts(), func(s Shift) bool { return s.Name == t.Shift }) {
			f.add(entry, fmt.Sprintf("shift %q is not in this roster", clip(t.Shift)), "name one of its shifts")
		}
		r.knows(f, entry, t.Desk, t.Officers, MaxTurn)
		if len(t.Days) == 0 || len(t.Days) > 7 {
			f.add(entry, fmt.Sprintf("it names %d days", len(t.Days)), "name 1 to 7, each once")
			continue
		}
		for _, d := range t.Days {
			p := place{turnDay{t.Week, d}, t.Shift, t.Desk}
			if before, ok := said[p]; ok || d < time.Sunday || d > time.Saturday {
				f.add(entry, fmt.Sprintf("%s stands there already, by turns[%d]", d, before), "say once who has a shift of a day at a desk")
				continue
			}
			said[p] = i
		}
	}
	for _, d := range r.Desks {
		if !d.Always {
			continue
		}
		for w := range r.Weeks {
			for wd := time.Sunday; wd <= time.Saturday; wd++ {
				for _, s := range r.shifts() {
					if _, ok := said[place{turnDay{w, wd}, s.Name, d.Name}]; !ok {
						f.add("desks."+d.Name, fmt.Sprintf("a hole: nobody in the %s shift of %s in week %d", s.Name, wd, w), "add a turn, or do not say that the desk is always manned")
					}
				}
			}
		}
	}
}

// checkSpan refuses what ends before it begins, or cannot be written.
func checkSpan(f *faults, entry string, from, to time.Time, most time.Duration) {
	switch {
	case !whole(from) || !whole(to):
		f.add(entry, "a time is missing, or no whole second from 1970 to 9999", "write both like 2026-11-23T14:00:00Z")
	case !to.After(from):
		f.add(entry, fmt.Sprintf("it ends at %s, before it begins at %s", stamp(to), stamp(from)), "exchange the two times, or correct one")
	case most > 0 && to.Sub(from) > most:
		f.add(entry, fmt.Sprintf("it is longer than %d days", int(most/day)), "put what lasts into the turns")
	}
}

func (r Roster) checkLeave(f *faults) {
	for i, l := range r.Leave {
		entry := fmt.Sprintf("leave[%d]", i)
		r.knows(f, entry, "", []string{l.Officer}, 1)
		checkSpan(f, entry, l.From, l.To, 0)
	}
}

func (r Roster) checkTemporaries(f *faults, kind string, all []Temporary) {
	for i, t := range all {
		entry := fmt.Sprintf("%s[%d]", kind, i)
		r.knows(f, entry, t.Desk, t.Officers, MaxTurn)
		checkSpan(f, entry, t.From, t.To, maxTemporary)
		for j, o := range all[:i] {
			if kind == "overrides" && o.Desk == t.Desk && (Span{o.From, o.To}).overlaps(Span{t.From, t.To}) {
				f.add(entry, fmt.Sprintf("overrides[%d] stands at the same desk at the same time", j), "let one end where the other begins")
				break
			}
		}
		for _, l := range r.Leave {
			if contains(t.Officers, l.Officer) && (Span{l.From, l.To}).overlaps(Span{t.From, t.To}) {
				f.add(entry, "it names "+l.Officer+", who is on leave then", "name another officer, or shorten the leave")
				break
			}
		}
	}
}

// checkSwaps refuses a swap of a slot that its officer does not have once the
// swaps before it are done.
func (r Roster) checkSwaps(f *faults) {
	days := r.byDay()
	for i, s := range r.Swaps {
		entry := fmt.Sprintf("swaps[%d]", i)
		if s.First.Officer == s.Second.Officer {
			f.add(entry, "it swaps an officer with the same one", "name two officers")
		}
		for j, a := range s.Agreed {
			if a != s.First.Officer && a != s.Second.Officer || contains(s.Agreed[:j], a) {
				f.add(entry, clip(a)+" agreed, who has no part in it, or agreed twice", "let each of the two officers agree once")
				break
			}
		}
		before := r
		before.Swaps, before.Overrides, before.Surges, before.Leave = r.Swaps[:i], nil, nil, nil
		for _, slot := range []Slot{s.First, s.Second} {
			if !whole(slot.Begin) {
				f.add(entry, "a slot begins at no whole second from 1970 to 9999", "write it like 2026-11-23T16:00:00Z")
				continue
			}
			on := before.duties([]Span{{slot.Begin, slot.Begin.Add(time.Second)}}, days)
			if !slices.ContainsFunc(on, func(d Duty) bool { return d.at(slot) }) {
				f.add(entry, fmt.Sprintf("%s has no shift at desk %s that begins at %s", clip(slot.Officer), clip(slot.Desk), stamp(slot.Begin)), "see who has it with `detente roster show`")
			}
		}
	}
}

// checkDoubles refuses an officer who would be at two places at once: in the
// rotation as it stands, and wherever something departs from it.
func (r Roster) checkDoubles(f *faults) {
	plain := r
	plain.Swaps, plain.Overrides, plain.Surges, plain.Leave = nil, nil, nil, nil
	// One day more than the rotation, so that its last shift meets its first.
	twice(f, "turns", plain.Duties(Span{r.Start, r.Start.AddDate(0, 0, 7*r.Weeks+1)}))
	var at []Span
	for _, t := range slices.Concat(r.Overrides, r.Surges) {
		at = append(at, Span{t.From.Add(-day), t.To.Add(day)})
	}
	for _, s := range r.Swaps {
		at = append(at, Span{s.First.Begin.Add(-day), s.First.Begin.Add(2 * day)}, Span{s.Second.Begin.Add(-day), s.Second.Begin.Add(2 * day)})
	}
	twice(f, "changes", r.duties(merge(at), r.byDay()))
}

// merge joins spans that touch, in order.
func merge(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			out[n-1].To = later(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// twice finds duties of one officer that overlap, in duties ordered by time.
func twice(f *faults, field string, duties []Duty) {
	last := map[string]Duty{}
	for _, d := range duties {
		if o, ok := last[d.Officer]; ok && o.overlaps(d.Span) {
			where := "at desk " + o.Desk + " twice"
			if o.Desk != d.Desk {
				where = "at the desks " + o.Desk + " and " + d.Desk
			}
			f.add(field+"."+d.Officer, fmt.Sprintf("on %s at once, from %s", where, stamp(d.From)), "give one of the two to another officer")
		}
		if o, ok := last[d.Officer]; !ok || d.To.After(o.To) {
			last[d.Officer] = d
		}
	}
}

// CheckChange returns an error unless next may follow the roster: it is of the
// same station, counts on, and is right in itself. All that is wrong is told.
func (r Roster) CheckChange(next Roster) error {
	var errs []error
	if next.Station != r.Station {
		errs = append(errs, fault("station", strings.TrimSpace("this is the roster of "+string(next.Station)), "give the roster of "+string(r.Station)))
	}
	if next.Version != r.Version+1 {
		errs = append(errs, fault("version", fmt.Sprintf("%d does not follow %d", next.Version, r.Version), "somebody else may have changed it: read it again, and change that one"))
	}
	return joined(append(errs, next.Check()))
}
