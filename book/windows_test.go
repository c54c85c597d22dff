package book_test

import (
	"encoding/json/jsontext"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"detente/book"
	"detente/message"
)

// with returns the parameters of a format's worked example with some of them
// changed; an empty value takes one away.
func with(t *testing.T, e *book.Edition, n message.Format, example int, change map[string]string) message.Body {
	t.Helper()
	f, ok := e.Format(n)
	if !ok || example >= len(f.Examples) {
		t.Fatalf("format %s has no example %d", n, example)
	}
	params := maps.Clone(map[string]jsontext.Value(f.Examples[example]))
	for name, v := range change {
		if v == "" {
			delete(params, name)
			continue
		}
		params[name] = jsontext.Value(v)
	}
	b := message.Body{Format: n, Params: params}
	if len(f.Refers) > 0 {
		b.Refs = []message.ID{{1}}
	}
	return b
}

func span(from, to string) string {
	return `{"from":"` + from + `","to":"` + to + `","zone":"Europe/Paris"}`
}

// Windows, days and dates that cannot be are refused with the parameter named,
// and in a list with the place of the value.
// covers P14
func TestDatesThatCannotBe(t *testing.T) {
	e := edition(t)
	for name, c := range map[string]struct {
		format  message.Format
		example int
		param   string
		value   string
		says    string
	}{
		"a window that ends before it begins":  {"310", 0, "window", span("2028-03-12T00:00:00Z", "2028-01-30T00:00:00Z"), "ends before it begins"},
		"a window of no length":                {"310", 0, "window", span("2028-03-12T00:00:00Z", "2028-03-12T00:00:00Z"), "ends before it begins"},
		"a core outside the window":            {"310", 0, "core", span("2028-01-29T00:00:00Z", "2028-03-10T00:00:00Z"), "is not within window"},
		"a second voting day outside the core": {"310", 0, "voting_days", `[{"day":` + span("2028-02-28T07:00:00Z", "2028-02-28T19:00:00Z") + `},{"day":` + span("2028-03-11T07:00:00Z", "2028-03-11T19:00:00Z") + `}]`, "value 2, 2028-03-11T07:00:00Z"},
		"a voting day that ends before it begins": {
			"310", 0, "voting_days", `[{"day":` + span("2028-02-28T19:00:00Z", "2028-02-28T07:00:00Z") + `}]`, "value 1: day: the window ends before it begins",
		},
		"29 February of a common year":   {"310", 0, "voting_days", `[{"day":` + span("2027-02-29T07:00:00Z", "2027-02-29T19:00:00Z") + `}]`, "2027-02-29"},
		"silence outside the window":     {"310", 0, "silence", `[{"period":` + span("2028-03-11T07:00:00Z", "2028-03-13T19:00:00Z") + `}]`, "is not within window"},
		"a run-off after the window":     {"310", 1, "run_off", span("2027-05-02T20:00:00Z", "2027-05-03T18:00:00Z"), "is not within window"},
		"certification after the window": {"310", 0, "certification", `"2028-04-01T00:00:00Z"`, "is not within window"},
		"a zone that is none":            {"310", 0, "window", `{"from":"2028-01-30T00:00:00Z","to":"2028-03-12T00:00:00Z","zone":"Paris"}`, "no time zone"},
		"a local time for a time":        {"310", 0, "certification", `"2028-03-10T23:00:00+01:00"`, "no time of records"},
		"a run-off without its days":     {"311", 0, "voting_days", "", "it is missing"},
		"a cancelled vote with days":     {"311", 0, "change", `"cancel"`, "it stands only where"},
		"a suspension that ends first":   {"510", 1, "until", `"2028-06-30T00:00:00Z"`, "it is too early"},
		"an exercise without its window": {"120", 0, "window", "", "it is missing"},
		"a step that stands twice":       {"450", 0, "steps", `[{"step":"1","owner":"a","due":"2028-01-01T00:00:00Z"},{"step":"1","owner":"b","due":"2028-01-01T00:00:00Z"}]`, "stands twice"},
		"an amendment that changes nothing": {
			"520", 0, "text", `"6565656565656565656565656565656565656565656565656565656565656565"`, "it is the same as base",
		},
		"a date for a note that names another rule": {"300", 0, "entry_date", `"2027-01-01T00:00:00Z"`, "it stands only where"},
	} {
		err := e.Check(with(t, e, c.format, c.example, map[string]string{c.param: c.value}))
		var p *book.ParamError
		if !errors.As(err, &p) || !strings.Contains(err.Error(), c.says) || p.Next == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, value := range map[string]string{
		"29 February of a leap year": `[{"day":` + span("2028-02-29T07:00:00Z", "2028-02-29T19:00:00Z") + `}]`,
		"days that overlap in zones": `[{"day":` + span("2028-02-28T00:00:00Z", "2028-02-28T12:00:00Z") + `,"place":"XA-1"},{"day":` + span("2028-02-28T07:00:00Z", "2028-02-28T19:00:00Z") + `,"place":"XA-2","round":1}]`,
		"a day up to the core's end": `[{"day":` + span("2028-03-10T07:00:00Z", "2028-03-10T23:00:00Z") + `}]`,
	} {
		if err := e.Check(with(t, e, "310", 0, map[string]string{"voting_days": value})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Calendar months end where the month does, backwards as well, and keep the
// second of the day.
func TestAddMonths(t *testing.T) {
	for _, c := range []struct {
		from   string
		months int
		want   string
	}{
		{"2027-02-10T12:34:56Z", 6, "2027-08-10T12:34:56Z"},
		{"2027-08-31T23:59:59Z", 6, "2028-02-29T23:59:59Z"},
		{"2028-08-31T00:00:00Z", 6, "2029-02-28T00:00:00Z"},
		{"2028-02-29T06:00:00Z", 12, "2029-02-28T06:00:00Z"},
		{"2028-02-29T06:00:00Z", 36, "2031-02-28T06:00:00Z"},
		{"2027-12-31T00:00:00Z", 2, "2028-02-29T00:00:00Z"},
		{"2027-03-31T00:00:00Z", -1, "2027-02-28T00:00:00Z"},
		{"2027-05-31T00:00:00Z", 1, "2027-06-30T00:00:00Z"},
		{"2027-01-31T00:00:00Z", 0, "2027-01-31T00:00:00Z"},
		{"2027-06-30T22:30:00-05:00", 6, "2028-01-01T03:30:00Z"},
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := book.AddMonths(from, c.months).Format(time.RFC3339); got != c.want {
			t.Errorf("%s and %d months is %s, want %s", c.from, c.months, got, c.want)
		}
	}
}

// Notice is short by the months or by the code that a format names, to the
// second.
func TestShortNoticeByMonthsAndCodes(t *testing.T) {
	e := edition(t)
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		format   message.Format
		example  int
		change   map[string]string
		received string
		short    bool
	}{
		{"530", 0, map[string]string{"ends": `"2028-02-29T12:00:00Z"`}, "2027-08-31T12:00:00Z", false},
		{"530", 0, map[string]string{"ends": `"2028-02-29T12:00:00Z"`}, "2027-08-31T12:00:01Z", true},
		{"302", 0, nil, "2027-06-01T00:00:00Z", false},
		{"302", 0, nil, "2027-06-01T00:00:01Z", true},
		{"120", 0, nil, "2027-02-02T08:00:00Z", false}, // joint: 14 days
		{"120", 0, nil, "2027-02-02T08:00:01Z", true},
		{"120", 2, nil, "2027-02-26T06:00:00Z", false}, // own: 3 days
		{"120", 2, nil, "2027-02-26T06:00:01Z", true},
		{"120", 1, nil, "2027-02-26T06:00:01Z", false}, // names no window
		{"310", 0, nil, "2027-12-01T00:00:00Z", false},
		{"310", 0, nil, "2027-12-01T00:00:01Z", true},
		{"510", 0, nil, "2028-06-01T00:00:01Z", true},
		{"420", 0, nil, "2027-03-20T09:00:00Z", false},
		{"211", 0, nil, "2027-03-20T09:00:00Z", false},
	} {
		f, _ := e.Format(c.format)
		if got := f.ShortNotice(with(t, e, c.format, c.example, c.change), at(c.received)); got != c.short {
			t.Errorf("%s example %d received at %s: short notice %v, want %v", c.format, c.example+1, c.received, got, c.short)
		}
	}
}

// A code that decides how long a lead is must always stand and have the values
// named; what lies within a window names one.
func TestLintFindsCodesThatDecide(t *testing.T) {
	for name, c := range map[string]struct{ file, old, now, want string }{
		"lead":   {"formats/120.json", `"own": 259200`, `"owned": 259200`, "formats/120: its lead follows from the code \"step\""},
		"window": {"formats/310.json", `"than": "window"`, `"than": "contact"`, "formats/310 checks: inside: \"contact\" is not a window"},
		"field":  {"formats/310.json", `"field": "day"`, `"field": "place"`, "formats/310 checks: inside: \"voting_days\" is not a time"},
	} {
		files := copied(t)
		before := string(files[c.file].Data)
		after := strings.Replace(before, c.old, c.now, 1)
		if after == before {
			t.Fatalf("%s: %q does not stand in %s", name, c.old, c.file)
		}
		files[c.file] = &fstest.MapFile{Data: []byte(after)}
		e, err := book.Load(files)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if found := e.Lint(); !slices.ContainsFunc(found, func(p book.Problem) bool { return strings.HasPrefix(p.String(), c.want) }) {
			t.Errorf("%s: found %v, want %q", name, found, c.want)
		}
	}
}

// A window that is typed may name its zone, as the days of a vote do.
func TestComposeWindow(t *testing.T) {
	e := edition(t)
	const span = "2028-01-30T00:00:00Z/2028-03-12T00:00:00Z"
	for typed, zone := range map[string]string{span: "UTC", span + "/Europe/Paris": "Europe/Paris", span + "/UTC": "UTC"} {
		got, err := e.Compose("020", []string{"window=" + typed})
		want := `{"from":"2028-01-30T00:00:00Z","to":"2028-03-12T00:00:00Z","zone":"` + zone + `"}`
		if err != nil || string(got["window"]) != want {
			t.Errorf("%s is taken as %s, %v", typed, got["window"], err)
		}
	}
}
