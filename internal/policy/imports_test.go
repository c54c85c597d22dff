package policy

import (
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// order says which package may import which. In "a < b" package b, and all
// that stands above b, may import a, and all that stands below a; two packages
// that are not connected so may not import each other. "/..." stands for every
// package below a directory. A directory whose name ends in "test" holds a
// suite for others' tests: it may import its parent and what that may import.
const order = `
	# Words, names and keys; the closed envelope.
	NONE < identity < seal;

	# What is said, in which words, and what it means. Pure: see purity_test.go.
	identity < message < book < dossier;

	# What is owed. It reads messages by itself, and needs no matter to be folded.
	book < treaty;

	# Who sits at the lines and what they are told. Pure too.
	book < watch;

	# Logs hold bytes; they do not know what is said in them.
	identity < journal;

	# Who keeps copies: what mirrors need beyond what a verifier links.
	journal < journal/mirror;

	# How it travels.
	journal, message < line;

	# What anybody can verify offline. It stands beside line, not above it, so
	# that a verifier carries nothing that talks.
	journal, dossier, treaty, seal < record;

	# Evidence, read in words and formats that are already known here; and the
	# ways by which a notice leaves the station. Neither knows the other.
	book < interop/stix, interop/outlet;

	# What is committed to now and shown later, object by object; hashes alone.
	identity < interop/reveal;

	# One agency's service.
	line, record, journal/mirror, watch, interop/stix, interop/reveal < station;

	# Stores implement interfaces that station and journal declare.
	station < store, store/memory;

	# The faces of a station, and the machine that tries to break it.
	station < api;
	store/memory < simulate;

	# Programs wire all of it together.
	api, store, simulate, interop/outlet < cmd/...;

	# What plays with whole stations, as processes, knows them from outside.
	book, line, seal < cmd/internal/rig < cmd/demo, cmd/kill, cmd/bench;

	# But for what writes a long log for the benchmark while they stand still.
	cmd/internal/rig, store < cmd/internal/filler < cmd/bench;

	# Records with planted fraud, made by real stations in the same process.
	store < cmd/internal/tribunal < cmd/tribunal;
	store/memory < cmd/internal/tribunal;

	# The table of promises and tests.
	NONE < internal/policy, internal/policy/promises;
	internal/policy/promises < internal/policy/cmd-invariants;
`

// unreachable says what must not be linked in with a package, however many
// imports away.
const unreachable = `
	# A verifier that cannot talk cannot be made to tell (P19).
	record !< net, net/http, crypto/tls, os/exec, net/smtp, net/rpc;
	record !< line, station, store, api;

	# The pure packages: no way out.
	identity, message, book, dossier, treaty, watch, seal, interop/stix, interop/reveal !< net/http, crypto/tls, os/exec;

	# Logs decide over a transaction; the wire is not theirs.
	journal !< line, station, store, api, message;

	# No shipped program has a clock switch, an authenticator of its own making
	# or a test in it.
	cmd/detente !< simulate, testing, github.com/descope/virtualwebauthn;
`

// A ranking holds, for each package, those that it may import.
type ranking map[string]map[string]bool

// clauses splits a policy into its clauses, without comments.
func clauses(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		lines = append(lines, strings.TrimSpace(line))
	}
	var out []string
	for c := range strings.SplitSeq(strings.Join(lines, " "), ";") {
		if c = strings.TrimSpace(c); c != "" {
			out = append(out, c)
		}
	}
	return out
}

func list(text string) []string {
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "NONE" {
			names = append(names, name)
		}
	}
	return names
}

// rank reads an order.
func rank(text string) ranking {
	r := ranking{}
	for _, c := range clauses(text) {
		var below []string
		for part := range strings.SplitSeq(c, "<") {
			names := list(part)
			for _, name := range names {
				if r[name] == nil {
					r[name] = map[string]bool{}
				}
				for _, b := range below {
					r[name][b] = true
				}
			}
			below = names
		}
	}
	for mid := range r { // the transitive closure
		for name := range r {
			if !r[name][mid] {
				continue
			}
			for low := range r[mid] {
				r[name][low] = true
			}
		}
	}
	return r
}

// row returns the name under which a package stands in the ranking.
func (r ranking) row(dir string) (string, bool) {
	if _, ok := r[dir]; ok {
		return dir, true
	}
	for up := path.Dir(dir); up != "."; up = path.Dir(up) {
		if _, ok := r[up+"/..."]; ok {
			return up + "/...", true
		}
	}
	return "", false
}

// testers are what tries to break a station, or its verifier: they are no part of
// the program, and use what tests use.
var testers = []string{"simulate", "cmd/internal/tribunal"}

// isSuite says whether a directory holds a suite for others' tests.
func isSuite(dir string) bool { return strings.HasSuffix(path.Base(dir), "test") }

// may says whether a package may import another one of this module.
func (r ranking) may(from, to string) error {
	if isSuite(to) && slices.Contains(testers, from) {
		to = path.Dir(to) // a suite stands where its package stands
	}
	if isSuite(to) {
		return fmt.Errorf("only tests may import %s", to)
	}
	home := from
	if isSuite(from) {
		if home = path.Dir(from); home == to {
			return nil
		}
	}
	row, ok := r.row(home)
	if !ok {
		return fmt.Errorf("%s has no place in the import policy; give it one in internal/policy/imports_test.go", home)
	}
	if !r[row][to] {
		return fmt.Errorf("%s does not stand above %s in the import policy", row, to)
	}
	return nil
}

// checkOrder finds imports between packages of this module that the order does
// not allow, packages without a place in it, and places without a package.
func checkOrder(tr *tree, text string) (findings []string) {
	r := rank(text)
	for _, p := range tr.sorted() {
		if _, ok := r.row(p.dir); !ok && !isSuite(p.dir) {
			findings = append(findings, p.dir+": has no place in the import policy; give it one in internal/policy/imports_test.go")
			continue
		}
		for _, f := range p.files {
			for _, imp := range f.ast.Imports {
				to, _ := strconv.Unquote(imp.Path.Value)
				rel, ours := strings.CutPrefix(to, module+"/")
				if imp.Name != nil && imp.Name.Name == "." {
					findings = append(findings, fmt.Sprintf("%s: imports %s into its own scope; give the names their package", tr.at(imp.Pos()), to))
				}
				if !ours {
					continue
				}
				if err := r.may(p.dir, rel); err != nil {
					findings = append(findings, fmt.Sprintf("%s: imports %s: %v", tr.at(imp.Pos()), rel, err))
				}
			}
		}
	}
	for name := range r {
		if _, ok := tr.pkgs[name]; !ok && !strings.HasSuffix(name, "/...") {
			findings = append(findings, name+": has a place in the import policy but no files; take it out")
		}
	}
	slices.Sort(findings)
	return findings
}

// covers P19
func TestImportPolicy(t *testing.T) {
	none(t, checkOrder(own(t), order))

	tr := sample(t,
		"low/a.go", "package low\n",
		"high/a.go", "package high\nimport _ \"detente/low\"\n",
		"beside/a.go", "package beside\nimport _ \"detente/low\"\nimport _ \"detente/high\"\n",
		"high/hightest/a.go", "package hightest\nimport _ \"detente/low\"\nimport _ \"detente/high\"\nimport . \"strings\"\n",
		"cmd/x/a.go", "package main\nimport _ \"detente/high/hightest\"\n",
		"stranger/a.go", "package stranger\n",
	)
	found(t, checkOrder(tr, "NONE < low < high, beside; high < cmd/...; low < gone"),
		"beside/a.go:3: imports high", "cmd/x/a.go:2: imports high/hightest: only tests",
		"gone: has a place", "high/hightest/a.go:4: imports strings into", "stranger: has no place")
}

// imports asks the go command for what is linked in with a package: for each
// package its direct imports.
func imports(t *testing.T, pkg string) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, pkg)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	graph := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		graph[words[0]] = words[1:]
	}
	return graph
}

// way returns the shortest chain of imports between two packages, or nil.
func way(graph map[string][]string, from, to string) []string {
	before := map[string]string{from: ""}
	for next := []string{from}; len(next) > 0; next = next[1:] {
		at := next[0]
		if at == to {
			var chain []string
			for ; at != ""; at = before[at] {
				chain = append(chain, at)
			}
			slices.Reverse(chain)
			return chain
		}
		for _, imp := range graph[at] {
			if _, seen := before[imp]; !seen {
				before[imp] = at
				next = append(next, imp)
			}
		}
	}
	return nil
}

// full returns the import path of a name of the policy.
func full(tr *tree, name string) string {
	if _, ok := tr.pkgs[name]; ok {
		return module + "/" + name
	}
	return name
}

// covers P19
func TestUnreachable(t *testing.T) {
	tr := own(t)
	for _, c := range clauses(unreachable) {
		from, to, ok := strings.Cut(c, "!<")
		if !ok {
			t.Fatalf("clause %q has no !<", c)
		}
		for _, f := range list(from) {
			graph := imports(t, full(tr, f))
			for _, forbidden := range list(to) {
				if chain := way(graph, full(tr, f), full(tr, forbidden)); chain != nil {
					t.Errorf("%s must not reach %s, but does:\n\t%s", f, forbidden, strings.Join(chain, "\n\t"))
				}
			}
		}
	}
	graph := map[string][]string{"a": {"b", "c"}, "b": {"a"}, "c": {"d"}}
	if got := way(graph, "a", "d"); !slices.Equal(got, []string{"a", "c", "d"}) {
		t.Errorf("way from a to d: got %v", got)
	}
	if got := way(graph, "b", "e"); got != nil {
		t.Errorf("way from b to e: got %v, want none", got)
	}
}
