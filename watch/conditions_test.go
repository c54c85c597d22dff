package watch_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/message"
	"detente/watch"
)

func named(all []watch.Condition) string {
	var s []string
	for _, c := range all {
		s = append(s, fmt.Sprintf("%s %s since %s", c.Kind, c.Ref, c.Since.Format("02T15:04")))
	}
	return strings.Join(s, "; ")
}

// covers P16
func TestAbsencesBecomeConditions(t *testing.T) {
	r := ardens()
	r.Leave = []watch.Leave{
		{Officer: "ARD-W-01", From: at("2026-11-25T02:00:00Z"), To: at("2026-11-25T06:00:00Z")},
		{Officer: "ARD-W-02", From: at("2026-11-25T03:00:00Z"), To: at("2026-11-25T06:00:00Z")},
		{Officer: "ARD-W-03", From: at("2026-11-26T00:00:00Z"), To: at("2026-11-27T00:00:00Z")},
		{Officer: "ARD-W-04", From: at("2026-11-26T00:00:00Z"), To: at("2026-11-27T00:00:00Z")},
	}
	for when, want := range map[string]string{
		"2026-11-25T02:30:00Z": "",
		"2026-11-25T05:00:00Z": "unmanned-desk nrrc.arden.example since 25T03:00",
		"2026-11-25T06:00:00Z": "",
		"2026-11-26T09:00:00Z": "unmanned-desk nrrc.arden.example/watch since 26T08:00", // somebody is at the technical desk
	} {
		if got := named(r.Conditions(at(when))); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	signed := []time.Time{at("2026-11-24T08:05:00Z"), at("2026-11-24T23:50:00Z")}
	for when, want := range map[string]string{
		"2026-11-24T16:14:00Z": "", // 00:00 was signed by nobody, yet that is of no moment here
		"2026-11-24T16:15:00Z": "handover-overdue watch/2026-11-24T16:00:00Z since 24T16:15",
		"2026-11-24T23:52:00Z": "handover-overdue watch/2026-11-24T16:00:00Z since 24T16:15", // the sheet of 23:50 is of the next change
		"2026-11-25T00:14:00Z": "handover-overdue watch/2026-11-24T16:00:00Z since 24T16:15",
		"2026-11-25T00:30:00Z": "handover-overdue watch/2026-11-24T16:00:00Z since 24T16:15",
	} {
		got := ardens().HandoverConditions("watch", append(signed, at("2026-11-24T00:00:00Z"), at("2026-11-23T16:00:00Z")), at(when))
		if named(got) != want {
			t.Errorf("%s: %q, want %q", when, named(got), want)
		}
	}
}

func TestLineAbsencesBecomeConditions(t *testing.T) {
	s := watch.Schedule{Line: theLine}
	span := watch.Span{From: monday, To: monday.Add(5 * time.Hour)}
	ok := watch.Test{For: monday.Add(2 * time.Hour), By: arden, Sent: monday.Add(2 * time.Hour), Answered: monday.Add(2 * time.Hour), Good: true}
	bad := ok
	bad.Good = false
	for name, c := range map[string]struct {
		tests []watch.Test
		now   time.Duration
		want  string
	}{
		"two missed":           {nil, 80 * time.Minute, "missed-test 2026-11-23T00:00:00Z since 23T00:00; missed-test 2026-11-23T01:00:00Z since 23T01:00"},
		"then one is answered": {[]watch.Test{ok}, 130 * time.Minute, ""},
		"a garbled one before": {[]watch.Test{bad, ok}, 130 * time.Minute, ""},
		"and one after":        {[]watch.Test{ok, bad}, 190 * time.Minute, "missed-test 2026-11-23T03:00:00Z since 23T03:00"},
	} {
		st, err := s.Measure(span, c.tests, nil, nil, monday.Add(c.now))
		if err != nil || named(st.Conditions(theLine)) != c.want {
			t.Errorf("%s: %q, %v, want %q", name, named(st.Conditions(theLine)), err, c.want)
		}
	}
	if got := named(watch.ReadBackConditions(theLine, []watch.Span{span})); got != "no-read-back 2026-11-23T00:00:00Z since 23T05:00" {
		t.Errorf("read-back: %q", got)
	}
	d := watch.DeskStatus{By: boreal, Said: monday, Status: "manned", Until: monday.Add(time.Hour)}
	if _, is := d.Condition(theLine, monday); is {
		t.Error("a manned desk is an alarm")
	}
	if c, is := d.Condition(theLine, d.Until); !is || c.Level != message.Priority || !c.Since.Equal(d.Until) {
		t.Errorf("a desk of which nothing is known any more: %+v, %v", c, is)
	}
	d.Status = "unmanned"
	if c, is := d.Condition(theLine, monday); !is || c.Kind != watch.UnmannedDesk {
		t.Errorf("an unmanned desk: %+v, %v", c, is)
	}
	if _, is := watch.SounderCondition("horn", monday, monday.Add(watch.SounderEvery-1)); is {
		t.Error("a sounder that was heard yesterday is an alarm")
	}
	for _, heard := range []time.Time{{}, monday.Add(-watch.SounderEvery)} {
		if c, is := watch.SounderCondition("horn", heard, monday); !is || c.Ref != "horn" || c.Since.IsZero() {
			t.Errorf("a sounder last heard at %s: %+v, %v", heard, c, is)
		}
	}
}

func TestDutiesNearAndLapsed(t *testing.T) {
	due := monday.Add(12 * time.Hour)
	all := []watch.Deadline{{Ref: "BOR/ARD-N1-18", What: "211", By: arden, At: due}, {Ref: "BOR/ARD-N1-19", What: "012", By: arden, At: due}}
	begun := map[string]time.Time{"BOR/ARD-N1-18": monday, "BOR/ARD-N1-19": due.Add(-time.Hour)}
	for minutes, want := range map[int]string{
		-31: "",
		-30: "duty-near BOR/ARD-N1-18/211/nrrc.arden.example since 23T11:30",
		-15: "duty-near BOR/ARD-N1-18/211/nrrc.arden.example since 23T11:30; duty-near BOR/ARD-N1-19/012/nrrc.arden.example since 23T11:45",
		0:   "duty-lapsed BOR/ARD-N1-18/211/nrrc.arden.example since 23T12:00; duty-lapsed BOR/ARD-N1-19/012/nrrc.arden.example since 23T12:00",
	} {
		if got := named(watch.DeadlineConditions(theLine, all, begun, due.Add(time.Duration(minutes)*time.Minute))); got != want {
			t.Errorf("%d minutes: %q, want %q", minutes, got, want)
		}
	}
}

func TestStaleContactsBecomeConditions(t *testing.T) {
	record := []watch.Said{sayContact(contact(boreal, "BOR-C-001", "watch", "k1"), monday), sayContact(contact(arden, "ARD-C-001", "watch", "k2"), monday)}
	d := checkDirectory(t, record)
	if got := named(d.Conditions(boreal, monday.AddDate(0, 6, -1))); got != "" {
		t.Errorf("before six months: %q", got)
	}
	if got := named(d.Conditions(boreal, monday.AddDate(0, 6, 0))); got != "contact-stale nrrc.boreal.example/BOR-C-001 since 23T00:00" {
		t.Errorf("after six months: %q", got)
	}
}

// covers P10
func TestFoldsTakeOneOrder(t *testing.T) {
	line := `["` + theLine.String() + `"]`
	p := ping(arden, "watch", "", monday.AddDate(0, 0, 1))
	record := []watch.Said{
		sayContact(contact(boreal, "BOR-C-001", "watch", "k1"), monday), sayContact(contact(boreal, "BOR-C-002", "technical", "k1"), monday), // the same second: the lower id goes first
		p, pong(p, boreal, "watch", "", "yes", monday.AddDate(0, 0, 2)),
		said(boreal, "024", monday, map[string]string{"status": `"manned"`, "languages": `["en"]`, "until": `"2026-11-23T14:00:00Z"`, "lines": line}),
		said(boreal, "026", monday, map[string]string{"line": `"` + theLine.String() + `"`, "state": `"in-service"`, "basis": `"agreed"`, "from": `"2026-11-23T00:00:00Z"`}),
		said(arden, "026", monday.Add(time.Hour), map[string]string{"line": `"` + theLine.String() + `"`, "state": `"in-service"`, "basis": `"agreed"`, "from": `"2026-11-23T00:00:00Z"`}),
		said(arden, "021", monday, map[string]string{"bearer": `"direct"`, "since": `"2026-11-23T00:00:00Z"`, "cause": `"unknown"`}),
	}
	state := func(r []watch.Said) string {
		r = watch.InOrder(r)
		d := checkDirectory(t, r)
		desk, _ := watch.FoldDesk(r, boreal, theLine)
		return fmt.Sprint(d.Listings, d.Refusals, watch.FoldOutages(r), watch.FoldLine(r, theLine), desk)
	}
	want := state(record)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		mixed := slices.Clone(record)
		rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if got := state(append(mixed, watch.Said{Body: mixed[0].Body})); got != want { // what has no receipt is not folded
			t.Fatalf("in another order\n%s\nand not\n%s", got, want)
		}
	}
	s := watch.FoldLine(watch.InOrder(record), theLine)
	if s.Phase != watch.LineInService || !s.Since.Equal(monday.Add(time.Hour)) || len(s.Held(monday)) != 0 {
		t.Errorf("the line: %+v", s)
	}
	hold := func(from, other watch.Said) watch.LineState {
		return watch.FoldLine(append(watch.InOrder(record), from, other), theLine)
	}
	held := map[string]string{"line": `"` + theLine.String() + `"`, "state": `"held"`, "basis": `"precaution"`, "from": `"2026-11-24T00:00:00Z"`}
	s = hold(said(arden, "026", monday.Add(2*time.Hour), held), said(boreal, "026", monday.Add(3*time.Hour), held))
	if got := s.Held(at("2026-11-24T05:00:00Z")); len(got) != 1 || !got[0].From.Equal(at("2026-11-24T00:00:00Z")) || !got[0].Has(at("2026-11-24T05:00:00Z")) {
		t.Errorf("on hold: %v", got)
	}
}

// covers P17
func TestExercisesSayTheyAre(t *testing.T) {
	d := newDesk(t)
	d.state.Exercise = true
	cond := watch.Condition{Key: watch.Key{Kind: watch.SilentPeer, Line: theLine}}
	out := d.step(0, nil, cond)
	out.Notices = append(out.Notices, d.step(time.Minute, nil).Notices...)
	w := words(t)
	sheet := morning()
	sheet.Exercise = true
	sheet, err := watch.NewSheet(sheet)
	if err != nil {
		t.Fatal(err)
	}
	actual, err := watch.NewSheet(morning())
	if err != nil {
		t.Fatal(err)
	}
	if sheet.Request("watch").Equal(actual.Request("watch")) || !bytes.Contains(sheet.Bytes(), []byte(`"exercise":true`)) {
		t.Error("a signature under an exercise's handover counts for a real one")
	}
	for _, l := range book.Langs() {
		var pages []string
		for _, n := range out.Notices {
			page, err := w.Notice(n, l)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, page)
		}
		page, err := w.Sheet(sheet, l)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range append(pages, page) {
			lines := strings.Split(strings.TrimSuffix(page, "\n"), "\n")
			if !strings.Contains(lines[0], "EXERCISE") || lines[len(lines)-1] != lines[0] {
				t.Errorf("%s: a page of an exercise does not say so at its top and end:\n%s", l, page)
			}
		}
		if page, err := w.Sheet(actual, l); err != nil || strings.Contains(page, "EXERCISE") {
			t.Errorf("%s: what is real is shown as an exercise: %v", l, err)
		}
	}
}

// TestSilencedAlarmsAreHandedOver lists what nobody hears at the moment.
func TestSilencedAlarmsAreHandedOver(t *testing.T) {
	d := newDesk(t)
	cond := watch.Condition{Key: watch.Key{Kind: watch.Quota, Line: theLine}}
	d.step(0, nil, cond)
	d.step(time.Second, []watch.Act{{Officer: "ARD-W-01", At: d.now, Key: cond.Key, Silence: time.Minute}}, cond)
	items := d.state.SilencedItems(d.now)
	if len(items) != 1 || items[0].Ref != "quota" || len(d.state.SilencedItems(d.now.Add(time.Hour))) != 0 {
		t.Errorf("silenced: %+v", items)
	}
	s := morning()
	s.Silenced = items
	if _, err := watch.NewSheet(s); err != nil {
		t.Error(err)
	}
}

// TestDoubledConditions come as one alarm, the gravest and oldest of them.
func TestDoubledConditions(t *testing.T) {
	k := watch.Key{Kind: watch.Quota, Line: theLine, Ref: "x"}
	s, _ := watch.Alarms{}.Step(watch.Moment{Now: monday, Posts: night, Conditions: []watch.Condition{
		{Key: k, Since: monday}, {Key: k, Level: message.Flash, Since: monday.Add(-time.Hour)}, {Key: k, Level: 99},
		{Key: watch.Key{Kind: "no-such-kind"}}, {Key: watch.Key{Kind: watch.Quota, Ref: "two\nlines"}},
	}}, watch.Config{})
	if err := s.Check(watch.Config{}); err != nil {
		t.Fatal(err)
	}
	if len(s.Alarms) != 2 || s.Alarms[1].Level != message.Flash || s.Alarms[0].Ref != "unreadable" {
		t.Errorf("alarms: %+v", s.Alarms)
	}
}
