package dossier

// The kinds of what is asked for, told or handed over of one's own accord.
const (
	KindAssistance    Kind = "assistance"
	KindVulnerability Kind = "vulnerability"
	KindDisclosure    Kind = "disclosure"
	KindStatement     Kind = "statement"
)

// The stages of a request for assistance. Silence grants nothing. Who helps owes
// a report by the date that it names, until it is done.
const (
	AssistanceAsked    Stage = "assistance-asked"
	InfoNeeded         Stage = "information-needed"
	AssistanceGranted  Stage = "assistance-granted"
	AssistanceDone     Stage = "assistance-done"
	AssistanceDeclined Stage = "assistance-declined"
)

// assistanceAll is where a request may come to from any stage.
var assistanceAll = []Stage{AssistanceAsked, InfoNeeded, AssistanceGranted, AssistanceDone, AssistanceDeclined}

var assistanceNext = map[Stage][]Stage{
	"":                 {AssistanceAsked},
	AssistanceAsked:    assistanceAll,
	InfoNeeded:         assistanceAll,
	AssistanceGranted:  assistanceAll,
	AssistanceDone:     assistanceAll,
	AssistanceDeclined: assistanceAll,
}

var assistanceTurns = map[Move]turn{
	"ask": {to: AssistanceAsked},
	"answer": {to: AssistanceGranted, by: "answer", codes: map[string]Stage{
		"done": AssistanceDone, "declined": AssistanceDeclined, "need-info": InfoNeeded,
	}, after: []Move{"ask"}, who: other, partly: "need-info"},
}

// The stages of a notice of a flaw. An answer is the other side's; that a flaw
// was published asks nothing.
const (
	FlawTold      Stage = "flaw-told"
	FlawAnswered  Stage = "flaw-answered"
	FlawPublished Stage = "flaw-published"
)

var vulnerabilityNext = map[Stage][]Stage{
	"":            {FlawTold, FlawPublished},
	FlawTold:      {FlawTold, FlawAnswered, FlawPublished},
	FlawAnswered:  {FlawTold, FlawAnswered, FlawPublished},
	FlawPublished: {FlawTold, FlawAnswered, FlawPublished},
}

var vulnerabilityTurns = map[Move]turn{
	"report-flaw": {to: FlawTold, by: "step", codes: map[string]Stage{"answer": FlawAnswered, "published": FlawPublished},
		needs: map[string]need{"answer": {[]Move{"report-flaw"}, other}}, quiet: []string{"answer", "published"}},
}

// The stages of a request to pass on what the other side sent. Silence grants
// nothing: it stays asked.
const (
	DisclosureAsked   Stage = "disclosure-asked"
	DisclosureGranted Stage = "disclosure-granted"
	DisclosureRefused Stage = "disclosure-refused"
)

var disclosureNext = map[Stage][]Stage{
	"":                {DisclosureAsked},
	DisclosureAsked:   {DisclosureAsked, DisclosureGranted, DisclosureRefused},
	DisclosureGranted: {DisclosureAsked, DisclosureGranted, DisclosureRefused},
	DisclosureRefused: {DisclosureAsked, DisclosureGranted, DisclosureRefused},
}

var disclosureTurns = map[Move]turn{
	"ask": {to: DisclosureAsked},
	"answer": {to: DisclosureGranted, by: "answer", codes: map[string]Stage{"refused": DisclosureRefused, "examining": DisclosureAsked},
		after: []Move{"ask"}, who: other, partly: "examining"},
}

// HandedOver is the one stage of a statement or document: taking it obliges
// nobody.
const HandedOver Stage = "handed-over"

var statementNext = map[Stage][]Stage{"": {HandedOver}, HandedOver: {HandedOver}}

var statementTurns = map[Move]turn{"hand-over": {to: HandedOver}}
