package treaty

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"time"

	"detente/message"
)

// standingJSON is an agreement's standing as it is written into a state file.
type standingJSON struct {
	Agreement   string            `json:"agreement"`
	Denounced   []denouncedJSON   `json:"denounced"`
	Ends        string            `json:"ends"`
	From        string            `json:"from"`
	Hash        string            `json:"hash"` // that was signed
	Held        bool              `json:"held"`
	InForce     bool              `json:"in_force"`
	Obligations []obligationState `json:"obligations"`
	OneSided    spanJSON          `json:"one_sided"`
	Phase       Phase             `json:"phase"`
	Refused     []refusalJSON     `json:"refused"`
	Signed      []signedJSON      `json:"signed"`
	Suspended   []suspendedJSON   `json:"suspended"`
	Term        int               `json:"term"`
	TermEnds    string            `json:"term_ends"`
	Text        string            `json:"text"` // in force, with its amendments
	Windows     []windowJSON      `json:"windows"`
}

type spanJSON struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type signedJSON struct {
	By       string `json:"by"`
	Message  string `json:"message"`
	Officer  string `json:"officer"`
	Received string `json:"received"`
}

type refusalJSON struct {
	Article string `json:"article"`
	Message string `json:"message"`
	Why     string `json:"why"`
}

type denouncedJSON struct {
	By        string `json:"by"`
	Ends      string `json:"ends"`
	Message   string `json:"message"`
	Received  string `json:"received"`
	Withdrawn string `json:"withdrawn"`
}

type suspendedJSON struct {
	Article string `json:"article"`
	By      string `json:"by"`
	From    string `json:"from"`
	Message string `json:"message"`
	Until   string `json:"until"`
}

type windowJSON struct {
	By        string   `json:"by"`
	Cancelled bool     `json:"cancelled"`
	Core      spanJSON `json:"core"`
	Election  string   `json:"election"`
	Open      spanJSON `json:"open"`
	Short     bool     `json:"short"`
}

// obligationState is an obligation with all that an arbiter asks about it.
type obligationState struct {
	obligationJSON `json:",inline"`
	Done           int              `json:"done"`
	Extended       int              `json:"extended"`
	Flag           Flag             `json:"flag"`
	Formats        []message.Format `json:"formats"`
	LateSeconds    int64            `json:"late_seconds"`
	Needed         int              `json:"needed"`
	Next           []message.Format `json:"next"`
	Phase          Phase            `json:"phase"`
	Raise          string           `json:"raise"`
	Second         string           `json:"second"`
	Why            string           `json:"why"`
}

// guaranteeJSON is an exchange of notes as it is written into a state file.
type guaranteeJSON struct {
	By           string              `json:"by"`
	Ends         string              `json:"ends"`
	From         string              `json:"from"`
	Message      string              `json:"message"`
	OneSided     spanJSON            `json:"one_sided"`
	OnlyAnswered []string            `json:"only_answered"`
	OnlyOffered  []string            `json:"only_offered"`
	Reservations map[string][]string `json:"reservations"`
	State        GuaranteeState      `json:"state"`
	Undertakings []string            `json:"undertakings"`
	Why          string              `json:"why"`
}

// named writes an id; empty where there is none.
func named(id message.ID) string {
	if id == (message.ID{}) {
		return ""
	}
	return id.String()
}

// JSON returns the standing in the canonical form of RFC 8785. Both sides, and
// whoever has the record and the agreement's text, have the same bytes as of the
// same second.
func (st Standing) JSON() []byte {
	s := st.State
	out := standingJSON{
		Agreement: st.Name, Ends: stamp(s.Ends), From: stamp(s.From), Hash: st.Text.String(), Held: st.Held, InForce: s.InForce,
		OneSided: spanJSON{stamp(st.OneSidedFrom), stamp(st.OneSidedUntil)}, Phase: s.Phase, Term: s.Term, TermEnds: stamp(s.TermEnds), Text: s.Text.String(),
	}
	for _, x := range st.Signed {
		out.Signed = append(out.Signed, signedJSON{string(x.By), x.Message.String(), x.Certificate.Pseudonym, stamp(x.Received)})
	}
	for _, r := range st.Refused {
		out.Refused = append(out.Refused, refusalJSON{"", r.Message.String(), r.Why})
	}
	for _, r := range s.Refused {
		out.Refused = append(out.Refused, refusalJSON{r.Article, r.Message.String(), r.Why})
	}
	for _, d := range s.Denounced {
		out.Denounced = append(out.Denounced, denouncedJSON{string(d.By), stamp(d.Ends), d.Message.String(), stamp(d.Received), stamp(d.Withdrawn)})
	}
	for _, x := range s.Suspended {
		out.Suspended = append(out.Suspended, suspendedJSON{x.Article, string(x.By), stamp(x.From), x.Message.String(), stamp(x.Until)})
	}
	for _, w := range s.Windows {
		out.Windows = append(out.Windows, windowJSON{string(w.By), w.Cancelled, spanJSON{stamp(w.CoreFrom), stamp(w.CoreTo)}, w.Election, spanJSON{stamp(w.From), stamp(w.To)}, w.Short})
	}
	for _, o := range s.Obligations {
		out.Obligations = append(out.Obligations, obligationState{
			obligationJSON: o.json(), Done: o.Done, Extended: o.Extended, Flag: o.Flag, Formats: o.Formats, LateSeconds: int64(o.Over(s.At) / time.Second),
			Needed: o.Needed, Next: o.Next, Phase: o.Phase, Raise: o.Raise, Second: stamp(o.Second), Why: o.Why,
		})
	}
	return written(out)
}

// JSON returns the exchange in the canonical form of RFC 8785, as Standing.JSON
// does.
func (x Exchanged) JSON() []byte {
	out := guaranteeJSON{
		By: string(x.By), Ends: stamp(x.Ends), From: stamp(x.From), Message: x.Message.String(), OneSided: spanJSON{stamp(x.OneSidedFrom), stamp(x.OneSidedUntil)},
		OnlyAnswered: x.OnlyAnswered, OnlyOffered: x.OnlyOffered, Reservations: make(map[string][]string), State: x.State, Undertakings: x.Undertakings, Why: x.Why,
	}
	for by, list := range x.Reservations {
		out.Reservations[string(by)] = list
	}
	return written(out)
}

// json is an obligation as both sides digest it.
func (o Obligation) json() obligationJSON {
	return obligationJSON{
		Article: o.Article, By: string(o.By), Due: stamp(o.Due), Duty: o.Duty, From: stamp(o.From), Met: stamp(o.Met), MetBy: named(o.MetBy), Of: named(o.Of),
		Period: o.Period, Periods: o.Periods, State: o.State,
	}
}

// written writes what was made of valid values in the canonical form.
func written(v any) []byte {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err == nil {
		err = (*jsontext.Value)(&text).Canonicalize()
	}
	if err != nil {
		panic("internal error: " + err.Error()) // every value in it has a form
	}
	return text
}
