package book

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
)

// maxRendering bounds a text that is read back.
const maxRendering = 1 << 20

// ReadError says why a text is no rendering of a message.
type ReadError struct {
	Line   int    // from 1
	Field  string // the word or parameter that was expected there; empty where none was
	Reason string
	Next   string
}

// Error returns line, field, reason and next step in one line.
func (e *ReadError) Error() string {
	s := fmt.Sprintf("line %d: ", e.Line)
	if e.Field != "" {
		s += e.Field + ": "
	}
	return s + e.Reason + "; " + e.Next
}

// whole is the next step for a text that was changed on its way.
const whole = "take the whole text as it was rendered, with every line and line end"

// Parse reads a rendering in any of the six languages back into the body that
// it was made of, with exactly its codes and values. A line that is missing,
// doubled, unknown or out of its place is a *ReadError that names it.
func (e *Edition) Parse(text string) (message.Body, Lang, error) {
	if len(text) > maxRendering {
		return message.Body{}, "", &ReadError{1, "", fmt.Sprintf("the text has %d bytes, more than %d", len(text), maxRendering), "give the rendering of one message"}
	}
	body, ok := strings.CutSuffix(text, "\n")
	lines := strings.Split(body, "\n")
	if !ok {
		return message.Body{}, "", &ReadError{len(lines), "", "the last line does not end", whole}
	}
	number, name, ok := strings.Cut(lines[0], ": ")
	if !ok {
		return message.Body{}, "", &ReadError{1, "format", "it should name the format, like 210: Inquiry", whole}
	}
	f, ok := e.Format(message.Format(number))
	if !ok {
		return message.Body{}, "", &ReadError{1, "format", fmt.Sprintf("%q is not in edition %s", clip(number), e.Name()), "install the edition that the text names, or see `detente book list`"}
	}
	// Two languages may have one name for a format: the lines that follow tell
	// which it is. Where none fits, the one that was read furthest is told.
	failed := &ReadError{1, "format", fmt.Sprintf("%q is not the name of format %s in any language", clip(name), number), whole}
	for _, l := range langs {
		if f.Name[l] != name {
			continue
		}
		b, err := e.parseIn(f, l, lines[1:])
		if err == nil {
			err = e.asWritten(b, l, text)
		}
		if err == nil {
			return b, l, nil
		}
		var at *ReadError
		if !errors.As(err, &at) {
			return message.Body{}, "", err
		}
		if at.Line >= failed.Line {
			failed = at
		}
	}
	return message.Body{}, "", failed
}

// asWritten checks that what was read is written as it was read: there are no
// two texts for one message. What it cannot write is no *ReadError.
func (e *Edition) asWritten(b message.Body, l Lang, text string) error {
	again, err := e.Render(b, l)
	if err != nil {
		return err
	}
	if again == text {
		return nil
	}
	is, should := strings.Split(text, "\n"), strings.Split(again, "\n")
	n := 0
	for n < len(is) && n < len(should) && is[n] == should[n] {
		n++
	}
	return &ReadError{n + 1, "", "the line is not as the signal book writes it", whole}
}

type parser struct {
	e     *Edition
	lang  Lang
	lines []string
	at    int
}

// next returns the value of the next line if it has the label.
func (p *parser) next(label string) (string, bool) {
	if p.at >= len(p.lines) {
		return "", false
	}
	v, ok := strings.CutPrefix(p.lines[p.at], label+": ")
	if ok {
		p.at++
	}
	return v, ok
}

// fail is an error at the next line.
func (p *parser) fail(field, what string) error {
	return &ReadError{p.at + 2, field, what, whole}
}

// need returns the value of a line that must be there.
func (p *parser) need(word string) (string, error) {
	v, ok := p.next(p.e.meta.Words[word][p.lang])
	if !ok {
		return "", p.fail(word, "its line is expected here")
	}
	return p.plain(word, v)
}

// plain takes the isolation off a left-to-right value.
func (p *parser) plain(field, v string) (string, error) {
	if p.lang != "ar" {
		return v, nil
	}
	inner, ok := strings.CutPrefix(v, isolate)
	inner, ok2 := strings.CutSuffix(inner, popped)
	if !ok || !ok2 {
		return "", p.bad(field, errors.New("the value is not isolated"))
	}
	return inner, nil
}

// code reads a code that stands beside its label, and checks that the label is
// its own.
func (p *parser) code(field, list, v string) (string, error) {
	code, label, ok := strings.Cut(v, between)
	if !ok {
		return "", p.bad(field, errors.New("a code and its label are expected"))
	}
	code, err := p.plain(field, code)
	if err != nil {
		return "", err
	}
	c, ok := p.e.lists[list].find(code)
	if !ok || c.Label[p.lang] != label {
		return "", p.bad(field, fmt.Errorf("%q with the label %q is not in the list %s", clip(code), clip(label), list))
	}
	return code, nil
}

func (p *parser) needCode(word, list string) (string, error) {
	v, ok := p.next(p.e.meta.Words[word][p.lang])
	if !ok {
		return "", p.fail(word, "its line is expected here")
	}
	return p.code(word, list, v)
}

func (e *Edition) parseIn(f Format, l Lang, lines []string) (message.Body, error) {
	p := &parser{e: e, lang: l, lines: lines}
	b := message.Body{Format: f.Number}
	// The act follows from format and codes: that it is the right one shows when
	// what was read is rendered again.
	if _, err := p.needCode("act", "act"); err != nil {
		return b, err
	}
	if err := p.head(&b); err != nil {
		return b, err
	}
	b.Params = make(map[string]jsontext.Value)
	for _, param := range f.Params {
		v, err := p.param(param)
		if err != nil {
			return b, err
		}
		if v != nil {
			b.Params[param.Name] = v
		}
	}
	if code, err := p.needCode("standing", "standing"); err != nil || code != noAdmission {
		return b, errors.Join(err, p.fail("standing", "the reservation "+noAdmission+" is expected here"))
	}
	if p.at != len(p.lines) {
		return b, p.fail("", "no line is expected here")
	}
	return b, nil
}

// head reads the fields that every message has.
func (p *parser) head(b *message.Body) error {
	read := func(word string, into func(string) error) error {
		v, err := p.need(word)
		if err != nil {
			return err
		}
		return p.bad(word, into(v))
	}
	code := func(word string, into func(string) error) error {
		v, err := p.needCode(word, word)
		if err != nil {
			return err
		}
		return p.bad(word, into(v))
	}
	for _, step := range []func() error{
		func() error { return read("id", into(&b.ID, message.ParseID)) },
		func() error { return read("edition", into(&b.Edition, identity.ParseDigest)) },
		func() error { return read("line", into(&b.Line, identity.ParseLine)) },
		func() error { return read("from", into(&b.From, identity.ParseStation)) },
		func() error { return read("to", into(&b.To, identity.ParseStation)) },
		func() error { return code("precedence", into(&b.Precedence, message.ParsePrecedence)) },
		func() (err error) { b.Marking.TLP, err = p.needCode("tlp", "tlp"); return err },
		func() error { return p.pap(b) },
		func() (err error) { b.Language, err = p.needCode("language", "language"); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return p.tail(b)
}

// into returns a reader that puts what parse makes of a text at to.
func into[T any](to *T, parse func(string) (T, error)) func(string) error {
	return func(s string) (err error) {
		*to, err = parse(s)
		return err
	}
}

// bad is an error about the value of the line that was just read.
func (p *parser) bad(field string, err error) error {
	if err == nil {
		return nil
	}
	return &ReadError{p.at + 1, field, told(err), whole}
}

// told returns what an error says, in bounds: readers of names repeat the name.
func told(err error) string {
	const most = 200
	if s := err.Error(); len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return err.Error()
}

func (p *parser) pap(b *message.Body) (err error) {
	if v, ok := p.next(p.e.meta.Words["pap"][p.lang]); ok {
		b.Marking.PAP, err = p.code("pap", "pap", v)
	}
	return err
}

// tail reads the fields of the head that may be absent.
func (p *parser) tail(b *message.Body) error {
	if v, ok := p.next(p.e.meta.Words["expires"][p.lang]); ok {
		v, err := p.plain("expires", v)
		if err != nil {
			return err
		}
		if err := checkTime(v); err != nil {
			return p.bad("expires", err)
		}
		if b.Expires, err = time.Parse(time.RFC3339, v); err != nil {
			return p.bad("expires", err)
		}
	}
	for {
		v, ok := p.next(p.e.meta.Words["ref"][p.lang])
		if !ok {
			return nil
		}
		v, err := p.plain("ref", v)
		if err != nil {
			return err
		}
		id, err := message.ParseID(v)
		if err != nil {
			return p.bad("ref", err)
		}
		if b.Refs = append(b.Refs, id); len(b.Refs) > message.MaxRefs {
			return p.bad("ref", fmt.Errorf("more than %d messages are referred to", message.MaxRefs))
		}
	}
}

var counted = regexp.MustCompile(`^ \[([0-9]+)/([0-9]+)\](: | · )`)

// param reads a parameter; nil where it is optional and absent.
func (p *parser) param(param Param) (jsontext.Value, error) {
	label := param.Label[p.lang]
	if !param.Many && param.Type == TypeRecord {
		v, err := p.record(param, label)
		if v == nil && err == nil && !param.Optional {
			err = p.fail(param.Name, "its line is expected here")
		}
		return v, err
	}
	if !param.Many {
		v, ok := p.next(label)
		if !ok {
			if param.Optional {
				return nil, nil
			}
			return nil, p.fail(param.Name, "its line is expected here")
		}
		return p.value(param, v)
	}
	list := []jsontext.Value{}
	for p.at < len(p.lines) {
		rest, ok := strings.CutPrefix(p.lines[p.at], label)
		m := counted.FindStringSubmatch(rest)
		if !ok || m == nil {
			break
		}
		if i, err := strconv.Atoi(m[1]); err != nil || i != len(list)+1 {
			return nil, p.fail(param.Name, "a value is missing or out of order")
		}
		v, err := p.counted(param, label, rest, m)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if m[1] == m[2] {
			break
		}
	}
	if len(list) == 0 {
		if param.Optional {
			return nil, nil
		}
		return nil, p.fail(param.Name, "its line is expected here")
	}
	return marshal(list)
}

// counted reads one value of a list, whose label is followed by rest.
func (p *parser) counted(param Param, label, rest string, m []string) (jsontext.Value, error) {
	if (m[3] == within) != (param.Type == TypeRecord) {
		return nil, p.fail(param.Name, "its line is expected here")
	}
	if param.Type == TypeRecord {
		v, err := p.record(param, label+strings.TrimSuffix(m[0], within))
		if v == nil && err == nil {
			err = p.fail(param.Name, "a field of the record is expected here")
		}
		return v, err
	}
	p.at++
	return p.value(param, rest[len(m[0]):])
}

// value reads one value back.
func (p *parser) value(param Param, v string) (jsontext.Value, error) {
	switch param.Type {
	case TypeCode:
		code, err := p.code(param.Name, param.List, v)
		if err != nil {
			return nil, err
		}
		return marshal(code)
	case TypeItem:
		return p.item(param, v)
	case TypeText:
		var s string
		if err := json.Unmarshal([]byte(v), &s); err != nil {
			return nil, p.bad(param.Name, errors.New("a quoted text is expected"))
		}
		return marshal(s)
	}
	v, err := p.plain(param.Name, v)
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(v, " / ", 3)
	switch param.Type {
	case TypeWindow:
		if len(parts) != 3 {
			return nil, p.bad(param.Name, errors.New("a window is expected: from / to / zone"))
		}
		return marshal(window{parts[0], parts[1], parts[2]})
	case TypeBlob:
		if len(parts) != 3 {
			return nil, p.bad(param.Name, errors.New("a blob is expected: hash / size / type"))
		}
		n, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			return nil, p.bad(param.Name, errors.New("the size of a blob is a number"))
		}
		return marshal(blob{parts[0], n, parts[2]})
	case TypeCount, TypeRule:
		value := jsontext.Value(v)
		if err := value.Canonicalize(); err != nil {
			return nil, p.bad(param.Name, errors.New("the value is malformed"))
		}
		return value, nil
	}
	return marshal(v)
}

// item reads an item that stands beside its code and the code's label.
func (p *parser) item(param Param, v string) (jsontext.Value, error) {
	both, label, ok := strings.Cut(v, between)
	if !ok {
		return nil, p.bad(param.Name, errors.New("an item, its code and its label are expected"))
	}
	both, err := p.plain(param.Name, both)
	if err != nil {
		return nil, err
	}
	name, code, ok := strings.Cut(both, itemsBefore)
	c, known := p.e.lists[param.List].find(code)
	if !ok || !known || c.Label[p.lang] != label {
		return nil, p.bad(param.Name, fmt.Errorf("%q with the label %q is not in the list %s", clip(code), clip(label), param.List))
	}
	return marshal(item{name, code})
}

// marshal returns canonical JSON.
func marshal(v any) (jsontext.Value, error) {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(text)
	return value, value.Canonicalize()
}

// Compose turns parameters typed as name=value into those of a format. A list
// is typed by naming its parameter once for each value.
func (e *Edition) Compose(number message.Format, typed []string) (map[string]jsontext.Value, error) {
	f, ok := e.Format(number)
	if !ok {
		return nil, &ParamError{number, "format", "it is not in edition " + e.Name(), "see `detente book list`"}
	}
	params := make(map[string]jsontext.Value)
	lists := make(map[string][]jsontext.Value)
	for _, t := range typed {
		name, text, ok := strings.Cut(t, "=")
		p, known := f.param(name)
		if !ok || !known {
			return nil, &ParamError{number, name, "the format has no such parameter", "see `detente book show " + string(number) + "`"}
		}
		v, err := composeValue(p, text)
		if err != nil {
			return nil, &ParamError{number, name, err.Error(), e.wanted(p)}
		}
		if p.Many {
			lists[name] = append(lists[name], v)
			continue
		}
		if _, twice := params[name]; twice {
			return nil, &ParamError{number, name, "it is given twice", e.wanted(p)}
		}
		params[name] = v
	}
	for name, list := range lists {
		v, err := marshal(list)
		if err != nil {
			return nil, err
		}
		params[name] = v
	}
	return params, nil
}

func composeValue(p Param, text string) (jsontext.Value, error) {
	switch p.Type {
	case TypeCount:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", clip(text))
		}
		return marshal(n)
	case TypeWindow:
		from, to, ok := strings.Cut(text, "/")
		if !ok {
			return nil, fmt.Errorf("%q is no window", clip(text))
		}
		zone := "UTC"
		if end, named, ok := strings.Cut(to, "/"); ok {
			to, zone = end, named
		}
		return marshal(window{from, to, zone})
	case TypeItem:
		i := strings.LastIndexByte(text, '/')
		if i < 0 {
			return nil, fmt.Errorf("%q is no item with its code", clip(text))
		}
		return marshal(item{text[:i], text[i+1:]})
	case TypeRecord:
		return composeRecord(p, text)
	case TypeBlob, TypeRule:
		v := jsontext.Value(slices.Clone([]byte(text)))
		if err := v.Canonicalize(); err != nil {
			return nil, fmt.Errorf("%q is no JSON", clip(text))
		}
		return v, nil
	}
	return marshal(text)
}
