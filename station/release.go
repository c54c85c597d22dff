package station

import (
	"context"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
)

// decisions that an approval may carry.
const (
	decisionApprove = "approve"
	decisionReject  = "reject"
)

// Release is a request as an officer has to see it before signing.
type Release struct {
	Outgoing Outgoing
	Frozen   message.Frozen
	Policy   identity.Digest // of the release policy that counts
	Expires  time.Time       // until when it may be appended on these approvals
	Have     int             // officers counted so far
	Need     int
}

// Request returns what an officer signs to take a decision in a role.
func (r Release) Request(role, decision string) identity.Request {
	return identity.Request{
		Body: r.Frozen.Digest(), ID: r.Outgoing.Request, Role: role,
		Expires: r.Expires, Policy: r.Policy, Decision: decision,
	}
}

// Release returns the request for a message's release.
func (s *Station) Release(ctx context.Context, actor Actor, id message.ID) (Release, error) {
	if err := actor.must("see a release", RoleRead, RoleDraft); err != nil {
		return Release{}, err
	}
	var r Release
	err := s.store.View(ctx, func(tx Tx) (err error) {
		out, err := tx.Outgoing(id)
		if err != nil {
			return fmt.Errorf("release of %s: %w", id, err)
		}
		r, err = s.release(tx, out)
		return err
	})
	return r, err
}

func (s *Station) release(tx Tx, out Outgoing) (Release, error) {
	frozen, err := message.ParseBody(out.Body)
	if err != nil {
		return Release{}, fmt.Errorf("internal error: stored body of %s: %w; run `detente station doctor`", out.ID, err)
	}
	policy, err := s.ownPolicy(tx, out.Line)
	if err != nil {
		return Release{}, err
	}
	counted, err := s.approvals(out)
	if err != nil {
		return Release{}, err
	}
	v := policy.Judge(frozen.Body(), counted)
	return Release{Outgoing: out, Frozen: frozen, Policy: policy.Digest(), Expires: s.releaseEnds(out, frozen.Body()), Have: v.Have, Need: v.Need}, nil
}

// Approve takes an officer's signed decision on a message that awaits release.
// The last approval that the policy asks for puts the message into the queue,
// in the same transaction. An approval given twice changes nothing; one by a
// pseudonym that was counted already is ErrRefused. A rejection ends the
// request. What does not verify is refused and audited.
func (s *Station) Approve(ctx context.Context, actor Actor, now time.Time, id message.ID, a identity.Approval) (Outgoing, error) {
	cert, err := s.verifyApproval(a, now)
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "approve", id.String(), fmt.Errorf("%w: %w", ErrRefused, err))
	}
	actor.Name = cert.Pseudonym
	text := a.Bytes()
	var out Outgoing
	err = s.update(ctx, now, func(tx Tx) (err error) {
		if out, err = tx.Outgoing(id); err != nil {
			return fmt.Errorf("release of %s: %w", id, err)
		}
		if has(out.Approvals, text) {
			return nil
		}
		if err := s.officerStands(tx, cert, now); err != nil {
			return err
		}
		if out, err = s.decide(tx, now, out, a, text, cert); err != nil {
			return err
		}
		if err := s.audit(tx, now, actor, a.Request.Decision, id.String(), "done", a.Request.Role); err != nil {
			return err
		}
		return tx.PutOutgoing(out)
	})
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "approve", id.String(), err)
	}
	return out, nil
}

// decide applies a verified decision, whose bytes are text, to a message that
// awaits release.
func (s *Station) decide(tx Tx, now time.Time, out Outgoing, a identity.Approval, text []byte, cert identity.Certificate) (Outgoing, error) {
	if out.State != Awaiting {
		return out, fmt.Errorf("%w: message %s no longer awaits release: it is %s", ErrConflict, out.ID, out.State)
	}
	r, err := s.release(tx, out)
	if err != nil {
		return out, err
	}
	if want := r.Request(a.Request.Role, a.Request.Decision); !a.Request.Equal(want) {
		return out, fmt.Errorf("%w: the approval of %s was given for another body, request, policy or expiry than what awaits release now: show it again and sign anew", ErrRefused, cert.Pseudonym)
	}
	if a.Request.Decision == decisionReject {
		out.State, out.Reason = Rejected, "rejected by "+cert.Pseudonym
		out.Next = "nothing: submit a new draft"
		return out, s.event(tx, now, "release", out.ID.String(), out.Reason)
	}
	before, err := s.approvals(out)
	if err != nil {
		return out, err
	}
	for _, b := range before {
		if b.Pseudonym == cert.Pseudonym {
			return out, fmt.Errorf("%w: %s has approved this message already, and one officer counts once: a second officer is needed", ErrRefused, cert.Pseudonym)
		}
	}
	out.Approvals = append(out.Approvals, text)
	policy, err := s.ownPolicy(tx, out.Line)
	if err != nil {
		return out, err
	}
	s.judgeRelease(&out, policy, r.Frozen, now)
	if out.State == Waiting {
		s.touch(out.Line)
	}
	return out, s.event(tx, now, "release", out.ID.String(), out.Reason)
}

// judgeRelease sets the state of a message that awaits release by the policy.
func (s *Station) judgeRelease(out *Outgoing, policy message.Policy, f message.Frozen, now time.Time) {
	counted, err := s.approvals(*out)
	if err != nil {
		out.Reason = err.Error()
		return
	}
	switch v := policy.Judge(f.Body(), counted); v.Verdict {
	case message.Released:
		out.State, out.Released, out.Until = Waiting, second(now), s.releaseEnds(*out, f.Body())
		out.Reason, out.Next = "released, waits for its place in the log", "it is appended as soon as the line has room"
	default:
		out.Reason = fmt.Sprintf("awaits release: %d of %d officers have approved", v.Have, v.Need)
		if v.Reason != "" {
			out.Reason += "; " + v.Reason
		}
		out.Next = "the next officer approves with `detente release approve " + out.ID.String() + "`"
	}
}

// ReleaseAlone sends a message that has fewer approvals than the policy asks
// for, where the policy lets that happen. It goes marked PROVISIONAL, and must
// be confirmed or withdrawn by a message of format 018 in the time the policy
// sets.
func (s *Station) ReleaseAlone(ctx context.Context, actor Actor, now time.Time, id message.ID) (Outgoing, error) {
	if err := actor.must("release a message", RoleDraft); err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "release alone", id.String(), err)
	}
	var out Outgoing
	err := s.update(ctx, now, func(tx Tx) (err error) {
		if out, err = tx.Outgoing(id); err != nil {
			return fmt.Errorf("release of %s: %w", id, err)
		}
		if out.State != Awaiting {
			return fmt.Errorf("%w: message %s no longer awaits release: it is %s", ErrConflict, id, out.State)
		}
		r, err := s.release(tx, out)
		if err != nil {
			return err
		}
		policy, err := s.ownPolicy(tx, out.Line)
		if err != nil {
			return err
		}
		counted, err := s.approvals(out)
		if err != nil {
			return err
		}
		if v := policy.Judge(r.Frozen.Body(), counted); v.Verdict != message.Provisional {
			return fmt.Errorf("%w: the release policy does not let %s go at %s on %d officers: %s", ErrRefused, out.Format, out.Precedence, v.Have, v.Reason)
		}
		out.State, out.Provisional, out.Released, out.Until = Waiting, true, second(now), r.Expires
		out.Reason, out.Next = "released by one officer, PROVISIONAL", "confirm or withdraw it with a message of format 018"
		s.touch(out.Line)
		if err := s.audit(tx, now, actor, "release alone", id.String(), "done", ""); err != nil {
			return err
		}
		return tx.PutOutgoing(out)
	})
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "release alone", id.String(), err)
	}
	return out, nil
}

// Withdraw takes back a message that has not been appended yet. One that
// stands in the log is ErrConflict: it can only be recalled by another message.
func (s *Station) Withdraw(ctx context.Context, actor Actor, now time.Time, id message.ID, reason string) (Outgoing, error) {
	if err := actor.must("withdraw a message", RoleDraft); err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "withdraw", id.String(), err)
	}
	var out Outgoing
	err := s.update(ctx, now, func(tx Tx) (err error) {
		if out, err = tx.Outgoing(id); err != nil {
			return fmt.Errorf("withdrawing %s: %w", id, err)
		}
		if out.State != Awaiting && out.State != Waiting {
			return fmt.Errorf("%w: message %s cannot be withdrawn any more: it is %s", ErrConflict, id, out.State)
		}
		out.State, out.Reason, out.Next = Withdrawn, "withdrawn by "+actor.Name, "nothing"
		if reason != "" {
			out.Reason += ": " + reason
		}
		if err := s.audit(tx, now, actor, "withdraw", id.String(), "done", reason); err != nil {
			return err
		}
		if err := s.event(tx, now, "release", id.String(), out.Reason); err != nil {
			return err
		}
		return tx.PutOutgoing(out)
	})
	if err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "withdraw", id.String(), err)
	}
	return out, nil
}

// expire ends the requests and the waiting messages whose time has run out.
func (s *Station) expire(tx Tx, now time.Time) error {
	const atOnce = 500 // one transaction's share; the rest follows at the next tick
	late, err := tx.ExpiringOutgoing(second(now), atOnce)
	if err != nil {
		return err
	}
	for _, out := range late {
		out.State, out.Reason, out.Next = Expired, "its time ran out before it could be appended", "submit it again if it still has to be said"
		if err := tx.PutOutgoing(out); err != nil {
			return err
		}
		if err := s.audit(tx, now, itself, "expire", out.ID.String(), "done", ""); err != nil {
			return err
		}
		if err := s.event(tx, now, "release", out.ID.String(), out.Reason); err != nil {
			return err
		}
	}
	return nil
}
