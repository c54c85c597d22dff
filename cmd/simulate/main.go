// Command simulate runs the simulator over a range of seeds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"detente/simulate"
)

func main() {
	seeds := flag.Uint64("seeds", 200, "how many worlds to run")
	first := flag.Uint64("first", 1, "the first seed")
	length := flag.Duration("length", 12*time.Hour, "the troubled time of each world")
	month := flag.Bool("month", false, "run one seed for a month of a line: twenty messages a day, hourly tests, troubles")
	flag.Parse()
	if err := run(*seeds, *first, *length, *month); err != nil {
		fmt.Printf("simulate: %v\n", err)
		os.Exit(1)
	}
}

func run(seeds, first uint64, length time.Duration, month bool) error {
	var messages, faults int
	if month {
		seeds = 1
	}
	for seed := first; seed < first+seeds; seed++ {
		// The counterpart of every fourth world lies.
		o := simulate.Options{Seed: seed, Length: length, Messages: 60, Tests: time.Hour, Faults: true, Liar: seed%4 == 0 && !month}
		if month {
			o.Length, o.Messages = 30*24*time.Hour, 20
		}
		r, err := simulate.Run(context.Background(), o)
		if err != nil {
			return err
		}
		if r.Messages == 0 {
			return errors.New("a world in which nothing was said proves nothing")
		}
		messages += r.Messages
		faults += r.Faults
	}
	fmt.Printf("simulate: ok seeds=%d messages=%d faults=%d\n", seeds, messages, faults)
	return nil
}
