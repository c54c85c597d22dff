package station_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// quotaPair is a line whose readers take little in a day.
type quotaPair struct {
	t    *testing.T
	a, b stationtest.End
	dir  string // of a
	line identity.Line
}

func newQuotaPair(t *testing.T) *quotaPair {
	t.Helper()
	ca, err := stationtest.NewCast(rand.Reader, start, "arden.example", "ARD", bor)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := stationtest.NewCast(rand.Reader, start, "boreal.example", "BOR", arden)
	if err != nil {
		t.Fatal(err)
	}
	q := &quotaPair{t: t, dir: t.TempDir()}
	q.a, q.b = open(t, start, ca, q.dir), open(t, start, cb, t.TempDir())
	t.Cleanup(func() {
		for _, e := range []stationtest.End{q.a, q.b} {
			if err := e.Close(start); err != nil {
				t.Error(err)
			}
		}
	})
	if err := stationtest.Introduce(ctx, start, q.a, q.b); err != nil {
		t.Fatal(err)
	}
	if q.line, err = identity.NewLine(arden, bor, identity.Notification); err != nil {
		t.Fatal(err)
	}
	terms := station.DefaultTerms()
	terms.Quota = 1 << 20
	for _, e := range []stationtest.End{q.a, q.b} {
		if err := e.OpenLine(ctx, start, q.line, terms); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

func (q *quotaPair) settle(now time.Time) {
	q.t.Helper()
	for _, e := range []stationtest.End{q.a, q.b} {
		if err := e.Tick(ctx, now); err != nil {
			q.t.Fatal(err)
		}
	}
	if err := stationtest.Settle(ctx, now, q.line, q.a, q.b); err != nil {
		q.t.Fatal(err)
	}
}

// restart closes the writer's station and opens it over the same files.
func (q *quotaPair) restart(now time.Time) stationtest.End {
	q.t.Helper()
	if err := q.a.Close(now); err != nil {
		q.t.Fatal(err)
	}
	q.a = open(q.t, now, q.a.Cast, q.dir)
	return q.a
}

// What the counterpart takes in a day is never used up by routine: a FLASH
// still passes, and what waits says why, goes on waiting after a restart, and
// leaves the next day.
// covers P2 P14
func TestQuotaLeavesRoomForFlash(t *testing.T) {
	q := newQuotaPair(t)
	a, b, l, settle := q.a, q.b, q.line, q.settle
	settle(start)
	now := start.Add(time.Minute)
	const said = 60 // of about 25 KB each, with two officers' approvals
	var last station.Outgoing
	for range said {
		var err error
		if last, err = a.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=routine"); err != nil {
			t.Fatal(err)
		}
		settle(now)
	}
	waits := func(e stationtest.End) (n int) {
		t.Helper()
		list, err := e.Queue(ctx, op, now, station.Waiting, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range list {
			if !strings.Contains(q.Reason, "takes in a day") {
				t.Errorf("a message waits and says %q", q.Reason)
			}
		}
		return len(list)
	}
	held := waits(a)
	if held == 0 || held == said {
		t.Fatalf("%d of %d messages wait for the quota", held, said)
	}

	a = q.restart(now)
	settle(now)
	if n := waits(a); n != held {
		t.Errorf("%d messages wait after a restart, and %d did before", n, held)
	}

	flash, err := a.Say(ctx, now, station.Draft{Line: l, Format: "222", Precedence: message.Flash},
		"activity=availability", "window=2026-11-23T13:00:00Z/2026-11-23T13:30:00Z", "assets=domain:grid.example", "certainty=likely")
	if err != nil {
		t.Fatal(err)
	}
	settle(now)
	if got, err := b.ReadMessage(ctx, op, now, flash.ID); err != nil || got.Problem != "" {
		t.Errorf("the FLASH did not pass: %+v, %v", got, err)
	}
	if n := waits(a); n != held {
		t.Errorf("%d messages wait after the FLASH, and %d did before", n, held)
	}

	tomorrow := now.Add(26 * time.Hour)
	for range held {
		settle(tomorrow)
	}
	if got, err := b.ReadMessage(ctx, op, tomorrow, last.ID); err != nil || got.Problem != "" {
		t.Errorf("the last message did not leave the next day: %+v, %v", got, err)
	}
}

// A card with new keys, put in place at a restart, reaches the counterpart by
// itself, once.
// covers P2
func TestNewCardReachesCounterpart(t *testing.T) {
	q := newQuotaPair(t)
	q.settle(start)
	now := start.Add(time.Hour)
	if _, _, err := q.a.Cast.NextEra(q.line.Log(arden, 1)); err != nil {
		t.Fatal(err)
	}
	q.restart(now)
	q.settle(now)
	peers, err := q.b.Peers(ctx, op)
	if err != nil || len(peers) != 1 {
		t.Fatalf("%v, %v", peers, err)
	}
	if string(peers[0].Bundle) != string(q.a.Cast.Bundle.Bytes()) {
		t.Error("the counterpart holds another card than the station's own")
	}
	if peers[0].State != station.PeerConfirmed && peers[0].State != station.PeerProven {
		t.Errorf("the peer is %q", peers[0].State)
	}
	trail, err := q.b.AuditTrail(ctx, op, now, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for _, l := range trail {
		if l.Act == "cards" {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("the audit trail notes %d new cards", taken)
	}
}

// A request that is repeated, since its answer was lost, counts once: an honest
// counterpart never runs into a quota that it did not use up, and a 503 that the
// day's bytes do not bear out would be withholding. Tiny entries do not make a
// station store without bound.
// covers P11 P14
func TestQuotaCountsWhatIsStored(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	if _, err := h.Say(ctx, now, station.Draft{Line: h.line, Format: "600"}, "text=good day"); err != nil {
		t.Fatal(err)
	}
	if least := h.least(); least < 4<<10 {
		t.Errorf("an honest entry has %d bytes: fewer than entries count for", least)
	}
	step, err := h.Step(ctx, now, h.line)
	if err != nil || step.Request == nil || step.Request.Op != line.OpDeliver {
		t.Fatalf("nothing is delivered: %+v, %v", step, err)
	}
	r := *step.Request
	r.Peer = h.Name()
	each := int64(len(r.Body))
	for i := range 2 * station.DefaultTerms().Quota / each {
		if a := served(t, v.Station, now, r); a.Status != 200 {
			t.Fatalf("repetition %d of one delivery is answered %d: %s", i, a.Status, a.Body)
		}
	}
	var many [][]byte
	for range station.DefaultTerms().Quota / (4 << 10) {
		many = append(many, []byte{1})
	}
	h.write(now, many...)
	for range 5 {
		meet(t, now, v, h)
	}
	if got, all := v.size(h.log()), h.size(h.log()); got == all {
		t.Errorf("all of %d tiny entries were taken in a day", all)
	}
}
