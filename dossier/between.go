package dossier

import (
	"bytes"
	"slices"
	"time"

	"detente/message"
)

// Change says what made a line's state another from one second to a later one.
type Change struct {
	Places []Place // what was received meanwhile, the earliest first, then by place; where nothing was, the last entries of the matters that changed
	ByTime bool    // nothing was received: time alone brought it about, as when a duty lapses
}

// Between says why a state is another than the one before it, both being of one
// record. It is the zero value where both say the same.
func Between(before, after Whole) Change {
	was := make(map[message.ID][]byte, len(before.Dossiers))
	for _, d := range before.Dossiers {
		was[d.ID] = d.JSON()
	}
	received := make(map[Place]time.Time)
	var turned []Place
	for _, d := range after.Dossiers {
		if bytes.Equal(was[d.ID], d.JSON()) {
			continue
		}
		for _, e := range d.Timeline {
			if e.Received.After(before.At) && !e.Received.After(after.At) {
				received[e.Place] = e.Received
			}
		}
		if n := len(d.Timeline); n > 0 {
			turned = append(turned, d.Timeline[n-1].Place)
		}
	}
	for _, x := range after.Unreadable {
		if x.Received.After(before.At) {
			received[x.Place] = x.Received
		}
	}
	if len(received) == 0 {
		slices.SortFunc(turned, byPlace)
		return Change{Places: slices.Compact(turned), ByTime: len(turned) > 0}
	}
	var c Change
	for p := range received {
		c.Places = append(c.Places, p)
	}
	slices.SortFunc(c.Places, func(a, b Place) int {
		if x := received[a].Compare(received[b]); x != 0 {
			return x
		}
		return byPlace(a, b)
	})
	return c
}
