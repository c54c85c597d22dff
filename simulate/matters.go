package simulate

import (
	"context"
	"errors"
	mathrand "math/rand/v2"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/station"
	"detente/station/stationtest"
)

// askEvery is after how many events of the world the stations are asked to fold
// the line, so that what they hold folded goes through crashes, old stores and
// new eras with them.
const askEvery = 5000

// ask lets each station that is up fold the line, as a console that is looked at
// now and then does. What it says is compared at the end.
func (o *oracle) ask(ctx context.Context) error {
	if o.asked++; o.asked%askEvery != 0 {
		return nil
	}
	for _, n := range o.w.nodes {
		if !n.up || o.lies(n) {
			continue
		}
		if _, err := n.end.State(ctx, stationtest.Operator(), o.w.line); err != nil && !errors.Is(err, station.ErrNotFound) {
			return o.broken("P10", "%s cannot fold the line: %v", n.name, err)
		}
	}
	return nil
}

// secondsAsked is as of how many seconds of the past matters are compared.
const secondsAsked = 4

// matters compares where all matters stand at the two ends, and what an outside
// reader of the opened record comes to: as of the last second, of some that the
// seed chooses, and of one long after, when all that is owed is past.
// covers P10 P11
func (o *oracle) matters(ctx context.Context, all map[identity.Origin][]fact) error {
	edition := o.w.nodes[0].cast.Book
	outside := dossier.NewLine(dossier.ByEdition(edition))
	for origin, size := range o.final {
		for i := range size {
			p := place{origin, i}
			outside.Put(dossier.Read(origin, i, o.earliest(all, p), o.plain[p]))
		}
	}
	random := mathrand.New(mathrand.NewPCG(o.w.opt.Seed, secondsAsked))
	seconds := []time.Time{o.w.now, o.w.now.AddDate(0, 1, 0)}
	for range secondsAsked {
		seconds = append(seconds, begin.Add(time.Duration(random.Int64N(int64(o.w.now.Sub(begin))+1))))
	}
	for _, at := range seconds {
		want := outside.At(at)
		if err := dossier.Check(want); err != nil {
			return o.broken("P10", "as of %s: %v", at, err)
		}
		for _, n := range o.w.nodes {
			got, err := n.end.Whole(ctx, stationtest.Operator(), o.w.clock(n), o.w.line, at)
			if err != nil {
				return err
			}
			if got.Digest() != want.Digest() {
				return o.differ(n, got, want)
			}
			tense, err := n.end.Tension(ctx, stationtest.Operator(), o.w.clock(n), o.w.line, at)
			if err != nil {
				return err
			}
			if say, record := tense[0].JSON(), outside.Tension(at).JSON(); string(say) != string(record) {
				return o.broken("P10", "as of %s %s finds the tension %s, and the record says %s", at, n.name, say, record)
			}
		}
	}
	return nil
}

// differ names the first matter in which a station differs from the record.
func (o *oracle) differ(n *node, got, want dossier.Whole) error {
	for i, d := range want.Dossiers {
		if i >= len(got.Dossiers) {
			return o.broken("P10", "as of %s %s does not know matter %s", want.At, n.name, d.ID)
		}
		if string(got.Dossiers[i].JSON()) != string(d.JSON()) {
			return o.broken("P10", "as of %s %s folds a matter as %s, and the record says %s", want.At, n.name, got.Dossiers[i].JSON(), d.JSON())
		}
	}
	return o.broken("P10", "as of %s %s knows %d matters, and %d entries that nobody can read; the record has %d and %d", want.At, n.name, len(got.Dossiers), len(got.Unreadable), len(want.Dossiers), len(want.Unreadable))
}
