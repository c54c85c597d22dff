package dossier

import (
	"slices"
	"time"

	"detente/message"
)

// A message of a kind makes one dossier with the messages of the same kind that
// it refers to or that refer to it. One of no kind of its own (KindAny) is in
// the dossier of each message that it refers to, and merges none of them; where
// it refers to nothing known it is a letter, a dossier of its own.

// refs returns the ids that a message refers to: a disputed time refers to the
// entry whose receipt is in question, by its place.
func (l *Line) refs(it Item) []message.ID {
	if it.Disputed == nil {
		return it.Refs
	}
	id := l.items[*it.Disputed].ID
	if id == (message.ID{}) || slices.Contains(it.Refs, id) {
		return it.Refs
	}
	return append(slices.Clip(it.Refs), id)
}

// heads returns the messages of a kind, or letters, whose dossiers a message is
// in, those by its first reference first.
func (l *Line) heads(it Item, at time.Time) []message.ID {
	var heads []message.ID
	visited := map[message.ID]bool{it.ID: true}
	var climb func(it Item)
	climb = func(it Item) {
		if l.kind(it) != KindAny {
			heads = append(heads, it.ID)
			return
		}
		known := false
		for _, ref := range l.refs(it) {
			up, ok := l.get(ref, at)
			if !ok || ref == it.ID {
				continue
			}
			known = true
			if !visited[ref] {
				visited[ref] = true
				climb(up)
			}
		}
		if !known {
			heads = append(heads, it.ID)
		}
	}
	climb(it)
	if len(heads) == 0 { // it refers in a circle, which no honest writer can
		heads = append(heads, it.ID)
	}
	return heads
}

// cores returns the messages of the head's kind that hang together with it: the
// head itself where it is a letter.
func (l *Line) cores(head Item, at time.Time) []Item {
	cores := []Item{head}
	kind := l.kind(head)
	if kind == KindAny {
		return cores
	}
	seen := map[message.ID]bool{head.ID: true}
	for i := 0; i < len(cores); i++ {
		for _, id := range l.around(cores[i], at) {
			if it, ok := l.get(id, at); ok && !seen[id] && l.kind(it) == kind {
				seen[id] = true
				cores = append(cores, it)
			}
		}
	}
	return cores
}

// around returns the ids that a message refers to, and of those that refer to
// it.
func (l *Line) around(it Item, at time.Time) []message.ID {
	return slices.Concat(l.refs(it), l.referrers(it.ID, at))
}

// referrers returns the ids of the messages that refer to one, as of a second.
func (l *Line) referrers(id message.ID, at time.Time) []message.ID {
	var list []message.ID
	for _, r := range l.referring[id] {
		if it, ok := l.get(r, at); ok && slices.Contains(l.refs(it), id) {
			list = append(list, r)
		}
	}
	return list
}

// gather returns the entries of a dossier, in the order of the fold, and its id:
// that of the first of its cores.
func (l *Line) gather(head Item, at time.Time) (items []Item, id message.ID) {
	cores := l.cores(head, at)
	id = order(cores)[0].ID
	members := slices.Clone(cores)
	seen := make(map[message.ID]bool, len(cores))
	for _, it := range cores {
		seen[it.ID] = true
	}
	for i := 0; i < len(members); i++ {
		for _, r := range l.referrers(members[i].ID, at) {
			if it, ok := l.get(r, at); ok && !seen[r] && l.kind(it) == KindAny {
				seen[r] = true
				members = append(members, it)
			}
		}
	}
	for _, it := range members {
		for _, p := range l.ids[it.ID] {
			if again, ok := l.listed(p, at); ok {
				items = append(items, again)
			}
		}
	}
	return order(items), id
}

// idOf returns the id of the dossier that a head belongs to.
func (l *Line) idOf(head message.ID, at time.Time) message.ID {
	it, ok := l.get(head, at)
	if !ok {
		return head
	}
	return order(l.cores(it, at))[0].ID
}
