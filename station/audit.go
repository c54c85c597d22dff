package station

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// audit writes a line of the audit trail in the transaction of the act itself.
func (s *Station) audit(tx Tx, now time.Time, actor Actor, act, object, result, detail string) error {
	_, err := tx.AppendAudit(Audit{At: second(now), Actor: actor.Name, Act: act, Object: object, Result: result, Detail: detail})
	return err
}

// refused writes a refusal or failure into the audit trail, in a transaction of
// its own since the act's own left no trace, and returns the error that caused
// it.
func (s *Station) refused(ctx context.Context, now time.Time, actor Actor, act, object string, cause error) error {
	if _, tried := errors.AsType[*TriedError](cause); tried {
		return cause // audited as such
	}
	result := "failed"
	if errors.Is(cause, ErrRefused) || errors.Is(cause, ErrInvalid) || errors.Is(cause, ErrConflict) {
		result = "refused"
	}
	err := s.update(inEarnest(context.WithoutCancel(ctx)), now, func(tx Tx) error {
		return s.audit(tx, now, actor, act, object, result, cause.Error())
	})
	if err != nil {
		return errors.Join(cause, fmt.Errorf("audit trail: %w", err))
	}
	return cause
}

// denied writes a refusal of what only looks, and has not been told the time:
// it is stamped with that of the last tick.
func (s *Station) denied(ctx context.Context, actor Actor, act string, cause error) error {
	s.mu.Lock()
	at := s.clock.last
	s.mu.Unlock()
	if at.IsZero() {
		at = s.since
	}
	return s.refused(ctx, at, actor, act, "", cause)
}

// event writes an event for the streams.
func (s *Station) event(tx Tx, now time.Time, kind, ref, text string) error {
	_, err := tx.AppendEvent(Event{At: second(now), Kind: kind, Ref: ref, Text: text})
	return err
}

// Cite names an entry as people cite it: ARD/BOR-N1-417.
func (s *Station) Cite(o identity.Origin, index int64) string {
	return message.Cite(s.code(o.Writer), s.code(o.Reader), o.Class, o.Era, index)
}

func (s *Station) code(name identity.Station) identity.Code {
	if name == s.name {
		return s.own.Load().Card.Code
	}
	if p, err := s.peerNamed(name); err == nil {
		return p.Card.Code
	}
	return "???"
}

// CheckAudit reads the whole audit trail and returns an error that names the
// first line whose hash does not follow from the line before it.
func (s *Station) CheckAudit(ctx context.Context) error {
	const page = 1000
	return s.store.View(ctx, func(tx Tx) error {
		var last Audit
		for {
			lines, err := tx.Audits(last.Number+1, page)
			if err != nil || len(lines) == 0 {
				return err
			}
			for _, l := range lines {
				if l.Number != last.Number+1 {
					return fmt.Errorf("audit trail: line %d follows line %d: lines are missing", l.Number, last.Number)
				}
				if l.Hash != AuditHash(last.Hash, l) {
					return fmt.Errorf("audit trail: line %d was altered, or a line before it: its hash does not follow", l.Number)
				}
				last = l
			}
		}
	})
}

// AuditHash returns the hash of an audit line after the line with the hash
// previous (zero before the first): SHA-256 over previous and the line's
// fields, each with its length before it.
func AuditHash(previous identity.Digest, a Audit) identity.Digest {
	var b bytes.Buffer
	b.WriteString("detente/audit/v1\x00")
	b.Write(previous[:])
	for _, f := range []string{a.At.UTC().Format(time.RFC3339), a.Actor, a.Act, a.Object, a.Result, a.Detail} {
		fmt.Fprintf(&b, "%d:%s", len(f), f)
	}
	return identity.Sum(b.Bytes())
}

func has(list [][]byte, b []byte) bool {
	for _, e := range list {
		if bytes.Equal(e, b) {
			return true
		}
	}
	return false
}

func (s *Station) parseApprovals(raw [][]byte) ([]identity.Approval, error) {
	var all []identity.Approval
	for _, b := range raw {
		a, err := s.verifier.Parse(b)
		if err != nil {
			return nil, fmt.Errorf("internal error: stored approval: %w", err)
		}
		all = append(all, a)
	}
	return all, nil
}

// recount returns who has approved a message so that it counts at a time under
// a policy, and leaves out of the message every approval that does not, any
// more: given under another policy, expired, or by an officer whose certificate
// has ended or whom the station has revoked. The counterpart would refuse it.
// dropped says whose and why.
func (s *Station) recount(tx Tx, out *Outgoing, f message.Frozen, policy inForce, at time.Time) (counted []message.Approver, dropped []string, err error) {
	all, err := s.parseApprovals(out.Approvals)
	if err != nil {
		return nil, nil, err
	}
	r := Release{Outgoing: *out, Frozen: f, Policy: policy.Digest(), Expires: s.releaseEnds(*out, f.Body())}
	var kept [][]byte
	for i, a := range all {
		cert, why := s.verifyApproval(a, at)
		if why == nil {
			why = s.officerStands(tx, a, cert, at)
		}
		if why == nil && !a.Request.Equal(r.Request(a.Request.Role, a.Request.Decision)) {
			why = fmt.Errorf("%s approved under a release policy that is no longer in force", cert.Pseudonym)
		}
		if why != nil {
			dropped = append(dropped, why.Error())
			continue
		}
		kept = append(kept, out.Approvals[i])
		counted = append(counted, message.Approver{Pseudonym: cert.Pseudonym, Role: a.Request.Role, Decision: a.Request.Decision})
	}
	out.Approvals = kept
	return counted, dropped, nil
}

// verifyApproval verifies an approval by an officer of this station at a time.
func (s *Station) verifyApproval(a identity.Approval, at time.Time) (identity.Certificate, error) {
	return s.verifier.Verify(a, s.name, s.own.Load().Agencies, at)
}

// officerStands returns an error where the station has revoked the officer, or
// the certificate by which one signed.
func (s *Station) officerStands(tx Tx, a identity.Approval, cert identity.Certificate, now time.Time) error {
	o, err := tx.Officer(cert.Pseudonym)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: officer %s is not on this station's list: add the certificate with `detente officer add`", ErrRefused, cert.Pseudonym)
	}
	if err != nil {
		return err
	}
	if !o.Revoked.IsZero() && !now.Before(o.Revoked) {
		return fmt.Errorf("%w: officer %s was revoked at %s", ErrRefused, cert.Pseudonym, o.Revoked.UTC().Format(time.RFC3339))
	}
	if slices.Contains(o.Barred, identity.Sum(a.Certificate)) {
		return fmt.Errorf("%w: this certificate of officer %s was revoked: sign with the newer one", ErrRefused, cert.Pseudonym)
	}
	return nil
}
