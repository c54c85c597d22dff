package treaty

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Window is a period in which a side votes, as it stands.
type Window struct {
	By        identity.Party
	Election  string
	Message   message.ID // that said so last
	From, To  time.Time  // both in it
	CoreFrom  time.Time
	CoreTo    time.Time
	Short     bool // it was told less than its articles ask ahead
	Cancelled bool
}

// vote notes what a message says of an election. Windows of both sides, and of
// several elections of one, may overlap: the strictest counts.
func (f *folded) vote(e *Event) {
	v, ok := election(e)
	if !ok {
		if e.Format == "310" {
			f.refuse(e, "", "it names no election, or its window ends before it begins")
		}
		return
	}
	i := slices.IndexFunc(f.windows, func(w Window) bool { return w.By == e.By && w.Election == v.election })
	if i < 0 {
		if v.changes {
			f.refuse(e, "", "it changes an election that was not told")
			return
		}
		i = len(f.windows)
		f.windows = append(f.windows, Window{By: e.By, Election: v.election})
	}
	w := &f.windows[i]
	w.Message = e.ID
	if v.open != (span{}) {
		w.From, w.To, w.Cancelled = v.open.from, v.open.to, false
	}
	if v.core != (span{}) {
		w.CoreFrom, w.CoreTo = v.core.from, v.core.to
	}
	if !w.CoreFrom.IsZero() && (w.CoreFrom.Before(w.From) || w.CoreTo.After(w.To)) {
		f.refuse(e, "", "its core does not lie in its window: only what lies in both counts as core")
	}
	if v.ends {
		w.Cancelled = v.cancelled
		if e.Received.Before(w.To) {
			w.To = e.Received
		}
	}
}

// phase says in which phase a second lies, by the windows that are known.
func (f *folded) phase(at time.Time) Phase {
	phase := PhaseNone
	for _, w := range f.windows {
		if !(span{w.From, w.To}).has(at) {
			continue
		}
		if (span{w.CoreFrom, w.CoreTo}).has(at) {
			return PhaseCore
		}
		phase = PhaseOpen
	}
	return phase
}
