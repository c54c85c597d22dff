package main

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"strings"

	"detente/book"
)

// formatSheet writes a format as whoever fills it in needs it: what it says, what
// it answers, and each parameter with its codes or an example of its value, as
// `detente msg send` takes it.
func (s *sheet) formatSheet(e *book.Edition, f book.Format) {
	s.row(s.id(string(f.Number)), f.Name[s.lang])
	s.row(f.Purpose[s.lang])
	for _, r := range f.Refers {
		if r == book.AnyFormat {
			continue // to which one, whoever answers knows
		}
		s.row(s.p.of("param-refers"), s.id(string(r)), s.format(string(r)))
	}
	s.flush()
	for _, p := range f.Params {
		s.param(e, f, p)
	}
	s.flush()
}

// param writes one parameter.
func (s *sheet) param(e *book.Edition, f book.Format, p book.Param) {
	must := s.p.of("param-needed")
	if p.Optional {
		must = s.p.of("param-optional")
	}
	if p.Many {
		must += ", " + s.p.of("param-many")
	}
	s.row(s.id(p.Name), p.Label[s.lang], must)
	if list, ok := e.List(p.List); ok && p.Type == book.TypeCode {
		for _, c := range list.Codes {
			s.row("", s.id(c.Code)+" — "+c.Label[s.lang])
		}
		return
	}
	for _, x := range f.Examples {
		if v, ok := x[p.Name]; ok {
			if p.Many {
				var list []jsontext.Value
				if json.Unmarshal(v, &list) == nil && len(list) > 0 {
					v = list[0]
				}
			}
			s.row("", s.p.of("param-example", shellWord(p.Name+"="+typed(p, v))))
			break
		}
	}
}

// typed writes a value as a command takes it.
func typed(p book.Param, v jsontext.Value) string {
	var text string
	if json.Unmarshal(v, &text) == nil {
		return text
	}
	var fields map[string]jsontext.Value
	if json.Unmarshal(v, &fields) != nil {
		return string(v)
	}
	switch p.Type {
	case book.TypeWindow:
		from, to := "", ""
		if json.Unmarshal(fields["from"], &from) == nil && json.Unmarshal(fields["to"], &to) == nil {
			return from + "/" + to
		}
	case book.TypeRecord:
		var parts []string
		for _, field := range p.Fields {
			if x, ok := fields[field.Name]; ok {
				parts = append(parts, field.Name+"="+typed(field, x))
			}
		}
		return strings.Join(parts, ";")
	}
	_ = v.Compact() // it was read already
	return string(v)
}

// shellWord puts a text in quotation marks where a shell would else take it apart.
func shellWord(text string) string {
	if strings.ContainsAny(text, " ;{\"") {
		return "'" + strings.ReplaceAll(text, "'", "'\\''") + "'"
	}
	return text
}
