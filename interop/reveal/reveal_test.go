package reveal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"detente/identity"
	"detente/internal/decodertest"
	"detente/interop/reveal"
)

// seed is a source of one secret.
func seed(b byte) io.Reader { return bytes.NewReader(bytes.Repeat([]byte{b}, 32)) }

func secret(t testing.TB, b byte) reveal.Secret {
	t.Helper()
	s, err := reveal.NewSecret(seed(b))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func bundle(n int) string {
	var b strings.Builder
	b.WriteString(`{"type":"bundle","id":"bundle--1","objects":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{ "type":"domain-name","id":"domain-name--%d", "value":"host%d.arden.example"}`, i, i)
	}
	b.WriteString("]}")
	return b.String()
}

// disclose returns a disclosure of the objects of some indexes; none: of all.
func disclose(t testing.TB, text string, s reveal.Secret, indexes ...int64) ([]byte, reveal.Commitment) {
	t.Helper()
	var out bytes.Buffer
	c, err := reveal.Write(&out, strings.NewReader(text), s, func(i int64, _ string) bool {
		for _, n := range indexes {
			if n == i {
				return true
			}
		}
		return len(indexes) == 0
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), c
}

// One object of a bundle is shown, provably, whatever the number of objects and
// wherever it stands, and the others are not in the file.
func TestOneObjectShown(t *testing.T) {
	s := secret(t, 1)
	for _, n := range []int{1, 2, 3, 7, 8, 64} {
		text := bundle(n)
		set, err := reveal.Scan(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c, err := reveal.Commit(set, s)
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(n) {
			file, again := disclose(t, text, s, i)
			if again != c {
				t.Fatalf("of %d: another commitment", n)
			}
			r, err := reveal.Verify(bytes.NewReader(file), c.Digest())
			if err != nil || len(r.Shown) != 1 || r.Shown[0].ID != fmt.Sprintf("domain-name--%d", i) || r.Whole() != (n == 1) {
				t.Fatalf("object %d of %d: %+v, %v", i, n, r, err)
			}
			if hidden := (i + 1) % int64(n); n > 1 && strings.Contains(string(file), fmt.Sprintf("host%d.", hidden)) {
				t.Fatalf("object %d of %d shows %d", i, n, hidden)
			}
		}
		file, _ := disclose(t, text, s)
		if r, err := reveal.Verify(bytes.NewReader(file), c.Digest()); err != nil || !r.Whole() || len(r.Shown) != n {
			t.Fatalf("all %d: %v", n, err)
		}
	}
}

// The same bundle under another secret is another commitment: a guess of what is
// hidden cannot be tried against what is known.
func TestSaltsHide(t *testing.T) {
	set, err := reveal.Scan(strings.NewReader(bundle(2)))
	if err != nil {
		t.Fatal(err)
	}
	a, errA := reveal.Commit(set, secret(t, 1))
	b, errB := reveal.Commit(set, secret(t, 2))
	if errA != nil || errB != nil || a.Root == b.Root || a.Digest() == b.Digest() {
		t.Fatalf("%v %v: salts change nothing", errA, errB)
	}
	// The sibling in a proof is a salted hash, not that of the object.
	file, _ := disclose(t, bundle(2), secret(t, 1), 0)
	r, err := reveal.Verify(bytes.NewReader(file), identity.Digest{})
	if err != nil {
		t.Fatal(err)
	}
	all, _ := disclose(t, bundle(2), secret(t, 1))
	w, err := reveal.Verify(bytes.NewReader(all), identity.Digest{})
	if err != nil || bytes.Contains(file, []byte(w.Shown[1].Hash.String())) || r.Shown[0].Hash != w.Shown[0].Hash {
		t.Fatalf("the hidden object's own hash stands in the file: %v", err)
	}
	if s := fmt.Sprint(secret(t, 1)); strings.Contains(s, "AQEB") {
		t.Fatalf("printed: %s", s)
	}
	back, err := reveal.ParseSecret(secret(t, 1).Text())
	if err != nil || back != secret(t, 1) {
		t.Fatal("a secret does not come back")
	}
}

// tampered are disclosures that somebody had a hand in.
func tampered(t testing.TB) map[string][]byte {
	one, _ := disclose(t, bundle(5), secret(t, 1), 2)
	all, _ := disclose(t, bundle(5), secret(t, 1))
	swap := func(b []byte, from, to string) []byte { return bytes.Replace(b, []byte(from), []byte(to), 1) }
	lines := bytes.SplitAfter(all, []byte("\n"))
	return map[string][]byte{
		"object changed":  swap(one, "host2", "host9"),
		"index changed":   swap(one, `"index":2`, `"index":3`),
		"a line more":     append(bytes.Clone(one), "{}\n"...),
		"cut":             one[:len(one)-1],
		"cut in two":      all[:len(all)/2],
		"form":            swap(one, `"format"`, ` "format"`),
		"member":          swap(one, `"index"`, `"extra":1,"index"`),
		"whole, changed":  swap(all, "host3", "host9"),
		"whole, one less": swap(bytes.Join([][]byte{lines[0], lines[1], lines[2], lines[3], lines[4]}, nil), `"shown":5`, `"shown":4`),
		"whole, moved":    bytes.Join([][]byte{lines[0], lines[2], lines[1], lines[3], lines[4], lines[5]}, nil),
		"nothing":         nil,
	}
}

// Whatever is changed in a disclosure is found.
func TestTamperedIsFound(t *testing.T) {
	for what, file := range tampered(t) {
		if _, err := reveal.Verify(bytes.NewReader(file), identity.Digest{}); !errors.Is(err, reveal.ErrRefused) || errors.As(err, new(reveal.OtherError)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	file, c := disclose(t, bundle(5), secret(t, 1), 2)
	other := identity.Sum([]byte("another"))
	_, err := reveal.Verify(bytes.NewReader(file), other)
	var o reveal.OtherError
	if !errors.As(err, &o) || o.Shows != c.Digest() || o.Want != other {
		t.Errorf("another commitment: %v", err)
	}
	// A tree said to be larger may give the same way to its root; the commitment is over its size too.
	larger := bytes.Replace(file, []byte(`"objects":5`), []byte(`"objects":6`), 1)
	if _, err := reveal.Verify(bytes.NewReader(larger), c.Digest()); !errors.As(err, &o) {
		t.Errorf("another size: %v", err)
	}
}

// Bundles that cannot be committed to are refused, with the place.
func TestBadBundles(t *testing.T) {
	for what, text := range map[string]string{
		"no JSON": "{", "a list": "[]", "no objects": `{"a":1}`, "no object": `{"objects":[1]}`, "twice": `{"objects":[],"objects":[]}`,
		"after it": bundle(1) + "x", "none": `{"objects":[]}`, "long": `{"objects":[{"a":"` + strings.Repeat("a", reveal.MaxObject) + `"}]}`,
	} {
		set, err := reveal.Scan(strings.NewReader(text))
		if err == nil {
			_, err = reveal.Commit(set, secret(t, 1))
		}
		if !errors.Is(err, reveal.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A value without end is given up; its reader ends only by that.
	if _, err := reveal.Scan(io.MultiReader(strings.NewReader(`{"objects":[{"a":"`), endless{})); !errors.Is(err, reveal.ErrRefused) {
		t.Errorf("without end: %v", err)
	}
	none := func(int64, string) bool { return false }
	if _, err := reveal.Write(io.Discard, strings.NewReader(bundle(1)), secret(t, 1), none); !errors.Is(err, reveal.ErrRefused) {
		t.Errorf("nothing shown: %v", err)
	}
	if _, err := reveal.ParseSecret("detente-reveal-secret-1:AAAA"); !errors.Is(err, reveal.ErrRefused) {
		t.Errorf("a short secret: %v", err)
	}
}

type endless struct{}

// Read fills p.
func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// many is a bundle of n small objects that is made while it is read.
type many struct {
	n, at int
	rest  []byte
}

// Read makes the next objects.
func (m *many) Read(p []byte) (int, error) {
	for len(m.rest) < len(p) && m.at <= m.n {
		switch {
		case m.at == 0:
			m.rest = append(m.rest, `{"type":"bundle","objects":[{"id":"a--0"}`...)
		case m.at == m.n:
			m.rest = append(m.rest, "]}"...)
		default:
			m.rest = fmt.Appendf(m.rest, `,{"id":"a--%d","type":"a"}`, m.at)
		}
		m.at++
	}
	if len(m.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// A bundle of 200,000 objects is committed to in bounded memory; one beyond the
// limit is refused, and the refusal names the limit.
func TestLargeBundle(t *testing.T) {
	set, err := reveal.Scan(&many{n: 200_000})
	if err != nil || set.Len() != 200_000 {
		t.Fatal(set.Len(), err)
	}
	c, err := reveal.Commit(set, secret(t, 1))
	if err != nil || c.Objects != 200_000 {
		t.Fatal(c, err)
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if held := m.HeapAlloc; held > 64<<20 {
		t.Errorf("%d bytes are held", held)
	}
	runtime.KeepAlive(set)
	if _, err := reveal.Scan(&many{n: reveal.MaxObjects + 1}); !errors.Is(err, reveal.ErrRefused) || !strings.Contains(err.Error(), fmt.Sprint(reveal.MaxObjects)) {
		t.Errorf("beyond the limit: %v", err)
	}
}

// FuzzVerify reads any file as a disclosure. What it accepts shows at least one
// object and names its commitment.
func FuzzVerify(f *testing.F) {
	one, _ := disclose(f, bundle(5), secret(f, 1), 2)
	all, _ := disclose(f, bundle(5), secret(f, 1))
	var rejected [][]byte
	for _, file := range tampered(f) {
		rejected = append(rejected, file)
	}
	verify := func(file []byte) error {
		_, err := reveal.Verify(bytes.NewReader(file), identity.Digest{})
		return err
	}
	decodertest.Seeds(f, verify, [][]byte{one, all}, rejected)
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := reveal.Verify(bytes.NewReader(file), identity.Digest{})
		if err == nil && (len(r.Shown) == 0 || r.Commitment.Objects < int64(len(r.Shown))) {
			t.Fatalf("accepted with %d of %d objects", len(r.Shown), r.Commitment.Objects)
		}
		if _, err := reveal.ParseSecret(string(file)); err != nil && !errors.Is(err, reveal.ErrRefused) {
			t.Fatal(err)
		}
	})
}
