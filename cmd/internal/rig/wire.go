package rig

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Wire carries TCP connections to a station. It can be cut, and slowed to a
// rate.
type Wire struct {
	listener net.Listener
	to       string
	wg       sync.WaitGroup

	mu    sync.Mutex // guards the fields below
	cut   bool
	rate  int // bytes a second each way; zero: as fast as it goes
	conns map[net.Conn]bool
}

// NewWire returns a wire that leads to an address.
func NewWire(to string) (*Wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &Wire{listener: l, to: to, conns: make(map[net.Conn]bool)}
	w.wg.Go(w.accept)
	return w, nil
}

// Address returns where the wire begins.
func (w *Wire) Address() string { return w.listener.Addr().String() }

// Cut breaks all connections and lets none through until Mend.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for c := range w.conns {
		_ = c.Close() // that is what a cut does
	}
}

// Mend lets connections through again.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = false
}

// Slow bounds the bytes a second each way; zero takes the bound off.
func (w *Wire) Slow(rate int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rate = rate
}

// Close ends the wire and everything on it.
func (w *Wire) Close() error {
	err := w.listener.Close()
	w.Cut()
	w.wg.Wait()
	return err
}

func (w *Wire) accept() {
	for {
		c, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.wg.Go(func() { w.carry(c) })
	}
}

// keep notes a connection; false where the wire is cut.
func (w *Wire) keep(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.cut {
		w.conns[c] = true
	}
	return !w.cut
}

func (w *Wire) drop(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
	_ = c.Close() // closed by the cut already, perhaps
}

func (w *Wire) carry(from net.Conn) {
	defer w.drop(from)
	if !w.keep(from) {
		return
	}
	var d net.Dialer
	to, err := d.DialContext(context.Background(), "tcp", w.to)
	if err != nil {
		return
	}
	defer w.drop(to)
	if !w.keep(to) {
		return
	}
	both := make(chan error, 2)
	go func() { both <- w.pump(to, from) }()
	go func() { both <- w.pump(from, to) }()
	<-both //nolint:errcheck // why a pump ended is no news: it was cut, or an end closed
	w.drop(from)
	w.drop(to)
	<-both //nolint:errcheck // likewise
}

// piece is how much goes through at a time on a slow wire, and most on one that
// is not slowed.
const (
	piece = 4 << 10
	most  = 256 << 10
)

// pump carries bytes one way, no faster than the rate.
func (w *Wire) pump(to io.Writer, from io.Reader) error {
	buf := make([]byte, most)
	for {
		n, err := from.Read(buf[:w.atOnce()])
		if n > 0 {
			w.mu.Lock()
			rate := w.rate
			w.mu.Unlock()
			if rate > 0 {
				<-time.After(time.Duration(n) * time.Second / time.Duration(rate))
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// atOnce is how much may be read before the rate is looked at again.
func (w *Wire) atOnce() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rate > 0 {
		return piece
	}
	return most
}
