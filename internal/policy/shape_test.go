package policy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// Soft ceilings. What is longer says why, in a comment "// long: …" directly
// above it.
const (
	maxFileLines = 700 // what a reader can hold; most files have about 150
	maxFuncLines = 70  // about a screen
)

// known are methods whose meaning the standard library fixes.
var known = []string{"Error", "Unwrap", "String", "GoString", "LogValue"}

// checkDocs finds packages without a comment and exported names without one.
// Of a group of constants or variables one comment, over the group, over the
// name or after it, is enough.
func checkDocs(tr *tree) (findings []string) {
	for _, p := range tr.sorted() {
		documented := false
		for _, f := range p.files {
			documented = documented || f.ast.Doc != nil
			if p.isMain() {
				continue
			}
			for _, d := range f.ast.Decls {
				for _, name := range undocumented(d) {
					findings = append(findings, fmt.Sprintf("%s: exported %s has no comment", tr.at(name.Pos()), name.Name))
				}
			}
		}
		if !documented && len(p.files) > 0 {
			findings = append(findings, p.dir+": the package has no comment")
		}
	}
	return findings
}

// undocumented lists the exported names of a declaration that have no comment.
func undocumented(d ast.Decl) (names []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && (d.Recv == nil || !slices.Contains(known, d.Name.Name)) {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
					names = append(names, s.Name)
				}
			case *ast.ValueSpec:
				if s.Doc != nil || s.Comment != nil || d.Doc != nil {
					continue
				}
				for _, n := range s.Names {
					if n.IsExported() {
						names = append(names, n)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver says whether a function is seen from outside: it has no
// receiver, or one of an exported type.
func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	typ := fn.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func TestDocComments(t *testing.T) {
	none(t, checkDocs(own(t)))
	found(t, checkDocs(sample(t,
		"a/a.go", `package a
type T struct{}
func (T) M() {}
func (T) Error() string
type u struct{}
func (u) M() {}
// Two of a kind.
const (
	A = 1
	B = 2
)
const (
	C = 3
	D = 4 // told
)
`,
		"b/b.go", "// Package b is told.\npackage b\n// F is told.\nfunc F() {}\n")),
		"a/a.go:13: exported C", "a/a.go:2: exported T", "a/a.go:3: exported M", "a: the package has no comment")
}

// longReason says whether a comment group ends directly above a line and holds
// a line "long: reason".
func longReason(tr *tree, f *file, pos token.Pos) bool {
	line := tr.fset.Position(pos).Line
	for _, g := range f.ast.Comments {
		if tr.fset.Position(g.End()).Line != line-1 {
			continue
		}
		for _, c := range g.List {
			if rest, ok := strings.CutPrefix(c.Text, "// long: "); ok && strings.TrimSpace(rest) != "" {
				return true
			}
		}
	}
	return false
}

// checkSizes finds files and functions over the soft ceilings that do not say
// why. Generated files are nobody's to read.
func checkSizes(tr *tree) (findings []string) {
	for _, p := range tr.sorted() {
		for _, f := range append(p.files[:len(p.files):len(p.files)], p.tests...) {
			if ast.IsGenerated(f.ast) {
				continue
			}
			if n := bytes.Count(f.src, []byte("\n")); n > maxFileLines && !longReason(tr, f, f.ast.Package) {
				findings = append(findings, fmt.Sprintf("%s: has %d lines, more than %d; split it, or say why in a comment \"// long: …\" directly above the package clause", f.name, n, maxFileLines))
			}
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				n := tr.fset.Position(fn.End()).Line - tr.fset.Position(fn.Pos()).Line + 1
				if n > maxFuncLines && !longReason(tr, f, fn.Pos()) {
					findings = append(findings, fmt.Sprintf("%s: %s has %d lines, more than %d; split it, or say why in a comment \"// long: …\" directly above", tr.at(fn.Pos()), fn.Name.Name, n, maxFuncLines))
				}
			}
		}
	}
	return findings
}

func TestSizes(t *testing.T) {
	none(t, checkSizes(own(t)))
	body := strings.Repeat("\n", maxFuncLines)
	found(t, checkSizes(sample(t,
		"a/a.go", "package a\nfunc f() {"+body+"}\n",
		"a/b.go", "package a\n// g does much.\n// long: one table\nfunc g() {"+body+"}\n",
		"a/c.go", "package a\n// long: not above\n\nfunc h() {"+body+"}\n",
		"a/d.go", "package a\nfunc i() {"+body[1:]+"}\n",
		"a/e.go", "package a"+strings.Repeat("\n", maxFileLines+1),
		"a/f.go", "// long: a list\npackage a"+strings.Repeat("\n", maxFileLines+1))),
		"a/a.go:2: f has", "a/c.go:4: h has", "a/e.go: has 701 lines")
}
