package station

import (
	"context"
	"errors"
	"time"
)

// Tick does what time alone brings about: it saves the high-water mark, ends
// what has expired, looks at the clock, lets the queues go on, sends the line
// tests that are due, raises and clears alarms, and compares the state with the
// counterparts'. A runner calls it each second.
func (s *Station) Tick(ctx context.Context, now time.Time) error {
	unsafe := s.ClockSafe(now)
	trail := errors.Join(s.noteTrail(ctx, now), s.readSpoken(ctx))
	if err := errors.Join(trail, s.SaveMark(now)); err != nil {
		return err
	}
	err := s.TakeIn(ctx, now)
	err = errors.Join(err, s.update(ctx, now, func(tx Tx) error {
		if unsafe != nil {
			return nil //nolint:nilerr // nothing runs out by a clock that leapt
		}
		for _, l := range s.LineNames() {
			s.touch(l)
		}
		if err := errors.Join(s.noteClock(tx, now), s.watchProvisional(tx, now), s.writeEvents(tx, now), s.sendOwedKeys(tx, now)); err != nil {
			return err
		}
		return s.expire(tx, now)
	}))
	err = errors.Join(err, s.keepWatch(ctx, now))
	err = errors.Join(err, s.compareStates(ctx, now))
	err = errors.Join(err, s.indexMore(ctx, now))
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.stuck)
}
