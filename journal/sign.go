package journal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"detente/identity"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/mod/sumdb/tlog"
)

// Signature types of C2SP signed-note and tlog-cosignature.
const (
	typeEd25519       = 0x01
	typeCosignEd25519 = 0x04
	typeMLDSA         = 0x06
)

// MaxCheckpoint bounds a signed checkpoint with a pair of cosignatures.
const MaxCheckpoint = 32 << 10

// ErrNotSigned says that a checkpoint or cosignature lacks one of its two
// signatures, or that one does not verify.
var ErrNotSigned = errors.New("it does not carry the two signatures that it needs")

// text is the checkpoint of a head, as tlog-checkpoint writes it.
func (h Head) text() []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n", h.Origin, h.Size, base64.StdEncoding.EncodeToString(h.Root[:]))
}

// parseHead reads a checkpoint's text. Extension lines are refused.
func parseHead(text []byte) (Head, error) {
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Head{}, errors.New("checkpoint: three lines and no extension are expected")
	}
	o, err := identity.ParseOrigin(lines[0])
	if err != nil {
		return Head{}, err
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Head{}, fmt.Errorf("checkpoint of %s: its size is no decimal number", o)
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Head{}, fmt.Errorf("checkpoint of %s: its root is no hash", o)
	}
	h := Head{Origin: o, Size: size, Root: tlog.Hash(root)}
	if !bytes.Equal(h.text(), text) {
		return Head{}, fmt.Errorf("checkpoint of %s: it is not in the one form it has", o)
	}
	return h, nil
}

// keyHash is the key ID of signed-note.
func keyHash(name string, kind byte, key []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{kind})
	h.Write(key)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// cosignedMessage is what ML-DSA-44 signs of a head: the cosigned_message of
// tlog-cosignature for the whole tree.
func cosignedMessage(name string, at uint64, h Head) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddBytes([]byte("subtree/v1\n\x00"))
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
	b.AddUint64(at)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.Origin.String())) })
	b.AddUint64(0)
	b.AddUint64(uint64(h.Size))
	b.AddBytes(h.Root[:])
	return b.Bytes()
}

// ed25519Message is what an Ed25519 cosignature signs.
func ed25519Message(at uint64, h Head) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), h.text()...)
}

// line is one signature line of a note.
func line(name string, hash uint32, sig ...[]byte) []byte {
	raw := binary.BigEndian.AppendUint32(nil, hash)
	for _, s := range sig {
		raw = append(raw, s...)
	}
	return fmt.Appendf(nil, "\u2014 %s %s\n", name, base64.StdEncoding.EncodeToString(raw))
}

func mldsaLine(name string, hash uint32, key *mldsa.PrivateKey, at uint64, h Head) ([]byte, error) {
	m, err := cosignedMessage(name, at, h)
	if err != nil {
		return nil, err
	}
	sig, err := key.Sign(nil, m, nil)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return line(name, hash, binary.BigEndian.AppendUint64(nil, at), sig), nil
}

// Signer signs the checkpoints of one log.
type Signer struct {
	origin identity.Origin
	key    identity.PrivateKey
	ed, ml uint32 // key hashes
}

// NewSigner returns a signer for a log with its key.
func NewSigner(o identity.Origin, key identity.PrivateKey) (Signer, error) {
	if key.Use() != identity.UseLog {
		return Signer{}, fmt.Errorf("a log key is needed to sign %s", o)
	}
	name := o.String()
	return Signer{
		origin: o, key: key,
		ed: keyHash(name, typeEd25519, key.Public().Ed25519()), ml: keyHash(name, typeMLDSA, key.Public().MLDSA().Bytes()),
	}, nil
}

// Sign returns the signed checkpoint of a head, its ML-DSA-44 signature made
// for a second.
func (s Signer) Sign(h Head, at time.Time) ([]byte, error) {
	if h.Origin != s.origin {
		return nil, fmt.Errorf("internal error: the key of %s does not sign %s", s.origin, h.Origin)
	}
	text := h.text()
	name := s.origin.String()
	ml, err := mldsaLine(name, s.ml, s.key.MLDSA(), uint64(at.Unix()), h)
	if err != nil {
		return nil, err
	}
	signed := append(bytes.Clone(text), '\n')
	signed = append(signed, line(name, s.ed, ed25519.Sign(s.key.Ed25519(), text))...)
	return append(signed, ml...), nil
}

// Cosigner cosigns logs as a mirror.
type Cosigner struct {
	name   string
	key    identity.PrivateKey
	ed, ml uint32
}

// NewCosigner returns the cosigner of a name with its key.
func NewCosigner(name string, key identity.PrivateKey) (Cosigner, error) {
	if key.Use() != identity.UseCosigner {
		return Cosigner{}, fmt.Errorf("a cosigner key is needed for %s", name)
	}
	return Cosigner{
		name: name, key: key,
		ed: keyHash(name, typeCosignEd25519, key.Public().Ed25519()), ml: keyHash(name, typeMLDSA, key.Public().MLDSA().Bytes()),
	}, nil
}

// Public returns the public half of the cosigner's key.
func (c Cosigner) Public() identity.PublicKey { return c.key.Public() }

// Name returns the cosigner's name.
func (c Cosigner) Name() string { return c.name }

// Cosign signs a head twice, both at one second.
func (c Cosigner) Cosign(h Head, at time.Time) (Cosignature, error) {
	second := uint64(at.Unix())
	ml, err := mldsaLine(c.name, c.ml, c.key.MLDSA(), second, h)
	if err != nil {
		return Cosignature{}, err
	}
	ed := ed25519.Sign(c.key.Ed25519(), ed25519Message(second, h))
	lines := line(c.name, c.ed, binary.BigEndian.AppendUint64(nil, second), ed)
	return Cosignature{Origin: h.Origin, By: c.name, Size: h.Size, Root: h.Root, At: time.Unix(int64(second), 0).UTC(), Lines: append(lines, ml...)}, nil
}

// noteLine is a signature line taken apart.
type noteLine struct {
	name string
	hash uint32
	sig  []byte
}

// maxKeyName bounds the name of a key: tlog-cosignature takes no longer one.
const maxKeyName = 255

// maxSignatures bounds the signature lines of a note, as x/mod/sumdb/note does.
const maxSignatures = 100

// keyName reports whether a name may stand in a signature line. signed-note bars
// spaces and plus signs; what is not shown is barred too, for names stand in
// errors.
func keyName(s string) bool {
	return s != "" && len(s) <= maxKeyName && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(c rune) bool { return c == '+' || unicode.IsSpace(c) || !unicode.IsPrint(c) })
}

func parseLine(l []byte) (noteLine, error) {
	bad := errors.New("a signature line is malformed")
	rest, ok := bytes.CutPrefix(l, []byte("\u2014 "))
	name, b64, found := strings.Cut(string(rest), " ")
	if !ok || !found || !keyName(name) || strings.ContainsAny(b64, "\r\n") { // which base64 would skip
		return noteLine{}, bad
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(b64)
	if err != nil || len(raw) < 5 {
		return noteLine{}, bad
	}
	return noteLine{name, binary.BigEndian.Uint32(raw), raw[4:]}, nil
}

// splitNote takes a signed note apart into its text and its signature lines.
func splitNote(signed []byte) (text []byte, lines []noteLine, err error) {
	if len(signed) > MaxCheckpoint {
		return nil, nil, fmt.Errorf("the checkpoint has %d bytes, more than %d", len(signed), MaxCheckpoint)
	}
	i := bytes.Index(signed, []byte("\n\n"))
	if i < 0 {
		return nil, nil, ErrNotSigned
	}
	lines, err = parseLines(signed[i+2:])
	return signed[:i+1], lines, err
}

func parseLines(b []byte) ([]noteLine, error) {
	body, ok := bytes.CutSuffix(b, []byte("\n"))
	if !ok {
		return nil, fmt.Errorf("%w: the last line does not end", ErrNotSigned)
	}
	var lines []noteLine
	for l := range bytes.SplitSeq(body, []byte("\n")) {
		if len(lines) == maxSignatures {
			return nil, fmt.Errorf("%w: more than %d signature lines", ErrNotSigned, maxSignatures)
		}
		n, err := parseLine(l)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotSigned, err)
		}
		for _, before := range lines {
			if before.name == n.name && before.hash == n.hash {
				return nil, fmt.Errorf("%w: key %q signed twice", ErrNotSigned, n.name)
			}
		}
		lines = append(lines, n)
	}
	return lines, nil
}

func pick(lines []noteLine, name string, hash uint32) []byte {
	for _, l := range lines {
		if l.name == name && l.hash == hash {
			return l.sig
		}
	}
	return nil
}

// OpenCheckpoint returns the head of a checkpoint that carries both signatures
// of its log. Other signatures, such as cosignatures, may stand beside them.
func OpenCheckpoint(pub identity.PublicKey, o identity.Origin, signed []byte) (Head, error) {
	h, _, err := openCheckpoint(pub, o, signed)
	return h, err
}

// openCheckpoint also returns the second that the log's ML-DSA-44 line carries.
func openCheckpoint(pub identity.PublicKey, o identity.Origin, signed []byte) (h Head, at time.Time, err error) {
	text, lines, err := splitNote(signed)
	if err != nil {
		return Head{}, at, err
	}
	if h, err = parseHead(text); err != nil {
		return Head{}, at, err
	}
	if h.Origin != o {
		return Head{}, at, fmt.Errorf("the checkpoint is of the log %s, and %s was expected", h.Origin, o)
	}
	if pub.IsZero() {
		return Head{}, at, fmt.Errorf("checkpoint of %s: %w: there is no key of the log", o, ErrNotSigned)
	}
	name := o.String()
	ed := pick(lines, name, keyHash(name, typeEd25519, pub.Ed25519()))
	if !ed25519.Verify(pub.Ed25519(), text, ed) {
		return Head{}, at, fmt.Errorf("checkpoint of %s: %w: Ed25519", o, ErrNotSigned)
	}
	second, err := verifyMLDSA(name, pub, h, lines)
	if err != nil {
		return Head{}, at, fmt.Errorf("checkpoint of %s: %w", o, err)
	}
	return h, time.Unix(int64(second), 0).UTC(), nil
}

// verifyMLDSA verifies the ML-DSA-44 line of a name over a head, and returns its
// second.
func verifyMLDSA(name string, pub identity.PublicKey, h Head, lines []noteLine) (uint64, error) {
	sig := pick(lines, name, keyHash(name, typeMLDSA, pub.MLDSA().Bytes()))
	if len(sig) != 8+mldsa.MLDSA44SignatureSize {
		return 0, fmt.Errorf("%w: ML-DSA-44", ErrNotSigned)
	}
	at := binary.BigEndian.Uint64(sig)
	m, err := cosignedMessage(name, at, h)
	if err != nil {
		return 0, err
	}
	if mldsa.Verify(pub.MLDSA(), m, sig[8:], nil) != nil || at > maxSecond {
		return 0, fmt.Errorf("%w: ML-DSA-44", ErrNotSigned)
	}
	return at, nil
}

// maxSecond is the last second of the year 9999.
const maxSecond = 253402300799

// OpenCosignature verifies a mirror's two lines over a head: both must be
// there, verify, and carry one second. Lines of other keys do not matter.
func OpenCosignature(name string, pub identity.PublicKey, h Head, lines []byte) (Cosignature, error) {
	if pub.IsZero() {
		return Cosignature{}, ErrNotSigned
	}
	all, err := parseLines(lines)
	if err != nil {
		return Cosignature{}, err
	}
	ed := pick(all, name, keyHash(name, typeCosignEd25519, pub.Ed25519()))
	if len(ed) != 8+ed25519.SignatureSize {
		return Cosignature{}, fmt.Errorf("cosignature of %s: %w: Ed25519", name, ErrNotSigned)
	}
	at := binary.BigEndian.Uint64(ed)
	if at > maxSecond || !ed25519.Verify(pub.Ed25519(), ed25519Message(at, h), ed[8:]) {
		return Cosignature{}, fmt.Errorf("cosignature of %s: %w: Ed25519", name, ErrNotSigned)
	}
	second, err := verifyMLDSA(name, pub, h, all)
	if err != nil {
		return Cosignature{}, fmt.Errorf("cosignature of %s: %w", name, err)
	}
	if second != at {
		return Cosignature{}, fmt.Errorf("cosignature of %s: its two signatures carry two seconds, so it is no receipt", name)
	}
	return Cosignature{Origin: h.Origin, By: name, Size: h.Size, Root: h.Root, At: time.Unix(int64(at), 0).UTC(), Lines: LinesOf(name, append([]byte("\n\n"), lines...))}, nil
}

// LinesOf returns the signature lines of one name in a signed note.
func LinesOf(name string, signed []byte) []byte {
	i := bytes.Index(signed, []byte("\n\n"))
	if i < 0 {
		return nil
	}
	var out []byte
	for l := range bytes.Lines(signed[i+2:]) {
		if bytes.HasPrefix(l, []byte("\u2014 "+name+" ")) {
			out = append(out, l...)
		}
	}
	return out
}

// Verifier strings, as C2SP tlog-policy names keys.

func vkey(name string, kind byte, key []byte) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, kind, key), base64.StdEncoding.EncodeToString(append([]byte{kind}, key...)))
}

// PolicyFile returns the C2SP tlog-policy of a log: its Ed25519 key as the log,
// its ML-DSA-44 key and both keys of each cosigner as witnesses, all of them as
// the quorum.
func PolicyFile(o identity.Origin, log identity.PublicKey, cosigners map[string]identity.PublicKey) []byte {
	var b bytes.Buffer
	name := o.String()
	fmt.Fprintf(&b, "log %s\n", vkey(name, typeEd25519, log.Ed25519()))
	fmt.Fprintf(&b, "witness log-mldsa %s\n", vkey(name, typeMLDSA, log.MLDSA().Bytes()))
	group := "group all all log-mldsa"
	for i, by := range sortedKeys(cosigners) {
		k := cosigners[by]
		fmt.Fprintf(&b, "witness mirror-%d-ed25519 %s\n", i+1, vkey(by, typeCosignEd25519, k.Ed25519()))
		fmt.Fprintf(&b, "witness mirror-%d-mldsa %s\n", i+1, vkey(by, typeMLDSA, k.MLDSA().Bytes()))
		group += fmt.Sprintf(" mirror-%d-ed25519 mirror-%d-mldsa", i+1, i+1)
	}
	fmt.Fprintf(&b, "%s\nquorum all\n", group)
	return b.Bytes()
}
