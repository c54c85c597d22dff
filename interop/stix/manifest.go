package stix

import (
	"encoding/json/jsontext"
	"strconv"

	"detente/identity"
)

func pointerOf(o *Object) jsontext.Pointer {
	return "/objects/" + jsontext.Pointer(strconv.Itoa(o.Index))
}

// A Row is one object's line in a manifest.
type Row struct {
	ID      ID
	Hash    identity.Digest // of the object's canonical JSON
	Created string          // as the object says; empty: it says nothing
	Marking Marking         // the most restrictive of it and its parts
}

// Manifest lists the objects of a bundle in its order, so that each can be
// cited, compared and answered by itself.
func (b *Bundle) Manifest() []Row {
	rows := make([]Row, len(b.Objects))
	for i, o := range b.Objects {
		m, _ := b.marking(o)
		rows[i] = Row{ID: o.ID, Hash: o.Hash, Created: o.Created, Marking: m}
	}
	return rows
}

// A Change is what became of one object between two manifests. In an added
// object Before is the zero Row, in one left out After is.
type Change struct {
	Before, After Row
}

// Diff compares two manifests by id. Objects of the same id and hash are the
// same; what is only in another place is no change. Changed and missing objects
// come first, in the order of the one before, then those added.
func Diff(before, after []Row) (changes []Change) {
	now := make(map[ID]Row, len(after))
	for _, r := range after {
		now[r.ID] = r
	}
	was := make(map[ID]bool, len(before))
	for _, r := range before {
		was[r.ID] = true
		if n, ok := now[r.ID]; !ok || n.Hash != r.Hash {
			changes = append(changes, Change{Before: r, After: n})
		}
	}
	for _, r := range after {
		if !was[r.ID] {
			changes = append(changes, Change{After: r})
		}
	}
	return changes
}
