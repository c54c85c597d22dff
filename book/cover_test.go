package book_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"detente/book"
)

// Every duty of format 0xx to 4xx that the edition knows has its format, and
// every worked example reads back from six languages.
// covers P13
func TestCover(t *testing.T) {
	e := edition(t)
	needs := []book.Need{
		{By: "article A5", Format: "030"},
		{By: "dossier notice", Dossier: book.KindNotice, Transition: "close"},
		{By: "dossier stop", Dossier: book.KindStop, Transition: "extend"}, // of any dossier
	}
	c := e.Cover(needs)
	examples := 0
	for _, f := range e.Formats() {
		examples += len(f.Examples)
	}
	if !c.OK() || c.Formats != len(e.Formats()) || c.Languages != 6 || c.Renderings != 6*examples || examples < 2*c.Formats {
		t.Errorf("%d formats, %d languages, %d renderings of %d examples; missing %v, faults %v", c.Formats, c.Languages, c.Renderings, examples, c.Missing, c.Faults)
	}
	missing := []book.Need{
		{By: "article A14", Format: "299"},
		{By: "dossier notice", Dossier: book.KindNotice, Transition: "inquire"}, // of an incident
	}
	got := e.Cover(slices.Concat(missing[:1], needs, missing[1:]))
	if !slices.Equal(got.Missing, missing) || got.OK() || got.Renderings != c.Renderings {
		t.Errorf("missing %v, want %v", got.Missing, missing)
	}
	if s := missing[0].String(); s != "article A14 needs format 299" {
		t.Errorf("a need reads %q", s)
	}
}

// copied returns the edition's files, so that a test can break one.
func copied(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	root := os.DirFS("data")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(root, name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What an edition lacks in itself is found, and an example that cannot be shown
// is a fault and no rendering.
func TestLintFinds(t *testing.T) {
	for name, c := range map[string]struct{ file, old, now, want string }{
		"act":        {"formats/230.json", `"act": "request"`, `"act": "threaten"`, "formats/230: \"threaten\" is not in the list act"},
		"acts":       {"formats/031.json", `"answer": "inform"`, `"reply": "inform"`, "formats/031: its act follows from the code \"reply\""},
		"purpose":    {"formats/230.json", `"fr": "Nous vous demandons de cesser`, `"fr": "\u0000Nous`, "formats/230 purpose: its text in fr"},
		"kind":       {"formats/230.json", `"dossier": "stop"`, `"dossier": "stops"`, "formats/230: \"stops\" is no kind"},
		"move":       {"formats/112.json", `"transition": "close"`, `"transition": "change"`, "formats/112: format 111 makes the transition change of notice too"},
		"reply":      {"formats/014.json", `"110",`, ``, "formats/110: format 014 answers it and may not refer to it"},
		"refers":     {"formats/231.json", `"230"`, `"299"`, "formats/231: it refers to format 299"},
		"unanswered": {"formats/013.json", "\"replies\": [\n    \"019\",\n    \"600\"\n  ],", ``, "formats/013: a reply is due and no format answers it"},
		"lead":       {"formats/032.json", `"param": "effective"`, `"param": "note_ref"`, "formats/032: its lead"},
		"followup":   {"formats/220.json", `"after": "next_update"`, `"after": "sometime"`, "formats/220: what follows it"},
		"rule":       {"formats/021.json", `"than": "since"`, `"than": "cause"`, "formats/021 checks: not-before: \"cause\" is not a time"},
		"rule code":  {"formats/111.json", "\"shift\"\n      ]", "\"shifted\"\n      ]", "formats/111 checks: needs: \"shifted\""},
		"shown":      {"formats/112.json", "\"effect\": 1,", "", "formats/112: no example shows effect"},
		"example":    {"formats/231.json", `"answer": "stopped"`, `"answer": "perhaps"`, "formats/231 example 1: format 231, answer"},
		"clocks":     {"edition.json", `"seen_seconds": 900`, `"seen_seconds": 9000`, "edition.json clocks: the times of FLASH"},
		"reply by":   {"formats/270.json", `"param": "urgency"`, `"param": "remarks"`, "formats/270: the time of its reply follows from \"remarks\""},
		"reply code": {"formats/270.json", `"urgent": {`, `"urgently": {`, "formats/270: the times that \"urgently\" sets are none"},
		"apart":      {"formats/275.json", `"than": "source_state"`, `"than": "source"`, "formats/275 checks: apart: \"source\" is not a single value"},
		"label":      {"formats/231.json", `"en": "Grounds"`, `"en": "Grounds: why"`, "formats/231 grounds: its label in en holds a colon"},
	} {
		files := copied(t)
		before := string(files[c.file].Data)
		after := strings.Replace(before, c.old, c.now, 1)
		if after == before {
			t.Fatalf("%s: %q does not stand in %s", name, c.old, c.file)
		}
		files[c.file] = &fstest.MapFile{Data: []byte(after)}
		e, err := book.Load(files)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found := e.Lint()
		if !slices.ContainsFunc(found, func(p book.Problem) bool { return strings.HasPrefix(p.String(), c.want) }) {
			t.Errorf("%s: found %v, want %q", name, found, c.want)
		}
		if name == "example" {
			if cover := e.Cover(nil); len(cover.Faults) != len(book.Langs()) || cover.OK() {
				t.Errorf("faults %v", cover.Faults)
			}
		}
	}
}
