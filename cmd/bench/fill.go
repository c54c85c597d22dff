package main

import (
	"context"
	"errors"

	"detente/cmd/internal/filler"
)

// maxSaid is how many entries the stations say themselves; a longer log is
// written into their stores.
const maxSaid = 5000

// write fills the writer's log up to a size.
func (p *product) write(ctx context.Context, size int64) error {
	p.receipts.close()
	for _, e := range p.Ends {
		if err := e.Stop(); err != nil {
			return err
		}
	}
	err := filler.Fill(ctx, p.Rig, size)
	for _, e := range p.Ends {
		err = errors.Join(err, e.Start(ctx))
	}
	for _, e := range p.Ends {
		err = errors.Join(err, e.Ready(ctx))
	}
	if err != nil {
		return err
	}
	p.receipts, err = follow(ctx, p.Ends[0])
	return err
}
