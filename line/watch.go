package line

import (
	"strings"
	"time"
)

// Alarms is a set of conditions that must be seen (P16). It is level, not edge:
// a set without a bit says that the condition is over.
type Alarms uint8

// The alarms of one direction of a line.
const (
	// AlarmSilent: nothing was heard of the peer for longer than agreed.
	AlarmSilent Alarms = 1 << iota
	// AlarmWithheld: the peer is alive and leaves an offered entry without a
	// receipt beyond the receipt time.
	AlarmWithheld
	// AlarmQuota: the peer stores no more of ours for now, as its quota says.
	AlarmQuota
	// AlarmRefused: the TLS keys of the two ends do not match what is pinned.
	AlarmRefused
)

// AllAlarms returns each alarm by itself.
func AllAlarms() []Alarms { return []Alarms{AlarmSilent, AlarmWithheld, AlarmQuota, AlarmRefused} }

// String lists the alarms by name; none is "none".
func (a Alarms) String() string {
	var names []string
	for i, n := range [...]string{"silent", "withheld", "quota", "refused"} {
		if a&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, " ")
}

// Watch is what is known of one mirror of one log, to tell a silent peer from
// one that withholds its receipts. All times come from the two logs but for
// Heard.
type Watch struct {
	// Oldest is the second of the wrapper of the first entry that the peer has
	// not cosigned; zero where it cosigned all.
	Oldest time.Time
	// Grew is the second of the newest entry of the peer's own log; zero where
	// it has none, as a depositary.
	Grew time.Time
	// Heard is when anything authenticated last came from the peer: a request,
	// or an answer of any status. Zero: never, and nothing is expected yet.
	Heard time.Time
	// Listening is since when the peer could have been heard: the later of the
	// line's opening and this station's start.
	Listening time.Time
	// SilentAfter is how long the peer may be unheard: the line's test interval
	// and some grace. If zero, silence raises no alarm.
	SilentAfter time.Duration
	// Full says that the peer answered with a 503 that the last day's bytes
	// bear out: see QuotaBorneOut.
	Full bool
	// ReceiptTime is how long an entry may be uncosigned. If zero, the
	// package's ReceiptTime.
	ReceiptTime time.Duration
}

// Finding is what a Watch amounts to at a moment.
type Finding struct {
	Alarms Alarms
	// Proven says that AlarmWithheld follows from the two logs alone, so that
	// it can be exported: the peer's log grew after the receipt time had run
	// out. Otherwise only this station saw that the peer was alive.
	Proven bool
	// Until is when the finding may change by the passing of time alone; zero
	// for never.
	Until time.Time
}

// At computes the finding at now. A peer that wrote, or was heard, after the
// receipt time of the oldest uncosigned entry ran out, withholds; that stays so
// until the receipt comes. Neither says why: the peer may not accept, or the
// line may be cut one way. Where a quota explains it, it is not withheld.
func (w Watch) At(now time.Time) Finding {
	var f Finding
	if w.Full {
		f.Alarms |= AlarmQuota
	}
	if w.SilentAfter > 0 {
		last := later(w.Heard, w.Listening)
		if due := last.Add(w.SilentAfter); !last.IsZero() && !now.Before(due) {
			f.Alarms |= AlarmSilent
		} else if !last.IsZero() {
			f.Until = due
		}
	}
	if w.Oldest.IsZero() || w.Full {
		return f
	}
	limit := w.ReceiptTime
	if limit <= 0 {
		limit = ReceiptTime
	}
	due := w.Oldest.Add(limit)
	if now.Before(due) {
		f.Until = sooner(f.Until, due)
		return f
	}
	proven := !w.Grew.Before(due)
	if proven || !w.Heard.Before(due) {
		f.Alarms |= AlarmWithheld
		f.Proven = proven
	}
	return f
}

// QuotaBorneOut reports whether a 503 is explained by the reader's quota: the
// bytes that it stored of the writer's log in the last day, and those offered,
// pass what its newest entry 0 allows a day. An unknown quota explains nothing.
func QuotaBorneOut(dayBytes, offered, quota int64) bool {
	return quota > 0 && dayBytes+offered > quota
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// sooner returns the earlier time; a zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
