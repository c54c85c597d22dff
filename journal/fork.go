package journal

import (
	"encoding/base64"
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// Fork is two heads that one log has signed and that cannot both be its
// history: equal sizes with unequal roots, or a consistency proof that leads to
// the larger from another root than the smaller's.
type Fork struct {
	Origin identity.Origin
	A, B   []byte      // signed checkpoints, the smaller first
	Proof  []tlog.Hash // from A's size to B's; none where the sizes are equal
	Root   tlog.Hash   // the root at A's size that the proof begins at
}

// ForkError says that a log has shown two histories.
type ForkError struct {
	Fork
	Ours, Theirs Head
}

func (e *ForkError) Error() string {
	return fmt.Sprintf("the log %s has signed two histories: sizes %d and %d do not belong together", e.Origin, e.Ours.Size, e.Theirs.Size)
}

const forkTitle = "detente/fork/v1"

type forkJSON struct {
	A      string   `json:"a"`
	B      string   `json:"b"`
	Kind   string   `json:"kind"`
	Origin string   `json:"origin"`
	Proof  []string `json:"proof,omitempty"`
	Root   string   `json:"root,omitempty"`
}

// maxEvidence bounds an evidence file: two checkpoints and a proof.
const maxEvidence = 3*MaxCheckpoint + 64*64

// maxProof bounds a consistency proof: a tree of 2^63 entries needs no more.
const maxProof = 63

// MarshalFork returns the fork as a file that verifies by itself.
func MarshalFork(f Fork) ([]byte, error) {
	w := forkJSON{A: string(f.A), B: string(f.B), Kind: forkTitle, Origin: f.Origin.String()}
	for _, h := range f.Proof {
		w.Proof = append(w.Proof, h.String())
	}
	if len(f.Proof) > 0 {
		w.Root = f.Root.String()
	}
	return json.Marshal(w, json.Deterministic(true))
}

// ParseFork reads what MarshalFork wrote. It verifies nothing.
func ParseFork(b []byte) (Fork, error) {
	var w forkJSON
	if len(b) > maxEvidence {
		return Fork{}, fmt.Errorf("fork: %d bytes are more than %d", len(b), maxEvidence)
	}
	if err := json.Unmarshal(b, &w, json.RejectUnknownMembers(true)); err != nil || w.Kind != forkTitle {
		return Fork{}, errors.New("this is no proof of a fork: give the file as it was exported, whole")
	}
	if len(w.Proof) > maxProof {
		return Fork{}, fmt.Errorf("fork: a proof of %d hashes is longer than %d", len(w.Proof), maxProof)
	}
	f := Fork{A: []byte(w.A), B: []byte(w.B)}
	var err error
	if f.Origin, err = identity.ParseOrigin(w.Origin); err != nil {
		return Fork{}, err
	}
	for _, s := range w.Proof {
		h, err := parseHash(s)
		if err != nil {
			return Fork{}, err
		}
		f.Proof = append(f.Proof, h)
	}
	switch {
	case len(f.Proof) > 0:
		f.Root, err = parseHash(w.Root)
	case w.Root != "":
		err = errors.New("fork: a root stands without a proof that begins at it")
	}
	return f, err
}

// parseHash reads a hash in the one base64 form that it has.
func parseHash(s string) (h tlog.Hash, err error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(h) || base64.StdEncoding.EncodeToString(b) != s {
		return h, errors.New("fork: a hash of its proof is malformed: give the file as it was exported, whole")
	}
	return tlog.Hash(b), nil
}

// Verify returns nil if the two heads carry the log's own signatures and
// contradict each other: then whoever holds the log's key has shown two
// histories. It returns an error that says why this proves nothing.
func (f Fork) Verify(pub identity.PublicKey) error {
	a, err := OpenCheckpoint(pub, f.Origin, f.A)
	if err != nil {
		return err
	}
	b, err := OpenCheckpoint(pub, f.Origin, f.B)
	if err != nil {
		return err
	}
	switch {
	case a.Size == b.Size && a.Root != b.Root:
		return nil
	case a.Size == b.Size:
		return errors.New("the two heads are the same")
	case a.Size > b.Size:
		return errors.New("the smaller head must stand first")
	case f.Root == a.Root:
		return errors.New("the proof begins at the smaller head's own root: the two belong together")
	}
	if err := tlog.CheckTree(f.Proof, b.Size, b.Root, a.Size, f.Root); err != nil {
		return fmt.Errorf("the consistency proof does not verify: %w", err)
	}
	return nil
}

// Compare looks for a fork between a log as it is kept here and a head that
// carries the log's signatures. Where the head is no larger than what is held
// the entries held decide; a larger one needs a proof, which it is checked
// against. It returns nil, a *ForkError, or an error for a proof that does not
// verify, which proves nothing.
func Compare(tx Tx, l Log, shown Head, note []byte, proof []tlog.Hash) error {
	if shown.Size <= l.Size {
		root, err := RootAt(tx, l.Origin, shown.Size)
		if err != nil || root == shown.Root {
			return err
		}
		if shown.Size == l.Size {
			return fork(l, shown, Fork{Origin: l.Origin, A: l.Checkpoint, B: note})
		}
		own, err := ProveTree(tx, l.Origin, shown.Size, l.Size)
		if err != nil {
			return err
		}
		return fork(l, shown, Fork{Origin: l.Origin, A: note, B: l.Checkpoint, Proof: own, Root: root})
	}
	if l.Size == 0 {
		return nil
	}
	if err := tlog.CheckTree(proof, shown.Size, shown.Root, l.Size, l.Root); err != nil {
		return fmt.Errorf("the consistency proof from size %d to %d does not verify: %w", l.Size, shown.Size, err)
	}
	return nil
}

func fork(l Log, shown Head, f Fork) error {
	return &ForkError{Fork: f, Ours: Head{l.Origin, l.Size, l.Root}, Theirs: shown}
}

// Withheld is evidence that entries were offered to a counterpart that was
// alive and did not receipt them. It shows no more than that.
type Withheld struct {
	Offered []byte // the own log's signed checkpoint that was offered
	From    int64  // the first entry without a receipt
	Alive   []byte // the counterpart's signed checkpoint of its own log
}

type withheldJSON struct {
	Alive   string `json:"alive"`
	From    int64  `json:"from"`
	Kind    string `json:"kind"`
	Offered string `json:"offered"`
}

const withheldTitle = "detente/withheld/v1"

// MarshalWithheld returns the evidence as a file.
func MarshalWithheld(w Withheld) ([]byte, error) {
	return json.Marshal(withheldJSON{string(w.Alive), w.From, withheldTitle, string(w.Offered)}, json.Deterministic(true))
}

// ParseWithheld reads what MarshalWithheld wrote. It verifies nothing.
func ParseWithheld(b []byte) (Withheld, error) {
	var w withheldJSON
	if len(b) > maxEvidence {
		return Withheld{}, errors.New("this is no evidence of a withheld receipt")
	}
	if err := json.Unmarshal(b, &w, json.RejectUnknownMembers(true)); err != nil || w.Kind != withheldTitle {
		return Withheld{}, errors.New("this is no evidence of a withheld receipt")
	}
	return Withheld{Offered: []byte(w.Offered), From: w.From, Alive: []byte(w.Alive)}, nil
}

// Origins returns the logs of the two heads, as they claim: the one whose entries
// were offered, and the one that grew.
func (w Withheld) Origins() (offered, alive identity.Origin, err error) {
	for i, note := range [][]byte{w.Offered, w.Alive} {
		text, _, err := splitNote(note)
		if err != nil {
			return offered, alive, err
		}
		h, err := parseHead(text)
		if err != nil {
			return offered, alive, err
		}
		if i == 0 {
			offered = h.Origin
		} else {
			alive = h.Origin
		}
	}
	return offered, alive, nil
}

// Verify returns when the two heads were signed, where both carry the signatures
// of the two logs of one line and the entry named lies below the first; else an
// error that says why this shows nothing.
func (w Withheld) Verify(offered, alive identity.PublicKey) (offeredAt, aliveAt time.Time, err error) {
	a, b, err := w.Origins()
	if err != nil {
		return offeredAt, aliveAt, err
	}
	if a.Line() != b.Line() || a.Writer != b.Reader {
		return offeredAt, aliveAt, errors.New("the two heads are not of the two logs of one line")
	}
	head, offeredAt, err := openCheckpoint(offered, a, w.Offered)
	if err != nil {
		return offeredAt, aliveAt, err
	}
	if w.From < 0 || w.From >= head.Size {
		return offeredAt, aliveAt, fmt.Errorf("entry %d does not stand below the head of size %d", w.From, head.Size)
	}
	if _, aliveAt, err = openCheckpoint(alive, b, w.Alive); err != nil {
		return offeredAt, aliveAt, err
	}
	if aliveAt.Before(offeredAt) {
		return offeredAt, aliveAt, errors.New("the counterpart's log did not grow after the entries were offered")
	}
	return offeredAt, aliveAt, nil
}
