// Command kill puts two stations, each a process of the real program, under
// load from both ends, kills either or both with SIGKILL at random instants, and
// starts them again. An oracle reads both sides' tiles only: nothing that was
// accepted may be lost, stand twice, or stand in two histories.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"detente/cmd/internal/rig"
)

const outDir = "kill-out"

// speakers is how many submit at once at each end.
const speakers = 4

// quota is what a day's messages may take: the load of minutes here is that of
// weeks on a line.
const quota = 8 << 30

// perKill bounds the whole run: whatever takes longer hangs.
const perKill = 20 * time.Second

func main() {
	kills := flag.Int("kills", 200, "how often a station is killed")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the instants and the sides")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kills, *seed); err != nil {
		fmt.Printf("kill: seed=%d %v\n", *seed, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kills int, seed uint64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute+time.Duration(kills)*perKill)
	defer cancel()
	if err := os.RemoveAll(outDir); err != nil {
		return err
	}
	r, err := rig.New(ctx, filepath.Join("bin", "detente"), outDir)
	if err != nil {
		return err
	}
	return errors.Join(torment(ctx, r, kills, rand.New(rand.NewPCG(seed, 0))), r.Close())
}

// torment opens the line, speaks and kills, and judges what is left.
func torment(ctx context.Context, r *rig.Rig, kills int, random *rand.Rand) error {
	for _, e := range r.Ends {
		if err := e.Start(ctx); err != nil {
			return err
		}
	}
	if err := r.Introduce(ctx, func(*rig.End, string) {}); err != nil {
		return err
	}
	if err := r.Open(ctx, "--quota", fmt.Sprint(quota)); err != nil {
		return err
	}
	o, err := newOracle(r)
	if err != nil {
		return err
	}
	defer o.close()

	accepted, err := speakWhile(ctx, r, func(ctx context.Context) error {
		return killing(ctx, r, o, kills, random)
	})
	if err != nil {
		return err
	}
	if err := r.Settled(ctx); err != nil {
		return fmt.Errorf("the line did not settle: %w", err)
	}
	found, err := o.judge(ctx, accepted)
	if err != nil {
		return err
	}
	if found.lost+found.doubled+found.forked > 0 || found.messages == 0 {
		return fmt.Errorf("kills=%d messages=%d lost=%d doubled=%d forked=%d; both stations' files are in %s", kills, found.messages, found.lost, found.doubled, found.forked, outDir)
	}
	fmt.Printf("kill: ok kills=%d messages=%d lost=%d doubled=%d forked=%d\n", kills, found.messages, found.lost, found.doubled, found.forked)
	return nil
}

// longestLife bounds how long stations live between two kills.
const longestLife = 700 * time.Millisecond

// killing kills stations at random instants, and has the oracle look now and
// then at what they show in between.
func killing(ctx context.Context, r *rig.Rig, o *oracle, kills int, random *rand.Rand) error {
	for done := 0; done < kills; {
		life := time.NewTimer(time.Duration(random.Int64N(int64(longestLife))))
		select {
		case <-ctx.Done():
			life.Stop()
			return ctx.Err()
		case <-life.C:
		}
		victims := r.Ends[:]
		if side := random.IntN(5); side < 4 { // else both at once
			victims = r.Ends[side%2 : side%2+1]
		}
		for _, e := range victims {
			if err := e.Kill(); err != nil {
				return err
			}
			done++
		}
		for _, e := range victims {
			if err := e.Start(ctx); err != nil {
				return err
			}
		}
		if err := o.glance(ctx); err != nil {
			return err
		}
	}
	return nil
}

// said are the messages that an end accepted: released, and answered so.
type said struct {
	mu  sync.Mutex // guards the field below
	ids [2][]string
}

func (s *said) add(end int, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids[end] = append(s.ids[end], id)
}

// speakWhile lets both ends speak until do has returned, and each speaker has
// ended its last message.
func speakWhile(ctx context.Context, r *rig.Rig, do func(context.Context) error) (*said, error) {
	var wg sync.WaitGroup
	s := &said{}
	stop := make(chan struct{})
	failed := make(chan error, len(r.Ends)*speakers)
	for i, e := range r.Ends {
		for n := range speakers {
			wg.Go(func() {
				for k := 0; ; k++ {
					select {
					case <-stop:
						return
					default:
					}
					id := fmt.Sprintf("%08x%08x%016x", i+1, n, k)
					if err := insist(ctx, e, id, fmt.Sprintf("text=speaker %d of %s, number %d", n, e.Country, k)); err != nil {
						failed <- fmt.Errorf("%s of %s: %w", id, e.Name, err)
						return
					}
					s.add(i, id)
				}
			})
		}
	}
	err := do(ctx)
	close(stop)
	wg.Wait()
	close(failed)
	for f := range failed {
		err = errors.Join(err, f)
	}
	return s, err
}

// insist says a message under an id of its own until the station has accepted
// it with all approvals: an answer that was lost with the process is asked for
// again.
func insist(ctx context.Context, e *rig.End, id, text string) error {
	return rig.Until(ctx, func() (bool, error) {
		q, err := e.Say(ctx, rig.Draft{ID: id, Format: "600", Params: []string{text}})
		var status *rig.StatusError
		if errors.As(err, &status) && status.Status < 500 && status.Status != 429 {
			return false, err
		}
		return err == nil && q.State != "awaiting", nil
	})
}
