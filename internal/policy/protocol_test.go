package policy

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// protocol is the page that a second implementer reads. Its table of limits is
// held to the constants that it names.
const protocol = "docs/protocol.md"

// bounded are the packages whose exported Max… constants the table must list
// all: a limit that only one side knows is a line that stops.
var bounded = []string{"identity", "message", "seal", "journal", "line"}

var limitRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)\\.([A-Za-z]+)` \\| ([^|]+) \\|")

// evaluator computes the constants of this module's packages. Of others it knows
// the units of time and nothing more.
type evaluator struct {
	tr   *tree
	done map[string]*types.Package
}

// Import implements types.Importer.
func (e evaluator) Import(importPath string) (*types.Package, error) {
	if dir, ours := strings.CutPrefix(importPath, module+"/"); ours && e.tr.pkgs[dir] != nil {
		return e.check(dir), nil
	}
	if importPath == "time" {
		return e.units()
	}
	return emptyPackages{}.Import(importPath)
}

// check returns a package of this module with its constants.
func (e evaluator) check(dir string) *types.Package {
	if p := e.done[dir]; p != nil {
		return p
	}
	var files []*ast.File
	for _, f := range e.tr.pkgs[dir].files {
		files = append(files, f.ast)
	}
	conf := types.Config{Importer: e, IgnoreFuncBodies: true, Error: func(error) {}}
	p, err := conf.Check(dir, e.tr.fset, files, nil)
	_ = err // names of packages that it does not know are missing, by design
	e.done[dir] = p
	return p
}

// units is a package time that holds its units.
func (e evaluator) units() (*types.Package, error) {
	if p := e.done["time"]; p != nil {
		return p, nil
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "time.go", `package time
type Duration int64
type Time struct{}
const (
	Nanosecond  Duration = 1
	Microsecond = 1000 * Nanosecond
	Millisecond = 1000 * Microsecond
	Second      = 1000 * Millisecond
	Minute      = 60 * Second
	Hour        = 60 * Minute
)`, 0)
	if err != nil {
		return nil, err
	}
	conf := types.Config{}
	p, err := conf.Check("time", fset, []*ast.File{f}, nil)
	e.done["time"] = p
	return p, err
}

// scales are the units in which the table states sizes and times.
var scales = map[string]int64{
	"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	"ms": int64(time.Millisecond), "s": int64(time.Second), "min": int64(time.Minute), "h": int64(time.Hour),
}

// stated reads a value of the table, such as 65,535 or 2 MiB.
func stated(text string) (int64, error) {
	number, unit, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, err := strconv.ParseInt(strings.ReplaceAll(number, ",", ""), 10, 64)
	scale, known := scales[unit]
	if err != nil || !known {
		return 0, fmt.Errorf("%q is no number with a unit of bytes or time", text)
	}
	return n * scale, nil
}

// checkLimits finds rows of the table that do not say what the code says, and
// exported limits that have no row.
func checkLimits(tr *tree, bounded []string) (findings []string) {
	e := evaluator{tr, map[string]*types.Package{}}
	listed := map[string]bool{}
	_, table, _ := strings.Cut(string(tr.texts[protocol]), "\n## Limits\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, m := range limitRow.FindAllStringSubmatch(table, -1) {
		dir, name := m[1], m[2]
		listed[dir+"."+name] = true
		if tr.pkgs[dir] == nil {
			findings = append(findings, fmt.Sprintf("%s: %s.%s: there is no such package", protocol, dir, name))
			continue
		}
		c, ok := e.check(dir).Scope().Lookup(name).(*types.Const)
		if !ok {
			findings = append(findings, fmt.Sprintf("%s: %s.%s is no constant", protocol, dir, name))
			continue
		}
		want, err := stated(m[3])
		if is, exact := constant.Int64Val(constant.ToInt(c.Val())); err != nil || !exact || is != want {
			findings = append(findings, fmt.Sprintf("%s: %s.%s is stated as %s, and is %v", protocol, dir, name, strings.TrimSpace(m[3]), c.Val()))
		}
	}
	for _, dir := range bounded {
		if tr.pkgs[dir] == nil {
			continue
		}
		scope := e.check(dir).Scope()
		for _, name := range scope.Names() {
			if _, ok := scope.Lookup(name).(*types.Const); ok && strings.HasPrefix(name, "Max") && !listed[dir+"."+name] {
				findings = append(findings, fmt.Sprintf("%s: does not state %s.%s", protocol, dir, name))
			}
		}
	}
	slices.Sort(findings)
	return findings
}

func TestProtocolStatesLimits(t *testing.T) {
	none(t, checkLimits(own(t), bounded))
	found(t, checkLimits(sample(t,
		protocol, "| `z.Other` | 7 | x |\n\n## Limits\n\n| `a.MaxA` | 2 KiB | x |\n| `a.MaxB` | 3 | x |\n| `a.wait` | 90 s | x |\n| `b.MaxC` | 2,049 | x |\n| `a.gone` | 1 | x |\n| `c.X` | 1 | x |\n\n## More\n\n| `z.Other` | 7 | x |\n",
		"a/a.go", "package a\nimport \"time\"\nconst (\n\tMaxA = 2 << 10\n\tMaxB = MaxA + 1\n\twait = 3 * time.Minute / 2\n\tMaxD = 1\n)\n",
		"b/b.go", "package b\nimport \"detente/a\"\nconst MaxC = a.MaxB\n"), []string{"a", "b"}),
		protocol+": a.MaxB is stated as 3, and is 2049", protocol+": a.gone is no constant", protocol+": c.X: there is no such package", protocol+": does not state a.MaxD")
}
