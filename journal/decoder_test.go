package journal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"detente/identity"
	"detente/internal/decodertest"
	"detente/journal"
	"detente/journal/mirror"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// No hostile note passes for a checkpoint, for a pair of cosignatures, nor to
// torchwood.
// covers P5 P14
func TestHostileNotes(t *testing.T) {
	l := newLine(t)
	h := journal.Head{Origin: origin, Size: 7}
	good, err := l.signer.Sign(h, at)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range decodertest.Note(good) {
		_, err := journal.OpenCheckpoint(l.log.Public(), origin, b)
		if err == nil {
			t.Errorf("%s: a checkpoint", name)
			continue
		}
		decodertest.Short(t, err)
	}
	c, err := l.mirror.Cosigner.Cosign(h, at)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range decodertest.Note(append([]byte("text\n\n"), c.Lines...)) {
		lines, ok := bytes.CutPrefix(b, []byte("text\n\n"))
		if !ok || bytes.Equal(lines, c.Lines) {
			continue
		}
		_, err := journal.OpenCosignature(mirrorName, l.cosigner.Public(), h, lines)
		if err == nil {
			t.Errorf("%s: a receipt", name)
			continue
		}
		decodertest.Short(t, err)
	}
	if _, err := journal.OpenCheckpoint(identity.PublicKey{}, origin, good); err == nil {
		t.Error("no key opens a checkpoint")
	}
	if _, err := journal.OpenCosignature(mirrorName, identity.PublicKey{}, h, c.Lines); err == nil {
		t.Error("no key opens a receipt")
	}
	for name, other := range map[string]journal.Head{"another size": {Origin: origin, Size: 8}, "another root": {Origin: origin, Size: 7, Root: tlog.Hash{1}}, "size zero": {Origin: origin}} {
		if _, err := journal.OpenCosignature(mirrorName, l.cosigner.Public(), other, c.Lines); err == nil {
			t.Errorf("a receipt of size 7 stands for %s", name)
		}
	}
}

// Proof files with hashes too many or too few, of another index or past the end
// are refused by torchwood, and the code that makes them makes none such.
// covers P14 P19
func TestHostileProofs(t *testing.T) {
	l := newLine(t)
	l.append(5)
	c, err := l.deliver(l.delivery(0), at, mirror.Mark{})
	if err != nil {
		t.Fatal(err)
	}
	var proof []byte
	err = l.update(l.own, func(tx journal.Tx) (err error) {
		if _, err = journal.TakeReceipt(tx, l.signer, mirrorName, l.cosigner.Public(), c.Lines, 5, nil); err != nil {
			return err
		}
		proof, _, err = journal.ProofFile(tx, origin, 3, mirrorName)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := torchwood.ParsePolicy(journal.PolicyFile(origin, l.log.Public(), map[string]identity.PublicKey{mirrorName: l.cosigner.Public()}))
	if err != nil {
		t.Fatal(err)
	}
	leaf := tlog.RecordHash([]byte("entry 3"))
	if err := torchwood.VerifyProof(policy, leaf, proof); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(proof), "\n")
	join := func(lines ...string) string { return strings.Join(lines, "") }
	for name, file := range map[string]string{
		"a hash missing":     join(append(slices.Clone(lines[:2]), lines[3:]...)...),
		"a hash too many":    join(append(append(slices.Clone(lines[:3]), lines[2]), lines[3:]...)...),
		"hashes swapped":     join(append([]string{lines[0], lines[1], lines[3], lines[2]}, lines[4:]...)...),
		"another index":      strings.Replace(string(proof), "index 3", "index 2", 1),
		"index past the end": strings.Replace(string(proof), "index 3", "index 5", 1),
		"index below zero":   strings.Replace(string(proof), "index 3", "index -1", 1),
		"index beyond 2^63":  strings.Replace(string(proof), "index 3", "index 9223372036854775808", 1),
		"size zero":          strings.Replace(string(proof), "\n5\n", "\n0\n", 1),
		"another title":      strings.Replace(string(proof), "@v1", "@v2", 1),
		"cut":                string(proof[:len(proof)-1]),
	} {
		if file == string(proof) || torchwood.VerifyProof(policy, leaf, []byte(file)) == nil {
			t.Errorf("%s: torchwood accepts it", name)
		}
	}
	for _, index := range []int64{5, 6, -1, math.MaxInt64, math.MinInt64} {
		err := l.update(l.own, func(tx journal.Tx) error {
			_, _, err := journal.ProofFile(tx, origin, index, mirrorName)
			return err
		})
		if err == nil {
			t.Errorf("entry %d has a proof", index)
		}
	}
}

// Tiles beyond the log, of levels that no tree has, or of malformed paths are not
// there.
// covers P14
func TestHostileTiles(t *testing.T) {
	l := newLine(t)
	l.append(600)
	read := func(path string) (tile []byte, err error) {
		err = l.update(l.own, func(tx journal.Tx) error {
			tile, err = mirror.ReadTile(tx, origin, path)
			return err
		})
		return tile, err
	}
	for path, size := range map[string]int{"checkpoint": -1, "tile/0/000": 256 * 32, "tile/0/002.p/88": 88 * 32, "tile/1/000.p/2": 2 * 32, "tile/entries/000": -1, "tile/entries/002.p/88": -1} {
		tile, err := read(path)
		if err != nil || len(tile) == 0 || size >= 0 && len(tile) != size {
			t.Errorf("%s: %d bytes, %v", path, len(tile), err)
		}
	}
	hostile := slices.Collect(maps.Values(decodertest.Texts()))
	hostile = append(hostile, "tile/0/002", "tile/0/002.p/89", "tile/0/003.p/1", "tile/1/000", "tile/1/000.p/3", "tile/2/000.p/1", "tile/7/000.p/1", "tile/8/000.p/1", "tile/8/000", "tile/63/000.p/1", "tile/62/001",
		"tile/64/000", "tile/-1/000", "tile/0/x9223372/x036854/x775/807", "tile/0/x036/x028/x797/x018/x963/968", "tile/entries/x036/x028/x797/x018/x963/968", "tile/entries/x009/x223/x372/x036/x854/x775/807", "tile/entries/002",
		"tile/entries/002.p/89", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/-1", "tile/0/../0/000", "tile/0/000/", "/tile/0/000", "tile/0/000?x", "tile/0/%30%30%30", "tile/0/٠٠٠", "checkpoint/", "tile/data/000", "tile/8/0/000")
	for _, path := range hostile {
		tile, err := read(path)
		if err == nil {
			t.Errorf("%.80q is there, %d bytes", path, len(tile))
			continue
		}
		decodertest.Refusal(t, err)
	}
}

// FuzzReadTile reads tiles a second time from the entries themselves.
// covers P14
func FuzzReadTile(f *testing.F) {
	l := newLine(f)
	l.append(600)
	var plain []tlog.Hash // the stored hashes, made from the entries
	reader := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, plain[i])
		}
		return out, nil
	})
	for i := range int64(600) {
		hashes, err := tlog.StoredHashes(i, fmt.Appendf(nil, "entry %d", i), reader)
		if err != nil {
			f.Fatal(err)
		}
		plain = append(plain, hashes...)
	}
	read := func(path string) (tile []byte, err error) {
		err = l.update(l.own, func(tx journal.Tx) error {
			tile, err = mirror.ReadTile(tx, origin, path)
			return err
		})
		return tile, err
	}
	accepted := []string{"tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/1"}
	rejected := []string{"tile/0/002", "tile/8/000", "tile/entries/x036/x028/x797/x018/x963/968", "tile/0/000.p/0"}
	decodertest.Seeds(f, func(s string) error { _, err := read(s); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := read(path)
		if err != nil || path == "checkpoint" {
			return
		}
		at, err := torchwood.ParseTilePath(path)
		if err != nil {
			t.Fatalf("%q is there, and torchwood says %v", path, err)
		}
		var want []byte
		for i := at.N * 256; i < at.N*256+int64(at.W); i++ {
			if at.L == -1 {
				entry := fmt.Sprintf("entry %d", i)
				want = append(append(want, 0, byte(len(entry))), entry...)
				continue
			}
			h := plain[tlog.StoredHashIndex(8*at.L, i)]
			want = append(want, h[:]...)
		}
		if !bytes.Equal(tile, want) {
			t.Errorf("%q holds other bytes than the entries give", path)
		}
	})
}

// FuzzOpenCheckpoint opens what is opened a second time with torchwood.
// covers P4 P14
func FuzzOpenCheckpoint(f *testing.F) {
	l := newLine(f)
	signed, err := l.signer.Sign(journal.Head{Origin: origin, Size: 7}, at)
	if err != nil {
		f.Fatal(err)
	}
	c, err := l.mirror.Cosigner.Cosign(journal.Head{Origin: origin, Size: 7}, at)
	if err != nil {
		f.Fatal(err)
	}
	policy, err := torchwood.ParsePolicy(journal.PolicyFile(origin, l.log.Public(), nil))
	if err != nil {
		f.Fatal(err)
	}
	accepted := [][]byte{signed, append(bytes.Clone(signed), c.Lines...)}
	rejected := append(slices.Collect(maps.Values(decodertest.Note(signed))), []byte(origin.String()+"\n7\nAAAA\n\n\u2014 x AAAA\n"))
	read := func(b []byte) error { _, err := journal.OpenCheckpoint(l.log.Public(), origin, b); return err }
	decodertest.Seeds(f, read, accepted, rejected)
	f.Fuzz(func(t *testing.T, signed []byte) {
		h, err := journal.OpenCheckpoint(l.log.Public(), origin, signed)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		head, _, err := torchwood.VerifyCheckpoint(signed, policy)
		if err != nil || head.N != h.Size || head.Hash != h.Root || h.Size != 7 {
			t.Errorf("%q is a checkpoint of size %d, and to torchwood %+v, %v", signed, h.Size, head, err)
		}
	})
}

// FuzzOpenCosignature verifies what is a receipt a second time with torchwood,
// and its two seconds.
// covers P5 P14
func FuzzOpenCosignature(f *testing.F) {
	l := newLine(f)
	h := journal.Head{Origin: origin, Size: 7}
	signed, err := l.signer.Sign(h, at)
	if err != nil {
		f.Fatal(err)
	}
	c, err := l.mirror.Cosigner.Cosign(h, at)
	if err != nil {
		f.Fatal(err)
	}
	text := signed[:bytes.Index(signed, []byte("\n\n"))+2]
	var verifiers []note.Verifier
	for _, key := range []any{l.cosigner.Public().Ed25519(), l.cosigner.Public().MLDSA()} {
		v, err := torchwood.NewCosignatureVerifierFromKey(mirrorName, key)
		if err != nil {
			f.Fatal(err)
		}
		verifiers = append(verifiers, v)
	}
	cut := bytes.IndexByte(c.Lines, '\n') + 1
	accepted := [][]byte{c.Lines, append([]byte("\u2014 another AAAAAAE=\n"), c.Lines...), slices.Concat(c.Lines[cut:], c.Lines[:cut])}
	rejected := [][]byte{{}, c.Lines[:cut], c.Lines[cut:], slices.Concat(c.Lines, c.Lines), c.Lines[:len(c.Lines)-1], bytes.ReplaceAll(c.Lines, []byte("\n"), []byte("\r\n")), []byte("\u2014 \u202e AAAAAAE=\n")}
	read := func(b []byte) error {
		_, err := journal.OpenCosignature(mirrorName, l.cosigner.Public(), h, b)
		return err
	}
	decodertest.Seeds(f, read, accepted, rejected)
	f.Fuzz(func(t *testing.T, lines []byte) {
		c, err := journal.OpenCosignature(mirrorName, l.cosigner.Public(), h, lines)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		n, err := note.Open(append(bytes.Clone(text), lines...), note.VerifierList(verifiers...))
		if err != nil || len(n.Sigs) != 2 {
			t.Fatalf("%q is a receipt, and to others %v", lines, err)
		}
		for _, s := range n.Sigs {
			if second, err := torchwood.CosignatureTimestamp(s); err != nil || second != c.At.Unix() {
				t.Errorf("%q is of the second %d, and to torchwood of %d, %v", lines, c.At.Unix(), second, err)
			}
		}
	})
}

// evidence is a fork's and a withheld receipt's file, as the older JSON library
// reads them.
type evidence struct {
	A, B, Kind, Origin, Root, Alive, Offered string
	From                                     int64
	Proof                                    []string
	What, Who                                string
}

// FuzzParseFork reads the file a second time with the older JSON library.
// covers P7 P14
func FuzzParseFork(f *testing.F) {
	var accepted [][]byte
	for _, proof := range [][]tlog.Hash{nil, {{1}}, make([]tlog.Hash, 63)} {
		file, err := journal.MarshalFork(journal.Fork{Origin: origin, A: []byte("a"), B: []byte("b"), Proof: proof, Root: tlog.Hash{2}})
		if err != nil {
			f.Fatal(err)
		}
		accepted = append(accepted, file)
	}
	long, err := journal.MarshalFork(journal.Fork{Origin: origin, Proof: make([]tlog.Hash, 64)})
	if err != nil {
		f.Fatal(err)
	}
	rejected := append(slices.Collect(maps.Values(decodertest.JSON(accepted[1]))), long, []byte(`{"kind":"other"}`), bytes.Replace(accepted[1], []byte(`"root":"A`), []byte(`"root":"\nA`), 1), bytes.Replace(accepted[0], []byte(`}`), []byte(`,"root":"x"}`), 1))
	decodertest.Seeds(f, func(b []byte) error { _, err := journal.ParseFork(b); return err }, accepted, rejected)
	k := key(f, identity.UseLog).Public()
	f.Fuzz(func(t *testing.T, file []byte) {
		fork, err := journal.ParseFork(file)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if fork.Verify(k) == nil {
			t.Error("a fork of a log that never signed")
		}
		var plain evidence
		if err := json.Unmarshal(file, &plain); err != nil || plain.Origin != fork.Origin.String() || plain.A != string(fork.A) || plain.B != string(fork.B) || len(plain.Proof) != len(fork.Proof) {
			t.Fatalf("%q is read as %+v, and by others as %+v, %v", file, fork, plain, err)
		}
		for i, h := range fork.Proof {
			if h.String() != plain.Proof[i] || fork.Root.String() != plain.Root {
				t.Errorf("hash %d of %q is read as %s", i, file, h)
			}
		}
		again, err := journal.MarshalFork(fork)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := journal.ParseFork(again); err != nil || string(back.A) != string(fork.A) || back.Root != fork.Root || len(back.Proof) != len(fork.Proof) {
			t.Errorf("%q comes back as %+v, %v", file, back, err)
		}
	})
}

// FuzzParseWithheld reads the file a second time with the older JSON library.
// covers P14
func FuzzParseWithheld(f *testing.F) {
	good, err := journal.MarshalWithheld(journal.Withheld{Offered: []byte("o"), From: 7, Alive: []byte("a")})
	if err != nil {
		f.Fatal(err)
	}
	rejected := append(slices.Collect(maps.Values(decodertest.JSON(good))), []byte(`{"kind":"other"}`))
	decodertest.Seeds(f, func(b []byte) error { _, err := journal.ParseWithheld(b); return err }, [][]byte{good}, rejected)
	f.Fuzz(func(t *testing.T, file []byte) {
		w, err := journal.ParseWithheld(file)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		var plain evidence
		if err := json.Unmarshal(file, &plain); err != nil || plain.Offered != string(w.Offered) || plain.Alive != string(w.Alive) || plain.From != w.From {
			t.Fatalf("%q is read as %+v, and by others as %+v, %v", file, w, plain, err)
		}
	})
}

// FuzzParseContradiction reads the file a second time with the older JSON
// library.
// covers P7 P14
func FuzzParseContradiction(f *testing.F) {
	var accepted [][]byte
	for _, kind := range []string{journal.ContradictsTimes, journal.ContradictsCards, journal.ContradictsEnds} {
		file, err := journal.MarshalContradiction(journal.Contradiction{Kind: kind, Who: origin.Writer, A: []byte("a"), B: []byte("b")})
		if err != nil {
			f.Fatal(err)
		}
		accepted = append(accepted, file)
	}
	rejected := append(slices.Collect(maps.Values(decodertest.JSON(accepted[0]))), []byte(`{"kind":"other"}`), bytes.Replace(accepted[0], []byte(origin.Writer), []byte("UPPER"), 1))
	decodertest.Seeds(f, func(b []byte) error { _, err := journal.ParseContradiction(b); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := journal.ParseContradiction(file)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if what, err := c.Verify(identity.Card{}, identity.PublicKey{}); err == nil {
			t.Errorf("two texts that nobody signed prove that %v", what)
		}
		var plain evidence
		if err := json.Unmarshal(file, &plain); err != nil || plain.Who != string(c.Who) || plain.What != c.Kind || plain.A != string(c.A) || plain.B != string(c.B) {
			t.Fatalf("%q is read as %+v, and by others as %+v, %v", file, c, plain, err)
		}
	})
}
