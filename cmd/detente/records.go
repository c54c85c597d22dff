package main

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/record"

	"github.com/spf13/cobra"
)

// exportFlags say what is exported.
type exportFlags struct {
	id, dossier, line, out, tlp, pap, party string
	disclose                                bool
}

func (a *app) recordCommands() *cobra.Command {
	var e exportFlags
	var roots, cards []string
	return noun(about{"record", "records that anybody can verify offline",
		"A record is one file with messages, proofs and receipts. Whoever holds the parties' roots verifies\nit without a network, without a station and years later.", "  detente record verify inquiry.record --root arden.example.root --root boreal.example.root"},
		verb(about{"export", "export a message, a dossier or a line",
			"Writes a record into a new file. Without --disclose it proves what was delivered and when, and\nshows no content; with it the keys go along that open these entries and no others.",
			"  detente record export --line nrrc.arden.example/nrrc.boreal.example/notification --disclose --out line.record"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.export(c, e) }, a.changes, func(c *cobra.Command) {
				f := c.Flags()
				f.StringVar(&e.id, "message", "", "the id of one message")
				f.StringVar(&e.dossier, "dossier", "", "the id of any message of a dossier")
				f.StringVar(&e.line, "line", "", "a whole line")
				f.BoolVar(&e.disclose, "disclose", false, "let file keys go along, so that the reader can open the entries")
				f.StringVar(&e.tlp, "tlp", "", "with --disclose: what its reader may see, such as RED (default: AMBER+STRICT, and PAP AMBER)")
				f.StringVar(&e.pap, "pap", "", "with --disclose and --tlp: likewise")
				f.StringVar(&e.party, "for", "", "with --disclose: the third party that gets it, as format 245 named it; what the counterpart did not grant is refused")
				f.StringVar(&e.out, "out", "", "a new file, such as inquiry.record")
			}),
		a.publish(),
		a.redact(),
		a.stateFile(),
		verb(about{"verify FILE…", "verify records or evidence files, offline, from the parties' roots alone",
			"Verifies without configuration, key or network. Prints numbered checks, each passed, failed or not\nchecked, and a verdict. Ends with 0 where all is valid, 5 where something is not, and 6 where\nsomething could not be checked, which is named.",
			"  detente record verify inquiry.record --root arden.example.root --root boreal.example.root --lang fr"},
			cobra.MinimumNArgs(1), func(_ *cobra.Command, args []string) error { return a.verifyAll(args, roots, cards) }, func(c *cobra.Command) {
				f := c.Flags()
				f.StringArrayVar(&roots, "root", nil, "a party's .root file, held from a source that you trust; repeat for each party")
				f.StringArrayVar(&cards, "cards", nil, "for an evidence file: a station's cards; repeat for each station")
			}),
		a.recordHead(), a.recordProve(),
		verb(about{"show FILE", "read what a record discloses, offline",
			"Verifies a record as \"record verify\" does, and prints what it discloses: each message with its\ntimes, in the languages of --lang. Of a record that is not valid it shows nothing.",
			"  detente record show inquiry.record --root arden.example.root --root boreal.example.root --lang en,ru"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.showRecord(args[0], roots) }, func(c *cobra.Command) {
				c.Flags().StringArrayVar(&roots, "root", nil, "a party's .root file, held from a source that you trust; repeat for each party")
			}))
}

// shownMessage is a message of a record, for programs.
type shownMessage struct {
	Citation string            `json:"citation"`
	At       time.Time         `json:"at"`
	Received *time.Time        `json:"received,omitempty"`
	Body     jsontext.Value    `json:"body"`
	Texts    map[string]string `json:"texts,omitempty"`
}

// showRecord prints what a record discloses, and ends as its verification does.
func (a *app) showRecord(path string, rootFiles []string) error {
	roots, err := readRoots(rootFiles)
	if err != nil {
		return err
	}
	f, size, err := openRecord(path)
	if err != nil {
		return err
	}
	defer f.Close()
	report, said, err := record.Read(f, size, roots)
	if err != nil {
		return err
	}
	if report.Verdict == record.Invalid {
		return exitError{exitInvalid, fmt.Errorf("%s is not valid, and nothing of it is shown: see `detente record verify`", path)}
	}
	edition, err := book.Embedded()
	if err != nil {
		return err
	}
	list := make([]shownMessage, 0, len(said))
	for _, m := range said {
		s := shownMessage{Citation: m.Citation, At: m.At.UTC(), Body: m.Body.Bytes(), Texts: make(map[string]string)}
		if !m.Received.IsZero() {
			at := m.Received.UTC()
			s.Received = &at
		}
		for _, l := range a.langs {
			if text, err := edition.Render(m.Body.Body(), book.Lang(l)); err == nil { // of another edition the bytes are shown
				s.Texts[l] = text
			}
		}
		list = append(list, s)
	}
	if err := a.print(list, func() { a.messages(list) }); err != nil {
		return err
	}
	a.tell("%d messages, %d receipts; %s", report.Messages, report.Receipts, report.Verdict)
	if code := report.ExitCode(); code != 0 {
		return exitError{code: code}
	}
	return nil
}

// messages prints messages of a record for people.
func (a *app) messages(list []shownMessage) {
	for i, m := range list {
		if i > 0 {
			a.say("")
		}
		received := "no receipt"
		if m.Received != nil {
			received = "received " + m.Received.Format(time.RFC3339)
		}
		a.say("%s  written %s  %s", m.Citation, m.At.Format(time.RFC3339), received)
		if len(m.Texts) == 0 {
			a.say("%s", m.Body)
			continue
		}
		a.texts(m.Texts)
	}
}

func (a *app) export(c *cobra.Command, e exportFlags) error {
	named := 0
	for _, v := range []string{e.id, e.dossier, e.line} {
		if v != "" {
			named++
		}
	}
	if named != 1 {
		return usage("one of --message, --dossier and --line is needed: it says what is exported")
	}
	q := url.Values{"message": {e.id}, "dossier": {e.dossier}, "line": {e.line}, "disclose": {fmt.Sprint(e.disclose)}, "for": {e.party}, "tlp": {e.tlp}, "pap": {e.pap}}
	if e.party != "" && !e.disclose {
		return usage("--for says who gets a disclosed record: give --disclose too, or leave it out")
	}
	if err := a.download(c, "/records?"+q.Encode(), e.out); err != nil {
		return err
	}
	return a.tellClosed(e.out)
}

// verdict is a report on one file.
type verdict interface {
	ExitCode() int
}

// verifyAll verifies files and ends with the worst of their verdicts.
func (a *app) verifyAll(paths, rootFiles, cardFiles []string) error {
	roots, err := readRoots(rootFiles)
	if err != nil {
		return err
	}
	var reports []verdict
	code := 0
	for _, path := range paths {
		r, text, err := a.verifyFile(path, roots, cardFiles)
		if err != nil {
			return err
		}
		reports = append(reports, r)
		if !a.json && !a.jsonl {
			if len(paths) > 1 {
				a.say("%s", path)
			}
			a.say("%s", a.coloured(strings.TrimRight(text, "\n")))
		}
		if c := r.ExitCode(); code != exitInvalid && c != 0 {
			code = c
		}
	}
	var all any = reports
	if len(reports) == 1 {
		all = reports[0]
	}
	if err := a.print(all, func() {}); err != nil || code == 0 {
		return err
	}
	return exitError{code: code}
}

func readRoots(paths []string) ([]identity.Root, error) {
	if len(paths) == 0 {
		return nil, usage("--root is missing: the file of each party's root, which you hold from a source that you trust")
	}
	var roots []identity.Root
	for _, f := range paths {
		note, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		r, err := identity.ParseRoot(note)
		if err != nil {
			return nil, usage("%s: %v", f, err)
		}
		roots = append(roots, r)
	}
	return roots, nil
}

// openRecord opens a file that is to be verified, and tells its bytes. The caller
// closes it.
func openRecord(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// verifyFile verifies one file and returns its report, with the words for it.
func (a *app) verifyFile(path string, roots []identity.Root, cardFiles []string) (verdict, string, error) {
	f, size, err := openRecord(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	head := make([]byte, 2)
	if _, err := f.ReadAt(head, 0); err == nil && !bytes.Equal(head, []byte("PK")) {
		return a.verifyEvidence(f, roots, cardFiles)
	}
	report, err := record.Verify(f, size, roots)
	if err != nil {
		return nil, "", err
	}
	text, err := report.Render(a.lang())
	return report, text, err
}

// coloured colours the marks of a report.
func (a *app) coloured(text string) string {
	if !a.color {
		return text
	}
	return strings.NewReplacer("✔", "\x1b[32m✔\x1b[0m", "✘", "\x1b[31m✘\x1b[0m", "—", "\x1b[33m—\x1b[0m").Replace(text)
}

// maxEvidenceFile bounds an evidence file that is read.
const maxEvidenceFile = 1 << 20

func (a *app) verifyEvidence(r io.Reader, roots []identity.Root, cardFiles []string) (verdict, string, error) {
	file, err := io.ReadAll(io.LimitReader(r, maxEvidenceFile))
	if err != nil {
		return nil, "", err
	}
	var cards []identity.Bundle
	for _, f := range cardFiles {
		b, _, err := readBundle(f)
		if err != nil {
			return nil, "", err
		}
		cards = append(cards, b)
	}
	e := record.VerifyEvidence(file, cards, roots)
	text, err := e.Render(a.lang())
	return e, text, err
}

func (a *app) blob() *cobra.Command {
	var lineName, mediaType, out, state, after string
	var limit int
	var asStix bool
	return noun(about{"blob", "evidence that travels beside messages",
		"Evidence too large for a message travels beside it, sealed, and never ahead of messages. The\nmessage names it by its hash.", "  detente blob add bundle.json --line LINE --type application/stix+json"},
		verb(about{"add FILE", "seal a file to a line's counterpart, and print the parameter that names it",
			"Seals a file to the counterpart of a line and keeps it. What it prints is the value of a message's\nevidence parameter.", "  detente blob add bundle.json --line LINE --type 'application/stix+json;version=2.1'"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				if asStix {
					mediaType = stixType
				}
				return a.addBlob(c, args[0], lineName, mediaType)
			}, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&lineName, "line", "", "the line")
				c.Flags().StringVar(&mediaType, "type", "application/octet-stream", "the media type, such as application/stix+json, under which the file is read as a bundle first")
				c.Flags().BoolVar(&asStix, "stix", false, "the file is a bundle of STIX 2.1, as \"evidence add\" takes it")
			}),
		verb(about{"list", "list evidence and how it stands",
			"Lists the evidence of all lines: offered and how far it was fetched, held, receipted, and since when\na receipt of the counterpart is missing. That it was listed is audited.",
			"  detente blob list\n  detente blob list --state receipted --after HASH --json"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				q := url.Values{"limit": {strconv.Itoa(limit)}}
				if state != "" {
					q.Set("state", state)
				}
				if after != "" {
					q.Set("after", after)
				}
				return a.call(c, "GET", "/blobs?"+q.Encode(), nil)
			}, func(c *cobra.Command) {
				c.Flags().StringVar(&state, "state", "", "begin at this state: offered, held or receipted")
				c.Flags().StringVar(&after, "after", "", "begin after this hash, in --state")
				c.Flags().IntVar(&limit, "limit", 100, "how many")
			}),
		verb(about{"show HASH", "how a piece of evidence stands",
			"Shows one piece of evidence: which message names it, how much of it is here, and its receipt.",
			"  detente blob show HASH"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				hash, err := digestOf(args[0])
				if err != nil {
					return err
				}
				return a.call(c, "GET", "/blobs/"+hash.String()+"/state", nil)
			}),
		verb(about{"get HASH", "open a piece of evidence that the station holds", "Opens evidence by the hash that a message names, into a new file. That it was read is audited.", "  detente blob get HASH --out bundle.json"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				hash, err := digestOf(args[0])
				if err != nil {
					return err
				}
				return a.download(c, "/blobs/"+hash.String(), out)
			}, a.changes, func(c *cobra.Command) { c.Flags().StringVar(&out, "out", "", "a new file") }))
}

func (a *app) addBlob(c *cobra.Command, path, line, mediaType string) error {
	if _, err := identity.ParseLine(line); err != nil {
		return usage("--line: %v", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, err := cl.raw(c.Context(), "POST", "/blobs?line="+url.QueryEscape(line), mediaType, f)
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return a.print(jsontext.Value(text), func() { a.say("%s", bytes.TrimSpace(text)) })
}
