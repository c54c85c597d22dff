package identity

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Use is what a key is for. A key of one use is never accepted for another:
// its text form names the use.
type Use uint8

// The uses of keys. The zero value is none.
const (
	UseRoot     Use = iota + 1 // a party's, offline: endorses cards
	UseAgency                  // an agency's: endorses officers' certificates
	UseLog                     // of one log: signs its checkpoints
	UseCosigner                // a mirror's: cosigns the logs of others
	UseOfficer                 // an officer's: signs approvals
)

var useNames = [...]string{UseRoot: "root", UseAgency: "agency", UseLog: "log", UseCosigner: "cosigner", UseOfficer: "officer"}

// String returns the use as it stands in the text form of keys.
func (u Use) String() string {
	if u < UseRoot || u > UseOfficer {
		return fmt.Sprintf("use(%d)", uint8(u))
	}
	return useNames[u]
}

const seedSize = 32 // of Ed25519 and of ML-DSA-44 alike

// PrivateKey signs twice, with Ed25519 and with ML-DSA-44. It never prints
// itself. The zero value is no key.
type PrivateKey struct {
	use  Use
	seed [2 * seedSize]byte
	ed   ed25519.PrivateKey
	ml   *mldsa.PrivateKey
	pub  PublicKey
}

// GenerateKey returns a new key for a use. random must be a source fit for
// keys; it is read for 64 bytes.
func GenerateKey(use Use, random io.Reader) (PrivateKey, error) {
	var seed [2 * seedSize]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return PrivateKey{}, fmt.Errorf("generating a key: %w", err)
	}
	return newPrivateKey(use, seed)
}

func newPrivateKey(use Use, seed [2 * seedSize]byte) (PrivateKey, error) {
	ml, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), seed[seedSize:])
	if err != nil {
		return PrivateKey{}, fmt.Errorf("ML-DSA-44 key: %w", err)
	}
	ed := ed25519.NewKeyFromSeed(seed[:seedSize])
	return PrivateKey{use: use, seed: seed, ed: ed, ml: ml, pub: newPublicKey(use, ed25519.PublicKey(ed[seedSize:]), ml.PublicKey())}, nil
}

func secretPrefix(u Use) string { return "detente-" + u.String() + "-secret-1:" }
func publicPrefix(u Use) string { return "detente-" + u.String() + "-key-1:" }

// ParsePrivateKey reads what Secret wrote for the same use. Errors never hold
// the text.
func ParsePrivateKey(use Use, text string) (PrivateKey, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(text), secretPrefix(use))
	if !ok {
		return PrivateKey{}, fmt.Errorf("this is no secret %s key: its text begins with %s", use, secretPrefix(use))
	}
	b, err := decode64(base64.RawURLEncoding, body)
	if err != nil || len(b) != 2*seedSize {
		return PrivateKey{}, fmt.Errorf("the secret %s key is damaged: take it from its backup", use)
	}
	return newPrivateKey(use, [2 * seedSize]byte(b))
}

// Secret returns the key's text form, to be kept secret.
func (k PrivateKey) Secret() string {
	return secretPrefix(k.use) + base64.RawURLEncoding.EncodeToString(k.seed[:])
}

// String says that this is a secret key, and whose, but not the key.
func (k PrivateKey) String() string { return "secret " + k.use.String() + " key (not shown)" }

// GoString is String.
func (k PrivateKey) GoString() string { return k.String() }

// Use returns what the key is for.
func (k PrivateKey) Use() Use { return k.use }

// Public returns the public half.
func (k PrivateKey) Public() PublicKey { return k.pub }

// Ed25519 returns the Ed25519 half.
func (k PrivateKey) Ed25519() ed25519.PrivateKey { return k.ed }

// MLDSA returns the ML-DSA-44 half.
func (k PrivateKey) MLDSA() *mldsa.PrivateKey { return k.ml }

// Signature is two signatures over one message.
type Signature struct {
	Ed25519 []byte // 64 bytes
	MLDSA   []byte // 2,420 bytes
}

// signed returns what is signed: the domain tag keeps a signature made for one
// purpose from standing for another.
func signed(domain string, msg []byte) []byte {
	b := make([]byte, 0, len(domain)+1+len(msg))
	b = append(b, domain...)
	b = append(b, 0)
	return append(b, msg...)
}

// Sign signs msg in a domain, a short ASCII tag such as "detente/release/v1".
func (k PrivateKey) Sign(domain string, msg []byte) (Signature, error) {
	m := signed(domain, msg)
	ml, err := k.ml.Sign(nil, m, crypto.Hash(0))
	if err != nil {
		return Signature{}, fmt.Errorf("signing: %w", err)
	}
	return Signature{Ed25519: ed25519.Sign(k.ed, m), MLDSA: ml}, nil
}

// PublicKey verifies what a PrivateKey signed. The zero value verifies nothing.
// Compare with Equal.
type PublicKey struct {
	use Use
	raw string // Ed25519 key, then ML-DSA-44 key
	ml  *mldsa.PublicKey
}

func newPublicKey(use Use, ed ed25519.PublicKey, ml *mldsa.PublicKey) PublicKey {
	return PublicKey{use: use, raw: string(ed) + string(ml.Bytes()), ml: ml}
}

// ParsePublicKey reads what PublicKey.String wrote for the same use.
func ParsePublicKey(use Use, text string) (PublicKey, error) {
	body, ok := strings.CutPrefix(text, publicPrefix(use))
	if !ok {
		return PublicKey{}, fmt.Errorf("this is no %s key: its text begins with %s", use, publicPrefix(use))
	}
	b, err := decode64(base64.RawURLEncoding, body)
	if err != nil || len(b) != ed25519.PublicKeySize+mldsa.MLDSA44PublicKeySize {
		return PublicKey{}, fmt.Errorf("the %s key is damaged: ask for it again", use)
	}
	ml, err := mldsa.NewPublicKey(mldsa.MLDSA44(), b[ed25519.PublicKeySize:])
	if err != nil {
		return PublicKey{}, fmt.Errorf("%s key: ML-DSA-44: %w", use, err)
	}
	return newPublicKey(use, b[:ed25519.PublicKeySize], ml), nil
}

// String returns the key's text form.
func (k PublicKey) String() string {
	return publicPrefix(k.use) + base64.RawURLEncoding.EncodeToString([]byte(k.raw))
}

// IsZero reports whether k is no key.
func (k PublicKey) IsZero() bool { return k.ml == nil }

// Use returns what the key is for.
func (k PublicKey) Use() Use { return k.use }

// Ed25519 returns the Ed25519 half.
func (k PublicKey) Ed25519() ed25519.PublicKey {
	return ed25519.PublicKey(k.raw[:ed25519.PublicKeySize])
}

// MLDSA returns the ML-DSA-44 half.
func (k PublicKey) MLDSA() *mldsa.PublicKey { return k.ml }

// Fingerprint returns the digest of the key's text form.
func (k PublicKey) Fingerprint() Digest { return Sum([]byte(k.String())) }

// Equal reports whether both are the same key for the same use.
func (k PublicKey) Equal(o PublicKey) bool {
	return k.use == o.use && subtle.ConstantTimeCompare([]byte(k.raw), []byte(o.raw)) == 1
}

// ErrSignature says that one of the two signatures, or both, do not verify.
var ErrSignature = errors.New("the signature does not verify")

// Verify returns nil if both signatures over msg in the domain verify.
func (k PublicKey) Verify(domain string, msg []byte, s Signature) error {
	if k.IsZero() {
		return fmt.Errorf("%w: there is no key", ErrSignature)
	}
	m := signed(domain, msg)
	if !ed25519.Verify(k.Ed25519(), m, s.Ed25519) {
		return fmt.Errorf("%w: Ed25519", ErrSignature)
	}
	if mldsa.Verify(k.ml, m, s.MLDSA, nil) != nil {
		return fmt.Errorf("%w: ML-DSA-44", ErrSignature)
	}
	return nil
}

// MarshalText returns the text form; it lets keys stand in JSON.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the text form of a key of any use.
func (k *PublicKey) UnmarshalText(b []byte) error {
	for u := UseRoot; u <= UseOfficer; u++ {
		if bytes.HasPrefix(b, []byte(publicPrefix(u))) {
			got, err := ParsePublicKey(u, string(b))
			if err == nil {
				*k = got
			}
			return err
		}
	}
	return errors.New("this is no public key")
}
