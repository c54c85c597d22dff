package main

import (
	"strconv"

	"detente/api"
)

// coded is a code's label by a list of the signal book, beside the code.
func (s *sheet) coded(list, code string) string {
	if s.book != nil {
		if l, ok := s.book.List(list); ok {
			for _, c := range l.Codes {
				if c.Code == code {
					return s.id(code) + " — " + c.Label[s.lang]
				}
			}
		}
	}
	return s.id(code)
}

// stated writes what a matter states and answers one by one: facts, states,
// messages to be published.
func (s *sheet) stated(m api.MatterDetail) {
	if len(m.Facts) > 0 {
		s.part(s.p.of("facts-stated"))
	}
	for _, f := range m.Facts {
		s.row(s.id(f.Citation), s.id(strconv.Itoa(f.N)), s.word("fact", f.Standing), s.coded("activity", f.Said["act"]), s.id(f.Said["asset"]), s.id(f.Said["from"]), s.coded("evidence_level", f.Said["level"]))
		for _, part := range []struct {
			list string
			said []api.FactSaid
		}{{"fact_answer", f.Answers}, {"claim_question", f.Asked}, {"fact_outcome", f.Closed}} {
			for _, x := range part.said {
				s.row("", "", s.when(x.At), s.id(x.From), s.coded(part.list, x.Code), s.id(x.Citation))
			}
		}
	}
	s.flush()
	if len(m.Named) > 0 {
		s.part(s.p.of("states-named"))
	}
	for _, n := range m.Named {
		s.row(s.id(n.State), s.coded("report_position", n.Position), s.id(n.From), s.id(n.By))
	}
	s.flush()
	if len(m.Serials) > 0 {
		s.part(s.p.of("to-be-published"))
	}
	for _, x := range m.Serials {
		s.row(s.id(x.Cite), s.coded("publication_form", x.Form), s.coded("publication_answer", x.Answer), s.id(x.From), s.id(x.By))
	}
	s.flush()
}
