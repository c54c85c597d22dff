package station

import (
	"context"
	"errors"
	"maps"
	"sync"
)

// busyOutlets are those that a notice is being told to.
type busyOutlets struct {
	mu    sync.Mutex
	names map[string]bool
}

// now returns those that are busy.
func (b *busyOutlets) now() map[string]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.names)
}

func (b *busyOutlets) begin(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.names == nil {
		b.names = make(map[string]bool)
	}
	b.names[name] = true
}

func (b *busyOutlets) end(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.names, name)
}

// tell hands the notices that are due to their outlets, each outlet by itself: a
// mail server that hangs keeps no sounder waiting. What came of each is stored
// before the next, so that a crash repeats one notice of an outlet at most.
func (r *Runner) tell(ctx context.Context, wg *sync.WaitGroup, busy *busyOutlets) {
	taken := busy.now() // before the list is read: what is told meanwhile stands in it still
	list, err := r.Station.tellings(ctx, r.Now())
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Error("notices", "error", err)
		}
		return
	}
	for _, t := range list {
		if taken[t.Outlet] {
			continue
		}
		busy.begin(t.Outlet)
		wg.Go(func() {
			defer busy.end(t.Outlet)
			within, cancel := context.WithTimeout(ctx, tellWithin)
			defer cancel()
			failed := r.Station.watching.Outlets.Tell(within, t.Outlet, t)
			if ctx.Err() != nil {
				return // it is told again after the next start
			}
			if failed != nil {
				r.Log.Warn("notice", "outlet", t.Outlet, "error", failed)
			}
			if err := r.Station.told(ctx, r.Now(), t, failed, errors.Is(failed, ErrInvalid)); err != nil && ctx.Err() == nil {
				r.Log.Error("notice", "outlet", t.Outlet, "error", err)
			}
		})
	}
}
