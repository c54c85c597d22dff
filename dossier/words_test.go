package dossier

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"detente/book"
)

// codes reads the codes of a type from the package's own source, so that none is
// added without its words.
func codes(t *testing.T, typ string) []string {
	t.Helper()
	var list []string
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for n := range ast.Preorder(parsed) {
			spec, ok := n.(*ast.ValueSpec)
			if id, is := spec0(spec, ok); !is || id != typ {
				continue
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok {
					s, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					list = append(list, s)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func spec0(spec *ast.ValueSpec, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	id, is := spec.Type.(*ast.Ident)
	if !is {
		return "", false
	}
	return id.Name, true
}

// Every code has a label in each of the six languages, of its own within its
// list, and no label is without its code.
// covers P13
func TestWords(t *testing.T) {
	lists, err := Words()
	if err != nil {
		t.Fatal(err)
	}
	for name, typ := range map[string]string{"kind": "Kind", "stage": "Stage", "act": "Act", "duty": "DutyState", "lead": "LeadKept", "flag": "Flag", "fact": "FactStanding", "rung": "Rung", "tension": "Indicator", "action": "ActionState", "measure": "MeasureState", "agenda": "Why"} {
		var have []string
		labels := make(map[book.Lang][]string)
		for _, c := range lists[name].Codes {
			have = append(have, c.Code)
			for _, lang := range book.Langs() {
				label := c.Label[lang]
				if label == "" || label != strings.TrimSpace(label) || slices.Contains(labels[lang], label) {
					t.Errorf("%s %s in %s: the label %q is missing or taken", name, c.Code, lang, label)
				}
				labels[lang] = append(labels[lang], label)
			}
			if len(c.Label) != len(book.Langs()) {
				t.Errorf("%s %s has labels in %v", name, c.Code, slices.Collect(maps.Keys(c.Label)))
			}
		}
		slices.Sort(have)
		if want := codes(t, typ); len(want) == 0 || !slices.Equal(have, want) {
			t.Errorf("%s has words for\n%v\nand the codes are\n%v", name, have, want)
		}
	}
}

// No word of a dossier speaks of guilt or admission: a stage is where a matter
// stands and no more.
// covers P20
func TestWordsAdmitNothing(t *testing.T) {
	lists, err := Words()
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range lists {
		for _, c := range l.Codes {
			for _, word := range []string{"admit", "admission", "guilt", "fault", "blame", "liab", "breach", "violat"} {
				if strings.Contains(strings.ToLower(c.Label["en"]), word) {
					t.Errorf("%s %s says %q", name, c.Code, c.Label["en"])
				}
			}
		}
	}
}
