package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) evidence() *cobra.Command {
	var dir string
	c := noun(about{"evidence", "bundles of evidence, and what the station holds against counterparts",
		"Evidence of incidents travels as bundles of STIX 2.1: added, read in six languages, listed as\nindicators, with the custody of each. Forks, withheld receipts and the like, held against\ncounterparts, are files that verify by themselves.", "  detente evidence add bundle.stix.json --line LINE\n  detente evidence list"},
		verb(about{"list", "list forks, withheld receipts and the like", "Lists what the station holds against counterparts, with a sentence on each.", "  detente evidence list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/evidence", nil) }),
		verb(about{"export", "write each as a file that `detente record verify` takes", "Writes each piece of evidence into a file of its own. \"detente record verify\" judges it offline.", "  detente evidence export --dir evidence"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.exportEvidence(c, dir) }, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&dir, "dir", ".", "directory for the files")
			}))
	c.AddCommand(a.bundles()...)
	c.AddCommand(a.reveals()...)
	return c
}

func (a *app) exportEvidence(c *cobra.Command, dir string) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var list []struct {
		Kind string `json:"kind"`
		File string `json:"file"`
	}
	if err := cl.do(c.Context(), "GET", "/evidence", nil, &list); err != nil {
		return err
	}
	files := []string{}
	for i, e := range list {
		content, err := base64.StdEncoding.DecodeString(e.File)
		if err != nil {
			return fmt.Errorf("the station's answer: %w", err)
		}
		path := filepath.Join(dir, fmt.Sprintf("%s-%d.evidence", strings.ReplaceAll(e.Kind, " ", "-"), i+1))
		if err := a.put(path, content, 0o600); err != nil {
			return err
		}
		files = append(files, path)
	}
	return a.print(files, func() {
		for _, f := range files {
			a.say("%s", f)
		}
	})
}

func (a *app) era() *cobra.Command {
	var cards, reason string
	return noun(about{"era", "the succession of logs",
		"A log keeps its keys for its life. After a compromise or a loss, or by choice, the next era begins:\na new log with a new key that takes the line on.", "  detente era open LINE --cards station.cards --reason choice"},
		verb(about{"open LINE", "end this station's log of a line and begin the next",
			"Ends this station's log of a line and begins the next, with the key that\n\"detente station card --era LINE\" made and the party endorsed. Back the store up right after: a\ncopy from before does not know that the log has ended.",
			"  detente era open LINE --cards station.cards --reason compromise"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				if cards == "" {
					return usage("--cards is missing: the endorsed cards that list the new log's key")
				}
				b, _, err := readBundle(cards)
				if err != nil {
					return err
				}
				if err := a.ask("End this station's log of %s for good?", args[0]); err != nil {
					return err
				}
				return a.call(c, "POST", "/eras", map[string]any{"line": args[0], "reason": reason, "cards": b.Bytes()})
			}, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&cards, "cards", "", "the endorsed cards that list the new log's key")
				c.Flags().StringVar(&reason, "reason", "choice", "choice, compromise or loss")
			}))
}

func (a *app) audit() *cobra.Command {
	var from int64
	var limit int
	return noun(about{"audit", "the audit trail",
		"Every act, reading, refusal and failure at this station, each line with the hash over all before\nit. Reading the trail is itself noted.", "  detente audit list"},
		verb(about{"list", "list the trail", "Lists lines of the trail: who did what when, with which result.", "  detente audit list --from 100 --limit 50\n  detente audit list --jsonl"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				return a.call(c, "GET", fmt.Sprintf("/audit?from=%d&limit=%d", from, limit), nil)
			}, func(c *cobra.Command) {
				c.Flags().Int64Var(&from, "from", 1, "the first number")
				c.Flags().IntVar(&limit, "limit", 100, "how many")
			}))
}

// tokenFlags are what `token add` is told.
type tokenFlags struct {
	actor, roles, out string
	last              time.Duration
}

func (a *app) token() *cobra.Command {
	var f tokenFlags
	c := noun(about{"token", "tokens of the API",
		"A token lets a caller act with some roles until a time. It stands for no officer: what needs an\nofficer's signature still does.", "  detente token add --actor desk --roles read,draft --out desk.token"},
		verb(about{"add", "let a caller act with some roles", "Makes a token, keeps it in a new file, and tells the station whom it stands for.", "  detente token add --actor desk --roles read,draft --for 720h --out desk.token"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.addToken(c, f) }, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&f.actor, "actor", "", "who acts, as the audit trail will name it")
				c.Flags().StringVar(&f.roles, "roles", "read", "with commas: read, draft, audit, operator")
				c.Flags().DurationVar(&f.last, "for", 30*24*time.Hour, "how long it holds")
				c.Flags().StringVar(&f.out, "out", "", "a new file for the token")
			}),
		verb(about{"list", "list whom tokens stand for", "Lists tokens by whom they stand for, with roles and until when. The tokens themselves are not kept.", "  detente token list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/tokens", nil) }),
		verb(about{"revoke ACTOR", "end all tokens that stand for somebody",
			"Ends all tokens that stand for somebody, at once. The operator's own, of the data directory, is made\nvalid again by the next start: put another one into operator.token before that.", "  detente token revoke desk"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				if err := a.ask("End all tokens of %s?", args[0]); err != nil {
					return err
				}
				return a.call(c, "POST", at("/tokens/%s/revoke", args[0]), struct{}{})
			}, a.changes))
	c.AddCommand(a.rights()...)
	return c
}

func (a *app) addToken(c *cobra.Command, f tokenFlags) error {
	if f.out == "" || f.actor == "" {
		return usage("--out and --actor are missing: a new file for the token, and who acts by it")
	}
	if _, err := os.Stat(f.out); err == nil {
		return exitError{exitConflict, fmt.Errorf("%s exists, and is not written over: give another --out", f.out)}
	}
	token, err := newToken()
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	in := map[string]any{"token": token, "actor": f.actor, "roles": strings.Split(f.roles, ","), "until": now().Add(f.last).UTC()}
	if err := cl.do(c.Context(), "POST", "/tokens", in, nil); err != nil {
		return err
	}
	if err := writeFile(f.out, []byte(token+"\n"), 0o600); err != nil {
		return err
	}
	return a.print(map[string]string{"actor": f.actor, "token_file": f.out}, func() { a.say("token of %s: %s", f.actor, f.out) })
}
