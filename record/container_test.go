package record

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// small is a container with a few members.
func small(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, []member{held("a/entry.age", []byte("sealed")), held("a/proof.tlog-proof", []byte("proof")), held(indexName, []byte("{}\n"))}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func refusal(b []byte) error {
	_, err := read(bytes.NewReader(b), int64(len(b)))
	return err
}

// Every bit of a container counts: of contents, of the manifest, and of all that
// the zip format writes between and behind them. So does every byte that is put
// in, taken out or added.
// covers P19
func TestEveryBitOfTheContainer(t *testing.T) {
	good := small(t)
	if err := refusal(good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if refusal(bad) == nil {
				t.Errorf("bit %d of byte %d is turned, and nobody sees it", bit, i)
			}
		}
		if refusal(append(bytes.Clone(good[:i]), good[i+1:]...)) == nil {
			t.Errorf("byte %d is taken out, and nobody sees it", i)
		}
		if refusal(append(append(bytes.Clone(good[:i]), 0), good[i:]...)) == nil {
			t.Errorf("a byte is put in before byte %d, and nobody sees it", i)
		}
		if refusal(good[:i]) == nil {
			t.Errorf("cut off at byte %d, and nobody sees it", i)
		}
	}
	if refusal(append(bytes.Clone(good), 0)) == nil || refusal(append([]byte{0}, good...)) == nil {
		t.Error("a byte before or behind is not seen")
	}
}

// zipOf makes a zip as anybody might.
func zipOf(t *testing.T, build func(*zip.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	build(z)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A file that is made to harm its reader is refused before it does.
// covers P14
func TestHostileContainers(t *testing.T) {
	put := func(z *zip.Writer, h *zip.FileHeader, content []byte) {
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	named := func(names ...string) func(*zip.Writer) {
		return func(z *zip.Writer) {
			for _, n := range names {
				put(z, &zip.FileHeader{Name: n, Method: zip.Store}, []byte("x"))
			}
		}
	}
	huge := zipOf(t, named("entry.age"))
	// The size of the only member, in the central directory, says 4 GiB less 2.
	at := bytes.LastIndex(huge, []byte("PK\x01\x02"))
	copy(huge[at+24:], []byte{0xfe, 0xff, 0xff, 0xff})
	// Two members of the directory share one content, which is read twice.
	shared := zipOf(t, named("a", "b"))
	first := bytes.Index(shared, []byte("PK\x01\x02"))
	second := bytes.LastIndex(shared, []byte("PK\x01\x02"))
	copy(shared[second+42:second+46], shared[first+42:first+46])
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"a bomb": {zipOf(t, func(z *zip.Writer) {
			put(z, &zip.FileHeader{Name: "entry.age", Method: zip.Deflate}, make([]byte, 10<<20))
		}), "compressed"},
		"twice":           {zipOf(t, named("entry.age", "entry.age")), "stands twice"},
		"a parent":        {zipOf(t, named("../entry.age")), "no name"},
		"a parent within": {zipOf(t, named("a/../../entry.age")), "no name"},
		"the root":        {zipOf(t, named("/etc/passwd")), "no name"},
		"a back slash":    {zipOf(t, named(`..\entry.age`)), "no name"},
		"a folder": {zipOf(t, func(z *zip.Writer) {
			if _, err := z.Create("a/"); err != nil {
				t.Fatal(err)
			}
		}), "no name"},
		"a long name":      {zipOf(t, named(strings.Repeat("a", maxName+1))), "no name"},
		"a line end":       {zipOf(t, named("a\nb")), "no name"},
		"a huge size":      {huge, "too large"},
		"a shared content": {shared, ""},
		"nothing":          {nil, "no record"},
		"no manifest":      {zipOf(t, named("record.json")), "manifest"},
	} {
		if err := refusal(c.file); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := read(bytes.NewReader(nil), MaxRecord+1); err == nil {
		t.Error("a file beyond the limit is read")
	}
}

// edge gives the roots that the obvious way gives.
func TestEdge(t *testing.T) {
	e := edge{}
	var leaves [][]byte
	for i := range 40 {
		leaves = append(leaves, []byte{byte(i)})
		if got := e.add(leafHash(leaves[i])); got != obviousRoot(leaves) {
			t.Fatalf("size %d: another root", i+1)
		}
	}
}

func leafHash(b []byte) tlog.Hash { return tlog.RecordHash(b) }

// obviousRoot is RFC 6962, section 2.1, as it is written there.
func obviousRoot(leaves [][]byte) tlog.Hash {
	if len(leaves) == 1 {
		return leafHash(leaves[0])
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(obviousRoot(leaves[:k]), obviousRoot(leaves[k:]))
}
