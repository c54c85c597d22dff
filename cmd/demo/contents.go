package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// entry says what a file or directory of the play is.
type entry struct{ name, what string }

// kept is what the play leaves behind, for its reader.
var kept = []entry{
	{"arden.record", "the whole line as Arden exported it, opened: verify it as below"},
	{"boreal.record", "the same line as Boreal exported it"},
	{"Arden/offline/arden.example.root", "Arden's public root key, by which a record is verified"},
	{"Boreal/offline/boreal.example.root", "Boreal's public root key"},
	{"arbiter.state", "where everything on the line stands, made from arden.record and agreement.json alone: what each side promised, owes, met, was late with"},
	{"arden.state", "the same as Arden's station writes it, byte for byte"},
	{"boreal.state", "the same as Boreal's station writes it"},
	{"book/", "the page of the claim (format 270) from the printed signal book, in six languages; a browser prints it on A4"},
	{"terms.txt", "the terms under which the line was opened; both logs name its SHA-256"},
	{"policy.json", "the release policy: how many officers of which roles release what"},
	{"agreement.json", "the agreement that both sides signed, by one hash over six languages"},
	{"agreement-at-boreal.json", "the same, as Boreal received and opened it"},
	{"evidence.stix.json", "the evidence of the incident, a bundle of STIX 2.1"},
	{"evidence-at-boreal", "the same, as Boreal received and opened it"},
	{"guarantee.txt", "the words of the undertakings in six languages; both notes name its SHA-256"},
	{"third-party-report.txt", "the report of a third party, fictional; message 275 names its SHA-256"},
	{"measure.txt", "the measure of the programme in words; its messages name its SHA-256"},
	{"call-sheet.txt", "the evidence that both sides gave for its steps"},
	{"Arden/", "Arden's side: station/ its station with store and settings, station.log what it logged, offline/ the keys that a party keeps apart, mark/ the high-water mark, backup.db the old copy that was put back"},
	{"Boreal/", "Boreal's side, likewise"},
}

// contents writes what lies in the directory, and fails where that is not so:
// each file is named there, and what is named is there.
func (p *play) contents() error {
	var b strings.Builder
	fmt.Fprintf(&b, "What `make demo` left here. All parties are fictional, all keys made for this one run.\n\n")
	for _, k := range kept {
		if k.name == "evidence.stix.json" && os.Getenv("STIX") != "" {
			continue // the file named there stays where it is
		}
		if _, err := os.Stat(filepath.Join(p.Dir, k.name)); err != nil {
			return fmt.Errorf("the contents name a file that is not there: %w", err)
		}
		fmt.Fprintf(&b, "%-36s %s\n", k.name, k.what)
	}
	fmt.Fprintf(&b, `
From the directory above, without a station or a network:

  bin/detente record verify %[1]s/arden.record --root %[1]s/Arden/offline/arden.example.root \
      --root %[1]s/Boreal/offline/boreal.example.root
  bin/detente record show   %[1]s/arden.record --root %[1]s/Arden/offline/arden.example.root \
      --root %[1]s/Boreal/offline/boreal.example.root --lang en,ar
  bin/detente record state  %[1]s/arden.record --root %[1]s/Arden/offline/arden.example.root \
      --root %[1]s/Boreal/offline/boreal.example.root --agreement %[1]s/agreement.json --out again.state
`, outDir)
	if err := p.allNamed(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.Dir, "README.txt"), []byte(b.String()), 0o644)
}

// allNamed checks that the contents name each file.
func (p *play) allNamed() error {
	return filepath.WalkDir(p.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(p.Dir, path)
		if err != nil {
			return err
		}
		named := slices.ContainsFunc(kept, func(k entry) bool {
			return rel == k.name || strings.HasSuffix(k.name, "/") && strings.HasPrefix(rel, k.name)
		})
		if !named {
			return fmt.Errorf("the contents do not name %s", rel)
		}
		return nil
	})
}
