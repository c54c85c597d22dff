package dossier

import "slices"

// The stages of an instrument: from the first draft to its signature by both and
// the completion of internal procedures, and of each amendment to it. When it
// enters into force its own rule says, and not this table.
const (
	Drafted            Stage = "drafted"
	SignedByOne        Stage = "signed-by-one"
	Signed             Stage = "signed"
	AmendmentProposed  Stage = "amendment-proposed"
	AmendmentAccepted  Stage = "amendment-accepted"
	AmendmentObjected  Stage = "amendment-objected"
	AmendmentCountered Stage = "amendment-countered"
	CompletedByOne     Stage = "procedures-by-one"
	ProceduresComplete Stage = "procedures-complete"
)

var instrumentMachine = machine{
	next: map[Stage][]Stage{
		"":                 {Drafted, SignedByOne, AmendmentProposed},
		Drafted:            {Drafted, SignedByOne, Signed, TextsDiffer, AmendmentProposed},
		SignedByOne:        {Drafted, SignedByOne, Signed, TextsDiffer},
		TextsDiffer:        {Drafted, SignedByOne, Signed, TextsDiffer, AmendmentProposed, AmendmentAccepted, AmendmentObjected, AmendmentCountered, CompletedByOne, ProceduresComplete},
		Signed:             signedNext,
		AmendmentProposed:  amendmentAnswers,
		AmendmentObjected:  amendmentAnswers,
		AmendmentCountered: amendmentAnswers,
		AmendmentAccepted:  signedNext,
		CompletedByOne:     {CompletedByOne, ProceduresComplete, TextsDiffer, AmendmentProposed},
		ProceduresComplete: {AmendmentProposed},
	},
	turns: map[Move]turn{
		"draft":             {to: Drafted, stays: true},
		"sign":              {to: SignedByOne, stays: true, joint: joint{on: []string{"instrument"}, same: []string{"text"}, both: Signed, apart: TextsDiffer}},
		"propose-amendment": {to: AmendmentProposed, stays: true},
		"answer-amendment": {
			by: "decision", codes: map[string]Stage{"accept": AmendmentAccepted, "object": AmendmentObjected, "counter": AmendmentCountered},
			after: []Move{"propose-amendment"}, who: other, stays: true,
			joint: joint{with: "propose-amendment", on: []string{"amendment"}, same: []string{"text"}, binds: []string{"accept"}, apart: TextsDiffer},
		},
		"complete": {
			to: CompletedByOne, after: []Move{"sign", "propose-amendment", "answer-amendment"},
			joint: joint{on: []string{"instrument"}, same: []string{"text"}, both: ProceduresComplete, apart: TextsDiffer},
		},
	},
	rest: []Stage{Drafted, Signed, TextsDiffer, AmendmentAccepted, AmendmentObjected, AmendmentCountered, ProceduresComplete, Withdrawn},
}

var (
	amendmentAnswers = []Stage{Drafted, AmendmentProposed, AmendmentAccepted, AmendmentObjected, AmendmentCountered, TextsDiffer}
	signedNext       = slices.Concat([]Stage{CompletedByOne, TextsDiffer, ProceduresComplete}, []Stage{AmendmentProposed})
)
