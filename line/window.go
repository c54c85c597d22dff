package line

import (
	"math"
	"slices"
	"time"
)

const (
	// MaxWindow is the most bytes of entries that may await the counterpart's
	// cosignature: more would keep a FLASH behind it for too long even on a
	// fast line.
	MaxWindow = 1 << 20

	// WindowSpan is over how much busy time it is measured what a line carries,
	// and the most of it that may await a cosignature: a line by satellite needs
	// about so much under way to be used at all.
	WindowSpan = 2 * time.Second

	// LeastSpan is how much of what the line carries may await a cosignature
	// where answers come fast: a FLASH waits about so long behind what is under
	// way. Shorter, and each commit would hold fewer messages than it could.
	LeastSpan = 40 * time.Millisecond

	// spanTrips is how many of the shortest times to an answer may be under way.
	spanTrips = 3

	windowBuckets = 20
	windowBucket  = WindowSpan / windowBuckets

	// windowTrips is over how many answers the shortest time is taken.
	windowTrips = 16
)

// Window says how much may await the counterpart's cosignature. It measures
// what the line carried in the last seconds in which anything was under way;
// seconds without anything to carry tell nothing of a line and do not count.
// The zero value is a line of which nothing is known. It is not safe for
// concurrent use.
type Window struct {
	carried [windowBuckets]int64 // bytes receipted, by busy time, a ring
	busy    time.Duration        // busy time until since
	newest  int64                // the ring's newest bucket, busy time / windowBucket
	since   time.Time            // when the present busy time began; zero: nothing is under way
	asked   time.Time            // when what is under way was offered, or the last answer came
	trips   [windowTrips]time.Duration
	trip    int // answers so far
}

// Offered tells that entries await a cosignature at now. Repeating it while
// they do changes nothing.
func (w *Window) Offered(now time.Time) {
	if w.since.IsZero() {
		w.since, w.asked = now, now
	}
}

// Carried tells that a cosignature came at now over so many bytes of entries,
// and how many still await one.
func (w *Window) Carried(now time.Time, bytes, awaiting int64) {
	w.Offered(now)
	w.advance(now)
	w.carried[w.newest%windowBuckets] += max(bytes, 0)
	w.trips[w.trip%windowTrips] = max(now.Sub(w.asked), 0)
	w.trip++
	w.asked = now
	if awaiting <= 0 {
		w.since = time.Time{}
	}
}

// advance moves the busy time on to now and forgets what lies a span behind. A
// clock that went back moves nothing.
func (w *Window) advance(now time.Time) {
	if w.since.IsZero() {
		return
	}
	if d := now.Sub(w.since); d > 0 {
		w.busy += d
	}
	w.since = now
	at := int64(w.busy / windowBucket)
	for i := max(w.newest+1, at-windowBuckets+1); i <= at; i++ {
		w.carried[i%windowBuckets] = 0
	}
	w.newest = at
}

// Allowed returns how many bytes of entries may await a cosignature at now:
// what the line carries in the span of a few of its fastest answers, at most
// MaxWindow. It is zero where the line carried nothing; one entry may still go
// then.
func (w Window) Allowed(now time.Time) int64 {
	return min(w.carries(now)*int64(w.span()/time.Microsecond)/int64(WindowSpan/time.Microsecond), MaxWindow)
}

// span is how much of what the line carries may be under way.
func (w Window) span() time.Duration {
	if w.trip == 0 {
		return LeastSpan
	}
	shortest := slices.Min(w.trips[:min(w.trip, windowTrips)])
	return min(max(spanTrips*shortest, LeastSpan), WindowSpan)
}

// carries returns what the line carried in the last WindowSpan of busy time.
func (w Window) carries(now time.Time) int64 {
	w.advance(now)
	var sum int64
	for _, n := range w.carried {
		sum += n
	}
	if w.busy < WindowSpan {
		// Too little was measured: reckon from what was, no finer than a
		// millisecond, below which a clock's steps would show.
		sum = sum * int64(WindowSpan) / int64(max(w.busy, time.Millisecond))
	}
	return min(sum, math.MaxInt64/int64(WindowSpan/time.Microsecond))
}

// Open reports whether an entry of so many bytes may be appended while others
// of so many bytes await a cosignature. With none awaiting, one always may.
func (w Window) Open(now time.Time, awaiting, entry int64) bool {
	return awaiting <= 0 || awaiting+entry <= w.Allowed(now)
}

const (
	// leastPatience covers a round trip over a bad line and a slow disk at the
	// other end.
	leastPatience = 30 * time.Second

	// mostPatience lets a full deliver body pass a line of 1 kbit/s. Whether
	// the peer is there at all shows sooner: see Client.
	mostPatience = 4 * time.Hour

	// slowestLine is 1 kbit/s less what transport adds, in bytes a second.
	slowestLine = 100
)

// Patience returns how long to wait for the answer to a request of so many
// bytes, on its attempt-th sending from 1. It follows from what the line
// carried, and grows with each attempt so that a line that became slow does
// not make the same request fail for ever.
func (w Window) Patience(now time.Time, bytes int64, attempt int) time.Duration {
	rate := max(w.carries(now)*int64(time.Second/time.Microsecond)/int64(WindowSpan/time.Microsecond), slowestLine)
	// Four times what it should take: lines are not steady.
	d := leastPatience + 4*time.Duration(bytes)*time.Second/time.Duration(rate)
	for i := 1; i < attempt && d < mostPatience; i++ {
		d *= 2
	}
	return min(d, mostPatience)
}
