package line

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// cursor reads fields off the front of b. Once a field is not wholly there,
// short is set and every later field is zero.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) bytes(n int) []byte {
	if c.short || len(c.b) < n {
		c.short = true
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) uint8() uint8 {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// proof reads a count and so many hashes; more than MaxProof counts as short.
func (c *cursor) proof() []tlog.Hash {
	n := int(c.uint8())
	if n > MaxProof {
		c.short = true
	}
	raw := c.bytes(n * tlog.HashSize)
	if c.short || n == 0 {
		return nil
	}
	out := make([]tlog.Hash, n)
	for i := range out {
		copy(out[i][:], raw[i*tlog.HashSize:])
	}
	return out
}

func appendProof(b []byte, proof []tlog.Hash) ([]byte, error) {
	if len(proof) > MaxProof {
		return nil, fmt.Errorf("internal error: a proof of %d hashes", len(proof))
	}
	b = append(b, byte(len(proof)))
	for _, h := range proof {
		b = append(b, h[:]...)
	}
	return b, nil
}

func appendEntries(b []byte, entries [][]byte) ([]byte, error) {
	for _, e := range entries {
		if len(e) > MaxEntry {
			return nil, fmt.Errorf("internal error: an entry of %d bytes, more than %d", len(e), MaxEntry)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(e)))
		b = append(b, e...)
	}
	return b, nil
}
