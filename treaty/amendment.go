package treaty

import (
	"time"

	"detente/identity"
)

// AmendmentState is how a proposed amendment stands, a code.
type AmendmentState string

// The states of an amendment.
const (
	AmendmentProposed  AmendmentState = "proposed"
	AmendmentOtherBase AmendmentState = "other-base"      // it changes a text that was not in force when it was received
	AmendmentNoUse     AmendmentState = "agreement-ended" // the agreement ended before it could be in force
	AmendmentObjected  AmendmentState = "objected"
	AmendmentCountered AmendmentState = "countered"
	AmendmentLapsed    AmendmentState = "lapsed" // silence
	AmendmentUnderWay  AmendmentState = "under-way"
	AmendmentInForce   AmendmentState = "in-force"
)

// The times of amendments, counted from the receipt of the proposal.
var (
	amendmentAnswer    = Period{Seconds: 60 * dayS}
	amendmentObjection = Period{Seconds: 30 * dayS}
)

// Amendment is how a proposal (520) and its answers (521) stand.
type Amendment struct {
	State AmendmentState
	Text  string    // the hash that both name, or that is proposed
	From  time.Time // in force; zero: it is not
	Late  bool      // an objection came too late to count
}

// FoldAmendment says how an amendment stands as of a second. Base is the hash of
// the text in force when the proposal was received; ends is when the agreement ends,
// zero where it does not. Of several answers the first that counts decides.
func FoldAmendment(proposal Event, answers []Event, x Exchange, base identity.Digest, ends, at time.Time) Amendment {
	a := Amendment{State: AmendmentProposed, Text: proposal.word("text")}
	if proposal.word("base") != base.String() {
		a.State = AmendmentOtherBase
		return a
	}
	for _, e := range answers {
		if e.By == proposal.By || e.Received.IsZero() || e.Received.After(at) || e.Received.After(amendmentAnswer.After(proposal.Received)) {
			continue
		}
		switch e.word("decision") {
		case "object":
			if e.Received.After(amendmentObjection.After(proposal.Received)) {
				a.Late = true
				continue
			}
			a.State = AmendmentObjected
		case "counter":
			a.State = AmendmentCountered
		case "accept":
			if e.word("text") != a.Text {
				a.State = AmendmentCountered // who accepts another text has not accepted this one
				break
			}
			a.accept(proposal, x, ends, at)
		default:
			continue
		}
		return a
	}
	if at.After(amendmentAnswer.After(proposal.Received)) {
		a.State = AmendmentLapsed
	}
	return a
}

// accept reckons from when an accepted amendment is in force.
func (a *Amendment) accept(proposal Event, x Exchange, ends, at time.Time) {
	date, _, _ := proposal.span("entry_date")
	from, ok := x.InForce(EntryRule(proposal.word("entry")), date)
	switch {
	case !ends.IsZero() && (ok && from.After(ends) || at.After(ends) && !ok):
		a.State = AmendmentNoUse
	case !ok || at.Before(from):
		a.State = AmendmentUnderWay
	default:
		a.State, a.From = AmendmentInForce, from
	}
}
