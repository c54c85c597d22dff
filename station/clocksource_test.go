package station_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"detente/station"
)

// fixedTime is a source of time that says one thing.
type fixedTime struct {
	at  time.Time
	off time.Duration
	err error
}

func (s fixedTime) Ask(context.Context) (station.SourceTime, error) {
	return station.SourceTime{Source: "gps", At: s.at, Within: s.off}, s.err
}

// A clock that leapt stamps again once one other source agrees with it; a source
// that says another time, that knows too little of it, or that does not answer,
// changes nothing.
// covers P4 P11
func TestClockBySource(t *testing.T) {
	for name, c := range map[string]struct {
		says fixedTime // at: its distance from the clock is added below
		from time.Duration
		safe bool
	}{
		"it agrees":              {fixedTime{off: time.Second}, 3 * time.Second, true},
		"it says the true time":  {fixedTime{off: time.Second}, -2 * time.Hour, false},
		"half a minute off":      {fixedTime{off: time.Second}, 30 * time.Second, false},
		"it knows too little":    {fixedTime{off: time.Hour}, 0, false},
		"it does not answer":     {fixedTime{err: errors.New("no answer")}, 0, false},
		"no source stands there": {fixedTime{err: errors.New("none")}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := duo(t)
			var up time.Duration
			v.steady = func() time.Duration { return up }
			v.begin(start)
			up = time.Minute
			now := start.Add(up + 2*time.Hour)
			if err := v.ClockSafe(now); !errors.Is(err, station.ErrClockUnsafe) {
				t.Fatalf("a clock that leapt: %v", err)
			}
			c.says.at = now.Add(c.from)
			asks := 0
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
				defer stop()
				station.AskTime(ctx, &station.Runner{Station: v.Station, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Times: func() []station.TimeSource {
					asks++
					up += 31 * time.Second
					now = now.Add(31 * time.Second)
					c.says.at = now.Add(c.from)
					return []station.TimeSource{c.says}
				}})
			})
			if err := v.ClockSafe(now); (err == nil) != c.safe {
				t.Errorf("the clock: %v", err)
			}
			if asks == 0 || c.safe && asks > 1 {
				t.Errorf("sources were asked %d times", asks)
			}
			lines, err := v.AuditTrail(ctx, op, now, 1, 1000)
			if err != nil {
				t.Fatal(err)
			}
			confirmed := 0
			for _, l := range lines {
				if l.Actor == "time source gps" && l.Act == "clock confirm" && strings.Contains(l.Detail, "leapt") {
					confirmed++
				}
			}
			if (confirmed == 1) != c.safe {
				t.Errorf("the audit trail has %d confirmations", confirmed)
			}
		})
	}
}

// Other limits are taken while a station runs, and stand in the audit trail.
// covers P22
func TestReload(t *testing.T) {
	v, _ := duo(t)
	if err := v.Reload(ctx, start, station.Limits{ApprovalRoutine: time.Hour}); err != nil {
		t.Fatal(err)
	}
	out, err := v.Submit(ctx, op, start, station.Draft{Line: v.line, Format: "600", Marking: tlp, Language: "en", Params: text(t, v, "good day")})
	if err != nil || !out.Until.Equal(start.Add(time.Hour)) {
		t.Errorf("a request stands until %s: %v", out.Until, err)
	}
	lines, err := v.AuditTrail(ctx, op, start, 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if last := lines[len(lines)-2]; last.Act != "settings" || !strings.Contains(last.Detail, "approval 1h0m0s") {
		t.Errorf("%+v", last)
	}
}
