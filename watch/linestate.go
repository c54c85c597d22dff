package watch

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// LinePhase says whether a line is in service.
type LinePhase string

// The phases of a line. Each is a code with a text in six languages.
const (
	LineUnopened  LinePhase = "unopened" // never yet taken into service by both
	LineInService LinePhase = "in-service"
	LineOnHold    LinePhase = "held"
)

// LinePhases returns all phases.
func LinePhases() []LinePhase { return []LinePhase{LineUnopened, LineInService, LineOnHold} }

// lineActs says which act of format 026 leads from which phase to which. An act
// that stands in no row of its phase has no effect.
var lineActs = map[LinePhase]map[string]LinePhase{
	LineUnopened:  {"in-service": LineInService},
	LineInService: {"held": LineOnHold},
	LineOnHold:    {"restored": LineInService},
}

// LineAct is one side's act.
type LineAct struct {
	By      identity.Station
	Message message.ID
	State   string // of the list line_state: in-service, held, restored
	Basis   string // of the list line_basis
	From    time.Time
	Said    time.Time // its receipt
}

// LineState is where a line stands by both sides' acts.
type LineState struct {
	Phase   LinePhase
	Since   time.Time // when the second side's act made it so; zero while unopened
	Asked   []LineAct // acts that wait for the same from the other side, at most one a side
	Void    []LineAct // acts that had no effect when they were said
	Holds   []Span    // when it was on hold; the last has no end while it is
	Entered []LineAct // the pair of acts that led here; empty while unopened
}

type lineParams struct {
	Basis   string `json:"basis"`
	From    string `json:"from"`
	Line    string `json:"line"`
	Remarks string `json:"remarks,omitempty"`
	State   string `json:"state"`
}

// FoldLine tells where a line stands from the acts of format 026 in a record.
// Nothing happens on one side's word: an act waits for the same act of the
// other side, and both take effect at the later of their two times and
// receipts. A hold is no end: messages, tests and duties go on.
func FoldLine(record []Said, line identity.Line) LineState {
	s := LineState{Phase: LineUnopened}
	for _, m := range record {
		if m.Body.Format != "026" || !line.Has(m.Body.From) {
			continue
		}
		var w lineParams
		var p stamps
		if readParams(m.Body, &w) != nil || w.Line != line.String() {
			continue
		}
		a := LineAct{By: m.Body.From, Message: m.Body.ID, State: w.State, Basis: w.Basis, From: p.read("from", w.From), Said: m.Received}
		if p.err == nil {
			s = s.act(a)
		}
	}
	return s
}

func (s LineState) act(a LineAct) LineState {
	to, ok := lineActs[s.Phase][a.State]
	if !ok {
		s.Void = append(slices.Clone(s.Void), a)
		return s
	}
	asked := slices.DeleteFunc(slices.Clone(s.Asked), func(o LineAct) bool { return o.By == a.By })
	i := slices.IndexFunc(asked, func(o LineAct) bool { return o.State == a.State })
	if i < 0 {
		s.Asked = append(asked, a)
		return s
	}
	other := asked[i]
	at := later(later(a.From, other.From), later(a.Said, other.Said))
	s.Holds = slices.Clone(s.Holds)
	if s.Phase == LineOnHold {
		s.Holds[len(s.Holds)-1].To = at
	}
	if to == LineOnHold {
		s.Holds = append(s.Holds, Span{From: at})
	}
	s.Phase, s.Since, s.Entered, s.Asked = to, at, []LineAct{other, a}, nil
	return s
}

// Held returns the spans in which the line was on hold, the last one up to a
// time where it still is.
func (s LineState) Held(now time.Time) []Span {
	out := slices.Clone(s.Holds)
	if n := len(out); n > 0 && out[n-1].To.IsZero() {
		out[n-1].To = later(now.Add(time.Second), out[n-1].From)
	}
	return out
}
