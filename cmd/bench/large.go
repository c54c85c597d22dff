package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"detente/cmd/internal/rig"
)

// large measures what must not depend on the size of the log: the cost of a
// message, the start of a station, and a FLASH that everything else waits for.
func (b *bench) large(ctx context.Context) error {
	if err := b.folds(ctx); err != nil {
		return err
	}
	if err := b.owed(); err != nil {
		return err
	}
	for _, entries := range []int{1000, 10_000, 100_000, 1_000_000} {
		if entries > b.entries {
			break
		}
		if err := b.at(ctx, entries); err != nil {
			return fmt.Errorf("at %d entries: %w", entries, err)
		}
		if entries > maxSaid || b.verified {
			continue
		}
		b.verified = true
		if err := b.verify(ctx); err != nil {
			return fmt.Errorf("record verify: %w", err)
		}
	}
	return b.flash(ctx)
}

// at fills the log to a size, and measures there.
func (b *bench) at(ctx context.Context, entries int) error {
	held, err := b.product.fill(ctx, entries)
	if err != nil {
		return err
	}
	b.say("the log holds %d entries", held)
	if _, err := b.product.measure(ctx, 1<<10, 1, messagesFor(1)); err != nil { // caches are cold after the filling
		return err
	}
	s, err := b.product.measure(ctx, 1<<10, 1, messagesFor(1))
	if err != nil {
		return err
	}
	if err := b.print(figure{What: "cost", Size: 1 << 10, InFlight: 1, Entries: held, P50: ms(s.percentile(0.5)), P99: ms(s.percentile(0.99)), CPU: s.cpuPerMessage()}); err != nil {
		return err
	}
	if err := b.search(ctx, held); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	took, err := b.product.restart(ctx)
	if err != nil {
		return err
	}
	if err := b.print(figure{What: "start", Entries: held, Ms: ms(took)}); err != nil {
		return err
	}
	return b.memory(fmt.Sprintf("memory at %d entries", held))
}

// fillAtOnce is how many line tests, which need no officer, are submitted at
// once to fill a log.
const fillAtOnce = 64

// fill says line tests until the log holds so many entries, and waits for their
// receipts. Of many it writes all but the last into the stores.
func (p *product) fill(ctx context.Context, entries int) (int64, error) {
	e := p.Ends[0]
	if entries > maxSaid {
		if err := p.write(ctx, int64(entries)); err != nil {
			return 0, err
		}
	}
	status, err := e.Status(ctx)
	if err != nil {
		return 0, err
	}
	if missing := entries - int(status.Own.Size); missing > 0 {
		_, err = inParallel(fillAtOnce, missing, func(i int) error {
			_, err := e.Submit(ctx, rig.Draft{Format: "010", Params: []string{fmt.Sprintf("check_groups=%05d", i%100_000), "test_no=" + time.Now().UTC().Format(time.RFC3339), "text_id=T1", "bearer=direct"}})
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	if err := p.Settled(ctx); err != nil {
		return 0, err
	}
	status, err = e.Status(ctx)
	return status.Own.Size, err
}

// restart stops the writer's station and takes the time until a new one may
// sign again.
func (p *product) restart(ctx context.Context) (time.Duration, error) {
	p.receipts.close()
	e := p.Ends[0]
	if err := e.Stop(); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := e.Start(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	if err := e.Ready(ctx); err != nil {
		return 0, err
	}
	var err error
	p.receipts, err = follow(ctx, e)
	return took, err
}

// verify exports the line and takes the time of the offline verifier, a process
// of its own.
func (b *bench) verify(ctx context.Context) error {
	dir := filepath.Join(outDir, "product")
	path, err := b.product.Ends[0].Export(ctx, dir, "line.record")
	if err != nil {
		return err
	}
	var report struct {
		Messages int `json:"messages"`
	}
	began := time.Now()
	if err := b.product.Verify(ctx, path, &report); err != nil {
		return err
	}
	took := time.Since(began)
	if report.Messages == 0 {
		return errors.New("the record holds nothing")
	}
	return b.print(figure{What: "verify", Entries: int64(report.Messages), Ms: ms(took), PerS: float64(report.Messages) / took.Seconds()})
}

// flash measures a FLASH alone, and then with messages waiting and a blob under
// way, over a line that carries no more than slowRate.
func (b *bench) flash(ctx context.Context) error {
	alone, err := b.product.flashes(ctx)
	if err != nil {
		return err
	}
	if err := b.print(figure{What: "flash", P50: ms(alone.percentile(0.5)), P99: ms(alone.percentile(0.99))}); err != nil {
		return err
	}
	if err := b.product.offerBlob(ctx, b.blob); err != nil {
		return err
	}
	waiting, err := b.product.backlog(ctx, b.waiting)
	if err != nil {
		return err
	}
	busy, err := b.product.flashes(ctx)
	if err != nil {
		return err
	}
	if err := b.print(figure{What: "flash", Waiting: waiting, Blob: b.blob, P50: ms(busy.percentile(0.5)), P99: ms(busy.percentile(0.99))}); err != nil {
		return err
	}
	return b.memory("memory with a backlog and a blob")
}

// flashes says some FLASH messages one after the other and takes the time of
// each from its last approval to its receipt.
func (p *product) flashes(ctx context.Context) (sample, error) {
	const times = 20
	list := make([]ready, times)
	for i := range list {
		q, err := p.prepareOne(ctx, flashDraft())
		if err != nil {
			return sample{}, err
		}
		list[i] = q
	}
	return p.deliver(ctx, list, 1)
}

func flashDraft() rig.Draft {
	now := time.Now().UTC()
	return rig.Draft{Format: "222", Precedence: 4, Params: []string{
		"activity=availability", "window=" + now.Add(-time.Hour).Format(time.RFC3339) + "/" + now.Format(time.RFC3339), "assets=domain:grid.example", "certainty=likely",
	}}
}

// offerBlob offers a blob of so many bytes, named by a message.
func (p *product) offerBlob(ctx context.Context, size int64) error {
	e := p.Ends[0]
	path := filepath.Join(outDir, "blob")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, zeros{}, size)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	var blob struct {
		Hash string `json:"hash"`
		Type string `json:"type"`
		Size int64  `json:"size"`
	}
	if err := e.Run(ctx, &blob, "blob", "add", path, "--line", p.Line.String(), "--type", "application/octet-stream"); err != nil {
		return err
	}
	ref := fmt.Sprintf(`{"hash":%q,"size":%d,"type":%q}`, blob.Hash, blob.Size, blob.Type)
	now := time.Now().UTC()
	_, err = e.Say(ctx, rig.Draft{Format: "210", Params: []string{
		"kind=scanning", "window=" + now.Add(-2*time.Hour).Format(time.RFC3339) + "/" + now.Add(-time.Hour).Format(time.RFC3339),
		"source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1", "concern=pattern", "ask=inform",
		"by=" + now.Add(24*time.Hour).Format(time.RFC3339), "evidence=" + ref,
	}})
	return err
}

// zeros is an endless reader.
type zeros struct{}

// Read fills p with zeros.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// backlog lets messages wait while the wire is cut, and mends it. It returns
// how many waited.
func (p *product) backlog(ctx context.Context, messages int) (int, error) {
	for _, e := range p.Ends {
		e.Wire.Cut()
	}
	e := p.Ends[0]
	_, err := inParallel(fillAtOnce, messages, func(i int) error {
		_, err := e.Submit(ctx, rig.Draft{Format: "010", Params: []string{fmt.Sprintf("check_groups=%05d", i%100_000), "test_no=" + time.Now().UTC().Format(time.RFC3339), "text_id=T1", "bearer=direct"}})
		return err
	})
	if err != nil {
		return 0, err
	}
	status, err := e.Status(ctx)
	if err != nil {
		return 0, err
	}
	for _, e := range p.Ends {
		e.Wire.Mend()
	}
	return status.Queue(), nil
}
