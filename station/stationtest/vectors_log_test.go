package stationtest_test

import (
	"bytes"
	"context"
	"crypto/mldsa"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/station"
	"detente/store/memory"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// grown lets do look at Arden's log with n entries, "entry 0" and so on.
func grown(t testing.TB, n int, do func(journal.Tx) error) {
	t.Helper()
	signer := must(journal.NewSigner(abLog, seeded(t, identity.UseLog, abLog.String())))(t)
	err := memory.Open(memory.NewDisk(), nil, nil).Update(context.Background(), func(tx station.Tx) error {
		if _, err := journal.Append(tx, signer, vectorLeaves(n), start); err != nil {
			return err
		}
		return do(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func vectorLeaves(n int) [][]byte {
	var leaves [][]byte
	for i := range n {
		leaves = append(leaves, fmt.Appendf(nil, "entry %d", i))
	}
	return leaves
}

func hexOf(h tlog.Hash) string { return hex.EncodeToString(h[:]) }

func hexes(hashes []tlog.Hash) []string {
	out := []string{}
	for _, h := range hashes {
		out = append(out, hexOf(h))
	}
	return out
}

func hashesOf(t testing.TB, text []string) []tlog.Hash {
	t.Helper()
	var out []tlog.Hash
	for _, s := range text {
		out = append(out, tlog.Hash(unhex(t, s)))
	}
	return out
}

type checkpointVector struct {
	About         string     `json:"about"`
	Origin        string     `json:"origin"`
	Size          int64      `json:"size"`
	Root          string     `json:"root"`
	Second        int64      `json:"second"`
	MLDSAMessage  string     `json:"mldsa_message"` // that the log signs
	Checkpoint    string     `json:"checkpoint"`
	Cosigner      string     `json:"cosigner"`
	CosignedAt    int64      `json:"cosigned_at"`
	CosignedBytes string     `json:"ed25519_cosigned_message"`
	CosignedMLDSA string     `json:"mldsa_cosigned_message"`
	Cosignature   string     `json:"cosignature"`
	Policy        string     `json:"policy_txt"`
	Reject        []rejected `json:"reject"`
}

type rejected struct {
	Note string `json:"note"`
	Why  string `json:"why"`
}

func (v checkpointVector) head(t testing.TB) journal.Head {
	return journal.Head{Origin: must(identity.ParseOrigin(v.Origin))(t), Size: v.Size, Root: tlog.Hash(unhex(t, v.Root))}
}

// mldsaMessage writes the cosigned_message of tlog-cosignature, as its
// specification describes it.
func mldsaMessage(name string, at int64, h journal.Head) []byte {
	var b bytes.Buffer
	b.WriteString("subtree/v1\n\x00")
	b.WriteByte(byte(len(name)))
	b.WriteString(name)
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(at)))
	b.WriteByte(byte(len(h.Origin.String())))
	b.WriteString(h.Origin.String())
	b.Write(make([]byte, 8))
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(h.Size)))
	b.Write(h.Root[:])
	return b.Bytes()
}

const borealMirror = "nrrc.boreal.example/mirror"

func writeCheckpoint(t testing.TB, _ *world) {
	v := checkpointVector{
		About:  "A head of Arden's log, signed twice by it and cosigned twice by Boreal's mirror, at a second each. Messages of ML-DSA-44 in hexadecimal.",
		Origin: abLog.String(), Size: 5, Root: strings.Repeat("5a", 32), Second: start.Unix(), Cosigner: borealMirror, CosignedAt: start.Unix() + 7,
	}
	h := v.head(t)
	log, mirror := seeded(t, identity.UseLog, abLog.String()), seeded(t, identity.UseCosigner, "boreal.example cosigner")
	signer, cosigner := must(journal.NewSigner(abLog, log))(t), must(journal.NewCosigner(borealMirror, mirror))(t)
	note := must(signer.Sign(h, start))(t)
	c, later := must(cosigner.Cosign(h, time.Unix(v.CosignedAt, 0)))(t), must(cosigner.Cosign(h, time.Unix(v.CosignedAt+1, 0)))(t)
	text, _, _ := strings.Cut(string(note), "\n\n")
	v.Checkpoint, v.Cosignature = string(note), string(c.Lines)
	v.MLDSAMessage, v.CosignedMLDSA = hex.EncodeToString(mldsaMessage(v.Origin, v.Second, h)), hex.EncodeToString(mldsaMessage(borealMirror, v.CosignedAt, h))
	v.CosignedBytes = fmt.Sprintf("cosignature/v1\ntime %d\n%s\n", v.CosignedAt, text)
	v.Policy = string(journal.PolicyFile(abLog, log.Public(), map[string]identity.PublicKey{borealMirror: mirror.Public()}))
	lines := strings.SplitAfter(string(note), "\n")
	mixed := strings.SplitAfter(string(c.Lines), "\n")[0] + strings.SplitAfter(string(later.Lines), "\n")[1]
	v.Reject = []rejected{
		{strings.Join(lines[:5], ""), "without the ML-DSA-44 signature"},
		{strings.Join(append(lines[:4:4], lines[5:]...), ""), "without the Ed25519 signature"},
		{strings.Replace(string(note), "\n5\n", "\n05\n", 1), "a size with a leading zero"},
		{strings.Replace(string(note), "\n5\n", "\n6\n", 1), "another size"},
		{strings.Replace(string(note), "\n\n", "\nextension\n\n", 1), "an extension line"},
		{string(note) + lines[4], "a line twice"},
		{string(note[:len(note)-1]), "a last line that does not end"},
		{mixed, "cosignatures of two seconds"},
		{strings.SplitAfter(string(c.Lines), "\n")[1], "a cosignature without Ed25519"},
	}
	writeVector(t, "checkpoint.json", v)
}

func readCheckpoint(t *testing.T) {
	v := readVector[checkpointVector](t, "checkpoint.json")
	h, card, mirror := v.head(t), vectorCards(t, "arden.example").Card, vectorCards(t, "boreal.example").Card
	pub, _ := card.Log(h.Origin)
	if got := must(journal.OpenCheckpoint(pub, h.Origin, []byte(v.Checkpoint)))(t); got != h {
		t.Errorf("the checkpoint is of %+v", got)
	}
	log := seeded(t, identity.UseLog, v.Origin)
	signer, cosigner := must(journal.NewSigner(h.Origin, log))(t), must(journal.NewCosigner(v.Cosigner, seeded(t, identity.UseCosigner, "boreal.example cosigner")))(t)
	sameNote(t, "checkpoint", must(signer.Sign(h, time.Unix(v.Second, 0)))(t), []byte(v.Checkpoint))
	c := must(journal.OpenCosignature(mirror.CosignerName(), mirror.Cosigner, h, []byte(v.Cosignature)))(t)
	again := must(cosigner.Cosign(h, time.Unix(v.CosignedAt, 0)))(t)
	if c.At.Unix() != v.CosignedAt || string(c.Lines) != v.Cosignature || signedLine(append([]byte("\n\n"), again.Lines...), 0) != signedLine([]byte("\n\n"+v.Cosignature), 0) {
		t.Errorf("the cosignature is of %s", c.At)
	}
	for _, m := range []struct {
		message, name string
		at            int64
		key           identity.PublicKey
		line          string
	}{{v.MLDSAMessage, v.Origin, v.Second, pub, signedLine([]byte(v.Checkpoint), 1)}, {v.CosignedMLDSA, v.Cosigner, v.CosignedAt, mirror.Cosigner, signedLine([]byte("\n\n"+v.Cosignature), 1)}} {
		raw := decodeLine(t, m.line)
		if want := mldsaMessage(m.name, m.at, h); hex.EncodeToString(want) != m.message || binary.BigEndian.Uint64(raw[4:]) != uint64(m.at) || mldsa.Verify(m.key.MLDSA(), want, raw[12:], nil) != nil {
			t.Errorf("the ML-DSA-44 signature of %s is over another message", m.name)
		}
	}
	if text, _, _ := strings.Cut(v.Checkpoint, "\n\n"); v.CosignedBytes != fmt.Sprintf("cosignature/v1\ntime %d\n%s\n", v.CosignedAt, text) {
		t.Error("the message of Ed25519 is another one")
	}
	if p := journal.PolicyFile(h.Origin, pub, map[string]identity.PublicKey{v.Cosigner: mirror.Cosigner}); string(p) != v.Policy {
		t.Error("the code writes another policy.txt")
	}
	if _, err := torchwood.ParsePolicy([]byte(v.Policy)); err != nil {
		t.Error(err)
	}
	for _, r := range v.Reject {
		_, asNote := journal.OpenCheckpoint(pub, h.Origin, []byte(r.Note))
		_, asLines := journal.OpenCosignature(v.Cosigner, mirror.Cosigner, h, []byte(r.Note))
		if asNote == nil || asLines == nil {
			t.Errorf("%s: it is accepted", r.Why)
		}
	}
}

type treeVector struct {
	About       string      `json:"about"`
	Entries     []string    `json:"entries"`
	Leaves      []string    `json:"leaf_hashes"`
	Roots       []string    `json:"roots"` // of the trees of 0, 1, 2 … entries
	Inclusion   treeProof   `json:"inclusion"`
	Consistency treeProof   `json:"consistency"`
	Subtree     treeProof   `json:"subtree"`
	Tiles       []tileBytes `json:"tiles"`
}

type treeProof struct {
	From   int64    `json:"from"` // index, old size, or where the subtree begins
	To     int64    `json:"to,omitzero"`
	Size   int64    `json:"size"`
	Hashes []string `json:"hashes"`
}

type tileBytes struct {
	Path  string `json:"path"`
	Bytes string `json:"bytes"` // hexadecimal
}

func writeTree(t testing.TB, _ *world) { writeVector(t, "tree.json", treeOf(t)) }

// treeOf computes the vector from the code's own tree.
func treeOf(t testing.TB) treeVector {
	const n = 5
	v := treeVector{About: "The tree over the entries (RFC 6962), an inclusion proof (from: index), a consistency proof (from: old size), the proof of the subtree from..to, and two tiles."}
	for _, e := range vectorLeaves(n) {
		v.Entries, v.Leaves = append(v.Entries, string(e)), append(v.Leaves, hexOf(tlog.RecordHash(e)))
	}
	grown(t, n, func(tx journal.Tx) error {
		for size := range int64(n + 1) {
			root, err := journal.RootAt(tx, abLog, size)
			if err != nil {
				return err
			}
			v.Roots = append(v.Roots, hexOf(root))
		}
		in, err1 := journal.Prove(tx, abLog, 2, n)
		con, err2 := journal.ProveTree(tx, abLog, 3, n)
		sub, err3 := torchwood.ProveSubtree(n, 0, 3, journal.HashReader(tx, abLog))
		v.Inclusion, v.Consistency = treeProof{From: 2, Size: n, Hashes: hexes(in)}, treeProof{From: 3, Size: n, Hashes: hexes(con)}
		v.Subtree = treeProof{From: 0, To: 3, Size: n, Hashes: hexes(sub)}
		for _, e := range []error{err1, err2, err3} {
			if e != nil {
				return e
			}
		}
		for _, path := range []string{"tile/entries/000.p/5", "tile/0/000.p/5"} {
			b, err := readTile(tx, abLog, path)
			if err != nil {
				return err
			}
			v.Tiles = append(v.Tiles, tileBytes{path, hex.EncodeToString(b)})
		}
		return nil
	})
	return v
}

func readTree(t *testing.T) {
	v := readVector[treeVector](t, "tree.json")
	if is := treeOf(t); fmt.Sprint(is) != fmt.Sprint(v) {
		t.Errorf("the code computes %+v", is)
	}
	root := func(n int64) tlog.Hash { return tlog.Hash(unhex(t, v.Roots[n])) }
	leaf := func(i int64) tlog.Hash { return tlog.Hash(unhex(t, v.Leaves[i])) }
	in, con, sub := v.Inclusion, v.Consistency, v.Subtree
	if err := tlog.CheckRecord(hashesOf(t, in.Hashes), in.Size, root(in.Size), in.From, leaf(in.From)); err != nil {
		t.Error(err)
	}
	if err := tlog.CheckTree(hashesOf(t, con.Hashes), con.Size, root(con.Size), con.From, root(con.From)); err != nil {
		t.Error(err)
	}
	three := tlog.NodeHash(tlog.NodeHash(leaf(0), leaf(1)), leaf(2))
	if err := torchwood.CheckSubtree(hashesOf(t, sub.Hashes), sub.Size, root(sub.Size), sub.From, sub.To, three); err != nil {
		t.Error(err)
	}
	wrong := slices.Clone(hashesOf(t, in.Hashes))
	wrong[0][0] ^= 1
	if err := tlog.CheckRecord(wrong, in.Size, root(in.Size), in.From, leaf(in.From)); err == nil {
		t.Error("a wrong proof verifies")
	}
}
