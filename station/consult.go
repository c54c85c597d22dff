package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// PackView is the data pack of a consultation, with its one form.
type PackView struct {
	Pack  dossier.Pack
	Bytes []byte // canonical
	Hash  identity.Digest
}

// Pack makes the data pack of a line for a period that has ended, from the record
// alone: the counterpart's station makes the same once it has the same record.
// ErrInvalid where the period is none or is not over. That it was made is noted in
// the audit trail.
func (s *Station) Pack(ctx context.Context, actor Actor, now time.Time, l identity.Line, from, to time.Time) (v PackView, err error) {
	if err := actor.must("make a data pack", RoleRead); err != nil {
		return v, s.refused(ctx, now, actor, "consultation pack", l.String(), err)
	}
	if to.After(now) {
		err = fmt.Errorf("%w: to: %s is still to come; end the period by now, for the record goes no further", ErrInvalid, to.UTC().Format(time.RFC3339))
	} else {
		err = s.matters(ctx, l, func(_ Tx, m *Matters) error {
			if v.Pack, err = m.line.Pack(l, from, to); err != nil {
				return fmt.Errorf("%w: from, to: %w", ErrInvalid, err)
			}
			return nil
		})
	}
	if err == nil {
		v.Bytes, err = v.Pack.Bytes()
		v.Hash = identity.Sum(v.Bytes)
	}
	if err := s.looked(ctx, now, actor, "consultation pack", l.String(), v.Pack.From+" to "+v.Pack.To+" "+v.Hash.String(), err); err != nil {
		return PackView{}, err
	}
	return v, nil
}

// ConsultationsView is the consultations of a line and what came of them.
type ConsultationsView struct {
	Line    identity.Line
	At      time.Time
	List    []dossier.Consultation
	Actions []dossier.Action // of all agreed records, the first due first
}

// Consultations returns the consultations of a line as of a second (zero: now).
// That they were read is noted in the audit trail.
func (s *Station) Consultations(ctx context.Context, actor Actor, now time.Time, l identity.Line, at time.Time) (ConsultationsView, error) {
	v := ConsultationsView{Line: l, At: asked(at, now)}
	err := s.lookAtLine(ctx, actor, now, "consultations", l, v.At, func(m *Matters) { v.List, v.Actions = m.line.Consultations(v.At) })
	return v, err
}

// ProgrammeView is the programme of measures of a line.
type ProgrammeView struct {
	Line identity.Line
	dossier.Programme
}

// Programme returns the programme of measures of a line as of a second (zero:
// now). That it was read is noted in the audit trail.
func (s *Station) Programme(ctx context.Context, actor Actor, now time.Time, l identity.Line, at time.Time) (ProgrammeView, error) {
	v := ProgrammeView{Line: l}
	second := asked(at, now)
	err := s.lookAtLine(ctx, actor, now, "programme", l, second, func(m *Matters) { v.Programme = m.line.Programme(second) })
	return v, err
}

// lookAtLine lets somebody who may read look at one line as it is folded.
func (s *Station) lookAtLine(ctx context.Context, actor Actor, now time.Time, act string, l identity.Line, at time.Time, do func(*Matters)) error {
	if err := actor.must("read "+act, RoleRead); err != nil {
		return s.refused(ctx, now, actor, act, l.String(), err)
	}
	err := s.matters(ctx, l, func(_ Tx, m *Matters) error {
		do(m)
		return nil
	})
	return s.looked(ctx, now, actor, act, l.String(), "as of "+at.Format(time.RFC3339), err)
}

// fitsRecord returns ErrInvalid, with the place, where a body says another thing
// than the record that it would be released from, or than the text that goes with
// it. It reads before the transaction that submits; for all other formats it costs
// nothing.
func (s *Station) fitsRecord(ctx context.Context, now time.Time, b message.Body) error {
	var err error
	switch b.Format {
	case "454":
		err = s.matters(ctx, b.Line, func(_ Tx, m *Matters) error { return m.line.Programme(second(now)).ReviewFits(b) })
	case "500":
		err = s.draftFits(b)
	case "501":
		err = s.matters(ctx, b.Line, func(tx Tx, m *Matters) error {
			named, err := s.bodiesNamed(tx, b)
			if err != nil {
				return err
			}
			return signatureFits(b, m.line.Negotiations(second(now)), named)
		})
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// bodiesNamed returns the messages that a body refers to, as far as they stand in a log
// and can be read.
func (s *Station) bodiesNamed(tx Tx, b message.Body) (list []message.Body, err error) {
	for _, ref := range b.Refs {
		m, err := tx.MessageByID(ref)
		if errors.Is(err, ErrNotFound) {
			continue // it waits, or is unknown: what submits says so
		}
		if err != nil {
			return nil, err
		}
		if m.Problem == "" {
			list = append(list, s.opened(m).Entry.Body.Body())
		}
	}
	return list, nil
}
