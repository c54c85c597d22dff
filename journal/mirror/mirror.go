// Package mirror keeps copies of other stations' logs: it verifies, stores and
// cosigns, as C2SP tlog-witness and tlog-mirror say, and by one update process
// more, Deliver, which brings checkpoint and entries in one step.
//
// A cosignature is made and stored in the transaction that stores the entries,
// and leaves after the commit. It is made once for a size and never anew at or
// below the high-water mark.
package mirror

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/journal"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// Mark is how far a mirror has let out cosignatures of a log, from outside its
// store: the head, and the cosignature over it whole. The zero value is none.
type Mark struct {
	Size       int64
	Root       tlog.Hash
	Lines      []byte
	Checkpoint []byte
}

// Mirror cosigns logs that it holds.
type Mirror struct {
	Cosigner journal.Cosigner
}

// Conflict says where the mirror stands: what was sent begins or ends elsewhere.
type Conflict struct {
	Size int64 // of the pending checkpoint
	Next int64 // the first entry not held
}

func (e *Conflict) Error() string {
	return fmt.Sprintf("the mirror stands at size %d and its next entry is %d", e.Size, e.Next)
}

// Errors of a mirror.
var (
	// ErrProof says that a proof or the entries do not fit the signed head.
	ErrProof = errors.New("what was sent does not fit the signed head")
	// ErrEnded says that the log has ended before what was sent.
	ErrEnded = errors.New("the log has ended")
	// ErrBeyond says that more is held of a log than its writer ended it with:
	// nothing of it is to be sent any more.
	ErrBeyond = errors.New("more is held than the log ended with")
	// ErrBelowMark says that a cosignature was let out for that size once and is
	// not held any more: it must be taken back from whoever has it.
	ErrBelowMark = errors.New("a cosignature at or below the high-water mark is not made anew")
)

// load returns a mirrored log's row, new where nothing is kept yet.
func load(tx journal.Tx, o identity.Origin) (journal.Log, error) {
	l, ok, err := tx.Log(o)
	if err != nil {
		return l, err
	}
	if !ok {
		l = journal.Log{Origin: o}
	}
	if l.Own {
		return l, fmt.Errorf("internal error: %s is written here and cannot be mirrored", o)
	}
	return l, nil
}

// pending is the head that the mirror is locked on to.
func pending(l journal.Log, pub identity.PublicKey) (journal.Head, error) {
	if l.PendingSize <= l.Size {
		return journal.Head{Origin: l.Origin, Size: l.Size, Root: l.Root}, nil
	}
	return journal.OpenCheckpoint(pub, l.Origin, l.Pending)
}

// advance checks that a head, whose signed note was opened, follows the pending
// one, by a proof from old, and returns it. A head that contradicts is a *journal.ForkError.
func advance(tx journal.Tx, l journal.Log, pub identity.PublicKey, old int64, proof []tlog.Hash, h journal.Head, note []byte) (journal.Head, error) {
	if l.Ended != nil && h.Size > l.Ended.Size {
		return h, fmt.Errorf("%w: %s at %d, and the head is of %d", ErrEnded, l.Origin, l.Ended.Size, h.Size)
	}
	if h.Size <= l.Size {
		if err := journal.Compare(tx, l, h, note, nil); err != nil {
			return h, err
		}
	}
	at, err := pending(l, pub)
	if err != nil {
		return h, err
	}
	if old > h.Size {
		return h, fmt.Errorf("%w: the old size %d is beyond the head's %d", ErrProof, old, h.Size)
	}
	if old != at.Size {
		return h, &Conflict{Size: at.Size, Next: max(l.Next, l.Size)}
	}
	switch {
	case h.Size == at.Size && h.Root != at.Root:
		f := journal.Fork{Origin: l.Origin, A: noteOf(l), B: note}
		return h, &journal.ForkError{Fork: f, Ours: at, Theirs: h}
	case h.Size == at.Size && len(proof) != 0, at.Size == 0 && len(proof) != 0:
		return h, fmt.Errorf("%w: a proof is there where none belongs", ErrProof)
	case h.Size == at.Size, at.Size == 0:
		return h, nil
	}
	if err := tlog.CheckTree(proof, h.Size, h.Root, at.Size, at.Root); err != nil {
		return h, fmt.Errorf("%w: from size %d to %d: %w", ErrProof, at.Size, h.Size, err)
	}
	return h, nil
}

// noteOf is the signed note of the pending head.
func noteOf(l journal.Log) []byte {
	if l.PendingSize > l.Size {
		return l.Pending
	}
	return l.Checkpoint
}

// AddCheckpoint makes a signed head the pending one, as tlog-witness says. It
// cosigns nothing.
func (m Mirror) AddCheckpoint(tx journal.Tx, pub identity.PublicKey, o identity.Origin, old int64, proof []tlog.Hash, note []byte) error {
	l, err := load(tx, o)
	if err != nil {
		return err
	}
	h, err := journal.OpenCheckpoint(pub, o, note)
	if err != nil {
		return err
	}
	if l.Ended != nil && h.Size == l.Ended.Size && l.Size > h.Size {
		return fmt.Errorf("%w: %s is held to its end at %d and beyond", ErrBeyond, o, h.Size)
	}
	h, err = advance(tx, l, pub, old, proof, h, note)
	if err != nil {
		return err
	}
	if h.Size <= max(l.PendingSize, l.Size) {
		return nil
	}
	l.Pending, l.PendingSize = bytes.Clone(note), h.Size
	l.Next = max(l.Next, l.Size)
	return tx.PutLog(l)
}

// Deliver takes a checkpoint and the entries up to it in one step: verified
// against what is held and pending, stored and cosigned at a second, or nothing.
// What is held already is answered with the cosignature that was made then.
// mark is the largest head of the log for which a cosignature was let out: what
// leads beyond it must lead through it.
func (m Mirror) Deliver(tx journal.Tx, pub identity.PublicKey, d journal.Delivery, at time.Time, mark Mark) (journal.Cosignature, error) {
	l, err := load(tx, d.Origin)
	if err != nil {
		return journal.Cosignature{}, err
	}
	h, err := journal.OpenCheckpoint(pub, d.Origin, d.Checkpoint)
	if err != nil {
		return journal.Cosignature{}, err
	}
	if h.Size != d.Start+int64(len(d.Entries)) {
		return journal.Cosignature{}, fmt.Errorf("%w: %d entries from %d do not lead to size %d", ErrProof, len(d.Entries), d.Start, h.Size)
	}
	if h.Size <= l.Size {
		return m.again(tx, l, h, d.Checkpoint, mark)
	}
	if h, err = advance(tx, l, pub, d.OldSize, d.Proof, h, d.Checkpoint); err != nil {
		return journal.Cosignature{}, err
	}
	if l.Next > l.Size {
		// Entries of an unfinished upload are held beyond the log's size: go on
		// by the standard pair.
		return journal.Cosignature{}, &Conflict{Size: max(l.PendingSize, l.Size), Next: l.Next}
	}
	if d.Start > l.Size {
		return journal.Cosignature{}, &Conflict{Size: max(l.PendingSize, l.Size), Next: l.Size}
	}
	return m.commit(tx, l, h, d.Checkpoint, d.Entries[l.Size-d.Start:], at, mark)
}

// commit stores the entries that lead from a log's size to a verified head, and
// cosigns it.
func (m Mirror) commit(tx journal.Tx, l journal.Log, h journal.Head, note []byte, entries [][]byte, at time.Time, mark Mark) (journal.Cosignature, error) {
	g, err := journal.Grow(tx, l, entries)
	if err != nil {
		return journal.Cosignature{}, fmt.Errorf("%w: %w", ErrProof, err)
	}
	if g.Head() != h {
		return journal.Cosignature{}, fmt.Errorf("%w: the entries give another root at size %d", ErrProof, h.Size)
	}
	if err := g.Store(entries); err != nil {
		return journal.Cosignature{}, err
	}
	row := g.Log()
	row.Checkpoint, row.Pending, row.PendingSize, row.Next = bytes.Clone(note), nil, 0, h.Size
	if err := tx.PutLog(row); err != nil {
		return journal.Cosignature{}, err
	}
	if endedBelow(row, h, mark) {
		return journal.Cosignature{Origin: h.Origin, Size: h.Size, Root: h.Root}, nil
	}
	return m.cosign(tx, h, note, at, mark)
}

// endedBelow reports whether a head is the end of a log that its writer ended
// below the mark: entries that were cosigned once are lost with both stores.
func endedBelow(l journal.Log, h journal.Head, mark Mark) bool {
	return l.Ended != nil && l.Ended.Size == h.Size && h.Size < mark.Size
}

// cosign makes the cosignature of a head, at a second that never falls.
func (m Mirror) cosign(tx journal.Tx, h journal.Head, note []byte, at time.Time, mark Mark) (journal.Cosignature, error) {
	if h.Size <= mark.Size {
		return m.fromMark(tx, h, note, mark)
	}
	if mark.Size > 0 {
		root, err := journal.RootAt(tx, h.Origin, mark.Size)
		if err != nil {
			return journal.Cosignature{}, err
		}
		if root != mark.Root {
			return journal.Cosignature{}, markFork(tx, h, note, mark, root)
		}
	}
	last, ok, err := tx.LastCosignature(h.Origin, m.Cosigner.Name())
	if err != nil {
		return journal.Cosignature{}, err
	}
	if ok && at.Before(last.At) {
		at = last.At
	}
	if mark.Size > last.Size { // the store was put back and knows less than the mark
		marked, err := m.marked(h.Origin, mark)
		if err != nil {
			return journal.Cosignature{}, err
		}
		if at.Before(marked) {
			at = marked
		}
	}
	c, err := m.Cosigner.Cosign(h, at)
	if err != nil {
		return journal.Cosignature{}, err
	}
	c.Checkpoint = bytes.Clone(note)
	return c, tx.PutCosignature(c)
}

// marked returns the second of the cosignature that the mark holds; zero where it
// holds none.
func (m Mirror) marked(o identity.Origin, mark Mark) (time.Time, error) {
	if mark.Size == 0 || len(mark.Lines) == 0 {
		return time.Time{}, nil
	}
	h := journal.Head{Origin: o, Size: mark.Size, Root: mark.Root}
	c, err := journal.OpenCosignature(m.Cosigner.Name(), m.Cosigner.Public(), h, mark.Lines)
	if err != nil {
		return time.Time{}, fmt.Errorf("the cosignature in the high-water mark: %w", err)
	}
	return c.At, nil
}

// fromMark takes the cosignature that the mark holds back into the store. None
// is made anew at or below the mark: a smaller size waits for the log to come
// up to it.
func (m Mirror) fromMark(tx journal.Tx, h journal.Head, note []byte, mark Mark) (journal.Cosignature, error) {
	if h.Size < mark.Size {
		return journal.Cosignature{}, fmt.Errorf("%w: %s at %d, the mark is %d", ErrBelowMark, h.Origin, h.Size, mark.Size)
	}
	if h.Root != mark.Root {
		return journal.Cosignature{}, markFork(tx, h, note, mark, h.Root)
	}
	c, err := journal.OpenCosignature(m.Cosigner.Name(), m.Cosigner.Public(), h, mark.Lines)
	if err != nil {
		return c, fmt.Errorf("the cosignature in the high-water mark: %w", err)
	}
	c.Checkpoint = mark.Checkpoint
	return c, tx.PutCosignature(c)
}

// markFork is the error of a log that leads past the mark by another root than
// the one that was cosigned there.
func markFork(tx journal.Tx, h journal.Head, note []byte, mark Mark, root tlog.Hash) error {
	f := journal.Fork{Origin: h.Origin, A: mark.Checkpoint, B: note, Root: root}
	if h.Size > mark.Size {
		proof, err := journal.ProveTree(tx, h.Origin, mark.Size, h.Size)
		if err != nil {
			return err
		}
		f.Proof = proof
	}
	return &journal.ForkError{Fork: f, Ours: journal.Head{Origin: h.Origin, Size: mark.Size, Root: mark.Root}, Theirs: h}
}

// again answers a head that is held already: with the cosignature of exactly
// that size where there is one, else with where the mirror stands.
func (m Mirror) again(tx journal.Tx, l journal.Log, h journal.Head, note []byte, mark Mark) (journal.Cosignature, error) {
	if err := journal.Compare(tx, l, h, note, nil); err != nil {
		return journal.Cosignature{}, err
	}
	c, ok, err := tx.Cosignature(l.Origin, m.Cosigner.Name(), h.Size)
	if err != nil || ok {
		return c, err
	}
	if endedBelow(l, h, mark) {
		return journal.Cosignature{Origin: h.Origin, Size: h.Size, Root: h.Root}, nil
	}
	return journal.Cosignature{}, &Conflict{Size: max(l.PendingSize, l.Size), Next: max(l.Next, l.Size)}
}

// Package is one entry package of tlog-mirror's add-entries.
type Package struct {
	Subtree    int64 // where its subtree begins: a multiple of 256
	Start, End int64
	Entries    [][]byte
	Proof      []tlog.Hash // of the subtree Subtree..End in the tree of the upload's end
}

// AddEntries takes one package of an upload towards a pending checkpoint of size
// end, as tlog-mirror says. When the last one has come it cosigns; until then
// done is false and next tells the first entry still missing.
func (m Mirror) AddEntries(tx journal.Tx, pub identity.PublicKey, o identity.Origin, end int64, p Package, at time.Time, mark Mark) (c journal.Cosignature, next int64, done bool, err error) {
	l, err := load(tx, o)
	if err != nil {
		return c, 0, false, err
	}
	if end <= l.Size {
		c, ok, err := tx.Cosignature(o, m.Cosigner.Name(), end)
		if err != nil || ok {
			return c, end, ok, err
		}
		if h := (journal.Head{Origin: o, Size: l.Size, Root: l.Root}); end == l.Size && endedBelow(l, h, mark) {
			return journal.Cosignature{Origin: h.Origin, Size: h.Size, Root: h.Root}, end, true, nil
		}
		return c, 0, false, &Conflict{Size: max(l.PendingSize, l.Size), Next: max(l.Next, l.Size)}
	}
	if end != l.PendingSize || p.Start > l.Next {
		return c, 0, false, &Conflict{Size: max(l.PendingSize, l.Size), Next: max(l.Next, l.Size)}
	}
	h, err := pending(l, pub)
	if err != nil {
		return c, 0, false, err
	}
	if err := store(tx, &l, h, p); err != nil {
		return c, 0, false, err
	}
	if l.Next < end {
		return c, l.Next, false, tx.PutLog(l)
	}
	c, err = m.finish(tx, l, h, at, mark)
	return c, end, err == nil, err
}

// store verifies a package against the pending head and keeps what is new of it.
func store(tx journal.Tx, l *journal.Log, h journal.Head, p Package) error {
	if p.End <= l.Next {
		return nil
	}
	if int64(len(p.Entries)) != p.End-p.Start {
		return fmt.Errorf("%w: %d entries stand where %d belong", ErrProof, len(p.Entries), p.End-p.Start)
	}
	before, err := tx.Entries(l.Origin, p.Subtree, p.Start)
	if err != nil {
		return err
	}
	leaves := make([]tlog.Hash, 0, p.End-p.Subtree)
	for _, e := range append(before, p.Entries...) {
		leaves = append(leaves, tlog.RecordHash(e))
	}
	if err := torchwood.CheckSubtree(p.Proof, h.Size, h.Root, p.Subtree, p.End, treeOf(leaves)); err != nil {
		return fmt.Errorf("%w: entries %d to %d: %w", ErrProof, p.Start, p.End-1, err)
	}
	if err := tx.PutEntries(l.Origin, l.Next, p.Entries[l.Next-p.Start:]); err != nil {
		return err
	}
	l.Next = p.End
	return nil
}

// treeOf returns the root over leaf hashes (RFC 6962, section 2.1).
func treeOf(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(treeOf(leaves[:k]), treeOf(leaves[k:]))
}

// finish adds the hashes of entries that an upload has brought, and cosigns.
func (m Mirror) finish(tx journal.Tx, l journal.Log, h journal.Head, at time.Time, mark Mark) (journal.Cosignature, error) {
	const page = 1024 // entries held in memory at a time
	row := l
	for row.Size < h.Size {
		entries, err := tx.Entries(l.Origin, row.Size, min(row.Size+page, h.Size))
		if err != nil {
			return journal.Cosignature{}, err
		}
		g, err := journal.Grow(tx, row, entries)
		if err != nil {
			return journal.Cosignature{}, err
		}
		if err := g.StoreHashes(); err != nil {
			return journal.Cosignature{}, err
		}
		row = g.Log()
	}
	if row.Root != h.Root {
		return journal.Cosignature{}, fmt.Errorf("internal error: %s: packages that verified give another root; run `detente station doctor`", l.Origin)
	}
	row.Checkpoint, row.Pending, row.PendingSize, row.Next = l.Pending, nil, 0, h.Size
	if err := tx.PutLog(row); err != nil {
		return journal.Cosignature{}, err
	}
	if endedBelow(row, h, mark) {
		return journal.Cosignature{Origin: h.Origin, Size: h.Size, Root: h.Root}, nil
	}
	return m.cosign(tx, h, row.Checkpoint, at, mark)
}
