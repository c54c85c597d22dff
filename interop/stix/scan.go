package stix

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// A place is where an object stands, for findings about it.
type place struct {
	pointer jsontext.Pointer
	line    int
	raw     jsontext.Value
}

// at makes a finding about a pointer within the object.
func (p place) at(c Code, id ID, within jsontext.Pointer, offset int64, reason, next string) Finding {
	line := p.line + bytes.Count(p.raw[:min(max(offset, 0), int64(len(p.raw)))], []byte("\n"))
	return Finding{Code: c, Object: id, Pointer: p.pointer + within, Line: line, Reason: reason, Next: next}
}

// A scan reads an object's tokens and judges the text, before anything makes a
// value of it: two readers must not see two objects in the same bytes.
type scan struct {
	place
	dec   *jsontext.Decoder
	id    ID
	found []Finding
	count int               // values met
	open  []map[string]bool // the members met so far of each open object; nil for a list
}

// scanObject returns the object's id, where it can be told, the number of its
// values, and what is wrong with its text.
func scanObject(p place) (id ID, values int, found []Finding) {
	s := &scan{place: p, dec: jsontext.NewDecoder(bytes.NewReader(p.raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	for {
		kind := s.dec.PeekKind()
		var more bool
		switch kind {
		case '{', '[':
			more = s.begin(kind)
		case '}', ']':
			_, err := s.dec.ReadToken()
			s.open = s.open[:max(len(s.open)-1, 0)]
			more = err == nil
		default:
			more = s.scalar(kind)
		}
		if !more || len(s.found) > MaxFindings {
			break
		}
	}
	for i := range s.found {
		s.found[i].Object = s.id
	}
	return s.id, s.count, s.found
}

func (s *scan) add(c Code, reason, next string) {
	s.found = append(s.found, s.at(c, "", s.dec.StackPointer(), s.dec.InputOffset(), reason, next))
}

// begin opens an object or a list, and passes over one that lies too deep.
func (s *scan) begin(kind jsontext.Kind) bool {
	if len(s.open) >= MaxDepth {
		s.add(CodeTooDeep, fmt.Sprintf("it is nested deeper than %d levels", MaxDepth), "flatten it, or leave the extension out")
		return s.dec.SkipValue() == nil
	}
	if _, err := s.dec.ReadToken(); err != nil {
		return s.fail(err)
	}
	var members map[string]bool
	if kind == '{' {
		members = map[string]bool{}
	}
	s.open = append(s.open, members)
	return true
}

// fail notes what the decoder cannot read. The end of the object is no failure.
func (s *scan) fail(err error) bool {
	if !errors.Is(err, io.EOF) {
		s.add(CodeSyntax, "it is no JSON: "+show(err.Error()), "ask the sender for the bundle anew")
	}
	return false
}

// scalar reads a string, a number or a word, or the name of a member.
func (s *scan) scalar(kind jsontext.Kind) bool {
	isName := false
	if n := len(s.open); n > 0 && s.open[n-1] != nil {
		_, length := s.dec.StackIndex(s.dec.StackDepth())
		isName = length%2 == 0
	}
	raw, err := s.dec.ReadValue()
	if err != nil {
		return s.fail(err)
	}
	s.count++
	switch kind {
	case '"':
		s.text(raw, isName)
	case '0':
		s.number(string(raw))
	case 'n':
		s.add(CodeSchema, "null is no value in STIX", "leave the member out")
	}
	return true
}

func (s *scan) text(raw jsontext.Value, isName bool) {
	clean, err := jsontext.AppendUnquote(nil, raw)
	value := string(clean)
	switch {
	case err != nil:
		s.add(CodeText, "a text is no Unicode: it holds a lone surrogate or bytes that are no UTF-8", "ask the sender for the bundle anew")
	case len(value) > MaxString:
		s.add(CodeTooLarge, fmt.Sprintf("a text of %d bytes is longer than %d", len(value), MaxString), "send it as an artefact of its own")
	case strings.ContainsRune(value, 0):
		s.add(CodeText, "a text holds the character NUL", "leave it out: programs disagree on what follows it")
	}
	if isName {
		if len(value) > MaxName {
			s.add(CodeTooLarge, fmt.Sprintf("the name of a member has more than %d bytes", MaxName), "shorten it")
		}
		if members := s.open[len(s.open)-1]; members[value] {
			s.add(CodeDuplicate, "the member "+show(value)+" stands twice in one object", "ask the sender which one is meant")
		} else {
			members[value] = true
		}
		return
	}
	if s.id == "" && s.dec.StackDepth() == 1 && s.dec.StackPointer() == "/id" && err == nil {
		s.id, _ = ParseID(value)
	}
}

// number accepts what every reader understands as the same number.
func (s *scan) number(lit string) {
	const exact = 1<<53 - 1
	v, err := strconv.ParseFloat(lit, 64)
	mantissa, _, _ := strings.Cut(strings.ToLower(lit), "e")
	switch {
	case err != nil || math.Abs(v) > exact:
		s.add(CodeNumber, "the number "+show(lit)+" lies beyond 2^53, where readers differ", "write it as text")
	case v == 0 && strings.Trim(mantissa, "-0.") != "":
		s.add(CodeNumber, "the number "+show(lit)+" is too small to be told from zero", "write it as text")
	}
}
