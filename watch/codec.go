package watch

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// MaxDocument bounds what is read: a roster of 500 officers, a directory of
// 2,000 contacts or the alarms of a very bad night.
const MaxDocument = 32 << 20

// maxFaults bounds what an error lists: as many as somebody repairs in one go.
const maxFaults = 20

// lastSecond is the last that records can write.
var lastSecond = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// faults collects what is wrong with a document, entry by entry.
type faults struct {
	errs []error
	more int
}

func (f *faults) add(field, reason, next string) {
	if len(f.errs) >= maxFaults {
		f.more++
		return
	}
	f.errs = append(f.errs, fault(field, reason, next))
}

// err returns all faults as one error, nil where there are none.
func (f *faults) err() error {
	if f.more > 0 {
		return joined(append(f.errs, fmt.Errorf("and %d more: mend these first", f.more)))
	}
	return joined(f.errs)
}

// joined returns several errors as one, on one line: what was read names
// entries that somebody else wrote, and a log shows a line an error.
func joined(errs []error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return faultList(errs)
}

type faultList []error

// Error returns all of them in one line.
func (l faultList) Error() string {
	parts := make([]string, len(l))
	for i, err := range l {
		parts[i] = err.Error()
	}
	return strings.Join(parts, "; and ")
}

// Unwrap returns the errors for errors.As.
func (l faultList) Unwrap() []error { return l }

func fault(field, reason, next string) error {
	return &message.FieldError{Field: field, Reason: reason, Next: next}
}

// canonical returns the RFC 8785 form of v, which our own types always have.
func canonical(v any) []byte {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err == nil {
		value := jsontext.Value(text)
		err = value.Canonicalize()
		text = value
	}
	if err != nil {
		panic("internal error: " + err.Error()) // strings, whole numbers and lists only
	}
	return text
}

// decode reads a document that must be in canonical form and hold no member
// that v does not know.
func decode(what string, text []byte, v any) error {
	if len(text) > MaxDocument {
		return fault(what, fmt.Sprintf("%d bytes are more than %d", len(text), MaxDocument), "give a smaller one")
	}
	value := jsontext.Value(bytes.Clone(text))
	if err := value.Canonicalize(); err != nil {
		return fault(what, "it is no JSON: "+clip(err.Error()), "write it anew")
	}
	if !bytes.Equal(value, text) {
		return fault(what, "it is not in the canonical form of RFC 8785", "write it with the program, which puts it into that form")
	}
	if err := json.Unmarshal(text, v, json.RejectUnknownMembers(true)); err != nil {
		return fault(what, "it is not the JSON that is expected: "+clip(err.Error()), "take out what is not known here")
	}
	return nil
}

// oneForm refuses a document that would be written another way than it was
// read: one meaning has one text, so that digests can be compared.
func oneForm(what string, again, text []byte) error {
	if !bytes.Equal(again, text) {
		return fault(what, "it is not in the one form that the program writes", "write it with the program")
	}
	return nil
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
	if err == nil && stamp(t) == s && t.Unix() >= 0 {
		return t.UTC(), nil
	}
	next := "write it like 2026-11-23T14:45:07Z"
	if len(s) >= 10 && s[4:10] == "-02-29" {
		next = s[:4] + " has no 29 February: give 28 February or 1 March"
	}
	return time.Time{}, fault(field, fmt.Sprintf("%q is no second of UTC that records hold", clip(s)), next)
}

// stamps reads several times and keeps the first error.
type stamps struct{ err error }

func (p *stamps) read(field, s string) time.Time {
	t, err := parseStamp(field, s)
	if p.err == nil {
		p.err = err
	}
	return t
}

// whole reports whether t is a second that records hold.
func whole(t time.Time) bool {
	return t.Nanosecond() == 0 && t.Unix() >= 0 && !t.After(lastSecond)
}

// clip shortens what somebody else wrote before it stands in an error.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// checkText returns what is wrong with a short free text: empty, too long, or
// with characters that have no business in one line.
func checkText(s string, most int) string {
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		return "it is no UTF-8"
	case s == "" || n > most:
		return fmt.Sprintf("it has %d characters, and 1 to %d are allowed", n, most)
	case strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
	}):
		return "it holds characters that are not seen"
	}
	return ""
}

// checkRef returns what is wrong with a reference, a code or a short name of
// printable ASCII without spaces.
func checkRef(s string, most int) string {
	if s == "" || len(s) > most || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Sprintf("%q must be 1 to %d printable ASCII characters without spaces", clip(s), most)
	}
	return ""
}

// knownLang reports whether l is one of the six.
func knownLang(l book.Lang) bool {
	for _, k := range book.Langs() {
		if k == l {
			return true
		}
	}
	return false
}

// parseLine reads a line's text; empty is no line.
func parseLine(field, s string) (identity.Line, error) {
	if s == "" {
		return identity.Line{}, nil
	}
	l, err := identity.ParseLine(s)
	if err != nil {
		return identity.Line{}, fault(field, err.Error(), "write it station/station/class")
	}
	if l.String() != s {
		return identity.Line{}, fault(field, "the two stations are not in order", "name first the station whose name sorts first")
	}
	return l, nil
}

// lineText writes a line; no line is empty.
func lineText(l identity.Line) string {
	if l == (identity.Line{}) {
		return ""
	}
	return l.String()
}

// A Span is a range of time, from its first second to the one after its last.
type Span struct{ From, To time.Time }

// Has reports whether t lies in the span.
func (s Span) Has(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// overlaps reports whether two spans have a second in common.
func (s Span) overlaps(o Span) bool { return s.From.Before(o.To) && o.From.Before(s.To) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// sooner is earlier, where a zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// addMonths returns the same day and time n months on, or the last day of that
// month where it has no such day: six months from 31 August end on 28 or 29
// February.
func addMonths(t time.Time, n int) time.Time {
	t = t.UTC()
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}
