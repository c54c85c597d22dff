package line

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	"detente/identity"
)

const (
	// maxStrangers is how many connections may stand whose other end has not yet
	// proved its key. A handshake takes a round trip or two, so that whoever has a
	// key is through long before so many others have come after him.
	maxStrangers = 512

	// maxPerKey is how many connections one TLS key may hold open. A station needs
	// one for each process that talks, and a few while they are replaced.
	maxPerKey = 16
)

// connections bounds what the other ends of a server may hold open: where there
// are too many of a kind the oldest goes. So that ten thousand idle connections
// cost the memory of some hundred, and keep nobody out.
type connections struct {
	mu        sync.Mutex // guards the fields below
	strangers *list.List // of net.Conn, the oldest first
	known     map[identity.Digest]*list.List
	places    map[net.Conn]placeOf
}

// placeOf is where a connection stands.
type placeOf struct {
	in *list.List
	at *list.Element
}

func newConnections() *connections {
	return &connections{strangers: list.New(), known: make(map[identity.Digest]*list.List), places: make(map[net.Conn]placeOf)}
}

// changed is the server's hook for the states of connections.
func (s *connections) changed(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.put(c, s.strangers, maxStrangers)
	case http.StateActive, http.StateIdle:
		t, ok := c.(*tls.Conn)
		if !ok {
			return
		}
		cs := t.ConnectionState() // the handshake is done, so it does not wait
		s.mu.Lock()
		key := presented(&cs)
		if s.known[key] == nil {
			s.known[key] = list.New()
		}
		in := s.known[key]
		s.mu.Unlock()
		s.put(c, in, maxPerKey)
	case http.StateClosed, http.StateHijacked:
		s.mu.Lock()
		s.forget(c)
		s.mu.Unlock()
	}
}

// put moves a connection to the end of a list, and closes the list's first where
// it has become too long.
func (s *connections) put(c net.Conn, in *list.List, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(c)
	s.places[c] = placeOf{in, in.PushBack(c)}
	if in.Len() <= most {
		return
	}
	first, ok := in.Front().Value.(net.Conn)
	if !ok {
		return
	}
	s.forget(first)
	if t, ok := first.(*tls.Conn); ok {
		first = t.NetConn() // whose closing does not wait for the other end
	}
	_ = first.Close() // it is gone either way
}

// forget is called with mu held.
func (s *connections) forget(c net.Conn) {
	if p, ok := s.places[c]; ok {
		p.in.Remove(p.at)
		delete(s.places, c)
	}
}
