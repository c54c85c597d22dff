package main

import (
	"context"
	"fmt"
	"path/filepath"

	"detente/cmd/internal/filler"
)

// folds measures what folding one more message costs by the length of the record.
func (b *bench) folds(ctx context.Context) error {
	for _, entries := range []int{1000, 10_000, 100_000, 1_000_000} {
		if entries > max(b.entries, 100_000) {
			break
		}
		per, err := filler.Fold(ctx, filepath.Join(outDir, "fold"), entries)
		if err != nil {
			return fmt.Errorf("fold at %d entries: %w", entries, err)
		}
		if err := b.print(figure{What: "fold", Entries: int64(entries), PerMessage: float64(per.Nanoseconds()) / 1000}); err != nil {
			return err
		}
	}
	return nil
}
