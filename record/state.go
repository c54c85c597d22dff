package record

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"slices"
	"strings"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/treaty"
)

// stateForm names the form of a state file.
const stateForm = "detente/state/v1"

// LineState is where everything on a line stands as of a second, by the record alone:
// matters with their duties, agreements with what is owed by them, guarantees,
// tension. It is what a state file holds. Whoever has the same record, the two
// stations and an arbiter, writes the same bytes.
type LineState struct {
	Form       string           `json:"form"`
	Line       string           `json:"line"`
	At         string           `json:"at"`
	Logs       []Received       `json:"logs"`   // by name
	Digest     string           `json:"digest"` // of the matters, as both sides exchange it daily
	Dossiers   []jsontext.Value `json:"dossiers"`
	Tension    jsontext.Value   `json:"tension"`
	Agreements []jsontext.Value `json:"agreements"` // of each text that anybody signed
	Guarantees []jsontext.Value `json:"guarantees"`
}

// Received is how much of a log was received by a second.
type Received struct {
	Log  string `json:"log"`
	Size int64  `json:"size"`
}

// Stands is what a state is written from, all of it as of one second.
type Stands struct {
	Line       identity.Line
	At         time.Time
	Received   map[identity.Origin]int64 // entries of each log that were received
	Whole      dossier.Whole
	Tension    dossier.Tension
	Agreements []treaty.Standing
	Guarantees []treaty.Exchanged
}

// LineStateOf writes down where everything stands.
func LineStateOf(s Stands) LineState {
	out := LineState{Form: stateForm, Line: s.Line.String(), At: stamp(s.At), Digest: s.Whole.Digest().String(), Tension: s.Tension.JSON()}
	for o, size := range s.Received {
		if size > 0 {
			out.Logs = append(out.Logs, Received{o.String(), size})
		}
	}
	slices.SortFunc(out.Logs, func(a, b Received) int { return strings.Compare(a.Log, b.Log) })
	for _, d := range s.Whole.Dossiers {
		out.Dossiers = append(out.Dossiers, d.JSON())
	}
	for _, a := range s.Agreements {
		out.Agreements = append(out.Agreements, a.JSON())
	}
	for _, g := range s.Guarantees {
		out.Guarantees = append(out.Guarantees, g.JSON())
	}
	return out
}

// Bytes returns the state file: the canonical form of RFC 8785.
func (s LineState) Bytes() []byte {
	text, err := json.Marshal(s, json.Deterministic(true))
	if err == nil {
		err = (*jsontext.Value)(&text).Canonicalize()
	}
	if err != nil {
		panic("internal error: " + err.Error()) // texts, numbers, and values that are canonical
	}
	return text
}
