package station

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/interop/reveal"
	"detente/interop/stix"
	"detente/message"
	"detente/record"
	"detente/seal"
)

// committedParam is the parameter by which a format commits to what is shown
// later: digests of reveal commitments.
const committedParam = "committed"

// maxDisclosure bounds, in bytes, a disclosure that is read when it is asked for.
// One of the largest bundle's objects of a kilobyte each fits.
const maxDisclosure = 512 << 20

// CommitmentState says how far a commitment was kept, a code.
type CommitmentState string

// How a commitment stands.
const (
	NotRevealed     CommitmentState = "committed-not-revealed"
	RevealedAsIs    CommitmentState = "revealed-as-committed"
	RevealedInPart  CommitmentState = "revealed-in-part" // some objects, as committed
	RevealedAnother CommitmentState = "revealed-another" // what was shown is not what was committed
)

// Committed is a commitment in a matter and what was revealed of it.
type Committed struct {
	Commitment identity.Digest
	By         identity.Station
	Message    message.ID // that states it
	Citation   string
	State      CommitmentState
	Shown      int64 // objects shown, of the fullest disclosure
	Objects    int64 // of the bundle; 0 until one is shown: the commitment hides it
	Blob       identity.Digest
	In         string // citation of the message that names Blob
	Reason     string // of another: why, in English; of none revealed: what is still to come
}

// Commitments lists what was committed to in the dossier of a message, in the
// order of the dossier, and binds to each what its author revealed since. A
// disclosure that came is read now, and never before somebody asks; what it
// proves is kept. Reading is a custody event of the blob. ErrNotFound where there
// is no such message.
func (s *Station) Commitments(ctx context.Context, actor Actor, now time.Time, text string) ([]Committed, error) {
	list, err := s.commitments(ctx, actor, now, text)
	if err := s.looked(ctx, now, actor, "commitments", quotable(text), fmt.Sprintf("%d commitments", len(list)), err); err != nil {
		return nil, err
	}
	return list, nil
}

// revealed is a disclosure that a message names.
type revealed struct {
	blob     identity.Digest
	by       identity.Station
	citation string
	proof    revealProof
	missing  bool // it is not here whole
}

// revealProof is what is kept of a disclosure that was read.
type revealProof struct {
	Commitment identity.Digest `json:"commitment"`
	Objects    int64           `json:"objects"`
	Shown      int64           `json:"shown"`
	Fault      string          `json:"fault,omitzero"` // why it proves nothing
}

func settingReveal(hash identity.Digest) string { return "reveal/" + hash.String() }

func (s *Station) commitments(ctx context.Context, actor Actor, now time.Time, text string) ([]Committed, error) {
	if err := actor.must("see commitments", RoleRead); err != nil {
		return nil, err
	}
	var list []Committed
	var shown []revealed
	err := s.store.View(ctx, func(tx Tx) error {
		entries, err := s.exportDossier(tx, text)
		if err != nil {
			return err
		}
		list, shown, err = s.committedIn(tx, actor, entries)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range shown {
		if err := s.prove(ctx, actor, now, &shown[i]); err != nil {
			return nil, err
		}
	}
	for i := range list {
		list[i].bind(shown, list)
	}
	return list, nil
}

// committedIn returns the commitments and the disclosures of messages.
func (s *Station) committedIn(tx Tx, actor Actor, entries []record.Entry) (list []Committed, shown []revealed, err error) {
	slices.SortFunc(entries, func(a, b record.Entry) int {
		if a.Origin != b.Origin {
			return strings.Compare(a.Origin.String(), b.Origin.String())
		}
		return int(a.Index - b.Index)
	})
	for _, e := range entries {
		m, err := tx.Message(e.Origin, e.Index)
		if err != nil {
			return nil, nil, err
		}
		r, err := s.readable(tx, actor, m)
		if err != nil {
			return nil, nil, err
		}
		if len(r.Entry.Body.Bytes()) == 0 {
			continue
		}
		b := r.Entry.Body.Body()
		for _, d := range digestsIn(b) {
			list = append(list, Committed{Commitment: d, By: b.From, Message: b.ID, Citation: r.Citation, State: NotRevealed})
		}
		for _, ref := range s.blobsIn(b) {
			if hash, err := identity.ParseDigest(ref.Hash); err == nil && isDisclosure(ref.Type) {
				shown = append(shown, revealed{blob: hash, by: b.From, citation: r.Citation})
			}
		}
	}
	return list, shown, nil
}

// digestsIn returns what a body commits to.
func digestsIn(b message.Body) (list []identity.Digest) {
	var texts []string
	if json.Unmarshal(b.Params[committedParam], &texts) != nil {
		return nil // it commits to nothing
	}
	for _, t := range texts {
		if d, err := identity.ParseDigest(t); err == nil {
			list = append(list, d)
		}
	}
	return list
}

func isDisclosure(mediaType string) bool {
	t, _, err := mime.ParseMediaType(mediaType)
	return err == nil && t == reveal.MediaType
}

// prove reads a disclosure, or what is kept of its reading.
func (s *Station) prove(ctx context.Context, actor Actor, now time.Time, r *revealed) error {
	var kept []byte
	err := s.store.View(ctx, func(tx Tx) (err error) {
		if err := s.mayOpen(tx, actor, r.blob); err != nil {
			return err
		}
		kept, err = tx.Setting(settingReveal(r.blob))
		return err
	})
	if err != nil {
		return err
	}
	if kept != nil {
		return json.Unmarshal(kept, &r.proof)
	}
	report, err := s.readDisclosure(r.blob)
	switch {
	case errors.Is(err, ErrNotFound):
		r.missing = true
		return nil
	case errors.Is(err, reveal.ErrRefused):
		r.proof = revealProof{Fault: err.Error()}
	case err != nil:
		return err
	default:
		c := report.Commitment
		r.proof = revealProof{Commitment: c.Digest(), Objects: c.Objects, Shown: int64(len(report.Shown))}
	}
	text, err := json.Marshal(r.proof, json.Deterministic(true))
	if err != nil {
		return err
	}
	return s.update(ctx, now, func(tx Tx) error {
		s.noteCustody(tx, now, actor, r.blob, custodyOf(stix.Examined, "", "read as a disclosure", fmt.Sprintf("%d of %d objects, commitment %s", r.proof.Shown, r.proof.Objects, r.proof.Commitment)))
		return tx.PutSetting(settingReveal(r.blob), text)
	})
}

// readDisclosure unseals a blob while it is verified: neither is held whole.
func (s *Station) readDisclosure(hash identity.Digest) (reveal.Report, error) {
	blob, err := s.blobs.Open(hash)
	if err != nil {
		return reveal.Report{}, fmt.Errorf("blob %s: %w", hash, err)
	}
	defer blob.Close()
	out, in := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.CloseWithError(seal.OpenStream(in, blob, s.identities(false)...))
	}()
	report, err := reveal.Verify(io.LimitReader(out, maxDisclosure), identity.Digest{})
	_ = out.Close() // never fails
	<-done
	return report, err
}

// bind says how a commitment stands by what its author revealed. What is revealed
// and fits no commitment of its author in the matter is another one, and stands
// beside each that is still open.
func (c *Committed) bind(shown []revealed, all []Committed) {
	for _, r := range shown {
		if r.by != c.By {
			continue
		}
		fits := func(o Committed) bool { return o.By == r.by && o.Commitment == r.proof.Commitment }
		switch {
		case c.State == RevealedAsIs:
		case r.missing:
			if c.State == NotRevealed {
				c.Blob, c.In, c.Reason = r.blob, r.citation, "a disclosure was named and is not here yet"
			}
		case r.proof.Fault == "" && fits(*c):
			if r.proof.Shown < c.Shown {
				continue
			}
			c.State, c.Reason = RevealedInPart, ""
			if r.proof.Shown == r.proof.Objects {
				c.State = RevealedAsIs
			}
			c.Blob, c.In, c.Shown, c.Objects = r.blob, r.citation, r.proof.Shown, r.proof.Objects
		case c.State != RevealedInPart && !slices.ContainsFunc(all, fits):
			c.State, c.Blob, c.In, c.Reason = RevealedAnother, r.blob, r.citation, r.proof.Fault
			if c.Reason == "" {
				c.Reason = "what was shown was committed to as " + r.proof.Commitment.String()
			}
		}
	}
}
