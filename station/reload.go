package station

import (
	"context"
	"fmt"
	"time"
)

// Reload takes other limits while the station runs, in place of those that it was
// made with: of ApprovalRoutine, ApprovalFlash, ReleaseStands and Skew. What awaits
// release keeps the end that it was given; what is judged from now on is judged by
// the new ones. The others are the line's own, and hold from start to end. That it
// was done, and with what, stands in the audit trail.
func (s *Station) Reload(ctx context.Context, now time.Time, l Limits) error {
	next, before := l.withDefaults(), s.bounds()
	next.ListWithin, next.ReceiptWithin = before.ListWithin, before.ReceiptWithin
	what := "the same limits"
	if next != before {
		what = fmt.Sprintf("approval %s, of a FLASH %s, release stands %s, clock leap %s", next.ApprovalRoutine, next.ApprovalFlash, next.ReleaseStands, next.Skew)
	}
	err := s.update(ctx, now, func(tx Tx) error { return s.audit(tx, now, itself, "settings", "", "done", what) })
	if err == nil {
		s.changing.Store(&next)
	}
	return err
}

// bounds returns the limits in force.
func (s *Station) bounds() Limits { return *s.changing.Load() }
