package simulate

import (
	"context"
	"errors"
	"slices"
	"testing"

	"detente/station"
	"detente/watch"
)

// dull is a store on which the alarms of some kinds are never found.
type dull struct {
	station.Store
	kinds []watch.Kind
}

// Update implements station.Store.
func (d dull) Update(ctx context.Context, do func(station.Tx) error) error {
	return d.Store.Update(ctx, func(tx station.Tx) error { return do(dullTx{tx, d.kinds}) })
}

type dullTx struct {
	station.Tx
	kinds []watch.Kind
}

// PutSetting keeps the alarms without those of some kinds.
func (t dullTx) PutSetting(key string, value []byte) error {
	if key != "alarms" || value == nil {
		return t.Tx.PutSetting(key, value)
	}
	state, err := watch.ParseAlarms(value, watch.Config{})
	if err != nil {
		return err
	}
	state.Alarms = slices.DeleteFunc(state.Alarms, func(a watch.Alarm) bool { return slices.Contains(t.kinds, a.Kind) })
	state.Rings = slices.DeleteFunc(state.Rings, func(r watch.Ring) bool { return slices.Contains(t.kinds, r.Group.Kind) })
	return t.Tx.PutSetting(key, state.Bytes())
}

// What the oracle asks of both sides' words it can miss: where the alarms of a
// kind come to nothing it says so, and of no other kind.
// covers P16
func TestMannedDull(t *testing.T) {
	kinds := []watch.Kind{watch.DutyNear, watch.DutyLapsed, watch.HandoverLate, watch.ContactStale, watch.UnmannedDesk}
	r, err := run(context.Background(), manned(2, 4), func(_ *node, s station.Store) station.Store { return dull{s, kinds} })
	var v *Violation
	if !errors.As(err, &v) || v.Promise != "P16" {
		t.Errorf("the oracle of two dull stations says %v", err)
	}
	for _, k := range kinds {
		if r.Untold[string(k)] == 0 {
			t.Errorf("no alarm of %s was ever told, and the oracle missed none: it saw %d", k, r.Seen[string(k)])
		}
	}
	for k, n := range r.Untold {
		if !slices.Contains(kinds, watch.Kind(k)) {
			t.Errorf("%d of %s were missed, which is told", n, k)
		}
	}
}
