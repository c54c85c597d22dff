package policy

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// outlasting are calls of a station whose effect no transaction takes back, with
// the functions that may make them: each asks first whether what is done is only
// tried, or is never asked for by anybody. So every verb can be tried, those
// included that are still to be written.
var outlasting = []struct {
	field, method string
	in            []string
}{
	{"store", "Update", []string{"update", "try", "indexSome"}},
	{"blobs", "Put", []string{"keepBlob"}},
	{"Outlets", "Tell", []string{"TestOutlet", "tell"}},
}

// checkTrials finds functions of the package station that change something past
// what lets a verb be tried.
func checkTrials(tr *tree) (findings []string) {
	p, ok := tr.pkgs["station"]
	if !ok {
		return nil
	}
	for _, f := range p.files {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				to, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				of, ok := to.X.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				for _, o := range outlasting {
					if of.Sel.Name == o.field && to.Sel.Name == o.method && !slices.Contains(o.in, fn.Name.Name) {
						findings = append(findings, fmt.Sprintf("%s: %s calls %s.%s, which changes something even where it is only tried: go by way of %v", tr.at(call.Pos()), fn.Name.Name, o.field, o.method, o.in))
					}
				}
				return true
			})
		}
	}
	return findings
}

func TestVerbsCanBeTried(t *testing.T) {
	found(t, checkTrials(sample(t, "station/a.go", "package station\nfunc (s *Station) Hold() { s.store.Update(nil) }\nfunc (s *Station) update() { s.store.Update(nil) }\nfunc (s *Station) Add() { s.blobs.Put(nil) }\n")),
		"station/a.go:2: Hold calls store.Update", "station/a.go:4: Add calls blobs.Put")
	none(t, checkTrials(own(t)))
}
