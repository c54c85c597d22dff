package station_test

import (
	"slices"
	"testing"
	"time"

	"detente/message"
	"detente/station/stationtest"
	"detente/watch"
)

// What takes one message of each side, such as the end of a claim, waits for no
// third: the second is to be understood, and is then done with.
func TestNoThirdIsWaitedFor(t *testing.T) {
	w := newWatch(t)
	waits := func(e stationtest.End, after time.Duration) bool {
		t.Helper()
		n, err := e.WatchNow(ctx, stationtest.Operator(), at(after))
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(n.Sheet.Unacked, func(i watch.OpenItem) bool { return i.What == "273" })
	}
	closing := []string{"outcome=settled", "publishable=no"}
	claim := w.say(w.a, time.Minute, "270", nil, alleged...)
	w.say(w.b, time.Hour, "271", []message.ID{claim}, "facts=fact=1;answer=not-ours", "facts=fact=2;answer=partly")
	first := w.say(w.a, 2*time.Hour, "273", []message.ID{claim}, closing...)
	w.say(w.b, 3*time.Hour, "012", []message.ID{first}, "state=UND", "received="+at(3*time.Hour).Format(time.RFC3339), "role=watch")
	if !waits(w.b, 3*time.Hour+2*time.Minute) {
		t.Error("the first is understood and not answered, and nothing waits")
	}
	second := w.say(w.b, 4*time.Hour, "273", []message.ID{claim, first}, closing...)
	if waits(w.b, 4*time.Hour+2*time.Minute) || !waits(w.a, 4*time.Hour+2*time.Minute) {
		t.Error("the first is answered and waits, or the second came and nobody is told")
	}
	w.say(w.a, 5*time.Hour, "012", []message.ID{second}, "state=UND", "received="+at(5*time.Hour).Format(time.RFC3339), "role=watch")
	if waits(w.a, 5*time.Hour+2*time.Minute) {
		t.Error("the second is understood, and a third is waited for")
	}
}
