package main

import (
	"bytes"
	"strings"
	"testing"

	"detente/book"
)

// What `book show` gives as examples is what a command takes: each format's
// parameters, typed so, are those of a message again.
func TestExamplesAreTyped(t *testing.T) {
	e, err := book.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, f := range e.Formats() {
		for _, p := range f.Params {
			for _, x := range f.Examples {
				v, ok := x[p.Name]
				if !ok || p.Many {
					continue
				}
				if _, err := e.Compose(f.Number, []string{p.Name + "=" + typed(p, v)}); err != nil {
					t.Errorf("%s %s: %q is refused: %v", f.Number, p.Name, typed(p, v), err)
				}
				tried++
			}
		}
	}
	if tried < 200 {
		t.Errorf("%d examples were tried", tried)
	}
}

// A format reads in six languages, each code with its label.
func TestShowFormat(t *testing.T) {
	for _, lang := range []string{"en", "ru", "zh", "es", "fr", "ar"} {
		var out bytes.Buffer
		a := &app{out: &out, err: &out, langs: []string{lang}}
		e, err := book.Embedded()
		if err != nil {
			t.Fatal(err)
		}
		if err := a.showFormat(e, "211"); err != nil {
			t.Fatal(err)
		}
		f, _ := e.Format("211")
		for _, want := range []string{f.Name[book.Lang(lang)], f.Purpose[book.Lang(lang)], f.Params[0].Label[book.Lang(lang)], "not-ours"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is missing:\n%s", lang, want, out.String())
			}
		}
		if strings.Contains(out.String(), "param-") {
			t.Errorf("%s: a word is missing:\n%s", lang, out.String())
		}
	}
}
