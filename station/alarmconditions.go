package station

import (
	"slices"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/watch"
)

const (
	// guardGrace is how long a guard may not have passed before somebody is
	// told: a start asks the mirrors first, which takes seconds.
	guardGrace = time.Minute

	// The disk is filling when less than a tenth of it is free, and less than a
	// large evidence file with room to commit it.
	leastFreePart = 10
	leastFree     = 4 << 30
)

// conditions returns all that is wrong at now, always in the same order, and
// who is on watch. While the clock is unsafe, what was wrong stays as it was:
// nothing runs out by a clock that leapt. It is called with the watch's mu held.
func (s *Station) conditions(tx Tx, rows []Line, now time.Time) ([]watch.Condition, watch.Posts, error) {
	w := s.watching
	roster, err := s.onRoster(tx)
	if err != nil {
		return nil, watch.Posts{}, err
	}
	posts, err := s.postsOf(tx, roster, now)
	if err != nil {
		return nil, posts, err
	}
	var out []watch.Condition
	if s.ClockSafe(now) != nil {
		out = slices.DeleteFunc(slices.Clone(w.last), func(c watch.Condition) bool { return c.Kind == watch.ClockUnsafe })
		out = append(out, watch.Condition{Key: watch.Key{Kind: watch.ClockUnsafe}, Since: second(now)})
		return w.steady(out), posts, nil //nolint:nilerr // the error is the condition
	}
	for _, row := range rows {
		of, err := s.lineConditions(tx, row, roster, now)
		if err != nil {
			return nil, posts, err
		}
		out = append(out, of...)
	}
	people, err := s.peopleConditions(tx, rows, roster, now)
	if err != nil {
		return nil, posts, err
	}
	out = append(append(out, people...), s.machineConditions(now)...)
	untried, err := s.untried(tx, now)
	if err != nil {
		return nil, posts, err
	}
	return w.steady(append(out, untried...)), posts, nil
}

// steady gives a condition whose alarm stands the beginning that it has there:
// a beginning that moved with the clock would be news each second.
func (w *watching) steady(list []watch.Condition) []watch.Condition {
	for i, c := range list {
		list[i].Since = second(c.Since)
		if since, ok := w.standing[c.Key]; ok {
			list[i].Since = since
		}
	}
	return list
}

// postsOf returns who is on watch: by the roster, or all officers of the station
// where there is none.
func (s *Station) postsOf(tx Tx, r watch.Roster, now time.Time) (watch.Posts, error) {
	if r.Station != "" {
		return r.Posts(now), nil
	}
	officers, err := tx.Officers()
	if err != nil {
		return watch.Posts{}, err
	}
	var p watch.Posts
	for _, o := range officers {
		if o.Revoked.IsZero() || now.Before(o.Revoked) {
			p.On = append(p.On, o.Pseudonym)
		}
	}
	slices.Sort(p.On)
	return p, nil
}

// lineConditions returns what is wrong with a line.
func (s *Station) lineConditions(tx Tx, row Line, roster watch.Roster, now time.Time) ([]watch.Condition, error) {
	l := row.Line
	st, err := s.state(l)
	if err != nil {
		return nil, err
	}
	out := s.guardConditions(l, st, now)
	p, err := s.peerOf(l)
	if err != nil {
		return nil, err
	}
	f := s.watching.facts[l]
	if f == nil {
		return out, nil // before the first step, which reads them
	}
	if row.State == LineOpen && p.confirmed() {
		link, err := s.linkConditions(tx, l, st, now)
		if err != nil {
			return nil, err
		}
		out = append(out, link...)
		tests, err := f.conditions(l, s.name, roster, now)
		if err != nil {
			return nil, err
		}
		out = append(out, tests...)
		out = append(append(out, s.deskConditions(l, now)...), f.stateConditions(l)...)
	}
	out = append(out, s.inboxConditions(f, l, now)...)
	due, begun, err := s.confirmations(tx, l, now)
	if err != nil {
		return nil, err
	}
	return append(out, s.dutyConditions(l, due, begun, now)...), nil
}

// guardConditions returns whether a guard of a line has not passed for a while.
func (s *Station) guardConditions(l identity.Line, st *lineState, now time.Time) []watch.Condition {
	w := s.watching
	s.mu.Lock()
	passed := st.own.passed && st.theirs.passed
	s.mu.Unlock()
	if passed {
		delete(w.guards, l)
		return nil
	}
	since, ok := w.guards[l]
	if !ok || since.After(now) {
		since = second(now)
		w.guards[l] = since
	}
	c := watch.Condition{Key: watch.Key{Kind: watch.GuardClosed, Line: l}, Since: since}
	if _, stands := w.standing[c.Key]; !stands && now.Sub(since) < guardGrace {
		return nil
	}
	return []watch.Condition{c}
}

// linkConditions returns what the line's own watch finds: a silent counterpart,
// receipts withheld, a quota that is used up, keys that do not fit.
func (s *Station) linkConditions(tx Tx, l identity.Line, st *lineState, now time.Time) ([]watch.Condition, error) {
	v, err := s.view(tx, now, l, st)
	if err != nil {
		return nil, err
	}
	// What the sender knows after its last answer, and not what it did when it
	// chose what to ask: one answer ends either.
	var known line.Alarms
	s.mu.Lock()
	if st.machine != nil {
		switch st.machine.Standing().Condition {
		case line.ConditionQuota:
			known = line.AlarmQuota
		case line.ConditionRefused:
			known = line.AlarmRefused
		}
	}
	s.mu.Unlock()
	v.Watch.Full = known&line.AlarmQuota != 0
	found := v.Watch.At(now).Alarms | known
	s.mu.Lock()
	st.alarms = found
	s.mu.Unlock()
	var out []watch.Condition
	add := func(bit line.Alarms, kind watch.Kind, since time.Time) {
		if found&bit != 0 {
			out = append(out, watch.Condition{Key: watch.Key{Kind: kind, Line: l, Ref: string(l.Other(s.name))}, Since: since})
		}
	}
	add(line.AlarmSilent, watch.SilentPeer, later(v.Watch.Heard, v.Watch.Listening).Add(v.Watch.SilentAfter))
	add(line.AlarmWithheld, watch.Withheld, v.Watch.Oldest.Add(v.Watch.ReceiptTime))
	add(line.AlarmQuota, watch.Quota, now)
	add(line.AlarmRefused, watch.KeyRefused, now)
	return out, nil
}

// inboxConditions returns the urgent messages that no person of this station has
// acknowledged: a FLASH at once, an IMMEDIATE once its time to be seen is over.
func (s *Station) inboxConditions(f *lineFacts, l identity.Line, now time.Time) []watch.Condition {
	var out []watch.Condition
	for _, u := range f.Urgent {
		since := u.Since
		if u.Level < message.Flash {
			since = since.Add(s.seenWithin(u))
		}
		if !now.Before(since) {
			out = append(out, watch.Condition{Key: watch.Key{Kind: watch.FlashUnread, Line: l, Ref: u.Ref}, Level: u.Level, Since: since})
		}
	}
	if f.More > 0 {
		out = append(out, watch.Condition{Key: watch.Key{Kind: watch.FlashUnread, Line: l, Ref: "and-more"}, Since: f.MoreSince, Count: f.More})
	}
	return out
}

// seenWithin is how long a message may wait for a person.
func (s *Station) seenWithin(u urgent) time.Duration {
	if form, ok := s.book.Format(u.Format); ok {
		return form.Clocks(u.Level).Seen
	}
	return 0
}

// peopleConditions returns what is wrong with desks, handovers and contacts, as
// far as the station keeps them.
func (s *Station) peopleConditions(tx Tx, rows []Line, roster watch.Roster, now time.Time) ([]watch.Condition, error) {
	var out []watch.Condition
	if roster.Station != "" {
		out = append(out, roster.Conditions(now)...)
		signed, err := s.signedSheets(tx, now)
		if err != nil {
			return nil, err
		}
		for _, d := range roster.Desks {
			out = append(out, roster.HandoverConditions(d.Name, signed[d.Name], now)...)
		}
	}
	return append(out, s.contactConditions(rows, now)...), nil
}

// machineConditions returns what is wrong with the machine.
func (s *Station) machineConditions(now time.Time) []watch.Condition {
	w := s.watching
	var out []watch.Condition
	if w.Disk != nil {
		// A disk that cannot be asked is in trouble as well.
		if free, size, err := w.Disk(); err != nil || free < size/leastFreePart && free < leastFree {
			out = append(out, watch.Condition{Key: watch.Key{Kind: watch.DiskFilling}, Since: now})
		}
	}
	if w.Others != nil {
		out = append(out, w.Others(now)...)
	}
	return out
}
