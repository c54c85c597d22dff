package outlet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/book"
)

// CommandConfig says which command tells of a notice.
type CommandConfig struct {
	Argv    []string      // the program by its absolute path, and its arguments; no shell reads them
	Timeout time.Duration // If zero, DefaultTimeout.
}

// Command tells of a notice by running a command: any sounder, relay or pager
// that the machine has.
//
// The text comes on standard input. The environment holds nothing of the
// station's but PATH, LANG and
//
//	DETENTE_ID DETENTE_CODE DETENTE_LEVEL DETENTE_REF DETENTE_STATION DETENTE_AT DETENTE_LANG DETENTE_TEST
//
// of which the last is 1 for a test and otherwise empty. Nothing of a notice
// becomes an argument. The command runs in a process group of its own; when it
// ends, or its time is up, whatever it left running in that group is ended too.
// A sounder that must go on is therefore a service that the command wakes.
type Command struct {
	run runner // immutable
}

// NewCommand checks the configuration. The program is looked for when it is run.
func NewCommand(c CommandConfig) (*Command, error) {
	run, err := newRunner("command", c.Argv, c.Timeout)
	if err != nil {
		return nil, err
	}
	return &Command{run}, nil
}

// Notify implements [Outlet]. A command that ends with a code other than 0 has
// not taken the notice.
func (c *Command) Notify(ctx context.Context, n Notice) error {
	if err := n.check(); err != nil {
		return err
	}
	return c.run.feed(ctx, []byte(n.page()), environment(n))
}

// environment tells a notice in variables.
func environment(n Notice) []string {
	test := ""
	if n.Test {
		test = "1"
	}
	return []string{
		"DETENTE_ID=" + n.ID, "DETENTE_CODE=" + n.Code, "DETENTE_LEVEL=" + n.Level.String(), "DETENTE_REF=" + n.Ref,
		"DETENTE_STATION=" + string(n.Station), "DETENTE_AT=" + stamp(n.At), "DETENTE_LANG=" + string(n.Lang), "DETENTE_TEST=" + test,
	}
}

const (
	// maxOutput bounds what is kept of a command's output, for the error.
	maxOutput = 2 << 10
	// lastWords is how long output may still come after a command has ended.
	lastWords = 500 * time.Millisecond
)

// runner runs a fixed command.
type runner struct {
	outlet  string
	argv    []string
	timeout time.Duration
}

func newRunner(outlet string, argv []string, timeout time.Duration) (runner, error) {
	wrong := func(reason string) (runner, error) {
		return runner{}, &Error{Outlet: outlet, Reason: reason, Next: "give the program by its full path, then its arguments, each by itself"}
	}
	if len(argv) == 0 || !filepath.IsAbs(argv[0]) {
		return wrong("no program is named by its absolute path")
	}
	for _, arg := range argv {
		if strings.ContainsRune(arg, 0) {
			return wrong("an argument holds the character NUL")
		}
	}
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return runner{outlet, slices.Clone(argv), timeout}, nil
}

// feed runs the command with an input and waits for its end.
func (r runner) feed(ctx context.Context, input []byte, env []string) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.argv[0], r.argv[1:]...)
	cmd.Env = append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"}, env...)
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(input)
	said := &head{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = lastWords
	ownGroup(cmd)
	err := cmd.Start()
	if err == nil {
		err = cmd.Wait()
		endGroup(cmd)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil {
		return nil // it ended well, and left something behind that is ended now
	}
	e := &Error{Outlet: r.outlet, Reason: fmt.Sprintf("%s: %v", r.argv[0], err), Next: "run it by hand as the station's account", Err: err}
	if len(said.kept) > 0 {
		e.Reason += ", saying " + book.Quote(strings.ToValidUTF8(string(said.kept), "\ufffd"))
	}
	e.Again = cmd.Process != nil
	return ended(ctx, e)
}

// head keeps the beginning of what is written to it and lets the rest go by.
type head struct{ kept []byte }

// Write keeps what still fits; it never fails.
func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), maxOutput-len(h.kept))]...)
	return len(p), nil
}
