package stix_test

import (
	"bytes"
	v1 "encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"detente/book"
	"detente/identity"
	"detente/interop/stix"
)

// FuzzRead reads whatever comes, and what it accepts a second time in the
// plainest way: as generic values of the first encoding/json. Both must see the
// same objects, and the same hash of each.
//
// covers P14
func FuzzRead(f *testing.F) {
	accepted := []string{sample(), bundle(identityObject("")), bundle(process("1", "2")), bundle(marking(clearID, "clear"), relationship("uses", malwareID, arden))}
	for _, text := range accepted {
		if _, err := stix.Read(strings.NewReader(text)); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(text))
	}
	for _, rejected := range bad {
		if len(rejected.text) > 1<<16 {
			continue
		}
		if _, err := stix.Read(strings.NewReader(rejected.text)); err == nil {
			f.Fatal(rejected.name)
		}
		f.Add([]byte(rejected.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := stix.Read(bytes.NewReader(text))
		if err != nil {
			var refused *stix.Refused
			if !errors.As(err, &refused) || len(refused.Findings) == 0 {
				t.Fatalf("neither accepted nor refused: %v", err)
			}
			for _, finding := range refused.Findings {
				if finding.Line < 1 || finding.Reason == "" || strings.ContainsFunc(finding.String(), unicode.IsControl) {
					t.Fatalf("finding: %q", finding.String())
				}
			}
			return
		}
		plainly(t, text, b)
	})
}

// plainly reads an accepted bundle in the plainest way and compares.
func plainly(t *testing.T, text []byte, b *stix.Bundle) {
	t.Helper()
	var plain struct {
		ID      string
		Objects []map[string]any
	}
	if err := v1.Unmarshal(text, &plain); err != nil {
		t.Fatalf("accepted, and a plain reader refuses: %v", err)
	}
	if string(b.ID) != plain.ID || len(plain.Objects) != len(b.Objects) || b.Digest != identity.Sum(text) {
		t.Fatalf("a plain reader sees %s with %d objects, we %s with %d", plain.ID, len(plain.Objects), b.ID, len(b.Objects))
	}
	for i, o := range b.Objects {
		if plain.Objects[i]["id"] != string(o.ID) || plain.Objects[i]["type"] != o.Type() {
			t.Fatalf("object %d: a plain reader sees %v, we %s", i, plain.Objects[i]["id"], o.ID)
		}
		if !ascii(o.Raw) {
			continue // the two order members beyond ASCII otherwise
		}
		var canonical bytes.Buffer
		enc := v1.NewEncoder(&canonical)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(plain.Objects[i]); err != nil {
			t.Fatal(err)
		}
		if identity.Sum(bytes.TrimSuffix(canonical.Bytes(), []byte("\n"))) != o.Hash {
			t.Fatalf("object %d: another hash over\n%s", i, canonical.Bytes())
		}
	}
	for _, l := range book.Langs() {
		told, err := b.Render(l)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(strings.ReplaceAll(told, "\n", ""), unicode.IsControl) {
			t.Fatalf("%s: a control character is told as it stands: %q", l, told)
		}
	}
	if again := stix.Diff(b.Manifest(), b.Manifest()); len(again) != 0 {
		t.Fatalf("a bundle differs from itself: %v", again)
	}
	stix.Indicators(b)
	if found := stix.Allowed(b, stix.Ceiling(b)); slices.ContainsFunc(found, func(f stix.Finding) bool { return f.Code == stix.CodeAbove }) {
		t.Fatalf("something lies above the ceiling: %v", found)
	}
}

// ascii says whether a text and all that it escapes is plain.
func ascii(raw []byte) bool {
	return !bytes.ContainsFunc(raw, func(r rune) bool { return r > unicode.MaxASCII || r < ' ' && r != '\n' && r != '\t' && r != '\r' }) && !bytes.Contains(raw, []byte(`\`))
}

// FuzzCustody asks that an accepted chain is its own bytes.
//
// covers P14
func FuzzCustody(f *testing.F) {
	accepted, err := stix.Custody{}.Add(event(stix.Collected, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(accepted.Bytes())
	for _, rejected := range slices.Sorted(maps.Keys(map[string]bool{"x\n": true, "{}\n": true, string(accepted.Bytes()) + string(accepted.Bytes()): true})) {
		if _, err := stix.ParseCustody([]byte(rejected)); err == nil {
			f.Fatalf("%q is accepted", rejected)
		}
		f.Add([]byte(rejected))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := stix.ParseCustody(text)
		if err == nil && !bytes.Equal(c.Bytes(), text) {
			t.Fatalf("accepted, and not its own bytes: %q", text)
		}
	})
}
