package dossier

import (
	"cmp"
	"slices"

	"detente/identity"
)

// order returns messages in the order of the fold: of those whose causes are
// taken (what stands before them in their own log, and what their writer had
// seen of the other), the one with the earliest receipt, then the lowest id.
// Where writers claim to have seen each other's later entries the claims cancel
// out, and receipt and id decide. It leaves its argument as it is.
func order(items []Item) []Item {
	logs := make(map[identity.Station][]Item)
	var writers []identity.Station
	for _, it := range items {
		w := it.Origin.Writer
		if _, ok := logs[w]; !ok {
			writers = append(writers, w)
		}
		logs[w] = append(logs[w], it)
	}
	slices.Sort(writers)
	for _, w := range writers {
		slices.SortFunc(logs[w], func(a, b Item) int {
			if c := placeOrder(a.Place(), b.Place()); c != 0 {
				return c
			}
			return cmp.Compare(a.Origin.String(), b.Origin.String())
		})
	}
	out := make([]Item, 0, len(items))
	for len(out) < len(items) {
		w := first(writers, logs, true)
		if w == "" {
			w = first(writers, logs, false)
		}
		out = append(out, logs[w][0])
		logs[w] = logs[w][1:]
	}
	return out
}

// first returns whose message is next. Empty: each waits for another, where
// what was seen counts.
func first(writers []identity.Station, logs map[identity.Station][]Item, seen bool) identity.Station {
	var best identity.Station
	for _, w := range writers {
		if len(logs[w]) == 0 {
			continue
		}
		it := logs[w][0]
		if rest := logs[it.Origin.Reader]; seen && it.Origin.Reader != w && len(rest) > 0 && it.Seen.covers(rest[0].Place()) {
			continue
		}
		if best == "" || sooner(it, logs[best][0]) {
			best = w
		}
	}
	return best
}

// sooner is the order of messages neither of which is a cause of the other.
func sooner(a, b Item) bool {
	if c := a.Received.Compare(b.Received); c != 0 {
		return c < 0
	}
	return a.ID.String() < b.ID.String()
}
