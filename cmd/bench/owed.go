package main

import (
	"fmt"

	"detente/cmd/internal/filler"
)

// owed measures how long it takes to say what is owed by an agreement, by how many
// obligations are open.
func (b *bench) owed() error {
	for _, open := range []int{1000, 10_000} {
		took, err := filler.Owed(open)
		if err != nil {
			return fmt.Errorf("obligations at %d open: %w", open, err)
		}
		if err := b.print(figure{What: "obligations", Open: open, Ms: ms(took)}); err != nil {
			return err
		}
	}
	return nil
}
