package treaty

import (
	"time"

	"detente/identity"
	"detente/message"
)

// StateCode is how an obligation stands, a code.
type StateCode string

// The states of an obligation.
const (
	Open             StateCode = "open"
	Met              StateCode = "met"
	Late             StateCode = "late"                 // met after it was due
	Missed           StateCode = "missed"               // not met, and past
	MetTimeDisputed  StateCode = "met-time-disputed"    // only its author's own second was in time
	LateTimeDisputed StateCode = "late-time-disputed"   // between the two deadlines of a disputed receipt
	MetDisputed      StateCode = "met-disputed"         // in time, by a message that its reader refuses
	EvidenceAwaited  StateCode = "evidence-outstanding" // past, while a blob of what would meet it was not receipted
	Suspended        StateCode = "suspended"            // its article is, so its clock stands still
	Stopped          StateCode = "stopped"              // what called for it was taken back in time
	Ended            StateCode = "ended"                // the agreement ended before it was due
	Unclear          StateCode = "unclear"              // a condition failed on the message: whether it is owed is for people to say
)

// Key names an obligation for ever.
type Key struct {
	Duty   string
	By     identity.Party // empty: both together
	Of     message.ID     // what triggered it; zero: an occasion or a period
	Period int            // of what recurs, the first is 1; zero: it does not
}

// Obligation is what one side owes, or owed.
type Obligation struct {
	Key
	Article  string
	Formats  []message.Format // by which it is discharged; none: any reply, or the message itself
	From     time.Time        // when its clock began
	Due      time.Time        // the second itself is in time; zero while it is suspended without end
	Second   time.Time        // by the disputing entry's second; zero: the receipt is not disputed
	Phase    Phase            // when its clock began
	Raise    string           // the least precedence at which to send it; empty: as usual
	Needed   int              // acts
	Done     int
	Extended int       // how often: 0, 1 by right, 2 by consent
	Met      time.Time // zero: not
	MetBy    message.ID
	Periods  int // of what recurs: so many in a row stand so
	State    StateCode
	Flag     Flag             // FlagNone while nothing is amiss
	Next     []message.Format // what the other side may send where it is amiss
	Why      string           // of Unclear: the condition and its failure
}

// By how much reports how late it was met, or how long past it is at a second;
// zero where it is neither.
func (o Obligation) Over(at time.Time) time.Duration {
	switch {
	case o.Due.IsZero():
		return 0
	case !o.Met.IsZero() && o.Met.After(o.Due):
		return o.Met.Sub(o.Due)
	case o.Met.IsZero() && o.State != Stopped && o.State != Ended && at.After(o.Due):
		return at.Sub(o.Due)
	}
	return 0
}

// Owed reports whether the obligation still waits for an act.
func (o Obligation) Owed() bool {
	switch o.State {
	case Open, Missed, EvidenceAwaited, Suspended:
		return true
	case LateTimeDisputed:
		return o.Met.IsZero()
	}
	return false
}

// duty is an obligation while it is folded.
type duty struct {
	key     Key
	d       *Duty
	article string
	of      *Event // nil: an occasion
	clocked bool   // there is a clock
	start   time.Time
	within  Period
	lead    bool
	due     time.Time // before suspensions and extensions; of a lead the latest receipt
	phase   Phase
	raise   string
	tight   bool
	acts    []*Event
	exts    []extended
	asked   []*Event // further interim answers, that wait for consent
	stopped time.Time
	why     string // a condition failed
	parent  *duty  // whose meeting it follows; nil: none
	conds   conditions
}

// extended is one move of a deadline.
type extended struct {
	by    *Event
	until time.Time
}

// needed returns how many acts meet it.
func (o *duty) needed() int { return max(o.d.Act.Count, 1) }

// second returns the deadline counted from the disputing entry's second.
func (o *duty) second() time.Time {
	if o.of == nil || o.of.Second.IsZero() || o.lead || o.d.From != "" {
		return time.Time{}
	}
	return o.within.After(o.of.Second)
}

// moved returns the deadline with its extensions, and how many.
func (o *duty) moved(at time.Time) (due time.Time, n int) {
	due = o.due
	for _, x := range o.exts {
		if !x.by.Received.After(at) && x.until.After(due) {
			due, n = x.until, n+1
		}
	}
	return due, n
}
