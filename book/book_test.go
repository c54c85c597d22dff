package book_test

import (
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"detente/book"
	"detente/book/booktest"
	"detente/message"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func edition(t testing.TB) *book.Edition {
	t.Helper()
	e, err := book.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestLint(t *testing.T) {
	e := edition(t)
	for _, p := range e.Lint() {
		t.Error(p)
	}
	if n := len(e.Formats()); n < 40 {
		t.Errorf("the book has %d formats", n)
	}
}

// From every rendering in every language exactly the message comes back, and no
// two messages render alike: not even those that differ in one thing and bear
// one id, nor to an eye that sees nothing hidden.
// covers P13 P14
func TestRenderingsReadBack(t *testing.T) {
	e := edition(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range e.Formats() {
		s := seen{t: t, e: e, renderings: make(map[string]string), codes: make(map[string]string)}
		for range 4 {
			b := booktest.Body(e, f, r)
			s.message(b, book.Langs()...)
			for _, n := range booktest.Near(e, f, b, r) {
				s.message(n, book.Langs()[r.IntN(6)]) // the text tells them apart in all, and is read in one
			}
		}
		if len(s.codes) < 40 {
			t.Errorf("%s: only %d messages were tried", f.Number, len(s.codes))
		}
	}
}

// seen is every message that was rendered, by what an eye sees of it.
type seen struct {
	t                 *testing.T
	e                 *book.Edition
	renderings, codes map[string]string // to the frozen bytes
}

// message renders a message in all languages and reads it back from some.
func (s seen) message(b message.Body, back ...book.Lang) {
	frozen, err := b.Freeze()
	if err != nil {
		s.t.Fatalf("%s: %v", b.Format, err)
	}
	code, err := s.e.Code(frozen.Body())
	if err != nil || strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r > '~' }) {
		s.t.Errorf("%s: code line %q, %v", b.Format, code, err)
	}
	s.once(s.codes, code, frozen)
	for _, l := range book.Langs() {
		text, err := s.e.Render(frozen.Body(), l)
		if err != nil {
			s.t.Fatalf("%s in %s: %v", b.Format, l, err)
		}
		shown := text
		if l == "ar" {
			shown = strings.NewReplacer("\u2066", "", "\u2069", "").Replace(text)
		}
		if strings.ContainsFunc(strings.ReplaceAll(shown, "\n", ""), message.Hidden) {
			s.t.Errorf("%s in %s: something hidden stands in %q", b.Format, l, text)
		}
		s.once(s.renderings, shown, frozen)
		if !slices.Contains(back, l) {
			continue
		}
		got, lang, err := s.e.Parse(text)
		if err != nil {
			s.t.Fatalf("%s in %s: %v\n%s", b.Format, l, err, text)
		}
		again, err := got.Freeze()
		if err != nil || lang != l || !bytes.Equal(again.Bytes(), frozen.Bytes()) {
			s.t.Fatalf("%s in %s came back as\n%s\nfor\n%s\n%v", b.Format, l, again.Bytes(), frozen.Bytes(), err)
		}
	}
}

// once checks that a text is that of one message.
func (s seen) once(all map[string]string, text string, m message.Frozen) {
	if before, ok := all[text]; ok && before != string(m.Bytes()) {
		s.t.Errorf("one text for two messages:\n%s\nis\n%s\nand\n%s", text, before, m.Bytes())
	}
	all[text] = string(m.Bytes())
}

// A rendering with a line missing, doubled or changed is not read.
// covers P13
func TestParseRefuses(t *testing.T) {
	e := edition(t)
	r := rand.New(rand.NewPCG(3, 4))
	for _, f := range e.Formats() {
		text, err := e.Render(booktest.Body(e, f, r), "ru")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
		for i := range lines {
			doubled := strings.Join(append(append(append([]string{}, lines[:i+1]...), lines[i]), lines[i+1:]...), "") + "\n"
			if b, _, err := e.Parse(doubled); err == nil && i != len(lines)-1 && len(b.Refs) < 2 {
				t.Errorf("%s: line %d doubled reads as %v", f.Number, i+1, b)
			}
		}
		if _, _, err := e.Parse(text + "more: text\n"); err == nil {
			t.Errorf("%s: a line too many is read", f.Number)
		}
		if _, _, err := e.Parse(strings.TrimSuffix(text, "\n")); err == nil {
			t.Errorf("%s: a cut line is read", f.Number)
		}
	}
}

// covers P14
func TestCheckRefuses(t *testing.T) {
	e := edition(t)
	good, ok := e.Format("210")
	if !ok {
		t.Fatal("there is no format 210")
	}
	for name, change := range map[string]func(map[string]jsontext.Value){
		"effect": func(p map[string]jsontext.Value) { p["effect"] = jsontext.Value("6") },
		"kind":   func(p map[string]jsontext.Value) { p["kind"] = jsontext.Value(`"magic"`) },
		"window": func(p map[string]jsontext.Value) {
			p["window"] = jsontext.Value(`{"from":"2026-11-23T15:00:00Z","to":"2026-11-23T14:00:00Z","zone":"UTC"}`)
		},
		"by":            func(p map[string]jsontext.Value) { p["by"] = jsontext.Value(`"2026-06-30T23:59:60Z"`) },
		"ask":           func(p map[string]jsontext.Value) { delete(p, "ask") },
		"surplus":       func(p map[string]jsontext.Value) { p["surplus"] = jsontext.Value(`"x"`) },
		"concern":       func(p map[string]jsontext.Value) { p["concern"] = jsontext.Value(`7`) },
		"source_assets": func(p map[string]jsontext.Value) { p["source_assets"] = jsontext.Value(`["=cmd()"]`) },
	} {
		params := make(map[string]jsontext.Value)
		for k, v := range good.Examples[0] {
			params[k] = v
		}
		change(params)
		err := e.Check(message.Body{Format: "210", Params: params})
		var p *book.ParamError
		if !errors.As(err, &p) || p.Param != name || p.Reason == "" || p.Next == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What Check accepts, the JSON Schema accepts; what lacks a parameter, neither.
func TestSchema(t *testing.T) {
	e := edition(t)
	r := rand.New(rand.NewPCG(5, 6))
	for _, f := range e.Formats() {
		text, err := e.Schema(f.Number)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("schema.json", doc); err != nil {
			t.Fatal(err)
		}
		schema, err := c.Compile("schema.json")
		if err != nil {
			t.Fatalf("%s: %v", f.Number, err)
		}
		validate := func(params map[string]jsontext.Value) error {
			text, err := json.Marshal(params)
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			return schema.Validate(v)
		}
		for range 20 {
			b := booktest.Body(e, f, r)
			if err := validate(b.Params); err != nil {
				t.Errorf("%s: the schema refuses what the book accepts: %v", f.Number, err)
			}
		}
		if err := validate(map[string]jsontext.Value{}); err == nil {
			t.Errorf("%s: the schema accepts no parameters", f.Number)
		}
	}
}

func TestSearchDiffPrint(t *testing.T) {
	e := edition(t)
	for query, want := range map[string]message.Format{"unexplained activity": "210", "необъяснённая": "210", "测试复诵": "011", "قواعد الإذن": "005", "222": "222"} {
		found := e.Search(query)
		if len(found) == 0 || found[0].Number != want {
			t.Errorf("%q finds %d formats, want %s first", query, len(found), want)
		}
	}
	if d := e.Diff(edition(t)); len(d) != 0 {
		t.Errorf("an edition differs from itself: %v", d)
	}
	for _, l := range book.Langs() {
		page, err := e.Print(l)
		if err != nil || !bytes.Contains(page, []byte(e.Hash().String())) || bytes.Contains(page, []byte(`dir="rtl"`)) != (l == "ar") {
			t.Errorf("%s: page of %d bytes, %v", l, len(page), err)
		}
	}
}

func TestCompose(t *testing.T) {
	e := edition(t)
	got, err := e.Compose("003", []string{"hash=" + e.Hash().String(), "size=5"})
	want := map[string]jsontext.Value{"hash": jsontext.Value(`"` + e.Hash().String() + `"`), "size": jsontext.Value("5")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("composed %v, %v", got, err)
	}
	for _, bad := range []string{"size=five", "colour=red", "size"} {
		var p *book.ParamError
		if _, err := e.Compose("003", []string{bad}); !errors.As(err, &p) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
