package station_test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// strangers are two stations whose operators have listed their officers and
// taken each other's cards, and nothing more.
func strangers(t *testing.T) (a, b stationtest.End) {
	t.Helper()
	for _, c := range []struct {
		name   string
		code   identity.Code
		reader identity.Station
	}{{"arden.example", "ARD", bor}, {"boreal.example", "BOR", arden}} {
		cast, err := stationtest.NewCast(rand.Reader, start, c.name, c.code, c.reader)
		if err != nil {
			t.Fatal(err)
		}
		e := open(t, start, cast, t.TempDir())
		t.Cleanup(func() {
			if err := e.Close(start); err != nil {
				t.Error(err)
			}
		})
		for _, o := range cast.Officers {
			if _, err := e.AddOfficer(ctx, op, start, "officer "+o.Pseudonym, o.Certificate); err != nil {
				t.Fatal(err)
			}
		}
		a, b = b, e
	}
	for _, e := range [][2]stationtest.End{{a, b}, {b, a}} {
		if _, err := e[0].AddPeer(ctx, op, start, e[1].Cast.RootInfo, e[1].Cast.Bundle); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// word is the state word of a peer, as the store has it.
func word(t *testing.T, e stationtest.End, peer identity.Station) string {
	t.Helper()
	list, err := e.Peers(ctx, op)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(p station.Peer) bool { return p.Station == peer })
	if i < 0 {
		return ""
	}
	return list[i].State
}

// hear types what the other side reads aloud.
func hear(e, other stationtest.End) error {
	groups, err := other.Digits(ctx, op, e.Name())
	if err != nil {
		return err
	}
	half := identity.EvenHalf(groups)
	if other.ReadsOdd(e.Name()) {
		half = identity.OddHalf(groups)
	}
	_, err = e.CheckDigits(ctx, op, start, other.Name(), half)
	return err
}

// confirmation is what an officer signs of a peer.
func confirmation(t *testing.T, e stationtest.End, o stationtest.Officer, peer identity.Station, change func(*identity.Request)) identity.Approval {
	t.Helper()
	r, err := e.PeerRequest(ctx, op, peer, "releasing", start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&r)
	}
	a, err := o.Sign(r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Two officers who stand on the station's list, after the digits, over the
// cards that are held, each once: nothing less confirms a peer.
// covers P8
func TestPairing(t *testing.T) {
	a, b := strangers(t)
	first, second := a.Cast.Officers[0], a.Cast.Officers[1]
	confirm := func(g identity.Approval) error {
		_, err := a.ConfirmPeer(ctx, op, start, bor, g)
		return err
	}
	if w := word(t, a, bor); w != station.PeerHeld {
		t.Errorf("with the card: %q", w)
	}
	if err := confirm(confirmation(t, a, first, bor, nil)); !errors.Is(err, station.ErrConflict) {
		t.Errorf("before the digits: %v", err)
	}
	groups, err := a.Digits(ctx, op, bor)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.CheckDigits(ctx, op, start, bor, identity.OddHalf(groups)); !errors.Is(err, station.ErrRefused) || word(t, a, bor) != station.PeerHeld {
		t.Errorf("its own half, which it reads: %v, %q", err, word(t, a, bor))
	}
	if err := hear(a, b); err != nil || word(t, a, bor) != station.PeerDigits {
		t.Fatalf("%v, %q", err, word(t, a, bor))
	}
	outsider, err := a.Cast.NewOfficer("ARD-77", []string{"releasing"})
	if err != nil {
		t.Fatal(err)
	}
	revoked := a.Cast.Officers[2]
	if err := a.RevokeOfficer(ctx, op, start, revoked.Pseudonym); err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]identity.Approval{
		"not on the list": confirmation(t, a, outsider, bor, nil),
		"revoked":         confirmation(t, a, revoked, bor, nil),
		"other cards":     confirmation(t, a, second, bor, func(r *identity.Request) { r.Body = identity.Sum(nil) }),
		"for ever":        confirmation(t, a, second, bor, func(r *identity.Request) { r.Expires = time.Time{} }),
		"a release":       confirmation(t, a, second, bor, func(r *identity.Request) { r.Decision = "approve" }),
	} {
		if err := confirm(g); !errors.Is(err, station.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	given := confirmation(t, a, first, bor, nil)
	for range 2 {
		if err := confirm(given); err != nil || word(t, a, bor) != station.PeerDigits {
			t.Errorf("one officer: %v, %q", err, word(t, a, bor))
		}
	}
	if err := confirm(confirmation(t, a, second, bor, nil)); err != nil || word(t, a, bor) != station.PeerConfirmed {
		t.Errorf("the second officer: %v, %q", err, word(t, a, bor))
	}
}

// A confirmation serves one ceremony: after a hold the same officers sign anew.
// covers P8
func TestConfirmationServesOnce(t *testing.T) {
	a, b := strangers(t)
	if err := hear(a, b); err != nil {
		t.Fatal(err)
	}
	var given []identity.Approval
	for _, o := range a.Cast.Officers[:2] {
		given = append(given, confirmation(t, a, o, bor, nil))
		if _, err := a.ConfirmPeer(ctx, op, start, bor, given[len(given)-1]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.HoldPeer(ctx, op, start, bor); err != nil || word(t, a, bor) != station.PeerStopped {
		t.Fatalf("%v, %q", err, word(t, a, bor))
	}
	if err := hear(a, b); err != nil {
		t.Fatal(err)
	}
	for _, g := range given {
		if _, err := a.ConfirmPeer(ctx, op, start, bor, g); !errors.Is(err, station.ErrRefused) {
			t.Errorf("it served again: %v", err)
		}
	}
	if w := word(t, a, bor); w != station.PeerDigits {
		t.Errorf("%q", w)
	}
}

// Another root or other cards for a confirmed peer put its lines on hold, with
// an alarm, until the whole ceremony was gone through again.
// covers P16
func TestKeyChangeHoldsTheLine(t *testing.T) {
	a, b, l := pair(t)
	other, err := stationtest.NewCast(rand.Reader, start, "boreal.example", "BOR", arden)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddPeer(ctx, op, start, other.RootInfo, other.Bundle); !errors.Is(err, station.ErrRefused) {
		t.Errorf("cards that give a log in use another key: %v", err)
	}
	if w := word(t, a, bor); w != station.PeerStopped {
		t.Errorf("after it: %q", w)
	}
	for _, verb := range []line.Op{line.OpHeads, line.OpTile, line.OpCards, line.OpDeliver} {
		if r := a.Handle(ctx, start, line.Request{Op: verb, Peer: bor, Origin: l.Log(arden, 1)}); r.Status != http.StatusServiceUnavailable {
			t.Errorf("%v is answered with %d while nobody has confirmed the cards", verb, r.Status)
		}
	}
	events, err := a.EventsAfter(ctx, op, 0, 1000)
	if err != nil || !slices.ContainsFunc(events, func(e station.Event) bool { return e.Kind == "alarm" && e.Ref == string(bor) }) {
		t.Errorf("no alarm: %v", err)
	}
	now := start.Add(time.Minute)
	out := draft600(t, a, now, station.Draft{Line: l})
	if err := a.Approve(ctx, now, out.ID, 2); err != nil {
		t.Fatal(err)
	}
	if q := queued(t, a, now, out.ID); q.State != station.Waiting || !strings.Contains(q.Reason, "held") {
		t.Errorf("%+v", q)
	}
	theirs, err := b.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=are you there")
	if err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, now, l, a); err != nil {
		t.Fatal(err)
	}
	if err := hear(a, b); err != nil {
		t.Fatal(err)
	}
	for _, o := range a.Cast.Officers[:2] {
		if _, err := a.ConfirmPeer(ctx, op, now, bor, confirmation(t, a, o, bor, nil)); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Minute)
	if err := a.Tick(ctx, now); err != nil {
		t.Fatal(err)
	}
	arrives(t, l, a, b, now, out.ID)
	arrives(t, l, b, a, now, theirs.ID)
}

var readTest = []string{"test_no=2026-11-23T14:00:00Z", "text_id=T1", "check_groups=4F2A 91C7 0B3E", "bearer=direct"}

// A line test that was read back proves a line; a new line is not proven by
// another's.
func TestLinesProven(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	test, err := a.Say(ctx, now, station.Draft{Line: l, Format: "010"}, readTest...)
	if err != nil {
		t.Fatal(err)
	}
	arrives(t, l, a, b, now, test.ID)
	if w := word(t, a, bor); w != station.PeerConfirmed {
		t.Errorf("before the read-back: %q", w)
	}
	back, err := b.Say(ctx, now, station.Draft{Line: l, Format: "011", Refs: []message.ID{test.ID}}, "read_back=4F2A 91C7 0B3E", "received=2026-11-23T14:00:03Z", "quality=clear")
	if err != nil {
		t.Fatal(err)
	}
	arrives(t, l, b, a, now, back.ID)
	if w := word(t, a, bor); w != station.PeerProven {
		t.Errorf("after the read-back: %q", w)
	}
	lines, err := a.Lines(ctx, op)
	if err != nil || lines[0].State != station.PeerProven {
		t.Errorf("%+v, %v", lines, err)
	}
	for _, class := range []identity.Class{identity.Technical, identity.Leadership} {
		more, err := identity.NewLine(arden, bor, class)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []stationtest.End{a, b} {
			if err := e.OpenLine(ctx, now, more, station.DefaultTerms()); err != nil {
				t.Fatal(err)
			}
			if err := e.Tick(ctx, now); err != nil {
				t.Fatal(err)
			}
		}
		if err := stationtest.Settle(ctx, now, more, a, b); err != nil {
			t.Fatal(err)
		}
		out, err := a.Say(ctx, now, station.Draft{Line: more, Format: "600"}, "text=good day")
		if err != nil {
			t.Fatal(err)
		}
		arrives(t, more, a, b, now, out.ID)
		checkLine(t, more, a, b)
	}
	if w := word(t, a, bor); w != station.PeerConfirmed {
		t.Errorf("with lines that nothing has proven: %q", w)
	}
}

// What shows a ceremony, a fold or the next log asks who looks, and a refusal
// stands in the audit trail.
// covers P8
func TestLookingNeedsARole(t *testing.T) {
	v, h := duo(t)
	nobody := station.Actor{Name: "a stranger"}
	reader := station.Actor{Name: "a reader", Roles: []string{station.RoleRead}}
	for act, look := range map[string]func(station.Actor) error{
		"state":        func(a station.Actor) error { _, err := v.State(ctx, a, v.line); return err },
		"peer digits":  func(a station.Actor) error { _, err := v.Digits(ctx, a, h.Name()); return err },
		"peer confirm": func(a station.Actor) error { _, err := v.PeerRequest(ctx, a, h.Name(), "watch", start); return err },
		"era open":     func(a station.Actor) error { _, err := v.NextLog(ctx, a, v.line); return err },
	} {
		if err := look(nobody); !errors.Is(err, station.ErrRefused) {
			t.Errorf("%s by nobody: %v", act, err)
		}
		if err := look(reader); errors.Is(err, station.ErrRefused) != (act == "era open") {
			t.Errorf("%s by a reader: %v", act, err)
		}
		if err := look(op); err != nil {
			t.Errorf("%s by the operator: %v", act, err)
		}
		v.view(func(tx station.Tx) error {
			lines, err := tx.Audits(1, 1000)
			if !slices.ContainsFunc(lines, func(a station.Audit) bool {
				return a.Act == act && a.Result == "refused" && a.Actor == nobody.Name
			}) {
				t.Errorf("%s: no refusal in the audit trail", act)
			}
			return err
		})
	}
}
