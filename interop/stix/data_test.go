package stix_test

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"detente/book"
	"detente/identity"
	"detente/interop/stix"
)

// testdata returns the files of the real data that match a pattern; where the
// data is not, the test skips.
func testdata(t *testing.T, pattern string) []string {
	t.Helper()
	dir := os.Getenv("DETENTE_TESTDATA")
	if dir == "" {
		t.Skip("DETENTE_TESTDATA is not set: the bundles and schemas made by others are not here")
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

// oasis compiles the schemas that OASIS publishes, by type of object.
func oasis(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	at := map[string]string{}
	for _, dir := range []string{"common", "sdos", "sros", "observables"} {
		for _, name := range testdata(t, "stix/schemas/"+dir+"/*.json") {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			url := doc.(map[string]any)["$id"].(string)
			if err := c.AddResource(url, doc); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			at[strings.TrimSuffix(filepath.Base(name), ".json")] = url
		}
	}
	compiled := map[string]*jsonschema.Schema{}
	for _, typ := range stix.Types() {
		url, ok := at[typ]
		if !ok {
			t.Fatalf("OASIS has no schema for %s", typ)
		}
		s, err := c.Compile(url)
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		compiled[typ] = s
	}
	return compiled
}

// TestRealBundles reads every bundle of the real data: all are accepted, tell
// themselves in six languages, keep their bytes, and each object that the
// profile calls known is one that OASIS's schemas accept.
func TestRealBundles(t *testing.T) {
	judges := oasis(t)
	files := append(testdata(t, "stix/*.json"), testdata(t, "misp/*stix21.json")...)
	objects := 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := stix.Read(bytes.NewReader(raw))
		if err != nil {
			t.Errorf("%s: %s", filepath.Base(name), all(err))
			continue
		}
		if b.Digest != identity.Sum(raw) || b.Size != int64(len(raw)) {
			t.Errorf("%s: another digest or size than its bytes have", name)
		}
		for _, o := range b.Objects {
			objects++
			if !bytes.Contains(raw, o.Raw) {
				t.Errorf("%s: the bytes of %s are not those that came", name, o.ID)
			}
			judge := judges[o.Type()]
			if o.Known != (judge != nil) {
				t.Errorf("%s: %s: known %v, though the profile lists its type: %v", name, o.ID, o.Known, judge != nil)
			}
			if judge == nil {
				continue
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(o.Raw))
			if err == nil {
				err = judge.Validate(v)
			}
			if err != nil {
				t.Errorf("%s: %s: OASIS differs: %v", name, o.ID, err)
			}
		}
		for _, l := range book.Langs() {
			if text, err := b.Render(l); err != nil || len(text) < len(b.Objects)*100 {
				t.Errorf("%s in %s: %d bytes, %v", name, l, len(text), err)
			}
		}
		if filepath.Base(name) == "apt1.json" && len(stix.Indicators(b)) != 12 {
			t.Errorf("apt1: %d indicators", len(stix.Indicators(b)))
		}
	}
	if objects < 100 {
		t.Errorf("only %d objects were judged", objects)
	}
}

// differ are mutations on which the two sets of schemas disagree, each with the
// reason. An entry that nothing needs any more fails the test.
var differ = map[string]string{}

// TestMutationsAgree breaks objects of the real data, one member at a time, and
// asks both sets of schemas: what OASIS refuses we refuse; what we refuse and
// OASIS does not is listed with a reason.
func TestMutationsAgree(t *testing.T) {
	judges := oasis(t)
	tried, refused, met := 0, 0, map[string]bool{}
	for _, name := range testdata(t, "stix/*.json") {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := stix.Read(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range b.Objects {
			if !o.Known {
				continue
			}
			for what, m := range mutations(t, o.Raw) {
				text, err := json.Marshal(m, json.Deterministic(true))
				if err != nil {
					t.Fatal(err)
				}
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				theirs := judges[o.Type()].Validate(v) == nil
				_, ourErr := stix.Read(strings.NewReader(bundle(string(text))))
				tried++
				if !theirs {
					refused++
				}
				if theirs == (ourErr == nil) {
					continue
				}
				met[o.Type()+" "+what] = true
				if differ[o.Type()+" "+what] == "" {
					t.Errorf("%s %s %s: OASIS accepts: %v, we: %s", o.Type(), what, o.ID, theirs, all(ourErr))
				}
			}
		}
	}
	for key := range differ {
		if !met[key] {
			t.Errorf("no difference at %q: take it out of the list", key)
		}
	}
	t.Logf("%d mutations, %d of them refused by OASIS", tried, refused)
	if tried < 500 || refused < 100 {
		t.Errorf("%d mutations, of which OASIS refuses %d, prove little", tried, refused)
	}
}

// mutations returns copies of an object, each with one member taken out or
// given a value that it may not have.
func mutations(t *testing.T, raw []byte) map[string]map[string]any {
	t.Helper()
	fresh := func() (m map[string]any) {
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	out := map[string]map[string]any{}
	for member, value := range fresh() {
		if member == "type" || member == "id" {
			continue
		}
		m := fresh()
		delete(m, member)
		out["without "+member] = m
		m = fresh()
		m[member] = true
		if _, is := value.(bool); is {
			m[member] = "true"
		}
		if member != "extensions" {
			out["with a wrong kind of "+member] = m
		}
		if _, is := value.([]any); is {
			m = fresh()
			m[member] = []any{}
			out["with an empty "+member] = m
		}
	}
	return out
}

// TestForeignFormats reads events of MISP and advisories in CSAF: they are
// refused with words that say what they are.
func TestForeignFormats(t *testing.T) {
	for pattern, words := range map[string]string{"misp/*.json": "MISP", "csaf/*/*.json": "CSAF"} {
		for _, name := range testdata(t, pattern) {
			if strings.HasSuffix(name, "stix21.json") {
				continue
			}
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = stix.Read(bytes.NewReader(raw))
			var refused *stix.Refused
			if !errors.As(err, &refused) || !refused.Has(stix.CodeNotBundle) || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: want a refusal that names %s, have %s", filepath.Base(name), words, all(err))
			}
		}
	}
}

// covers P14
func TestFilesThatBreakParsers(t *testing.T) {
	for _, name := range testdata(t, "json/*.json") {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stix.Read(bytes.NewReader(raw)); err == nil {
			t.Errorf("%s is accepted as a bundle", filepath.Base(name))
		}
		base := filepath.Base(name)
		_, err = stix.Read(strings.NewReader(bundle(identityObject(`,"x_v":` + string(raw)))))
		var refused *stix.Refused
		if strings.HasPrefix(base, "n_") && !errors.As(err, &refused) {
			t.Errorf("%s is accepted within an object", base)
		}
	}
}

// covers P14
func TestNaughtyStrings(t *testing.T) {
	names := testdata(t, "text/blns*.json")
	raw, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, s := range all {
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		b, err := stix.Read(strings.NewReader(bundle(identityObject(`,"description":` + string(quoted)))))
		if err != nil {
			continue // NUL and the like
		}
		told++
		text, err := b.Render("en")
		if err != nil || strings.ContainsAny(text, "\u202e\u200b\u0007\x1b") || !strings.Contains(text, book.Quote(s)) && !strings.Contains(text, s) {
			t.Errorf("%q is not told, or as it stands: %v", s, err)
		}
	}
	if told < 400 {
		t.Errorf("only %d strings were told", told)
	}
}

// TestKnownDifferences lists where the profile is narrower than the schemas of
// OASIS, and why.
func TestKnownDifferences(t *testing.T) {
	judges := oasis(t)
	for _, c := range []struct{ object, reason string }{
		{`{"type":"observed-data","id":"observed-data--cf8eaa41-6f4c-482e-89b9-9cd2d6a83cb1",` + stamps + `,"first_observed":"2026-11-20T10:00:00Z","last_observed":"2026-11-20T10:00:00Z","number_observed":1,"objects":{"0":{"type":"domain-name","id":"domain-name--cf8eaa41-6f4c-582e-89b9-9cd2d6a83cb1","value":"c2.example"}}}`,
			"the member objects is deprecated in 2.1: observables are objects of their own, so that each has a hash"},
		{`{"type":"email-message","id":"email-message--cf8eaa41-6f4c-582e-89b9-9cd2d6a83cb1","is_multipart":false,"from_ref":"file--cf8eaa41-6f4c-582e-89b9-9cd2d6a83cb1"}`,
			"the text of the standard says what a reference may name, the schemas do not"},
		{strings.Replace(identityObject(""), `"2.1"`, `"2.0"`, 1), "the schemas let 2.0 stand; the profile speaks 2.1"},
		{strings.ReplaceAll(identityObject(""), "2026-11-20", "2026-02-31"), "the schemas know no calendar"},
		{strings.Replace(malwareObject(), `"is_family":true`, `"is_family":true,"first_seen":"2026-11-21T00:00:00Z","last_seen":"2026-11-20T00:00:00Z"`, 1), "the text of the standard orders the two times, the schemas do not"},
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(c.object))
		if err != nil {
			t.Fatal(err)
		}
		typ := v.(map[string]any)["type"].(string)
		if err := judges[typ].Validate(v); err != nil {
			t.Errorf("%s: OASIS refuses it too, so this is no difference: %v", c.reason, err)
		}
		if _, err := stix.Read(strings.NewReader(bundle(c.object))); err == nil {
			t.Errorf("accepted, though %s", c.reason)
		}
	}
}

func malwareObject() string { return malware("") }
