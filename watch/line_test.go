package watch_test

import (
	"encoding/json/jsontext"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// said makes a message of the record. Parameters are JSON texts.
func said(from identity.Station, format message.Format, when time.Time, params map[string]string, refs ...message.ID) watch.Said {
	b := message.Body{Format: format, Line: theLine, From: from, To: theLine.Other(from), Refs: refs, Params: map[string]jsontext.Value{}}
	for k, v := range params {
		b.Params[k] = jsontext.Value(v)
	}
	sum := identity.Sum(fmt.Appendf(nil, "%s %s %s %v", from, format, when, params))
	b.ID = message.ID(sum[:16])
	return watch.Said{Body: b, Received: when}
}

func TestWhoTestsWhen(t *testing.T) {
	s := watch.Schedule{Line: theLine}
	for hour, d := range s.Due(watch.Span{From: monday, To: monday.AddDate(0, 0, 1)}) {
		want := identity.Station(arden) // A tests on even hours
		if hour%2 == 1 {
			want = boreal
		}
		if d.By != want || !d.At.Equal(monday.Add(time.Duration(hour)*time.Hour)) {
			t.Errorf("hour %d: %+v", hour, d)
		}
	}
	if d := s.Next(at("2026-11-23T13:00:01Z")); d.By != arden || !d.At.Equal(at("2026-11-23T14:00:00Z")) {
		t.Errorf("next: %+v", d)
	}
	if d := s.Next(at("2026-11-23T13:00:00Z")); d.By != boreal || !d.At.Equal(at("2026-11-23T13:00:00Z")) {
		t.Errorf("at the hour itself: %+v", d)
	}
	if n := len(s.Due(watch.Span{From: at("1970-01-01T00:00:00Z"), To: at("9999-01-01T00:00:00Z")})); n != 100_000 {
		t.Errorf("all tests of all times: %d", n)
	}
}

// covers P16
func TestADayOfLineTests(t *testing.T) {
	s := watch.Schedule{Line: theLine, Bearers: []string{"direct", "relay"}}
	test := func(hour int, seconds int) watch.Test {
		d := s.Next(monday.Add(time.Duration(hour) * time.Hour))
		w := watch.Test{For: d.At, By: d.By, Sent: d.At, Received: d.At.Add(time.Second), Good: true}
		if seconds > 0 {
			w.Answered = d.At.Add(time.Duration(seconds) * time.Second)
		}
		return w
	}
	tests := []watch.Test{test(0, 20), test(1, 30), test(2, 700), test(3, 0), test(12, 40), test(13, 50)}
	tests[1].Person = "BOR-W-02"
	wrong := test(4, 10)
	wrong.Good = false
	byHand := test(5, 5) // sent by the one whose turn it was not
	byHand.By = arden
	tests = append(tests, wrong, byHand)
	record := watch.InOrder([]watch.Said{
		said(arden, "020", monday.Add(-80*time.Hour), map[string]string{"window": `{"from":"2026-11-23T06:00:00Z","to":"2026-11-23T08:00:00Z","zone":"UTC"}`, "bearers": `["direct","relay"]`, "fallback": `"voice"`}),
		said(boreal, "021", monday.Add(9*time.Hour), map[string]string{"bearer": `"direct"`, "since": `"2026-11-23T08:30:00Z"`, "cause": `"unknown"`}),
		said(boreal, "021", monday.Add(9*time.Hour+time.Second), map[string]string{"bearer": `"relay"`, "since": `"2026-11-23T08:30:00Z"`, "cause": `"power"`}),
		said(boreal, "021", monday.Add(11*time.Hour), map[string]string{"bearer": `"direct"`, "since": `"2026-11-23T08:30:00Z"`, "cause": `"power"`, "restored": `"2026-11-23T10:30:00Z"`}),
		said(arden, "020", monday.Add(8*time.Hour), map[string]string{"window": `{"from":"2026-11-23T11:00:00Z","to":"2026-11-23T12:00:00Z","zone":"UTC"}`, "bearers": `["direct"]`, "fallback": `"relay"`}),
	})
	outages := watch.FoldOutages(record)
	if len(outages) != 4 || !outages[1].ShortNotice() && !outages[2].ShortNotice() && !outages[3].ShortNotice() {
		t.Fatalf("outages: %+v", outages)
	}
	held := []watch.Span{{From: at("2026-11-23T14:00:00Z"), To: at("2026-11-23T15:00:00Z")}}
	now := at("2026-11-23T16:05:00Z")
	st, err := s.Measure(watch.Span{From: monday, To: at("2026-11-23T17:00:00Z")}, tests, outages, held, now)
	if err != nil {
		t.Fatal(err)
	}
	// 0 1 answered, 2 late, 3 not answered, 4 wrong, 5 missed, 6 7 planned, 8 missed,
	// 9 10 unplanned, 11 by plan and by a relay that is not back, 12 13 answered,
	// 14 on hold, 15 missed, 16 still has time.
	if want := "##+-?.pp.xxx##h. "; st.Strip != want {
		t.Errorf("strip %q, want %q", st.Strip, want)
	}
	if st.Answered != 5 || st.Expected != 13 || st.Available() != 384 || st.Sent != 8 || st.Median != 30*time.Second || st.Worst != 700*time.Second {
		t.Errorf("statistics: %+v, available %d", st, st.Available())
	}
	want := []watch.Span{{From: at("2026-11-23T03:00:00Z"), To: at("2026-11-23T12:00:00Z")}, {From: at("2026-11-23T15:00:00Z")}}
	if !slices.Equal(st.Silent, want) {
		t.Errorf("silent: %v, want %v", st.Silent, want)
	}
	shifts := ardens().Spans(watch.Span{From: monday, To: now})
	if got := watch.MissingReadBacks(tests, boreal, shifts, now); len(got) != 2 || !got[0].From.Equal(at("2026-11-23T00:00:00Z")) {
		t.Errorf("shifts in which nobody at boreal read back: %v", got)
	}
	if got := watch.MissingReadBacks(tests, arden, shifts, now); len(got) != 1 || !got[0].From.Equal(at("2026-11-23T08:00:00Z")) {
		t.Errorf("shifts in which nobody at arden read back: %v", got)
	}
	if _, err := s.Measure(watch.Span{From: now, To: monday}, tests, nil, nil, now); err == nil {
		t.Error("a span that ends before it begins is measured")
	}
}

func TestBothBearersDown(t *testing.T) {
	o := []watch.Outage{
		{By: arden, Planned: true, Said: monday, Bearers: []string{"direct"}, From: at("2026-12-01T00:00:00Z"), To: at("2026-12-01T06:00:00Z")},
		{By: boreal, Planned: true, Said: monday, Bearers: []string{"relay"}, From: at("2026-12-01T04:00:00Z"), To: at("2026-12-01T08:00:00Z")},
	}
	got := watch.BothDown(o, []string{"direct", "relay"})
	if want := []watch.Span{{From: at("2026-12-01T04:00:00Z"), To: at("2026-12-01T06:00:00Z")}}; !slices.Equal(got, want) {
		t.Errorf("both down: %v, want %v", got, want)
	}
	if got := watch.BothDown(o, []string{"direct", "relay", "pouch"}); len(got) != 0 {
		t.Errorf("with a pouch: %v", got)
	}
}

// TestEveryLineHistory plays every sequence of six acts of both sides and
// compares where the line stands with a plain reading of it.
func TestEveryLineHistory(t *testing.T) {
	states := []string{"in-service", "held", "restored"}
	for n := range 6 * 6 * 6 * 6 * 6 {
		var record []watch.Said
		phase, waits := "unopened", map[identity.Station]string{}
		next := map[string]map[string]string{"unopened": {"in-service": "in-service"}, "in-service": {"held": "held"}, "held": {"restored": "in-service"}}
		for i, code := 0, n; i < 5; i, code = i+1, code/6 {
			by, state := identity.Station(arden), states[code%3]
			if code%6 >= 3 {
				by = boreal
			}
			when := monday.Add(time.Duration(i) * time.Minute)
			record = append(record, said(by, "026", when, map[string]string{"line": `"` + theLine.String() + `"`, "state": `"` + state + `"`, "basis": `"agreed"`, "from": `"` + when.Format(time.RFC3339) + `"`}))
			to := next[phase][state]
			if to == "" {
				continue
			}
			if waits[theLine.Other(by)] == state {
				phase, waits = to, map[identity.Station]string{}
			} else {
				waits[by] = state
			}
		}
		got := watch.FoldLine(record, theLine)
		if string(got.Phase) != phase || len(got.Asked) != len(waits) {
			t.Fatalf("history %d: %s with %d acts waiting, by hand %s with %d", n, got.Phase, len(got.Asked), phase, len(waits))
		}
		open := len(got.Holds) > 0 && got.Holds[len(got.Holds)-1].To.IsZero()
		if open != (phase == "held") || (got.Phase == watch.LineUnopened) != got.Since.IsZero() {
			t.Fatalf("history %d: holds %v while %s", n, got.Holds, got.Phase)
		}
	}
}

func TestDeskStatusGrowsOld(t *testing.T) {
	line := `["` + theLine.String() + `"]`
	record := []watch.Said{
		said(boreal, "024", at("2026-11-23T06:00:00Z"), map[string]string{"status": `"manned"`, "languages": `["en","ru"]`, "until": `"2026-11-23T14:00:00Z"`, "lines": line}),
		said(boreal, "024", at("2026-11-23T12:00:00Z"), map[string]string{"status": `"unmanned"`, "until": `"2026-11-23T22:00:00Z"`, "lines": line}),
		said(arden, "024", at("2026-11-23T13:00:00Z"), map[string]string{"status": `"degraded"`, "languages": `["en"]`, "until": `"2026-11-23T22:00:00Z"`, "lines": line}),
	}
	d, ok := watch.FoldDesk(record, boreal, theLine)
	if !ok {
		t.Fatal("no status is found")
	}
	for when, want := range map[string]string{"2026-11-23T12:30:00Z": "unmanned 30m0s", "2026-11-23T21:59:59Z": "unmanned 9h59m59s", "2026-11-23T22:00:00Z": "unknown 10h0m0s"} {
		status, age := d.At(at(when))
		if got := status + " " + age.String(); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	if _, ok := watch.FoldDesk(record, "other.example", theLine); ok {
		t.Error("a desk that never said anything has a status")
	}
}

// TestMeasureAgainstThePlainReading counts random days by hand.
func TestMeasureAgainstThePlainReading(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	s := watch.Schedule{Line: theLine}
	for range 200 {
		var tests []watch.Test
		answered, now := 0, monday.AddDate(0, 0, 2)
		for _, d := range s.Due(watch.Span{From: monday, To: monday.AddDate(0, 0, 1)}) {
			switch rng.IntN(3) {
			case 0:
				continue
			case 1:
				tests = append(tests, watch.Test{For: d.At, By: d.By, Sent: d.At, Received: d.At})
			case 2:
				answered++
				tests = append(tests, watch.Test{For: d.At, By: d.By, Sent: d.At, Received: d.At, Answered: d.At.Add(time.Duration(rng.IntN(3600)) * time.Second), Good: true})
			}
		}
		rng.Shuffle(len(tests), func(i, j int) { tests[i], tests[j] = tests[j], tests[i] })
		st, err := s.Measure(watch.Span{From: monday, To: monday.AddDate(0, 0, 1)}, tests, nil, nil, now)
		if err != nil || st.Answered != answered || st.Expected != 24 || st.Sent != len(tests) || strings.Count(st.Strip, "#")+strings.Count(st.Strip, "+") != answered || len(st.Strip) != 24 {
			t.Fatalf("%d answered: %+v, %v", answered, st, err)
		}
	}
}
