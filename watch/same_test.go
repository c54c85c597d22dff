package watch_test

import (
	"testing"
	"time"

	"detente/watch"
)

// Two states are the same whatever second they are of, and differ by each thing
// that they say.
func TestSame(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	state := func() watch.Alarms {
		k := watch.Key{Kind: watch.DutyNear, Line: theLine, Ref: "x"}
		return watch.Alarms{At: at, Alarms: []watch.Alarm{{Key: k, Level: 3, Since: at, Raised: at, Count: 1, Acks: []watch.Ack{{Officer: "ARD-W-01", At: at}}}},
			Rings: []watch.Ring{{Group: watch.Key{Kind: k.Kind, Line: theLine}, Next: at}}}
	}
	later := at.Add(time.Hour)
	for what, change := range map[string]func(*watch.Alarms){
		"exercise": func(s *watch.Alarms) { s.Exercise = true },
		"fewer":    func(s *watch.Alarms) { s.Alarms = nil },
		"key":      func(s *watch.Alarms) { s.Alarms[0].Ref = "y" },
		"level":    func(s *watch.Alarms) { s.Alarms[0].Level = 4 },
		"since":    func(s *watch.Alarms) { s.Alarms[0].Since = later },
		"raised":   func(s *watch.Alarms) { s.Alarms[0].Raised = later },
		"count":    func(s *watch.Alarms) { s.Alarms[0].Count = 2 },
		"cleared":  func(s *watch.Alarms) { s.Alarms[0].Cleared = later },
		"ack":      func(s *watch.Alarms) { s.Alarms[0].Acks[0].Officer = "ARD-W-02" },
		"ack time": func(s *watch.Alarms) { s.Alarms[0].Acks[0].At = later },
		"silence":  func(s *watch.Alarms) { s.Alarms[0].Silenced = later },
		"reopened": func(s *watch.Alarms) { s.Alarms[0].Reopened = 1 },
		"group":    func(s *watch.Alarms) { s.Rings[0].Group.Kind = watch.DutyLapsed },
		"last":     func(s *watch.Alarms) { s.Rings[0].Last = later },
		"next":     func(s *watch.Alarms) { s.Rings[0].Next = later },
		"rung":     func(s *watch.Alarms) { s.Rings[0].Rung = 2 },
		"climb":    func(s *watch.Alarms) { s.Rings[0].Climb = later },
		"repeats":  func(s *watch.Alarms) { s.Rings[0].Repeats = 1 },
	} {
		other := state()
		if change(&other); other.Same(state()) || state().Same(other) {
			t.Errorf("%s: a change goes unseen", what)
		}
	}
	other := state()
	if other.At = later; !other.Same(state()) {
		t.Error("the second of a step alone makes a state another one")
	}
}
