package station_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"detente/station"
	"detente/store"
)

// An index that lost its words, or holds others, is found by doctor, and filled
// anew by its repair: a search finds again what it found before.
// covers P10
func TestDoctorComparesTheIndex(t *testing.T) {
	for what, spoil := range map[string]string{
		"emptied": "INSERT INTO search (search) VALUES ('delete-all')",
		"a word":  "INSERT INTO search (rowid, words) VALUES (2, 'forged')",
		"a ghost": "INSERT INTO search (rowid, words) VALUES (90000, 'forged')",
	} {
		t.Run(what, func(t *testing.T) {
			cast, dir, _ := livedIn(t)
			now := start.Add(time.Hour)
			e, err := openAgain(now, cast, dir)
			if err != nil {
				t.Fatal(err)
			}
			count := func() int {
				t.Helper()
				h, err := e.Search(ctx, op, now, station.Search{Words: "test"})
				if err != nil || h.Pending > 0 {
					t.Fatalf("%d pending, %v", h.Pending, err)
				}
				return len(h.List)
			}
			before := count()
			if found, err := e.Doctor(ctx, op, now, false); err != nil || len(found) > 0 || before == 0 {
				t.Fatalf("at first %d messages, %v, %v", before, found, err)
			}
			if err := e.Close(now); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("sqlite", filepath.Join(dir, "store", "station.db"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Exec(spoil)
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			if e, err = openAgain(now, cast, dir); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = e.Close(now) }()
			found, err := e.Doctor(ctx, op, now, true)
			if err != nil || (len(found) != 1 || found[0].Where != "search") {
				t.Errorf("doctor finds %v, %v", found, err)
			}
			if again, err := e.Doctor(ctx, op, now, false); err != nil || len(again) > 0 {
				t.Errorf("after the repair doctor finds %v, %v", again, err)
			}
			if n := count(); n < before {
				t.Errorf("after the repair %d messages are found, and %d before", n, before)
			}
		})
	}
}

// Who searches is told how many messages no words find yet, exactly, until the
// index has caught up with them.
func TestTheIndexTellsItsLag(t *testing.T) {
	cast, dir, l := livedIn(t)
	const many, atOnce = 300, 64
	s, err := store.Open(ctx, filepath.Join(dir, "store"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(ctx, func(tx station.Tx) error {
		for i := range int64(many) {
			m := station.Message{Origin: l.Log(bor, 1), Index: 1000 + i, Format: "600", Problem: "unreadable"}
			if err := tx.PutMessage(m); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	e, err := openAgain(start.Add(time.Hour), cast, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close(start) }()
	before := -1
	for range many {
		h, err := e.Search(ctx, op, start.Add(time.Hour), station.Search{Words: "0"})
		if err != nil {
			t.Fatal(err)
		}
		if before > 0 && h.Pending != max(0, before-atOnce) {
			t.Errorf("%d were not indexed, and after %d more %d are not", before, atOnce, h.Pending)
		}
		if before = h.Pending; before == 0 {
			return
		}
	}
	t.Errorf("the index does not catch up: %d are left", before)
}
