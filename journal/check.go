package journal

import (
	"fmt"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// checkPage is how many entries are held in memory at a time.
const checkPage = 256

// CheckLog computes a log's tree anew from its entries and compares every stored
// hash, the row, its checkpoint and each cosignature's head with it. It returns
// an error that names the first thing that is wrong.
func CheckLog(tx Tx, o identity.Origin, pub identity.PublicKey) error {
	l, ok, err := tx.Log(o)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknownLog, o)
	}
	fresh := Log{Origin: o}
	for fresh.Size < l.Size {
		to := min(fresh.Size+checkPage, l.Size)
		entries, err := tx.Entries(o, fresh.Size, to)
		if err != nil {
			return fmt.Errorf("entries %d to %d of %s: %w", fresh.Size, to-1, o, err)
		}
		g, err := Grow(tx, fresh, entries)
		if err != nil {
			return err
		}
		indexes := make([]int64, len(g.fresh))
		for i := range indexes {
			indexes[i] = g.first + int64(i)
		}
		stored, err := tx.Hashes(o, indexes)
		if err != nil {
			return fmt.Errorf("hashes of %s from entry %d: %w", o, fresh.Size, err)
		}
		for i, h := range g.fresh {
			if stored[i] != h {
				level, n := tlog.SplitStoredHashIndex(indexes[i])
				return fmt.Errorf("log %s: the hash at level %d, place %d differs from what the entries give", o, level, n)
			}
		}
		fresh = g.Log()
	}
	if fresh.Root != l.Root {
		return fmt.Errorf("log %s: the root at size %d differs from what the entries give", o, l.Size)
	}
	if err := checkRow(l); err != nil {
		return err
	}
	if l.Size > 0 {
		h, err := OpenCheckpoint(pub, o, l.Checkpoint)
		if err != nil {
			return err
		}
		if h.Size != l.Size || h.Root != l.Root {
			return fmt.Errorf("log %s: its checkpoint is of another head than its row", o)
		}
	}
	return nil
}

// CheckCosignatures verifies that the cosignatures of a mirror on a log stand
// over heads of that log, each of one second. Those of the mirror that pub is no
// key of are an error too.
func CheckCosignatures(tx Tx, o identity.Origin, by string, pub identity.PublicKey) error {
	const page = 256 // cosignatures held in memory at a time
	for after := int64(0); ; {
		some, err := tx.CosignaturesAfter(o, by, after, page)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, c := range some {
			root, err := RootAt(tx, o, c.Size)
			if err != nil {
				return fmt.Errorf("log %s, cosignature at size %d: %w", o, c.Size, err)
			}
			given, err := OpenCosignature(by, pub, Head{o, c.Size, root}, c.Lines)
			if err != nil {
				return fmt.Errorf("log %s, size %d: %w", o, c.Size, err)
			}
			if c.Root != root {
				return fmt.Errorf("log %s, size %d: the cosignature's row names another root than the entries give", o, c.Size)
			}
			if !given.At.Equal(c.At) {
				return fmt.Errorf("log %s, size %d: the cosignature's row says %s, and its signatures %s", o, c.Size, stamp(c.At), stamp(given.At))
			}
			after = c.Size
		}
	}
}

// CheckSeconds returns an error where the seconds of a mirror's cosignatures on a
// log fall as sizes grow.
func CheckSeconds(tx Tx, o identity.Origin, by string) error {
	all, err := tx.CosignaturesAfter(o, by, 0, 0)
	if err != nil {
		return err
	}
	for i, c := range all {
		if i > 0 && c.At.Before(all[i-1].At) {
			return fmt.Errorf("log %s: the cosignature at size %d is earlier than the one at %d", o, c.Size, all[i-1].Size)
		}
	}
	return nil
}
