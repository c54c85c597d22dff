package book

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"detente/message"
)

// Marks that isolate left-to-right text in a right-to-left rendering (UAX 9).
const (
	isolate = "\u2066"
	popped  = "\u2069"
)

// between separates a code from its label.
const between = " — "

// noAdmission is the reservation that ends every rendering: neither a message,
// nor its receipt, nor an answer to it admits anything.
const noAdmission = "NOADM"

// Render returns a body as labelled lines in a language. It fails where any
// field cannot be shown; it never leaves one out.
func (e *Edition) Render(b message.Body, l Lang) (string, error) {
	if !slices.Contains(langs, l) {
		return "", fmt.Errorf("language %q: en, ru, zh, es, fr or ar", clip(string(l)))
	}
	if err := e.speaks(b); err != nil {
		return "", err
	}
	if err := e.Check(b); err != nil {
		return "", err
	}
	f, _ := e.Format(b.Format)
	r := renderer{e: e, lang: l}
	r.line(string(f.Number), f.Name[l])
	r.line(r.word("act"), r.code("act", f.ActOf(b)))
	r.head(b)
	for _, p := range f.Params {
		v, ok := b.Params[p.Name]
		if !ok {
			continue
		}
		r.param(p, v)
	}
	r.line(r.word("standing"), r.code("standing", noAdmission))
	return r.out.String(), r.err
}

// speaks checks that a message was written in this edition.
func (e *Edition) speaks(b message.Body) error {
	if b.Edition != e.hash {
		return fmt.Errorf("the message speaks the edition %s of the signal book, and this is %s: install that edition", b.Edition, e.hash)
	}
	return nil
}

type renderer struct {
	e    *Edition
	lang Lang
	out  strings.Builder
	err  error
}

// line writes one labelled line. A left-to-right value is isolated in Arabic.
func (r *renderer) line(label, value string) {
	if label == "" || value == "" || strings.ContainsAny(label+value, "\n\r") {
		r.err = errors.Join(r.err, fmt.Errorf("internal error: a line %q without label or value", label))
		return
	}
	fmt.Fprintf(&r.out, "%s: %s\n", label, value)
}

// ltr isolates text that reads from left to right.
func (r *renderer) ltr(s string) string {
	if r.lang == "ar" {
		return isolate + s + popped
	}
	return s
}

func (r *renderer) word(name string) string { return r.e.meta.Words[name][r.lang] }

// head writes the fields that every message has.
func (r *renderer) head(b message.Body) {
	put := func(name, value string) { r.line(r.word(name), r.ltr(value)) }
	put("id", b.ID.String())
	put("edition", b.Edition.String())
	put("line", b.Line.String())
	put("from", string(b.From))
	put("to", string(b.To))
	r.line(r.word("precedence"), r.code("precedence", b.Precedence.String()))
	r.line(r.word("tlp"), r.code("tlp", b.Marking.TLP))
	if b.Marking.PAP != "" {
		r.line(r.word("pap"), r.code("pap", b.Marking.PAP))
	}
	r.line(r.word("language"), r.code("language", b.Language))
	if !b.Expires.IsZero() {
		put("expires", b.Expires.UTC().Format("2006-01-02T15:04:05Z"))
	}
	for _, ref := range b.Refs {
		put("ref", ref.String())
	}
}

// code writes a code beside its label.
func (r *renderer) code(list, code string) string {
	c, ok := r.e.lists[list].find(code)
	if !ok || c.Label[r.lang] == "" {
		r.err = errors.Join(r.err, fmt.Errorf("the list %s has no label for %q in %s", list, clip(code), r.lang))
		return ""
	}
	return r.ltr(code) + between + c.Label[r.lang]
}

func (r *renderer) param(p Param, v jsontext.Value) {
	if !p.Many {
		r.one(p, p.Label[r.lang], v)
		return
	}
	var list []jsontext.Value
	if err := json.Unmarshal(v, &list); err != nil {
		r.err = errors.Join(r.err, err)
		return
	}
	for i, one := range list {
		r.one(p, fmt.Sprintf("%s [%d/%d]", p.Label[r.lang], i+1, len(list)), one)
	}
}

// one writes one value under its label: a line, of a record a line a field.
func (r *renderer) one(p Param, label string, v jsontext.Value) {
	if p.Type == TypeRecord {
		r.record(p, label, v)
		return
	}
	r.line(label, r.value(p, v))
}

// value writes one value: a code beside its label, a free text as a quoted
// string in which nothing is invisible, anything else as it stands.
func (r *renderer) value(p Param, v jsontext.Value) string {
	var s string
	if v.Kind() == '"' {
		if err := json.Unmarshal(v, &s); err != nil {
			r.err = errors.Join(r.err, err)
			return ""
		}
	}
	switch {
	case p.Type == TypeCode:
		return r.code(p.List, s)
	case p.Type == TypeItem:
		var it item
		if err := json.Unmarshal(v, &it); err != nil {
			r.err = errors.Join(r.err, err)
		}
		c, _ := r.e.lists[p.List].find(it.Code)
		return r.ltr(it.Item+itemsBefore+it.Code) + between + c.Label[r.lang]
	case p.Type == TypeText:
		return quote(s)
	case p.Type == TypeWindow:
		var w window
		if err := json.Unmarshal(v, &w); err != nil {
			r.err = errors.Join(r.err, err)
		}
		return r.ltr(w.From + " / " + w.To + " / " + w.Zone)
	case p.Type == TypeBlob:
		var b blob
		if err := json.Unmarshal(v, &b); err != nil {
			r.err = errors.Join(r.err, err)
		}
		return r.ltr(fmt.Sprintf("%s / %d / %s", b.Hash, b.Size, b.Type))
	case v.Kind() == '"':
		return r.ltr(s)
	}
	return r.ltr(escaped(string(v), message.Hidden))
}

// quote writes a text as a JSON string in which every control, direction and
// zero-width character is shown by its number, so that nothing is obeyed and
// nothing is lost. A mark that would join the quotation mark before it is shown
// so too.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case message.Hidden(c) || i == 0 && unicode.IsMark(c):
			escape(&b, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// escape writes a character by its number, as JSON does.
func escape(b *strings.Builder, c rune) {
	if c > 0xffff {
		hi, lo := utf16.EncodeRune(c)
		fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
		return
	}
	fmt.Fprintf(b, `\u%04x`, c)
}

// escaped writes canonical JSON with the characters that hidden picks by their
// numbers. Outside its texts JSON is ASCII, so that it stays the same JSON.
func escaped(v string, hidden func(rune) bool) string {
	var b strings.Builder
	for _, c := range v {
		if hidden(c) {
			escape(&b, c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Code returns the code line: the message in ASCII, the same in all languages.
// It is what binds. Like Render it speaks of messages of this edition only.
func (e *Edition) Code(b message.Body) (string, error) {
	if err := e.speaks(b); err != nil {
		return "", err
	}
	if err := e.Check(b); err != nil {
		return "", err
	}
	f, _ := e.Format(b.Format)
	parts := []string{string(b.Format), b.Precedence.String(), "TLP:" + b.Marking.TLP}
	if b.Marking.PAP != "" {
		parts = append(parts, "PAP:"+b.Marking.PAP)
	}
	parts = append(parts, "ID="+b.ID.String(), "ED="+b.Edition.String(), "FROM="+string(b.From), "TO="+string(b.To), "LINE="+b.Line.Class.String(), "LANG="+b.Language)
	for _, ref := range b.Refs {
		parts = append(parts, "REF="+ref.String())
	}
	if !b.Expires.IsZero() {
		parts = append(parts, "EXP="+b.Expires.UTC().Format("2006-01-02T15:04:05Z"))
	}
	for _, p := range f.Params {
		if v, ok := b.Params[p.Name]; ok {
			parts = append(parts, strings.ToUpper(p.Name)+"="+escaped(string(v), func(c rune) bool { return c > '~' }))
		}
	}
	return strings.Join(parts, " "), nil
}
