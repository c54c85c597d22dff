package treaty

import (
	"errors"
	"os"
	"path"
	"strings"
	"testing"

	"detente/internal/decodertest"
)

// small is an agreement of two articles, as text, in which a word is replaced.
func small(t testing.TB, replace ...string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/small.json")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(text), replace[i]) {
			t.Fatalf("testdata/small.json does not hold %q", replace[i])
		}
	}
	return []byte(strings.NewReplacer(replace...).Replace(string(text)))
}

func parsed(t testing.TB, text []byte) *Agreement {
	t.Helper()
	a, err := ParseAgreement(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What is refused is refused with the line on which it stands.
func TestParseNamesTheLine(t *testing.T) {
	for _, c := range []struct {
		old, new string
		line     int
		says     string
	}{
		{`"P3Y"`, `"P3Y2D"`, 9, "mixes months with days"},
		{`"P3Y"`, `"P0D"`, 9, "no time at all"},
		{`"P6M"`, `"P101Y"`, 11, "longer than 100 years"},
		{`"PT24H"`, `"24h"`, 31, "no period"},
		{`"author"`, `"nobody"`, 23, "binds author, reader"},
		{`"lead"`, `"leads"`, 28, "leads"},
		{`"A1.2"`, `"A2.2"`, 35, "that of its article"},
		{`"A1.2"`, `"A1.1"`, 35, "two duties A1.1"},
		{`"article": "A2"`, `"article": "A1"`, 48, "two articles A1"},
		{`"missing"`, `"attack"`, 32, "a miss leads to a flag"},
		{`"draft"`, `"signed"`, 3, "draft, checked or agreed"},
		{`"on-receipt"`, `"soon"`, 7, "on-receipt"},
		{`"en", "ru"`, `"en", "xx"`, 6, "unknown"},
		{`"Answers"`, `"An\u202eswers"`, 16, "hidden"},
		{`{"formats": ["210"]}`, `{"formats": ["210"], "any": true}`, 38, "exactly one"},
		{`{"formats": ["210"]}`, `{"formats": ["210", "210"]}`, 38, "twice"},
	} {
		_, err := ParseAgreement(small(t, c.old, c.new))
		at, ok := errors.AsType[*TextError](err)
		if !ok || at.Line != c.line || !strings.Contains(at.Reason+at.Place, c.says) {
			t.Errorf("%s for %s: %v, want line %d and %q", c.new, c.old, err, c.line, c.says)
		}
	}
}

// One agreement has one hash, however its text is laid out, and every word and
// every number in it counts.
func TestHash(t *testing.T) {
	hash := func(text []byte) string {
		h, err := parsed(t, text).Hash()
		if err != nil {
			t.Fatal(err)
		}
		return h.String()
	}
	want := hash(small(t))
	b, err := parsed(t, small(t)).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if hash(b) != want || hash([]byte(strings.ReplaceAll(string(small(t)), "\n", "\r\n\t"))) != want {
		t.Error("the hash follows the layout")
	}
	seen := map[string]bool{want: true}
	for _, change := range [][2]string{{"Answers", "Replies"}, {"Ответы", "Отклики"}, {"PT24H", "PT23H"}, {`"P3Y"`, `"P4Y"`}, {`"reader"`, `"author"`}, {`"suspendable": true`, `"suspendable": false`}} {
		h := hash(small(t, change[0], change[1]))
		if seen[h] {
			t.Errorf("%s for %s leaves the hash", change[1], change[0])
		}
		seen[h] = true
	}
}

func FuzzParseAgreement(f *testing.F) {
	read := func(b []byte) error { _, err := ParseAgreement(b); return err }
	m, err := model(f).Bytes()
	if err != nil {
		f.Fatal(err)
	}
	decodertest.Seeds(f, read, [][]byte{small(f), m}, [][]byte{
		nil, []byte("{}"), []byte("[]"), []byte("{\"agreement\":\"x\",\"agreement\":\"x\"}"), []byte("\xff"), small(f, `"P3Y"`, `"PT"`), small(f, "PT24H", "P1M1D"),
		[]byte(strings.Repeat("[", 20_000)), make([]byte, MaxAgreement+1), small(f, `"A1.2"`, `"A1.\u0000"`),
	})
	e := edition(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ParseAgreement(b)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		h, err := a.Hash()
		if err != nil {
			t.Fatal(err)
		}
		canonical, err := a.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseAgreement(canonical)
		if err != nil {
			t.Fatalf("what was accepted is refused in its own form: %v\n%s", err, canonical)
		}
		if h2, err := again.Hash(); err != nil || h != h2 {
			t.Fatalf("two hashes of one agreement: %v", err)
		}
		for _, finding := range Check(a, e) {
			if finding.String() == "" {
				t.Error("a finding says nothing")
			}
		}
	})
}

func FuzzParseArticle(f *testing.F) {
	files, err := modelFiles.ReadDir("model")
	if err != nil {
		f.Fatal(err)
	}
	var good [][]byte
	for _, file := range files {
		text, err := modelFiles.ReadFile(path.Join("model", file.Name()))
		if err != nil {
			f.Fatal(err)
		}
		if file.Name() != "agreement.json" {
			good = append(good, text)
		}
	}
	read := func(b []byte) error { _, err := ParseArticle(b); return err }
	decodertest.Seeds(f, read, good, [][]byte{nil, []byte("{}"), []byte(`{"article":"a1"}`), []byte(`{"article":"A1","text":{"xx":["?"]}}`)})
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := read(b); err != nil {
			decodertest.Refusal(t, err)
		}
	})
}

func FuzzParsePeriod(f *testing.F) {
	read := func(s string) error { _, err := ParsePeriod(s); return err }
	decodertest.Seeds(f, read, []string{"P3Y", "P6M", "P1Y6M", "P5D", "PT72H", "PT30M", "P1DT1H", "PT1S"}, []string{"", "P", "PT", "P0D", "P1M1D", "p1d", "P1W", "P-1D", "P1.5D", "P101Y", "P99999D", "P1DT"})
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePeriod(s)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if q, err := ParsePeriod(p.String()); err != nil || q != p {
			t.Fatalf("%s is written %s and read as %v, %v", s, p, q, err)
		}
	})
}

func FuzzParseTimes(f *testing.F) {
	read := func(s string) error {
		if _, err := ParseSecond(s); err == nil {
			return nil
		}
		_, err := ParseDate(s)
		return err
	}
	decodertest.Seeds(f, read, []string{"2026-11-03T00:00:00Z", "2028-02-29", "2000-02-29T23:59:59Z"},
		[]string{"2026-02-29", "2100-02-29", "2016-12-31T23:59:60Z", "2026-11-03T00:00:00+00:00", "2026-11-03T00:00:00.5Z", "2026-11-03T24:00:00Z", ""})
	f.Fuzz(func(t *testing.T, s string) {
		if err := read(s); err != nil {
			decodertest.Refusal(t, err)
		}
	})
}
