package policy

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere matches what belongs to one machine or workplace and means nothing
// to a stranger's: folders of builders' machines, and hosts of package
// registries, which each client's own settings name.
var elsewhere = regexp.MustCompile(`(?:^|[^A-Za-z0-9_.~/)}*-])/(?:work|root|home/[a-z]+)/|/tmp/ba` + `sh` +
	`|(?:proxy|sum)\.golang` + `\.org|registry\.npmjs` + `\.org|(?:deb|security)\.debian` + `\.org|files\.pythonhosted` + `\.org`)

// checkPaths finds texts that name a machine.
func checkPaths(tr *tree) (findings []string) {
	for _, name := range slices.Sorted(maps.Keys(tr.texts)) {
		for i, line := range bytes.Split(tr.texts[name], []byte("\n")) {
			if hit := elsewhere.Find(line); hit != nil {
				findings = append(findings, fmt.Sprintf("%s:%d: names a machine: %q", name, i+1, hit))
			}
		}
	}
	return findings
}

func TestTextsNameNoMachine(t *testing.T) {
	none(t, checkPaths(own(t)))
	found(t, checkPaths(sample(t,
		"a.md", "See /wo"+"rk/main.\nThe tree's /ro"+"ot/ is $(HOME)/root/x or docs/work/x.\n",
		"b.sh", "curl https://proxy.golang"+".org/x\n")),
		"a.md:1: names a machine", "a.md:2: names a machine", "b.sh:1: names a machine")
}

// ordinary are words that only look as if they spoke of the demonstration.
var ordinary = regexp.MustCompile(`(?i)demo(?:nstr|crac|crat|t|graph|bili|lish)`)

// show matches the name of the demonstration.
var show = regexp.MustCompile(`(?i)demo`)

// checkShow finds code outside cmd that knows the demonstration: it runs the
// programs of the field, and what differs there is the texts it runs under.
func checkShow(tr *tree) (findings []string) {
	knows := func(text string) bool { return show.MatchString(ordinary.ReplaceAllString(text, "")) }
	for _, p := range tr.sorted() {
		if p.inCmd() {
			continue
		}
		for _, f := range p.files {
			for n := range ast.Preorder(f.ast) {
				switch n := n.(type) {
				case *ast.Ident:
					if knows(n.Name) {
						findings = append(findings, fmt.Sprintf("%s: the name %s knows of the demonstration", tr.at(n.Pos()), n.Name))
					}
				case *ast.BasicLit:
					if n.Kind == token.STRING && knows(n.Value) {
						findings = append(findings, fmt.Sprintf("%s: the text %s knows of the demonstration", tr.at(n.Pos()), n.Value))
					}
				}
			}
		}
	}
	return findings
}

func TestNothingKnowsTheDemonstration(t *testing.T) {
	none(t, checkShow(own(t)))
	found(t, checkShow(sample(t,
		"a/a.go", "package a\nvar isDemo = true\nvar s = \"a demo\"\nvar d = \"demonstrably democratic\"\n",
		"cmd/a/a.go", "package main\nvar isDemo = true\n")),
		"a/a.go:2: the name isDemo", "a/a.go:3: the text")
}

// decoders are the packages that read what a stranger wrote. Each has fuzz
// targets.
var decoders = []string{"identity", "message", "seal", "book", "journal", "line", "record", "interop/stix"}

// kinds are the words by which seeds are told apart: names that hold the first,
// or are one of the others.
var kinds = [][]string{
	{"accepted", "good", "valid"},
	{"rejected", "bad", "invalid"},
}

// checkFuzz finds fuzz targets whose file does not name both kinds of seed, and
// decoders without a target: a target that nothing enters, or that refuses
// nothing, tests nothing.
func checkFuzz(tr *tree, decoders []string) (findings []string) {
	for _, dir := range decoders {
		p, targets := tr.pkgs[dir], 0
		if p == nil {
			continue
		}
		for _, f := range p.tests {
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !strings.HasPrefix(fn.Name.Name, "Fuzz") || fn.Recv != nil {
					continue
				}
				targets++
				for _, words := range kinds {
					if !mentions(f, words) {
						findings = append(findings, fmt.Sprintf("%s: %s lists no %s seed; name them so, and let the target assert it", tr.at(fn.Pos()), fn.Name.Name, words[0]))
					}
				}
			}
		}
		if targets == 0 {
			findings = append(findings, dir+": decodes what a stranger wrote and has no fuzz target")
		}
	}
	return findings
}

// mentions says whether a name in the file tells the kind of a seed.
func mentions(f *file, words []string) bool {
	for n := range ast.Preorder(f.ast) {
		id, ok := n.(*ast.Ident)
		if ok && (strings.Contains(strings.ToLower(id.Name), words[0]) || slices.Contains(words[1:], id.Name)) {
			return true
		}
	}
	return false
}

// covers P14
func TestFuzzSeeds(t *testing.T) {
	none(t, checkFuzz(own(t), decoders))
	found(t, checkFuzz(sample(t,
		"a/a_test.go", "package a\nvar accepted, rejected int\nfunc FuzzA() {}\n",
		"a/b_test.go", "package a\nvar acceptedB int // rejected is only told here\nfunc FuzzB() {}\n",
		"a/c_test.go", "package a\nfunc seeds(good, bad []byte) {}\nfunc FuzzC() {}\n",
		"b/b.go", "package b\n"), []string{"a", "b", "c"}),
		"a/b_test.go:3: FuzzB lists no rejected", "b: decodes")
}
