package station_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// An officer of the asked station answers a challenge within its time, and both
// sides come to the same; an answer to another one, or a late one, proves
// nothing.
// covers P5
func TestChallenge(t *testing.T) {
	a, b, l := pair(t)
	ask := func(now time.Time, nonce string) message.ID {
		out, err := a.Say(ctx, now, station.Draft{Line: l, Format: "015"}, "nonce="+nonce, "scheme=officer-key")
		if err != nil {
			t.Fatal(err)
		}
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
		return out.ID
	}
	now := start.Add(time.Minute)
	first, second := ask(now, "7d1f0c93a4be52860ef1773d5b9c28aa"), ask(now, "9f1c7a52e08b4d3366d1c0aa7be5f214")
	asked, err := b.Challenge(ctx, stationtest.Operator(), now, first)
	if err != nil || asked.Officer != "" || asked.Answer != (message.ID{}) {
		t.Fatalf("%+v %v", asked, err)
	}
	approval, err := b.Cast.Officers[0].Sign(asked.Challenge.Request("releasing"))
	if err != nil {
		t.Fatal(err)
	}
	answer := func(now time.Time, to message.ID) {
		if _, err := b.Say(ctx, now, station.Draft{Line: l, Format: "016", Refs: []message.ID{to}}, "response="+hex.EncodeToString(approval.Bytes()), "key_id=BOR-01"); err != nil {
			t.Fatal(err)
		}
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Minute)
	answer(now, second)
	answer(now, first)
	for _, e := range []stationtest.End{a, b} {
		if st, err := e.Challenge(ctx, stationtest.Operator(), now, first); err != nil || st.Officer != "BOR-01" || st.Why != "" {
			t.Errorf("%s: %+v %v", e.Name(), st, err)
		}
		if st, err := e.Challenge(ctx, stationtest.Operator(), now, second); err != nil || st.Officer != "" || st.Why == "" {
			t.Errorf("%s: an answer to another challenge: %+v %v", e.Name(), st, err)
		}
	}
	third := ask(now, "00112233445566778899aabbccddeeff")
	asked, err = b.Challenge(ctx, stationtest.Operator(), now, third)
	if err != nil {
		t.Fatal(err)
	}
	if approval, err = b.Cast.Officers[1].Sign(asked.Challenge.Request("releasing")); err != nil {
		t.Fatal(err)
	}
	answer(now.Add(6*time.Minute), third)
	if st, err := a.Challenge(ctx, stationtest.Operator(), now, third); err != nil || st.Officer != "" || st.Why == "" {
		t.Errorf("a late answer: %+v %v", st, err)
	}
	if _, err := a.Challenge(ctx, stationtest.Operator(), now, message.ID{1}); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("a challenge that nobody made: %v", err)
	}
}
