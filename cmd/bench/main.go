// Command bench measures, in one run, the floor of a delivered and receipted
// message (the same primitives over plain files) and, beside it, two stations as
// processes of the real program, driven through their API.
package main

import (
	"context"
	"encoding/json/v2"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const outDir = "bench-out"

func main() {
	asJSON := flag.Bool("json", false, "print only lines of JSON")
	rounds := flag.Int("rounds", 3, "how often floor and product take turns")
	entries := flag.Int("entries", 1000, "to how many entries the log is filled for the second half: 1000, 100000, 1000000")
	waiting := flag.Int("waiting", 1000, "how many messages wait while a FLASH passes")
	blob := flag.Int64("blob", 64<<20, "how large a blob is under way meanwhile, in bytes")
	short := flag.Bool("short", false, "only 1 KiB and one in flight")
	scale := flag.Bool("scale", false, "only what must not depend on size: a large log, a start, a FLASH before a backlog")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &bench{json: *asJSON, rounds: *rounds, entries: *entries, waiting: *waiting, blob: *blob, short: *short, scale: *scale}
	if err := b.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench: failed:", err)
		os.Exit(1)
	}
}

type bench struct {
	json    bool
	rounds  int
	entries int
	waiting int
	blob    int64
	short   bool
	scale   bool

	verified bool // the offline verifier was timed
	floor    *floor
	product  *product
}

// figure is one line of the result.
type figure struct {
	What       string  `json:"what"`
	Size       int     `json:"size,omitzero"`
	InFlight   int     `json:"in_flight,omitzero"`
	Entries    int64   `json:"entries,omitzero"`
	Waiting    int     `json:"waiting,omitzero"`
	Blob       int64   `json:"blob_bytes,omitzero"`
	P50        float64 `json:"p50_ms,omitzero"`
	P99        float64 `json:"p99_ms,omitzero"`
	Rate       float64 `json:"msgs_per_s,omitzero"`
	CPU        float64 `json:"cpu_us_per_msg,omitzero"`
	Ms         float64 `json:"ms,omitzero"`
	MiB        float64 `json:"mib,omitzero"`
	PerS       float64 `json:"entries_per_s,omitzero"`
	PerMessage float64 `json:"us_per_message,omitzero"`
	Ratio50    float64 `json:"p50_ratio,omitzero"`
	RatioThr   float64 `json:"throughput_ratio,omitzero"`
	P95        float64 `json:"p95_ms,omitzero"`
	Open       int     `json:"open,omitzero"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (b *bench) print(f figure) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	return nil
}

// say tells people how far it is; tools read lines of JSON alone.
func (b *bench) say(format string, args ...any) {
	if !b.json {
		fmt.Printf("# "+format+"\n", args...)
	}
}

func (b *bench) run(ctx context.Context) error {
	if err := os.RemoveAll(outDir); err != nil {
		return err
	}
	b.say("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	var err error
	if b.floor, err = newFloor(filepath.Join(outDir, "floor")); err != nil {
		return err
	}
	if b.product, err = newProduct(ctx, filepath.Join(outDir, "product")); err != nil {
		return errors.Join(err, b.floor.Close())
	}
	return errors.Join(b.all(ctx), b.product.Close(), b.floor.Close())
}

func (b *bench) all(ctx context.Context) error {
	if err := b.memory("memory at rest"); err != nil {
		return err
	}
	// Neither side's first messages count: connections are made, caches filled.
	for _, warm := range []func(context.Context, int, int, int) (sample, error){b.floor.measure, b.product.measure} {
		if _, err := warm(ctx, 1<<10, 1, messagesFor(1)); err != nil {
			return err
		}
	}
	if b.scale {
		return b.large(ctx)
	}
	if b.short {
		return b.compare(ctx, 1<<10, 1)
	}
	for _, size := range []int{1 << 10, 16 << 10} {
		for _, inFlight := range []int{1, 16, 128} {
			if err := b.compare(ctx, size, inFlight); err != nil {
				return err
			}
		}
	}
	if err := b.memory("memory under load"); err != nil {
		return err
	}
	return b.large(ctx)
}

func (b *bench) memory(what string) error {
	n, err := b.product.memory()
	if err != nil {
		return err
	}
	return b.print(figure{What: what, MiB: float64(n) / (1 << 20)})
}

// messagesFor says how many messages make a round: enough for a percentile, not
// so many that a round takes minutes.
func messagesFor(inFlight int) int { return max(100, 3*inFlight) }

// compare lets floor and product take turns, so that a machine whose speed
// drifts is fair to both.
func (b *bench) compare(ctx context.Context, size, inFlight int) error {
	var low, product sample
	n := messagesFor(inFlight)
	for range b.rounds {
		s, err := b.floor.measure(ctx, size, inFlight, n)
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		low.add(s)
		if s, err = b.product.measure(ctx, size, inFlight, n); err != nil {
			return fmt.Errorf("product: %w", err)
		}
		product.add(s)
	}
	for _, r := range []struct {
		what string
		s    sample
	}{{"floor", low}, {"detente", product}} {
		f := figure{What: r.what, Size: size, InFlight: inFlight, P50: ms(r.s.percentile(0.5)), P99: ms(r.s.percentile(0.99)), Rate: r.s.perSecond(), CPU: r.s.cpuPerMessage()}
		if err := b.print(f); err != nil {
			return err
		}
	}
	return b.print(figure{
		What: "ratio", Size: size, InFlight: inFlight,
		Ratio50: float64(product.percentile(0.5)) / float64(low.percentile(0.5)), RatioThr: product.perSecond() / low.perSecond(),
	})
}
