package tribunal

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/record"
)

// From the exported record alone: what was claimed, on which facts, what was
// answered to each, what stayed open.
// covers P19 P20
func TestArbiter(t *testing.T) {
	s, err := played(context.Background(), t.TempDir(), func(*stage) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	var roots []identity.Root
	for _, note := range s.copy.roots() {
		r, err := identity.ParseRoot(note)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, r)
	}
	r, err := record.Verify(bytes.NewReader(s.file), int64(len(s.file)), roots)
	if err != nil || r.Verdict != record.Valid || len(r.Claims) != 1 {
		t.Fatalf("%s with %d claims, %v: %+v", r.Verdict, len(r.Claims), err, r.Findings)
	}
	c := r.Claims[0]
	if c.Citation != "ARD/BOR-N1-3" || c.Format != "270" || c.Kind != dossier.KindClaim || c.Stage != dossier.Questioned || len(c.Facts) != 2 {
		t.Fatalf("%+v", c)
	}
	if want := []string{"ARD/BOR-N1-3", "BOR/ARD-N1-2", "ARD/BOR-N1-4"}; !slices.Equal(c.Messages, want) {
		t.Errorf("messages %v, want %v", c.Messages, want)
	}
	one, two := c.Facts[0], c.Facts[1]
	if one.Standing != dossier.FactContested || len(one.Answers) != 1 || one.Answers[0].Code != "not-ours" || one.Answers[0].Citation != "BOR/ARD-N1-2" || one.Said["act"] != "scanning" {
		t.Errorf("%+v", one)
	}
	if two.Standing != dossier.FactUnanswered || len(two.Asked) != 1 || !slices.Equal(c.Unanswered, []string{"ARD/BOR-N1-3 [2]"}) {
		t.Errorf("%+v; unanswered %v", two, c.Unanswered)
	}
	for _, l := range book.Langs() {
		text, err := r.Render(l)
		if err != nil || !strings.Contains(text, "§ ARD/BOR-N1-3 270 ") || !strings.Contains(text, "BOR/ARD-N1-2") || !strings.Contains(text, "scanning") {
			t.Errorf("%s: %v\n%s", l, err, text)
		}
	}
}
