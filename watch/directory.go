package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
)

// The formats that a directory is folded from.
const (
	formatContact message.Format = "030"
	formatPing    message.Format = "031"
)

// Said is a message of the record, in the order in which it is folded.
type Said struct {
	Body     message.Body
	Received time.Time       // the earliest receipt in the record
	Log      identity.Origin // in which it stands; zero: nobody knows where
	Index    int64           // in Log
}

// EntryID names an entry of a directory: its owner's name for it. Ids are
// comparable, and each is used once for ever.
type EntryID struct {
	Owner identity.Station
	Entry string
}

// Listing is a contact and what the record shows of it.
type Listing struct {
	Contact
	Said      time.Time // when it came into the directory
	Replaced  string    // the entry that takes its place; empty: none does
	Until     time.Time // when that one becomes valid, and this one is no longer the one that holds
	Withdrawn time.Time // zero: it was not
	Asked     time.Time // the last ping of it; zero: none
	Answered  time.Time // the last ping that was answered by a person who was reached; zero: none
	Failed    time.Time // the last ping that was answered with nobody reached; zero: none
	root      EntryID   // the first entry of the chain of replacements that it stands in
}

// Live reports whether the entry may still be changed: it is neither replaced
// nor withdrawn.
func (l Listing) Live() bool { return l.Replaced == "" && l.Withdrawn.IsZero() }

// Holds reports whether the entry is the one to turn to at a time: valid, not
// withdrawn, and not yet replaced by one that is valid.
func (l Listing) Holds(at time.Time) bool {
	return (Span{l.From, l.To}).Has(at) && (l.Withdrawn.IsZero() || at.Before(l.Withdrawn)) && (l.Replaced == "" || at.Before(l.Until))
}

// Refusal is a message that changed nothing, and why.
type Refusal struct {
	Message message.ID
	Reason  string // a code: entry-used, no-such-entry, not-live, key-of-another, unasked, unreadable
	Detail  string
}

// Directory is the contacts of both sides of a line, own and counterpart's. It
// is a function of the record. The zero value is empty.
type Directory struct {
	Listings []Listing // by owner and entry, each once
	Refusals []Refusal // in the order in which they were said
	pings    map[message.ID]ping
	keys     map[string]EntryID // whose each key is, for ever: the first entry of a chain of replacements
}

type ping struct {
	owner identity.Station
	role  string
	entry string
}

// MaxContacts bounds a directory: every body of two governments that has a
// desk.
const MaxContacts = 2000

// FoldDirectory computes the directory that a record shows, from its messages
// of formats 030 and 031 in the order of the fold. Others are passed over. What
// may not be said changes nothing and is listed as refused: nobody speaks for
// the other side's contacts, no entry's name is used twice, and no contact
// takes a key that is another's.
func FoldDirectory(record []Said) Directory {
	d := Directory{pings: map[message.ID]ping{}, keys: map[string]EntryID{}}
	at := map[EntryID]*Listing{}
	for _, s := range record {
		var reason, detail string
		switch s.Body.Format {
		case formatContact:
			reason, detail = d.contact(at, s)
		case formatPing:
			reason, detail = d.ping(at, s)
		}
		if reason != "" {
			d.Refusals = append(d.Refusals, Refusal{s.Body.ID, reason, detail})
		}
	}
	for _, l := range at {
		d.Listings = append(d.Listings, *l)
	}
	slices.SortFunc(d.Listings, func(a, b Listing) int {
		return cmp.Or(cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Entry, b.Entry))
	})
	return d
}

// contact takes a 030.
func (d *Directory) contact(at map[EntryID]*Listing, s Said) (reason, detail string) {
	c, change, err := ContactOf(s.Body)
	if err != nil {
		return "unreadable", err.Error()
	}
	own := at[c.ID()]
	if change == changeWithdrawn {
		switch {
		case own == nil:
			return "no-such-entry", c.Entry
		case !own.Live():
			return "not-live", c.Entry
		}
		own.Withdrawn = s.Received
		return "", ""
	}
	if own != nil {
		return "entry-used", c.Entry
	}
	if len(at) >= MaxContacts {
		return "entry-used", fmt.Sprintf("the directory holds %d entries", MaxContacts)
	}
	var before *Listing
	if c.Replaces != "" {
		before = at[EntryID{c.Owner, c.Replaces}]
		if before == nil {
			return "no-such-entry", c.Replaces
		}
		if !before.Live() {
			return "not-live", c.Replaces
		}
	}
	listing := &Listing{Contact: c, Said: s.Received, root: c.ID()}
	if before != nil {
		listing.root = before.root
	}
	if holder, ok := d.keys[c.Key]; ok && holder != listing.root {
		return "key-of-another", fmt.Sprintf("key %s is that of %s of %s", clip(c.Key), clip(holder.Entry), holder.Owner)
	}
	if before != nil {
		before.Replaced, before.Until = c.Entry, later(c.From, s.Received)
	}
	d.keys[c.Key], at[c.ID()] = listing.root, listing
	return "", ""
}

// ping takes a 031.
func (d *Directory) ping(at map[EntryID]*Listing, s Said) (reason, detail string) {
	p, err := pingOf(s.Body)
	if err != nil {
		return "unreadable", err.Error()
	}
	if p.step == stepPing {
		asked := ping{s.Body.To, p.role, p.entry}
		if !asked.each(at, s.Received, func(l *Listing) { l.Asked = later(l.Asked, s.Received) }) {
			return "no-such-entry", p.role + " " + p.entry
		}
		d.pings[s.Body.ID] = asked
		return "", ""
	}
	for _, ref := range s.Body.Refs {
		asked, ok := d.pings[ref]
		if !ok || asked.owner != s.Body.From || asked.role != p.role || asked.entry != "" && asked.entry != p.entry {
			continue
		}
		answered := ping{asked.owner, asked.role, p.entry}
		if answered.each(at, s.Received, func(l *Listing) {
			if p.reached {
				l.Answered = later(l.Answered, s.Received)
			} else {
				l.Failed = later(l.Failed, s.Received)
			}
		}) {
			return "", ""
		}
	}
	return "unasked", "no ping of that contact is referred to"
}

// each does something to each contact that a ping is about and that was not
// over when it was receipted, and reports whether there is one.
func (p ping) each(at map[EntryID]*Listing, when time.Time, do func(*Listing)) (found bool) {
	for id, l := range at {
		if id.Owner == p.owner && l.Role == p.role && l.Withdrawn.IsZero() && (l.Replaced == "" || when.Before(l.Until)) && (p.entry == "" || p.entry == id.Entry) {
			do(l)
			found = true
		}
	}
	return found
}

// Find returns the contacts of a station in a role that hold at a time, in
// order. An empty role is any.
func (d Directory) Find(owner identity.Station, role string, at time.Time) []Listing {
	return slices.DeleteFunc(slices.Clone(d.Listings), func(l Listing) bool {
		return l.Owner != owner || role != "" && l.Role != role || !l.Holds(at)
	})
}

// Freshness says how far an entry is to be trusted.
type Freshness string

// The states of an entry. Each is a code with a text in six languages.
const (
	Fresh      Freshness = "fresh"       // a person answered within six months
	NeverAsked Freshness = "never-asked" // new, and no ping yet
	AskedNow   Freshness = "asked"       // a ping is under way
	Unanswered Freshness = "unanswered"  // nobody answered a ping in time
	NotReached Freshness = "not-reached" // the owner says that nobody was reached
	Stale      Freshness = "stale"       // six months without an answer
	NotYet     Freshness = "not-yet-valid"
	Expired    Freshness = "expired"
	Gone       Freshness = "withdrawn"
	Superseded Freshness = "replaced"
)

// Freshnesses returns all states of an entry.
func Freshnesses() []Freshness {
	return []Freshness{Fresh, NeverAsked, AskedNow, Unanswered, NotReached, Stale, NotYet, Expired, Gone, Superseded}
}

// Alarming reports whether somebody has to look after an entry in that state.
func (f Freshness) Alarming() bool {
	return contains([]Freshness{Unanswered, NotReached, Stale, Expired}, f)
}

const (
	pingMonths = 6              // after which a contact must have answered again
	pingWithin = 24 * time.Hour // within which a ping is to be answered
)

// Freshness returns the entry's state at a time, since when it is so (zero: it
// is not known), and when it changes by time alone (zero: not).
func (l Listing) Freshness(now time.Time) (f Freshness, since, until time.Time) {
	last := later(l.Answered, l.From) // what six months run from
	stale := addMonths(last, pingMonths)
	switch {
	case !l.Withdrawn.IsZero():
		return Gone, l.Withdrawn, time.Time{}
	case l.Replaced != "" && !now.Before(l.Until):
		return Superseded, l.Until, time.Time{}
	case now.Before(l.From):
		return NotYet, l.Said, l.From
	case !now.Before(l.To):
		return Expired, l.To, time.Time{}
	case l.Failed.After(l.Answered) && !l.Asked.After(l.Failed):
		return NotReached, l.Failed, l.To
	case l.Asked.After(later(l.Answered, l.Failed)) && !now.Before(l.Asked.Add(pingWithin)):
		return Unanswered, l.Asked, l.To
	case !now.Before(stale):
		return Stale, stale, l.To
	case l.Asked.After(later(l.Answered, l.Failed)):
		return AskedNow, l.Asked, earlier(l.Asked.Add(pingWithin), l.To)
	case l.Answered.IsZero():
		return NeverAsked, l.From, earlier(stale, l.To)
	}
	return Fresh, l.Answered, earlier(stale, l.To)
}

// Check returns what a directory breaks of what always holds: entries in order
// and once each, what is replaced by an entry that exists, and no key of two
// live contacts.
func (d Directory) Check() error {
	var f faults
	keys := map[string]EntryID{}
	for i, l := range d.Listings {
		if i > 0 && !less(d.Listings[i-1].ID(), l.ID()) {
			f.add(l.Entry, "out of order, or twice", "this is an internal error")
		}
		if l.Replaced != "" && !slices.ContainsFunc(d.Listings, func(o Listing) bool { return o.Owner == l.Owner && o.Entry == l.Replaced && o.Replaces == l.Entry }) {
			f.add(l.Entry, "replaced by an entry that is not there", "this is an internal error")
		}
		if other, ok := keys[l.Key]; ok && l.Live() {
			f.add(l.Entry, "it has the key of "+other.Entry, "this is an internal error")
		}
		if l.Live() {
			keys[l.Key] = l.ID()
		}
	}
	return f.err()
}

func less(a, b EntryID) bool {
	return cmp.Or(cmp.Compare(a.Owner, b.Owner), strings.Compare(a.Entry, b.Entry)) < 0
}
