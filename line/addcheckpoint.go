package line

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

// proofLine is a hash in base64 with its line end.
const proofLine = 44 + 1

// maxAddCheckpoint is the longest add-checkpoint body.
const maxAddCheckpoint = len("old ") + 19 + 1 + MaxProof*proofLine + 1 + MaxNote

// AddCheckpoint is the body of tlog-witness's add-checkpoint request.
type AddCheckpoint struct {
	// Old is the size that the mirror is thought to hold a checkpoint of.
	Old int64
	// Proof is the consistency proof from Old to the checkpoint's size.
	Proof []tlog.Hash
	// Checkpoint is the log's signed checkpoint.
	Checkpoint []byte
}

// Bytes returns the body's text form, or says which limit it breaks.
func (a AddCheckpoint) Bytes() ([]byte, error) {
	if a.Old < 0 || len(a.Proof) > MaxProof || len(a.Checkpoint) > MaxNote {
		return nil, fmt.Errorf("internal error: add-checkpoint from size %d with %d hashes and a note of %d bytes", a.Old, len(a.Proof), len(a.Checkpoint))
	}
	b := make([]byte, 0, 32+len(a.Proof)*proofLine+len(a.Checkpoint))
	b = append(b, "old "...)
	b = strconv.AppendInt(b, a.Old, 10)
	b = append(b, '\n')
	for _, h := range a.Proof {
		b = base64.StdEncoding.AppendEncode(b, h[:])
		b = append(b, '\n')
	}
	b = append(b, '\n')
	return append(b, a.Checkpoint...), nil
}

// ParseAddCheckpoint reads what AddCheckpoint.Bytes wrote. The checkpoint
// refers to b and is not verified.
func ParseAddCheckpoint(b []byte) (AddCheckpoint, error) {
	if len(b) > maxAddCheckpoint {
		return AddCheckpoint{}, fmt.Errorf("the add-checkpoint body has %d bytes, more than %d", len(b), maxAddCheckpoint)
	}
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	number, ok := bytes.CutPrefix(first, []byte("old "))
	if !ok {
		return AddCheckpoint{}, errors.New("the add-checkpoint body must begin with a line \"old <size>\"")
	}
	var a AddCheckpoint
	var err error
	if a.Old, err = parseSize(number); err != nil {
		return AddCheckpoint{}, fmt.Errorf("the old size: %w", err)
	}
	for {
		line, next, ended := bytes.Cut(rest, []byte("\n"))
		if !ended {
			return AddCheckpoint{}, errors.New("the add-checkpoint body ends before its empty line")
		}
		rest = next
		if len(line) == 0 {
			break
		}
		if len(a.Proof) == MaxProof {
			return AddCheckpoint{}, fmt.Errorf("the proof has more than %d hashes", MaxProof)
		}
		h, err := parseHash(line)
		if err != nil {
			return AddCheckpoint{}, err
		}
		a.Proof = append(a.Proof, h)
	}
	a.Checkpoint = rest
	if _, err := ReadClaim(rest); err != nil {
		return AddCheckpoint{}, err
	}
	return a, nil
}

func checkpointOrigin(b []byte) (identity.Origin, error) {
	a, err := ParseAddCheckpoint(b)
	if err != nil {
		return identity.Origin{}, err
	}
	c, err := ReadClaim(a.Checkpoint)
	return c.Origin, err
}

// parseHash reads one hash in the only base64 form it has.
func parseHash(b []byte) (tlog.Hash, error) {
	var buf [tlog.HashSize + 1]byte
	var h tlog.Hash
	if len(b) != proofLine-1 {
		return h, errors.New("a proof line must be one hash in base64")
	}
	n, err := base64.StdEncoding.Strict().Decode(buf[:], b)
	if err != nil || n != tlog.HashSize {
		return h, errors.New("a proof line must be one hash in base64")
	}
	copy(h[:], buf[:])
	return h, nil
}

// parseSize reads a decimal tree size without sign or leading zeros.
func parseSize(b []byte) (int64, error) {
	if len(b) == 0 || len(b) > 19 || b[0] == '0' && len(b) > 1 {
		return 0, fmt.Errorf("%q is no tree size: decimal digits without leading zeros are needed", printable(b, 24))
	}
	var n uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is no tree size: decimal digits without leading zeros are needed", printable(b, 24))
		}
		n = n*10 + uint64(c-'0')
	}
	if n > math.MaxInt64 {
		return 0, fmt.Errorf("%q is no tree size: it is beyond 2^63", printable(b, 24))
	}
	return int64(n), nil
}

// FormatSize returns the body of a 409 answer to add-checkpoint, of type
// TypeSize.
func FormatSize(n int64) []byte { return append(strconv.AppendInt(nil, n, 10), '\n') }

// ParseSize reads what FormatSize wrote.
func ParseSize(b []byte) (int64, error) {
	line, ok := bytes.CutSuffix(b, []byte("\n"))
	if !ok {
		return 0, errors.New("a size answer must be one line")
	}
	return parseSize(line)
}
