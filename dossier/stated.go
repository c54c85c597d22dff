package dossier

import (
	"slices"

	"detente/identity"
	"detente/message"
)

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

// stated checks what a dossier says by points: each belongs to a message of it,
// and stands as what was said to it.
func (c *checker) stated(d Dossier, in map[message.ID]bool) {
	for i, f := range d.Facts {
		said := slices.Concat(f.Answers, f.Asked, f.Closed)
		switch {
		case !in[f.Of] || f.N < 1 || i > 0 && d.Facts[i-1].Of == f.Of && d.Facts[i-1].N != f.N-1:
			c.add(d, "fact %d of %s is not in its place", f.N, f.Of)
		case slices.ContainsFunc(said, func(x FactSaid) bool { return !in[x.By] || x.At.After(c.at) || x.At.IsZero() }):
			c.add(d, "to fact %d of %s something was said that is not in it", f.N, f.Of)
		case f.Standing != f.standing():
			c.add(d, "fact %d of %s stands as %s", f.N, f.Of, f.Standing)
		}
	}
	for _, n := range d.Named {
		if !in[n.Of] || n.By != (message.ID{}) && !in[n.By] {
			c.add(d, "the answer for %s is not in it", n.State)
		}
	}
	for _, x := range d.Serials {
		if !in[x.Of] || x.By != (message.ID{}) && !in[x.By] {
			c.add(d, "the answer for %s is not in it", x.Cite)
		}
	}
}
