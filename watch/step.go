package watch

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"detente/message"
)

// Moment is what a step is told.
type Moment struct {
	Now        time.Time
	Conditions []Condition // all that hold now
	Acts       []Act       // since the last step, in order
	Posts      Posts       // who is where now
}

// step is one step under way.
type step struct {
	c      Config
	m      Moment
	now    time.Time
	alarms map[Key]*Alarm
	rings  map[Key]*Ring
	fresh  map[Key]Event // groups that have something new to say, and what
	ended  map[Key]*Notice
	counts map[noteKey]int
	out    Consequences
}

// noteKey is what log book lines of one step are summed up by.
type noteKey struct {
	event Event
	group Key
}

// Step goes from the last moment to this one: it takes the officers' acts,
// raises, reopens and clears alarms, lets acknowledgements lapse, and says whom
// to call and what to write down. What fell due in a pause falls due once. A
// clock that was put back delays nothing: timers that would wait longer than
// they ever do are pulled to now.
//
// The work grows with the number of alarms, the calls of outlets do not: at
// most two for each of 24 groups, or for each kind.
func (s Alarms) Step(m Moment, c Config) (Alarms, Consequences) {
	st := &step{c: c, m: m, now: m.Now.UTC().Truncate(time.Second), alarms: map[Key]*Alarm{}, rings: map[Key]*Ring{},
		fresh: map[Key]Event{}, ended: map[Key]*Notice{}, counts: map[noteKey]int{}}
	for _, a := range s.Alarms {
		a.Acks = slices.Clone(a.Acks)
		st.alarms[a.Key] = &a
	}
	for _, r := range s.Rings {
		st.rings[r.Group] = &r
	}
	for _, a := range m.Acts {
		st.act(a)
	}
	st.conditions(normal(m.Conditions))
	st.lapse()
	st.ring()
	st.sum()
	next := st.state()
	next.Exercise = s.Exercise
	for i := range st.out.Notices {
		st.out.Notices[i].Exercise = s.Exercise
	}
	return next, st.out
}

// normal returns conditions ordered by key, each once, without what cannot be.
// What is beyond MaxAlarms is kept by group and count.
func normal(all []Condition) []Condition {
	list := make([]Condition, 0, len(all))
	for _, c := range all {
		if c.Kind.Level() == 0 {
			continue // no kind that anybody could be told of; a compile-time constant names them
		}
		if c.Level < message.Routine || c.Level > message.Flash {
			c.Level = c.Kind.Level()
		}
		if checkRef(c.Ref, MaxRef) != "" && c.Ref != "" {
			c.Ref = "unreadable"
		}
		c.Count = min(max(c.Count, 1), maxCount)
		c.Since = c.Since.UTC().Truncate(time.Second)
		list = append(list, c)
	}
	list = unite(list)
	if len(list) > MaxAlarms {
		for i := MaxAlarms / 2; i < len(list); i++ {
			list[i].Ref = beyond
		}
		list = unite(list)
	}
	return list
}

// beyond is the reference of alarms that are kept by count.
const beyond = "and-more"

// unite sorts conditions and makes one of those with the same key.
func unite(list []Condition) []Condition {
	slices.SortStableFunc(list, func(a, b Condition) int { return a.Compare(b.Key) })
	out := list[:0]
	for _, c := range list {
		if n := len(out); n > 0 && out[n-1].Key == c.Key {
			o := &out[n-1]
			o.Level, o.Since = max(o.Level, c.Level), earlier(o.Since, c.Since)
			if c.Ref == beyond {
				o.Count = min(o.Count+c.Count, maxCount)
			}
			continue
		}
		out = append(out, c)
	}
	return out
}

// act takes an officer's act, or writes down why not.
func (s *step) act(a Act) {
	at := a.At.UTC().Truncate(time.Second)
	note := Note{At: at, Key: a.Key, Officer: clip(a.Officer), Event: Acknowledged}
	if a.Silence > 0 {
		note.Event = Silenced
	}
	refuse := func(reason string) {
		note.Event, note.Reason = ActRefused, reason
		s.out.Notes = append(s.out.Notes, note)
	}
	// An act of the future, or one so old that it no longer counts, is a fault
	// of a clock or a replay.
	if at.After(s.now) || !at.After(s.now.Add(-s.c.ackHolds())) {
		refuse("no-such-time")
		return
	}
	reason := "unknown-alarm"
	for _, alarm := range s.meant(a) {
		if !alarm.Stands() || alarm.Raised.After(at) {
			continue
		}
		if why := s.apply(alarm, a, at); why != "" {
			reason = cmp.Or(why, reason)
			continue
		}
		note.Count += alarm.Count
	}
	if note.Count == 0 {
		refuse(reason)
		return
	}
	s.out.Notes = append(s.out.Notes, note)
}

// meant returns the alarms that an act is about.
func (s *step) meant(a Act) []*Alarm {
	if !a.Group {
		if alarm, ok := s.alarms[a.Key]; ok {
			return []*Alarm{alarm}
		}
		return nil
	}
	var out []*Alarm
	for _, alarm := range s.alarms {
		if alarm.group() == a.Key {
			out = append(out, alarm)
		}
	}
	slices.SortFunc(out, func(a, b *Alarm) int { return a.Compare(b.Key) })
	return out
}

// apply does one act to one alarm, or says why not. Those on watch may act, and
// those whom the alarm has reached.
func (s *step) apply(alarm *Alarm, a Act, at time.Time) (why string) {
	rung := RungWatch
	if r := s.rings[alarm.group()]; r != nil {
		rung = r.Rung
	}
	if !contains(s.m.Posts.upTo(rung), a.Officer) {
		return "not-entitled"
	}
	if a.Silence > 0 {
		if at.Before(alarm.Silenced) || !alarm.Silenced.IsZero() && !s.rangSince(alarm) {
			return "silenced-before"
		}
		alarm.Silenced = at.Add(min(a.Silence, MaxSilence).Truncate(time.Second))
		return ""
	}
	if slices.ContainsFunc(alarm.Acks, func(k Ack) bool { return k.Officer == a.Officer }) {
		return "already-acknowledged"
	}
	alarm.Acks = append(alarm.Acks, Ack{a.Officer, at})
	return ""
}

// rangSince reports whether an alarm has sounded since its silence ended.
func (s *step) rangSince(a *Alarm) bool {
	r := s.rings[a.group()]
	return r == nil || !r.Last.Before(a.Silenced)
}

// conditions raises, reopens and clears.
func (s *step) conditions(now []Condition) {
	holds := make(map[Key]bool, len(now))
	for _, c := range now {
		holds[c.Key] = true
		a, ok := s.alarms[c.Key]
		switch {
		case !ok:
			s.alarms[c.Key] = &Alarm{Key: c.Key, Level: c.Level, Since: c.Since, Raised: s.now, Count: c.Count}
			s.tell(c.Key, Raised, c.Count)
		case !a.Stands():
			*a = Alarm{Key: c.Key, Level: c.Level, Since: c.Since, Raised: s.now, Count: c.Count, Reopened: a.Reopened + 1}
			s.tell(c.Key, Reopened, c.Count)
		default:
			if c.Level > a.Level || c.Count > a.Count { // graver than what was acknowledged
				a.Acks = nil
				s.tell(c.Key, Raised, c.Count)
			}
			a.Level, a.Count, a.Since = c.Level, c.Count, c.Since
		}
	}
	for k, a := range s.alarms {
		switch {
		case holds[k]:
		case a.Stands():
			s.end(a)
		case !a.Cleared.After(s.now.Add(-s.c.keepEnded())):
			delete(s.alarms, k)
		}
	}
	s.forget()
}

// forget drops the cleared alarms that ended first, where there are too many to
// keep. An alarm that stands is never dropped.
func (s *step) forget() {
	over := len(s.alarms) - 2*MaxAlarms
	if over <= 0 {
		return
	}
	ended := slices.DeleteFunc(slices.Collect(maps.Values(s.alarms)), func(a *Alarm) bool { return a.Stands() })
	slices.SortFunc(ended, func(a, b *Alarm) int { return cmp.Or(a.Cleared.Compare(b.Cleared), a.Compare(b.Key)) })
	for _, a := range ended[:min(over, len(ended))] {
		delete(s.alarms, a.Key)
	}
}

// tell notes that a group has something new to say. What is first said stays,
// but for an alarm that is new, which goes before one that is back.
func (s *step) tell(k Key, e Event, count int) {
	g := k.group()
	if before, ok := s.fresh[g]; !ok || e == Raised && before != Raised {
		s.fresh[g] = e
	}
	s.counts[noteKey{e, g}] += count
}

// end clears an alarm and adds it to what its group tells of ends.
func (s *step) end(a *Alarm) {
	a.Cleared, a.Acks, a.Silenced = s.now, nil, time.Time{}
	g := a.group()
	n := s.ended[g]
	if n == nil {
		n = &Notice{Event: Ended, Group: g, Level: a.Level, Lines: 1, Since: a.Since, Outlets: []Outlet{Screen}}
		s.ended[g] = n
	}
	n.Level, n.Since, n.Count = max(n.Level, a.Level), earlier(n.Since, a.Since), min(n.Count+a.Count, maxCount)
	s.counts[noteKey{Ended, g}] += a.Count
}

// lapse takes back acknowledgements that no longer count.
func (s *step) lapse() {
	for _, a := range s.alarms {
		was := a.Acknowledged()
		a.Acks = slices.DeleteFunc(a.Acks, func(k Ack) bool {
			// One of the future is of a clock that was put back.
			return !k.At.Add(s.c.ackHolds()).After(s.now) || k.At.After(s.now)
		})
		if a.Stands() && was && !a.Acknowledged() {
			s.tell(a.Key, Lapsed, a.Count)
		}
	}
}

// sum writes the log book's lines: one for each group and event.
func (s *step) sum() {
	keys := slices.SortedFunc(maps.Keys(s.counts), func(a, b noteKey) int {
		return cmp.Or(a.group.Compare(b.group), cmp.Compare(a.event, b.event))
	})
	for _, k := range keys {
		s.out.Notes = append(s.out.Notes, Note{At: s.now, Event: k.event, Key: k.group, Count: s.counts[k]})
	}
}

// state returns the state after the step, in order.
func (s *step) state() Alarms {
	out := Alarms{At: s.now, Alarms: make([]Alarm, 0, len(s.alarms)), Rings: make([]Ring, 0, len(s.rings))}
	for _, a := range s.alarms {
		out.Alarms = append(out.Alarms, *a)
	}
	for _, r := range s.rings {
		out.Rings = append(out.Rings, *r)
	}
	slices.SortFunc(out.Alarms, func(a, b Alarm) int { return a.Compare(b.Key) })
	slices.SortFunc(out.Rings, func(a, b Ring) int { return a.Group.Compare(b.Group) })
	return out
}
