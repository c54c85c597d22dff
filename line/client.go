package line

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"detente/identity"
)

// Peer is where another station is reached and how it is known.
type Peer struct {
	// Endpoints are its base URLs, https only, the preferred first.
	Endpoints []string
	// Trusted reports whether a TLS key is this peer's at a moment.
	Trusted func(spki identity.Digest, now time.Time) bool
}

// ClientOptions are what a Client needs to know.
type ClientOptions struct {
	// Certificate is this station's own.
	Certificate Certificate
	// Peer tells how a station is reached; false where it is not known. It is
	// asked anew for each request.
	Peer func(identity.Station) (Peer, bool)
	// Now is the clock.
	Now func() time.Time
	// Dial makes connections. If nil, TCP, with dead ones found out while
	// anything is under way.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second

	// deadConnection is how long bytes sent may lie unacknowledged before the
	// connection counts as broken. Slow lines acknowledge; cut ones do not.
	deadConnection = 30 * time.Second

	// keptOpen is how long a connection stands without a request: a call in a
	// crisis should not begin with a handshake. A little less than servers
	// allow, so that none closes under a request.
	keptOpen = idleTimeout - 5*time.Minute

	// defaultPatience bounds a request whose caller set no deadline.
	defaultPatience = 15 * time.Minute
)

// Client is a Transport over HTTP/2. It keeps a connection to each peer open.
// It may be used by many at once.
type Client struct {
	options ClientOptions // immutable

	mu    sync.Mutex
	links map[identity.Station]*link // guarded by mu
}

// link is the connection to one peer.
type link struct {
	transport *http.Transport
	preferred atomic.Int64 // the endpoint that answered last
}

// NewClient returns a client that has connected to nobody yet.
func NewClient(o ClientOptions) *Client {
	if o.Dial == nil {
		d := &net.Dialer{Timeout: dialTimeout, Control: watchConnection, KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 4,
		}}
		o.Dial = d.DialContext
	}
	return &Client{options: o, links: make(map[identity.Station]*link)}
}

// Forget gives up the connections to a peer, after its card or ours changed.
// Requests under way end as they may; later ones connect anew.
func (c *Client) Forget(peer identity.Station) {
	c.mu.Lock()
	l := c.links[peer]
	delete(c.links, peer)
	c.mu.Unlock()
	if l != nil {
		l.transport.CloseIdleConnections()
	}
}

// Close closes all idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.links {
		l.transport.CloseIdleConnections()
	}
	clear(c.links)
}

func (c *Client) link(peer identity.Station) *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.links[peer]; l != nil {
		return l
	}
	trusted := func(spki identity.Digest, now time.Time) bool {
		p, ok := c.options.Peer(peer)
		return ok && p.Trusted(spki, now)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	l := &link{transport: &http.Transport{
		DialContext:            c.options.Dial,
		TLSClientConfig:        ClientTLS(c.options.Certificate, trusted, c.options.Now),
		TLSHandshakeTimeout:    handshakeTimeout,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        keptOpen,
	}}
	c.links[peer] = l
	return l
}

// Do asks peer, at each of its endpoints until one answers. See Transport.
// Without a deadline in ctx it gives up after a time that the body's length
// explains, at most a quarter of an hour; Window.Patience knows better.
func (c *Client) Do(ctx context.Context, peer identity.Station, r Request) (Response, error) {
	p, ok := c.options.Peer(peer)
	if !ok || len(p.Endpoints) == 0 {
		return Response{}, &Error{Fault: Unreachable, Peer: peer, Err: errors.New("no endpoint of this station is known: take its card")}
	}
	method, path, err := place(r)
	if err != nil {
		return Response{}, &Error{Fault: Malformed, Peer: peer, Err: err}
	}
	if _, set := ctx.Deadline(); !set {
		patience := bodyGrace + time.Duration(len(r.Body))*time.Second/slowestLine
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, min(patience, defaultPatience))
		defer cancel()
	}
	l := c.link(peer)
	first := int(l.preferred.Load())
	for i := range p.Endpoints {
		at := (first + i) % len(p.Endpoints)
		var resp Response
		resp, err = c.ask(ctx, l, peer, p, p.Endpoints[at], method, path, r)
		if err == nil {
			l.preferred.Store(int64(at))
			return resp, nil
		}
		if e, ok := errors.AsType[*Error](err); !ok || e.Sent || e.Fault == Stopped || e.Fault == Timeout {
			break
		}
	}
	return Response{}, err
}

func (c *Client) ask(ctx context.Context, l *link, peer identity.Station, p Peer, base, method, path string, r Request) (Response, error) {
	fault := &Error{Peer: peer, Endpoint: base}
	fail := func(f Fault, err error) (Response, error) {
		fault.Fault, fault.Err = f, err
		return Response{}, fault
	}
	if !strings.HasPrefix(base, "https://") {
		return fail(Unreachable, errors.New("the endpoint is no https URL: the card is wrong"))
	}
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(base, "/")+path, bytes.NewReader(r.Body))
	if err != nil {
		return fail(Unreachable, err)
	}
	dress(req, r)
	resp, err := l.transport.RoundTrip(req)
	fault.Sent = connected.Load()
	if err != nil {
		fault = classify(ctx, fault, err)
		if fault.Fault == Unreachable && fault.Sent {
			if spki, refused, why := c.refused(ctx, p, base); refused {
				fault.Fault, fault.Presented, fault.Err, fault.Sent = Refused, spki, why, false
			}
		}
		return Response{}, fault
	}
	defer resp.Body.Close()
	if spki := presented(resp.TLS); !p.Trusted(spki, c.options.Now()) {
		// The pin was taken back while the connection stood.
		resp.Body.Close()
		c.Forget(peer)
		fault.Presented = spki
		return fail(Refused, &keyError{presented: spki})
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(maxAnswer[r.Op])+1))
	if err != nil {
		return Response{}, classify(ctx, fault, err)
	}
	if len(body) > maxAnswer[r.Op] {
		return fail(Malformed, fmt.Errorf("the answer has more than %d bytes", maxAnswer[r.Op]))
	}
	out := Response{Status: resp.StatusCode, Type: resp.Header.Get("Content-Type"), Body: body, RetryAfter: retryAfter(resp.Header)}
	if r.Op == OpBlob && out.OK() {
		if out.Total, err = totalOf(resp.Header.Get("Content-Range"), r.Offset); err != nil {
			return fail(Malformed, err)
		}
	}
	return out, nil
}

// dress puts a request's headers on.
func dress(req *http.Request, r Request) {
	switch r.Op {
	case OpDeliver, OpAddEntries:
		req.Header.Set("Content-Type", TypeBytes)
	case OpAddCheckpoint:
		req.Header.Set("Content-Type", TypeText)
	case OpHeads:
		req.Header.Set("Content-Type", TypeJSON)
	case OpCards:
		if len(r.Body) > 0 {
			req.Header.Set("Content-Type", TypeJSON)
		}
	case OpBlob:
		limit := r.Limit
		if limit <= 0 || limit > MaxBlobRange {
			limit = MaxBlobRange
		}
		req.Header.Set("Range", formatRange(r.Offset, limit))
	}
	req.Header.Set("User-Agent", "") // who asks is known by its key
}

// maxRetryAfter is the longest Retry-After that is believed: a year. Nobody
// waits for it anyway; it is only shown.
const maxRetryAfter = 365 * 24 * time.Hour

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.ParseUint(h.Get("Retry-After"), 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxRetryAfter)
}

// classify says why no answer came.
func classify(ctx context.Context, e *Error, err error) *Error {
	e.Err = err
	if k, ok := errors.AsType[*keyError](err); ok {
		e.Fault, e.Presented, e.Sent = Refused, k.presented, false
		return e
	}
	if refusedOurs(err) {
		e.Fault, e.Sent = Refused, false
		return e
	}
	if cause := ctx.Err(); cause != nil {
		e.Fault = Stopped
		if errors.Is(cause, context.DeadlineExceeded) {
			e.Fault = Timeout
		}
		return e
	}
	e.Fault = Unreachable
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() && e.Sent {
		e.Fault = Timeout
	}
	return e
}

// refusals are TLS alerts about certificates or access: RFC 8446, section 6.2.
var refusals = []tls.AlertError{40, 42, 43, 44, 45, 46, 48, 49, 116}

// refusedOurs reports whether the peer ended the handshake over our key. In TLS
// 1.3 that comes as an alert after our side of the handshake is done. The alert's
// type is private to crypto/tls, so it is known by its words.
func refusedOurs(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error" && slices.ContainsFunc(refusals, func(a tls.AlertError) bool {
		return a.Error() == op.Err.Error()
	})
}
