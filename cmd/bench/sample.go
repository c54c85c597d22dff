package main

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sample is what a series of messages took.
type sample struct {
	took []time.Duration // of each message
	wall time.Duration   // of the series
	cpu  time.Duration   // of all processes at work
}

// add puts another series of the same kind to it.
func (s *sample) add(o sample) {
	s.took = append(s.took, o.took...)
	s.wall += o.wall
	s.cpu += o.cpu
}

// percentile returns the time that a share of the messages did not exceed.
func (s sample) percentile(p float64) time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.took))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

func (s sample) perSecond() float64 { return float64(len(s.took)) / s.wall.Seconds() }

func (s sample) cpuPerMessage() float64 {
	return float64(s.cpu.Microseconds()) / float64(max(len(s.took), 1))
}

// inParallel does something so many times, some at once, and takes the time of
// each.
func inParallel(atOnce, times int, do func(i int) error) (sample, error) {
	s := sample{took: make([]time.Duration, times)}
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make([]error, atOnce)
	began := time.Now()
	for w := range atOnce {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < times; i = int(next.Add(1) - 1) {
				from := time.Now()
				if failed[w] = do(i); failed[w] != nil {
					return
				}
				s.took[i] = time.Since(from)
			}
		})
	}
	wg.Wait()
	s.wall = time.Since(began)
	return s, errors.Join(failed...)
}
