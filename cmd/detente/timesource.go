package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"detente/station"

	"github.com/beevik/ntp"
)

// timeSource is a server of time that is not the one by which this machine's
// clock is set. It speaks NTP and proves itself by a key that both hold.
type timeSource struct {
	Name    string `toml:"name"`
	Address string `toml:"address"`
	KeyID   uint32 `toml:"key-id"`
	KeyFile string `toml:"key-file"` // 32 hexadecimal digits, for AES-128-CMAC (RFC 8573)
}

const (
	// maxTimeSources bounds the sources: each is asked in turn while the clock is
	// not trusted.
	maxTimeSources = 8
	// askTimeWithin is how long a source may take; a longer answer would say too
	// little of the second in which it came.
	askTimeWithin = 5 * time.Second
)

// check says what is wrong with a source's settings.
func (t timeSource) check() error {
	switch {
	case !outletName.MatchString(t.Name):
		return fmt.Errorf("the name %q is not up to 32 of a-z, 0-9 and hyphen", t.Name)
	case hostPort(t.Address) != nil:
		return fmt.Errorf("%s: address: %q is no host with a port, such as time.arden.example:123", t.Name, t.Address)
	case t.KeyFile == "":
		return fmt.Errorf("%s: key-file is missing: without a key whoever sits on the way could say what time it is", t.Name)
	}
	return nil
}

// Ask implements station.TimeSource. The key is read anew each time, so that it
// can be exchanged.
func (t timeSource) Ask(ctx context.Context) (station.SourceTime, error) {
	key, err := os.ReadFile(t.KeyFile)
	if err != nil {
		return station.SourceTime{}, fmt.Errorf("time source %s: %w", t.Name, err)
	}
	within, cancel := context.WithTimeout(ctx, askTimeWithin)
	defer cancel()
	began := time.Now()
	r, err := ntp.QueryWithOptions(t.Address, ntp.QueryOptions{
		Timeout: askTimeWithin, Auth: ntp.AuthOptions{Type: ntp.AuthAES128, Key: "HEX:" + string(bytes.TrimSpace(key)), KeyID: t.KeyID},
		Dialer: func(_, remote string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(within, "udp", remote)
		},
	})
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return station.SourceTime{}, fmt.Errorf("time source %s: %w", t.Name, err)
	}
	// The server's own second at the middle of the exchange, and what the exchange
	// leaves open: nothing here is reckoned from this machine's clock but a span.
	took := time.Since(began)
	if took > askTimeWithin {
		return station.SourceTime{}, errors.New("time source " + t.Name + ": its answer took too long to say anything")
	}
	return station.SourceTime{Source: t.Name, At: r.Time.Add(took / 2), Within: took/2 + r.RootDispersion + r.RootDelay/2}, nil
}
