// Package seal keeps entries and blobs closed to all but their reader and their
// writer.
//
// What is sealed is a plain age file (age-encryption.org/v1) to hybrid
// recipients, ML-KEM-768 with X25519: the reader's sealing key of the month and
// the writer's own archive key. Anybody who holds an identity opens it with the
// age program. The file key of one entry opens that entry and no other.
package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"filippo.io/age"
)

// Period is a month, the time that one pair of identities serves: "2026-11".
type Period string

// PeriodOf returns the period of a time, by UTC.
func PeriodOf(t time.Time) Period { return Period(t.UTC().Format("2006-01")) }

// Next returns the period that follows. It fails where p is no period.
func (p Period) Next() (Period, error) {
	t, err := time.Parse("2006-01", string(p))
	if err != nil {
		return "", fmt.Errorf("period %q: write it like 2026-11", string(p))
	}
	return PeriodOf(t.AddDate(0, 1, 0)), nil
}

// Recipient is what to seal to. The zero value is none.
type Recipient struct {
	text string
	age  *age.HybridRecipient
}

// ParseRecipient reads a hybrid age recipient, age1pq1…
func ParseRecipient(s string) (Recipient, error) {
	r, err := age.ParseHybridRecipient(s)
	if err != nil {
		return Recipient{}, errors.New("sealing key: this is no hybrid age recipient: its text begins with age1pq1")
	}
	return Recipient{text: s, age: r}, nil
}

// String returns the recipient's text.
func (r Recipient) String() string { return r.text }

// Identity opens what was sealed to its recipient. It never prints itself.
type Identity struct {
	age *age.HybridIdentity
	to  Recipient // its own, which is long to write
}

func newIdentity(id *age.HybridIdentity) Identity {
	r := id.Recipient()
	return Identity{age: id, to: Recipient{text: r.String(), age: r}}
}

// GenerateIdentity makes a new identity, from the system's randomness.
func GenerateIdentity() (Identity, error) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return Identity{}, fmt.Errorf("making an identity: %w", err)
	}
	return newIdentity(id), nil
}

// ParseIdentity reads what Secret wrote. Errors never hold the text.
func ParseIdentity(s string) (Identity, error) {
	id, err := age.ParseHybridIdentity(s)
	if err != nil {
		return Identity{}, errors.New("sealing identity: it is damaged: take it from its backup")
	}
	return newIdentity(id), nil
}

// Secret returns the identity's text, to be kept secret.
func (i Identity) Secret() string { return i.age.String() }

// String says what this is, and not the identity.
func (i Identity) String() string { return "sealing identity (not shown)" }

// GoString is String.
func (i Identity) GoString() string { return i.String() }

// Recipient returns what to seal to for this identity.
func (i Identity) Recipient() Recipient { return i.to }

// FileKey opens one sealed file.
type FileKey [16]byte

// ParseFileKey reads a file key's 32 hexadecimal digits.
func ParseFileKey(s string) (FileKey, error) {
	var k FileKey
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(k) {
		return k, errors.New("file key: 32 hexadecimal digits are needed")
	}
	copy(k[:], b)
	return k, nil
}

// Disclose returns the key's text, for whoever is to open the one entry.
func (k FileKey) Disclose() string { return hex.EncodeToString(k[:]) }

// String says what this is, and not the key.
func (k FileKey) String() string { return "file key (not shown)" }

// MaxEntry is the longest sealed entry, that of tlog-mirror.
const MaxEntry = 65535

// classes are the sizes to which plain text is padded. A sealed entry tells its
// class and no more of its length.
var classes = []int{1 << 10, 2 << 10, 4 << 10, 8 << 10, 12 << 10, 16 << 10, 24 << 10, 32 << 10, 48 << 10, MaxPlain}

// MaxPlain is the longest plain text of an entry: what MaxEntry leaves after
// age's header for two hybrid recipients and its tags.
const MaxPlain = 60 << 10

// ErrTooLarge says that a plain text fits into no entry.
var ErrTooLarge = fmt.Errorf("the message is larger than an entry holds, %d bytes with approvals and wrapper: send long texts as a blob", MaxPlain)

// Errors of opening.
var (
	// ErrNotForUs says that none of the identities opens the file.
	ErrNotForUs = errors.New("none of the identities here opens it")
	// ErrCorrupt says that the file is damaged or no age file.
	ErrCorrupt = errors.New("it is damaged or no age file")
)

// Seal pads plain with line ends to the next size class and seals it.
func Seal(plain []byte, to ...Recipient) ([]byte, error) {
	if _, err := class(len(plain)); err != nil {
		return nil, err
	}
	e, err := Prepare(to...)
	if err != nil {
		return nil, err
	}
	return e.Seal(plain)
}

// class returns the size to which a plain text is padded.
func class(n int) (int, error) {
	i := slices.IndexFunc(classes, func(size int) bool { return n <= size })
	if i < 0 {
		return 0, ErrTooLarge
	}
	return classes[i], nil
}

// Envelope is an entry whose header is made: the file key is drawn and sealed to
// its recipients, which is most of the work, and the content is missing. It holds
// one content and no more, and is not safe for concurrent use.
type Envelope struct {
	to      []Recipient
	out     bytes.Buffer
	content io.WriteCloser // nil once it is used
}

// Prepare makes an envelope, so that the work is done before there is a content
// that waits for it.
func Prepare(to ...Recipient) (*Envelope, error) {
	e := &Envelope{to: slices.Clone(to)}
	var err error
	if e.content, err = age.Encrypt(&e.out, recipients(to)...); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return e, nil
}

// For reports whether the envelope is sealed to exactly these recipients, in
// this order, and not used.
func (e *Envelope) For(to ...Recipient) bool {
	return e != nil && e.content != nil && slices.EqualFunc(e.to, to, func(a, b Recipient) bool { return a.text == b.text })
}

// Seal does what the function Seal does, with the envelope's recipients. A second
// call is an error: no file key closes two contents. Where the plain text fits
// into no entry the envelope is not used.
func (e *Envelope) Seal(plain []byte) ([]byte, error) {
	size, err := class(len(plain))
	if err != nil {
		return nil, err
	}
	w := e.content
	if w == nil {
		return nil, errors.New("internal error: an envelope was to be used twice")
	}
	e.content = nil
	e.out.Grow(size + size/1024 + 64) // the tags and the nonce
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	if _, err := w.Write(bytes.Repeat([]byte("\n"), size-len(plain))); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	if e.out.Len() > MaxEntry {
		return nil, ErrTooLarge
	}
	return e.out.Bytes(), nil
}

func recipients(to []Recipient) []age.Recipient {
	all := make([]age.Recipient, len(to))
	for i, r := range to {
		all[i] = r.age
	}
	return all
}

func identities(ids []Identity) []age.Identity {
	all := make([]age.Identity, len(ids))
	for i, id := range ids {
		all[i] = id.age
	}
	return all
}

// Open opens a sealed entry with whichever identity fits, and returns its file
// key besides.
func Open(sealed []byte, ids ...Identity) ([]byte, FileKey, error) {
	if len(sealed) > MaxEntry {
		return nil, FileKey{}, ErrCorrupt
	}
	if len(ids) == 0 {
		return nil, FileKey{}, ErrNotForUs
	}
	by := &keeping{ids: ids}
	plain, err := open(sealed, by)
	return plain, by.key, err
}

// open opens a sealed entry with one identity.
func open(sealed []byte, by age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), by)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, ErrNotForUs
	}
	if err != nil {
		return nil, ErrCorrupt
	}
	var plain bytes.Buffer
	plain.Grow(len(sealed)) // it is no longer than that
	if _, err := plain.ReadFrom(r); err != nil {
		return nil, ErrCorrupt
	}
	return plain.Bytes(), nil
}

// keeping is an age identity that tries several and keeps the file key that one
// of them found.
type keeping struct {
	ids []Identity
	key FileKey
}

// Unwrap implements age.Identity.
func (k *keeping) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, id := range k.ids {
		key, err := id.age.Unwrap(stanzas)
		if errors.Is(err, age.ErrIncorrectIdentity) {
			continue
		}
		if err == nil {
			copy(k.key[:], key)
		}
		return key, err
	}
	return nil, age.ErrIncorrectIdentity
}

// OpenWithKey opens a sealed entry with its file key.
func OpenWithKey(sealed []byte, key FileKey) ([]byte, error) {
	if len(sealed) > MaxEntry {
		return nil, ErrCorrupt
	}
	plain, err := open(sealed, age.NewInjectedFileKeyIdentity(key[:]))
	if err != nil {
		return nil, ErrCorrupt
	}
	return plain, nil
}

// SealStream seals what r holds, of any length.
func SealStream(w io.Writer, r io.Reader, to ...Recipient) error {
	sealed, err := age.Encrypt(w, recipients(to)...)
	if err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	if _, err := io.Copy(sealed, r); err != nil {
		return fmt.Errorf("sealing: %w", err)
	}
	return sealed.Close()
}

// OpenStream opens what SealStream sealed. What it wrote to w before an error
// is not to be believed.
func OpenStream(w io.Writer, r io.Reader, ids ...Identity) error {
	if len(ids) == 0 {
		return ErrNotForUs
	}
	plain, err := age.Decrypt(r, identities(ids)...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return ErrNotForUs
	}
	if err != nil {
		return ErrCorrupt
	}
	if _, err := io.Copy(w, plain); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}
