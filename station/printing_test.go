package station_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/watch"
)

// A message is printed by printers alone, in the languages asked for, with its
// marking and citation; who prints it has read it, and what fails is audited.
// covers P16
func TestPrintMessage(t *testing.T) {
	var pages []station.Page
	jam := errors.New("the paper is out")
	outlets := fakeOutlets{named: []station.OutletName{{Name: "mail", Class: watch.Mail}, {Name: "paper", Class: watch.Printer}}, print: func(_ string, p station.Page) error {
		if p.Lang == "fr" {
			return jam
		}
		pages = append(pages, p)
		return nil
	}, tell: func(string, station.Telling) error { return nil }}
	g := newGuardhouse(t, station.Watch{}, station.Watch{Outlets: outlets}, 0)
	sent := flash(t, g.now, g.line, g.a, g.b)
	officer := officerActor("BOR-01")
	for name, c := range map[string]struct {
		who    station.Actor
		id     message.ID
		outlet string
		kind   error
	}{
		"no printer":          {officer, sent.ID, "mail", station.ErrInvalid},
		"no such outlet":      {officer, sent.ID, "horn", station.ErrNotFound},
		"no such message":     {officer, message.ID{9}, "paper", station.ErrNotFound},
		"no role that reads":  {station.Actor{Name: "draft", Roles: []string{station.RoleDraft}}, sent.ID, "paper", station.ErrRefused},
		"a language is wrong": {officer, sent.ID, "paper", station.ErrInvalid},
	} {
		langs := []book.Lang{"en"}
		if strings.Contains(name, "language") {
			langs = []book.Lang{"xx"}
		}
		if n, err := g.b.PrintMessage(ctx, c.who, g.now, c.id, c.outlet, langs...); !errors.Is(err, c.kind) || n != 0 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	if n, err := g.b.PrintMessage(ctx, officer, g.now, sent.ID, "paper", "en", "fr"); !errors.Is(err, jam) || n != 1 || !strings.Contains(err.Error(), "fr") {
		t.Errorf("a printer that jams: %d, %v", n, err)
	}
	unread := func() int {
		n, err := g.b.WatchNow(ctx, officer, g.now)
		if err != nil {
			t.Fatal(err)
		}
		return n.Unread[message.Flash]
	}
	if unread() != 1 {
		t.Error("what failed to be printed counts as read")
	}
	pages = nil
	if n, err := g.b.PrintMessage(ctx, officer, g.now, sent.ID, "paper", "en", "ar"); err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	p := pages[0]
	if len(pages) != 2 || !strings.HasPrefix(p.Citation, "ARD/BOR-N1-") || p.Marking.TLP == "" || p.Level != message.Flash || !strings.Contains(p.Text, "grid.example") || pages[1].Text == p.Text || pages[1].ID == p.ID {
		t.Errorf("%+v", pages)
	}
	if unread() != 0 {
		t.Error("what was printed counts as unread")
	}
	checkAudit(t, g.b, "print")
	checkRefused(t, g.b, "print", sent.ID)
}

// An outlet that is down is tried again, twice as long after each time and never
// more seldom than every five minutes, and for a day at most; then its notice is
// dropped and counted. What cannot help is not tried again.
// covers P16
func TestOutletBackoff(t *testing.T) {
	outlets := fakeOutlets{named: []station.OutletName{{Name: "mail", Class: watch.Mail}}}
	g := newGuardhouse(t, station.Watch{}, station.Watch{Outlets: outlets}, 0)
	raise := func() {
		t.Helper()
		flash(t, g.now, g.line, g.a, g.b)
		g.to(g.now)
	}
	state := func() station.OutletState {
		t.Helper()
		list, err := g.b.Outlets(ctx, stationtest.Operator())
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		return list[0]
	}
	next := func(now time.Time) (station.Telling, bool) {
		t.Helper()
		list, err := g.b.Tellings(ctx, now)
		if err != nil || len(list) > 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if len(list) == 0 {
			return station.Telling{}, false
		}
		return list[0], true
	}
	raise()
	down := errors.New("connection refused")
	now, wait, tries := g.now, 5*time.Second, 0
	for state().Waiting > 0 && tries < 1000 {
		n, ok := next(now)
		if !ok {
			t.Fatalf("after %d tries and %s it is not told again", tries, now.Sub(g.now))
		}
		if err := g.b.Told(ctx, now, n, down, false); err != nil {
			t.Fatal(err)
		}
		tries++
		if _, ok := next(now.Add(wait - time.Second)); ok {
			t.Fatalf("it is told again less than %s after try %d", wait, tries)
		}
		now, wait = now.Add(wait), min(2*wait, 5*time.Minute)
	}
	if s := state(); s.Dropped != 1 || s.Failed != int64(tries) || s.Error == "" || now.Sub(g.now) < 24*time.Hour || now.Sub(g.now) > 25*time.Hour {
		t.Errorf("after %s and %d tries: %+v", now.Sub(g.now), tries, s)
	}
	g.to(g.now.Add(time.Minute))
	raise()
	n, ok := next(g.now)
	if !ok {
		t.Fatal("what is new is not told")
	}
	if err := g.b.Told(ctx, g.now, n, station.ErrInvalid, true); err != nil {
		t.Fatal(err)
	}
	if s := state(); s.Dropped != 2 || s.Waiting != 0 {
		t.Errorf("what cannot be told waits: %+v", s)
	}
}
