package simulate

import (
	"context"
	"strings"
	"time"

	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/watch"
)

// What a watch promises is late by no more than two ticks.
const (
	testEvery  = time.Hour // of the default terms
	testGrace  = watch.DefaultGrace
	alarmSlack = 2*tickEvery + time.Minute
	receiptDue = 5 * time.Minute
)

// planWatch lets the watch of a world meet what it is there for: wires that are
// cut for minutes or hours, one way or both, starts in the midst of it, and
// officers who read most tests back.
func (w *world) planWatch(ctx context.Context) {
	for _, n := range w.nodes {
		w.every(3*time.Minute, func() error { return w.readBack(ctx, n) })
	}
	var again func() error
	again = func() error {
		if !w.now.Before(w.quiet) {
			w.cut = [2]bool{}
			return nil
		}
		w.at(w.now.Add(w.span(20*time.Minute, 6*time.Hour)), again)
		if n := w.nodes[w.rand.IntN(2)]; n.up && w.chance(3) {
			w.crash(n, "process killed")
		}
		w.fault("wires cut")
		ways := 1 + w.rand.IntN(3)
		w.cut = [2]bool{ways&1 != 0, ways&2 != 0}
		w.at(w.now.Add(w.span(time.Minute, 5*time.Hour)), func() error {
			w.cut = [2]bool{}
			for _, n := range w.nodes {
				w.kick(ctx, n)
			}
			return nil
		})
		return nil
	}
	w.at(w.now.Add(w.span(time.Minute, 2*time.Hour)), again)
}

// readBack lets an officer read back the newest test of the other side, once,
// and now and then not.
func (w *world) readBack(ctx context.Context, n *node) error {
	if !n.up || w.chance(6) {
		return nil
	}
	var list []station.Message
	if err := view(n, func(tx station.Tx) (err error) {
		list, err = tx.RecentMessages(0, 20)
		return err
	}); err != nil {
		return err
	}
	for _, m := range list {
		if m.Format != "010" || m.Origin.Writer == n.name || m.Problem != "" {
			continue
		}
		if m.ID == n.readTo {
			return nil
		}
		r, err := n.end.ReadMessage(ctx, stationtest.Operator(), w.clock(n), m.ID)
		if err != nil {
			return err
		}
		n.readTo = r.ID
		groups := strings.Trim(string(r.Entry.Body.Body().Params["check_groups"]), `"`)
		now := w.clock(n)
		out, err := n.end.Say(ctx, now, station.Draft{Line: w.line, Format: "011", Refs: []message.ID{r.ID}},
			"read_back="+groups, "received="+now.UTC().Format(time.RFC3339), "quality=clear")
		if err != nil {
			return err
		}
		w.said[out.ID.String()] = &saying{by: n.name, id: out.ID.String(), released: w.now, flash: int(out.Precedence)}
		w.kick(ctx, n)
		return nil
	}
	return nil
}

// announced demands, from what the oracle itself has seen, that a node's alarms
// tell of a counterpart that is silent, of tests that were missed and of receipts
// that are withheld, within their time, and of no silence where there is none.
// covers P16
func (o *oracle) announced(n *node) error {
	w := o.w
	since := n.began
	if n.heard.After(since) {
		since = n.heard
	}
	return view(n, func(tx station.Tx) error {
		stands, err := standing(tx)
		if err != nil {
			return err
		}
		quiet := w.now.Sub(since)
		switch limit := testEvery + testGrace; {
		case quiet > limit+alarmSlack:
			o.w.result.Conditions++
			if !stands[watch.SilentPeer] {
				return o.broken("P16", "%s has heard nothing since %s, and no alarm stands", n.name, since)
			}
		case quiet > alarmSlack && quiet < limit-alarmSlack && stands[watch.SilentPeer]:
			return o.broken("P16", "%s was in touch at %s, and an alarm says that the other side is silent", n.name, since)
		}
		if err := o.missedTests(tx, n, stands); err != nil {
			return err
		}
		return o.withheld(tx, n, stands)
	})
}

// standing lists the kinds of alarms that stand on a disk.
func standing(tx station.Tx) (map[watch.Kind]bool, error) {
	text, err := tx.Setting("alarms")
	if err != nil || text == nil {
		return nil, err
	}
	state, err := watch.ParseAlarms(text, watch.Config{})
	if err != nil {
		return nil, err
	}
	if err := state.Check(watch.Config{}); err != nil {
		return nil, err
	}
	kinds := make(map[watch.Kind]bool)
	for _, a := range state.Alarms {
		if a.Stands() {
			kinds[a.Kind] = true
		}
	}
	return kinds, nil
}

// missedTests looks for the hours of which no read-back lies on the disk, since
// the last of which one does.
func (o *oracle) missedTests(tx station.Tx, n *node, stands map[watch.Kind]bool) error {
	var answered time.Time
	for _, format := range []message.Format{"010", "011"} {
		for _, writer := range o.w.nodes {
			list, err := tx.Messages(o.w.line.Log(writer.name, 1), 0, 0)
			if err != nil {
				return err
			}
			for _, m := range list {
				if m.Format != format || m.Problem != "" {
					continue
				}
				if format == "010" {
					if err := o.readTest(m); err != nil {
						return err
					}
					continue
				}
				for _, ref := range m.Refs {
					if at, ok := o.tests[ref]; ok && at.After(answered) {
						answered = at
					}
				}
			}
		}
	}
	for at := begin.Add(testEvery); at.Add(testGrace + alarmSlack).Before(o.w.now); at = at.Add(testEvery) {
		if !at.After(answered) || at.Before(o.w.now.Add(-20*time.Hour)) || n.began.After(o.w.now.Add(-alarmSlack)) {
			continue
		}
		o.w.result.Conditions++
		if !stands[watch.MissedTest] {
			return o.broken("P16", "nobody answered the test of %s by the record of %s, and no alarm stands", at, n.name)
		}
	}
	return nil
}

// readTest notes of which hour a test is.
func (o *oracle) readTest(m station.Message) error {
	if _, ok := o.tests[m.ID]; ok {
		return nil
	}
	e, err := message.ParseEntry(m.Plain)
	if err != nil {
		return err
	}
	at, err := time.Parse(`"`+time.RFC3339+`"`, string(e.Body.Body().Params["test_no"]))
	o.tests[m.ID] = at
	return err
}

// withheld looks whether the counterpart was in touch after the oldest entry
// that it gave no receipt for was due.
func (o *oracle) withheld(tx station.Tx, n *node, stands map[watch.Kind]bool) error {
	other := o.w.other(n)
	log := o.w.line.Log(n.name, 1)
	var acked int64
	c, ok, err := tx.LastCosignature(log, other.cast.Card.CosignerName())
	if err != nil {
		return err
	}
	if ok {
		acked = c.Size
	}
	list, err := tx.Messages(log, acked, 1)
	if err != nil || len(list) == 0 {
		return err
	}
	due := list[0].At.Add(receiptDue)
	if n.heard.Before(due) || o.w.now.Sub(n.heard) < alarmSlack || n.heard.Before(n.began) || n.began.After(o.w.now.Add(-alarmSlack)) {
		return nil
	}
	o.w.result.Conditions++
	if !stands[watch.Withheld] {
		return o.broken("P16", "%s gave no receipt for %s by %s and was in touch with %s at %s, and no alarm stands", other.name, n.end.Cite(log, list[0].Index), due, n.name, n.heard)
	}
	return nil
}
