package station_test

import (
	"testing"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// BenchmarkMessage measures a message from its last approval to its stored
// receipt, at two stations in one process without a network: what the stations
// themselves take of what `make bench` measures.
func BenchmarkMessage(b *testing.B) {
	one, two, l := pair(b)
	params, err := one.Book().Compose("600", []string{"text=good day"})
	if err != nil {
		b.Fatal(err)
	}
	prepare := func() (message.ID, identity.Approval) {
		b.StopTimer()
		defer b.StartTimer()
		d := station.Draft{Line: l, Format: "600", Params: params, Language: "en", Marking: message.Marking{TLP: "AMBER"}}
		out, err := one.Submit(ctx, op, start, d)
		if err != nil {
			b.Fatal(err)
		}
		if err := one.Approve(ctx, start, out.ID, 1); err != nil {
			b.Fatal(err)
		}
		r, err := one.Release(ctx, op, start, out.ID)
		if err != nil {
			b.Fatal(err)
		}
		a, err := one.Cast.Officers[1].Sign(r.Request("releasing", "approve"))
		if err != nil {
			b.Fatal(err)
		}
		return out.ID, a
	}
	for b.Loop() {
		id, a := prepare()
		if _, err := one.Station.Approve(ctx, op, start, id, a); err != nil {
			b.Fatal(err)
		}
		if err := stationtest.Settle(ctx, start, l, one, two); err != nil {
			b.Fatal(err)
		}
	}
}
