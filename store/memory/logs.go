package memory

import (
	"bytes"
	"fmt"
	"slices"

	"detente/identity"
	"detente/journal"

	"golang.org/x/mod/sumdb/tlog"
)

// Log implements journal.Tx.
func (t *tx) Log(o identity.Origin) (journal.Log, bool, error) {
	l, ok := t.st.logs[o]
	return l, ok, nil
}

// PutLog implements journal.Tx.
func (t *tx) PutLog(l journal.Log) error { return set(t, t.st.logs, l.Origin, l) }

// Entry implements journal.Tx.
func (t *tx) Entry(o identity.Origin, index int64) ([]byte, error) {
	list, err := t.Entries(o, index, index+1)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Entries implements journal.Tx.
func (t *tx) Entries(o identity.Origin, from, to int64) ([][]byte, error) {
	if from >= to {
		return nil, nil
	}
	all := t.st.entries[o]
	if from < 0 || to > int64(len(all)) {
		return nil, fmt.Errorf("%w: %d to %d of %s", journal.ErrNoEntry, from, to-1, o)
	}
	return slices.Clone(all[from:to]), nil
}

// PutEntries implements journal.Tx.
func (t *tx) PutEntries(o identity.Origin, from int64, entries [][]byte) error {
	all := t.st.entries[o]
	if int64(len(all)) != from {
		return fmt.Errorf("%w: %s holds %d entries, and others were put from %d", journal.ErrMoved, o, len(all), from)
	}
	if !t.writable {
		return errReadOnly
	}
	t.undo = append(t.undo, func() { t.st.entries[o] = all })
	t.st.entries[o] = append(all[:len(all):cap(all)], entries...)
	return nil
}

// Hashes implements journal.Tx.
func (t *tx) Hashes(o identity.Origin, indexes []int64) ([]tlog.Hash, error) {
	all := t.st.hashes[o]
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(all)) || all[x] == (tlog.Hash{}) {
			return nil, fmt.Errorf("%w: stored hash %d of %s", journal.ErrNoEntry, x, o)
		}
		out[i] = all[x]
	}
	return out, nil
}

// PutHashes implements journal.Tx.
func (t *tx) PutHashes(o identity.Origin, first int64, hashes []tlog.Hash) error {
	if !t.writable {
		return errReadOnly
	}
	all := t.st.hashes[o]
	if first > int64(len(all)) {
		return fmt.Errorf("%w: stored hashes of %s end at %d, and others were put from %d", journal.ErrMoved, o, len(all), first)
	}
	t.undo = append(t.undo, func() { t.st.hashes[o] = all })
	t.st.hashes[o] = append(all[:first:min(int64(cap(all)), cut(first, all))], hashes...)
	return nil
}

// cut lets an append at the end reuse spare room, and one inside make a copy.
func cut(first int64, all []tlog.Hash) int64 {
	if first == int64(len(all)) {
		return int64(cap(all))
	}
	return first
}

// PutCosignature implements journal.Tx.
func (t *tx) PutCosignature(c journal.Cosignature) error {
	k := cosigner{c.Origin, c.By}
	all := t.st.cosigned[k]
	i, ok := slices.BinarySearchFunc(all, c.Size, bySize)
	if ok {
		if bytes.Equal(all[i].Lines, c.Lines) {
			return nil
		}
		return fmt.Errorf("%w: %s over %s at %d", journal.ErrSecondTime, c.By, c.Origin, c.Size)
	}
	if i == len(all) {
		if !t.writable {
			return errReadOnly
		}
		t.undo = append(t.undo, func() { t.st.cosigned[k] = all })
		t.st.cosigned[k] = append(all[:len(all):cap(all)], c)
		return nil
	}
	return set(t, t.st.cosigned, k, slices.Insert(slices.Clone(all), i, c))
}

// MendEntry implements station.Tx. This store keeps no holes: an index beyond
// the last entry is refused.
func (t *tx) MendEntry(o identity.Origin, index int64, entry []byte) error {
	all := t.st.entries[o]
	if index == int64(len(all)) {
		return t.PutEntries(o, index, [][]byte{entry})
	}
	if index < 0 || index > int64(len(all)) {
		return fmt.Errorf("%w: %d of %s", journal.ErrNoEntry, index, o)
	}
	mended := slices.Clone(all)
	mended[index] = entry
	return set(t, t.st.entries, o, mended)
}

// MendCosignature implements station.Tx.
func (t *tx) MendCosignature(c journal.Cosignature) error {
	k := cosigner{c.Origin, c.By}
	all := slices.Clone(t.st.cosigned[k])
	i, ok := slices.BinarySearchFunc(all, c.Size, bySize)
	if ok {
		all[i] = c
	} else {
		all = slices.Insert(all, i, c)
	}
	return set(t, t.st.cosigned, k, all)
}

func bySize(c journal.Cosignature, size int64) int {
	switch {
	case c.Size < size:
		return -1
	case c.Size > size:
		return 1
	}
	return 0
}

// Cosignature implements journal.Tx.
func (t *tx) Cosignature(o identity.Origin, by string, size int64) (journal.Cosignature, bool, error) {
	all := t.st.cosigned[cosigner{o, by}]
	if i, ok := slices.BinarySearchFunc(all, size, bySize); ok {
		return all[i], true, nil
	}
	return journal.Cosignature{}, false, nil
}

// LastCosignature implements journal.Tx.
func (t *tx) LastCosignature(o identity.Origin, by string) (journal.Cosignature, bool, error) {
	all := t.st.cosigned[cosigner{o, by}]
	if len(all) == 0 {
		return journal.Cosignature{}, false, nil
	}
	return all[len(all)-1], true, nil
}

// CosignatureCovering implements journal.Tx.
func (t *tx) CosignatureCovering(o identity.Origin, by string, index int64) (journal.Cosignature, bool, error) {
	list, err := t.CosignaturesAfter(o, by, index, 1)
	if err != nil || len(list) == 0 {
		return journal.Cosignature{}, false, err
	}
	return list[0], true, nil
}

// CosignaturesAfter implements journal.Tx.
func (t *tx) CosignaturesAfter(o identity.Origin, by string, size int64, limit int) ([]journal.Cosignature, error) {
	all := t.st.cosigned[cosigner{o, by}]
	i, _ := slices.BinarySearchFunc(all, size+1, bySize)
	return clipped(all[i:], limit), nil
}
