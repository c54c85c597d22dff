package station

import (
	"detente/identity"
	"detente/journal"
)

// lookahead is what can be known of a delivery's entries without the store: each
// opened, and its approvals' signatures verified. It is worked out beside the
// verification and cosigning of the head, which need none of it, so that a
// message does not wait for both in turn. Nothing is decided here: whether an
// entry counts is judged in the transaction, as if nothing had been done ahead.
type lookahead struct {
	start  int64
	opened []incoming
	done   chan struct{} // closed when opened is complete
}

// lookAhead begins to open a delivery. The delivery's bytes are not changed
// afterwards; wait has to be called before the request is answered.
func (s *Station) lookAhead(p *peer, d journal.Delivery) *lookahead {
	a := &lookahead{start: d.Start, opened: make([]incoming, len(d.Entries)), done: make(chan struct{})}
	go func() {
		defer close(a.done)
		for i, sealed := range d.Entries {
			a.opened[i] = s.open(sealed, false)
			s.verifyAhead(p, d.Origin.Writer, a.opened[i])
		}
	}()
	return a
}

// wait returns once all is opened.
func (a *lookahead) wait() { <-a.done }

// at returns the opened entry of an index; false where the delivery has none.
func (a *lookahead) at(index int64) (incoming, bool) {
	if a == nil || index < a.start || index-a.start >= int64(len(a.opened)) {
		return incoming{}, false
	}
	a.wait()
	return a.opened[index-a.start], true
}

// verifyAhead lets the verifier meet an entry's approvals. It remembers the
// signatures that hold; of those that do not the transaction will hear again.
func (s *Station) verifyAhead(p *peer, writer identity.Station, in incoming) {
	if in.problem != "" {
		return
	}
	at := in.entry.Wrapper.At
	for _, a := range in.entry.Wrapper.Approvals {
		if _, err := s.verifier.Verify(a, writer, p.Agencies, at); err != nil {
			return
		}
	}
}
