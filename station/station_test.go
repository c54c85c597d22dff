package station_test

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/station"
	"detente/station/stationtest"
	"detente/store"
)

var (
	start = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	ctx   = context.Background()
	arden = identity.Station("nrrc.arden.example")
	bor   = identity.Station("nrrc.boreal.example")
)

func open(t testing.TB, now time.Time, c *stationtest.Cast, dir string) stationtest.End {
	t.Helper()
	blobs, err := store.OpenBlobDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := station.New(ctx, now, station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: line.NewMarkFile(filepath.Join(dir, "mark")), Blobs: blobs,
		Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(1, 2)),
	}, func(f station.Finish) (station.Store, error) {
		return store.Open(ctx, filepath.Join(dir, "store"), store.Options{Finish: f})
	})
	if err != nil {
		t.Fatal(err)
	}
	return stationtest.End{Station: s, Cast: c}
}

// casts makes the people and keys of two stations.
func casts(t testing.TB) (a, b *stationtest.Cast) {
	t.Helper()
	a, err := stationtest.NewCast(rand.Reader, start, "arden.example", "ARD", bor)
	if err != nil {
		t.Fatal(err)
	}
	b, err = stationtest.NewCast(rand.Reader, start, "boreal.example", "BOR", arden)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// introduced pairs two stations and opens a line between them.
func introduced(t testing.TB, a, b stationtest.End) identity.Line {
	t.Helper()
	if err := stationtest.Introduce(ctx, start, a, b); err != nil {
		t.Fatal(err)
	}
	l, err := identity.NewLine(arden, bor, identity.Notification)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []stationtest.End{a, b} {
		if err := e.OpenLine(ctx, start, l, station.DefaultTerms()); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []stationtest.End{a, b} {
		if err := e.Tick(ctx, start); err != nil {
			t.Fatal(err)
		}
	}
	if err := stationtest.Settle(ctx, start, l, a, b); err != nil {
		t.Fatal(err)
	}
	return l
}

func closeEnd(t testing.TB, e stationtest.End) {
	t.Helper()
	if err := e.Close(start); err != nil {
		t.Error(err)
	}
}

// pair opens two stations with a line between them.
func pair(t testing.TB) (a, b stationtest.End, l identity.Line) {
	t.Helper()
	ca, cb := casts(t)
	a, b = open(t, start, ca, t.TempDir()), open(t, start, cb, t.TempDir())
	t.Cleanup(func() {
		closeEnd(t, a)
		closeEnd(t, b)
	})
	return a, b, introduced(t, a, b)
}

// A line opens by both sides, a message released by two is delivered and
// receipted, and both sides fold it alike.
// covers P1 P3 P8 P10
func TestLine(t *testing.T) {
	a, b, l := pair(t)
	out, err := a.Say(ctx, start.Add(time.Minute), station.Draft{Line: l, Format: "600"}, "text=good day")
	if err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, start.Add(time.Minute), l, a, b); err != nil {
		t.Fatal(err)
	}
	if q, err := a.Outgoing(ctx, stationtest.Operator(), start, out.ID); err != nil || q.State != station.Appended {
		lines, _ := a.Lines(ctx, stationtest.Operator())
		t.Fatalf("%+v %v\n%+v", q, err, lines)
	}
	sent, err := a.ReadMessage(ctx, stationtest.Operator(), start, out.ID)
	if err != nil {
		t.Fatal(err)
	}
	if sent.Held.IsZero() {
		lines, err := a.Lines(ctx, stationtest.Operator())
		t.Fatalf("the message has no receipt: %+v %v; %+v", sent, err, lines)
	}
	got, err := b.ReadMessage(ctx, stationtest.Operator(), start, out.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Problem != "" || string(got.Entry.Body.Bytes()) != string(sent.Entry.Body.Bytes()) {
		t.Errorf("received %q with problem %q", got.Entry.Body.Bytes(), got.Problem)
	}
	// Boreal's next message lists the receipt.
	if _, err := b.Say(ctx, start.Add(2*time.Minute), station.Draft{Line: l, Format: "600"}, "text=and to you"); err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, start.Add(2*time.Minute), l, a, b); err != nil {
		t.Fatal(err)
	}
	checkLine(t, l, a, b)
}

// checkLine compares both sides' folds and lets each station's doctor look.
func checkLine(t testing.TB, l identity.Line, ends ...stationtest.End) {
	t.Helper()
	var digests []identity.Digest
	for _, e := range ends {
		found, err := e.Doctor(ctx, stationtest.Operator(), start, false)
		if err != nil || len(found) > 0 {
			t.Errorf("%s: doctor found %v, %v", e.Name(), found, err)
		}
		st, err := e.State(ctx, op, l)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, st.Digest())
	}
	for _, d := range digests[1:] {
		if d != digests[0] {
			t.Errorf("the two sides fold the line differently: %s and %s", digests[0], d)
		}
	}
}

// served answers a request as a station with a runner does, and reads what it
// brought.
func served(t testing.TB, s *station.Station, now time.Time, r line.Request) line.Response {
	t.Helper()
	a, err := stationtest.Serve(ctx, s, now, r)
	if err != nil {
		t.Error(err)
	}
	return a
}
