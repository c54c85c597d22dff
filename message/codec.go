package message

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"strconv"
	"time"

	"detente/identity"
)

// FieldError says what is wrong with one field of a body or a wrapper.
type FieldError struct {
	Field  string // as in the JSON: params.window.from
	Line   int    // of the text, from 1; zero where it was not read from one
	Reason string
	Next   string // what to do
}

// Error returns field, reason and next step in one line.
func (e *FieldError) Error() string {
	s := e.Field + ": " + e.Reason
	if e.Line > 0 {
		s = fmt.Sprintf("line %d: %s", e.Line, s)
	}
	if e.Next != "" {
		s += "; " + e.Next
	}
	return s
}

// fieldError makes a FieldError that stands in one line whatever the names and
// values in it are.
func fieldError(field, reason, next string) *FieldError {
	return &FieldError{Field: shown(field), Reason: shown(reason), Next: next}
}

// Next steps that several fields share.
const (
	// anew is for bytes that a program wrote and no person can mend.
	anew = "take the text as the station that wrote it gave it, or have that station write it anew"
	// newer is for what another version may know.
	newer = "the other station may speak a newer version: bring both to one"
)

// Frozen is a body whose bytes are fixed. The zero value is none.
type Frozen struct {
	bytes  []byte
	digest identity.Digest
	body   Body
}

// Bytes returns the canonical JSON, not to be changed.
func (f Frozen) Bytes() []byte { return f.bytes }

// Digest returns the SHA-256 of the bytes, which officers approve.
func (f Frozen) Digest() identity.Digest { return f.digest }

// Body returns what the bytes say. Its maps and slices are not to be changed.
func (f Frozen) Body() Body { return f.body }

type bodyJSON struct {
	Edition    string                    `json:"edition"`
	Expires    string                    `json:"expires,omitempty"`
	Format     string                    `json:"format"`
	From       string                    `json:"from"`
	ID         string                    `json:"id"`
	Kind       string                    `json:"kind"`
	Language   string                    `json:"language"`
	Line       string                    `json:"line"`
	PAP        string                    `json:"pap,omitempty"`
	Params     map[string]jsontext.Value `json:"params"`
	Precedence string                    `json:"precedence"`
	Refs       []string                  `json:"refs,omitempty"`
	TLP        string                    `json:"tlp"`
	To         string                    `json:"to"`
}

const bodyKind = "detente/body/v1"

// Freeze checks a body and fixes its bytes. It fails with a *FieldError.
func (b Body) Freeze() (Frozen, error) {
	if err := b.check(); err != nil {
		return Frozen{}, err
	}
	w := bodyJSON{
		Kind: bodyKind, ID: b.ID.String(), Format: string(b.Format), Edition: b.Edition.String(), Line: b.Line.String(), From: string(b.From), To: string(b.To),
		Precedence: b.Precedence.String(), TLP: b.Marking.TLP, PAP: b.Marking.PAP, Language: b.Language, Expires: stamp(b.Expires), Params: b.Params,
	}
	if w.Params == nil {
		w.Params = map[string]jsontext.Value{}
	}
	for _, r := range b.Refs {
		w.Refs = append(w.Refs, r.String())
	}
	text, err := canonical(w)
	if err != nil {
		return Frozen{}, fieldError("body", err.Error(), "write texts in UTF-8, and name each member once")
	}
	return ParseBody(text)
}

// ParseBody reads a body's bytes. It refuses what is not in canonical form, not
// complete, not known or beyond the limits, with a *FieldError.
func ParseBody(text []byte) (Frozen, error) {
	if len(text) > MaxBody {
		return Frozen{}, fieldError("body", fmt.Sprintf("%d bytes are more than %d", len(text), MaxBody), "send long texts and evidence as blobs")
	}
	var w bodyJSON
	if err := decode("body", text, &w); err != nil {
		return Frozen{}, err
	}
	b, err := w.body()
	if err != nil {
		return Frozen{}, err
	}
	if err := b.check(); err != nil {
		return Frozen{}, err
	}
	return Frozen{bytes: bytes.Clone(text), digest: identity.Sum(text), body: b}, nil
}

func (w bodyJSON) body() (b Body, err error) {
	if w.Kind != bodyKind {
		return b, fieldError("kind", fmt.Sprintf("%q is no kind of body that is known here", clip(w.Kind)), newer)
	}
	b = Body{Format: Format(w.Format), From: identity.Station(w.From), To: identity.Station(w.To), Marking: Marking{w.TLP, w.PAP}, Language: w.Language, Params: w.Params}
	if b.ID, err = ParseID(w.ID); err != nil {
		return b, fieldError("id", err.Error(), anew)
	}
	if b.Edition, err = identity.ParseDigest(w.Edition); err != nil {
		return b, fieldError("edition", err.Error(), anew)
	}
	if b.Line, err = identity.ParseLine(w.Line); err != nil {
		return b, fieldError("line", err.Error(), anew)
	}
	if b.Line.String() != w.Line {
		return b, fieldError("line", "the two stations are not in order", "name first the station whose name sorts first")
	}
	if b.Precedence, err = ParsePrecedence(w.Precedence); err != nil {
		return b, fieldError("precedence", err.Error(), anew)
	}
	if b.Expires, err = parseStamp("expires", w.Expires); err != nil {
		return b, err
	}
	for _, r := range w.Refs {
		id, err := ParseID(r)
		if err != nil {
			return b, fieldError("refs", err.Error(), anew)
		}
		b.Refs = append(b.Refs, id)
	}
	if w.Params == nil {
		return b, fieldError("params", "they are missing", "write {} where there are none")
	}
	return b, nil
}

// canonical returns the RFC 8785 form of v's JSON.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(text)
	return value, value.Canonicalize()
}

// decode reads a JSON object in the one form that v has: canonical, with no
// member that v does not know and none that v would leave out. Two texts of one
// meaning would be two messages that nobody can tell apart.
func decode(what string, text []byte, v any) error {
	if err := json.Unmarshal(text, v, json.RejectUnknownMembers(true)); err != nil {
		return jsonError(what, text, err)
	}
	again, err := canonical(v)
	if err == nil && bytes.Equal(again, text) {
		return nil
	}
	value := jsontext.Value(bytes.Clone(text))
	if err := value.Canonicalize(); err != nil {
		return jsonError(what, text, err)
	}
	if !bytes.Equal(value, text) {
		return fieldError(what, "it is not in the canonical form of RFC 8785", anew)
	}
	return fieldError(what, "a member is empty or null that is left out where there is nothing to say", anew)
}

func jsonError(what string, text []byte, err error) error {
	field := what
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	at := int64(-1)
	switch {
	case errors.As(err, &semantic):
		at = semantic.ByteOffset
		if p := string(semantic.JSONPointer); p != "" {
			field = what + clip(p)
		}
	case errors.As(err, &syntax):
		at = syntax.ByteOffset
	}
	e := fieldError(field, "it is not the JSON that is expected: "+clip(err.Error()), anew)
	if at >= 0 && at <= int64(len(text)) {
		e.Line = 1 + bytes.Count(text[:at], []byte("\n"))
	}
	return e
}

// maxDepth bounds parameters: a list of flat objects that hold lists.
const maxDepth = 4

// checkValue checks that a parameter's value is made of what a body may hold.
func checkValue(field string, v jsontext.Value, depth int) error {
	bad := func(reason, next string) error { return fieldError(field, reason, next) }
	if depth > maxDepth {
		return bad("it is nested too deep", "use the format's own types")
	}
	switch v.Kind() {
	case '"', 't', 'f':
		return nil
	case '0':
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil || n > 1<<53-1 || n < -(1<<53-1) {
			return bad("a number must be whole, and no larger than 2^53", "write other numbers as text")
		}
		return nil
	case '[':
		var list []jsontext.Value
		if err := json.Unmarshal(v, &list); err != nil {
			return bad("it is no JSON", anew)
		}
		for i, e := range list {
			if err := checkValue(fmt.Sprintf("%s[%d]", field, i), e, depth+1); err != nil {
				return err
			}
		}
		return nil
	case '{':
		var object map[string]jsontext.Value
		if err := json.Unmarshal(v, &object); err != nil {
			return bad("it is no JSON", anew)
		}
		for name, e := range object {
			if err := checkValue(field+"."+clip(name), e, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return bad("null and nothing are no values", "leave the parameter out")
}

// stamp writes a time as records do; the zero time is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// parseStamp reads what stamp wrote.
func parseStamp(field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || stamp(t) != s || t.Unix() < 0 {
		return time.Time{}, fieldError(field, fmt.Sprintf("%q is no time that records hold", clip(s)), "write it like 2026-11-23T14:45:07Z")
	}
	return t.UTC(), nil
}
