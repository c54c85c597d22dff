package policy

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// decoders are the packages that read what a stranger wrote. Each has fuzz
// targets.
var decoders = []string{"identity", "message", "seal", "book", "journal", "line", "record", "treaty", "watch", "interop/stix", "interop/reveal"}

// decoding matches the names of what reads bytes or text into a value.
var decoding = regexp.MustCompile(`^(?:Parse|Open|Read|Join|Decrypt|Unmarshal|Load|Compose)(?:[A-Z]|$)`)

// unfuzzed are the decoders without a target of their own, each with its reason.
var unfuzzed = map[string]string{
	"identity.OpenEndorsed":            "every decoder of an endorsed text opens its note by it, and theirs are tried with every hostile note",
	"identity.PublicKey.UnmarshalText": "it is ParsePublicKey for whichever use the text names; cards and certificates hold such texts",
	"identity.Verifier.Parse":          "it is ParseApproval, remembered",
	"line.MarkFile.Load":               "it reads a file and gives it to ParseMarks",
	"station.ParseOutState":            "it reads a word that the station's own store wrote",
	"station.Station.OpenEra":          "it opens an era; its text is an operator's reason",
	"treaty.Period.UnmarshalText":      "it is ParsePeriod; agreements hold such texts",
	"store.Open":                       "it opens a directory",
	"store.OpenBlobDir":                "it opens a directory",
}

// seedless are the fuzz targets that decode nothing, each with its reason.
var seedless = map[string]string{
	"dossier.FuzzFold":  "any bytes make a record for it, so none is refused",
	"station.FuzzWords": "any text has words or none, so none is refused",
}

// checkFuzz finds fuzz targets that try no seeds, decoders' packages without a
// target, and decoders that no target enters: a target that nothing enters, or
// that refuses nothing, tests nothing.
func checkFuzz(tr *tree, decoders []string, unfuzzed map[string]string) (findings []string) {
	excused := maps.Clone(unfuzzed)
	for _, p := range tr.sorted() {
		if p.inCmd() || strings.HasPrefix(p.dir, "internal/") || isSuite(p.dir) {
			continue
		}
		targets, entered := p.targets()
		for up := path.Dir(p.dir); up != "."; up = path.Dir(up) { // what stands below is fuzzed with what it stands under
			if above := tr.pkgs[up]; above != nil {
				_, more := above.targets()
				maps.Copy(entered, more)
			}
		}
		for _, fn := range targets {
			if _, why := seedless[p.dir+"."+fn.Name.Name]; !why && !p.reach(fn)["Seeds"] {
				findings = append(findings, fmt.Sprintf("%s: %s tries no seeds; give it an accepted and a rejected one by decodertest.Seeds", tr.at(fn.Pos()), fn.Name.Name))
			}
		}
		if len(targets) == 0 && slices.Contains(decoders, p.dir) {
			findings = append(findings, p.dir+": decodes what a stranger wrote and has no fuzz target")
		}
		for _, f := range p.files {
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !isDecoder(fn) {
					continue
				}
				name := p.dir + "." + fullName(fn)
				_, why := excused[name]
				delete(excused, name)
				switch {
				case why && entered[fn.Name.Name] && fn.Recv == nil:
					findings = append(findings, fmt.Sprintf("%s: %s is excused and fuzzed; take the excuse out", tr.at(fn.Pos()), name))
				case !why && !entered[fn.Name.Name]:
					findings = append(findings, fmt.Sprintf("%s: no fuzz target enters %s; write one, or say in unfuzzed why not", tr.at(fn.Pos()), name))
				}
			}
		}
	}
	for name := range excused {
		findings = append(findings, name+": is excused and no decoder")
	}
	slices.Sort(findings)
	return findings
}

// targets returns a package's fuzz targets, and the names of all that they enter
// by whatever helpers of the package's tests.
func (p *pkg) targets() (targets []*ast.FuncDecl, entered map[string]bool) {
	entered = map[string]bool{}
	for name, fn := range p.testFuncs() {
		if !strings.HasPrefix(name, "Fuzz") || fn.Recv != nil {
			continue
		}
		targets = append(targets, fn)
		maps.Copy(entered, p.reach(fn))
	}
	slices.SortFunc(targets, func(a, b *ast.FuncDecl) int { return int(a.Pos() - b.Pos()) })
	return targets, entered
}

func (p *pkg) testFuncs() map[string]*ast.FuncDecl {
	out := map[string]*ast.FuncDecl{}
	for _, f := range p.tests {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				out[fn.Name.Name] = fn
			}
		}
	}
	return out
}

// reach returns the names that a test function uses, by itself or by other
// functions of the package's tests.
func (p *pkg) reach(fn *ast.FuncDecl) map[string]bool {
	funcs, names := p.testFuncs(), map[string]bool{}
	todo := []*ast.FuncDecl{fn}
	for len(todo) > 0 {
		next := todo[0]
		todo = todo[1:]
		for n := range ast.Preorder(next) {
			id, ok := n.(*ast.Ident)
			if !ok || names[id.Name] {
				continue
			}
			names[id.Name] = true
			if helper, ok := funcs[id.Name]; ok {
				todo = append(todo, helper)
			}
		}
	}
	return names
}

// isDecoder says whether an exported function reads bytes or text, by its name
// and by what it takes.
func isDecoder(fn *ast.FuncDecl) bool {
	if !decoding.MatchString(fn.Name.Name) || !exportedReceiver(fn) {
		return false
	}
	for _, field := range fn.Type.Params.List {
		switch t := field.Type.(type) {
		case *ast.Ident:
			if t.Name == "string" {
				return true
			}
		case *ast.ArrayType:
			if e, ok := t.Elt.(*ast.Ident); ok && (e.Name == "byte" || e.Name == "string") {
				return true
			}
		case *ast.SelectorExpr:
			if x, ok := t.X.(*ast.Ident); ok && slices.Contains([]string{"io.Reader", "io.ReaderAt", "fs.FS"}, x.Name+"."+t.Sel.Name) {
				return true
			}
		}
	}
	// A method without arguments reads what its receiver stands for.
	return fn.Recv != nil && fn.Type.Params.NumFields() == 0 && strings.HasPrefix(fn.Name.Name, "Load")
}

// fullName is a function's name, with its receiver's type before it.
func fullName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	if !ok {
		return fn.Name.Name
	}
	return id.Name + "." + fn.Name.Name
}

// covers P14
func TestFuzzSeeds(t *testing.T) {
	none(t, checkFuzz(own(t), decoders, unfuzzed))
	found(t, checkFuzz(sample(t,
		"a/a.go", "package a\nfunc ParseA(b []byte) {}\nfunc ParseB(s string) {}\nfunc OpenC(r io.Reader) {}\nfunc (T) Parse(b []byte) {}\nfunc ReadD(n int) {}\nfunc parse(b []byte) {}\nfunc ParseE(b []byte) {}\n",
		"a/a_test.go", "package a\nfunc FuzzA() { seeds(ParseA) }\nfunc seeds(f any) { decodertest.Seeds(f) }\nfunc FuzzB() { ParseB(\"\") }\nfunc TestC() { OpenC(nil) }\n",
		"b/b.go", "package b\n"), []string{"a", "b", "c"}, map[string]string{"a.T.Parse": "a reason", "a.ParseA": "none", "a.Gone": "none"}),
		"a.Gone: is excused and no decoder", "a/a.go:2: a.ParseA is excused and fuzzed", "a/a.go:4: no fuzz target enters a.OpenC", "a/a.go:8: no fuzz target enters a.ParseE",
		"a/a_test.go:4: FuzzB tries no seeds", "b: decodes")
}
