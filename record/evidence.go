package record

import (
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/journal"
)

// EvidenceReport says what an evidence file proves.
type EvidenceReport struct {
	Verdict Verdict `json:"verdict"`
	Kind    string  `json:"kind"`
	Who     string  `json:"who"` // the station whose keys signed it
	Reason  string  `json:"reason"`
}

// VerifyEvidence verifies a file that proves a fork or a contradiction, or shows
// a withheld receipt, with the cards of the stations it names and the parties'
// roots. A card that is missing makes it indeterminate.
func VerifyEvidence(file []byte, cards []identity.Bundle, roots []identity.Root) EvidenceReport {
	known := shownCards{cards, roots}
	if f, err := journal.ParseFork(file); err == nil {
		return known.fork(f)
	}
	if w, err := journal.ParseWithheld(file); err == nil {
		return known.withheld(w)
	}
	if c, err := journal.ParseContradiction(file); err == nil {
		return known.contradiction(c)
	}
	return EvidenceReport{Verdict: Invalid, Reason: "this is no evidence file"}
}

// shownCards are the cards and roots that a verifier was given.
type shownCards struct {
	cards []identity.Bundle
	roots []identity.Root
}

// of returns the card of a station, and the root that it chains to.
func (k shownCards) of(s identity.Station) (identity.Card, identity.PublicKey, bool) {
	for _, b := range k.cards {
		for _, r := range k.roots {
			if v, err := b.Verify(r.Key, zeroTime); err == nil && v.Card.Station == s {
				return v.Card, r.Key, true
			}
		}
	}
	return identity.Card{}, identity.PublicKey{}, false
}

// logKey returns the key of a log; false where no card gives it.
func (k shownCards) logKey(o identity.Origin) (identity.PublicKey, bool) {
	card, _, ok := k.of(o.Writer)
	if !ok {
		return identity.PublicKey{}, false
	}
	return card.Log(o)
}

// noCard is the report on a file for which a card is missing.
func (e EvidenceReport) noCard(of identity.Station) EvidenceReport {
	e.Verdict, e.Reason = Indeterminate, fmt.Sprintf("a card of %s that gives the key was not given", of)
	return e
}

func (k shownCards) fork(f journal.Fork) EvidenceReport {
	e := EvidenceReport{Verdict: Invalid, Kind: "fork", Who: string(f.Origin.Writer)}
	key, ok := k.logKey(f.Origin)
	if !ok {
		return e.noCard(f.Origin.Writer)
	}
	if err := f.Verify(key); err != nil {
		e.Reason = err.Error()
		return e
	}
	e.Verdict, e.Reason = Valid, fmt.Sprintf("the log %s has signed two histories", f.Origin)
	return e
}

func (k shownCards) withheld(w journal.Withheld) EvidenceReport {
	e := EvidenceReport{Verdict: Invalid, Kind: "withheld"}
	offered, alive, err := w.Origins()
	if err != nil {
		e.Reason = err.Error()
		return e
	}
	e.Who = string(alive.Writer)
	mine, ok := k.logKey(offered)
	if !ok {
		return e.noCard(offered.Writer)
	}
	theirs, ok := k.logKey(alive)
	if !ok {
		return e.noCard(alive.Writer)
	}
	from, to, err := w.Verify(mine, theirs)
	if err != nil {
		e.Reason = err.Error()
		return e
	}
	e.Verdict = Valid
	e.Reason = fmt.Sprintf("%s had signed entry %d of its log by %s, and %s signed a head of its own at %s: it was alive. That it got the entry, or that it gave no receipt since, this cannot show; a receipt that covers the entry disproves it",
		offered.Writer, w.From, from.Format(time.RFC3339), alive.Writer, to.Format(time.RFC3339))
	return e
}

func (k shownCards) contradiction(c journal.Contradiction) EvidenceReport {
	e := EvidenceReport{Verdict: Invalid, Kind: c.Kind, Who: string(c.Who)}
	if b, err := identity.ParseBundle(c.A); err == nil && c.Kind == journal.ContradictsCards {
		k.cards = append(slices.Clone(k.cards), b) // it brings its own
	}
	card, root, ok := k.of(c.Who)
	if !ok {
		return e.noCard(c.Who)
	}
	what, err := c.Verify(card, root)
	if err != nil {
		e.Reason = err.Error()
		return e
	}
	e.Verdict, e.Reason = Valid, what
	return e
}
