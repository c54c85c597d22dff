package station

import (
	"context"

	"detente/dossier"
)

// AskTime is what a runner does with its sources of time, for the tests.
func AskTime(ctx context.Context, r *Runner) { r.askTime(ctx) }

// FoldBy lets a station fold by another book than that of its edition, as one
// whose program has a fault would.
func FoldBy(s *Station, b dossier.Book) {
	s.folds.mu.Lock()
	defer s.folds.mu.Unlock()
	s.folds.forms = b
	s.folds.lines, s.folds.asked = nil, nil
}
