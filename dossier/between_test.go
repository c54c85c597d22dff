package dossier_test

import (
	"slices"
	"testing"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// What changed between two seconds is what was received in them, or else the
// matters that time alone altered.
// covers P10
func TestBetween(t *testing.T) {
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	log := identity.Origin{Writer: "arden.example", Reader: "boreal.example", Class: identity.Notification, Era: 1}
	matter := func(id byte, stage dossier.Stage, places ...int64) dossier.Dossier {
		d := dossier.Dossier{ID: message.ID{id}, Stage: stage}
		for _, i := range places {
			d.Timeline = append(d.Timeline, dossier.Entry{Place: dossier.Place{Origin: log, Index: i}, Received: start.Add(time.Duration(i) * time.Second)})
		}
		return d
	}
	whole := func(after int, ds ...dossier.Dossier) dossier.Whole {
		return dossier.Whole{At: start.Add(time.Duration(after) * time.Second), Dossiers: ds}
	}
	one := matter(1, "noted", 1)
	for name, c := range map[string]struct {
		before, after dossier.Whole
		want          []int64
		byTime        bool
	}{
		"nothing":          {whole(1, one), whole(2, one), nil, false},
		"received":         {whole(1, one), whole(3, matter(1, "noted", 1, 3), matter(2, "noted", 2)), []int64{2, 3}, false},
		"by time":          {whole(1, one), whole(3, matter(1, "closed", 1)), []int64{1}, true},
		"received goes on": {whole(2, one, matter(2, "noted", 2)), whole(3, matter(1, "closed", 1), matter(2, "noted", 2, 3)), []int64{3}, false},
	} {
		got := dossier.Between(c.before, c.after)
		var places []int64
		for _, p := range got.Places {
			places = append(places, p.Index)
		}
		if !slices.Equal(places, c.want) || got.ByTime != c.byTime {
			t.Errorf("%s: %v %v", name, places, got.ByTime)
		}
	}
}
