package station_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/station"
	"detente/station/stationtest"
)

// An officer signs with several keys and counts once. One that is revoked ends
// alone, what waits by it goes back, and the officer goes on with the others; a
// revoked officer has none left, those enrolled earlier included.
// covers P8 P22
func TestOfficerKeys(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	old, other := a.Cast.Officers[0], a.Cast.Officers[1]
	second, err := a.Cast.NewOfficer(old.Pseudonym, []string{"releasing"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.EnrolKey(ctx, op, now, other.Pseudonym, second.Certificate); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("another officer's: %v", err)
	}
	if _, err := a.EnrolKey(ctx, op, now, "ARD-77", old.Certificate); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("under another name: %v", err)
	}
	for range 2 { // again changes nothing
		if _, err := a.EnrolKey(ctx, op, now, old.Pseudonym, second.Certificate); err != nil {
			t.Fatal(err)
		}
	}
	out := draft600(t, a, now, station.Draft{Line: l})
	if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, old, out.ID, "approve", nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, second, out.ID, "approve", nil)); !errors.Is(err, station.ErrRefused) {
		t.Errorf("one officer approves twice: %v", err)
	}
	if q := queued(t, a, now, out.ID); q.State != station.Awaiting {
		t.Errorf("one officer with two keys counts twice: %+v", q)
	}
	if err := a.RevokeKey(ctx, op, now, old.Pseudonym, identity.Sum(old.Certificate)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.EnrolKey(ctx, op, now, old.Pseudonym, old.Certificate); !errors.Is(err, station.ErrConflict) {
		t.Errorf("a revoked certificate was enrolled again: %v", err)
	}
	list, err := a.OfficerKeys(ctx, op, old.Pseudonym)
	if err != nil || len(list) != 2 || list[0].Revoked || !list[1].Revoked || list[1].Digest != identity.Sum(old.Certificate) {
		t.Fatalf("%+v, %v", list, err)
	}
	if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, other, out.ID, "approve", nil)); err != nil {
		t.Fatal(err)
	}
	if q := queued(t, a, now, out.ID); q.State != station.Awaiting {
		t.Errorf("what the revoked key approved counts: %+v", q)
	}
	late := draft600(t, a, now, station.Draft{Line: l})
	if _, err := a.Station.Approve(ctx, op, now, late.ID, signs(t, a, old, late.ID, "approve", nil)); !errors.Is(err, station.ErrRefused) || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("the revoked key: %v", err)
	}
	for _, o := range []stationtest.Officer{second, other} {
		if _, err := a.Station.Approve(ctx, op, now, late.ID, signs(t, a, o, late.ID, "approve", nil)); err != nil {
			t.Fatal(err)
		}
	}
	arrives(t, l, a, b, now, late.ID)
	if err := a.RevokeKey(ctx, op, now, old.Pseudonym, list[0].Digest); err != nil {
		t.Fatal(err)
	}
	if _, err := a.EnrolKey(ctx, op, now, old.Pseudonym, second.Certificate); !errors.Is(err, station.ErrConflict) {
		t.Errorf("with the last key the officer is not revoked: %v", err)
	}
	if _, err := a.OfficerKeys(ctx, op, "ARD-77"); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("a stranger's keys: %v", err)
	}
}

// Who is revoked has no key left, though only the last one was ever named.
// covers P8
func TestRevokedOfficerHasNoKey(t *testing.T) {
	a, _, l := pair(t)
	now := start.Add(time.Minute)
	first := a.Cast.Officers[0]
	keys := []stationtest.Officer{first}
	for range 2 {
		next, err := a.Cast.NewOfficer(first.Pseudonym, []string{"releasing"})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, next)
	}
	if _, err := a.AddOfficer(ctx, op, now, "officer "+first.Pseudonym, keys[1].Certificate); err != nil {
		t.Fatal(err)
	}
	if err := a.RevokeOfficer(ctx, op, now, first.Pseudonym); err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddOfficer(ctx, op, now, "officer "+first.Pseudonym, keys[2].Certificate); err != nil {
		t.Fatal(err)
	}
	out := draft600(t, a, now, station.Draft{Line: l})
	for n, o := range keys {
		_, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, o, out.ID, "approve", nil))
		if good := n == 2; good != (err == nil) {
			t.Errorf("key %d: %v", n, err)
		}
	}
}
