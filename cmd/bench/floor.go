package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"detente/identity"
	"detente/line"
	"detente/seal"
)

// floor delivers messages by the same primitives as the product, over plain
// files and with nothing else: seal to two recipients, synced append, head
// signed twice, one TLS round trip, synced append, head verified and cosigned
// twice, entry opened, cosignature verified, synced receipt. It keeps no tree,
// no table, no audit trail, and judges nothing.
type floor struct {
	log, cosigner    identity.PrivateKey
	reader, writer   seal.Identity
	sent, got, given *syncedFile
	server           *http.Server
	client           *http.Client
	url              string
	served           chan error
}

// syncedFile is a file to which many append, each until its bytes are durable.
// Syncs of several at once are the file system's to merge.
type syncedFile struct {
	mu sync.Mutex // guards the order of writes
	f  *os.File
}

func (s *syncedFile) append(b []byte) error {
	s.mu.Lock()
	_, err := s.f.Write(b)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.f.Sync()
}

func newFloor(dir string) (*floor, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &floor{served: make(chan error, 1)}
	var err error
	if f.log, err = identity.GenerateKey(identity.UseLog, rand.Reader); err != nil {
		return nil, err
	}
	if f.cosigner, err = identity.GenerateKey(identity.UseCosigner, rand.Reader); err != nil {
		return nil, err
	}
	if f.reader, err = seal.GenerateIdentity(); err != nil {
		return nil, err
	}
	if f.writer, err = seal.GenerateIdentity(); err != nil {
		return nil, err
	}
	for name, file := range map[string]**syncedFile{"sent": &f.sent, "got": &f.got, "given": &f.given} {
		opened, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		*file = &syncedFile{f: opened}
	}
	return f, f.listen()
}

// listen starts the other end, on loopback.
func (f *floor) listen() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert, err := line.SelfSigned(key, "floor.example", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	spki, err := line.SPKI(key.Public())
	if err != nil {
		return err
	}
	known := func(k identity.Digest, _ time.Time) (identity.Station, bool) { return "floor.example", k == spki }
	l, err := tls.Listen("tcp", "127.0.0.1:0", line.ServerTLS(line.Always(cert), known, time.Now))
	if err != nil {
		return err
	}
	f.server = &http.Server{Handler: http.HandlerFunc(f.receive), ReadHeaderTimeout: time.Minute}
	go func() { f.served <- f.server.Serve(l) }()
	f.url = "https://" + l.Addr().String() + "/"
	config := line.ClientTLS(line.Always(cert), func(k identity.Digest, _ time.Time) bool { return k == spki }, time.Now)
	dialer := &tls.Dialer{NetDialer: &net.Dialer{}, Config: config}
	f.client = &http.Client{Transport: &http.Transport{DialTLSContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSClientConfig: config}, Timeout: time.Minute}
	return nil
}

func (f *floor) Close() error {
	f.client.CloseIdleConnections()
	err := f.server.Close()
	if served := <-f.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return errors.Join(err, f.sent.f.Close(), f.got.f.Close(), f.given.f.Close())
}

const floorDomain = "detente/benchmark/v1"

func parcel(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

func parts(b []byte, n int) ([][]byte, error) {
	var out [][]byte
	for range n {
		if len(b) < 4 || uint64(len(b)-4) < uint64(binary.BigEndian.Uint32(b)) {
			return nil, io.ErrUnexpectedEOF
		}
		size := 4 + int(binary.BigEndian.Uint32(b))
		out, b = append(out, b[4:size]), b[size:]
	}
	return out, nil
}

// receive is the other end: store, verify, cosign, open.
func (f *floor) receive(w http.ResponseWriter, r *http.Request) {
	answer, err := f.take(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Write(answer) // where it does not arrive, send fails
}

func (f *floor) take(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	p, err := parts(body, 3)
	if err != nil {
		return nil, err
	}
	sealed := p[0]
	if err := f.log.Public().Verify(floorDomain, sealed, identity.Signature{Ed25519: p[1], MLDSA: p[2]}); err != nil {
		return nil, err
	}
	if _, _, err := seal.Open(sealed, f.reader); err != nil {
		return nil, err
	}
	given, err := f.cosigner.Sign(floorDomain, sealed)
	if err != nil {
		return nil, err
	}
	receipt := parcel(given.Ed25519, given.MLDSA)
	return receipt, f.got.append(parcel(sealed, receipt))
}

// send delivers one message and keeps its receipt.
func (f *floor) send(ctx context.Context, plain []byte) error {
	sealed, err := seal.Seal(plain, f.reader.Recipient(), f.writer.Recipient())
	if err != nil {
		return err
	}
	signed, err := f.log.Sign(floorDomain, sealed)
	if err != nil {
		return err
	}
	out := parcel(sealed, signed.Ed25519, signed.MLDSA)
	if err := f.sent.append(out); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, bytes.NewReader(out))
	if err != nil {
		return err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	receipt, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the floor's other end answers %s: %s", resp.Status, receipt)
	}
	p, err := parts(receipt, 2)
	if err != nil {
		return err
	}
	if err := f.cosigner.Public().Verify(floorDomain, sealed, identity.Signature{Ed25519: p[0], MLDSA: p[1]}); err != nil {
		return err
	}
	return f.given.append(receipt)
}

// measure sends messages of a size, so many at a time.
func (f *floor) measure(ctx context.Context, size, inFlight, messages int) (sample, error) {
	plain := bytes.Repeat([]byte("x"), size)
	before, err := ownCPU()
	if err != nil {
		return sample{}, err
	}
	s, err := inParallel(inFlight, messages, func(int) error { return f.send(ctx, plain) })
	if err != nil {
		return s, err
	}
	after, err := ownCPU()
	s.cpu = after - before
	return s, err
}

// ownCPU returns the processor time that this process has used.
func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
