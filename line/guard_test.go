package line

import (
	"testing"
	"time"

	"detente/identity"

	"golang.org/x/mod/sumdb/tlog"
)

func at(era identity.Era, size int64) Point {
	return Point{Era: era, Size: size, Root: tlog.Hash{byte(era), byte(size)}}
}

func forked(era identity.Era, size int64) Point {
	p := at(era, size)
	p.Root[31] = 1
	return p
}

func holds(from identity.Station, points ...Point) Report {
	r := Report{From: from}
	for _, p := range points {
		r.Shown = append(r.Shown, Shown{Point: p, Held: true})
	}
	return r
}

func knows(from identity.Station, p Point) Report {
	return Report{From: from, Shown: []Shown{{Point: p}}}
}

func pointer(p Point) *Point { return &p }

// covers P6, P18
func TestGuard(t *testing.T) {
	mirrors := []identity.Station{merid}
	for name, c := range map[string]struct {
		g        Guard
		want     Verdict
		source   identity.Station
		era      identity.Era
		from, to int64
		officers bool
		lost     Point
		after    time.Duration
	}{
		"a matching mark passes in silence":                 {g: Guard{Store: at(1, 9), Mark: pointer(at(1, 9))}, want: Pass},
		"a mark behind the store passes":                    {g: Guard{Store: at(1, 9), Mark: pointer(at(1, 8)), Mirrors: mirrors}, want: Pass},
		"a mark passes though a mirror is behind":           {g: Guard{Store: at(1, 9), Mark: pointer(at(1, 9)), Reports: []Report{holds(boreal, at(1, 3))}}, want: Pass},
		"a fresh line's mark of zero passes":                {g: Guard{Store: Point{Era: 1}, Mark: &Point{Era: 1}}, want: Pass},
		"a mark of an older era passes":                     {g: Guard{Store: at(2, 1), Mark: pointer(at(1, 50))}, want: Pass},
		"a larger signed head stops, mark or not":           {g: Guard{Store: at(1, 9), Mark: pointer(at(1, 9)), Reports: []Report{holds(boreal, at(1, 12))}}, want: Behind, source: boreal, era: 1, from: 9, to: 12},
		"the store is behind the mark and healed":           {g: Guard{Store: at(1, 5), Mark: pointer(at(1, 9)), Reports: []Report{holds(boreal, at(1, 9))}}, want: Behind, source: boreal, era: 1, from: 5, to: 9},
		"it heals as far as it can first":                   {g: Guard{Store: at(1, 5), Mark: pointer(at(1, 9)), Reports: []Report{holds(boreal, at(1, 7)), holds(merid, at(1, 8))}}, want: Behind, source: merid, era: 1, from: 5, to: 8},
		"it heals the older era first":                      {g: Guard{Store: at(1, 5), Mark: pointer(at(2, 2)), Reports: []Report{holds(boreal, at(1, 7), at(2, 3))}}, want: Behind, source: boreal, era: 1, from: 5, to: 7},
		"then the next era from its start":                  {g: Guard{Store: at(1, 7), Mark: pointer(at(2, 2)), Reports: []Report{holds(boreal, at(1, 7), at(2, 3))}}, want: Behind, source: boreal, era: 2, to: 3},
		"behind the mark and nobody answers":                {g: Guard{Store: at(1, 5), Mark: pointer(at(1, 9)), Mirrors: mirrors}, want: Hold, after: 100 * time.Hour},
		"behind the mark, the counterpart lacks it too":     {g: Guard{Store: at(1, 8), Mark: pointer(at(1, 9)), Reports: []Report{holds(boreal, at(1, 8))}}, want: NextEra, lost: at(1, 9)},
		"but a silent mirror is given time":                 {g: Guard{Store: at(1, 8), Mark: pointer(at(1, 9)), Mirrors: mirrors, Reports: []Report{holds(boreal, at(1, 8))}}, want: Hold},
		"and not for ever":                                  {g: Guard{Store: at(1, 8), Mark: pointer(at(1, 9)), Mirrors: mirrors, Reports: []Report{holds(boreal, at(1, 8))}}, want: NextEra, lost: at(1, 9), after: MirrorPatience},
		"a pending head whose entries nobody holds":         {g: Guard{Store: at(1, 8), Mark: pointer(at(1, 8)), Reports: []Report{knows(boreal, at(1, 11))}}, want: NextEra, lost: at(1, 11)},
		"two histories":                                     {g: Guard{Store: at(1, 8), Mark: pointer(at(1, 8)), Reports: []Report{holds(boreal, forked(1, 8))}}, want: NextEra, lost: forked(1, 8)},
		"a mark of another history":                         {g: Guard{Store: at(1, 8), Mark: pointer(forked(1, 8))}, want: NextEra, lost: forked(1, 8)},
		"a proven fork at another size":                     {g: Guard{Store: at(1, 8), Mark: pointer(at(1, 8)), Forked: []Point{forked(1, 5)}}, want: NextEra, lost: forked(1, 5)},
		"no mark, no mirror: officers":                      {g: Guard{Store: at(1, 8), Reports: []Report{holds(boreal, at(1, 8))}}, want: NextEra, officers: true},
		"no mark: the counterpart alone never clears":       {g: Guard{Store: at(1, 8), Mirrors: mirrors, Reports: []Report{holds(boreal, at(1, 8))}}, want: Hold, after: 100 * time.Hour},
		"no mark: nor does a mirror alone":                  {g: Guard{Store: at(1, 8), Mirrors: mirrors, Reports: []Report{holds(merid, at(1, 8))}}, want: Hold},
		"no mark: both agree":                               {g: Guard{Store: at(1, 8), Mirrors: mirrors, Reports: []Report{holds(boreal, at(1, 8)), holds(merid, at(1, 8))}}, want: Pass},
		"no mark: both agree below the store":               {g: Guard{Store: at(1, 9), Mirrors: mirrors, Reports: []Report{holds(boreal, at(1, 8)), holds(merid, at(1, 8))}}, want: Pass},
		"no mark: they differ":                              {g: Guard{Store: at(1, 8), Mirrors: mirrors, Reports: []Report{holds(boreal, at(1, 8)), holds(merid, at(1, 7))}}, want: Hold},
		"no mark: the counterpart understates":              {g: Guard{Store: at(1, 8), Mirrors: mirrors, Reports: []Report{holds(boreal, at(1, 8)), holds(merid, at(1, 12))}}, want: Behind, source: merid, era: 1, from: 8, to: 12},
		"no mark: a mirror without a copy clears nothing":   {g: Guard{Store: at(1, 8), Mirrors: mirrors, Reports: []Report{{From: boreal}, {From: merid}}}, want: NextEra, officers: true},
		"no mark: the counterpart named twice is still one": {g: Guard{Store: at(1, 8), Mirrors: []identity.Station{boreal}, Reports: []Report{holds(boreal, at(1, 8))}}, want: NextEra, officers: true},
	} {
		t.Run(name, func(t *testing.T) {
			c.g.Line, c.g.Writer, c.g.Counterpart, c.g.Asked = abLine, arden, boreal, start
			d := c.g.Decide(start.Add(c.after))
			if d.Verdict != c.want || d.Source != c.source || d.From != c.from || d.To != c.to || d.Officers != c.officers || d.Lost != c.lost {
				t.Fatalf("%+v", d)
			}
			if d.Verdict == Behind && d.Origin != abLine.Log(arden, c.era) {
				t.Errorf("it heals %s", d.Origin)
			}
			if d.Reason == "" || d.Verdict != Pass && d.Next == "" {
				t.Errorf("no reason or next step: %+v", d)
			}
		})
	}
}

// covers P6, P18: with no fault but silence a station with a good mark starts,
// and without any mark nothing that the counterpart alone says lets it start,
// tried over all small cases.
func TestGuardOverSmallWorlds(t *testing.T) {
	for store := range int64(4) {
		for counterpart := int64(-1); counterpart < 4; counterpart++ {
			g := Guard{Line: abLine, Writer: arden, Counterpart: boreal, Store: at(1, store), Asked: start}
			if counterpart >= 0 {
				g.Reports = []Report{holds(boreal, at(1, counterpart))}
			}
			for _, mirrors := range [][]identity.Station{nil, {merid}} {
				g.Mirrors = mirrors
				if v := g.Decide(start.Add(1000 * time.Hour)).Verdict; v == Pass {
					t.Errorf("store %d, counterpart %d, no mark: pass", store, counterpart)
				}
			}
			g.Mark = pointer(at(1, store))
			if v := g.Decide(start).Verdict; counterpart <= store && v != Pass {
				t.Errorf("store %d, counterpart %d, mark: %s", store, counterpart, v)
			}
		}
	}
}
