package line

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"detente/identity"
	"detente/journal"

	"golang.org/x/mod/sumdb/tlog"
)

var (
	arden  = identity.Station("nrrc.arden.example")
	boreal = identity.Station("nrrc.boreal.example")
	merid  = identity.Station("depositary.meridian.example")
	abLine = identity.Line{A: arden, B: boreal, Class: identity.Notification}
	abLog  = abLine.Log(arden, 1)
)

// checkpoint returns a note in the form of a signed checkpoint; its signature
// is none.
func checkpoint(o identity.Origin, size int64, root byte) []byte {
	h := tlog.Hash{0: root, 31: 1}
	return fmt.Appendf(nil, "%s\n%d\n%s\n\n%s", o, size, base64.StdEncoding.EncodeToString(h[:]), sigLine(o.String(), 1))
}

func sigLine(name string, hash byte) string {
	return "\u2014 " + name + " " + base64.StdEncoding.EncodeToString([]byte{0, 0, 0, hash, 9, 9, 9}) + "\n"
}

func hashes(n int) []tlog.Hash {
	var out []tlog.Hash
	for i := range n {
		out = append(out, tlog.Hash{byte(i + 1)})
	}
	return out
}

func entries(n int) [][]byte {
	var out [][]byte
	for i := range n {
		out = append(out, bytes.Repeat([]byte{byte(i)}, i%7))
	}
	return out
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func delivery(old, start, size int64) journal.Delivery {
	return journal.Delivery{Origin: abLog, OldSize: old, Proof: hashes(3), Checkpoint: checkpoint(abLog, size, 1), Start: start, Entries: entries(int(size - start))}
}

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	// Empty and absent are one thing on the wire.
	if fmt.Sprintf("%q", fmt.Sprint(got)) != fmt.Sprintf("%q", fmt.Sprint(want)) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
}

// covers P3: what was written is read back as it was.
func TestDeliveryReadsBack(t *testing.T) {
	for _, d := range []journal.Delivery{delivery(0, 0, 0), delivery(0, 0, 1), delivery(5, 3, 300), delivery(9, 9, 9)} {
		b := must[[]byte](t)(FormatDelivery(d))
		same(t, must[journal.Delivery](t)(ParseDelivery(b)), d)
	}
}

// covers P14
func TestDeliveryRefusesWhatDoesNotFit(t *testing.T) {
	good := must[[]byte](t)(FormatDelivery(delivery(2, 2, 6)))
	for n := range good {
		if _, err := ParseDelivery(good[:n]); err == nil {
			t.Fatalf("a delivery cut at byte %d of %d was accepted", n, len(good))
		}
	}
	if _, err := ParseDelivery(append(bytes.Clone(good), 0, 0)); err == nil {
		t.Error("an entry beyond the checkpoint's size was accepted")
	}
	for name, d := range map[string]journal.Delivery{
		"old size beyond the checkpoint": delivery(7, 2, 6),
		"negative start":                 {Origin: abLog, Start: -1, Checkpoint: checkpoint(abLog, 1, 1), Entries: entries(2)},
		"another log":                    {Origin: abLine.Log(boreal, 1), Checkpoint: checkpoint(abLog, 0, 1)},
		"extension lines":                {Origin: abLog, Checkpoint: []byte(strings.Replace(string(checkpoint(abLog, 0, 1)), "\n\n", "\nmore\n\n", 1))},
		"too long an entry":              {Origin: abLog, Checkpoint: checkpoint(abLog, 1, 1), Entries: [][]byte{make([]byte, MaxEntry+1)}},
		"too long a proof":               {Origin: abLog, Checkpoint: checkpoint(abLog, 0, 1), Proof: hashes(64)},
	} {
		if _, err := FormatDelivery(d); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	big := journal.Delivery{Origin: abLog, Checkpoint: checkpoint(abLog, 32, 1)}
	for range 32 {
		big.Entries = append(big.Entries, make([]byte, MaxEntry))
	}
	if _, err := FormatDelivery(big); err == nil {
		t.Error("a delivery of 2 MiB of entries was written")
	}
	// What the machine believes to fit must fit, with the longest proof.
	full := journal.Delivery{Origin: abLog, Proof: hashes(MaxProof), Entries: [][]byte{}}
	for left := MaxDeliveryEntries; left >= 2; {
		n := min(left-2, MaxEntry)
		full.Entries = append(full.Entries, make([]byte, n))
		left -= n + 2
	}
	full.Checkpoint = append(checkpoint(abLog, int64(len(full.Entries)), 1), bytes.Repeat([]byte("x"), 7<<10)...)
	b := must[[]byte](t)(FormatDelivery(full))
	if len(b) > MaxDelivery {
		t.Errorf("%d bytes were written", len(b))
	}
}

func TestAddCheckpointReadsBack(t *testing.T) {
	for _, a := range []AddCheckpoint{
		{Checkpoint: checkpoint(abLog, 0, 1)},
		{Old: 20852014, Proof: hashes(63), Checkpoint: checkpoint(abLog, 20852163, 2)},
	} {
		b := must[[]byte](t)(a.Bytes())
		same(t, must[AddCheckpoint](t)(ParseAddCheckpoint(b)), a)
	}
}

func upload(start, end int64, packages int) Upload {
	u := Upload{UploadHead: UploadHead{Origin: abLog, Start: start, End: end, Ticket: []byte("ticket")}}
	for i := range packages {
		_, from, to := u.Package(int64(i))
		u.Packages = append(u.Packages, Package{Entries: entries(int(to - from)), Proof: hashes(i % 4)})
	}
	return u
}

// The intervals are those of tlog-mirror's canonical sequence, computed a
// second time from its words.
func TestUploadPackagesAreCanonical(t *testing.T) {
	for _, c := range [][2]int64{{0, 0}, {0, 1}, {0, 256}, {0, 257}, {255, 256}, {255, 257}, {256, 512}, {300, 300}, {300, 301}, {511, 2000}, {1000, 1024}} {
		h := UploadHead{Start: c[0], End: c[1]}
		roundedStart, roundedEnd := c[0]/256*256, (c[1]+255)/256*256
		n := (roundedEnd - roundedStart) / 256
		if c[0] == c[1] {
			n = 0
		}
		if h.Count() != n {
			t.Errorf("%v: %d packages, want %d", c, h.Count(), n)
		}
		for i := range n {
			subtree, start, end := h.Package(i)
			if subtree != roundedStart+i*256 || start != max(c[0], roundedStart+i*256) || end != min(c[1], roundedStart+(i+1)*256) {
				t.Errorf("%v package %d: %d %d %d", c, i, subtree, start, end)
			}
		}
	}
}

func TestUploadReadsBack(t *testing.T) {
	for _, u := range []Upload{upload(0, 0, 0), upload(5, 9, 0), upload(5, 9, 1), upload(100, 700, 2), upload(100, 700, 3)} {
		b := must[[]byte](t)(u.Bytes())
		same(t, must[Upload](t)(ParseUpload(b)), u)
	}
	u := upload(100, 700, 3)
	b := must[[]byte](t)(u.Bytes())
	if _, err := ParseUpload(append(b, 0)); err == nil {
		t.Error("bytes after the last package were accepted")
	}
}

// Parts of an upload are the packages that the whole holds, wherever the body
// is cut.
func TestUploadInParts(t *testing.T) {
	whole := upload(100, 700, 3)
	b := must[[]byte](t)(whole.Bytes())
	for cut := range len(b) + 1 {
		u, err := newUploadReader(bytes.NewReader(b[:cut]))
		if err != nil {
			continue // within the head
		}
		var got []Package
		for {
			part, err := u.part()
			if err != nil {
				break
			}
			p := must[Upload](t)(ParseUpload(part))
			_, start, _ := whole.Package(int64(len(got)))
			if p.Start != start || p.End != whole.End || len(p.Packages) != 1 {
				t.Fatalf("part %d runs from %d to %d with %d packages", len(got), p.Start, p.End, len(p.Packages))
			}
			got = append(got, p.Packages[0])
		}
		same(t, got, whole.Packages[:len(got)])
		if cut == len(b) && len(got) != 3 {
			t.Fatalf("%d parts of a whole upload", len(got))
		}
	}
}

// An upload's body stops at its limits, and always holds a package.
func TestUploadFills(t *testing.T) {
	for _, c := range []struct {
		start, end int64
		size       int // of each entry
		packages   int
	}{{0, 0, 0, 0}, {5, 9, 10, 1}, {0, 100000, 1, MaxPackages}, {0, 1024, 4 << 10, 2}, {0, 1024, MaxEntry, 1}} {
		h := UploadHead{Origin: abLog, Start: c.start, End: c.end}
		b := must[[]byte](t)(h.Fill(func(_, start, end int64) (Package, error) {
			p := Package{Proof: hashes(2)}
			for range end - start {
				p.Entries = append(p.Entries, make([]byte, c.size))
			}
			return p, nil
		}))
		if u := must[Upload](t)(ParseUpload(b)); len(u.Packages) != c.packages {
			t.Errorf("%+v: %d packages", c, len(u.Packages))
		}
	}
	if _, err := (UploadHead{Origin: abLog, End: 9}).Fill(func(_, _, _ int64) (Package, error) { return Package{}, nil }); err == nil {
		t.Error("a package without its entries was written")
	}
}

func TestMirrorInfo(t *testing.T) {
	for _, m := range []MirrorInfo{{}, {Size: 12, Next: 3, Ticket: []byte{1, 2}}} {
		same(t, must[MirrorInfo](t)(ParseMirrorInfo(m.Bytes())), m)
	}
	for _, s := range []string{"", "1\n2\n", "1\n2\n\n\n", "01\n2\n\n", "-1\n2\n\n", "1\n2\nAA\r==\n", "1\n2\nAB==\n", "9223372036854775808\n2\n\n"} {
		if m, err := ParseMirrorInfo([]byte(s)); err == nil {
			t.Errorf("%q was read as %v", s, m)
		}
	}
}

func heads() HeadsAnswer {
	return HeadsAnswer{Heads: []Head{
		{Origin: abLog, Checkpoint: checkpoint(abLog, 7, 1), Pending: checkpoint(abLog, 9, 2), Next: 8},
		{Origin: abLine.Log(arden, 2)},
	}}
}

func page() CosignaturePage {
	p := CosignaturePage{More: true}
	for i := range int64(3) {
		p.Cosigned = append(p.Cosigned, Cosigned{By: "nrrc.boreal.example/mirror", Size: i * 4, Checkpoint: checkpoint(abLog, i*4, 1), Lines: []byte(sigLine("nrrc.boreal.example/mirror", 3) + sigLine("nrrc.boreal.example/mirror", 4))})
	}
	return p
}

func TestDocumentsReadBack(t *testing.T) {
	q := HeadsQuery{Origins: []identity.Origin{abLog, abLine.Log(boreal, 3)}}
	same(t, must[HeadsQuery](t)(ParseHeadsQuery(must[[]byte](t)(q.Bytes()))), q)
	same(t, must[HeadsAnswer](t)(ParseHeadsAnswer(must[[]byte](t)(heads().Bytes()))), heads())
	same(t, must[CosignaturePage](t)(ParseCosignaturePage(must[[]byte](t)(page().Bytes()))), page())
	c := Cards{Bundle: []byte("three notes\n"), Successions: [][]byte{[]byte("one\n"), []byte("two\n")}}
	same(t, must[Cards](t)(ParseCards(must[[]byte](t)(c.Bytes()))), c)
}

// covers P14
func TestDocumentsRefuse(t *testing.T) {
	ab := abLog.String()
	for name, read := range map[string]error{
		"no log":             second(ParseHeadsQuery([]byte(`{"origins":[]}`))),
		"one log twice":      second(ParseHeadsQuery([]byte(`{"origins":["` + ab + `","` + ab + `"]}`))),
		"unknown member":     second(ParseHeadsQuery([]byte(`{"origins":["` + ab + `"],"x":1}`))),
		"repeated member":    second(ParseHeadsQuery([]byte(`{"origins":["` + ab + `"],"origins":["` + ab + `"]}`))),
		"trailing data":      second(ParseHeadsQuery([]byte(`{"origins":["` + ab + `"]}{}`))),
		"lone surrogate":     second(ParseCards([]byte(`{"cards":"\ud800"}`))),
		"deep nesting":       second(ParseCards([]byte(strings.Repeat(`[`, 100000)))),
		"empty cards":        second(ParseCards([]byte(`{"cards":""}`))),
		"next below zero":    second(ParseHeadsAnswer([]byte(`{"heads":[{"origin":"` + ab + `","next":-1}]}`))),
		"empty, and more":    second(ParseCosignaturePage([]byte(`{"cosignatures":[],"more":true}`))),
		"too many bytes":     second(ParseHeadsQuery(make([]byte, MaxHeadsQuery+1))),
		"number beyond 2^63": second(ParseHeadsAnswer([]byte(`{"heads":[{"origin":"` + ab + `","next":9223372036854775808}]}`))),
	} {
		if read == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	p := page()
	p.Cosigned[1].Size = 5
	if _, err := p.Bytes(); err == nil {
		t.Error("a receipt beside a checkpoint of another size was written")
	}
	p = page()
	p.Cosigned[0], p.Cosigned[2] = p.Cosigned[2], p.Cosigned[0]
	if _, err := ParseCosignaturePage(must[[]byte](t)(p.Bytes())); err == nil {
		t.Error("descending sizes were read")
	}
}

func second[T any](_ T, err error) error { return err }

func TestPageIsCut(t *testing.T) {
	var p CosignaturePage
	for i := range int64(MaxCosignatures + 5) {
		p.Cosigned = append(p.Cosigned, Cosigned{By: "m", Size: i, Checkpoint: checkpoint(abLog, i, 1), Lines: []byte(strings.Repeat(sigLine("m", 1), 1000))})
	}
	b := must[[]byte](t)(p.Bytes())
	got := must[CosignaturePage](t)(ParseCosignaturePage(b))
	if !got.More || len(got.Cosigned) == 0 || len(got.Cosigned) > MaxCosignatures || len(b) > MaxCosignaturePage {
		t.Errorf("%d receipts, more %v, %d bytes", len(got.Cosigned), got.More, len(b))
	}
}

type verifier struct {
	name string
	hash uint32
}

func (v verifier) Name() string                { return v.name }
func (v verifier) KeyHash() uint32             { return v.hash }
func (v verifier) Verify(msg, sig []byte) bool { return false }

func TestReceiptLines(t *testing.T) {
	ed, ml, other := sigLine("m", 3), sigLine("m", 4), sigLine("n", 3)
	for _, c := range []struct {
		body, want string
	}{
		{ed + ml, ed + ml},
		{ml + other + ed, ed + ml},
		{ed, ""},
		{"", ""},
		{ed + ml + ed, ""},
		{ed + ml[:len(ml)-1], ""},
		{ed + "\n" + ml, ""},
		{"200 OK\n", ""},
		{strings.Repeat(other, MaxLines/len(other)+1), ""},
	} {
		got, err := ReceiptLines([]byte(c.body), verifier{"m", 3}, verifier{"m", 4})
		if string(got) != c.want || (err == nil) != (c.want != "") || err != nil && !isNoReceipt(err) {
			t.Errorf("%.80q: %q, %v", c.body, got, err)
		}
	}
}
