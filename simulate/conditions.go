package simulate

import (
	"time"

	"detente/message"
	"detente/station"
	"detente/watch"
)

const (
	shiftSlack = 2*shiftTick + time.Minute // an alarm of a manned world is late by no more
	seenWithin = time.Hour                 // an IMMEDIATE, by a person
	guardTime  = time.Minute               // a guard that did not pass, before somebody is told
	shiftEdge  = 15 * time.Minute          // what came so near to a change of shift belongs to neither
	afterClock = 10 * time.Minute          // within which a clock that was set right is believed again
)

// demands lists what is wrong with a node, from outside, and by when its alarms
// have to say so.
func (o *oracle) demands(tx station.Tx, n *node, l *ledger) ([]demand, error) {
	var out []demand
	add := func(kind watch.Kind, ref string, due time.Time) {
		out = append(out, demand{condition{kind, ref}, due.Add(shiftSlack)})
	}
	if !n.wrong.IsZero() {
		add(watch.ClockUnsafe, "", later(n.wrong, n.began))
		return out, nil // all else stays as it was meanwhile
	}
	if o.w.now.Sub(l.righted) < afterClock {
		return nil, nil
	}
	o.atDesk(n, l, add)
	o.letters(l, add)
	o.ofTests(n, l, add)
	// A clock that was set right counts silence anew: what it noted before is worth nothing.
	if quiet := later(later(n.began, n.heard), l.righted); o.w.now.Sub(quiet) > testEvery+testGrace {
		add(watch.SilentPeer, string(o.w.other(n).name), quiet.Add(testEvery+testGrace))
	}
	// What follows from words on both sides' record holds from when the oracle could see it.
	seen := func(kind watch.Kind, ref string, due time.Time) {
		c := condition{kind, ref}
		if l.since[c].IsZero() {
			l.since[c] = o.w.now
		}
		add(kind, ref, later(later(due, l.since[c]), n.began))
	}
	if err := o.askDuties(tx, n, l.read); err != nil {
		return nil, err
	}
	o.duties(l.read, seen)
	o.ofPeople(n, l, seen)
	if !n.full.IsZero() {
		add(watch.DiskFilling, "", later(n.full, n.began))
	}
	behind, err := o.behindMark(tx, n)
	if err != nil {
		return nil, err
	}
	if behind {
		add(watch.GuardClosed, "", n.began.Add(guardTime))
	}
	due, ok, err := o.unreceipted(tx, n)
	if ok && n.heard.After(n.began) && o.w.now.Sub(n.heard) >= shiftSlack && n.heard.After(due) {
		add(watch.Withheld, string(o.w.other(n).name), later(due, n.began))
	}
	return out, err
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// atDesk looks whether anybody is there.
func (o *oracle) atDesk(n *node, l *ledger, add func(watch.Kind, string, time.Time)) {
	switch on := n.crew.onDuty(o.w.now); {
	case len(on) > 0:
		l.alone = time.Time{}
	case l.alone.IsZero():
		l.alone = o.w.now
	}
	if !l.alone.IsZero() {
		add(watch.UnmannedDesk, string(n.name), later(l.alone, n.began))
	}
}

// letters looks for urgent messages that no person has acknowledged.
func (o *oracle) letters(l *ledger, add func(watch.Kind, string, time.Time)) {
	for _, x := range l.letters {
		switch {
		case x.handled:
		case x.level == message.Flash:
			add(watch.FlashUnread, x.ref, x.came)
		case x.level == message.Immediate && o.w.now.Sub(x.came) > seenWithin:
			add(watch.FlashUnread, x.ref, x.came.Add(seenWithin))
		}
	}
}

// ofTests looks for hours whose test nobody answered, since the last of which
// one was, and for the last shift in which nobody read one back.
func (o *oracle) ofTests(n *node, l *ledger, add func(watch.Kind, string, time.Time)) {
	from := o.w.now.Add(-20 * time.Hour).Truncate(testEvery)
	for at := later(from, begin.Add(testEvery)); at.Add(testGrace).Before(o.w.now); at = at.Add(testEvery) {
		planned := false
		for _, s := range l.outages {
			planned = planned || s.Has(at)
		}
		if at.After(l.answered) && !planned {
			add(watch.MissedTest, at.UTC().Format(time.RFC3339), later(at.Add(testGrace), n.began))
		}
	}
	to := o.w.now.Truncate(shiftLength)
	shift := watch.Span{From: to.Add(-shiftLength), To: to}
	if !shift.From.After(begin) {
		return
	}
	asked, read := false, false
	for _, at := range l.came {
		asked = asked || at.After(shift.From.Add(shiftEdge)) && at.Before(shift.To.Add(-shiftEdge))
	}
	for _, at := range l.backs {
		read = read || at.After(shift.From.Add(-shiftEdge))
	}
	if asked && !read {
		add(watch.NoReadBack, shift.From.UTC().Format(time.RFC3339), later(shift.To, n.began))
	}
}

// behindMark reports whether a node's store holds less of its own log than its
// high-water mark says: then no guard can have passed. What it lacks of the
// other side's log keeps it from nothing.
func (o *oracle) behindMark(tx station.Tx, n *node) (bool, error) {
	for _, m := range n.marks.marks.Logs {
		if l, _, err := tx.Log(m.Origin); err != nil || m.Written && l.Size < m.Size {
			return err == nil, err
		}
	}
	return false, nil
}

// unreceipted returns by when the oldest entry of a node without a receipt had
// to be receipted; false where all are.
func (o *oracle) unreceipted(tx station.Tx, n *node) (time.Time, bool, error) {
	other := o.w.other(n)
	log := o.w.line.Log(n.name, o.eras(n, n.name))
	c, _, err := tx.LastCosignature(log, other.cast.Card.CosignerName())
	if err != nil {
		return time.Time{}, false, err
	}
	list, err := tx.Messages(log, c.Size, 1)
	if err != nil || len(list) == 0 {
		return time.Time{}, false, err
	}
	return list[0].At.Add(receiptDue), true, nil
}
