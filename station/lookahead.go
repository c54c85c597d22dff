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
	origin identity.Origin
	start  int64
	opened []incoming
	done   chan struct{} // closed when opened is complete
}

// lookAhead begins to open a delivery. The delivery's bytes are not changed
// afterwards.
func (s *Station) lookAhead(p *peer, d journal.Delivery) *lookahead {
	a := &lookahead{origin: d.Origin, start: d.Start, opened: make([]incoming, len(d.Entries)), done: make(chan struct{})}
	go func() {
		defer close(a.done)
		for i, sealed := range d.Entries {
			a.opened[i] = s.open(sealed, false)
			s.verifyAhead(p, d.Origin.Writer, a.opened[i])
		}
	}()
	return a
}

// at returns the opened entry of a log's index; false where the delivery has none.
// The delivery's bytes were found to be those that the log holds before anything
// asks.
func (a *lookahead) at(o identity.Origin, index int64) (incoming, bool) {
	if a == nil || o != a.origin || index < a.start || index-a.start >= int64(len(a.opened)) {
		return incoming{}, false
	}
	<-a.done
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
