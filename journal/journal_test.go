package journal_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/journal/mirror"
	"detente/station"
	"detente/store/memory"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

var (
	at     = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	origin = identity.Origin{Writer: "nrrc.arden.example", Reader: "nrrc.boreal.example", Class: identity.Notification, Era: 1}
)

const mirrorName = "nrrc.boreal.example/mirror"

func key(t testing.TB, use identity.Use) identity.PrivateKey {
	t.Helper()
	k, err := identity.GenerateKey(use, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// line is a log and its mirror.
type line struct {
	t             testing.TB
	log, cosigner identity.PrivateKey
	signer        journal.Signer
	mirror        mirror.Mirror
	own, other    *memory.Store
}

func newLine(t testing.TB) *line {
	l := &line{t: t, log: key(t, identity.UseLog), cosigner: key(t, identity.UseCosigner), own: memory.Open(memory.NewDisk(), nil, nil), other: memory.Open(memory.NewDisk(), nil, nil)}
	var err error
	if l.signer, err = journal.NewSigner(origin, l.log); err != nil {
		t.Fatal(err)
	}
	if l.mirror.Cosigner, err = journal.NewCosigner(mirrorName, l.cosigner); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *line) update(s *memory.Store, do func(journal.Tx) error) error {
	return s.Update(context.Background(), func(tx station.Tx) error { return do(tx) })
}

func (l *line) append(n int) {
	l.t.Helper()
	err := l.update(l.own, func(tx journal.Tx) error {
		row, _, err := tx.Log(origin)
		if err != nil {
			return err
		}
		var entries [][]byte
		for i := range n {
			entries = append(entries, fmt.Appendf(nil, "entry %d", row.Size+int64(i)))
		}
		_, err = journal.Append(tx, l.signer, entries, at)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// delivery is what brings the mirror from old to the log's size.
func (l *line) delivery(old int64) (d journal.Delivery) {
	l.t.Helper()
	err := l.update(l.own, func(tx journal.Tx) (err error) {
		row, _, err := tx.Log(origin)
		if err != nil {
			return err
		}
		d = journal.Delivery{Origin: origin, OldSize: old, Start: old, Checkpoint: row.Checkpoint}
		if old > 0 {
			if d.Proof, err = journal.ProveTree(tx, origin, old, row.Size); err != nil {
				return err
			}
		}
		d.Entries, err = tx.Entries(origin, old, row.Size)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return d
}

func (l *line) deliver(d journal.Delivery, when time.Time, mark mirror.Mark) (c journal.Cosignature, err error) {
	err = l.update(l.other, func(tx journal.Tx) error {
		c, err = l.mirror.Deliver(tx, l.log.Public(), d, when, mark)
		return err
	})
	return c, err
}

func (l *line) check() {
	l.t.Helper()
	for _, s := range []*memory.Store{l.own, l.other} {
		err := l.update(s, func(tx journal.Tx) error {
			return errors.Join(journal.CheckLog(tx, origin, l.log.Public()), journal.CheckCosignatures(tx, origin, mirrorName, l.cosigner.Public()), journal.CheckSeconds(tx, origin, mirrorName))
		})
		if err != nil && !errors.Is(err, journal.ErrUnknownLog) {
			l.t.Error(err)
		}
	}
}

// A delivered log is receipted; torchwood, which knows nothing of us, accepts
// the proof of each entry and demands the counterpart's cosignature.
// covers P5 P19
func TestDeliverAndProve(t *testing.T) {
	l := newLine(t)
	defer l.check()
	var size int64
	for _, n := range []int{1, 3, 300, 1} {
		l.append(n)
		c, err := l.deliver(l.delivery(size), at.Add(time.Duration(size)*time.Second), mirror.Mark{})
		if err != nil {
			t.Fatal(err)
		}
		size += int64(n)
		if c.Size != size {
			t.Fatalf("receipted to %d of %d", c.Size, size)
		}
		err = l.update(l.own, func(tx journal.Tx) error {
			_, err := journal.TakeReceipt(tx, l.signer, mirrorName, l.cosigner.Public(), c.Lines, size, nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	text := journal.PolicyFile(origin, l.log.Public(), map[string]identity.PublicKey{mirrorName: l.cosigner.Public()})
	policy, err := torchwood.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []int64{0, 2, 299, 304} {
		var proof []byte
		err := l.update(l.own, func(tx journal.Tx) (err error) {
			proof, _, err = journal.ProofFile(tx, origin, index, mirrorName)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		leaf := tlog.RecordHash(fmt.Appendf(nil, "entry %d", index))
		if err := torchwood.VerifyProof(policy, leaf, proof); err != nil {
			t.Errorf("entry %d: %v", index, err)
		}
		i := bytes.LastIndex(proof, []byte("\u2014 "+mirrorName))
		if err := torchwood.VerifyProof(policy, leaf, proof[:i]); err == nil {
			t.Errorf("entry %d: torchwood does not miss the counterpart's cosignature", index)
		}
	}
}

// Checkpoints and cosignatures verify under torchwood's own verifiers, for the
// second that was given.
func TestAgainstTorchwood(t *testing.T) {
	l := newLine(t)
	h := journal.Head{Origin: origin, Size: 5, Root: tlog.Hash{1, 2, 3}}
	signed, err := l.signer.Sign(h, at)
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.mirror.Cosigner.Cosign(h, at)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := torchwood.ParsePolicy(journal.PolicyFile(origin, l.log.Public(), map[string]identity.PublicKey{mirrorName: l.cosigner.Public()}))
	if err != nil {
		t.Fatal(err)
	}
	head, n, err := torchwood.VerifyCheckpoint(append(signed, c.Lines...), policy)
	if err != nil || head.N != 5 || head.Hash != h.Root {
		t.Fatalf("%+v, %v", head, err)
	}
	seconds := 0
	for _, s := range n.Sigs {
		if s.Name == mirrorName {
			second, err := torchwood.CosignatureTimestamp(s)
			if err != nil || second != at.Unix() {
				t.Errorf("a cosignature of second %d, %v", second, err)
			}
			seconds++
		}
	}
	if seconds != 2 {
		t.Errorf("%d cosignatures", seconds)
	}
}

// covers P5
func TestOneSecondOrNone(t *testing.T) {
	l := newLine(t)
	h := journal.Head{Origin: origin, Size: 5}
	a, err := l.mirror.Cosigner.Cosign(h, at)
	if err != nil {
		t.Fatal(err)
	}
	b, err := l.mirror.Cosigner.Cosign(h, at.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	i, j := bytes.IndexByte(a.Lines, '\n')+1, bytes.IndexByte(b.Lines, '\n')+1
	mixed := append(bytes.Clone(a.Lines[:i]), b.Lines[j:]...)
	if _, err := journal.OpenCosignature(mirrorName, l.cosigner.Public(), h, mixed); err == nil {
		t.Error("signatures of two seconds are a receipt")
	}
	if _, err := journal.OpenCosignature(mirrorName, l.cosigner.Public(), h, a.Lines[:i]); err == nil {
		t.Error("one signature is a receipt")
	}
	if _, err := journal.OpenCosignature(mirrorName, l.cosigner.Public(), h, append(bytes.Clone(a.Lines), a.Lines[:i]...)); err == nil {
		t.Error("a signature that stands twice is a receipt")
	}
	if got, err := journal.OpenCosignature(mirrorName, l.cosigner.Public(), h, a.Lines); err != nil || !got.At.Equal(at) {
		t.Errorf("%v %v", got.At, err)
	}
}

// What was delivered once is answered with the same receipt, at whatever time it
// comes again, and nothing is made anew at or below the mark.
// covers P3 P5
func TestRepetition(t *testing.T) {
	l := newLine(t)
	defer l.check()
	l.append(3)
	d := l.delivery(0)
	first, err := l.deliver(d, at, mirror.Mark{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.deliver(d, at.Add(time.Hour), mirror.Mark{})
	if err != nil || !bytes.Equal(first.Lines, again.Lines) {
		t.Errorf("another receipt for the same size: %v", err)
	}
	l.append(1)
	if _, err := l.deliver(l.delivery(3), at, mirror.Mark{Size: 5}); !errors.Is(err, mirror.ErrBelowMark) {
		t.Errorf("at the mark: %v", err)
	}
	later, err := l.deliver(l.delivery(3), at.Add(-time.Hour), markOf(first))
	if err != nil || later.At.Before(first.At) {
		t.Errorf("the second fell from %v to %v, %v", first.At, later.At, err)
	}
}

func markOf(c journal.Cosignature) mirror.Mark {
	return mirror.Mark{Size: c.Size, Root: c.Root, Lines: c.Lines, Checkpoint: c.Checkpoint}
}

// A mirror whose store was put back gives out the old receipt again, from its
// mark, and leads no other history past it.
// covers P5 P6
func TestMark(t *testing.T) {
	l := newLine(t)
	l.append(3)
	first, err := l.deliver(l.delivery(0), at, mirror.Mark{})
	if err != nil {
		t.Fatal(err)
	}
	l.other = memory.Open(memory.NewDisk(), nil, nil)
	again, err := l.deliver(l.delivery(0), at.Add(time.Hour), markOf(first))
	if err != nil || !bytes.Equal(again.Lines, first.Lines) {
		t.Errorf("another receipt after the store was put back: %v", err)
	}
	twin := newLine(t)
	twin.log, twin.signer = l.log, l.signer
	err = twin.update(twin.own, func(tx journal.Tx) error {
		_, err := journal.Append(tx, twin.signer, [][]byte{{1}, {2}, {3}, {4}}, at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l.other = memory.Open(memory.NewDisk(), nil, nil)
	_, err = l.deliver(twin.delivery(0), at, markOf(first))
	var fork *journal.ForkError
	if !errors.As(err, &fork) {
		t.Fatalf("another history past the mark: %v", err)
	}
	if err := fork.Verify(l.log.Public()); err != nil {
		t.Error(err)
	}
}

// A log that shows two histories is caught, and the proof names its signer and
// verifies by itself.
// covers P7 P15
func TestFork(t *testing.T) {
	for name, extra := range map[string]int{"equal sizes": 0, "a smaller head": -1} {
		l := newLine(t)
		l.append(4)
		if _, err := l.deliver(l.delivery(0), at, mirror.Mark{}); err != nil {
			t.Fatal(err)
		}
		l.check()
		twin := newLine(t)
		twin.log, twin.signer = l.log, l.signer
		err := twin.update(twin.own, func(tx journal.Tx) error {
			_, err := journal.Append(tx, twin.signer, [][]byte{{1}, {2}, {3}, {4}}[:4+extra], at)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.deliver(twin.delivery(0), at, mirror.Mark{})
		var fork *journal.ForkError
		if !errors.As(err, &fork) {
			t.Fatalf("%s: %v", name, err)
		}
		file, err := journal.MarshalFork(fork.Fork)
		if err != nil {
			t.Fatal(err)
		}
		f, err := journal.ParseFork(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Verify(l.log.Public()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.Verify(key(t, identity.UseLog).Public()); err == nil {
			t.Errorf("%s: the proof verifies against somebody else", name)
		}
		f.B = f.A
		if err := f.Verify(l.log.Public()); err == nil {
			t.Errorf("%s: one head proves a fork", name)
		}
	}
}

// covers P4 P5 P15
func TestDeliverRefuses(t *testing.T) {
	for name, change := range map[string]func(*journal.Delivery){
		"an entry changed":   func(d *journal.Delivery) { d.Entries[1] = []byte("another") },
		"an entry missing":   func(d *journal.Delivery) { d.Entries = d.Entries[:1] },
		"an entry too large": func(d *journal.Delivery) { d.Entries[0] = make([]byte, journal.MaxEntry+1) },
		"an empty entry":     func(d *journal.Delivery) { d.Entries[0] = nil },
		"a proof too long":   func(d *journal.Delivery) { d.Proof = append(d.Proof, tlog.Hash{}) },
		"a proof too short":  func(d *journal.Delivery) { d.Proof = d.Proof[:len(d.Proof)-1] },
		"a wrong old size":   func(d *journal.Delivery) { d.OldSize = 1 },
		"a gap":              func(d *journal.Delivery) { d.Start, d.Entries = d.Start+1, d.Entries[1:] },
		"an unsigned head":   func(d *journal.Delivery) { d.Checkpoint = d.Checkpoint[:bytes.Index(d.Checkpoint, []byte("\n\n"))+2] },
		"an extension": func(d *journal.Delivery) {
			d.Checkpoint = bytes.Replace(d.Checkpoint, []byte("\n\n"), []byte("\nmore\n\n"), 1)
		},
		"line ends of DOS": func(d *journal.Delivery) { d.Checkpoint = bytes.ReplaceAll(d.Checkpoint, []byte("\n"), []byte("\r\n")) },
		"no last line end": func(d *journal.Delivery) { d.Checkpoint = bytes.TrimSuffix(d.Checkpoint, []byte("\n")) },
		"a signature doubled": func(d *journal.Delivery) {
			d.Checkpoint = append(d.Checkpoint, d.Checkpoint[bytes.LastIndex(d.Checkpoint, []byte("\u2014")):]...)
		},
	} {
		l := newLine(t)
		l.append(5)
		if _, err := l.deliver(l.delivery(0), at, mirror.Mark{}); err != nil {
			t.Fatal(err)
		}
		l.append(3)
		d := l.delivery(5)
		change(&d)
		if _, err := l.deliver(d, at, mirror.Mark{}); err == nil {
			t.Errorf("%s: cosigned", name)
		}
		if _, err := l.deliver(l.delivery(5), at, mirror.Mark{}); err != nil {
			t.Errorf("%s: what follows is not taken: %v", name, err)
		}
		l.check()
	}
}

// The standard pair brings a log in packages, in whatever pieces, and ends with
// the same receipt.
// covers P2
func TestAddEntries(t *testing.T) {
	l := newLine(t)
	defer l.check()
	l.append(10)
	if _, err := l.deliver(l.delivery(0), at, mirror.Mark{}); err != nil {
		t.Fatal(err)
	}
	l.append(600)
	d := l.delivery(10)
	err := l.update(l.other, func(tx journal.Tx) error {
		return l.mirror.AddCheckpoint(tx, l.log.Public(), origin, 10, d.Proof, d.Checkpoint)
	})
	if err != nil {
		t.Fatal(err)
	}
	var done bool
	for next := int64(10); !done; {
		start := next / 256 * 256
		p := mirror.Package{Subtree: start, Start: next, End: min(start+256, 610)}
		err := l.update(l.own, func(tx journal.Tx) (err error) {
			if p.Entries, err = tx.Entries(origin, p.Start, p.End); err != nil {
				return err
			}
			proof, err := torchwood.ProveSubtree(610, p.Subtree, p.End, journal.HashReader(tx, origin))
			p.Proof = proof
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		bad := p
		bad.Entries = append([][]byte{[]byte("forged")}, p.Entries[1:]...)
		for _, try := range []mirror.Package{bad, p} {
			var c journal.Cosignature
			err = l.update(l.other, func(tx journal.Tx) (err error) {
				c, next, done, err = l.mirror.AddEntries(tx, l.log.Public(), origin, 610, try, at, mirror.Mark{})
				return err
			})
			if (err == nil) != (try.Entries[0][0] != 'f') {
				t.Fatalf("package from %d: %v", try.Start, err)
			}
			if done && c.Size != 610 {
				t.Errorf("receipted to %d", c.Size)
			}
		}
	}
}

// An ended log takes nothing beyond its end.
// covers P4
func TestEnded(t *testing.T) {
	l := newLine(t)
	l.append(2)
	err := l.update(l.own, func(tx journal.Tx) error {
		row, _, err := tx.Log(origin)
		if err != nil {
			return err
		}
		row.Ended = &journal.End{Size: row.Size, Root: row.Root}
		if err := tx.PutLog(row); err != nil {
			return err
		}
		_, err = journal.Append(tx, l.signer, [][]byte{{1}}, at)
		return err
	})
	if err == nil {
		t.Error("an ended log took an entry")
	}
}

// covers P6
func TestTakeBack(t *testing.T) {
	l := newLine(t)
	l.append(300)
	d := l.delivery(0)
	fresh := newLine(t)
	for _, c := range []struct {
		entries [][]byte
		ok      bool
	}{{d.Entries[:299], false}, {append([][]byte{[]byte("forged")}, d.Entries[1:]...), false}, {d.Entries, true}} {
		err := fresh.update(fresh.own, func(tx journal.Tx) error {
			_, err := journal.TakeBack(tx, l.log.Public(), origin, true, d.Checkpoint, 0, c.entries)
			return err
		})
		if (err == nil) != c.ok {
			t.Errorf("%d entries: %v", len(c.entries), err)
		}
	}
	fresh.log = l.log
	fresh.check()
}

// A mirror whose store was put back, and whose clock went back with it, gives no
// receipt with an earlier second than the mark's.
// covers P5 P11
func TestSecondNeverFallsPastMark(t *testing.T) {
	l := newLine(t)
	l.append(3)
	first, err := l.deliver(l.delivery(0), at, mirror.Mark{})
	if err != nil {
		t.Fatal(err)
	}
	l.other = memory.Open(memory.NewDisk(), nil, nil)
	l.append(2)
	next, err := l.deliver(l.delivery(0), at.Add(-time.Hour), markOf(first))
	if err != nil {
		t.Fatal(err)
	}
	if next.Size != 5 || next.At.Before(first.At) {
		t.Errorf("size %d is receipted at %v, after size %d at %v", next.Size, next.At, first.Size, first.At)
	}
}

// A delivery is checked against the pending checkpoint too: one from anywhere
// else gets a conflict that tells where the mirror stands, a smaller one too; a
// larger one brings a proof from it and replaces both heads at once.
// covers P4 P5
func TestDeliverAgainstPending(t *testing.T) {
	l := newLine(t)
	l.append(2)
	if _, err := l.deliver(l.delivery(0), at, mirror.Mark{}); err != nil {
		t.Fatal(err)
	}
	l.append(1)
	smaller := l.delivery(2) // to size 3
	l.append(2)
	err := l.update(l.other, func(tx journal.Tx) error {
		d := l.delivery(2)
		return l.mirror.AddCheckpoint(tx, l.log.Public(), origin, 2, d.Proof, d.Checkpoint) // pending: size 5
	})
	if err != nil {
		t.Fatal(err)
	}
	conflict := func(what string, d journal.Delivery) {
		t.Helper()
		_, err := l.deliver(d, at, mirror.Mark{})
		var c *mirror.Conflict
		if !errors.As(err, &c) || c.Size != 5 || c.Next != 2 {
			t.Errorf("%s: %v", what, err)
		}
	}
	conflict("a smaller head", smaller)
	l.append(1)
	conflict("a proof from the size held", l.delivery(2))
	ahead := l.delivery(5)
	conflict("entries that begin beyond what is held", ahead)
	larger := ahead
	larger.Start = 2
	err = l.update(l.own, func(tx journal.Tx) (err error) {
		larger.Entries, err = tx.Entries(origin, 2, 6)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	forged := larger
	forged.Proof = append([]tlog.Hash(nil), larger.Proof...)
	forged.Proof[0][0] ^= 1
	if _, err := l.deliver(forged, at, mirror.Mark{}); !errors.Is(err, mirror.ErrProof) {
		t.Errorf("a wrong proof from the pending head: %v", err)
	}
	c, err := l.deliver(larger, at, mirror.Mark{})
	if err != nil || c.Size != 6 {
		t.Fatalf("a larger head with a proof from the pending one: %v", err)
	}
	err = l.update(l.other, func(tx journal.Tx) error {
		row, _, err := tx.Log(origin)
		if row.Size != 6 || row.PendingSize > row.Size || len(row.Pending) > 0 {
			t.Errorf("both heads are not replaced: %d and pending %d", row.Size, row.PendingSize)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l.check()
}
