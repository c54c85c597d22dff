package watch_test

import (
	"strings"
	"testing"
	"time"

	"detente/message"
	"detente/watch"
)

// TestEveryStoryOfAFlash plays every story of six moves about one FLASH and
// compares with a model that anybody can check by hand: an alarm stands while
// its condition does, an acknowledgement counts for ten minutes of that, and
// two officers make it acknowledged.
//
// covers P16
func TestEveryStoryOfAFlash(t *testing.T) {
	k := watch.Key{Kind: watch.FlashUnread, Line: theLine, Ref: "BOR/ARD-N1-7"}
	moves := []struct {
		after   time.Duration
		officer string
		turn    bool // the condition begins or ends
	}{{time.Second, "", true}, {time.Minute, "ARD-W-01", false}, {time.Minute, "ARD-W-02", false}, {time.Minute, "", false}, {9 * time.Minute, "", false}}
	const length = 6
	stories := 1
	for range length {
		stories *= len(moves)
	}
	for story := range stories {
		var s watch.Alarms
		now, holds, acks := monday, false, map[string]time.Time{}
		for i, code := 0, story; i < length; i, code = i+1, code/len(moves) {
			m := moves[code%len(moves)]
			now = now.Add(m.after)
			var acts []watch.Act
			if m.officer != "" {
				acts = ack(m.officer, now, k)
				if _, given := acks[m.officer]; holds && !given {
					acks[m.officer] = now
				}
			}
			if m.turn {
				holds, acks = !holds, map[string]time.Time{}
			}
			for o, when := range acks {
				if now.Sub(when) >= watch.DefaultAckHolds {
					delete(acks, o)
				}
			}
			var conditions []watch.Condition
			if holds {
				conditions = append(conditions, watch.Condition{Key: k, Since: monday})
			}
			var out watch.Consequences
			s, out = s.Step(watch.Moment{Now: now, Conditions: conditions, Acts: acts, Posts: night}, watch.Config{})
			stands := len(s.Alarms) == 1 && s.Alarms[0].Stands()
			if err := s.Check(watch.Config{}); err != nil || stands != holds || stands && s.Alarms[0].Acknowledged() != (len(acks) == 2) {
				t.Fatalf("story %d, move %d: %+v, by hand it holds: %v, acknowledged by %v; %v", story, i, s.Alarms, holds, acks, err)
			}
			rings := len(out.Notices) > 0 && out.Notices[0].Event != watch.Ended
			if rings && (!holds || len(acks) == 2) {
				t.Fatalf("story %d, move %d: it rings for nothing: %s", story, i, told(out))
			}
			if !rings && holds && len(acks) < 2 && m.after >= time.Minute { // it repeats each quarter of a minute
				t.Fatalf("story %d, move %d: nobody is told", story, i)
			}
		}
	}
}

// TestCheckFindsWhatNoStepLeaves breaks a good state of alarms in one place
// after another.
func TestCheckFindsWhatNoStepLeaves(t *testing.T) {
	good := func() watch.Alarms {
		var s watch.Alarms
		conditions := []watch.Condition{{Key: watch.Key{Kind: watch.SilentPeer, Line: theLine}}, {Key: watch.Key{Kind: watch.FlashUnread, Ref: "BOR/ARD-N1-7"}}}
		s, _ = s.Step(watch.Moment{Now: monday, Conditions: conditions, Posts: night}, watch.Config{})
		s, _ = s.Step(watch.Moment{Now: monday.Add(time.Second), Conditions: conditions[1:], Posts: night, Acts: ack("ARD-W-01", monday.Add(time.Second), conditions[1].Key)}, watch.Config{})
		return s
	}
	if err := good().Check(watch.Config{}); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*watch.Alarms){
		"out of order, or twice":                func(s *watch.Alarms) { s.Alarms = append(s.Alarms, s.Alarms[0]) },
		"no kind, no level or no count":         func(s *watch.Alarms) { s.Alarms[0].Level = 0 },
		"a reference that cannot be shown":      func(s *watch.Alarms) { s.Alarms[0].Ref = "a b" },
		"it ended and is still acknowledged":    func(s *watch.Alarms) { s.Alarms[1].Acks = s.Alarms[0].Acks },
		"silenced until":                        func(s *watch.Alarms) { s.Alarms[0].Silenced = s.At.Add(time.Hour) },
		"acknowledged twice by ARD-W-01":        func(s *watch.Alarms) { s.Alarms[0].Acks = append(s.Alarms[0].Acks, s.Alarms[0].Acks...) },
		"acknowledged by nobody":                func(s *watch.Alarms) { s.Alarms[0].Acks[0].At = s.At.Add(time.Second) },
		"it will not ring again":                func(s *watch.Alarms) { s.Rings[0].Next = time.Time{} },
		"it has no ring":                        func(s *watch.Alarms) { s.Rings = nil },
		"it rings for nothing":                  func(s *watch.Alarms) { s.Rings[1].Next = s.At },
		"a ring on no rung":                     func(s *watch.Alarms) { s.Rings[0].Rung = 9 },
		"a ring out of order":                   func(s *watch.Alarms) { s.Rings[0].Group.Ref = "x" },
		"no level or no count":                  func(s *watch.Alarms) { s.Alarms[0].Count = 0 },
		"it stands and never rang":              func(s *watch.Alarms) { s.Rings[0].Next, s.Rings[0].Last = time.Time{}, time.Time{} },
		"nobody has acknowledged it and it has": func(s *watch.Alarms) { s.Rings = s.Rings[1:] },
	} {
		s := good()
		spoil(&s)
		if err := s.Check(watch.Config{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if _, err := watch.ParseAlarms(s.Bytes(), watch.Config{}); err == nil {
			t.Errorf("a state with %q is read back", want)
		}
	}
}

// TestOtherManners lets a station say how its alarms behave.
func TestOtherManners(t *testing.T) {
	c := watch.Config{AckHolds: time.Minute, KeepEnded: time.Minute, Manners: map[message.Precedence]watch.Manner{
		message.Routine: {Outlets: []watch.Outlet{watch.Printer}, Repeat: time.Millisecond, Gather: -time.Second, Climb: -time.Second}}}
	d := newDesk(t)
	d.c = c
	cond := watch.Condition{Key: watch.Key{Kind: watch.ContactStale, Ref: "x"}}
	for range 3 { // no faster than each second
		if out := d.step(time.Second, nil, cond); len(out.Notices) != 1 || out.Notices[0].Outlets[0] != watch.Printer {
			t.Errorf("told %q", told(out))
		}
	}
	d.step(time.Second, ack("ARD-W-02", d.now, cond.Key), cond)
	d.expect("for a minute", told(d.step(58*time.Second, nil, cond)), "")
	d.expect("and no longer", told(d.step(2*time.Second, nil, cond)), "contact-stale acknowledgement-lapsed x1 > 01 02")
	d.step(time.Second, nil)
	d.step(time.Minute, nil)
	if len(d.state.Alarms) != 0 || len(d.state.Rings) != 0 {
		t.Errorf("what ended is kept: %+v", d.state)
	}
	if !d.state.Due(c).IsZero() {
		t.Errorf("nothing stands, and something is due at %s", d.state.Due(c))
	}
}
