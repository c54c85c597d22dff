package station

import (
	"context"
	"fmt"
	"time"

	"detente/identity"
	"detente/interop/stix"
)

// The custody of a blob is a chain of events under the hash of its sealed bytes,
// by which both stations and their messages name it. Each event is a line of the
// audit trail as well.

func settingCustody(hash identity.Digest) string { return "custody/" + hash.String() }

// custodyOf is an event but for who, when and of what.
func custodyOf(act stix.Act, other identity.Station, method, result string) stix.Event {
	return stix.Event{Act: act, Other: other, Method: method, Result: result}
}

func (s *Station) custodyOf(tx Tx, hash identity.Digest) (stix.Custody, error) {
	text, err := tx.Setting(settingCustody(hash))
	if err != nil {
		return stix.Custody{}, err
	}
	c, err := stix.ParseCustody(text)
	if err != nil {
		return c, fmt.Errorf("internal error: stored custody of %s: %w", hash, err)
	}
	return c, nil
}

// addCustody adds an event to a blob's chain. What is sent goes sealed, whatever
// was done with a copy of it before.
func (s *Station) addCustody(tx Tx, now time.Time, actor Actor, hash identity.Digest, e stix.Event) error {
	c, err := s.custodyOf(tx, hash)
	if err != nil {
		return err
	}
	e.Artefact, e.At, e.Station, e.Officer = hash, second(now).UTC(), s.name, actor.Name
	if last := c.Events(); e.Act == stix.Sent && len(last) > 0 && last[len(last)-1].Act == stix.Examined {
		kept := e
		kept.Act, kept.Other, kept.Method, kept.Result = stix.Sealed, "", "kept sealed; what was examined was a copy", ""
		if c, err = c.Add(kept); err != nil {
			return err
		}
	}
	if c, err = c.Add(e); err != nil {
		return err
	}
	if err := tx.PutSetting(settingCustody(hash), c.Bytes()); err != nil {
		return err
	}
	return s.audit(tx, now, actor, "custody", hash.String(), "done", string(e.Act))
}

// noteCustody adds an event of what the station does anyway: where the chain does
// not take it, the audit trail says so, and nothing is held up.
func (s *Station) noteCustody(tx Tx, now time.Time, actor Actor, hash identity.Digest, e stix.Event) {
	if err := s.addCustody(tx, now, actor, hash, e); err != nil {
		_ = s.audit(tx, now, actor, "custody", hash.String(), "failed", string(e.Act)+": "+err.Error()) // the transaction fails with it at its next step
	}
}

// AddCustody notes what an officer did with a blob: that it was examined, or
// released, to whom the result says. What the station does itself, it notes.
func (s *Station) AddCustody(ctx context.Context, actor Actor, now time.Time, hash identity.Digest, act stix.Act, method, result string) (stix.Custody, error) {
	var c stix.Custody
	err := actor.must("note the custody of evidence", RoleDraft)
	switch {
	case err != nil:
	case act != stix.Examined && act != stix.Released:
		err = fmt.Errorf("%w: act %q: an officer notes that evidence was examined or released; the rest the station notes itself", ErrInvalid, quotable(string(act)))
	case act == stix.Released && result == "":
		err = fmt.Errorf("%w: result: say to whom the evidence was released", ErrInvalid)
	default:
		err = s.update(ctx, now, func(tx Tx) (err error) {
			if _, err = tx.Blob(hash); err != nil {
				return err
			}
			if err = s.mayOpen(tx, actor, hash); err != nil {
				return err
			}
			if err = s.addCustody(tx, now, actor, hash, custodyOf(act, "", method, result)); err != nil {
				return fmt.Errorf("%w: %w", ErrConflict, err)
			}
			c, err = s.custodyOf(tx, hash)
			return err
		})
	}
	if err != nil {
		return c, s.refused(ctx, now, actor, "custody", hash.String(), err)
	}
	return c, nil
}

// Custody returns the chain of what was done with a blob, checked link by link.
func (s *Station) Custody(ctx context.Context, actor Actor, now time.Time, hash identity.Digest) (stix.Custody, error) {
	var c stix.Custody
	err := actor.must("see the custody of evidence", RoleRead, RoleAudit)
	if err == nil {
		err = s.update(ctx, now, func(tx Tx) (err error) {
			if _, err = tx.Blob(hash); err != nil {
				return err
			}
			if c, err = s.custodyOf(tx, hash); err != nil {
				return err
			}
			return s.audit(tx, now, actor, "custody read", hash.String(), "done", "")
		})
	}
	if err != nil {
		return stix.Custody{}, s.refused(ctx, now, actor, "custody read", hash.String(), err)
	}
	return c, nil
}
