package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

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
	exitUnknownFormat = 12
	exitOverdue       = 13
	exitClockUnsafe   = 14
	exitInterrupted   = 130
)

// meanings says what each exit code means.
var meanings = []struct {
	code    int
	meaning string
}{
	{0, "done"},
	{exitFailed, "failed, for a reason that has no code of its own"},
	{exitUsage, "wrong use: what, why and the next step are on standard error"},
	{exitNotFound, "not found"},
	{exitRefused, "refused by policy, role or key"},
	{exitInvalid, "verification failed"},
	{exitIndeterminate, "verified in part: what could not be checked is named"},
	{exitSecondPerson, "one more person is needed; the id that waits is printed"},
	{exitLineDown, "the line is down, or the station does not answer"},
	{exitConflict, "conflict: it is so already, or something changed meanwhile"},
	{exitNotSignedIn, "not signed in: no token, or one that does not hold"},
	{exitTimeout, "it did not come about in the time that was given"},
	{exitUnknownFormat, "no such format in this edition of the signal book"},
	{exitOverdue, "something that this side owes is past and was not done"},
	{exitClockUnsafe, "the clock leapt: two persons confirm the time first"},
	{exitInterrupted, "interrupted"},
}

// codes is the help topic that explains exit codes.
func codes() *cobra.Command {
	var text strings.Builder
	text.WriteString("Every command ends with one of these codes:\n")
	for _, m := range meanings {
		fmt.Fprintf(&text, "\n  %3d  %s", m.code, m.meaning)
	}
	return &cobra.Command{Use: "codes", Short: "what the exit codes mean", Long: text.String()}
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

// codeOf gives an error its exit code, and returns what is left to say.
func codeOf(ctx context.Context, err error) (int, error) {
	var own exitError
	var transport *line.Error
	switch {
	case err == nil:
		return 0, nil
	case ctx.Err() != nil:
		return exitInterrupted, errors.New("interrupted")
	case errors.As(err, &own):
		return own.code, own.err
	case errors.Is(err, station.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return exitNotFound, err
	case errors.Is(err, station.ErrRefused):
		return exitRefused, err
	case errors.Is(err, station.ErrConflict), errors.Is(err, store.ErrLocked), errors.Is(err, fs.ErrExist):
		return exitConflict, err
	case errors.Is(err, station.ErrInvalid):
		return exitUsage, err
	case errors.Is(err, station.ErrLineDown), errors.As(err, &transport):
		return exitLineDown, err
	case errors.Is(err, station.ErrClockUnsafe):
		return exitClockUnsafe, err
	}
	return exitFailed, err
}

// dryRun is what ends a command that was only tried: what the station says that it
// would have done, or, where it was not asked, what it would have been asked.
type dryRun struct {
	method, path, body string
	would              []would
}

// would is an act that was not done, in the words of the audit trail.
type would struct {
	Act    string `json:"act"`
	Object string `json:"object,omitempty"`
	Detail string `json:"detail,omitempty"`
}

func (d dryRun) Error() string { return "dry run: " + d.method + " " + d.path }
