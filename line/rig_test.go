package line

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"detente/identity"
)

// rig is two stations, boreal serving and arden asking, over real TLS.
type rig struct {
	t        testing.TB
	host     *host
	client   *Client
	endpoint string
	accepted atomic.Int64 // connections
	heard    atomic.Int64

	mu         sync.Mutex
	serverCert tls.Certificate
	clientCert tls.Certificate
	pins       map[identity.Digest]identity.Station
	peers      map[identity.Station]Peer
}

// host answers what the test says, and keeps what it was asked.
type host struct {
	mu     sync.Mutex
	asked  []Request
	answer func(context.Context, Request) Response
	blobs  map[identity.Digest][]byte
}

func (h *host) Handle(ctx context.Context, r Request) Response {
	h.mu.Lock()
	h.asked = append(h.asked, r)
	h.mu.Unlock()
	return h.answer(ctx, r)
}

func (h *host) Blob(_ context.Context, peer identity.Station, hash identity.Digest, offset int64) (io.ReadCloser, int64, error) {
	b, ok := h.blobs[hash]
	if !ok || peer != arden {
		return nil, 0, ErrNoBlob
	}
	return io.NopCloser(bytes.NewReader(b[min(offset, int64(len(b))):])), int64(len(b)), nil
}

func (h *host) last() Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.asked) == 0 {
		return Request{}
	}
	return h.asked[len(h.asked)-1]
}

func echo(_ context.Context, r Request) Response {
	return Response{Status: 200, Type: TypeText, Body: []byte(r.Op)}
}

func newCert(t testing.TB, name identity.Station) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return must[tls.Certificate](t)(SelfSigned(key, name, start, start.AddDate(1, 0, 0)))
}

func pinOf(t testing.TB, c tls.Certificate) identity.Digest {
	switch k := c.PrivateKey.(type) {
	case *ecdsa.PrivateKey:
		return must[identity.Digest](t)(SPKI(k.Public()))
	case ed25519.PrivateKey:
		return must[identity.Digest](t)(SPKI(k.Public()))
	}
	t.Fatal("a key of another kind")
	return identity.Digest{}
}

func (g *rig) trusted(spki identity.Digest, _ time.Time) (identity.Station, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.pins[spki]
	return s, ok
}

func (g *rig) peer(s identity.Station) (Peer, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := g.peers[s]
	return p, ok
}

// pin lets both sides know a station by a certificate, and no other.
func (g *rig) pin(s identity.Station, c tls.Certificate) {
	d := pinOf(g.t, c)
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, v := range g.pins {
		if v == s {
			delete(g.pins, k)
		}
	}
	g.pins[d] = s
}

// listener counts what it accepts.
type listener struct {
	net.Listener
	n *atomic.Int64
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}

func newRig(t testing.TB, listen net.Listener, dial func(context.Context, string, string) (net.Conn, error), now func() time.Time) *rig {
	g := &rig{
		t: t, host: &host{answer: echo, blobs: map[identity.Digest][]byte{}},
		serverCert: newCert(t, boreal), clientCert: newCert(t, arden),
		pins: map[identity.Digest]identity.Station{}, peers: map[identity.Station]Peer{},
	}
	g.pin(boreal, g.serverCert)
	g.pin(arden, g.clientCert)
	h := Handler(g.host, Options{
		Trusted: g.trusted, Now: now, PerPeer: 8,
		Origin: func(d identity.Digest) (identity.Origin, bool) { return abLog, d == OriginHash(abLog) },
		Heard:  func(identity.Station) { g.heard.Add(1) },
	})
	shown := func(c *tls.Certificate) Certificate {
		return func(time.Time) (*tls.Certificate, error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			copied := *c
			return &copied, nil
		}
	}
	srv := Server(h, ServerTLS(shown(&g.serverCert), g.trusted, now), nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.ServeTLS(listener{listen, &g.accepted}, "", ""); err != http.ErrServerClosed {
			t.Errorf("serving: %v", err)
		}
	}()
	g.endpoint = "https://" + listen.Addr().String()
	g.peers[boreal] = Peer{Endpoints: []string{g.endpoint}, Trusted: func(d identity.Digest, at time.Time) bool {
		s, ok := g.trusted(d, at)
		return ok && s == boreal
	}}
	g.client = NewClient(ClientOptions{Certificate: shown(&g.clientCert), Peer: g.peer, Now: now, Dial: dial})
	t.Cleanup(func() {
		g.client.Close()
		srv.Close()
		<-done
	})
	return g
}

func loopback(t testing.TB) *rig {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newRig(t, l, nil, func() time.Time { return time.Now() })
}

// pipes is a network in memory, for bubbles of synctest.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error {
	defer func() { _ = recover() }() // closed twice
	close(p)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	a, b := net.Pipe()
	p <- a
	return b, nil
}
