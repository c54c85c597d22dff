package station_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/station"
)

// reissued is the bundle of a side with its card changed.
func reissued(t *testing.T, s *side, change func(*identity.Card)) identity.Bundle {
	t.Helper()
	card := s.Cast.Card
	change(&card)
	b := s.Cast.Bundle
	var err error
	if b.Station, err = identity.EndorseCard(s.Cast.Root, card); err != nil {
		t.Fatal(err)
	}
	return b
}

// otherCosigner gives a card a later serial and another cosigner key.
func otherCosigner(t *testing.T, s *side) func(*identity.Card) {
	t.Helper()
	key, err := identity.GenerateKey(identity.UseCosigner, s.random())
	if err != nil {
		t.Fatal(err)
	}
	return func(c *identity.Card) { c.Serial, c.Cosigner = c.Serial+1, key.Public() }
}

// heldFor checks that a side holds its lines with the other, with an alarm and a
// refusal in the audit trail, and that the pinned cosigner key is the old one.
func heldFor(t *testing.T, v, h *side, act string) {
	t.Helper()
	if w := word(t, v.End, h.Name()); w != station.PeerStopped {
		t.Errorf("the peer is %q", w)
	}
	events, err := v.EventsAfter(ctx, op, 0, 1000)
	if err != nil || !slices.ContainsFunc(events, func(e station.Event) bool { return e.Kind == "alarm" && e.Ref == string(h.Name()) }) {
		t.Errorf("no alarm: %v", err)
	}
	v.view(func(tx station.Tx) error {
		lines, err := tx.Audits(1, 1000)
		if !slices.ContainsFunc(lines, func(a station.Audit) bool {
			return a.Act == act && a.Result == "refused" && strings.Contains(a.Detail, "cosigner key")
		}) {
			t.Errorf("no refusal in the audit trail")
		}
		row, errPeer := tx.Peer(h.Name())
		b, errBundle := identity.ParseBundle(row.Bundle)
		if string(b.Station) != string(h.Cast.Bundle.Station) {
			t.Error("the pinned card is another one")
		}
		return errors.Join(err, errPeer, errBundle)
	})
}

// A card with another cosigner key would leave receipts that no longer verify:
// it is refused and the line is held, whichever road it came by.
// covers P16
func TestCosignerKeyIsForLife(t *testing.T) {
	now := start.Add(time.Minute)
	t.Run("on the line", func(t *testing.T) {
		v, h := duo(t)
		if got := show(t, v, h, now, reissued(t, h, otherCosigner(t, h))); got != http.StatusForbidden {
			t.Errorf("the card is answered %d", got)
		}
		heldFor(t, v, h, "cards")
		if r := v.Handle(ctx, now, line.Request{Op: line.OpHeads, Peer: h.Name()}); r.Status != http.StatusServiceUnavailable {
			t.Errorf("a held peer is answered %d", r.Status)
		}
	})
	t.Run("by another road", func(t *testing.T) {
		v, h := duo(t)
		if _, err := v.AddPeer(ctx, op, now, h.Cast.RootInfo, reissued(t, h, otherCosigner(t, h))); !errors.Is(err, station.ErrRefused) {
			t.Errorf("the card was taken: %v", err)
		}
		heldFor(t, v, h, "peer add")
	})
	t.Run("its own", func(t *testing.T) {
		v, _ := duo(t)
		if _, _, err := v.Cast.NextEra(v.log()); err != nil {
			t.Fatal(err)
		}
		cards := reissued(t, v, otherCosigner(t, v))
		next := v.line.Log(v.Name(), 2)
		err := v.OpenEra(ctx, op, now, v.line, station.EraByChoice, cards, v.Cast.RootInfo.Key, v.Cast.Keys.Logs[next])
		if !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), "cosigner key") {
			t.Errorf("the station took it: %v", err)
		}
	})
}

// Two cards that differ do not have one serial; a card that was endorsed twice
// is one card.
// covers P16
func TestASerialIsOfOneCard(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	if got := show(t, v, h, now, reissued(t, h, func(c *identity.Card) { c.Endpoints = []string{"https://198.51.100.7:8443"} })); got != http.StatusForbidden {
		t.Errorf("another card of the same serial is answered %d", got)
	}
	if got := v.EndpointsOf(h.Name()); got[0] != h.Cast.Card.Endpoints[0] {
		t.Errorf("it was taken: %v", got)
	}
	if w := word(t, v.End, h.Name()); w == station.PeerStopped {
		t.Errorf("the peer is %q", w)
	}
	if _, err := v.AddPeer(ctx, op, now, h.Cast.RootInfo, reissued(t, h, func(*identity.Card) {})); err != nil {
		t.Errorf("the same card by another road: %v", err)
	}
	v, h = duo(t)
	if _, err := v.AddPeer(ctx, op, now, h.Cast.RootInfo, reissued(t, h, func(c *identity.Card) { c.Endpoints = []string{"https://198.51.100.7:8443"} })); !errors.Is(err, station.ErrRefused) {
		t.Errorf("another card of the same serial by another road: %v", err)
	}
	v, h = duo(t)
	if got := show(t, v, h, now, reissued(t, h, func(*identity.Card) {})); got != http.StatusOK {
		t.Errorf("the same card, endorsed once more, is answered %d", got)
	}
}

// A newer card that leaves a log in use without its key would make what that log
// said unprovable: it is refused on the line, with the reason, and the pinned one
// stays in use; by another road it holds the lines as well.
// covers P16 P19
func TestACardKeepsItsLogs(t *testing.T) {
	drops := func(c *identity.Card) { c.Serial, c.Logs = c.Serial+1, nil }
	v, h := duo(t)
	now := start.Add(time.Minute)
	pinned := func() string {
		var bundle []byte
		v.view(func(tx station.Tx) error {
			row, err := tx.Peer(h.Name())
			bundle = row.Bundle
			return err
		})
		return string(bundle)
	}
	before := pinned()
	body, err := line.Cards{Bundle: reissued(t, h, drops).Bytes()}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	r := v.Handle(ctx, now, line.Request{Op: line.OpCards, Peer: h.Name(), Body: body})
	if r.Status != http.StatusForbidden || !strings.Contains(string(r.Body), h.log().String()) || !strings.Contains(string(r.Body), "keeps its keys for life") {
		t.Errorf("the card is answered %d: %s", r.Status, r.Body)
	}
	if pinned() != before {
		t.Error("it was pinned")
	}
	if w := word(t, v.End, h.Name()); w == station.PeerStopped {
		t.Errorf("the peer is %q", w)
	}
	events, err := v.EventsAfter(ctx, op, 0, 1000)
	if err != nil || !slices.ContainsFunc(events, func(e station.Event) bool {
		return e.Kind == "alarm" && strings.Contains(e.Text, "no key, and it is in use")
	}) {
		t.Errorf("no alarm: %v", err)
	}
	v.view(func(tx station.Tx) error {
		lines, err := tx.Audits(1, 1000)
		if !slices.ContainsFunc(lines, func(a station.Audit) bool {
			return a.Act == "cards" && a.Result == "refused" && strings.Contains(a.Detail, "no key, and it is in use")
		}) {
			t.Error("no refusal in the audit trail")
		}
		return err
	})
	if got := show(t, v, h, now, reissued(t, h, func(c *identity.Card) { c.Serial++ })); got != http.StatusOK {
		t.Errorf("a card that keeps the log is answered %d", got)
	}
	if _, err := v.AddPeer(ctx, op, now, h.Cast.RootInfo, reissued(t, h, func(c *identity.Card) { c.Serial, c.Logs = c.Serial+2, nil })); !errors.Is(err, station.ErrRefused) {
		t.Errorf("by another road: %v", err)
	}
	if w := word(t, v.End, h.Name()); w != station.PeerStopped {
		t.Errorf("the peer is %q", w)
	}
}
