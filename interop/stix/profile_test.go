package stix

import (
	"encoding/json/v2"
	"slices"
	"testing"

	"detente/book"
)

// TestProfileIsWhole asks that the embedded schemas compile and hold the types
// that the guide names, and no other.
func TestProfileIsWhole(t *testing.T) {
	types := Types()
	for _, typ := range []string{"identity", "indicator", "observed-data", "malware", "infrastructure", "attack-pattern", "tool", "vulnerability", "campaign", "intrusion-set", "sighting", "relationship", "report", "note", "marking-definition", "file", "ipv4-addr", "url", "x509-certificate"} {
		if !slices.Contains(types, typ) {
			t.Errorf("the profile has no %s", typ)
		}
	}
	if slices.Contains(types, "threat-actor") {
		t.Error("the profile holds threat actors")
	}
	if len(types) != 34 {
		t.Errorf("the profile has %d types: %v", len(types), types)
	}
}

// covers P13
func TestLabelsAreComplete(t *testing.T) {
	l := words6()
	if !slices.Equal(l.Languages, book.Langs()) {
		t.Fatalf("labels are in %v, the book in %v", l.Languages, book.Langs())
	}
	for _, group := range []table{l.Words, l.Notes, l.Types, l.Members, l.Relations, l.Operators} {
		for name, six := range group {
			if len(six) != len(l.Languages) || slices.Contains(six, "") {
				t.Errorf("%s: %d labels, or an empty one: %q", name, len(six), six)
			}
		}
	}
	for _, typ := range Types() {
		if l.Types[typ] == nil {
			t.Errorf("the type %s has no label", typ)
		}
	}
	var domain struct {
		Defs map[string]schemaNode `json:"$defs"`
	}
	for _, file := range []string{"domain.json", "relation.json", "marking.json"} {
		raw, err := schemaFiles.ReadFile("schema/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &domain); err != nil {
			t.Fatal(err)
		}
		for typ := range domain.Defs {
			for _, member := range profile()[typ].members {
				if member != "type" && member != "id" && l.Members[member] == nil {
					t.Errorf("the member %s of %s has no label", member, typ)
				}
			}
		}
	}
	for _, op := range append(slices.Clone(signs), words...) {
		if l.Operators[op] == nil {
			t.Errorf("the operator %s has no label", op)
		}
	}
	for _, code := range []Code{CodeUnknown, CodeDangling, CodeAttribution, CodeReporter} {
		if l.Notes[string(code)] == nil {
			t.Errorf("the note %s has no label", code)
		}
	}
}

// TestPublishedMarkings asks that the file of facts reads, and that it holds all
// labels of both protocols.
func TestPublishedMarkings(t *testing.T) {
	if facts().Source == "" {
		t.Error("no source is named")
	}
	var have Marking
	tlp, pap := map[TLP]bool{}, map[PAP]bool{}
	for id, m := range publishedMarkings() {
		if _, err := ParseID(string(id)); err != nil {
			t.Error(err)
		}
		tlp[m.TLP], pap[m.PAP], have = true, true, have.With(m)
	}
	if len(tlp) != 6 || len(pap) != 5 || have != (Marking{TLPRed, PAPRed}) {
		t.Errorf("labels held: %v %v", tlp, pap)
	}
}
