// Package watch is who sits at the lines and what they are told: the roster,
// the directory of contacts, alarms, line tests, the handover of a shift and
// its log book.
//
// It decides and does nothing. State goes in, with what happened and the time;
// state comes out, with consequences that somebody else carries out: a
// notification for an outlet, a line for the log book. No consequence is an act
// toward the counterpart, so that no silence of theirs and no alarm of ours can
// start anything by itself.
//
// # The roster
//
// A [Roster] is data: shifts of a day, turns that repeat every so many weeks,
// and what departs from them: leave, swaps, overrides, surges. ParseRoster
// refuses one that contradicts itself and names each entry that is wrong.
// [Roster.On] says who is on at a second, [Roster.Handovers] when that changes,
// and [Roster.Risks] what will go wrong before it does:
//
//	risks, err := roster.Risks(now, now.AddDate(0, 0, 14))
//	for _, r := range risks {
//		line, err := words.Risk(r, "en")
//		…
//	}
//
// # Alarms
//
// Each second, or whenever [Alarms.Due] says that time alone changes something,
// whoever keeps the watch collects the conditions that hold at that moment and
// calls [Alarms.Step]. A condition that is new raises an alarm, one that ended
// clears it, one that came back reopens it. What rings is a group of alarms of
// one kind on one line, with a count, so that ten thousand of them are one call
// and none is lost. A ring goes on until it is acknowledged; an acknowledgement
// lapses if the condition still stands; a FLASH needs two officers; what nobody
// acknowledges climbs along the roster and passes over posts that are empty.
// The state is written with Bytes and read with ParseAlarms, and goes on where it
// was after any pause.
//
// Conditions that follow from the roster, the directory, the tests, the desks
// and the deadlines are computed here; those of the machine are the station's.
//
// # The record
//
// [FoldDirectory], [FoldOutages], [FoldDesk] and [FoldLine] take messages of the
// record in the order that [InOrder] gives them, and come to the same on both
// sides. The bodies must have passed the signal book's Check.
//
// # The line
//
// [Schedule] says which test is due when and by whom, [Measure] what the record
// shows of them. [FoldLine] tells from both sides' acts whether a line is in
// service. A [Challenge] asks the other side for proof of an officer who is
// there now.
//
// # Shifts
//
// A [Sheet] is what one shift hands to the next. NewSheet refuses while a FLASH
// is unread. Both officers sign its request, one going, one coming. Log book
// lines are chained, each to the one before it.
//
// The package is pure: it reads no clock, no disk and no network, and starts no
// goroutine. Everything that it exports is a value; nothing is shared, and a
// state that was given is never changed.
package watch
