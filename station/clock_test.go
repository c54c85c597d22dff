package station_test

import (
	"errors"
	"testing"
	"time"

	"detente/station"
	"detente/station/stationtest"
)

const year = 365 * 24 * time.Hour

// A clock that leaps against the steady one, in one leap or in many small ones,
// or that stands still, stamps nothing: no cosignature, not even between two
// ticks, and no entry; nor does anything run out by it. It stamps again once both
// agree, or once two operators have confirmed it.
// covers P4 P5 P11
func TestClockThatLeaps(t *testing.T) {
	for name, leaps := range map[string][]time.Duration{
		"an hour and more ahead": {61 * time.Minute}, "an hour and more back": {-61 * time.Minute}, "a year ahead": {year}, "a year back": {-year},
		"many small leaps": {25 * time.Minute, 25 * time.Minute, 25 * time.Minute}, "stopped": {-25 * time.Minute, -25 * time.Minute, -25 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			v, h := duo(t)
			var up time.Duration // the steady clock
			v.steady = func() time.Duration { return up }
			v.begin(start)
			meet(t, start, v, h)
			clock := start
			pass := func(leap time.Duration) {
				up += 25 * time.Minute
				clock = clock.Add(25*time.Minute + leap)
			}
			waiting, err := v.Submit(ctx, op, clock, station.Draft{Line: v.line, Format: "600", Marking: tlp, Language: "en", Params: text(t, v, "awaits its officers")})
			if err != nil {
				t.Fatal(err)
			}
			for i, leap := range leaps {
				pass(leap)
				if i+1 < len(leaps) {
					if err := v.Tick(ctx, clock); err != nil {
						t.Fatal(err)
					}
				}
			}
			truly := start.Add(up)
			stampsNothing(t, v, h, clock, truly)
			before := v.size(v.log())
			if err := v.Tick(ctx, clock); err != nil {
				t.Fatal(err)
			}
			if out, err := v.Outgoing(ctx, op, clock, waiting.ID); err != nil || out.State != station.Awaiting {
				t.Errorf("by a clock that leapt, a message is %s: %v", out.State, err)
			}
			said, err := v.Submit(ctx, op, clock, station.Draft{Line: v.line, Format: "010", Marking: tlp, Language: "en", Params: lineTest(t, v)})
			if err != nil || said.State != station.Waiting {
				t.Fatalf("%+v %v", said, err)
			}
			if got := v.size(v.log()); got != before {
				t.Errorf("an entry was stamped by a clock that leapt")
			}
			if clock.After(truly) {
				confirm(t, v, clock)
				if got := v.size(v.log()); got != before+1 {
					t.Errorf("once confirmed, nothing is appended")
				}
				return
			}
			clock = truly // somebody sets it right
			if err := v.Tick(ctx, clock); err != nil {
				t.Fatal(err)
			}
			if _, err := v.Submit(ctx, op, clock, station.Draft{Line: v.line, Format: "010", Marking: tlp, Language: "en", Params: lineTest(t, v)}); err != nil {
				t.Fatal(err)
			}
			if got := v.size(v.log()); got == before {
				t.Errorf("once it agrees again, nothing is appended")
			}
		})
	}
}

// stampsNothing lets the other side deliver something to one whose clock has leapt,
// before it ticks.
func stampsNothing(t *testing.T, v, h *side, clock, truly time.Time) {
	t.Helper()
	if _, err := h.Say(ctx, truly, station.Draft{Line: h.line, Format: "600"}, "text=are you there"); err != nil {
		t.Fatal(err)
	}
	step, err := h.Step(ctx, truly, h.line)
	if err != nil || step.Request == nil {
		t.Fatalf("%+v %v", step, err)
	}
	r := *step.Request
	r.Peer = h.Name()
	if a := served(t, v.Station, clock, r); a.Status != 503 {
		t.Errorf("before the next tick a delivery is answered %d: %s", a.Status, a.Body)
	}
}

// confirm lets two operators confirm a side's clock; one alone, asked as often as
// he likes, does not.
func confirm(t *testing.T, v *side, now time.Time) {
	t.Helper()
	one, two := station.Actor{Name: "one", Roles: []string{station.RoleOperator}}, station.Actor{Name: "two", Roles: []string{station.RoleOperator}}
	for range 3 {
		if done, err := v.ConfirmClock(ctx, one, now); done || err != nil {
			t.Errorf("one operator alone confirmed the clock: %v", err)
		}
	}
	if _, err := v.ConfirmClock(ctx, station.Actor{Name: "three", Roles: []string{station.RoleRead}}, now); !errors.Is(err, station.ErrRefused) {
		t.Errorf("somebody without the role: %v", err)
	}
	if done, err := v.ConfirmClock(ctx, two, now); !done || err != nil {
		t.Errorf("two operators did not confirm the clock: %v", err)
	}
}

// A station that starts with a clock before what it has stamped, or a year after,
// stamps nothing until two operators confirm it.
// covers P11
func TestClockAtTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		leap time.Duration
		safe bool
	}{
		"half an hour back": {-30 * time.Minute, true}, "two hours back": {-2 * time.Hour, false}, "a year back": {-year, false},
		"two days of standing still": {48 * time.Hour, true}, "a year ahead": {year, false},
	} {
		t.Run(name, func(t *testing.T) {
			v, h := duo(t)
			now := start.Add(3 * time.Hour)
			if _, err := v.Say(ctx, now, station.Draft{Line: v.line, Format: "600"}, "text=good day"); err != nil {
				t.Fatal(err)
			}
			meet(t, now, v, h)
			now = now.Add(c.leap)
			v.begin(now)
			if err := stationtest.Settle(ctx, now, v.line, v.End, h.End); err != nil {
				t.Fatal(err)
			}
			size := v.size(v.log())
			if _, err := v.Submit(ctx, op, now, station.Draft{Line: v.line, Format: "010", Marking: tlp, Language: "en", Params: lineTest(t, v)}); err != nil {
				t.Fatal(err)
			}
			if got := v.size(v.log()) > size; got != c.safe {
				t.Errorf("appended: %v, want %v", got, c.safe)
			}
		})
	}
}

// What was heard of a counterpart under a clock that stood ahead is brought back
// once it is set right, and again once two operators confirm an earlier time: a
// counterpart that falls silent then is not taken for one that was heard later.
// covers P16
func TestHeardUnderAClockThatLeapt(t *testing.T) {
	v, h := duo(t)
	var up time.Duration // the steady clock
	v.steady = func() time.Duration { return up }
	v.begin(start)
	meet(t, start, v, h)
	heard := func() time.Time {
		t.Helper()
		lines, err := v.Lines(ctx, op)
		if err != nil || len(lines) != 1 {
			t.Fatalf("%+v %v", lines, err)
		}
		return lines[0].Heard
	}
	up = time.Hour
	truly, ahead := start.Add(up), start.Add(up+2*time.Hour)
	stampsNothing(t, v, h, ahead, truly)
	if got := heard(); !got.Equal(ahead) {
		t.Fatalf("heard %s, by a clock that says %s", got, ahead)
	}
	if err := v.Tick(ctx, truly); err != nil { // somebody sets it right
		t.Fatal(err)
	}
	if got := heard(); got.After(truly) {
		t.Errorf("at %s the counterpart was heard at %s", truly, got)
	}
	up += time.Hour
	back := truly.Add(-time.Hour) // it was wrong all the time
	confirm(t, v, back)
	if got := heard(); got.After(back) {
		t.Errorf("at %s, confirmed by two, the counterpart was heard at %s", back, got)
	}
}
