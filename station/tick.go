package station

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// clock watches for leaps of the clock that stamps records. The steady reading
// of a time.Time (monotonic) is what it is compared with.
type clock struct {
	last time.Time // as given at the last tick
	why  string    // why nothing may be stamped; empty while it may
}

// Tick does what time alone brings about: it saves the high-water mark, ends
// what has expired, looks at the clock, and lets the queues go on. A runner
// calls it each second.
func (s *Station) Tick(ctx context.Context, now time.Time) error {
	s.watchClock(now)
	if err := s.SaveMark(now); err != nil {
		return err
	}
	err := s.update(ctx, now, func(tx Tx) error {
		for _, l := range s.LineNames() {
			s.touch(l)
		}
		return s.expire(tx, now)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.stuck)
}

// watchClock compares the wall clock's advance with the steady one's since the
// last tick. A leap beyond the limit stops all stamping until two officers, or
// another source, confirm the time.
func (s *Station) watchClock(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.clock.last
	s.clock.last = now
	if last.IsZero() {
		return
	}
	wall := now.Round(0).Sub(last.Round(0))
	steady := now.Sub(last)
	if leap := (wall - steady).Abs(); leap > s.limits.Skew {
		s.clock.why = fmt.Sprintf("it leapt by %s at %s", leap.Round(time.Second), now.UTC().Format(time.RFC3339))
	}
}

// ConfirmClock lets stamping go on after a leap. It takes two operators'
// names: whoever acts and a second.
func (s *Station) ConfirmClock(ctx context.Context, actor Actor, now time.Time, second string) error {
	if err := actor.must("confirm the clock", RoleOperator); err != nil {
		return s.refused(ctx, now, actor, "clock confirm", "", err)
	}
	if second == "" || second == actor.Name {
		return s.refused(ctx, now, actor, "clock confirm", "", fmt.Errorf("%w: two persons confirm the time; name the second", ErrRefused))
	}
	s.mu.Lock()
	s.clock.why = ""
	s.mu.Unlock()
	return s.update(ctx, now, func(tx Tx) error {
		for _, l := range s.LineNames() {
			s.touch(l)
		}
		return s.audit(tx, now, actor, "clock confirm", "", "done", "with "+second)
	})
}

// clockSafe returns an error while nothing may be stamped.
func (s *Station) clockSafe() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock.why != "" {
		return fmt.Errorf("%w: %s; two operators confirm it with `detente station clock`", ErrClockUnsafe, s.clock.why)
	}
	return nil
}
