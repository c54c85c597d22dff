package dossier

import "slices"

// What messages of no kind of their own do, and what answers do: they move no
// dossier, they discharge.

// reply notes what the counterpart's message says of one that it refers to. The
// first of each stage counts, in the order of the fold.
func (f *fold) reply(asked, c *call) {
	it := c.it
	if f.l.answers(asked.it, it) {
		f.answer(asked, c)
	}
	switch c.form.Move {
	case "see", "clarify":
		asked.seen = append(asked.seen, c)
	case "understand":
		asked.seen = append(asked.seen, c)
		asked.understood = append(asked.understood, c)
		f.consent(asked, c)
	case "extend":
		asked.seen = append(asked.seen, c)
		asked.interim = append(asked.interim, c)
		f.extend(asked, c)
	}
	if c.refused {
		return
	}
	st := &asked.stages
	switch c.form.Move {
	case "see":
		if st.Seen.IsZero() {
			st.Seen = it.Received
		}
	case "understand":
		st.Reply = it.State
		if it.State == "UND" && st.Understood.IsZero() {
			st.Understood = it.Received
		}
	}
}

// answer notes an answer in substance, or for the time being. Whoever answers
// has seen and understood.
func (f *fold) answer(asked, c *call) {
	for _, r := range []*replies{&asked.seen, &asked.understood, &asked.interim, &asked.answered} {
		*r = append(*r, c)
	}
	if !f.partly(asked, c) {
		asked.full = append(asked.full, c)
	}
	if c.refused {
		return
	}
	if asked.stages.Answered.IsZero() {
		asked.stages.Answered = c.it.Received
	}
	if t, ok := f.course.turns[c.form.Move]; ok && t.by != "" {
		c.outcome = c.it.Facts.Words[t.by]
		f.d.Outcome = c.outcome
	}
}

// partly reports whether an answer is one for the time being.
func (f *fold) partly(asked, c *call) bool {
	t := f.course.turns[c.form.Move]
	if t.partial != "" && f.unanswered(asked.it) {
		return true
	}
	return t.partly != "" && c.it.Facts.Words[t.by] == t.partly
}

// extend moves the date of an answer, once by right; a second time the asker
// has to consent. It stops nothing.
func (f *fold) extend(asked, c *call) {
	if c.refused {
		return
	}
	due, named := c.it.Facts.Times["due"]
	switch {
	case !named || !asked.asks || asked.clocks.Answered <= 0 || asked.answered.there() || !due.After(asked.deadline()):
		f.flag(c.it.ID, FlagExtensionVoid)
	case c.it.Received.After(asked.lastDeadline()):
		f.flag(c.it.ID, FlagExtensionLate)
	case asked.extended == 0:
		f.flag(c.it.ID, FlagExtended)
		if most := asked.byRight(); due.After(most) {
			f.flag(c.it.ID, FlagExtensionCut)
			due = most
		}
		asked.due, asked.extended = due, 1
	case asked.extended == 1 && asked.pending.IsZero():
		f.flag(c.it.ID, FlagNeedsConsent)
		asked.pending, asked.pendingBy = due, c.it.ID
	default:
		f.flag(c.it.ID, FlagExtensionSpent)
	}
}

// consent extends an answer a second time where the asker says of the second
// extension that it is understood (012 UND). Who does not consent says NUN, asks
// back (013) or keeps silent.
func (f *fold) consent(extension, c *call) {
	if c.it.State != "UND" || c.refused {
		return
	}
	for _, ref := range f.l.refs(extension.it) {
		asked, ok := f.byID[ref]
		if ok && asked.pendingBy == extension.it.ID && !asked.pending.IsZero() && asked.extended == 1 && extension.stopped.IsZero() {
			asked.due, asked.extended = asked.pending, 2
			f.flag(extension.it.ID, FlagConsented)
		}
	}
}

// own notes what an author's message says of an earlier one of its own.
func (f *fold) own(asked, c *call) {
	it := c.it
	switch c.form.Move {
	case "settle-provisional":
		if asked.it.Provisional && asked.stages.Settled == "" {
			asked.settled = append(asked.settled, c)
			asked.stages.Settled = it.Decision
			by := asked.stages.ConfirmBy
			asked.stages.Late = !by.IsZero() && it.Received.After(by)
			if it.Decision == "withdraw" {
				f.recall(asked, it.Received)
			}
		}
	case "amend":
		switch kind := it.Facts.Words["kind"]; {
		case kind == "recall":
			f.recall(asked, it.Received)
		case slices.Contains([]string{"correct", "add", "marking"}, kind):
			f.flag(asked.it.ID, FlagCorrected) // its clocks stay as they are
		}
	}
}

// confirmBy notes until when a provisional message is to be confirmed or
// withdrawn, by the release policy that stands in its log before it.
func (f *fold) confirmBy(c *call) {
	if r, ok := f.l.refusal(c.it.Place()); ok {
		if acted := c.stages; acted.Refused == "" {
			c.stages.Refused = r.Refused.Reason
		}
	}
	if !c.it.Provisional {
		return
	}
	p, ok := f.l.policy(c.it.Place(), f.at)
	if !ok {
		return
	}
	if within := p.Judge(c.it.Rule, nil).ConfirmWithin; within > 0 {
		c.stages.ConfirmBy = c.it.Received.Add(within)
	}
}
