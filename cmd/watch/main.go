// Command watch plays days of two manned stations in the simulator: three shifts
// a day, a line test every hour, officers who draft, answer, acknowledge and hand
// over, and what happens to lines and machines meanwhile. It ends with a line
// that says whether an alarm told of everything that was wrong, and whether both
// sides say the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"detente/simulate"
)

// mostMemory is what a month is to be played in. Two stations, their stores and
// what the oracle remembers come to half of it; the rest is room for what is
// thrown away.
const mostMemory = 700 << 20

func main() {
	debug.SetMemoryLimit(mostMemory)
	days := flag.Int("days", 30, "how many days each world has")
	first := flag.Uint64("first", 1, "the first seed")
	seeds := flag.Uint64("seeds", 1, "how many worlds to run")
	flag.Parse()
	if err := run(os.Stdout, *days, *first, *seeds); err != nil {
		fmt.Printf("watch: %v\n", err)
		os.Exit(1)
	}
}

// run plays worlds one after the other, and stops at the first promise that does
// not hold.
func run(out io.Writer, days int, first, seeds uint64) error {
	if days < 1 || seeds < 1 {
		return errors.New("there is nothing to play: give a day and a seed at least")
	}
	var all simulate.Result
	for seed := first; seed < first+seeds; seed++ {
		r, err := simulate.Run(context.Background(), simulate.Options{Seed: seed, Length: time.Duration(days) * 24 * time.Hour, Manned: true})
		if r.Missed > 0 {
			fmt.Fprintf(out, "watch: seed=%d: %d conditions of %d were announced by no alarm in time\n", seed, r.Missed, r.Conditions)
		}
		if err != nil {
			return err
		}
		if r.Messages == 0 || r.Tests == 0 || r.Alarms == 0 || r.Conditions == 0 || r.Equal == 0 {
			return fmt.Errorf("seed=%d: a watch on which nothing happens proves nothing", seed)
		}
		tell(out, seed, days, r)
		all.Messages += r.Messages
		all.Tests += r.Tests
		all.Alarms += r.Alarms
		all.Missed += r.Missed
	}
	// Where the two sides differed the run has ended with the promise that broke.
	fmt.Fprintf(out, "watch: ok messages=%d tests=%d alarms=%d missed=%d equal=yes\n", all.Messages, all.Tests, all.Alarms, all.Missed)
	return nil
}

// tell says what happened in a world, for people.
func tell(out io.Writer, seed uint64, days int, r simulate.Result) {
	fmt.Fprintf(out, "seed %d, %d days: %d messages, %d line tests, %d handovers signed, %d of them refused first since a FLASH was unread\n", seed, days, r.Messages, r.Tests, r.Handovers, r.Unread)
	fmt.Fprintf(out, "  %d conditions that the oracle saw, each told of by an alarm in time; the sides compared %d times\n", r.Conditions, r.Equal)
	fmt.Fprintf(out, "  %d bundles of indicators shared and %d objects judged, %d days of leave taken at short notice\n", r.Shared, r.Judged, r.DaysOff)
	for _, k := range slices.Sorted(maps.Keys(r.Seen)) {
		fmt.Fprintf(out, "    %4d  %s\n", r.Seen[k], k)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Kinds)) {
		fmt.Fprintf(out, "  happened %4d times: %s\n", r.Kinds[k], k)
	}
}
