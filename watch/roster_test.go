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
	"detente/watch"
)

const (
	arden  = "nrrc.arden.example"
	boreal = "nrrc.boreal.example"
)

// monday begins the roster of the tests.
var monday = at("2026-11-23T00:00:00Z")

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	workdays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	allDays  = append(slices.Clone(workdays), time.Saturday, time.Sunday)
)

// ardens is a roster without a fault: a desk that is always manned by two, in
// three shifts, by teams that change over each week.
func ardens() watch.Roster {
	r := watch.Roster{
		Station: arden, Version: 1, Start: monday, Weeks: 2, Clearances: []string{"confidential", "secret"},
		Desks: []watch.Desk{{Name: "watch", Always: true}, {Name: "technical"}},
		Needs: watch.Needs{Languages: []book.Lang{"en", "ar"}, Clearance: "secret"},
	}
	langs := [][]book.Lang{{"en", "ar"}, {"en", "ru"}, {"en", "ar", "fr"}, {"en"}, {"en", "ar"}, {"en", "zh"}, {"en", "es"}, {"en"}, {"en"}}
	for i, l := range langs {
		o := watch.Officer{Pseudonym: fmt.Sprintf("ARD-W-%02d", i+1), Languages: l, Clearance: "confidential", Roles: []string{"watch"}}
		if i%2 == 0 {
			o.Clearance = "secret"
		}
		r.Officers = append(r.Officers, o)
	}
	r.Officers[7].Roles = []string{"supervisor"}
	r.Officers[8].Roles = []string{"on-call"}
	pairs := [][]string{{"ARD-W-01", "ARD-W-02"}, {"ARD-W-03", "ARD-W-04"}, {"ARD-W-05", "ARD-W-06"}}
	for week := range 2 {
		for i, shift := range []string{"night", "day", "evening"} {
			team := pairs[i]
			if week == 1 && i > 0 {
				team = pairs[3-i]
			}
			r.Turns = append(r.Turns, watch.Turn{Week: week, Days: allDays, Shift: shift, Desk: "watch", Officers: team})
		}
		r.Turns = append(r.Turns, watch.Turn{Week: week, Days: workdays, Shift: "day", Desk: "technical", Officers: []string{"ARD-W-07"}})
	}
	return r
}

func who(duties []watch.Duty, desk string) string {
	var names []string
	for _, d := range duties {
		if d.Desk == desk {
			names = append(names, strings.TrimPrefix(d.Officer, "ARD-W-"))
		}
	}
	return strings.Join(names, " ")
}

func TestADutyDay(t *testing.T) {
	r := ardens()
	r.Leave = []watch.Leave{{Officer: "ARD-W-02", From: at("2026-11-25T00:00:00Z"), To: at("2026-11-26T00:00:00Z")}}
	r.Swaps = []watch.Swap{
		{First: watch.Slot{Officer: "ARD-W-03", Desk: "watch", Begin: at("2026-11-24T08:00:00Z")}, Second: watch.Slot{Officer: "ARD-W-05", Desk: "watch", Begin: at("2026-11-24T16:00:00Z")}, Agreed: []string{"ARD-W-05", "ARD-W-03"}},
		{First: watch.Slot{Officer: "ARD-W-04", Desk: "watch", Begin: at("2026-11-26T08:00:00Z")}, Second: watch.Slot{Officer: "ARD-W-06", Desk: "watch", Begin: at("2026-11-26T16:00:00Z")}, Agreed: []string{"ARD-W-04"}},
	}
	r.Overrides = []watch.Temporary{{Desk: "watch", From: at("2026-11-27T10:00:00Z"), To: at("2026-11-27T12:00:00Z"), Officers: []string{"ARD-W-09"}}}
	r.Surges = []watch.Temporary{{Desk: "watch", From: at("2026-11-28T02:00:00Z"), To: at("2026-11-28T04:00:00Z"), Officers: []string{"ARD-W-09"}}}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ when, watch, technical string }{
		{"2026-11-22T23:59:59Z", "", ""}, // the roster has not begun
		{"2026-11-23T00:00:00Z", "01 02", ""},
		{"2026-11-23T07:59:59Z", "01 02", ""},
		{"2026-11-23T08:00:00Z", "03 04", "07"},
		{"2026-11-24T09:00:00Z", "04 05", "07"}, // swapped
		{"2026-11-24T17:00:00Z", "03 06", ""},
		{"2026-11-25T01:00:00Z", "01", ""},      // on leave
		{"2026-11-26T09:00:00Z", "03 04", "07"}, // a swap that one agreed to
		{"2026-11-27T09:59:59Z", "03 04", "07"},
		{"2026-11-27T10:00:00Z", "09", "07"}, // overridden
		{"2026-11-27T12:00:00Z", "03 04", "07"},
		{"2026-11-28T03:00:00Z", "01 02 09", ""}, // surge
		{"2026-11-28T09:00:00Z", "03 04", ""},    // a Saturday
		{"2026-11-30T17:00:00Z", "03 04", ""},    // the second week,
	} {
		on := r.On(at(c.when))
		if got := who(on, "watch"); got != c.watch {
			t.Errorf("%s: at the watch: %q, want %q", c.when, got, c.watch)
		}
		if got := who(on, "technical"); got != c.technical {
			t.Errorf("%s: at the technical desk: %q, want %q", c.when, got, c.technical)
		}
	}
	p := r.Posts(at("2026-11-23T07:00:00Z"))
	if got := fmt.Sprint(p); got != "{[ARD-W-01 ARD-W-02] [ARD-W-03 ARD-W-04 ARD-W-07] [ARD-W-08] [ARD-W-09]}" {
		t.Errorf("posts: %s", got)
	}
	h := r.Handovers(watch.Span{From: at("2026-11-24T08:00:00Z"), To: at("2026-11-24T16:00:01Z")})
	var changes []string
	for _, x := range h {
		changes = append(changes, fmt.Sprint(x.At.Format("15:04 "), x.Desk, x.Out, x.In))
	}
	want := []string{"08:00 watch[ARD-W-01 ARD-W-02] [ARD-W-04 ARD-W-05]", "08:00 technical[] [ARD-W-07]", "16:00 watch[ARD-W-04 ARD-W-05] [ARD-W-03 ARD-W-06]", "16:00 technical[ARD-W-07] []"}
	if !slices.Equal(changes, want) {
		t.Errorf("handovers %q, want %q", changes, want)
	}
}

// plainOn is who is at a desk at a second, read off the roster by hand: day by
// day, turn by turn, without spans.
func plainOn(r watch.Roster, now time.Time) map[string]bool {
	on := map[string]bool{}
	shifts := r.Shifts
	if len(shifts) == 0 {
		shifts = watch.DefaultShifts()
	}
	overridden := func(desk string) bool {
		return slices.ContainsFunc(r.Overrides, func(o watch.Temporary) bool { return o.Desk == desk && !now.Before(o.From) && now.Before(o.To) })
	}
	for back := range 2 {
		date := now.Truncate(24*time.Hour).AddDate(0, 0, -back)
		if date.Before(r.Start) || !r.Until.IsZero() && !now.Before(r.Until) {
			continue
		}
		for _, turn := range r.Turns {
			days := int(date.Sub(r.Start).Hours()) / 24
			if days/7%r.Weeks != turn.Week || !slices.Contains(turn.Days, date.Weekday()) {
				continue
			}
			i := slices.IndexFunc(shifts, func(s watch.Shift) bool { return s.Name == turn.Shift })
			begin := date.Add(shifts[i].Begin)
			if now.Before(begin) || !now.Before(begin.Add(shifts[i].Length)) || overridden(turn.Desk) {
				continue
			}
			for _, o := range turn.Officers {
				for _, s := range r.Swaps {
					if len(s.Agreed) < 2 {
						continue
					}
					if s.First == (watch.Slot{Officer: o, Desk: turn.Desk, Begin: begin}) {
						o = s.Second.Officer
					} else if s.Second == (watch.Slot{Officer: o, Desk: turn.Desk, Begin: begin}) {
						o = s.First.Officer
					}
				}
				on[o+"@"+turn.Desk] = true
			}
		}
	}
	for _, list := range [][]watch.Temporary{r.Overrides, r.Surges} {
		for _, o := range list {
			if !now.Before(o.From) && now.Before(o.To) && !now.Before(r.Start) && (r.Until.IsZero() || now.Before(r.Until)) {
				for _, name := range o.Officers {
					on[name+"@"+o.Desk] = true
				}
			}
		}
	}
	for _, l := range r.Leave {
		if !now.Before(l.From) && now.Before(l.To) {
			for k := range on {
				if strings.HasPrefix(k, l.Officer+"@") {
					delete(on, k)
				}
			}
		}
	}
	return on
}

// randomRoster makes a roster that passes Check, out of the good one.
func randomRoster(t *testing.T, rng *rand.Rand) watch.Roster {
	moment := func() time.Time { return monday.Add(time.Duration(rng.IntN(21*24*60)) * time.Minute) }
	for {
		r := ardens()
		if rng.IntN(2) == 0 {
			r.Shifts = []watch.Shift{{"night", 22 * time.Hour, 10 * time.Hour}, {"day", 8 * time.Hour, 7 * time.Hour}, {"evening", 15 * time.Hour, 7 * time.Hour}}
		}
		if rng.IntN(3) == 0 {
			r.Until = monday.AddDate(0, 0, 10+rng.IntN(10))
		}
		if rng.IntN(2) == 0 {
			r.Desks[0].Always, r.Turns = false, slices.Delete(r.Turns, 0, 1+rng.IntN(3))
		}
		name := func() string { return r.Officers[rng.IntN(len(r.Officers))].Pseudonym }
		for range rng.IntN(4) {
			from := moment()
			r.Leave = append(r.Leave, watch.Leave{Officer: name(), From: from, To: from.Add(time.Duration(1+rng.IntN(4000)) * time.Minute)})
		}
		for range rng.IntN(3) {
			from := moment()
			tmp := watch.Temporary{Desk: "watch", From: from, To: from.Add(time.Duration(1+rng.IntN(2000)) * time.Minute), Officers: []string{"ARD-W-09"}}
			if rng.IntN(2) == 0 {
				r.Overrides = append(r.Overrides, tmp)
			} else {
				r.Surges = append(r.Surges, tmp)
			}
		}
		for range rng.IntN(3) {
			all := r.Duties(watch.Span{From: monday, To: monday.AddDate(0, 0, 14)})
			a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
			r.Swaps = append(r.Swaps, watch.Swap{First: watch.Slot{Officer: a.Officer, Desk: a.Desk, Begin: a.From}, Second: watch.Slot{Officer: b.Officer, Desk: b.Desk, Begin: b.From}, Agreed: []string{a.Officer, b.Officer}[:1+rng.IntN(2)]})
		}
		if err := r.Check(); err == nil {
			return r
		}
	}
}

// covers P16
func TestRosterAgainstThePlainReading(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for range 60 {
		r := randomRoster(t, rng)
		risks, err := r.Risks(monday, monday.AddDate(0, 0, 21))
		if err != nil {
			t.Fatal(err)
		}
		checkRisks(t, risks)
		for range 150 {
			now := monday.Add(time.Duration(rng.IntN(21*24*60)) * time.Minute)
			want, got := plainOn(r, now), map[string]bool{}
			for _, d := range r.On(now) {
				got[d.Officer+"@"+d.Desk] = true
			}
			if fmt.Sprint(want) != fmt.Sprint(got) {
				t.Fatalf("%s: on watch %v, by hand %v\n%s", now, got, want, r.Bytes())
			}
			checkRisksAt(t, r, risks, want, now)
		}
		again, err := watch.ParseRoster(r.Bytes())
		if err != nil || !bytes.Equal(again.Bytes(), r.Bytes()) {
			t.Fatalf("a roster does not survive being written: %v", err)
		}
	}
}

// checkRisks checks what always holds of risks: in order, and merged.
func checkRisks(t *testing.T, risks []watch.Risk) {
	t.Helper()
	for i, r := range risks {
		if !r.From.Before(r.To) || i > 0 && r.From.Before(risks[i-1].From) {
			t.Fatalf("risk %d is empty or out of order: %+v", i, r)
		}
		for _, o := range risks[:i] {
			if o.Kind == r.Kind && o.Desk == r.Desk && o.Language == r.Language && o.Officer == r.Officer && o.Kind != watch.RiskSwap && !r.From.After(o.To) && o.Kind != watch.RiskRest && o.Kind != watch.RiskLong {
				t.Fatalf("two risks are one: %+v and %+v", o, r)
			}
		}
	}
}

// checkRisksAt compares the risks of cover with those who are on at a second.
func checkRisksAt(t *testing.T, r watch.Roster, risks []watch.Risk, on map[string]bool, now time.Time) {
	t.Helper()
	officers, secret, languages := map[string]bool{}, false, map[book.Lang]bool{}
	for k := range on {
		name, _, _ := strings.Cut(k, "@")
		officers[name] = true
		o, _ := r.Officer(name)
		secret = secret || o.Clearance == "secret"
		for _, l := range o.Languages {
			languages[l] = true
		}
	}
	some := len(officers) > 0
	want := map[watch.RiskKind]bool{
		watch.RiskNobody: !some, watch.RiskFlash: some && len(officers) < 2,
		watch.RiskLanguage: some && !(languages["ar"] && languages["en"]), watch.RiskClearance: some && !secret,
	}
	for kind, w := range want {
		got := slices.ContainsFunc(risks, func(x watch.Risk) bool { return x.Kind == kind && x.Has(now) })
		if got != w {
			t.Fatalf("%s: risk %s: told %v, by hand %v; on watch %v", now, kind, got, w, on)
		}
	}
}

func TestRisksInWords(t *testing.T) {
	r := ardens()
	r.Leave = []watch.Leave{
		{Officer: "ARD-W-01", From: at("2026-11-25T02:00:00Z"), To: at("2026-11-25T06:00:00Z")},
		{Officer: "ARD-W-03", From: at("2026-11-26T00:00:00Z"), To: at("2026-11-27T00:00:00Z")},
		{Officer: "ARD-W-04", From: at("2026-11-26T00:00:00Z"), To: at("2026-11-27T00:00:00Z")},
		{Officer: "ARD-W-07", From: at("2026-11-26T00:00:00Z"), To: at("2026-11-27T00:00:00Z")},
	}
	r.Surges = []watch.Temporary{{Desk: "technical", From: at("2026-11-27T16:00:00Z"), To: at("2026-11-28T02:00:00Z"), Officers: []string{"ARD-W-07"}}}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	risks, err := r.Risks(at("2026-11-25T00:00:00Z"), at("2026-11-29T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	w := words(t)
	var got strings.Builder
	for _, risk := range risks {
		line, err := w.Risk(risk, "en")
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(line)
	}
	const want = `2026-11-25T02:00:00Z/2026-11-25T06:00:00Z: flash-alone — too few officers to acknowledge a FLASH: 1/2
2026-11-25T02:00:00Z/2026-11-25T06:00:00Z: no-language — nobody on watch reads: ar — Arabic
2026-11-25T02:00:00Z/2026-11-25T06:00:00Z: no-clearance — nobody on watch holds the clearance: secret
2026-11-25T02:00:00Z/2026-11-25T06:00:00Z: short-rest — officer rests too little: ARD-W-01: 4 hours
2026-11-26T08:00:00Z/2026-11-26T16:00:00Z: nobody — nobody on watch
2026-11-27T08:00:00Z/2026-11-28T02:00:00Z: long-duty — officer on watch too long: ARD-W-07: 18 hours
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
	for _, l := range book.Langs() {
		for _, risk := range risks {
			if line, err := w.Risk(risk, l); err != nil || !strings.Contains(line, string(risk.Kind)) {
				t.Errorf("%s: %q: %v", l, line, err)
			}
		}
	}
	for _, span := range [][2]string{{"2026-11-25T00:00:00Z", "2026-11-25T00:00:00Z"}, {"2026-11-26T00:00:00Z", "2026-11-25T00:00:00Z"}, {"2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"}} {
		if _, err := r.Risks(at(span[0]), at(span[1])); err == nil {
			t.Errorf("a horizon of %v is accepted", span)
		}
	}
}

func TestShortRest(t *testing.T) {
	r := ardens()
	r.Surges = []watch.Temporary{{Desk: "technical", From: at("2026-11-24T12:00:00Z"), To: at("2026-11-24T16:00:00Z"), Officers: []string{"ARD-W-01"}}}
	risks, err := r.Risks(at("2026-11-24T00:00:00Z"), at("2026-11-25T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, x := range risks {
		if x.Kind == watch.RiskRest && x.Officer == "ARD-W-01" && x.From.Equal(at("2026-11-24T08:00:00Z")) && x.To.Equal(at("2026-11-24T12:00:00Z")) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("four hours of rest are told %d times: %+v", n, risks)
	}
}

// TestHostileRosters breaks the good roster in every way that is refused, and
// looks for the entry that the error names.
func TestHostileRosters(t *testing.T) {
	two := func(s string) time.Time { return at(s) }
	for name, c := range map[string]struct {
		spoil func(*watch.Roster)
		want  string
	}{
		"no Monday":        {func(r *watch.Roster) { r.Start = two("2026-11-24T00:00:00Z") }, "give 2026-11-23T00:00:00Z"},
		"no version":       {func(r *watch.Roster) { r.Version = 0 }, "version"},
		"hole in turns":    {func(r *watch.Roster) { r.Turns[1].Days = workdays }, "desks.watch: a hole: nobody in the day shift of Sunday in week 0"},
		"hole in shifts":   {func(r *watch.Roster) { r.Shifts = watch.DefaultShifts(); r.Shifts[1].Length -= time.Second }, "shifts.day: it ends 1s before evening begins"},
		"shifts overlap":   {func(r *watch.Roster) { r.Shifts = watch.DefaultShifts(); r.Shifts[2].Length += time.Hour }, "shifts.evening: it ends 1h0m0s after night began"},
		"shift backwards":  {func(r *watch.Roster) { r.Shifts = watch.DefaultShifts(); r.Shifts[0].Length = -time.Hour }, "it ends before it begins"},
		"double turn":      {func(r *watch.Roster) { r.Turns = append(r.Turns, r.Turns[0]) }, "turns[8]: Monday stands there already, by turns[0]"},
		"twice in a shift": {func(r *watch.Roster) { r.Turns[0].Officers = []string{"ARD-W-01", "ARD-W-01"} }, "turns[0]: officer ARD-W-01 stands twice in one shift"},
		"two desks":        {func(r *watch.Roster) { r.Turns[3].Officers = []string{"ARD-W-03"} }, "turns.ARD-W-03: on at the desks technical and watch at once"},
		"surge on a desk": {func(r *watch.Roster) {
			r.Surges = []watch.Temporary{{"technical", two("2026-11-25T09:00:00Z"), two("2026-11-25T10:00:00Z"), []string{"ARD-W-04"}}}
		}, "changes.ARD-W-04: on at the desks"},
		"unknown officer": {func(r *watch.Roster) { r.Turns[2].Officers = []string{"ARD-W-77"} }, `turns[2]: officer "ARD-W-77" is not in this roster`},
		"unknown desk":    {func(r *watch.Roster) { r.Turns[2].Desk = "attic" }, `turns[2]: desk "attic"`},
		"unknown shift":   {func(r *watch.Roster) { r.Turns[2].Shift = "noon" }, `turns[2]: shift "noon"`},
		"week beyond":     {func(r *watch.Roster) { r.Turns[2].Week = 2 }, "turns[2]: week 2"},
		"officer twice":   {func(r *watch.Roster) { r.Officers = append(r.Officers, r.Officers[0]) }, "officers.ARD-W-01"},
		"no pseudonym":    {func(r *watch.Roster) { r.Officers[0].Pseudonym = "<b>" }, "officers.<b>"},
		"no language":     {func(r *watch.Roster) { r.Officers[0].Languages = []book.Lang{"de"} }, `officers.ARD-W-01: language "de"`},
		"no clearance":    {func(r *watch.Roster) { r.Officers[0].Clearance = "cosmic" }, `clearance "cosmic"`},
		"leave backwards": {func(r *watch.Roster) {
			r.Leave = []watch.Leave{{"ARD-W-01", two("2026-11-25T10:00:00Z"), two("2026-11-25T09:00:00Z")}}
		}, "leave[0]: it ends at 2026-11-25T09:00:00Z, before it begins"},
		"override backward": {func(r *watch.Roster) {
			r.Overrides = []watch.Temporary{{"watch", two("2026-11-25T10:00:00Z"), two("2026-11-25T10:00:00Z"), []string{"ARD-W-09"}}}
		}, "overrides[0]: it ends"},
		"override on leave": {func(r *watch.Roster) {
			r.Overrides = []watch.Temporary{{"watch", two("2026-11-25T10:00:00Z"), two("2026-11-25T11:00:00Z"), []string{"ARD-W-09"}}}
			r.Leave = []watch.Leave{{"ARD-W-09", two("2026-11-25T00:00:00Z"), two("2026-11-26T00:00:00Z")}}
		}, "overrides[0]: it names ARD-W-09, who is on leave then"},
		"overrides overlap": {func(r *watch.Roster) {
			o := watch.Temporary{"watch", two("2026-11-25T10:00:00Z"), two("2026-11-25T11:00:00Z"), []string{"ARD-W-09"}}
			r.Overrides = []watch.Temporary{o, o}
		}, "overrides[1]: overrides[0] stands at the same desk"},
		"endless override": {func(r *watch.Roster) {
			r.Overrides = []watch.Temporary{{"watch", two("2026-11-25T10:00:00Z"), two("2036-11-25T11:00:00Z"), []string{"ARD-W-09"}}}
		}, "overrides[0]: it is longer than 92 days"},
		"swap of no slot": {func(r *watch.Roster) {
			r.Swaps = []watch.Swap{{First: watch.Slot{"ARD-W-01", "watch", two("2026-11-25T08:00:00Z")}, Second: watch.Slot{"ARD-W-03", "watch", two("2026-11-25T08:00:00Z")}}}
		}, "swaps[0]: ARD-W-01 has no shift at desk watch that begins at 2026-11-25T08:00:00Z"},
		"swap by a third": {func(r *watch.Roster) {
			r.Swaps = []watch.Swap{{watch.Slot{"ARD-W-01", "watch", two("2026-11-25T00:00:00Z")}, watch.Slot{"ARD-W-03", "watch", two("2026-11-25T08:00:00Z")}, []string{"ARD-W-08"}}}
		}, "swaps[0]: ARD-W-08 agreed"},
		"swap doubles": {func(r *watch.Roster) { // both in one shift once swapped
			r.Swaps = []watch.Swap{{watch.Slot{"ARD-W-01", "watch", two("2026-11-25T00:00:00Z")}, watch.Slot{"ARD-W-02", "watch", two("2026-11-26T00:00:00Z")}, []string{"ARD-W-01", "ARD-W-02"}}}
		}, "changes.ARD-W-02: on at desk watch twice"},
		"too many": {func(r *watch.Roster) { r.Leave = make([]watch.Leave, watch.MaxChanges+1) }, "leave: 1001 entries are more than 1000"},
		"no desk":  {func(r *watch.Roster) { r.Desks = nil }, "desks: there is none"},
	} {
		r := ardens()
		c.spoil(&r)
		err := r.Check()
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "; ") {
			t.Errorf("%s: error %v, want one with %q and a next step", name, err, c.want)
		}
	}
}

func TestDatesThatAreNone(t *testing.T) {
	good := string(ardens().Bytes())
	for from, want := range map[string]string{
		`"start":"2027-02-29T00:00:00Z"`:      "2027 has no 29 February",
		`"start":"2026-11-23T00:00:60Z"`:      "no second of UTC",
		`"start":"2026-11-23T01:00:00+01:00"`: "no second of UTC",
		`"start":"1969-12-29T00:00:00Z"`:      "no second of UTC",
		`"start":"10000-01-03T00:00:00Z"`:     "no second of UTC",
	} {
		_, err := watch.ParseRoster([]byte(strings.Replace(good, `"start":"2026-11-23T00:00:00Z"`, from, 1)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", from, err, want)
		}
	}
	// A leap day is a day of the rotation like any other.
	r := ardens()
	if got := who(r.On(at("2028-02-29T09:00:00Z")), "watch"); got != "03 04" {
		t.Errorf("on 29 February 2028: %q", got)
	}
	// The last days that can be written.
	r.Start = at("9999-12-20T00:00:00Z")
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	if got := who(r.On(at("9999-12-31T23:59:58Z")), "watch"); got != "03 04" {
		t.Errorf("in the last second but one: %q", got)
	}
	risks, err := r.Risks(at("9999-12-25T00:00:00Z"), at("9999-12-31T23:59:59Z"))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range risks {
		if x.To.Year() > 9999 {
			t.Errorf("a risk ends where no record can say it: %+v", x)
		}
	}
}

func TestRosterChange(t *testing.T) {
	r := ardens()
	next := ardens()
	next.Version = 2
	if err := r.CheckChange(next); err != nil {
		t.Error(err)
	}
	next.Version, next.Station = 4, boreal
	if err := r.CheckChange(next); err == nil || !strings.Contains(err.Error(), "version") || !strings.Contains(err.Error(), "station") {
		t.Errorf("another station's roster, two versions on: %v", err)
	}
}

func TestOwnDeskStatus(t *testing.T) {
	r := ardens()
	r.Leave = []watch.Leave{{Officer: "ARD-W-01", From: at("2026-11-25T02:00:00Z"), To: at("2026-11-25T06:00:00Z")}, {Officer: "ARD-W-02", From: at("2026-11-25T04:00:00Z"), To: at("2026-11-25T06:00:00Z")}}
	for _, c := range []struct{ when, status, until string }{
		{"2026-11-25T01:00:00Z", "manned", "2026-11-25T02:00:00Z"},
		{"2026-11-25T02:00:00Z", "degraded", "2026-11-25T04:00:00Z"},
		{"2026-11-25T04:00:00Z", "unmanned", "2026-11-25T06:00:00Z"},
		{"2026-11-25T06:00:00Z", "manned", "2026-11-25T08:00:00Z"},
	} {
		d := r.DeskStatus(at(c.when))
		if d.Status != c.status || !d.Until.Equal(at(c.until)) {
			t.Errorf("%s: %s until %s, want %s until %s", c.when, d.Status, d.Until, c.status, c.until)
		}
	}
}
