package book_test

import (
	"bytes"
	"encoding/json"
	"encoding/json/jsontext"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"detente/book"
	"detente/book/booktest"
	"detente/identity"
	"detente/internal/decodertest"
	"detente/message"
)

// noted checks that a refused rendering is told by line, reason and next step.
func noted(t testing.TB, name string, err error) {
	t.Helper()
	var at *book.ReadError
	if !errors.As(err, &at) || at.Line < 1 || at.Reason == "" || at.Next == "" {
		t.Errorf("%s: no line, reason and next step in %v", name, err)
		return
	}
	decodertest.Short(t, err)
}

// rendered returns a message of a format in a language, and its example's body.
func rendered(t testing.TB, e *book.Edition, n message.Format, l book.Lang, change func(*message.Body)) (string, message.Body) {
	t.Helper()
	f, ok := e.Format(n)
	if !ok {
		t.Fatalf("there is no format %s", n)
	}
	b := message.Body{
		ID: message.ID{1}, Format: n, Edition: e.Hash(), From: "nrrc.arden.example", To: "nrrc.boreal.example", Precedence: message.Flash, Language: "en",
		Line: identity.Line{A: "nrrc.arden.example", B: "nrrc.boreal.example", Class: identity.Notification}, Marking: message.Marking{TLP: "AMBER"}, Params: maps.Clone(f.Examples[0]),
	}
	if change != nil {
		change(&b)
	}
	if len(f.Refers) > 0 {
		b.Refs = []message.ID{{2}}
	}
	text, err := e.Render(b, l)
	if err != nil {
		t.Fatal(err)
	}
	return text, b
}

// The line, the field, the reason and the next step are told of each text that
// is no rendering.
// covers P13 P14
func TestReadErrors(t *testing.T) {
	e := edition(t)
	good, _ := rendered(t, e, "210", "en", nil)
	arabic, _ := rendered(t, e, "600", "ar", nil)
	for name, c := range map[string]struct {
		text, from, to string
		line           int
		field          string
	}{
		"no name":             {good, "210: ", "210 ", 1, "format"},
		"unknown format":      {good, "210: ", "999: ", 1, "format"},
		"another name":        {good, "Inquiry", "Enquiry", 1, "format"},
		"id":                  {good, "01000000000000000000000000000000", "0100", 3, "id"},
		"edition":             {good, e.Hash().String(), strings.ToUpper(e.Hash().String()), 4, "edition"},
		"line":                {good, "nrrc.arden.example/nrrc.boreal.example", "nrrc.arden.example", 5, "line"},
		"from":                {good, "From: nrrc.arden.example", "From: Nrrc.arden.example", 6, "from"},
		"from is missing":     {good, "From: nrrc.arden.example\n", "", 6, "from"},
		"precedence":          {good, "FLASH — ", "FLUSH — ", 8, "precedence"},
		"a label of another":  {good, "FLASH — ", "ROUTINE — ", 8, "precedence"},
		"no label":            {good, "AMBER — ", "AMBER - ", 9, "tlp"},
		"a code":              {good, "scanning — ", "scanned — ", 11, "kind"},
		"a window":            {good, " / UTC", "/UTC", 12, "window"},
		"a list out of order": {good, "[1/1]", "[2/1]", 13, "source_assets"},
		"a longer list":       {good, "[1/1]", "[1/2]", 13, ""},
		"zeros in front":      {good, "[1/1]", "[01/1]", 13, ""},
		"a DOS line end":      {good, "\nFrom", "\r\nFrom", 5, "line"},
		"a byte order mark":   {good, "210: ", "\ufeff210: ", 1, "format"},
		"two spaces":          {good, "From: ", "From:  ", 6, "from"},
		"not isolated":        {arabic, "\u206601000000000000000000000000000000\u2069", "01000000000000000000000000000000", 3, "id"},
		"not quoted":          {arabic, "\"We confirm the time of tomorrow's table-top exercise.\"", "We", 11, "text"},
		"escaped for nothing": {arabic, "We confirm", `\u0057e confirm`, 11, ""},
		"hidden in a text":    {arabic, "We confirm", "We\u200b confirm", 11, ""},
		"a lone surrogate":    {arabic, "We confirm", `\ud800`, 11, "text"},
		"NUL":                 {arabic, "We confirm", "\x00", 11, "text"},
		"broken UTF-8":        {arabic, "We confirm", "\xff", 11, "text"},
	} {
		text := strings.Replace(c.text, c.from, c.to, 1)
		if text == c.text {
			t.Fatalf("%s: nothing was changed in\n%s", name, c.text)
		}
		_, _, err := e.Parse(text)
		noted(t, name, err)
		var at *book.ReadError
		if errors.As(err, &at) && (at.Line != c.line || at.Field != c.field) {
			t.Errorf("%s: line %d, field %q is told: %v", name, at.Line, at.Field, err)
		}
	}
	for name, text := range decodertest.Texts() {
		_, _, err := e.Parse(text)
		noted(t, name, err)
		_, _, err = e.Parse("210: " + text + "\n")
		noted(t, name, err)
		_, _, err = e.Parse(strings.Replace(good, "01000000000000000000000000000000", text, 1))
		noted(t, name, err)
	}
}

func second[T any](_ T, err error) error { return err }

// A hostile value of each parameter is refused with the parameter's name, and
// the refusal is fit to show.
// covers P14
func TestHostileParameters(t *testing.T) {
	e := edition(t)
	values := []string{
		`null`, `true`, `-1`, `0.5`, `1e400`, `9007199254740992`, `{}`, `[]`, `[null]`, `[[]]`, `{"from":"","to":"","zone":""}`, `{"hash":"","size":0,"type":""}`,
		`{"officers":1e99}`, `{"officers":2,"roles":["releasing"],"alone":true,"confirm_seconds":18446744074}`, `"PT9223372036854775807S"`, `"PT-5S"`, `"PT+5S"`, `"PT5.5S"`,
		`"2026-06-30T23:59:60Z"`, `"1969-12-31T23:59:59Z"`, `"2026-11-23T14:00:00+00:00"`, `"2026-11-23t14:00:00z"`, `"10000-01-01T00:00:00Z"`, `"=cmd()"`, `"prefix:192.0.2.1/24"`, `"asn:064496"`,
		`{"from":"2026-11-23T15:00:00Z","to":"2026-11-23T14:00:00Z","zone":"UTC"}`, `{"from":"2026-11-23T14:00:00Z","to":"2026-11-23T15:00:00Z","zone":"Nowhere"}`, `{"from":"2026-11-23T14:00:00Z","to":"2026-11-23T15:00:00Z","zone":"UTC","zone2":""}`,
		`{"hash":"` + e.Hash().String() + `","size":1,"type":"a / b"}`, `{"hash":"` + e.Hash().String() + `","size":1,"type":"a/b "}`, `{"hash":"` + e.Hash().String() + `","size":9007199254740992,"type":"a/b"}`,
	}
	for _, text := range decodertest.Texts() {
		text = text[:min(len(text), 5000)] // beyond every bound, and quick
		quoted, err := jsontext.AppendQuote(nil, strings.ToValidUTF8(text, "\ufffd"))
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, string(quoted), "["+string(quoted)+"]")
	}
	for _, text := range decodertest.Texts() {
		for _, err := range []error{e.Check(message.Body{Format: message.Format(text)}), e.Check(message.Body{Format: "600", Params: map[string]jsontext.Value{text: jsontext.Value("1")}}), second(e.Compose(message.Format(text), nil))} {
			if err == nil {
				t.Errorf("%.50q is a format or a parameter", text)
				continue
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				decodertest.Short(t, errors.New(line))
			}
		}
	}
	for _, f := range e.Formats() {
		for _, p := range f.Params {
			refused := 0
			for _, v := range values {
				b := message.Body{Format: f.Number, Params: maps.Clone(f.Examples[0]), Refs: []message.ID{{1}}}
				b.Params[p.Name] = jsontext.Value(v)
				if refuses(t, e.Check(b), p.Name) {
					refused++
				}
			}
			if least := len(values) / 3; refused < least && p.Type != book.TypeText || refused == 0 {
				t.Errorf("%s %s: only %d hostile values are refused", f.Number, p.Name, refused)
			}
		}
	}
}

// refuses reports whether an error names a parameter. Each of what may be wrong at
// once has a parameter, a reason and a next step, and is fit to show.
func refuses(t *testing.T, err error, param string) (named bool) {
	t.Helper()
	all, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return false
	}
	for _, one := range all.Unwrap() {
		var at *book.ParamError
		if !errors.As(one, &at) || at.Param == "" || at.Reason == "" || at.Next == "" {
			t.Errorf("an error without parameter, reason or next step: %v", one)
			continue
		}
		decodertest.Short(t, one)
		named = named || at.Param == param
	}
	return named
}

// Two languages may have one name for a format: the lines that follow tell which
// one is read.
// covers P13
func TestOneNameInTwoLanguages(t *testing.T) {
	files := fstest.MapFS{
		"edition.json":     {Data: []byte(`{"name":"t","status":{},"words":` + words("en", "fr") + `}`)},
		"formats/900.json": {Data: []byte(`{"number":"900","name":{"en":"Notification","fr":"Notification"},"act":"inform","dossier":"any","transition":"write","precedence":"ROUTINE","params":[],"examples":[{}]}`)},
	}
	for name, code := range map[string]string{"precedence": "FLASH", "tlp": "RED", "language": "en", "act": "inform", "standing": "NOADM"} {
		files["lists/"+name+".json"] = &fstest.MapFile{Data: []byte(`{"name":"` + name + `","source":"own","codes":[{"code":"` + code + `","label":{"en":"x ` + name + `","fr":"y ` + name + `"}}]}`)}
	}
	e, err := book.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []book.Lang{"en", "fr"} {
		text, b := rendered(t, e, "900", l, func(b *message.Body) { b.Marking.TLP = "RED" })
		got, lang, err := e.Parse(text)
		if err != nil || lang != l || got.ID != b.ID {
			t.Errorf("%s came back in %s: %v", l, lang, err)
		}
		_, _, err = e.Parse(strings.Replace(text, "RED", "PINK", 1))
		var at *book.ReadError
		if !errors.As(err, &at) || at.Line != 9 {
			t.Errorf("%s: a wrong line 9 is told as %v", l, err)
		}
	}
}

func words(langs ...string) string {
	all := make(map[string]map[string]string)
	for _, w := range []string{"id", "edition", "line", "from", "to", "precedence", "tlp", "pap", "language", "expires", "ref", "act", "standing"} {
		all[w] = make(map[string]string)
		for _, l := range langs {
			all[w][l] = w + " " + l
		}
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// A hostile file is no part of an edition, and the error names it.
// covers P14
func TestLoadRefuses(t *testing.T) {
	good := fstest.MapFS{
		"edition.json":     {Data: []byte(`{"name":"t","status":{},"words":{}}`)},
		"formats/900.json": {Data: []byte(`{"number":"900","name":{},"dossier":"any","transition":"write","precedence":"ROUTINE","params":[],"examples":[]}`)},
		"lists/a.json":     {Data: []byte(`{"name":"a","source":"own","codes":[]}`)},
	}
	if _, err := book.Load(good); err != nil {
		t.Fatal(err)
	}
	for name := range good {
		for what, text := range decodertest.JSON(good[name].Data) {
			files := maps.Clone(good)
			files[name] = &fstest.MapFile{Data: text}
			_, err := book.Load(files)
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s in %s: %v", what, name, err)
				continue
			}
			decodertest.Short(t, err)
		}
	}
	for _, stray := range []string{"formats/901.json", "lists/b.json", "other.json", "formats/deep/900.json", "formats/900.txt"} {
		files := maps.Clone(good)
		files[stray] = good["formats/900.json"]
		if _, err := book.Load(files); err == nil || !strings.Contains(err.Error(), stray) {
			t.Errorf("%s: %v", stray, err)
		}
	}
	many := maps.Clone(good)
	for i := range 1000 {
		many[fmt.Sprintf("lists/l%d.json", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, `{"name":"l%d","source":"own","codes":[]}`, i)}
	}
	if _, err := book.Load(many); err == nil {
		t.Error("an edition of more than a thousand files is loaded")
	}
}

// A word changed in any file of an edition makes another edition, and the
// difference is named.
func TestDiffNamesEveryFile(t *testing.T) {
	e := edition(t)
	data := os.DirFS("data")
	files := make(fstest.MapFS)
	err := fs.WalkDir(data, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(data, name)
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for name, file := range files {
		changed := maps.Clone(files)
		at := bytes.Index(file.Data, []byte(`"fr": "`)) + len(`"fr": "`)
		changed[name] = &fstest.MapFile{Data: slices.Concat(file.Data[:at], []byte("x"), file.Data[at:])}
		other, err := book.Load(changed)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		named := strings.TrimSuffix(path.Base(name), ".json")
		d := e.Diff(other)
		if other.Hash() == e.Hash() || len(d) != 1 || !strings.Contains(d[0].Where, named) || d[0].What == "" {
			t.Errorf("%s: %v", name, d)
		}
	}
}

// Texts in the six languages, and the strings that break forms and screens, go
// through format 600 in every language and come back exactly.
// covers P13 P14
func TestTextsOfOthers(t *testing.T) {
	e := edition(t)
	var texts []string
	for name, file := range decodertest.Folder(t, "text/udhr", ".xml") {
		paragraphs := paragraphs(t, file)
		if len(paragraphs) < 30 {
			t.Fatalf("%s has %d paragraphs", name, len(paragraphs))
		}
		texts = append(texts, paragraphs...)
		texts = append(texts, clipped(strings.Join(paragraphs, "\n"), 4000))
	}
	var naughty []string
	if err := json.Unmarshal(decodertest.Folder(t, "text", "blns.json")["blns.json"], &naughty); err != nil || len(naughty) < 400 {
		t.Fatalf("%d strings, %v", len(naughty), err)
	}
	texts = append(texts, naughty...)
	for _, text := range texts {
		if text == "" || !utf8.ValidString(text) {
			continue
		}
		for _, l := range book.Langs() {
			quoted, err := jsontext.AppendQuote(nil, clipped(text, 4000))
			if err != nil {
				t.Fatal(err)
			}
			out, b := rendered(t, e, "600", l, func(b *message.Body) { b.Params["text"] = quoted })
			back, lang, err := e.Parse(out)
			if err != nil || lang != l {
				t.Fatalf("%v\n%s", err, out)
			}
			var got string
			if err := json.Unmarshal(back.Params["text"], &got); err != nil || got != clipped(text, 4000) || back.ID != b.ID {
				t.Errorf("%q came back as %q, %v", text, got, err)
			}
			shown := strings.NewReplacer("\u2066", "", "\u2069", "", "\n", "")
			if l == "ar" && strings.ContainsFunc(shown.Replace(out), message.Hidden) || l != "ar" && strings.ContainsFunc(strings.ReplaceAll(out, "\n", ""), message.Hidden) {
				t.Errorf("something hidden stands in %q", out)
			}
			if strings.Count(out, "\n") != 12 {
				t.Errorf("%q takes %d lines", text, strings.Count(out, "\n"))
			}
		}
	}
}

func clipped(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), most)])
}

func paragraphs(t *testing.T, file []byte) (out []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(file))
	for {
		token, err := d.Token()
		if token == nil {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok && strings.TrimSpace(string(text)) != "" {
			out = append(out, strings.TrimSpace(string(text)))
		}
	}
}

// taxonomy is one machine-readable taxonomy of others.
type taxonomy struct {
	Predicates []struct{ Value string }
	Values     []struct {
		Predicate string
		Entry     []struct{ Value string }
	}
}

func (x taxonomy) terms() (out []string) {
	for _, p := range x.Predicates {
		out = append(out, p.Value)
	}
	for _, v := range x.Values {
		for _, entry := range v.Entry {
			out = append(out, entry.Value)
		}
	}
	return out
}

// The book's lists that follow taxonomies of others say what those say.
func TestTaxonomies(t *testing.T) {
	e := edition(t)
	files := decodertest.Folder(t, "taxonomies", ".json")
	read := func(name string) []string {
		var x taxonomy
		if err := json.Unmarshal(files[name], &x); err != nil || len(x.terms()) == 0 {
			t.Fatalf("%s: %v", name, err)
		}
		return x.terms()
	}
	codes := func(name string) (out []string) {
		l, ok := e.List(name)
		if !ok {
			t.Fatalf("there is no list %s", name)
		}
		for _, c := range l.Codes {
			out = append(out, c.Code)
		}
		return out
	}
	// What a label was called before, and what is no label but a mark beside one.
	former := []string{"white", "ex:chr", "unclear"}
	for list, file := range map[string]string{"tlp": "tlp.json", "pap": "PAP.json"} {
		var theirs, ours []string
		for _, term := range read(file) {
			if term = strings.ToLower(term); !slices.Contains(former, term) {
				theirs = append(theirs, term)
			}
		}
		for _, code := range codes(list) {
			ours = append(ours, strings.ToLower(code))
		}
		slices.Sort(theirs)
		slices.Sort(ours)
		if !slices.Equal(theirs, ours) {
			t.Errorf("the list %s has %v, and %s %v", list, ours, file, theirs)
		}
	}
	for list, c := range map[string]struct {
		file string
		is   map[string]string
	}{
		"activity": {"rsit.json", map[string]string{
			"scanning": "scanner", "intrusion": "intrusions", "intrusion-attempt": "intrusion-attempts", "malware": "malicious-code", "availability": "availability",
			"information": "information-content-security", "fraud": "fraud", "other": "other",
		}},
		"certainty": {"estimative-language.json", map[string]string{"certain": "almost-certain", "very-likely": "very-likely", "likely": "likely", "even": "roughly-even-chance", "unlikely": "unlikely"}},
	} {
		theirs, ours := read(c.file), codes(list)
		for code, term := range c.is {
			if !slices.Contains(ours, code) || !slices.Contains(theirs, term) {
				t.Errorf("the list %s says %s, and %s %s: one of the two is gone", list, code, c.file, term)
			}
		}
	}
}

// lines is how many lines of a rendering a value takes: of a record one a field.
func lines(n message.Format, e *book.Edition, name string, v jsontext.Value) int {
	f, _ := e.Format(n)
	i := slices.IndexFunc(f.Params, func(p book.Param) bool { return p.Name == name })
	var fields map[string]jsontext.Value
	if i < 0 || f.Params[i].Type != book.TypeRecord || json.Unmarshal(v, &fields) != nil {
		return 1
	}
	return len(fields)
}

// marked reports whether a text begins with a mark, which is shown by its number.
func marked(s string) bool {
	c, _ := utf8.DecodeRuneInString(s)
	return unicode.IsMark(c)
}

// FuzzParse reads renderings a second time line by line: what was read is what
// stands after the labels.
// covers P13 P14
func FuzzParse(f *testing.F) {
	e := edition(f)
	r := rand.New(rand.NewPCG(7, 8))
	var accepted []string
	for _, format := range e.Formats() {
		for _, l := range book.Langs() {
			text, err := e.Render(booktest.Body(e, format, r), l)
			if err != nil {
				f.Fatal(err)
			}
			if len(text) < 8<<10 {
				accepted = append(accepted, text)
			}
		}
	}
	rejected := append(slices.Collect(maps.Values(decodertest.Texts())), "210: Inquiry\nno such line\n", accepted[0]+"\n", strings.TrimSuffix(accepted[0], "\n"))
	decodertest.Seeds(f, func(s string) error { _, _, err := e.Parse(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		b, l, err := e.Parse(text)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		again, err := e.Render(b, l)
		if err != nil || again != text {
			t.Errorf("%q was read, and renders as %q, %v", text, again, err)
		}
		for _, value := range []string{b.ID.String(), b.Line.String(), string(b.From), string(b.To), b.Precedence.String(), b.Marking.TLP, b.Language} {
			if !strings.Contains(text, value) {
				t.Errorf("%q was read from %q, where it does not stand", value, text)
			}
		}
		values := 0
		for name, v := range b.Params {
			var list []jsontext.Value
			if json.Unmarshal(v, &list) != nil {
				list = []jsontext.Value{v}
			}
			for _, one := range list {
				values += lines(b.Format, e, name, one)
				var s string
				if json.Unmarshal(one, &s) == nil && !strings.ContainsFunc(s, message.Hidden) && !marked(s) && !strings.ContainsAny(s, "\"\\") && !strings.Contains(text, s) {
					t.Errorf("%s was read as %q from %q, where it does not stand", name, s, text)
				}
			}
		}
		head := 11 + len(b.Refs)
		if b.Marking.PAP != "" {
			head++
		}
		if !b.Expires.IsZero() {
			head++
		}
		if n := strings.Count(text, "\n"); n != head+values {
			t.Errorf("%d lines were read as %d fields and %d values: %q", n, head, values, text)
		}
	})
}

// FuzzLoad reads a format a second time with the older JSON library.
// covers P14
func FuzzLoad(f *testing.F) {
	with := func(text string) (*book.Edition, error) {
		return book.Load(fstest.MapFS{
			"edition.json":     {Data: []byte(`{"name":"t","status":{},"words":{}}`)},
			"formats/900.json": {Data: []byte(text)},
		})
	}
	accepted := []string{`{"number":"900","name":{"en":"x"},"dossier":"any","transition":"write","precedence":"FLASH","reply_seconds":60,"replies":["900"],"params":[{"name":"a","type":"text","max":5,"label":{"en":"y"}}],"examples":[{"a":"z"}]}`}
	rejected := []string{`{"number":"901"}`, `{"number":"900","colour":1}`, `{"number":"900","number":"900"}`, `[]`, ``, "{\"number\":\"\x7f\"}"}
	decodertest.Seeds(f, func(s string) error { _, err := with(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := with(text)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		e.Lint()
		got, ok := e.Format("900")
		var plain struct {
			Number, Dossier, Precedence string
			Params                      []struct{ Name, Type string }
		}
		if err := json.Unmarshal([]byte(text), &plain); err != nil || !ok || plain.Number != "900" || plain.Dossier != string(got.Dossier) || plain.Precedence != got.Precedence || len(plain.Params) != len(got.Params) {
			t.Fatalf("%q was read as %+v, and others read %+v, %v", text, got, plain, err)
		}
		for i, p := range plain.Params {
			if got.Params[i].Name != p.Name || string(got.Params[i].Type) != p.Type {
				t.Errorf("parameter %d of %q was read as %+v", i, text, got.Params[i])
			}
		}
		if _, err := e.Schema("900"); err != nil {
			t.Error(err)
		}
	})
}

// FuzzFreeText sends any text through format 600 in a language: it comes back,
// on one line, with nothing hidden.
// covers P13 P14
func FuzzFreeText(f *testing.F) {
	e := edition(f)
	_, plain := rendered(f, e, "600", "en", nil)
	body := func(text string) (message.Body, error) {
		quoted, err := jsontext.AppendQuote(nil, text)
		if err != nil {
			return message.Body{}, err
		}
		b := plain
		b.Params = map[string]jsontext.Value{"text": quoted}
		return b, e.Check(b)
	}
	rejected := []string{"", strings.Repeat("x", 4001), "\xff", "\xed\xa0\x80"}
	decodertest.Seeds(f, func(s string) error { _, err := body(s); return err }, []string{"x", "\u202e\n\"\\: ", "\u0301e", strings.Repeat("\u200b", 4000)}, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := body(text)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		for _, l := range []book.Lang{"en", "ar"} {
			out, err := e.Render(b, l)
			if err != nil {
				t.Fatal(err)
			}
			back, lang, err := e.Parse(out)
			if err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			var got string
			if err := json.Unmarshal(back.Params["text"], &got); err != nil || got != text || lang != l {
				t.Errorf("%q came back as %q, %v", text, got, err)
			}
			line := strings.Split(out, "\n")[10]
			if strings.Count(out, "\n") != 12 || strings.ContainsFunc(line, message.Hidden) {
				t.Errorf("%q is shown as %q", text, line)
			}
		}
	})
}

// FuzzCompose reads typed parameters: what is taken says what was typed.
// covers P14
func FuzzCompose(f *testing.F) {
	e := edition(f)
	accepted := []string{"size=0", "size=9007199254740991", "hash=x", "hash==1+1"}
	rejected := append(slices.Collect(maps.Values(decodertest.Texts())), "size=", "size=1.5", "size=٣", "size=9223372036854775808", "colour=red", "hash")
	compose := func(s string) (map[string]jsontext.Value, error) { return e.Compose("003", []string{s}) }
	decodertest.Seeds(f, func(s string) error { _, err := compose(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := compose(typed)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		name, value, _ := strings.Cut(typed, "=")
		var back any
		if err := json.Unmarshal(got[name], &back); err != nil || len(got) != 1 {
			t.Fatalf("%q is taken as %v, %v", typed, got, err)
		}
		if s, ok := back.(string); ok && s != value {
			t.Errorf("%q is taken as %q", value, s)
		}
	})
}
