package dossier

import (
	"slices"

	"detente/book"
)

// The stages of an exchange of guarantees. What is in force is what both notes
// have in common, from the receipt of the second one or a later date that the
// first names; where internal procedures or a depositary decide, the exchange
// stays concluded here, and the record of those says the rest.
const (
	GuaranteeOffered  Stage = "guarantee-offered"
	Concluded         Stage = "concluded"
	ConcludedReserved Stage = "concluded-reserved" // with a reservation
	GuaranteeInForce  Stage = "guarantee-in-force"
	CounterOffered    Stage = "counter-offered"
	NotGiven          Stage = "not-given"
	TextsDiffer       Stage = "texts-differ" // the two name different texts, so nothing came about
	GuaranteeEnding   Stage = "guarantee-ending"
	GuaranteeEnded    Stage = "guarantee-ended"
)

var guaranteeMachine = machine{
	next: map[Stage][]Stage{
		"":                {GuaranteeOffered},
		GuaranteeOffered:  guaranteeReplies,
		CounterOffered:    guaranteeReplies,
		NotGiven:          guaranteeReplies,
		TextsDiffer:       guaranteeReplies,
		Concluded:         {Concluded, ConcludedReserved, GuaranteeInForce, GuaranteeEnding, GuaranteeEnded},
		ConcludedReserved: {Concluded, ConcludedReserved, GuaranteeInForce, GuaranteeEnding, GuaranteeEnded},
		GuaranteeInForce:  {Concluded, ConcludedReserved, GuaranteeEnding, GuaranteeEnded},
		GuaranteeEnding:   {Concluded, ConcludedReserved, GuaranteeEnded},
		GuaranteeEnded:    guaranteeReplies,
	},
	turns: map[Move]turn{
		"offer": {to: GuaranteeOffered, stays: true},
		"reply": {
			by: "decision", codes: map[string]Stage{"same-words": Concluded, "with-reservation": ConcludedReserved, "counter": CounterOffered, "decline": NotGiven},
			after: []Move{"offer"}, who: other, stays: true,
			joint: joint{with: "offer", same: []string{"note", "text"}, binds: []string{"same-words", "with-reservation"}, apart: TextsDiffer},
		},
		"withdraw": {to: GuaranteeEnding, after: []Move{"offer", "reply"}, who: same},
	},
	rest: []Stage{Concluded, ConcludedReserved, GuaranteeInForce, CounterOffered, NotGiven, TextsDiffer, GuaranteeEnding, GuaranteeEnded, Withdrawn},
	plan: planGuarantee,
}

var guaranteeReplies = []Stage{GuaranteeOffered, Concluded, ConcludedReserved, CounterOffered, NotGiven, TextsDiffer}

// guaranteeMonths is how long a guarantee holds after it was withdrawn.
const guaranteeMonths = 6

// planGuarantee says when an exchange that was completed comes into force and
// when it ends, and what both notes have in common.
func planGuarantee(f *fold, it Item) []pass {
	offer, offered := f.lastOf("offer", func(o Item) bool {
		return f.l.form(it).Move != "reply" || o.Facts.Words["text"] == it.Facts.Words["text"] && o.Origin.Writer != it.Origin.Writer
	})
	switch {
	case !offered:
		return f.passes
	case f.course.stage == Concluded || f.course.stage == ConcludedReserved:
		if f.l.form(it).Move != "reply" {
			return f.passes
		}
		f.d.Terms = common(terms(offer.Facts), terms(it.Facts))
		var plan []pass
		switch offer.Facts.Words["entry"] {
		case "on-receipt":
			plan = append(plan, pass{it.Received, GuaranteeInForce})
		case "on-date":
			plan = append(plan, pass{later(it.Received, offer.Facts.Times["entry_date"]), GuaranteeInForce})
		}
		if until, ok := offer.Facts.Times["until"]; ok {
			plan = append(plan, pass{later(it.Received, until), GuaranteeEnded})
		}
		return plan
	case f.course.stage == GuaranteeEnding && f.l.form(it).Move == "withdraw":
		end := pass{later(it.Facts.Times["effective"], book.AddMonths(it.Received, guaranteeMonths)), GuaranteeEnded}
		for _, p := range f.passes {
			if p.to == GuaranteeEnded && p.at.Before(end.at) {
				end = p
			}
		}
		return []pass{end}
	}
	return f.passes
}

// terms are the undertakings that a note names.
func terms(m Facts) []string { return slices.Concat(m.Lists["undertakings"], m.Lists["further"]) }

// common returns what two lists have in common, sorted, each once.
func common(a, b []string) []string {
	list := slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
	slices.Sort(list)
	return slices.Compact(list)
}
