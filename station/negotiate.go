package station

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/seal"
	"detente/treaty"
)

// DraftType is the media type of a document that is a draft as data: what has
// another type is carried, and neither compared nor checked.
const DraftType = "application/vnd.detente.draft+json"

// NegotiationView is an instrument as it is negotiated, with which of its
// signatures count.
type NegotiationView struct {
	dossier.Negotiation
	Counted  []identity.Party // whose signature of the text signed last counts
	Complete time.Time        // when the second of them was received; zero: one lacks
	Refused  []treaty.SignatureRefusal
}

// NegotiationsView is the instruments of a line.
type NegotiationsView struct {
	Line identity.Line
	At   time.Time
	List []NegotiationView
}

// Negotiations returns the instruments that are negotiated on a line as of a
// second (zero: now): drafts, who proposed which, and whose signature counts by
// the certificates that it was released with. That they were read is noted in the
// audit trail.
func (s *Station) Negotiations(ctx context.Context, actor Actor, now time.Time, l identity.Line, at time.Time) (NegotiationsView, error) {
	if err := actor.must("read negotiations", RoleRead); err != nil {
		return NegotiationsView{}, s.refused(ctx, now, actor, "negotiations", l.String(), err)
	}
	v := NegotiationsView{Line: l, At: asked(at, now)}
	err := s.matters(ctx, l, func(tx Tx, m *Matters) error {
		for _, n := range m.line.Negotiations(v.At) {
			x, err := s.signatures(tx, l, n)
			if err != nil {
				return err
			}
			v.List = append(v.List, x)
		}
		return nil
	})
	return v, s.looked(ctx, now, actor, "negotiations", l.String(), "as of "+v.At.Format(time.RFC3339), err)
}

// signatures says which signatures of an instrument count.
func (s *Station) signatures(tx Tx, l identity.Line, n dossier.Negotiation) (NegotiationView, error) {
	v := NegotiationView{Negotiation: n}
	if len(n.Signatures) == 0 {
		return v, nil
	}
	peer, err := s.peerNamed(l.Other(s.name))
	if err != nil {
		return v, err
	}
	text, err := identity.ParseDigest(n.Signatures[len(n.Signatures)-1].Text)
	if err != nil {
		return v, nil //nolint:nilerr // a peer's text without a hash is shown, and nobody's signature counts
	}
	own := s.own.Load()
	var list []treaty.Signature
	for _, x := range n.Signatures {
		card, agencies := own.Card, own.Agencies
		if x.By != s.name {
			card, agencies = peer.Card, peer.Agencies
		}
		sig := treaty.Signature{By: card.Party, Message: x.Message, Received: x.Received, Definitive: x.Kind == "definitive"}
		if sig.Text, err = identity.ParseDigest(x.Text); err != nil {
			sig.Text = identity.Digest{}
		}
		if sig.Certificate, err = s.signatory(tx, x, agencies); err != nil {
			return v, err
		}
		list = append(list, sig)
	}
	count, complete, refused := treaty.Signed(text, [2]identity.Party{own.Card.Party, peer.Card.Party}, list)
	for _, c := range count {
		v.Counted = append(v.Counted, c.By)
	}
	v.Complete, v.Refused = complete, refused
	return v, nil
}

// signatory returns the certificate of the officer who released a signature: a
// plenipotentiary's where one did, else anybody's.
func (s *Station) signatory(tx Tx, x dossier.TextSigned, agencies identity.Agencies) (cert identity.Certificate, err error) {
	m, err := tx.MessageByID(x.Message)
	if err != nil {
		return cert, err
	}
	e := s.opened(m).Entry
	for _, a := range e.Wrapper.Approvals {
		c, err := s.verifier.Verify(a, x.By, agencies, e.Wrapper.At)
		if err == nil && (cert.Party == "" || c.Holds(treaty.RolePlenipotentiary)) {
			cert = c
		}
	}
	return cert, nil
}

// RedlineView is what one draft changes against another.
type RedlineView struct {
	Old, New     *treaty.Draft
	OldAt, NewAt string // citations
	Changes      []treaty.Change
}

// Redline compares the texts of two messages of format 500. ErrInvalid where one is
// no draft as data, or is not the text whose hash its message names; ErrNotFound
// where its document is not here yet. Each text that is read is noted in the audit
// trail as a blob is.
func (s *Station) Redline(ctx context.Context, actor Actor, now time.Time, older, newer message.ID) (v RedlineView, err error) {
	if err := actor.must("read drafts", RoleRead); err != nil {
		return v, s.refused(ctx, now, actor, "redline", newer.String(), err)
	}
	if v.Old, v.OldAt, err = s.draftOf(ctx, actor, now, older); err == nil {
		v.New, v.NewAt, err = s.draftOf(ctx, actor, now, newer)
	}
	if err := s.looked(ctx, now, actor, "redline", newer.String(), "against "+older.String(), err); err != nil {
		return RedlineView{}, err
	}
	v.Changes = treaty.Redline(v.Old, v.New)
	return v, nil
}

// draftOf returns the draft that a message carries.
func (s *Station) draftOf(ctx context.Context, actor Actor, now time.Time, id message.ID) (*treaty.Draft, string, error) {
	var body message.Body
	cited := ""
	err := s.store.View(ctx, func(tx Tx) error {
		m, err := tx.MessageByID(id)
		if err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
		body, cited = s.opened(m).Entry.Body.Body(), s.Cite(m.Origin, m.Index)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	doc, err := documentOf(body)
	if err != nil {
		return nil, "", fmt.Errorf("%w: message %s: %w", ErrInvalid, id, err)
	}
	var text bytes.Buffer
	if err := s.ReadBlob(ctx, actor, now, doc, &most{w: &text, left: treaty.MaxDraft}); err != nil {
		return nil, "", err
	}
	d, err := treaty.ParseDraft(text.Bytes())
	if err != nil {
		return nil, "", fmt.Errorf("%w: the document of message %s: %w", ErrInvalid, id, err)
	}
	if err := sameText(d, body); err != nil {
		return nil, "", fmt.Errorf("%w: message %s: %w", ErrInvalid, id, err)
	}
	return d, cited, nil
}

// documentOf returns the blob with the text of a draft.
func documentOf(b message.Body) (identity.Digest, error) {
	var ref blobRef
	if b.Format != "500" || json.Unmarshal(b.Params["document"], &ref) != nil {
		return identity.Digest{}, errors.New("it is no draft (format 500) with a document")
	}
	if ref.Type != DraftType {
		return identity.Digest{}, fmt.Errorf("its document has the type %s: only drafts as data (%s) can be compared", ref.Type, DraftType)
	}
	return identity.ParseDigest(ref.Hash)
}

// most is a writer that takes no more than a draft may have.
type most struct {
	w    io.Writer
	left int
}

// errTooLong is what a text beyond that is refused with.
var errTooLong = fmt.Errorf("the text has more than %d bytes", treaty.MaxDraft)

// Write writes all of p, or nothing where it is too much.
func (m *most) Write(p []byte) (int, error) {
	if m.left -= len(p); m.left < 0 {
		return 0, errTooLong
	}
	return m.w.Write(p)
}

// draftFits checks a draft before its release, where it is given as data: all
// languages have the same paragraphs, its hash and its head are what the message
// says of it, and a clean text has no brackets.
func (s *Station) draftFits(b message.Body) error {
	no := func(param, reason, next string) error {
		return &dossier.FitError{Format: b.Format, Param: param, Reason: reason, Next: next}
	}
	var ref blobRef
	if json.Unmarshal(b.Params["document"], &ref) != nil || ref.Type != DraftType {
		return nil
	}
	hash, err := identity.ParseDigest(ref.Hash)
	if err != nil {
		return nil //nolint:nilerr // the signal book refuses it with its own words
	}
	r, err := s.blobs.Open(hash)
	if err != nil {
		return no("document", "this station does not hold it", "add it with `detente blob add`")
	}
	defer r.Close()
	var text bytes.Buffer
	if err := seal.OpenStream(&most{w: &text, left: treaty.MaxDraft}, r, s.identities(true)...); err != nil {
		return no("document", "it cannot be read: "+err.Error(), "add the draft again")
	}
	d, err := treaty.ParseDraft(text.Bytes())
	if err != nil {
		return no("document", err.Error(), "mend the draft; each paragraph stands in every language")
	}
	return sameText(d, b)
}

// sameText checks that a draft is what its message says of it.
func sameText(d *treaty.Draft, b message.Body) error {
	f := dossier.FactsOf(b)
	no := func(param, reason string) error {
		return &dossier.FitError{Format: b.Format, Param: param, Reason: reason, Next: "say of the text what it is"}
	}
	hash, err := d.Hash()
	if err != nil {
		return err
	}
	if said := f.Words["text"]; said != hash.String() {
		return no("text", fmt.Sprintf("it is %s, and the document has %s", said, hash))
	}
	if said := f.Counts["draft"]; said != int64(d.Number) {
		return no("draft", fmt.Sprintf("it is %d, and %d in the document", said, d.Number))
	}
	if said := f.Words["base"]; said != d.Base {
		return no("base", fmt.Sprintf("it is %q, and %q in the document", said, d.Base))
	}
	var langs []book.Lang
	if json.Unmarshal(b.Params["languages"], &langs) != nil || !sameLangs(langs, d.Languages) {
		return no("languages", fmt.Sprintf("they are %v, and %v in the document", langs, d.Languages))
	}
	if err := d.Agreed(); err != nil && f.Words["status"] == "clean" {
		return no("status", "it is clean, and "+err.Error())
	}
	return nil
}

func sameLangs(a, b []book.Lang) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// signatureFits refuses a signature of a text that still has brackets, where the
// text was put on this line, or stands in a draft that the signature names: of one
// that came just now the record does not list the receipt yet.
func signatureFits(b message.Body, list []dossier.Negotiation, named []message.Body) error {
	text := dossier.FactsOf(b).Words["text"]
	for _, n := range named {
		if f := dossier.FactsOf(n); n.Format == "500" && f.Words["text"] == text {
			return openText(b, f.Counts["draft"], f.Words["status"], len(f.Records["brackets"]))
		}
	}
	for _, n := range list {
		for _, d := range slices.Backward(n.Drafts) {
			if d.Text == text {
				return openText(b, d.Number, d.Status, len(d.Brackets))
			}
		}
	}
	return nil
}

// openText returns why a draft cannot be signed: something in it is open.
func openText(b message.Body, draft int64, status string, brackets int) error {
	if status == "clean" && brackets == 0 {
		return nil
	}
	return &dossier.FitError{Format: b.Format, Param: "text", Reason: fmt.Sprintf("draft %d, which has it, is %s and has %d passages in brackets", draft, status, brackets), Next: "put the clean text first (500), then sign it"}
}
