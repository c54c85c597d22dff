package message

import (
	"encoding/hex"
	"encoding/json/jsontext"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
)

// ID names a body, for ever. It is random.
type ID [16]byte

// ParseID reads an id's 32 lower-case hexadecimal digits.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 32 || strings.ToLower(s) != s {
		return id, fmt.Errorf("message id %q: 32 lower-case hexadecimal digits are needed", clip(s))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return id, fmt.Errorf("message id %q: 32 lower-case hexadecimal digits are needed", clip(s))
	}
	return id, nil
}

// String returns the id in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Precedence says how urgent a message is. The zero value is none.
type Precedence uint8

// The precedences, from the least.
const (
	Routine Precedence = iota + 1
	Priority
	Immediate
	Flash
)

var precedences = [...]string{Routine: "ROUTINE", Priority: "PRIORITY", Immediate: "IMMEDIATE", Flash: "FLASH"}

// ParsePrecedence reads a precedence's word.
func ParsePrecedence(s string) (Precedence, error) {
	if i := slices.Index(precedences[:], s); i > 0 {
		return Precedence(i), nil
	}
	return 0, fmt.Errorf("precedence %q: it must be ROUTINE, PRIORITY, IMMEDIATE or FLASH", clip(s))
}

// String returns the precedence's word.
func (p Precedence) String() string {
	if p < Routine || p > Flash {
		return fmt.Sprintf("precedence(%d)", uint8(p))
	}
	return precedences[p]
}

// Format is the number of a form in the signal book: three digits.
type Format string

// ParseFormat reads a format's number.
func ParseFormat(s string) (Format, error) {
	if len(s) != 3 || strings.Trim(s, "0123456789") != "" {
		return "", fmt.Errorf("format %q: three digits are needed, like 210", clip(s))
	}
	return Format(s), nil
}

// Marking says who may see a message and what may be done with it.
type Marking struct {
	TLP string // Traffic Light Protocol 2.0, without "TLP:"
	PAP string // permissible actions; empty: none is stated
}

// The labels of a marking.
var (
	tlpLabels = []string{"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"}
	papLabels = []string{"", "CLEAR", "GREEN", "AMBER", "RED"}
)

func (m Marking) check() error {
	if !slices.Contains(tlpLabels, m.TLP) {
		return fieldError("marking.tlp", fmt.Sprintf("%q is no TLP 2.0 label", clip(m.TLP)), "use CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
	}
	if !slices.Contains(papLabels, m.PAP) {
		return fieldError("marking.pap", fmt.Sprintf("%q is no PAP label", clip(m.PAP)), "use CLEAR, GREEN, AMBER or RED, or leave it out")
	}
	return nil
}

// Body is what officers approve.
type Body struct {
	ID         ID
	Format     Format
	Edition    identity.Digest // of the signal book
	Line       identity.Line
	From, To   identity.Station
	Precedence Precedence
	Marking    Marking
	Language   string                    // of free text: en, ru, zh, es, fr, ar
	Expires    time.Time                 // whole second; zero: it does not
	Refs       []ID                      // of other bodies, which may still wait
	Params     map[string]jsontext.Value // canonical JSON values: strings, booleans, integers, lists and flat objects of them
}

// Limits of a body. A whole entry holds at most 65,535 bytes, wrapper and two
// approvals included.
const (
	MaxBody   = 32 << 10
	MaxRefs   = 64
	MaxParams = 64
	maxName   = 40 // of a parameter
)

var languages = []string{"en", "ru", "zh", "es", "fr", "ar"}

// check returns what is wrong with a body, by field.
func (b Body) check() error {
	if _, err := ParseFormat(string(b.Format)); err != nil {
		return fieldError("format", err.Error(), "see the list of formats with `detente book list`")
	}
	if !b.Line.Has(b.From) || !b.Line.Has(b.To) || b.From == b.To {
		return fieldError("line", "from and to are not the two stations of the line", "name the line's own two stations")
	}
	if b.Precedence < Routine || b.Precedence > Flash {
		return fieldError("precedence", "none is given", "use ROUTINE, PRIORITY, IMMEDIATE or FLASH")
	}
	if err := b.Marking.check(); err != nil {
		return err
	}
	if !slices.Contains(languages, b.Language) {
		return fieldError("language", fmt.Sprintf("%q is none of the six", clip(b.Language)), "use en, ru, zh, es, fr or ar")
	}
	if !b.Expires.IsZero() && (b.Expires.Nanosecond() != 0 || b.Expires.Unix() < 0 || b.Expires.Year() > 9999) {
		return fieldError("expires", "it is no whole second after 1970", "give a time like 2026-11-23T14:45:07Z")
	}
	if len(b.Refs) > MaxRefs {
		return fieldError("refs", fmt.Sprintf("%d are more than %d", len(b.Refs), MaxRefs), "refer to fewer messages")
	}
	for i, r := range b.Refs {
		if r == b.ID || slices.Contains(b.Refs[:i], r) {
			return fieldError("refs", "a message refers to itself, or twice to another", "name each message once")
		}
	}
	return b.checkParams()
}

func (b Body) checkParams() error {
	if len(b.Params) > MaxParams {
		return fieldError("params", fmt.Sprintf("%d are more than %d", len(b.Params), MaxParams), "use the format's own parameters")
	}
	for name, v := range b.Params {
		if name == "" || len(name) > maxName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return fieldError("params", fmt.Sprintf("%q is no name of a parameter", clip(name)), "use lower-case letters, digits and _")
		}
		if err := checkValue("params."+name, v, 0); err != nil {
			return err
		}
	}
	return nil
}

// Citation names an entry as people do: ARD/BOR-N1-417.
type Citation struct {
	Writer, Reader identity.Code
	Class          identity.Class
	Era            identity.Era
	Index          int64
}

// Cite writes a citation.
func Cite(writer, reader identity.Code, class identity.Class, era identity.Era, index int64) string {
	return fmt.Sprintf("%s/%s-%s%d-%d", writer, reader, class.Letter(), era, index)
}

// ParseCitation reads what Cite wrote.
func ParseCitation(s string) (Citation, error) {
	var c Citation
	bad := fmt.Errorf("citation %q: write it like ARD/BOR-N1-417", clip(s))
	if len(s) < 12 || s[3] != '/' || s[7] != '-' {
		return c, bad
	}
	var err1, err2 error
	c.Writer, err1 = identity.ParseCode(s[:3])
	c.Reader, err2 = identity.ParseCode(s[4:7])
	if err1 != nil || err2 != nil {
		return c, bad
	}
	for cl := identity.Technical; cl <= identity.Leadership; cl++ {
		if cl.Letter() == s[8:9] {
			c.Class = cl
		}
	}
	if c.Class == 0 {
		return c, bad
	}
	var era uint32
	if n, err := fmt.Sscanf(s[9:], "%d-%d", &era, &c.Index); n != 2 || err != nil {
		return c, bad
	}
	c.Era = identity.Era(era)
	if Cite(c.Writer, c.Reader, c.Class, c.Era, c.Index) != s || c.Index < 0 || era == 0 {
		return c, bad
	}
	return c, nil
}

// Example is a worked example of a format's parameters, as the signal book
// gives one.
type Example map[string]jsontext.Value
