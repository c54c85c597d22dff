package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/cmd/internal/rig"
)

// verdict is what `detente record verify --json` says.
type verdict struct {
	Verdict  string `json:"verdict"`
	Messages int    `json:"messages"`
	Receipts int    `json:"receipts"`
	Verified int    `json:"verified"`
}

// prove exports the whole line at both ends and verifies it offline.
func (p *play) prove(ctx context.Context) error {
	// What is said last lists the receipts of what was said before.
	for _, e := range p.Ends {
		if _, err := e.Say(ctx, rig.Draft{Format: "600", Params: []string{"text=end of the play"}}); err != nil {
			return err
		}
	}
	p.tell("Each side exports the whole line. A process without network, keys or configuration verifies both\n    records from the two root keys alone.")
	last, err := p.exported(ctx)
	if err != nil {
		return err
	}
	if err := p.arbitrate(ctx); err != nil {
		return err
	}
	if err := p.contents(); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "\ndemo: ok messages=%d receipts=%d verified=%d seconds=%.0f\n", last.Messages, last.Receipts, last.Verified, time.Since(p.began).Seconds())
	return nil
}

// exportTries is how often both export: a line test by schedule may come between
// the two.
const exportTries = 3

// exported lets both sides export the line, verifies both records, and returns the
// verdict, which is the same on both.
func (p *play) exported(ctx context.Context) (verdict, error) {
	var all [2]verdict
	for range exportTries {
		if err := p.Settled(ctx); err != nil {
			return verdict{}, err
		}
		var paths [2]string
		for i, e := range p.Ends {
			name := strings.ToLower(e.Country) + ".record"
			if err := os.Remove(filepath.Join(p.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return verdict{}, err
			}
			var err error
			if paths[i], err = e.Export(ctx, p.Dir, name); err != nil {
				return verdict{}, err
			}
			if err := p.Verify(ctx, paths[i], &all[i]); err != nil {
				return verdict{}, err
			}
		}
		if all[0] != all[1] {
			continue
		}
		v := all[0]
		if v.Verdict != "valid" || v.Messages == 0 || v.Messages != v.Verified {
			return v, fmt.Errorf("%s: %+v", paths[0], v)
		}
		for _, path := range paths {
			p.detail("%s: %s, %d messages, %d receipts, %d verified", p.file(path), v.Verdict, v.Messages, v.Receipts, v.Verified)
		}
		return v, nil
	}
	return verdict{}, fmt.Errorf("the two records differ: %+v and %+v", all[0], all[1])
}
