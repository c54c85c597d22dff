package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
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

// ClockSafe returns ErrClockUnsafe, with why, while nothing may be stamped.
func (s *Station) ClockSafe() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock.why != "" {
		return fmt.Errorf("%w: %s; two operators confirm it with `detente station clock`", ErrClockUnsafe, s.clock.why)
	}
	return nil
}

// keepFork keeps two contradicting heads of a counterpart's log as evidence.
func (s *Station) keepFork(ctx context.Context, now time.Time, p *peer, fork *journal.ForkError) error {
	file, err := journal.MarshalFork(fork.Fork)
	if err != nil {
		return err
	}
	return s.update(context.WithoutCancel(ctx), now, func(tx Tx) error {
		l := fork.Origin.Line()
		e := Evidence{Kind: "fork", Line: l, At: second(now), Summary: fork.Error(), File: file}
		if err := tx.PutEvidence(e); err != nil {
			return err
		}
		if err := s.event(tx, now, "alarm", l.String(), e.Summary); err != nil {
			return err
		}
		return s.audit(tx, now, Actor{Name: string(p.Card.Station)}, "fork", fork.Origin.String(), "refused", e.Summary)
	})
}

// keepWithheld keeps, as evidence, that a live counterpart leaves an offered
// entry without a receipt.
func (s *Station) keepWithheld(tx Tx, now time.Time, l identity.Line, a line.Action) error {
	row, err := tx.Line(l)
	if err != nil {
		return err
	}
	own, theirs := l.Log(s.name, max(row.SendEra, 1)), s.mirrored(row)
	acked, err := s.acked(tx, own)
	if err != nil {
		return err
	}
	mine, _, err := tx.Log(own)
	if err != nil {
		return err
	}
	other, _, err := tx.Log(theirs)
	if err != nil {
		return err
	}
	summary := fmt.Sprintf("receipt withheld: entry %d of %s was offered and not receipted", acked, own)
	if a.Proven {
		summary += ", while the counterpart's own log grew"
	}
	file, err := journal.MarshalWithheld(journal.Withheld{Offered: mine.Checkpoint, From: acked, Alive: other.Checkpoint})
	if err != nil {
		return err
	}
	return tx.PutEvidence(Evidence{Kind: "withheld", Line: l, At: second(now), Summary: summary, File: file})
}
