package book_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/json/jsontext"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"detente/book"
	"detente/internal/decodertest"
	"detente/message"
)

// zipped packs a text as an edition is packed.
func zipped(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return out.String()
}

// A packed edition is the edition that was packed, file by file, and has its hash.
// covers P10
func TestPack(t *testing.T) {
	packed, err := book.Pack(os.DirFS("data"))
	if err != nil {
		t.Fatal(err)
	}
	e := edition(t)
	got, err := book.OpenPack(packed)
	if err != nil || got.Hash() != e.Hash() || len(e.Diff(got)) > 0 {
		t.Fatalf("%v, and the hash %s", err, e.Hash())
	}
	files, err := book.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	back := fstest.MapFS{}
	for name, text := range files {
		back[name] = &fstest.MapFile{Data: []byte(text)}
	}
	if again, err := book.Load(back); err != nil || again.Hash() != e.Hash() {
		t.Errorf("unpacked it is another: %v", err)
	}
	embedded, err := book.EmbeddedPack()
	if err != nil || !bytes.Equal(embedded, packed) {
		t.Errorf("the embedded edition packs otherwise: %v", err)
	}
}

// What is no packed edition is refused in bounds: names that lead out, more than
// is taken, a file that grows without end.
// covers P14
func TestHostilePacks(t *testing.T) {
	for name, packed := range map[string]string{
		"empty": "", "rubbish": "rubbish", "no JSON": zipped("x"), "another kind": zipped(`{"kind":"x","files":{}}`), "no files": zipped(`{"kind":"detente/book/v1","files":{}}`),
		"a way out": zipped(`{"kind":"detente/book/v1","files":{"../edition.json":"{}"}}`), "rooted": zipped(`{"kind":"detente/book/v1","files":{"/edition.json":"{}"}}`),
		"twice": zipped(`{"kind":"detente/book/v1","files":{},"files":{}}`), "a member more": zipped(`{"kind":"detente/book/v1","files":{},"x":1}`),
		"it grows": zipped(strings.Repeat(" ", 9<<20)), "too large": strings.Repeat("x", book.MaxPack+1), "cut": zipped(`{"kind":"detente/book/v1","files":{}}`)[:20],
	} {
		_, err := book.OpenPack([]byte(packed))
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		decodertest.Short(t, err)
	}
}

func FuzzOpenPack(f *testing.F) {
	small, err := json.Marshal(map[string]any{"kind": "detente/book/v1", "files": map[string]string{
		"edition.json": `{"name":"t","status":{},"words":{}}`, "formats/900.json": `{"number":"900","name":{},"dossier":"any","transition":"write","precedence":"ROUTINE","params":[],"examples":[]}`,
	}})
	if err != nil {
		f.Fatal(err)
	}
	read := func(b []byte) error { _, err := book.OpenPack(b); return err }
	rejected := [][]byte{nil, []byte("x"), []byte(zipped("{}")), []byte(zipped(`{"kind":"detente/book/v1","files":{"a":"b"}}`))}
	decodertest.Seeds(f, read, [][]byte{[]byte(zipped(string(small)))}, rejected)
	f.Fuzz(func(t *testing.T, packed []byte) {
		e, err := book.OpenPack(packed)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		files, err := book.Unpack(packed)
		if err != nil || e.Name() == "" || len(files) == 0 {
			t.Errorf("%d files, %v", len(files), err)
		}
	})
}

// Two labels of a list that read alike are a fault, whatever they are made of.
// covers P13
func TestLabelsThatReadAlike(t *testing.T) {
	label := func(texts ...string) string {
		m := make(map[string]string)
		for i, l := range book.Langs() {
			m[string(l)] = texts[min(i, len(texts)-1)]
		}
		text, _ := json.Marshal(m)
		return string(text)
	}
	for name, second := range map[string]string{
		"equal": "café", "in capitals": "CAFÉ", "composed otherwise": "cafe\u0301", "in wide letters": "ｃａｆé", "with two spaces": "café",
	} {
		files := fstest.MapFS{
			"edition.json": {Data: []byte(`{"name":"t","status":{},"words":{}}`)},
			"lists/a.json": {Data: []byte(`{"name":"a","source":"own","codes":[{"code":"x","label":` + label("café") + `},{"code":"y","label":` + label("other", "other", "other", "other", second) + `}]}`)},
		}
		e, err := book.Load(files)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(e.Lint(), func(p book.Problem) bool { return p.Where == "lists/a" && p.What == "x and y have one label in fr" }) {
			t.Errorf("%s: no fault in %v", name, e.Lint())
		}
	}
}

// A name that reads from right to left, or anything hidden, stands in free text
// only: in a code, an id, an asset, a place it is refused, and the parameter named.
// covers P14
func TestRightToLeftInCodes(t *testing.T) {
	e := edition(t)
	tried := 0
	for _, f := range e.Formats() {
		for _, p := range f.Params {
			if p.Type == book.TypeText || p.Type == book.TypeRule || p.Many || p.Type == book.TypeRecord || f.Examples[0][p.Name] == nil {
				continue
			}
			for _, hostile := range []string{"نظام", "domain:\u202egrid.example", "A\u200b8", "domain:grіd.example"} { // the last with a Cyrillic letter
				value, _ := json.Marshal(hostile)
				b := message.Body{Format: f.Number, Params: maps.Clone(map[string]jsontext.Value(f.Examples[0])), Refs: []message.ID{{1}}}
				b.Params[p.Name] = value
				tried++
				if err := e.Check(b); !named(err, p.Name) {
					t.Errorf("%s %s takes %q: %v", f.Number, p.Name, hostile, err)
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d values were tried", tried)
	}
}

// named reports whether an error names a parameter.
func named(err error, param string) bool {
	var at *book.ParamError
	return errors.As(err, &at) && strings.Contains(err.Error(), param)
}
