package treaty

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Version is a text of an agreement, and from when it is in force: the agreement
// itself, then each amendment.
type Version struct {
	From time.Time
	Text *Agreement

	hash identity.Digest // of Text; NewLedger fills it in
}

// Setup is what a ledger keeps account of.
type Setup struct {
	Agreement string            // the name by which messages call it
	Parties   [2]identity.Party // whom it binds
	Versions  []Version         // by From; at least one
	Exercise  bool              // it keeps account of an exercise, and of nothing real
}

// Ledger keeps account of an agreement over the messages of the record. It is not
// safe for concurrent use. Whatever order messages are put in, and however often,
// it says the same of any second.
type Ledger struct {
	setup    Setup
	compiled []map[string]conditions // by version, by duty
	events   []*Event                // in the order of the record
	places   map[Place]*Event
	ids      map[message.ID]*Event   // that are folded
	named    map[message.ID][]*Event // those that refer to a message
	live     *folded                 // over all events; nil: to be folded anew
}

// ErrSetup is what a ledger refuses to begin with.
var ErrSetup = errors.New("the agreement cannot be kept account of")

// NewLedger returns a ledger without a message. It fails with an error that holds
// all *ConditionErrors where a condition does not fit the book.
func NewLedger(s Setup, b Book) (*Ledger, error) {
	if len(s.Versions) == 0 || s.Parties[0] == s.Parties[1] {
		return nil, fmt.Errorf("%w: a text and two different parties are needed", ErrSetup)
	}
	l := &Ledger{setup: s, places: make(map[Place]*Event), ids: make(map[message.ID]*Event), named: make(map[message.ID][]*Event)}
	l.setup.Versions = slices.Clone(s.Versions)
	slices.SortStableFunc(l.setup.Versions, func(v, w Version) int { return v.From.Compare(w.From) })
	k, err := newCompiler(b)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i, v := range l.setup.Versions {
		if l.setup.Versions[i].hash, err = v.Text.Hash(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSetup, err)
		}
		duties := make(map[string]conditions)
		for _, art := range v.Text.Articles {
			for _, d := range art.Duties {
				c, wrong := k.conditionsOf(d)
				errs = append(errs, wrong...)
				duties[d.ID] = c
			}
		}
		l.compiled = append(l.compiled, duties)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrSetup, errors.Join(errs...))
	}
	return l, nil
}

// Put takes a message, or takes it anew: with an earlier receipt, a dispute, or
// its blobs. One without a receipt is kept and not folded. Messages that come in
// the order of the record cost the same in a long record as in a short one; one
// that comes late has the record folded anew the next time it is asked.
func (l *Ledger) Put(e Event) {
	if old := l.places[e.Place]; old != nil {
		l.drop(old)
	}
	l.places[e.Place] = &e
	if e.Received.IsZero() || e.Exercise != l.setup.Exercise {
		return // an exercise starts no real clock, and nothing real one of an exercise
	}
	if l.ids[e.ID] == nil {
		l.ids[e.ID] = &e
	}
	for _, ref := range e.Refs {
		l.named[ref] = append(l.named[ref], &e)
	}
	e.depth = l.depth(&e, maxDepth)
	l.insert(&e)
	l.settle(&e, maxDepth)
}

// Event returns what was put last of a place; false where nothing was.
func (l *Ledger) Event(p Place) (Event, bool) {
	e, ok := l.places[p]
	if !ok {
		return Event{}, false
	}
	return *e, true
}

// insert puts an event into its place, and into the live account where that is
// the end.
func (l *Ledger) insert(e *Event) {
	at, _ := slices.BinarySearchFunc(l.events, e, (*Event).before)
	l.events = slices.Insert(l.events, at, e)
	switch {
	case at < len(l.events)-1:
		l.live = nil
	case l.live != nil:
		l.live.take(e)
	}
}

// remove takes an event out of its place.
func (l *Ledger) remove(e *Event) {
	at, _ := slices.BinarySearchFunc(l.events, e, (*Event).before)
	if at < len(l.events) && l.events[at] == e {
		l.events = slices.Delete(l.events, at, at+1)
		l.live = nil
	}
}

// drop forgets an event that is put anew.
func (l *Ledger) drop(e *Event) {
	l.remove(e)
	for _, ref := range e.Refs {
		l.named[ref] = slices.DeleteFunc(l.named[ref], func(x *Event) bool { return x == e })
	}
	if l.ids[e.ID] == e {
		delete(l.ids, e.ID)
	}
}

// maxDepth bounds how far the order within one second follows references: a
// question, its answer, and what is said of that. Beyond it the places decide.
const maxDepth = 3

// depth reckons how many messages of its second stand before an event.
func (l *Ledger) depth(e *Event, most int) (depth int) {
	if most == 0 {
		return 0
	}
	for _, ref := range e.Refs {
		if was := l.ids[ref]; was != nil && was != e && was.Received.Equal(e.Received) {
			depth = max(depth, 1+l.depth(was, most-1))
		}
	}
	return depth
}

// settle puts what refers to an event, in its second, behind it.
func (l *Ledger) settle(e *Event, most int) {
	if most == 0 {
		return
	}
	for _, by := range l.named[e.ID] {
		if by == e || !by.Received.Equal(e.Received) {
			continue
		}
		if d := l.depth(by, maxDepth); d != by.depth {
			l.remove(by)
			by.depth = d
			l.insert(by)
			l.settle(by, most-1)
		}
	}
}

// fold returns the account as of a second: of all messages received by then.
func (l *Ledger) fold(at time.Time) *folded {
	n := len(l.events)
	for n > 0 && l.events[n-1].Received.After(at) {
		n--
	}
	if n == len(l.events) && l.live != nil {
		return l.live
	}
	f := newFolded(l.setup, l.compiled)
	for _, e := range l.events[:n] {
		f.take(e)
	}
	if n == len(l.events) {
		l.live = f
	}
	return f
}

// At says how things stand as of a second. What was received later is not known
// then.
func (l *Ledger) At(at time.Time) State {
	at = at.UTC().Truncate(time.Second)
	return l.fold(at).state(at)
}

// Explain says step by step why an obligation stands as it does as of a second;
// nil where there is none such.
func (l *Ledger) Explain(k Key, at time.Time) []Step {
	at = at.UTC().Truncate(time.Second)
	f := l.fold(at)
	if o := f.find(k, at); o != nil {
		return f.explain(o, at)
	}
	return nil
}

// Mark is a point of the record, and a digest of all that the ledger took up to it.
type Mark struct {
	Place    Place
	Received time.Time
	Digest   identity.Digest
}

// Trail returns the marks of all messages taken, in the order of the record, as of
// a second. Where two sides' states differ, FirstDifference of their trails is
// the event on which they do.
func (l *Ledger) Trail(at time.Time) []Mark {
	var marks []Mark
	var sum identity.Digest
	for _, e := range l.events {
		if e.Received.After(at) {
			break
		}
		text := fmt.Sprintf("%x %s/%d %s %s %s %s %s %d %d %v %v %s", sum[:], e.Place.Origin, e.Place.Index, e.ID, e.Format, e.Precedence, e.By, e.To,
			e.Received.Unix(), e.Second.Unix(), e.Refused, e.Awaited, factsText(e.Facts))
		sum = identity.Sum([]byte(text))
		marks = append(marks, Mark{e.Place, e.Received, sum})
	}
	return marks
}

// FirstDifference returns the index of the first mark that two trails do not have
// alike; false where one goes on as the other does, or they are equal.
func FirstDifference(a, b []Mark) (int, bool) {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i, true
		}
	}
	return n, len(a) != len(b)
}

// Refusal is a message of the agreement's life that changed nothing, and why.
type Refusal struct {
	Message message.ID
	Article string // empty: of the agreement
	Why     string
}
