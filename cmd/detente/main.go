// Command detente is a station, its officers' and operators' tool, a party's
// offline tool, and the offline verifier of records, in one program.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is what all commands share.
type app struct {
	in       io.Reader
	out, err io.Writer
	person   bool // a person sits at a terminal and can be asked
	env      func(string) string

	json, jsonl    bool
	quiet, noColor bool
	color          bool // results may be coloured
	yes, dry       bool
	data           string            // the station's data directory
	conf           string            // its settings file, where it is another than the directory's own
	set            map[string]string // settings that flags give another value
	url            string            // of the station's API
	tokenFile      string
	langs          []string
}

func main() { os.Exit(Main()) }

// Main runs the program and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv, person: term.IsTerminal(int(os.Stdin.Fd())), color: term.IsTerminal(int(os.Stdout.Fd()))}
	return a.run(ctx, os.Args[1:])
}

// run runs one command and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetOut(a.out)
	root.SetErr(a.err)
	c, err := root.ExecuteContextC(ctx)
	code, said := codeOf(ctx, err)
	if dry, ok := errors.AsType[dryRun](said); ok {
		return a.showDryRun(dry)
	}
	if said != nil {
		fmt.Fprintln(a.err, "detente:", said)
	}
	if code == exitUsage {
		fmt.Fprintf(a.err, "see: %s --help\n", c.CommandPath())
	}
	return code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "detente",
		Short: "Accountable lines between agencies that do not trust each other",
		Long: `Détente holds lines between agencies: to ask, warn, notify, promise and answer.
Every message is released by officers, receipted by the other station, and can be
verified offline by anybody to whom a party shows it.

Commands are a noun and a verb: detente msg send, detente record verify. Results go
to standard output, words to standard error. With --json a command prints one JSON
object. A command ends with 0 where all is done; what other codes mean stands under
"detente help codes".`,
		Example:      "  detente book list\n  detente record verify inquiry.record --root arden.root --root boreal.root",
		SilenceUsage: true, SilenceErrors: true, Args: cobra.ArbitraryArgs, RunE: unknown,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			if err := a.settle(c); err != nil {
				return err
			}
			return a.citations(c, args)
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exitError{exitUsage, err} })
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, `print one JSON object with "schema":"detente.cli/v1"`)
	f.BoolVar(&a.jsonl, "jsonl", false, "print lists and streams as JSON, one object a line")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print results and errors, and no other words")
	f.BoolVar(&a.noColor, "no-color", false, "print without colours (also: NO_COLOR in the environment)")
	f.BoolVarP(&a.yes, "yes", "y", false, "answer yes to questions; it never stands for an officer's signature")
	f.StringSliceVar(&a.langs, "lang", []string{"en"}, "languages of renderings and verdicts: en, ru, zh, es, fr, ar")
	f.StringVar(&a.data, "data", "", "the station's data directory (DETENTE_DATA)")
	f.StringVar(&a.conf, "config", "", "the station's settings file (DETENTE_CONFIG; default: detente.toml in the data directory)")
	f.StringVar(&a.url, "station", "", "address of the station's API, such as http://127.0.0.1:8080 (DETENTE_STATION; default: the one in the data directory)")
	f.StringVar(&a.tokenFile, "token-file", "", "file of the token to act with (DETENTE_TOKEN_FILE; default: operator.token in the data directory)")
	root.AddCommand(a.party(), a.officer(), a.stationCommands(), a.peer(), a.lineCommands(), a.msg(), a.release(), a.policy(), a.bookCommands(), a.agreement(), a.recordCommands(),
		a.roster(), a.contact(), a.deskCommands(), a.handover(), a.log(), a.watch(), a.blob(), a.evidence(), a.era(), a.audit(), a.alarm(), a.token(), a.config(), a.versionCommand("version"), a.completion(), a.man(), codes())
	root.AddCommand(a.matterCommands()...)
	root.AddCommand(a.tension())
	root.AddCommand(a.consultationCommands()...)
	return root
}

// about is what a command says of itself.
type about struct{ use, short, long, example string }

// noun is a command that only groups others.
func noun(w about, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: w.use, Short: w.short, Long: w.long, Example: w.example, Args: cobra.ArbitraryArgs, RunE: unknown}
	c.AddCommand(verbs...)
	return c
}

// unknown is run where a noun stands without one of its verbs.
func unknown(c *cobra.Command, args []string) error {
	if len(args) == 0 && !c.HasParent() {
		return c.Help()
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if len(args) == 0 {
		return usage("%s: say which: %s", c.CommandPath(), join(names))
	}
	c.SuggestionsMinimumDistance = 2
	if like := c.SuggestionsFor(args[0]); len(like) > 0 {
		return usage("%s has no command %q: is %s meant?", c.CommandPath(), args[0], join(like))
	}
	return usage("%s has no command %q: there are %s", c.CommandPath(), args[0], join(names))
}

// verb is a command that does something.
func verb(w about, args cobra.PositionalArgs, run func(*cobra.Command, []string) error, flags ...func(*cobra.Command)) *cobra.Command {
	c := &cobra.Command{Use: w.use, Short: w.short, Long: w.long, Example: w.example, Args: func(c *cobra.Command, a []string) error {
		if err := args(c, a); err != nil {
			return usage("%s: %d arguments are too few or too many: it is used as %q", c.CommandPath(), len(a), c.UseLine())
		}
		return nil
	}, RunE: run}
	for _, f := range flags {
		f(c)
	}
	return c
}

// changes marks a verb as one that changes something, and lets it be tried
// without.
func (a *app) changes(c *cobra.Command) {
	c.Flags().BoolVar(&a.dry, "dry-run", false, "check everything, say what would be done, and do nothing")
}

// now is the wall clock; everything below cmd is told the time.
func now() time.Time { return time.Now() }
