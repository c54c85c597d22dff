package outlet

import (
	"context"
	_ "embed"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// An Outlet takes a notice out of the station.
type Outlet interface {
	// Notify hands a notice over, once. It returns nil when the outlet has it:
	// the command ended well, the mail server took it, the receiver answered
	// with success, the page was given to the printer. That a person saw it is
	// never said. It fails with an *Error, which wraps the context's error when
	// that ended first; then the notice may or may not have arrived. It does not
	// try again, starts nothing that outlives the call, and may be called from
	// several goroutines at once.
	Notify(ctx context.Context, n Notice) error
}

// A Notice is what an outlet tells.
type Notice struct {
	ID      string             // 1 to 64 of a-z, 0-9 and hyphen; the same at each repetition
	Code    string             // what happened, for machines: alarm.peer-silent
	Level   message.Precedence // how urgent
	Ref     string             // what it is about, like ARD/BOR-N1-417; may be empty
	Station identity.Station   // who tells
	At      time.Time          // when it happened
	Lang    book.Lang          // of title and text
	Title   string             // one line
	Text    string             // already rendered; no content of messages but where the caller means it
	Test    bool               // nothing happened: somebody tries the outlet
}

// Limits of a notice. What is longer is read at the station.
const (
	MaxTitle = 200      // bytes
	MaxText  = 16 << 10 // bytes
	maxRef   = 200
)

// DefaultTimeout is how long an outlet tries where its configuration says
// nothing: long enough for a slow mail server, short enough that an officer at
// the test button waits for the answer.
const DefaultTimeout = 20 * time.Second

var (
	idForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	codeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,79}$`)
)

// check says what is wrong with a notice; it is the caller's mistake.
func (n Notice) check() error {
	wrong := func(what string) error {
		return &Error{Outlet: "notice", Reason: what, Next: "this is a fault of the program: report it"}
	}
	switch {
	case !idForm.MatchString(n.ID):
		return wrong("its id is not 1 to 64 of a-z, 0-9 and hyphen")
	case !codeForm.MatchString(n.Code):
		return wrong("its code is not 1 to 80 of a-z, 0-9, dot and hyphen")
	case n.Level < message.Routine || n.Level > message.Flash:
		return wrong("it has no level")
	case len(n.Ref) > maxRef || strings.ContainsFunc(n.Ref, func(r rune) bool { return r < '!' || r > '~' }):
		return wrong("its reference is too long, or no plain word")
	case n.At.Unix() <= 0 || n.At.Year() > 9999:
		return wrong("it has no time")
	case !slices.Contains(book.Langs(), n.Lang):
		return wrong("its language is none of the six")
	case n.Title == "" || len(n.Title) > MaxTitle || len(n.Text) > MaxText || !utf8.ValidString(n.Title+n.Text):
		return wrong("its title or text is empty, too long or no UTF-8")
	}
	if _, err := identity.ParseStation(string(n.Station)); err != nil {
		return wrong("it names no station: " + err.Error())
	}
	return nil
}

// page returns title and text as one plain text, without anything that a
// terminal, printer or mail program would obey.
func (n Notice) page() string {
	return plainLine(n.Title) + "\n\n" + plain(n.Text) + "\n"
}

// plain writes control characters out. Line ends stay, and so do the marks that
// isolate directions, which renderings in Arabic need.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || !unicode.IsControl(r) && !overrides(r) {
			return r
		}
		return '\ufffd'
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// plainLine is plain for what must stay on one line.
func plainLine(s string) string { return strings.ReplaceAll(plain(s), "\n", "\ufffd") }

// overrides says whether a mark makes text look like another: embeddings and
// overrides of direction. Isolates do not reach beyond themselves.
func overrides(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r == '\u2028' || r == '\u2029' }

// stamp writes a time as all outlets do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// An Error says why an outlet did not take a notice.
type Error struct {
	Outlet string        // command, mail, webhook, printer
	Reason string        // what happened; no secret, and others' text quoted
	Next   string        // what the operator can do
	Again  bool          // trying again later may help
	After  time.Duration // not before; zero: as the caller likes
	Err    error         // the cause, where there is one that holds no secret
}

// Error returns outlet, reason and next step in one line.
func (e *Error) Error() string {
	s := e.Outlet + ": " + e.Reason
	if e.Next != "" {
		s += "; " + e.Next
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ended returns the context's error where that is why something failed, and
// otherwise the failure itself.
func ended(ctx context.Context, e *Error) error {
	if err := context.Cause(ctx); err != nil {
		e.Again, e.Err = true, err
		if errors.Is(err, context.DeadlineExceeded) {
			e.Reason = "it did not answer in time"
		}
	}
	return e
}

//go:embed data/test.json
var testFile []byte

type testWords map[book.Lang]struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// testTexts reads the texts of the test button. That they read and are complete
// is tested.
var testTexts = sync.OnceValue(func() (w testWords) {
	if err := json.Unmarshal(testFile, &w); err != nil {
		panic("internal error: the embedded texts: " + err.Error())
	}
	return w
})

// CodeTest is the code of every test notice.
const CodeTest = "outlet.test"

// Test returns the notice of a test button: it says in the reader's language
// that it is a test and that nothing happened. The id must be new each time.
func Test(id string, station identity.Station, l book.Lang, at time.Time) Notice {
	w := testTexts()[l]
	return Notice{ID: id, Code: CodeTest, Level: message.Routine, Station: station, At: at, Lang: l, Title: w.Title, Text: w.Text, Test: true}
}

// maxSecret bounds a file that holds a secret.
const maxSecret = 4 << 10

// readSecret reads a secret from its file, without the line end. The error names
// the file and never what stands in it.
func readSecret(outlet, name string) (string, error) {
	fail := func(reason, next string, err error) error {
		return &Error{Outlet: outlet, Reason: fmt.Sprintf("the secret in %s: %s", name, reason), Next: next, Err: err}
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fail("it cannot be opened", "see that the station's account may read it", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fail("it cannot be read", "see that the station's account may read it", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fail("everybody on this machine may read it", "chmod o= "+name, nil)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fail("it cannot be read", "see that the station's account may read it", err)
	}
	secret := strings.TrimRight(string(raw), "\r\n")
	if secret == "" || len(raw) > maxSecret || strings.ContainsFunc(secret, unicode.IsControl) {
		return "", fail("it is empty, too long or more than one line", "write the secret alone into the file", nil)
	}
	return secret, nil
}
