package book

import (
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"

	"detente/message"
)

// Schema returns the JSON Schema (2020-12) of a format's parameters. What it
// accepts is no narrower than what Check accepts; that a window ends after it
// begins, for one, and the rules between parameters only Check can say.
func (e *Edition) Schema(n message.Format) ([]byte, error) {
	f, ok := e.Format(n)
	if !ok {
		return nil, fmt.Errorf("format %s is not in edition %s: see `detente book list`", n, e.Name())
	}
	properties := make(map[string]any)
	required := []string{}
	for _, p := range f.Params {
		one := e.schemaOf(p)
		if p.Many {
			one = map[string]any{"type": "array", "items": one, "minItems": 1, "maxItems": p.most()}
		}
		one["title"] = p.Label["en"]
		properties[p.Name] = one
		if !p.Optional {
			required = append(required, p.Name)
		}
	}
	return json.Marshal(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:detente:book:" + e.hash.String() + ":" + string(n),
		"title": f.Name["en"], "description": f.Purpose["en"], "type": "object", "properties": properties, "required": required, "additionalProperties": false,
	}, json.Deterministic(true))
}

const (
	timePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$`
	hashPattern = `^[0-9a-f]{64}$`
)

func (e *Edition) schemaOf(p Param) map[string]any {
	text := func(pattern string) map[string]any { return map[string]any{"type": "string", "pattern": pattern} }
	object := func(properties map[string]any) map[string]any {
		names := make([]string, 0, len(properties))
		for n := range properties {
			names = append(names, n)
		}
		slices.Sort(names)
		return map[string]any{"type": "object", "properties": properties, "required": names, "additionalProperties": false}
	}
	switch p.Type {
	case TypeCode:
		return map[string]any{"type": "string", "enum": e.codes(p.List)}
	case TypeTime:
		return text(timePattern)
	case TypeDuration:
		return text(`^PT[0-9]+S$`)
	case TypeHash:
		return text(hashPattern)
	case TypeAsset:
		return text(`^(` + strings.Join(assetKinds, "|") + `):[ -~]+$`)
	case TypeStation:
		return text(`^[a-z0-9.-]+$`)
	case TypeHex:
		least, most := hexBounds(p)
		return map[string]any{"type": "string", "pattern": `^([0-9a-f]{2})+$`, "minLength": least, "maxLength": most}
	case TypeID:
		return text(`^[!-~]+$`)
	case TypeLine:
		return text(`^[a-z0-9.-]+/[a-z0-9.-]+/[a-z]+$`)
	case TypeCite:
		return text(`^[A-Z]{3}/[A-Z]{3}-[A-Z][0-9]+-[0-9]+$`)
	case TypeGeo:
		return text(geoPattern)
	case TypeChannel:
		return text(`^(` + strings.Join(channelKinds, "|") + `):[!-~]+$`)
	case TypeHours:
		return text(hoursPattern)
	case TypeItem:
		return object(map[string]any{"item": text(`^[!-~]+$`), "code": map[string]any{"type": "string", "enum": e.codes(p.List)}})
	case TypeCount:
		s := map[string]any{"type": "integer", "minimum": p.Min}
		if p.Max > 0 {
			s["maximum"] = p.Max
		}
		return s
	case TypeWindow:
		return object(map[string]any{"from": text(timePattern), "to": text(timePattern), "zone": text(`^[A-Za-z0-9_+/-]+$`)})
	case TypeBlob:
		return object(map[string]any{"hash": text(hashPattern), "size": map[string]any{"type": "integer", "minimum": 1, "maximum": maxBlob}, "type": map[string]any{"type": "string", "pattern": mediaType.String(), "maxLength": maxMediaType}})
	case TypeRecord:
		return e.schemaOfRecord(p)
	case TypeRule:
		return map[string]any{"type": "object"}
	}
	return map[string]any{"type": "string", "minLength": 1, "maxLength": p.chars()}
}

// Search returns the formats whose number or whose name, purpose, labels or
// codes in any language hold every word of a query: those first whose name in
// one language holds them all, then by number. An empty query finds all.
func (e *Edition) Search(query string) []Format {
	terms := strings.Fields(strings.ToLower(query))
	holds := func(text string) bool {
		text = strings.ToLower(text)
		return !slices.ContainsFunc(terms, func(t string) bool { return !strings.Contains(text, t) })
	}
	var named, found []Format
	for _, f := range e.formats {
		switch {
		case slices.ContainsFunc(langs, func(l Lang) bool { return holds(f.Name[l]) }):
			named = append(named, f)
		case holds(e.textOf(f)):
			found = append(found, f)
		}
	}
	return append(named, found...)
}

func (e *Edition) textOf(f Format) string {
	var b strings.Builder
	add := func(t Text) {
		for _, l := range langs {
			b.WriteString(t[l] + "\n")
		}
	}
	b.WriteString(string(f.Number) + "\n" + string(f.Dossier) + "\n")
	add(f.Name)
	add(f.Purpose)
	for _, p := range f.Params {
		for _, q := range append([]Param{p}, p.Fields...) {
			b.WriteString(q.Name + "\n")
			add(q.Label)
			for _, c := range e.lists[q.List].Codes {
				b.WriteString(c.Code + "\n")
				add(c.Label)
			}
		}
	}
	return b.String()
}

// Change is a difference between two editions.
type Change struct {
	Where string
	What  string
}

// Diff returns what is different in another edition, newer or older.
func (e *Edition) Diff(other *Edition) []Change {
	var out []Change
	was, is := e.meta, other.meta
	was.Status, is.Status = nil, nil
	if marshalled(was) != marshalled(is) {
		out = append(out, Change{"edition.json", "differs"})
	}
	for _, l := range langs {
		if was, is := e.Status(l), other.Status(l); was != is {
			out = append(out, Change{"edition.json language pack " + string(l), "was " + was + " and is " + is})
		}
	}
	for _, f := range e.formats {
		g, ok := other.Format(f.Number)
		if !ok {
			out = append(out, Change{"format " + string(f.Number), "is not there"})
			continue
		}
		if a, b := marshalled(f), marshalled(g); a != b {
			out = append(out, Change{"format " + string(f.Number), "differs: " + paramsDiffer(f, g)})
		}
	}
	for _, g := range other.formats {
		if _, ok := e.Format(g.Number); !ok {
			out = append(out, Change{"format " + string(g.Number), "is new"})
		}
	}
	for name, l := range e.lists {
		if m, ok := other.lists[name]; !ok {
			out = append(out, Change{"list " + name, "is not there"})
		} else if marshalled(l) != marshalled(m) {
			out = append(out, Change{"list " + name, "differs"})
		}
	}
	for name := range other.lists {
		if _, ok := e.lists[name]; !ok {
			out = append(out, Change{"list " + name, "is new"})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.Where, b.Where) })
	return out
}

func marshalled(v any) string {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic("internal error: " + err.Error()) // what was read from JSON
	}
	return string(text)
}

func paramsDiffer(f, g Format) string {
	var names []string
	for _, p := range f.Params {
		if q, ok := g.param(p.Name); !ok || marshalled(p) != marshalled(q) {
			names = append(names, p.Name)
		}
	}
	for _, q := range g.Params {
		if _, ok := f.param(q.Name); !ok {
			names = append(names, q.Name)
		}
	}
	if names == nil {
		return "texts or transitions"
	}
	return "parameters " + strings.Join(names, ", ")
}
