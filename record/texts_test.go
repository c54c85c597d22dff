package record

import (
	"strings"
	"testing"

	"detente/book"
)

// Whatever a report says of a receipt or a reply, in no language does it say
// that anybody admits or agrees to anything.
// covers P20
func TestReportsSpeakOfNoAdmission(t *testing.T) {
	words := map[book.Lang][]string{
		"en": {"admi", "agreed", "accept", "concede", "confess"}, "ru": {"призна", "согласи", "согласн", "допуска"}, "zh": {"承认", "同意", "接受"},
		"es": {"admi", "reconoc", "acept", "acord"}, "fr": {"adme", "reconn", "avou", "accept"}, "ar": {"إقرار", "اعتراف", "يقبل", "يوافق"},
	}
	check := func(what string, x text) {
		t.Helper()
		for _, l := range book.Langs() {
			if x[l] == "" {
				t.Errorf("%s says nothing in %s", what, l)
			}
			for _, w := range words[l] {
				if strings.Contains(strings.ToLower(x[l]), w) {
					t.Errorf("%s says %q in %s", what, x[l], l)
				}
			}
		}
	}
	for c := CheckContainer; c <= lastCheck; c++ {
		check("check "+texts[c]["en"], texts[c])
	}
	for v, x := range verdicts {
		check("verdict "+string(v), x)
	}
	for name, x := range counts {
		check("count "+name, x)
	}
}
