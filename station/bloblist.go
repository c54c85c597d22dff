package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
)

// BlobStanding is how a blob stands: of ours, how far the counterpart has come;
// of theirs, how far we have.
type BlobStanding struct {
	Blob
	Ours     bool
	Citation string    // of the message that names it; empty where none stands in a log
	Named    time.Time // of ours: when the counterpart receipted that message; zero: it has not
	// Missing is, of ours, since when its receipt should have come: the time for
	// a receipt ran out after Named. Zero: it came, or there is time yet. A large
	// blob may take longer to fetch; nothing more is said by it.
	Missing time.Time
}

// ListBlobs lists blobs of all lines by state and hash, from one on, and notes the
// look in the audit trail. state and after are those of the last one seen; zero
// begins at the first.
func (s *Station) ListBlobs(ctx context.Context, actor Actor, now time.Time, state BlobState, after identity.Digest, limit int) ([]BlobStanding, error) {
	if err := actor.must("list evidence", RoleRead, RoleDraft); err != nil {
		return nil, s.refused(ctx, now, actor, "blob list", "blobs", err)
	}
	var list []BlobStanding
	err := s.update(ctx, now, func(tx Tx) error {
		list = nil
		for at := max(state, BlobOffered); at <= BlobReceipted && len(list) < limit; at++ {
			blobs, err := tx.BlobsIn(at, after, limit-len(list))
			if err != nil {
				return err
			}
			after = identity.Digest{}
			for _, b := range blobs {
				standing, err := s.standingOf(tx, now, b)
				if err != nil {
					return err
				}
				list = append(list, standing)
			}
		}
		return s.audit(tx, now, actor, "blob list", "blobs", "done", fmt.Sprintf("%d blobs", len(list)))
	})
	return list, err
}

// ShowBlob returns how one blob stands, and notes the look in the audit trail.
// ErrNotFound where no message names it and it was not added here.
func (s *Station) ShowBlob(ctx context.Context, actor Actor, now time.Time, hash identity.Digest) (b BlobStanding, err error) {
	if err := actor.must("see evidence", RoleRead, RoleDraft); err != nil {
		return b, s.refused(ctx, now, actor, "blob show", hash.String(), err)
	}
	err = s.update(ctx, now, func(tx Tx) error {
		blob, err := tx.Blob(hash)
		if err != nil {
			return err
		}
		if b, err = s.standingOf(tx, now, blob); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "blob show", hash.String(), "done", "")
	})
	if err != nil {
		return BlobStanding{}, s.refused(ctx, now, actor, "blob show", hash.String(), err)
	}
	return b, nil
}

// standingOf adds to a blob what the record says of the message that names it.
func (s *Station) standingOf(tx Tx, now time.Time, b Blob) (BlobStanding, error) {
	out := BlobStanding{Blob: b, Ours: b.From == s.name}
	m, err := tx.MessageByID(b.Message)
	if errors.Is(err, ErrNotFound) {
		return out, nil
	} else if err != nil {
		return out, err
	}
	r, err := s.withHeld(tx, Read{Message: m, Citation: s.Cite(m.Origin, m.Index)})
	if err != nil {
		return out, err
	}
	out.Citation, out.Named = r.Citation, r.Held
	if due := r.Held.Add(s.limits.ReceiptWithin); out.Ours && b.State == BlobHeld && !r.Held.IsZero() && !now.Before(due) {
		out.Missing = due
	}
	return out, nil
}

// nameBlobs notes in which own message blobs of ours are named, so that their
// receipts can be missed.
func (s *Station) nameBlobs(tx Tx, out Outgoing, refs []blobRef) error {
	for _, ref := range refs {
		hash, err := identity.ParseDigest(ref.Hash)
		if err != nil {
			continue // the message stands; nobody can fetch that
		}
		b, err := tx.Blob(hash)
		if errors.Is(err, ErrNotFound) || err == nil && (b.From != s.name || b.Message != out.ID && b.Message != (message.ID{})) {
			continue // not ours, or named before
		} else if err != nil {
			return err
		}
		b.Message = out.ID
		if err := tx.PutBlob(b); err != nil {
			return err
		}
	}
	return nil
}
