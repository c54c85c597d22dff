package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"detente/station"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// leaves returns the commands that do something, by path.
func leaves(t *testing.T) map[string]*cobra.Command {
	t.Helper()
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, env: func(string) string { return "" }}
	found := make(map[string]*cobra.Command)
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() && !c.HasSubCommands() {
			found[strings.TrimPrefix(c.CommandPath(), "detente ")] = c
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(a.root())
	return found
}

// Every command says what it does, how, and shows an example that names it.
func TestHelp(t *testing.T) {
	all := leaves(t)
	if len(all) < 60 {
		t.Fatalf("%d commands were found", len(all))
	}
	for path, c := range all {
		name, _, _ := strings.Cut(path, " ")
		switch {
		case c.Short == "" || c.Long == "" || len(c.Long) < len(c.Short)/2:
			t.Errorf("%s: its help says too little", path)
		case !strings.Contains(c.Example, "detente "+name):
			t.Errorf("%s: its example shows another command: %q", path, c.Example)
		case strings.HasSuffix(c.Short, "."), strings.ToLower(c.Short[:1]) != c.Short[:1]:
			t.Errorf("%s: %q: a short text is no sentence", path, c.Short)
		}
		for line := range strings.Lines(c.Long) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 105 {
				t.Errorf("%s: a line of its help has %d letters", path, n)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || strings.Contains(f.Usage, "`") { // help takes a quoted word for the value's name
				t.Errorf("%s --%s: %q", path, f.Name, f.Usage)
			}
		})
	}
}

// readers change nothing. What is not listed here lets itself be tried.
var readers = strings.Fields(`
	agreement/check agreement/explain agreement/hash agreement/list agreement/model agreement/owed agreement/status book/propose consultation/list consultation/pack
	evidence/attached evidence/commitments evidence/verify programme/list programme/overdue programme/review programme/show record/redact tension treaty/check treaty/list treaty/redline treaty/show
	alarm/list alarm/outlet/list audit/list blob/list blob/show book/check book/diff book/editions book/packs book/lint book/list book/parse book/print book/render book/search
	book/show completion claim/list claim/show config/check config/init config/show contact/list desk/show evidence/check evidence/custody evidence/indicators evidence/list evidence/match
	evidence/show handover/list handover/show incident/list incident/show line/history line/list line/show line/state line/stats line/watch log/calls
	log/check log/list matter/list matter/show msg/compose msg/entry msg/list msg/queue msg/render msg/search msg/show msg/tail msg/wait obligations
	officer/key/list officer/list peer/challenged peer/list peer/show policy/show policy/test record/head record/show record/state record/verify release/list release/show report/list report/show roster/risks roster/show
	station/serve station/status station/version token/list token/rights version watch`)

// Every command that changes something can be tried with --dry-run.
func TestDryRun(t *testing.T) {
	all := leaves(t)
	for path, c := range all {
		can := c.Flags().Lookup("dry-run") != nil
		if reads := slices.Contains(readers, strings.ReplaceAll(path, " ", "/")); reads == can {
			t.Errorf("%s: it changes something: %v, and has --dry-run: %v", path, !reads, can)
		}
	}
	for _, r := range readers {
		if all[strings.ReplaceAll(r, "/", " ")] == nil {
			t.Errorf("there is no command %s", r)
		}
	}
}

// A client that only tries asks for what changes something where it is only tried,
// whatever verb uses it, keeps an officer's signature to itself, and takes no
// answer for a trial that does not say that it is one.
func TestDryClientChangesNothing(t *testing.T) {
	answer := `{"dry_run":true,"would":[{"act":"hold"}]}`
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	cl := &client{base: server.URL, token: "x", dry: true}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		for _, in := range []any{nil, map[string]string{"a": "b"}} {
			err := cl.do(t.Context(), method, "/x", in, nil)
			if dry, ok := errors.AsType[dryRun](err); !ok || len(dry.would) != 1 || dry.would[0].Act != "hold" {
				t.Errorf("%s: %v", method, err)
			}
		}
		if _, err := cl.raw(t.Context(), method, "/x", "", strings.NewReader("x")); !errors.As(err, new(dryRun)) {
			t.Errorf("%s raw: %v", method, err)
		}
	}
	for _, path := range asked {
		if path != "/dry-run/x" {
			t.Errorf("the station was asked for %s", path)
		}
	}
	asked = nil
	if _, err := cl.send(t.Context(), "/x", []byte("{}")); !errors.As(err, new(dryRun)) || len(asked) > 0 {
		t.Errorf("a signature has left: %v, %v", asked, err)
	}
	if err := cl.do(t.Context(), "GET", "/x", nil, nil); err != nil || !slices.Equal(asked, []string{"/x"}) {
		t.Errorf("%v, %v", asked, err)
	}
	answer = `{"id":"1"}`
	if err := cl.do(t.Context(), "POST", "/x", nil, nil); err == nil || errors.As(err, new(dryRun)) {
		t.Errorf("what was done passes for a trial: %v", err)
	}
}

// Whatever is printed as JSON is one object that names the schema; with --jsonl
// a list is one object a line.
func TestOneObject(t *testing.T) {
	for _, c := range []struct {
		v     any
		jsonl bool
		want  string
	}{
		{map[string]any{"a": 1, "$schema": "http://x"}, false, `{"a":1,"schema":"detente.cli/v1"}`},
		{[]int{1, 2}, false, `{"items":[1,2],"schema":"detente.cli/v1"}`},
		{[]map[string]int{{"a": 1}, {"a": 2}}, true, `{"a":1,"schema":"detente.cli/v1"}` + "\n" + `{"a":2,"schema":"detente.cli/v1"}`},
		{[]map[string]int{}, false, `{"items":[],"schema":"detente.cli/v1"}`},
		{[]map[string]int{}, true, ""},
		{nil, false, `{"schema":"detente.cli/v1"}`},
		{"x", false, `{"schema":"detente.cli/v1","value":"x"}`},
	} {
		var out strings.Builder
		a := &app{out: &out, err: io.Discard, json: !c.jsonl, jsonl: c.jsonl}
		if err := a.print(c.v, func() { t.Error("words in place of JSON") }); err != nil || strings.TrimSuffix(out.String(), "\n") != c.want {
			t.Errorf("%v: %q, %v; not %q", c.v, out.String(), err, c.want)
		}
	}
}

// No secret is ever an argument: what holds one is named by a file.
// covers P9
func TestNoSecretInArguments(t *testing.T) {
	for path, c := range leaves(t) {
		check := func(f *pflag.Flag) {
			for _, word := range []string{"passphrase", "password", "token", "secret", "identity"} {
				if strings.Contains(f.Name, word) && !strings.HasSuffix(f.Name, "-file") {
					t.Errorf("%s --%s takes a secret on the command line", path, f.Name)
				}
			}
		}
		c.Flags().VisitAll(check)
		c.InheritedFlags().VisitAll(check)
	}
}

// The exit codes that scripts rely on.
func TestExitCodes(t *testing.T) {
	stopped, stop := context.WithCancel(context.Background())
	stop()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		code int
	}{
		{nil, nil, 0},
		{nil, errors.New("x"), 1},
		{nil, usage("x"), 2},
		{nil, station.ErrInvalid, 2},
		{nil, station.ErrNotFound, 3},
		{nil, fs.ErrNotExist, 3},
		{nil, station.ErrRefused, 4},
		{nil, exitError{code: exitInvalid}, 5},
		{nil, exitError{code: exitIndeterminate}, 6},
		{nil, exitError{code: exitSecondPerson}, 7},
		{nil, station.ErrLineDown, 8},
		{nil, station.ErrConflict, 9},
		{nil, os.ErrExist, 9},
		{nil, exitError{exitNotSignedIn, errors.New("x")}, 10},
		{nil, exitError{exitTimeout, errors.New("x")}, 11},
		{nil, exitError{exitUnknownFormat, errors.New("x")}, 12},
		{nil, station.ErrClockUnsafe, 14},
		{stopped, exitError{exitLineDown, errors.New("x")}, 130},
	} {
		if c.ctx == nil {
			c.ctx = context.Background()
		}
		err := c.err
		if err != nil {
			err = fmt.Errorf("wrapped: %w", err)
		}
		code, said := codeOf(c.ctx, err)
		if code != c.code {
			t.Errorf("%v: %d, not %d", c.err, code, c.code)
		}
		if !slices.ContainsFunc(meanings, func(m struct {
			code    int
			meaning string
		}) bool {
			return m.code == code
		}) {
			t.Errorf("code %d is explained nowhere", code)
		}
		if (said == nil) != (c.err == nil || code == 5 || code == 6 || code == 7) {
			t.Errorf("code %d: said %v", code, said)
		}
	}
}

// A problem of the API is the same kind of error here as it was there.
func TestKindsComeBack(t *testing.T) {
	for name, kind := range kinds {
		if err := kindOf(problem{Type: "urn:detente:problem:" + name, Detail: "x"}, 500); !errors.Is(err, kind) || err.Error() != "x" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for status, code := range map[int]int{401: exitNotSignedIn, 400: exitUsage, 422: exitUsage, 404: exitNotFound, 500: exitFailed} {
		if got, _ := codeOf(context.Background(), kindOf(problem{Detail: "x"}, status)); got != code {
			t.Errorf("status %d: exit code %d, not %d", status, got, code)
		}
	}
}

// Where a token may go in clear.
// covers P9
func TestTokenMayGo(t *testing.T) {
	for address, may := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost:8080": true, "https://line.arden.example": true,
		"http://192.0.2.1:8080": false, "http://line.arden.example": false, "http://127.0.0.1.arden.example": false, "127.0.0.1:8080": false, "ftp://127.0.0.1": false,
	} {
		if err := tokenMayGo(address); (err == nil) != may {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A person is asked before what cannot be undone; a script is not.
func TestAsk(t *testing.T) {
	for _, c := range []struct {
		answer      string
		person, yes bool
		goes        bool
	}{{"", false, false, true}, {"yes\n", true, false, true}, {"no\n", true, false, false}, {"", true, false, false}, {"", true, true, true}} {
		a := &app{in: strings.NewReader(c.answer), err: io.Discard, person: c.person, yes: c.yes}
		if err := a.ask("Go?"); (err == nil) != c.goes {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Colours are for a person at a terminal who has not forbidden them.
func TestColours(t *testing.T) {
	for _, c := range []struct {
		terminal, flag bool
		env            string
		colours        bool
	}{{true, false, "", true}, {false, false, "", false}, {true, true, "", false}, {true, false, "1", false}} {
		a := &app{color: c.terminal, noColor: c.flag, langs: []string{"en"}, env: func(name string) string {
			if name == "NO_COLOR" {
				return c.env
			}
			return ""
		}}
		if err := a.settle(&cobra.Command{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(a.coloured("✔"), "\x1b"); got != c.colours {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
