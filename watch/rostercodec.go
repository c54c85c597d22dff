package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
)

const rosterKind = "detente/roster/v1"

// weekdays are written as the signal book writes hours, Monday first.
var weekdays = [...]string{time.Sunday: "Su", time.Monday: "Mo", time.Tuesday: "Tu", time.Wednesday: "We", time.Thursday: "Th", time.Friday: "Fr", time.Saturday: "Sa"}

type shiftJSON struct {
	Begin  string `json:"begin"` // 16:00:00
	Length int64  `json:"length_seconds"`
	Name   string `json:"name"`
}

type deskJSON struct {
	Always bool   `json:"always,omitzero"`
	Name   string `json:"name"`
}

type officerJSON struct {
	Clearance string   `json:"clearance,omitempty"`
	Languages []string `json:"languages,omitempty"`
	Pseudonym string   `json:"pseudonym"`
	Roles     []string `json:"roles,omitempty"`
}

type turnJSON struct {
	Days     []string `json:"days"`
	Desk     string   `json:"desk"`
	Officers []string `json:"officers"`
	Shift    string   `json:"shift"`
	Week     int      `json:"week,omitzero"`
}

type leaveJSON struct {
	From    string `json:"from"`
	Officer string `json:"officer"`
	To      string `json:"to"`
}

type slotJSON struct {
	Begin   string `json:"begin"`
	Desk    string `json:"desk"`
	Officer string `json:"officer"`
}

type swapJSON struct {
	Agreed []string `json:"agreed,omitempty"`
	First  slotJSON `json:"first"`
	Second slotJSON `json:"second"`
}

type temporaryJSON struct {
	Desk     string   `json:"desk"`
	From     string   `json:"from"`
	Officers []string `json:"officers"`
	To       string   `json:"to"`
}

type needsJSON struct {
	Clearance string   `json:"clearance,omitempty"`
	Flash     int      `json:"flash,omitzero"`
	Languages []string `json:"languages,omitempty"`
	MaxDuty   int64    `json:"max_duty_seconds,omitzero"`
	MinRest   int64    `json:"min_rest_seconds,omitzero"`
	Officers  int      `json:"officers,omitzero"`
}

type rosterJSON struct {
	Clearances []string        `json:"clearances,omitempty"`
	Desks      []deskJSON      `json:"desks"`
	Kind       string          `json:"kind"`
	Leave      []leaveJSON     `json:"leave,omitempty"`
	Needs      needsJSON       `json:"needs,omitzero"`
	Officers   []officerJSON   `json:"officers"`
	Overrides  []temporaryJSON `json:"overrides,omitempty"`
	Shifts     []shiftJSON     `json:"shifts,omitempty"`
	Start      string          `json:"start"`
	Station    string          `json:"station"`
	Surges     []temporaryJSON `json:"surges,omitempty"`
	Swaps      []swapJSON      `json:"swaps,omitempty"`
	Turns      []turnJSON      `json:"turns"`
	Until      string          `json:"until,omitempty"`
	Version    uint64          `json:"version"`
	Weeks      int             `json:"weeks"`
}

// Bytes returns the roster's canonical JSON.
func (r Roster) Bytes() []byte {
	w := rosterJSON{
		Kind: rosterKind, Station: string(r.Station), Version: r.Version, Start: stamp(r.Start), Until: stamp(r.Until), Weeks: r.Weeks,
		Clearances: r.Clearances, Desks: []deskJSON{}, Officers: []officerJSON{}, Turns: []turnJSON{},
		Overrides: temporaries(r.Overrides), Surges: temporaries(r.Surges),
		Needs: needsJSON{r.Needs.Clearance, r.Needs.Flash, texts(r.Needs.Languages), seconds(r.Needs.MaxDuty), seconds(r.Needs.MinRest), r.Needs.Officers},
	}
	for _, s := range r.Shifts {
		w.Shifts = append(w.Shifts, shiftJSON{clock(s.Begin), seconds(s.Length), s.Name})
	}
	for _, d := range r.Desks {
		w.Desks = append(w.Desks, deskJSON{d.Always, d.Name})
	}
	for _, o := range r.Officers {
		w.Officers = append(w.Officers, officerJSON{o.Clearance, texts(o.Languages), o.Pseudonym, o.Roles})
	}
	for _, t := range r.Turns {
		var days []string
		for _, d := range t.Days {
			if d < 0 || int(d) >= len(weekdays) {
				days = append(days, d.String()) // no day, and refused by whoever reads it
				continue
			}
			days = append(days, weekdays[d])
		}
		w.Turns = append(w.Turns, turnJSON{days, t.Desk, t.Officers, t.Shift, t.Week})
	}
	for _, l := range r.Leave {
		w.Leave = append(w.Leave, leaveJSON{stamp(l.From), l.Officer, stamp(l.To)})
	}
	slot := func(s Slot) slotJSON { return slotJSON{stamp(s.Begin), s.Desk, s.Officer} }
	for _, s := range r.Swaps {
		w.Swaps = append(w.Swaps, swapJSON{s.Agreed, slot(s.First), slot(s.Second)})
	}
	return canonical(w)
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// clock writes a time of the day.
func clock(d time.Duration) string { return time.Unix(0, 0).UTC().Add(d).Format(time.TimeOnly) }

func texts(l []book.Lang) (out []string) {
	for _, e := range l {
		out = append(out, string(e))
	}
	return out
}

func langsOf(l []string) (out []book.Lang) {
	for _, e := range l {
		out = append(out, book.Lang(e))
	}
	return out
}

func temporaries(all []Temporary) (out []temporaryJSON) {
	for _, t := range all {
		out = append(out, temporaryJSON{t.Desk, stamp(t.From), t.Officers, stamp(t.To)})
	}
	return out
}

// ParseRoster reads what Bytes wrote. It refuses what is not canonical, not
// known, beyond the limits, or wrong in itself as Check finds it.
func ParseRoster(text []byte) (Roster, error) {
	var w rosterJSON
	if err := decode("roster", text, &w); err != nil {
		return Roster{}, err
	}
	if w.Kind != rosterKind {
		return Roster{}, fault("kind", fmt.Sprintf("%q is no roster that is known here", clip(w.Kind)), "a newer program may have written it")
	}
	r, err := w.roster()
	if err != nil {
		return Roster{}, err
	}
	if err := r.Check(); err != nil {
		return Roster{}, err
	}
	return r, oneForm("roster", r.Bytes(), text)
}

func (w rosterJSON) roster() (Roster, error) {
	var p stamps
	r := Roster{
		Station: identity.Station(w.Station), Version: w.Version, Start: p.read("start", w.Start), Until: p.read("until", w.Until),
		Weeks: w.Weeks, Clearances: w.Clearances,
		Needs: Needs{w.Needs.Officers, w.Needs.Flash, langsOf(w.Needs.Languages), w.Needs.Clearance, length(w.Needs.MaxDuty), length(w.Needs.MinRest)},
	}
	for _, s := range w.Shifts {
		at, err := time.Parse(time.TimeOnly, s.Begin)
		begin := at.Sub(at.Truncate(day))
		if err != nil || clock(begin) != s.Begin {
			return r, fault("shifts."+clip(s.Name), fmt.Sprintf("%q is no time of the day", clip(s.Begin)), "write it like 16:00:00")
		}
		r.Shifts = append(r.Shifts, Shift{s.Name, begin, length(s.Length)})
	}
	for _, d := range w.Desks {
		r.Desks = append(r.Desks, Desk{d.Name, d.Always})
	}
	for _, o := range w.Officers {
		r.Officers = append(r.Officers, Officer{o.Pseudonym, langsOf(o.Languages), o.Clearance, o.Roles})
	}
	for i, t := range w.Turns {
		turn := Turn{Week: t.Week, Shift: t.Shift, Desk: t.Desk, Officers: t.Officers}
		for _, d := range t.Days {
			k := slices.Index(weekdays[:], d)
			if k < 0 {
				return r, fault(fmt.Sprintf("turns[%d]", i), fmt.Sprintf("%q is no day", clip(d)), "write "+strings.Join(weekdays[:], ", "))
			}
			turn.Days = append(turn.Days, time.Weekday(k))
		}
		r.Turns = append(r.Turns, turn)
	}
	for i, l := range w.Leave {
		entry := fmt.Sprintf("leave[%d]", i)
		r.Leave = append(r.Leave, Leave{l.Officer, p.read(entry, l.From), p.read(entry, l.To)})
	}
	for i, s := range w.Swaps {
		entry := fmt.Sprintf("swaps[%d]", i)
		slot := func(s slotJSON) Slot { return Slot{s.Officer, s.Desk, p.read(entry, s.Begin)} }
		r.Swaps = append(r.Swaps, Swap{slot(s.First), slot(s.Second), s.Agreed})
	}
	list := func(kind string, all []temporaryJSON) (out []Temporary) {
		for i, t := range all {
			entry := fmt.Sprintf("%s[%d]", kind, i)
			out = append(out, Temporary{t.Desk, p.read(entry, t.From), p.read(entry, t.To), t.Officers})
		}
		return out
	}
	r.Overrides, r.Surges = list("overrides", w.Overrides), list("surges", w.Surges)
	return r, p.err
}

// length reads seconds without leaving what a duration holds.
func length(s int64) time.Duration {
	const most = 366 * 24 * 3600
	return time.Duration(max(-most, min(s, most))) * time.Second
}
