package main

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"detente/record"
	"detente/treaty"

	"github.com/spf13/cobra"
)

// stateFlags say of what a state file is made, and as of when.
type stateFlags struct {
	lineAtFlags
	roots, agreements []string
	out               string
}

// stateFile is the command that writes where a line stands into a file: from a
// record, offline, or as a station has it.
func (a *app) stateFile() *cobra.Command {
	var s stateFlags
	return verb(about{"state [FILE]", "write where everything on a line stands into a file, from a record alone",
		"Verifies the record of a whole line (exported with --disclose) and folds it: matters with their\nduties, what each side owes by the agreements in force and what it met, late or missed, guarantees,\ntension. It needs no station, no key and no network. Give the text of each agreement that was signed,\namendments included; each is known by the hash that the record has. Without FILE the station writes\nits own state of --line. Both stations and every arbiter write the same bytes as of the same second." + noAdmission,
		"  detente record state line.record --root arden.example.root --root boreal.example.root --agreement ours.json --out arbiter.state\n  detente record state --line LINE --at 2026-11-24T14:00:00Z --out arden.state"},
		cobra.MaximumNArgs(1), func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.rebuildState(args[0], s)
			}
			return a.askState(c, s)
		}, func(c *cobra.Command) {
			s.lineAtFlags.add(c)
			f := c.Flags()
			f.Lookup("at").Usage = "as of which second, such as 2026-11-24T14:00:00Z (default: the last receipt in the record, or now)"
			f.Lookup("line").Usage = "without FILE: the line, as one/other/class"
			f.StringArrayVar(&s.roots, "root", nil, "a party's .root file, held from a source that you trust; repeat for each party")
			f.StringArrayVar(&s.agreements, "agreement", nil, "the file of an agreement or amendment that was signed; repeat for each")
			f.StringVar(&s.out, "out", "", "a new file, such as arbiter.state (default: print it)")
		})
}

// askState writes what the station says.
func (a *app) askState(c *cobra.Command, s stateFlags) error {
	if s.line == "" {
		return usage("give the FILE of a record, or --line to ask the station")
	}
	q, err := s.query()
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, err := cl.raw(c.Context(), "GET", "/state-file?"+q.Encode(), "", nil)
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return a.giveState(text, s.out)
}

// rebuildState folds a record.
func (a *app) rebuildState(path string, s stateFlags) error {
	roots, err := readRoots(s.roots)
	if err != nil {
		return err
	}
	var at time.Time
	q := url.Values{}
	if err := s.put(q); err != nil {
		return err
	}
	if text := q.Get("at"); text != "" {
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return usage("--at: %v", err)
		}
	}
	var texts []*treaty.Agreement
	for _, f := range s.agreements {
		t, err := a.readAgreement(f)
		if err != nil {
			return err
		}
		texts = append(texts, t)
	}
	f, size, err := openRecord(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, state, err := record.Rebuild(f, size, roots, texts, at)
	if err != nil {
		return exitError{exitInvalid, fmt.Errorf("%s: %w", path, err)}
	}
	return a.giveState(state.Bytes(), s.out)
}

// giveState writes a state into a new file, or prints it.
func (a *app) giveState(text []byte, out string) error {
	if out == "" {
		return a.print(jsontext.Value(text), func() { a.say("%s", bytes.TrimSpace(text)) })
	}
	f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return exitError{exitConflict, fmt.Errorf("%s exists, and is not written over: give another --out", out)}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(out))
	}
	return a.print(map[string]any{"file": out, "bytes": len(text)}, func() { a.say("%s: %d bytes", out, len(text)) })
}
