package dossier

import (
	"cmp"
	"maps"
	"slices"

	"detente/identity"
)

// Kind is a kind of dossier, a code.
type Kind string

// The kinds of dossiers.
const (
	KindIncident     Kind = "incident"
	KindNotice       Kind = "notice"
	KindStop         Kind = "stop"
	KindTechnical    Kind = "technical"
	KindContact      Kind = "contact"
	KindService      Kind = "service"
	KindConsultation Kind = "consultation"
	KindGuarantee    Kind = "guarantee"
	KindElection     Kind = "election"
	KindMeasure      Kind = "measure"
	KindExercise     Kind = "exercise"
	KindInstrument   Kind = "instrument"
	KindSuspension   Kind = "suspension"
	KindDenunciation Kind = "denunciation"
	KindAccession    Kind = "accession"
	KindDeclaration  Kind = "declaration"
	KindAny          Kind = "any" // of formats: the dossiers of what it refers to. Of a dossier: letters that refer to nothing
)

// Stage is where a dossier stands, a code. The empty stage is before its first
// message.
type Stage string

// Withdrawn is the stage of a dossier all of whose moves were recalled by their
// authors. From there it goes on as from the beginning.
const Withdrawn Stage = "withdrawn"

// Move is what a message does in its dossier, a code of the signal book.
type Move string

// side says who may make a move.
type side uint8

const (
	either side = iota
	same        // who made the move that it follows
	other       // the counterpart of who made it
)

// A turn is what a move does to the stage.
type turn struct {
	to     Stage            // where it leads; empty: the stage stays
	by     string           // the code that decides where codes names its value
	codes  map[string]Stage // by that code: the stage instead of to
	given  string           // the parameter whose presence leads to then
	then   Stage
	stays  bool   // where it may not lead there, the stage stays and nothing is wrong
	after  []Move // the moves one of which it follows; none: it may be the first
	who    side
	partly string // the value of by that answers only for the time being

	needs   map[string]need  // by the code: what it follows, instead of after and who
	quiet   []string         // the codes by which nothing is asked
	agreed  map[string]Stage // by the code: where it leads if the counterpart made the same move with the same code last
	differs Stage            // where it leads if the counterpart made it with another code
	partial Stage            // where it leads while something stays unanswered
	until   string           // the time until which what codes names holds: its author owes another of its format by then

	joint // what it has to do with an earlier move of either side
}

// need is what a move follows, and whose.
type need struct {
	after []Move
	who   side
}

// need returns what the move follows where it says a code; agreed says that the
// counterpart made it with the same one.
func (t turn) need(code string, agreed bool) need {
	if n, ok := t.needs[code]; ok && !agreed {
		return n
	}
	return need{t.after, t.who}
}

// target returns where a message's move leads where nothing was said before.
func (t turn) target(f Facts) Stage {
	if s, ok := t.codes[f.Words[t.by]]; ok {
		return s
	}
	if _, ok := f.Words[t.given]; ok {
		return t.then
	}
	return t.to
}

// targets returns every stage that the move may lead to.
func (t turn) targets() []Stage {
	list := slices.Concat(slices.Collect(maps.Values(t.codes)), slices.Collect(maps.Values(t.agreed)), []Stage{t.to, t.then, t.differs, t.partial, t.both, t.apart})
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(s Stage) bool { return s == "" })
}

// A machine is the course of a kind of dossier.
type machine struct {
	next  map[Stage][]Stage
	turns map[Move]turn
	rest  []Stage // in which a dossier is closed as soon as nothing is owed in it
	ends  []Stage // at which what is owed by follow-up is owed no more
	plan  planner // what a move makes time do later; nil: nothing
}

var machines = map[Kind]machine{
	KindIncident:     {next: incidentNext, turns: incidentTurns, rest: []Stage{Stated, Responded, Closed, Withdrawn}},
	KindNotice:       {next: noticeNext, turns: noticeTurns, rest: []Stage{Cancelled, Completed, Lapsed, Withdrawn}},
	KindStop:         {next: stopNext, turns: stopTurns, rest: []Stage{StopAnswered, Promised, Withdrawn}},
	KindTechnical:    {next: technicalNext, turns: technicalTurns, rest: []Stage{Shared, TechnicalAnswered, Withdrawn}},
	KindContact:      {next: contactNext, turns: contactTurns, rest: []Stage{Named, Struck, Checked, Withdrawn}},
	KindService:      {next: serviceNext, turns: serviceTurns, rest: []Stage{Noted, StateTold, StateAgreed, StateDiffers, Discrepancy, ReadBack, Authenticated, OutagePlanned, OutageOver, InService, KeyAnnounced, Compromised, Withdrawn}},
	KindConsultation: {next: consultationNext, turns: consultationTurns, rest: []Stage{Offered, ConsultationAnswered, MeetingProposed, SessionCalled, RecordProposed, RecordAgreed, RecordDiffers, Recommended, Withdrawn}},
	KindAny:          {next: letterNext, turns: letterTurns, rest: []Stage{Written, Withdrawn}},

	KindAssistance:    {next: assistanceNext, turns: assistanceTurns, rest: []Stage{AssistanceDone, AssistanceDeclined, Withdrawn}},
	KindVulnerability: {next: vulnerabilityNext, turns: vulnerabilityTurns, rest: []Stage{FlawAnswered, FlawPublished, Withdrawn}},
	KindDisclosure:    {next: disclosureNext, turns: disclosureTurns, rest: []Stage{DisclosureGranted, DisclosureRefused, Withdrawn}},
	KindStatement:     {next: statementNext, turns: statementTurns, rest: []Stage{HandedOver, Withdrawn}},
	KindClaim:         {next: claimNext, turns: claimTurns, rest: []Stage{Settled, ClaimWithdrawn, Disputed, Consulted, Withdrawn}},
	KindReport:        {next: reportNext, turns: reportTurns, rest: []Stage{OnRecord, ReportAnswered, Withdrawn}},
	KindPublication:   {next: publicationNext, turns: publicationTurns, rest: []Stage{PublicationAgreed, PublicationPart, PublicationRefused, PublicationSilence, Withdrawn}},
	KindEdition:       {next: editionNext, turns: editionTurns, rest: []Stage{EditionAdopted, EditionReserved, EditionDeclined, Withdrawn}},
	KindGlossary:      {next: glossaryNext, turns: glossaryTurns, rest: []Stage{TermAgreed, TermOpen, TermWithdrawn, Withdrawn}},

	KindGuarantee:    guaranteeMachine,
	KindElection:     electionMachine,
	KindMeasure:      measureMachine,
	KindExercise:     exerciseMachine,
	KindInstrument:   instrumentMachine,
	KindSuspension:   suspensionMachine,
	KindDenunciation: denunciationMachine,
	KindAccession:    accessionMachine,
	KindDeclaration:  declarationMachine,
}

// allows reports whether the table has a way from one stage to another.
func (m machine) allows(from, to Stage) bool {
	if from == Withdrawn {
		from = ""
	}
	return slices.Contains(m.next[from], to)
}

// Unopened is the stage of a dossier whose messages follow one that is not
// receipted yet.
const Unopened Stage = "unopened"

// rests reports whether a dossier in a stage is closed once nothing is owed.
func (m machine) rests(s Stage) bool { return s == Unopened || slices.Contains(m.rest, s) }

// A course is how far a dossier has come, and who made which move.
type course struct {
	machine
	stage Stage
	made  map[Move][]identity.Station
	said  map[Move]map[identity.Station]string // the code of who made it last
	last  map[Move]map[identity.Station]Facts  // what each side said by it last
}

// agrees returns what the counterpart said by a move last, and whether it said
// anything.
func (c *course) agrees(m Move, who identity.Origin) (code string, ok bool) {
	code, ok = c.said[m][who.Reader]
	return code, ok
}

// target returns where a message's move leads from where the dossier stands.
func (c *course) target(m Move, t turn, it Item, partial bool) Stage {
	if theirs, ok := c.agrees(m, it.Origin); ok {
		to := t.differs
		if code := it.Facts.Words[t.by]; theirs == code {
			to = t.agreed[code]
		}
		if to != "" && c.allows(c.stage, to) {
			return to
		}
	}
	if partial && t.partial != "" {
		return t.partial
	}
	return c.beside(m, t, it)
}

// may returns what speaks against a move by a station: a flag, or empty.
func (c *course) may(m Move, t turn, who identity.Origin, code string, to Stage) Flag {
	theirs, said := c.agrees(m, who)
	if n := t.need(code, said && theirs == code); len(n.after) > 0 {
		asked, fits := false, false
		for _, a := range n.after {
			asked = asked || len(c.made[a]) > 0
			fits = fits || n.who == either && len(c.made[a]) > 0 ||
				n.who == same && slices.Contains(c.made[a], who.Writer) || n.who == other && slices.Contains(c.made[a], who.Reader)
		}
		switch {
		case !asked:
			return FlagNotAllowed
		case !fits:
			return FlagWrongSide
		}
	}
	begun := c.stage != "" && c.stage != Withdrawn
	if c.allows(c.stage, to) || begun && (t.stays || to == "") {
		return ""
	}
	return FlagNotAllowed
}

// move makes a move that the table allows; else it changes nothing and says
// why. partial says that it leaves something unanswered.
func (c *course) move(m Move, it Item, partial bool) Flag {
	t, ok := c.turns[m]
	if !ok {
		return FlagNotAllowed
	}
	to, code := c.target(m, t, it, partial), it.Facts.Words[t.by]
	if flag := c.may(m, t, it.Origin, code, to); flag != "" {
		return flag
	}
	if !c.joins(m, t, it) {
		return FlagNotAllowed
	}
	if c.allows(c.stage, to) {
		c.stage = to
	}
	if !slices.Contains(c.made[m], it.Origin.Writer) {
		c.made[m] = append(c.made[m], it.Origin.Writer)
	}
	if len(t.agreed) > 0 || t.differs != "" {
		if c.said == nil {
			c.said = make(map[Move]map[identity.Station]string)
		}
		put2(c.said, m, it.Origin.Writer, code)
	}
	c.say(m, it)
	return ""
}

func put2[K, L comparable, V any](m map[K]map[L]V, k K, l L, v V) {
	if m[k] == nil {
		m[k] = make(map[L]V)
	}
	m[k][l] = v
}

func compare[S ~string](a, b S) int { return cmp.Compare(a, b) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
