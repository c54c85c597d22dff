package record

import (
	"errors"
	"fmt"
	"strings"

	"detente/book"
	"detente/identity"
	"detente/journal"
)

// Kinds of evidence.
const (
	EvidenceFork     = "fork"     // a log signed two histories
	EvidenceWithheld = "withheld" // receipts that did not come
)

// EvidenceReport says what an evidence file proves.
type EvidenceReport struct {
	Form    string   `json:"report"` // the name of this form of report
	Verdict Verdict  `json:"verdict"`
	Kind    string   `json:"kind,omitempty"`
	Who     string   `json:"who,omitempty"` // the station whose keys signed it
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

// VerifyEvidence verifies a file that proves a fork, or shows a withheld
// receipt, with the cards of the stations it names and the parties' roots.
func VerifyEvidence(file []byte, cards []identity.Bundle, roots []identity.Root) EvidenceReport {
	if f, err := journal.ParseFork(file); err == nil {
		return judgeFork(f, cards, roots)
	}
	if w, err := journal.ParseWithheld(file); err == nil {
		return judgeWithheld(w, cards, roots)
	}
	return evidence(Invalid, "", "", because(NoEvidence, nil))
}

func judgeFork(f journal.Fork, cards []identity.Bundle, roots []identity.Root) EvidenceReport {
	who, log := string(f.Origin.Writer), f.Origin.String()
	key, ok := logKey(f.Origin, cards, roots)
	if !ok {
		return evidence(Indeterminate, EvidenceFork, who, because(LogCardMissing, nil, log))
	}
	if err := f.Verify(key); err != nil {
		return evidence(Invalid, EvidenceFork, who, because(ForkUnproven, err, log))
	}
	return evidence(Valid, EvidenceFork, who, because(ForkProven, nil, log))
}

// judgeWithheld says that receipts were missing, where the checkpoints that show
// it are signed as they claim: the one that was offered by its log, the one by
// which the counterpart was alive by its own. That the counterpart received
// what was offered no file can prove.
func judgeWithheld(w journal.Withheld, cards []identity.Bundle, roots []identity.Root) EvidenceReport {
	unproven := func(who string, err error) EvidenceReport {
		return evidence(Invalid, EvidenceWithheld, who, because(WithheldUnproven, err))
	}
	offered, err := originOf(w.Offered)
	if err != nil {
		return unproven("", err)
	}
	who := string(offered.Reader)
	logs := map[identity.Origin][]byte{offered: w.Offered}
	if len(w.Alive) > 0 {
		alive, err := originOf(w.Alive)
		if err != nil || alive.Writer != offered.Reader || alive.Line() != offered.Line() {
			return unproven(who, errors.Join(errors.New("the two checkpoints are not of one line's two directions"), err))
		}
		logs[alive] = w.Alive
	}
	for o, note := range logs {
		key, ok := logKey(o, cards, roots)
		if !ok {
			return evidence(Indeterminate, EvidenceWithheld, who, because(LogCardMissing, nil, o.String()))
		}
		head, err := journal.OpenCheckpoint(key, o, note)
		if err != nil {
			return unproven(who, err)
		}
		if o == offered && (w.From < 0 || w.From >= head.Size) {
			return unproven(who, fmt.Errorf("entry %d was not offered: the log had %d entries", w.From, head.Size))
		}
	}
	return evidence(Indeterminate, EvidenceWithheld, who, because(ReceiptsWithheld, nil, fmt.Sprint(w.From)))
}

// originOf reads which log a checkpoint claims to be of.
func originOf(note []byte) (identity.Origin, error) {
	first, _, _ := strings.Cut(string(note), "\n")
	return identity.ParseOrigin(first)
}

// logKey finds a log's key on its writer's card, where that verifies.
func logKey(o identity.Origin, cards []identity.Bundle, roots []identity.Root) (identity.PublicKey, bool) {
	for _, b := range cards {
		for _, r := range roots {
			if v, err := b.Verify(r.Key, zeroTime); err == nil && v.Card.Station == o.Writer {
				return v.Card.Log(o)
			}
		}
	}
	return identity.PublicKey{}, false
}

func evidence(v Verdict, kind, who string, why fault) EvidenceReport {
	return EvidenceReport{
		Form: "detente.evidence/v1", Verdict: v, Kind: kind, Who: who, Code: why.reason, Values: why.values, Reason: why.Error(), Next: why.reason.next("en"), Detail: why.detail,
	}
}
