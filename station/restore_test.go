package station_test

import (
	"strings"
	"testing"
	"time"

	"detente/station"
)

// Both stations are put back at once, and what they let out since is lost with
// both stores. Neither signs anything in the old logs; each names in the next
// entry 0 what nobody holds, and the line goes on.
// covers P2 P4 P5 P6
func TestBothPutBack(t *testing.T) {
	v, h := duo(t)
	sides := []*side{v, h}
	now := start.Add(time.Minute)
	old := []func(){}
	for _, s := range sides {
		copied := s.disk.Copy()
		old = append(old, func() { s.disk.PutBack(copied) })
	}
	for i := range 3 {
		now = now.Add(time.Minute)
		for _, s := range sides {
			if _, err := s.Say(ctx, now, station.Draft{Line: v.line, Format: "600"}, "text="+decimal(int64(i))); err != nil {
				t.Fatal(err)
			}
			meet(t, now, v, h)
		}
	}
	let := v.size(v.log())
	for i, s := range sides {
		if err := s.SaveMark(now); err != nil {
			t.Fatal(err)
		}
		old[i]()
	}
	now = now.Add(time.Minute)
	for _, s := range sides {
		s.begin(now)
		if _, err := s.Submit(ctx, op, now, station.Draft{Line: v.line, Format: "010", Marking: tlp, Language: "en", Params: lineTest(t, s)}); err != nil {
			t.Fatal(err)
		}
	}
	meet(t, now, v, h)
	for _, s := range sides {
		if n := s.size(s.log()); n >= let {
			t.Errorf("%s wrote on to %d after its store was put back, and had let out %d", s.Name(), n, let)
		}
		if _, lost := s.Lost(v.line); !lost {
			t.Fatalf("%s does not say that entries are lost", s.Name())
		}
		cards, key, err := s.Cast.NextEra(s.log())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.OpenEra(ctx, op, now, v.line, station.EraByLoss, cards, s.Cast.Root.Public(), key); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		now = now.Add(time.Minute)
		meet(t, now, v, h)
	}
	for i, s := range sides {
		next := v.line.Log(s.Name(), 2)
		if got, all := sides[1-i].size(next), s.size(next); got != all || all < 2 {
			t.Errorf("%d of %d entries of %s arrived", got, all, next)
		}
		r, err := s.ReadEntry(ctx, op, now, next, 0)
		if err != nil || !strings.Contains(string(r.Entry.Body.Body().Params["lost"]), "nobody holds them") {
			t.Errorf("entry 0 of %s does not name what is lost: %s %v", next, r.Entry.Body.Bytes(), err)
		}
	}
	takesTrail(t, now, v, h)
	checkLine(t, v.line, v.End, h.End)
}
