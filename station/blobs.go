package station

import (
	"context"
	"crypto/sha256"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"time"

	"detente/identity"
	"detente/interop/stix"
	"detente/message"
	"detente/seal"
)

// Blobs keeps the ciphertext of evidence, by its hash.
type Blobs interface {
	// Put stores what write produces, durably, and returns its hash and size.
	// Storing the same bytes twice changes nothing.
	Put(write func(io.Writer) error) (identity.Digest, int64, error)
	// Extend adds data at offset to a blob that is being fetched and returns how
	// much is held now. An offset other than what is held changes nothing.
	Extend(hash identity.Digest, offset int64, data []byte) (int64, error)
	// Finish checks a fetched blob against its hash and keeps it durably. Where
	// the hash differs it drops what was fetched and returns an error.
	Finish(hash identity.Digest) error
	// Open returns a blob that is held whole. ErrNotFound where it is not.
	Open(hash identity.Digest) (io.ReadSeekCloser, error)
}

// MaxBlob bounds a blob: what a counterpart may make a station fetch.
const MaxBlob = 4 << 30

// blobRef is a blob as a message names it.
type blobRef struct {
	Hash string `json:"hash"`
	Size int64  `json:"size"`
	Type string `json:"type"`
}

// AddBlob seals what r holds to the counterpart of a line and to this station's
// archive, and stores it. The value it returns stands as a parameter of type
// blob in a message; the counterpart fetches it once it has that message.
func (s *Station) AddBlob(ctx context.Context, actor Actor, now time.Time, l identity.Line, mediaType string, r io.Reader) (jsontext.Value, error) {
	if err := actor.must("add evidence", RoleDraft); err != nil {
		return nil, s.refused(ctx, now, actor, "blob add", l.String(), err)
	}
	p, err := s.peerOf(l)
	if err != nil {
		return nil, err
	}
	to, err := p.recipient(now)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	archive, ok := s.keys.Archive[seal.PeriodOf(now)]
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("no archive key for the period %s: make one with `detente station rotate`", seal.PeriodOf(now))
	}
	content, read, err := s.readIn(mediaType, r)
	if err != nil {
		return nil, s.refused(ctx, now, actor, "blob add", l.String(), err)
	}
	hash, size, err := s.keepBlob(ctx, func(w io.Writer) error { return seal.SealStream(w, content, to, archive.Recipient()) })
	if err != nil {
		return nil, fmt.Errorf("storing evidence: %w", err)
	}
	manifest, err := s.keepManifest(ctx, read, archive.Recipient())
	if err != nil {
		return nil, err
	}
	err = s.update(ctx, now, func(tx Tx) error {
		if before, err := tx.Blob(hash); err == nil && before.From == s.name {
			return nil
		}
		if err := s.audit(tx, now, actor, "blob add", hash.String(), "done", mediaType); err != nil {
			return err
		}
		if err := s.taken(tx, now, actor, hash, read, manifest, mediaType); err != nil {
			return err
		}
		return tx.PutBlob(Blob{Hash: hash, Size: size, Have: size, State: BlobHeld, Line: l, From: s.name, At: second(now)})
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(blobRef{Hash: hash.String(), Size: size, Type: mediaType}, json.Deterministic(true))
}

// keepBlob stores what write makes as a blob. What is only tried is made and kept
// nowhere.
func (s *Station) keepBlob(ctx context.Context, write func(io.Writer) error) (hash identity.Digest, size int64, err error) {
	if !trying(ctx) {
		return s.blobs.Put(write)
	}
	sum := &hashed{sum: sha256.New()}
	err = write(sum)
	return identity.Digest(sum.sum.Sum(nil)), sum.size, err
}

// hashed hashes and counts what is written.
type hashed struct {
	sum  hash.Hash
	size int64
}

// Write implements io.Writer. It never fails.
func (h *hashed) Write(p []byte) (int, error) {
	h.size += int64(len(p))
	return h.sum.Write(p)
}

// blobsIn returns the blobs that a body names, by the signal book's types.
func (s *Station) blobsIn(b message.Body) []blobRef {
	format, ok := s.bookFor(b).Format(b.Format)
	if !ok {
		return nil
	}
	var refs []blobRef
	for _, p := range format.Params {
		if !p.IsBlob() {
			continue
		}
		var many []blobRef
		var one blobRef
		if v := b.Params[p.Name]; json.Unmarshal(v, &many) == nil {
			refs = append(refs, many...)
		} else if json.Unmarshal(v, &one) == nil {
			refs = append(refs, one)
		}
	}
	return refs
}

// noteBlobs notes the blobs that an accepted message of a counterpart offers,
// and the receipts that it gives for ours. tell says whether that is news.
func (s *Station) noteBlobs(tx Tx, now time.Time, o identity.Origin, e message.Entry, tell bool) error {
	b := e.Body.Body()
	if b.Format == "003" {
		return s.blobReceipted(tx, now, b, e.Wrapper.At, tell)
	}
	for _, ref := range s.blobsIn(b) {
		hash, err := identity.ParseDigest(ref.Hash)
		if err != nil || ref.Size <= 0 || ref.Size > MaxBlob {
			continue // the message stands; the blob cannot be fetched
		}
		if _, err := tx.Blob(hash); err == nil {
			continue
		}
		if err := tx.PutBlob(Blob{Hash: hash, Size: ref.Size, State: BlobOffered, Line: o.Line(), From: o.Writer, Message: b.ID}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Station) blobReceipted(tx Tx, now time.Time, b message.Body, at time.Time, tell bool) error {
	var text string
	if err := json.Unmarshal(b.Params["hash"], &text); err != nil {
		return nil //nolint:nilerr // a receipt for what cannot be ours
	}
	hash, err := identity.ParseDigest(text)
	if err != nil {
		return nil //nolint:nilerr // likewise
	}
	blob, err := tx.Blob(hash)
	if errors.Is(err, ErrNotFound) || err == nil && blob.From != s.name {
		return nil
	} else if err != nil {
		return err
	}
	if blob.Line != b.Line || blob.State == BlobReceipted && !blob.At.IsZero() {
		return nil // of another line, or receipted before
	}
	blob.State, blob.At = BlobReceipted, at
	s.noteCustody(tx, s.batch.now, itself, hash, custodyOf(stix.Sent, blob.Line.Other(s.name), "", "its receipt has come"))
	if err := tx.PutBlob(blob); err != nil || !tell {
		return err
	}
	return s.event(tx, now, "blob", hash.String(), "receipted by "+string(b.From))
}

// OpenBlob returns the ciphertext of a blob that the peer may fetch: one that
// was sealed for a line to it.
func (s *Station) OpenBlob(ctx context.Context, peer identity.Station, hash identity.Digest) (io.ReadSeekCloser, int64, error) {
	var blob Blob
	err := s.store.View(ctx, func(tx Tx) (err error) {
		blob, err = tx.Blob(hash)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if blob.From != s.name || !blob.Line.Has(peer) {
		return nil, 0, fmt.Errorf("blob %s: %w", hash, ErrNotFound)
	}
	r, err := s.blobs.Open(hash)
	return r, blob.Size, err
}

// ReadBlob opens a blob that this station holds, its own or a counterpart's,
// and writes its content to w.
func (s *Station) ReadBlob(ctx context.Context, actor Actor, now time.Time, hash identity.Digest, w io.Writer) error {
	if err := actor.must("read evidence", RoleRead); err != nil {
		return s.refused(ctx, now, actor, "blob read", hash.String(), err)
	}
	r, err := s.blobs.Open(hash)
	if err != nil {
		return fmt.Errorf("blob %s: %w", hash, err)
	}
	defer r.Close()
	err = s.update(ctx, now, func(tx Tx) error {
		if err := s.mayOpen(tx, actor, hash); err != nil {
			return err
		}
		s.noteCustody(tx, now, actor, hash, custodyOf(stix.Examined, "", "opened as a copy", ""))
		return s.audit(tx, now, actor, "blob read", hash.String(), "done", "")
	})
	if err != nil {
		return s.refused(ctx, now, actor, "blob read", hash.String(), err)
	}
	return seal.OpenStream(w, r, s.identities(false)...)
}

// identities returns every identity that the station can open entries with,
// likeliest first: each that is tried in vain costs as much as the one that
// opens. own says whether the station wrote what is to be opened.
func (s *Station) identities(own bool) []seal.Identity { return s.identitiesNear(own, time.Time{}) }

// identitiesNear is identities for what was written about a time; zero: lately.
func (s *Station) identitiesNear(own bool, written time.Time) []seal.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	if written.IsZero() {
		written = s.since
		if !s.clock.last.IsZero() {
			written = s.clock.last
		}
	}
	near := seal.PeriodOf(written)
	first, then := s.keys.Sealing, s.keys.Archive
	if own {
		first, then = then, first
	}
	var ids []seal.Identity
	for _, keys := range []map[seal.Period]seal.Identity{first, then} {
		if id, ok := keys[near]; ok {
			ids = append(ids, id)
		}
		for _, p := range slices.Backward(slices.Sorted(maps.Keys(keys))) {
			if p != near {
				ids = append(ids, keys[p])
			}
		}
	}
	return ids
}

// WantedBlobs lists blobs of a line that counterparts offer and that are not held
// whole, by hash, after one: at most a few at once. It also returns after which to
// look next; the zero hash is the beginning. So that one that is offered and never
// given holds up no other.
func (s *Station) WantedBlobs(ctx context.Context, l identity.Line, after identity.Digest) (wanted []Blob, next identity.Digest, err error) {
	const most, page = 16, 256
	err = s.store.View(ctx, func(tx Tx) error {
		offered, err := tx.BlobsIn(BlobOffered, after, page)
		if err != nil {
			return err
		}
		for _, b := range offered {
			if next = b.Hash; b.Line == l {
				wanted = append(wanted, b)
			}
			if len(wanted) == most {
				return nil
			}
		}
		if len(offered) < page {
			next = identity.Digest{}
		}
		return nil
	})
	return wanted, next, err
}

// TakeBlob adds what was fetched of a blob. When it is whole and its hash is
// right the station answers with its receipt, a message of format 003. Content
// with another hash is dropped and fetched anew; what goes beyond the size that
// the message names is left out.
func (s *Station) TakeBlob(ctx context.Context, now time.Time, b Blob, offset int64, data []byte) (Blob, error) {
	data = data[:max(min(int64(len(data)), b.Size-offset), 0)]
	have, err := s.blobs.Extend(b.Hash, offset, data)
	if err != nil {
		return b, err
	}
	b.Have = have
	if have >= b.Size {
		if wrong := s.blobs.Finish(b.Hash); wrong != nil {
			b.Have = 0
			return b, errors.Join(wrong, s.update(ctx, now, func(tx Tx) error { return tx.PutBlob(b) }))
		}
		b.State, b.At = BlobHeld, second(now)
	}
	err = s.update(ctx, now, func(tx Tx) error {
		if err := tx.PutBlob(b); err != nil || b.State != BlobHeld {
			return err
		}
		s.noteCustody(tx, now, itself, b.Hash, custodyOf(stix.Received, b.From, "fetched over the line, sealed", ""))
		if err := s.event(tx, now, "blob", b.Hash.String(), "held whole"); err != nil {
			return err
		}
		return s.service(tx, now, b.Line, "003", []message.ID{b.Message}, map[string]any{"hash": b.Hash.String(), "size": b.Size})
	})
	return b, err
}
