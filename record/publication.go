package record

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"slices"

	"detente/identity"
	"detente/message"
	"detente/seal"
)

// Publication is the kind of a record of what both sides consented to publish,
// each message in full, redacted, or only that it exists, together with the
// proposals and answers that say so.
const Publication Kind = "publication"

// The formats by which a publication is proposed and answered.
const (
	ProposePublication message.Format = "390"
	AnswerPublication  message.Format = "391"
)

// Form is how much of a message is published, a code; the empty form is nothing.
type Form string

// The forms, from the least to the most.
const (
	FormNone      Form = ""
	FormExistence Form = "existence"
	FormRedacted  Form = "redacted"
	FormFull      Form = "full"
)

var forms = []Form{FormNone, FormExistence, FormRedacted, FormFull}

func (f Form) rank() int { return slices.Index(forms, f) }

// least returns the lesser of two forms.
func least(a, b Form) Form {
	if a.rank() < b.rank() {
		return a
	}
	return b
}

const redactedForm = "detente/redacted/v1"

// redactedJSON is a message without the values of some parameters.
type redactedJSON struct {
	Body     jsontext.Value `json:"body"`
	Citation string         `json:"citation"`
	Format   string         `json:"format"`
}

// Redact returns a message's text without the values of the parameters named:
// each whole value gives way to a digest of it, so that nothing can be cut out of
// a value and no redaction stands unseen. The digests are salted by the entry's
// file key, which both ends have and nobody else: both make the same bytes, and
// nobody can try guesses. A parameter that the message has not is an error.
func Redact(citation string, body message.Frozen, key seal.FileKey, fields []string) ([]byte, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(body.Bytes(), &members); err != nil {
		return nil, fmt.Errorf("redacting %s: %w", citation, err)
	}
	var params map[string]jsontext.Value
	if err := json.Unmarshal(members["params"], &params); err != nil {
		return nil, fmt.Errorf("redacting %s: %w", citation, err)
	}
	for _, f := range fields {
		v, ok := params[f]
		if !ok {
			return nil, fmt.Errorf("redacting %s: it has no parameter %q: name one that it has", citation, f)
		}
		params[f] = jsontext.Value(`{"redacted":"` + hideValue(key, f, v) + `"}`)
	}
	var err error
	if members["params"], err = json.Marshal(params, json.Deterministic(true)); err != nil {
		return nil, err
	}
	text, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	return canonicalJSON(redactedJSON{Body: text, Citation: citation, Format: redactedForm})
}

func canonicalJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(text)
	return value, value.Canonicalize()
}

// hideValue returns the digest that stands for a value.
func hideValue(key seal.FileKey, field string, value []byte) string {
	h := hmac.New(sha256.New, []byte(key.Disclose()))
	h.Write([]byte("detente/redacted/salt/v1\n" + field))
	data := append([]byte("detente/redacted/value/v1\n"), h.Sum(nil)...)
	d := identity.Sum(append(data, value...))
	return hex.EncodeToString(d[:])
}

// Consents is what proposals and answers, in the order of their logs, let be
// published. The zero value lets nothing.
type Consents struct {
	proposals map[message.ID]proposal
	given     map[string]Consent
}

type proposal struct {
	from      identity.Station
	form      Form
	serials   []string
	texts     map[string]string
	redaction map[string][]string
	at        string
}

// Consent is what both sides let be published of one message.
type Consent struct {
	Form   Form
	Text   string   // of a redacted one: the digest of the text that both named; empty: they named none alike
	Fields []string // of a redacted one: the parameters that give way
	At     string   // not before, as both wrote it; RFC 3339
	by     []message.ID
}

// published is what proposals and answers say, as far as it matters here.
type published struct {
	Form    Form     `json:"form"`
	Serials []string `json:"serials"`
	At      string   `json:"at"`
	Answers []struct {
		Item string `json:"item"`
		Code string `json:"code"`
	} `json:"answers"`
	Redactions []struct {
		Message string `json:"message"`
		Field   string `json:"field"`
	} `json:"redactions"`
	Texts []struct {
		Message string `json:"message"`
		Digest  string `json:"digest"`
	} `json:"texts"`
}

func (p published) texts() map[string]string {
	m := make(map[string]string, len(p.Texts))
	for _, t := range p.Texts {
		m[t.Message] = t.Digest
	}
	return m
}

// Add takes a proposal or an answer; of anything else it takes nothing. An answer
// comes after what it answers. The last answer to a message counts.
func (c *Consents) Add(b message.Body) {
	if b.Format != ProposePublication && b.Format != AnswerPublication {
		return
	}
	var p published
	text, err := json.Marshal(b.Params)
	if err != nil || json.Unmarshal(text, &p) != nil {
		return // it names no message that could be published
	}
	if c.proposals == nil {
		c.proposals, c.given = make(map[message.ID]proposal), make(map[string]Consent)
	}
	if b.Format == ProposePublication {
		redaction := make(map[string][]string)
		for _, r := range p.Redactions {
			redaction[r.Message] = append(redaction[r.Message], r.Field)
		}
		c.proposals[b.ID] = proposal{b.From, p.Form, p.Serials, p.texts(), redaction, p.At}
		return
	}
	for _, ref := range b.Refs {
		if to, ok := c.proposals[ref]; ok && to.from != b.From {
			c.answer(b.ID, ref, to, p)
		}
	}
}

// answer takes an answer to a proposal.
func (c *Consents) answer(id, ref message.ID, to proposal, p published) {
	texts := p.texts()
	for _, a := range p.Answers {
		if !slices.Contains(to.serials, a.Item) {
			continue
		}
		form := FormNone
		switch a.Code {
		case "consent":
			form = to.form
		case "consent-redacted":
			form = least(to.form, FormRedacted)
		case "consent-existence":
			form = least(to.form, FormExistence)
		}
		given := Consent{Form: form, At: max(to.at, p.At), by: []message.ID{ref, id}}
		if form == FormRedacted && to.texts[a.Item] == texts[a.Item] {
			given.Text, given.Fields = texts[a.Item], to.redaction[a.Item]
		}
		c.given[a.Item] = given
	}
}

// Of returns what was consented to of a message by its citation.
func (c *Consents) Of(citation string) Consent { return c.given[citation] }

// Serials returns the messages that a proposal names.
func (c *Consents) Serials(proposal message.ID) []string { return c.proposals[proposal].serials }

// shows reports whether a proposal or answer gives a consent to publish something.
func (c *Consents) shows(id message.ID) bool {
	for _, g := range c.given {
		if g.Form != FormNone && slices.Contains(g.by, id) {
			return true
		}
	}
	return false
}

// redaction is what a record shows of an entry in the place of its key.
type redaction struct {
	text []byte
	ok   bool
}

// redacted reads a redacted text beside an entry, of a publication.
func (l *logVerifier) redacted(folder string, index int64) {
	if l.v.index.Kind != Publication {
		return
	}
	text, ok := l.v.get(folder + "redacted.json")
	if l.redactions == nil {
		l.redactions = make(map[int64]redaction)
	}
	l.redactions[index] = redaction{text, ok}
}

// consents keeps a proposal or an answer that counts, of a publication.
func (l *logVerifier) consents(index int64, b message.Body) {
	if l.v.index.Kind != Publication || b.Format != ProposePublication && b.Format != AnswerPublication {
		return
	}
	if l.ids == nil {
		l.ids = make(map[int64]message.ID)
	}
	l.ids[index] = b.ID
	l.v.consented = append(l.v.consented, b)
}

// agree reads the proposals, and then the answers, which stand in the other log.
func (v *verifier) agree() {
	for _, f := range []message.Format{ProposePublication, AnswerPublication} {
		for _, b := range v.consented {
			if b.Format == f {
				v.consents.Add(b)
			}
		}
	}
}

// published checks that nothing is published but what both let be, in no more
// than that form.
func (l *logVerifier) published() {
	if l.v.index.Kind != Publication {
		return
	}
	for _, i := range l.in.Indexes {
		cite := l.cite(i)
		given, hidden := l.v.consents.Of(cite), l.redactions[i]
		_, closed := l.redactions[i]
		form := FormFull
		switch {
		case !closed && l.v.consents.shows(l.ids[i]):
			continue // it is a consent itself
		case hidden.ok:
			form = FormRedacted
		case closed:
			form = FormExistence
		}
		switch {
		case form.rank() > given.Form.rank():
			l.v.fail(CheckPublished, cite, because(NotConsented, nil, string(form)))
		case form == FormRedacted && !wellRedacted(hidden.text, cite):
			l.v.fail(CheckPublished, cite, because(RedactionBad, nil))
		case form == FormRedacted && given.Form == FormRedacted && identity.Sum(hidden.text).String() != given.Text:
			l.v.fail(CheckPublished, cite, because(RedactionOther, nil))
		case form == FormRedacted && given.Form == FormFull:
			l.v.fail(CheckPublished, cite, because(RedactionOther, nil)) // nobody named a redacted text
		default:
			l.v.pass(CheckPublished, cite)
		}
	}
}

// wellRedacted reports whether a redacted text is in its one form and of the
// message that it lies beside.
func wellRedacted(text []byte, cite string) bool {
	var r redactedJSON
	if json.Unmarshal(text, &r, json.RejectUnknownMembers(true)) != nil || r.Citation != cite || r.Format != redactedForm {
		return false
	}
	again, err := canonicalJSON(r)
	return err == nil && bytes.Equal(again, text)
}

// redact writes the redacted text of an entry that is exported.
func (x *exporter) redact(e Entry, fields []string) ([]byte, error) {
	key, ok, err := x.src.FileKey(e)
	if err != nil || !ok {
		return nil, fmt.Errorf("entry %d of %s cannot be opened to be redacted: %w", e.Index, e.Origin, err)
	}
	sealed, err := x.src.Sealed(e)
	if err != nil {
		return nil, err
	}
	plain, err := seal.OpenWithKey(sealed, key)
	if err != nil {
		return nil, err
	}
	entry, err := message.ParseEntry(plain)
	if err != nil {
		return nil, err
	}
	writer, err := x.verified(e.Origin.Writer)
	if err != nil {
		return nil, err
	}
	reader, err := x.verified(e.Origin.Reader)
	if err != nil {
		return nil, err
	}
	return Redact(message.Cite(writer.Card.Code, reader.Card.Code, e.Origin.Class, e.Origin.Era, e.Index), entry.Body, key, fields)
}
