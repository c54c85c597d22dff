package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"detente/api"
	"detente/book"
	"detente/identity"
	"detente/station"

	"github.com/spf13/cobra"
)

// shelf are the commands about the editions that lie in a station.
func (a *app) shelf() []*cobra.Command {
	o := officerFlags{secretFlags: secretFlags{app: a}}
	var out string
	return []*cobra.Command{
		verb(about{"editions", "list the editions in the station, and where each is spoken",
			"Lists the editions of the signal book that lie in the station: the status of each language pack, who\nsigned, and on which lines the station writes in it, now or from a day to come.", "  detente book editions"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.listEditions(c) }),
		verb(about{"install DIR", "bring an edition to the running station",
			"Brings the edition in a directory to the station. It is checked as \"book lint\" and \"book check\" do, and\nread once two officers have signed it with \"book sign\", without a restart and beside those that are read\nalready. A line speaks it once both sides have adopted it (034, 035) and its day has come. Ends with 7\nwhile officers have to sign.", "  detente book install our-edition"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.installEdition(c, args[0]) }, a.changes),
		verb(about{"sign DIR", "sign, as an officer, that an edition is to be read by the station",
			"Signs the edition in a directory with an officer's key, on this machine: what names it is computed here\nfrom its files. \"book get\" fetches the files from the station, to be read first. Ends with 7 while\nanother officer has to sign.",
			"  detente book sign our-edition --key ARD-R-01.key.age --cert ARD-R-01.cert --passphrase-file FILE"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.signEdition(c, args[0], &o) }, o.add, a.changes),
		verb(about{"get HASH", "write the files of an edition in the station into a new directory",
			"Writes the files of an edition that lies in the station, signed or only offered, into a new directory:\nto be compared (\"book diff\"), read and signed. That they are what the hash names is checked here.",
			"  detente book get 9f1c… --out next-edition"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.getEdition(c, args[0], out) }, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&out, "out", "", "a new directory, such as next-edition")
			}),
	}
}

func (a *app) listEditions(c *cobra.Command) error {
	var list []api.Edition
	text, err := a.get(c, "/editions", &list)
	if err != nil {
		return err
	}
	return a.print(text, func() {
		s := a.newSheet()
		for _, e := range list {
			s.edition(e)
		}
		s.flush()
	})
}

// listPacks lists the language packs of an edition.
func (a *app) listPacks(e *book.Edition) error {
	rows := make([]map[string]string, 0, len(book.Langs()))
	for _, l := range book.Langs() {
		rows = append(rows, map[string]string{"language": string(l), "status": e.Status(l)})
	}
	return a.print(rows, func() {
		s := a.newSheet()
		for _, r := range rows {
			s.row(s.id(r["language"]), s.coded("pack_status", r["status"]))
		}
		s.flush()
	})
}

// edition writes an edition, the status of its language packs, and where it is
// spoken.
func (s *sheet) edition(e api.Edition) {
	s.row(s.id(e.Name), s.id(e.Hash), s.editionState(e))
	for _, l := range book.Langs() {
		s.row("", s.id(string(l)), s.coded("pack_status", e.Packs[string(l)]))
	}
	for _, on := range e.Lines {
		how, from := "edition-spoken", "-"
		if !on.Now {
			how = "edition-to-be-spoken"
		}
		if on.From != nil {
			from = s.when(*on.From)
		}
		s.row("", s.id(on.Line), s.p.of(how)+" "+from)
	}
}

func (s *sheet) editionState(e api.Edition) string {
	switch e.State {
	case station.EditionProgram:
		return s.p.of("edition-program")
	case station.EditionOffered:
		return s.p.of("edition-offered")
	}
	return s.p.of("edition-installed", strings.Join(e.Signed, ", "))
}

func (a *app) installEdition(c *cobra.Command, dir string) error {
	pack, err := book.Pack(os.DirFS(dir))
	if err != nil {
		return usage("%s is no edition of a signal book: %v", dir, err)
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var e api.Edition
	if err := cl.do(c.Context(), "POST", "/editions", map[string]any{"pack": pack}, &e); err != nil {
		return err
	}
	return a.showEdition(e, fmt.Sprintf("two officers have to sign it: detente book sign %s --key FILE --cert FILE", dir))
}

// showEdition prints an edition as it stands, and ends with 7 while officers have
// to sign it.
func (a *app) showEdition(e api.Edition, next string) error {
	err := a.print(e, func() {
		s := a.newSheet()
		s.edition(e)
		s.flush()
	})
	if err == nil && e.State == station.EditionOffered {
		a.tell("%s", next)
		err = exitError{code: exitSecondPerson}
	}
	return err
}

func (a *app) signEdition(c *cobra.Command, dir string, o *officerFlags) error {
	edition, err := loadBook(dir)
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var t toSign
	if err := cl.do(c.Context(), "GET", at("/editions/%s/signing", edition.Hash().String()), nil, &t); err != nil {
		return err
	}
	if t.Body != edition.Hash().String() {
		return exitError{exitRefused, fmt.Errorf("the station asks to sign %s, and the files in %s are %s: sign nothing, and report it", t.Body, dir, edition.Hash())}
	}
	r, err := t.request(o.role, "confirm")
	if err != nil {
		return err
	}
	approval, err := o.sign(r)
	if err != nil {
		return err
	}
	if _, err := cl.send(c.Context(), at("/editions/%s/signatures", edition.Hash().String()), approval); err != nil {
		return err
	}
	var list []api.Edition
	if err := cl.do(c.Context(), "GET", "/editions", nil, &list); err != nil {
		return err
	}
	for _, e := range list {
		if e.Hash == edition.Hash().String() {
			return a.showEdition(e, "one more officer has to sign it")
		}
	}
	return nil
}

func (a *app) getEdition(c *cobra.Command, hash, to string) error {
	if to == "" {
		return usage("--out is missing: the new directory that is to be written")
	}
	if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
		return exitError{exitConflict, fmt.Errorf("%s exists, and is not written over: give another --out", to)}
	}
	d, err := digestOf(hash)
	if err != nil {
		return err
	}
	_, pack, err := a.fetchEdition(c, d)
	if err != nil {
		return err
	}
	files, err := book.Unpack(pack)
	if err != nil {
		return err
	}
	for name, text := range files {
		if a.dry {
			break
		}
		path := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return a.print(map[string]any{"hash": hash, "dir": to, "files": len(files)}, func() { a.say("%s: %d files", to, len(files)) })
}

// fetchEdition fetches an edition from the station. That its files are what the
// hash names is checked here; what they say is for two officers to have read.
func (a *app) fetchEdition(c *cobra.Command, d identity.Digest) (*book.Edition, []byte, error) {
	var in api.PackedEdition
	if _, err := a.get(c, at("/editions/%s", d.String()), &in); err != nil {
		return nil, nil, err
	}
	e, err := book.OpenPack(in.Pack)
	if err != nil {
		return nil, nil, fmt.Errorf("the station's answer: %w", err)
	}
	if e.Hash() != d {
		return nil, nil, exitError{exitRefused, fmt.Errorf("the station gives other files for the edition %s: use nothing of them, and report it", d)}
	}
	return e, in.Pack, nil
}

// editionFor returns the edition of a hash: the program's own, or the station's.
func (a *app) editionFor(c *cobra.Command, d identity.Digest) (*book.Edition, error) {
	e, err := book.Embedded()
	if err != nil || e.Hash() == d {
		return e, err
	}
	e, _, err = a.fetchEdition(c, d)
	if err == nil {
		a.tell("read by the edition %s, %s, which lies in the station", e.Name(), d)
	}
	return e, err
}

// spokenOn returns the edition that the station speaks on a line where it is
// another than the program's; false where it is not, or cannot be asked.
func (a *app) spokenOn(c *cobra.Command, line string) (*book.Edition, bool) {
	var list []api.Edition
	if _, err := a.get(c, "/editions", &list); err != nil {
		return nil, false
	}
	for _, e := range list[min(1, len(list)):] {
		for _, on := range e.Lines {
			if on.Line != line || !on.Now {
				continue
			}
			if d, err := identity.ParseDigest(e.Hash); err == nil {
				edition, _, err := a.fetchEdition(c, d)
				return edition, err == nil
			}
		}
	}
	return nil, false
}
