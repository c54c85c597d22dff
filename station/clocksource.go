package station

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// SourceTime is what a source of time says.
type SourceTime struct {
	Source string        // its name in the settings
	At     time.Time     // the moment at which its answer was in hand, by its clock
	Within time.Duration // how far off that may be, by its own word and by how long its answer took
}

// TimeSource is a source of time that is neither this machine's clock nor any
// counterpart, and whose answers nobody else can make.
type TimeSource interface {
	// Ask returns what time it is. It returns by the end of ctx.
	Ask(ctx context.Context) (SourceTime, error)
}

const (
	// sourceAgrees is how far the clock may lie from a source that confirms it,
	// what the source leaves open included: far below any deadline.
	sourceAgrees = 10 * time.Second

	// askSourceEvery is how often sources are asked while the clock is not
	// trusted.
	askSourceEvery = 30 * time.Second
)

// errNoAgreement says that a source and the clock differ.
var errNoAgreement = errors.New("the clock and the source differ")

// clockBySource lets stamping go on where a source of time agrees with the clock
// at now, the moment of its reading. Where it does not, it says by how much, and
// nothing changes. A clock that is trusted anyway is left alone.
func (s *Station) clockBySource(ctx context.Context, now time.Time, r SourceTime) error {
	why := s.ClockSafe(now)
	if why == nil {
		return nil
	}
	if off := now.Round(0).Sub(r.At.Round(0)); off.Abs()+r.Within.Abs() > sourceAgrees {
		return fmt.Errorf("%w: %s says %s within %s, and the clock stands at %s", errNoAgreement, r.Source, r.At.UTC().Format(time.RFC3339), r.Within, now.UTC().Format(time.RFC3339))
	}
	s.mu.Lock()
	s.clock = clock{last: now, wall: now, steady: s.elapsed(now)}
	s.heardBy(now)
	s.mu.Unlock()
	by := Actor{Name: "time source " + r.Source}
	return s.update(ctx, now, func(tx Tx) error {
		for _, l := range s.LineNames() {
			s.touch(l)
		}
		return errors.Join(s.noteClock(tx, now), s.audit(tx, now, by, "clock confirm", "", "done", why.Error()))
	})
}

// askTime asks the sources in turn, as long as the clock is not trusted, until one
// confirms it.
func (r *Runner) askTime(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	var asked time.Duration // on the steady clock: the other is what is in doubt
	for first := true; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		elapsed := r.Station.elapsed(r.Now())
		if r.Station.ClockSafe(r.Now()) == nil || !first && elapsed-asked < askSourceEvery {
			continue
		}
		first, asked = false, elapsed
		for _, source := range r.Times() {
			reading, err := source.Ask(ctx)
			if err == nil {
				err = r.Station.clockBySource(ctx, r.Now(), reading)
			}
			if err == nil {
				r.Log.Warn("clock confirmed", "source", reading.Source)
				break
			}
			if ctx.Err() == nil {
				r.Log.Warn("clock not confirmed", "error", err)
			}
		}
	}
}
