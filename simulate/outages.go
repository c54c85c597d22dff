package simulate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/station"
)

const (
	cutEvery   = 40 * time.Hour
	killEvery  = 60 * time.Hour
	workEvery  = 10 * 24 * time.Hour // planned, of a side
	workLead   = 74 * time.Hour      // how long before planned work the other side is told
	backupAge  = 150 * time.Minute   // of the copy that is carried to the second site; a test of its own at least was sent since
	siteOpens  = 2 * time.Hour       // after the first one was closed
	siteWires  = 25 * time.Minute    // from then until the line reaches the second site
	clockWrong = 40 * time.Minute
)

var errNoDisk = errors.New("no disk")

// disc is what a node's machine says of its disk.
func (n *node) disc() (free, size int64, err error) {
	const terabyte = 1 << 40
	if n.disk == nil {
		return 0, 0, errNoDisk
	}
	if !n.full.IsZero() {
		return 1 << 30, terabyte, nil
	}
	return terabyte / 2, terabyte, nil
}

// planOutages lets happen what happens to lines and machines in a month: wires
// that are cut without warning, one way or both, processes killed, work that was
// told of, a clock that leaps, a disk that fills, and a station that is moved to
// its second site.
func (w *world) planOutages(ctx context.Context) {
	w.repeatedly(cutEvery/8, cutEvery*15/8, func() error { return w.broken(ctx) })
	w.repeatedly(killEvery/8, killEvery*15/8, func() error {
		if n := w.nodes[w.rand.IntN(2)]; n.up && n.wrong.IsZero() {
			w.crash(n, "process killed")
		}
		return nil
	})
	for _, n := range w.nodes {
		w.repeatedly(workEvery/10, workEvery*19/10, func() error {
			return w.work(ctx, n, workLead, w.span(time.Hour, 4*time.Hour), "other-bearer")
		})
	}
	part := func(tenths int) time.Time {
		return begin.Add(w.opt.Length/10*time.Duration(tenths) + w.span(0, w.opt.Length/20))
	}
	w.at(part(2), func() error { return w.fill(w.nodes[0]) })
	w.at(part(4), func() error { return w.leapAway(w.nodes[1]) })
	move := min(workLead, w.opt.Length/4)
	w.at(part(6).Add(-move), func() error { return w.work(ctx, w.nodes[1], move, siteOpens+siteWires, "second-site") })
	w.nodes[1].copied = part(6)
	w.at(w.nodes[1].copied, func() error { return w.move(ctx, w.nodes[1]) })
	w.at(w.quiet, func() error {
		w.cuts = [2]int{}
		w.wires(ctx)
		return nil
	})
}

// sever cuts ways for a while.
func (w *world) sever(ctx context.Context, ways [2]bool, d time.Duration) {
	if !w.now.Before(w.quiet) {
		return
	}
	count := func(by int) {
		for i, way := range ways {
			if way {
				w.cuts[i] = max(w.cuts[i]+by, 0)
			}
		}
		w.wires(ctx)
	}
	count(1)
	w.at(w.now.Add(d), func() error {
		if w.now.Before(w.quiet) {
			count(-1)
		}
		return nil
	})
}

// wires brings the ways to what holds them cut.
func (w *world) wires(ctx context.Context) {
	w.cut = [2]bool{w.cuts[0] > 0, w.cuts[1] > 0}
	for _, n := range w.nodes {
		w.kick(ctx, n)
	}
}

// broken cuts the wires without warning. Both sides tell of it once they see it,
// and again when it is over; what they say waits until it can leave.
func (w *world) broken(ctx context.Context) error {
	w.fault("outage, unplanned")
	ways := 1 + w.rand.IntN(3)
	lasts := w.span(time.Minute, 5*time.Hour)
	w.sever(ctx, [2]bool{ways&1 != 0, ways&2 != 0}, lasts)
	since := w.now.UTC().Truncate(time.Second)
	for _, n := range w.nodes {
		if lasts < 30*time.Minute || w.chance(4) {
			continue
		}
		typed := []string{"bearer=direct", "since=" + since.Format(time.RFC3339), "cause=network"}
		w.at(w.now.Add(w.span(20*time.Minute, 30*time.Minute)), func() error {
			_, _, err := w.speak(ctx, n, station.Draft{Format: "021"}, typed...)
			return err
		})
		w.at(w.now.Add(lasts+w.span(time.Minute, 20*time.Minute)), func() error {
			_, _, err := w.speak(ctx, n, station.Draft{Format: "021"}, append(typed, "restored="+since.Add(lasts).Format(time.RFC3339))...)
			return err
		})
	}
	return nil
}

// work tells of planned work, and lets it take place.
func (w *world) work(ctx context.Context, n *node, lead, lasts time.Duration, fallback string) error {
	from := w.clock(n).UTC().Truncate(time.Minute).Add(lead)
	_, ok, err := w.speak(ctx, n, station.Draft{Format: "020"}, "window="+from.Format(time.RFC3339)+"/"+from.Add(lasts).Format(time.RFC3339), "bearers=direct", "fallback="+fallback)
	if err != nil || !ok {
		return err
	}
	if fallback != "second-site" {
		w.at(from, func() error {
			w.fault("outage, planned")
			w.sever(ctx, [2]bool{true, true}, lasts)
			return nil
		})
	}
	return nil
}

// fill lets a node's disk be nearly full for two hours.
func (w *world) fill(n *node) error {
	w.fault("disk nearly full")
	n.full = w.now
	w.at(w.now.Add(2*time.Hour), func() error {
		n.full = time.Time{}
		return nil
	})
	return nil
}

// leapAway sets a node's clock far wrong for a while, without its process being
// started anew: it stamps nothing meanwhile.
func (w *world) leapAway(n *node) error {
	if !n.up {
		return nil
	}
	w.fault("clock leapt far")
	n.skew, n.wrong = 2*time.Hour, w.now
	if w.chance(2) {
		n.skew = -n.skew
	}
	w.at(w.now.Add(clockWrong), func() error {
		n.setRight()
		n.crew.ledger.righted = w.now
		return nil
	})
	return nil
}

// move closes a station and opens it at its second site, on a copy of its store
// that is some hours old; the high-water mark comes along. Until the line reaches
// the second site it signs nothing, and then it takes back what it wrote.
func (w *world) move(ctx context.Context, n *node) error {
	copied := n.disk.Copy()
	w.at(w.now.Add(backupAge), func() error {
		if n.up {
			w.crash(n, "moved to the second site")
		}
		n.gen++ // a start at the first site that was under way is given up
		w.fault("store put back to an older copy")
		n.putBacks = append(n.putBacks, w.now)
		n.disk.PutBack(copied)
		n.seen, n.looked = make(map[originKey]int64), 0
		n.crew.ledger.reset(n)
		gone := w.now
		w.sever(ctx, [2]bool{true, true}, siteOpens+siteWires)
		n.moving = true
		w.at(gone.Add(siteOpens), func() error {
			n.moving = false
			if err := w.start(ctx, n, w.fate(n)); err != nil {
				return fmt.Errorf("%s at its second site: %w", n.name, err)
			}
			return nil
		})
		return nil
	})
	return nil
}
