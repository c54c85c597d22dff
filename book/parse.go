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

// Parse reads a rendering in any of the six languages back into the body that
// it was made of, with exactly its codes and values. A line that is missing,
// doubled, unknown or out of its place is an error that names it.
func (e *Edition) Parse(text string) (message.Body, Lang, error) {
	if len(text) > maxRendering {
		return message.Body{}, "", fmt.Errorf("the text has %d bytes, more than %d", len(text), maxRendering)
	}
	body, ok := strings.CutSuffix(text, "\n")
	if !ok {
		return message.Body{}, "", errors.New("the last line does not end")
	}
	lines := strings.Split(body, "\n")
	number, name, ok := strings.Cut(lines[0], ": ")
	if !ok {
		return message.Body{}, "", errors.New("line 1: it should name the format, like 210: Inquiry")
	}
	f, ok := e.Format(message.Format(number))
	if !ok {
		return message.Body{}, "", fmt.Errorf("line 1: format %q is not in edition %s", clip(number), e.Name())
	}
	for _, l := range langs {
		if f.Name[l] != name {
			continue
		}
		b, err := e.parseIn(f, l, lines[1:])
		if err == nil {
			// What reads back must be what was read: no two texts for one message.
			again, err := e.Render(b, l)
			if err != nil {
				return b, l, err
			}
			if again != text {
				return b, l, errors.New("the text is not as the signal book writes it")
			}
		}
		return b, l, err
	}
	return message.Body{}, "", fmt.Errorf("line 1: %q is not the name of format %s in any language", clip(name), number)
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

func (p *parser) fail(what string) error {
	return fmt.Errorf("line %d: %s", p.at+2, what)
}

// need returns the value of a line that must be there.
func (p *parser) need(word string) (string, error) {
	v, ok := p.next(p.e.meta.Words[word][p.lang])
	if !ok {
		return "", p.fail("the line " + word + " is expected here")
	}
	return p.plain(v)
}

// plain takes the isolation off a left-to-right value.
func (p *parser) plain(v string) (string, error) {
	if p.lang != "ar" {
		return v, nil
	}
	inner, ok := strings.CutPrefix(v, isolate)
	inner, ok2 := strings.CutSuffix(inner, popped)
	if !ok || !ok2 {
		return "", p.fail("the value is not isolated")
	}
	return inner, nil
}

// code reads a code that stands beside its label, and checks that the label is
// its own.
func (p *parser) code(list, v string) (string, error) {
	code, label, ok := strings.Cut(v, between)
	if !ok {
		return "", p.fail("a code and its label are expected")
	}
	code, err := p.plain(code)
	if err != nil {
		return "", err
	}
	c, ok := p.e.lists[list].find(code)
	if !ok || c.Label[p.lang] != label {
		return "", p.fail(fmt.Sprintf("%q with the label %q is not in the list %s", clip(code), clip(label), list))
	}
	return code, nil
}

func (p *parser) needCode(word, list string) (string, error) {
	v, ok := p.next(p.e.meta.Words[word][p.lang])
	if !ok {
		return "", p.fail("the line " + word + " is expected here")
	}
	return p.code(list, v)
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
		return b, errors.Join(err, p.fail("the reservation "+noAdmission+" is expected here"))
	}
	if p.at != len(p.lines) {
		return b, p.fail("no line is expected here")
	}
	return b, nil
}

// head reads the fields that every message has.
func (p *parser) head(b *message.Body) error {
	var fields [5]string
	for i, word := range []string{"id", "edition", "line", "from", "to"} {
		var err error
		if fields[i], err = p.need(word); err != nil {
			return err
		}
	}
	var errs [9]error
	b.ID, errs[0] = message.ParseID(fields[0])
	b.Edition, errs[1] = identity.ParseDigest(fields[1])
	b.Line, errs[2] = identity.ParseLine(fields[2])
	b.From, errs[3] = identity.ParseStation(fields[3])
	b.To, errs[4] = identity.ParseStation(fields[4])
	word, err := p.needCode("precedence", "precedence")
	errs[5] = err
	if err == nil {
		b.Precedence, errs[5] = message.ParsePrecedence(word)
	}
	b.Marking.TLP, errs[6] = p.needCode("tlp", "tlp")
	if v, ok := p.next(p.e.meta.Words["pap"][p.lang]); ok {
		b.Marking.PAP, errs[7] = p.code("pap", v)
	}
	b.Language, errs[8] = p.needCode("language", "language")
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	return p.tail(b)
}

// tail reads the fields of the head that may be absent.
func (p *parser) tail(b *message.Body) error {
	if v, ok := p.next(p.e.meta.Words["expires"][p.lang]); ok {
		v, err := p.plain(v)
		if err != nil {
			return err
		}
		if b.Expires, err = time.Parse(time.RFC3339, v); err != nil {
			return p.fail("the time of expiry is malformed")
		}
	}
	for {
		v, ok := p.next(p.e.meta.Words["ref"][p.lang])
		if !ok {
			return nil
		}
		v, err := p.plain(v)
		if err != nil {
			return err
		}
		id, err := message.ParseID(v)
		if err != nil {
			return p.fail(err.Error())
		}
		b.Refs = append(b.Refs, id)
	}
}

var counted = regexp.MustCompile(`^ \[([0-9]+)/([0-9]+)\]: `)

// param reads a parameter; nil where it is optional and absent.
func (p *parser) param(param Param) (jsontext.Value, error) {
	label := param.Label[p.lang]
	if !param.Many {
		v, ok := p.next(label)
		if !ok {
			if param.Optional {
				return nil, nil
			}
			return nil, p.fail("the parameter " + param.Name + " is expected here")
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
			return nil, p.fail("a value of " + param.Name + " is missing or out of order")
		}
		p.at++
		v, err := p.value(param, rest[len(m[0]):])
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
		return nil, p.fail("the parameter " + param.Name + " is expected here")
	}
	return marshal(list)
}

// value reads one value back.
func (p *parser) value(param Param, v string) (jsontext.Value, error) {
	switch param.Type {
	case TypeCode:
		code, err := p.code(param.List, v)
		if err != nil {
			return nil, err
		}
		return marshal(code)
	case TypeItem:
		return p.item(param, v)
	case TypeText:
		var s string
		if err := json.Unmarshal([]byte(v), &s); err != nil {
			return nil, p.fail("a quoted text is expected")
		}
		return marshal(s)
	}
	v, err := p.plain(v)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(v, " / ")
	switch param.Type {
	case TypeWindow:
		if len(parts) != 3 {
			return nil, p.fail("a window is expected: from / to / zone")
		}
		return marshal(window{parts[0], parts[1], parts[2]})
	case TypeBlob:
		if len(parts) != 3 {
			return nil, p.fail("a blob is expected: hash / size / type")
		}
		n, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			return nil, p.fail("the size of a blob is a number")
		}
		return marshal(blob{parts[0], n, parts[2]})
	case TypeCount, TypeRule:
		value := jsontext.Value(v)
		if err := value.Canonicalize(); err != nil {
			return nil, p.fail("the value is malformed")
		}
		return value, nil
	}
	return marshal(v)
}

// item reads an item that stands beside its code and the code's label.
func (p *parser) item(param Param, v string) (jsontext.Value, error) {
	both, label, ok := strings.Cut(v, between)
	if !ok {
		return nil, p.fail("an item, its code and its label are expected")
	}
	both, err := p.plain(both)
	if err != nil {
		return nil, err
	}
	name, code, ok := strings.Cut(both, itemsBefore)
	c, known := p.e.lists[param.List].find(code)
	if !ok || !known || c.Label[p.lang] != label {
		return nil, p.fail(fmt.Sprintf("%q with the label %q is not in the list %s", clip(code), clip(label), param.List))
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
			return nil, &ParamError{number, clip(name), "the format has no such parameter", "see `detente book show " + string(number) + "`"}
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
		return marshal(window{from, to, "UTC"})
	case TypeItem:
		i := strings.LastIndexByte(text, '/')
		if i < 0 {
			return nil, fmt.Errorf("%q is no item with its code", clip(text))
		}
		return marshal(item{text[:i], text[i+1:]})
	case TypeBlob, TypeRule:
		v := jsontext.Value(slices.Clone([]byte(text)))
		if err := v.Canonicalize(); err != nil {
			return nil, fmt.Errorf("%q is no JSON", clip(text))
		}
		return v, nil
	}
	return marshal(text)
}
