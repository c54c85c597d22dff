package station

import (
	"slices"
	"sort"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/treaty"
)

// readInstruments reads those that the account does not know, and notes the
// receipts of all as they stand in the record now.
func (s *Station) readInstruments(tx Tx, m *Matters, a *account, l identity.Line) error {
	said := treaty.Instruments{
		Parties: [2]identity.Party{a.parties[l.A], a.parties[l.B]},
		Known:   func(p treaty.Place) time.Time { return knownAt(m, dossier.Place(p)) },
	}
	for _, p := range m.instruments {
		i, known := a.read[p]
		if !known {
			msg, err := tx.Message(p.Origin, p.Index)
			if err != nil {
				return err
			}
			entry := s.opened(msg).Entry
			i.Event = treaty.Read(treaty.Place(p), a.parties[p.Origin.Writer], a.parties[p.Origin.Reader], entry.Body.Body(), entry.Wrapper.At, s.book)
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
				if i.Certificate.Pseudonym == "" || !i.Certificate.Holds(treaty.RolePlenipotentiary) {
					i.Certificate = cert
				}
			}
			a.read[p] = i
		}
		if i.Event.Received = m.logs[p.Origin].received(p.Index); i.Event.ID != [16]byte{} && !i.Event.Received.IsZero() && !refusedIn(m, p) {
			said.Said = append(said.Said, i)
		}
	}
	slices.SortStableFunc(said.Said, func(x, y treaty.Instrument) int { return x.Event.Received.Compare(y.Event.Received) })
	a.said = said
	return nil
}

// refusedIn reports whether the record says that an entry's reader refused it.
func refusedIn(m *Matters, p dossier.Place) bool {
	return slices.ContainsFunc(m.marks, func(by dossier.Place) bool {
		it, ok := m.line.Item(by)
		return ok && it.Refused != nil && !it.Received.IsZero() && it.Refused.Era == p.Origin.Era && it.Refused.Index == p.Index && by.Origin.Writer == p.Origin.Reader
	})
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

// bindings returns the agreements that bind the line: those whose text both sides
// signed and that lies in the station, with their amendments.
func bindings(tx Tx, a *account, kept []keptText) (list []keeping, err error) {
	bound, err := a.said.Bindings(func(hash identity.Digest) (*treaty.Agreement, error) { return a.agreement(tx, hash, kept) })
	for _, b := range bound {
		list = append(list, keeping{Binding: b})
	}
	return list, err
}
