package record

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// Claim is a claim or a report of a third party with all that was said on it, as
// of the last second in the record: what was stated, on which facts, what was
// answered to each, and what stayed open. It says what was said, never what is so.
type Claim struct {
	Citation   string        `json:"citation"` // of its first message
	Format     string        `json:"format"`
	Kind       dossier.Kind  `json:"kind"`  // claim or report
	Stage      dossier.Stage `json:"stage"` // where it stands
	Since      time.Time     `json:"since"`
	Messages   []string      `json:"messages"` // citations, in the order in which they were received
	Facts      []Fact        `json:"facts"`
	States     []State       `json:"states,omitempty"` // of a report: what each state that it names answered
	Unanswered []string      `json:"unanswered"`       // the facts without an answer, and the states
}

// Fact is a fact that was stated.
type Fact struct {
	Of       string               `json:"of"` // citation of the message that states it
	N        int                  `json:"n"`  // its number there, from 1
	By       identity.Station     `json:"by"`
	Said     dossier.Record       `json:"said"` // as its author put it
	Standing dossier.FactStanding `json:"standing"`
	Answers  []Word               `json:"answers"`
	Asked    []Word               `json:"asked,omitempty"`
	Closed   []Word               `json:"closed,omitempty"` // what each side said of it at the end
}

// Word is what one message says of a fact: a code.
type Word struct {
	Citation string           `json:"citation"`
	From     identity.Station `json:"from"`
	Code     string           `json:"code"`
	At       time.Time        `json:"at"` // of its receipt
}

// State is a state that a report names.
type State struct {
	State    string `json:"state"`
	Position string `json:"position,omitempty"` // a code; empty: none was given
	Citation string `json:"citation,omitempty"` // of the message that gives it
}

// claims folds the claims and reports of a record, line by line, the first first.
func (m *matters) claims(v *verifier) (list []Claim) {
	if m.edition == nil || m.over || !slices.ContainsFunc(m.kept, func(k kept) bool { return m.states(k.item) }) {
		return nil
	}
	lines := make(map[identity.Line]*dossier.Line)
	var order []identity.Line
	forms := dossier.ByEdition(m.edition)
	for _, k := range m.kept {
		l := k.item.Origin.Line()
		if lines[l] == nil {
			lines[l] = dossier.NewLine(forms)
			order = append(order, l)
		}
		lines[l].Put(k.item)
	}
	for _, l := range order {
		of := slices.DeleteFunc(lines[l].At(m.last).Dossiers, func(d dossier.Dossier) bool {
			return d.Kind != dossier.KindClaim && d.Kind != dossier.KindReport
		})
		slices.SortStableFunc(of, func(a, b dossier.Dossier) int { return a.Timeline[0].Received.Compare(b.Timeline[0].Received) })
		for _, d := range of {
			list = append(list, claimOf(v, d))
		}
	}
	return list
}

// states reports whether a message states facts.
func (m *matters) states(it dossier.Item) bool {
	k := m.kinds[it.Format]
	return k == dossier.KindClaim || k == dossier.KindReport
}

// claimOf says where a claim or report stands.
func claimOf(v *verifier, d dossier.Dossier) Claim {
	cite := func(id message.ID) string { return v.bodies[id].where }
	words := func(said []dossier.FactSaid) []Word {
		list := make([]Word, 0, len(said))
		for _, s := range said {
			list = append(list, Word{cite(s.By), s.From, s.Code, s.At.UTC()})
		}
		return list
	}
	c := Claim{Citation: cite(d.ID), Kind: d.Kind, Stage: d.Stage, Since: d.Since.UTC(), Facts: []Fact{}, Unanswered: []string{}}
	for _, e := range d.Timeline {
		if e.Message == d.ID {
			c.Format = string(e.Format)
		}
		c.Messages = append(c.Messages, cite(e.Message))
	}
	for _, f := range d.Facts {
		fact := Fact{cite(f.Of), f.N, f.By, f.Said, f.Standing, words(f.Answers), words(f.Asked), words(f.Closed)}
		if f.Standing == dossier.FactUnanswered {
			c.Unanswered = append(c.Unanswered, fact.name())
		}
		c.Facts = append(c.Facts, fact)
	}
	for _, n := range d.Named {
		s := State{State: n.State, Position: n.Position}
		if n.Position == "" {
			c.Unanswered = append(c.Unanswered, n.State)
		} else {
			s.Citation = cite(n.By)
		}
		c.States = append(c.States, s)
	}
	return c
}

// name is how a fact is cited: by its message and its number there.
func (f Fact) name() string { return fmt.Sprintf("%s [%d]", f.Of, f.N) }

// claimText writes claims for people.
type claimText struct {
	out     *strings.Builder
	lang    book.Lang
	edition *book.Edition
	words   map[string]book.List
}

// render writes a claim in a language.
func (c Claim) render(out *strings.Builder, l book.Lang) error {
	edition, err := book.Embedded()
	if err != nil {
		return err
	}
	words, err := dossier.Words()
	if err != nil {
		return err
	}
	claimText{out, l, edition, words}.claim(c)
	return nil
}

func (t claimText) claim(c Claim) {
	format, _ := t.edition.Format(message.Format(c.Format))
	fmt.Fprintf(t.out, "§ %s %s %s: %s (%s)\n", c.Citation, c.Format, format.Name[t.lang], t.label(t.words["stage"], string(c.Stage)), stamp(c.Since))
	for _, f := range c.Facts {
		fmt.Fprintf(t.out, "  %s: %s\n    %s\n", f.name(), t.label(t.words["fact"], string(f.Standing)), t.said(format, f.Said))
		t.each(f.Answers, "fact_answer")
		t.each(f.Asked, "claim_question")
		t.each(f.Closed, "fact_outcome")
	}
	for _, s := range c.States {
		answer := t.label(t.words["fact"], string(dossier.FactUnanswered))
		if s.Position != "" {
			answer = s.Citation + " " + t.code("report_position", s.Position)
		}
		fmt.Fprintf(t.out, "  %s: %s\n", t.code("state", s.State), answer)
	}
	fmt.Fprintf(t.out, "  %s: %d\n", counts["unanswered"][t.lang], len(c.Unanswered))
}

// each writes what was said of a fact.
func (t claimText) each(said []Word, list string) {
	for _, w := range said {
		fmt.Fprintf(t.out, "    %s %s: %s\n", w.Citation, stamp(w.At), t.code(list, w.Code))
	}
}

// said writes a fact as its author put it, field by field.
func (t claimText) said(f book.Format, r dossier.Record) string {
	var parts []string
	for _, p := range f.Params {
		if p.Name != "facts" {
			continue
		}
		for _, field := range p.Fields {
			value, stands := r[field.Name]
			switch {
			case !stands:
				continue
			case field.Type == book.TypeCode:
				value = t.code(field.List, value)
			default:
				value = book.Quote(value) // its author's own text
			}
			parts = append(parts, field.Label[t.lang]+": "+value)
		}
	}
	return strings.Join(parts, "; ")
}

// code writes a code of the signal book beside its label.
func (t claimText) code(list, code string) string {
	l, _ := t.edition.List(list)
	if !slices.ContainsFunc(l.Codes, func(c book.Code) bool { return c.Code == code }) {
		return book.Quote(code) // of another edition
	}
	if label := t.label(l, code); label != code {
		return code + " " + label
	}
	return code
}

// label returns a code's label; the code itself where the list has none.
func (t claimText) label(l book.List, code string) string {
	i := slices.IndexFunc(l.Codes, func(c book.Code) bool { return c.Code == code })
	if i < 0 {
		return code
	}
	return l.Codes[i].Label[t.lang]
}
