package simulate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

const (
	tickEvery = 2 * time.Minute // as a runner's, but seldom: a month has many seconds
	shiftTick = 4 * time.Minute // of a manned world, whose stations have more to do at each
	copyEvery = 3 * time.Hour   // backups of the store
	maxCopies = 4
)

// plan schedules what people and troubles do.
func (w *world) plan(ctx context.Context) {
	tick := tickEvery
	if w.opt.Manned {
		tick = shiftTick
	}
	for _, n := range w.nodes {
		w.every(tick, func() error {
			if !n.up {
				return nil
			}
			err := n.end.Tick(ctx, w.clock(n))
			if _, lost := n.end.Lost(w.line); lost && err == nil && n.wrong.IsZero() {
				err = w.nextEra(ctx, n)
			}
			w.kick(ctx, n)
			if err == nil && n.up && !n.store.Crashed() {
				err = w.oracle.watched(n)
			}
			return err
		})
		if w.opt.Manned {
			continue // its people have a plan of their own
		}
		w.every(copyEvery, func() error {
			if n.copies = append(n.copies, n.disk.Copy()); len(n.copies) > maxCopies {
				n.copies = n.copies[1:]
			}
			return nil
		})
		if w.opt.Tests > 0 && !w.opt.Watch {
			w.every(w.opt.Tests, func() error {
				if w.now.After(w.quiet.Add(settle / 2)) {
					return nil // what is said last must have time to arrive
				}
				return w.say(ctx, n, "010")
			})
		}
		w.talk(ctx, n)
	}
	switch {
	case w.opt.Liar:
		w.liar = w.newLiar(ctx)
	case w.opt.Manned:
		w.planManned(ctx)
	case w.opt.Watch:
		w.planWatch(ctx)
	case w.opt.Faults:
		w.trouble(ctx)
	}
	// At the end each side says a few more, so that receipts are listed.
	for i := range 3 {
		for _, n := range w.nodes {
			w.at(w.quiet.Add(settle/2+time.Duration(i)*20*time.Minute), func() error { return w.say(ctx, n, "600") })
		}
	}
}

// nextEra is what the operator does when a head was let out whose entries nobody
// holds.
func (w *world) nextEra(ctx context.Context, n *node) error {
	w.fault("era opened after a loss")
	last := w.line.Log(n.name, w.oracle.eras(n, n.name))
	cards, key, err := n.cast.NextEra(last)
	if err != nil {
		return err
	}
	if err := n.end.OpenEra(ctx, stationtest.Operator(), w.clock(n), w.line, station.EraByLoss, cards, n.cast.Root.Public(), key); err != nil {
		return err
	}
	n.copies = nil // an opening is followed by a backup, as docs/operations.md says
	return nil
}

// every repeats something until the world ends.
func (w *world) every(d time.Duration, do func() error) {
	var again func() error
	again = func() error {
		w.at(w.now.Add(d), again)
		return do()
	}
	w.at(w.now.Add(w.span(0, d)), again)
}

// talk lets a node's officers say something now and then, until the quiet.
func (w *world) talk(ctx context.Context, n *node) {
	if w.opt.Messages <= 0 {
		return
	}
	mean := time.Duration(float64(24*time.Hour) / w.opt.Messages)
	var again func() error
	again = func() error {
		if !w.now.Before(w.quiet) {
			return nil
		}
		w.at(w.now.Add(w.span(time.Second, 2*mean)), again)
		burst := 1
		if w.chance(12) {
			burst = 2 + w.rand.IntN(12)
		}
		for range burst {
			if err := w.say(ctx, n, []message.Format{"600", "600", "210", "222", "017", "270", "271", "273"}[w.rand.IntN(8)]); err != nil {
				return err
			}
		}
		return nil
	}
	w.at(w.now.Add(w.span(time.Second, 2*mean)), again)
}

// say lets a node say something of a format. What the station refuses, because
// it is down or nothing fits, is not said.
func (w *world) say(ctx context.Context, n *node, f message.Format) error {
	if !n.up || !n.wrong.IsZero() {
		return nil // nobody signs anything on a console whose clock is years off
	}
	now := w.clock(n)
	d := station.Draft{Line: w.line, Format: f, Precedence: message.Precedence(1 + w.rand.IntN(4))}
	stamp := now.UTC().Truncate(time.Second)
	var typed []string
	switch f {
	case "010":
		d.Precedence = message.Priority
		typed = []string{"test_no=" + stamp.Format(time.RFC3339), "text_id=T1", "check_groups=4F2A 91C7", "bearer=direct"}
	case "210":
		typed = []string{"kind=scanning", window(stamp), "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1", "concern=origin", "ask=inform", "by=" + stamp.Add(24*time.Hour).Format(time.RFC3339)}
	case "222":
		typed = []string{"activity=availability", window(stamp), "assets=domain:grid.example", "certainty=likely"}
	case "017":
		id, ok := w.heard(ctx, n)
		if !ok {
			return nil
		}
		d.Refs = []message.ID{id}
		typed = []string{"role=watch", "at=" + stamp.Format(time.RFC3339)}
	case "270", "271", "273":
		if typed = w.alleges(ctx, n, f, stamp, &d); typed == nil {
			return nil
		}
	default:
		typed = []string{fmt.Sprintf("text=number %d of this world", len(w.said))}
	}
	out, err := n.end.Say(ctx, now, d, typed...)
	if err != nil {
		if n.store.Crashed() || errors.Is(err, station.ErrOutcomeUnknown) || errors.Is(err, station.ErrFull) {
			return err
		}
		return fmt.Errorf("%s says %s: %w", n.name, f, err)
	}
	w.said[out.ID.String()] = &saying{by: n.name, id: out.ID.String(), released: w.now, flash: int(out.Precedence)}
	w.kick(ctx, n)
	return nil
}

func window(t time.Time) string {
	return "window=" + t.Add(-time.Hour).Format(time.RFC3339) + "/" + t.Format(time.RFC3339)
}

// alleges makes a claim, a reply to a fact of one that was heard, or its end;
// nothing where none was heard.
func (w *world) alleges(ctx context.Context, n *node, f message.Format, stamp time.Time, d *station.Draft) []string {
	if f == "270" {
		urgency := []string{"ordinary", "urgent", "election-core"}[w.rand.IntN(3)]
		fact := "facts=asset=domain:grid.example;act=scanning;effect=1;level=1;from=" + stamp.Add(-time.Hour).Format(time.RFC3339)
		return []string{"claim_no=C-1", "basis=none", "urgency=" + urgency, fact, fact, "evidence_level=1", "technical=none", "political=none", "remedies=explain", "by=" + stamp.Add(24*time.Hour).Format(time.RFC3339)}
	}
	id, ok := w.heard(ctx, n, "270")
	if !ok {
		return nil
	}
	d.Refs = []message.ID{id}
	if f == "273" {
		return []string{"outcome=" + []string{"settled", "maintained"}[w.rand.IntN(2)], "publishable=no"}
	}
	return []string{fmt.Sprintf("facts=fact=%d;answer=%s", 1+w.rand.IntN(2), []string{"accepted", "not-ours", "referred"}[w.rand.IntN(3)])}
}

// heard returns the id of something that the counterpart said lately, of a format
// where one is given.
func (w *world) heard(ctx context.Context, n *node, of ...message.Format) (id message.ID, ok bool) {
	list, err := n.end.List(ctx, stationtest.Operator(), w.clock(n), 0, 10)
	if err != nil {
		return id, false
	}
	for _, r := range list {
		if r.Origin.Writer != n.name && r.Problem == "" && (len(of) == 0 || r.Format == of[0]) {
			return r.ID, true
		}
	}
	return id, false
}

// trouble lets things go wrong until the quiet.
func (w *world) trouble(ctx context.Context) {
	var again func() error
	again = func() error {
		if !w.now.Before(w.quiet) {
			w.cut = [2]bool{}
			return nil
		}
		w.at(w.now.Add(w.span(2*time.Minute, 50*time.Minute)), again)
		n := w.nodes[w.rand.IntN(2)]
		switch w.rand.IntN(5) {
		case 0, 1:
			w.severed()
		case 2:
			if n.up {
				w.crash(n, "process killed")
			}
		case 3:
			w.putBack(n)
			if w.chance(4) {
				w.putBack(w.other(n)) // both at once: what both have lost is named in the next entry 0
			}
		case 4:
			w.leap(n)
		}
		return nil
	}
	w.at(w.now.Add(w.span(time.Minute, 30*time.Minute)), again)
	w.at(w.quiet, func() error {
		w.cut = [2]bool{}
		for _, n := range w.nodes {
			n.skew, n.wrong = 0, time.Time{}
			if n.up {
				w.crash(n, "restart at the end of troubles")
			}
		}
		return nil
	})
}

// severed cuts the network, both ways or one, for a while.
func (w *world) severed() {
	w.fault("network cut")
	ways := [][2]bool{{true, true}, {true, false}, {false, true}}[w.rand.IntN(3)]
	w.cut = ways
	w.at(w.now.Add(w.span(time.Minute, 40*time.Minute)), func() error {
		w.cut = [2]bool{}
		return nil
	})
}

// putBack kills a node and puts an older copy of its store in place. Its
// high-water mark stays.
func (w *world) putBack(n *node) {
	if len(n.copies) == 0 || !n.up {
		return
	}
	w.crash(n, "store put back to an older copy")
	n.putBacks = append(n.putBacks, w.now)
	n.disk.PutBack(n.copies[w.rand.IntN(len(n.copies))])
	n.seen, n.looked = make(map[originKey]int64), 0
}

// leap sets a node's clock wrong: mostly by up to half an hour, which is less than
// what stops it, or by so much that it must stamp nothing until somebody has set
// it right.
func (w *world) leap(n *node) {
	if !w.chance(3) {
		w.fault("clock leapt")
		n.skew = w.span(0, time.Hour) - 30*time.Minute
		n.wrong = time.Time{}
		return
	}
	w.fault("clock leapt far")
	const year = 365 * 24 * time.Hour
	n.skew = []time.Duration{-year, -2 * time.Hour, 2 * time.Hour, year}[w.rand.IntN(4)]
	n.wrong = w.now
	w.at(w.now.Add(w.span(time.Minute, 2*time.Hour)), func() error {
		n.setRight()
		return nil
	})
}

// setRight sets a clock right that stood far off.
func (n *node) setRight() {
	if !n.wrong.IsZero() {
		n.skew, n.wrong = 0, time.Time{}
	}
}
