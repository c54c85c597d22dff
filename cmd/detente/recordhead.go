package main

import (
	"time"

	"detente/record"

	"github.com/spf13/cobra"
)

func (a *app) recordHead() *cobra.Command {
	var roots []string
	return verb(about{"head FILE", "how far a line's record goes in each log, offline",
		"Verifies the record of a line as \"record verify\" does, and says of each log how many entries are there\nwithout a gap, which head was receipted last and when, and the largest size that anything in the\nrecord shows. What came after that no record can show: ask the counterpart for its newest head.",
		"  detente record head line.record --root arden.example.root --root boreal.example.root"},
		cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.showHead(args[0], roots) }, func(c *cobra.Command) {
			c.Flags().StringArrayVar(&roots, "root", nil, "a party's .root file, held from a source that you trust; repeat for each party")
		})
}

// showHead says how far a record goes, and ends as its verification does.
func (a *app) showHead(path string, rootFiles []string) error {
	roots, err := readRoots(rootFiles)
	if err != nil {
		return err
	}
	f, size, err := openRecord(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := record.Verify(f, size, roots)
	if err != nil {
		return err
	}
	if r.Kind != record.Line && r.Verdict != record.Invalid {
		return usage("%s: this is the record of a %s: only that of a line says how far it goes", path, r.Kind)
	}
	err = a.print(r.Covers, func() {
		for _, c := range r.Covers {
			at := "never"
			if c.At != nil {
				at = c.At.Format(time.RFC3339)
			}
			a.say("%s: %d entries; head %d receipted %s; largest size known %d", c.Log, c.Size, c.Receipted, at, c.Known)
		}
		a.tell("%s", r.Verdict)
	})
	if code := r.ExitCode(); err == nil && code != 0 {
		err = exitError{code: code}
	}
	return err
}
