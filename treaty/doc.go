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
// A Ledger keeps account of one over the messages of the record:
//
//	l, err := treaty.NewLedger(setup, edition)
//	for … { ev := treaty.Read(place, by, to, body, at, edition); ev.Received = …; l.Put(ev) }
//	s := l.At(at)                // as of a second, past or present
//	s.Owed(party)                // what is owed now, the earliest due first
//	l.Explain(o.Key, at)         // why, step by step
//	s.Digest()                   // what both sides compare; Trail names the first event they differ on
//
// FoldGuarantee, FoldAmendment, Signed and Exchange say how other instruments
// stand; ParseDraft and Redline serve their negotiation; Commit and Prove show
// that one asset was on a list that nobody sees.
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
//
// A duty runs from the receipt of what triggers it as it stands in the record, by
// the text and the election window of that second: a window or amendment that comes
// later leaves it as it is. While its article is suspended its clock stands still. A
// correction (019) leaves clocks as they are; a recall, a withdrawal and a cancelled
// notice stop them. An interim answer (202) moves a date once by right, again by
// consent. What an exercise says starts and meets nothing real.
package treaty
