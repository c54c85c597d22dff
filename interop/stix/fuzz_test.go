package stix_test

import (
	"bytes"
	v1 "encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"detente/book"
	"detente/identity"
	"detente/internal/decodertest"
	"detente/interop/stix"
)

// FuzzRead reads whatever comes, and what it accepts a second time in the
// plainest way: as generic values of the first encoding/json. Both must see the
// same objects, and the same hash of each.
//
// covers P14
func FuzzRead(f *testing.F) {
	var accepted, rejected [][]byte
	for _, text := range []string{sample(), bundle(identityObject("")), bundle(process("1", "2")), bundle(marking(clearID, "clear"), relationship("uses", malwareID, arden))} {
		accepted = append(accepted, []byte(text))
	}
	for _, b := range bad {
		rejected = append(rejected, []byte(b.text))
	}
	// What is wrong with a bundle is a list, a line a finding: each is looked at
	// below, and the first stands for all here.
	decodertest.Seeds(f, func(text []byte) error {
		_, err := stix.Read(bytes.NewReader(text))
		var refused *stix.Refused
		if errors.As(err, &refused) {
			return errors.New(refused.Findings[0].String())
		}
		return err
	}, accepted, rejected)
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
	one, err := stix.Custody{}.Add(event(stix.Collected, 1))
	if err != nil {
		f.Fatal(err)
	}
	accepted := [][]byte{one.Bytes()}
	rejected := [][]byte{[]byte("x\n"), []byte("{}\n"), slices.Concat(one.Bytes(), one.Bytes())}
	decodertest.Seeds(f, func(text []byte) error { _, err := stix.ParseCustody(text); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := stix.ParseCustody(text)
		if err == nil && !bytes.Equal(c.Bytes(), text) {
			t.Fatalf("accepted, and not its own bytes: %q", text)
		}
	})
}

// FuzzParsePattern reads what is accepted a second time by writing it anew.
//
// covers P14
func FuzzParsePattern(f *testing.F) {
	accepted := []string{"[ipv4-addr:value = '192.0.2.7']", "[file:hashes.'SHA-256' = 'aa' AND file:size > 4]", "[domain-name:value IN ('a.example', 'b.example') OR url:value NOT LIKE 'x%']"}
	rejected := []string{"", "[", "[ipv4-addr:value = '192.0.2.7'", "[a:b = 'c'] FOLLOWEDBY [a:b = 'd']", "[(a:b = 'c')]", "[a:b = 'c' AND a:b = 'd' OR a:b = 'e']"}
	read := func(s string) error {
		if _, ok := stix.ParsePattern(s); !ok {
			return errors.New("it is not simple")
		}
		return nil
	}
	decodertest.Seeds(f, read, accepted, rejected)
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := stix.ParsePattern(text)
		if !ok {
			return
		}
		joins := strings.Count(text, "AND") + strings.Count(text, "OR") // a value may hold more of them
		if len(p.Terms) == 0 || len(p.Terms)-1 > joins || !strings.Contains(text, p.Terms[0].Object) {
			t.Errorf("%q is read as %+v", text, p)
		}
		for _, c := range p.Terms {
			if c.Op == "" || len(c.Path) == 0 || len(c.Values) == 0 || c.Op != "IN" && len(c.Values) != 1 {
				t.Errorf("%q has the comparison %+v", text, c)
			}
		}
	})
}

// FuzzParseVerdict reads an item of feedback a second time by its parts.
//
// covers P14
func FuzzParseVerdict(f *testing.F) {
	hash := identity.Sum([]byte("x")).String()
	accepted := []string{malwareID, malwareID + "@" + hash}
	rejected := []string{"", "@" + hash, malwareID + "@", malwareID + "@" + strings.ToUpper(hash), malwareID + "\n", strings.Repeat("m", 1<<16)}
	decodertest.Seeds(f, func(s string) error { _, err := stix.ParseVerdict(s, "useful"); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, item string) {
		v, err := stix.ParseVerdict(item, "useful")
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		name, _, _ := strings.Cut(item, "@")
		if id, err := stix.ParseID(name); err != nil || id != v.Object || v.Item() != item && v.Hash != (identity.Digest{}) {
			t.Errorf("%q is read as %+v, and written %q: %v", item, v, v.Item(), err)
		}
	})
}
