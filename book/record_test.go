package book_test

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"detente/book"
	"detente/book/booktest"
	"detente/internal/decodertest"
	"detente/message"
)

// recordFormat has a list of records with a field of each type, one record
// alone, and one that may be absent.
const recordFormat = `{"number":"999","name":NAME,"purpose":NAME,"act":"claim","dossier":"any","transition":"try-records","precedence":"ROUTINE","params":[
 {"name":"facts","type":"record","many":true,"max":5,"label":L1,"fields":[
  {"name":"when","type":"utc","label":LA},{"name":"asset","type":"asset","label":LB},{"name":"effect","type":"count","max":5,"optional":true,"label":LC},
  {"name":"known","type":"code","list":"yesno","optional":true,"label":LD},{"name":"words","type":"text","max":60,"optional":true,"label":LE},
  {"name":"what","type":"item","list":"yesno","optional":true,"label":LF},{"name":"window","type":"window","optional":true,"label":LG},{"name":"hash","type":"hash","optional":true,"label":LH}],
  "checks":[{"rule":"needs","param":"words","when":"known","is":["no"]}]},
 {"name":"first","type":"record","label":L2,"fields":[{"name":"fact","type":"count","min":1,"max":32,"label":LA},{"name":"words","type":"text","max":40,"optional":true,"label":LB}]},
 {"name":"second","type":"record","optional":true,"label":L3,"fields":[{"name":"fact","type":"count","min":1,"max":32,"label":LA},{"name":"words","type":"text","max":40,"optional":true,"label":LB}]},
 {"name":"note","type":"text","optional":true,"max":50,"label":L4}],
 "checks":[{"rule":"distinct","param":"facts","field":"asset"}],
 "examples":[{"facts":[{"when":"2026-11-23T14:00:00Z","asset":"asn:64496"}],"first":{"fact":1}},
  {"facts":[{"when":"2026-11-23T14:00:00Z","asset":"asn:64496","effect":3,"known":"no","words":"w · x","what":{"item":"a","code":"yes"},"window":{"from":"2026-11-23T14:00:00Z","to":"2026-11-23T15:00:00Z","zone":"UTC"},"hash":"9f1c7a52e08b4d3366d1c0aa7be5f2149f1c7a52e08b4d3366d1c0aa7be5f214"}],"first":{"fact":1},"second":{"fact":2,"words":"b"},"note":"n"}]}`

// withRecords returns the edition with recordFormat in it, changed.
func withRecords(t testing.TB, changed ...string) *book.Edition {
	t.Helper()
	text := recordFormat
	for _, name := range []string{"NAME", "L1", "L2", "L3", "L4", "LA", "LB", "LC", "LD", "LE", "LF", "LG", "LH"} {
		label := make(map[string]string)
		for _, l := range book.Langs() {
			label[string(l)] = string(l) + " " + strings.ToLower(name)
		}
		out, err := json.Marshal(label, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, ":"+name, ":"+string(out))
	}
	files := copied(t)
	files["formats/999.json"] = &fstest.MapFile{Data: []byte(strings.NewReplacer(changed...).Replace(text))}
	e, err := book.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// From every rendering of records in every language exactly the records come
// back, and no two messages render alike.
// covers P13 P14
func TestRecordsReadBack(t *testing.T) {
	e := withRecords(t)
	for _, p := range e.Lint() {
		t.Error(p)
	}
	f, _ := e.Format("999")
	r := rand.New(rand.NewPCG(21, 22))
	s := seen{t: t, e: e, renderings: make(map[string]string), codes: make(map[string]string)}
	for range 30 {
		b := booktest.Body(e, f, r)
		s.message(b, book.Langs()...)
		for _, n := range booktest.Near(e, f, b, r) {
			s.message(n, book.Langs()[r.IntN(6)])
		}
	}
	if len(s.codes) < 500 {
		t.Errorf("only %d messages were tried", len(s.codes))
	}
}

// A rendering whose records were changed on the way is not read, and the error
// names the line.
// covers P13
func TestRecordsRefuseChanges(t *testing.T) {
	e := withRecords(t)
	f, _ := e.Format("999")
	b := booktest.Body(e, f, rand.New(rand.NewPCG(23, 24)))
	b.Params = maps.Clone(map[string]jsontext.Value(f.Examples[1]))
	b.Params["facts"] = jsontext.Value(`[{"asset":"asn:1","when":"2026-11-23T14:00:00Z"},{"asset":"asn:2","known":"no","when":"2026-11-23T15:00:00Z","words":"x"}]`)
	text, err := e.Render(b, "fr")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"a field missing":     {"fr l1 [2/2] · fr lb: asn:2\n", ""},
		"a record missing":    {"fr l1 [1/2] · fr la: 2026-11-23T14:00:00Z\nfr l1 [1/2] · fr lb: asn:1\n", ""},
		"the last missing":    {"fr l1 [2/2]", "fr l1 [3/3]"},
		"a field doubled":     {"fr l1 [2/2] · fr lb: asn:2\n", "fr l1 [2/2] · fr lb: asn:2\nfr l1 [2/2] · fr lb: asn:2\n"},
		"fields changed over": {"fr l1 [1/2] · fr la: 2026-11-23T14:00:00Z\nfr l1 [1/2] · fr lb: asn:1\n", "fr l1 [1/2] · fr lb: asn:1\nfr l1 [1/2] · fr la: 2026-11-23T14:00:00Z\n"},
		"no field":            {"fr l1 [1/2] · fr la: ", "fr l1 [1/2]: "},
		"an unknown field":    {"fr l1 [1/2] · fr la: ", "fr l1 [1/2] · fr lz: "},
		"the lone one":        {"fr l2 · fr la: 1\n", ""},
		"a bad value":         {"fr l1 [1/2] · fr lb: asn:1", "fr l1 [1/2] · fr lb: asn:01"},
	} {
		changed := strings.Replace(text, c[0], c[1], 1)
		if changed == text {
			t.Fatalf("%s: %q does not stand in\n%s", name, c[0], text)
		}
		var at *book.ReadError
		var param *book.ParamError
		if _, _, err := e.Parse(changed); !errors.As(err, &at) && !errors.As(err, &param) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is wrong in a record is refused with its number and field.
// covers P14
func TestRecordsRefuse(t *testing.T) {
	e := withRecords(t)
	f, _ := e.Format("999")
	for facts, want := range map[string]string{
		`[]`:                                "1 to 5 values",
		`[{}]`:                              "value 1: when: it is missing",
		`[{"when":"2026-11-23T14:00:00Z"}]`: "value 1: asset: it is missing",
		`[{"when":"2026-11-23T14:00:00Z","asset":"asn:1"},{"when":"x","asset":"asn:2"}]`:                    "value 2: when: ",
		`[{"when":"2026-11-23T14:00:00Z","asset":"asn:1","more":1}]`:                                        "value 1: more: the record has no such field",
		`[{"when":"2026-11-23T14:00:00Z","asset":"asn:1","Known\n":1}]`:                                     `value 1: "Known\n": `,
		`[{"when":"2026-11-23T14:00:00Z","asset":"asn:1","effect":6}]`:                                      "value 1: effect: ",
		`[{"when":"2026-11-23T14:00:00Z","asset":"asn:1","known":"no"}]`:                                    "value 1: words: ",
		`[{"when":"2026-11-23T14:00:00Z","asset":"asn:1"},{"when":"2026-11-23T14:00:00Z","asset":"asn:1"}]`: `"asn:1" stands twice`,
		`["a"]`: "value 1: a record of fields is needed",
		`{}`:    "a list is needed",
	} {
		params := maps.Clone(map[string]jsontext.Value(f.Examples[0]))
		params["facts"] = jsontext.Value(facts)
		err := e.Check(message.Body{Format: f.Number, Params: params})
		var p *book.ParamError
		if !errors.As(err, &p) || p.Param != "facts" || !strings.Contains(p.Reason, want) || p.Next == "" {
			t.Errorf("%s: %v, want %q", facts, err, want)
		}
	}
}

// An officer types a record by its fields, or as JSON.
func TestComposeRecord(t *testing.T) {
	e := withRecords(t)
	got, err := e.Compose("999", []string{"facts=when=2026-11-23T14:00:00Z;asset=asn:64496;words=a; b=c;effect=3", `facts={"asset":"asn:2","when":"2026-11-23T15:00:00Z"}`, "first=fact=2"})
	want := `[{"asset":"asn:64496","effect":3,"when":"2026-11-23T14:00:00Z","words":"a; b=c"},{"asset":"asn:2","when":"2026-11-23T15:00:00Z"}]`
	if err != nil || string(got["facts"]) != want || string(got["first"]) != `{"fact":2}` {
		t.Errorf("%s, %s, %v", got["facts"], got["first"], err)
	}
	for _, typed := range []string{"first=", "first=fact", "first=fact=x", "first=fact=1;fact=2", "first=colour=red", "first={", "facts=when"} {
		_, err := e.Compose("999", []string{typed})
		var p *book.ParamError
		if !errors.As(err, &p) || !strings.Contains(p.Next, "a record like fact=…;[words=…]") && !strings.HasPrefix(typed, "facts") {
			t.Errorf("%s: %v", typed, err)
		}
	}
}

// Lint finds records that could not be told apart in a rendering.
func TestLintFindsRecords(t *testing.T) {
	for name, c := range map[string]struct{ old, now, want string }{
		"optional first":   {`{"name":"when","type":"utc",`, `{"name":"when","type":"utc","optional":true,`, "facts.when: a field is one value"},
		"a list":           {`{"name":"asset","type":"asset",`, `{"name":"asset","type":"asset","many":true,`, "facts.asset: a field is one value"},
		"a blob":           {`{"name":"hash","type":"hash",`, `{"name":"hash","type":"blob",`, "facts.hash: a field is one value"},
		"a record":         {`{"name":"hash","type":"hash",`, `{"name":"hash","type":"record",`, "facts.hash: a field is one value"},
		"a name twice":     {`{"name":"asset","type":"asset",`, `{"name":"when","type":"asset",`, "facts: field when stands twice"},
		"a label twice":    {`"es":"es lb"`, `"es":"es la"`, "facts: when and asset have one label in es"},
		"a label parted":   {`"es":"es lb"`, `"es":"es · lb"`, "facts.asset: its label in es holds what sets"},
		"fields of a text": {`{"name":"note","type":"text",`, `{"name":"note","type":"text","fields":[{"name":"a","type":"utc","label":{}}],`, "note: a record, and nothing else"},
		"a rule of none":   {`"param":"words","when":"known"`, `"param":"wards","when":"known"`, `facts checks: needs: "wards" is not an optional parameter`},
		"distinct":         {`"field":"asset"`, `"field":"assets"`, `formats/999 checks: distinct`},
	} {
		found := withRecords(t, c.old, c.now).Lint()
		if !slices.ContainsFunc(found, func(p book.Problem) bool { return strings.Contains(p.String(), c.want) }) {
			t.Errorf("%s: %v, want %q", name, found, c.want)
		}
	}
}

// FuzzComposeRecord reads typed records: what is taken is JSON that Check judges,
// and what Check takes reads back from a rendering.
// covers P13 P14
func FuzzComposeRecord(f *testing.F) {
	e := withRecords(f)
	form, _ := e.Format("999")
	compose := func(s string) (map[string]jsontext.Value, error) {
		return e.Compose("999", []string{"facts=" + s, "first=fact=1"})
	}
	accepted := []string{"when=2026-11-23T14:00:00Z;asset=asn:1", "when=2026-11-23T14:00:00Z;asset=product:a;b=c;words=\u202ex · y", `{"asset":"asn:1","when":"2026-11-23T14:00:00Z"}`}
	rejected := append(slices.Collect(maps.Values(decodertest.Texts())), "", "when", "when=a;when=b", "{", `{"a":1,"a":2}`, "effect=x")
	decodertest.Seeds(f, func(s string) error { _, err := compose(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, typed string) {
		params, err := compose(typed)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		b := booktest.Body(e, form, rand.New(rand.NewPCG(1, 1)))
		b.Params = params
		frozen, err := b.Freeze()
		if err != nil || e.Check(frozen.Body()) != nil {
			return
		}
		for _, l := range book.Langs() {
			text, err := e.Render(frozen.Body(), l)
			if err != nil {
				t.Fatal(err)
			}
			back, _, err := e.Parse(text)
			if err != nil || string(back.Params["facts"]) != string(frozen.Body().Params["facts"]) {
				t.Fatalf("%q came back as %s, %v", typed, back.Params["facts"], err)
			}
		}
	})
}
