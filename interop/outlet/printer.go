package outlet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// PrinterConfig says where pages go: to a command or into a folder, not both.
type PrinterConfig struct {
	Argv    []string      // a program that takes a page on standard input, such as /usr/bin/lp, and its arguments
	Dir     string        // absolute; each sheet becomes a file of its own, named by its id
	Columns int           // If zero, 80.
	Rows    int           // lines of a page, header and footer included. If zero, 60.
	Timeout time.Duration // If zero, DefaultTimeout. For the command.
}

// A Sheet is a text to be printed, such as a whole message. The caller has
// decided that it may stand on paper.
type Sheet struct {
	ID      string             // 1 to 64 of a-z, 0-9 and hyphen; printed again, it is the same sheet
	Ref     string             // stands on each page; may be empty
	Digest  identity.Digest    // of what the text tells, so that paper can be matched to file; zero: none
	Level   message.Precedence // stands on each page
	Marking message.Marking    // stands on each page; zero: none
	Station identity.Station   // who prints
	At      time.Time          // when it is printed
	Lang    book.Lang
	Text    string
}

// Limits of a sheet.
const (
	// MaxSheet bounds a sheet's text, in bytes: a message in six languages, and
	// all its evidence told in words, has less.
	MaxSheet = 1 << 20
	// minColumns leaves room for the digest in two lines.
	minColumns, maxColumns = 48, 500
	minRows, maxRows       = 20, 500
)

// Printer puts notices and messages on paper, as plain text. A notice becomes a
// page that says so; a message is a [Sheet].
type Printer struct {
	c   PrinterConfig // immutable
	run runner
}

// NewPrinter checks the configuration.
func NewPrinter(c PrinterConfig) (*Printer, error) {
	if c.Columns == 0 {
		c.Columns = 80
	}
	if c.Rows == 0 {
		c.Rows = 60
	}
	if c.Columns < minColumns || c.Columns > maxColumns || c.Rows < minRows || c.Rows > maxRows {
		return nil, &Error{Outlet: "printer", Reason: "the page is too small or too large", Next: fmt.Sprintf("use %d to %d columns and %d to %d rows", minColumns, maxColumns, minRows, maxRows)}
	}
	p := &Printer{c: c}
	if (len(c.Argv) == 0) == (c.Dir == "") {
		return nil, &Error{Outlet: "printer", Reason: "a command or a folder is needed, and not both", Next: "name a program such as /usr/bin/lp, or a folder"}
	}
	if c.Dir != "" {
		if !filepath.IsAbs(c.Dir) {
			return nil, &Error{Outlet: "printer", Reason: "the folder is not named by its absolute path", Next: "write the whole path"}
		}
		return p, nil
	}
	var err error
	p.run, err = newRunner("printer", c.Argv, c.Timeout)
	return p, err
}

// Notify implements [Outlet]: it prints the notice as one sheet.
func (p *Printer) Notify(ctx context.Context, n Notice) error {
	if err := n.check(); err != nil {
		return err
	}
	return p.Print(ctx, Sheet{ID: n.ID, Ref: n.Ref, Level: n.Level, Station: n.Station, At: n.At, Lang: n.Lang, Text: n.page() + "\n" + n.Code + "\n"})
}

// Print prints a sheet. It returns nil when the command ended well, or the file
// is durable. In a folder, the same sheet again is the same file; a file of
// that name with other content is left as it is, and that is an error.
func (p *Printer) Print(ctx context.Context, s Sheet) error {
	n := Notice{ID: s.ID, Code: "print", Level: s.Level, Ref: s.Ref, Station: s.Station, At: s.At, Lang: s.Lang, Title: "-"}
	if err := n.check(); err != nil {
		return err
	}
	if len(s.Text) > MaxSheet || !utf8.ValidString(s.Text) {
		return &Error{Outlet: "printer", Reason: fmt.Sprintf("the text has more than %d bytes, or is no UTF-8", MaxSheet), Next: "print it in parts"}
	}
	pages := p.Pages(s)
	if p.c.Dir == "" {
		return p.run.feed(ctx, pages, environment(n))
	}
	return p.file(s.ID+".txt", pages)
}

// file puts pages into the folder: whole and durable, or not at all.
func (p *Printer) file(name string, pages []byte) (err error) {
	fail := func(err error) error {
		return &Error{Outlet: "printer", Reason: "the page cannot be written: " + err.Error(), Next: "see that the folder is there and has room", Again: true, Err: err}
	}
	path := filepath.Join(p.c.Dir, name)
	if held, err := os.ReadFile(path); err == nil {
		if bytes.Equal(held, pages) {
			return nil
		}
		return &Error{Outlet: "printer", Reason: path + " is there already, with other content", Next: "move it away"}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	f, err := os.CreateTemp(p.c.Dir, ".page-*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(pages)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // unlike a rename it replaces nothing
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// Pages lays a sheet out. Each page has a header with station, reference,
// precedence, marking and digest, a footer with the time in UTC and the number
// of the page among all, and ends with a form feed.
func (p *Printer) Pages(s Sheet) []byte {
	head := []string{strings.TrimSpace(string(s.Station) + "  " + s.Ref), s.Level.String()}
	if s.Marking.TLP != "" {
		head[1] += "  TLP:" + s.Marking.TLP
	}
	if s.Marking.PAP != "" {
		head[1] += "  PAP:" + s.Marking.PAP
	}
	if s.Digest != (identity.Digest{}) {
		hex := s.Digest.String()
		head = append(head, "SHA-256 "+groups(hex[:32]), "        "+groups(hex[32:]))
	}
	rule := strings.Repeat("-", p.c.Columns)
	var top []string
	for _, line := range append(head, rule) {
		top = append(top, wrap(line, p.c.Columns)...)
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(plain(s.Text), "\n"), "\n") {
		lines = append(lines, wrap(line, p.c.Columns)...)
	}
	room := max(p.c.Rows-len(top)-2, 1)
	total := max((len(lines)+room-1)/room, 1)
	var b bytes.Buffer
	for n := range total {
		part := lines[min(n*room, len(lines)):min((n+1)*room, len(lines))]
		for _, line := range append(append([]string{}, top...), part...) {
			b.WriteString(line + "\n")
		}
		b.WriteString(strings.Repeat("\n", room-len(part)))
		fmt.Fprintf(&b, "%s\n%s  %d/%d\n\f", rule, stamp(s.At), n+1, total)
	}
	return b.Bytes()
}

// groups writes hexadecimal digits in groups of four.
func groups(hex string) string {
	var parts []string
	for ; len(hex) > 4; hex = hex[4:] {
		parts = append(parts, hex[:4])
	}
	return strings.Join(append(parts, hex), " ")
}

// wrap breaks a line at spaces, or within a word that is wider than the page.
// Nothing is lost but the spaces at which it breaks.
func wrap(line string, columns int) (lines []string) {
	for {
		used, space, cut := 0, -1, -1
		for i, r := range line {
			if used += width(r); used > columns {
				cut = i
				break
			}
			if r == ' ' {
				space = i
			}
		}
		switch {
		case cut < 0:
			return append(lines, line)
		case space > 0 && strings.TrimLeft(line[:space], " ") != "":
			lines, line = append(lines, line[:space]), line[space+1:]
		default:
			lines, line = append(lines, line[:cut]), line[cut:]
		}
	}
}

// width returns the columns that a character takes on paper of even pitch.
func width(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r >= 0x3000 && r <= 0x303f, r >= 0xff01 && r <= 0xff60:
		return 2
	}
	return 1
}
