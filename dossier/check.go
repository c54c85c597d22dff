package dossier

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/message"
)

// Check returns what in a state contradicts the promises of this package: an
// internal error, whatever the record holds. Nil: nothing does.
func Check(w Whole) error {
	c := checker{at: w.At, dossiers: make(map[message.ID]Dossier)}
	for i, d := range w.Dossiers {
		if i > 0 && compareIDs(w.Dossiers[i-1].ID, d.ID) >= 0 {
			c.add(d, "dossiers are not in the order of their ids, each once")
		}
		c.dossiers[d.ID] = d
	}
	for _, d := range w.Dossiers {
		c.dossier(d)
	}
	return errors.Join(c.found...)
}

type checker struct {
	at       time.Time
	dossiers map[message.ID]Dossier
	found    []error
}

func (c *checker) add(d Dossier, format string, args ...any) {
	c.found = append(c.found, fmt.Errorf("internal error: dossier %s: %s", d.ID, fmt.Sprintf(format, args...)))
}

func (c *checker) dossier(d Dossier) {
	m, ok := machines[d.Kind]
	if !ok {
		c.add(d, "its kind %q has no table", d.Kind)
	}
	if _, known := m.next[d.Stage]; !known && d.Stage != Unopened && d.Stage != Withdrawn {
		c.add(d, "its stage %q is in no table", d.Stage)
	}
	if d.Since.After(c.at) || d.Last.After(c.at) || d.Last.IsZero() {
		c.add(d, "it knows of %v and %v as of %v", d.Since, d.Last, c.at)
	}
	if d.Closed && !m.rests(d.Stage) {
		c.add(d, "it is closed at stage %q", d.Stage)
	}
	in := make(map[message.ID]bool)
	for _, e := range d.Timeline {
		if double := slices.Contains(e.Flags, FlagDouble); !double {
			if in[e.Message] {
				c.add(d, "message %s counts twice", e.Message)
			}
			in[e.Message] = true
		}
		if e.Received.IsZero() || e.Received.After(c.at) {
			c.add(d, "entry %s was received at %v", e.Message, e.Received)
		}
	}
	if !in[d.ID] {
		c.add(d, "its first message is not in it")
	}
	for _, x := range d.Duties {
		if !in[x.Of] {
			c.add(d, "a duty after %s, which is not in it", x.Of)
		}
		if d.Closed && x.Owed() && !x.confirmation() {
			c.add(d, "it is closed, and %s is owed", x.Act)
		}
		if err := x.check(c.at); err != nil {
			c.add(d, "%s after %s: %v", x.Act, x.Of, err)
		}
	}
	c.stated(d, in)
	c.ladder(d)
	c.around(d, m)
}

// around checks what a dossier says of what comes next, and of other dossiers.
func (c *checker) around(d Dossier, m machine) {
	for _, n := range d.Next {
		if len(n.From) == 0 || len(n.Formats) == 0 {
			c.add(d, "%s may come next from nobody or in no format", n.Move)
		}
		for _, to := range n.To {
			if !m.allows(d.fromStage(), to) {
				c.add(d, "%s may lead to %s, which the table does not allow", n.Move, to)
			}
		}
	}
	for _, id := range d.Conflicts {
		if o := c.dossiers[id]; !slices.Contains(o.Conflicts, d.ID) {
			c.add(d, "it is in conflict with %s, which does not know", id)
		}
	}
	for _, l := range d.Links {
		if o := c.dossiers[l.Dossier]; !slices.Contains(o.Links, Link{d.ID, l.By}) {
			c.add(d, "it is linked with %s by %s, which does not know", l.Dossier, l.By)
		}
	}
}

// fromStage is the stage as the tables name it.
func (d Dossier) fromStage() Stage {
	if d.Stage == Unopened {
		return ""
	}
	return d.Stage
}

// check returns what in a duty contradicts itself as of a second.
func (d Duty) check(at time.Time) error {
	met := !d.Met.IsZero()
	var ok bool
	switch d.State {
	case Open:
		ok = !met && !at.After(d.first())
	case Met, MetDisputed:
		ok = met && !d.Met.After(d.first())
	case Late, MetTimeDisputed:
		ok = met && d.Met.After(d.first())
	case Missed, Unreadable:
		ok = !met && at.After(d.last())
	case EvidenceAwaited:
		ok = !met && at.After(d.first())
	case LateTimeDisputed:
		ok = !d.Second.IsZero() && (met && d.Met.After(d.first()) && !d.Met.After(d.last()) || !met && at.After(d.first()) && !at.After(d.last()))
	case WithheldState:
		ok = !met
	case Stopped:
		ok = !met && !d.Stopped.IsZero() && !d.Stopped.After(d.last())
	}
	switch {
	case !ok:
		return fmt.Errorf("its state %q does not fit: due %v and %v, met %v, as of %v", d.State, d.Due, d.Second, d.Met, at)
	case d.Met.After(at) || d.Stopped.After(at):
		return fmt.Errorf("it knows what came after %v", at)
	case d.Extended < 0 || d.Extended > 2:
		return fmt.Errorf("it was extended %d times", d.Extended)
	case d.By == "" || d.Due.IsZero():
		return errors.New("nobody owes it, or by no time")
	}
	return nil
}
