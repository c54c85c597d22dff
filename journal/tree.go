package journal

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// RightEdge returns the stored hash indexes of a tree's right edge: the roots of
// its largest complete subtrees, from the left. From them its root, and all that
// is appended, can be computed.
func RightEdge(n int64) []int64 {
	var edge []int64
	var at int64
	for level := 62; level >= 0; level-- {
		if n&(1<<level) != 0 {
			edge = append(edge, tlog.StoredHashIndex(level, at>>level))
			at += 1 << level
		}
	}
	return edge
}

// reader serves the hashes of a log's tree: those of the right edge and of the
// entries being appended from memory, others from the transaction.
type reader struct {
	tx    Tx
	o     identity.Origin
	known map[int64]tlog.Hash
}

// ReadHashes implements tlog.HashReader.
func (r reader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	var ask []int64
	for i, x := range indexes {
		if h, ok := r.known[x]; ok {
			out[i] = h
		} else {
			ask = append(ask, x)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	got, err := r.tx.Hashes(r.o, ask)
	if err != nil {
		return nil, err
	}
	for i, x := range indexes {
		if _, ok := r.known[x]; !ok {
			out[i], got = got[0], got[1:]
		}
	}
	return out, nil
}

// HashReader serves the stored hashes of a log's tree.
func HashReader(tx Tx, o identity.Origin) tlog.HashReader { return reader{tx: tx, o: o} }

// Growth is a log with entries appended in memory.
type Growth struct {
	log   Log
	first int64 // stored hash index of the first new hash
	fresh []tlog.Hash
	known map[int64]tlog.Hash
	tx    Tx
}

// Grow returns a log with entries appended, in memory only. It costs a
// logarithm of the log's size for each. An empty entry says nothing, and is one
// all the same: a mirror refuses no entry for what it says.
func Grow(tx Tx, l Log, entries [][]byte) (*Growth, error) {
	g := &Growth{log: l, tx: tx, known: make(map[int64]tlog.Hash), first: tlog.StoredHashIndex(0, l.Size)}
	edge := RightEdge(l.Size)
	if len(edge) != len(l.Edge) {
		return nil, fmt.Errorf("internal error: the right edge of %s has %d hashes and %d are needed; run `detente station doctor`", l.Origin, len(l.Edge), len(edge))
	}
	for i, x := range edge {
		g.known[x] = l.Edge[i]
	}
	next := g.first
	for i, e := range entries {
		if len(e) > MaxEntry {
			return nil, fmt.Errorf("entry %d of %s has %d bytes, more than %d", l.Size+int64(i), l.Origin, len(e), MaxEntry)
		}
		hashes, err := tlog.StoredHashesForRecordHash(l.Size+int64(i), tlog.RecordHash(e), g)
		if err != nil {
			return nil, err
		}
		for _, h := range hashes {
			g.known[next] = h
			next++
		}
		g.fresh = append(g.fresh, hashes...)
	}
	g.log.Size += int64(len(entries))
	root, err := tlog.TreeHash(g.log.Size, g)
	if err != nil {
		return nil, err
	}
	g.log.Root = root
	g.log.Edge, err = g.ReadHashes(RightEdge(g.log.Size))
	return g, err
}

// ReadHashes implements tlog.HashReader over the grown tree.
func (g *Growth) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return reader{tx: g.tx, o: g.log.Origin, known: g.known}.ReadHashes(indexes)
}

// Head returns the grown log's head.
func (g *Growth) Head() Head { return Head{g.log.Origin, g.log.Size, g.log.Root} }

// Log returns the grown log's row, without a new checkpoint.
func (g *Growth) Log() Log { return g.log }

// Store puts the new entries and hashes. The row is the caller's to put, with
// its checkpoint.
func (g *Growth) Store(entries [][]byte) error {
	if err := g.tx.PutEntries(g.log.Origin, g.log.Size-int64(len(entries)), entries); err != nil {
		return err
	}
	return g.StoreHashes()
}

// StoreHashes puts the new hashes alone: the entries are kept already.
func (g *Growth) StoreHashes() error { return g.tx.PutHashes(g.log.Origin, g.first, g.fresh) }

// Append appends entries to an own log and signs its new head, once for all of
// them. The first append creates the log. An ended log takes nothing.
func Append(tx Tx, s Signer, entries [][]byte, at time.Time) (Head, error) {
	l, ok, err := tx.Log(s.origin)
	if err != nil {
		return Head{}, err
	}
	if !ok {
		l = Log{Origin: s.origin, Own: true}
	}
	if l.Ended != nil {
		return Head{}, fmt.Errorf("the log %s has ended at %d: the next era follows it", s.origin, l.Ended.Size)
	}
	if err := checkRow(l); err != nil {
		return Head{}, err
	}
	g, err := Grow(tx, l, entries)
	if err != nil {
		return Head{}, err
	}
	if err := g.Store(entries); err != nil {
		return Head{}, err
	}
	row := g.Log()
	if row.Checkpoint, err = s.Sign(g.Head(), at); err != nil {
		return Head{}, err
	}
	row.Own, row.Next = true, row.Size
	return g.Head(), tx.PutLog(row)
}

// checkRow verifies what the store handed back before more is built on it: the
// edge must give the root.
func checkRow(l Log) error {
	known := make(map[int64]tlog.Hash)
	for i, x := range RightEdge(l.Size) {
		if i >= len(l.Edge) {
			return fmt.Errorf("internal error: the row of %s lacks its right edge; run `detente station doctor`", l.Origin)
		}
		known[x] = l.Edge[i]
	}
	if l.Size == 0 {
		return nil
	}
	root, err := tlog.TreeHash(l.Size, reader{known: known, tx: noTx{}})
	if err != nil || root != l.Root {
		return fmt.Errorf("internal error: the row of %s does not hold together; run `detente station doctor`", l.Origin)
	}
	return nil
}

// noTx serves no hashes.
type noTx struct{ Tx }

// Hashes fails.
func (noTx) Hashes(identity.Origin, []int64) ([]tlog.Hash, error) { return nil, ErrNoEntry }

// RootAt returns the root of a log's tree at a size up to its own.
func RootAt(tx Tx, o identity.Origin, size int64) (tlog.Hash, error) {
	return tlog.TreeHash(size, HashReader(tx, o))
}

// Prove returns the inclusion proof of an entry in the tree of a size.
func Prove(tx Tx, o identity.Origin, index, size int64) (tlog.RecordProof, error) {
	return tlog.ProveRecord(size, index, HashReader(tx, o))
}

// ProveTree returns the consistency proof from one size to a larger one.
func ProveTree(tx Tx, o identity.Origin, old, size int64) (tlog.TreeProof, error) {
	if old == size {
		return nil, nil
	}
	return tlog.ProveTree(size, old, HashReader(tx, o))
}

// TakeBack puts entries of a log that was lost in part back into it, from start
// to the size of a checkpoint that carries the log's own two signatures.
func TakeBack(tx Tx, pub identity.PublicKey, o identity.Origin, own bool, checkpoint []byte, start int64, entries [][]byte) (Head, error) {
	head, err := OpenCheckpoint(pub, o, checkpoint)
	if err != nil {
		return Head{}, err
	}
	l, ok, err := tx.Log(o)
	if err != nil {
		return Head{}, err
	}
	if !ok {
		l = Log{Origin: o, Own: own}
	}
	if l.Size != start || head.Size != start+int64(len(entries)) {
		return Head{}, fmt.Errorf("%w: entries %d to %d were brought, and the log holds %d", ErrMoved, start, head.Size, l.Size)
	}
	g, err := Grow(tx, l, entries)
	if err != nil {
		return Head{}, err
	}
	if g.Head() != head {
		return Head{}, fmt.Errorf("the entries brought do not give the head of %s that its own keys signed at size %d", o, head.Size)
	}
	if err := g.Store(entries); err != nil {
		return Head{}, err
	}
	row := g.Log()
	row.Checkpoint, row.Next = checkpoint, row.Size
	return head, tx.PutLog(row)
}

// TakeReceipt verifies a mirror's lines over an own log at a size and keeps the
// cosignature with the checkpoint that it stands under: the log's present one,
// the one that was offered, or, where neither is of that size, one signed anew
// for the same head without a second, which says nothing of being the newest.
// With ErrSecondTime it returns the cosignature too: it verifies, and another of
// that size is kept already.
func TakeReceipt(tx Tx, s Signer, by string, pub identity.PublicKey, lines []byte, size int64, offered []byte) (Cosignature, error) {
	l, ok, err := tx.Log(s.origin)
	if err != nil {
		return Cosignature{}, err
	}
	if !ok || size <= 0 || size > l.Size {
		return Cosignature{}, fmt.Errorf("%w: %s has no size %d", ErrNoEntry, s.origin, size)
	}
	h := Head{s.origin, size, l.Root}
	if size != l.Size {
		if h.Root, err = RootAt(tx, s.origin, size); err != nil {
			return Cosignature{}, err
		}
	}
	c, err := OpenCosignature(by, pub, h, lines)
	if err != nil {
		return Cosignature{}, err
	}
	text := h.text()
	switch {
	case size == l.Size:
		c.Checkpoint = l.Checkpoint
	case bytes.HasPrefix(offered, append(text, '\n')):
		c.Checkpoint = offered
	default:
		if c.Checkpoint, err = s.Sign(h, time.Unix(0, 0)); err != nil {
			return Cosignature{}, err
		}
	}
	return c, tx.PutCosignature(c)
}

// formatProof writes the tlog-proof of an entry's inclusion.
func formatProof(index int64, p tlog.RecordProof, checkpoint []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "c2sp.org/tlog-proof@v1\nindex %d\n", index)
	for _, h := range p {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteByte('\n')
	b.Write(checkpoint)
	return b.Bytes()
}

// ProofFile returns the C2SP tlog-proof of an entry under the smallest
// checkpoint that covers it and that by has cosigned. ErrNoEntry where there is
// none yet: the entry has no receipt.
func ProofFile(tx Tx, o identity.Origin, index int64, by string) ([]byte, Cosignature, error) {
	c, ok, err := tx.CosignatureCovering(o, by, index)
	if err != nil {
		return nil, c, err
	}
	if !ok {
		return nil, c, fmt.Errorf("%w: entry %d of %s has no receipt of %s yet", ErrNoEntry, index, o, by)
	}
	p, err := Prove(tx, o, index, c.Size)
	if err != nil {
		return nil, c, err
	}
	return formatProof(index, p, append(bytes.Clone(c.Checkpoint), c.Lines...)), c, nil
}
