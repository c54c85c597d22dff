package treaty

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Limits and customs of elections. The customs are ours: who declares a window may
// name others.
const (
	MaxVotingDays = 64
	maxRounds     = 9
)

var (
	opensBefore = Period{Seconds: 30 * dayS} // a window, before the first voting day
	coreBefore  = Period{Seconds: 3 * dayS}
	coreAfter   = Period{Seconds: 10 * dayS} // after the last, where no certification is named
)

// VotingDay is a day on which polls are open, in a zone.
type VotingDay struct {
	Day   Date
	Zone  *time.Location
	Round int // the first is 1; a run-off is the next
}

// Election is a calendar of a vote: its days, in as many zones as it has.
type Election struct {
	Days      []VotingDay
	Certified time.Time // by when the result is certified; zero: it is not said
}

// ErrElection is what a calendar of no possible vote is refused with.
var ErrElection = errors.New("no such election")

// Span is a time from one second until another, which is no part of it.
type Span struct{ From, Until time.Time }

// Windows returns the window that a calendar asks for, and its core: over all
// zones and rounds, from 30 days and from 72 hours before the first second of
// voting, until certification, or ten days after the last second of voting.
func (e Election) Windows() (open, core Span, err error) {
	if len(e.Days) == 0 || len(e.Days) > MaxVotingDays {
		return open, core, fmt.Errorf("%w: it has %d voting days; 1 to %d are needed", ErrElection, len(e.Days), MaxVotingDays)
	}
	var first, last time.Time
	rounds := make(map[int]Span)
	for i, d := range e.Days {
		switch {
		case d.Zone == nil || d.Round < 1 || d.Round > maxRounds:
			return open, core, fmt.Errorf("%w: voting day %d has no zone, or no round from 1 to %d", ErrElection, i+1, maxRounds)
		case slices.IndexFunc(e.Days, func(o VotingDay) bool { return o.Day == d.Day && o.Zone.String() == d.Zone.String() }) != i:
			return open, core, fmt.Errorf("%w: voting day %d stands twice", ErrElection, i+1)
		}
		from, until := d.Day.In(d.Zone)
		if i == 0 || from.Before(first) {
			first = from
		}
		if until.After(last) {
			last = until
		}
		r, known := rounds[d.Round]
		if !known || from.Before(r.From) {
			r.From = from
		}
		if until.After(r.Until) {
			r.Until = until
		}
		rounds[d.Round] = r
	}
	for n := 2; n <= maxRounds; n++ {
		r, is := rounds[n]
		if before, was := rounds[n-1]; is && (!was || r.From.Before(before.Until)) {
			return open, core, fmt.Errorf("%w: round %d does not come after round %d", ErrElection, n, n-1)
		}
	}
	end := coreAfter.After(last)
	if !e.Certified.IsZero() {
		if e.Certified.Before(last) {
			return open, core, fmt.Errorf("%w: the result would be certified before the vote ends", ErrElection)
		}
		end = e.Certified
	}
	return Span{opensBefore.Before(first), end}, Span{coreBefore.Before(first), end}, nil
}

// Silence returns the silence before a voting day: so many whole days of its own
// zone, until polls open, or, through, until the day ends.
func (d VotingDay) Silence(days int, through bool) Span {
	before := time.Date(d.Day.Year, d.Day.Month, d.Day.Day-days, 0, 0, 0, 0, time.UTC)
	from, _ := Date{before.Year(), before.Month(), before.Day()}.In(d.Zone)
	open, until := d.Day.In(d.Zone)
	if !through {
		until = open
	}
	return Span{from, until}
}
