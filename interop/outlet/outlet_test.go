package outlet_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/interop/outlet"
	"detente/message"
)

const station = "nrrc.arden.example"

// at is when everything happens in these tests.
var at = time.Date(2026, 11, 23, 14, 45, 7, 0, time.UTC)

func notice() outlet.Notice {
	return outlet.Notice{
		ID: "alarm-17", Code: "alarm.peer-silent", Level: message.Flash, Ref: "ARD/BOR-N1-417", Station: station, At: at, Lang: "ar",
		Title: "المحطة المقابلة صامتة", Text: "المحطة: \u2066nrrc.boreal.example\u2069\nمنذ: \u20662026-11-23T14:30:00Z\u2069",
	}
}

// quiet returns a function that waits until no goroutine is left that began
// after quiet was called, and fails the test otherwise.
func quiet(t *testing.T) func() {
	t.Helper()
	before := runtime.NumGoroutine()
	return func() {
		t.Helper()
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.After(10 * time.Second); runtime.NumGoroutine() > before; {
			select {
			case <-tick.C:
			case <-deadline:
				stacks := make([]byte, 64<<10)
				t.Fatalf("%d goroutines are left of %d:\n%s", runtime.NumGoroutine()-before, before, stacks[:runtime.Stack(stacks, true)])
			}
		}
	}
}

// failure asks for an *outlet.Error that holds the words and none of the secrets.
func failure(t *testing.T, err error, words string, secrets ...string) *outlet.Error {
	t.Helper()
	var e *outlet.Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), words) {
		t.Fatalf("want an *outlet.Error that says %q, have %v", words, err)
	}
	for _, s := range secrets {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, e, e), s) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
	return e
}

func file(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTestNotices(t *testing.T) {
	for _, l := range book.Langs() {
		n := outlet.Test("test-1", station, l, at)
		if n.Title == "" || n.Text == "" || !n.Test || n.Code != outlet.CodeTest || n.Lang != l {
			t.Errorf("%s: %+v", l, n)
		}
		for _, other := range book.Langs() {
			if other != l && outlet.Test("test-1", station, other, at).Text == n.Text {
				t.Errorf("%s and %s have one text", l, other)
			}
		}
	}
}

// recorder is an outlet whose command must never run.
func recorder(t *testing.T) (*outlet.Command, string) {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "ran")
	c, err := outlet.NewCommand(outlet.CommandConfig{Argv: []string{"/usr/bin/touch", mark}})
	if err != nil {
		t.Fatal(err)
	}
	return c, mark
}

// covers P14
func TestNoticesAreChecked(t *testing.T) {
	c, mark := recorder(t)
	for name, change := range map[string]func(*outlet.Notice){
		"id with a slash":    func(n *outlet.Notice) { n.ID = "../x" },
		"no id":              func(n *outlet.Notice) { n.ID = "" },
		"code with a line":   func(n *outlet.Notice) { n.Code = "a\nb" },
		"no level":           func(n *outlet.Notice) { n.Level = 0 },
		"ref with a space":   func(n *outlet.Notice) { n.Ref = "a b" },
		"ref with a line":    func(n *outlet.Notice) { n.Ref = "a\r\nBcc:x" },
		"no station":         func(n *outlet.Notice) { n.Station = "" },
		"no time":            func(n *outlet.Notice) { n.At = time.Time{} },
		"a seventh language": func(n *outlet.Notice) { n.Lang = "tlh" },
		"no title":           func(n *outlet.Notice) { n.Title = "" },
		"a long text":        func(n *outlet.Notice) { n.Text = strings.Repeat("a", outlet.MaxText+1) },
		"no UTF-8":           func(n *outlet.Notice) { n.Text = "\xff" },
	} {
		n := notice()
		change(&n)
		if err := c.Notify(t.Context(), n); err == nil {
			t.Errorf("taken: %s", name)
		}
	}
	if _, err := os.Stat(mark); !os.IsNotExist(err) {
		t.Error("the command ran for a notice that was refused")
	}
	if err := c.Notify(t.Context(), notice()); err != nil {
		t.Error(err)
	}
}

// short is a context for receivers that never answer.
func short(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
