package station_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// Refusals and failures stand in the audit trail with who, what and why, as what
// was done does, the looking included.
// covers P22
func TestAuditOfRefusals(t *testing.T) {
	a, _, l := pair(t)
	nobody := station.Actor{Name: "passer-by"}
	var none message.ID
	out := draft600(t, a, start, station.Draft{Line: l})
	acts := map[string]func() error{
		"submit":       func() error { _, err := a.Submit(ctx, nobody, start, station.Draft{}); return err },
		"withdraw":     func() error { _, err := a.Withdraw(ctx, nobody, start, none, ""); return err },
		"release show": func() error { _, err := a.Release(ctx, nobody, start, none); return err },
		"queue":        func() error { _, err := a.Queue(ctx, nobody, start, station.Waiting, 0, 1); return err },
		"read":         func() error { _, err := a.ReadMessage(ctx, nobody, start, none); return err },
		"list":         func() error { _, err := a.List(ctx, nobody, start, 0, 1); return err },
		"audit":        func() error { _, err := a.AuditTrail(ctx, nobody, start, 1, 1); return err },
		"lines":        func() error { _, err := a.Lines(ctx, nobody); return err },
		"officers":     func() error { _, err := a.Officers(ctx, nobody); return err },
		"peers":        func() error { _, err := a.Peers(ctx, nobody); return err },
		"events":       func() error { _, err := a.EventsAfter(ctx, nobody, 0, 1); return err },
		"evidence":     func() error { _, err := a.Evidences(ctx, nobody, 1); return err },
		"doctor":       func() error { _, err := a.Doctor(ctx, nobody, start, false); return err },
		"export":       func() error { return a.Export(ctx, nobody, start, station.Export{}, &bytes.Buffer{}) },
		"peer hold":    func() error { _, err := a.HoldPeer(ctx, nobody, start, bor); return err },
		"backup":       func() error { return a.Backup(ctx, nobody, start, nil) },
	}
	for act, do := range acts {
		if err := do(); !errors.Is(err, station.ErrRefused) {
			t.Errorf("%s: %v", act, err)
		}
		if got := lastRefusal(t, a); got.Act != act || got.Actor != nobody.Name || got.Detail == "" {
			t.Errorf("%s: the trail says %+v", act, got)
		}
	}
	failed := map[string]func() error{
		"read":           func() error { _, err := a.ReadMessage(ctx, op, start, none); return err },
		"export":         func() error { return a.Export(ctx, op, start, station.Export{Message: none.String()}, &bytes.Buffer{}) },
		"officer revoke": func() error { return a.RevokeOfficer(ctx, op, start, "ARD-99") },
		"withdraw":       func() error { _, err := a.Withdraw(ctx, op, start, none, ""); return err },
		"backup": func() error {
			return a.Backup(ctx, op, start, func(context.Context) error { return errors.New("no room") })
		},
	}
	for act, do := range failed {
		if err := do(); err == nil {
			t.Errorf("%s: it did not fail", act)
		}
		trail := trailOf(t, a)
		if got := trail[len(trail)-1]; got.Act != act || got.Result == "done" || got.Actor != op.Name {
			t.Errorf("%s: the trail says %+v", act, got)
		}
	}
	if _, err := a.Release(ctx, op, start, out.ID); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(trailOf(t, a), func(l station.Audit) bool {
		return l.Act == "release show" && l.Object == out.ID.String() && l.Result == "done"
	}) {
		t.Error("who read a message before its release is not in the trail")
	}
	if err := a.CheckAudit(ctx); err != nil {
		t.Error(err)
	}
}

func trailOf(t *testing.T, e stationtest.End) []station.Audit {
	t.Helper()
	trail, err := e.AuditTrail(ctx, op, start, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	return trail
}

// Doctor finds a line of the audit trail that was changed, put in or taken out
// behind the station's back.
// covers P22
func TestTamperedAudit(t *testing.T) {
	for name, statement := range map[string]string{
		"actor":     "UPDATE audit SET actor = 'somebody else' WHERE number = 3",
		"detail":    "UPDATE audit SET detail = detail || ' ' WHERE number = 2",
		"second":    "UPDATE audit SET at = at + 1 WHERE number = 2",
		"taken out": "DELETE FROM audit WHERE number = 2",
		"swapped":   "UPDATE audit SET number = CASE number WHEN 2 THEN -3 ELSE -2 END WHERE number IN (2, 3); UPDATE audit SET number = -number WHERE number < 0",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cast, err := stationtest.NewCast(rand.Reader, start, "arden.example", "ARD", bor)
			if err != nil {
				t.Fatal(err)
			}
			a := open(t, start, cast, dir)
			for _, o := range cast.Officers {
				if _, err := a.AddOfficer(ctx, op, start, "officer "+o.Pseudonym, o.Certificate); err != nil {
					t.Fatal(err)
				}
			}
			if found, err := a.Doctor(ctx, op, start, false); err != nil || len(found) > 0 {
				t.Fatalf("before: %v, %v", found, err)
			}
			if err := a.Close(start); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("sqlite", filepath.Join(dir, "store", "station.db"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			a = open(t, start, cast, dir)
			defer func() {
				if err := a.Close(start); err != nil {
					t.Error(err)
				}
			}()
			found, err := a.Doctor(ctx, op, start, false)
			if err != nil || len(found) != 1 || found[0].Where != "audit trail" || found[0].Repair == "" {
				t.Errorf("%+v, %v", found, err)
			}
		})
	}
}

// A certificate that was revoked never serves again; its officer may, with
// another one.
// covers P8
func TestRevokedCertificate(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	old := a.Cast.Officers[0]
	if err := a.RevokeOfficer(ctx, op, now, old.Pseudonym); err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddOfficer(ctx, op, now, "officer "+old.Pseudonym, old.Certificate); !errors.Is(err, station.ErrConflict) {
		t.Errorf("the revoked certificate was added again: %v", err)
	}
	fresh, err := a.Cast.NewOfficer(old.Pseudonym, []string{"releasing"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddOfficer(ctx, op, now, "officer "+old.Pseudonym, fresh.Certificate); err != nil {
		t.Fatal(err)
	}
	out := draft600(t, a, now, station.Draft{Line: l})
	if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, old, out.ID, "approve", nil)); !errors.Is(err, station.ErrRefused) || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("the revoked certificate: %v", err)
	}
	for _, o := range []stationtest.Officer{fresh, a.Cast.Officers[1]} {
		if _, err := a.Station.Approve(ctx, op, now, out.ID, signs(t, a, o, out.ID, "approve", nil)); err != nil {
			t.Fatal(err)
		}
	}
	arrives(t, l, a, b, now, out.ID)
}

// Each message says where it stands and, while the station tries by itself,
// when next.
func TestQueueSaysWhen(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	out, err := a.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=good day")
	if err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, now, l, a); err != nil { // nobody answers
		t.Fatal(err)
	}
	q := queued(t, a, now, out.ID)
	if q.State != station.Appended || !q.Try.After(now) || !strings.Contains(q.Reason, "not in this test") {
		t.Errorf("on a line that is cut: %+v", q)
	}
	if err := stationtest.Settle(ctx, q.Try, l, a, b); err != nil {
		t.Fatal(err)
	}
	if q = queued(t, a, q.Try, out.ID); !strings.Contains(q.Reason, "receipted") || !q.Try.IsZero() {
		t.Errorf("delivered: %+v", q)
	}
	if _, err := a.HoldPeer(ctx, op, now, bor); err != nil {
		t.Fatal(err)
	}
	held := draft600(t, a, now, station.Draft{Line: l})
	if err := a.Approve(ctx, now, held.ID, 2); err != nil {
		t.Fatal(err)
	}
	if q = queued(t, a, now, held.ID); q.State != station.Waiting || q.Try.IsZero() || q.Reason == "" || q.Next == "" {
		t.Errorf("held: %+v", q)
	}
}

// A message that was cut off for longer than its approvals stand is delivered,
// and shown at both ends as first received after they had expired.
// covers P8
func TestLapsedIsShown(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	out, err := a.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=good day")
	if err != nil {
		t.Fatal(err)
	}
	late := now.AddDate(0, 0, 8)
	arrives(t, l, a, b, late, out.ID)
	back, err := b.Say(ctx, late, station.Draft{Line: l, Format: "600"}, "text=it came late")
	if err != nil {
		t.Fatal(err)
	}
	arrives(t, l, b, a, late, back.ID)
	for _, e := range []stationtest.End{a, b} {
		got, err := e.ReadMessage(ctx, op, late, out.ID)
		if err != nil || !got.Lapsed {
			t.Errorf("%s: %+v, %v", e.Name(), got.Received, err)
		}
		if got, err := e.ReadMessage(ctx, op, late, back.ID); err != nil || got.Lapsed {
			t.Errorf("%s: the answer, which was in time: %v", e.Name(), err)
		}
	}
}
