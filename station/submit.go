package station

import (
	"context"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
)

// Draft is what an officer wants said, before its bytes are fixed.
type Draft struct {
	ID         message.ID // zero: a random one is chosen
	Line       identity.Line
	Format     message.Format
	Precedence message.Precedence // zero: the format's usual one
	Marking    message.Marking
	Language   string
	Expires    time.Time // zero: it does not expire by itself
	Refs       []message.ID
	Params     map[string]jsontext.Value
}

// Submit fixes the bytes of a draft and asks for its release. From then on the
// body never changes. A format that the release policy lets go on nobody's
// word enters the queue at once. Submitting the same draft with the same ID
// again returns what the first time made; another draft with that ID is
// ErrConflict. What is wrong with the draft is an error that wraps ErrInvalid
// and names the field.
func (s *Station) Submit(ctx context.Context, actor Actor, now time.Time, d Draft) (Outgoing, error) {
	if err := actor.must("submit a message", RoleDraft); err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "submit", string(d.Format), err)
	}
	frozen, err := s.freeze(now, d)
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "submit", string(d.Format), fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	if err := s.fitsRecord(ctx, now, frozen.Body()); err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "submit", string(d.Format), err)
	}
	request, err := s.newID()
	if err != nil {
		return Outgoing{}, err
	}
	var out Outgoing
	err = s.update(ctx, now, func(tx Tx) error {
		if before, err := tx.Outgoing(frozen.Body().ID); err == nil {
			if before, err = s.withTexts(tx, before); err != nil {
				return err
			}
			if string(before.Body) != string(frozen.Bytes()) {
				return fmt.Errorf("%w: message %s exists with another body: leave the ID out to get a new one", ErrConflict, before.ID)
			}
			out = before
			return nil
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		if _, err := tx.MessageByID(frozen.Body().ID); err == nil {
			return fmt.Errorf("%w: message %s stands in a log already", ErrConflict, frozen.Body().ID)
		}
		out, err = s.enqueue(tx, now, frozen, request)
		if err != nil {
			return err
		}
		if err := s.nameBlobs(tx, out, s.blobsIn(frozen.Body())); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "submit", out.ID.String(), "done", string(d.Format)+" on "+d.Line.String())
	})
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "submit", frozen.Body().ID.String(), err)
	}
	return out, nil
}

// freeze checks a draft against the signal book and the line and fixes its
// bytes.
func (s *Station) freeze(now time.Time, d Draft) (message.Frozen, error) {
	if !d.Line.Has(s.name) {
		return message.Frozen{}, fmt.Errorf("line %s is not a line of %s: see `detente line list`", d.Line, s.name)
	}
	edition := s.speaks(now, d.Line)
	format, ok := edition.Format(d.Format)
	if !ok {
		return message.Frozen{}, fmt.Errorf("format %s is not in edition %s of the signal book: see `detente book list`", d.Format, edition.Name())
	}
	if d.ID == (message.ID{}) {
		id, err := s.newID()
		if err != nil {
			return message.Frozen{}, err
		}
		d.ID = id
	}
	if d.Precedence == 0 {
		d.Precedence = format.Usual()
	}
	if d.Marking.TLP == "" {
		return message.Frozen{}, errors.New("marking: a TLP 2.0 label is needed before release: CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
	}
	if !d.Expires.IsZero() && !d.Expires.After(now) {
		return message.Frozen{}, fmt.Errorf("expires: %s has passed; give a later time, or none", d.Expires.UTC().Format(time.RFC3339))
	}
	body := message.Body{
		ID: d.ID, Format: d.Format, Edition: edition.Hash(), Line: d.Line, From: s.name, To: d.Line.Other(s.name),
		Precedence: d.Precedence, Marking: d.Marking, Language: d.Language, Expires: d.Expires.UTC(), Refs: d.Refs, Params: d.Params,
	}
	if err := edition.Check(body); err != nil {
		return message.Frozen{}, err
	}
	if err := checkPolicy(body); err != nil {
		return message.Frozen{}, err
	}
	return body.Freeze()
}

// checkPolicy returns what the release policy that a body states may not say;
// nil for all other bodies.
func checkPolicy(b message.Body) error {
	if b.Format != "005" {
		return nil
	}
	p, err := message.PolicyOf(b)
	if err != nil {
		return err
	}
	return p.Check()
}

// enqueue puts a frozen body before the officers, or straight into the queue
// where the policy asks for none.
func (s *Station) enqueue(tx Tx, now time.Time, f message.Frozen, request [16]byte) (Outgoing, error) {
	b := f.Body()
	if _, err := tx.Line(b.Line); err != nil {
		return Outgoing{}, fmt.Errorf("line %s: %w: open it first with `detente line open`", b.Line, err)
	}
	for _, ref := range b.Refs {
		if err := s.known(tx, b.Line, ref); err != nil {
			return Outgoing{}, err
		}
	}
	if err := s.fits(tx, b); err != nil {
		return Outgoing{}, err
	}
	if err := s.markingsAllow(tx, b); err != nil {
		return Outgoing{}, err
	}
	order, err := tx.NextOrder()
	if err != nil {
		return Outgoing{}, err
	}
	out := Outgoing{
		ID: b.ID, Line: b.Line, Format: b.Format, Precedence: b.Precedence, Lent: b.Precedence, State: Awaiting,
		Body: f.Bytes(), Request: request, Until: s.requestEnds(now, b), Asked: second(now), Order: order, Refs: b.Refs,
	}
	if err := s.judgeRelease(tx, &out, f, now); err != nil {
		return Outgoing{}, err
	}
	if err := s.event(tx, now, "release", out.ID.String(), out.Reason); err != nil {
		return Outgoing{}, err
	}
	return out, tx.PutOutgoing(out)
}

// ahead is the precedence lent to entry 0 of a log: nothing comes before it.
const ahead = message.Flash + 1

// enqueueOpening puts entry 0 of a log into the queue, before all that waits.
func (s *Station) enqueueOpening(tx Tx, now time.Time, f message.Frozen, request [16]byte) (Outgoing, error) {
	out, err := s.enqueue(tx, now, f, request)
	if err != nil {
		return out, err
	}
	out.Lent = ahead
	return out, tx.PutOutgoing(out)
}

// known returns an error unless the message that is referred to stands in a
// log of the line or waits to.
func (s *Station) known(tx Tx, l identity.Line, id message.ID) error {
	if m, err := tx.MessageByID(id); err == nil {
		if m.Origin.Line() != l {
			return fmt.Errorf("%w: refs: message %s stands on line %s, and a message refers only to its own line", ErrInvalid, id, m.Origin.Line())
		}
		return nil
	}
	if out, err := tx.Outgoing(id); err == nil && out.Line == l && (out.State == Awaiting || out.State == Waiting) {
		return nil
	}
	return fmt.Errorf("%w: refs: no message %s is known on line %s: check the reference", ErrInvalid, id, l)
}

// requestEnds returns the moment at which a request for release lapses where
// not enough officers have approved it.
func (s *Station) requestEnds(now time.Time, b message.Body) time.Time {
	within := s.bounds().ApprovalRoutine
	if b.Precedence == message.Flash {
		within = s.bounds().ApprovalFlash
	}
	return sooner(second(now.Add(within)), b.Expires)
}

// releaseEnds returns the moment until which officers approve a message to be
// appended, which each of them signs: a line may be down for days, and what was
// released meanwhile has to leave when it is back.
func (s *Station) releaseEnds(out Outgoing, b message.Body) time.Time {
	return sooner(out.Asked.Add(s.bounds().ReleaseStands), b.Expires)
}

// sooner returns the earlier of a time and a second one that may be zero: none.
func sooner(t, other time.Time) time.Time {
	if !other.IsZero() && other.Before(t) {
		return other
	}
	return t
}
