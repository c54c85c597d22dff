package watch

import (
	"fmt"
	"slices"
	"time"

	"detente/identity"
)

// Schedule says when a line is tested and by whom: each interval once, in turn,
// so that with an hour between, the first station by name tests on even hours
// and the other one on odd hours.
type Schedule struct {
	Line     identity.Line
	Interval time.Duration // if zero, an hour
	Grace    time.Duration // within which a test must have come and been answered; if zero, DefaultGrace
	Bearers  []string      // of the line; tests are excused only while all are out
}

// DefaultGrace is what a test has to be sent, received and read back: five
// minutes for each of the two.
const DefaultGrace = 10 * time.Minute

func (s Schedule) interval() time.Duration {
	if s.Interval < time.Minute {
		return time.Hour
	}
	return s.Interval.Truncate(time.Second)
}

// Within returns the grace.
func (s Schedule) Within() time.Duration {
	if s.Grace <= 0 {
		return DefaultGrace
	}
	return s.Grace
}

// Due is a test that the schedule asks for.
type Due struct {
	At time.Time
	By identity.Station
}

// maxDue bounds how many tests are listed at once: hourly ones of ten years.
const maxDue = 100_000

// Due returns the tests that fall into a span, in order; the first 100,000 of
// them.
func (s Schedule) Due(in Span) []Due {
	every := int64(s.interval() / time.Second)
	n := (max(in.From.Unix(), 0) + every - 1) / every
	var out []Due
	for ; len(out) < maxDue; n++ {
		at := time.Unix(n*every, 0).UTC()
		if !at.Before(in.To) {
			return out
		}
		by := s.Line.A
		if n%2 == 1 {
			by = s.Line.B
		}
		out = append(out, Due{at, by})
	}
	return out
}

// Next returns the first test that is due at or after a time.
func (s Schedule) Next(at time.Time) Due {
	return s.Due(Span{at, at.Add(2 * s.interval())})[0]
}

// Test is a line test as the record shows it: format 010 and its answer 011.
type Test struct {
	For      time.Time // the hour that it is of
	By       identity.Station
	Sent     time.Time // the wrapper's second
	Received time.Time // the earliest receipt; zero: none
	Answered time.Time // the earliest receipt of its read-back; zero: none
	Person   string    // pseudonym of who read it back; empty: the machine did
	Good     bool      // what was read back is what was sent
}

// SlotState says what became of a test that was due.
type SlotState string

// The states of a test that was due. Each is a code with a text in six
// languages.
const (
	SlotAnswered  SlotState = "answered"
	SlotLate      SlotState = "answered-late"
	SlotGarbled   SlotState = "answered-wrong" // what was read back is not what was sent
	SlotNoAnswer  SlotState = "not-answered"
	SlotMissed    SlotState = "missed" // never sent, or never received
	SlotPlanned   SlotState = "planned-outage"
	SlotUnplanned SlotState = "unplanned-outage"
	SlotHeld      SlotState = "on-hold"
	SlotPending   SlotState = "pending" // its grace is not over
)

// SlotStates returns all states.
func SlotStates() []SlotState {
	return []SlotState{SlotAnswered, SlotLate, SlotGarbled, SlotNoAnswer, SlotMissed, SlotPlanned, SlotUnplanned, SlotHeld, SlotPending}
}

// mark is the state's place in an availability strip.
func (s SlotState) mark() byte {
	return map[SlotState]byte{SlotAnswered: '#', SlotLate: '+', SlotGarbled: '?', SlotNoAnswer: '-', SlotMissed: '.', SlotPlanned: 'p', SlotUnplanned: 'x', SlotHeld: 'h', SlotPending: ' '}[s]
}

// failed reports whether the state counts against the line's availability.
func (s SlotState) failed() bool {
	return contains([]SlotState{SlotGarbled, SlotNoAnswer, SlotMissed, SlotUnplanned}, s)
}

// Result is one test that was due and what became of it.
type Result struct {
	Due
	State SlotState
	Took  time.Duration // from sending to the answer's receipt; zero: not answered
}

// Missed reports whether the result raises an alarm.
func (r Result) Missed() bool { return r.State.failed() }

// Statistics is what the record shows of a line's tests in a span.
type Statistics struct {
	Span
	Results  []Result
	Sent     int           // tests in the record, by hand among them
	Answered int           // of those that were due: in time or late, as sent
	Expected int           // due, less those of planned outages and holds and those still pending
	Median   time.Duration // time to answer; of an even number the lower of the middle two
	Worst    time.Duration
	Strip    string // one mark a test: # answered, + late, ? wrong, - not answered, . missed, p planned outage, x unplanned outage, h on hold, blank pending
	Silent   []Span // from the first failed test to the next that was answered
	Hours    Span   // of the strip: its first test and the end of its last
}

// Available is the answered part of the expected tests in thousandths, rounded
// down; 1000 where none was expected.
func (s Statistics) Available() int {
	if s.Expected == 0 {
		return 1000
	}
	return 1000 * s.Answered / s.Expected
}

// Measure computes a line's statistics in a span at a time. A test excuses its
// hour only if the station whose turn it was sent it. Tests that somebody sent
// by hand are counted as sent and timed, and excuse nobody.
func (s Schedule) Measure(in Span, tests []Test, outages []Outage, held []Span, now time.Time) (Statistics, error) {
	if !in.To.After(in.From) || in.To.Sub(in.From)/s.interval() > maxDue {
		return Statistics{}, fault("span", fmt.Sprintf("%s to %s holds no test, or more than %d", stamp(in.From), stamp(in.To), maxDue), "ask for less at once")
	}
	out := Statistics{Span: in}
	best := map[Due]Test{}
	var took []time.Duration
	for _, t := range tests {
		if !in.Has(t.Sent) && !in.Has(t.For) {
			continue
		}
		out.Sent++
		if d := t.Answered.Sub(t.Sent); !t.Answered.IsZero() && t.Good && d >= 0 {
			took = append(took, d)
		}
		k := Due{t.For.UTC(), t.By}
		if b, ok := best[k]; !ok || betterTest(t, b) {
			best[k] = t
		}
	}
	for _, d := range s.Due(in) {
		t, sent := best[d]
		r := Result{Due: d, State: s.state(d, t, sent, outages, held, now)}
		if sent && !t.Answered.IsZero() {
			r.Took = max(t.Answered.Sub(t.Sent), 0)
		}
		out.add(r)
	}
	if n := len(out.Results); n > 0 {
		out.Hours = Span{out.Results[0].At, out.Results[n-1].At.Add(s.interval())}
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		out.Median, out.Worst = took[(n-1)/2], took[n-1]
	}
	return out, nil
}

// betterTest says which of two tests of one hour counts: the one that was
// answered, first.
func betterTest(a, b Test) bool {
	if a.Good != b.Good {
		return a.Good
	}
	if a.Answered.IsZero() != b.Answered.IsZero() {
		return b.Answered.IsZero()
	}
	return a.Answered.Before(b.Answered)
}

// state says what became of one test that was due.
func (s Schedule) state(d Due, t Test, sent bool, outages []Outage, held []Span, now time.Time) SlotState {
	limit := d.At.Add(s.Within())
	answered := sent && !t.Answered.IsZero() && !t.Answered.After(now)
	if answered && t.Good {
		if t.Answered.After(limit) {
			return SlotLate
		}
		return SlotAnswered
	}
	down, planned := downAt(outages, s.Bearers, d.At)
	switch {
	case down && planned:
		return SlotPlanned
	case slices.ContainsFunc(held, func(h Span) bool { return h.Has(d.At) }):
		return SlotHeld
	case now.Before(limit):
		return SlotPending
	case answered:
		return SlotGarbled
	case down:
		return SlotUnplanned
	case sent && !t.Received.IsZero() && !t.Received.After(now):
		return SlotNoAnswer
	}
	return SlotMissed
}

// add takes one result into the counts. A silence goes on through outages and
// holds, which are no word from the other side, and ends with an answer.
func (s *Statistics) add(r Result) {
	s.Results = append(s.Results, r)
	s.Strip += string(r.State.mark())
	quiet := len(s.Silent) > 0 && s.Silent[len(s.Silent)-1].To.IsZero()
	switch {
	case r.State == SlotAnswered || r.State == SlotLate:
		s.Answered++
		s.Expected++
		if quiet {
			s.Silent[len(s.Silent)-1].To = r.At
		}
	case r.State.failed():
		s.Expected++
		if !quiet {
			s.Silent = append(s.Silent, Span{From: r.At})
		}
	}
}

// MissingReadBacks returns the shifts, of those given, in which no person read
// a test back: of each that is over, and of none that still has time.
func MissingReadBacks(tests []Test, by identity.Station, shifts []Span, now time.Time) []Span {
	var out []Span
	for _, s := range shifts {
		if now.Before(s.To) {
			continue
		}
		// by's watch reads back what the other side sent.
		if !slices.ContainsFunc(tests, func(t Test) bool { return t.By != by && t.Person != "" && t.Good && s.Has(t.Answered) }) {
			out = append(out, s)
		}
	}
	return out
}

// Spans returns the shifts of a roster that touch a span, in order, whoever is
// on. They are clipped to neither the span nor the roster.
func (r Roster) Spans(in Span) []Span {
	var out []Span
	for at := in.From.UTC().Truncate(day).Add(-day); at.Before(in.To); at = at.Add(day) {
		for _, s := range r.shifts() {
			span := Span{at.Add(s.Begin), at.Add(s.Begin + s.Length)}
			if span.overlaps(in) {
				out = append(out, span)
			}
		}
	}
	slices.SortFunc(out, func(a, b Span) int { return a.From.Compare(b.From) })
	return out
}
