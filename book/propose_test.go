package book

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"detente/message"
)

// changed returns this program's edition with files changed, added or, where the
// change returns none, left out.
func changed(t *testing.T, change func(name, text string) (string, bool)) *Edition {
	t.Helper()
	files := make(fstest.MapFS)
	err := fs.WalkDir(embedded, "data", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(embedded, name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "data/")
		if now, ok := change(name, string(text)); ok {
			files[name] = &fstest.MapFile{Data: []byte(now)}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// An edition says of each of its parts how it changes another: by its words
// alone, in its meaning, new or dropped.
func TestPropose(t *testing.T) {
	base, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	next := changed(t, func(name, text string) (string, bool) {
		switch name {
		case "formats/240.json":
			return "", false
		case "formats/210.json":
			return strings.Replace(text, `"en": "Inquiry: unexplained activity"`, `"en": "Inquiry about unexplained activity"`, 1), true
		case "formats/600.json":
			return strings.Replace(text, `"max": 4000`, `"max": 3000`, 1), true
		}
		return text, true
	})
	p := base.Propose(next)
	if got, want := fmt.Sprint(p.Changes), "[{formats/210 wording} {formats/240 dropped} {formats/600 meaning}]"; got != want {
		t.Errorf("it changes %s, and should change %s", got, want)
	}
	if back := next.Propose(base); back.Changes[1] != (Nature{"formats/240", ChangeNew}) {
		t.Errorf("the other way: %v", back.Changes)
	}
	if p.Edition == p.Base || len(base.Propose(base).Changes) != 0 || p.Packs["ar"] != base.Status("ar") {
		t.Errorf("%+v", p)
	}
	if same := changed(t, func(_, text string) (string, bool) { return text, true }); same.Hash() != base.Hash() {
		t.Error("the same files make another edition")
	}
}

// A page of the book is printed by itself in each language, the right way round,
// with a worked example that reads back.
// covers P13
func TestPrintOneFormat(t *testing.T) {
	e, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	f, _ := e.Format("270")
	for _, l := range Langs() {
		page, err := e.Print(l, "270")
		if err != nil {
			t.Fatal(err)
		}
		text := string(page)
		for _, want := range []string{"size: A4", fmt.Sprintf(`lang="%s"`, l), f.Name[l], captions[l].Example, e.Hash().String()} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not on the page", l, want)
			}
		}
		if strings.Count(text, "<section>") != 1 || strings.Contains(text, `dir="rtl"`) != (l == "ar") {
			t.Errorf("%s: the page is another", l)
		}
	}
	if _, err := e.Print("en", message.Format("999")); err == nil {
		t.Error("a format that there is not was printed")
	}
}
