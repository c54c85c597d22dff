package station_test

import (
	"errors"
	"testing"
	"time"

	"detente/identity"
	"detente/station"
	"detente/station/stationtest"
)

// A counterpart is removed by two operators and not by one, with a reason while a
// line to it is open. The record stays; its keys open nothing; its cards, added
// again, begin the ceremony from the start.
// covers P22
func TestRemovePeer(t *testing.T) {
	a, b, l := pair(t)
	one, two := station.Actor{Name: "one", Roles: []string{station.RoleOperator}}, station.Actor{Name: "two", Roles: []string{station.RoleOperator}}
	spki := b.Cast.Card.TLS[0].SPKI
	remove := func(who station.Actor, at time.Time, reason string, want bool) {
		t.Helper()
		if done, err := a.RemovePeer(ctx, who, at, b.Name(), reason); err != nil || done != want {
			t.Fatalf("removed: %v, %v", done, err)
		}
	}
	if _, err := a.RemovePeer(ctx, one, start, b.Name(), " "); !errors.Is(err, station.ErrRefused) {
		t.Errorf("with an open line and without a reason: %v", err)
	}
	if _, err := a.RemovePeer(ctx, station.Actor{Name: "x", Roles: []string{station.RoleDraft}}, start, b.Name(), "y"); !errors.Is(err, station.ErrRefused) {
		t.Errorf("without the role: %v", err)
	}
	if _, err := a.RemovePeer(ctx, one, start, "nobody.example", "y"); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	remove(one, start, "the agency was dissolved", false)
	remove(one, start, "the agency was dissolved", false) // alone, as often as he likes
	remove(two, start.Add(11*time.Minute), "dissolved", false)
	if _, known := a.Trusted(spki, start); !known {
		t.Error("one operator alone ended the trust")
	}
	remove(one, start.Add(12*time.Minute), "dissolved", true)
	remove(two, start.Add(12*time.Minute), "", true) // it is so already
	if who, known := a.Trusted(spki, start); known {
		t.Errorf("its key still opens a connection as %s", who)
	}
	at := start.Add(13 * time.Minute)
	if _, err := a.HoldPeer(ctx, one, at, b.Name()); !errors.Is(err, station.ErrConflict) {
		t.Errorf("it is held: %v", err)
	}
	digits, err := b.Digits(ctx, op, a.Name())
	if err != nil {
		t.Fatal(err)
	}
	heard := identity.EvenHalf(digits)
	if b.ReadsOdd(a.Name()) {
		heard = identity.OddHalf(digits)
	}
	if _, err := a.CheckDigits(ctx, op, at, b.Name(), heard); !errors.Is(err, station.ErrConflict) {
		t.Errorf("its digits are checked without its cards: %v", err)
	}
	if r := exportOf(t, a, l, at); len(r) == 0 {
		t.Error("the record is gone")
	}
	p, err := a.AddPeer(ctx, op, at, b.Cast.RootInfo, b.Cast.Bundle)
	if err != nil || p.State != station.PeerHeld || len(p.Confirmed) != 0 {
		t.Errorf("added again it is %+v, %v", p, err)
	}
	if _, err := a.CheckDigits(ctx, op, at, b.Name(), heard); err != nil {
		t.Error(err)
	}
}

func exportOf(t *testing.T, e stationtest.End, l identity.Line, at time.Time) []byte {
	t.Helper()
	var buf writer
	if err := e.Export(ctx, op, at, station.Export{Line: l.String(), Disclose: true}, &buf); err != nil {
		t.Fatal(err)
	}
	return buf
}

type writer []byte

func (w *writer) Write(p []byte) (int, error) { *w = append(*w, p...); return len(p), nil }
