package station

import (
	"fmt"
	"sync"

	"detente/identity"
	"detente/message"
)

// Bounds of what is remembered of bodies and entries that were read. A body is
// read at its submission, at each approval and when it is appended, within
// minutes; an entry by the fold of its matters, the record of the watch and the
// index of words, one after the other. A long one costs little to read beside what
// is done with it.
const (
	maxRemembered = 3 << 20  // bytes of all; what was read of them takes two to three times as much
	maxKept       = 32 << 10 // bytes of one
)

// readings remembers the texts that were parsed last, by their digests. It is safe
// for concurrent use.
type readings[T any] struct {
	parser func(text []byte) (T, error) // a function of the text alone

	mu     sync.Mutex
	read   map[identity.Digest]T // of the present half
	before map[identity.Digest]T // of the half before it
	bytes  int                   // of the texts of read
}

// parse does what the parser does. What it returns is shared, and not to be
// changed.
func (r *readings[T]) parse(text []byte) (T, error) {
	id := identity.Sum(text)
	r.mu.Lock()
	v, known := r.read[id]
	if !known {
		v, known = r.before[id]
	}
	r.mu.Unlock()
	if known {
		return v, nil
	}
	v, err := r.parser(text)
	if err != nil || len(text) > maxKept {
		return v, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read == nil || r.bytes+len(text) > maxRemembered/2 {
		r.before, r.read, r.bytes = r.read, make(map[identity.Digest]T), 0
	}
	if _, twice := r.read[id]; !twice {
		r.read[id] = v
		r.bytes += len(text)
	}
	return v, nil
}

// withTexts returns a message on its way with its body and approvals: once it is
// appended they stand in its entry, and no longer in its row. Where the entry
// cannot be read they are missing.
func (s *Station) withTexts(tx Tx, out Outgoing) (Outgoing, error) {
	if out.State != Appended || len(out.Body) > 0 {
		return out, nil
	}
	m, err := tx.Message(out.Origin, out.Index)
	if err != nil {
		return out, err
	}
	e, err := message.ParseEntry(m.Plain)
	if err != nil {
		return out, fmt.Errorf("the entry of message %s, %s: %w", out.ID, s.Cite(out.Origin, out.Index), err)
	}
	out.Body = e.Body.Bytes()
	for _, a := range e.Wrapper.Approvals {
		out.Approvals = append(out.Approvals, a.Bytes())
	}
	return out, nil
}
