package treaty

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// Limits of an agreement's text. What is larger is no agreement that two sides
// read aloud to each other.
const (
	MaxAgreement  = 1 << 20 // bytes
	MaxArticles   = 100
	MaxParagraphs = 50   // of an article
	MaxParagraph  = 4000 // bytes of one
	MaxDuties     = 20   // of an article
	MaxCondition  = 500  // bytes of one
	maxFormats    = 64   // of a list
	maxCount      = 1000 // acts in a period
	maxTighten    = 4
)

// TextError says where a text is no agreement, and why.
type TextError struct {
	Line   int    // from 1
	Place  string // such as A9.1 or /articles/3/duties/0/within; empty where the text itself is malformed
	Reason string
}

// Error returns line, place and reason in one line.
func (e *TextError) Error() string {
	s := fmt.Sprintf("line %d: ", e.Line)
	if e.Place != "" {
		s += e.Place + ": "
	}
	return s + e.Reason
}

// ParseAgreement reads an agreement: JSON, as docs/agreement.md describes. A
// member that it does not know is refused, so that nobody signs what the engine
// would not do. It does not judge whether the duties make sense: Check does. An
// error is a *TextError with the line.
func ParseAgreement(text []byte) (*Agreement, error) {
	var a Agreement
	if err := decode(text, &a); err != nil {
		return nil, err
	}
	if pointer, err := a.valid(); err != nil {
		return nil, &TextError{lineOf(text, pointer), pointer, err.Error()}
	}
	return &a, nil
}

// ParseArticle reads one article, the content of a file of its own.
func ParseArticle(text []byte) (Article, error) {
	var art Article
	if err := decode(text, &art); err != nil {
		return Article{}, err
	}
	if pointer, err := art.valid(); err != nil {
		return Article{}, &TextError{lineOf(text, pointer), pointer, err.Error()}
	}
	return art, nil
}

// decode reads JSON strictly; what it refuses it refuses with the line.
func decode(text []byte, into any) error {
	if len(text) > MaxAgreement {
		return &TextError{1, "", fmt.Sprintf("the text has %d bytes, more than %d", len(text), MaxAgreement)}
	}
	if !utf8.Valid(text) {
		return &TextError{1, "", "the text is not UTF-8"}
	}
	err := json.Unmarshal(text, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if at, ok := errors.AsType[*json.SemanticError](err); ok {
		why := "has a member that is unknown, or of another type than is needed"
		if at.Err != nil {
			why = at.Err.Error()
		}
		return &TextError{lineAt(text, at.ByteOffset), tame(string(at.JSONPointer)), tame(why)}
	}
	if at, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		why := "is no JSON"
		if at.Err != nil {
			why = at.Err.Error()
		}
		return &TextError{lineAt(text, at.ByteOffset), tame(string(at.JSONPointer)), tame(why)}
	}
	return &TextError{1, "", tame(err.Error())}
}

// maxTold bounds what an error repeats of its input.
const maxTold = 200

// tame makes a piece of somebody's text safe to show: short, on one line.
func tame(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || c != ' ' && !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s)
	if len(s) > maxTold {
		s = strings.ToValidUTF8(s[:maxTold], "") + "…"
	}
	return s
}

// lineAt returns the line in which the first value after an offset begins.
func lineAt(text []byte, offset int64) int {
	at := int(min(max(offset, 0), int64(len(text))))
	for at < len(text) && bytes.IndexByte([]byte(" \t\r\n:,"), text[at]) >= 0 {
		at++
	}
	return 1 + bytes.Count(text[:at], []byte("\n"))
}

// lineOf returns the line of the value that a pointer names, or of the nearest
// that stands around it.
func lineOf(text []byte, pointer string) int {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	line, found := 1, 0
	for {
		if _, err := d.ReadToken(); err != nil {
			return line
		}
		at := string(d.StackPointer())
		if len(at) > found && (pointer == at || strings.HasPrefix(pointer, at+"/")) {
			line, found = 1+bytes.Count(text[:d.InputOffset()], []byte("\n")), len(at)
		}
	}
}

var (
	agreementID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	articleID   = regexp.MustCompile(`^[A-Z][0-9]{1,3}$`)
	dutyID      = regexp.MustCompile(`^[A-Z][0-9]{1,3}\.[0-9]{1,2}$`)
	paramName   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
)

// valid judges the form of an agreement. It returns where it is wrong.
func (a *Agreement) valid() (pointer string, err error) {
	switch {
	case !agreementID.MatchString(a.ID):
		return "/agreement", errors.New("the name is 1 to 40 small letters, digits and hyphens")
	case !slices.Contains([]string{"draft", "checked", "agreed"}, a.Status):
		return "/status", errors.New("the status is draft, checked or agreed")
	case len(a.Languages) == 0:
		return "/languages", errors.New("at least one language is needed")
	case !a.Entry.known():
		return "/entry", errors.New("the rule is on-receipt, on-date, on-completion or by-depositary")
	case a.Term.Period == Period{}:
		return "/term/period", errors.New("a term is needed")
	case a.Term.Notice == Period{}:
		return "/term/notice", errors.New("a period of notice is needed")
	case len(a.Articles) == 0 || len(a.Articles) > MaxArticles:
		return "/articles", fmt.Errorf("1 to %d articles are needed", MaxArticles)
	}
	for i, l := range a.Languages {
		if !known(l) || slices.Index(a.Languages, l) != i {
			return fmt.Sprintf("/languages/%d", i), errors.New("it is unknown or named twice")
		}
	}
	if err := checkText(a.Title); err != nil {
		return "/title", err
	}
	articles, duties := map[string]bool{}, map[string]bool{}
	for i, art := range a.Articles {
		at := fmt.Sprintf("/articles/%d", i)
		if p, err := art.valid(); err != nil {
			return at + p, err
		}
		if articles[art.ID] {
			return at + "/article", fmt.Errorf("there are two articles %s", art.ID)
		}
		articles[art.ID] = true
		for j, d := range art.Duties {
			if duties[d.ID] {
				return fmt.Sprintf("%s/duties/%d/duty", at, j), fmt.Errorf("there are two duties %s", d.ID)
			}
			duties[d.ID] = true
		}
	}
	return "", nil
}

func known(l book.Lang) bool { return slices.Contains(book.Langs(), l) }

func (r EntryRule) known() bool {
	return r == EntryOnReceipt || r == EntryOnDate || r == EntryOnCompletion || r == EntryByDepositary
}

// checkText refuses texts that no page can show as they are.
func checkText(t book.Text) error {
	for l, s := range t {
		if !known(l) {
			return fmt.Errorf("the language %.20q is unknown", l)
		}
		if err := checkProse(s); err != nil {
			return fmt.Errorf("%s: %w", l, err)
		}
	}
	return nil
}

func checkProse(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("a text is empty")
	case len(s) > MaxParagraph:
		return fmt.Errorf("a text has %d bytes, more than %d", len(s), MaxParagraph)
	case strings.ContainsFunc(s, message.Hidden), strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("a text holds a control or hidden character")
	}
	return nil
}

func (art Article) valid() (string, error) {
	switch {
	case !articleID.MatchString(art.ID):
		return "/article", errors.New("the id is a capital letter and a number, like A9")
	case len(art.Duties) > MaxDuties:
		return "/duties", fmt.Errorf("more than %d duties", MaxDuties)
	}
	if err := checkText(art.Title); err != nil {
		return "/title", err
	}
	for l, list := range art.Text {
		at := "/text/" + string(l)
		if !known(l) || len(list) > MaxParagraphs {
			return at, fmt.Errorf("the language is unknown, or has more than %d paragraphs", MaxParagraphs)
		}
		for i, s := range list {
			if err := checkProse(s); err != nil {
				return fmt.Sprintf("%s/%d", at, i), err
			}
		}
	}
	for i, d := range art.Duties {
		at := fmt.Sprintf("/duties/%d", i)
		if !dutyID.MatchString(d.ID) || !strings.HasPrefix(d.ID, art.ID+".") {
			return at + "/duty", fmt.Errorf("the id is that of its article, a dot and a number, like %s.1", art.ID)
		}
		if p, err := d.valid(); err != nil {
			return at + p, err
		}
	}
	return "", nil
}

func (d Duty) valid() (string, error) {
	if !slices.Contains([]Who{Author, Reader, Each, Either}, d.By) {
		return "/by", errors.New("it binds author, reader, each or either")
	}
	if p, err := d.On.valid(); err != nil {
		return "/on" + p, err
	}
	if !d.On.message() && (d.By == Author || d.By == Reader) && d.On.After == "" {
		return "/by", errors.New("without a message there is neither author nor reader: say each or either")
	}
	if p, err := d.Act.valid(); err != nil {
		return "/act" + p, err
	}
	if d.From != "" && (!paramName.MatchString(d.From) || !d.On.message()) {
		return "/from", errors.New("it names a parameter of the message that triggers the duty")
	}
	for _, p := range sortedKeys(d.WithinOf) {
		if _, err := message.ParsePrecedence(p); err != nil || !d.On.message() {
			return "/within_of", errors.New("it is by the precedence of the message that triggers the duty: FLASH, IMMEDIATE, PRIORITY, ROUTINE")
		}
	}
	if l := d.Lead; l != nil && (!paramName.MatchString(l.Param) || l.Least == Period{} || !d.On.message()) {
		return "/lead", errors.New("it names a parameter of the message that triggers the duty, and the least time")
	}
	if len(d.Tighten) > maxTighten {
		return "/tighten", fmt.Errorf("more than %d", maxTighten)
	}
	for i, t := range d.Tighten {
		if err := t.valid(); err != nil {
			return fmt.Sprintf("/tighten/%d", i), err
		}
	}
	if !slices.Contains([]Flag{FlagNone, FlagMissing, FlagShort, FlagBreach}, d.Miss.Flag) {
		return "/miss/flag", errors.New("a miss leads to a flag: none, missing, short-notice or claimable")
	}
	return checkFormats("/miss/next", d.Miss.Next)
}

// message reports whether a message makes the duty arise.
func (t Trigger) message() bool { return t.Any || len(t.Formats) > 0 }

func (t Trigger) valid() (string, error) {
	given := 0
	for _, is := range []bool{len(t.Formats) > 0, t.Any, t.Event != "", t.Every != Period{}, t.After != ""} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return "", errors.New("exactly one of formats, any, event, every and after is needed")
	case t.Event != "" && t.Event != OnEntry && t.Event != OnAlways:
		return "/event", errors.New("the event is entry or always")
	case t.After != "" && !dutyID.MatchString(t.After):
		return "/after", errors.New("it names a duty, like A9.1")
	case len(t.Except) > 0 && !t.Any:
		return "/except", errors.New("it belongs to any")
	case t.Where != "" && !t.message():
		return "/where", errors.New("a condition is over a message")
	case len(t.Where) > MaxCondition:
		return "/where", fmt.Errorf("a condition has more than %d bytes", MaxCondition)
	}
	if p, err := checkFormats("/formats", t.Formats); err != nil {
		return p, err
	}
	return checkFormats("/except", t.Except)
}

func checkFormats(at string, list []message.Format) (string, error) {
	if len(list) > maxFormats {
		return at, fmt.Errorf("more than %d formats", maxFormats)
	}
	for i, f := range list {
		if _, err := message.ParseFormat(string(f)); err != nil || slices.Index(list, f) != i {
			return fmt.Sprintf("%s/%d", at, i), errors.New("it is no number of a format, or stands twice")
		}
	}
	return "", nil
}

func (a Act) valid() (string, error) {
	switch {
	case a.Abstain && (len(a.Formats) > 0 || a.OrReply || a.Self):
		return "/abstain", errors.New("who is to leave something alone has nothing to send")
	case a.Count < 0 || a.Count > maxCount:
		return "/count", fmt.Errorf("the count is 1 to %d", maxCount)
	case len(a.Where) > MaxCondition:
		return "/where", fmt.Errorf("a condition has more than %d bytes", MaxCondition)
	}
	return checkFormats("/formats", a.Formats)
}

func (t Tighten) valid() error {
	if t.In != PhaseOpen && t.In != PhaseCore {
		return errors.New("it is in open or core")
	}
	if t.Halve == (t.Within != Period{}) {
		return errors.New("either within or halve is needed")
	}
	if t.Raise != "" {
		if _, err := message.ParsePrecedence(t.Raise); err != nil {
			return errors.New("raise names a precedence")
		}
	}
	if len(t.Where) > MaxCondition {
		return fmt.Errorf("a condition has more than %d bytes", MaxCondition)
	}
	return nil
}

// Bytes returns the agreement in the one form that is hashed: canonical JSON
// (RFC 8785), all languages and duties in it.
func (a *Agreement) Bytes() ([]byte, error) {
	text, err := json.Marshal(a, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("agreement %s: %w", a.ID, err)
	}
	v := jsontext.Value(text)
	if err := v.Canonicalize(); err != nil {
		return nil, fmt.Errorf("agreement %s: %w", a.ID, err)
	}
	return v, nil
}

// Hash returns the one hash of the agreement, over all languages: what both sides
// sign.
func (a *Agreement) Hash() (identity.Digest, error) {
	b, err := a.Bytes()
	if err != nil {
		return identity.Digest{}, err
	}
	return identity.Sum(b), nil
}
