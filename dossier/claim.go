package dossier

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"detente/identity"
	"detente/message"
)

// KindClaim is the kind of allegations: facts stated by one side, answered by the
// other one by one.
const KindClaim Kind = "claim"

// The stages of a claim. A reply that leaves facts unanswered is one for the time
// being. Who made a claim may withdraw it; otherwise it ends when both sides say
// the same end of it, and where they say different ones the dispute is on record.
// Silence is no end, and no stage is an admission.
const (
	ClaimMade      Stage = "claim-made"
	PartlyReplied  Stage = "replied-in-part"
	Replied        Stage = "claim-replied"
	Questioned     Stage = "claim-questioned"
	Closing        Stage = "closing"
	Settled        Stage = "settled"
	ClaimWithdrawn Stage = "claim-withdrawn"
	Disputed       Stage = "dispute-on-record"
	Consulted      Stage = "passed-to-consultation"
)

// claimOpen is where a claim may come to from any stage that is no end of it.
var claimOpen = []Stage{ClaimMade, PartlyReplied, Replied, Questioned, Closing, ClaimWithdrawn}

// claimEnds are the ends that both sides said.
var claimEnds = []Stage{ClaimMade, Closing, ClaimWithdrawn, Settled, Disputed, Consulted}

var claimNext = map[Stage][]Stage{
	"":             {ClaimMade},
	ClaimMade:      claimOpen,
	PartlyReplied:  claimOpen,
	Replied:        claimOpen,
	Questioned:     claimOpen,
	Closing:        slices.Concat(claimOpen, []Stage{Settled, Disputed, Consulted}),
	Settled:        claimEnds,
	Disputed:       claimEnds,
	Consulted:      claimEnds,
	ClaimWithdrawn: {ClaimMade, ClaimWithdrawn},
}

var claimTurns = map[Move]turn{
	"claim":    {to: ClaimMade},
	"reply":    {to: Replied, partial: PartlyReplied, stays: true, after: []Move{"claim", "question"}, who: other},
	"question": {to: Questioned, stays: true, after: []Move{"claim"}},
	"close": {to: Closing, by: "outcome", codes: map[string]Stage{"withdrawn": ClaimWithdrawn}, stays: true, after: []Move{"claim"},
		needs:  map[string]need{"withdrawn": {[]Move{"claim"}, same}},
		agreed: map[string]Stage{"settled": Settled, "maintained": Disputed, "consulted": Consulted, "withdrawn": ClaimWithdrawn}, differs: Disputed},
}

// FactStanding says how far the sides are about a fact, a code. It is about what
// was said, never about what is so.
type FactStanding string

// How a fact stands.
const (
	FactUnanswered FactStanding = "unanswered"
	FactAgreed     FactStanding = "agreed"
	FactPartly     FactStanding = "agreed-in-part"
	FactContested  FactStanding = "contested"
	FactReferred   FactStanding = "referred"
	FactDropped    FactStanding = "dropped" // by who stated it
)

// FactState is a fact that a claim or report states, with all that was said to
// it. Both sides, and an arbiter, have the same.
type FactState struct {
	Of       message.ID // the claim or report
	N        int        // its number there, from 1
	By       identity.Station
	Said     Record // as its author put it
	Standing FactStanding
	Answers  []FactSaid // in the order of the fold; the counterpart's last one counts
	Asked    []FactSaid // questions about it
	Closed   []FactSaid // what each side said of it at the end
}

// FactSaid is what a message says of a fact.
type FactSaid struct {
	By   message.ID
	From identity.Station
	Code string
	At   time.Time // of its receipt
}

// stating and answering are the moves that state facts and that answer them.
func stating(m Move) bool   { return m == "claim" || m == "put" }
func answering(m Move) bool { return m == "reply" || m == "answer" }

// A ledger is what a fold knows of claims and reports as it goes on: what states
// facts, which of them is left without an answer, and what each message is about.
// It costs the same for the last message of a long matter as for the first.
type ledger struct {
	stated map[message.ID]Item
	left   map[message.ID]map[int]bool // of a claim or report: the facts that its counterpart did not answer
	about  map[message.ID]message.ID   // of what was said to one: which
}

func newLedger() ledger {
	return ledger{make(map[message.ID]Item), make(map[message.ID]map[int]bool), make(map[message.ID]message.ID)}
}

// concerns returns the claim or report that a message is about: the first that it
// refers to, or that a message that it refers to is about.
func (l ledger) concerns(refs []message.ID) (Item, bool) {
	for _, ref := range refs {
		if it, ok := l.stated[ref]; ok {
			return it, true
		}
	}
	for _, ref := range refs {
		if id, ok := l.about[ref]; ok {
			return l.stated[id], true
		}
	}
	return Item{}, false
}

// leaves reports whether a message of a claim leaves a fact of it unanswered.
func (f *fold) leaves(it Item) bool {
	if f.kind != KindClaim || f.l.form(it).Move != "reply" {
		return false
	}
	claim, ok := f.ledger.concerns(f.l.refs(it))
	if !ok {
		return false
	}
	left := maps.Clone(f.ledger.left[claim.ID])
	for _, r := range it.Facts.Records["facts"] {
		delete(left, r.number())
	}
	return len(left) > 0
}

// enter notes a move that was made.
func (f *fold) enter(it Item) {
	if f.kind != KindClaim && f.kind != KindReport {
		return
	}
	m, l := f.l.form(it).Move, f.ledger
	if stating(m) {
		l.stated[it.ID] = it
		for i := range it.Facts.Records["facts"] {
			put2(l.left, it.ID, i+1, true)
		}
		return
	}
	about, ok := l.concerns(f.l.refs(it))
	if !ok {
		return
	}
	l.about[it.ID] = about.ID
	if answering(m) && it.Origin.Writer != about.Origin.Writer {
		for _, r := range it.Facts.Records["facts"] {
			delete(l.left[about.ID], r.number())
		}
	}
}

// unanswered reports whether the counterpart has left a fact of a claim without
// an answer.
func (f *fold) unanswered(claim Item) bool { return len(f.ledger.left[claim.ID]) > 0 }

// number returns the number of the fact that a record speaks of; zero: of none.
func (r Record) number() int {
	n, err := strconv.Atoi(r["fact"])
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// factStates lists the facts of a claim or report with what was said to each, and
// flags what speaks of a fact that was not stated.
func (f *fold) factStates() []FactState {
	if f.kind != KindClaim && f.kind != KindReport {
		return nil
	}
	var list []FactState
	index := make(map[message.ID]int) // of a claim's or report's first fact
	for _, it := range f.made {
		m := f.l.form(it).Move
		if stating(m) {
			index[it.ID] = len(list)
			for n, r := range it.Facts.Records["facts"] {
				list = append(list, FactState{Of: it.ID, N: n + 1, By: it.Origin.Writer, Said: r})
			}
			continue
		}
		about, ok := f.ledger.stated[f.ledger.about[it.ID]]
		for _, r := range slices.Concat(it.Facts.Records["facts"], it.Facts.Records["questions"]) {
			if _, named := r["fact"]; !named {
				continue
			}
			if n := r.number(); ok && n > 0 && n <= len(about.Facts.Records["facts"]) {
				list[index[about.ID]+n-1].say(m, it, r)
				continue
			}
			f.flag(it.ID, FlagNoFact)
		}
	}
	for i := range list {
		list[i].Standing = list[i].standing()
	}
	return list
}

// say notes what a message says of the fact.
func (s *FactState) say(m Move, it Item, r Record) {
	said := FactSaid{By: it.ID, From: it.Origin.Writer, At: it.Received}
	switch {
	case answering(m):
		said.Code = r["answer"]
		s.Answers = append(s.Answers, said)
	case m == "question":
		said.Code = r["ask"]
		s.Asked = append(s.Asked, said)
	default:
		said.Code = r["outcome"]
		s.Closed = append(s.Closed, said)
	}
}

// standing says how far the sides are: who stated the fact may drop it, both may
// agree on it at the end, and otherwise the counterpart's last answer counts.
func (s *FactState) standing() FactStanding {
	last := make(map[identity.Station]string)
	for _, c := range s.Closed {
		last[c.From] = c.Code
	}
	agreed := 0
	for _, code := range last {
		if code == "agreed" {
			agreed++
		}
	}
	switch {
	case last[s.By] == "dropped":
		return FactDropped
	case agreed == 2:
		return FactAgreed
	}
	standing := FactUnanswered
	for _, a := range s.Answers {
		if a.From != s.By {
			standing = standingOf(a.Code)
		}
	}
	return standing
}

// standingOf returns how a fact stands after an answer.
func standingOf(answer string) FactStanding {
	switch answer {
	case "accepted":
		return FactAgreed
	case "partly":
		return FactPartly
	case "referred":
		return FactReferred
	}
	return FactContested
}
