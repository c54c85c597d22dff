package dossier

import "slices"

// The stages of a consultation: a request for high-level contact, a meeting on a
// named matter, or the annual one, with the record that both agree on.
const (
	Raised               Stage = "raised"
	Offered              Stage = "offered"
	ConsultationAnswered Stage = "answered"
	MeetingProposed      Stage = "meeting-proposed"
	SessionCalled        Stage = "session-called"
	RecordProposed       Stage = "record-proposed"
	RecordAgreed         Stage = "record-agreed"  // both gave the same text
	RecordDiffers        Stage = "record-differs" // two versions stand
	Recommended          Stage = "recommended"    // by the committee; a later consultation decides
)

// consultationFirst are the stages that a consultation may begin with, and that
// a new question leads to from wherever it stands.
var consultationFirst = []Stage{Raised, MeetingProposed, SessionCalled}

var consultationNext = map[Stage][]Stage{
	"":                   {Raised, MeetingProposed, SessionCalled, RecordProposed, RecordDiffers, Recommended},
	Raised:               consultationOpen,
	MeetingProposed:      consultationOpen,
	SessionCalled:        consultationOpen,
	Offered:              consultationOpen,
	ConsultationAnswered: consultationOpen,
	RecordProposed:       consultationOpen,
	RecordDiffers:        consultationOpen,
	RecordAgreed:         consultationFirst,
	Recommended:          consultationOpen,
}

var consultationOpen = slices.Concat([]Stage{Offered, ConsultationAnswered, RecordProposed, RecordAgreed, RecordDiffers}, consultationFirst)

var consultationTurns = map[Move]turn{
	"raise":   {to: Raised},
	"propose": {to: MeetingProposed},
	"call":    {to: SessionCalled},
	"answer":  {to: ConsultationAnswered, by: "decision", codes: map[string]Stage{"other-time": Offered}, after: []Move{"raise", "propose", "call"}, who: other},
	"record": {
		to: RecordProposed, by: "position", codes: map[string]Stage{"agree": RecordAgreed, "differ": RecordDiffers}, stays: true,
		joint: joint{same: []string{"text"}, binds: []string{"agree"}, both: RecordAgreed, apart: RecordDiffers, answering: []string{"agree"}},
	},
	"recommend": {to: Recommended, stays: true},
}
