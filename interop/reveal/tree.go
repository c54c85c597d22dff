package reveal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxObjects is how many objects a bundle may have to be committed to. Of each 96
// bytes are held, its hash and two of the tree, so that the largest takes some 25
// MB and a second or two; a larger bundle is committed to in parts.
const MaxObjects = 1 << 18

// MaxObject bounds one object, in bytes: one is in memory at a time.
const MaxObject = 1 << 20

// ErrRefused says that a bundle, a secret or a disclosure is not acceptable. The
// error that wraps it says why, where, and what to do.
var ErrRefused = errors.New("refused")

// refuse returns an error of what, why and what to do next.
func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// Secret is what the salts of one bundle are made from. Who has it can show any
// object; who reveals the whole bundle hands it to nobody.
type Secret struct{ seed [32]byte }

const secretText = "detente-reveal-secret-1:"

// NewSecret makes a secret from a source of randomness.
func NewSecret(random io.Reader) (s Secret, err error) {
	_, err = io.ReadFull(random, s.seed[:])
	return s, err
}

// ParseSecret reads what Text returns.
func ParseSecret(text string) (s Secret, err error) {
	coded, ok := strings.CutPrefix(text, secretText)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(coded)
	if !ok || err != nil || copy(s.seed[:], raw) != len(s.seed) || len(raw) != len(s.seed) || base64.RawURLEncoding.EncodeToString(raw) != coded {
		return Secret{}, refuse("this is no secret of a commitment: give the file that `detente evidence commit` made")
	}
	return s, nil
}

// Text returns the secret as it is kept in a file. It is not called String, so
// that no message prints it by accident.
func (s Secret) Text() string { return secretText + base64.RawURLEncoding.EncodeToString(s.seed[:]) }

// String hides the secret.
func (s Secret) String() string { return "a secret" }

// salt is what hides the object of an index.
type salt [32]byte

func (s Secret) salt(index int64) (out salt) {
	h := hmac.New(sha256.New, s.seed[:])
	h.Write([]byte("detente/reveal/salt/v1\n"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(index)))
	return salt(h.Sum(nil))
}

// leaf is the hash of a leaf of the tree.
func leaf(s salt, object identity.Digest) tlog.Hash {
	data := append([]byte("detente/reveal/object/v1\n"), s[:]...)
	return tlog.RecordHash(append(data, object[:]...))
}

// Commitment is a tree over salted objects.
type Commitment struct {
	Objects int64
	Root    identity.Digest
}

// Digest returns the one digest that stands for the commitment in a message.
func (c Commitment) Digest() identity.Digest {
	data := binary.BigEndian.AppendUint64([]byte("detente/reveal/commitment/v1\n"), uint64(c.Objects))
	return identity.Sum(append(data, c.Root[:]...))
}

// tree is a whole tree; it reads its own hashes, as tlog asks of it.
type tree struct {
	objects int64
	hashes  []tlog.Hash
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		if n < 0 || n >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("internal error: hash %d of a tree of %d", n, len(t.hashes))
		}
		out[i] = t.hashes[n]
	}
	return out, nil
}

func (t *tree) add(h tlog.Hash) error {
	more, err := tlog.StoredHashesForRecordHash(t.objects, h, t)
	if err != nil {
		return err
	}
	t.hashes = append(t.hashes, more...)
	t.objects++
	return nil
}

func (t *tree) commitment() (Commitment, error) {
	root, err := tlog.TreeHash(t.objects, t)
	return Commitment{Objects: t.objects, Root: identity.Digest(root)}, err
}

// grow makes the tree of a set.
func grow(set Set, secret Secret) (*tree, error) {
	t := &tree{hashes: make([]tlog.Hash, 0, 2*len(set.hashes))}
	for i, h := range set.hashes {
		if err := t.add(leaf(secret.salt(int64(i)), h)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Commit returns the commitment to a set under a secret. The same two give the
// same commitment.
func Commit(set Set, secret Secret) (Commitment, error) {
	if len(set.hashes) == 0 {
		return Commitment{}, refuse("the bundle holds no object: there is nothing to commit to")
	}
	t, err := grow(set, secret)
	if err != nil {
		return Commitment{}, err
	}
	return t.commitment()
}
