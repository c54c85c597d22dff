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
	id := l.entry(*it.Disputed).ID
	if id == (message.ID{}) || slices.Contains(it.Refs, id) {
		return it.Refs
	}
	return append(slices.Clip(it.Refs), id)
}

// heads returns the messages of a kind, or letters, whose dossiers a message is
// in, those by its first reference first. Of messages that refer to each other
// in a circle, which no honest writers can, and to nothing else, the one with
// the lowest id stands for a letter.
func (l *Line) heads(it Item, at time.Time) []message.ID {
	c := climb{l: l, at: at, path: make(map[message.ID]bool)}
	c.up(it)
	if c.circle {
		c.circles()
	}
	return c.heads
}

// climb goes up references from a message of no kind.
type climb struct {
	l      *Line
	at     time.Time
	path   map[message.ID]bool // who was visited; true: and stands on the way here
	order  []message.ID
	heads  []message.ID
	circle bool
}

func (c *climb) up(it Item) {
	known := c.known(it)
	if len(known) == 0 {
		c.heads = append(c.heads, it.ID)
		c.path[it.ID] = false
		return
	}
	c.path[it.ID] = true
	c.order = append(c.order, it.ID)
	for _, up := range known {
		onPath, visited := c.path[up.ID]
		c.circle = c.circle || onPath
		if !visited {
			c.up(up)
		}
	}
	c.path[it.ID] = false
}

// known returns what a message of no kind refers to, as far as it is known.
func (c *climb) known(it Item) (up []Item) {
	if c.l.kind(it) != KindAny {
		return nil
	}
	for _, ref := range c.l.refs(it) {
		if r, ok := c.l.get(ref, c.at); ok && ref != it.ID {
			up = append(up, r)
		}
	}
	return up
}

// circles adds a head for each circle that nothing leads out of.
func (c *climb) circles() {
	reach := make(map[message.ID]map[message.ID]bool)
	for _, id := range c.order {
		reach[id] = c.reach(id)
	}
	for _, id := range c.order {
		lowest, closed := id, true
		for other := range reach[id] {
			closed = closed && reach[other][id]
			if compareIDs(other, lowest) < 0 {
				lowest = other
			}
		}
		if closed && lowest == id {
			c.heads = append(c.heads, id)
		}
	}
}

// reach returns what can be reached from a message.
func (c *climb) reach(id message.ID) map[message.ID]bool {
	seen := make(map[message.ID]bool)
	for next := []message.ID{id}; len(next) > 0; next = next[1:] {
		it, _ := c.l.get(next[0], c.at)
		for _, up := range c.known(it) {
			if !seen[up.ID] {
				seen[up.ID] = true
				next = append(next, up.ID)
			}
		}
	}
	return seen
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
	l.looks(ofReferring(id))
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
