package dossier

// The tables. Each holds, for a stage, the stages that may come next; under it
// stands what each move of the kind's formats does. A question may be put at any
// stage, so that none is without its clock; what leads nowhere from where a
// dossier stands is kept on the timeline, flagged, and changes nothing.

// The stages of an incident.
const (
	Notified  Stage = "notified"
	Inquired  Stage = "inquired"
	Responded Stage = "responded"
	Stated    Stage = "stated"
	Closed    Stage = "closed"
)

var incidentNext = map[Stage][]Stage{
	"":        {Notified, Inquired, Stated, Closed},
	Stated:    {Notified, Inquired, Stated, Closed},
	Notified:  {Notified, Inquired, Closed},
	Inquired:  {Inquired, Responded},
	Responded: {Notified, Inquired, Responded, Closed},
	Closed:    {Notified, Inquired},
}

var incidentTurns = map[Move]turn{
	"notify":  {to: Notified, by: "status", codes: map[string]Stage{"closed": Closed}, stays: true},
	"inquire": {to: Inquired},
	"answer":  {to: Responded, by: "answer", codes: map[string]Stage{"looking": Inquired}, stays: true, after: []Move{"inquire"}, who: other, partly: "looking"},
	"update":  {to: Notified, by: "status", codes: map[string]Stage{"closed": Closed}, stays: true, after: []Move{"notify"}, who: same},
	"state":   {to: Stated, stays: true},
}

// The stages of an advance notice, which begins Notified. It is Lapsed by time
// alone, some days after its window.
const (
	Changed   Stage = "changed"
	Cancelled Stage = "cancelled"
	Completed Stage = "completed"
	Lapsed    Stage = "lapsed"
)

var noticeNext = map[Stage][]Stage{
	"":        {Notified},
	Notified:  {Notified, Changed, Cancelled, Completed, Lapsed},
	Changed:   {Notified, Changed, Cancelled, Completed, Lapsed},
	Lapsed:    {Notified, Completed},
	Cancelled: {Notified},
	Completed: {Notified},
}

var noticeTurns = map[Move]turn{
	"notify": {to: Notified},
	"change": {to: Changed, by: "change", codes: map[string]Stage{"cancel": Cancelled}, after: []Move{"notify"}, who: same},
	"close":  {to: Completed, after: []Move{"notify"}, who: same},
}

// The stages of a request to stop.
const (
	StopAsked    Stage = "asked"
	Promised     Stage = "promised"
	StopAnswered Stage = "answered"
)

var stopNext = map[Stage][]Stage{
	"":           {StopAsked},
	StopAsked:    {StopAsked, Promised, StopAnswered},
	Promised:     {StopAsked, Promised, StopAnswered},
	StopAnswered: {StopAsked, Promised, StopAnswered},
}

var stopTurns = map[Move]turn{
	"ask":    {to: StopAsked},
	"answer": {to: StopAnswered, by: "answer", codes: map[string]Stage{"will-stop": Promised}, after: []Move{"ask"}, who: other, until: "at"},
}

// The stages of a technical exchange. Help is asked for together with
// indicators.
const (
	Shared            Stage = "shared"
	HelpAsked         Stage = "help-asked"
	TechnicalAnswered Stage = "answered"
)

var technicalNext = map[Stage][]Stage{
	"":                {Shared, HelpAsked},
	Shared:            {Shared, HelpAsked, TechnicalAnswered},
	HelpAsked:         {HelpAsked, TechnicalAnswered},
	TechnicalAnswered: {Shared, HelpAsked, TechnicalAnswered},
}

var technicalTurns = map[Move]turn{
	"share":  {to: Shared, by: "ask", codes: map[string]Stage{"check": HelpAsked, "mitigate": HelpAsked, "enrich": HelpAsked}, stays: true},
	"answer": {to: TechnicalAnswered, after: []Move{"share"}, who: other},
}

// The stages of a contact.
const (
	Named   Stage = "named"
	Struck  Stage = "struck"
	Pinged  Stage = "pinged"
	Checked Stage = "checked"
)

var contactNext = map[Stage][]Stage{
	"":      {Named, Struck, Pinged, Checked},
	Named:   {Named, Struck, Pinged},
	Struck:  {Named, Struck, Pinged},
	Pinged:  {Named, Struck, Pinged, Checked},
	Checked: {Named, Struck, Pinged},
}

var contactTurns = map[Move]turn{
	"change-contact": {to: Named, by: "change", codes: map[string]Stage{"withdrawn": Struck}},
	"check-contact":  {to: Pinged, by: "step", codes: map[string]Stage{"answer": Checked}, stays: true},
}

// Written is the one stage of letters: what refers to no other matter.
const Written Stage = "written"

var letterNext = map[Stage][]Stage{"": {Written}, Written: {Written}}

var letterTurns = map[Move]turn{
	"see": {to: Written}, "understand": {to: Written}, "clarify": {to: Written}, "amend": {to: Written}, "extend": {to: Written},
	"settle-provisional": {to: Written}, "dispute-time": {to: Written}, "confirm-call": {to: Written}, "write": {to: Written}, "confer": {to: Written}, "translate": {to: Written},
	"pass-on": {to: Written}, "review-programme": {to: Written},
}
