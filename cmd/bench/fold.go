package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"detente/cmd/internal/filler"
)

// maxListed is up to how many messages the lists of matters are timed: the first
// list of a million takes half a minute, and a station keeps no such line folded.
const maxListed = 100_000

// folds measures what folding one more message costs by the length of the record:
// in memory alone, and as a station does it, from its store.
func (b *bench) folds(ctx context.Context) error {
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	for _, entries := range []int{1000, 10_000, 100_000, 1_000_000} {
		p, err := filler.FoldPure(entries, entries <= maxListed)
		if err != nil {
			return fmt.Errorf("fold at %d entries: %w", entries, err)
		}
		if err := b.print(figure{What: "fold", Entries: int64(entries), PerMessage: us(p.Message)}); err != nil {
			return err
		}
		if p.First == 0 {
			continue
		}
		if err := b.print(figure{What: "first list", Entries: int64(entries), Ms: ms(p.First)}); err != nil {
			return err
		}
		if err := b.print(figure{What: "list", Entries: int64(entries), Ms: ms(p.Later)}); err != nil {
			return err
		}
	}
	for _, entries := range []int{1000, 10_000, 100_000, 1_000_000} {
		if entries > max(b.entries, 10_000) {
			break
		}
		per, err := filler.Fold(ctx, filepath.Join(outDir, "fold"), entries)
		if err != nil {
			return fmt.Errorf("fold from the store at %d entries: %w", entries, err)
		}
		if err := b.print(figure{What: "fold from the store", Entries: int64(entries), PerMessage: us(per)}); err != nil {
			return err
		}
	}
	return nil
}
