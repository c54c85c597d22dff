package station_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/station"
)

// trailSays returns what doctor says of the audit trail.
func trailSays(t *testing.T, e interface {
	Doctor(context.Context, station.Actor, time.Time, bool) ([]station.Finding, error)
}, now time.Time, repair bool) []string {
	t.Helper()
	found, err := e.Doctor(ctx, op, now, repair)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range found {
		if f.Where == "audit trail" {
			said = append(said, f.What)
		}
	}
	return said
}

// toldOf reports whether events and audit trail of a station tell of the trail.
func toldOf(t *testing.T, s *station.Station) bool {
	t.Helper()
	events, err := s.EventsAfter(ctx, op, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(events, func(e station.Event) bool { return e.Kind == "alarm" && e.Ref == "audit trail" })
}

// A crash at each step between an audited act and the saved mark leaves a trail
// that is in order: the mark lags, and never leads.
// covers P21 P22
func TestACrashCutsNoTrail(t *testing.T) {
	full := errors.New("disk full")
	for name, upTo := range map[string]func(t *testing.T, s *side, now time.Time){
		"before the act":             func(*testing.T, *side, time.Time) {},
		"after its commit":           func(t *testing.T, s *side, now time.Time) { s.act(now) },
		"while the mark is written":  func(t *testing.T, s *side, now time.Time) { s.act(now); s.marks.fails = full; _ = s.Tick(ctx, now) },
		"after the mark was saved":   func(t *testing.T, s *side, now time.Time) { s.act(now); s.tick(now) },
		"after acts beyond the mark": func(t *testing.T, s *side, now time.Time) { s.act(now); s.tick(now); s.act(now); s.act(now) },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := duo(t)
			now := start.Add(time.Minute)
			s.tick(now)
			upTo(t, s, now.Add(time.Second))
			s.marks.fails = nil
			now = now.Add(time.Minute)
			s.begin(now) // what was committed is there, and no more was saved
			if said := trailSays(t, s, now, false); len(said) > 0 || toldOf(t, s.Station) {
				t.Errorf("a crash is told as %q", said)
			}
			s.act(now)
			s.tick(now)
			s.begin(now)
			if said := trailSays(t, s, now, false); len(said) > 0 {
				t.Errorf("later: %q", said)
			}
		})
	}
}

// act does what is written into the audit trail.
func (s *side) act(now time.Time) {
	s.t.Helper()
	if _, err := s.State(ctx, station.Actor{Name: "nobody"}, s.line); err == nil {
		s.t.Fatal("nobody may look")
	}
	if _, err := s.Doctor(ctx, op, now, false); err != nil {
		s.t.Fatal(err)
	}
}

func (s *side) tick(now time.Time) {
	s.t.Helper()
	if err := s.Tick(ctx, now); err != nil {
		s.t.Fatal(err)
	}
}

// takesTrail lets the operator of a station whose store was put back take its
// trail as it is: doctor must have found that, and nothing else.
func takesTrail(t *testing.T, now time.Time, sides ...*side) {
	t.Helper()
	for _, s := range sides {
		found, err := s.Doctor(ctx, op, now, false)
		if err != nil || len(found) != 1 || found[0].Where != "audit trail" {
			t.Errorf("%s: doctor found %v, %v", s.Name(), found, err)
		}
		if _, err := s.Doctor(ctx, op, now, true); err != nil {
			t.Error(err)
		}
	}
}

// A store that was put back has a shorter trail than the mark has seen: the start
// tells, doctor tells until somebody takes it, and what is gone stands in the
// trail from then on. A crash between the two steps of taking it tells again.
// covers P6 P22
func TestAShorterTrailIsTold(t *testing.T) {
	s, _ := duo(t)
	now := start.Add(time.Minute)
	s.tick(now)
	copied := s.disk.Copy()
	s.act(now)
	s.act(now)
	s.tick(now)
	s.disk.PutBack(copied)
	now = now.Add(time.Minute)
	s.begin(now)
	if !toldOf(t, s.Station) {
		t.Error("the start does not tell")
	}
	s.tick(now)
	if said := trailSays(t, s, now, false); len(said) != 1 || !strings.Contains(said[0], "were cut off") {
		t.Fatalf("doctor says %q", said)
	}
	for range 10 {
		s.act(now) // beyond the length that it had
	}
	s.tick(now)
	if said := trailSays(t, s, now, false); len(said) != 1 || !strings.Contains(said[0], "was written anew") {
		t.Fatalf("once it has grown again doctor says %q", said)
	}
	s.marks.fails = errors.New("disk full")
	if _, err := s.Doctor(ctx, op, now, true); err == nil {
		t.Error("a trail was taken whose mark could not be saved")
	}
	s.marks.fails = nil
	s.begin(now)
	if said := trailSays(t, s, now, true); len(said) != 1 {
		t.Errorf("after a crash within the repair doctor says %q", said)
	}
	if said := trailSays(t, s, now, false); len(said) > 0 {
		t.Errorf("after the repair doctor says %q", said)
	}
	s.begin(now)
	if said := trailSays(t, s, now, false); len(said) > 0 {
		t.Errorf("after the repair and a start doctor says %q", said)
	}
	s.view(func(tx station.Tx) error {
		lines, err := tx.Audits(1, 0)
		if !slices.ContainsFunc(lines, func(a station.Audit) bool { return a.Act == "trail" && a.Result == "done" && a.Actor == op.Name }) {
			t.Error("the trail does not say what is gone")
		}
		return err
	})
}

// In the database itself: rows cut off the trail's end, and a trail that was
// written anew so that its chain is whole, are found at the start.
// covers P22
func TestACutDatabaseTrailIsTold(t *testing.T) {
	for name, cut := range map[string]func(*testing.T, *sql.DB){
		"rows cut off": func(t *testing.T, db *sql.DB) {
			if _, err := db.Exec("DELETE FROM audit WHERE number > (SELECT max(number) - 3 FROM audit)"); err != nil {
				t.Fatal(err)
			}
		},
		"all of it": func(t *testing.T, db *sql.DB) {
			if _, err := db.Exec("DELETE FROM audit"); err != nil {
				t.Fatal(err)
			}
		},
		"written anew": rewriteTrail,
	} {
		t.Run(name, func(t *testing.T) {
			cast, dir, _ := livedIn(t)
			files, err := filepath.Glob(filepath.Join(dir, "store", "*.db"))
			if err != nil || len(files) != 1 {
				t.Fatalf("%v %v", files, err)
			}
			db, err := sql.Open("sqlite", files[0])
			if err != nil {
				t.Fatal(err)
			}
			cut(t, db)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			now := start.Add(time.Hour)
			e, err := openAgain(now, cast, dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = e.Close(now) }()
			if !toldOf(t, e.Station) {
				t.Error("the start does not tell")
			}
			if said := trailSays(t, e, now, true); len(said) != 1 {
				t.Errorf("doctor says %q", said)
			}
			if said := trailSays(t, e, now, false); len(said) > 0 {
				t.Errorf("after the repair doctor says %q", said)
			}
		})
	}
}

// rewriteTrail alters a line and writes every hash after it anew.
func rewriteTrail(t *testing.T, db *sql.DB) {
	rows, err := db.Query("SELECT number, at, actor, act, object, result, detail FROM audit ORDER BY number")
	if err != nil {
		t.Fatal(err)
	}
	var trail []station.Audit
	for rows.Next() {
		var a station.Audit
		var at int64
		if err := rows.Scan(&a.Number, &at, &a.Actor, &a.Act, &a.Object, &a.Result, &a.Detail); err != nil {
			t.Fatal(err)
		}
		a.At = time.Unix(at, 0).UTC()
		trail = append(trail, a)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	trail[len(trail)/2].Actor = "nobody"
	var last identity.Digest
	for _, a := range trail {
		last = station.AuditHash(last, a)
		if _, err := db.Exec("UPDATE audit SET actor = ?, hash = ? WHERE number = ?", a.Actor, last[:], a.Number); err != nil {
			t.Fatal(err)
		}
	}
}
