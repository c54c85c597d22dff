package record

import (
	"errors"
	"fmt"
	"io"
	"time"

	"detente/identity"
)

// What keeps an entry of a record from being proven by itself.
var (
	ErrNoEntry   = errors.New("the record has no such entry")
	ErrNoReceipt = errors.New("the entry has no receipt in the record")
	ErrInvalid   = errors.New("the record is not valid")
)

// Proof is what proves by itself, to a verifier that knows nothing of records, that
// an entry stands in its log and that its reader holds it: the three files of
// C2SP tlog-proof and tlog-policy. It says nothing of what the entry says.
type Proof struct {
	Citation string
	Log      identity.Origin
	Index    int64
	Size     int64           // of the receipted tree in which the entry is proven
	Root     identity.Digest // of that tree
	Received time.Time       // the second of the receipt
	Entry    []byte          // the entry as it stands in the log, sealed
	Proof    []byte          // tlog-proof
	Policy   []byte          // tlog-policy
}

// Prove verifies a record as Verify does, and returns the proof of the entry that a
// citation names; an empty citation names the only message of a record of one. What
// keeps it from being proven is ErrInvalid, ErrNoEntry or ErrNoReceipt.
func Prove(r io.ReaderAt, size int64, roots []identity.Root, citation string) (Report, Proof, error) {
	v := newVerifier(roots)
	v.wanted = &wanted{citation: citation}
	report := v.run(r, size)
	w := v.wanted
	switch {
	case report.Verdict == Invalid:
		return report, Proof{}, ErrInvalid
	case citation == "" && w.found != 1:
		return report, Proof{}, fmt.Errorf("%w: it holds %d messages: name one of them by its citation", ErrNoEntry, w.found)
	case w.found == 0:
		return report, Proof{}, fmt.Errorf("%w: %s", ErrNoEntry, citation)
	case w.proof.Proof == nil:
		return report, Proof{}, fmt.Errorf("%w: ask for a later export", ErrNoReceipt)
	}
	return report, w.proof, nil
}

// wanted is the entry whose proof is asked for.
type wanted struct {
	citation string // empty: any that is not there for others to count by
	found    int
	proof    Proof // of the last one that was found; without Proof where it is not receipted
}

// keeps keeps the proof of an entry, if it is asked for.
func (w *wanted) keeps(l *logVerifier, folder string, index int64, sealed []byte) {
	if w == nil || w.citation != "" && w.citation != l.cite(index) || w.citation == "" && l.supports(index) {
		return
	}
	w.found++
	w.proof = Proof{Citation: l.cite(index), Log: l.o, Index: index, Entry: sealed}
	if !l.proven {
		return
	}
	w.proof.Proof, _ = l.v.files.get(folder + "proof.tlog-proof") // they were read a moment ago
	w.proof.Policy, _ = l.v.files.get(folder + "policy.txt")
	w.proof.Size, w.proof.Root, w.proof.Received = l.head.Size, identity.Digest(l.head.Root), l.receipt.UTC()
}
