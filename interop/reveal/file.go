package reveal

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"io"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// MediaType is the type under which a disclosure is carried as a blob.
const MediaType = "application/vnd.detente.disclosure"

const fileForm = "detente/disclosure/v1"

// maxLine bounds a line of a disclosure: an object, its salt and its proof.
const maxLine = MaxObject + 8<<10

// head is the first line of a disclosure.
type head struct {
	Format  string `json:"format"`
	Objects int64  `json:"objects"`
	Root    string `json:"root"`
	Shown   int64  `json:"shown"`
}

// row is a line of a disclosure that shows an object. Where all are shown the
// proofs are left out: the tree is made anew from its leaves.
type row struct {
	Index  int64          `json:"index"`
	Object jsontext.Value `json:"object"`
	Proof  []string       `json:"proof,omitzero"`
	Salt   string         `json:"salt"`
}

// Write writes a disclosure of the objects that pick names, by their index and
// id; it reads the bundle twice. Where pick names none it refuses. The same input
// gives the same bytes.
func Write(w io.Writer, bundle io.ReadSeeker, secret Secret, pick func(index int64, id string) bool) (Commitment, error) {
	var set Set
	picked := make(map[int64]bool)
	err := each(bundle, func(o object) error {
		set.hashes = append(set.hashes, identity.Sum(o.text))
		if pick(o.index, o.id) {
			picked[o.index] = true
		}
		return nil
	})
	if err != nil {
		return Commitment{}, err
	}
	if len(picked) == 0 {
		return Commitment{}, refuse("no object of the bundle was named: name one by its id, or all of them")
	}
	t, err := grow(set, secret)
	if err != nil {
		return Commitment{}, err
	}
	c, err := t.commitment()
	if err != nil {
		return c, err
	}
	if _, err := bundle.Seek(0, io.SeekStart); err != nil {
		return c, err
	}
	out := bufio.NewWriter(w)
	if err := line(out, head{fileForm, c.Objects, c.Root.String(), int64(len(picked))}); err != nil {
		return c, err
	}
	whole := int64(len(picked)) == c.Objects
	err = each(bundle, func(o object) error {
		if !picked[o.index] {
			return nil
		}
		if o.index >= int64(set.Len()) || identity.Sum(o.text) != set.hashes[o.index] {
			return errors.New("the bundle changed while it was read")
		}
		r, err := t.row(o, secret, whole)
		if err != nil {
			return err
		}
		return line(out, r)
	})
	if err != nil {
		return c, err
	}
	return c, out.Flush()
}

// row shows one object.
func (t *tree) row(o object, secret Secret, whole bool) (row, error) {
	s := secret.salt(o.index)
	r := row{Index: o.index, Object: o.text, Salt: hex.EncodeToString(s[:])}
	if whole {
		return r, nil
	}
	proof, err := tlog.ProveRecord(t.objects, o.index, t)
	for _, h := range proof {
		r.Proof = append(r.Proof, hex.EncodeToString(h[:]))
	}
	return r, err
}

func line(w *bufio.Writer, v any) error {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	canonical := jsontext.Value(text)
	if err := canonical.Canonicalize(); err != nil {
		return err
	}
	if _, err := w.Write(canonical); err != nil {
		return err
	}
	return w.WriteByte('\n')
}

// Shown is one object of a disclosure that was proven.
type Shown struct {
	Index int64
	ID    string          // as it calls itself; empty: it has none
	Type  string          // likewise
	Hash  identity.Digest // of its canonical JSON, as a bundle's manifest lists it
}

// Report is what a disclosure proves.
type Report struct {
	Commitment Commitment
	Shown      []Shown
}

// Whole reports whether every object is shown.
func (r Report) Whole() bool { return int64(len(r.Shown)) == r.Commitment.Objects }

// OtherError says that a disclosure verifies and is of another commitment.
type OtherError struct{ Want, Shows identity.Digest }

func (e OtherError) Error() string {
	return "this discloses what was committed as " + e.Shows.String() + ", not as " + e.Want.String() + ": compare the digest in the message, and ask the author which bundle it meant"
}

// Is makes it a refusal.
func (e OtherError) Is(target error) bool { return target == ErrRefused }

// Verify reads a disclosure and checks every line of it. It needs nothing else,
// and holds one object at a time. want is the commitment that a message states;
// the zero digest asks for none, and the report says which it is. An OtherError
// says that all is sound but of another commitment.
func Verify(file io.Reader, want identity.Digest) (Report, error) {
	in := bufio.NewScanner(file)
	in.Buffer(make([]byte, 0, chunk), maxLine)
	in.Split(wholeLines)
	var h head
	if err := next(in, &h); err != nil {
		return Report{}, refuse("line 1: %v", err)
	}
	root, err := identity.ParseDigest(h.Root)
	if err != nil || h.Format != fileForm || h.Objects < 1 || h.Objects > MaxObjects || h.Shown < 1 || h.Shown > h.Objects {
		return Report{}, refuse("line 1 is not that of a disclosure of at most %d objects", MaxObjects)
	}
	v := verifier{report: Report{Commitment: Commitment{h.Objects, root}}, whole: h.Shown == h.Objects, last: -1}
	for n := int64(2); n < h.Shown+2; n++ {
		var r row
		if err := next(in, &r); err != nil {
			return Report{}, refuse("line %d: %v", n, err)
		}
		if err := v.row(r); err != nil {
			return Report{}, refuse("line %d: %v", n, err)
		}
	}
	if in.Scan() || in.Err() != nil {
		return Report{}, refuse("line %d: the file goes on after the %d objects that it announces", h.Shown+2, h.Shown)
	}
	if err := v.close(); err != nil {
		return Report{}, err
	}
	if is := v.report.Commitment.Digest(); want != (identity.Digest{}) && is != want {
		return v.report, OtherError{Want: want, Shows: is}
	}
	return v.report, nil
}

// verifier checks the rows of a disclosure in order.
type verifier struct {
	report Report
	whole  bool
	last   int64
	tree   tree // where all are shown
}

func (v *verifier) row(r row) error {
	if r.Index <= v.last || r.Index >= v.report.Commitment.Objects {
		return errors.New("its index is out of order, or beyond the bundle")
	}
	v.last = r.Index
	raw, err := hex.DecodeString(r.Salt)
	if err != nil || len(raw) != len(salt{}) || hex.EncodeToString(raw) != r.Salt {
		return errors.New("its salt is not 32 bytes in hexadecimal")
	}
	o, err := canonical(r.Index, r.Object)
	if err != nil {
		return err
	}
	if o.text.Kind() != '{' {
		return errors.New("what it shows is no object")
	}
	hash := identity.Sum(o.text)
	v.report.Shown = append(v.report.Shown, Shown{Index: r.Index, ID: o.id, Type: o.kind, Hash: hash})
	if v.whole {
		if len(r.Proof) != 0 {
			return errors.New("it brings a proof where all objects are shown")
		}
		return v.tree.add(leaf(salt(raw), hash))
	}
	proof := make(tlog.RecordProof, 0, len(r.Proof))
	for _, p := range r.Proof {
		d, err := identity.ParseDigest(p)
		if err != nil {
			return errors.New("its proof is malformed")
		}
		proof = append(proof, tlog.Hash(d))
	}
	c := v.report.Commitment
	if tlog.CheckRecord(proof, c.Objects, tlog.Hash(c.Root), r.Index, leaf(salt(raw), hash)) != nil {
		return errors.New("it is not what was committed: the object, its salt or its proof was changed")
	}
	return nil
}

// close compares the tree of a whole bundle with the one announced.
func (v *verifier) close() error {
	if !v.whole {
		return nil
	}
	c, err := v.tree.commitment()
	if err != nil {
		return err
	}
	if c != v.report.Commitment {
		return refuse("the objects are not those that were committed: one was changed, added, taken out or moved")
	}
	return nil
}

// next reads a line in its one form.
func next(in *bufio.Scanner, v any) error {
	if !in.Scan() {
		if err := in.Err(); err != nil {
			return err
		}
		return errors.New("the file ends before all is there that it announces")
	}
	text := in.Bytes()
	if err := json.Unmarshal(text, v, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	again := jsontext.Value(bytes.Clone(text))
	if err := again.Canonicalize(); err != nil || !bytes.Equal(again, text) {
		return errors.New("it is not in canonical form (RFC 8785)")
	}
	return nil
}

// wholeLines splits lines, and takes no last one without its end.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, errors.New("the last line is cut off")
	}
	return 0, nil, nil
}
