package station_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/dossier"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/watch"
)

// digestsOf lists the digests of the state on a line, by who wrote them, the
// oldest first.
func (g *guardhouse) digestsOf(e stationtest.End) (list []station.Read) {
	g.t.Helper()
	all, err := e.List(ctx, stationtest.Operator(), g.now, 0, 500)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, m := range slices.Backward(all) {
		if m.Format == "022" {
			list = append(list, m)
		}
	}
	return list
}

// inquire lets a station ask the other one about something, and returns the
// message.
func (g *guardhouse) inquire(e stationtest.End) message.ID {
	g.t.Helper()
	out, err := e.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600"}, "text=one more thing")
	if err != nil {
		g.t.Fatal(err)
	}
	return out.ID
}

// Both sides give one digest a day, of the same logs and second, and have the
// same one day after day, whatever was said meanwhile and however often they
// start anew.
// covers P10, P16
func TestStatesEqualDayAfterDay(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Digests: true}, station.Watch{Digests: true}, 0)
	const days = 4
	for day := range days {
		g.inquire(g.a)
		g.to(g.now.Add(time.Minute))
		g.inquire(g.b)
		if day == 2 {
			if err := g.a.Close(g.now); err != nil {
				t.Fatal(err)
			}
			g.a = openWatch(t, g.now, g.a.Cast, g.dirs[0], g.wa)
			g.to(g.now) // the guard is passed again
		}
		for range 3 {
			g.to(g.now.Add(8 * time.Hour))
		}
	}
	by := make(map[string]int)
	list := g.digestsOf(g.a)
	for _, m := range list {
		by[string(m.Origin.Writer)]++
	}
	if by[string(arden)] != days || by[string(bor)] != days {
		t.Errorf("in %d days Arden gave %d digests and Boreal %d", days, by[string(arden)], by[string(bor)])
	}
	agreed := 0
	for _, m := range list {
		v, err := g.b.Matter(ctx, stationtest.Operator(), g.now, m.ID, time.Time{})
		if errors.Is(err, station.ErrNotFound) {
			continue // its receipt is not listed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if v.Stage == dossier.StateAgreed {
			agreed++
		} else if v.Stage == dossier.StateDiffers {
			t.Errorf("as of %s the two sides differ", m.Entry.Body.Body().Params["at"])
		}
	}
	if agreed < 2*days-2 { // of the newest two the receipts are not listed yet
		t.Errorf("%d of %d digests are agreed", agreed, len(list))
	}
	for _, e := range []stationtest.End{g.a, g.b} {
		g.stands(e, watch.StateDiffers, false)
	}
}

// otherClocks is a book that gives more time to answer one format.
type otherClocks struct {
	dossier.Book
	format message.Format
}

func (b otherClocks) Forms() []dossier.Form {
	forms := slices.Clone(b.Book.Forms())
	for i := range forms {
		if forms[i].Format != b.format {
			continue
		}
		clocks := make(map[message.Precedence]dossier.Clocks)
		for p, c := range forms[i].Clocks {
			c.Understood += time.Hour
			clocks[p] = c
		}
		forms[i].Clocks = clocks
	}
	return forms
}

// A station that folds one format otherwise than the other is found out with the
// next digest, and both sides name the message that they differ on first; when it
// folds as it should, the alarm ends.
// covers P10, P16
func TestStatesPartAtNamedEvent(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Digests: true}, station.Watch{Digests: true}, 0)
	for range 3 {
		g.to(g.now.Add(24 * time.Hour))
		if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "024"}, "status=manned", "languages=en", "lines="+g.line.String(), "until="+g.now.Add(48*time.Hour).UTC().Format(time.RFC3339)); err != nil {
			t.Fatal(err)
		}
		g.to(g.now.Add(time.Minute))
	}
	first := g.inquire(g.b)
	for range 9 {
		g.to(g.now.Add(time.Hour))
		g.inquire(g.a)
	}
	station.FoldBy(g.b.Station, otherClocks{dossier.ByEdition(g.b.Cast.Book), "600"})
	g.to(g.now.Add(26 * time.Hour))
	for range 60 {
		g.to(g.now.Add(time.Second))
	}
	m, err := g.a.ReadMessage(ctx, stationtest.Operator(), g.now, first)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []stationtest.End{g.a, g.b} {
		a := g.alarm(e, watch.StateDiffers)
		if a == nil || !a.Stands() || a.Ref != m.Citation {
			t.Errorf("%s: the alarm is %+v, and the first difference is %s", e.Name(), a, m.Citation)
		}
	}
	before := len(g.digestsOf(g.a))
	g.to(g.now.Add(time.Minute))
	if got := len(g.digestsOf(g.a)); got != before {
		t.Errorf("after the event was named %d more digests were sent", got-before)
	}
	g.to(g.now.Add(24 * time.Hour))
	for range 10 {
		g.to(g.now.Add(time.Second))
	}
	if got := len(g.digestsOf(g.a)); got-before > 8 {
		t.Errorf("a day later, the event being known, %d digests were sent", got-before)
	}
	station.FoldBy(g.b.Station, dossier.ByEdition(g.b.Cast.Book))
	g.to(g.now.Add(24 * time.Hour))
	g.to(g.now.Add(time.Minute))
	g.stands(g.a, watch.StateDiffers, false)
	g.stands(g.b, watch.StateDiffers, false)
}

// A counterpart whose digest is of other logs than those that both hold is not
// answered: its message is what the two differ on. One that gives another digest
// of the right logs is answered with the true one, and the difference is alarmed.
// covers P10, P14
func TestStatesOfLyingPeer(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Digests: true}, station.Watch{}, 0)
	for len(g.digestsOf(g.b)) == 0 {
		g.to(g.now.Add(24 * time.Hour))
	}
	given := g.digestsOf(g.b)[0].Entry.Body.Body().Params
	value := func(name string) string { return strings.Trim(string(given[name]), `"`) }
	lie := func(root string) message.ID {
		t.Helper()
		id := g.say(g.b, "022", nil, "at="+g.now.UTC().Format(time.RFC3339), "own_era=1", "own_size="+value("peer_size"), "own_root="+root,
			"peer_era=1", "peer_size="+value("own_size"), "peer_root="+value("own_root"), "digest="+strings.Repeat("5e", 32))
		for range 2 {
			g.to(g.now.Add(time.Second))
		}
		return id
	}
	first := lie(strings.Repeat("1a", 32))
	m, err := g.a.ReadMessage(ctx, stationtest.Operator(), g.now, first)
	if err != nil {
		t.Fatal(err)
	}
	if a := g.alarm(g.a, watch.StateDiffers); a == nil || !a.Stands() || a.Ref != m.Citation {
		t.Errorf("the alarm of a digest of other logs is %+v, and it stands as %s", a, m.Citation)
	}
	if got := g.digestsOf(g.a); len(got) != 2 {
		t.Errorf("a digest of other logs was answered: %d", len(got))
	}
	second := lie(value("peer_root"))
	list := g.digestsOf(g.a)
	if len(list) != 4 || list[3].Origin.Writer != arden || !slices.Contains(list[3].Refs, second) || string(list[3].Entry.Body.Body().Params["digest"]) == `"`+strings.Repeat("5e", 32)+`"` {
		t.Fatalf("a false digest was answered by %+v", list)
	}
	if got := g.which(g.a, watch.StateDiffers); len(got) != 1 || !strings.HasPrefix(got[0], "as-of-") {
		t.Errorf("of a false digest the alarms stand: %q", got)
	}
}
