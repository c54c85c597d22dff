package simulate

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"detente/identity"
	"detente/record"
	"detente/treaty"
)

// arbiter is somebody with the exported record, the parties' roots and the texts
// that were signed, and nothing else.
type arbiter struct {
	roots []identity.Root
	texts []*treaty.Agreement
}

func newArbiter(t *testing.T, told Story) (a arbiter) {
	t.Helper()
	for _, note := range told.Roots {
		r, err := identity.ParseRoot(note)
		if err != nil {
			t.Fatal(err)
		}
		a.roots = append(a.roots, r)
	}
	for _, text := range told.Agreements {
		agreement, err := treaty.ParseAgreement(text)
		if err != nil {
			t.Fatal(err)
		}
		a.texts = append(a.texts, agreement)
	}
	return a
}

func (a arbiter) rebuild(file []byte, at time.Time) (record.Report, record.LineState, error) {
	return record.Rebuild(bytes.NewReader(file), int64(len(file)), a.roots, a.texts, at)
}

// same fails unless both sides and the record say the same.
func (a arbiter) same(t *testing.T, file []byte, at time.Time, states map[string][]byte) {
	t.Helper()
	if !bytes.Equal(states["arden"], states["boreal"]) {
		t.Errorf("as of %s the two sides differ: %s", at, firstDifference(states["arden"], states["boreal"]))
	}
	report, state, err := a.rebuild(file, at)
	if err != nil || report.Verdict != record.Valid {
		t.Fatalf("as of %s: %v, the record is %s", at, err, report.Verdict)
	}
	if again := state.Bytes(); !bytes.Equal(again, states["arden"]) {
		t.Errorf("as of %s the record says something else: %s", at, firstDifference(again, states["arden"]))
	}
}

// A year between two stations, with its line tested each month: both say the same
// of where everything stands, and so does whoever has the exported record and
// nothing else; as of earlier seconds too, in whose midst a signature lacks, an
// article is suspended, an agreement denounced.
// covers P10 P14
func TestStory(t *testing.T) {
	told, err := Tell(context.Background(), StoryOptions{Seed: 1, Tests: 30 * 24 * time.Hour, Past: []int{64, 93, 190, 232, 310}})
	if err != nil {
		t.Fatal(err)
	}
	a := newArbiter(t, told)
	a.same(t, told.Record, told.At, told.States)
	if len(told.Past) != 5 {
		t.Fatalf("%d seconds of the past", len(told.Past))
	}
	for _, p := range told.Past {
		a.same(t, told.Record, p.At, p.States)
	}

	changed := bytes.Clone(told.Record)
	changed[len(changed)/2] ^= 1
	if _, _, err := a.rebuild(changed, told.At); !errors.Is(err, record.ErrRebuild) {
		t.Errorf("of a record that somebody changed: %v", err)
	}
	// Without the texts nobody can say what was owed by them; what was signed stands
	// all the same.
	_, state, err := arbiter{roots: a.roots}.rebuild(told.Record, told.At)
	if err != nil || len(state.Agreements) != 1 || !bytes.Contains(state.Agreements[0], []byte(`"held":false`)) {
		t.Errorf("without the texts: %s, %v", state.Agreements, err)
	}
}
