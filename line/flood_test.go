package line

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"detente/identity"
)

// address is where the rig's server listens.
func (g *rig) address() string { return strings.TrimPrefix(g.endpoint, "https://") }

// stillOpen counts the connections of a server that nobody has closed yet.
func stillOpen(conns []net.Conn) (n int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, c := range conns {
		wg.Go(func() {
			if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				return
			}
			_, err := c.Read(make([]byte, 1))
			if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return n
}

// Ten thousand connections that say nothing hold a few hundred places, and keep
// nobody out who has a key; nor do many connections of one key.
// covers P14 P18
func TestIdleConnections(t *testing.T) {
	g := loopback(t)
	g.wantOK(Request{Op: OpCards})
	address := g.address()
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	const many = 8000 // and as many ends here: what one process may hold open
	for range many {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("after %d connections: %v", len(conns), err)
		}
		conns = append(conns, c)
	}
	g.client.Forget(boreal) // it has to come in anew
	g.wantOK(Request{Op: OpCards})
	if n := stillOpen(conns); n > maxStrangers {
		t.Errorf("%d silent connections are held, more than %d", n, maxStrangers)
	}

	var same []net.Conn
	for range 3 * maxPerKey {
		same = append(same, g.connect(t))
	}
	defer func() {
		for _, c := range same {
			_ = c.Close()
		}
	}()
	g.wantOK(Request{Op: OpCards})
	if n := len(same) - closedByOther(same); n > maxPerKey {
		t.Errorf("%d connections of one key are held, more than %d", n, maxPerKey)
	}
}

// closedByOther counts the connections that the other end has ended: after what
// it sends at once comes no more.
func closedByOther(conns []net.Conn) (n int) {
	for _, c := range conns {
		if err := c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			continue
		}
		_, err := io.Copy(io.Discard, c)
		if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
			n++
		}
	}
	return n
}

// connect makes a connection of HTTP/2 with arden's key and sends its preface.
func (g *rig) connect(t *testing.T) net.Conn {
	t.Helper()
	conf := ClientTLS(Always(g.clientCert), func(identity.Digest, time.Time) bool { return true }, time.Now)
	c, err := tls.Dial("tcp", g.address(), conf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(0x4, 0, 0)...)); err != nil {
		t.Fatal(err)
	}
	return c
}

// frame is an HTTP/2 frame.
func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// Headers that are begun and never ended hold the connections of one key and no
// more, and keep nobody out: the same key comes in anew, and so does another.
// covers P14
func TestSlowHeaders(t *testing.T) {
	g := loopback(t)
	var slow []net.Conn
	defer func() {
		for _, c := range slow {
			_ = c.Close()
		}
	}()
	for range 3 * maxPerKey {
		c := g.connect(t)
		if _, err := c.Write(frame(0x1, 0, 1, 0x82)); err != nil { // no END_HEADERS: more is to come
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	g.client.Forget(boreal) // it has to come in anew
	g.wantOK(Request{Op: OpCards})
	if n := len(slow) - closedByOther(slow); n > maxPerKey {
		t.Errorf("%d connections with headers begun are held, more than %d", n, maxPerKey)
	}
	mute, err := net.Dial("tcp", g.address())
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	if _, err := mute.Write([]byte{0x16, 0x03, 0x01}); err != nil { // a handshake that is begun and never ended
		t.Fatal(err)
	}
	if err := mute.SetReadDeadline(time.Now().Add(2 * headerTimeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, mute); err != nil {
		t.Errorf("a handshake that is not ended is still waited for: %v", err)
	}
}

// A peer that opens requests and takes them back, as fast as it can, has no more
// of them under way at any moment than a peer may have, and holds up nobody.
// covers P14
func TestRapidReset(t *testing.T) {
	g := loopback(t)
	var under, most, all atomic.Int64
	g.host.answer = func(ctx context.Context, r Request) Response {
		all.Add(1)
		if n := under.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-ctx.Done() // until it is taken back
		under.Add(-1)
		return echo(ctx, r)
	}
	c := g.connect(t)
	go io.Copy(io.Discard, c) //nolint:errcheck // what the server says does not matter here
	block := append([]byte{0x82, 0x87, 0x04, 0x06}, "/cards"...)
	block = append(block, 0x01, 0x01, 'a')
	for i := range uint32(100_000) {
		stream := 2*i + 1
		b := append(frame(0x1, 0x5, stream, block...), frame(0x3, 0, stream, 0, 0, 0, 8)...)
		if _, err := c.Write(b); err != nil {
			break // the server has had enough
		}
	}
	if err := c.Close(); err != nil {
		t.Log(err)
	}
	if all.Load() == 0 || most.Load() > 8 {
		t.Errorf("%d requests came through, %d of them at once, and a peer may have 8", all.Load(), most.Load())
	}
	g.host.answer = echo
	for range 100 { // the last of them may not be over yet
		if resp, err := g.do(Request{Op: OpCards}); err == nil && resp.OK() {
			return
		}
	}
	t.Error("after the flood nobody is answered")
}
