package line

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	"detente/identity"
)

// probeTime is how long a probe listens after the handshake: the first frame of
// HTTP/2, or the alert, comes within a round trip.
const probeTime = 3 * time.Second

// refused tells whether it is over the keys that an endpoint ends connections,
// by making one and listening. In TLS 1.3 a peer refuses our key after our side
// of the handshake is done; a request that is written meanwhile may fail on the
// broken connection before the alert is read, and then does not say why.
func (c *Client) refused(ctx context.Context, p Peer, base string) (presented identity.Digest, refused bool, why error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	u, err := url.Parse(base)
	if err != nil {
		return presented, false, err
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "443")
	}
	raw, err := c.options.Dial(ctx, "tcp", address)
	if err != nil {
		return presented, false, err
	}
	defer raw.Close()
	conf := ClientTLS(c.options.Certificate, p.Trusted, c.options.Now)
	conf.ServerName = u.Hostname()
	conn := tls.Client(raw, conf)
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	if why = conn.HandshakeContext(ctx); why == nil {
		_, why = conn.Read(make([]byte, 1))
	}
	if k, ok := errors.AsType[*keyError](why); ok {
		return k.presented, true, why
	}
	return presented, refusedOurs(why), why
}
