package station

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/interop/stix"
	"detente/message"
	"detente/record"
	"detente/seal"
)

// StixType is the media type of a bundle of STIX 2.1. A blob of this type is
// read under the profile before it is sealed; of every other type it is carried
// as it is.
const StixType = "application/stix+json"

// isStix reports whether a media type says that a blob is a bundle.
func isStix(mediaType string) bool {
	t, _, err := mime.ParseMediaType(mediaType)
	return err == nil && t == StixType || err != nil && strings.HasPrefix(mediaType, StixType)
}

// sheet is what is kept of a bundle beside its blob: what a release, an export
// and a reader's rights are judged by, without opening it. Its size does not
// depend on the bundle's.
type sheet struct {
	Bundle   string          `json:"bundle"`
	Content  identity.Digest `json:"content"`  // SHA-256 of the bundle's bytes
	Size     int64           `json:"size"`     // in bytes
	Objects  int             `json:"objects"`  // how many
	Manifest identity.Digest `json:"manifest"` // of the blob that lists them, sealed to this station's archive alone
	Levels   []level         `json:"levels"`   // of the objects' markings, each once
}

// level is a marking that objects of a bundle have.
type level struct {
	TLP   string   `json:"tlp"`
	PAP   string   `json:"pap"`
	Count int      `json:"count"`
	Named []string `json:"named"` // the first of them, at most maxNamed
}

// maxNamed is how many objects of a marking a refusal names.
const maxNamed = 8

func settingSheet(hash identity.Digest) string { return "stix/" + hash.String() }

// sheetOf returns what is kept of a bundle; ok is false where the blob was not
// read as one.
func (s *Station) sheetOf(tx Tx, hash identity.Digest) (h sheet, ok bool, err error) {
	text, err := tx.Setting(settingSheet(hash))
	if err != nil || text == nil {
		return h, false, err
	}
	return h, true, json.Unmarshal(text, &h)
}

// makeSheet writes down what is kept of a bundle.
func makeSheet(b *stix.Bundle, manifest identity.Digest) sheet {
	h := sheet{Bundle: string(b.ID), Content: b.Digest, Size: b.Size, Objects: len(b.Objects), Manifest: manifest}
	for _, row := range b.Manifest() {
		m := row.Marking.Message()
		i := slices.IndexFunc(h.Levels, func(l level) bool { return l.TLP == m.TLP && l.PAP == m.PAP })
		if i < 0 {
			i, h.Levels = len(h.Levels), append(h.Levels, level{TLP: m.TLP, PAP: m.PAP})
		}
		l := &h.Levels[i]
		if l.Count++; len(l.Named) < maxNamed {
			l.Named = append(l.Named, string(row.ID))
		}
	}
	return h
}

// ceiling returns the most restrictive marking of a bundle's objects.
func (h sheet) ceiling() (most stix.Marking, err error) {
	for _, l := range h.Levels {
		m, err := stix.ParseMarking(message.Marking{TLP: l.TLP, PAP: l.PAP})
		if err != nil {
			return most, fmt.Errorf("internal error: stored marking: %w", err)
		}
		most = most.With(m)
	}
	return most, nil
}

// within returns ErrRefused, with words that name the objects, where a bundle
// holds what is marked above a limit. An object without a label is covered by the
// limit: every message has one.
func (h sheet) within(hash identity.Digest, limit stix.Marking, whose string) error {
	var above []string
	for _, l := range h.Levels {
		m, err := stix.ParseMarking(message.Marking{TLP: l.TLP, PAP: l.PAP})
		if err != nil {
			return fmt.Errorf("internal error: stored marking: %w", err)
		}
		if m.Within(limit) {
			continue
		}
		words := fmt.Sprintf("%s: %s", m, strings.Join(l.Named, ", "))
		if n := l.Count - len(l.Named); n > 0 {
			words += fmt.Sprintf(" and %d more", n)
		}
		above = append(above, words)
	}
	if len(above) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the bundle %s holds objects marked above %s (%s): %s; leave them out, raise the marking, or ask their originator", ErrRefused, hash, whose, limit, strings.Join(above, "; "))
}

// FindingsError says that a bundle is not acceptable, with all the reasons.
type FindingsError struct{ *stix.Refused }

func (e FindingsError) Error() string {
	return e.Refused.Error() + "; mend it, or carry it unread with the type application/octet-stream"
}

// Is makes it a refusal of what was given.
func (e FindingsError) Is(target error) bool { return target == ErrInvalid }

// Unwrap returns the findings.
func (e FindingsError) Unwrap() error { return e.Refused }

// readIn reads what is added as a bundle, and returns its content to be sealed;
// of every other type it returns the content unread. One bundle at a time is in
// memory.
func (s *Station) readIn(mediaType string, r io.Reader) (io.Reader, *stix.Bundle, error) {
	if !isStix(mediaType) {
		return r, nil, nil
	}
	s.bundles.Lock()
	defer s.bundles.Unlock()
	var held bytes.Buffer
	b, err := stix.Read(io.TeeReader(r, &held))
	return &held, b, refusedBundle(err)
}

// refusedBundle gives the refusal of a bundle its kind.
func refusedBundle(err error) error {
	if r, ok := errors.AsType[*stix.Refused](err); ok {
		return FindingsError{r}
	}
	return err
}

// manifestRow is an object as the kept manifest lists it.
type manifestRow struct {
	ID      string `json:"id"`
	Hash    string `json:"hash"`
	Created string `json:"created,omitzero"`
	TLP     string `json:"tlp,omitzero"`
	PAP     string `json:"pap,omitzero"`
}

// keepManifest keeps the hash of every object of a bundle beside its blob, sealed
// to this station alone. Nothing is kept where there is no bundle.
func (s *Station) keepManifest(ctx context.Context, b *stix.Bundle, to seal.Recipient) (identity.Digest, error) {
	if b == nil {
		return identity.Digest{}, nil
	}
	rows := make([]manifestRow, 0, len(b.Objects))
	for _, r := range b.Manifest() {
		m := r.Marking.Message()
		rows = append(rows, manifestRow{string(r.ID), r.Hash.String(), r.Created, m.TLP, m.PAP})
	}
	text, err := json.Marshal(rows, json.Deterministic(true))
	if err != nil {
		return identity.Digest{}, err
	}
	hash, _, err := s.keepBlob(ctx, func(w io.Writer) error { return seal.SealStream(w, bytes.NewReader(text), to) })
	if err != nil {
		return hash, fmt.Errorf("storing the manifest of evidence: %w", err)
	}
	return hash, nil
}

// taken notes a blob that was added here: its sheet, where it is a bundle, and
// that it was collected and sealed.
func (s *Station) taken(tx Tx, now time.Time, actor Actor, hash identity.Digest, b *stix.Bundle, manifest identity.Digest, mediaType string) error {
	result := ""
	if b != nil {
		if err := s.putSheet(tx, hash, makeSheet(b, manifest)); err != nil {
			return err
		}
		result = fmt.Sprintf("content SHA-256 %s, %d objects", b.Digest, len(b.Objects))
	}
	s.noteCustody(tx, now, actor, hash, custodyOf(stix.Collected, "", "given to the station as "+quotable(mediaType), result))
	s.noteCustody(tx, now, actor, hash, custodyOf(stix.Sealed, "", "age, to the counterpart and this station's archive", ""))
	return nil
}

func (s *Station) putSheet(tx Tx, hash identity.Digest, h sheet) error {
	text, err := json.Marshal(h, json.Deterministic(true))
	if err != nil {
		return err
	}
	return tx.PutSetting(settingSheet(hash), text)
}

// markingsAllow returns ErrRefused where a body names a bundle that holds what is
// marked above the body's own marking, or one of our own that says it is a bundle
// and was not read as one. It is asked when the body is fixed and again at each
// approval.
func (s *Station) markingsAllow(tx Tx, b message.Body) error {
	for _, ref := range s.blobsIn(b) {
		hash, err := identity.ParseDigest(ref.Hash)
		if err != nil {
			continue // the signal book has checked it; it names no blob of ours
		}
		h, read, err := s.sheetOf(tx, hash)
		if err != nil {
			return err
		}
		if !read {
			if blob, err := tx.Blob(hash); err == nil && blob.From == s.name && isStix(ref.Type) {
				return fmt.Errorf("%w: the blob %s is named as a bundle of STIX, and was not read as one when it was added: add it anew with `detente evidence add`", ErrRefused, hash)
			}
			continue
		}
		limit, err := stix.ParseMarking(b.Marking)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		if err := h.within(hash, limit, "the message"); err != nil {
			return err
		}
	}
	return nil
}

// mayDisclose returns ErrRefused where a record would let somebody open what the
// actor may not read, or what is marked above the limit: by a message's own
// marking or by that of a bundle it names, the most restrictive counts.
func (s *Station) mayDisclose(tx Tx, actor Actor, entries []record.Entry, limit message.Marking) error {
	if limit.TLP == "" {
		limit = message.Marking{TLP: "AMBER+STRICT", PAP: "AMBER"}
	}
	most, err := stix.ParseMarking(limit)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	rights, err := s.rights(tx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		m, err := tx.Message(e.Origin, e.Index)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		r := s.opened(m)
		if !rights.letMessage(actor, r) {
			return errRights(actor, r.Citation)
		}
		if len(r.Entry.Body.Bytes()) == 0 {
			continue
		}
		if err := s.disclosable(tx, r, most); err != nil {
			return err
		}
	}
	return nil
}

// disclosable judges one message of a record that is to be disclosed.
func (s *Station) disclosable(tx Tx, r Read, limit stix.Marking) error {
	b := r.Entry.Body.Body()
	own, err := stix.ParseMarking(b.Marking)
	if err != nil || !own.Within(limit) {
		return fmt.Errorf("%w: %s is marked %s, above what the record may disclose (%s): name a higher marking with --tlp and --pap if its reader may see that, or leave it out", ErrRefused, r.Citation, own, limit)
	}
	for _, ref := range s.blobsIn(b) {
		hash, err := identity.ParseDigest(ref.Hash)
		if err != nil {
			continue // a counterpart's message names no blob so
		}
		h, read, err := s.sheetOf(tx, hash)
		if err != nil {
			return err
		}
		if read {
			if err := h.within(hash, limit, r.Citation+" in the record"); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayOpen returns ErrRefused where an actor may not read a blob: by its line, by
// the marking of the message that came with it, or by a bundle's own.
func (s *Station) mayOpen(tx Tx, actor Actor, hash identity.Digest) error {
	what := "the evidence " + hash.String()
	blob, err := tx.Blob(hash)
	if err != nil {
		return err
	}
	if blob.Message != (message.ID{}) {
		if m, err := tx.MessageByID(blob.Message); err == nil {
			if _, err := s.readable(tx, actor, m); err != nil {
				return err
			}
		}
	}
	tlp := ""
	if h, read, err := s.sheetOf(tx, hash); err != nil {
		return err
	} else if read {
		most, err := h.ceiling()
		if err != nil {
			return err
		}
		tlp = most.TLP.String()
	}
	return s.mayRead(tx, actor, blob.Line, tlp, what)
}

// Reading is a bundle that was read, on asking.
type Reading struct {
	Hash   identity.Digest // of the blob
	Bundle *stix.Bundle
	Texts  map[book.Lang]string // in the languages asked for
}

// ReadBundle opens a blob that this station holds, its own or a counterpart's,
// and reads it as a bundle under the profile. It is never done by itself: what
// came over a line is carried unread until somebody asks. At most stix.MaxBytes of
// it are in memory, of one bundle at a time. What is wrong with it is a
// *stix.Refused, within an error that wraps ErrInvalid.
func (s *Station) ReadBundle(ctx context.Context, actor Actor, now time.Time, hash identity.Digest, langs ...book.Lang) (Reading, error) {
	r, err := s.readBundle(ctx, actor, now, hash, langs)
	if err != nil {
		return Reading{}, s.refused(ctx, now, actor, "evidence read", hash.String(), err)
	}
	return r, nil
}

func (s *Station) readBundle(ctx context.Context, actor Actor, now time.Time, hash identity.Digest, langs []book.Lang) (Reading, error) {
	out := Reading{Hash: hash, Texts: make(map[book.Lang]string)}
	if err := actor.must("read evidence", RoleRead); err != nil {
		return out, err
	}
	known := false
	err := s.store.View(ctx, func(tx Tx) (err error) {
		if _, known, err = s.sheetOf(tx, hash); err != nil {
			return err
		}
		return s.mayOpen(tx, actor, hash)
	})
	if err != nil {
		return out, err
	}
	s.bundles.Lock()
	defer s.bundles.Unlock()
	if out.Bundle, err = s.openBundle(hash); err != nil {
		return out, err
	}
	for _, l := range langs {
		if out.Texts[l], err = out.Bundle.Render(l); err != nil {
			return out, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	if !known {
		if err := s.learn(ctx, now, hash, out.Bundle); err != nil {
			return out, err
		}
	}
	return out, s.update(ctx, now, func(tx Tx) error {
		if err := s.mayOpen(tx, actor, hash); err != nil { // now that its marking is known
			return err
		}
		s.noteCustody(tx, now, actor, hash, custodyOf(stix.Examined, "", "read under the profile "+stix.Profile, fmt.Sprintf("content SHA-256 %s, %d objects", out.Bundle.Digest, len(out.Bundle.Objects))))
		return s.audit(tx, now, actor, "evidence read", hash.String(), "done", fmt.Sprintf("%d objects", len(out.Bundle.Objects)))
	})
}

// learn keeps what was read of a counterpart's bundle beside its blob.
func (s *Station) learn(ctx context.Context, now time.Time, hash identity.Digest, b *stix.Bundle) error {
	s.mu.Lock()
	archive, ok := s.keys.Archive[seal.PeriodOf(now)]
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("no archive key for the period %s: make one with `detente station rotate`", seal.PeriodOf(now))
	}
	manifest, err := s.keepManifest(ctx, b, archive.Recipient())
	if err != nil {
		return err
	}
	return s.update(ctx, now, func(tx Tx) error { return s.putSheet(tx, hash, makeSheet(b, manifest)) })
}

// openBundle unseals a blob and reads it.
func (s *Station) openBundle(hash identity.Digest) (*stix.Bundle, error) {
	r, err := s.blobs.Open(hash)
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", hash, err)
	}
	defer r.Close()
	held := &bounded{}
	if err := seal.OpenStream(held, r, s.identities(false)...); err != nil && !held.full {
		return nil, fmt.Errorf("blob %s: %w", hash, err)
	}
	b, err := stix.Read(&held.Buffer) // tells a bundle that is too large in its own words
	return b, refusedBundle(err)
}

// bounded keeps what is written up to the limit of a bundle, and one byte.
type bounded struct {
	bytes.Buffer
	full bool
}

// Write writes.
func (b *bounded) Write(p []byte) (int, error) {
	if room := stix.MaxBytes + 1 - b.Len(); len(p) > room {
		b.full = true
		n, _ := b.Buffer.Write(p[:room]) // never fails
		return n, io.ErrShortWrite
	}
	return b.Buffer.Write(p)
}
