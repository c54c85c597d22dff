package station_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/internal/decodertest"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// ref is a blob as a message names it.
type ref struct {
	Hash string `json:"hash"`
	Type string `json:"type"`
	Size int64  `json:"size"`
}

// carry sends files as evidence of inquiries from a to b, eight a message, lets
// b fetch them over the wire, and returns what b reads of each.
func carry(t *testing.T, a, b stationtest.End, l identity.Line, files map[string][]byte) map[string][]byte {
	t.Helper()
	names, got := slices.Sorted(maps.Keys(files)), make(map[string][]byte)
	now := start.Add(time.Minute)
	for some := range slices.Chunk(names, 8) {
		var refs []jsontext.Value
		hashes := make(map[string]string)
		for _, name := range some {
			value, err := a.AddBlob(ctx, op, now, l, "application/octet-stream", bytes.NewReader(files[name]))
			if err != nil {
				t.Fatal(err)
			}
			var r ref
			if err := json.Unmarshal(value, &r); err != nil {
				t.Fatal(err)
			}
			refs = append(refs, value)
			hashes[r.Hash] = name
		}
		ask(t, a, now, l, refs)
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
		for _, blob := range fetch(t, a, b, now, l) {
			var content bytes.Buffer
			if err := b.ReadBlob(ctx, op, now, blob, &content); err != nil {
				t.Fatal(err)
			}
			got[hashes[blob.String()]] = content.Bytes()
		}
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// ask submits an inquiry with evidence and lets two officers release it.
func ask(t *testing.T, a stationtest.End, now time.Time, l identity.Line, refs []jsontext.Value) {
	t.Helper()
	f, ok := a.Book().Format("210")
	if !ok {
		t.Fatal("there is no format 210")
	}
	params := maps.Clone(map[string]jsontext.Value(f.Examples[0]))
	list, err := json.Marshal(refs)
	if err != nil {
		t.Fatal(err)
	}
	params["evidence"] = list
	out, err := a.Submit(ctx, op, now, station.Draft{Line: l, Format: "210", Params: params, Language: "en", Precedence: message.Routine, Marking: message.Marking{TLP: "AMBER"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Approve(ctx, now, out.ID, 2); err != nil {
		t.Fatal(err)
	}
	if err := a.Tick(ctx, now); err != nil {
		t.Fatal(err)
	}
}

// fetch brings what b wants of a's blobs, in the ranges of the wire.
func fetch(t *testing.T, a, b stationtest.End, now time.Time, l identity.Line) (held []identity.Digest) {
	t.Helper()
	wanted, _, err := b.WantedBlobs(ctx, l, identity.Digest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range wanted {
		for blob.State != station.BlobHeld {
			r := line.Serve(ctx, station.At(a.Station, func() time.Time { return now }), line.Request{Op: line.OpBlob, Peer: b.Name(), Hash: blob.Hash, Offset: blob.Have})
			if r.Status/100 != 2 || len(r.Body) == 0 {
				t.Fatalf("blob %s from %d: status %d, %s", blob.Hash, blob.Have, r.Status, r.Body)
			}
			if blob, err = b.TakeBlob(ctx, now, blob, blob.Have, r.Body); err != nil {
				t.Fatal(err)
			}
		}
		held = append(held, blob.Hash)
	}
	return held
}

// untouched checks that files come through as they are.
func untouched(t *testing.T, files map[string][]byte) {
	t.Helper()
	a, b, l := pair(t)
	got := carry(t, a, b, l, files)
	for name, content := range files {
		if !bytes.Equal(got[name], content) {
			t.Errorf("%s: %d bytes came through of %d", name, len(got[name]), len(content))
		}
	}
	checkLine(t, l, a, b)
}

// Evidence is bytes: what would burst, escape, loop or break whoever opened it
// is carried as it is, and nothing here opens it.
// covers P14
func TestHostileEvidence(t *testing.T) {
	var bomb, slip bytes.Buffer
	w := gzip.NewWriter(&bomb)
	if _, err := w.Write(make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&slip)
	for _, name := range []string{"../../etc/passwd", `..\..\x`, "/abs", "a\x00b"} {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	cycle := `{"type":"bundle","id":"bundle--1","objects":[{"id":"a","ref":"b"},{"id":"b","ref":"a"},{"id":"a","ref":"a"}]}`
	untouched(t, map[string][]byte{
		"a gzip bomb":          bomb.Bytes(),
		"a path out of a zip":  slip.Bytes(),
		"10,000 levels":        []byte(strings.Repeat(`{"objects":[`, 10_000) + strings.Repeat("]}", 10_000)),
		"a cycle and a double": []byte(cycle),
		"a wrong version":      []byte(`{"type":"bundle","spec_version":"9.9","objects":[{"id":"x","id":"y"}]}`),
		"a page":               []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"many objects":         []byte(`{"objects":[` + strings.Repeat(`{"type":"x"},`, 100_000) + `{}]}`),
		"one byte":             {0},
	})
}

// The bundles, events and advisories of others are carried byte for byte.
// covers P3 P14
func TestEvidenceOfOthers(t *testing.T) {
	all := make(map[string][]byte)
	for _, folder := range []string{"stix", "misp", "csaf"} {
		for name, content := range decodertest.Folder(t, folder, ".json") {
			all[folder+"/"+name] = content
		}
	}
	untouched(t, all)
}
