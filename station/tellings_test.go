package station

import (
	"context"
	"time"
)

// Tellings are the notices that a runner would tell now.
func (s *Station) Tellings(ctx context.Context, now time.Time) ([]Telling, error) {
	return s.tellings(ctx, now)
}

// Told is what a runner says of a try.
func (s *Station) Told(ctx context.Context, now time.Time, t Telling, failed error, final bool) error {
	return s.told(ctx, now, t, failed, final)
}
