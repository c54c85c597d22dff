package station_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"detente/message"
	"detente/station"
	"detente/watch"
)

// A counterpart that takes the ids which line, station and slot alone would give
// keeps no test from being sent: nobody can foretell the id.
// covers P16
func TestTestIDsCannotBeTaken(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Tests: true}, station.Watch{}, time.Hour)
	for _, by := range []string{string(arden), string(bor)} {
		for slot := range 3 {
			sum := sha256.Sum256([]byte("detente/line-test/v1\x00" + g.line.String() + "\x00" + by + "\x00" + start.Add(time.Duration(slot)*time.Hour).Format(time.RFC3339)))
			if _, err := g.b.Say(ctx, g.now, station.Draft{ID: message.ID(sum[:16]), Line: g.line, Format: "600"}, "text=first come"); err != nil {
				t.Fatal(err)
			}
		}
	}
	g.to(g.now)
	g.walk(start.Add(2 * time.Minute))
	if got := g.tests(g.a); len(got) != 1 || !got[0].For.Equal(start) || got[0].Received.IsZero() {
		t.Fatalf("Arden has sent %+v", got)
	}
	g.readBack(g.b)
	g.walk(start.Add(12 * time.Minute))
	g.stands(g.a, watch.MissedTest, false)
}
