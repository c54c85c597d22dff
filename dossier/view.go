package dossier

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Dossier is all that was said on one matter, and where it stands as of a
// second. Nothing in it says or implies that anybody admits anything.
type Dossier struct {
	ID        message.ID // of its first message
	Kind      Kind
	Stage     Stage
	Since     time.Time // of the stage
	Report    string    // incident: the last report's stage: early, interim or final; empty: none was made
	Outcome   string    // the code of the last answer; empty: none was given
	Lead      LeadKept  // of the last message that announces something; empty: none does
	Window    Window    // notice, exercise, election: that holds now; zero: none
	LapsesAt  time.Time // notice: when it lapses, or did; zero: never
	ChangesAt time.Time // when time alone leads to ChangesTo; zero: it leads nowhere
	ChangesTo Stage
	Terms     []string // guarantee: the undertakings that both notes have in common, sorted; nil: no exchange is complete
	Conflicts []message.ID
	Duties    []Duty // in the order in which they arose
	Next      []Next // by move
	Timeline  []Entry
	Facts     []FactState  // claim, report: each fact that was stated, by the order of the messages
	Named     []NamedState // report: the states that it names
	Serials   []Serial     // publication: the messages that were proposed
	Links     []Link       // by dossier, then message
	Ladder    Ladder
	ReadBacks []Understanding // by the messages that read back
	Last      time.Time       // the latest receipt in it
	Closed    bool            // at rest, and nothing is owed but confirmations
}

// LeadKept says whether something was announced in time, a code.
type LeadKept string

// How long ahead something was announced.
const (
	LeadUsual LeadKept = "usual" // as long as is the rule
	LeadLeast LeadKept = "least" // less, and not too late
	LeadShort LeadKept = "short" // short notice: a flag, and the notice stands
)

// Entry is a line of a dossier's timeline, drawn from the record.
type Entry struct {
	Place       Place
	Message     message.ID
	Format      message.Format
	Move        Move // what its author did; empty: the signal book does not know the format
	By          identity.Station
	At          time.Time // the wrapper's second
	Received    time.Time
	Stage       Stage // after it
	Flags       []Flag
	Blobs       int // that go with it
	Outstanding int // of those: not receipted yet
}

// Flag is something about an entry that an officer has to see, a code.
type Flag string

// The flags.
const (
	FlagNotAllowed     Flag = "not-allowed"          // its move leads nowhere from the stage; it changed nothing
	FlagWrongSide      Flag = "wrong-side"           // the move was the other side's to make; it changed nothing
	FlagUnknown        Flag = "unknown-format"       // the edition has no such format
	FlagRefused        Flag = "refused"              // its reader refused it, and the refusal stands
	FlagDouble         Flag = "double"               // it bears the id of an earlier entry; it changed nothing
	FlagProvisional    Flag = "provisional"          // one officer sent it
	FlagUnconfirmed    Flag = "unconfirmed"          // and it was not confirmed in time
	FlagRecalled       Flag = "recalled"             // its author took it back
	FlagCorrected      Flag = "corrected"            // its author corrected it: clocks stay
	FlagShortNotice    Flag = "short-notice"         // it announces something too late
	FlagTimeDisputed   Flag = "time-disputed"        // its receipt is in question
	FlagContested      Flag = "contested"            // its author disowns it: a key of its was stolen
	FlagKeyDisclosed   Flag = "key-disclosed"        // it could not be read without its file key
	FlagExtended       Flag = "extended"             // it moved the date of an answer
	FlagExtensionCut   Flag = "extension-cut"        // it asked for more than is by right
	FlagNeedsConsent   Flag = "needs-consent"        // a second extension: the asker may consent
	FlagConsented      Flag = "consented"            // the asker did
	FlagExtensionLate  Flag = "extension-late"       // the answer was due before it came
	FlagExtensionSpent Flag = "extension-spent"      // no third time
	FlagExtensionVoid  Flag = "extension-void"       // it names no later date, or nothing to extend
	FlagEvidence       Flag = "evidence-outstanding" // a blob of it is not receipted
	FlagAhead          Flag = "refers-ahead"         // it refers to a message that came later, as no honest reference can
	FlagNoFact         Flag = "no-such-fact"         // it answers a fact that was not stated
	FlagNotNamed       Flag = "not-named"            // it answers for a state that the report does not name
	FlagNotProposed    Flag = "not-proposed"         // it answers for a message that was not proposed
	FlagReadDiffers    Flag = "read-differs"         // it reads back something else than was written
	FlagOtherOriginal  Flag = "other-original"       // it translates no text that it refers to
	FlagDeedUntold     Flag = "deed-untold"          // it answers a recall or a correction and does not say what was done
)

// Next is what may come next in a dossier.
type Next struct {
	Move    Move
	From    []identity.Station // who may make it
	Formats []message.Format
	To      []Stage // to one of which it leads, by what it says; none: the stage stays
}

// Link is a reference between dossiers that does not make one of them. It
// stands in both.
type Link struct {
	Dossier message.ID // the other one
	By      message.ID // the message that refers
}

// Owed returns the duties that still wait for an act, the first due first.
func (d Dossier) Owed() []Duty {
	var list []Duty
	for _, duty := range d.Duties {
		if duty.Owed() {
			list = append(list, duty)
		}
	}
	slices.SortStableFunc(list, func(a, b Duty) int { return a.Due.Compare(b.Due) })
	return list
}

// Silence returns what silence will mean: the next duty that becomes late, and
// by its Due when. False where none can.
func (d Dossier) Silence() (Duty, bool) {
	for _, duty := range d.Owed() {
		if duty.State == Open {
			return duty, true
		}
	}
	return Duty{}, false
}
