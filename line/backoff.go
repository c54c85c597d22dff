package line

import "time"

// Random is the source of jitter. *rand.Rand of math/rand/v2 is one.
type Random interface {
	// Int64N returns a number from 0 up to and without n, which is positive.
	Int64N(n int64) int64
}

// firstBackoff is the wait after a first failure: longer than a round trip
// round the world, too short to be noticed.
const firstBackoff = 250 * time.Millisecond

// backoff returns how long to wait after so many failures in a row, from 1:
// doubling, never above MaxBackoff, and up to half of it taken off at random so
// that stations cut off together do not return together.
func backoff(failures int, random Random) time.Duration {
	d := firstBackoff
	for i := 1; i < failures && d < MaxBackoff; i++ {
		d *= 2
	}
	d = min(d, MaxBackoff)
	return d - time.Duration(random.Int64N(int64(d/2)+1))
}
