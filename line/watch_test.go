package line

import (
	"testing"
	"time"
)

// covers P11, P16
func TestWatch(t *testing.T) {
	minute := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	for name, c := range map[string]struct {
		w      Watch
		now    int // minutes after start
		want   Alarms
		proven bool
		until  time.Time
	}{
		"all receipted":                     {w: Watch{Heard: minute(0), SilentAfter: time.Hour}, now: 5, until: minute(60)},
		"not yet due":                       {w: Watch{Oldest: minute(0), Heard: minute(3)}, now: 4, until: minute(5)},
		"alive, and its log grew":           {w: Watch{Oldest: minute(0), Grew: minute(5), Heard: minute(5)}, now: 5, want: AlarmWithheld, proven: true},
		"alive by its answers only":         {w: Watch{Oldest: minute(0), Grew: minute(3), Heard: minute(12)}, now: 12, want: AlarmWithheld},
		"wrote before it was due, then not": {w: Watch{Oldest: minute(0), Grew: minute(4), Heard: minute(4)}, now: 500},
		"a line cut one way":                {w: Watch{Oldest: minute(0), Grew: minute(30), Heard: minute(30), SilentAfter: time.Hour}, now: 31, want: AlarmWithheld, proven: true, until: minute(90)},
		"withheld, then silent":             {w: Watch{Oldest: minute(0), Grew: minute(30), Heard: minute(30), SilentAfter: time.Hour}, now: 90, want: AlarmWithheld | AlarmSilent, proven: true},
		"silent with nothing to receipt":    {w: Watch{Heard: minute(0), SilentAfter: time.Hour}, now: 60, want: AlarmSilent},
		"never heard since the start":       {w: Watch{Listening: minute(0), SilentAfter: time.Hour}, now: 61, want: AlarmSilent},
		"nothing expected yet":              {w: Watch{SilentAfter: time.Hour}, now: 61},
		"a quota explains it":               {w: Watch{Oldest: minute(0), Grew: minute(30), Heard: minute(30), Full: true}, now: 31, want: AlarmQuota},
		"a shorter receipt time":            {w: Watch{Oldest: minute(0), Grew: minute(2), ReceiptTime: time.Minute}, now: 2, want: AlarmWithheld, proven: true},
		"its only clock runs ahead":         {w: Watch{Oldest: minute(30), Grew: minute(0), Heard: minute(0)}, now: 1, until: minute(35)},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.w.At(minute(c.now))
			if f.Alarms != c.want || f.Proven != c.proven || !f.Until.Equal(c.until) {
				t.Errorf("%s, proven %v, until %s", f.Alarms, f.Proven, f.Until)
			}
		})
	}
	if s := (AlarmSilent | AlarmQuota).String(); s != "silent quota" || Alarms(0).String() != "none" {
		t.Errorf("alarms read %q", s)
	}
}

func TestQuotaBorneOut(t *testing.T) {
	for _, c := range []struct {
		day, offered, quota int64
		want                bool
	}{{0, 100, 0, false}, {900, 100, 1000, false}, {900, 101, 1000, true}} {
		if got := QuotaBorneOut(c.day, c.offered, c.quota); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
