// Command detente is a station, its officers' and operators' tool, a party's
// offline tool, and the offline verifier of records, in one program.
package main

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"detente/line"
	"detente/station"
	"detente/store"

	"github.com/spf13/cobra"
)

// Exit codes. Scripts rely on them.
const (
	exitFailed        = 1
	exitUsage         = 2
	exitNotFound      = 3
	exitRefused       = 4
	exitInvalid       = 5
	exitIndeterminate = 6
	exitSecondPerson  = 7
	exitLineDown      = 8
	exitConflict      = 9
	exitNotSignedIn   = 10
	exitTimeout       = 11
	exitClockUnsafe   = 14
	exitInterrupted   = 130
)

// app is what all commands share.
type app struct {
	out, err  io.Writer
	json      bool
	data      string // the station's data directory
	url       string // of the station's API
	tokenFile string
}

func main() { os.Exit(Main()) }

// Main runs the program and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{out: os.Stdout, err: os.Stderr}
	root := a.root()
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var code exitError
	if errors.As(err, &code) {
		if code.err != nil {
			fmt.Fprintln(os.Stderr, "detente:", code.err)
		}
		return code.code
	}
	fmt.Fprintln(os.Stderr, "detente:", err)
	return codeOf(ctx, err)
}

// exitError carries an exit code of its own; err may be nil where all was said.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return fmt.Sprint(e.err) }

// Unwrap returns the cause.
func (e exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return exitError{exitUsage, fmt.Errorf(format, args...)}
}

// codeOf gives an error its exit code.
func codeOf(ctx context.Context, err error) int {
	var transport *line.Error
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.Is(err, station.ErrNotFound):
		return exitNotFound
	case errors.Is(err, station.ErrRefused):
		return exitRefused
	case errors.Is(err, station.ErrConflict), errors.Is(err, store.ErrLocked):
		return exitConflict
	case errors.Is(err, station.ErrInvalid):
		return exitUsage
	case errors.Is(err, station.ErrLineDown), errors.As(err, &transport):
		return exitLineDown
	case errors.Is(err, station.ErrClockUnsafe):
		return exitClockUnsafe
	}
	return exitFailed
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "detente",
		Short: "Accountable lines between agencies that do not trust each other",
		Long: `Détente holds lines between agencies: to ask, warn, notify, promise and answer.
Every message is released by officers, receipted by the other station, and can be
verified offline by anybody to whom a party shows it.

Results go to standard output, words to standard error. With --json every command
prints one JSON document.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exitError{exitUsage, err} })
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "print JSON")
	f.StringVar(&a.data, "data", "", "the station's data directory")
	f.StringVar(&a.url, "station", "", "the address of the station's API, such as http://127.0.0.1:8080 (default: the one in the data directory)")
	f.StringVar(&a.tokenFile, "token-file", "", "a file that holds the token to act with (default: operator.token in the data directory)")
	root.AddCommand(a.party(), a.officer(), a.stationCommands(), a.peer(), a.lineCommands(), a.msg(), a.release(), a.bookCommands(), a.recordCommands(), a.blob(), a.evidence(), a.era(), a.audit(), a.token())
	return root
}

// noun is a command that only groups others.
func noun(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: func(c *cobra.Command, _ []string) error {
		return usage("%s: say which: see `%s --help`", c.CommandPath(), c.CommandPath())
	}}
	c.AddCommand(verbs...)
	return c
}

// verb is a command that does something.
func verb(use, short string, args cobra.PositionalArgs, run func(*cobra.Command, []string) error, flags ...func(*cobra.Command)) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: func(c *cobra.Command, a []string) error {
		if err := args(c, a); err != nil {
			return exitError{exitUsage, fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())}
		}
		return nil
	}, RunE: run}
	for _, f := range flags {
		f(c)
	}
	return c
}

// print prints a result: as JSON, or by the words given.
func (a *app) print(v any, words func()) error {
	if a.json || words == nil {
		text, err := json.Marshal(v, json.Deterministic(true))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "%s\n", text)
		return err
	}
	words()
	return nil
}

func (a *app) say(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }

// now is the wall clock; everything below cmd is told the time.
func now() time.Time { return time.Now() }
