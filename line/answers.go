package line

import (
	"errors"
	"fmt"
	"time"
)

// Condition is how a sender stands with its peer.
type Condition uint8

// The conditions of a sender.
const (
	ConditionIdle        Condition = iota // all is receipted, or nothing went wrong yet
	ConditionSending                      // entries go out and are taken
	ConditionUnreachable                  // no answer comes
	ConditionRefused                      // the TLS keys do not match
	ConditionLimited                      // the peer takes no more for now
	ConditionQuota                        // the same, and its quota says so
	ConditionOdd                          // the peer answers what is not expected
)

// String returns the condition in a word.
func (c Condition) String() string {
	return [...]string{"idle", "sending", "unreachable", "refused", "limited", "quota", "odd"}[c]
}

// Standing is how a sender stands with its peer, for people.
type Standing struct {
	Condition Condition
	Reason    string    // the last thing that went wrong; empty if nothing
	Until     time.Time // when it tries again by itself; zero for now
	Failures  int       // in a row without an answer
}

// Standing returns how the machine stands with its peer.
func (m *Machine) Standing() Standing {
	return Standing{Condition: m.condition, Reason: m.reason, Until: m.until, Failures: m.failures}
}

func isNoReceipt(err error) bool { return errors.Is(err, ErrNoReceipt) }

func (m *Machine) wait(now time.Time, d time.Duration) {
	m.since, m.until = now, now.Add(d)
}

// failed handles a request that got no answer. What may have arrived is sent
// again as it was, byte for byte (P3).
func (m *Machine) failed(now time.Time, a Action, err error) Outcome {
	m.failures++
	fault, sent := faultOf(err)
	m.condition, m.reason = ConditionUnreachable, err.Error()
	m.repeat = nil
	switch {
	case fault == Refused:
		m.condition = ConditionRefused
	case fault == Malformed:
		// An answer that breaks the protocol; what was asked for is taken or
		// not, and the other road may tell.
		m.condition = ConditionOdd
		m.standardRoad(now, a)
	case sent && a.reach() > 0:
		m.repeat = &a
	}
	m.untouched = fault != Malformed
	m.wait(now, backoff(m.failures, m.random))
	return Outcome{Kind: Failed, Reason: m.reason}
}

func (m *Machine) standardRoad(now time.Time, a Action) {
	if a.Kind == Deliver {
		m.road, m.roadUntil = standard, now.Add(standardFor)
	}
}

// strange handles an answer that is neither progress nor a direction: the
// standard pair is tried, at once the first times and then with growing waits.
func (m *Machine) strange(now time.Time, a Action, reason string) Outcome {
	m.standardRoad(now, a)
	if a.Kind != Deliver {
		// Whatever was believed of the peer led here.
		m.pending, m.next, m.ticket = -1, -1, ""
	}
	m.condition, m.reason = ConditionOdd, reason
	m.turn(now)
	kind := Failed
	if m.suspect {
		kind = Suspect
	}
	return Outcome{Kind: kind, Reason: reason}
}

// unknown handles a peer that knows neither log nor key, or not the endpoint:
// it is shown the cards first, and only then sent the standard pair.
func (m *Machine) unknown(now time.Time, r Response) Outcome {
	m.cards, m.shown = true, true
	m.condition, m.reason = ConditionOdd, r.Err().Error()
	m.turn(now)
	return Outcome{Kind: Failed, Reason: m.reason}
}

// turn counts an answer without progress, and waits from the fourth on.
func (m *Machine) turn(now time.Time) {
	m.odd++
	if m.odd > freeTurns {
		m.shown = false
		m.wait(now, backoff(m.odd-freeTurns, m.random))
	}
}

func (m *Machine) limited(now time.Time, v View, a Action, r Response) Outcome {
	m.condition, m.reason = ConditionLimited, r.Err().Error()
	if QuotaBorneOut(v.DayBytes, v.Waiting, v.Quota) {
		m.condition, m.full, m.fullSize = ConditionQuota, true, v.Size
	}
	m.odd++
	d := backoff(m.odd, m.random)
	if r.RetryAfter > d {
		d = min(r.RetryAfter, MaxQuotaWait)
		if !m.full {
			d = min(d, MaxBackoff)
		}
	}
	m.wait(now, d)
	return Outcome{Kind: Limited, Reason: m.reason}
}

// asked handles the answer to cards or heads. Whatever it was, the log's
// entries are tried again, after a wait if that goes on.
func (m *Machine) asked(now time.Time, a Action, r Response) Outcome {
	if a.Kind == ShowCards {
		m.cards = false
	} else {
		m.suspect = false
	}
	if !r.OK() {
		m.condition, m.reason = ConditionOdd, r.Err().Error()
	}
	m.turn(now)
	if r.OK() {
		return Outcome{Kind: Advanced, Reason: a.Kind.String()}
	}
	return Outcome{Kind: Failed, Reason: m.reason}
}

// accepted handles a 200: a receipt that the caller stored, or a checkpoint
// that is pending now.
func (m *Machine) accepted(a Action) Outcome {
	m.condition, m.reason = ConditionSending, ""
	if a.Kind == SendCheckpoint {
		// No progress yet: entries must follow, or it would be asked for ever.
		m.pending = a.To
		return Outcome{Kind: Advanced, Size: a.To}
	}
	m.odd, m.shown = 0, false
	m.pending, m.next, m.ticket = -1, -1, ""
	return Outcome{Kind: Receipted, Size: a.reach()}
}

// partly handles a 202: some packages were taken, the rest is to follow.
func (m *Machine) partly(now time.Time, v View, a Action, r Response) Outcome {
	info, err := ParseMirrorInfo(r.Body)
	if err != nil {
		return m.strange(now, a, err.Error())
	}
	if info.Next <= a.From || info.Next > v.Size || info.Size > v.Size {
		return m.strange(now, a, fmt.Sprintf("the peer took a part, and names %d as its next entry and %d as its size", info.Next, info.Size))
	}
	m.pending, m.next, m.ticket, m.odd = info.Size, info.Next, string(info.Ticket), 0
	m.condition, m.reason = ConditionSending, ""
	return Outcome{Kind: Advanced, Size: info.Next}
}

// moved handles a 409: the peer says where it stands, and is followed there. A
// size beyond the log is not followed: it is a bare number, that stops nothing,
// and a reason to ask for signed heads.
func (m *Machine) moved(now time.Time, v View, a Action, r Response) Outcome {
	var size int64
	next, ticket := int64(-1), ""
	switch r.Type {
	case TypeMirrorInfo:
		info, err := ParseMirrorInfo(r.Body)
		if err != nil {
			return m.strange(now, a, err.Error())
		}
		size, next, ticket = info.Size, info.Next, string(info.Ticket)
	default:
		var err error
		if size, err = ParseSize(r.Body); err != nil {
			return m.strange(now, a, "a conflict without a size: "+err.Error())
		}
	}
	if size > v.Size || next > v.Size {
		m.suspect = true
		m.condition, m.reason = ConditionOdd, fmt.Sprintf("the peer says that it knows size %d of the log, which has %d here", max(size, next), v.Size)
		m.turn(now)
		return Outcome{Kind: Suspect, Size: max(size, next), Reason: m.reason}
	}
	if size == m.pending && next == m.next && ticket == m.ticket {
		return m.strange(now, a, fmt.Sprintf("the peer says again that it stands at size %d, from where it was served", size))
	}
	m.pending, m.next, m.ticket = size, next, ticket
	m.turn(now)
	return Outcome{Kind: Advanced, Size: size}
}
