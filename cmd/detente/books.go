package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"detente/book"
	"detente/message"

	"github.com/spf13/cobra"
)

// bookFlags say which edition, and in which language.
type bookFlags struct{ dir, lang string }

func (b *bookFlags) addDir(c *cobra.Command) {
	c.Flags().StringVar(&b.dir, "dir", "", "a directory of another edition (default: the one in this program)")
}

func (b *bookFlags) add(c *cobra.Command) {
	b.addDir(c)
	c.Flags().StringVar(&b.lang, "lang", "en", "en, ru, zh, es, fr or ar")
}

// with loads the edition for a command.
func (b *bookFlags) with(do func(*book.Edition, []string) error) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		e, err := book.Embedded()
		if b.dir != "" && err == nil {
			e, err = book.Load(os.DirFS(b.dir))
		}
		if err != nil {
			return exitError{exitUsage, err}
		}
		return do(e, args)
	}
}

func (a *app) bookCommands() *cobra.Command {
	var b bookFlags
	return noun("book", "The signal book",
		verb("list", "list the formats", cobra.NoArgs, b.with(func(e *book.Edition, _ []string) error { return a.formats(e.Formats(), b.lang) }), b.add),
		verb("search WORDS", "find formats by words in any language", cobra.MinimumNArgs(1), b.with(func(e *book.Edition, args []string) error {
			return a.formats(e.Search(strings.Join(args, " ")), b.lang)
		}), b.add),
		verb("show FORMAT", "a format and its parameters, as JSON Schema", cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error {
			schema, err := e.Schema(message.Format(args[0]))
			if err != nil {
				return exitError{exitNotFound, err}
			}
			a.say("%s", schema)
			return nil
		}), b.addDir),
		verb("print", "the whole book in a language", cobra.NoArgs, b.with(func(e *book.Edition, _ []string) error {
			text, err := e.Print(book.Lang(b.lang))
			if err != nil {
				return usage("%v", err)
			}
			_, err = a.out.Write(text)
			return err
		}), b.add),
		verb("lint", "find faults in an edition", cobra.NoArgs, b.with(a.lintBook), b.addDir),
		verb("render FILE", "render a body's bytes", cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error {
			return a.renderBody(e, args[0], b.lang)
		}), b.add),
		verb("parse FILE", "read a rendering in any language back into codes and values", cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error {
			return a.parseText(e, args[0])
		}), b.addDir),
		verb("diff DIR", "what another edition changes", cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error {
			other, err := book.Load(os.DirFS(args[0]))
			if err != nil {
				return exitError{exitUsage, err}
			}
			changes := e.Diff(other)
			return a.print(changes, func() {
				for _, c := range changes {
					a.say("%+v", c)
				}
			})
		}), b.addDir))
}

func (a *app) lintBook(e *book.Edition, _ []string) error {
	found := e.Lint()
	err := a.print(found, func() {
		for _, p := range found {
			a.say("%s", p)
		}
		if len(found) == 0 {
			a.say("edition %s, %s: no fault found", e.Name(), e.Hash())
		}
	})
	if err == nil && len(found) > 0 {
		err = exitError{code: exitInvalid}
	}
	return err
}

func (a *app) renderBody(e *book.Edition, path, lang string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := message.ParseBody(bytes.TrimSuffix(b, []byte("\n")))
	if err != nil {
		return exitError{exitUsage, err}
	}
	text, err := e.Render(f.Body(), book.Lang(lang))
	if err != nil {
		return exitError{exitUsage, err}
	}
	_, err = io.WriteString(a.out, text)
	return err
}

func (a *app) parseText(e *book.Edition, path string) error {
	b, err := os.ReadFile(path)
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
	fmt.Fprintf(a.err, "read in %s\n", l)
	a.say("%s", f.Bytes())
	return nil
}

func (a *app) formats(list []book.Format, lang string) error {
	rows := []map[string]string{}
	for _, f := range list {
		rows = append(rows, map[string]string{"format": string(f.Number), "name": f.Name[book.Lang(lang)], "precedence": f.Usual().String()})
	}
	return a.print(rows, func() {
		for _, r := range rows {
			a.say("%s  %-10s %s", r["format"], r["precedence"], r["name"])
		}
	})
}
