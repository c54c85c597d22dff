package api

import (
	"time"

	"detente/dossier"
	"detente/message"
	"detente/station"
)

// Fact is a fact that a claim or report states, with all that was said to it. How
// it stands is about what was said, never about what is so.
type Fact struct {
	Of       string            `json:"of" doc:"the claim or report"`
	Citation string            `json:"citation"`
	N        int               `json:"n" doc:"its number there, from 1"`
	By       string            `json:"by"`
	Said     map[string]string `json:"said" doc:"as its author put it, by the name of the field"`
	Standing string            `json:"standing" doc:"unanswered, agreed, agreed-in-part, contested, referred or dropped"`
	Answers  []FactSaid        `json:"answers,omitempty" doc:"the counterpart's last one counts"`
	Asked    []FactSaid        `json:"asked,omitempty" doc:"questions about it"`
	Closed   []FactSaid        `json:"closed,omitempty" doc:"what each side said of it at the end"`
}

// FactSaid is what a message says of a fact.
type FactSaid struct {
	By       string    `json:"by"`
	Citation string    `json:"citation"`
	From     string    `json:"from"`
	Code     string    `json:"code"`
	At       time.Time `json:"at" doc:"of its receipt"`
}

// NamedState is a state that a report names, and the last answer given for it.
type NamedState struct {
	Of       string `json:"of" doc:"the report"`
	State    string `json:"state"`
	Position string `json:"position,omitempty" doc:"absent where none was given"`
	By       string `json:"by,omitempty"`
	From     string `json:"from,omitempty"`
}

// ProposedSerial is a message whose publication was proposed, and the last answer
// to it.
type ProposedSerial struct {
	Of     string `json:"of" doc:"the proposal"`
	Cite   string `json:"cite"`
	Form   string `json:"form"`
	Answer string `json:"answer,omitempty" doc:"absent where none was given, which is no consent"`
	By     string `json:"by,omitempty"`
	From   string `json:"from,omitempty"`
}

// stated adds what was stated and answered one by one.
func (v *MatterDetail) stated(m station.MatterView) {
	said := func(list []dossier.FactSaid) (all []FactSaid) {
		for _, x := range list {
			all = append(all, FactSaid{x.By.String(), m.Citations[x.By], string(x.From), x.Code, x.At.UTC()})
		}
		return all
	}
	for _, f := range m.Facts {
		v.Facts = append(v.Facts, Fact{
			f.Of.String(), m.Citations[f.Of], f.N, string(f.By), f.Said, string(f.Standing), said(f.Answers), said(f.Asked), said(f.Closed),
		})
	}
	for _, n := range m.Named {
		v.Named = append(v.Named, NamedState{n.Of.String(), n.State, n.Position, named(n.By), string(n.From)})
	}
	for _, x := range m.Serials {
		v.Serials = append(v.Serials, ProposedSerial{x.Of.String(), x.Cite, x.Form, x.Answer, named(x.By), string(x.From)})
	}
}

// named is the id of a message, or nothing.
func named(id message.ID) string {
	if id == (message.ID{}) {
		return ""
	}
	return id.String()
}
