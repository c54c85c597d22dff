package station

import (
	"slices"
	"sort"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/treaty"
)

// instrument is a message by which an agreement or a guarantee comes about,
// changes or ends.
type instrument struct {
	event       treaty.Event
	certificate identity.Certificate // of a signature: the plenipotentiary's, else its first officer's
}

// text is the hash that it names; the zero digest where it names none.
func (i instrument) text() identity.Digest {
	word, _ := i.event.Facts["text"].(string)
	hash, err := identity.ParseDigest(word)
	if err != nil {
		return identity.Digest{}
	}
	return hash
}

// word returns one of its parameters; empty where it is absent.
func (i instrument) word(name string) string {
	word, _ := i.event.Facts[name].(string)
	return word
}

// refers reports whether it refers to another.
func (i instrument) refers(o instrument) bool { return slices.Contains(i.event.Refs, o.event.ID) }

// readInstruments reads those that the account does not know, and notes the
// receipts of all as they stand in the record now.
func (s *Station) readInstruments(tx Tx, m *Matters, a *account) error {
	a.said = nil
	for _, p := range m.instruments {
		i, known := a.read[p]
		if !known {
			msg, err := tx.Message(p.Origin, p.Index)
			if err != nil {
				return err
			}
			entry := s.opened(msg).Entry
			i.event = treaty.Read(treaty.Place(p), a.parties[p.Origin.Writer], a.parties[p.Origin.Reader], entry.Body.Body(), entry.Wrapper.At, s.book)
			agencies := s.own.Load().Agencies
			if p.Origin.Writer != s.name {
				peer, err := s.peerNamed(p.Origin.Writer)
				if err != nil {
					return err
				}
				agencies = peer.Agencies
			}
			for _, approval := range entry.Wrapper.Approvals {
				cert, err := s.verifier.Verify(approval, p.Origin.Writer, agencies, entry.Wrapper.At)
				if err != nil {
					continue // an approval that proves nothing signs nothing
				}
				if i.certificate.Pseudonym == "" || !i.certificate.Holds(treaty.RolePlenipotentiary) {
					i.certificate = cert
				}
			}
			a.read[p] = i
		}
		if i.event.Received = m.logs[p.Origin].received(p.Index); i.event.ID != [16]byte{} && !i.event.Received.IsZero() && !refusedIn(m, p) {
			a.said = append(a.said, i)
		}
	}
	slices.SortStableFunc(a.said, func(x, y instrument) int { return x.event.Received.Compare(y.event.Received) })
	return nil
}

// refusedIn reports whether the record says that an entry's reader refused it.
func refusedIn(m *Matters, p dossier.Place) bool {
	return slices.ContainsFunc(m.marks, func(by dossier.Place) bool {
		it, ok := m.line.Item(by)
		return ok && it.Refused != nil && !it.Received.IsZero() && it.Refused.Era == p.Origin.Era && it.Refused.Index == p.Index && by.Origin.Writer == p.Origin.Reader
	})
}

// of returns the instruments of a format.
func (a *account) of(format string) (list []instrument) {
	for _, i := range a.said {
		if string(i.event.Format) == format {
			list = append(list, i)
		}
	}
	return list
}

// agreement returns the text of a hash; nil where it does not lie in the station.
func (a *account) agreement(tx Tx, hash identity.Digest, kept []keptText) (*treaty.Agreement, error) {
	name := hash.String()
	if !slices.ContainsFunc(kept, func(k keptText) bool { return k.Hash == name }) {
		return nil, nil
	}
	if t, ok := a.parsed[name]; ok {
		return t, nil
	}
	t, err := keptAgreement(tx, name)
	if err == nil && t != nil {
		a.parsed[name] = t
	}
	return t, err
}

// signature is how the signing of one text stands.
type signature struct {
	text     identity.Digest
	name     string // by which the messages call it
	count    []treaty.Signature
	refused  []treaty.SignatureRefusal
	exchange treaty.Exchange
	date     time.Time // that its signatures name for its entry into force; zero: none
}

// signatures returns how each text stands that anybody signed, by the first
// signature.
func (a *account) signatures(m *Matters) (list []signature) {
	var parties [2]identity.Party
	for _, p := range a.parties {
		if parties[0] == "" {
			parties[0] = p
		} else {
			parties[1] = p
		}
	}
	notes := a.of("501")
	for _, n := range notes {
		text := n.text()
		if text == (identity.Digest{}) || slices.ContainsFunc(list, func(s signature) bool { return s.text == text }) {
			continue
		}
		sig := signature{text: text, name: n.word("instrument")}
		var all []treaty.Signature
		for _, o := range notes {
			if o.text() != text {
				continue
			}
			all = append(all, treaty.Signature{By: o.event.By, Message: o.event.ID, Text: text, Certificate: o.certificate, Received: o.event.Received, Definitive: o.word("signature") == "definitive"})
			if date, ok := o.event.Facts["entry_date"].(time.Time); ok && date.After(sig.date) {
				sig.date = date
			}
		}
		sig.count, sig.exchange.Second, sig.refused = treaty.Signed(text, parties, all)
		sig.exchange.Completed = a.completed(text)
		if !sig.exchange.Second.IsZero() {
			last := slices.IndexFunc(notes, func(o instrument) bool { return o.event.ID == sig.last() })
			sig.exchange.Known = knownAt(m, dossier.Place(notes[last].event.Place))
		}
		list = append(list, sig)
	}
	return list
}

// last is the signature by which both had signed.
func (s signature) last() [16]byte {
	return slices.MaxFunc(s.count, func(a, b treaty.Signature) int { return a.Received.Compare(b.Received) }).Message
}

// completed lists when each side's notice was received that its procedures for a
// text are complete.
func (a *account) completed(text identity.Digest) (at []time.Time) {
	had := make(map[identity.Party]bool)
	for _, i := range a.of("522") {
		if i.text() == text && !had[i.event.By] {
			had[i.event.By] = true
			at = append(at, i.event.Received)
		}
	}
	return at
}

// knownAt returns when the writer of an entry received its reader's first entry
// that shows that it was read; zero: not yet.
func knownAt(m *Matters, p dossier.Place) time.Time {
	for era := identity.Era(1); ; era++ {
		o := p.Origin.Line().Log(p.Origin.Reader, era)
		log := m.logs[o]
		if log == nil {
			return time.Time{}
		}
		// What a log's entries have seen never falls.
		at := sort.Search(int(log.next), func(i int) bool {
			it, ok := m.line.Item(dossier.Place{Origin: o, Index: int64(i)})
			return ok && (it.Seen.Era > p.Origin.Era || it.Seen.Era == p.Origin.Era && it.Seen.Size > p.Index)
		})
		if at < int(log.next) {
			return log.received(int64(at))
		}
	}
}

// bindings returns the agreements that bind the line, by name: those whose text
// both sides signed and that lies in the station, with their amendments.
func bindings(tx Tx, a *account, kept []keptText, m *Matters) (list []keeping, err error) {
	for _, sig := range a.signatures(m) {
		text, err := a.agreement(tx, sig.text, kept)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		from, ok := sig.exchange.InForce(text.Entry, sig.date)
		if !ok {
			continue
		}
		i := slices.IndexFunc(list, func(k keeping) bool { return k.id == text.ID })
		if i < 0 {
			i, list = len(list), append(list, keeping{id: text.ID})
		}
		list[i].add(from, text, sig.text)
	}
	for i := range list {
		if err := a.amend(tx, &list[i], kept, m); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (k *keeping) add(from time.Time, text *treaty.Agreement, hash identity.Digest) {
	k.versions, k.hashes = append(k.versions, treaty.Version{From: from, Text: text}), append(k.hashes, hash.String())
}

// textAt returns the hash of the text in force at a second; zero: none.
func (k *keeping) textAt(at time.Time) (hash identity.Digest) {
	var since time.Time
	for i, v := range k.versions {
		if v.From.After(at) || v.From.Before(since) {
			continue
		}
		if d, err := identity.ParseDigest(k.hashes[i]); err == nil {
			hash, since = d, v.From
		}
	}
	return hash
}

// amend adds the amendments of an agreement that are in force, or will be.
func (a *account) amend(tx Tx, k *keeping, kept []keptText, m *Matters) error {
	for _, proposal := range a.of("520") {
		if proposal.word("agreement") != k.id {
			continue
		}
		var answers []treaty.Event
		x := treaty.Exchange{Completed: a.completed(proposal.text())}
		for _, i := range a.of("521") {
			if i.word("amendment") != proposal.word("amendment") || !i.refers(proposal) {
				continue
			}
			answers = append(answers, i.event)
			if x.Second.IsZero() && i.word("decision") == "accept" {
				x.Second, x.Known = i.event.Received, knownAt(m, dossier.Place(i.event.Place))
			}
		}
		done := treaty.FoldAmendment(proposal.event, answers, x, k.textAt(proposal.event.Received), time.Time{}, time.Unix(endOfRecords, 0).UTC())
		if done.State != treaty.AmendmentInForce {
			continue
		}
		text, err := a.agreement(tx, proposal.text(), kept)
		if err != nil {
			return err
		}
		if text != nil && text.ID == k.id {
			k.add(done.From, text, proposal.text())
		}
	}
	return nil
}
