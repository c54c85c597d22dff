package line

import (
	"slices"
	"testing"
	"time"
)

// covers P2: a FLASH never waits long behind what is under way, and a window
// that is shut opens again by itself.
func TestWindow(t *testing.T) {
	var w Window
	now := start
	if !w.Open(now, 0, MaxEntry) || w.Open(now, 1, 1) {
		t.Error("a line of which nothing is known takes one entry at a time")
	}
	// A fast line: 4 KiB in 4 ms.
	for range 3 {
		w.Offered(now)
		now = now.Add(4 * time.Millisecond)
		w.Carried(now, 4<<10, 0)
		now = now.Add(time.Hour) // nothing to carry: tells nothing of the line
	}
	if got := w.Allowed(now); got != 40<<10 { // a MiB a second, for LeastSpan
		t.Errorf("a fast line allows %d", got)
	}
	// Then the line is cut with something under way.
	w.Offered(now)
	if got := w.Allowed(now.Add(time.Second)); got != 3*4<<10*2000/1012*int64(LeastSpan)/int64(WindowSpan) {
		t.Errorf("a second after the cut it allows %d", got)
	}
	if now = now.Add(WindowSpan + time.Second); w.Allowed(now) != 0 || w.Open(now, 1, 1) || !w.Open(now, 0, MaxEntry) {
		t.Errorf("a cut line allows %d", w.Allowed(now))
	}
	// And is slow afterwards: 1 kbit/s, one entry of 1 KiB in eight seconds.
	now = now.Add(8 * time.Second)
	w.Carried(now, 1<<10, 1<<10)
	for range 10 {
		now = now.Add(8 * time.Second)
		if got := w.Allowed(now); got > 1<<10 {
			t.Fatalf("a slow line allows %d", got)
		}
		w.Carried(now, 1<<10, 1<<10)
	}
}

// A line whose answers take two seconds is used all the same: all that it
// carries in them may be under way.
// covers P2
func TestWindowOfASlowAnswer(t *testing.T) {
	var w Window
	now := start
	for range 5 {
		w.Offered(now)
		now = now.Add(WindowSpan)
		w.Carried(now, 100<<10, 0)
	}
	if got := w.Allowed(now); got != 100<<10 {
		t.Errorf("it allows %d", got)
	}
	for range windowBuckets + windowTrips {
		w.Offered(now)
		now = now.Add(100 * time.Millisecond)
		w.Carried(now, 10<<10, 0)
	}
	if got, want := w.Allowed(now), int64(100<<10)*3*100/1000; got > want || got < want*3/4 {
		t.Errorf("once answers take a tenth of a second it allows %d, of %d carried in three", got, want)
	}
}

// The ring against a list of all that was ever carried.
func TestWindowAgainstAList(t *testing.T) {
	var w Window
	type carried struct {
		busy  time.Duration
		bytes int64
	}
	var all []carried
	now, busy := start, time.Duration(0)
	var trips []time.Duration
	for i := range 3000 {
		w.Offered(now)
		d := time.Duration(i*7919%700) * time.Millisecond
		now, busy = now.Add(d), busy+d
		bytes := int64(i * 104729 % 5000)
		w.Carried(now, bytes, int64(i%2))
		trips = append(trips, d)
		all = append(all, carried{busy, bytes})
		if i%2 == 0 {
			now = now.Add(time.Minute)
		}
		if busy < WindowSpan {
			continue
		}
		var want int64
		for _, c := range all {
			if int64(c.busy/windowBucket) > int64(busy/windowBucket)-windowBuckets {
				want += c.bytes
			}
		}
		span := min(max(3*slices.Min(trips[max(0, len(trips)-windowTrips):]), LeastSpan), WindowSpan)
		want = want * int64(span/time.Microsecond) / int64(WindowSpan/time.Microsecond)
		if got := w.Allowed(now); i%2 == 0 && got != min(want, MaxWindow) {
			t.Fatalf("after %d: %d allowed, want %d", i, got, want)
		}
	}
}

func TestWindowWithABadClock(t *testing.T) {
	var w Window
	w.Offered(start)
	w.Carried(start.Add(time.Second), 1000, 1)
	w.Carried(start.Add(-365*24*time.Hour), 1000, 1)
	w.Carried(start.Add(365*24*time.Hour), 1000, 0)
	if got := w.Allowed(start); got != 1000*int64(LeastSpan)/int64(WindowSpan) {
		t.Errorf("after leaps of a year it allows %d", got)
	}
}

func TestPatience(t *testing.T) {
	var w Window
	if d := w.Patience(start, MaxEntry, 1); d < 10*time.Minute || d > mostPatience {
		t.Errorf("for one entry on an unknown line: %s", d)
	}
	if a, b := w.Patience(start, 1000, 1), w.Patience(start, 1000, 3); b != 4*a {
		t.Errorf("a third attempt waits %s after %s", b, a)
	}
	if d := w.Patience(start, MaxDelivery, 1000); d != mostPatience {
		t.Errorf("at most: %s", d)
	}
}
