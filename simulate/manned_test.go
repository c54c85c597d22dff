package simulate

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"detente/station"
)

// manned is how the tests run some days of a manned line.
func manned(seed uint64, days int) Options {
	return Options{Seed: seed, Length: time.Duration(days) * 24 * time.Hour, Manned: true}
}

// Two days of two manned stations: whatever the oracle sees, an alarm tells in
// time, and both sides say the same of everything.
// covers P10 P16
func TestManned(t *testing.T) {
	r, err := Run(context.Background(), manned(9400, 2))
	if err != nil {
		t.Fatal(err)
	}
	if r.Conditions == 0 || r.Alarms == 0 || r.Tests == 0 || r.Equal == 0 || r.Digests == 0 || r.Missed > 0 || r.Handovers == 0 {
		t.Errorf("a watch on which nothing happens proves nothing: %+v", r)
	}
	t.Logf("%d messages, %d tests, %d alarms, %d comparisons and %d digests, conditions %v, faults %v", r.Messages, r.Tests, r.Alarms, r.Equal, r.Digests, r.Seen, r.Kinds)
}

// deaf is a store that forgets what its station's alarms come to.
type deaf struct{ station.Store }

// Update implements station.Store.
func (d deaf) Update(ctx context.Context, do func(station.Tx) error) error {
	return d.Store.Update(ctx, func(tx station.Tx) error { return do(deafTx{tx}) })
}

type deafTx struct{ station.Tx }

// PutSetting forgets the alarms.
func (t deafTx) PutSetting(key string, value []byte) error {
	if key == "alarms" {
		return nil
	}
	return t.Tx.PutSetting(key, value)
}

// The oracle can fail: of a station whose alarms come to nothing it says so, and
// names conditions that no alarm told of.
// covers P16
func TestMannedDeaf(t *testing.T) {
	r, err := run(context.Background(), manned(9400, 1), func(n *node, s station.Store) station.Store {
		if n.cast.Card.Code == "BOR" {
			return deaf{s}
		}
		return s
	})
	var v *Violation
	if !errors.As(err, &v) || v.Promise != "P16" || r.Missed == 0 {
		t.Errorf("the oracle of a deaf station counts %d and says %v", r.Missed, err)
	}
	if r.Missed >= r.Conditions {
		t.Errorf("%d of %d conditions were missed, though one of the two stations is sound", r.Missed, r.Conditions)
	}
}

// A seed fixes a manned world too.
func TestMannedRepeats(t *testing.T) {
	one, err := Run(context.Background(), manned(9401, 1))
	if err != nil {
		t.Fatal(err)
	}
	two, err := Run(context.Background(), manned(9401, 1))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(one) != fmt.Sprint(two) {
		t.Errorf("one seed came to\n%v and to\n%v", one, two)
	}
}
