package simulate

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// options are how the tests run a seed: some hours of a line that is much used.
func options(seed uint64) Options {
	return Options{Seed: seed, Length: 6 * time.Hour, Messages: 60, Tests: time.Hour, Faults: true}
}

// Two honest stations under all troubles, and one beside a liar. The oracles say
// what does not hold.
// covers P1 P2 P3 P4 P5 P6 P8 P10 P11 P15
func TestWorlds(t *testing.T) {
	for seed := range uint64(4) {
		o := options(9000 + seed)
		o.Liar = seed%2 == 1
		t.Run(fmt.Sprintf("seed=%d", o.Seed), func(t *testing.T) {
			r, err := Run(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Messages == 0 || r.Receipts == 0 || r.Faults == 0 {
				t.Errorf("a world in which nothing happens proves nothing: %+v", r)
			}
		})
	}
}

// A seed fixes order, times and outcomes, though every key and every sealed byte
// differs.
func TestSeedRepeats(t *testing.T) {
	o := options(9100)
	one, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(one) != fmt.Sprint(two) {
		t.Errorf("one seed came to\n%v and to\n%v", one, two)
	}
}

// A month of a line, with its hourly tests, twenty messages a day from each side
// and all troubles, in seconds. The figure is printed.
// covers P1 P2 P10
func TestMonth(t *testing.T) {
	if testing.Short() {
		t.Skip("a month takes a while")
	}
	begun := time.Now()
	r, err := Run(context.Background(), Options{Seed: 9200, Length: 30 * 24 * time.Hour, Messages: 20, Tests: time.Hour, Faults: true})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	t.Logf("30 days of a line: %d messages, %d receipts, %d faults, in %s: %.0f times as fast", r.Messages, r.Receipts, r.Faults, took.Round(time.Millisecond), float64(30*24*time.Hour)/float64(took))
	if r.Messages < 30*24*2 {
		t.Errorf("%d messages are fewer than the line's tests alone", r.Messages)
	}
}

// Two stations keep watch over a line that is cut, one way or both, for minutes
// and hours, and are started anew in between. What the oracle sees of silence,
// missed tests and withheld receipts, an alarm tells in time.
// covers P16
func TestWatchWorlds(t *testing.T) {
	for seed := range uint64(2) {
		o := Options{Seed: 9300 + seed, Length: 18 * time.Hour, Messages: 20, Watch: true}
		t.Run(fmt.Sprintf("seed=%d", o.Seed), func(t *testing.T) {
			r, err := Run(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Conditions == 0 || r.Faults == 0 || r.Messages == 0 {
				t.Errorf("a world in which nothing is wrong proves nothing: %+v", r)
			}
			t.Logf("%d messages, %d looks at what was wrong, %d faults", r.Messages, r.Conditions, r.Faults)
		})
	}
}
