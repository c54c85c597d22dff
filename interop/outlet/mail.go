package outlet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
	"time"

	"detente/book"
	"detente/message"
)

// Security says how the connection to a mail server is protected. There is no
// way to send in clear.
type Security uint8

const (
	// StartTLS begins in clear and goes no further before TLS stands; port 587.
	StartTLS Security = iota
	// ImplicitTLS begins with TLS; port 465.
	ImplicitTLS
)

// MailConfig says how notices are mailed.
type MailConfig struct {
	Addr         string        // host and port of the mail server
	Security     Security      // If zero, StartTLS.
	RootsFile    string        // PEM certificates of which one must stand behind the server's. If empty, the system's.
	From         string        // one address
	To           []string      // at least one address; there is no group whose emptiness means everybody
	User         string        // If empty, the station does not log in.
	PasswordFile string        // read at each notice, so that a new password needs no restart
	Timeout      time.Duration // If zero, DefaultTimeout.
}

// maxRecipients bounds the addresses of one outlet.
const maxRecipients = 50

// Mail tells of a notice by mail: plain text, UTF-8, quoted-printable, with the
// notice's id as message id, so that mail programs show a repetition once.
type Mail struct {
	c    MailConfig // immutable
	host string
	tls  *tls.Config
	from *netmail.Address
	to   []*netmail.Address
}

// NewMail checks the configuration and reads the roots. It does not connect.
func NewMail(c MailConfig) (*Mail, error) {
	fail := func(reason, next string) (*Mail, error) {
		return nil, &Error{Outlet: "mail", Reason: reason, Next: next}
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil || host == "" || port == "" {
		return fail("no host and port of a mail server are named", "write it like mail.arden.example:587")
	}
	m := &Mail{c: c, host: host, tls: &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}}
	if m.c.Timeout == 0 {
		m.c.Timeout = DefaultTimeout
	}
	if m.tls.RootCAs, err = readRoots("mail", c.RootsFile); err != nil {
		return nil, err
	}
	if m.from, err = netmail.ParseAddress(c.From); err != nil {
		return fail("the sender "+book.Quote(c.From)+" is no address", "write one address, like station@nrrc.arden.example")
	}
	if len(c.To) == 0 || len(c.To) > maxRecipients {
		return fail(fmt.Sprintf("%d recipients are named; 1 to %d are needed", len(c.To), maxRecipients), "name each recipient")
	}
	for _, one := range c.To {
		to, err := netmail.ParseAddress(one)
		if err != nil {
			return fail("the recipient "+book.Quote(one)+" is no address", "write one address in each place")
		}
		m.to = append(m.to, to)
	}
	if (c.User == "") != (c.PasswordFile == "") {
		return fail("of user and password file only one is named", "name both, or neither")
	}
	return m, nil
}

// readRoots reads certificates to trust; an empty name stands for the system's.
func readRoots(outlet, name string) (*x509.CertPool, error) {
	if name == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, &Error{Outlet: outlet, Reason: "the roots cannot be read", Next: "see that the station's account may read " + name, Err: err}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, &Error{Outlet: outlet, Reason: name + " holds no certificate", Next: "write certificates in PEM into it"}
	}
	return pool, nil
}

// Notify implements [Outlet]. Where the server takes the mail for some
// recipients only, it is sent to those and the error names the others.
func (m *Mail) Notify(ctx context.Context, n Notice) error {
	if err := n.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, m.c.Timeout)
	defer cancel()
	err := m.send(ctx, n)
	var e *Error
	if errors.As(err, &e) && ctx.Err() != nil {
		return ended(ctx, e)
	}
	return err
}

func (m *Mail) send(ctx context.Context, n Notice) error {
	var password string
	if m.c.User != "" {
		var err error
		if password, err = readSecret("mail", m.c.PasswordFile); err != nil {
			return err
		}
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.c.Addr)
	if err != nil {
		return &Error{Outlet: "mail", Reason: "no connection to " + m.c.Addr, Next: "see that the mail server runs and can be reached", Again: true, Err: err}
	}
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	var conn net.Conn = &metered{Conn: raw, left: maxServerBytes}
	if m.c.Security == ImplicitTLS {
		secure := tls.Client(conn, m.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return m.noTLS(err)
		}
		conn = secure
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return m.refused("the greeting", err)
	}
	defer c.Close()
	if err := c.Hello(string(n.Station)); err != nil {
		return m.refused("EHLO", err)
	}
	if m.c.Security == StartTLS {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return &Error{Outlet: "mail", Reason: m.c.Addr + " offers no STARTTLS", Next: "use a server or a port with TLS: nothing is sent in clear"}
		}
		if err := c.StartTLS(m.tls); err != nil {
			return m.noTLS(err)
		}
	}
	if m.c.User != "" {
		if err := c.Auth(smtp.PlainAuth("", m.c.User, password, m.host)); err != nil {
			// The server's own words are not repeated: it knows the password.
			return &Error{Outlet: "mail", Reason: fmt.Sprintf("%s does not accept user and password%s", m.c.Addr, codeOf(err)), Next: "check user and password file", Again: temporary(err)}
		}
	}
	return m.deliver(c, n)
}

// deliver names sender and recipients and sends the mail.
func (m *Mail) deliver(c *smtp.Client, n Notice) error {
	if err := c.Mail(m.from.Address); err != nil {
		return m.refused("the sender", err)
	}
	var refused []string
	var last error
	for _, to := range m.to {
		if err := c.Rcpt(to.Address); err != nil {
			refused, last = append(refused, to.Address), err
		}
	}
	if len(refused) == len(m.to) {
		return m.refused("every recipient", last)
	}
	w, err := c.Data()
	if err != nil {
		return m.refused("the mail", err)
	}
	if _, err := w.Write(m.compose(n)); err != nil {
		return m.refused("the mail", err)
	}
	if err := w.Close(); err != nil {
		return m.refused("the mail", err)
	}
	_ = c.Quit() // the mail is taken, whatever becomes of the farewell
	if len(refused) > 0 {
		return &Error{Outlet: "mail", Reason: fmt.Sprintf("sent, but not to %s, which the server refuses%s", strings.Join(refused, ", "), codeOf(last)), Next: "correct or remove these addresses", Err: last}
	}
	return nil
}

func (m *Mail) noTLS(err error) error {
	return &Error{Outlet: "mail", Reason: "no TLS with " + m.c.Addr + ": " + err.Error(), Next: "check the server's certificate, and the roots file if one is set", Again: true, Err: err}
}

// refused tells of an answer of the server.
func (m *Mail) refused(what string, err error) error {
	e := &Error{Outlet: "mail", Reason: fmt.Sprintf("%s does not take %s%s", m.c.Addr, what, codeOf(err)), Next: "see the mail server's log", Again: temporary(err), Err: err}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		words := []rune(strings.ToValidUTF8(answer.Msg, "\ufffd"))
		e.Reason += " " + book.Quote(string(words[:min(len(words), 200)]))
	}
	return e
}

// codeOf returns the code of a server's answer, for a sentence.
func codeOf(err error) string {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return fmt.Sprintf(" (%d)", answer.Code)
	}
	return ""
}

// temporary says whether a failure may pass: no answer, or one that says so.
func temporary(err error) bool {
	var answer *textproto.Error
	return !errors.As(err, &answer) || answer.Code/100 == 4
}

// maxServerBytes bounds what a mail server may say in one session, handshake and
// certificates included.
const maxServerBytes = 256 << 10

// metered is a connection whose other end may say so much and no more.
type metered struct {
	net.Conn
	left int
}

// Read fails once the other end has said too much.
func (c *metered) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("the server says more than %d bytes", maxServerBytes)
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// compose writes the mail. Nothing of a notice reaches a header but as a word
// that was checked, or encoded.
func (m *Mail) compose(n Notice) []byte {
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	subject := "[" + n.Level.String() + "] " + plainLine(n.Title)
	if n.Test {
		subject = "[TEST] " + subject
	}
	var to []string
	for _, one := range m.to {
		to = append(to, one.String())
	}
	header("From", m.from.String())
	header("To", strings.Join(to, ",\r\n "))
	header("Subject", strings.ReplaceAll(mime.QEncoding.Encode("utf-8", subject), "?= =?", "?=\r\n =?"))
	header("Date", n.At.UTC().Format(time.RFC1123Z))
	header("Message-ID", "<"+n.ID+"@"+string(n.Station)+">")
	header("Auto-Submitted", "auto-generated")
	if n.Level >= message.Immediate {
		header("Importance", "high")
	}
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Language", string(n.Lang))
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	for _, line := range []string{n.page(), "\n", string(n.Station), "  ", stamp(n.At), "  ", n.Code, "  ", n.Ref, "\n"} {
		_, _ = w.Write([]byte(line)) // into memory: it cannot fail
	}
	_ = w.Close()
	return b.Bytes()
}
