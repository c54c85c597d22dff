package watch

import (
	"cmp"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Kind says what an alarm is about.
type Kind string

// The kinds of alarms. Each is a code with a text in six languages.
const (
	MissedTest     Kind = "missed-test"
	NoReadBack     Kind = "no-read-back" // by a person, in a shift
	SilentPeer     Kind = "silent-peer"
	UnmannedDesk   Kind = "unmanned-desk"
	FlashUnread    Kind = "flash-unacknowledged"
	DutyNear       Kind = "duty-near" // about to lapse
	DutyLapsed     Kind = "duty-lapsed"
	Withheld       Kind = "receipt-withheld"
	KeyRefused     Kind = "key-refused"
	Quota          Kind = "quota"
	ClockUnsafe    Kind = "clock-unsafe"
	GuardClosed    Kind = "guard-not-passed"
	DiskFilling    Kind = "disk-filling"
	HandoverLate   Kind = "handover-overdue"
	ContactStale   Kind = "contact-stale"
	SounderUntried Kind = "sounder-untested"
	StaleScreen    Kind = "stale-screen"  // a console that no longer hears the station
	StateDiffers   Kind = "state-differs" // both sides fold one record differently
)

// kindLevels says how urgent each kind is where the condition does not say.
var kindLevels = map[Kind]message.Precedence{
	MissedTest: message.Priority, NoReadBack: message.Routine, SilentPeer: message.Immediate, UnmannedDesk: message.Immediate,
	FlashUnread: message.Flash, DutyNear: message.Priority, DutyLapsed: message.Immediate, Withheld: message.Immediate,
	KeyRefused: message.Immediate, Quota: message.Priority, ClockUnsafe: message.Immediate, GuardClosed: message.Immediate,
	DiskFilling: message.Immediate, HandoverLate: message.Priority, ContactStale: message.Routine, SounderUntried: message.Priority,
	StaleScreen: message.Immediate, StateDiffers: message.Priority,
}

// Kinds returns all kinds of alarms, in alphabetical order.
func Kinds() []Kind {
	var out []Kind
	for k := range kindLevels {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Level returns how urgent a kind is where the condition does not say.
func (k Kind) Level() message.Precedence { return kindLevels[k] }

// Key names an alarm: there is one for each thing that is wrong. Keys are
// comparable.
type Key struct {
	Kind Kind
	Line identity.Line // the zero value: of no line
	Ref  string        // what it is about: a citation, a desk, a peer; empty: the kind says it all
}

// Compare orders keys by kind, line and reference.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Line.A, o.Line.A), cmp.Compare(k.Line.B, o.Line.B),
		cmp.Compare(k.Line.Class, o.Line.Class), cmp.Compare(k.Ref, o.Ref))
}

// group returns the key without its reference: what rings together.
func (k Key) group() Key { return Key{Kind: k.Kind, Line: k.Line} }

// Condition is something that is wrong at the moment of a step. Whoever
// computes conditions gives all that hold, each time; one that is not given
// has ended.
type Condition struct {
	Key
	Level message.Precedence // zero: the kind's own
	Since time.Time
	Count int // how many things it stands for; zero: one
}

// Ack is an officer's acknowledgement: seen, and being dealt with.
type Ack struct {
	Officer string
	At      time.Time
}

// Alarm is a condition that was raised.
type Alarm struct {
	Key
	Level    message.Precedence
	Since    time.Time // when the condition began
	Raised   time.Time // when the alarm was raised, or last reopened
	Count    int
	Cleared  time.Time // when the condition ended; zero: it stands
	Acks     []Ack     // that count now, in the order given; empty once cleared
	Silenced time.Time // until when its sound is off; zero: it is not
	Reopened int       // how often it came back
}

// Stands reports whether the condition holds.
func (a Alarm) Stands() bool { return a.Cleared.IsZero() }

// Acknowledged reports whether enough officers have acknowledged: one, and two
// for a FLASH.
func (a Alarm) Acknowledged() bool { return len(a.Acks) >= acksFor(a.Level) }

func acksFor(l message.Precedence) int {
	if l == message.Flash {
		return 2
	}
	return 1
}

// Ring is the timer of a group of alarms: those of one kind on one line.
type Ring struct {
	Group   Key
	Last    time.Time // when it last rang
	Next    time.Time // when it rings again; zero: not by time alone
	Rung    Rung      // how far it has climbed
	Climb   time.Time // when it climbs on; zero: it is at the top
	Repeats int       // since it began
}

// Alarms is the state: data that survives a restart. The zero value is a watch
// on which nothing has happened yet.
type Alarms struct {
	At time.Time // of the last step
	// Exercise says that this is the state of an exercise, which has keys and
	// logs of its own. It never changes, and every notice bears it.
	Exercise bool
	Alarms   []Alarm // ordered by key, each once; cleared ones for as long as they may reopen
	Rings    []Ring  // of groups with an alarm that is not acknowledged, or that rang lately; ordered by group
}

// Same reports whether two states say the same, whenever the last step of each
// was. It compares them where they lie, since a watch asks it at each step.
func (s Alarms) Same(other Alarms) bool {
	return s.Exercise == other.Exercise && slices.EqualFunc(s.Alarms, other.Alarms, Alarm.same) && slices.EqualFunc(s.Rings, other.Rings, Ring.same)
}

func (a Alarm) same(o Alarm) bool {
	return a.Key == o.Key && a.Level == o.Level && a.Count == o.Count && a.Reopened == o.Reopened &&
		a.Since.Equal(o.Since) && a.Raised.Equal(o.Raised) && a.Cleared.Equal(o.Cleared) && a.Silenced.Equal(o.Silenced) &&
		slices.EqualFunc(a.Acks, o.Acks, func(x, y Ack) bool { return x.Officer == y.Officer && x.At.Equal(y.At) })
}

func (r Ring) same(o Ring) bool {
	return r.Group == o.Group && r.Rung == o.Rung && r.Repeats == o.Repeats &&
		r.Last.Equal(o.Last) && r.Next.Equal(o.Next) && r.Climb.Equal(o.Climb)
}

// Outlet is a class of ways to reach people. Which device or address stands
// behind it is the station's to know.
type Outlet string

// The classes of outlets.
const (
	Screen  Outlet = "screen"
	Sounder Outlet = "sounder"
	Mail    Outlet = "mail"
	Webhook Outlet = "webhook"
	Printer Outlet = "printer"
)

// Outlets returns all classes of outlets.
func Outlets() []Outlet { return []Outlet{Screen, Sounder, Mail, Webhook, Printer} }

// Rung is a step of the ladder that alarms climb.
type Rung int

// The rungs of the ladder, from the bottom.
const (
	RungWatch      Rung = iota // those on watch
	RungNext                   // the next shift
	RungSupervisor             // supervisors
	RungOnCall                 // officers on call
)

const lastRung = RungOnCall

// on returns the people of a rung.
func (p Posts) on(r Rung) []string {
	switch r {
	case RungWatch:
		return p.On
	case RungNext:
		return p.Next
	case RungSupervisor:
		return p.Supervisors
	}
	return p.OnCall
}

// upTo returns the people of all rungs up to one, each once.
func (p Posts) upTo(r Rung) []string {
	var all []string
	for i := RungWatch; i <= r; i++ {
		for _, o := range p.on(i) {
			if !contains(all, o) {
				all = append(all, o)
			}
		}
	}
	return all
}

// Manner says how alarms of one level ring.
type Manner struct {
	Outlets []Outlet
	Repeat  time.Duration // between rings until acknowledged; zero: it rings once for each change
	Gather  time.Duration // least time between two rings of a group, for alarms that join it
	Climb   time.Duration // how long a rung has to acknowledge; zero: it does not climb
}

// Config says how alarms behave. The zero value works.
type Config struct {
	Manners   map[message.Precedence]Manner // of levels that differ from DefaultManner
	AckHolds  time.Duration                 // how long an acknowledgement counts while the condition stands; if zero, DefaultAckHolds
	KeepEnded time.Duration                 // how long a cleared alarm may reopen; if zero, DefaultKeepEnded
}

// Limits and defaults of alarms.
const (
	DefaultAckHolds  = 10 * time.Minute
	DefaultKeepEnded = 24 * time.Hour
	MaxSilence       = 2 * time.Minute // of one alarm at once; it must ring again before it can be silenced again
	MaxAlarms        = 100_000         // kept one by one; what is beyond is kept by group and count
	MaxRef           = 200             // bytes of a reference
	maxCalls         = 24              // groups that one step rings by line; more are rung by kind
	maxNamed         = 3               // references that a notification names
	maxCount         = 1 << 40         // what counts are cut at
)

// DefaultManner returns how alarms of a level ring where Config says nothing.
func DefaultManner(l message.Precedence) Manner {
	switch l {
	case message.Flash:
		return Manner{Outlets(), 15 * time.Second, 5 * time.Second, 2 * time.Minute}
	case message.Immediate:
		return Manner{[]Outlet{Screen, Sounder, Mail, Webhook}, time.Minute, 15 * time.Second, 5 * time.Minute}
	case message.Priority:
		return Manner{[]Outlet{Screen, Sounder, Mail}, 5 * time.Minute, time.Minute, 15 * time.Minute}
	}
	return Manner{[]Outlet{Screen}, 0, 5 * time.Minute, 0}
}

func (c Config) manner(l message.Precedence) Manner {
	m, ok := c.Manners[l]
	if !ok {
		m = DefaultManner(l)
	}
	if m.Repeat > 0 {
		m.Repeat = max(m.Repeat, time.Second)
	}
	m.Gather, m.Climb = max(m.Gather, 0), max(m.Climb, 0)
	return m
}

func (c Config) ackHolds() time.Duration {
	if c.AckHolds <= 0 {
		return DefaultAckHolds
	}
	return c.AckHolds
}

func (c Config) keepEnded() time.Duration {
	if c.KeepEnded <= 0 {
		return DefaultKeepEnded
	}
	return c.KeepEnded
}

// Act is what an officer did about alarms since the last step.
type Act struct {
	Officer string
	At      time.Time
	Key     Key  // of the alarm
	Group   bool // all alarms of the key's kind and line that had been raised by then; the key has no Ref
	// Silence turns the sound off for that long, MaxSilence at most. If zero,
	// the act is an acknowledgement.
	Silence time.Duration
}

// Event says why outlets are called, or what a line of the log book is about.
type Event string

// The events of alarms. Each is a code with a text in six languages.
const (
	Raised       Event = "raised"
	Reopened     Event = "reopened"
	Repeated     Event = "repeated"
	Climbed      Event = "escalated"
	Lapsed       Event = "acknowledgement-lapsed"
	Ended        Event = "cleared"
	Acknowledged Event = "acknowledged"
	Silenced     Event = "silenced"
	ActRefused   Event = "act-refused"
	NobodyThere  Event = "nobody-to-call"
)

// Events returns all events.
func Events() []Event {
	return []Event{Raised, Reopened, Repeated, Climbed, Lapsed, Ended, Acknowledged, Silenced, ActRefused, NobodyThere}
}

// Notice is one call of outlets about a group of alarms.
type Notice struct {
	Event   Event
	Group   Key // Line is zero where alarms of several lines ring as one
	Level   message.Precedence
	Count   int // alarms that are not acknowledged; of Ended: that ended
	Lines   int // on how many lines
	Since   time.Time
	Refs    []string // the first few that it is about
	To      []string // pseudonyms; empty: nobody is there to call, and the outlets sound all the same
	Rung    Rung     // the highest that is called
	Outlets []Outlet
	// Exercise says that nothing of it is real. No rendering is without it.
	Exercise bool
}

// Note is a line for the log book.
type Note struct {
	At      time.Time
	Event   Event
	Key     Key
	Officer string // who acted; empty: nobody did
	Count   int
	Reason  string // of ActRefused, a code: unknown-alarm, not-entitled, already-acknowledged, silenced-before, no-such-time
}

// Consequences is what follows from a step. There is nothing in it that could
// be an act toward the counterpart.
type Consequences struct {
	Notices []Notice
	Notes   []Note
}
