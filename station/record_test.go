package station_test

import (
	"archive/zip"
	"bytes"
	"io"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/identity"
	"detente/record"
	"detente/station"
	"detente/station/stationtest"
	"errors"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// exported is a line with some messages, exported by one of its stations.
func exported(t *testing.T, e station.Export) ([]byte, []identity.Root, []string) {
	t.Helper()
	a, b, l := pair(t)
	var ids []string
	for i, end := range []stationtest.End{a, b, a} {
		now := start.Add(time.Duration(i+1) * time.Minute)
		out, err := end.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=good day")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, out.ID.String())
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
	}
	if e.Message != "" {
		e.Message = ids[0]
	} else {
		e.Line = l.String()
	}
	var buf bytes.Buffer
	if err := a.Export(ctx, stationtest.Operator(), start, e, &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), []identity.Root{a.Cast.RootInfo, b.Cast.RootInfo}, ids
}

func verify(t *testing.T, file []byte, roots []identity.Root) record.Report {
	t.Helper()
	r, err := record.Verify(bytes.NewReader(file), int64(len(file)), roots)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != record.Invalid {
		again, said, err := record.Read(bytes.NewReader(file), int64(len(file)), roots)
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Errorf("read, it is reported otherwise: %+v, %v", again, err)
		}
		if len(r.MissingReceipts) == 0 && len(said) != r.Verified {
			t.Errorf("%d messages are verified and %d shown", r.Verified, len(said))
		}
	}
	return r
}

// A disclosed line verifies from the roots alone, and says so in six languages.
// covers P19 P8
func TestRecordOfLine(t *testing.T) {
	file, roots, _ := exported(t, station.Export{Disclose: true})
	r := verify(t, file, roots)
	if r.Verdict != record.Valid || r.Messages != 7 || r.Receipts != 7 || r.Verified != 7 {
		t.Errorf("%+v", r)
	}
	for _, c := range r.Checks {
		if c.Result != record.Pass || c.Passed == 0 {
			t.Errorf("check %d of a valid record says %s: %s", c.Check, c.Result, c.Name)
		}
	}
	for _, l := range book.Langs() {
		if text, err := r.Render(l); err != nil || strings.Contains(text, "\n\n") || strings.Count(text, "\n") < 18 {
			t.Errorf("%s: %q, %v", l, text, err)
		}
	}
	if r := verify(t, file, roots[:1]); r.Verdict != record.Invalid {
		t.Errorf("without one root: %s", r.Verdict)
	}
	other, err := stationtest.NewCast(strings.NewReader(strings.Repeat("x", 1<<20)), start, "boreal.example", "BOR", arden)
	if err != nil {
		t.Fatal(err)
	}
	if r := verify(t, file, []identity.Root{roots[0], other.RootInfo}); r.Verdict != record.Invalid {
		t.Errorf("under another root of the same name: %s", r.Verdict)
	}
}

// Without keys a record proves delivery and names every entry that it hides.
// covers P9 P19
func TestRecordUndisclosed(t *testing.T) {
	file, roots, _ := exported(t, station.Export{})
	r := verify(t, file, roots)
	if r.Verdict != record.Indeterminate || len(r.Undisclosed) != 7 || r.ExitCode() != 6 || r.Receipts != 7 {
		t.Errorf("%+v", r)
	}
}

// One flipped bit anywhere in the file is found.
// covers P19
func TestRecordFlipped(t *testing.T) {
	file, roots, _ := exported(t, station.Export{Message: "first", Disclose: true})
	if r := verify(t, file, roots); r.Verdict == record.Invalid {
		t.Fatalf("%+v", r)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		changed := bytes.Clone(file)
		changed[random.IntN(len(changed))] ^= 1 << random.IntN(8)
		if r := verify(t, changed, roots); r.Verdict != record.Invalid {
			t.Fatalf("a flipped bit left the record %s", r.Verdict)
		}
	}
	if r := verify(t, append(bytes.Clone(file), 0), roots); r.Verdict != record.Invalid {
		t.Error("trailing data are not found")
	}
}

// A verifier that imports nothing of ours accepts each message of a record, and
// demands the counterpart's cosignature.
// covers P19
func TestRecordForStrangers(t *testing.T) {
	file, _, _ := exported(t, station.Export{Disclose: false})
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		f, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	n := 0
	for _, f := range z.File {
		folder, ok := strings.CutSuffix(f.Name, "entry.age")
		if !ok {
			continue
		}
		n++
		policy, err := torchwood.ParsePolicy(read(folder + "policy.txt"))
		if err != nil {
			t.Fatal(err)
		}
		proof := read(folder + "proof.tlog-proof")
		if err := torchwood.VerifyProof(policy, tlog.RecordHash(read(f.Name)), proof); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		for i := range bytes.Split(proof, []byte("\n\u2014 "))[1:] {
			if err := torchwood.VerifyProof(policy, tlog.RecordHash(read(f.Name)), without(proof, i)); err == nil {
				t.Errorf("%s: accepted without signature %d of the four", f.Name, i+1)
			}
		}
		if err := torchwood.VerifyProof(policy, tlog.RecordHash([]byte("another entry")), proof); err == nil {
			t.Errorf("%s: another entry is accepted", f.Name)
		}
	}
	if n != 7 {
		t.Errorf("%d messages", n)
	}
}

// The proof that is taken out of a record stands alone for such a verifier too, and
// what is not in it, or of an invalid record, is not proven.
// covers P19
func TestProveOne(t *testing.T) {
	file, roots, _ := exported(t, station.Export{Disclose: false})
	_, p, err := record.Prove(bytes.NewReader(file), int64(len(file)), roots, "BOR/ARD-N1-0")
	if err != nil || p.Index != 0 || p.Received.IsZero() {
		t.Fatalf("%+v, %v", p, err)
	}
	policy, err := torchwood.ParsePolicy(p.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := torchwood.VerifyProof(policy, tlog.RecordHash(p.Entry), p.Proof); err != nil {
		t.Error(err)
	}
	if _, _, err := record.Prove(bytes.NewReader(file), int64(len(file)), roots, "BOR/ARD-N1-77"); !errors.Is(err, record.ErrNoEntry) {
		t.Errorf("what is not there: %v", err)
	}
	if _, _, err := record.Prove(bytes.NewReader(file), int64(len(file)), roots[:1], "BOR/ARD-N1-0"); !errors.Is(err, record.ErrInvalid) {
		t.Errorf("without a root: %v", err)
	}
}

// without takes one signature line out of a proof.
func without(proof []byte, n int) []byte {
	parts := bytes.Split(proof, []byte("\n\u2014 "))
	return append(bytes.Join(slices.Delete(parts, n+1, n+2), []byte("\n\u2014 ")), bytes.Repeat([]byte("\n"), (n+2)/len(parts))...)
}

// The verifier links no network code.
// covers P19
func TestVerifierLinksNoNetwork(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "detente/record").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		if p == "net" || strings.HasPrefix(p, "net/http") || p == "crypto/tls" || p == "os/exec" {
			t.Errorf("record links %s", p)
		}
	}
}
