package station

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"detente/identity"
	"detente/line"
)

// Runner drives a station in the field: it asks each line what to do next,
// does it, and tells the line what came of it.
type Runner struct {
	Station   *Station
	Transport line.Transport
	Now       func() time.Time
	Log       *slog.Logger

	// Times returns the sources of time by which a clock that leapt may be
	// confirmed, as the settings have them now. If nil, there are none.
	Times func() []TimeSource
}

const (
	blobTimeout = 5 * time.Minute // of one piece of a blob
	tickEvery   = time.Second     // of the mark, of expiry and of alarms
	blobPause   = 2 * time.Second // between looks for offered blobs

	longestPatience = 15 * time.Minute // between tries of a blob that is not given
	maxTries        = 4096             // blobs whose tries are remembered
)

// Run drives the station until ctx ends, and returns once all that it started
// has stopped.
func (r *Runner) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	started := make(map[identity.Line]bool)
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	wg.Go(func() { r.takeIn(ctx) })
	var told busyOutlets
	if r.Times != nil {
		wg.Go(func() { r.askTime(ctx) })
	}
	for {
		for _, l := range r.Station.LineNames() {
			if started[l] {
				continue
			}
			started[l] = true
			wg.Go(func() { r.drive(ctx, l) })
			wg.Go(func() { r.fetchBlobs(ctx, l) })
		}
		select {
		case <-ctx.Done():
			wg.Wait()
			return nil
		case <-tick.C:
			if err := r.Station.Tick(ctx, r.Now()); err != nil && ctx.Err() == nil {
				r.Log.Error("tick", "error", err)
			}
			r.tell(ctx, &wg, &told)
		}
	}
}

// takeIn reads what counterparts deliver, as it comes.
func (r *Runner) takeIn(ctx context.Context) {
	for ctx.Err() == nil {
		if err := r.Station.TakeIn(ctx, r.Now()); err != nil && ctx.Err() == nil {
			r.Log.Error("take in", "error", err) // a tick tries again
		}
		select {
		case <-ctx.Done():
		case <-r.Station.Arrived():
		}
	}
}

// drive runs one line.
func (r *Runner) drive(ctx context.Context, l identity.Line) {
	log := r.Log.With("line", l.String())
	for ctx.Err() == nil {
		select {
		case <-r.Station.Woken(l): // what it was woken for, the step looks at
		default:
		}
		step, err := r.Station.Step(ctx, r.Now(), l)
		if err != nil {
			log.Error("step", "error", err)
			step = Step{Until: r.Now().Add(tickEvery)}
		}
		if step.Request == nil {
			r.makeReady(log, l)
			r.wait(ctx, l, step.Until)
			continue
		}
		within, cancel := context.WithTimeout(ctx, step.Patience)
		answer, failed := r.Transport.Do(within, step.Request.Peer, *step.Request)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if failed != nil {
			log.Debug("request", "op", step.Request.Op, "error", failed)
		}
		if err := r.Station.Answered(ctx, r.Now(), l, step, answer, failed); err != nil && ctx.Err() == nil {
			log.Error("answer", "op", step.Request.Op, "error", err)
			r.wait(ctx, l, r.Now().Add(tickEvery))
		}
	}
}

// makeReady does ahead, while the line has nothing to send, what its next entry
// would have to wait for.
func (r *Runner) makeReady(log *slog.Logger, l identity.Line) {
	if err := r.Station.MakeReady(r.Now(), l); err != nil {
		log.Error("make ready", "error", err)
	}
}

// wait returns when the line is woken, at until, or when ctx ends.
func (r *Runner) wait(ctx context.Context, l identity.Line, until time.Time) {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(until.Sub(r.Now()))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-timer:
	case <-r.Station.Woken(l):
	}
}

// fetchBlobs fetches what counterparts offer, a piece at a time and never
// ahead of messages.
func (r *Runner) fetchBlobs(ctx context.Context, l identity.Line) {
	var after identity.Digest
	tries := make(map[identity.Digest]patience)
	for ctx.Err() == nil {
		wanted, next, err := r.Station.WantedBlobs(ctx, l, after)
		if err != nil && ctx.Err() == nil {
			r.Log.Error("blobs", "line", l.String(), "error", err)
		}
		progress := false
		for _, b := range wanted {
			if r.Now().Before(tries[b.Hash].until) {
				continue
			}
			if err := r.fetchPiece(ctx, b); err != nil {
				tries[b.Hash] = tries[b.Hash].more(r.Now())
				r.Log.Debug("blob", "hash", b.Hash.String(), "error", err)
				continue
			}
			delete(tries, b.Hash)
			progress = true
		}
		if len(tries) > maxTries {
			clear(tries)
		}
		if progress {
			continue // the same again: each has more to give
		}
		if after = next; after != (identity.Digest{}) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(blobPause):
		}
	}
}

// patience is how long to leave a blob alone that was offered and not given, or
// given with other content: longer each time.
type patience struct {
	wait  time.Duration
	until time.Time
}

// more returns the patience after one more failure.
func (p patience) more(now time.Time) patience {
	p.wait = min(max(2*p.wait, blobPause), longestPatience)
	p.until = now.Add(p.wait)
	return p
}

func (r *Runner) fetchPiece(ctx context.Context, b Blob) error {
	within, cancel := context.WithTimeout(ctx, blobTimeout)
	defer cancel()
	answer, err := r.Transport.Do(within, b.From, line.Request{Op: line.OpBlob, Hash: b.Hash, Offset: b.Have})
	if err != nil {
		return err
	}
	if err := answer.Err(); err != nil {
		return err
	}
	if len(answer.Body) == 0 {
		return errors.New("the counterpart gave nothing")
	}
	_, err = r.Station.TakeBlob(ctx, r.Now(), b, b.Have, answer.Body)
	return err
}
