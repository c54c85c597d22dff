package station

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// longestStop is the longest gap between the last commit and a start that is
	// taken for a stop of the station. A clock that is further ahead has leapt, or
	// the station was away so long that somebody may look at the clock.
	longestStop = 31 * 24 * time.Hour

	// confirmTogether is how long the first person's confirmation of the clock
	// waits for the second's.
	confirmTogether = 10 * time.Minute

	// clockNoted is how often the store notes that the clock stood right.
	clockNoted = 10 * time.Minute

	// clockSetting is where the store keeps it.
	clockSetting = "clock"
)

// clock watches the clock that stamps records. It is compared with the steady one
// since the start, so that many small leaps count as one large, and at the start
// with the last second that was stamped.
type clock struct {
	last   time.Time     // as given at the last look
	wall   time.Time     // the clock, and
	steady time.Duration // the steady one, when they were last right
	before string        // why the clock was not right at the start; empty if it was
	why    string        // why nothing may be stamped; empty while it may
	noted  time.Time     // when the store noted it last
	first  string        // who has confirmed the clock, and waits for another
	by     time.Duration // on the steady clock: until when
}

// elapsed is the steady clock's reading since the start.
func (s *Station) elapsed(now time.Time) time.Duration {
	if s.steady != nil {
		return s.steady()
	}
	return now.Sub(s.since) // monotonic, where both readings are
}

// beginClock compares the clock with the last second that this station stamped.
func (s *Station) beginClock(tx Tx, now time.Time) error {
	last, err := s.lastStamp(tx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.wall, s.clock.steady = now, s.elapsed(now)
	switch {
	case last.IsZero():
	case last.Sub(now) > s.bounds().Skew:
		s.clock.before = fmt.Sprintf("it stood at %s at the start, and this station has stamped %s before", now.UTC().Format(time.RFC3339), last.Format(time.RFC3339))
	case now.Sub(last) > longestStop:
		s.clock.before = fmt.Sprintf("it stood at %s at the start, long after the last commit at %s", now.UTC().Format(time.RFC3339), last.Format(time.RFC3339))
	}
	s.clock.why = s.clock.before
	return nil
}

// lastStamp returns the latest second that stands in the store under this
// station's own hand.
func (s *Station) lastStamp(tx Tx) (last time.Time, err error) {
	noted, err := tx.Setting(clockSetting)
	if err != nil {
		return last, err
	}
	if noted != nil {
		if last, err = time.Parse(time.RFC3339, string(noted)); err != nil {
			return last, fmt.Errorf("internal error: stored time: %w", err)
		}
	}
	rows, err := tx.Lines()
	if err != nil {
		return last, err
	}
	for _, row := range rows {
		last = later(last, row.LastAt)
		c, ok, err := tx.LastCosignature(s.mirrored(row), s.mirror.Cosigner.Name())
		if err != nil {
			return last, err
		}
		if ok {
			last = later(last, c.At)
		}
	}
	return last, nil
}

// watchClock compares the clock's advance with the steady one's. A leap beyond
// the limit stops all stamping until two persons confirm the time, or until the
// two agree again.
func (s *Station) watchClock(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.clock.why
	s.clock.last, s.clock.why = now, s.clock.before
	wall := now.Round(0).Sub(s.clock.wall.Round(0))
	steady := s.elapsed(now) - s.clock.steady
	if leap := (wall - steady).Abs(); leap > s.bounds().Skew {
		s.clock.why = fmt.Sprintf("it leapt by %s, and stands at %s", leap.Round(time.Second), now.UTC().Format(time.RFC3339))
	}
	if was != "" && s.clock.why == "" {
		s.heardBy(now)
	}
}

// heardBy brings back what was noted under a clock that stood too far ahead:
// nothing was heard later than now. Otherwise a counterpart that falls silent
// next would be missed only once the clock has come to that second again. It is
// called with mu held.
func (s *Station) heardBy(now time.Time) {
	for _, st := range s.lines {
		if st.heard.After(now) {
			st.heard = now
		}
	}
}

// ClockSafe returns ErrClockUnsafe, with why, while nothing may be stamped. It
// looks at the clock itself: what is stamped between two ticks must not be
// stamped by a clock that has just leapt.
func (s *Station) ClockSafe(now time.Time) error {
	s.watchClock(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock.why != "" {
		return fmt.Errorf("%w: %s; a source of time in the settings confirms it, or two operators do, each with `detente station clock`", ErrClockUnsafe, s.clock.why)
	}
	return nil
}

// noteClock lets the store note now and then that the clock stood right.
func (s *Station) noteClock(tx Tx, now time.Time) error {
	s.mu.Lock()
	due := now.Sub(s.clock.noted).Abs() >= clockNoted
	if due {
		s.clock.noted = now
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	return tx.PutSetting(clockSetting, []byte(second(now).Format(time.RFC3339)))
}

// ConfirmClock lets stamping go on after a leap. It takes two operators, each
// with a token of their own: the first call returns false, and one of another
// operator in the next ten minutes true.
func (s *Station) ConfirmClock(ctx context.Context, actor Actor, now time.Time) (confirmed bool, err error) {
	if err := actor.must("confirm the clock", RoleOperator); err != nil {
		return false, s.refused(ctx, now, actor, "clock confirm", "", err)
	}
	s.mu.Lock()
	c, elapsed := &s.clock, s.elapsed(now)
	first := c.first
	confirmed = first != "" && first != actor.Name && elapsed <= c.by
	switch {
	case trying(ctx):
	case confirmed:
		*c = clock{last: now, wall: now, steady: elapsed}
		s.heardBy(now)
	default:
		c.first, c.by = actor.Name, elapsed+confirmTogether
	}
	s.mu.Unlock()
	err = s.update(ctx, now, func(tx Tx) error {
		if !confirmed {
			return s.audit(tx, now, actor, "clock confirm", "", "done", "waits for another operator")
		}
		for _, l := range s.LineNames() {
			s.touch(l)
		}
		return errors.Join(s.noteClock(tx, now), s.audit(tx, now, actor, "clock confirm", "", "done", "with "+first))
	})
	return confirmed, err
}

// due reports whether a wait of at most span, set to end at until, is over. A
// clock that was put back must not turn seconds into a year.
func due(now, until time.Time, span time.Duration) bool {
	return !now.Before(until) || until.Sub(now) > span
}
