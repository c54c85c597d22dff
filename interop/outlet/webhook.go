package outlet

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// WebhookConfig says where notices are posted.
type WebhookConfig struct {
	URL         string        // https; http only to a loopback address
	SecretFiles []string      // one, or two while a secret is exchanged; read at each notice
	RootsFile   string        // PEM certificates of which one must stand behind the receiver's. If empty, the system's.
	WithText    bool          // If false, title and text stay at the station and only codes go out.
	Timeout     time.Duration // If zero, DefaultTimeout.
}

// Limits of a receiver's answer: only its status is of use.
const (
	maxAnswer  = 4 << 10
	maxHeaders = 16 << 10
	// maxAfter bounds how long a receiver may ask to be left alone: an alarm is
	// of little use the next day.
	maxAfter = time.Hour
)

// Webhook tells of a notice by a signed HTTP request: an event of CloudEvents
// 1.0 as structured JSON, with the headers of Standard Webhooks.
//
// It reaches the configured URL and nothing else: redirects and proxies are not
// followed, and addresses that only this machine or its cloud has (loopback,
// link-local, multicast, unspecified) are refused whatever the name resolves
// to, unless the URL itself names a loopback address.
type Webhook struct {
	c      WebhookConfig // immutable
	url    *url.URL
	now    func() time.Time
	client *http.Client
}

// NewWebhook checks the configuration. It does not connect. Now is the clock for
// the timestamp of each try.
func NewWebhook(c WebhookConfig, now func() time.Time) (*Webhook, error) {
	fail := func(reason, next string) (*Webhook, error) {
		return nil, &Error{Outlet: "webhook", Reason: reason, Next: next}
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fail("the URL is none, or holds a user or a fragment", "write it like https://oncall.arden.example/detente")
	}
	loopback := isLoopback(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return fail("the URL is not https", "use https; http only to a loopback address such as 127.0.0.1")
	}
	if len(c.SecretFiles) == 0 || len(c.SecretFiles) > maxSignatures {
		return fail("no secret is named, or too many", "name a file with a secret: a receiver must know who speaks")
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	roots, err := readRoots("webhook", c.RootsFile)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error { return permitted(address, loopback) }}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DisableKeepAlives:      true, // a connection that waits for the next alarm is one more thing to go stale
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaders,
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Webhook{c: c, url: u, now: now, client: client}, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// permitted judges an address that a name resolved to.
func permitted(address string, loopback bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return errors.New("an address that is none")
	}
	addr := ap.Addr().Unmap().WithZone("")
	if addr.IsLoopback() && loopback {
		return nil
	}
	if addr.IsLoopback() || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLinkLocalUnicast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return errAddress
	}
	return nil
}

var errAddress = errors.New("the name leads to an address that only this machine has")

type cloudEvent struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Time        string    `json:"time"`
	Subject     string    `json:"subject,omitempty"`
	ContentType string    `json:"datacontenttype"`
	Data        eventData `json:"data"`
}

type eventData struct {
	Level    string `json:"level"`
	Test     bool   `json:"test"`
	Language string `json:"language,omitempty"`
	Title    string `json:"title,omitempty"`
	Text     string `json:"text,omitempty"`
}

// body writes the event: org.detente.<code>.v1, from the station, of the
// reference.
func (w *Webhook) body(n Notice) ([]byte, error) {
	e := cloudEvent{
		SpecVersion: "1.0", ID: n.ID, Source: "//" + string(n.Station), Type: "org.detente." + n.Code + ".v1", Time: stamp(n.At), Subject: n.Ref,
		ContentType: "application/json", Data: eventData{Level: n.Level.String(), Test: n.Test},
	}
	if w.c.WithText {
		e.Data.Language, e.Data.Title, e.Data.Text = string(n.Lang), plainLine(n.Title), plain(n.Text)
	}
	return json.Marshal(e, json.Deterministic(true))
}

// Notify implements [Outlet]. A receiver has taken the notice when it answers
// with a status from 200 to 299.
func (w *Webhook) Notify(ctx context.Context, n Notice) error {
	if err := n.check(); err != nil {
		return err
	}
	var secrets []Secret
	for _, name := range w.c.SecretFiles {
		text, err := readSecret("webhook", name)
		if err != nil {
			return err
		}
		s, err := ParseSecret(text)
		if err != nil {
			return &Error{Outlet: "webhook", Reason: name + ": " + err.Error()}
		}
		secrets = append(secrets, s)
	}
	body, err := w.body(n)
	if err != nil {
		return &Error{Outlet: "webhook", Reason: "internal error: the event cannot be written", Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, w.c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.String(), bytes.NewReader(body))
	if err != nil {
		return &Error{Outlet: "webhook", Reason: "internal error: the request cannot be made"}
	}
	at := w.now()
	var signatures []string
	for _, s := range secrets {
		signatures = append(signatures, s.Sign(n.ID, at, body))
	}
	req.Header = http.Header{}
	req.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	req.Header.Set("User-Agent", "detente")
	req.Header.Set(HeaderID, n.ID)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(HeaderSignature, strings.Join(signatures, " "))
	answer, err := w.client.Do(req)
	if err != nil {
		return ended(ctx, w.unreached(err))
	}
	defer answer.Body.Close()
	// What it says is read, so that it may finish saying it, up to a limit.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	if answer.StatusCode/100 == 2 {
		return nil
	}
	return w.refused(answer)
}

// unreached tells of a request without answer. The URL may hold a secret in its
// path, so only its host is told.
func (w *Webhook) unreached(err error) *Error {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	e := &Error{Outlet: "webhook", Reason: "no answer from " + w.url.Host + ": " + err.Error(), Next: "see that the receiver runs and can be reached", Again: true, Err: err}
	if errors.Is(err, errAddress) {
		e.Again, e.Next = false, "name the receiver by a name that leads to its own address"
	}
	return e
}

// refused tells of an answer other than success.
func (w *Webhook) refused(answer *http.Response) error {
	e := &Error{Outlet: "webhook", Reason: fmt.Sprintf("%s answers %d", w.url.Host, answer.StatusCode), Next: "see the receiver's log"}
	switch code := answer.StatusCode; {
	case code/100 == 3:
		e.Reason += ", another address, which is not followed"
		e.Next = "configure the address where the receiver really is"
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		e.Again = true
		if s, err := strconv.ParseInt(answer.Header.Get("Retry-After"), 10, 32); err == nil && s > 0 {
			e.After = min(time.Duration(s)*time.Second, maxAfter)
		}
	}
	return e
}
