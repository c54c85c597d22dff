package dossier

import (
	"time"

	"detente/identity"
	"detente/message"
)

// The stages of a practical measure. It is complete when both sides have signed
// the same text.
const (
	MeasureProposed  Stage = "measure-proposed"
	MeasureAgreed    Stage = "measure-agreed"
	MeasureCountered Stage = "measure-countered"
	MeasureDeclined  Stage = "measure-declined"
	MeasureRunning   Stage = "measure-running"
	MeasureSigned    Stage = "measure-signed" // by one side
	MeasureComplete  Stage = "measure-complete"
)

var measureMachine = machine{
	next: map[Stage][]Stage{
		"":               {MeasureProposed, MeasureSigned, MeasureRunning},
		MeasureProposed:  measureAnswers,
		MeasureCountered: measureAnswers,
		MeasureDeclined:  measureAnswers,
		TextsDiffer:      {MeasureProposed, MeasureAgreed, MeasureCountered, MeasureDeclined, TextsDiffer, MeasureRunning, MeasureSigned, MeasureComplete},
		MeasureAgreed:    {MeasureAgreed, MeasureRunning, MeasureSigned},
		MeasureRunning:   {MeasureRunning, MeasureAgreed, MeasureSigned, MeasureComplete},
		MeasureSigned:    {MeasureRunning, MeasureSigned, MeasureComplete, TextsDiffer},
		MeasureComplete:  {},
	},
	turns: map[Move]turn{
		"propose": {to: MeasureProposed, stays: true},
		"answer": {
			by: "decision", codes: map[string]Stage{"accept": MeasureAgreed, "counter": MeasureCountered, "decline": MeasureDeclined},
			after: []Move{"propose"}, who: other, stays: true,
			joint: joint{with: "propose", same: []string{"measure", "text"}, binds: []string{"accept"}, apart: TextsDiffer},
		},
		"progress": {to: MeasureRunning, after: []Move{"answer"}},
		"sign-off": {
			by: "position", codes: map[string]Stage{"sign": MeasureSigned, "not-yet": MeasureRunning}, stays: true,
			joint: joint{same: []string{"measure", "text"}, binds: []string{"sign"}, against: []string{"sign"}, both: MeasureComplete, apart: TextsDiffer},
		},
	},
	rest: []Stage{MeasureCountered, MeasureDeclined, MeasureComplete, TextsDiffer, Withdrawn},
	ends: []Stage{MeasureDeclined, MeasureComplete},
}

var measureAnswers = []Stage{MeasureProposed, MeasureAgreed, MeasureCountered, MeasureDeclined, TextsDiffer}

// step is a step of a measure, of which its owner owes word by a time.
type step struct {
	name  string
	owner identity.Station
	due   time.Time
}

// stepsOf returns the steps that a proposal has, as far as they are steps.
func stepsOf(m Facts) (list []step) {
	for _, r := range m.Records["steps"] {
		owner, err := identity.ParseStation(r["owner"])
		if due, ok := second(r["due"]); ok && err == nil && r["step"] != "" {
			list = append(list, step{r["step"], owner, due})
		}
	}
	return list
}

// progressFormat is the message by which a step is told to be done.
const progressFormat message.Format = "452"

// steps notes, once a measure is agreed, what each of its steps asks of whose
// side: a message that says of it that it is done. A step's owner that is
// neither end of the line, nor named by the measure as the reader's, is on the
// side of who proposed it. A new version that is agreed takes the place of what
// is still open.
func (f *fold) steps(it Item, form Form) {
	if f.kind != KindMeasure || form.Move != "answer" || f.course.stage != MeasureAgreed || it.Facts.Words["decision"] != "accept" {
		return
	}
	proposal, ok := f.lastOf("propose", func(p Item) bool {
		return p.Origin.Writer != it.Origin.Writer && p.Facts.Words["text"] == it.Facts.Words["text"]
	})
	if !ok {
		return
	}
	f.stopOwed(it.Received, func(o *owed) bool { return o.step != "" })
	for _, s := range stepsOf(proposal.Facts) {
		by := proposal.Origin.Writer
		if reader := proposal.Origin.Reader; s.owner == reader || string(s.owner) == proposal.Facts.Words["other_owner"] {
			by = reader
		}
		f.owed = append(f.owed, &owed{of: it.ID, call: f.byID[it.ID], format: progressFormat, by: by, due: s.due, step: s.name})
	}
}

// takes reports whether a message of the format discharges what is owed.
func (o *owed) takes(it Item) bool {
	return o.step == "" || it.Facts.Words["step"] == o.step && it.Facts.Words["state"] == "done"
}
