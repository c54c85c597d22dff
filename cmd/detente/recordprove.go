package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"detente/identity"
	"detente/record"

	"github.com/spf13/cobra"
)

func (a *app) recordProve() *cobra.Command {
	var roots []string
	var out string
	return verb(about{"prove FILE [CITATION]", "take the proof of one entry out of a record, for any C2SP verifier",
		"Verifies a record as \"record verify\" does, and writes the proof of one entry into a new directory:\nentry.age, proof.tlog-proof and policy.txt, as C2SP tlog-proof and tlog-policy. With them a verifier\nthat knows nothing of this program shows that the entry stands in its log, and that its reader holds\nit. Nothing is disclosed. Of a record with one message the citation may be left out.",
		"  detente record prove line.record ARD/BOR-N1-3 --root arden.example.root --root boreal.example.root --out proof"},
		cobra.RangeArgs(1, 2), func(_ *cobra.Command, args []string) error {
			citation := ""
			if len(args) == 2 {
				citation = args[1]
			}
			return a.prove(args[0], citation, out, roots)
		}, a.changes, func(c *cobra.Command) {
			c.Flags().StringArrayVar(&roots, "root", nil, "a party's .root file, held from a source that you trust; repeat for each party")
			c.Flags().StringVar(&out, "out", "", "a new directory for the three files")
		})
}

// provenEntry is a proof, for programs.
type provenEntry struct {
	Citation string    `json:"citation"`
	Log      string    `json:"log"`
	Index    int64     `json:"index"`
	Size     int64     `json:"size"` // of the receipted tree
	Root     string    `json:"root"`
	Received time.Time `json:"received"`
	Entry    string    `json:"entry"` // SHA-256 of the sealed entry
	Dir      string    `json:"directory"`
}

// prove writes the proof of one entry of a record.
func (a *app) prove(path, citation, out string, rootFiles []string) error {
	if out == "" {
		return usage("--out is missing: the new directory that the proof is written to")
	}
	if _, err := os.Lstat(out); err == nil {
		return exitError{exitConflict, fmt.Errorf("%s exists, and is not written over: give another --out", out)}
	}
	roots, err := readRoots(rootFiles)
	if err != nil {
		return err
	}
	f, size, err := openRecord(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, p, err := record.Prove(f, size, roots, citation)
	switch {
	case errors.Is(err, record.ErrInvalid):
		return exitError{exitInvalid, fmt.Errorf("%s: %w, and nothing of it proves anything: see `detente record verify`", path, err)}
	case errors.Is(err, record.ErrNoEntry):
		return exitError{exitNotFound, fmt.Errorf("%s: %w", path, err)}
	case errors.Is(err, record.ErrNoReceipt):
		return exitError{exitIndeterminate, fmt.Errorf("%s: %w", path, err)}
	case err != nil:
		return err
	}
	if err := a.putProof(out, p); err != nil {
		return err
	}
	shown := provenEntry{p.Citation, p.Log.String(), p.Index, p.Size, p.Root.String(), p.Received, identity.Sum(p.Entry).String(), out}
	return a.print(shown, func() {
		a.say("%s: entry %d of %s", p.Citation, p.Index, p.Log)
		a.say("in the tree of %d entries with root %s, received %s", p.Size, p.Root, p.Received.Format(time.RFC3339))
		a.tell("%s: entry.age, proof.tlog-proof, policy.txt; the leaf is the RFC 6962 hash of entry.age", out)
	})
}

// putProof writes the files of a proof into a new directory, all or none.
func (a *app) putProof(dir string, p record.Proof) error {
	if !a.dry {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{{"entry.age", p.Entry}, {"proof.tlog-proof", p.Proof}, {"policy.txt", p.Policy}} {
		if err := a.put(filepath.Join(dir, f.name), f.content, 0o600); err != nil {
			return errors.Join(err, os.RemoveAll(dir))
		}
	}
	return nil
}
