package station

import (
	"fmt"
	"sync"

	"detente/identity"
	"detente/message"
)

// maxBodies bounds how many parsed bodies are remembered, and maxBodyKept how
// long one of them may be: a body is read at its submission, at each approval
// and when it is appended, within minutes; a long one costs little beside what is
// done with it.
const (
	maxBodies   = 256
	maxBodyKept = 8 << 10
)

// bodies remembers the bodies that were read last. It is safe for concurrent use.
type bodies struct {
	mu   sync.Mutex
	read map[identity.Digest]message.Frozen
}

// parse does what message.ParseBody does. What it returns is shared, as a Frozen
// always is.
func (b *bodies) parse(text []byte) (message.Frozen, error) {
	id := identity.Sum(text)
	b.mu.Lock()
	f, known := b.read[id]
	b.mu.Unlock()
	if known {
		return f, nil
	}
	f, err := message.ParseBody(text)
	if err != nil || len(text) > maxBodyKept {
		return f, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.read == nil || len(b.read) >= maxBodies {
		b.read = make(map[identity.Digest]message.Frozen)
	}
	b.read[id] = f
	return f, nil
}

// maxEntries bounds how many parsed entries are remembered: what came or left is
// read by the fold of its matters, the record of the watch and the index of words,
// one after the other.
const maxEntries = 256

// entries remembers the entries that were read last. It is safe for concurrent
// use.
type entries struct {
	mu   sync.Mutex
	read map[identity.Digest]message.Entry
}

// parse does what message.ParseEntry does. What it returns is shared, and not to
// be changed.
func (r *entries) parse(plain []byte) (message.Entry, error) {
	id := identity.Sum(plain)
	r.mu.Lock()
	e, known := r.read[id]
	r.mu.Unlock()
	if known {
		return e, nil
	}
	e, err := message.ParseEntry(plain)
	if err != nil {
		return e, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read == nil || len(r.read) >= maxEntries {
		r.read = make(map[identity.Digest]message.Entry)
	}
	r.read[id] = e
	return e, nil
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
