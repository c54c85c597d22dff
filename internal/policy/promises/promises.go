// Package promises reads which test covers which promise. A test says so in a
// comment that begins "covers", such as
//
//	// covers P3, P4
//
// above the test function or inside it, or above the package clause for all
// tests of the file. What the promises say stands in docs/invariants.md.
package promises

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Promise is one row of docs/invariants.md with the tests that cover it.
type Promise struct {
	Number string   // such as P3
	Text   string   // what is promised
	Tests  []string // such as journal.TestAppend, sorted; empty if none
}

// source is the file that holds the promises.
const source = "docs/invariants.md"

var (
	row    = regexp.MustCompile(`(?m)^\| (P[0-9]+) \| (.+) \|$`)
	covers = regexp.MustCompile(`(?m)^\s*covers (P[0-9].*)$`)
	number = regexp.MustCompile(`\bP[0-9]+\b`)
)

// Read returns the promises of the module at root, in the order of
// docs/invariants.md. It fails where a test names a promise that nobody made.
func Read(root fs.FS) ([]Promise, error) {
	text, err := fs.ReadFile(root, source)
	if err != nil {
		return nil, err
	}
	var all []Promise
	at := map[string]int{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		at[m[1]] = len(all)
		all = append(all, Promise{Number: m[1], Text: m[2]})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: holds no promise; a row begins \"| P1 | \"", source)
	}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") || strings.Contains(name, "testdata/") {
			return err
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		found, err := tests(name, src)
		for _, f := range found {
			i, ok := at[f.promise]
			if !ok {
				return fmt.Errorf("%s: %s covers %s, which %s does not hold", name, f.test, f.promise, source)
			}
			all[i].Tests = append(all[i].Tests, f.test)
		}
		return err
	})
	for i := range all {
		slices.Sort(all[i].Tests)
		all[i].Tests = slices.Compact(all[i].Tests)
	}
	return all, err
}

// A cover says that a test covers a promise.
type cover struct{ promise, test string }

// tests lists what the tests of one file cover.
func tests(name string, src []byte) ([]cover, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var out []cover
	for _, g := range f.Comments {
		for _, line := range covers.FindAllStringSubmatch(g.Text(), -1) {
			for _, p := range number.FindAllString(line[1], -1) {
				out = append(out, cover{promise: p, test: path.Dir(name) + "." + holder(f, g, path.Base(name))})
			}
		}
	}
	return out, nil
}

// holder returns the name of the function that a comment stands above or in,
// or else the file's.
func holder(f *ast.File, g *ast.CommentGroup, file string) string {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if fn.Doc == g || fn.Pos() <= g.Pos() && g.End() <= fn.End() {
			return fn.Name.Name
		}
	}
	return file
}

// Print writes the table promise by test, each promise's text cut to a line.
func Print(w io.Writer, all []Promise) error {
	const width = 100 // what fits a terminal beside the number
	for _, p := range all {
		text := []rune(p.Text)
		if len(text) > width {
			text = append(text[:width-1], '…')
		}
		if _, err := fmt.Fprintf(w, "%-4s %s\n", p.Number, string(text)); err != nil {
			return err
		}
		for _, t := range p.Tests {
			if _, err := fmt.Fprintf(w, "       %s\n", t); err != nil {
				return err
			}
		}
		if len(p.Tests) == 0 {
			if _, err := fmt.Fprintln(w, "       no test yet"); err != nil {
				return err
			}
		}
	}
	return nil
}
