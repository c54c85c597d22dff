package watch

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"detente/message"
)

// crowd is the alarms of a group that nobody has acknowledged.
type crowd struct {
	group   Key
	level   message.Precedence
	count   int
	since   time.Time
	refs    []string
	audible bool      // one of them is not silenced
	quiet   time.Time // the earliest end of a silence
}

// crowds gathers the alarms that are not acknowledged by group, in order.
func (s *step) crowds() []*crowd {
	byGroup := map[Key]*crowd{}
	keys := slices.SortedFunc(maps.Keys(s.alarms), Key.Compare)
	for _, k := range keys {
		a := s.alarms[k]
		if !a.Stands() || a.Acknowledged() {
			continue
		}
		c := byGroup[k.group()]
		if c == nil {
			c = &crowd{group: k.group(), since: a.Since}
			byGroup[k.group()] = c
		}
		c.level, c.since, c.count = max(c.level, a.Level), earlier(c.since, a.Since), min(c.count+a.Count, maxCount)
		if len(c.refs) < maxNamed && k.Ref != "" {
			c.refs = append(c.refs, k.Ref)
		}
		if a.Silenced.After(s.now) && !a.Silenced.After(s.now.Add(MaxSilence)) {
			c.quiet = sooner(c.quiet, a.Silenced)
		} else {
			c.audible = true
		}
	}
	return slices.SortedFunc(maps.Values(byGroup), func(a, b *crowd) int {
		return cmp.Or(cmp.Compare(b.level, a.level), a.group.Compare(b.group))
	})
}

// ring moves the timers of all groups and says which outlets to call.
func (s *step) ring() {
	var calls []Notice
	stands := map[Key]bool{}
	for _, c := range s.crowds() {
		stands[c.group] = true
		if n, rang := s.ringGroup(c); rang {
			calls = append(calls, n)
		}
	}
	s.idle(stands)
	ended := slices.SortedFunc(maps.Values(s.ended), func(a, b *Notice) int { return a.Group.Compare(b.Group) })
	var ends []Notice
	for _, n := range ended {
		n.To = slices.Clone(s.m.Posts.On)
		ends = append(ends, *n)
	}
	s.out.Notices = append(together(calls), together(ends)...)
}

// idle reports whether a ring only remembers when its group last rang.
func (r Ring) idle() bool { return r.Repeats == 0 && r.Next.IsZero() && r.Climb.IsZero() }

// idle lets the rings of groups that nobody has to be told of forget all but
// when they last rang, and after a while that too: a condition that comes and
// goes each second is not a call each second.
func (s *step) idle(stands map[Key]bool) {
	var gather time.Duration
	for l := message.Routine; l <= message.Flash; l++ {
		gather = max(gather, s.c.manner(l).Gather)
	}
	for k, r := range s.rings {
		if stands[k] {
			continue
		}
		*r = Ring{Group: k, Last: r.Last}
		if r.Last.After(s.now) || !r.Last.Add(gather).After(s.now) {
			delete(s.rings, k)
		}
	}
}

// ringGroup moves one group's timers to now and reports whether it rings.
func (s *step) ringGroup(c *crowd) (Notice, bool) {
	m := s.c.manner(c.level)
	r := s.rings[c.group]
	if r == nil {
		r = &Ring{Group: c.group}
		s.rings[c.group] = r
	}
	began := r.idle()
	if began {
		r.Climb = s.climbAt(m)
		s.skipEmpty(c, r, m)
	}
	s.rightTimers(r, m)
	event, why := Repeated, s.fresh[c.group]
	if why != "" { // what is new rings as soon as the last ring is long enough ago
		event = why
		r.Next = sooner(r.Next, later(s.now, r.Last.Add(m.Gather)))
	} else if began {
		r.Next = s.now // the other officer of a FLASH, or a state that was read back
	}
	if s.climb(c, r, m) {
		event, r.Next = Climbed, s.now
	}
	if r.Next.IsZero() || r.Next.After(s.now) {
		return Notice{}, false
	}
	n := Notice{Event: event, Group: c.group, Level: c.level, Count: c.count, Lines: 1, Since: c.since, Refs: c.refs,
		To: s.m.Posts.upTo(r.Rung), Rung: r.Rung, Outlets: slices.Clone(m.Outlets)}
	r.Next = time.Time{}
	if m.Repeat > 0 {
		r.Next = s.now.Add(m.Repeat)
	}
	if !c.audible {
		n.Outlets = slices.DeleteFunc(n.Outlets, func(o Outlet) bool { return o == Sounder })
		r.Next = sooner(r.Next, c.quiet)
	}
	r.Last, r.Repeats = s.now, r.Repeats+1
	if len(n.To) == 0 {
		s.counts[noteKey{NobodyThere, c.group}] = c.count
	}
	return n, true
}

// climbAt is when a rung's time is over.
func (s *step) climbAt(m Manner) time.Time {
	if m.Climb <= 0 {
		return time.Time{}
	}
	return s.now.Add(m.Climb)
}

// rightTimers pulls in timers that a clock put back, or a change of manner,
// has left further away than they ever are.
func (s *step) rightTimers(r *Ring, m Manner) {
	if r.Last.After(s.now) {
		r.Last = time.Time{} // nobody knows how long ago it was
		if m.Repeat <= 0 {
			r.Next = s.now // no timer brings it back, and nobody knows whether it rang
		}
	}
	switch {
	case !r.Next.IsZero():
		r.Next = earlier(r.Next, s.now.Add(max(m.Repeat, m.Gather)))
	case m.Repeat > 0:
		r.Next = s.now.Add(m.Repeat)
	}
	switch {
	case m.Climb <= 0 || r.Rung >= lastRung:
		r.Climb = time.Time{}
	case r.Climb.IsZero():
		r.Climb = s.now.Add(m.Climb)
	default:
		r.Climb = earlier(r.Climb, s.now.Add(m.Climb))
	}
}

// skipEmpty lets a group begin at the first rung on which there is anybody, so
// that nothing waits for an empty chair.
func (s *step) skipEmpty(c *crowd, r *Ring, m Manner) {
	if m.Climb <= 0 {
		return
	}
	for len(s.m.Posts.on(r.Rung)) == 0 && r.Rung < lastRung {
		r.Rung++
	}
	if r.Rung > RungWatch {
		s.counts[noteKey{Climbed, c.group}] = c.count
	}
}

// climb takes a group up the ladder: as many rungs as their time is over, past
// those that are empty. It reports whether anybody new is reached.
func (s *step) climb(c *crowd, r *Ring, m Manner) bool {
	if m.Climb <= 0 {
		return false
	}
	before := s.m.Posts.upTo(r.Rung)
	from := r.Rung
	for !r.Climb.IsZero() && !r.Climb.After(s.now) && r.Rung < lastRung {
		r.Rung++
		if len(s.m.Posts.on(r.Rung)) > 0 {
			r.Climb = r.Climb.Add(m.Climb)
		}
	}
	// A rung that has emptied since it was reached holds nothing up.
	for r.Rung < lastRung && len(s.m.Posts.upTo(r.Rung)) == 0 {
		r.Rung++
	}
	if r.Rung >= lastRung {
		r.Climb = time.Time{}
	}
	if r.Rung == from {
		return false
	}
	s.counts[noteKey{Climbed, c.group}] = c.count
	return len(s.m.Posts.upTo(r.Rung)) > len(before)
}

// together makes one notice of each kind where there are too many by line, so
// that the outlets are called a bounded number of times.
func together(calls []Notice) []Notice {
	if len(calls) <= maxCalls {
		return calls
	}
	byKind := map[Kind]*Notice{}
	for _, n := range calls {
		k := byKind[n.Group.Kind]
		if k == nil {
			n.Refs = slices.Clone(n.Refs)
			byKind[n.Group.Kind] = &n
			continue
		}
		k.Group = Key{Kind: k.Group.Kind}
		k.Count, k.Lines = min(k.Count+n.Count, maxCount), k.Lines+n.Lines
		k.Since, k.Rung = earlier(k.Since, n.Since), max(k.Rung, n.Rung)
		if n.Level > k.Level {
			k.Level = n.Level
		}
		for _, o := range n.Outlets {
			if !contains(k.Outlets, o) {
				k.Outlets = append(k.Outlets, o)
			}
		}
		for _, to := range n.To {
			if !contains(k.To, to) {
				k.To = append(k.To, to)
			}
		}
		if room := maxNamed - len(k.Refs); room > 0 {
			k.Refs = append(k.Refs, n.Refs[:min(room, len(n.Refs))]...)
		}
		if urgency(n.Event) > urgency(k.Event) {
			k.Event = n.Event
		}
	}
	return slices.SortedFunc(func(yield func(Notice) bool) {
		for _, n := range byKind {
			if !yield(*n) {
				return
			}
		}
	}, func(a, b Notice) int { return cmp.Or(cmp.Compare(b.Level, a.Level), a.Group.Compare(b.Group)) })
}

// urgency orders events where one stands for several.
func urgency(e Event) int {
	return slices.Index([]Event{Ended, Repeated, Lapsed, Reopened, Climbed, Raised}, e)
}

// Due returns when time alone will change something, so that a timer can be set
// for it; zero for never.
func (s Alarms) Due(c Config) time.Time {
	var due time.Time
	for _, r := range s.Rings {
		due = sooner(sooner(due, r.Next), r.Climb)
	}
	for _, a := range s.Alarms {
		for _, k := range a.Acks {
			due = sooner(due, k.At.Add(c.ackHolds()))
		}
		if a.Silenced.After(s.At) {
			due = sooner(due, a.Silenced)
		}
		if !a.Stands() {
			due = sooner(due, a.Cleared.Add(c.keepEnded()))
		}
	}
	return due
}

func sortGroups(all []Group) {
	slices.SortFunc(all, func(a, b Group) int { return cmp.Or(cmp.Compare(b.Level, a.Level), a.Key.Compare(b.Key)) })
}
