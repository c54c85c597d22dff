package main

import (
	"bytes"
	"encoding/json/jsontext"
	"io"
	"os"
	"strings"

	"detente/book"
	"detente/dossier"
	"detente/message"

	"github.com/spf13/cobra"
)

// bookFlags say which edition is meant.
type bookFlags struct{ dir string }

func (b *bookFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&b.dir, "dir", "", "directory of another edition (default: the one in this program)")
}

// with loads the edition for a command.
func (b *bookFlags) with(do func(*book.Edition, []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		e, err := book.Embedded()
		if b.dir != "" && err == nil {
			e, err = loadBook(b.dir)
		}
		if err != nil {
			return err
		}
		return do(e, args)
	}
}

func loadBook(dir string) (*book.Edition, error) {
	e, err := book.Load(os.DirFS(dir))
	if err != nil {
		return nil, usage("%s is no edition of a signal book: %v", dir, err)
	}
	return e, nil
}

func (a *app) bookCommands() *cobra.Command {
	var b bookFlags
	c := noun(about{"book", "the signal book: formats, code lists, texts in six languages",
		"The signal book says which messages there are and how they read in English, Russian, Chinese,\nSpanish, French and Arabic. A station may hold several editions: \"editions\", \"install\", \"sign\" and\n\"get\" are about those. The other commands need no station.", "  detente book list --lang fr"},
		verb(about{"list", "list the formats", "Lists the formats with their usual precedence.", "  detente book list --lang ru"},
			cobra.NoArgs, b.with(func(e *book.Edition, _ []string) error { return a.formats(e.Formats()) }), b.add),
		verb(about{"search WORDS", "find formats by words in any language", "Finds formats whose number, name or labels hold the words, in any of the six languages.", "  detente book search обмен\n  detente book search inquiry"},
			cobra.MinimumNArgs(1), b.with(func(e *book.Edition, args []string) error { return a.formats(e.Search(strings.Join(args, " "))) }), b.add),
		verb(about{"show FORMAT", "show what a format says and how it is filled in",
			"Shows what a format says, which messages it answers, and its parameters, each with its codes or an\nexample of its value, in the first language of --lang. With --json: the parameters as JSON Schema\n(2020-12).", "  detente book show 210\n  detente book show 211 --lang ru"},
			cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error { return a.showFormat(e, args[0]) }), b.add),
		a.printBook(&b), a.proposeBook(&b),
		verb(about{"packs", "say how far the texts of each language are: draft, checked or agreed",
			"Lists the six language packs of an edition. A draft is nobody's word but its makers'; checked is what\nlanguage officers of both sides have read; agreed is what both sides hold to say the same. The code line\nbinds, whatever the status. \"book editions\" says the same of the editions in a station.", "  detente book packs --lang fr\n  detente book packs --dir next-edition --json"},
			cobra.NoArgs, b.with(func(e *book.Edition, _ []string) error { return a.listPacks(e) }), b.add),
		verb(about{"lint", "find faults in an edition", "Looks for faults in an edition: missing languages, texts that read alike, codes without a meaning.\nEnds with 5 where there are any.", "  detente book lint --dir our-edition"},
			cobra.NoArgs, b.with(a.lintBook), b.add),
		verb(about{"check", "check that every duty and every turn of a matter has its format, in six languages",
			"Checks that the edition has a format for each turn that a matter can take and for each duty, and\nthat every worked example reads back exactly from each of the six languages. Ends with 5 where\nanything is missing.", "  detente book check --dir our-edition"},
			cobra.NoArgs, b.with(a.checkBook), b.add),
		verb(about{"render FILE", "print a message's text from its bytes", "Reads the bytes of a message's body and prints what they say. \"-\" reads standard input.", "  detente book render body.json --lang es"},
			cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error { return a.renderBody(e, args[0]) }), b.add),
		verb(about{"parse FILE", "read a text in any language back into codes and values", "Reads a rendering, in whichever of the six languages, and prints the bytes that say the same.\n\"-\" reads standard input.", "  detente book parse message.txt"},
			cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error { return a.parseText(e, args[0]) }), b.add),
		verb(about{"diff DIR", "say what another edition changes", "Compares this edition with the one in a directory and lists what differs.", "  detente book diff our-edition"},
			cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error { return a.diffBooks(e, args[0]) }), b.add))
	c.AddCommand(a.shelf()...)
	return c
}

func (a *app) diffBooks(e *book.Edition, dir string) error {
	other, err := loadBook(dir)
	if err != nil {
		return err
	}
	changes := e.Diff(other)
	return a.print(changes, func() {
		for _, c := range changes {
			a.say("%+v", c)
		}
		if len(changes) == 0 {
			a.tell("the editions do not differ")
		}
	})
}

func (a *app) showFormat(e *book.Edition, number string) error {
	schema, err := e.Schema(message.Format(number))
	if err != nil {
		return exitError{exitUnknownFormat, err}
	}
	return a.print(map[string]any{"format": number, "parameters": jsontext.Value(schema)}, func() {
		s := a.newSheet()
		s.book = e
		if f, ok := e.Format(message.Format(number)); ok {
			s.formatSheet(e, f)
		}
	})
}

// readInput reads a file, or standard input for "-".
func (a *app) readInput(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(a.in, maxInput))
	}
	return os.ReadFile(path)
}

// maxInput bounds what is read from standard input: no message is larger.
const maxInput = 1 << 20

func (a *app) lintBook(e *book.Edition, _ []string) error {
	found := e.Lint()
	err := a.print(found, func() {
		for _, p := range found {
			a.say("%s", p)
		}
		if len(found) == 0 {
			a.tell("edition %s, %s: no fault found", e.Name(), e.Hash())
		}
	})
	if err == nil && len(found) > 0 {
		err = exitError{code: exitInvalid}
	}
	return err
}

func (a *app) checkBook(e *book.Edition, _ []string) error {
	c := e.Cover(dossier.Needs())
	result := struct {
		Formats    int      `json:"formats"`
		Languages  int      `json:"languages"`
		Renderings int      `json:"renderings"`
		Missing    []string `json:"missing"`
		Faults     []string `json:"faults"`
	}{c.Formats, c.Languages, c.Renderings, []string{}, []string{}}
	for _, n := range c.Missing {
		result.Missing = append(result.Missing, n.String())
	}
	for _, f := range c.Faults {
		result.Faults = append(result.Faults, f.String())
	}
	err := a.print(result, func() {
		for _, what := range append(result.Missing, result.Faults...) {
			a.say("%s", what)
		}
		a.say("book: formats=%d languages=%d renderings=%d missing=%d", c.Formats, c.Languages, c.Renderings, len(c.Missing))
	})
	if err == nil && !c.OK() {
		err = exitError{code: exitInvalid}
	}
	return err
}

func (a *app) renderBody(e *book.Edition, path string) error {
	b, err := a.readInput(path)
	if err != nil {
		return err
	}
	f, err := message.ParseBody(bytes.TrimSuffix(b, []byte("\n")))
	if err != nil {
		return exitError{exitUsage, err}
	}
	texts := make(map[string]string)
	for _, l := range a.langs {
		if texts[l], err = e.Render(f.Body(), book.Lang(l)); err != nil {
			return exitError{exitUsage, err}
		}
	}
	return a.print(map[string]any{"digest": f.Digest().String(), "texts": texts}, func() { a.texts(texts) })
}

func (a *app) parseText(e *book.Edition, path string) error {
	b, err := a.readInput(path)
	if err != nil {
		return err
	}
	body, l, err := e.Parse(string(b))
	if err != nil {
		return exitError{exitUsage, err}
	}
	f, err := body.Freeze()
	if err != nil {
		return exitError{exitUsage, err}
	}
	return a.print(map[string]any{"language": l, "body": jsontext.Value(f.Bytes()), "digest": f.Digest().String()}, func() {
		a.tell("read in %s", l)
		a.say("%s", f.Bytes())
	})
}

func (a *app) formats(list []book.Format) error {
	rows := []map[string]string{}
	for _, f := range list {
		rows = append(rows, map[string]string{"format": string(f.Number), "name": f.Name[a.lang()], "precedence": f.Usual().String()})
	}
	return a.print(rows, func() {
		for _, r := range rows {
			a.say("%s  %-10s %s", r["format"], r["precedence"], r["name"])
		}
	})
}
