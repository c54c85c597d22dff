package treaty

import (
	"errors"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// A vote of several days in zones nine hours apart, with a run-off across a change
// of the clocks, on 29 February among them.
func TestElectionWindows(t *testing.T) {
	east, west, paris := zone(t, "Asia/Kamchatka"), zone(t, "Europe/Kaliningrad"), zone(t, "Europe/Paris")
	e := Election{Days: []VotingDay{
		{Date{2028, 2, 28}, east, 1}, {Date{2028, 2, 29}, east, 1}, {Date{2028, 2, 28}, west, 1}, {Date{2028, 2, 29}, west, 1}, {Date{2028, 3, 26}, paris, 2},
	}}
	open, core, err := e.Windows()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		got  time.Time
		want string
	}{
		{open.From, "2028-01-28T12:00:00Z"}, {core.From, "2028-02-24T12:00:00Z"}, // before the first second in the east
		{open.Until, "2028-04-05T22:00:00Z"}, {core.Until, "2028-04-05T22:00:00Z"}, // ten days after a day of 23 hours
	} {
		if stamp(c.got) != c.want {
			t.Errorf("%s, want %s", stamp(c.got), c.want)
		}
	}
	e.Certified = at(t, "2028-04-01T09:00:00Z")
	if _, core, err := e.Windows(); err != nil || !core.Until.Equal(e.Certified) {
		t.Errorf("certified: %s %v", stamp(core.Until), err)
	}
	if s := (VotingDay{Date{2026, 3, 30}, paris, 1}).Silence(1, true); stamp(s.From) != "2026-03-28T23:00:00Z" || stamp(s.Until) != "2026-03-30T22:00:00Z" {
		t.Errorf("silence of a day of 23 hours and the vote: %s to %s", stamp(s.From), stamp(s.Until))
	}
	if s := (VotingDay{Date{2028, 3, 1}, time.UTC, 1}).Silence(1, false); stamp(s.From) != "2028-02-29T00:00:00Z" || stamp(s.Until) != "2028-03-01T00:00:00Z" {
		t.Errorf("silence on 29 February: %s to %s", stamp(s.From), stamp(s.Until))
	}
	for name, bad := range map[string]Election{
		"no day":              {},
		"no zone":             {Days: []VotingDay{{Date{2028, 2, 29}, nil, 1}}},
		"twice":               {Days: []VotingDay{{Date{2028, 2, 29}, paris, 1}, {Date{2028, 2, 29}, paris, 2}}},
		"a run-off before":    {Days: []VotingDay{{Date{2028, 2, 29}, paris, 1}, {Date{2028, 2, 20}, paris, 2}}},
		"a run-off of none":   {Days: []VotingDay{{Date{2028, 2, 29}, paris, 2}}},
		"certified too early": {Days: []VotingDay{{Date{2028, 2, 29}, paris, 1}}, Certified: at(t, "2028-02-29T12:00:00Z")},
	} {
		if _, _, err := bad.Windows(); !errors.Is(err, ErrElection) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
