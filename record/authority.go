package record

import (
	"errors"
	"fmt"
	"slices"

	"detente/identity"
	"detente/message"
)

// step notes whether the policy in force before an entry is known: that all
// entries before it were read.
func (l *logVerifier) step(index int64) {
	l.policyKnown = l.policyKnown && index == l.next
	l.next = index + 1
}

// authority counts the approvals by the release policy in force before the
// entry, which earlier entries of the log state.
func (l *logVerifier) authority(index int64, e message.Entry) bool {
	l.step(index)
	b := e.Body.Body()
	if before, twice := l.v.bodies[b.ID]; twice {
		l.problems = append(l.problems, problem{index, CheckApprovals, because(BodyTwice, nil, before.where)})
		return false
	}
	l.v.bodies[b.ID] = told{l.cite(index), e.Body.Digest()}
	if l.supports(index) && b.Format != "005" {
		l.v.fail(CheckIndex, l.cite(index), because(Contradiction, errors.New("an entry by which others are said to count states no release policy")))
		return false
	}
	counted, err := l.approvers(e)
	if err != nil {
		l.problems = append(l.problems, problem{index, CheckApprovals, asFault(err, ApprovalBad)})
		return false
	}
	l.v.pass(CheckApprovals, l.cite(index))
	l.lapsed(index, e)
	if !l.policyKnown && !l.byChain(index, e, counted) {
		l.v.missing(CheckPolicy, l.cite(index), because(PolicyHidden, nil, fmt.Sprint(len(counted))))
		return l.newPolicy(index, b, false)
	}
	if !l.policyKnown {
		l.v.pass(CheckPolicy, l.cite(index))
		return l.newPolicy(index, b, true)
	}
	switch r := l.policy.Judge(b, counted); {
	case released(r, e):
		l.v.pass(CheckPolicy, l.cite(index))
		return l.newPolicy(index, b, true)
	default:
		l.problems = append(l.problems, problem{index, CheckPolicy, notReleased(r, counted)})
		return false
	}
}

// notReleased says why a policy does not let an entry go as it went.
func notReleased(r message.Release, counted []message.Approver) fault {
	switch r.Verdict {
	case message.Released:
		return because(NotProvisional, nil)
	case message.Refused:
		return because(NoRelease, errors.New(r.Reason))
	case message.Provisional:
		return because(ProvisionalHidden, errors.New(r.Reason), fmt.Sprint(r.Have), fmt.Sprint(r.Need))
	}
	for i, a := range counted {
		if slices.ContainsFunc(counted[:i], func(b message.Approver) bool { return b.Pseudonym == a.Pseudonym }) {
			return because(OfficerTwice, errors.New(r.Reason), a.Pseudonym, fmt.Sprint(r.Have), fmt.Sprint(r.Need))
		}
	}
	return because(TooFew, errors.New(r.Reason), fmt.Sprint(r.Have), fmt.Sprint(r.Need))
}

// newPolicy takes the release policy that an accepted entry states; sound says that
// the entry itself counts by a policy that is known.
func (l *logVerifier) newPolicy(index int64, b message.Body, sound bool) bool {
	if b.Format != "005" {
		return true
	}
	p, err := message.PolicyOf(b)
	if err == nil {
		err = p.Check()
	}
	if err != nil {
		l.problems = append(l.problems, problem{index, CheckBody, because(PolicyBad, err)})
		return false
	}
	l.policy, l.policyKnown, l.stated[p.Digest()] = p, true, index
	l.chain = basis{}
	if sound {
		l.chain = basis{policy: p, begun: true, stated: l.cite(index)}
	}
	return true
}

// lapsed names an entry whose first receipt came when an approval had expired:
// the writer's second says that it was in time, and nobody else does.
func (l *logVerifier) lapsed(index int64, e message.Entry) {
	if end := e.Wrapper.Lapses(); l.proven && !end.IsZero() && !l.receipt.Before(end) {
		l.v.report.Lapsed = append(l.v.report.Lapsed, l.cite(index))
	}
}

func (l *logVerifier) approvers(e message.Entry) ([]message.Approver, error) {
	var counted []message.Approver
	for _, a := range e.Wrapper.Approvals {
		if a.Request.Body != e.Body.Digest() {
			return nil, because(ApprovalOther, nil)
		}
		if l.policyKnown && a.Request.Policy != l.policy.Digest() {
			why := because(ApprovalPolicy, nil)
			why.named = a.Request.Policy
			return nil, why
		}
		cert, err := l.v.approvals.Verify(a, l.o.Writer, l.writer.Agencies, e.Wrapper.At)
		if ended, ok := errors.AsType[*identity.ValidityError](err); ok {
			return nil, because(CertificateEnded, nil, ended.Pseudonym, stamp(ended.From), stamp(ended.To), stamp(ended.At))
		}
		if err != nil {
			return nil, err
		}
		counted = append(counted, message.Approver{Pseudonym: cert.Pseudonym, Role: a.Request.Role, Decision: a.Request.Decision})
	}
	return counted, nil
}
