package dossier

import (
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

// concerns returns the claim or report, of those before it, that a message is
// about: the first that it refers to, or that a question that it refers to does.
func (f *fold) concerns(before []Item, it Item) (Item, bool) {
	next := slices.Clone(f.l.refs(it))
	seen := make(map[message.ID]bool)
	for i := 0; i < len(next); i++ {
		n := slices.IndexFunc(before, func(b Item) bool { return b.ID == next[i] })
		if n < 0 || seen[next[i]] {
			continue
		}
		seen[next[i]] = true
		if stating(f.l.forms[before[n].Format].Move) {
			return before[n], true
		}
		next = append(next, f.l.refs(before[n])...)
	}
	return Item{}, false
}

// leaves reports whether a message of a claim leaves a fact of it unanswered.
func (f *fold) leaves(before []Item, it Item) bool {
	if f.kind != KindClaim || f.l.forms[it.Format].Move != "reply" {
		return false
	}
	claim, ok := f.concerns(before, it)
	return ok && f.unanswered(append(slices.Clip(before), it), claim)
}

// unanswered reports whether the counterpart has left a fact of a claim without
// an answer.
func (f *fold) unanswered(made []Item, claim Item) bool {
	left := make(map[int]bool)
	for i := range claim.Facts.Records["facts"] {
		left[i+1] = true
	}
	for _, it := range made {
		if f.l.forms[it.Format].Move != "reply" || it.Origin.Writer == claim.Origin.Writer {
			continue
		}
		if about, ok := f.concerns(made, it); !ok || about.ID != claim.ID {
			continue
		}
		for _, r := range it.Facts.Records["facts"] {
			delete(left, r.number())
		}
	}
	return len(left) > 0
}

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
	for i, it := range f.made {
		m := f.l.forms[it.Format].Move
		if stating(m) {
			for n, r := range it.Facts.Records["facts"] {
				list = append(list, FactState{Of: it.ID, N: n + 1, By: it.Origin.Writer, Said: r})
			}
			continue
		}
		about, ok := f.concerns(f.made[:i], it)
		for _, r := range slices.Concat(it.Facts.Records["facts"], it.Facts.Records["questions"]) {
			if _, named := r["fact"]; !named {
				continue
			}
			n := slices.IndexFunc(list, func(x FactState) bool { return ok && x.Of == about.ID && x.N == r.number() })
			if n < 0 {
				f.flag(it.ID, FlagNoFact)
				continue
			}
			list[n].say(m, it, r)
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
