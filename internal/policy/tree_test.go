package policy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// module is the path of this module, as go.mod has it.
const module = "detente"

// A file is one Go source file of the tree.
type file struct {
	name string // slash-separated, from the root of the module
	src  []byte
	ast  *ast.File
}

// A pkg is one directory with Go files in it.
type pkg struct {
	dir   string // slash-separated, from the root of the module
	files []*file
	tests []*file
	info  *types.Info // of files; filled by resolve
	scope *types.Scope
}

// A tree is the source of a module: its packages and all its texts, Go files
// among them.
type tree struct {
	fset  *token.FileSet
	pkgs  map[string]*pkg
	texts map[string][]byte
}

// maxText bounds what is read as text; what is larger is data.
const maxText = 1 << 20

// outside are the directories that are never committed.
var outside = []string{".git", ".tools", "bin", "demo-out", "kill-out", "bench-out"}

// load reads a tree. Go files below a testdata directory are texts only.
func load(fsys fs.FS) (*tree, error) {
	tr := &tree{fset: token.NewFileSet(), pkgs: map[string]*pkg{}, texts: map[string][]byte{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if slices.Contains(outside, name) { // .git is a file where the checkout is a second one
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		if fi, err := d.Info(); err != nil || !fi.Mode().IsRegular() || fi.Size() > maxText {
			return err
		}
		return tr.add(fsys, name)
	})
	if err != nil {
		return nil, err
	}
	for _, p := range tr.pkgs {
		p.resolve(tr.fset)
	}
	return tr, nil
}

func (tr *tree) add(fsys fs.FS, name string) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil || !utf8.Valid(src) {
		return err
	}
	tr.texts[name] = src
	if path.Ext(name) != ".go" || slices.Contains(strings.Split(name, "/"), "testdata") {
		return nil
	}
	parsed, err := parser.ParseFile(tr.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir := path.Dir(name)
	p := tr.pkgs[dir]
	if p == nil {
		p = &pkg{dir: dir}
		tr.pkgs[dir] = p
	}
	f := &file{name: name, src: src, ast: parsed}
	if strings.HasSuffix(name, "_test.go") {
		p.tests = append(p.tests, f)
	} else {
		p.files = append(p.files, f)
	}
	return nil
}

// resolve finds out what each identifier of the package's files means. It
// knows nothing of what other packages declare, and needs nothing of it: which
// package a name is taken from, and whether a variable is the package's or a
// function's own, is decided by this package's text alone.
func (p *pkg) resolve(fset *token.FileSet) {
	p.info = &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	var files []*ast.File
	for _, f := range p.files {
		files = append(files, f.ast)
	}
	conf := types.Config{Importer: emptyPackages{}, Error: func(error) {}}
	checked, err := conf.Check(p.dir, fset, files, p.info)
	_ = err // names that other packages declare are missing here, by design
	p.scope = checked.Scope()
}

// emptyPackages imports every path as a package that declares nothing.
type emptyPackages struct{}

func (emptyPackages) Import(importPath string) (*types.Package, error) {
	name := path.Base(importPath)
	if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = path.Base(path.Dir(importPath))
	}
	p := types.NewPackage(importPath, name)
	p.MarkComplete()
	return p, nil
}

// sorted returns the packages by directory.
func (tr *tree) sorted() []*pkg {
	var all []*pkg
	for _, dir := range slices.Sorted(maps.Keys(tr.pkgs)) {
		all = append(all, tr.pkgs[dir])
	}
	return all
}

func (tr *tree) at(pos token.Pos) string {
	p := tr.fset.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// isMain says whether the package is a program.
func (p *pkg) isMain() bool { return len(p.files) > 0 && p.files[0].ast.Name.Name == "main" }

// inCmd says whether the package is the wiring of a program, where the clock,
// the environment and the default logger are taken from.
func (p *pkg) inCmd() bool {
	return p.dir == "cmd" || strings.HasPrefix(p.dir, "cmd/") || p.isMain()
}

// repository is this module's own tree, read once for all tests.
var repository = sync.OnceValues(func() (*tree, error) { return load(os.DirFS("../..")) })

func own(t *testing.T) *tree {
	t.Helper()
	tr, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// sample makes a tree of the files given as name and content in turn.
func sample(t *testing.T, files ...string) *tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	tr, err := load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// none fails the test for each finding.
func none(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

// found fails the test unless each finding begins with the wanted text beside
// it, and there are as many.
func found(t *testing.T, findings []string, want ...string) {
	t.Helper()
	if len(findings) != len(want) {
		t.Fatalf("got %d findings, want %d:\n%s", len(findings), len(want), strings.Join(findings, "\n"))
	}
	slices.Sort(findings)
	for i := range want {
		if !strings.HasPrefix(findings[i], want[i]) {
			t.Errorf("finding %q does not begin with %q", findings[i], want[i])
		}
	}
}
