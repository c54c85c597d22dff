package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/record"

	"github.com/spf13/cobra"
)

func (a *app) recordCommands() *cobra.Command {
	var id, dossier, lineName, out, lang string
	var disclose bool
	var roots, cards []string
	return noun("record", "Records that anybody can verify offline",
		verb("export", "export a message, a dossier or a line", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			q := url.Values{"message": {id}, "dossier": {dossier}, "line": {lineName}, "disclose": {fmt.Sprint(disclose)}}
			return a.download(c, "/records?"+q.Encode(), out)
		}, func(c *cobra.Command) {
			f := c.Flags()
			f.StringVar(&id, "message", "", "the id of one message")
			f.StringVar(&dossier, "dossier", "", "the id of any message of a dossier")
			f.StringVar(&lineName, "line", "", "a whole line")
			f.BoolVar(&disclose, "disclose", false, "let file keys go along, so that the reader can open the entries")
			f.StringVar(&out, "out", "", "a new file, such as inquiry.record")
		}),
		verb("verify FILE", "verify a record or an evidence file, offline, from the parties' roots alone", cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error {
			return a.verify(args[0], roots, cards, lang)
		}, func(c *cobra.Command) {
			c.Long = "Verifies without configuration, key or network. Ends with 0 where the record is valid, 5 where\nit is not, and 6 where something could not be checked, which is named."
			f := c.Flags()
			f.StringArrayVar(&roots, "root", nil, "a party's .root file; repeat for each party")
			f.StringArrayVar(&cards, "cards", nil, "for an evidence file: a station's cards; repeat for each station")
			f.StringVar(&lang, "lang", "en", "en, ru, zh, es, fr or ar")
		}))
}

// download saves what the API answers in a new file.
func (a *app) download(c *cobra.Command, path, to string) error {
	if to == "" {
		return usage("--out is needed: a new file")
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, err := cl.raw(c.Context(), "GET", path, "", nil)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return a.print(map[string]any{"file": to, "bytes": n}, func() { a.say("%s: %d bytes", to, n) })
}

func (a *app) verify(path string, rootFiles, cardFiles []string, lang string) error {
	var roots []identity.Root
	for _, f := range rootFiles {
		note, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		r, err := identity.ParseRoot(note)
		if err != nil {
			return usage("%s: %v", f, err)
		}
		roots = append(roots, r)
	}
	if len(roots) == 0 {
		return usage("--root is needed: the file of each party's root, which you hold from a source that you trust")
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, 2)
	if _, err := f.ReadAt(head, 0); err == nil && !bytes.Equal(head, []byte("PK")) {
		return a.verifyEvidence(f, roots, cardFiles)
	}
	report, err := record.Verify(f, info.Size(), roots)
	if err != nil {
		return err
	}
	text, err := report.Render(book.Lang(lang))
	if err != nil {
		return usage("--lang: %v", err)
	}
	if err := a.print(report, func() { a.say("%s", strings.TrimRight(text, "\n")) }); err != nil {
		return err
	}
	if code := report.ExitCode(); code != 0 {
		return exitError{code: code}
	}
	return nil
}

// maxEvidenceFile bounds an evidence file that is read.
const maxEvidenceFile = 1 << 20

func (a *app) verifyEvidence(r io.Reader, roots []identity.Root, cardFiles []string) error {
	file, err := io.ReadAll(io.LimitReader(r, maxEvidenceFile))
	if err != nil {
		return err
	}
	var cards []identity.Bundle
	for _, f := range cardFiles {
		b, _, err := readBundle(f)
		if err != nil {
			return err
		}
		cards = append(cards, b)
	}
	e := record.VerifyEvidence(file, cards, roots)
	if err := a.print(e, func() { a.say("%s: %s: %s", e.Verdict, e.Kind, e.Reason) }); err != nil {
		return err
	}
	switch e.Verdict {
	case record.Invalid:
		return exitError{code: exitInvalid}
	case record.Indeterminate:
		return exitError{code: exitIndeterminate}
	}
	return nil
}

func (a *app) blob() *cobra.Command {
	var lineName, mediaType, out string
	return noun("blob", "Evidence that travels beside messages",
		verb("add FILE", "seal a file to a line's counterpart; prints the parameter that names it", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			cl, err := a.client()
			if err != nil {
				return err
			}
			r, err := cl.raw(c.Context(), "POST", "/blobs?line="+url.QueryEscape(lineName), mediaType, f)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(a.out, io.MultiReader(r, strings.NewReader("\n")))
			return err
		}, func(c *cobra.Command) {
			c.Flags().StringVar(&lineName, "line", "", "the line")
			c.Flags().StringVar(&mediaType, "type", "application/octet-stream", "the media type, such as application/stix+json")
		}),
		verb("get HASH", "open a blob that the station holds", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			hash, err := digestOf(args[0])
			if err != nil {
				return err
			}
			return a.download(c, "/blobs/"+hash.String(), out)
		}, func(c *cobra.Command) { c.Flags().StringVar(&out, "out", "", "a new file") }))
}

func (a *app) evidence() *cobra.Command {
	var dir string
	return noun("evidence", "What the station holds against counterparts",
		verb("list", "list forks, withheld receipts and the like", cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/evidence", nil) }),
		verb("export", "write each as a file that `detente record verify` takes", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			return a.exportEvidence(c, dir)
		}, func(c *cobra.Command) { c.Flags().StringVar(&dir, "dir", ".", "where to") }))
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
		if err := writeFile(path, content, 0o600); err != nil {
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
	return noun("era", "The succession of logs",
		verb("open LINE", "end this station's log of a line and begin the next", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			b, _, err := readBundle(cards)
			if err != nil {
				return err
			}
			return a.call(c, "POST", "/eras", map[string]any{"line": args[0], "reason": reason, "cards": b.Bytes()})
		}, func(c *cobra.Command) {
			c.Long = "Ends this station's log of a line and begins the next, with the key that\n`detente station card --era LINE` made and the party endorsed. Back the store up right after."
			c.Flags().StringVar(&cards, "cards", "", "the endorsed cards that list the new log's key")
			c.Flags().StringVar(&reason, "reason", "choice", "choice, compromise or loss")
		}))
}

func (a *app) audit() *cobra.Command {
	var from int64
	var limit int
	return noun("audit", "The audit trail",
		verb("list", "lines of the trail, each with the hash over all before it", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			return a.call(c, "GET", fmt.Sprintf("/audit?from=%d&limit=%d", from, limit), nil)
		}, func(c *cobra.Command) {
			c.Flags().Int64Var(&from, "from", 1, "the first number")
			c.Flags().IntVar(&limit, "limit", 100, "how many")
		}))
}

func (a *app) token() *cobra.Command {
	var actor, roles, out string
	var last time.Duration
	return noun("token", "Tokens of the API",
		verb("add", "let a caller act with some roles", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			if out == "" || actor == "" {
				return usage("--out and --actor are needed")
			}
			token, err := newToken()
			if err != nil {
				return err
			}
			if err := writeFile(out, []byte(token+"\n"), 0o600); err != nil {
				return err
			}
			in := map[string]any{"token": token, "actor": actor, "roles": strings.Split(roles, ","), "until": now().Add(last).UTC()}
			cl, err := a.client()
			if err != nil {
				return err
			}
			if err := cl.do(c.Context(), "POST", "/tokens", in, nil); err != nil {
				return err
			}
			return a.print(map[string]string{"actor": actor, "token_file": out}, func() { a.say("token of %s: %s", actor, out) })
		}, func(c *cobra.Command) {
			c.Flags().StringVar(&actor, "actor", "", "who acts, as the audit trail will name it")
			c.Flags().StringVar(&roles, "roles", "read", "with commas: read, draft, audit, operator")
			c.Flags().DurationVar(&last, "for", 30*24*time.Hour, "how long it holds")
			c.Flags().StringVar(&out, "out", "", "a new file that holds the token")
		}))
}
