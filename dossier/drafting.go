package dossier

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Negotiation is an instrument as it is negotiated on the line: its drafts, each
// with what it starts from, and who signed which text.
type Negotiation struct {
	Dossier    message.ID
	Place      Place // of its first message
	Instrument string
	Kind       string // agreement, protocol, guarantee, amendment, notes or procedure; empty: no draft says it
	Stage      Stage
	Since      time.Time
	Drafts     []DraftSaid // in the order of the record
	Clean      string      // the text of the last draft, where it is clean and has no brackets; empty: nothing is agreed yet
	Signatures []TextSigned
	SignedText string // that both ends of the line signed; empty: none
}

// DraftSaid is a draft or a variant of a text as it was put.
type DraftSaid struct {
	Message  message.ID
	Place    Place
	By       identity.Station
	Received time.Time
	Number   int64
	Status   string // draft, variant, merged or clean
	Text     string // its hash
	Base     string // of what it starts from; empty: it is the first
	BaseBy   identity.Station
	BaseOf   *Place          // the draft that has that text; nil: none on this line has it, or Base is empty
	Brackets []Record        // paragraph, by, kind and text
	Document identity.Digest // the blob that holds the text; zero: none is readable
}

// TextSigned is a signature as its message says it. Whether its officer was a
// plenipotentiary is for treaty.Signed to say.
type TextSigned struct {
	Message      message.ID
	Place        Place
	By           identity.Station
	Received     time.Time
	Text         string
	Kind         string // of signature
	Capacity     string
	Entry        string // the rule of entry into force
	Certificate  string
	KnownText    bool // a draft on this line has the text
	CleanWhenPut bool // and the last such draft was clean and without brackets
}

// Negotiations returns the instruments on a line as of a second, by dossier.
func (l *Line) Negotiations(at time.Time) (list []Negotiation) {
	for _, d := range l.At(at).Dossiers {
		if d.Kind == KindInstrument {
			list = append(list, l.negotiation(d))
		}
	}
	return list
}

func (l *Line) negotiation(d Dossier) Negotiation {
	n := Negotiation{Dossier: d.ID, Place: d.Timeline[0].Place, Stage: d.Stage, Since: d.Since}
	for _, it := range l.said(d, "500") {
		n.draft(it)
	}
	for _, it := range l.said(d, "501") {
		n.sign(it)
	}
	if i := len(n.Drafts) - 1; i >= 0 && n.Drafts[i].clean() {
		n.Clean = n.Drafts[i].Text
	}
	return n
}

// clean reports whether nothing in the text is open.
func (x DraftSaid) clean() bool { return x.Status == "clean" && len(x.Brackets) == 0 }

// find returns the last draft that has a text.
func (n *Negotiation) find(text string) (DraftSaid, bool) {
	for _, x := range slices.Backward(n.Drafts) {
		if x.Text == text {
			return x, true
		}
	}
	return DraftSaid{}, false
}

func (n *Negotiation) draft(it Item) {
	f := it.Facts
	x := DraftSaid{
		Message: it.ID, Place: it.Place(), By: it.Origin.Writer, Received: it.Received, Number: f.Counts["draft"], Status: f.Words["status"],
		Text: f.Words["text"], Base: f.Words["base"], Brackets: f.Records["brackets"],
	}
	if len(f.Blobs) > 0 {
		x.Document = f.Blobs[0]
	}
	if base, ok := n.find(x.Base); ok && x.Base != "" {
		x.BaseBy, x.BaseOf = base.By, &base.Place
	}
	n.Instrument, n.Kind = f.Words["instrument"], f.Words["kind"]
	n.Drafts = append(n.Drafts, x)
}

func (n *Negotiation) sign(it Item) {
	f := it.Facts
	s := TextSigned{
		Message: it.ID, Place: it.Place(), By: it.Origin.Writer, Received: it.Received, Text: f.Words["text"], Kind: f.Words["signature"],
		Capacity: f.Words["capacity"], Entry: f.Words["entry"], Certificate: f.Words["certificate"],
	}
	if x, ok := n.find(s.Text); ok {
		s.KnownText, s.CleanWhenPut = true, x.clean()
	}
	if n.Instrument == "" {
		n.Instrument = f.Words["instrument"]
	}
	if slices.ContainsFunc(n.Signatures, func(other TextSigned) bool { return other.By != s.By && other.Text == s.Text }) {
		n.SignedText = s.Text
	}
	n.Signatures = append(n.Signatures, s)
}
