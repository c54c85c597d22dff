package record

import (
	"strings"
	"testing"

	"detente/book"
	"detente/identity"
	"detente/journal"
)

// everyText returns all texts of the package by what they say.
func everyText() map[string]text {
	all := make(map[string]text)
	for v, t := range verdicts {
		all["verdict "+string(v)] = t
	}
	for r, t := range results {
		all["result "+string(r)] = t
	}
	for c, t := range counts {
		all["count "+c] = t
	}
	for c := CheckContainer; c <= lastCheck; c++ {
		all["check "+texts[c]["en"]] = texts[c]
	}
	for r := NoReason + 1; r <= lastReason; r++ {
		all["reason "+r.String()], all["next "+r.String()] = reasons[r].text, reasons[r].next
	}
	return all
}

// script tells of each language whose letters are not Latin one range in which
// its letters lie.
var script = map[book.Lang][2]rune{"ru": {'А', 'я'}, "zh": {'一', '鿿'}, "ar": {'ء', 'ي'}}

// Every text exists in six languages, in that language's letters, and names the
// same values in each.
func TestTextsInSixLanguages(t *testing.T) {
	for what, text := range everyText() {
		seen := make(map[string]book.Lang)
		for _, l := range book.Langs() {
			s := text[l]
			if strings.TrimSpace(s) == "" {
				t.Errorf("%s: no text in %s", what, l)
				continue
			}
			if r, ok := script[l]; ok && !strings.ContainsFunc(s, func(c rune) bool { return r[0] <= c && c <= r[1] }) {
				t.Errorf("%s: %q is not in %s", what, s, l)
			}
			if other, same := seen[s]; same && len(strings.Fields(s)) > 1 {
				t.Errorf("%s: %s says what %s says: %q", what, l, other, s)
			}
			seen[s] = l
			for _, v := range []string{"{0}", "{1}", "{2}", "{3}", "{4}", "{5}", "PROVISIONAL", "--root", "--cards", "record.json", "policy.txt"} {
				if strings.Contains(s, v) != strings.Contains(text["en"], v) {
					t.Errorf("%s: in %s %q names %s, or does not where English does", what, l, s, v)
				}
			}
		}
	}
}

// Whatever a report says of a receipt or a reply, in no language does it say
// that anybody admits or agrees to anything.
// covers P20
func TestReportsSpeakOfNoAdmission(t *testing.T) {
	words := map[book.Lang][]string{
		"en": {"admi", "agreed", "accept", "concede", "confess"}, "ru": {"призна", "согласи", "согласн", "допуска"}, "zh": {"承认", "同意", "接受"},
		"es": {"admi", "reconoc", "acept", "acord"}, "fr": {"adme", "reconn", "avou", "accept"}, "ar": {"إقرار", "اعتراف", "يقبل", "يوافق"},
	}
	for what, x := range everyText() {
		for _, l := range book.Langs() {
			for _, w := range words[l] {
				if strings.Contains(strings.ToLower(x[l]), w) {
					t.Errorf("%s says %q in %s", what, x[l], l)
				}
			}
		}
	}
}

// Every contradiction that the journal can prove has words of its own.
// covers P7
func TestClashesHaveWords(t *testing.T) {
	seen := make(map[Reason]bool)
	for c := journal.TwoHistories; c <= journal.SignedOtherwise; c++ {
		f := clashed("nrrc.boreal.example", journal.Proof{Clash: c})
		if f.reason == NoReason || seen[f.reason] || strings.Contains(f.Error(), "{") {
			t.Errorf("clash %d: %s: %q", c, f.reason, f.Error())
		}
		seen[f.reason] = true
	}
}

// Every check and reason has a place in the tables, and a code of its own.
func TestReasonsAreComplete(t *testing.T) {
	codes := make(map[string]bool)
	for r := NoReason + 1; r <= lastReason; r++ {
		if code := r.String(); code == "" || codes[code] || strings.ToLower(code) != code || strings.Contains(code, " ") {
			t.Errorf("reason %d has the code %q", r, code)
		}
		codes[r.String()] = true
	}
	if len(reasons) != int(lastReason) || len(texts) != int(lastCheck) {
		t.Errorf("%d reasons of %d, %d checks of %d", len(reasons), lastReason, len(texts), lastCheck)
	}
}

// A report says everything it found in each language, with its values and what
// to do; the technical cause stands in it as it is.
func TestRenderSaysEverything(t *testing.T) {
	v := &verifier{}
	v.report.Messages = 1
	values := []string{"17", "23", "29", "31", "37", "41"}
	for r := NoReason + 1; r <= lastReason; r++ {
		v.fail(CheckOpens, "ARD/BOR-N1-"+r.String(), fault{reason: r, values: values, detail: "cause of " + r.String()})
	}
	v.missing(CheckPolicy, "ARD/BOR-N1-3", fault{reason: TooFew, values: values, refused: "BOR/ARD-N1-9"})
	v.report.Lapsed = []string{"ARD/BOR-N1-4"}
	v.report.Contested = []Contested{{"ARD/BOR-N1-5", "ARD/BOR-N1-6", 2, "ARD/BOR-N1-8"}}
	report := v.finish()
	if report.ExitCode() != 5 {
		t.Errorf("exit code %d", report.ExitCode())
	}
	for _, l := range book.Langs() {
		text, err := report.Render(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			for _, want := range []string{f.Where, f.Code.in(l, values), f.Detail, todo(f.Code, f.Refused, l), verdicts[Invalid][l], results[Fail][l], results[NotChecked][l]} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: the report does not say %q", l, want)
				}
			}
		}
		for _, want := range []string{TooFew.in(l, values) + " " + Refused.in(l, []string{"BOR/ARD-N1-9"}), counts["lapsed"][l] + ": ARD/BOR-N1-4", "ARD/BOR-N1-5 … ARD/BOR-N1-6 " + counts["contested"][l] + ": ARD/BOR-N1-8"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the report does not say %q", l, want)
			}
		}
		if strings.Contains(text, "{") {
			t.Errorf("%s: a value is missing: %s", l, text)
		}
	}
	if _, err := report.Render("tlh"); err == nil {
		t.Error("a seventh language is taken")
	}
}

// What is no evidence is invalid, in every language.
func TestEvidenceRendering(t *testing.T) {
	for _, file := range []string{"", "x", strings.Repeat("\x00", 1000)} {
		r := VerifyEvidence([]byte(file), nil, []identity.Root{})
		if r.ExitCode() != 5 || r.Code != NoEvidence || r.Next == "" {
			t.Errorf("%+v", r)
		}
		for _, l := range book.Langs() {
			if text, err := r.Render(l); err != nil || !strings.Contains(text, NoEvidence.in(l, nil)) {
				t.Errorf("%s: %q, %v", l, text, err)
			}
		}
	}
}
