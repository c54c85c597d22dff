package station

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// tryKey is where a context says that what is asked under it is only tried.
type tryKey struct{}

// Trying returns a context under which a verb that changes something checks all
// that it checks, and changes nothing: in place of success it returns a
// TriedError that says what would have been done. What is refused is refused, and
// audited, as ever; what is tried stands in the audit trail as tried. Verbs that
// only read do as ever.
func Trying(ctx context.Context) context.Context { return context.WithValue(ctx, tryKey{}, true) }

// trying reports whether what is asked under a context is only tried.
func trying(ctx context.Context) bool {
	only, _ := ctx.Value(tryKey{}).(bool)
	return only
}

// inEarnest returns a context under which what is asked is done, whatever was
// asked above it.
func inEarnest(ctx context.Context) context.Context { return context.WithValue(ctx, tryKey{}, false) }

// TriedError ends a verb that was only tried and would have been done.
type TriedError struct {
	Would []Audit // what the audit trail would have said, in order; Number and Hash are zero
}

// Error implements error.
func (t *TriedError) Error() string {
	acts := make([]string, 0, len(t.Would))
	for _, a := range t.Would {
		acts = append(acts, strings.TrimSpace(a.Act+" "+a.Object))
	}
	return "only tried: nothing was done; it would be: " + strings.Join(acts, ", ")
}

// errRollBack takes back a transaction that was only tried.
var errRollBack = errors.New("only tried")

// recorder notes the lines that a transaction writes into the audit trail.
type recorder struct {
	Tx
	lines []Audit
}

// AppendAudit implements Tx.
func (r *recorder) AppendAudit(a Audit) (Audit, error) {
	r.lines = append(r.lines, a)
	return r.Tx.AppendAudit(a)
}

// try runs do as update does, takes it back, and returns a TriedError where it
// would have gone through. Only that it was tried is written.
func (s *Station) try(ctx context.Context, now time.Time, do func(Tx) error) error {
	var would []Audit
	err := s.store.Update(ctx, func(tx Tx) error {
		s.batch.now, s.batch.touched = now, nil
		r := &recorder{Tx: tx}
		if err := do(r); err != nil {
			return err
		}
		would = r.lines
		return errRollBack
	})
	if !errors.Is(err, errRollBack) {
		return err
	}
	err = s.update(inEarnest(ctx), now, func(tx Tx) error {
		for _, a := range would {
			a.Result, a.Detail = "tried", strings.TrimSuffix(fmt.Sprintf("not done: %s; %s", a.Result, a.Detail), "; ")
			if _, err := tx.AppendAudit(a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit trail: %w", err)
	}
	return &TriedError{Would: would}
}
