package treaty

import (
	"slices"
	"testing"

	"detente/book"
)

// Each code that the package gives has a word in each of the six languages.
func TestWords(t *testing.T) {
	lists, err := Words()
	if err != nil {
		t.Fatal(err)
	}
	for name, codes := range map[string][]string{
		"fault":     {string(FaultNoLanguage), string(FaultParagraphs), string(FaultNoFormat), string(FaultNoParam), string(FaultCondition), string(FaultUnreachable), string(FaultUndischarge), string(FaultDeadline), string(FaultTwice), string(FaultCycle)},
		"flag":      {string(FlagNone), string(FlagMissing), string(FlagShort), string(FlagBreach)},
		"state":     {string(Open), string(Met), string(Late), string(Missed), string(MetTimeDisputed), string(LateTimeDisputed), string(MetDisputed), string(EvidenceAwaited), string(Suspended), string(Stopped), string(Ended), string(Unclear)},
		"step":      {"in-force", "triggered", "occasion", "condition", "unclear", "clock", "within", "tightened", "raised", "lead", "extended", "stood-still", "disputed", "due", "acted", "counted", "stopped", "suspended", "ended", "judged", "next"},
		"guarantee": {string(GuaranteeOffered), string(GuaranteeDiffers), string(GuaranteeDeclined), string(GuaranteeUnderWay), string(GuaranteePending), string(GuaranteeInForce), string(GuaranteeWithdrawn), string(GuaranteeEnded)},
		"amendment": {string(AmendmentProposed), string(AmendmentOtherBase), string(AmendmentNoUse), string(AmendmentObjected), string(AmendmentCountered), string(AmendmentLapsed), string(AmendmentUnderWay), string(AmendmentInForce)},
		"phase":     {string(PhaseNone), string(PhaseOpen), string(PhaseCore)},
	} {
		for _, code := range codes {
			if !slices.ContainsFunc(lists[name].Codes, func(c book.Code) bool { return c.Code == code }) {
				t.Errorf("%s: %s has no words", name, code)
			}
		}
	}
	for name, l := range lists {
		for _, c := range l.Codes {
			for _, lang := range book.Langs() {
				if c.Label[lang] == "" {
					t.Errorf("%s: %s has no %s", name, c.Code, lang)
				}
			}
		}
	}
}
