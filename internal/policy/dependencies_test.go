package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// dependencies is the table that says why each module is there and who may
// import it. It is the rule and its explanation at once.
const dependencies = "docs/dependencies.md"

// testsOnly is the word by which the table names tests, and suites for them.
const testsOnly = "tests"

var (
	tableRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]*\\| ([^|]+) \\|$")
	quoted   = regexp.MustCompile("`([^`]+)`|tests")
)

// importers reads the table: for each module the packages that may import it.
func importers(table []byte) map[string][]string {
	rows := map[string][]string{}
	for _, m := range tableRow.FindAllStringSubmatch(string(table), -1) {
		rows[m[1]] = []string{}
		for _, q := range quoted.FindAllStringSubmatch(m[2], -1) {
			if q[1] == "" {
				q[1] = testsOnly
			}
			rows[m[1]] = append(rows[m[1]], q[1])
		}
	}
	return rows
}

// checkDependencies finds direct modules without a row in the table, rows
// without a module, and imports that the table does not allow.
func checkDependencies(tr *tree) (findings []string) {
	mod, err := modfile.Parse("go.mod", tr.texts["go.mod"], nil)
	if err != nil {
		return []string{err.Error()}
	}
	if len(mod.Replace) > 0 {
		findings = append(findings, "go.mod: replaces a module; what a stranger builds must be what we built")
	}
	rows := importers(tr.texts[dependencies])
	used := map[string]map[string]bool{}
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		used[r.Mod.Path] = map[string]bool{}
		if rows[r.Mod.Path] == nil {
			findings = append(findings, fmt.Sprintf("go.mod: requires %s, which has no row in %s; say why it is there and who may import it", r.Mod.Path, dependencies))
		}
	}
	for _, p := range tr.sorted() {
		findings = append(findings, tr.foreign(p, p.files, rows, used, p.dir)...)
		findings = append(findings, tr.foreign(p, p.tests, rows, used, testsOnly)...)
	}
	for _, m := range slices.Sorted(maps.Keys(rows)) {
		if used[m] == nil {
			findings = append(findings, fmt.Sprintf("%s: has a row for %s, which go.mod does not require", dependencies, m))
			continue
		}
		for _, who := range rows[m] {
			if !used[m][who] {
				findings = append(findings, fmt.Sprintf("%s: lets %s import %s, which it does not; take it out", dependencies, who, m))
			}
		}
	}
	return findings
}

// foreign notes in used which modules the files import, and finds imports that
// the rows do not allow. Tests may import what has a row.
func (tr *tree) foreign(p *pkg, files []*file, rows map[string][]string, used map[string]map[string]bool, who string) (findings []string) {
	if isSuite(p.dir) {
		who = testsOnly
	}
	for _, f := range files {
		for _, imp := range f.ast.Imports {
			to, _ := strconv.Unquote(imp.Path.Value)
			m := moduleOf(to, used)
			if m == "" {
				continue
			}
			used[m][who] = true
			if who != testsOnly && rows[m] != nil && !slices.Contains(rows[m], who) {
				findings = append(findings, fmt.Sprintf("%s: imports %s, which %s does not allow to %s", tr.at(imp.Pos()), to, dependencies, who))
			}
		}
	}
	return findings
}

// moduleOf returns the module that an import path lies in, or "".
func moduleOf(importPath string, modules map[string]map[string]bool) (longest string) {
	for m := range modules {
		if (importPath == m || strings.HasPrefix(importPath, m+"/")) && len(m) > len(longest) {
			longest = m
		}
	}
	return longest
}

func TestDependencies(t *testing.T) {
	none(t, checkDependencies(own(t)))
	found(t, checkDependencies(sample(t,
		"go.mod", "module detente\nrequire (\n\texample.org/a v1.0.0\n\texample.org/a/b v1.0.0\n\texample.org/c v1.0.0\n\texample.org/d v1.0.0\n)\nreplace example.org/c => ../c\n",
		dependencies, "| `example.org/a` | so | `x`, `y` |\n| `example.org/a/b` | so | tests |\n| `example.org/c` | so | `x` |\n| `example.org/e` | so | `x` |\n",
		"x/x.go", "package x\nimport _ \"example.org/a\"\nimport _ \"example.org/a/b/deep\"\nimport _ \"example.org/c\"\n",
		"x/x_test.go", "package x\nimport _ \"example.org/a/b\"\nimport _ \"example.org/c\"\n")),
		dependencies+": has a row for example.org/e", dependencies+": lets y import example.org/a",
		"go.mod: replaces", "go.mod: requires example.org/d", "x/x.go:3: imports example.org/a/b/deep")
}

// TestOneToolchain holds the Makefile and go.mod to one compiler.
func TestOneToolchain(t *testing.T) {
	tr := own(t)
	mod, err := modfile.Parse("go.mod", tr.texts["go.mod"], nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "GOTOOLCHAIN := " + mod.Toolchain.Name
	if !strings.Contains(string(tr.texts["Makefile"]), want) {
		t.Errorf("the Makefile does not say %q, which go.mod names", want)
	}
}
