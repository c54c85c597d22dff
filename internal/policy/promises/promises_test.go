package promises

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// required are the promises that the line keeps from the first release on. The
// others wait for the watch, the agreement and the depositary.
var required = []string{"P1", "P2", "P3", "P4", "P5", "P6", "P8", "P9", "P10", "P11", "P13", "P14", "P15", "P19"}

func TestEachPromiseHasATest(t *testing.T) {
	all, err := Read(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]bool{}
	for _, p := range all {
		held[p.Number] = true
		// The rules of the code base carry a promise, but do not show it kept.
		shown := slices.ContainsFunc(p.Tests, func(test string) bool { return !strings.HasPrefix(test, "internal/policy") })
		if slices.Contains(required, p.Number) && !shown {
			t.Errorf("%s has no test; it promises: %s", p.Number, p.Text)
		}
	}
	for _, r := range required {
		if !held[r] {
			t.Errorf("%s is required but stands not in %s", r, source)
		}
	}
}

func TestRead(t *testing.T) {
	promises := &fstest.MapFile{Data: []byte("# Promises\n| | |\n| --- | --- |\n| P1 | One. |\n| P12 | Twelve. |\n")}
	all, err := Read(fstest.MapFS{
		source: promises,
		"a/a_test.go": {Data: []byte(`package a
// TestOne does much.
//
// covers P1, P12
func TestOne() {}
func TestTwo() {
	// covers P12
}
// covers P1 by what the file holds
var x int
// This covers P12 in passing, which does not count.
func TestThree() {}
`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"P1": {"a.TestOne", "a.a_test.go"}, "P12": {"a.TestOne", "a.TestTwo"}}
	for _, p := range all {
		if !slices.Equal(p.Tests, want[p.Number]) {
			t.Errorf("%s: got %v, want %v", p.Number, p.Tests, want[p.Number])
		}
	}
	var out strings.Builder
	if err := Print(&out, append(all, Promise{Number: "P3", Text: strings.Repeat("x", 200)})); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"P1   One.\n       a.TestOne\n", "P3   " + strings.Repeat("x", 99) + "…\n       no test yet\n"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the table lacks %q:\n%s", line, out.String())
		}
	}

	_, err = Read(fstest.MapFS{source: promises, "a/a_test.go": {Data: []byte("package a\n// covers P99\nfunc TestX() {}\n")}})
	if err == nil || !strings.Contains(err.Error(), "P99") {
		t.Errorf("a promise that nobody made: got error %v", err)
	}
	if _, err = Read(fstest.MapFS{source: {Data: []byte("nothing")}}); err == nil {
		t.Error("a file without promises was accepted")
	}
}
