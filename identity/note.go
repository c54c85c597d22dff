package identity

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/mldsa"
	"encoding/base64"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"

	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/note"
)

// MaxNote bounds a signed note of this package. A station's card lists a few
// dozen keys of 2 KiB each.
const MaxNote = 512 << 10

// mldsaAlgorithm is the signature type of our ML-DSA-44 note signatures: 0xff
// and a longer identifier, as C2SP signed-note provides for types that it does
// not list.
var mldsaAlgorithm = append([]byte{0xff}, "detente/mldsa-44/v1"...)

const ed25519Algorithm = 1

// hybridNote signs and verifies one half of an endorsement.
type hybridNote struct {
	name string
	hash uint32
	sign func([]byte) ([]byte, error)
	ok   func(msg, sig []byte) bool
}

func (h *hybridNote) Name() string                    { return h.name }
func (h *hybridNote) KeyHash() uint32                 { return h.hash }
func (h *hybridNote) Sign(msg []byte) ([]byte, error) { return h.sign(msg) }
func (h *hybridNote) Verify(msg, sig []byte) bool     { return h.ok(msg, sig) }

func noteHash(name string, algorithm, key []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write(algorithm)
	h.Write(key)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func noteVerifiers(name string, k PublicKey) [2]*hybridNote {
	ed := k.Ed25519()
	return [2]*hybridNote{
		{name: name, hash: noteHash(name, []byte{ed25519Algorithm}, ed), ok: func(msg, sig []byte) bool { return ed25519.Verify(ed, msg, sig) }},
		{name: name, hash: noteHash(name, mldsaAlgorithm, k.MLDSA().Bytes()), ok: func(msg, sig []byte) bool {
			return mldsa.Verify(k.MLDSA(), msg, sig, &mldsa.Options{Context: noteContext}) == nil
		}},
	}
}

// noteContext is the ML-DSA context of endorsements.
const noteContext = "detente/endorsement/v1"

// Endorse signs text as the endorser name: a C2SP signed note with two
// signatures, Ed25519 of type 0x01 and ML-DSA-44 of a type of our own. The text
// must end in a line end.
func Endorse(name string, key PrivateKey, text []byte) ([]byte, error) {
	both := noteVerifiers(name, key.Public())
	both[0].sign = func(msg []byte) ([]byte, error) { return ed25519.Sign(key.Ed25519(), msg), nil }
	both[1].sign = func(msg []byte) ([]byte, error) {
		return key.MLDSA().Sign(nil, msg, &mldsa.Options{Context: noteContext})
	}
	signed, err := note.Sign(&note.Note{Text: string(text)}, both[0], both[1])
	if err != nil {
		return nil, fmt.Errorf("endorsing: %w", err)
	}
	return signed, nil
}

var _ crypto.SignerOpts = (*mldsa.Options)(nil)

// OpenEndorsed returns the text of a note that carries exactly the two
// signatures of the endorser, as Endorse writes them: Ed25519 first, in the one
// form of base64. Anything else is refused, or one signed text would have
// several byte strings, and nobody but the endorser may have a part in them.
func OpenEndorsed(name string, key PublicKey, signed []byte) ([]byte, error) {
	if key.IsZero() {
		return nil, fmt.Errorf("%w: there is no key of %s", ErrSignature, name)
	}
	if len(signed) > MaxNote {
		return nil, fmt.Errorf("the note has %d bytes, more than %d", len(signed), MaxNote)
	}
	both := noteVerifiers(name, key)
	n, err := note.Open(signed, note.VerifierList(both[0], both[1]))
	if err != nil {
		return nil, fmt.Errorf("%w: note of %s: %w", ErrSignature, name, err)
	}
	only := n.Text + "\n"
	for i, sig := range n.Sigs {
		raw, err := decode64(base64.StdEncoding, sig.Base64)
		if err != nil || i >= len(both) || sig.Hash != both[i].hash {
			break
		}
		only += "\u2014 " + name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
	}
	if len(n.Sigs) != len(both) || only != string(signed) {
		return nil, fmt.Errorf("%w: the note of %s must carry its two signatures, Ed25519 and then ML-DSA-44, and nothing else; ask for the file again", ErrSignature, name)
	}
	return []byte(n.Text), nil
}

// decode64 reads base64 in the one form that it has: with zero spare bits, and
// without the line ends that the library skips.
func decode64(e *base64.Encoding, s string) ([]byte, error) {
	b, err := e.Strict().DecodeString(s)
	if err == nil && e.EncodedLen(len(b)) != len(s) {
		err = errors.New("there are line ends in the base64")
	}
	return b, err
}

// endorseJSON signs the canonical JSON of v, one line.
func endorseJSON(name string, key PrivateKey, v any) ([]byte, error) {
	text, err := canonical(v)
	if err != nil {
		return nil, err
	}
	return Endorse(name, key, append(text, '\n'))
}

// openJSON opens an endorsed line of canonical JSON into v.
func openJSON(what, name string, key PublicKey, signed []byte, v any) error {
	text, err := OpenEndorsed(name, key, signed)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	line, ok := bytes.CutSuffix(text, []byte("\n"))
	if !ok || bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("%s: its text must be one line", what)
	}
	return decodeCanonical(what, line, v)
}

// peekJSON reads the text of a note without verifying it, to learn by which key
// to verify it.
func peekJSON(what string, signed []byte, v any) error {
	text, _, ok := bytes.Cut(signed, []byte("\n\n"))
	if !ok || len(signed) > MaxNote {
		return fmt.Errorf("%s: this is no signed note", what)
	}
	return decodeCanonical(what, text, v)
}

// canonical returns the RFC 8785 form of v's JSON.
func canonical(v any) ([]byte, error) {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	value := jsontext.Value(text)
	if err := value.Canonicalize(); err != nil {
		return nil, err
	}
	return value, nil
}

// decodeCanonical reads a JSON object that must be in canonical form, with no
// member that v does not know.
func decodeCanonical(what string, b []byte, v any) error {
	value := jsontext.Value(bytes.Clone(b))
	if err := value.Canonicalize(); err != nil {
		return fmt.Errorf("%s: not JSON: %w", what, err)
	}
	if !bytes.Equal(value, b) {
		return fmt.Errorf("%s: not in the canonical form of RFC 8785", what)
	}
	if err := json.Unmarshal(b, v, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

var errNoParty = errors.New("the party's name is missing")
