package api

import (
	"time"

	"detente/station"
	"detente/watch"
)

// LineHistory is what the record shows of a line in a span.
type LineHistory struct {
	Line         string       `json:"line"`
	From         time.Time    `json:"from"`
	To           time.Time    `json:"to"`
	EverySeconds int64        `json:"every_seconds" doc:"between tests by schedule; 0: there are none"`
	Phase        string       `json:"phase" doc:"by both sides' acts: unopened, in-service, held"`
	Sent         int          `json:"sent" doc:"tests in the record, by hand among them"`
	Expected     int          `json:"expected" doc:"tests that were due, less those of planned outages and holds and those that still have time"`
	Answered     int          `json:"answered"`
	Available    int          `json:"available" doc:"answered of expected, in thousandths"`
	MedianMs     int64        `json:"median_ms" doc:"from sending to the receipt of the read-back"`
	WorstMs      int64        `json:"worst_ms"`
	Strip        string       `json:"strip" doc:"a mark for each test that was due: # answered, + late, ? wrong, - not answered, . missed, p planned outage, x unplanned outage, h on hold, blank pending"`
	Silent       []SpanShown  `json:"silent" doc:"from a failed test to the next that was answered"`
	Outages      []Outage     `json:"outages"`
	Tests        []TestResult `json:"tests" doc:"that were due"`
	By           []TestSent   `json:"sent_tests"`
}

// SpanShown is a span; without an end it goes on.
type SpanShown struct {
	From time.Time  `json:"from"`
	To   *time.Time `json:"to,omitempty"`
}

// Outage is an outage that a side told of.
type Outage struct {
	By          string     `json:"by"`
	Bearers     []string   `json:"bearers"`
	Planned     bool       `json:"planned"`
	From        time.Time  `json:"from"`
	To          *time.Time `json:"to,omitempty"`
	ShortNotice bool       `json:"short_notice,omitempty"`
}

// TestResult is a test that was due, and what became of it.
type TestResult struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	State  string    `json:"state"`
	TookMs int64     `json:"took_ms,omitempty"`
}

// TestSent is a test that was sent.
type TestSent struct {
	For      time.Time  `json:"for"`
	By       string     `json:"by"`
	Sent     time.Time  `json:"sent"`
	Received *time.Time `json:"received,omitempty"`
	Answered *time.Time `json:"answered,omitempty"`
	Person   string     `json:"person,omitempty" doc:"who read it back; absent: no person did"`
	Good     bool       `json:"good" doc:"what was read back is what was sent"`
}

func shownHistory(h station.History) LineHistory {
	s := h.Statistics
	w := LineHistory{Line: h.Line.String(), From: s.From.UTC(), To: s.To.UTC(), EverySeconds: int64(h.Interval / time.Second), Phase: string(h.State.Phase),
		Sent: s.Sent, Expected: s.Expected, Answered: s.Answered, Available: s.Available(), MedianMs: s.Median.Milliseconds(), WorstMs: s.Worst.Milliseconds(),
		Strip: s.Strip, Silent: []SpanShown{}, Outages: []Outage{}, Tests: []TestResult{}, By: []TestSent{}}
	if w.Phase == "" {
		w.Phase = string(watch.LineUnopened)
	}
	for _, q := range s.Silent {
		w.Silent = append(w.Silent, SpanShown{q.From.UTC(), optional(q.To)})
	}
	for _, o := range h.Outages {
		w.Outages = append(w.Outages, Outage{By: string(o.By), Bearers: o.Bearers, Planned: o.Planned, From: o.From.UTC(), To: optional(o.To), ShortNotice: o.ShortNotice()})
	}
	for _, r := range s.Results {
		w.Tests = append(w.Tests, TestResult{At: r.At.UTC(), By: string(r.By), State: string(r.State), TookMs: r.Took.Milliseconds()})
	}
	for _, t := range h.Tests {
		w.By = append(w.By, TestSent{For: t.For, By: string(t.By), Sent: t.Sent.UTC(), Received: optional(t.Received), Answered: optional(t.Answered), Person: t.Person, Good: t.Good})
	}
	return w
}
