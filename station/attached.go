package station

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/interop/stix"
	"detente/message"
	"detente/seal"
)

// counterParam is the parameter by which a message attaches an analysis of its own
// to the evidence of the message that it refers to.
const counterParam = "counter_evidence"

// Attached is an analysis that was attached to a piece of evidence: evidence of its
// own, which changes nothing of what it is attached to.
type Attached struct {
	Hash     identity.Digest  // of its blob
	Type     string           // its media type
	By       identity.Station // who attached it
	Message  message.ID       // in which it came
	Citation string
	To       message.ID // the message whose evidence it is attached to
	Received time.Time  // of the message; zero: not yet
	Held     bool       // the blob is here
}

// AttachedTo lists the analyses that were attached to a piece of evidence, or to
// the message that brought it, in the order of the record. They stand beside it:
// nothing of either side's evidence is ever changed by the other's.
func (s *Station) AttachedTo(ctx context.Context, actor Actor, now time.Time, hash identity.Digest) ([]Attached, error) {
	const act = "evidence attached"
	if err := actor.must("read evidence", RoleRead); err != nil {
		return nil, s.refused(ctx, now, actor, act, hash.String(), err)
	}
	var all []Attached
	err := s.store.View(ctx, func(tx Tx) error {
		if err := s.mayOpen(tx, actor, hash); err != nil {
			return err
		}
		blob, err := tx.Blob(hash)
		if err != nil {
			return fmt.Errorf("evidence %s: %w", hash, err)
		}
		around, err := tx.Referring(blob.Message)
		if err != nil || blob.Message == (message.ID{}) {
			return err
		}
		for _, m := range around {
			if m.Problem != "" {
				continue
			}
			r, err := s.readable(tx, actor, m)
			if err != nil {
				continue //nolint:nilerr // what the caller may not read is not told
			}
			for _, ref := range counterIn(r.Entry.Body.Body()) {
				d, err := identity.ParseDigest(ref.Hash)
				if err != nil {
					continue
				}
				a := Attached{Hash: d, Type: ref.Type, By: m.Origin.Writer, Message: m.ID, Citation: r.Citation, To: blob.Message, Received: r.Received}
				if held, err := tx.Blob(d); err == nil {
					a.Held = held.State != BlobOffered
				}
				all = append(all, a)
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.refused(ctx, now, actor, act, hash.String(), err)
	}
	return all, s.noted(ctx, now, actor, act, hash.String(), fmt.Sprint(len(all)))
}

// counterIn returns the analyses that a body attaches.
func counterIn(b message.Body) (refs []blobRef) {
	if v := b.Params[counterParam]; len(v) > 0 && json.Unmarshal(v, &refs) != nil {
		return nil
	}
	return refs
}

// attaches returns ErrInvalid, with the place, where what a body attaches as an
// analysis is evidence of the message that it refers to, or a bundle that holds
// one of its objects in another wording: an analysis speaks of evidence, and does
// not take its place.
func (s *Station) attaches(tx Tx, b message.Body, about []message.Body) error {
	for i, ref := range counterIn(b) {
		place := fmt.Sprintf("format %s, %s [%d]", b.Format, counterParam, i+1)
		for _, a := range about {
			for _, original := range s.blobsIn(a) {
				if original.Hash == ref.Hash {
					return fmt.Errorf("%w: %s: it is the evidence of the message that is answered: attach an analysis of your own", ErrInvalid, place)
				}
				edited, err := s.editedIn(tx, original, ref)
				if err != nil {
					return err
				}
				if edited != "" {
					return fmt.Errorf("%w: %s: the bundle holds %s of the evidence %s in another wording: evidence is never edited; say what differs in a note that names the object", ErrInvalid, place, edited, original.Hash)
				}
			}
		}
	}
	return nil
}

// editedIn returns an object that two bundles hold in different wordings; empty
// where there is none, or one of them was not read here.
func (s *Station) editedIn(tx Tx, original, analysis blobRef) (string, error) {
	if !isStix(original.Type) || !isStix(analysis.Type) {
		return "", nil
	}
	was, err := s.manifestOf(tx, original.Hash)
	if err != nil || was == nil {
		return "", err
	}
	is, err := s.manifestOf(tx, analysis.Hash)
	if err != nil || is == nil {
		return "", err
	}
	hashes := make(map[string]string, len(was))
	for _, row := range was {
		hashes[row.ID] = row.Hash
	}
	i := slices.IndexFunc(is, func(row manifestRow) bool { h, both := hashes[row.ID]; return both && h != row.Hash })
	if i < 0 {
		return "", nil
	}
	return is[i].ID, nil
}

// manifestOf opens the list of a bundle's objects that is kept beside its blob; nil
// where none is.
func (s *Station) manifestOf(tx Tx, name string) ([]manifestRow, error) {
	hash, err := identity.ParseDigest(name)
	if err != nil {
		return nil, nil //nolint:nilerr // it names no blob of ours
	}
	h, read, err := s.sheetOf(tx, hash)
	if err != nil || !read {
		return nil, err
	}
	r, err := s.blobs.Open(h.Manifest)
	if err != nil {
		return nil, fmt.Errorf("the list of objects of %s: %w", hash, err)
	}
	defer r.Close()
	var text bounded
	if err := seal.OpenStream(&text, r, s.identities(true)...); err != nil {
		return nil, fmt.Errorf("the list of objects of %s: %w", hash, err)
	}
	var rows []manifestRow
	if err := json.Unmarshal(text.Bytes(), &rows); err != nil || len(rows) > stix.MaxObjects {
		return nil, fmt.Errorf("internal error: the stored list of objects of %s: %w", hash, err)
	}
	return rows, nil
}
