package station_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/station"
	"detente/station/stationtest"

	"filippo.io/torchwood"
)

// damaged is a station over a real database, with its counterpart.
type damaged struct {
	t    *testing.T
	cast *stationtest.Cast
	dir  string
	a, b stationtest.End
	line identity.Line
	now  time.Time
	liar func(*line.Request, *line.Response) // changes what the counterpart gives
}

// twoStations talk for a while, and the first is closed.
func twoStations(t *testing.T) *damaged {
	t.Helper()
	ca, err := stationtest.NewCast(rand.Reader, start, "arden.example", "ARD", bor)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := stationtest.NewCast(rand.Reader, start, "boreal.example", "BOR", arden)
	if err != nil {
		t.Fatal(err)
	}
	d := &damaged{t: t, cast: ca, dir: t.TempDir(), now: start.Add(time.Hour)}
	d.a, d.b = open(t, start, ca, d.dir), open(t, start, cb, t.TempDir())
	t.Cleanup(func() {
		if err := errors.Join(d.a.Close(d.now), d.b.Close(d.now)); err != nil {
			t.Error(err)
		}
	})
	if d.line, err = identity.NewLine(arden, bor, identity.Notification); err != nil {
		t.Fatal(err)
	}
	err = stationtest.Introduce(ctx, start, d.a, d.b)
	for _, e := range []stationtest.End{d.a, d.b} {
		err = errors.Join(err, e.OpenLine(ctx, start, d.line, station.DefaultTerms()))
	}
	if err != nil {
		t.Fatal(err)
	}
	settle(t, start, d.line, d.a, d.b)
	for i := range 5 {
		d.talk(start.Add(time.Duration(i+1) * time.Minute))
	}
	return d
}

func (d *damaged) talk(now time.Time) {
	d.t.Helper()
	for _, e := range []stationtest.End{d.a, d.b} {
		if _, err := e.Say(ctx, now, station.Draft{Line: d.line, Format: "600"}, "text=good day"); err != nil {
			d.t.Fatal(err)
		}
		settle(d.t, now, d.line, d.a, d.b)
	}
}

// spoil closes the first station, runs statements on its database, and opens it
// again.
func (d *damaged) spoil(statements ...string) {
	d.t.Helper()
	if err := d.a.Close(d.now); err != nil {
		d.t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(d.dir, "store", "*.db"))
	if err != nil || len(files) != 1 {
		d.t.Fatalf("%v %v", files, err)
	}
	db, err := sql.Open("sqlite", files[0])
	if err != nil {
		d.t.Fatal(err)
	}
	for _, s := range statements {
		r, err := db.Exec(s)
		if err != nil {
			d.t.Fatal(err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			d.t.Fatalf("%s: %d rows, %v", s, n, err)
		}
	}
	if err := db.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.a = open(d.t, d.now, d.cast, d.dir)
}

// ask is the line to the counterpart.
func (d *damaged) ask(ctx context.Context, peer identity.Station, r line.Request) (line.Response, error) {
	if peer != d.b.Name() {
		return line.Response{}, errors.New("nobody there")
	}
	asked := r
	r.Peer = d.a.Name()
	answer := line.Serve(ctx, station.At(d.b.Station, func() time.Time { return d.now }), r)
	if d.liar != nil {
		d.liar(&asked, &answer)
	}
	return answer, nil
}

func (d *damaged) doctor(repair bool) []station.Finding {
	d.t.Helper()
	found, err := d.a.Doctor(ctx, op, d.now, repair)
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

// mend puts back what it can and makes the tables anew; it returns what is left.
func (d *damaged) mend() (told []station.Mended, left []station.Finding) {
	d.t.Helper()
	told, err := d.a.Mend(ctx, op, d.now, d.ask)
	if err != nil {
		d.t.Fatal(err)
	}
	d.doctor(true)
	return told, d.doctor(false)
}

const (
	ownLog   = "(SELECT id FROM logs WHERE origin LIKE 'nrrc.arden%')"
	theirLog = "(SELECT id FROM logs WHERE origin LIKE 'nrrc.boreal%')"
)

// What is damaged or absent in a log comes back from the counterpart's copy, and
// the station goes on; what needs no copy is made anew from what is here.
// covers P1 P6 P21
func TestMendFromCounterpart(t *testing.T) {
	for name, statements := range map[string][]string{
		"an own entry is damaged":         {"UPDATE entries SET data = x'00' WHERE idx = 3 AND log = " + ownLog},
		"a mirrored entry is damaged":     {"UPDATE entries SET data = x'00' WHERE idx = 3 AND log = " + theirLog},
		"entries are gone":                {"DELETE FROM entries WHERE idx IN (1, 2, 4) AND log = " + ownLog, "DELETE FROM entries WHERE idx IN (0, 6) AND log = " + theirLog},
		"all entries are gone":            {"DELETE FROM entries"},
		"hashes are damaged":              {"UPDATE hashes SET hash = zeroblob(32) WHERE idx IN (0, 5)"},
		"all hashes are gone":             {"DELETE FROM hashes"},
		"entry and its hash are damaged":  {"UPDATE entries SET data = x'00' WHERE idx = 2", "UPDATE hashes SET hash = zeroblob(32) WHERE idx = 3"},
		"the rows are damaged":            {"UPDATE logs SET root = zeroblob(32)"},
		"edges are damaged":               {"UPDATE logs SET edge = zeroblob(length(edge))"},
		"the own checkpoint is gone":      {"UPDATE logs SET checkpoint = x'00' WHERE id = " + ownLog},
		"cosignatures are damaged":        {"UPDATE cosignatures SET lines = x'00' WHERE size IN (3, 4)"},
		"seconds of receipts are damaged": {"UPDATE cosignatures SET at = at + 64 WHERE size = 4"},
		"of all some": {
			"DELETE FROM entries WHERE idx = 3", "DELETE FROM cosignatures WHERE size = 4", "UPDATE hashes SET hash = zeroblob(32) WHERE idx = 4",
			"UPDATE logs SET checkpoint = x'00'", "UPDATE messages SET plain = x'00' WHERE idx = 4", "DELETE FROM listed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := twoStations(t)
			d.spoil(statements...)
			if _, err := d.a.Doctor(ctx, op, d.now, false); err == nil && len(d.doctor(false)) == 0 {
				t.Fatal("doctor finds nothing")
			}
			told, left := d.mend()
			if len(left) > 0 {
				t.Errorf("after %+v doctor finds %v", told, left)
			}
			for _, m := range told {
				if !m.Done {
					t.Errorf("not mended: %+v", m)
				}
			}
			if again, _ := d.mend(); len(again) > 0 {
				t.Errorf("mended once more: %+v", again)
			}
			settle(t, d.now, d.line, d.a, d.b)
			d.talk(d.now.Add(time.Minute))
			checkLine(t, d.line, d.a, d.b)
		})
	}
}

// A counterpart that gives something else, or nothing, puts nothing into the
// store: what it should have given is named, and the rest is mended.
// covers P3 P6 P14
func TestMendBelievesNobody(t *testing.T) {
	forge := func(r *line.Request, a *line.Response) {
		if r.Op != line.OpTile {
			return
		}
		var forged []byte
		for rest := a.Body; len(rest) > 0; {
			entry, more, err := torchwood.ReadTileEntry(rest)
			if err != nil {
				t.Fatal(err)
			}
			rest = more
			if forged, err = torchwood.AppendTileEntry(forged, append([]byte("not "), entry...)); err != nil {
				t.Fatal(err)
			}
		}
		a.Body = forged
	}
	silent := func(_ *line.Request, a *line.Response) { *a = line.Text(404, "not here") }
	garbage := func(_ *line.Request, a *line.Response) { a.Body = []byte("\xff\xff garbage") }
	for name, liar := range map[string]func(*line.Request, *line.Response){"forges": forge, "is silent": silent, "sends garbage": garbage} {
		for what, statements := range map[string][]string{
			"an entry":              {"UPDATE entries SET data = x'00' WHERE idx = 3 AND log = " + ownLog, "UPDATE hashes SET hash = zeroblob(32) WHERE idx = 2 AND log = " + theirLog},
			"an entry and its hash": {"UPDATE entries SET data = x'00' WHERE idx = 2 AND log = " + ownLog, "DELETE FROM hashes WHERE idx = 3 AND log = " + ownLog},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				d := twoStations(t)
				d.spoil(statements...)
				d.liar = liar
				told, err := d.a.Mend(ctx, op, d.now, d.ask)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.ContainsFunc(told, func(m station.Mended) bool { return !m.Done && m.What != "" }) {
					t.Errorf("nothing is named: %+v", told)
				}
				if slices.ContainsFunc(told, func(m station.Mended) bool { return m.Done && strings.HasPrefix(m.Where, "ARD/") }) {
					t.Errorf("it was put back: %+v", told)
				}
				if len(d.doctor(false)) == 0 {
					t.Error("doctor finds nothing any more")
				}
				d.liar = nil
				if told, left := d.mend(); len(left) > 0 {
					t.Errorf("once it tells the truth: %+v, %v", told, left)
				}
			})
		}
	}
}

// Only an operator mends, and it is in the audit trail.
// covers P22
func TestMendIsAnOperators(t *testing.T) {
	d := twoStations(t)
	if _, err := d.a.Mend(ctx, station.Actor{Name: "nobody"}, d.now, d.ask); !errors.Is(err, station.ErrRefused) {
		t.Errorf("nobody may mend: %v", err)
	}
	if told, err := d.a.Mend(ctx, op, d.now, d.ask); err != nil || len(told) > 0 {
		t.Errorf("what is in order is mended: %+v, %v", told, err)
	}
}
