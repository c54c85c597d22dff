package line

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"detente/identity"
	"detente/journal"
)

// deliveryFixed is what a deliver body takes beside its checkpoint, its hashes
// and its entries.
const deliveryFixed = 2 + 8 + 1 + 8

// deliveryOverhead is the most that a deliver body takes beside its entries.
const deliveryOverhead = deliveryFixed + 8<<10 + MaxProof*32

// MaxDeliveryEntries is how many bytes of entries, each with its two bytes of
// length, always fit into one deliver body together with a checkpoint that
// carries the log's own signatures.
const MaxDeliveryEntries = MaxDelivery - deliveryOverhead

// FormatDelivery returns the body of a deliver request:
//
//   - 2 bytes, the length of the signed checkpoint, and the checkpoint
//   - 8 bytes, the old size
//   - 1 byte, the number of hashes, and the consistency proof from the old size
//     to the checkpoint's
//   - 8 bytes, the index of the first entry
//   - the entries up to the checkpoint's size, each with 2 bytes of length
//
// Numbers are big-endian. It fails where the body would be larger than
// MaxDelivery; such a backlog goes by add-checkpoint and add-entries.
func FormatDelivery(d journal.Delivery) ([]byte, error) {
	claim, err := ReadClaim(d.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("internal error: delivery with a bad checkpoint: %w", err)
	}
	if err := checkDelivery(d, claim); err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	size := deliveryFixed + len(d.Checkpoint) + len(d.Proof)*32
	for _, e := range d.Entries {
		size += 2 + len(e)
	}
	if size > MaxDelivery {
		return nil, fmt.Errorf("the delivery has %d bytes, more than %d: send it by add-entries", size, MaxDelivery)
	}
	b := make([]byte, 0, size)
	b = binary.BigEndian.AppendUint16(b, uint16(len(d.Checkpoint)))
	b = append(b, d.Checkpoint...)
	b = binary.BigEndian.AppendUint64(b, uint64(d.OldSize))
	if b, err = appendProof(b, d.Proof); err != nil {
		return nil, err
	}
	b = binary.BigEndian.AppendUint64(b, uint64(d.Start))
	return appendEntries(b, d.Entries)
}

// ParseDelivery reads what FormatDelivery wrote. The checkpoint and the entries
// refer to b; nothing is verified but that the numbers fit each other.
func ParseDelivery(b []byte) (journal.Delivery, error) {
	var d journal.Delivery
	if len(b) > MaxDelivery {
		return d, fmt.Errorf("the deliver body has %d bytes, more than %d", len(b), MaxDelivery)
	}
	r := &cursor{b: b}
	d.Checkpoint = r.bytes(int(r.uint16()))
	old := r.uint64()
	d.Proof = r.proof()
	start := r.uint64()
	if r.short {
		return journal.Delivery{}, errors.New("the deliver body ends within its head")
	}
	if old > math.MaxInt64 || start > math.MaxInt64 {
		return journal.Delivery{}, errors.New("the deliver body names an index beyond 2^63")
	}
	d.OldSize, d.Start = int64(old), int64(start)
	claim, err := ReadClaim(d.Checkpoint)
	if err != nil {
		return journal.Delivery{}, err
	}
	d.Origin = claim.Origin
	for len(r.b) > 0 {
		d.Entries = append(d.Entries, r.bytes(int(r.uint16())))
		if r.short {
			return journal.Delivery{}, errors.New("the deliver body ends within an entry")
		}
	}
	if err := checkDelivery(d, claim); err != nil {
		return journal.Delivery{}, err
	}
	return d, nil
}

func checkDelivery(d journal.Delivery, c Claim) error {
	switch {
	case d.Origin != c.Origin:
		return fmt.Errorf("the delivery is of log %s and its checkpoint of %s", d.Origin, c.Origin)
	case d.OldSize < 0 || d.OldSize > c.Size:
		return fmt.Errorf("the delivery's old size is %d and its checkpoint's size %d", d.OldSize, c.Size)
	case d.Start < 0 || d.Start > c.Size || c.Size-d.Start != int64(len(d.Entries)):
		return fmt.Errorf("the delivery has %d entries from %d, and its checkpoint's size is %d", len(d.Entries), d.Start, c.Size)
	}
	return nil
}

func deliveryOrigin(b []byte) (identity.Origin, error) {
	r := &cursor{b: b}
	note := r.bytes(int(r.uint16()))
	if r.short {
		return identity.Origin{}, errors.New("the deliver body ends within its checkpoint")
	}
	c, err := ReadClaim(note)
	return c.Origin, err
}
