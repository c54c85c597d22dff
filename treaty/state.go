package treaty

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"slices"
	"strings"
	"time"

	"detente/identity"
)

// State is how an agreement and all that it obliges to stand as of a second.
type State struct {
	At          time.Time
	Agreement   string
	InForce     bool
	From        time.Time // entry into force
	Term        int       // the first is 1
	TermEnds    time.Time
	Ends        time.Time // by denunciation, or as the term is not renewed; zero: it does not
	Text        identity.Digest
	Denounced   []Denunciation
	Suspended   []Suspension // that run or will
	Windows     []Window
	Phase       Phase
	Obligations []Obligation // by article and clock
	Periods     []Periodic
	Refused     []Refusal
}

// state reckons all as of a second, which is no earlier than the last message.
func (f *folded) state(at time.Time) State {
	v := f.versionAt(at)
	s := State{At: at, Agreement: f.setup.Agreement, From: f.from(), Phase: f.phase(at), Denounced: slices.Clone(f.denounced), Windows: slices.Clone(f.windows), Refused: slices.Clone(f.refused)}
	s.Text = v.hash
	if at.Before(s.From) {
		return s
	}
	s.Term, s.TermEnds = v.Text.Term.TermAt(s.From, at)
	s.Ends = f.ends(at)
	s.InForce = s.Ends.IsZero() || !at.After(s.Ends)
	for _, x := range f.suspended {
		if x.Until.IsZero() || x.Until.After(at) {
			s.Suspended = append(s.Suspended, x)
		}
	}
	s.Obligations = make([]Obligation, 0, len(f.duties)+len(f.recurring))
	for _, o := range f.duties {
		s.Obligations = append(s.Obligations, f.judge(o, at))
	}
	for _, r := range f.recurring {
		p, list := r.judge(f, at)
		s.Periods = append(s.Periods, p)
		s.Obligations = append(s.Obligations, list...)
	}
	slices.SortFunc(s.Obligations, compareObligations) // no two are alike
	return s
}

func compareObligations(a, b Obligation) int {
	if c := a.From.Compare(b.From); c != 0 {
		return c
	}
	for _, c := range []int{strings.Compare(a.Duty, b.Duty), strings.Compare(string(a.By), string(b.By)), strings.Compare(string(a.Of[:]), string(b.Of[:]))} {
		if c != 0 {
			return c
		}
	}
	return a.Period - b.Period
}

// Owed lists what a side owes now, what both owe together included, the earliest
// due first; of both sides where none is named.
func (s State) Owed(by identity.Party) []Obligation {
	var list []Obligation
	for _, o := range s.Obligations {
		if o.Owed() && (by == "" || o.By == "" || o.By == by) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b Obligation) int {
		switch {
		case a.Due.IsZero() != b.Due.IsZero(): // what stands still comes last
			if a.Due.IsZero() {
				return 1
			}
			return -1
		case !a.Due.Equal(b.Due):
			return a.Due.Compare(b.Due)
		}
		return compareObligations(a, b)
	})
	return list
}

// judge says how an obligation stands.
func (f *folded) judge(o *duty, at time.Time) Obligation {
	out := Obligation{
		Key: o.key, Article: o.article, Formats: o.d.Act.Formats, From: o.start, Phase: o.phase, Raise: o.raise,
		Needed: o.needed(), Periods: 1, Flag: FlagNone, Why: o.why, State: Unclear,
	}
	if !o.clocked {
		return out
	}
	due, moved := o.moved(at)
	out.Extended = moved
	due, endless := f.stood(o.article, o.start, due, at)
	if !endless {
		out.Due = due
		if second := o.second(); !second.IsZero() {
			out.Second, _ = f.stood(o.article, o.start, second, at)
		}
	}
	first, last := due, due
	if !out.Second.IsZero() {
		if out.Second.Before(first) {
			first = out.Second
		} else {
			last = out.Second
		}
	}
	best, waits, done := f.best(o, first, at, endless)
	out.Done = done
	if best != nil {
		out.Met, out.MetBy = best.Received, best.ID
	}
	out.State = f.stateOf(o, best, waits, first, last, at, endless)
	switch out.State {
	case Late, Missed, EvidenceAwaited, LateTimeDisputed:
		out.Flag, out.Next = o.d.Miss.Flag, o.d.Miss.Next
	}
	if out.State != Unclear && best != nil {
		out.Why = ""
	}
	return out
}

// best returns the act that completes what is needed: of acts that were not taken
// back, in time before late, then not refused before refused. It waits where the
// evidence of one is not receipted.
func (f *folded) best(o *duty, first, at time.Time, endless bool) (e *Event, waits bool, done int) {
	var list []*Event
	for _, a := range o.acts {
		switch {
		case f.back(a, at):
		case a.Awaited && a != o.of:
			waits = true
		default:
			list = append(list, a)
		}
	}
	if len(list) < o.needed() {
		return nil, waits, len(list)
	}
	if o.needed() > 1 {
		return list[o.needed()-1], false, len(list)
	}
	rank := func(a *Event) int {
		n := 0
		if !endless && a.Received.After(first) {
			n = 2
		}
		if a.Refused {
			n++
		}
		return n
	}
	return slices.MinFunc(list, func(a, b *Event) int { return rank(a) - rank(b) }), false, len(list)
}

func (f *folded) stateOf(o *duty, best *Event, waits bool, first, last, at time.Time, endless bool) StateCode {
	stopped := !o.stopped.IsZero() && !o.stopped.After(at)
	if o.parent != nil && f.back(o.of, at) {
		stopped = true
	}
	if best != nil {
		switch {
		case endless || !best.Received.After(first):
			if best.Refused {
				return MetDisputed
			}
			return Met
		case !best.At.After(first):
			return MetTimeDisputed
		case !best.Received.After(last):
			return LateTimeDisputed
		}
		return Late
	}
	ends := f.ends(at)
	switch {
	case stopped && (endless || !o.stopped.After(last)):
		return Stopped
	case o.why != "":
		return Unclear
	case endless || f.suspendedAt(o.article, at) && !at.After(last):
		return Suspended
	case !at.After(first) && (ends.IsZero() || !at.After(ends)):
		return Open
	case !ends.IsZero() && at.After(ends) && last.After(ends):
		return Ended
	case !at.After(first):
		return Open
	case waits:
		return EvidenceAwaited
	case !at.After(last):
		return LateTimeDisputed
	}
	return Missed
}

// obligationJSON is an obligation as it is digested.
type obligationJSON struct {
	Article string    `json:"article"`
	By      string    `json:"by"`
	Due     string    `json:"due,omitempty"`
	Duty    string    `json:"duty"`
	From    string    `json:"from"`
	Met     string    `json:"met,omitempty"`
	MetBy   string    `json:"met_by,omitempty"`
	Of      string    `json:"of,omitempty"`
	Period  int       `json:"period,omitzero"`
	Periods int       `json:"periods"`
	State   StateCode `json:"state"`
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Digest returns what both sides compare each day: one hash over all that is owed
// and was, the agreement's life, its windows and suspensions, as of the state's
// second.
func (s State) Digest() (identity.Digest, error) {
	type line []string
	out := struct {
		Agreement   string           `json:"agreement"`
		At          string           `json:"at"`
		Ends        string           `json:"ends"`
		InForce     bool             `json:"in_force"`
		Obligations []obligationJSON `json:"obligations"`
		Suspended   []line           `json:"suspended"`
		Text        string           `json:"text"`
		Windows     []line           `json:"windows"`
	}{Agreement: s.Agreement, At: stamp(s.At), Ends: stamp(s.Ends), InForce: s.InForce, Text: s.Text.String()}
	for _, o := range s.Obligations {
		out.Obligations = append(out.Obligations, o.json())
	}
	for _, x := range s.Suspended {
		out.Suspended = append(out.Suspended, line{x.Article, string(x.By), stamp(x.From), stamp(x.Until)})
	}
	for _, w := range s.Windows {
		out.Windows = append(out.Windows, line{string(w.By), w.Election, stamp(w.From), stamp(w.To), stamp(w.CoreFrom), stamp(w.CoreTo)})
	}
	text, err := json.Marshal(out, json.Deterministic(true))
	if err != nil {
		return identity.Digest{}, err
	}
	v := jsontext.Value(text)
	if err := v.Canonicalize(); err != nil {
		return identity.Digest{}, err
	}
	return identity.Sum(v), nil
}

// factsText writes facts in one form.
func factsText(f Facts) string {
	text, err := json.Marshal(map[string]any(f), json.Deterministic(true))
	if err != nil {
		return err.Error() // it says that they have no form, alike on both sides
	}
	return string(text)
}
