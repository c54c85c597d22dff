package line

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// maxOrigin is the longest origin: two names, the class and the era.
const maxOrigin = 2*identity.MaxName + len("/to//notification/4294967295")

// maxUploadHead is the longest head of an add-entries body.
const maxUploadHead = 2 + maxOrigin + 8 + 8 + 2 + MaxTicket

// UploadHead is what stands before the packages in tlog-mirror's add-entries
// body. Start and End determine the packages: see UploadHead.Package.
type UploadHead struct {
	Origin identity.Origin
	Start  int64 // first entry
	End    int64 // the size of a pending checkpoint of the mirror
	Ticket []byte
}

// Package is one entry package: the entries of one interval, and the subtree
// consistency proof from the interval, begun at the multiple of 256 below, to
// the tree of the head's End.
type Package struct {
	Entries [][]byte
	Proof   []tlog.Hash
}

// Upload is a whole add-entries body.
type Upload struct {
	UploadHead
	Packages []Package // the first of the canonical sequence
}

// Count returns the number of packages in the canonical sequence.
func (h UploadHead) Count() int64 {
	if h.Start == h.End {
		return 0
	}
	return (h.End-1)/PackageEntries - h.Start/PackageEntries + 1
}

// Package returns the interval of log indexes [start, end) of the canonical
// sequence's package i, and the multiple of 256 at which its subtree begins.
func (h UploadHead) Package(i int64) (subtree, start, end int64) {
	subtree = (h.Start/PackageEntries + i) * PackageEntries
	start = max(h.Start, subtree)
	end = h.End
	if h.End-subtree > PackageEntries {
		end = subtree + PackageEntries
	}
	return subtree, start, end
}

func (h UploadHead) check() error {
	if h.Start < 0 || h.End < h.Start {
		return fmt.Errorf("the upload from %d to %d: its start must not be beyond its end", h.Start, h.End)
	}
	return nil
}

// Append appends the head's bytes to b.
func (h UploadHead) Append(b []byte) ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	o := h.Origin.String()
	if len(o) > maxOrigin || len(h.Ticket) > MaxTicket {
		return nil, fmt.Errorf("internal error: an upload with an origin of %d and a ticket of %d bytes", len(o), len(h.Ticket))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(o)))
	b = append(b, o...)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Start))
	b = binary.BigEndian.AppendUint64(b, uint64(h.End))
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.Ticket)))
	return append(b, h.Ticket...), nil
}

// Append appends the package's bytes to b.
func (p Package) Append(b []byte) ([]byte, error) {
	b, err := appendEntries(b, p.Entries)
	if err != nil {
		return nil, err
	}
	return appendProof(b, p.Proof)
}

// Bytes returns the whole body.
func (u Upload) Bytes() ([]byte, error) {
	b, err := u.UploadHead.Append(nil)
	if err != nil {
		return nil, err
	}
	for _, p := range u.Packages {
		if b, err = p.Append(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Fill returns an add-entries body with the first packages of the canonical
// sequence, which pack makes: at least one, and no more once the body has
// MaxUpload bytes or MaxPackages packages. The mirror answers 202 where more
// is to follow.
func (h UploadHead) Fill(pack func(subtree, start, end int64) (Package, error)) ([]byte, error) {
	b, err := h.Append(nil)
	for i := int64(0); err == nil && i < min(h.Count(), MaxPackages) && len(b) < MaxUpload; i++ {
		var p Package
		subtree, start, end := h.Package(i)
		if p, err = pack(subtree, start, end); err == nil && int64(len(p.Entries)) != end-start {
			err = fmt.Errorf("internal error: package %d has %d entries, not %d", i, len(p.Entries), end-start)
		}
		if err == nil {
			b, err = p.Append(b)
		}
	}
	return b, err
}

// ParseUpload reads what Upload.Bytes wrote: the packages must be whole ones,
// the first of the canonical sequence. Entries refer to b.
func ParseUpload(b []byte) (Upload, error) {
	if len(b) > maxBody[OpAddEntries] {
		return Upload{}, fmt.Errorf("the add-entries body has %d bytes, more than %d", len(b), maxBody[OpAddEntries])
	}
	r := &cursor{b: b}
	var u Upload
	var err error
	if u.UploadHead, err = readUploadHead(r); err != nil {
		return Upload{}, err
	}
	for i := int64(0); len(r.b) > 0; i++ {
		if i == u.Count() || i == MaxPackages {
			return Upload{}, fmt.Errorf("the add-entries body goes on after package %d, the last that it may have", i)
		}
		_, start, end := u.Package(i)
		p := Package{Entries: make([][]byte, 0, end-start)}
		for range end - start {
			p.Entries = append(p.Entries, r.bytes(int(r.uint16())))
		}
		p.Proof = r.proof()
		if r.short {
			return Upload{}, fmt.Errorf("the add-entries body ends within package %d", i)
		}
		u.Packages = append(u.Packages, p)
	}
	return u, nil
}

func readUploadHead(r *cursor) (UploadHead, error) {
	var h UploadHead
	name := r.bytes(int(r.uint16()))
	start, end := r.uint64(), r.uint64()
	h.Ticket = r.bytes(int(r.uint16()))
	if r.short {
		return h, errors.New("the add-entries body ends within its head")
	}
	if start > math.MaxInt64 || end > math.MaxInt64 {
		return h, errors.New("the add-entries body names an index beyond 2^63")
	}
	h.Start, h.End = int64(start), int64(end)
	if err := h.check(); err != nil {
		return h, err
	}
	var err error
	h.Origin, err = parseOrigin(string(name))
	return h, err
}

// uploadReader takes an add-entries body apart as it arrives, one package at a
// time, so that a body of any length costs the memory of one.
type uploadReader struct {
	r    io.Reader
	head UploadHead
	next int64 // the package that next returns
}

// newUploadReader reads the head.
func newUploadReader(r io.Reader) (*uploadReader, error) {
	var b []byte
	var err error
	for _, part := range []struct{ fixed, limit int }{{2, maxOrigin}, {8 + 8 + 2, MaxTicket}} {
		if b, err = readMore(r, b, part.fixed); err != nil {
			return nil, err
		}
		n := int(binary.BigEndian.Uint16(b[len(b)-2:]))
		if n > part.limit {
			return nil, fmt.Errorf("the add-entries body's origin has %d bytes, more than %d", n, part.limit)
		}
		if b, err = readMore(r, b, n); err != nil {
			return nil, err
		}
	}
	h, err := readUploadHead(&cursor{b: b})
	if err != nil {
		return nil, err
	}
	return &uploadReader{r: r, head: h}, nil
}

// part returns the next package as an add-entries body of its own: the same
// upload, begun at the package's first entry. It returns io.EOF where the body
// ends between packages and another error where it ends within one. An empty
// upload is one part without a package.
func (u *uploadReader) part() ([]byte, error) {
	if u.next > 0 && u.next >= u.head.Count() || u.next == MaxPackages {
		return nil, io.EOF
	}
	_, start, end := u.head.Package(u.next)
	h := u.head
	h.Start = start
	b, err := h.Append(nil)
	if err != nil {
		return nil, err
	}
	u.next++
	if h.Count() == 0 {
		return b, nil
	}
	for i := range end - start {
		if b, err = readMore(u.r, b, 2); err != nil {
			if i == 0 && errors.Is(err, io.EOF) {
				return nil, io.EOF
			}
			return nil, cutShort(err)
		}
		if b, err = readMore(u.r, b, int(binary.BigEndian.Uint16(b[len(b)-2:]))); err != nil {
			return nil, cutShort(err)
		}
	}
	if b, err = readMore(u.r, b, 1); err != nil {
		return nil, cutShort(err)
	}
	n := int(b[len(b)-1])
	if n > MaxProof {
		return nil, fmt.Errorf("a proof of %d hashes is longer than any tree needs", n)
	}
	if b, err = readMore(u.r, b, n*tlog.HashSize); err != nil {
		return nil, cutShort(err)
	}
	return b, nil
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readMore appends exactly n bytes of r to b.
func readMore(r io.Reader, b []byte, n int) ([]byte, error) {
	at := len(b)
	b = append(b, make([]byte, n)...)
	_, err := io.ReadFull(r, b[at:])
	return b, err
}

// MirrorInfo is the body of tlog-mirror's 409 and 202 answers.
type MirrorInfo struct {
	Size   int64 // a valid pending checkpoint's size
	Next   int64 // the mirror's next entry
	Ticket []byte
}

// Bytes returns the answer's three lines, of type TypeMirrorInfo.
func (m MirrorInfo) Bytes() []byte {
	b := strconv.AppendInt(nil, m.Size, 10)
	b = append(b, '\n')
	b = strconv.AppendInt(b, m.Next, 10)
	b = append(b, '\n')
	b = base64.StdEncoding.AppendEncode(b, m.Ticket)
	return append(b, '\n')
}

// ParseMirrorInfo reads what MirrorInfo.Bytes wrote.
func ParseMirrorInfo(b []byte) (MirrorInfo, error) {
	lines := strings.Split(string(b[:min(len(b), MaxInfo+1)]), "\n")
	if len(b) > MaxInfo || len(lines) != 4 || lines[3] != "" {
		return MirrorInfo{}, errors.New("a mirror-info answer must be three lines")
	}
	var m MirrorInfo
	var err error
	if m.Size, err = parseSize([]byte(lines[0])); err != nil {
		return MirrorInfo{}, err
	}
	if m.Next, err = parseSize([]byte(lines[1])); err != nil {
		return MirrorInfo{}, err
	}
	m.Ticket, err = base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(m.Ticket) > MaxTicket || strings.Contains(lines[2], "\r") {
		return MirrorInfo{}, errors.New("a mirror-info answer's third line must be a ticket in base64")
	}
	return m, nil
}
