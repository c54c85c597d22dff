package record

import (
	"fmt"
	"slices"

	"detente/book"
	"detente/identity"
	"detente/journal"
)

// Kinds of evidence, beside those of a journal.Contradiction.
const (
	EvidenceFork     = "fork"     // a log signed two histories
	EvidenceWithheld = "withheld" // receipts that did not come
)

// EvidenceReport says what an evidence file proves.
type EvidenceReport struct {
	Form    string   `json:"report"` // the name of this form of report
	Verdict Verdict  `json:"verdict"`
	Kind    string   `json:"kind,omitempty"`
	Who     string   `json:"who,omitempty"` // the station that it speaks against
	Code    Reason   `json:"code"`
	Values  []string `json:"values,omitempty"` // what the reason's text names
	Reason  string   `json:"reason"`           // in English
	Next    string   `json:"next"`             // what to do about it, in English
	Detail  string   `json:"detail,omitempty"` // technical, in English
}

// ExitCode is what a program ends with: 0 valid, 5 invalid, 6 indeterminate.
func (r EvidenceReport) ExitCode() int { return r.Verdict.exitCode() }

// Render returns the report for people, in a language.
func (r EvidenceReport) Render(l book.Lang) (string, error) {
	if _, ok := verdicts[r.Verdict][l]; !ok {
		return "", fmt.Errorf("language %q: en, ru, zh, es, fr or ar", string(l))
	}
	text := fmt.Sprintf("%s\n%s", verdicts[r.Verdict][l], r.Code.in(l, r.Values))
	if r.Detail != "" {
		text += " [" + r.Detail + "]"
	}
	return text + "\n→ " + r.Code.next(l) + "\n", nil
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
	return evidence{}.report(Invalid, because(NoEvidence, nil))
}

// evidence is what a file is evidence of, and against whom.
type evidence struct{ kind, who string }

func (e evidence) report(v Verdict, why fault) EvidenceReport {
	return EvidenceReport{
		Form: "detente.evidence/v1", Verdict: v, Kind: e.kind, Who: e.who, Code: why.reason, Values: why.values, Reason: why.Error(), Next: why.reason.next("en"), Detail: why.detail,
	}
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

func (k shownCards) fork(f journal.Fork) EvidenceReport {
	e, log := evidence{EvidenceFork, string(f.Origin.Writer)}, f.Origin.String()
	key, ok := k.logKey(f.Origin)
	if !ok {
		return e.report(Indeterminate, because(LogCardMissing, nil, log))
	}
	if err := f.Verify(key); err != nil {
		return e.report(Invalid, because(ForkUnproven, err, log))
	}
	return e.report(Valid, because(ForkProven, nil, log))
}

// withheld says that the counterpart was alive, where both heads that show it are
// signed as they claim. That it got what was offered no file can prove, and the
// text says so.
func (k shownCards) withheld(w journal.Withheld) EvidenceReport {
	e := evidence{kind: EvidenceWithheld}
	offered, alive, err := w.Origins()
	if err != nil {
		return e.report(Invalid, because(WithheldUnproven, err))
	}
	e.who = string(alive.Writer)
	var keys [2]identity.PublicKey
	for i, o := range []identity.Origin{offered, alive} {
		key, ok := k.logKey(o)
		if !ok {
			return e.report(Indeterminate, because(LogCardMissing, nil, o.String()))
		}
		keys[i] = key
	}
	from, to, err := w.Verify(keys[0], keys[1])
	if err != nil {
		return e.report(Invalid, because(WithheldUnproven, err))
	}
	return e.report(Valid, because(ReceiptsWithheld, nil, string(offered.Writer), fmt.Sprint(w.From), stamp(from), string(alive.Writer), stamp(to)))
}

func (k shownCards) contradiction(c journal.Contradiction) EvidenceReport {
	e := evidence{c.Kind, string(c.Who)}
	if b, err := identity.ParseBundle(c.A); err == nil && c.Kind == journal.ContradictsCards {
		k.cards = append(slices.Clone(k.cards), b) // it brings its own
	}
	card, root, ok := k.of(c.Who)
	if !ok {
		return e.report(Indeterminate, because(CardMissing, nil, e.who))
	}
	p, err := c.Verify(card, root)
	if err != nil {
		return e.report(Invalid, because(ClashUnproven, err, e.who))
	}
	return e.report(Valid, clashed(e.who, p))
}

// clashed says what a contradiction proves.
func clashed(who string, p journal.Proof) fault {
	log, a, b := p.Log.String(), fmt.Sprint(p.Sizes[0]), fmt.Sprint(p.Sizes[1])
	switch p.Clash {
	case journal.TwoHistories:
		return because(ReceiptedTwice, nil, who, log, a)
	case journal.TwoSeconds:
		return because(SecondsTwo, nil, who, log, a, stamp(p.At[0]), stamp(p.At[1]))
	case journal.SecondFalls:
		return because(SecondsFall, nil, who, log, a, stamp(p.At[0]), b, stamp(p.At[1]))
	case journal.TwoKeys:
		return because(KeysTwo, nil, who, log)
	case journal.TwoEnds:
		return because(EndsTwo, nil, who, log, a, b)
	case journal.SignedOtherwise:
		return because(EndsOtherwise, nil, who, log, a, b)
	default:
		panic("internal error: a clash without words")
	}
}
