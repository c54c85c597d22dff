package line

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"sync"
	"time"

	"detente/identity"
)

// Options are what a Handler needs to know.
type Options struct {
	// Trusted tells whose TLS key it is at a moment; it is asked anew for each
	// request, so that a key taken back is refused on open connections too.
	Trusted func(spki identity.Digest, now time.Time) (identity.Station, bool)
	// Now is the clock.
	Now func() time.Time
	// Origin tells which log a hash in a path names. If nil, no paths with
	// hashes are served.
	Origin func(hash identity.Digest) (identity.Origin, bool)
	// Heard, if not nil, is told of each authenticated request before it is
	// answered: the peer is alive.
	Heard func(peer identity.Station)
	// PerPeer is how many requests of one peer may be under way. If zero, 16:
	// eight lines' deliveries and as many reads. More are answered 503.
	PerPeer int
}

const (
	defaultPerPeer = 16

	// bodyGrace is how long a body may take however short it is.
	bodyGrace = 30 * time.Second

	// perPeerRetry is what a peer is told that has too many requests open.
	perPeerRetry = time.Second
)

// Handler serves a Host over HTTP. It authenticates each request by its TLS
// key, bounds its body in size and in time, takes add-entries uploads apart into
// packages, and gives the Host values.
func Handler(h Host, o Options) http.Handler {
	if o.PerPeer <= 0 {
		o.PerPeer = defaultPerPeer
	}
	return &handler{host: h, options: o, open: make(map[identity.Station]int)}
}

type handler struct {
	host    Host    // immutable
	options Options // immutable

	mu   sync.Mutex
	open map[identity.Station]int // guarded by mu
}

func (s *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	peer, ok := s.options.Trusted(presented(r.TLS), s.options.Now())
	if !ok || r.TLS == nil {
		answer(w, Text(http.StatusForbidden, "this TLS key is not pinned here"))
		return
	}
	if s.options.Heard != nil {
		s.options.Heard(peer)
	}
	if !s.enter(peer) {
		answer(w, Response{Status: http.StatusServiceUnavailable, RetryAfter: perPeerRetry})
		return
	}
	defer s.leave(peer)
	req, err := route(r.Method, r.URL, s.options.Origin)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errNoRoute) {
			status = http.StatusNotFound
		}
		answer(w, Text(status, err.Error()))
		return
	}
	req.Peer = peer
	slow := &paced{body: http.MaxBytesReader(w, r.Body, int64(maxBody[req.Op])), control: http.NewResponseController(w), now: s.options.Now}
	slow.begin()
	switch req.Op {
	case OpBlob:
		s.blob(w, r, req)
	case OpAddEntries:
		answer(w, s.upload(r, req, slow))
	default:
		if req.Body, err = readBody(slow, r.ContentLength); err != nil {
			answer(w, bodyFault(err))
			return
		}
		answer(w, Serve(r.Context(), s.host, req))
	}
}

func (s *handler) enter(peer identity.Station) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[peer] >= s.options.PerPeer {
		return false
	}
	s.open[peer]++
	return true
}

func (s *handler) leave(peer identity.Station) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[peer]--; s.open[peer] == 0 {
		delete(s.open, peer)
	}
}

// paced is a body that must arrive at the slowest line's pace, after a grace:
// who sends a byte a second loses the stream.
type paced struct {
	body    io.Reader
	control *http.ResponseController
	now     func() time.Time
	start   time.Time
	read    int64
	granted int64 // what was read when the deadline was last moved
}

// begin sets the first deadline. Servers that know none, in tests, go without.
func (p *paced) begin() {
	p.start = p.now()
	_ = p.control.SetReadDeadline(p.start.Add(bodyGrace))
}

// paceStep is how much must arrive before the deadline moves: less would cost
// a call for each read.
const paceStep = 4 << 10

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	p.read += int64(n)
	if p.read-p.granted >= paceStep {
		p.granted = p.read
		pace := time.Duration(p.read) * time.Second / slowestLine
		_ = p.control.SetReadDeadline(p.start.Add(bodyGrace + pace))
	}
	return n, err
}

// readBody reads a bounded body. Memory grows with what arrives, not with what
// is announced.
func readBody(r io.Reader, announced int64) ([]byte, error) {
	if announced == 0 {
		return nil, nil
	}
	var b bytes.Buffer
	b.Grow(int(min(max(announced, 0), 256<<10)) + bytes.MinRead)
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func bodyFault(err error) Response {
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return Text(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", big.Limit))
	}
	return Text(http.StatusBadRequest, "the body did not arrive whole, or too slowly")
}

func (s *handler) upload(r *http.Request, req Request, body io.Reader) Response {
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return Text(http.StatusBadRequest, "the body is not what its Content-Encoding says")
		}
		body = z
	default:
		return Text(http.StatusUnsupportedMediaType, "only gzip is understood as Content-Encoding")
	}
	return serveUpload(r.Context(), s.host, req, body)
}

// serveUpload gives the host an add-entries body, one package at a time, as
// uploads that begin where the package does. So no more than a package is in
// memory or in a transaction, and what came before an interruption is kept.
func serveUpload(ctx context.Context, h Host, r Request, body io.Reader) Response {
	u, err := newUploadReader(body)
	if err != nil {
		return Text(http.StatusBadRequest, "the add-entries body's head: "+printable([]byte(err.Error()), maxReason))
	}
	r.Origin = u.head.Origin
	taken := Text(http.StatusBadRequest, "the add-entries body ends before its first package does")
	for {
		part, err := u.part()
		if err != nil {
			return taken
		}
		r.Body = part
		answer := h.Handle(ctx, r)
		if answer.Status != http.StatusAccepted {
			return answer
		}
		taken = answer
	}
}

func (s *handler) blob(w http.ResponseWriter, r *http.Request, req Request) {
	var err error
	if req.Offset, req.Limit, err = rangeOf(r.Header.Get("Range")); err != nil {
		answer(w, Text(http.StatusRequestedRangeNotSatisfiable, err.Error()))
		return
	}
	body, total, refusal := openBlob(r.Context(), s.host, req)
	if body == nil {
		answer(w, refusal)
		return
	}
	defer body.Close()
	n := blobLength(req, total)
	w.Header().Set("Content-Type", TypeBytes)
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", req.Offset, req.Offset+n-1, total))
	w.WriteHeader(http.StatusPartialContent)
	if _, err := io.CopyN(w, body, n); err != nil {
		// The length was announced: a cut answer must not look like a whole one.
		panic(http.ErrAbortHandler)
	}
}

func answer(w http.ResponseWriter, r Response) {
	header := w.Header()
	if r.Type != "" {
		header.Set("Content-Type", r.Type)
	}
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(len(r.Body)))
	header.Set("Accept-Encoding", "gzip")
	if r.RetryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(int64((r.RetryAfter+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // who is gone needs no answer
}

const (
	headerTimeout = 10 * time.Second // also for the TLS handshake
	idleTimeout   = time.Hour
	writeTimeout  = time.Minute // without one byte taken
	maxHeader     = 16 << 10
	maxStreams    = 64
)

// Server returns a server of a line's endpoints: HTTP/2 only, with limits
// against peers that are slow or many: how many connections strangers and each key
// may hold, how long a handshake and each header may take. Faults of connections go to faults; if
// nil, nowhere.
func Server(h http.Handler, conf *tls.Config, faults *log.Logger) *http.Server {
	if faults == nil {
		faults = log.New(io.Discard, "", 0)
	}
	p := new(http.Protocols)
	p.SetHTTP2(true)
	return &http.Server{
		Handler:           h,
		TLSConfig:         conf,
		Protocols:         p,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          faults,
		ConnState:         newConnections().changed,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerStream:     1 << 20,
			MaxReceiveBufferPerConnection: 2 << 20,
			WriteByteTimeout:              writeTimeout,
		},
	}
}
