package station_test

import (
	"testing"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// held carries a message from a to b up to b's receipt, and does not let b read
// it.
func held(t *testing.T, a, b stationtest.End, l identity.Line) station.Outgoing {
	t.Helper()
	out, err := a.Say(ctx, start, station.Draft{Line: l, Format: "600"}, "text=held")
	if err != nil {
		t.Fatal(err)
	}
	step, err := a.Step(ctx, start, l)
	if err != nil || step.Request == nil {
		t.Fatal(step, err)
	}
	r := *step.Request
	r.Peer = a.Name()
	answer := b.Handle(ctx, start, r)
	if err := a.Answered(ctx, start, l, step, answer, nil); err != nil || answer.Status != 200 {
		t.Fatal(answer.Status, err)
	}
	if _, err := b.ReadMessage(ctx, op, start, out.ID); err == nil {
		t.Fatal("it is read before anybody asked")
	}
	return out
}

// What was receipted and not read yet is read after a crash, once.
// covers P2 P10
func TestReadAfterCrash(t *testing.T) {
	ca, cb := casts(t)
	a, dir := open(t, start, ca, t.TempDir()), t.TempDir()
	defer closeEnd(t, a)
	b := open(t, start, cb, dir)
	l := introduced(t, a, b)
	out := held(t, a, b, l)
	closeEnd(t, b)
	b = open(t, start, cb, dir)
	defer closeEnd(t, b)
	for range 2 {
		if err := b.TakeIn(ctx, start); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.ReadMessage(ctx, op, start, out.ID); err != nil {
		t.Error(err)
	}
	if found, err := b.Doctor(ctx, op, start, false); err != nil || len(found) > 0 {
		t.Error(found, err)
	}
}

// An own entry never says that it has seen what was not read: what waits is read
// before anything is appended, and a second delivery is not cosigned before the
// first is read.
// covers P11 P15
func TestNothingUnreadIsSeen(t *testing.T) {
	a, b, l := pair(t)
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
	first := held(t, a, b, l)
	second := held(t, a, b, l)
	if _, err := b.ReadMessage(ctx, op, start, first.ID); err != nil {
		t.Errorf("the second delivery is receipted, and the first is not read: %v", err)
	}
	said, err := b.Say(ctx, start, station.Draft{Line: l, Format: "600"}, "text=answer")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.ReadMessage(ctx, op, start, second.ID); err != nil {
		t.Errorf("an entry is appended, and what it says to have seen is not read: %v", err)
	}
	r, err := b.ReadMessage(ctx, op, start, said.ID)
	if err != nil {
		t.Fatal(err)
	}
	o, err := a.Outgoing(ctx, op, start, second.ID)
	if err != nil || r.Entry.Wrapper.Seen != (message.Head{Era: 1, Size: o.Index + 1, Root: r.Entry.Wrapper.Seen.Root}) {
		t.Errorf("it has seen %v, and the counterpart's message stands at %d; %v", r.Entry.Wrapper.Seen, o.Index, err)
	}
}
