package station_test

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/station"
	"detente/station/stationtest"
	"detente/store"

	_ "modernc.org/sqlite"
)

// spoiled is what is spoiled on a disk: a column of a table, in its middle row.
var spoiled = []string{
	"entries.data", "hashes.hash", "logs.root", "logs.edge", "logs.checkpoint", "logs.size", "cosignatures.lines", "cosignatures.at", "cosignatures.root",
	"messages.plain", "messages.at", "messages.format", "messages.problem", "messages.refs", "listed.at", "listed.size", "audit.detail", "audit.at", "audit.hash",
}

// One flipped bit in a row of any table that holds the record, or is made from it,
// is found by doctor, or refused at the start; what is made from the logs is made
// anew.
// covers P10 P21
func TestDoctorFindsFlippedBits(t *testing.T) {
	cast, dir, l := livedIn(t)
	for _, what := range spoiled {
		t.Run(what, func(t *testing.T) {
			now := start.Add(time.Hour)
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			flip(t, filepath.Join(copied, "store"), what)
			e, err := openAgain(now, cast, copied)
			if err != nil {
				t.Logf("refused at the start: %v", err)
				return
			}
			defer func() { _ = e.Close(now) }()
			found, err := e.Doctor(ctx, op, now, true)
			if err == nil && len(found) == 0 {
				t.Fatal("doctor finds nothing")
			}
			t.Logf("%v %v", found, err)
			if slices.ContainsFunc(found, func(f station.Finding) bool { return f.Repair != "detente station doctor --repair" }) || err != nil {
				return // nothing that --repair mends
			}
			if again, err := e.Doctor(ctx, op, now, false); err != nil || len(again) > 0 {
				t.Errorf("after the repair doctor finds %v, %v", again, err)
			}
			if _, err := e.State(ctx, op, l); err != nil {
				t.Error(err)
			}
		})
	}
}

// livedIn is a station's directory after some traffic, closed.
func livedIn(t *testing.T) (*stationtest.Cast, string, identity.Line) {
	t.Helper()
	ca, err := stationtest.NewCast(rand.Reader, start, "arden.example", "ARD", bor)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := stationtest.NewCast(rand.Reader, start, "boreal.example", "BOR", arden)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a, b := open(t, start, ca, dir), open(t, start, cb, t.TempDir())
	l, err := identity.NewLine(arden, bor, identity.Notification)
	if err != nil {
		t.Fatal(err)
	}
	err = stationtest.Introduce(ctx, start, a, b)
	for _, e := range []stationtest.End{a, b} {
		err = errors.Join(err, e.OpenLine(ctx, start, l, station.DefaultTerms()))
	}
	if err != nil {
		t.Fatal(err)
	}
	settle(t, start, l, a, b)
	for i := range 4 {
		now := start.Add(time.Duration(i+1) * time.Minute)
		var refs station.Draft
		for _, e := range []stationtest.End{a, b} {
			d := station.Draft{Line: l, Format: "600", Refs: refs.Refs}
			out, err := e.Say(ctx, now, d, "text="+decimal(int64(i)))
			if err != nil {
				t.Fatal(err)
			}
			refs.Refs = append(refs.Refs, out.ID)
			settle(t, now, l, a, b)
		}
	}
	checkLine(t, l, a, b)
	if err := errors.Join(a.Close(start), b.Close(start)); err != nil {
		t.Fatal(err)
	}
	return ca, dir, l
}

// openAgain opens a station over files that may be spoiled.
func openAgain(now time.Time, c *stationtest.Cast, dir string) (stationtest.End, error) {
	blobs, err := store.OpenBlobDir(filepath.Join(dir, "blobs"))
	if err != nil {
		return stationtest.End{}, err
	}
	s, err := station.New(ctx, now, station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: line.NewMarkFile(filepath.Join(dir, "mark")), Blobs: blobs,
		Random: rand.Reader, Jitter: fixed{},
	}, func(f station.Finish) (station.Store, error) {
		return store.Open(ctx, filepath.Join(dir, "store"), store.Options{Finish: f})
	})
	return stationtest.End{Station: s, Cast: c}, err
}

// fixed is a source of jitter without any.
type fixed struct{}

func (fixed) Int64N(int64) int64 { return 0 }

// flip flips one bit in the middle of a column's value, in the middle row.
func flip(t *testing.T, dir, what string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	db, err := sql.Open("sqlite", files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var table, column string
	if _, err := fmt.Sscanf(string(bytes.ReplaceAll([]byte(what), []byte("."), []byte(" "))), "%s %s", &table, &column); err != nil {
		t.Fatal(err)
	}
	var rows int
	where := column + " IS NOT NULL"
	if column == "refs" {
		where = "length(refs) > 0"
	}
	if err := db.QueryRow("SELECT count(*) FROM " + table + " WHERE " + where).Scan(&rows); err != nil || rows == 0 {
		t.Fatalf("%d rows: %v", rows, err)
	}
	var value any
	pick := fmt.Sprintf("FROM %s WHERE %s LIMIT 1 OFFSET %d", table, where, rows/2)
	if err := db.QueryRow("SELECT " + column + " " + pick).Scan(&value); err != nil {
		t.Fatal(err)
	}
	switch v := value.(type) {
	case int64:
		value = v ^ 1<<6
	case string:
		b := []byte(v + "!")
		b[len(b)/2] ^= 1
		value = string(b)
	case []byte:
		if len(v) == 0 {
			v = []byte{0}
		}
		v[len(v)/2] ^= 1
		value = v
	}
	keys := map[string]string{"entries": "log, idx", "hashes": "log, idx", "logs": "id", "cosignatures": "log, by, size", "messages": "seq", "listed": "log, seen, size", "audit": "number"}[table]
	_, err = db.Exec(fmt.Sprintf("UPDATE %s SET %s = ? WHERE (%s) = (SELECT %s %s)", table, column, keys, keys, pick), value)
	if err != nil {
		t.Fatal(err)
	}
}

// A flipped bit in a blob is found, and one of the counterpart is fetched anew; a
// key that is not the card's is refused at the start.
// covers P21
func TestDoctorFindsSpoiledBlobsAndKeys(t *testing.T) {
	cast, dir, _ := livedIn(t)
	other := *cast
	other.Keys.Logs = map[identity.Origin]identity.PrivateKey{}
	wrong, err := identity.GenerateKey(identity.UseLog, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for o := range cast.Keys.Logs {
		other.Keys.Logs[o] = wrong
	}
	if e, err := openAgain(start, &other, dir); err == nil {
		t.Errorf("it starts with a log key that is not its card's: %v", e.Close(start))
	}
	other = *cast
	if other.Keys.Cosigner, err = identity.GenerateKey(identity.UseCosigner, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if e, err := openAgain(start, &other, dir); err == nil {
		t.Errorf("it starts with a cosigner key that is not its card's: %v", e.Close(start))
	}
}
