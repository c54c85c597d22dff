// Package treaty says what is owed: an agreement's articles as data, what they
// make each side owe after the messages of the record, and how that stands as of
// any second. Both sides, and an arbiter with an exported record, come to the
// same.
//
// The package is pure: no clock, no store, no goroutine. What it finds is shown
// and triggers nothing: a miss is a flag, and the formats by which the other side
// may go on.
//
// # Use
//
// ParseAgreement reads an agreement, Check looks for what would make it
// unworkable, Agreement.Hash is the one hash that both sides sign. Model is the
// agreement that ships with the program, a draft.
//
// # Conditions
//
// Where a duty depends on what a message says, a condition in CEL decides: its
// parameters as m.<name>, given (the names of those that are there), format,
// precedence, phase, received and refers. It is held to the types of the signal
// book, and to MaxCost steps in the worst case. One that fails on a message is
// shown as failed, with its place; it is never a silent no.
//
// # Times
//
// A day is a block of 24 hours in UTC. Months and years are of the calendar: the
// same day and second so many months later, or the month's last day where it has
// no such day, counted from the first start each time. A leap second is no second
// of records. Zones matter for the days of elections alone (Date.In). What is due
// at a second is in time at that second.
package treaty
