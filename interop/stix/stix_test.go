package stix_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"detente/book"
	"detente/interop/stix"
	"detente/message"
)

const (
	bundleID    = "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d"
	indicatorID = "indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2"
	malwareID   = "malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b"
	arden       = "identity--023d105b-752e-4e3c-941c-7d3f3cb15e9e"
	clearID     = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
	amberID     = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
	redID       = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
	whiteID     = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
	papRedID    = "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e"
	stamps      = `"spec_version":"2.1","created":"2026-11-20T10:00:00.000Z","modified":"2026-11-20T10:00:00.000Z"`
)

// bundle returns a bundle of objects.
func bundle(objects ...string) string {
	return `{"type":"bundle","id":"` + bundleID + "\",\n\"objects\":[\n" + strings.Join(objects, ",\n") + "\n]}"
}

func identityObject(extra string) string {
	return `{"type":"identity","id":"` + arden + `",` + stamps + `,"name":"CERT Arden"` + extra + `}`
}

func indicator(pattern, extra string) string {
	return `{"type":"indicator","id":"` + indicatorID + `",` + stamps + `,"name":"Beacon","pattern":"` + pattern + `","pattern_type":"stix","valid_from":"2026-11-19T22:00:00Z"` + extra + `}`
}

func malware(extra string) string {
	return `{"type":"malware","id":"` + malwareID + `",` + stamps + `,"name":"Rime","is_family":true` + extra + `}`
}

func relationship(kind, from, to string) string {
	return `{"type":"relationship","id":"relationship--864af2ea-46f9-4d23-b3a2-1c2adf81c265",` + stamps + `,"relationship_type":"` + kind + `","source_ref":"` + from + `","target_ref":"` + to + `"}`
}

func marked(ids ...string) string {
	return `,"object_marking_refs":["` + strings.Join(ids, `","`) + `"]`
}

// sample is a bundle that is as the profile wants it.
func sample() string {
	return bundle(identityObject(marked(clearID)), indicator("[ipv4-addr:value = '192.0.2.7' OR domain-name:value = 'c2.example']", marked(amberID)+`,"confidence":80`), malware(marked(amberID)), strings.Replace(relationship("indicates", indicatorID, malwareID), `,"relationship_type"`, marked(amberID)+`,"relationship_type"`, 1))
}

func mustRead(t *testing.T, text string) *stix.Bundle {
	t.Helper()
	b, err := stix.Read(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v", all(err))
	}
	return b
}

// all lists all findings of a refusal.
func all(err error) string {
	var refused *stix.Refused
	if !errors.As(err, &refused) {
		return fmt.Sprint(err)
	}
	var lines []string
	for _, f := range refused.Findings {
		lines = append(lines, string(f.Code)+": "+f.String())
	}
	return strings.Join(lines, "\n")
}

func TestReadAccepts(t *testing.T) {
	b := mustRead(t, sample())
	if b.ID != bundleID || len(b.Objects) != 4 || b.Size != int64(len(sample())) || len(b.Notes) != 0 {
		t.Fatalf("read %d objects of %s, %d bytes, notes %v", len(b.Objects), b.ID, b.Size, b.Notes)
	}
	for i, o := range b.Objects {
		if !o.Known || o.Index != i || o.Line != i+3 || !strings.Contains(sample(), string(o.Raw)) {
			t.Errorf("object %d: known %v, index %d, line %d: its bytes must be those that came", i, o.Known, o.Index, o.Line)
		}
	}
	slow, err := stix.Read(iotest.OneByteReader(strings.NewReader(sample())))
	if err != nil || slow.Digest != b.Digest || !slices.Equal(slow.Manifest(), b.Manifest()) {
		t.Errorf("read byte by byte: %v, another reading", err)
	}
	if _, err := stix.Read(iotest.ErrReader(os.ErrClosed)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a stream that fails: %v", err)
	}
}

// bad holds what must be refused: the code, and a word of what is told.
var bad = []struct {
	name, text string
	code       stix.Code
	says       string
}{
	{"nothing", "", stix.CodeSyntax, "no JSON"},
	{"cut off", sample()[:len(sample())-40], stix.CodeSyntax, "no JSON"},
	{"byte order mark", "\xef\xbb\xbf" + sample(), stix.CodeText, "byte order mark"},
	{"gzip", "\x1f\x8b\x08\x00", stix.CodeNotBundle, "gzip"},
	{"zip", "PK\x03\x04", stix.CodeNotBundle, "zip"},
	{"STIX 1", "<stix:STIX_Package/>", stix.CodeNotBundle, "XML"},
	{"trailing object", sample() + "{}", stix.CodeSyntax, "follows"},
	{"trailing words", sample() + " thanks", stix.CodeSyntax, "follows"},
	{"a list", "[" + sample() + "]", stix.CodeNotBundle, "one object"},
	{"a single object", identityObject(""), stix.CodeNotBundle, "no bundle"},
	{"STIX 2.0 bundle", strings.Replace(sample(), `"type":"bundle",`, `"type":"bundle","spec_version":"2.0",`, 1), stix.CodeVersion, "2.0"},
	{"STIX 2.0 object", strings.Replace(sample(), `"2.1"`, `"2.0"`, 1), stix.CodeVersion, "another version"},
	{"other object of STIX 2.0", bundle(strings.Replace(strings.ReplaceAll(identityObject(""), "identity", "threat-actor"), `"2.1"`, `"2.0"`, 1)), stix.CodeVersion, "another version"},
	{"no version", bundle(strings.Replace(identityObject(""), `"spec_version":"2.1",`, "", 1)), stix.CodeSchema, "lacks spec_version"},
	{"duplicate key", bundle(identityObject(`,"name":"CERT Boreal"`)), stix.CodeDuplicate, `"name"`},
	{"duplicate key deep", bundle(identityObject(`,"extensions":{"x-ext":{"a":1,"\u0061":2}}`)), stix.CodeDuplicate, `"a"`},
	{"duplicate key of the bundle", strings.Replace(sample(), `"id":"bundle`, `"type":"bundle","id":"bundle`, 1), stix.CodeDuplicate, "twice"},
	{"duplicate id", bundle(identityObject(""), identityObject("")), stix.CodeDuplicate, "also at line 3"},
	{"lone surrogate", bundle(identityObject(`,"description":"a\ud800b"`)), stix.CodeText, "surrogate"},
	{"no UTF-8", bundle(identityObject(`,"description":"` + "\xff" + `"`)), stix.CodeText, "UTF-8"},
	{"NUL", bundle(identityObject(`,"description":"a\u0000b"`)), stix.CodeText, "NUL"},
	{"beyond 2^53", bundle(identityObject(`,"x_n":9007199254740993`)), stix.CodeNumber, "2^53"},
	{"huge exponent", bundle(identityObject(`,"x_n":1e999999`)), stix.CodeNumber, "2^53"},
	{"tiny exponent", bundle(identityObject(`,"x_n":1e-999999`)), stix.CodeNumber, "too small"},
	{"null", bundle(identityObject(`,"description":null`)), stix.CodeSchema, "null"},
	{"10,000 levels", bundle(identityObject(`,"x_deep":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000))), stix.CodeTooDeep, "levels"},
	{"40 levels", bundle(identityObject(`,"x_deep":` + strings.Repeat("[", 40) + strings.Repeat("]", 40))), stix.CodeTooDeep, "32 levels"},
	{"long text", bundle(identityObject(`,"description":"` + strings.Repeat("a", stix.MaxString+1) + `"`)), stix.CodeTooLarge, "longer"},
	{"large object", bundle(identityObject(`,"labels":["` + strings.Repeat(`a","`, stix.MaxObject/2) + `"]`)), stix.CodeTooLarge, "one object"},
	{"large gap", strings.Replace(sample(), "[\n", "["+strings.Repeat("\n", 3*stix.MaxObject), 1), stix.CodeTooLarge, "gap"},
	{"long name of a member", bundle(identityObject(`,"` + strings.Repeat("x", stix.MaxName+1) + `":1`)), stix.CodeTooLarge, "250 bytes"},
	{"many values", bundle(identityObject(`,"x_n":[` + strings.Repeat("0,", stix.MaxValues) + `0]`)), stix.CodeTooLarge, "values"},
	{"many references", bundle(`{"type":"report","id":"report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",` + stamps + `,"name":"r","published":"2026-11-20T10:00:00Z","object_refs":["` + strings.Repeat(arden+`","`, stix.MaxReferences) + arden + `"]}`), stix.CodeTooLarge, "references"},
	{"empty", bundle(), stix.CodeSchema, "no object"},
	{"no objects", `{"type":"bundle","id":"` + bundleID + `"}`, stix.CodeNotBundle, "no objects"},
	{"objects no list", `{"type":"bundle","id":"` + bundleID + `","objects":{}}`, stix.CodeSchema, "a list"},
	{"object no object", bundle(`"identity"`), stix.CodeSchema, "no object"},
	{"id of another type", bundle(strings.Replace(identityObject(""), `"id":"identity`, `"id":"malware`, 1)), stix.CodeSchema, "no id of an object"},
	{"id no id", bundle(strings.Replace(identityObject(""), arden, "identity--1", 1)), stix.CodeSchema, "no id of an object"},
	{"no name", bundle(strings.Replace(identityObject(""), `,"name":"CERT Arden"`, "", 1)), stix.CodeSchema, "lacks name"},
	{"confidence", bundle(identityObject(`,"confidence":101`)), stix.CodeSchema, "more than 100"},
	{"empty list", bundle(identityObject(`,"roles":[]`)), stix.CodeSchema, "empty"},
	{"30 February", bundle(strings.ReplaceAll(identityObject(""), "2026-11-20", "2026-02-30")), stix.CodeTime, "no time"},
	{"29 February of no leap year", bundle(strings.ReplaceAll(identityObject(""), "2026-11-20", "2027-02-29")), stix.CodeTime, "no time"},
	{"ends before it begins", bundle(indicator("[url:value = 'x']", `,"valid_until":"2026-11-01T00:00:00Z"`)), stix.CodeTime, "before valid_from"},
	{"report that holds itself", bundle(`{"type":"report","id":"report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",` + stamps + `,"name":"r","published":"2026-11-20T10:00:00Z","object_refs":["report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3"]}`), stix.CodeCycle, "holds it"},
	{"processes that hold each other", bundle(process("1", "2"), process("2", "3"), process("3", "1")), stix.CodeCycle, "parent_ref"},
	{"marking with another meaning", bundle(marking(clearID, "red")), stix.CodeMarkingDef, "published"},
	{"TLP 1 under an id of its own", bundle(`{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--11111111-1111-4111-8111-111111111111","created":"2017-01-20T00:00:00.000Z","name":"TLP:RED","definition_type":"tlp","definition":{"tlp":"red"}}`), stix.CodeMarkingDef, "none of them"},
}

func process(id, parent string) string {
	const form = "process--%s0000000-0000-4000-8000-000000000000"
	return fmt.Sprintf(`{"type":"process","id":"`+form+`","parent_ref":"`+form+`"}`, id, parent)
}

func marking(id, level string) string {
	return `{"type":"marking-definition","spec_version":"2.1","id":"` + id + `","created":"2022-10-01T00:00:00.000Z","name":"TLP:` + strings.ToUpper(level) + `","extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"` + level + `"}}}`
}

// covers P14
func TestReadRefuses(t *testing.T) {
	for _, c := range bad {
		t.Run(c.name, func(t *testing.T) {
			b, err := stix.Read(strings.NewReader(c.text))
			var refused *stix.Refused
			if b != nil || !errors.As(err, &refused) {
				t.Fatalf("accepted, or %v", err)
			}
			if !refused.Has(c.code) || !strings.Contains(all(err), c.says) {
				t.Errorf("want the code %s and the words %q, have:\n%s", c.code, c.says, all(err))
			}
			for _, f := range refused.Findings {
				if f.Line < 1 || f.Reason == "" || f.Next == "" {
					t.Errorf("finding without line, reason or next step: %+v", f)
				}
			}
		})
	}
}

// TestAllFindings asks that a refusal lists each fault with its place.
func TestAllFindings(t *testing.T) {
	_, err := stix.Read(strings.NewReader(bundle(identityObject(`,"name":"x"`), malware(`,"confidence":-1`), indicator("[a:b = 'c']", ",\n\"labels\":[\"\\udfff\"]"))))
	var refused *stix.Refused
	if !errors.As(err, &refused) || len(refused.Findings) != 3 {
		t.Fatalf("want three findings:\n%s", all(err))
	}
	for i, want := range []struct {
		object, pointer string
		line            int
	}{{arden, "/objects/0/name", 3}, {malwareID, "/objects/1/confidence", 4}, {indicatorID, "/objects/2/labels/0", 6}} {
		f := refused.Findings[i]
		if string(f.Object) != want.object || string(f.Pointer) != want.pointer || f.Line != want.line {
			t.Errorf("finding %d: have %s %s line %d, want %+v", i, f.Object, f.Pointer, f.Line, want)
		}
	}
}

// A report that names its own reporter is noted with its place; one that names
// others is not.
// covers P14
func TestReportNamesTheReporter(t *testing.T) {
	report := func(refs string) string {
		return `{"type":"report","id":"report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",` + stamps + `,"name":"Winter","published":"2026-11-20T10:00:00Z","created_by_ref":"` + arden + `","object_refs":[` + refs + `]}`
	}
	beacon := indicator("[ipv4-addr:value = '192.0.2.7']", "")
	for refs, want := range map[string]bool{`"` + indicatorID + `","` + arden + `"`: true, `"` + indicatorID + `"`: false} {
		b, err := stix.Read(strings.NewReader(bundle(identityObject(""), beacon, report(refs))))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(b.Notes, func(f stix.Finding) bool { return f.Code == stix.CodeReporter })
		if (i >= 0) != want {
			t.Errorf("%s: %v", refs, b.Notes)
		}
		if want && !strings.Contains(b.Notes[i].String(), "/objects/2/object_refs/1") {
			t.Errorf("without its place: %s", b.Notes[i])
		}
	}
}

// endless is a bundle whose objects never end.
type endless struct{ n, told int }

func (e *endless) Read(p []byte) (int, error) {
	if e.n++; e.n == 1 {
		return copy(p, `{"type":"bundle","id":"`+bundleID+`","objects":[{}`), nil
	}
	e.told++
	return copy(p, `,{"type":"mutex","id":"`+fmt.Sprintf("mutex--%08x-0000-4000-8000-000000000000", e.n)+`","name":"m"}`), nil
}

// covers P14
func TestMillionObjects(t *testing.T) {
	e := &endless{}
	_, err := stix.Read(e)
	var refused *stix.Refused
	if !errors.As(err, &refused) || !refused.Has(stix.CodeTooLarge) {
		t.Fatalf("accepted, or %v", err)
	}
	if e.told > 2*stix.MaxObjects {
		t.Errorf("read on to %d objects", e.told)
	}
}

// covers P14
func TestManyFaultsAreBounded(t *testing.T) {
	objects := slices.Repeat([]string{identityObject(`,"name":"x"`)}, 5_000)
	_, err := stix.Read(strings.NewReader(bundle(objects...)))
	var refused *stix.Refused
	if !errors.As(err, &refused) || len(refused.Findings) != stix.MaxFindings || refused.More != 5_000-stix.MaxFindings {
		t.Fatalf("have %d findings and %d more", len(refused.Findings), refused.More)
	}
}

func TestNotes(t *testing.T) {
	actor := strings.ReplaceAll(strings.ReplaceAll(identityObject(""), arden, "threat-actor--6d179234-61fc-40c4-ae86-3d53308d8e65"), `"identity"`, `"threat-actor"`)
	b := mustRead(t, bundle(identityObject(`,"x_desk":"night","extensions":{"x-desk-ext":{"a":1}}`), actor, relationship("attributed-to", malwareID, arden), `{"type":"x-desk","id":"x-desk--023d105b-752e-4e3c-941c-7d3f3cb15e9e","seat":4}`))
	var have []string
	for _, n := range b.Notes {
		have = append(have, string(n.Code)+" "+string(n.Pointer))
	}
	want := []string{"unknown /objects/0/x_desk", "unknown /objects/0/extensions/x-desk-ext", "unknown /objects/1/type", "attribution /objects/1", "attribution /objects/2", "unknown /objects/3/type", "dangling /objects/2/source_ref"}
	if !slices.Equal(have, want) {
		t.Errorf("have notes\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if len(b.Objects) != 4 || b.Objects[3].Known || b.Objects[1].Known || !b.Objects[0].Known {
		t.Error("what is outside the profile must be kept, and be told from what is not")
	}
}

func TestManifestAndDiff(t *testing.T) {
	before := mustRead(t, sample()).Manifest()
	spaced := mustRead(t, strings.ReplaceAll(sample(), `,"`, " , \"")).Manifest()
	if !slices.Equal(before, spaced) || len(stix.Diff(before, spaced)) != 0 {
		t.Error("white space changes the hash of an object")
	}
	changed := strings.Replace(sample(), "CERT Arden", "CERT Ardun", 1)
	changed = strings.Replace(changed, malware(marked(amberID))+",\n", "", 1)
	changed = strings.Replace(changed, "\n]}", ",\n"+`{"type":"mutex","id":"mutex--023d105b-752e-4e3c-941c-7d3f3cb15e9e","name":"m"}`+"\n]}", 1)
	diff := stix.Diff(before, mustRead(t, changed).Manifest())
	if len(diff) != 3 || diff[0].Before.ID != arden || diff[0].After.Hash == diff[0].Before.Hash || diff[1].Before.ID != malwareID || diff[1].After != (stix.Row{}) || diff[2].Before != (stix.Row{}) {
		t.Errorf("diff: %+v", diff)
	}
	if before[1].Marking.TLP != stix.TLPAmber || before[1].Created != "2026-11-20T10:00:00.000Z" {
		t.Errorf("row: %+v", before[1])
	}
}

func TestMarkings(t *testing.T) {
	limit := func(tlp, pap string) stix.Marking {
		m, err := stix.ParseMarking(message.Marking{TLP: tlp, PAP: pap})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	own := "marking-definition--11111111-1111-4111-8111-111111111111"
	says := func(statement string) string {
		return `{"type":"marking-definition","spec_version":"2.1","id":"` + own + `","created":"2026-10-01T00:00:00.000Z","definition_type":"statement","definition":{"statement":"` + statement + `"}}`
	}
	for _, c := range []struct {
		name, text, ceiling string
		limit               stix.Marking
		codes               []stix.Code
	}{
		{"below", sample(), "TLP:AMBER", limit("AMBER", ""), nil},
		{"above", sample(), "TLP:AMBER", limit("GREEN", ""), []stix.Code{stix.CodeAbove, stix.CodeAbove, stix.CodeAbove}},
		{"missing", bundle(identityObject("")), "no TLP", limit("RED", ""), []stix.Code{stix.CodeUnmarked}},
		{"most restrictive of two", bundle(identityObject(marked(redID, clearID))), "TLP:RED", limit("AMBER+STRICT", ""), []stix.Code{stix.CodeAbove}},
		{"of a part", bundle(identityObject(marked(clearID) + `,"granular_markings":[{"selectors":["name"],"marking_ref":"` + redID + `"}]`)), "TLP:RED", limit("AMBER", ""), []stix.Code{stix.CodeAbove}},
		{"TLP 1 white", bundle(identityObject(marked(whiteID))), "TLP:CLEAR", limit("CLEAR", ""), nil},
		{"definition carried along", bundle(marking(redID, "red"), identityObject(marked(redID))), "TLP:RED", limit("RED", ""), nil},
		{"PAP above", bundle(identityObject(marked(clearID, papRedID))), "TLP:CLEAR PAP:RED", limit("RED", ""), []stix.Code{stix.CodeAbove}},
		{"PAP within", bundle(identityObject(marked(clearID, papRedID))), "TLP:CLEAR PAP:RED", limit("RED", "RED"), nil},
		{"not in the bundle", bundle(identityObject(marked(own))), "TLP:RED PAP:RED", limit("RED", "RED"), []stix.Code{stix.CodeUnreadable}},
		{"a level that nobody knows", bundle(says("TLP:ULTRA"), identityObject(marked(own))), "TLP:RED PAP:RED", limit("RED", "RED"), []stix.Code{stix.CodeUnreadable}},
		{"as a statement", bundle(says("tlp:amber+strict"), identityObject(marked(own))), "TLP:AMBER+STRICT", limit("AMBER", ""), []stix.Code{stix.CodeAbove}},
		{"a copyright beside", bundle(says("Copyright Arden"), identityObject(marked(own, clearID))), "TLP:CLEAR", limit("CLEAR", ""), nil},
		{"a copyright alone", bundle(says("Copyright Arden"), identityObject(marked(own))), "no TLP", limit("CLEAR", ""), []stix.Code{stix.CodeUnmarked}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := mustRead(t, c.text)
			if have := stix.Ceiling(b).String(); have != c.ceiling {
				t.Errorf("ceiling %s, want %s", have, c.ceiling)
			}
			var codes []stix.Code
			for _, f := range stix.Allowed(b, c.limit) {
				codes = append(codes, f.Code)
				if f.Object == "" || f.Line == 0 || f.Reason == "" || f.Next == "" {
					t.Errorf("finding without object, line, reason or next step: %+v", f)
				}
			}
			if !slices.Equal(codes, c.codes) {
				t.Errorf("have %v, want %v", codes, c.codes)
			}
		})
	}
	for _, words := range []message.Marking{{TLP: "WHITE"}, {TLP: "red"}, {PAP: "AMBER+STRICT"}} {
		if m, err := stix.ParseMarking(words); err == nil {
			t.Errorf("%v is read as %v", words, m)
		}
	}
	if m := limit("AMBER+STRICT", "AMBER"); m.Message() != (message.Marking{TLP: "AMBER+STRICT", PAP: "AMBER"}) {
		t.Errorf("there and back: %v", m.Message())
	}
}

func TestRenderIsComplete(t *testing.T) {
	b := mustRead(t, sample())
	for _, l := range book.Langs() {
		text, err := b.Render(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, need := range append([]string{`"Beacon"`, `"CERT Arden"`, `"192.0.2.7"`, b.Digest.String(), "80", "2026-11-19T22:00:00Z"}, indicatorID, malwareID) {
			if !strings.Contains(text, need) {
				t.Errorf("%s: %s is not told:\n%s", l, need, text)
			}
		}
		for line := range strings.Lines(text) {
			if label, value, ok := strings.Cut(line, ": "); line != "\n" && (!ok || label == "" || strings.TrimSpace(value) == "") {
				t.Errorf("%s: a line without label or value: %q", l, line)
			}
		}
	}
	text, _ := b.Render("en")
	for _, line := range []string{
		"Link: Indicator \u2068\"Beacon\"\u2069 — indicates → Malicious code \u2068\"Rime\"\u2069\n",
		"Pattern in words: IPv4 address is \u2068\"192.0.2.7\"\u2069 or Domain name is \u2068\"c2.example\"\u2069\n",
		"Marking: TLP:AMBER\n",
		"Name: \u2068\"Beacon\"\u2069\n",
		"Marked by: " + amberID + " — TLP:AMBER\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("want the line %q in\n%s", line, text)
		}
	}
	if _, err := b.Render("tlh"); err == nil {
		t.Error("a seventh language")
	}
}

// covers P14
func TestRenderShowsWhatIsInvisible(t *testing.T) {
	evil := "a\\u202Eb\\u200bc\\u2069d\\ne<script>\\u001b[2J"
	b := mustRead(t, bundle(identityObject(`,"description":"`+evil+`","x_`+"\\u202e"+`":{"\u2066":["`+evil+`"]}`), `{"type":"x-desk","id":"x-desk--023d105b-752e-4e3c-941c-7d3f3cb15e9e","name":"`+evil+`"}`))
	for _, l := range book.Langs() {
		text, err := b.Render(l)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(text, "\u202e\u200b\x1b\r") || !strings.Contains(text, `\u202e`) {
			t.Errorf("%s: something is invisible, or lost", l)
		}
		if strings.Count(text, "\u2068")+strings.Count(text, "\u2066") != strings.Count(text, "\u2069") {
			t.Errorf("%s: isolates do not close", l)
		}
		if strings.Contains(text, "\ne<script>") {
			t.Errorf("%s: foreign text begins a line", l)
		}
	}
}

// TestRenderIsBounded tells a bundle that is made to grow when it is told: a
// long name that all others mention, within names that are long and deep.
//
// covers P14
func TestRenderIsBounded(t *testing.T) {
	deep := strings.Repeat(`{"`+strings.Repeat("n", stix.MaxName)+`":`, 20) + "[" + strings.Repeat("0,", 20_000) + "0]" + strings.Repeat("}", 20)
	objects := []string{strings.Replace(identityObject(""), "CERT Arden", strings.Repeat("\\u202e", 40_000), 1)}
	for i := range 10 {
		report := fmt.Sprintf(`{"type":"report","id":"report--%08d-0000-4000-8000-000000000000",`+stamps+`,"name":"r","published":"2026-11-20T10:00:00Z","object_refs":["%s"]}`, i, strings.Repeat(arden+`","`, 4_000)+arden)
		objects = append(objects, report)
	}
	objects = append(objects, malware(`,"x_deep":`+deep))
	text := bundle(objects...)
	b := mustRead(t, text)
	for _, l := range book.Langs() {
		told, err := b.Render(l)
		if err != nil || len(told) > 10*len(text) {
			t.Errorf("%s: %d bytes are told of %d, %v", l, len(told), len(text), err)
		}
	}
}
