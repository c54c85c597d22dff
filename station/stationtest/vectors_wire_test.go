package stationtest_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	"detente/identity"
	"detente/journal"
	"detente/journal/mirror"
	"detente/line"
	"detente/record"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func readTile(tx journal.Tx, o identity.Origin, path string) ([]byte, error) {
	return mirror.ReadTile(tx, o, path)
}

// decodeLine returns the bytes in a signature line: key id, then signature.
func decodeLine(t testing.TB, l string) []byte {
	t.Helper()
	return must(base64.StdEncoding.Strict().DecodeString(l[strings.LastIndexByte(l, ' ')+1:]))(t)
}

type wireVector struct {
	About   string        `json:"about"`
	Deliver deliverVector `json:"deliver"`
	Bodies  []wireBody    `json:"bodies"`
	Reject  []wireBody    `json:"reject"`
}

type deliverVector struct {
	OldSize    int64    `json:"old_size"`
	Proof      []string `json:"proof"`
	Checkpoint string   `json:"checkpoint"`
	Start      int64    `json:"start"`
	Entries    []string `json:"entries"`
	Body       string   `json:"body"` // base64
}

// wireBody is a body of a request or an answer.
type wireBody struct {
	Kind string `json:"kind"`
	Body string `json:"body"` // base64
	Why  string `json:"why,omitempty"`
}

func (d deliverVector) delivery(t testing.TB) journal.Delivery {
	out := journal.Delivery{Origin: abLog, OldSize: d.OldSize, Proof: hashesOf(t, d.Proof), Checkpoint: []byte(d.Checkpoint), Start: d.Start}
	for _, e := range d.Entries {
		out.Entries = append(out.Entries, []byte(e))
	}
	return out
}

// decoders read each kind of body and write it again.
var decoders = map[string]func([]byte) ([]byte, error){
	"deliver": func(b []byte) ([]byte, error) {
		d, err := line.ParseDelivery(b)
		if err != nil {
			return nil, err
		}
		return line.FormatDelivery(d)
	},
	"add-checkpoint": func(b []byte) ([]byte, error) {
		c, err := line.ParseAddCheckpoint(b)
		if err != nil {
			return nil, err
		}
		return c.Bytes()
	},
	"add-entries": func(b []byte) ([]byte, error) {
		u, err := line.ParseUpload(b)
		if err != nil {
			return nil, err
		}
		return u.Bytes()
	},
	"mirror-info": func(b []byte) ([]byte, error) { m, err := line.ParseMirrorInfo(b); return m.Bytes(), err },
	"size":        func(b []byte) ([]byte, error) { n, err := line.ParseSize(b); return line.FormatSize(n), err },
	"heads query": func(b []byte) ([]byte, error) {
		q, err := line.ParseHeadsQuery(b)
		if err != nil {
			return nil, err
		}
		return q.Bytes()
	},
	"heads answer": func(b []byte) ([]byte, error) {
		a, err := line.ParseHeadsAnswer(b)
		if err != nil {
			return nil, err
		}
		return a.Bytes()
	},
	"cosignatures": func(b []byte) ([]byte, error) {
		p, err := line.ParseCosignaturePage(b)
		if err != nil {
			return nil, err
		}
		return p.Bytes()
	},
	"cards": func(b []byte) ([]byte, error) {
		c, err := line.ParseCards(b)
		if err != nil {
			return nil, err
		}
		return c.Bytes()
	},
	"mark file": func(b []byte) ([]byte, error) {
		m, err := line.ParseMarks(b)
		if err != nil {
			return nil, err
		}
		return line.FormatMarks(m)
	},
}

func writeWire(t testing.TB, w *world) {
	v := wireVector{About: "Bodies of requests and answers, in base64. What parses is written again as the same bytes."}
	cosigner := must(journal.NewCosigner(borealMirror, seeded(t, identity.UseCosigner, "boreal.example cosigner")))(t)
	good := map[string][]byte{}
	grown(t, 5, func(tx journal.Tx) error {
		l, _, err := tx.Log(abLog)
		if err != nil {
			return err
		}
		proof := must(journal.ProveTree(tx, abLog, 3, 5))(t)
		v.Deliver = deliverVector{OldSize: 3, Proof: hexes(proof), Checkpoint: string(l.Checkpoint), Start: 3, Entries: []string{"entry 3", "entry 4"}}
		good["deliver"] = must(line.FormatDelivery(v.Deliver.delivery(t)))(t)
		good["add-checkpoint"] = must(line.AddCheckpoint{Old: 3, Proof: proof, Checkpoint: l.Checkpoint}.Bytes())(t)
		sub := must(torchwood.ProveSubtree(5, 0, 5, journal.HashReader(tx, abLog)))(t)
		good["add-entries"] = must(line.Upload{
			UploadHead: line.UploadHead{Origin: abLog, Start: 3, End: 5, Ticket: []byte("t")},
			Packages:   []line.Package{{Entries: vectorLeaves(5)[3:], Proof: sub}},
		}.Bytes())(t)
		head := journal.Head{Origin: abLog, Size: 5, Root: l.Root}
		c := must(cosigner.Cosign(head, start))(t)
		good["cosignatures"] = must(line.CosignaturePage{Cosigned: []line.Cosigned{{By: borealMirror, Size: 5, Checkpoint: l.Checkpoint, Lines: c.Lines}}, More: true}.Bytes())(t)
		good["heads answer"] = must(line.HeadsAnswer{Heads: []line.Head{
			{Origin: abLog, Checkpoint: append(bytes.Clone(l.Checkpoint), c.Lines...), Next: 5},
			{Origin: abLine.Log(bor, 1), Next: 0},
		}}.Bytes())(t)
		good["mark file"] = must(line.FormatMarks(line.Marks{Logs: []line.Mark{
			{Origin: abLog, Written: true, Size: 5, Root: identity.Digest(l.Root), Head: l.Checkpoint}, {Origin: abLine.Log(bor, 1)},
		}}))(t)
		return nil
	})
	v.Deliver.Body = base64.StdEncoding.EncodeToString(good["deliver"])
	good["mirror-info"], good["size"] = line.MirrorInfo{Size: 300, Next: 256}.Bytes(), line.FormatSize(300)
	good["heads query"] = must(line.HeadsQuery{Origins: []identity.Origin{abLog, abLine.Log(bor, 1)}}.Bytes())(t)
	good["cards"] = must(line.Cards{Bundle: w.arden.Bundle.Bytes(), Successions: [][]byte{[]byte("a succession note\n")}}.Bytes())(t)
	for _, kind := range wireKinds {
		v.Bodies = append(v.Bodies, wireBody{Kind: kind, Body: base64.StdEncoding.EncodeToString(good[kind])})
	}
	reject := func(kind, why string, body []byte) {
		v.Reject = append(v.Reject, wireBody{Kind: kind, Body: base64.StdEncoding.EncodeToString(body), Why: why})
	}
	d := good["deliver"]
	reject("deliver", "cut within an entry", d[:len(d)-1])
	reject("deliver", "an entry too many", append(bytes.Clone(d), 0, 0))
	reject("deliver", "empty", nil)
	reject("add-checkpoint", "an old size with a leading zero", bytes.Replace(good["add-checkpoint"], []byte("old 3"), []byte("old 03"), 1))
	reject("add-checkpoint", "no empty line", bytes.Replace(good["add-checkpoint"], []byte("\n\n"), []byte("\n"), 1))
	u := good["add-entries"]
	reject("add-entries", "cut within a package", u[:len(u)-1])
	reject("add-entries", "a byte after the last package", append(bytes.Clone(u), 0))
	reject("mirror-info", "two lines", []byte("300\n256\n"))
	reject("mirror-info", "no number", []byte("-1\n256\n\n"))
	reject("size", "no line end", []byte("300"))
	reject("heads query", "a log twice", bytes.Replace(good["heads query"], []byte(abLine.Log(bor, 1).String()), []byte(abLog.String()), 1))
	reject("heads query", "an unknown member", []byte(`{"origins":["`+abLog.String()+`"],"x":1}`))
	reject("cosignatures", "a size other than its checkpoint's", bytes.Replace(good["cosignatures"], []byte(`"size":5`), []byte(`"size":6`), 1))
	reject("cards", "no cards", []byte(`{"cards":""}`))
	reject("mark file", "a digit changed", bytes.Replace(good["mark file"], []byte(" 5 "), []byte(" 6 "), 1))
	writeVector(t, "wire.json", v)
}

var wireKinds = []string{"deliver", "add-checkpoint", "add-entries", "mirror-info", "size", "heads query", "heads answer", "cosignatures", "cards", "mark file"}

func readWire(t *testing.T) {
	v := readVector[wireVector](t, "wire.json")
	if got := must(line.FormatDelivery(v.Deliver.delivery(t)))(t); base64.StdEncoding.EncodeToString(got) != v.Deliver.Body {
		t.Error("the delivery is written otherwise")
	}
	bodies := map[string][]byte{}
	for _, b := range v.Bodies {
		body := must(base64.StdEncoding.DecodeString(b.Body))(t)
		if again, err := decoders[b.Kind](body); err != nil || !bytes.Equal(again, body) {
			t.Errorf("%s: read and written again it is %q, %v", b.Kind, again, err)
		}
		bodies[b.Kind] = body
	}
	for _, b := range v.Reject {
		if _, err := decoders[b.Kind](must(base64.StdEncoding.DecodeString(b.Body))(t)); err == nil {
			t.Errorf("%s, %s: it is accepted", b.Kind, b.Why)
		}
	}
	if len(bodies) != len(decoders) {
		t.Fatalf("%d kinds of bodies of %d", len(bodies), len(decoders))
	}
	checkTrue(t, bodies)
}

// checkTrue fails unless what the bodies bring verifies: checkpoints, receipts and
// proofs under Arden's log of five entries, and the cards.
func checkTrue(t *testing.T, bodies map[string][]byte) {
	tree, card, mirror := readVector[treeVector](t, "tree.json"), vectorCards(t, "arden.example").Card, vectorCards(t, "boreal.example").Card
	pub, _ := card.Log(abLog)
	root := func(n int64) tlog.Hash { return tlog.Hash(unhex(t, tree.Roots[n])) }
	head := journal.Head{Origin: abLog, Size: 5, Root: root(5)}
	opens := func(kind string, note []byte) {
		t.Helper()
		if h, err := journal.OpenCheckpoint(pub, abLog, note); err != nil || h != head {
			t.Errorf("%s: its checkpoint is of %+v, %v", kind, h, err)
		}
	}
	cosigned := func(kind string, lines []byte) {
		t.Helper()
		if _, err := journal.OpenCosignature(borealMirror, mirror.Cosigner, head, lines); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	d, a := must(line.ParseDelivery(bodies["deliver"]))(t), must(line.ParseAddCheckpoint(bodies["add-checkpoint"]))(t)
	opens("deliver", d.Checkpoint)
	opens("add-checkpoint", a.Checkpoint)
	for _, err := range []error{tlog.CheckTree(d.Proof, 5, head.Root, d.OldSize, root(d.OldSize)), tlog.CheckTree(a.Proof, 5, head.Root, a.Old, root(a.Old))} {
		if err != nil {
			t.Error(err)
		}
	}
	u := must(line.ParseUpload(bodies["add-entries"]))(t)
	if got := fmt.Sprintf("%s%s", d.Entries, u.Packages[0].Entries); got != "[entry 3 entry 4][entry 3 entry 4]" {
		t.Errorf("entries %s", got)
	}
	if err := torchwood.CheckSubtree(u.Packages[0].Proof, 5, head.Root, 0, 5, head.Root); err != nil {
		t.Error(err)
	}
	p := must(line.ParseCosignaturePage(bodies["cosignatures"]))(t).Cosigned[0]
	opens("cosignatures", p.Checkpoint)
	cosigned("cosignatures", p.Lines)
	h := must(line.ParseHeadsAnswer(bodies["heads answer"]))(t).Heads[0]
	opens("heads answer", h.Checkpoint)
	cosigned("heads answer", journal.LinesOf(borealMirror, h.Checkpoint))
	for _, m := range must(line.ParseMarks(bodies["mark file"]))(t).Logs {
		if m.Size > 0 {
			opens("mark file", m.Head)
		}
	}
	if c := must(line.ParseCards(bodies["cards"]))(t); !bytes.Equal(c.Bundle, readFile(t, "nrrc.arden.example.cards")) {
		t.Error("cards: another bundle than in the file")
	}
}

type evidenceVector struct {
	About    string `json:"about"`
	Fork     string `json:"fork"`
	ForkEnd  string `json:"fork_of_one_size"`
	NoFork   string `json:"no_fork"`
	Withheld string `json:"withheld"`
	From     int64  `json:"withheld_from"`
}

func writeEvidence(t testing.TB, _ *world) {
	v := evidenceVector{About: "Two histories of Arden's log, by a consistency proof and at one size; a pair that belongs together; a withheld receipt.", From: 3}
	signer := must(journal.NewSigner(abLog, seeded(t, identity.UseLog, abLog.String())))(t)
	marshal := func(f journal.Fork) string { return string(must(journal.MarshalFork(f))(t)) }
	grown(t, 5, func(tx journal.Tx) error {
		l, _, err := tx.Log(abLog)
		if err != nil {
			return err
		}
		proof, root := must(journal.ProveTree(tx, abLog, 3, 5))(t), must(journal.RootAt(tx, abLog, 3))(t)
		other := must(signer.Sign(journal.Head{Origin: abLog, Size: 3, Root: tlog.Hash{1}}, start))(t)
		same := must(signer.Sign(journal.Head{Origin: abLog, Size: 5, Root: tlog.Hash{1}}, start))(t)
		true3 := must(signer.Sign(journal.Head{Origin: abLog, Size: 3, Root: root}, start))(t)
		v.Fork = marshal(journal.Fork{Origin: abLog, A: other, B: l.Checkpoint, Proof: proof, Root: root})
		v.ForkEnd = marshal(journal.Fork{Origin: abLog, A: l.Checkpoint, B: same})
		v.NoFork = marshal(journal.Fork{Origin: abLog, A: true3, B: l.Checkpoint, Proof: proof, Root: root})
		back := abLine.Log(bor, 1)
		alive := must(must(journal.NewSigner(back, seeded(t, identity.UseLog, back.String())))(t).Sign(journal.Head{Origin: back, Size: 9, Root: tlog.Hash{2}}, start))(t)
		v.Withheld = string(must(journal.MarshalWithheld(journal.Withheld{Offered: l.Checkpoint, From: v.From, Alive: alive}))(t))
		return nil
	})
	writeVector(t, "evidence.json", v)
}

func readEvidence(t *testing.T) {
	v := readVector[evidenceVector](t, "evidence.json")
	pub := seeded(t, identity.UseLog, abLog.String()).Public()
	cards := []identity.Bundle{must(identity.ParseBundle(readFile(t, "nrrc.arden.example.cards")))(t)}
	roots := []identity.Root{must(identity.ParseRoot(readFile(t, "arden.example.root")))(t)}
	for _, file := range []string{v.Fork, v.ForkEnd} {
		f := must(journal.ParseFork([]byte(file)))(t)
		if err := f.Verify(pub); err != nil {
			t.Error(err)
		}
		if again := must(journal.MarshalFork(f))(t); string(again) != file {
			t.Errorf("written anew: %s", again)
		}
		if r := record.VerifyEvidence([]byte(file), cards, roots); r.Verdict != record.Valid || r.Who != string(arden) {
			t.Errorf("%+v", r)
		}
	}
	if r := record.VerifyEvidence([]byte(v.NoFork), cards, roots); r.Verdict != record.Invalid {
		t.Errorf("heads that belong together: %+v", r)
	}
	no, w := must(journal.ParseFork([]byte(v.NoFork)))(t), must(journal.ParseWithheld([]byte(v.Withheld)))(t)
	for _, note := range [][]byte{no.A, no.B, w.Offered} {
		if _, err := journal.OpenCheckpoint(pub, abLog, note); err != nil {
			t.Error(err)
		}
	}
	back := abLine.Log(bor, 1)
	if _, err := journal.OpenCheckpoint(seeded(t, identity.UseLog, back.String()).Public(), back, w.Alive); err != nil {
		t.Error(err)
	}
	if again := must(journal.MarshalWithheld(w))(t); string(again) != v.Withheld || w.From != v.From {
		t.Errorf("written anew: %s", again)
	}
	if r := record.VerifyEvidence([]byte(v.Withheld), cards, roots); r.Kind != "withheld" || r.Verdict == record.Valid {
		t.Errorf("%+v", r)
	}
}

type recordVector struct {
	About    string   `json:"about"`
	Verdict  string   `json:"verdict"`
	Messages int      `json:"messages"`
	Receipts int      `json:"receipts"`
	Verified int      `json:"verified"`
	Members  []string `json:"members"`
	OneRoot  string   `json:"verdict_with_one_root"`
	Changed  string   `json:"verdict_with_a_flipped_bit"`
}

// membersOf returns the files of a record by name.
func membersOf(t testing.TB, file []byte) map[string][]byte {
	t.Helper()
	z := must(zip.NewReader(bytes.NewReader(file), int64(len(file))))(t)
	out := map[string][]byte{}
	for _, f := range z.File {
		r := must(f.Open())(t)
		out[f.Name] = must(io.ReadAll(r))(t)
	}
	return out
}

// judged verifies a record in the three ways that the vector tells of.
func judged(t testing.TB, file []byte) recordVector {
	t.Helper()
	roots := []identity.Root{must(identity.ParseRoot(readFile(t, "arden.example.root")))(t), must(identity.ParseRoot(readFile(t, "boreal.example.root")))(t)}
	verdict := func(file []byte, roots []identity.Root) record.Report {
		return must(record.Verify(bytes.NewReader(file), int64(len(file)), roots))(t)
	}
	flipped := bytes.Clone(file)
	flipped[len(flipped)/2] ^= 1
	r := verdict(file, roots)
	v := recordVector{
		About:   "What line.record proves, verified with both .root files, with Arden's alone, and with one bit changed in its middle.",
		Verdict: string(r.Verdict), Messages: r.Messages, Receipts: r.Receipts, Verified: r.Verified,
		OneRoot: string(verdict(file, roots[:1]).Verdict), Changed: string(verdict(flipped, roots).Verdict),
	}
	z := must(zip.NewReader(bytes.NewReader(file), int64(len(file))))(t)
	for _, f := range z.File {
		v.Members = append(v.Members, f.Name)
	}
	return v
}

func writeRecord(t testing.TB, w *world) {
	writeFile(t, "line.record", w.line.file)
	writeVector(t, "record.json", judged(t, w.line.file))
}

func readRecord(t *testing.T) {
	v, file := readVector[recordVector](t, "record.json"), readFile(t, "line.record")
	if is := judged(t, file); fmt.Sprint(is) != fmt.Sprint(v) {
		t.Errorf("the record is judged %+v", is)
	}
	if v.Verdict != string(record.Valid) || v.OneRoot != string(record.Invalid) || v.Changed != string(record.Invalid) {
		t.Errorf("%+v", v)
	}
	members := membersOf(t, file)
	n := 0
	for name, entry := range members {
		folder, ok := strings.CutSuffix(name, "entry.age")
		if !ok {
			continue
		}
		n++
		policy := must(torchwood.ParsePolicy(members[folder+"policy.txt"]))(t)
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(entry), members[folder+"proof.tlog-proof"]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n != v.Messages {
		t.Errorf("%d entries of %d messages", n, v.Messages)
	}
	sealed := readVector[sealedVector](t, "sealed.json")
	if got := base64.StdEncoding.EncodeToString(members[vectorEntry+"entry.age"]); got != sealed.Entry {
		t.Error("sealed.json holds another entry than the record")
	}
	if key := strings.TrimSpace(string(members[vectorEntry+"filekey"])); key != sealed.FileKey {
		t.Errorf("the record discloses %s", key)
	}
}
