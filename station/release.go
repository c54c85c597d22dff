package station

import (
	"context"
	"fmt"
	"slices"
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

// Release returns the request for a message's release, and notes in the audit
// trail that the actor read it.
func (s *Station) Release(ctx context.Context, actor Actor, now time.Time, id message.ID) (Release, error) {
	if err := actor.must("see a release", RoleRead, RoleDraft); err != nil {
		return Release{}, s.refused(ctx, now, actor, "release show", id.String(), err)
	}
	var r Release
	err := s.update(ctx, now, func(tx Tx) error {
		out, err := tx.Outgoing(id)
		if err == nil {
			out, err = s.withTexts(tx, out)
		}
		if err != nil {
			return fmt.Errorf("release of %s: %w", id, err)
		}
		if r, _, err = s.release(tx, now, out); err != nil {
			return err
		}
		if err := s.mayRead(tx, actor, out.Line, r.Frozen.Body().Marking.TLP, "the message "+id.String()); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "release show", id.String(), "done", "")
	})
	if err != nil {
		return Release{}, s.refused(ctx, now, actor, "release show", id.String(), err)
	}
	return r, nil
}

// release returns the request, without the approvals that no longer count, and
// the policy's verdict on the others.
func (s *Station) release(tx Tx, now time.Time, out Outgoing) (Release, message.Release, error) {
	frozen, err := s.bodies.parse(out.Body)
	if err != nil {
		return Release{}, message.Release{}, fmt.Errorf("internal error: stored body of %s: %w; run `detente station doctor`", out.ID, err)
	}
	policy, err := s.ownPolicy(tx, out.Line)
	if err != nil {
		return Release{}, message.Release{}, err
	}
	counted, _, err := s.recount(tx, &out, frozen, policy, now)
	if err != nil {
		return Release{}, message.Release{}, err
	}
	v := policy.Judge(frozen.Body(), counted)
	return Release{Outgoing: out, Frozen: frozen, Policy: policy.Digest(), Expires: s.releaseEnds(out, frozen.Body()), Have: v.Have, Need: v.Need}, v, nil
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
		if out, err = tx.Outgoing(id); err == nil {
			out, err = s.withTexts(tx, out)
		}
		if err != nil {
			return fmt.Errorf("release of %s: %w", id, err)
		}
		if has(out.Approvals, text) {
			return nil
		}
		if err := s.officerStands(tx, a, cert, now); err != nil {
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
	if !out.Until.After(now) {
		return out, lapsed(out)
	}
	r, _, err := s.release(tx, now, out)
	if err != nil {
		return out, err
	}
	out = r.Outgoing
	if want := r.Request(a.Request.Role, a.Request.Decision); !a.Request.Equal(want) {
		return out, fmt.Errorf("%w: the approval of %s was given for another body, request, policy or expiry than what awaits release now: show it again and sign anew", ErrRefused, cert.Pseudonym)
	}
	switch a.Request.Decision {
	case decisionReject:
		out.State, out.Reason = Rejected, "rejected by "+cert.Pseudonym
		out.Next = "nothing: submit a new draft"
		return out, s.event(tx, now, "release", out.ID.String(), out.Reason)
	case decisionApprove:
	default:
		return out, fmt.Errorf("%w: %s signed %q, and a release takes approve or reject", ErrRefused, cert.Pseudonym, a.Request.Decision)
	}
	if err := s.markingsAllow(tx, r.Frozen.Body()); err != nil {
		return out, err
	}
	before, err := s.parseApprovals(out.Approvals)
	if err != nil {
		return out, err
	}
	for _, b := range before {
		other, err := s.verifyApproval(b, now)
		if err != nil {
			return out, fmt.Errorf("internal error: counted approval of %s: %w", out.ID, err)
		}
		if other.Pseudonym == cert.Pseudonym {
			return out, fmt.Errorf("%w: %s has approved this message already, and one officer counts once: a second officer is needed", ErrRefused, cert.Pseudonym)
		}
	}
	if len(before) >= message.MaxApprovals {
		return out, fmt.Errorf("%w: %s has %d approvals, as many as an entry holds", ErrConflict, out.ID, len(before))
	}
	out.Approvals = append(slices.Clone(out.Approvals), text)
	if err := s.judgeRelease(tx, &out, r.Frozen, now); err != nil {
		return out, err
	}
	return out, s.event(tx, now, "release", out.ID.String(), out.Reason)
}

// judgeRelease sets the state of a message that awaits release by the policy in
// force.
func (s *Station) judgeRelease(tx Tx, out *Outgoing, f message.Frozen, now time.Time) error {
	r, v, err := s.release(tx, now, *out)
	if err != nil {
		return err
	}
	*out = r.Outgoing
	if v.Verdict == message.Released {
		out.State, out.Released, out.Until = Waiting, second(now), r.Expires
		out.Reason, out.Next = "released, waits for its place in the log", "it is appended as soon as the line has room"
		s.touch(out.Line)
		return nil
	}
	out.Reason = fmt.Sprintf("awaits release: %d of %d officers have approved", v.Have, v.Need)
	if v.Reason != "" {
		out.Reason += "; " + v.Reason
	}
	out.Next = nextApproval(out.ID)
	return nil
}

func lapsed(out Outgoing) error {
	return fmt.Errorf("%w: the request for the release of %s lapsed at %s: submit it again", ErrConflict, out.ID, out.Until.UTC().Format(time.RFC3339))
}

// nextApproval says what happens next to a message that awaits release.
func nextApproval(id message.ID) string {
	return "the next officer approves with `detente release approve " + id.String() + "`"
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
		if !out.Until.After(now) {
			return lapsed(out)
		}
		r, v, err := s.release(tx, now, out)
		if err != nil {
			return err
		}
		if err := s.markingsAllow(tx, r.Frozen.Body()); err != nil {
			return err
		}
		if out = r.Outgoing; v.Verdict != message.Provisional {
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
