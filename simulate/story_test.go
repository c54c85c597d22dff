package simulate

import (
	"bytes"
	"context"
	"testing"
	"time"

	"detente/identity"
	"detente/record"
	"detente/treaty"
)

// A year between two stations: both say the same of where everything stands, and
// so does whoever has the exported record and nothing else.
// covers P10 P14
func TestStory(t *testing.T) {
	told, err := Tell(context.Background(), StoryOptions{Seed: 1, Tests: 30 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(told.States["arden"], told.States["boreal"]) {
		t.Fatalf("the two sides differ: %s", firstDifference(told.States["arden"], told.States["boreal"]))
	}
	var roots []identity.Root
	for _, note := range told.Roots {
		r, err := identity.ParseRoot(note)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, r)
	}
	var texts []*treaty.Agreement
	for _, text := range told.Agreements {
		a, err := treaty.ParseAgreement(text)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, a)
	}
	report, state, err := record.Rebuild(bytes.NewReader(told.Record), int64(len(told.Record)), roots, texts, told.At)
	if err != nil {
		t.Fatal(err)
	}
	if report.Verdict != record.Valid {
		t.Errorf("the record is %s", report.Verdict)
	}
	if !bytes.Equal(state.Bytes(), told.States["arden"]) {
		t.Fatalf("the record says something else: %s", firstDifference(state.Bytes(), told.States["arden"]))
	}
}
