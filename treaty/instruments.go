package treaty

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Instrument is a message by which an agreement or a guarantee comes about,
// changes or ends.
type Instrument struct {
	Event       Event
	Certificate identity.Certificate // of a signature: the plenipotentiary's, else its first officer's
}

// InstrumentFormats are those by which agreements, amendments and guarantees come
// about and end.
func InstrumentFormats() []message.Format {
	return []message.Format{"300", "301", "302", "501", "520", "521", "522"}
}

// text is the hash that it names; the zero digest where it names none.
func (i Instrument) text() identity.Digest {
	hash, err := identity.ParseDigest(i.Event.word("text"))
	if err != nil {
		return identity.Digest{}
	}
	return hash
}

// refers reports whether it refers to another.
func (i Instrument) refers(o Instrument) bool { return slices.Contains(i.Event.Refs, o.Event.ID) }

// Instruments are those of one line as they stand in the record.
type Instruments struct {
	Parties [2]identity.Party
	Said    []Instrument // by receipt; without those that have none, and those that their reader refused
	// Known returns when the writer of an entry received its reader's first entry
	// that shows that it was read; zero: not yet.
	Known func(Place) time.Time
}

// Texts returns the agreement of a hash; nil where its text is not at hand.
type Texts func(identity.Digest) (*Agreement, error)

// of returns the instruments of a format.
func (s Instruments) of(format message.Format) (list []Instrument) {
	for _, i := range s.Said {
		if i.Event.Format == format {
			list = append(list, i)
		}
	}
	return list
}

// completed lists when each side's notice was received that its procedures for a
// text are complete.
func (s Instruments) completed(text identity.Digest) (at []time.Time) {
	had := make(map[identity.Party]bool)
	for _, i := range s.of("522") {
		if i.text() == text && !had[i.Event.By] {
			had[i.Event.By] = true
			at = append(at, i.Event.Received)
		}
	}
	return at
}

// Signing is how the signing of one text stands.
type Signing struct {
	Text     identity.Digest
	Name     string // by which the messages call it
	Counted  []Signature
	Refused  []SignatureRefusal // signatures that do not count, and why
	Exchange Exchange
	Date     time.Time // that its signatures name for its entry into force; zero: none
}

// Signings returns how each text stands that anybody signed, by the first
// signature.
func (s Instruments) Signings() (list []Signing) {
	notes := s.of("501")
	for _, n := range notes {
		text := n.text()
		if text == (identity.Digest{}) || slices.ContainsFunc(list, func(g Signing) bool { return g.Text == text }) {
			continue
		}
		g := Signing{Text: text, Name: n.Event.word("instrument")}
		var all []Signature
		for _, o := range notes {
			if o.text() != text {
				continue
			}
			all = append(all, Signature{By: o.Event.By, Message: o.Event.ID, Text: text, Certificate: o.Certificate, Received: o.Event.Received, Definitive: o.Event.word("signature") == "definitive"})
			if date, ok := o.Event.Facts["entry_date"].(time.Time); ok && date.After(g.Date) {
				g.Date = date
			}
		}
		g.Counted, g.Exchange.Second, g.Refused = Signed(text, s.Parties, all)
		g.Exchange.Completed = s.completed(text)
		if !g.Exchange.Second.IsZero() {
			last := slices.IndexFunc(notes, func(o Instrument) bool { return o.Event.ID == g.last() })
			g.Exchange.Known = s.Known(notes[last].Event.Place)
		}
		list = append(list, g)
	}
	return list
}

// last is the signature by which both had signed.
func (g Signing) last() message.ID {
	return slices.MaxFunc(g.Counted, func(a, b Signature) int { return a.Received.Compare(b.Received) }).Message
}

// Binding is an agreement that binds a line, or will: one whose text both sides
// signed and that is at hand, with its amendments.
type Binding struct {
	Agreement string // the name by which messages call it
	Versions  []Version
	Hashes    []identity.Digest // of Versions
}

// Bindings returns the agreements that bind the line, in the order in which they
// were first signed.
func (s Instruments) Bindings(texts Texts) (list []Binding, err error) {
	for _, g := range s.Signings() {
		text, err := texts(g.Text)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		from, ok := g.Exchange.InForce(text.Entry, g.Date)
		if !ok {
			continue
		}
		i := slices.IndexFunc(list, func(b Binding) bool { return b.Agreement == text.ID })
		if i < 0 {
			i, list = len(list), append(list, Binding{Agreement: text.ID})
		}
		list[i].add(from, text, g.Text)
	}
	for i := range list {
		if err := s.amend(&list[i], texts); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (b *Binding) add(from time.Time, text *Agreement, hash identity.Digest) {
	b.Versions, b.Hashes = append(b.Versions, Version{From: from, Text: text}), append(b.Hashes, hash)
}

// textAt returns the hash of the text in force at a second; zero: none.
func (b *Binding) textAt(at time.Time) (hash identity.Digest) {
	var since time.Time
	for i, v := range b.Versions {
		if v.From.After(at) || v.From.Before(since) {
			continue
		}
		hash, since = b.Hashes[i], v.From
	}
	return hash
}

// endOfRecords is later than anything that a record holds.
var endOfRecords = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// amend adds the amendments of an agreement that are in force, or will be.
func (s Instruments) amend(b *Binding, texts Texts) error {
	for _, proposal := range s.of("520") {
		if proposal.Event.word("agreement") != b.Agreement {
			continue
		}
		var answers []Event
		x := Exchange{Completed: s.completed(proposal.text())}
		for _, i := range s.of("521") {
			if i.Event.word("amendment") != proposal.Event.word("amendment") || !i.refers(proposal) {
				continue
			}
			answers = append(answers, i.Event)
			if x.Second.IsZero() && i.Event.word("decision") == "accept" {
				x.Second, x.Known = i.Event.Received, s.Known(i.Event.Place)
			}
		}
		done := FoldAmendment(proposal.Event, answers, x, b.textAt(proposal.Event.Received), time.Time{}, endOfRecords)
		if done.State != AmendmentInForce {
			continue
		}
		text, err := texts(proposal.text())
		if err != nil {
			return err
		}
		if text != nil && text.ID == b.Agreement {
			b.add(done.From, text, proposal.text())
		}
	}
	return nil
}

// Exchanged is how one exchange of notes of guarantee stands.
type Exchanged struct {
	Place   Place      // of the first note
	Message message.ID // the first note
	By      identity.Party
	Guarantee
}

// Guarantees says how the exchanges of notes stand as of a second, the first
// first.
func (s Instruments) Guarantees(at time.Time) (list []Exchanged) {
	replies, withdrawals := s.of("301"), s.of("302")
	for _, offer := range s.of("300") {
		if offer.Event.Received.After(at) {
			continue
		}
		x := Exchange{Completed: s.completed(offer.text())}
		var reply *Event
		var ends []Event
		for i := range replies {
			if r := &replies[i]; reply == nil && r.refers(offer) && r.Event.By != offer.Event.By {
				reply = &r.Event
				x.Second, x.Known = r.Event.Received, s.Known(r.Event.Place)
			}
		}
		for _, w := range withdrawals {
			if w.refers(offer) || reply != nil && slices.Contains(w.Event.Refs, reply.ID) {
				ends = append(ends, w.Event)
			}
		}
		list = append(list, Exchanged{offer.Event.Place, offer.Event.ID, offer.Event.By, FoldGuarantee(offer.Event, reply, x, ends, at)})
	}
	return list
}

// Standing is how an agreement stands on a line: one whose text anybody signed.
type Standing struct {
	Text    identity.Digest // whose hash is signed
	Name    string          // of the agreement, or, where its text is not at hand, by which the signatures call it
	Held    bool            // its text is at hand
	Signed  []Signature
	Refused []SignatureRefusal // signatures that do not count, and why

	// In which one side can know that both signed and the other cannot.
	// OneSidedFrom is zero before both signed, OneSidedUntil while it lasts.
	OneSidedFrom  time.Time
	OneSidedUntil time.Time

	State State // the zero value: it is not in force by anything that stands in the record
}

// Standing says how the signing of a text stands as of a second. Whoever has the
// ledger of its agreement fills in Name and State.
func (g Signing) Standing(held bool, at time.Time) Standing {
	st := Standing{Text: g.Text, Name: g.Name, Held: held}
	for _, one := range g.Counted {
		if !one.Received.After(at) {
			st.Signed = append(st.Signed, one)
		}
	}
	st.Refused = g.Refused
	if from, until, ok := g.Exchange.OneSided(); ok && !from.After(at) {
		st.OneSidedFrom = from
		if !until.After(at) {
			st.OneSidedUntil = until
		}
	}
	return st
}
