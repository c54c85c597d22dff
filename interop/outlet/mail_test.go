package outlet_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"detente/interop/outlet"
)

// certificate returns a certificate for 127.0.0.1 and the file that trusts it.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	return s.TLS.Certificates[0], file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})), 0o600)
}

// A postOffice is a mail server that speaks the protocol, keeps what it takes,
// and misbehaves where it is told to.
type postOffice struct {
	ln       net.Listener
	cert     tls.Certificate
	implicit bool
	refuse   map[string]string // command's beginning: answer
	mu       sync.Mutex        // guards what follows
	mails    []string
	said     []string // all lines heard after TLS
	clear    []string // and before
	wg       sync.WaitGroup
}

func openPost(t *testing.T, implicit bool, refuse map[string]string) (*postOffice, outlet.MailConfig) {
	t.Helper()
	cert, roots := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{ln: ln, cert: cert, implicit: implicit, refuse: refuse}
	p.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(conn) })
		}
	})
	c := outlet.MailConfig{Addr: ln.Addr().String(), RootsFile: roots, From: "station@nrrc.arden.example", To: []string{"watch@nrrc.arden.example", "Chief <chief@nrrc.arden.example>"}, User: "station", PasswordFile: file(t, "open sesame\n", 0o600)}
	if implicit {
		c.Security = outlet.ImplicitTLS
	}
	return p, c
}

func (p *postOffice) close() {
	p.ln.Close()
	p.wg.Wait()
}

func (p *postOffice) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	secure := p.implicit
	if secure {
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{p.cert}})
	}
	r := bufio.NewReader(conn)
	say := func(s string) { fmt.Fprintf(conn, "%s\r\n", s) }
	say("220 mail.arden.example ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		p.mu.Lock()
		if secure {
			p.said = append(p.said, line)
		} else {
			p.clear = append(p.clear, line)
		}
		p.mu.Unlock()
		answer := "250 fine"
		for begin, other := range p.refuse {
			if strings.HasPrefix(line, begin) {
				answer = other
			}
		}
		switch verb, _, _ := strings.Cut(line, " "); {
		case answer != "250 fine":
			say(answer)
		case verb == "EHLO" && secure:
			say("250-mail.arden.example\r\n250-8BITMIME\r\n250 AUTH PLAIN")
		case verb == "EHLO":
			say("250-mail.arden.example\r\n250 STARTTLS")
		case verb == "STARTTLS":
			say("220 go ahead")
			conn, secure = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{p.cert}}), true
			r = bufio.NewReader(conn)
		case verb == "AUTH":
			say("235 welcome")
		case verb == "DATA":
			say("354 go on")
			p.take(r)
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say(answer)
		}
	}
}

// take reads a mail to its closing dot.
func (p *postOffice) take(r *bufio.Reader) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, b.String())
}

func mustMail(t *testing.T, c outlet.MailConfig) *outlet.Mail {
	t.Helper()
	m, err := outlet.NewMail(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMail sends to a real server over both kinds of TLS.
func TestMail(t *testing.T) {
	for name, implicit := range map[string]bool{"STARTTLS": false, "implicit TLS": true} {
		t.Run(name, func(t *testing.T) {
			done := quiet(t)
			p, c := openPost(t, implicit, nil)
			n := notice()
			n.Title = "صمت\r\nBcc: spy@boreal.example\r\n\r\nsecond body"
			n.Text += "\n.\n..two dots\n" + strings.Repeat("long ", 300)
			if err := mustMail(t, c).Notify(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			if err := mustMail(t, c).Notify(t.Context(), outlet.Test("test-1", station, "ru", at)); err != nil {
				t.Fatal(err)
			}
			p.close()
			checkMail(t, p, n)
			done()
		})
	}
}

// checkMail reads the first mail as a mail program does.
func checkMail(t *testing.T, p *postOffice, n outlet.Notice) {
	t.Helper()
	if len(p.mails) != 2 {
		t.Fatalf("%d mails", len(p.mails))
	}
	for line := range strings.SplitSeq(p.mails[0], "\r\n") {
		if len(line) > 100 || strings.Contains(line, "\n") || strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
			t.Errorf("a line that mail servers may break: %q", line)
		}
	}
	m, err := netmail.ReadMessage(strings.NewReader(p.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Header) != 11 || m.Header.Get("Bcc") != "" {
		t.Errorf("headers: %v", m.Header)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(subject, "[FLASH] صمت") || strings.ContainsAny(subject, "\r\n") {
		t.Errorf("subject %q, %v", subject, err)
	}
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 2 {
		t.Errorf("to %v, %v", to, err)
	}
	if date, err := m.Header.Date(); err != nil || !date.Equal(at) || m.Header.Get("Message-ID") != "<alarm-17@"+station+">" || m.Header.Get("Content-Language") != "ar" {
		t.Errorf("headers %v", m.Header)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if text := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || !strings.Contains(text, n.Text+"\n") {
		t.Errorf("the text does not arrive as it was: %q, %v", text, err)
	}
	if !strings.Contains(p.mails[1], "Subject: =?utf-8?q?[TEST]") {
		t.Errorf("the test does not say so:\n%s", p.mails[1])
	}
	login := "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00station\x00open sesame"))
	if all := strings.Join(p.said, "\n"); !strings.Contains(all, login) || !strings.Contains(all, "RCPT TO:<chief@nrrc.arden.example>") {
		t.Errorf("heard: %s", all)
	}
	if strings.Contains(strings.Join(p.clear, "\n"), "AUTH") {
		t.Error("a password went in clear")
	}
}

func TestMailThatIsRefused(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString([]byte("\x00station\x00open sesame"))
	for _, c := range []struct {
		name   string
		refuse map[string]string
		words  string
		again  bool
		mails  int
	}{
		{"password", map[string]string{"AUTH": "535 5.7.8 not " + secret + " open sesame"}, "user and password (535)", false, 0},
		{"password for now", map[string]string{"AUTH": "454 later"}, "user and password (454)", true, 0},
		{"sender", map[string]string{"MAIL": "550 \u202eno"}, `(550) "\u202eno"`, false, 0},
		{"all recipients", map[string]string{"RCPT": "451 greylisted"}, "every recipient (451)", true, 0},
		{"one recipient", map[string]string{"RCPT TO:<chief": "550 unknown"}, "not to chief@nrrc.arden.example", false, 1},
		{"content", map[string]string{"DATA": "552 full"}, "the mail (552)", false, 0},
		{"no TLS", map[string]string{"EHLO": "250 mail.arden.example"}, "no STARTTLS", false, 0},
		{"no TLS after all", map[string]string{"STARTTLS": "454 not now"}, "no TLS", true, 0},
		{"closing", map[string]string{"MAIL": "421 closing"}, "(421)", true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			done := quiet(t)
			p, conf := openPost(t, false, c.refuse)
			e := failure(t, mustMail(t, conf).Notify(t.Context(), notice()), c.words, "sesame", secret)
			p.close()
			if e.Again != c.again || len(p.mails) != c.mails {
				t.Errorf("again %v, %d mails: %v", e.Again, len(p.mails), e)
			}
			done()
		})
	}
}

func TestMailTrustsOnlyItsRoots(t *testing.T) {
	p, c := openPost(t, true, nil)
	defer p.close()
	c.RootsFile = ""
	failure(t, mustMail(t, c).Notify(t.Context(), notice()), "no TLS", "sesame")
	if len(p.said) != 0 {
		t.Errorf("a server without a trusted certificate heard %q", p.said)
	}
}

// hostile serves each connection with a function, on a loopback address.
func hostile(t *testing.T, serve func(conn net.Conn, stop <-chan struct{})) (addr string, shut func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer conn.Close(); serve(conn, stop) })
		}
	})
	return ln.Addr().String(), func() { close(stop); ln.Close(); wg.Wait() }
}

// bad are receivers that mean harm, for whichever protocol.
var badReceivers = map[string]func(net.Conn, <-chan struct{}){
	"hangs":  func(_ net.Conn, stop <-chan struct{}) { <-stop },
	"closes": func(net.Conn, <-chan struct{}) {},
	"says without end": func(c net.Conn, _ <-chan struct{}) {
		for chunk := []byte(strings.Repeat("2", 4096)); ; {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	},
	"a byte now and then": func(c net.Conn, stop <-chan struct{}) {
		for {
			if _, err := c.Write([]byte("2")); err != nil {
				return
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	},
}

// covers P14
func TestMailToHostileServers(t *testing.T) {
	for name, serve := range badReceivers {
		t.Run(name, func(t *testing.T) {
			done := quiet(t)
			addr, shut := hostile(t, serve)
			for _, s := range []outlet.Security{outlet.StartTLS, outlet.ImplicitTLS} {
				m := mustMail(t, outlet.MailConfig{Addr: addr, Security: s, From: "a@arden.example", To: []string{"b@arden.example"}})
				if e := failure(t, m.Notify(short(t), notice()), "mail: "); len(e.Error()) > 4<<10 || !e.Again {
					t.Errorf("%d bytes of error, again %v", len(e.Error()), e.Again)
				}
			}
			shut()
			done()
		})
	}
}

func TestMailConfig(t *testing.T) {
	good := outlet.MailConfig{Addr: "mail.arden.example:587", From: "a@arden.example", To: []string{"b@arden.example"}}
	mustMail(t, good)
	for name, change := range map[string]func(*outlet.MailConfig){
		"no port":           func(c *outlet.MailConfig) { c.Addr = "mail.arden.example" },
		"nobody":            func(c *outlet.MailConfig) { c.To = nil },
		"two in one":        func(c *outlet.MailConfig) { c.To = []string{"a@arden.example, b@arden.example"} },
		"a line in one":     func(c *outlet.MailConfig) { c.To = []string{"a@arden.example\r\nBcc: b@arden.example"} },
		"no sender":         func(c *outlet.MailConfig) { c.From = "" },
		"no password":       func(c *outlet.MailConfig) { c.User = "station" },
		"roots not there":   func(c *outlet.MailConfig) { c.RootsFile = "/nonexistent" },
		"roots without any": func(c *outlet.MailConfig) { c.RootsFile = file(t, "x", 0o600) },
	} {
		c := good
		change(&c)
		if _, err := outlet.NewMail(c); err == nil {
			t.Errorf("configured: %s", name)
		} else {
			failure(t, err, "mail: ")
		}
	}
}

func TestSecretFiles(t *testing.T) {
	p, c := openPost(t, true, nil)
	defer p.close()
	for name, words := range map[string]string{
		file(t, "open sesame", 0o644): "everybody on this machine", file(t, "", 0o600): "empty", file(t, "open\nsesame", 0o600): "more than one line",
		file(t, strings.Repeat("sesame", 1000), 0o600): "too long", "/nonexistent/secret": "cannot be opened",
	} {
		c.PasswordFile = name
		failure(t, mustMail(t, c).Notify(t.Context(), notice()), words, "sesame")
	}
}
