package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"detente/book"
	"detente/station"

	"github.com/spf13/cobra"
)

func (a *app) lineTest() *cobra.Command {
	var text, bearer string
	var wait waitFlag
	var all bool
	return verb(about{"test [LINE]", "test a line, or all: the counterpart reads the check groups back",
		"Sends a line test with random check groups. It needs no release. An officer of the counterpart\nreads the groups back. --all tests each line that is open, one after the other, names those that are\nnot, and ends with the code of the first that failed.",
		"  detente line test nrrc.arden.example/nrrc.boreal.example/notification --wait 30s\n  detente line test --all"},
		cobra.MaximumNArgs(1), func(c *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return usage("say which line is tested, or --all, and not both")
			}
			if all {
				return a.testLines(c, text, bearer, wait)
			}
			return a.testLine(c, args[0], text, bearer, wait)
		}, a.changes, wait.add, func(c *cobra.Command) {
			c.Flags().BoolVar(&all, "all", false, "test every line that is open")
			c.Flags().StringVar(&text, "text", "T1", "the test text's name")
			c.Flags().StringVar(&bearer, "bearer", "direct", "the way that the test takes")
		})
}

// lineTestOf returns a test of a line, with check groups that nobody can foresee.
func lineTestOf(name, text, bearer string, wait waitFlag) (draftFlags, error) {
	id, err := newToken()
	if err != nil {
		return draftFlags{}, err
	}
	groups := strings.ToUpper(id[len(id)-8:len(id)-4] + " " + id[len(id)-4:])
	return draftFlags{line: name, tlp: "AMBER", wait: wait, params: []string{
		"test_no=" + now().UTC().Format(time.RFC3339), "text_id=" + text, "check_groups=" + groups, "bearer=" + bearer,
	}}, nil
}

// testLine sends a test with check groups that the counterpart reads back.
func (a *app) testLine(c *cobra.Command, name, text, bearer string, wait waitFlag) error {
	d, err := lineTestOf(name, text, bearer, wait)
	if err != nil {
		return err
	}
	return a.submit(c, "010", d)
}

// tested is what became of one line's test.
type tested struct {
	Line    string         `json:"line"`
	Skipped string         `json:"skipped,omitempty"` // why it was not tested
	Error   string         `json:"error,omitempty"`   // why it failed
	Test    map[string]any `json:"test,omitempty"`    // where it stands
	code    int            // with which exit code it failed; 0: it did not
}

// testLines tests all lines that are open: first all are sent, then all are
// waited for where that is asked. That one fails keeps no other from being tested.
func (a *app) testLines(c *cobra.Command, text, bearer string, wait waitFlag) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var lines []struct {
		Line  string `json:"line"`
		State string `json:"state"`
	}
	if err := cl.do(c.Context(), "GET", "/lines", nil, &lines); err != nil {
		return err
	}
	if len(lines) == 0 {
		return exitError{exitNotFound, errors.New("this station has no line: open one with `detente line open`")}
	}
	list := make([]tested, 0, len(lines))
	dry := dryRun{method: "POST", path: "/messages", would: []would{}}
	for _, l := range lines {
		t := tested{Line: l.Line}
		if l.State == station.LineOpen {
			t.Test, err = testOne(c.Context(), cl, l.Line, text, bearer)
			if tried, ok := errors.AsType[dryRun](err); ok {
				dry.would = append(dry.would, tried.would...)
			} else {
				t.failed(c.Context(), err)
			}
		} else {
			t.Skipped = "it is " + l.State
		}
		list = append(list, t)
	}
	if a.dry {
		return dry
	}
	if until := now().Add(wait.within); wait.within > 0 {
		for i := range list {
			list[i].await(c.Context(), cl, wait.within, time.Until(until))
		}
	}
	return errors.Join(a.print(list, func() { a.showTested(list) }), worst(list))
}

// failed notes why a test failed, if it did.
func (t *tested) failed(ctx context.Context, err error) {
	if err == nil {
		return
	}
	code, said := codeOf(ctx, err)
	if t.code, t.Error = code, "failed"; said != nil {
		t.Error = said.Error()
	}
}

// await waits until a test that was sent is receipted.
func (t *tested) await(ctx context.Context, cl *client, within, left time.Duration) {
	if t.code != 0 || t.Skipped != "" {
		return
	}
	id := plain(t.Test["id"])
	m, err := reaches(ctx, cl, id, "receipted", left)
	if errors.Is(err, errLate) {
		err = tooLate(id, "receipted", within)
	}
	if t.failed(ctx, err); err == nil {
		t.Test = m
	}
}

// worst ends the command with the code of the first test that failed.
func worst(list []tested) error {
	for _, t := range list {
		if t.code != 0 {
			return exitError{code: t.code}
		}
	}
	return nil
}

// testOne sends the test of one line, and returns where it stands.
func testOne(ctx context.Context, cl *client, name, text, bearer string) (map[string]any, error) {
	d, err := lineTestOf(name, text, bearer, waitFlag{})
	if err != nil {
		return nil, err
	}
	edition, err := book.Embedded()
	if err != nil {
		return nil, err
	}
	params, err := d.typed(edition, "010")
	if err != nil {
		return nil, err
	}
	in, err := d.request("010", params)
	if err != nil {
		return nil, err
	}
	var q map[string]any
	return q, cl.do(ctx, "POST", "/messages", in, &q)
}

func (a *app) showTested(list []tested) {
	for _, t := range list {
		switch {
		case t.Skipped != "":
			a.say("%s: not tested: %s", t.Line, t.Skipped)
		case t.Error != "":
			a.say("%s: %s", t.Line, t.Error)
		case t.Test["citation"] != nil:
			a.say("%s: %v: receipted", t.Line, t.Test["citation"])
		default:
			a.say("%s: %v: %v", t.Line, t.Test["id"], t.Test["state"])
		}
	}
}
