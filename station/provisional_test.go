package station_test

import (
	"strings"
	"testing"
	"time"

	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// alarms counts the alarms about a message.
func alarms(t *testing.T, e stationtest.End, id message.ID) (n int) {
	t.Helper()
	events, err := e.EventsAfter(ctx, op, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range events {
		if ev.Kind == "alarm" && ev.Ref == id.String() && strings.Contains(ev.Text, "PROVISIONAL") {
			n++
		}
	}
	return n
}

// A PROVISIONAL message that is neither confirmed nor withdrawn in time raises
// an alarm at both ends, by itself and once; one that is raises none.
// covers P16
func TestUnconfirmedAlarms(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	var ids []message.ID
	for range 2 {
		out := draft600(t, a, now, station.Draft{Line: l, Precedence: message.Flash})
		if err := a.Approve(ctx, now, out.ID, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := a.ReleaseAlone(ctx, op, now, out.ID); err != nil {
			t.Fatal(err)
		}
		arrives(t, l, a, b, now, out.ID)
		ids = append(ids, out.ID)
	}
	if _, err := a.Say(ctx, now, station.Draft{Line: l, Format: "018", Refs: ids[:1]}, "decision=confirm", "reason=reviewed"); err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{29 * time.Minute, 0}, {30 * time.Minute, 1}, {40 * time.Minute, 1}} {
		for _, e := range []stationtest.End{a, b} {
			if err := e.Tick(ctx, now.Add(c.after)); err != nil {
				t.Fatal(err)
			}
			if one, other := alarms(t, e, ids[0]), alarms(t, e, ids[1]); one != 0 || other != c.want {
				t.Errorf("%s after %s: %d and %d alarms, and 0 and %d are wanted", e.Name(), c.after, one, other, c.want)
			}
		}
	}
	checkLine(t, l, a, b)
}
