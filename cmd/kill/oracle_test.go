package main

import (
	"testing"

	"detente/cmd/internal/rig"
	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// planted returns an oracle over a rig that runs nothing.
func planted(t *testing.T) *oracle {
	t.Helper()
	line, err := identity.NewLine("nrrc.arden.example", "nrrc.boreal.example", identity.Notification)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig.Rig{Line: line, Ends: [2]*rig.End{{Name: "nrrc.arden.example"}, {Name: "nrrc.boreal.example"}}}
	return &oracle{rig: r, heads: make(map[shown]tlog.Hash)}
}

func root(t *testing.T, entries ...string) tlog.Tree {
	t.Helper()
	var hashes memoryHashes
	for i, e := range entries {
		more, err := tlog.StoredHashes(int64(i), []byte(e), hashes)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
	}
	h, err := tlog.TreeHash(int64(len(entries)), hashes)
	if err != nil {
		t.Fatal(err)
	}
	return tlog.Tree{N: int64(len(entries)), Hash: h}
}

func bytesOf(entries ...string) (out [][]byte) {
	for _, e := range entries {
		out = append(out, []byte(e))
	}
	return out
}

func TestOracleFindsWhatIsPlanted(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(*oracle)
		want  verdict
	}{
		"nothing": {func(o *oracle) {
			o.note(0, 0, root(t, "a"))
			o.note(0, 0, root(t, "a", "b"))
			o.compare(0, [2][][]byte{bytesOf("a", "b"), bytesOf("a", "b")})
		}, verdict{}},
		"two roots of one size":         {func(o *oracle) { o.note(0, 0, root(t, "a")); o.note(1, 0, root(t, "b")) }, verdict{forked: 1}},
		"a smaller head after a larger": {func(o *oracle) { o.note(0, 0, root(t, "a", "b")); o.note(0, 0, root(t, "a")) }, verdict{lost: 1}},
		"an entry that one side lacks":  {func(o *oracle) { o.compare(0, [2][][]byte{bytesOf("a", "b"), bytesOf("a")}) }, verdict{lost: 1}},
		"an entry that differs":         {func(o *oracle) { o.compare(1, [2][][]byte{bytesOf("a"), bytesOf("b")}) }, verdict{forked: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			o := planted(t)
			c.plant(o)
			if o.bad != c.want {
				t.Errorf("found %+v, want %+v", o.bad, c.want)
			}
		})
	}
}

func TestOracleFindsAnotherHistory(t *testing.T) {
	o := planted(t)
	o.note(0, 0, root(t, "a", "x"))
	if err := o.history(0, bytesOf("a", "b", "c")); err != nil {
		t.Fatal(err)
	}
	if want := (verdict{forked: 1}); o.bad != want {
		t.Errorf("found %+v, want %+v", o.bad, want)
	}
}
