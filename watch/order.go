package watch

import (
	"cmp"
	"slices"

	"detente/identity"
	"detente/message"
)

// InOrder returns messages in the order in which the folds of this package take
// them, so that both sides come to the same (P10). Messages without a receipt are
// left out.
//
// The earliest receipt goes first. One receipt covers all that was delivered at
// once, so that many messages have one second: of these each stands behind what
// stands before it in its log and behind what it refers to, and where neither
// decides the lowest id goes first.
func InOrder(record []Said) []Said {
	out := slices.DeleteFunc(slices.Clone(record), func(s Said) bool { return s.Received.IsZero() || s.Body.ID == (message.ID{}) })
	return Ordered(out, func(s Said) Said { return s })
}

// Ordered is InOrder of what holds messages, all of which have a receipt and an
// id. It leaves its argument as it is.
func Ordered[T any](list []T, said func(T) Said) []T {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b T) int { return said(a).compare(said(b)) })
	for from := 0; from < len(out); {
		to := from + 1
		for to < len(out) && said(out[to]).Received.Equal(said(out[from]).Received) {
			to++
		}
		if to-from > 1 {
			copy(out[from:to], causes(out[from:to], said))
		}
		from = to
	}
	return out
}

// compare orders messages by receipt, log, index and id.
func (s Said) compare(o Said) int {
	return cmp.Or(s.Received.Compare(o.Received), cmp.Compare(s.Log.Writer, o.Log.Writer), cmp.Compare(s.Log.Reader, o.Log.Reader), cmp.Compare(s.Log.Class, o.Log.Class),
		cmp.Compare(s.Log.Era, o.Log.Era), cmp.Compare(s.Index, o.Index), slices.Compare(s.Body.ID[:], o.Body.ID[:]))
}

// causes orders messages of one second, which are sorted by log and index: what
// is referred to goes before what refers to it. Where references go round, which
// no honest ones do, the lowest id breaks in.
func causes[T any](list []T, said func(T) Said) []T {
	var logs [][]T // what is left of each
	left := make(map[message.ID]int, len(list))
	for i, m := range list {
		s := said(m)
		left[s.Body.ID]++
		if n := len(logs); n > 0 && s.Log != (identity.Origin{}) && s.Log == said(list[i-1]).Log {
			logs[n-1] = append(logs[n-1], m)
			continue
		}
		logs = append(logs, []T{m})
	}
	out := make([]T, 0, len(list))
	for len(out) < len(list) {
		next := lowest(logs, said, left)
		if next < 0 {
			next = lowest(logs, said, nil)
		}
		m := logs[next][0]
		left[said(m).Body.ID]--
		out, logs[next] = append(out, m), logs[next][1:]
	}
	return out
}

// lowest returns the log whose next message has the lowest id, of those that wait
// for none that is left; below zero: each waits.
func lowest[T any](logs [][]T, said func(T) Said, left map[message.ID]int) int {
	best, low := -1, message.ID{}
	for i, log := range logs {
		if len(log) == 0 {
			continue
		}
		b := said(log[0]).Body
		id := b.ID
		if slices.ContainsFunc(b.Refs, func(r message.ID) bool { return r != id && left[r] > 0 }) {
			continue
		}
		if best < 0 || slices.Compare(id[:], low[:]) < 0 {
			best, low = i, id
		}
	}
	return best
}
