package record

import (
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"

	"detente/book"
)

// Check is one of the numbered checks.
type Check int

// The checks, in the order in which they stand in reports.
const (
	CheckContainer  Check = iota + 1 // the file is a record, unaltered
	CheckIndex                       // record.json fits what is there
	CheckCards                       // cards chain to the roots
	CheckCheckpoint                  // the log signed its checkpoint twice
	CheckReceipt                     // its reader cosigned it twice, at one second
	CheckInclusion                   // the entry is in the signed tree
	CheckPolicyFile                  // policy.txt is the log's
	CheckDisclosed                   // the entry's key is there
	CheckOpens                       // the key opens the entry
	CheckBody                        // the body is canonical and for this line
	CheckApprovals                   // approvals verify, each by another officer
	CheckPolicy                      // they are as many as the policy asks
	CheckTime                        // seconds do not fall
	CheckSeen                        // what wrappers have seen agrees
	CheckComplete                    // a line's record has every index
	CheckFork                        // the log shows one history
	CheckMatter                      // what answers fits what it answers
	CheckPublished                   // of a publication: nothing but what both consented to
)

const lastCheck = CheckPublished

// Result is how a check ended.
type Result string

// The results of a check.
const (
	Pass       Result = "pass"
	Fail       Result = "fail"
	NotChecked Result = "not checked"
)

// Finding is a check that did not simply pass: where and why.
type Finding struct {
	Check   Check    `json:"check"`
	Result  Result   `json:"result"`
	Where   string   `json:"where,omitempty"`   // a citation, a log or a file
	By      string   `json:"by,omitempty"`      // the short code of the station whose hand it shows; empty: the exporter's, or nobody's that the record tells
	Code    Reason   `json:"code"`              // stays the same from version to version
	Values  []string `json:"values,omitempty"`  // what the reason's text names
	Refused string   `json:"refused,omitempty"` // where the entry's reader refused it, so that it counts for nothing
	Reason  string   `json:"reason"`            // in English
	Next    string   `json:"next"`              // what to do about it, in English
	Detail  string   `json:"detail,omitempty"`  // technical, in English
}

// Tally counts how often a check ended how.
type Tally struct {
	Check      Check  `json:"check"`
	Name       string `json:"name"`
	Result     Result `json:"result"`
	Passed     int    `json:"passed"`
	Failed     int    `json:"failed"`
	NotChecked int    `json:"not_checked"`
}

// Verdict is what a record proves.
type Verdict string

// The verdicts.
const (
	Valid         Verdict = "valid"
	Invalid       Verdict = "invalid"
	Indeterminate Verdict = "indeterminate"
)

// Report is what verification found.
type Report struct {
	Form            string      `json:"report"` // the name of this form of report
	Kind            Kind        `json:"kind,omitempty"`
	Verdict         Verdict     `json:"verdict"`
	Messages        int         `json:"messages"`
	Receipts        int         `json:"receipts"`
	Verified        int         `json:"verified"`
	Checks          []Tally     `json:"checks"`
	Findings        []Finding   `json:"findings"`
	Undisclosed     []string    `json:"undisclosed"`
	Closed          []string    `json:"without_prejudice,omitempty"` // of Undisclosed, said without prejudice as the record's maker says
	MissingReceipts []string    `json:"missing_receipts"`
	Lapsed          []string    `json:"lapsed"`              // first receipted after an approval had expired
	Contested       []Contested `json:"contested,omitempty"` // disowned by their author
	Counted         []Counted   `json:"counted"`             // by a policy that is there; that none came between is not shown
	Covers          []Cover     `json:"covers"`              // of a line: what the record covers of each log
	Claims          []Claim     `json:"claims,omitempty"`    // what was alleged and answered, as far as it is disclosed; none of an invalid record
}

func (v *verifier) note(c Check, r Result, where string, why fault) {
	for len(v.report.Checks) < int(lastCheck) {
		n := Check(len(v.report.Checks) + 1)
		v.report.Checks = append(v.report.Checks, Tally{Check: n, Name: texts[n]["en"], Result: NotChecked})
	}
	l := &v.report.Checks[c-1]
	switch r {
	case Pass:
		l.Passed++
	case Fail:
		l.Failed++
	default:
		l.NotChecked++
	}
	if r != Pass {
		v.report.Findings = append(v.report.Findings, Finding{
			Check: c, Result: r, Where: where, By: v.hand(where, why.reason), Code: why.reason, Values: why.values, Refused: why.refused,
			Reason: why.Error(), Next: todo(why.reason, why.refused, "en"), Detail: why.detail,
		})
	}
}

func (v *verifier) pass(c Check, where string)            { v.note(c, Pass, where, fault{}) }
func (v *verifier) fail(c Check, where string, why fault) { v.note(c, Fail, where, why) }

// missing notes what could not be checked, or makes an entry count for nothing
// and is no fraud: a writer may append what cannot be read, and is answered
// with a refusal.
func (v *verifier) missing(c Check, where string, why fault) { v.note(c, NotChecked, where, why) }

// finish reckons the verdict: anything that failed makes a record invalid;
// anything that could not be checked, indeterminate.
func (v *verifier) finish() Report {
	r := v.report
	if r.Kind != Publication && len(r.Checks) == int(lastCheck) {
		r.Checks = r.Checks[:CheckPublished-1] // asked of publications alone, and last
	}
	r.Verdict = Valid
	for i := range r.Checks {
		l := &r.Checks[i]
		switch {
		case l.Failed > 0:
			l.Result, r.Verdict = Fail, Invalid
		case l.NotChecked > 0:
			l.Result = NotChecked
			if r.Verdict == Valid {
				r.Verdict = Indeterminate
			}
		case l.Passed > 0:
			l.Result = Pass
		}
	}
	if r.Verdict != Invalid && r.Messages == 0 {
		r.Verdict = Indeterminate
	}
	return r
}

// ExitCode is what a program ends with: 0 valid, 5 invalid, 6 indeterminate.
func (r Report) ExitCode() int { return r.Verdict.exitCode() }

func (v Verdict) exitCode() int {
	switch v {
	case Valid:
		return 0
	case Invalid:
		return 5
	}
	return 6
}

// JSON returns the report for programs.
func (r Report) JSON() ([]byte, error) { return json.Marshal(r, json.Deterministic(true)) }

// Render returns the report for people, in a language.
func (r Report) Render(l book.Lang) (string, error) {
	if _, ok := verdicts[r.Verdict][l]; !ok {
		return "", fmt.Errorf("language %q: en, ru, zh, es, fr or ar", string(l))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", verdicts[r.Verdict][l])
	fmt.Fprintf(&b, "%s: %d · %s: %d · %s: %d\n", counts["messages"][l], r.Messages, counts["receipts"][l], r.Receipts, counts["verified"][l], r.Verified)
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%2d %s %s: %s", c.Check, marks[c.Result], texts[c.Check][l], results[c.Result][l])
		if c.Failed+c.NotChecked > 0 {
			fmt.Fprintf(&b, " (%d/%d)", c.Passed, c.Passed+c.Failed+c.NotChecked)
		}
		b.WriteByte('\n')
	}
	if len(r.Lapsed) > 0 {
		fmt.Fprintf(&b, "%s: %s\n", counts["lapsed"][l], strings.Join(r.Lapsed, " "))
	}
	for _, c := range r.Contested {
		b.WriteString(c.render(l))
	}
	for _, c := range r.Counted {
		fmt.Fprintf(&b, "%s %s: %s\n", c.Message, counts["counted"][l], c.Policy)
	}
	for _, c := range r.Covers {
		b.WriteString(c.render(l))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s %d", marks[f.Result], f.Check)
		if f.Where != "" {
			fmt.Fprintf(&b, " %s", f.Where)
		}
		fmt.Fprintf(&b, ": %s", says(f.Code, f.Values, f.Refused, l))
		if f.Detail != "" {
			fmt.Fprintf(&b, " [%s]", f.Detail)
		}
		b.WriteByte('\n')
	}
	for _, n := range r.nexts(l) {
		fmt.Fprintf(&b, "→ %s\n", n)
	}
	for _, c := range r.Claims {
		if err := c.render(&b, l); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// nexts returns what to do about the findings, each once.
func (r Report) nexts(l book.Lang) (list []string) {
	for _, f := range r.Findings {
		if n := todo(f.Code, f.Refused, l); !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

var marks = map[Result]string{Pass: "✔", Fail: "✘", NotChecked: "—"}
