package line

import (
	"bytes"
	"errors"
	"fmt"

	"detente/identity"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrNoReceipt says that an answer to an upload holds no receipt: two valid
// cosignature lines of the mirror over the checkpoint, of one second.
var ErrNoReceipt = errors.New("the answer is no receipt: it lacks two valid cosignature lines of the mirror")

// Claim is what a checkpoint says, before anybody verified its signatures.
type Claim struct {
	Origin identity.Origin
	Size   int64
	Root   tlog.Hash
}

// ReadClaim reads what a signed checkpoint claims, without verifying it. It
// refuses extension lines, which our logs never write.
func ReadClaim(signed []byte) (Claim, error) {
	if len(signed) > MaxNote {
		return Claim{}, fmt.Errorf("the checkpoint has %d bytes, more than %d", len(signed), MaxNote)
	}
	split := bytes.Index(signed, []byte("\n\n"))
	if split < 0 {
		return Claim{}, errors.New("the checkpoint has no signatures")
	}
	text := string(signed[:split+1])
	c, err := torchwood.ParseCheckpoint(text)
	if err != nil {
		return Claim{}, fmt.Errorf("the checkpoint's text: %w", err)
	}
	if c.String() != text {
		return Claim{}, errors.New("the checkpoint's text is not in the one form that it has")
	}
	if c.Extension != "" {
		return Claim{}, errors.New("the checkpoint has extension lines; logs of lines write none")
	}
	o, err := parseOrigin(c.Origin)
	if err != nil {
		return Claim{}, err
	}
	return Claim{Origin: o, Size: c.N, Root: c.Hash}, nil
}

// parseOrigin reads the origin of a log. Its error repeats no more of a stranger's
// text than a reader needs.
func parseOrigin(s string) (identity.Origin, error) {
	o, err := identity.ParseOrigin(s)
	if err != nil {
		return o, fmt.Errorf("%q is no log's origin: it must read writer/to/reader/class/era", printable([]byte(s), 120))
	}
	return o, nil
}

// ReceiptLines picks from an answer's signature lines one for each verifier,
// in the verifiers' order, and leaves out those of unknown keys, as tlog-witness
// asks. It checks names and key hashes, not signatures. It fails with
// ErrNoReceipt where a line is missing or there are two.
func ReceiptLines(body []byte, verifiers ...note.Verifier) ([]byte, error) {
	if len(body) > MaxLines {
		return nil, fmt.Errorf("%w: it has %d bytes, more than %d", ErrNoReceipt, len(body), MaxLines)
	}
	found := make([][]byte, len(verifiers))
	for len(body) > 0 {
		line, rest, ended := bytes.Cut(body, []byte("\n"))
		if !ended {
			return nil, fmt.Errorf("%w: its last line does not end", ErrNoReceipt)
		}
		body = rest
		name, hash, err := signatureOf(line)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoReceipt, err)
		}
		for i, v := range verifiers {
			if v.Name() != name || v.KeyHash() != hash {
				continue
			}
			if found[i] != nil {
				return nil, fmt.Errorf("%w: key %s signed twice", ErrNoReceipt, name)
			}
			found[i] = append(bytes.Clone(line), '\n')
		}
	}
	for i, f := range found {
		if f == nil {
			return nil, fmt.Errorf("%w: none of key %s %08x", ErrNoReceipt, verifiers[i].Name(), verifiers[i].KeyHash())
		}
	}
	return bytes.Join(found, nil), nil
}
