package dossier

import "detente/identity"

type factJSON struct {
	Answers  []saidJSON       `json:"answers,omitempty"`
	Asked    []saidJSON       `json:"asked,omitempty"`
	By       identity.Station `json:"by"`
	Closed   []saidJSON       `json:"closed,omitempty"`
	N        int              `json:"n"`
	Of       string           `json:"of"`
	Said     Record           `json:"said"`
	Standing FactStanding     `json:"standing"`
}

type saidJSON struct {
	At   string           `json:"at"`
	By   string           `json:"by"`
	Code string           `json:"code"`
	From identity.Station `json:"from"`
}

type namedJSON struct {
	By       string           `json:"by,omitempty"`
	From     identity.Station `json:"from,omitempty"`
	Of       string           `json:"of"`
	Position string           `json:"position,omitempty"`
	State    string           `json:"state"`
}

type serialJSON struct {
	Answer string           `json:"answer,omitempty"`
	By     string           `json:"by,omitempty"`
	Cite   string           `json:"cite"`
	Form   string           `json:"form"`
	From   identity.Station `json:"from,omitempty"`
	Of     string           `json:"of"`
}

// stated adds what was stated and answered one by one to a dossier's JSON.
func (d Dossier) stated(out *dossierJSON) {
	said := func(list []FactSaid) (all []saidJSON) {
		for _, s := range list {
			all = append(all, saidJSON{stamp(s.At), s.By.String(), s.Code, s.From})
		}
		return all
	}
	for _, s := range d.Facts {
		out.Facts = append(out.Facts, factJSON{said(s.Answers), said(s.Asked), s.By, said(s.Closed), s.N, s.Of.String(), s.Said, s.Standing})
	}
	for _, n := range d.Named {
		out.Named = append(out.Named, namedJSON{idText(n.By), n.From, n.Of.String(), n.Position, n.State})
	}
	for _, s := range d.Serials {
		out.Serials = append(out.Serials, serialJSON{s.Answer, idText(s.By), s.Cite, s.Form, s.From, s.Of.String()})
	}
}
