package station

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/seal"
)

// Reason codes of a refusal, as format 002 lists them.
const (
	problemUnreadable = "unreadable"
	problemFormat     = "format"
	problemEdition    = "edition"
	problemParameter  = "parameter"
	problemAuthority  = "authority"
	problemTime       = "time"
)

// problemBeyond marks an entry above the end that its writer gave a log. It is
// not answered.
const problemBeyond = "beyond the end"

// incoming is an entry of a counterpart's log as far as it could be opened.
type incoming struct {
	plain   []byte
	entry   message.Entry
	problem string // empty where the entry opens and parses
	field   string
	policy  *inForce // that it is judged by; nil: the one in force at the end of its log
}

// open opens an entry. It never fails: what cannot be opened is
// said in the result. own says whether this station wrote it.
func (s *Station) open(sealed []byte, own bool) incoming {
	return s.openNear(sealed, own, time.Time{})
}

// openNear is open for an entry that was written about a time: the identity of
// that month is tried first. Zero: lately.
func (s *Station) openNear(sealed []byte, own bool, written time.Time) incoming {
	plain, _, err := seal.Open(sealed, s.identitiesNear(own, written)...)
	if err != nil {
		return incoming{problem: problemUnreadable}
	}
	return parseIncoming(plain)
}

func parseIncoming(plain []byte) incoming {
	plain = bytes.TrimRight(plain, "\n")
	plain = append(plain, '\n')
	entry, err := message.ParseEntry(plain)
	if err != nil {
		in := incoming{plain: plain, problem: problemParameter}
		var field *message.FieldError
		if errors.As(err, &field) {
			in.field = field.Field
		}
		return in
	}
	return incoming{plain: plain, entry: entry}
}

// accept judges an opened entry of a counterpart's log: is it for this line,
// in a known format, with parameters in order, released by enough officers?
// It returns a refusal's reason code and field, or two empty strings.
func (s *Station) accept(tx Tx, row *Line, o identity.Origin, index int64, in incoming) (problem, field string, err error) {
	if in.problem != "" {
		return in.problem, in.field, nil
	}
	if problem, field := acceptWrapper(row, in.entry.Wrapper); problem != "" {
		return problem, field, nil
	}
	b := in.entry.Body.Body()
	switch {
	case b.Line != o.Line():
		return problemParameter, "line", nil
	case b.From != o.Writer:
		return problemParameter, "from", nil
	case b.To != o.Reader:
		return problemParameter, "to", nil
	}
	if m, err := tx.MessageByID(b.ID); err == nil && (m.Origin != o || m.Index != index) {
		return problemParameter, "id", nil
	}
	if problem, field := s.acceptText(o, index, b); problem != "" {
		return problem, field, nil
	}
	if problem, field := acceptService(b, index); problem != "" {
		return problem, field, nil
	}
	if problem, field, err := acceptKey(tx, o, index, b); err != nil || problem != "" {
		return problem, field, err
	}
	if index == 0 {
		if problem, field, err := s.acceptOpening(tx, o, b); err != nil || problem != "" {
			return problem, field, err
		}
	}
	if !b.Expires.IsZero() && b.Expires.Before(in.entry.Wrapper.At) {
		return problemTime, "expires", nil
	}
	policy := in.policy
	if policy == nil {
		now, err := s.policy(tx, o)
		if err != nil {
			return "", "", err
		}
		policy = &now
	}
	return s.acceptAuthority(o, in.entry, *policy)
}

// acceptWrapper judges what the counterpart's station says beside a body: neither
// its second nor what it has seen falls from entry to entry, and it lists no
// receipt of more than it has seen. All that is asked stands in its own log, so
// that the judgement is the same whenever it is made.
func acceptWrapper(row *Line, w message.Wrapper) (problem, field string) {
	if w.At.Before(row.PeerAt) {
		return problemTime, "at"
	}
	if further(w.Seen, row.PeerSeen) != w.Seen {
		return problemParameter, "seen"
	}
	for _, r := range w.Receipts {
		if r.Era > w.Seen.Era || r.Era == w.Seen.Era && r.Size > w.Seen.Size {
			return problemParameter, "receipts"
		}
	}
	return "", ""
}

// acceptText judges what the edition knows of a body that the body names.
func (s *Station) acceptText(o identity.Origin, index int64, b message.Body) (problem, field string) {
	edition, ok := s.readAt(o, index, b.Edition)
	if !ok && slices.Contains(ownFormats, string(b.Format)) {
		edition, ok = s.book, true
	}
	if !ok {
		return problemEdition, "edition"
	}
	if _, ok := edition.Format(b.Format); !ok {
		return problemFormat, "format"
	}
	if err := edition.Check(b); err != nil {
		var p *book.ParamError
		if errors.As(err, &p) {
			return problemParameter, p.Param
		}
		return problemParameter, ""
	}
	if checkPolicy(b) != nil {
		return problemParameter, "rules"
	}
	return "", ""
}

// acceptService judges what this station itself acts on: the release policy that
// a body sets, and the terms of a line, which stand in entry 0 and nowhere else.
func acceptService(b message.Body, index int64) (problem, field string) {
	switch {
	case b.Format == "005":
		if _, err := message.PolicyOf(b); err != nil {
			return problemParameter, "rules"
		}
	case b.Format == "001" && index != 0:
		return problemParameter, "format"
	case b.Format == "001":
		t := DefaultTerms()
		var term *termError
		if err := readTerms(b, &t); errors.As(err, &term) {
			return problemParameter, term.param
		}
	}
	return "", ""
}

// acceptAuthority counts a body's approvals by the writer's own release
// policy, as it stands in the log before the entry.
func (s *Station) acceptAuthority(o identity.Origin, e message.Entry, policy inForce) (problem, field string, err error) {
	p, err := s.peerNamed(o.Writer)
	if err != nil {
		return "", "", err
	}
	var counted []message.Approver
	for _, a := range e.Wrapper.Approvals {
		cert, err := s.verifier.Verify(a, o.Writer, p.Agencies, e.Wrapper.At)
		if err != nil || a.Request.Body != e.Body.Digest() || a.Request.Policy != policy.Digest() {
			return problemAuthority, "approvals", nil //nolint:nilerr // the error is the counterpart's, and is answered
		}
		counted = append(counted, message.Approver{Pseudonym: cert.Pseudonym, Role: a.Request.Role, Decision: a.Request.Decision})
	}
	switch v := policy.Judge(e.Body.Body(), counted); v.Verdict {
	case message.Released:
		if e.Wrapper.Provisional {
			return problemAuthority, "provisional", nil
		}
	case message.Provisional:
		if !e.Wrapper.Provisional {
			return problemAuthority, "provisional", nil
		}
	default:
		return problemAuthority, "approvals", nil
	}
	return "", "", nil
}

// policy returns the release policy in force at the end of a log: the last one
// that stands in it, or, before the first, the one by which the first is
// released.
func (s *Station) policy(tx Tx, o identity.Origin) (inForce, error) {
	stored, err := tx.Setting("policy/" + o.String())
	if err != nil {
		return inForce{}, err
	}
	if stored == nil {
		return ruling(message.Bootstrap()), nil
	}
	s.mu.Lock()
	last, ok := s.policies[o]
	s.mu.Unlock()
	if ok && last.text == string(stored) {
		return last.policy, nil
	}
	p, err := message.ParsePolicy(stored)
	if err != nil {
		return inForce{}, fmt.Errorf("internal error: stored release policy of %s: %w; run `detente station doctor`", o, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rules := ruling(p)
	s.policies[o] = parsedPolicy{string(stored), rules}
	return rules, nil
}

// inForce is a release policy with its digest, which every approval under it
// names.
type inForce struct {
	message.Policy
	digest identity.Digest
}

// ruling makes a policy one that approvals are compared with.
func ruling(p message.Policy) inForce { return inForce{p, p.Digest()} }

// Digest returns the policy's digest, reckoned once.
func (p inForce) Digest() identity.Digest { return p.digest }

// parsedPolicy is a release policy with the stored text that it was read from.
type parsedPolicy struct {
	text   string
	policy inForce
}

// ownPolicy returns the release policy that this station has in force on a
// line.
func (s *Station) ownPolicy(tx Tx, l identity.Line) (inForce, error) {
	row, err := tx.Line(l)
	if err != nil {
		return inForce{}, err
	}
	return s.policy(tx, l.Log(s.name, row.OwnEra))
}
