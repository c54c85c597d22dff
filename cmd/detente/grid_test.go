package main

import (
	"strings"
	"testing"
)

// Columns line up as a terminal shows them, in Chinese and Arabic too.
func TestGridLinesUp(t *testing.T) {
	var out strings.Builder
	g := &grid{out: &out}
	g.row("线路", "a", "x")
	g.row("line", "b", "y")
	g.row(isolateLTR+"ab"+popIsolate, "أوقفً", "z")
	g.row("alone")
	g.row("", "", "")
	if err := g.flush(); err != nil {
		t.Fatal(err)
	}
	want := "线路  a     x\nline  b     y\n" + isolateLTR + "ab" + popIsolate + "    أوقفً  z\nalone\n\n"
	if out.String() != want {
		t.Errorf("%q, not %q", out.String(), want)
	}
	for text, n := range map[string]int{"": 0, "abc": 3, "警报": 4, "（）": 4, "é": 1, "e\u0301": 1, "أً": 1} {
		if places(text) != n {
			t.Errorf("%q takes %d places, not %d", text, places(text), n)
		}
	}
	if err := g.flush(); err != nil || out.String() != want {
		t.Errorf("a row is written twice, or %v", err)
	}
}
