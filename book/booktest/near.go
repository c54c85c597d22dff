package booktest

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/message"
)

// Near returns messages that differ from one in a single thing each, and bear
// its id: another code or value, a parameter more or fewer, a list in another
// order, a text with something invisible added. The edition accepts all.
func Near(e *book.Edition, f book.Format, b message.Body, r *rand.Rand) []message.Body {
	var out []message.Body
	change := func(change func(*message.Body)) {
		c := b
		c.Refs, c.Params = slices.Clone(b.Refs), maps.Clone(b.Params)
		change(&c)
		if e.Check(c) == nil {
			out = append(out, c)
		}
	}
	change(func(c *message.Body) { c.Precedence = 1 + c.Precedence%4 })
	change(func(c *message.Body) {
		c.Marking.TLP = map[bool]string{true: "AMBER", false: "AMBER+STRICT"}[c.Marking.TLP != "AMBER"]
	})
	change(func(c *message.Body) { c.Marking.PAP = map[bool]string{true: "CLEAR", false: ""}[c.Marking.PAP == ""] })
	change(func(c *message.Body) { c.Language = map[bool]string{true: "fr", false: "en"}[c.Language == "en"] })
	change(func(c *message.Body) { c.Line.Class = 1 + c.Line.Class%3 })
	change(func(c *message.Body) { c.From, c.To = c.To, c.From })
	change(func(c *message.Body) { c.Expires = c.Expires.Add(time.Second); c.Expires = later(c.Expires) })
	change(func(c *message.Body) { slices.Reverse(c.Refs) })
	change(func(c *message.Body) { c.Refs = c.Refs[:len(c.Refs)/2] })
	g := generator{e: e, r: r}
	for _, p := range f.Params {
		v, present := b.Params[p.Name]
		if present {
			change(func(c *message.Body) { delete(c.Params, p.Name) })
			for _, n := range near(p, v) {
				change(func(c *message.Body) { c.Params[p.Name] = n })
			}
		}
		for range 2 {
			change(func(c *message.Body) { c.Params[p.Name] = g.param(p) })
		}
	}
	return out
}

// later returns a time that records may hold.
func later(t time.Time) time.Time {
	if t.Before(first) || t.After(last) {
		return first
	}
	return t
}

// near returns the values that look most like one.
func near(p book.Param, v jsontext.Value) (out []jsontext.Value) {
	if p.Many {
		var list []jsontext.Value
		if err := json.Unmarshal(v, &list); err != nil {
			panic(err)
		}
		back := slices.Clone(list)
		slices.Reverse(back)
		out = append(out, value(back), value(append(slices.Clone(list), list[0])), value(list[:len(list)-1]))
		for _, n := range near(book.Param{Type: p.Type, Max: p.Max, Fields: p.Fields}, list[0]) {
			out = append(out, value(append([]jsontext.Value{n}, list[1:]...)))
		}
		return out
	}
	if p.Type == book.TypeRecord {
		return nearRecord(p, v)
	}
	if p.Type != book.TypeText && p.Type != book.TypeAsset || v.Kind() != '"' {
		return nil
	}
	var s string
	if err := json.Unmarshal(v, &s); err != nil {
		panic(err)
	}
	for _, c := range []string{
		s + " ", " " + s, s + "\n", s + "\r", s + "\u200b", "\u200b" + s, s + "\ufe0f", s + "\u3164", s + "\u2069", "\u202e" + s, s + "\u0301", "\u0301" + s, s + "\u2800", s + "\U000e0020",
		s + `\n`, s + `\u200b`, `"` + s + `"`, s + `"`, s + `\`, strings.ReplaceAll(s, "\n", `\n`), strings.ReplaceAll(s, " ", "\u00a0"), strings.ReplaceAll(s, "é", "e\u0301"),
		strings.ReplaceAll(s, "\r\n", "\n"), strings.ReplaceAll(s, "\u200b", ""), strings.TrimSpace(s),
	} {
		out = append(out, value(strings.ToValidUTF8(c, "")))
	}
	return out
}

// nearRecord returns the records that differ from one in a single field.
func nearRecord(p book.Param, v jsontext.Value) (out []jsontext.Value) {
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(v, &fields); err != nil {
		panic(err)
	}
	for _, f := range p.Fields {
		one, stands := fields[f.Name]
		if !stands {
			continue
		}
		less := maps.Clone(fields)
		delete(less, f.Name)
		out = append(out, value(less))
		for _, n := range near(f, one) {
			other := maps.Clone(fields)
			other[f.Name] = n
			out = append(out, value(other))
		}
	}
	return out
}
