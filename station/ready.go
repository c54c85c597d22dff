package station

import (
	"time"

	"detente/identity"
	"detente/seal"
)

// MakeReady makes the envelope of a line's next entry: drawing its file key and
// sealing that to two hybrid recipients is most of what sealing costs, and needs
// nothing of the entry. A runner calls it while the line has nothing to send; where
// nobody does, the envelope is made when the entry is. It does nothing where one
// is ready, where the line is unknown, or where the keys of this month are not
// here: appending says so with its reason.
func (s *Station) MakeReady(now time.Time, l identity.Line) error {
	p, err := s.peerOf(l)
	if err != nil {
		return nil //nolint:nilerr // no peer is pinned, so that nothing is appended
	}
	reader, err := p.recipient(now)
	if err != nil {
		return nil //nolint:nilerr // appending says so
	}
	s.mu.Lock()
	key, ok := s.keys.Archive[seal.PeriodOf(now)]
	st := s.lines[l]
	s.mu.Unlock()
	if !ok || st == nil {
		return nil
	}
	archive := key.Recipient()
	s.mu.Lock()
	ready := st.envelope.For(reader, archive)
	s.mu.Unlock()
	if ready {
		return nil
	}
	e, err := seal.Prepare(reader, archive)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.envelope = e
	return nil
}

// takeEnvelope takes the envelope that was made ahead for a line; nil where there
// is none. Whoever takes it may use it: no other entry gets it.
func (s *Station) takeEnvelope(l identity.Line) *seal.Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.lines[l]
	if st == nil {
		return nil
	}
	e := st.envelope
	st.envelope = nil
	return e
}
