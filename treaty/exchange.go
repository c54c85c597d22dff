package treaty

import (
	"fmt"
	"slices"
	"time"

	"detente/identity"
)

// Exchange is the moment of an instrument: when the second note or signature was
// received, and since when both sides can know it.
type Exchange struct {
	Second     time.Time   // receipt of the second note, as it stands in the record; zero: there is none yet
	Known      time.Time   // when the side that gave it received the other's entry that lists that receipt; zero: not yet
	Depositary time.Time   // of the depositary's entry that lists both; zero: none. Where one was agreed, nothing else counts
	Completed  []time.Time // receipts of the notices that internal procedures are complete, one of each side
}

// InForce returns from when an instrument is in force by its rule; false where it
// is not yet so by anything that stands in the record.
func (x Exchange) InForce(rule EntryRule, date time.Time) (from time.Time, ok bool) {
	switch rule {
	case EntryByDepositary:
		return x.Depositary, !x.Depositary.IsZero()
	case EntryOnDate:
		if x.Second.After(date) {
			return x.Second, !x.Second.IsZero() // a date that was past binds from the exchange on
		}
		return date, !x.Second.IsZero() && !date.IsZero()
	case EntryOnCompletion:
		if len(x.Completed) < 2 || x.Second.IsZero() {
			return time.Time{}, false
		}
		return slices.MaxFunc(append([]time.Time{x.Second}, x.Completed...), time.Time.Compare), true
	}
	return x.Second, !x.Second.IsZero()
}

// OneSided returns the interval in which one side can know that the exchange is
// complete and the other cannot: the exchange is under way. By a depositary there
// is none. Until is zero while it lasts.
func (x Exchange) OneSided() (from, until time.Time, ok bool) {
	if !x.Depositary.IsZero() || x.Second.IsZero() {
		return time.Time{}, time.Time{}, false
	}
	return x.Second, x.Known, true
}

// Note is a guarantee note (300) or the reply to one (301).
type Note struct {
	Event        Event
	Undertakings []string
	Text         string // hash of the words
	Reservations []string
}

// noteOf reads a note.
func noteOf(e Event) Note {
	return Note{e, append(e.words("undertakings"), e.words("further")...), e.word("text"), e.words("reservations")}
}

// GuaranteeState is how a guarantee stands, a code.
type GuaranteeState string

// The states of a guarantee.
const (
	GuaranteeOffered   GuaranteeState = "offered"   // and not answered
	GuaranteeDiffers   GuaranteeState = "differs"   // the reply is to other words, or has none in common: no guarantee exists
	GuaranteeDeclined  GuaranteeState = "declined"  // or another text was proposed
	GuaranteeUnderWay  GuaranteeState = "under-way" // one side can know that it is complete, the other cannot yet
	GuaranteePending   GuaranteeState = "pending"   // complete, and in force from a later date
	GuaranteeInForce   GuaranteeState = "in-force"
	GuaranteeWithdrawn GuaranteeState = "withdrawn" // and in force until its end
	GuaranteeEnded     GuaranteeState = "ended"
)

// Guarantee is an exchange of notes of non-interference.
type Guarantee struct {
	State         GuaranteeState
	Undertakings  []string // in force, or that would be: those of both notes
	OnlyOffered   []string
	OnlyAnswered  []string
	Reservations  map[identity.Party][]string
	From          time.Time // zero: it is not complete
	OneSidedFrom  time.Time // zero: there was no such interval
	OneSidedUntil time.Time // zero: it lasts
	Ends          time.Time // zero: no end is known
	Why           string    // of Differs
}

// withdrawalNotice is how long a guarantee lives after its withdrawal.
var withdrawalNotice = Period{Months: 6}

// FoldGuarantee says how a guarantee stands as of a second: its note, the reply
// (nil: none), and withdrawals of either (302). Only what both notes name, in
// words of one hash, is in force.
func FoldGuarantee(offer Event, reply *Event, x Exchange, withdrawals []Event, at time.Time) Guarantee {
	one := noteOf(offer)
	g := Guarantee{State: GuaranteeOffered, OnlyOffered: one.Undertakings, Reservations: map[identity.Party][]string{}}
	g.reserve(one)
	if reply == nil || reply.Received.IsZero() || reply.Received.After(at) {
		return g
	}
	two := noteOf(*reply)
	g.reserve(two)
	decision := reply.word("decision")
	switch {
	case decision != "same-words" && decision != "with-reservation":
		g.State = GuaranteeDeclined
		return g
	case one.Text == "" || one.Text != two.Text:
		g.State, g.Why = GuaranteeDiffers, fmt.Sprintf("the reply is to the words %.64q, the note has %.64q", two.Text, one.Text)
		return g
	}
	in := func(list []string) func(string) bool { return func(u string) bool { return slices.Contains(list, u) } }
	g.OnlyOffered = slices.DeleteFunc(slices.Clone(one.Undertakings), in(two.Undertakings))
	g.OnlyAnswered = slices.DeleteFunc(slices.Clone(two.Undertakings), in(one.Undertakings))
	g.Undertakings = slices.DeleteFunc(slices.Clone(one.Undertakings), func(u string) bool { return !slices.Contains(two.Undertakings, u) })
	if len(g.Undertakings) == 0 {
		g.State, g.Why = GuaranteeDiffers, "the notes have no undertaking in common"
		return g
	}
	g.live(offer, x, withdrawals, at)
	return g
}

func (g *Guarantee) reserve(n Note) {
	if len(n.Reservations) > 0 {
		g.Reservations[n.Event.By] = n.Reservations
	}
}

// live reckons from when until when the guarantee is in force.
func (g *Guarantee) live(offer Event, x Exchange, withdrawals []Event, at time.Time) {
	date, _, _ := offer.span("entry_date")
	from, complete := x.InForce(EntryRule(offer.word("entry")), date)
	if !complete || x.Second.After(at) {
		g.State = GuaranteeUnderWay
		return
	}
	g.From = from
	var one bool
	if g.OneSidedFrom, g.OneSidedUntil, one = x.OneSided(); one && (g.OneSidedUntil.IsZero() || g.OneSidedUntil.After(at)) {
		g.State, g.OneSidedUntil = GuaranteeUnderWay, time.Time{}
		return
	}
	if until, _, ok := offer.span("until"); ok {
		g.Ends = until
	}
	withdrawn := false
	for _, w := range withdrawals {
		if w.Received.IsZero() || w.Received.After(at) {
			continue
		}
		ends := withdrawalNotice.After(w.Received)
		if named, _, ok := w.span("effective"); ok && named.After(ends) {
			ends = named
		}
		withdrawn = true
		if g.Ends.IsZero() || ends.Before(g.Ends) {
			g.Ends = ends
		}
	}
	switch {
	case !g.Ends.IsZero() && at.After(g.Ends):
		g.State = GuaranteeEnded
	case at.Before(g.From):
		g.State = GuaranteePending
	case withdrawn:
		g.State = GuaranteeWithdrawn
	default:
		g.State = GuaranteeInForce
	}
}
