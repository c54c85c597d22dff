package filler

import (
	"path/filepath"
	"testing"
)

// The talk that the fold is measured on is folded as two stations would: each
// question and its answer are one matter.
func TestFold(t *testing.T) {
	if per, err := Fold(t.Context(), filepath.Join(t.TempDir(), "fold"), 1000); err != nil || per <= 0 {
		t.Errorf("%v, %v", per, err)
	}
}

// A line in memory is measured by what it says: each matter is folded and
// listed.
func TestFoldPure(t *testing.T) {
	if p, err := FoldPure(1000, true); err != nil || p.Message <= 0 || p.First <= 0 || p.Later <= 0 {
		t.Errorf("%+v, %v", p, err)
	}
}
