package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"detente/cmd/internal/rig"
)

// report is what `detente record verify --json` says.
type report struct {
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
	if err := p.Settled(ctx); err != nil {
		return err
	}
	p.tell("Each side exports the whole line. A process without network, keys or configuration verifies both\n    records from the two roots alone.")
	var last report
	for _, e := range p.Ends {
		path, err := e.Export(ctx, p.Dir, strings.ToLower(e.Country)+".record")
		if err != nil {
			return err
		}
		var r report
		if err := p.Verify(ctx, path, &r); err != nil {
			return err
		}
		p.detail("%s: %s, %d messages, %d receipts, %d verified", filepath.Join(outDir, filepath.Base(path)), r.Verdict, r.Messages, r.Receipts, r.Verified)
		if r.Verdict != "valid" || r.Messages == 0 || r.Messages != r.Verified || last.Messages != 0 && r != last {
			return fmt.Errorf("%s: %+v", path, r)
		}
		last = r
	}
	fmt.Fprintf(p.out, "\ndemo: ok messages=%d receipts=%d verified=%d seconds=%.0f\n", last.Messages, last.Receipts, last.Verified, time.Since(p.began).Seconds())
	return nil
}
