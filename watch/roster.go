package watch

import (
	"time"

	"detente/book"
	"detente/identity"
)

// Roster says who sits at a station's desks, and when. All of its times are
// UTC. It is data: a value that is changed by making another one, with the next
// version. Use ParseRoster, or call Check on one that was put together in code.
type Roster struct {
	Station    identity.Station
	Version    uint64    // grows with each change; cited by pings of contacts
	Start      time.Time // a Monday, 00:00Z: where week 0 of the rotation begins
	Until      time.Time // nobody is on from then; zero: it has no end
	Weeks      int       // after how many the turns repeat
	Shifts     []Shift   // of a day; empty: three of eight hours, from 00:00Z
	Desks      []Desk
	Clearances []string // levels, lowest first
	Officers   []Officer
	Turns      []Turn
	Leave      []Leave
	Swaps      []Swap
	Overrides  []Temporary // stand in place of the turns
	Surges     []Temporary // add to the turns
	Needs      Needs
}

// Shift is a part of each day. It may end on the next one.
type Shift struct {
	Name   string
	Begin  time.Duration // after 00:00Z; below 24 h
	Length time.Duration // above zero; 24 h at most
}

// Desk is a place that has to be manned.
type Desk struct {
	Name string
	// Always says that every shift of every day has a turn at this desk: a
	// hole in the turns is refused. Otherwise it is manned as the turns say.
	Always bool
}

// Officer is one who can be on watch, by pseudonym.
type Officer struct {
	Pseudonym string
	Languages []book.Lang // that the officer reads
	Clearance string      // one of the roster's; empty: none
	Roles     []string    // of certificates: watch, releasing, linguist, supervisor, on-call …
}

// The roles that escalation looks for.
const (
	RoleSupervisor = "supervisor"
	RoleOnCall     = "on-call"
)

// Turn puts officers at a desk in a shift of certain days of one week of the
// rotation.
type Turn struct {
	Week     int // from 0, below Weeks
	Days     []time.Weekday
	Shift    string
	Desk     string
	Officers []string
}

// Leave takes an officer off all desks. It goes before everything else: an
// officer on leave is never shown as on.
type Leave struct {
	Officer  string
	From, To time.Time
}

// Slot is one officer's place at a desk in one shift, by the second at which
// it begins.
type Slot struct {
	Officer string
	Desk    string
	Begin   time.Time
}

// Swap exchanges two slots' officers. Until both have agreed it changes
// nothing.
type Swap struct {
	First, Second Slot
	Agreed        []string // pseudonyms
}

// Effective reports whether both officers agreed.
func (s Swap) Effective() bool {
	return contains(s.Agreed, s.First.Officer) && contains(s.Agreed, s.Second.Officer)
}

// Temporary is a fixed schedule of a desk for some time.
type Temporary struct {
	Desk     string
	From, To time.Time
	Officers []string
}

// Needs says what the whole watch must have at every second of its roster.
type Needs struct {
	Officers  int         // on at once; if zero, 1
	Flash     int         // to take a FLASH; if zero, 2
	Languages []book.Lang // each read by somebody who is on
	Clearance string      // held, or a higher one, by somebody who is on; empty: none
	MaxDuty   time.Duration
	MinRest   time.Duration
}

// What is asked where Needs says nothing.
const (
	DefaultFlash   = 2
	DefaultMaxDuty = 16 * time.Hour // two shifts in a row, and no more
	DefaultMinRest = 8 * time.Hour
)

// filled returns the needs with their defaults.
func (n Needs) filled() Needs {
	if n.Officers <= 0 {
		n.Officers = 1
	}
	if n.Flash <= 0 {
		n.Flash = DefaultFlash
	}
	if n.MaxDuty <= 0 {
		n.MaxDuty = DefaultMaxDuty
	}
	if n.MinRest <= 0 {
		n.MinRest = DefaultMinRest
	}
	return n
}

// Limits of a roster: of the largest centre that the field knows, ten times
// over.
const (
	MaxOfficers   = 500
	MaxDesks      = 32
	MaxShifts     = 24
	MaxWeeks      = 52
	MaxTurns      = 4000
	MaxChanges    = 1000 // of each kind: leave, swaps, overrides, surges
	MaxTurn       = 16   // officers of a turn
	MaxClearances = 16
	maxName       = 32 // of a desk, shift or clearance
)

// maxTemporary bounds an override or a surge, an election's period with room.
const maxTemporary = 92 * 24 * time.Hour

const day = 24 * time.Hour

// DefaultShifts are three of eight hours.
func DefaultShifts() []Shift {
	return []Shift{{"night", 0, 8 * time.Hour}, {"day", 8 * time.Hour, 8 * time.Hour}, {"evening", 16 * time.Hour, 8 * time.Hour}}
}

// shifts returns the shifts of a day.
func (r Roster) shifts() []Shift {
	if len(r.Shifts) == 0 {
		return DefaultShifts()
	}
	return r.Shifts
}

// Officer returns an officer by pseudonym.
func (r Roster) Officer(pseudonym string) (Officer, bool) {
	for _, o := range r.Officers {
		if o.Pseudonym == pseudonym {
			return o, true
		}
	}
	return Officer{}, false
}

// reads reports whether the officer reads a language.
func (o Officer) reads(l book.Lang) bool { return contains(o.Languages, l) }

func contains[T comparable](list []T, v T) bool {
	for _, e := range list {
		if e == v {
			return true
		}
	}
	return false
}
