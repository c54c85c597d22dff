package dossier

import (
	"slices"

	"detente/identity"
)

// joint says what a move has to do with an earlier one of the counterpart's, or
// of its author's: two signatures make a text signed only where both are over
// the same text.
type joint struct {
	with      Move     // the earlier move; empty: the same move
	on        []string // the parameters that must be equal for the two to be compared at all
	same      []string // the parameters that are compared; none: nothing is
	binds     []string // the values of by with which they are; none: any
	against   []string // the values of by of the counterpart's with which they are; none: any
	both      Stage    // where it leads where all are equal; empty: where it leads anyway
	apart     Stage    // where it leads where one is not; empty: the stage stays
	answering []string // the values of by that only answer the counterpart's
}

// earlier returns the move that a move is looked at beside.
func (t turn) earlier(m Move) Move {
	if t.with != "" {
		return t.with
	}
	return m
}

// of reports whether a code is one of those listed; where none is listed any is.
func listed(code string, codes []string) bool {
	return len(codes) == 0 || slices.Contains(codes, code)
}

// other returns the counterpart's last move that a move is compared with.
func (c *course) other(m Move, t turn, who identity.Origin) (Facts, bool) {
	f, ok := c.last[t.earlier(m)][who.Reader]
	if !ok {
		return Facts{}, false
	}
	earlier := c.turns[t.earlier(m)]
	return f, listed(f.Words[earlier.by], t.against)
}

// beside returns where a message's move leads beside what the counterpart said.
func (c *course) beside(m Move, t turn, it Item) Stage {
	to := t.target(it.Facts)
	if len(t.same) == 0 || !listed(it.Facts.Words[t.by], t.binds) {
		return to
	}
	f, ok := c.other(m, t, it.Origin)
	if !ok || !equal(f, it.Facts, t.on) {
		return to
	}
	switch {
	case !equal(f, it.Facts, t.same):
		return t.apart
	case t.both != "":
		return t.both
	}
	return to
}

// equal reports whether two messages say the same in parameters.
func equal(a, b Facts, names []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return a.Words[n] != b.Words[n] })
}

// joins reports whether what a message only answers is there.
func (c *course) joins(m Move, t turn, it Item) bool {
	code := it.Facts.Words[t.by]
	if !slices.Contains(t.answering, code) {
		return true
	}
	_, ok := c.other(m, t, it.Origin)
	return ok
}

// open reports whether a station may lead a dossier to a stage by some value of
// a move, as far as that hangs on what was said before.
func (c *course) open(m Move, t turn, who identity.Origin, to Stage) bool {
	_, theirs := c.other(m, t, who)
	if len(t.same) == 0 && len(t.answering) == 0 || to == "" || to == t.to || to == t.then {
		return true
	}
	for code, s := range t.codes {
		if s == to && (theirs || !slices.Contains(t.answering, code)) {
			return true
		}
	}
	return theirs && (to == t.both || to == t.apart)
}

// jointWays returns the ways that hang on what the counterpart said.
func (t turn) jointWays() (list []way) {
	code := ""
	if len(t.binds) > 0 {
		code = t.binds[0]
	}
	for _, to := range []Stage{t.both, t.apart} {
		if to != "" {
			list = append(list, way{code: code, to: to})
		}
	}
	return list
}

// say notes what a side said last by a move.
func (c *course) say(m Move, it Item) {
	if c.last == nil {
		c.last = make(map[Move]map[identity.Station]Facts)
	}
	put2(c.last, m, it.Origin.Writer, it.Facts)
}
