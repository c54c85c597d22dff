package stix

import (
	"slices"
	"strings"
)

// A Comparison is one condition of a pattern: [ipv4-addr:value = '192.0.2.7'].
type Comparison struct {
	Object string   // the type of observable: ipv4-addr
	Path   []string // value; hashes, SHA-256
	Not    bool
	Op     string // =, !=, >, <, >=, <=, IN, LIKE, MATCHES, ISSUBSET, ISSUPERSET
	Values []string
}

// A Pattern is a STIX pattern simple enough to be told in words: one
// observation, whose comparisons are joined by nothing but AND or nothing but
// OR, without qualifiers and without brackets inside.
type Pattern struct {
	Terms []Comparison // at least one
	Any   bool         // joined by OR
}

// maxTerms bounds the comparisons of a pattern that is told in words.
const maxTerms = 64

// ParsePattern reads a simple pattern. ok is false where the pattern is not
// simple, or no pattern at all: it is then shown as it stands.
func ParsePattern(s string) (p Pattern, ok bool) {
	t := tokens{rest: s}
	if !t.take("[") {
		return p, false
	}
	join := ""
	for {
		c, ok := t.comparison()
		if !ok || len(p.Terms) == maxTerms {
			return Pattern{}, false
		}
		p.Terms = append(p.Terms, c)
		if t.take("]") {
			p.Any = join == "OR"
			t.space()
			return p, t.rest == ""
		}
		word := t.word()
		if (word != "AND" && word != "OR") || (join != "" && word != join) {
			return Pattern{}, false
		}
		join = word
	}
}

// tokens reads a pattern from left to right.
type tokens struct{ rest string }

func (t *tokens) space() { t.rest = strings.TrimLeft(t.rest, " \t\r\n") }

// take consumes a sign, if it is the next.
func (t *tokens) take(sign string) bool {
	t.space()
	rest, ok := strings.CutPrefix(t.rest, sign)
	if ok {
		t.rest = rest
	}
	return ok
}

// word consumes letters and what stands in names.
func (t *tokens) word() string {
	t.space()
	end := strings.IndexFunc(t.rest, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
	if end < 0 {
		end = len(t.rest)
	}
	w := t.rest[:end]
	t.rest = t.rest[end:]
	return w
}

// quoted consumes a text between single quotes.
func (t *tokens) quoted() (string, bool) {
	if !t.take("'") {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(t.rest); i++ {
		switch c := t.rest[i]; c {
		case '\\':
			if i++; i == len(t.rest) {
				return "", false
			}
			b.WriteByte(t.rest[i])
		case '\'':
			t.rest = t.rest[i+1:]
			return b.String(), true
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// path consumes the way to a property, after the colon.
func (t *tokens) path() (steps []string, ok bool) {
	for {
		step, isQuoted := t.quoted()
		if !isQuoted {
			step = t.word()
		}
		if step == "" {
			return nil, false
		}
		steps = append(steps, step)
		for t.take("[") {
			index := t.word()
			if index == "" && t.take("*") {
				index = "*"
			}
			if index == "" || !t.take("]") {
				return nil, false
			}
			steps = append(steps, "["+index+"]")
		}
		if !t.take(".") {
			return steps, true
		}
	}
}

var (
	signs = []string{"!=", ">=", "<=", "=", ">", "<"}
	words = []string{"IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"}
)

func (t *tokens) comparison() (c Comparison, ok bool) {
	if c.Object = t.word(); c.Object == "" || !t.take(":") {
		return c, false
	}
	if c.Path, ok = t.path(); !ok {
		return c, false
	}
	for _, sign := range signs {
		if t.take(sign) {
			c.Op = sign
			break
		}
	}
	if c.Op == "" {
		c.Op = t.word()
		if c.Not = c.Op == "NOT"; c.Not {
			c.Op = t.word()
		}
		if !slices.Contains(words, c.Op) {
			return c, false
		}
	}
	if c.Op != "IN" {
		v, ok := t.literal()
		c.Values = []string{v}
		return c, ok
	}
	if !t.take("(") {
		return c, false
	}
	for {
		v, ok := t.literal()
		if !ok || len(c.Values) == maxTerms {
			return c, false
		}
		c.Values = append(c.Values, v)
		if t.take(")") {
			return c, true
		}
		if !t.take(",") {
			return c, false
		}
	}
}

// literal consumes a text, a number or a word. Times, hexadecimal and binary
// constants (t'…', h'…', b'…') are their text.
func (t *tokens) literal() (string, bool) {
	t.space()
	for _, prefix := range []string{"t'", "h'", "b'"} {
		if strings.HasPrefix(t.rest, prefix) {
			t.rest = t.rest[1:]
			break
		}
	}
	if strings.HasPrefix(t.rest, "'") {
		return t.quoted()
	}
	w := t.word()
	if w != "" && strings.HasPrefix(t.rest, ".") {
		t.rest = t.rest[1:]
		w += "." + t.word()
	}
	return w, w != ""
}
