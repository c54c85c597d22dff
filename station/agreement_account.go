package station

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/treaty"
)

// account is what both sides of a line owe by the agreements that they signed. It
// goes on from where it was, as the fold does that it belongs to, and is let go
// with it. It holds nothing while no agreement is signed whose text lies in the
// station.
type account struct {
	texts   string // the list of texts as of which
	version int64  // of the fold as of which
	parties map[identity.Station]identity.Party
	said    treaty.Instruments // as they stand in the record now
	kept    []keeping
	next    map[identity.Origin]int64 // the first entry that no ledger has taken yet
	marked  map[dossier.Place]mark
	blobs   map[identity.Digest]bool            // that were receipted
	lacks   map[identity.Digest][]treaty.Place  // entries by a blob of theirs that was not
	events  map[treaty.Place]struct{}           // that are taken
	parsed  map[string]*treaty.Agreement        // the texts of signed hashes
	read    map[dossier.Place]treaty.Instrument // the messages by which agreements come about
}

// mark is what a refusal or a dispute says of an entry.
type mark struct {
	refused bool
	second  time.Time
}

// keeping is the ledger of one agreement.
type keeping struct {
	treaty.Binding
	ledger *treaty.Ledger
}

// instrumentFormats are those by which agreements, amendments and guarantees come
// about and end.
var instrumentFormats = treaty.InstrumentFormats()

// keepAccount brings the account of a line up to what its fold holds. It is called
// in a View, with nothing laid.
func (s *Station) keepAccount(ctx context.Context, tx Tx, m *Matters, l identity.Line) (*account, error) {
	a := m.account
	if a == nil {
		a = &account{parsed: make(map[string]*treaty.Agreement), read: make(map[dossier.Place]treaty.Instrument)}
	}
	m.account = nil // until it is whole again
	texts, stored, err := keptTexts(tx)
	if err != nil {
		return nil, err
	}
	if a.version == m.version && a.texts == stored {
		m.account = a
		return a, nil
	}
	if a.parties, err = s.partiesOf(l); err != nil {
		return nil, err
	}
	if err := s.readInstruments(tx, m, a, l); err != nil {
		return nil, err
	}
	next, err := bindings(tx, a, texts)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(next, a.kept, sameVersions) {
		if err := s.begin(a, l, next); err != nil {
			return nil, err
		}
	}
	if len(a.kept) > 0 {
		if err := s.takeEvents(ctx, tx, m, a); err != nil {
			return nil, err
		}
	}
	clear(m.moved)
	a.version, a.texts, m.account = m.version, stored, a
	return a, nil
}

// partiesOf returns whose stations the ends of a line are.
func (s *Station) partiesOf(l identity.Line) (map[identity.Station]identity.Party, error) {
	p, err := s.peerOf(l)
	if err != nil {
		return nil, err
	}
	return map[identity.Station]identity.Party{s.name: s.own.Load().Root.Party, l.Other(s.name): p.Root.Party}, nil
}

func sameVersions(a, b keeping) bool {
	return a.Agreement == b.Agreement && slices.Equal(a.Hashes, b.Hashes) && slices.EqualFunc(a.Versions, b.Versions, func(v, w treaty.Version) bool { return v.From.Equal(w.From) })
}

// begin starts the ledgers anew: another text is in force, or from another second.
func (s *Station) begin(a *account, l identity.Line, next []keeping) error {
	a.next, a.marked, a.events = make(map[identity.Origin]int64), make(map[dossier.Place]mark), make(map[treaty.Place]struct{})
	a.blobs, a.lacks = make(map[identity.Digest]bool), make(map[identity.Digest][]treaty.Place)
	for i := range next {
		k := &next[i]
		parties := [2]identity.Party{a.parties[l.A], a.parties[l.B]}
		ledger, err := treaty.NewLedger(treaty.Setup{Agreement: k.Agreement, Parties: parties, Versions: k.Versions}, s.book)
		if err != nil {
			return fmt.Errorf("agreement %s: %w", k.Agreement, err)
		}
		k.ledger = ledger
	}
	a.kept = next
	return nil
}

// takeEvents takes what is new: messages, receipts that came or show to have been
// earlier, refusals, disputes and blobs.
func (s *Station) takeEvents(ctx context.Context, tx Tx, m *Matters, a *account) error {
	origins := make([]identity.Origin, 0, len(m.logs))
	for o := range m.logs {
		origins = append(origins, o)
	}
	slices.SortFunc(origins, func(x, y identity.Origin) int { return strings.Compare(x.String(), y.String()) })
	for _, o := range origins {
		taken := a.next[o]
		if first, ok := m.moved[o]; ok {
			for i := first; i < taken; i++ {
				a.change(treaty.Place{Origin: o, Index: i}, func(e *treaty.Event) { e.Received = m.logs[o].received(i) })
			}
		}
		for a.next[o] < m.logs[o].next {
			if err := ctx.Err(); err != nil {
				return err
			}
			page, err := tx.Messages(o, a.next[o], int(min(matterPage, m.logs[o].next-a.next[o])))
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, msg := range page {
				s.takeEvent(m, a, msg)
				a.next[o] = msg.Index + 1
			}
		}
		a.next[o] = m.logs[o].next
	}
	for _, p := range m.again {
		msg, err := tx.Message(p.Origin, p.Index)
		if err != nil {
			return err
		}
		if _, taken := a.events[treaty.Place(p)]; !taken {
			s.takeEvent(m, a, msg)
		}
	}
	m.again = nil
	a.takeMarks(m)
	return nil
}

// takeEvent takes one message. What cannot be read says nothing.
func (s *Station) takeEvent(m *Matters, a *account, msg Message) {
	if msg.Problem == problemBeyond || msg.Problem == problemUnreadable || len(msg.Plain) == 0 {
		return
	}
	entry, err := message.ParseEntry(msg.Plain)
	if err != nil {
		return
	}
	place := treaty.Place{Origin: msg.Origin, Index: msg.Index}
	body := entry.Body.Body()
	e := treaty.Read(place, a.parties[msg.Origin.Writer], a.parties[msg.Origin.Reader], body, entry.Wrapper.At, s.book)
	e.Received = m.logs[msg.Origin].received(msg.Index)
	said := a.marked[dossier.Place(place)]
	e.Refused, e.Second = said.refused, said.second
	it, _ := m.line.Item(dossier.Place(place))
	for _, hash := range it.Facts.Blobs {
		if !a.blobs[hash] {
			e.Awaited = true
			a.lacks[hash] = append(a.lacks[hash], place)
		}
	}
	a.events[place] = struct{}{}
	for _, k := range a.kept {
		k.ledger.Put(e)
	}
	if body.Format == blobReceipt {
		if hash, err := identity.ParseDigest(it.Facts.Words["hash"]); err == nil {
			a.receipt(m, hash)
		}
	}
}

// blobReceipt is the format by which a reader says that it holds a blob.
const blobReceipt message.Format = "003"

// receipt notes that a blob was receipted.
func (a *account) receipt(m *Matters, hash identity.Digest) {
	a.blobs[hash] = true
	waiting := a.lacks[hash]
	delete(a.lacks, hash)
	for _, p := range waiting {
		it, _ := m.line.Item(dossier.Place(p))
		lacking := slices.ContainsFunc(it.Facts.Blobs, func(h identity.Digest) bool { return !a.blobs[h] })
		a.change(p, func(e *treaty.Event) { e.Awaited = lacking })
	}
}

// takeMarks takes what refusals and disputes say that stand in the record.
func (a *account) takeMarks(m *Matters) {
	for _, p := range m.marks {
		it, ok := m.line.Item(p)
		if !ok || it.Received.IsZero() {
			continue
		}
		var of dossier.Place
		var said mark
		switch {
		case it.Refused != nil:
			of = dossier.Place{Origin: p.Origin.Line().Log(p.Origin.Reader, it.Refused.Era), Index: it.Refused.Index}
			said = a.marked[of]
			said.refused = true
		case it.Disputed != nil:
			of = *it.Disputed
			if said = a.marked[of]; said.second.IsZero() {
				said.second = it.At.UTC()
			}
		}
		if a.marked[of] != said {
			a.marked[of] = said
			a.change(treaty.Place(of), func(e *treaty.Event) { e.Refused, e.Second = said.refused, said.second })
		}
	}
}

// change puts an event anew that was taken, where it is another now.
func (a *account) change(p treaty.Place, do func(*treaty.Event)) {
	if _, ok := a.events[p]; !ok {
		return
	}
	for _, k := range a.kept {
		e, ok := k.ledger.Event(p)
		if !ok {
			continue
		}
		was := e
		do(&e)
		if !e.Received.Equal(was.Received) || e.Refused != was.Refused || e.Awaited != was.Awaited || !e.Second.Equal(was.Second) {
			k.ledger.Put(e)
		}
	}
}
