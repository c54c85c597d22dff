package policy

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pure are the packages that are functions of their arguments and nothing
// else: message and state in, state and consequences out.
var pure = []string{"identity", "message", "book", "dossier", "treaty", "watch", "interop/stix", "interop/reveal"}

// single are the packages whose code runs in the one order its caller gives
// it, so that a seed or a transaction decides everything.
var single = append([]string{"seal", "journal", "record", "simulate"}, pure...)

// outerWorld are the imports that a pure package has no use for. The rest of
// net, such as net/url, only reads text.
var outerWorld = []string{
	"os", "os/exec", "os/signal", "io/ioutil", "net", "net/http", "syscall", "unsafe", "plugin",
	"context", "log", "log/slog", "math/rand", "math/rand/v2", "crypto/rand", "path/filepath", "runtime",
}

// A ban says which names of a package may not be used below cmd.
type ban struct {
	path   string
	names  string   // separated by spaces; "*" for all
	but    string   // what "*" leaves
	except []string // packages that have a reason
	why    string
}

// bans hold below cmd; there the clock, the environment and the logger are
// taken up and handed down.
var bans = []ban{
	{path: "time", names: "Now Since Until", why: "the moment is an argument"},
	// The runner of a station, the transport and the event stream wait in real time.
	{path: "time", names: "Sleep After Tick NewTimer NewTicker AfterFunc", except: []string{"station", "line", "api", "store"}, why: "who waits is the runner"},
	{path: "math/rand", names: "*", but: "New NewSource NewZipf Rand Source Source64 Zipf", why: "randomness is an argument"},
	{path: "math/rand/v2", names: "*", but: "New NewPCG NewChaCha8 NewZipf Rand Source PCG ChaCha8 Zipf", why: "randomness is an argument"},
	// TLS takes its own randomness, whatever certificates are signed with.
	{path: "crypto/rand", names: "*", except: []string{"line"}, why: "randomness is an argument; only age takes its own"},
	// Where the real data of others lies is told to tests by the environment.
	{path: "os", except: []string{"internal/decodertest"}, names: "Getenv LookupEnv Environ ExpandEnv Setenv Exit Stdin Stdout Stderr Args", why: "the surroundings belong to cmd"},
	{path: "flag", names: "*", why: "the surroundings belong to cmd"},
	{path: "fmt", names: "Print Printf Println", why: "standard output belongs to cmd"},
	{path: "log", names: "*", but: "New Logger", why: "the logger is an argument"},
	{path: "log/slog", names: "Default SetDefault Debug DebugContext Info InfoContext Warn WarnContext Error ErrorContext Log LogAttrs With", why: "the logger is an argument"},
}

// forbids says whether the ban is on a name in a package of ours.
func (b ban) forbids(dir, path, name string) bool {
	if b.path != path || slices.Contains(b.except, dir) {
		return false
	}
	if b.names == "*" {
		return !slices.Contains(strings.Fields(b.but), name)
	}
	return slices.Contains(strings.Fields(b.names), name)
}

// checkBans finds names used below cmd that are banned there.
func checkBans(tr *tree) (findings []string) {
	for _, p := range tr.sorted() {
		if p.inCmd() {
			continue
		}
		for _, f := range p.files {
			for n := range ast.Preorder(f.ast) {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					continue
				}
				path, ok := p.packageOf(sel)
				for _, b := range bans {
					if ok && b.forbids(p.dir, path, sel.Sel.Name) {
						findings = append(findings, fmt.Sprintf("%s: uses %s.%s below cmd: %s", tr.at(sel.Pos()), path, sel.Sel.Name, b.why))
					}
				}
			}
		}
	}
	return findings
}

// packageOf returns the path of the package that a selector takes its name
// from; ok is false where it is no package's.
func (p *pkg) packageOf(sel *ast.SelectorExpr) (path string, ok bool) {
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	name, ok := p.info.Uses[x].(*types.PkgName)
	if !ok {
		return "", false
	}
	return name.Imported().Path(), true
}

// covers P10
func TestNothingBelowCmdFetches(t *testing.T) {
	none(t, checkBans(own(t)))
	found(t, checkBans(sample(t,
		"a/a.go", `package a
import ("time"; "math/rand/v2"; clock "time"; "log/slog"; "os")
var f = clock.Now
func g(time struct{ Now int }) int { return time.Now }
func h(l *slog.Logger) int { l.Info("fine"); return rand.New(rand.NewPCG(1, 2)).IntN(3) + rand.IntN(3) }
func i() { slog.Info("not"); _ = os.Getenv("X"); _ = time.Hour }
`,
		"station/a.go", "package station\nimport \"time\"\nvar t = time.NewTimer(time.Since(time.Time{}))\n",
		"cmd/a/a.go", "package main\nimport \"time\"\nvar t = time.Now()\n")),
		"a/a.go:3: uses time.Now", "a/a.go:5: uses math/rand/v2.IntN", "a/a.go:6: uses log/slog.Info", "a/a.go:6: uses os.Getenv",
		"station/a.go:3: uses time.Since")
}

// checkPure finds imports of the outer world in pure packages, and goroutines
// and channels in those that run in one order.
func checkPure(tr *tree) (findings []string) {
	for _, p := range tr.sorted() {
		for _, f := range p.files {
			for _, imp := range f.ast.Imports {
				path, _ := strconv.Unquote(imp.Path.Value)
				if slices.Contains(pure, p.dir) && slices.Contains(outerWorld, path) {
					findings = append(findings, fmt.Sprintf("%s: a pure package imports %s", tr.at(imp.Pos()), path))
				}
			}
			if !slices.Contains(single, p.dir) {
				continue
			}
			for n := range ast.Preorder(f.ast) {
				switch n.(type) {
				case *ast.GoStmt:
					findings = append(findings, tr.at(n.Pos())+": starts a goroutine; "+p.dir+" runs in the order its caller gives it")
				case *ast.SelectStmt, *ast.SendStmt:
					findings = append(findings, tr.at(n.Pos())+": uses a channel; "+p.dir+" runs in the order its caller gives it")
				}
			}
		}
	}
	return findings
}

// covers P10
func TestPurePackages(t *testing.T) {
	none(t, checkPure(own(t)))
	found(t, checkPure(sample(t,
		"book/a.go", "package book\nimport (\"os\"; \"net/url\")\nfunc f(c chan int) { go f(c); c <- 1 }\n",
		"line/a.go", "package line\nimport \"os\"\nfunc f() { go f() }\n")),
		"book/a.go:2: a pure package imports os", "book/a.go:3: starts", "book/a.go:3: uses")
}

// checkGlobals finds init functions, and variables of a package that change
// after it was loaded.
func checkGlobals(tr *tree) (findings []string) {
	for _, p := range tr.sorted() {
		for _, f := range p.files {
			for _, d := range f.ast.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if fn.Recv == nil && fn.Name.Name == "init" {
					findings = append(findings, tr.at(fn.Pos())+": has an init function; construct in main, top to bottom")
				}
				for _, lhs := range assigned(fn) {
					if id := root(lhs); id != nil && p.isGlobal(id) {
						findings = append(findings, fmt.Sprintf("%s: changes the package's variable %s at run time; make it a field", tr.at(lhs.Pos()), id.Name))
					}
				}
			}
		}
	}
	return findings
}

// assigned lists what a function assigns to.
func assigned(fn *ast.FuncDecl) (lhs []ast.Expr) {
	for n := range ast.Preorder(fn) {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				lhs = append(lhs, n.Lhs...)
			}
		case *ast.IncDecStmt:
			lhs = append(lhs, n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				lhs = append(lhs, n.Key, n.Value)
			}
		}
	}
	return lhs
}

// root returns the variable in which an assigned expression lies, or nil.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func (p *pkg) isGlobal(id *ast.Ident) bool {
	v, ok := p.info.Uses[id].(*types.Var)
	return ok && v.Parent() == p.scope
}

func TestNoGlobalState(t *testing.T) {
	none(t, checkGlobals(own(t)))
	found(t, checkGlobals(sample(t,
		"a/a.go", "package a\nvar n int\nvar m = map[int]int{}\nfunc init() {}\n",
		"a/b.go", "package a\nfunc f() { n++ }\nfunc g(n int) { n++; m[n] = 1; for n = range 3 {} }\ntype t struct{}\nfunc (t) init() {}\n")),
		"a/a.go:4: has an init", "a/b.go:2: changes the package's variable n", "a/b.go:3: changes the package's variable m")
}

// checkSleeps finds tests that wait in real time for what they could be told.
// In a testing/synctest bubble time is virtual.
func checkSleeps(tr *tree) (findings []string) {
	for _, p := range tr.sorted() {
		for _, f := range p.tests {
			if slices.ContainsFunc(f.ast.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` }) {
				continue
			}
			for n := range ast.Preorder(f.ast) {
				if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
						findings = append(findings, tr.at(n.Pos())+": a test sleeps; wait for the event, or use testing/synctest")
					}
				}
			}
		}
	}
	return findings
}

func TestNoTestSleeps(t *testing.T) {
	none(t, checkSleeps(own(t)))
	found(t, checkSleeps(sample(t,
		"a/a_test.go", "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }\n",
		"a/b_test.go", "package a\nimport (\"time\"; \"testing/synctest\")\nfunc g() { synctest.Wait(); time.Sleep(1) }\n")),
		"a/a_test.go:3: a test sleeps")
}
