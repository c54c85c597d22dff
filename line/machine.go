package line

import (
	"net/http"
	"time"

	"detente/identity"
)

// View is what a Machine is shown of the log and of its mirror, each time that
// it is asked. It is read from the store, so a machine needs no state to be
// kept: a new one after a restart goes on where the log stands.
type View struct {
	Origin identity.Origin
	// Size is the size of the log under its newest signed checkpoint.
	Size int64
	// Acked is the largest size that this mirror's stored receipt covers.
	Acked int64
	// Waiting is how many bytes the entries from Acked to Size have, each with
	// two bytes of length. Beyond MaxDelivery any larger number does.
	Waiting int64
	// DayBytes is how many bytes of entries this mirror receipted in the last
	// day, and Quota how many its newest entry 0 allows a day; zero if unknown.
	DayBytes, Quota int64
	// Watch is what is known of the mirror's life. Full is set by the machine.
	Watch Watch
}

// Kind is what an Action does.
type Kind uint8

// The kinds of actions.
const (
	// Wait: do nothing until Action.Until, or until something happens.
	Wait Kind = iota
	// Deliver: send the checkpoint of size To, a proof from size Old, and the
	// entries From..To, as a deliver request.
	Deliver
	// SendCheckpoint: send the checkpoint of size To and a proof from size Old,
	// as an add-checkpoint request.
	SendCheckpoint
	// SendEntries: send entry packages from From on towards End, with Ticket,
	// as an add-entries request: at least one package, and no more once the
	// body has MaxUpload bytes or MaxPackages packages.
	SendEntries
	// AskHeads: ask what the peer holds of the log, and ask the guard: the peer
	// names a size beyond the log, or does not accept its proofs.
	AskHeads
	// ShowCards: send cards and succession notes: the peer does not know the
	// log or its keys.
	ShowCards
)

var kindNames = [...]string{"wait", "deliver", "send checkpoint", "send entries", "ask heads", "show cards"}

// String returns the kind in words.
func (k Kind) String() string { return kindNames[k] }

// Action is what a Machine wants done next. Actions are comparable.
type Action struct {
	Kind   Kind
	Origin identity.Origin
	// Serial is the same for a repetition: its bytes must be those sent first.
	// The caller keeps the body of the last serial.
	Serial uint64
	// Attempt counts sendings of the serial, from 1.
	Attempt  int
	Old      int64
	From, To int64
	End      int64
	Ticket   string
	// Until is, for Wait, when to ask again though nothing happened; zero for
	// not before something does.
	Until time.Time
	// Alarms are those that stand now.
	Alarms Alarms
	// Proven is Finding.Proven of AlarmWithheld.
	Proven bool
}

// OutcomeKind is what an answer meant.
type OutcomeKind uint8

// The kinds of outcomes.
const (
	// Failed: nothing came of it; it will be tried again.
	Failed OutcomeKind = iota
	// Receipted: the mirror's receipt over Outcome.Size is stored.
	Receipted
	// Advanced: the peer took a part, or said where it stands.
	Advanced
	// Suspect: the peer names a size beyond the log, or refuses its proofs. It
	// stops nothing by itself: heads are asked for and the guard decides.
	Suspect
	// Limited: the peer takes no more for now.
	Limited
)

// Outcome is what an answer meant, for the caller's events.
type Outcome struct {
	Kind   OutcomeKind
	Size   int64 // Receipted: what the receipt covers; Suspect: what the peer names
	Reason string
}

// road is the way entries go.
type road uint8

const (
	quick    road = iota // deliver
	standard             // add-checkpoint and add-entries
)

const (
	// standardFor is how long the standard pair is used after a deliver went
	// wrong, before deliver is tried again: a peer may have been upgraded.
	standardFor = 10 * time.Minute

	// freeTurns is how many unexpected answers in a row are followed at once:
	// a 409 or two tell where the peer stands; more would be a quarrel.
	freeTurns = 3
)

// Machine decides what to send to one mirror of one log. It is told what
// happened and says what to do next; it does nothing itself, and holds no more
// than can be lost at a restart. It is not safe for concurrent use. Make one
// with NewMachine.
type Machine struct {
	random Random // immutable

	flying  *Action // handed out, and not answered yet
	repeat  *Action // sent, and whether it arrived is unknown: sent again as it is
	serial  uint64
	attempt int

	// What the peer said of itself; pending and next are -1 where it did not.
	pending, next int64
	ticket        string

	road      road
	roadUntil time.Time // when the standard road ends

	failures int  // without an answer, in a row
	odd      int  // answers without progress, in a row
	suspect  bool // heads are to be asked for
	cards    bool // cards are to be shown
	shown    bool // cards were shown since the last receipt or long wait

	until     time.Time // nothing is sent before, but for what stirs
	since     time.Time // when until was set
	untouched bool      // no answer came: contact ends the wait
	full      bool      // the peer's quota explains the wait
	fullSize  int64     // the log's size when the peer said so: growth ends the wait

	condition Condition
	reason    string
}

// NewMachine returns a machine for a log and a mirror of which nothing is known
// yet.
func NewMachine(random Random) *Machine {
	return &Machine{random: random, pending: -1, next: -1}
}

// Contact tells that the peer was heard by another way: a request of it, or an
// answer to another machine. A wait for an unreachable peer ends at once (P2), and
// Contact then returns true: ask what to do next. Waits that the peer itself asked
// for do not end.
func (m *Machine) Contact() (ended bool) {
	ended = m.untouched && !m.until.IsZero()
	if m.untouched {
		m.until, m.failures = time.Time{}, 0
	}
	return ended
}

// Next says what to do at now. After it returned anything but Wait it returns
// Wait until Answer was called. Asking again is harmless.
func (m *Machine) Next(now time.Time, v View) Action {
	a := m.choose(now, v)
	w := v.Watch
	w.Full = m.full
	f := w.At(now)
	a.Origin, a.Alarms, a.Proven = v.Origin, f.Alarms, f.Proven
	if m.condition == ConditionRefused {
		a.Alarms |= AlarmRefused
	}
	if a.Kind == Wait {
		a.Until = sooner(a.Until, f.Until)
		return a
	}
	if a.Serial == 0 {
		m.serial++
		a.Serial, m.attempt = m.serial, 0
	}
	m.attempt++
	a.Attempt = m.attempt
	m.flying = &a
	return a
}

func (m *Machine) choose(now time.Time, v View) Action {
	if m.flying != nil {
		return Action{Kind: Wait}
	}
	if m.repeat != nil && m.repeat.reach() <= v.Acked {
		m.repeat = nil // receipted by another way
	}
	if v.Acked >= v.Size && !m.suspect {
		m.rest()
		return Action{Kind: Wait}
	}
	if m.full && v.Size > m.fullSize {
		m.until = time.Time{}
	}
	// A clock put back must not turn a wait of a minute into one of a year.
	if now.Before(m.until) && !now.Before(m.since) {
		return Action{Kind: Wait, Until: m.until}
	}
	switch {
	case m.repeat != nil:
		return *m.repeat
	case m.cards:
		return Action{Kind: ShowCards}
	case m.suspect:
		return Action{Kind: AskHeads}
	}
	return m.send(now, v)
}

// rest forgets what belonged to a backlog that is receipted now.
func (m *Machine) rest() {
	m.failures, m.odd, m.full, m.until, m.untouched = 0, 0, false, time.Time{}, false
	m.pending, m.next, m.ticket = -1, -1, ""
	m.condition, m.reason = ConditionIdle, ""
}

func (m *Machine) send(now time.Time, v View) Action {
	if m.road == standard && !now.Before(m.roadUntil) {
		m.road = quick
	}
	old, next := v.Acked, v.Acked
	if m.pending >= 0 {
		old = m.pending
	}
	if m.next >= 0 {
		next = m.next
	}
	if m.road == quick && next >= v.Acked && v.Waiting <= MaxDeliveryEntries {
		return Action{Kind: Deliver, Old: old, From: next, To: v.Size}
	}
	if m.pending > v.Acked {
		return Action{Kind: SendEntries, From: min(next, m.pending), End: m.pending, Ticket: m.ticket}
	}
	return Action{Kind: SendCheckpoint, Old: old, To: v.Size}
}

// reach is the size whose receipt the action may bring; zero if none.
func (a Action) reach() int64 {
	switch a.Kind {
	case Deliver:
		return a.To
	case SendEntries:
		return a.End
	}
	return 0
}

// Answer tells what came of an action that Next returned: an answer, or the
// transport's error. Before it tells of a 200 to Deliver or SendEntries the
// caller verifies the lines against its own log and stores them; where they are
// no receipt it passes an error that wraps ErrNoReceipt. What a 409 says is
// followed only within the log's own size at now.
func (m *Machine) Answer(now time.Time, v View, a Action, r Response, err error) Outcome {
	if m.flying == nil || m.flying.Serial != a.Serial {
		return Outcome{Kind: Failed, Reason: "an answer to what is no longer asked"}
	}
	m.flying = nil
	if err != nil && !isNoReceipt(err) {
		return m.failed(now, a, err)
	}
	m.repeat, m.failures, m.untouched, m.full = nil, 0, false, false
	if err != nil {
		return m.strange(now, a, err.Error())
	}
	switch {
	case r.Status == http.StatusServiceUnavailable || r.Status == http.StatusTooManyRequests:
		return m.limited(now, v, a, r)
	case a.Kind == ShowCards || a.Kind == AskHeads:
		return m.asked(now, a, r)
	case r.Status == http.StatusOK:
		return m.accepted(a)
	case r.Status == http.StatusAccepted && a.Kind == SendEntries:
		return m.partly(now, v, a, r)
	case r.Status == http.StatusConflict:
		return m.moved(now, v, a, r)
	case (r.Status == http.StatusNotFound || r.Status == http.StatusForbidden) && !m.shown:
		return m.unknown(now, r)
	case r.Status == http.StatusUnprocessableEntity && a.Kind == SendCheckpoint:
		m.suspect = true
	}
	return m.strange(now, a, r.Err().Error())
}
