package treaty

import (
	"slices"
	"strings"
	"testing"
)

// Each fault is found where it stands, and no other with it.
func TestCheckFinds(t *testing.T) {
	more := func(duty string) []string { // a third duty, in A2
		return []string{`"suspendable": false`, `"suspendable": false, "duties": [` + duty + `]`}
	}
	for _, c := range []struct {
		name   string
		change []string
		want   []string // place and fault
	}{
		{"nothing", nil, nil},
		{"a language missing", []string{`, "ru": "Срок"`, ``}, []string{"A2: language-missing"}},
		{"a text missing", []string{`, "ru": ["Три года."]`, ``}, []string{"A2: language-missing"}},
		{"a language too many", []string{`"ru": "Срок"`, `"ru": "Срок", "fr": "Durée"`}, []string{"A2: language-missing"}},
		{"paragraphs", []string{`"Два."`, `"Два.", "Три."`}, []string{"A1: paragraphs-differ"}},
		{"no such format", []string{`["211"]`, `["211", "999"]`}, []string{"A1.2: format-missing"}},
		{"no format discharges it", []string{`{"formats": ["211"]}`, `{}`}, []string{"A1.2: not-dischargeable"}},
		{"no format that can refer", []string{`["211"]`, `["231"]`}, []string{"A1.2: not-dischargeable"}},
		{"no trigger in the book", []string{`["210"]`, `["998"]`}, []string{"A1.2: format-missing", "A1.2: unreachable", "A1.2: not-dischargeable"}},
		{"never", []string{`{"formats": ["210"]}`, `{"formats": ["210"], "where": "1 > 2"}`}, []string{"A1.2: unreachable"}},
		{"never met", []string{`{"formats": ["211"]}`, `{"formats": ["211"], "where": "false"}`}, []string{"A1.2: not-dischargeable"}},
		{"no deadline", []string{`"within": "PT20H",`, ``}, []string{"A1.2: not-dischargeable", "A1.2: deadlines-contradict", "A1.2: deadlines-contradict"}},
		{"no such parameter", []string{`"found"`, `"sector"`}, []string{"A1.1: parameter-missing"}},
		{"a condition on what is not there", []string{`{"formats": ["210"]}`, `{"formats": ["210"], "where": "m.colour == 'red'"}`}, []string{"A1.2: condition-invalid"}},
		{"a condition of another type", []string{`{"formats": ["210"]}`, `{"formats": ["210"], "where": "m.effect == 'three'"}`}, []string{"A1.2: condition-invalid"}},
		{"a condition that is no yes or no", []string{`{"formats": ["210"]}`, `{"formats": ["210"], "where": "m.effect + 1"}`}, []string{"A1.2: condition-invalid"}},
		{"a dear condition", []string{`{"formats": ["210"]}`, `{"formats": ["210"], "where": "given.all(a, given.all(b, given.all(c, a + b + c != '')))"}`}, []string{"A1.2: condition-invalid"}},
		{"a deep condition", []string{`{"formats": ["210"]}`, `{"formats": ["210"], "where": "` + strings.Repeat("(", 60) + "true" + strings.Repeat(")", 60) + `"}`}, []string{"A1.2: condition-invalid"}},
		{"a window that widens", []string{`"PT2H"`, `"PT30H"`}, []string{"A1.2: deadlines-contradict", "A1.2: deadlines-contradict"}},
		{"a core wider than the window", []string{`"PT2H"`, `"PT11H"`}, []string{"A1.2: deadlines-contradict"}},
		{"a notice longer than the term", []string{`"P6M"`, `"P4Y"`}, []string{"agreement: deadlines-contradict"}},
		{"a lead the wrong way", []string{`"least": "PT1H"`, `"least": "PT2H", "usual": "PT1H"`}, []string{"A1.1: deadlines-contradict"}},
		{"owed twice", more(`{"duty":"A2.1","by":"reader","on":{"formats":["210"]},"act":{"formats":["211"]},"within":"PT20H","miss":{"flag":"missing"}}`), []string{"A2.1: owed-twice"}},
		{"owed twice by two times", more(`{"duty":"A2.1","by":"reader","on":{"formats":["210"]},"act":{"formats":["211"]},"within":"PT2H","miss":{"flag":"missing"}}`), []string{"A2.1: owed-twice", "A2.1: deadlines-contradict"}},
		{"a cycle of two", more(`{"duty":"A2.1","by":"reader","on":{"formats":["211"]},"act":{"formats":["210"]},"within":"PT2H","miss":{"flag":"missing"}}`), []string{"A1.2: cycle"}},
		{"a cycle of one", more(`{"duty":"A2.1","by":"reader","on":{"formats":["013"]},"act":{"formats":["013"]},"within":"PT2H","miss":{"flag":"missing"}}`), []string{"A2.1: cycle"}},
		{"a cycle by after", more(`{"duty":"A2.1","by":"reader","on":{"after":"A2.1"},"act":{"formats":["013"]},"within":"PT2H","miss":{"flag":"missing"}}`), []string{"A2.1: cycle"}},
		{"after nothing", more(`{"duty":"A2.1","by":"reader","on":{"after":"A7.1"},"act":{"formats":["013"]},"within":"PT2H","miss":{"flag":"missing"}}`), []string{"A2.1: unreachable"}},
		{"every day within two", more(`{"duty":"A2.1","by":"each","on":{"every":"P1D"},"act":{"formats":["010"],"free":true},"within":"P2D","miss":{"flag":"missing"}}`), []string{"A2.1: deadlines-contradict"}},
		{"to be left alone by a day", more(`{"duty":"A2.1","by":"each","on":{"event":"always"},"act":{"abstain":true},"within":"P2D","miss":{"flag":"missing"}}`), []string{"A2.1: not-dischargeable"}},
		{"always to be sent", more(`{"duty":"A2.1","by":"each","on":{"event":"always"},"act":{"formats":["010"]},"within":"P2D","miss":{"flag":"missing"}}`), []string{"A2.1: not-dischargeable"}},
	} {
		var got []string
		for _, f := range Check(parsed(t, small(t, c.change...)), edition(t)) {
			place, rest, _ := strings.Cut(f.String(), ": ")
			fault, _, _ := strings.Cut(rest, ": ")
			got = append(got, place+": "+fault)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: found %q, want %q\n%v", c.name, got, c.want, Check(parsed(t, small(t, c.change...)), edition(t)))
		}
	}
}
