package station_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/watch"
)

// officerActor acts with an officer's own token.
func officerActor(pseudonym string) station.Actor {
	return station.Actor{Name: pseudonym, Roles: []string{station.RoleWatch, station.RoleRead, station.RoleDraft}}
}

// threeShifts is a roster of one desk with an officer a shift, from the Monday
// on which the tests begin.
func threeShifts(e stationtest.End) watch.Roster {
	r := watch.Roster{Station: e.Name(), Version: 1, Start: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Weeks: 1, Desks: []watch.Desk{{Name: "watch", Always: true}}}
	all := []time.Weekday{1, 2, 3, 4, 5, 6, 0}
	for i, shift := range []string{"night", "day", "evening"} {
		o := e.Cast.Officers[i].Pseudonym
		r.Officers = append(r.Officers, watch.Officer{Pseudonym: o, Languages: []book.Lang{"en"}, Roles: []string{"watch"}})
		r.Turns = append(r.Turns, watch.Turn{Days: all, Shift: shift, Desk: "watch", Officers: []string{o}})
	}
	return r
}

// withRoster gives an end three officers and a roster of three shifts.
func withRoster(t *testing.T, e stationtest.End) []stationtest.Officer {
	t.Helper()
	for len(e.Cast.Officers) < 3 {
		o, err := e.Cast.NewOfficer(fmt.Sprintf("%s-3%d", e.Own().Card.Code, len(e.Cast.Officers)), []string{"watch", "releasing"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.AddOfficer(ctx, op, start, o.Pseudonym, o.Certificate); err != nil {
			t.Fatal(err)
		}
		e.Cast.Officers = append(e.Cast.Officers, o)
	}
	if _, err := e.SetRoster(ctx, op, start, threeShifts(e).Bytes()); err != nil {
		t.Fatal(err)
	}
	return e.Cast.Officers[:3]
}

// A day of three shifts: who is on, who comes next, what the log book has of
// it, and what would go wrong.
// covers P16
func TestDayOfThreeShifts(t *testing.T) {
	a, _, _ := pair(t)
	officers := withRoster(t, a)
	for _, c := range []struct {
		hour    int
		on, in  int
		changes time.Duration
	}{{3, 0, 1, 8 * time.Hour}, {14, 1, 2, 16 * time.Hour}, {23, 2, 0, 24 * time.Hour}} {
		day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
		v, err := a.Roster(ctx, op, day.Add(time.Duration(c.hour)*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if len(v.On) != 1 || v.On[0].Officer != officers[c.on].Pseudonym || len(v.Next.In) != 1 || v.Next.In[0] != officers[c.in].Pseudonym || !v.Next.At.Equal(day.Add(c.changes)) {
			t.Errorf("at %d:00: %+v", c.hour, v)
		}
	}
	risks, err := a.Risks(ctx, op, start, 24*time.Hour)
	if err != nil || len(risks) == 0 || risks[0].Kind != watch.RiskFlash {
		t.Errorf("one officer alone at a FLASH is no risk: %+v, %v", risks, err)
	}
	for m := range 24 * 12 {
		if err := a.Tick(ctx, start.Add(time.Duration(m)*5*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := a.Log(ctx, op, start.Add(24*time.Hour), station.LogQuery{Kind: string(watch.LogShift)}, 0)
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines of shifts, %v", len(lines), err)
	}
	if want := "desk watch: goes " + officers[1].Pseudonym + "; comes " + officers[2].Pseudonym; lines[0].Remark.Text != want {
		t.Errorf("%q, not %q", lines[0].Remark.Text, want)
	}
	if n, err := a.CheckLog(ctx, op, start); err != nil || n < 3 {
		t.Errorf("log book: %d lines, %v", n, err)
	}
}

// A roster with holes and doubles is refused, each fault named, and only an
// operator sets one.
// covers P22
func TestRosterRefused(t *testing.T) {
	a, _, _ := pair(t)
	officers := withRoster(t, a)
	bad := threeShifts(a)
	bad.Version = 2
	bad.Turns = bad.Turns[1:]                                                                     // a hole each night
	bad.Turns[0].Officers = []string{officers[1].Pseudonym, officers[1].Pseudonym}                // a double
	bad.Leave = []watch.Leave{{Officer: "ARD-99", From: start, To: start.Add(-time.Hour)}}        // a stranger whose leave ends before it begins
	bad.Turns = append(bad.Turns, watch.Turn{Days: []time.Weekday{1}, Shift: "dawn", Desk: "no"}) // nothing that is known
	_, err := a.SetRoster(ctx, op, start, bad.Bytes())
	if !errors.Is(err, station.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	for _, says := range []string{"a hole", "stands twice in one shift", "ARD-99", "before it begins", `shift "dawn"`, `desk "no"`} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("the refusal does not name %q: %v", says, err)
		}
	}
	again := threeShifts(a)
	if _, err := a.SetRoster(ctx, op, start, again.Bytes()); !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), "does not follow") {
		t.Errorf("the same version again: %v", err)
	}
	again.Version = 2
	if _, err := a.SetRoster(ctx, officerActor(officers[0].Pseudonym), start, again.Bytes()); !errors.Is(err, station.ErrRefused) {
		t.Errorf("an officer set the roster: %v", err)
	}
	if l := lastRefusal(t, a); l.Act != "roster set" {
		t.Errorf("the audit trail says %+v", l)
	}
	if v, err := a.Roster(ctx, op, start); err != nil || v.Roster.Version != 1 {
		t.Errorf("after the refusals: version %d, %v", v.Roster.Version, err)
	}
}

// A swap changes nothing until the other officer has agreed, and nobody agrees
// for another.
// covers P22
func TestSwap(t *testing.T) {
	a, _, _ := pair(t)
	o := withRoster(t, a)
	day := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	first := watch.Slot{Officer: o[0].Pseudonym, Desk: "watch", Begin: day}
	second := watch.Slot{Officer: o[1].Pseudonym, Desk: "watch", Begin: day.Add(8 * time.Hour)}
	if _, err := a.AskSwap(ctx, officerActor(o[2].Pseudonym), start, first, second); !errors.Is(err, station.ErrRefused) {
		t.Errorf("a third officer asked: %v", err)
	}
	wrong := first
	wrong.Begin = day.Add(time.Hour)
	if _, err := a.AskSwap(ctx, officerActor(o[0].Pseudonym), start, wrong, second); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("a shift that nobody has: %v", err)
	}
	if _, err := a.AskSwap(ctx, officerActor(o[0].Pseudonym), start, first, second); err != nil {
		t.Fatal(err)
	}
	onAt := func(at time.Time) string {
		v, err := a.Roster(ctx, op, at)
		if err != nil || len(v.On) != 1 {
			t.Fatalf("%+v, %v", v.On, err)
		}
		return v.On[0].Officer
	}
	if got := onAt(day.Add(time.Hour)); got != o[0].Pseudonym {
		t.Errorf("on one officer's word %s is on", got)
	}
	for _, who := range []int{0, 2} {
		if _, err := a.AgreeSwap(ctx, officerActor(o[who].Pseudonym), start, 1); err == nil {
			t.Errorf("officer %d agreed for another", who)
		}
	}
	if _, err := a.AgreeSwap(ctx, officerActor(o[1].Pseudonym), start, 2); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("a swap that is none: %v", err)
	}
	if _, err := a.AgreeSwap(ctx, officerActor(o[1].Pseudonym), start, 1); err != nil {
		t.Fatal(err)
	}
	if got := onAt(day.Add(time.Hour)); got != o[1].Pseudonym {
		t.Errorf("after both agreed %s is on", got)
	}
	if _, err := a.AddLeave(ctx, op, start, watch.Leave{Officer: o[1].Pseudonym, From: day, To: day.Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if v, err := a.Roster(ctx, op, day.Add(time.Hour)); err != nil || len(v.On) != 0 {
		t.Errorf("an officer on leave is shown as on: %+v, %v", v.On, err)
	}
	if _, err := a.AddOverride(ctx, op, start, watch.Temporary{Desk: "watch", From: day, To: day.Add(2 * time.Hour), Officers: []string{o[2].Pseudonym}}, false); err != nil {
		t.Fatal(err)
	}
	if got := onAt(day.Add(time.Hour)); got != o[2].Pseudonym {
		t.Errorf("by the override %s is on", got)
	}
}

// flash lets a station send a FLASH, receipted by the other.
func flash(t *testing.T, now time.Time, l identity.Line, from, to stationtest.End) station.Outgoing {
	t.Helper()
	out, err := from.Say(ctx, now, station.Draft{Line: l, Format: "222", Precedence: message.Flash}, "activity=availability",
		"window=2026-11-24T04:00:00Z/2026-11-24T05:00:00Z", "assets=domain:grid.example", "certainty=likely")
	if err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, now, l, from, to); err != nil {
		t.Fatal(err)
	}
	return out
}

// signSheet lets an officer sign a proposed handover.
func signSheet(e stationtest.End, now time.Time, h station.Handover, o stationtest.Officer, role string) (station.Handover, error) {
	a, err := o.Sign(h.Sheet.Request(role))
	if err != nil {
		return station.Handover{}, err
	}
	return e.SignHandover(ctx, op, now, h.ID, a)
}

// No watch is handed over while a FLASH is unread, also not one that comes
// between proposal and signature; then one who goes and one who comes sign, and
// one officer cannot sign for both.
// covers P8 P16 P22
func TestHandover(t *testing.T) {
	a, b, l := pair(t)
	o := withRoster(t, a)
	now := time.Date(2026, 11, 23, 16, 2, 0, 0, time.UTC) // two minutes after the change
	first := flash(t, now, l, b, a)
	var unread *watch.UnreadFlashError
	if _, err := a.ProposeHandover(ctx, op, now, station.SheetDraft{}); !errors.Is(err, station.ErrRefused) || !errors.As(err, &unread) || !strings.Contains(err.Error(), "BOR/ARD-N1-") {
		t.Fatalf("with an unread FLASH: %v", err)
	}
	reader := station.Actor{Name: "console", Roles: []string{station.RoleRead}}
	if _, err := a.ReadMessage(ctx, reader, now, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ProposeHandover(ctx, op, now, station.SheetDraft{}); !errors.As(err, &unread) {
		t.Errorf("what a program reads counts as read by the watch: %v", err)
	}
	if _, err := a.ReadMessage(ctx, officerActor(o[1].Pseudonym), now, first.ID); err != nil {
		t.Fatal(err)
	}
	h, err := a.ProposeHandover(ctx, officerActor(o[1].Pseudonym), now, station.SheetDraft{Remarks: []watch.Remark{{Language: "en", Text: "voice is out"}}})
	if err != nil {
		t.Fatal(err)
	}
	if s := h.Sheet; s.Desk != "watch" || len(s.Out) != 1 || s.Out[0] != o[1].Pseudonym || s.In[0] != o[2].Pseudonym || len(s.Unacked) != 1 || len(s.Lines) != 1 {
		t.Fatalf("the sheet: %+v", s)
	}
	if h.Sheet.Deadlines == nil {
		t.Error("the FLASH is to be understood and answered, and no deadline is listed")
	}
	second := flash(t, now.Add(time.Minute), l, b, a)
	if _, err := signSheet(a, now.Add(time.Minute), h, o[1], "watch"); !errors.As(err, &unread) {
		t.Errorf("signed while a FLASH that came since is unread: %v", err)
	}
	if _, err := a.ReadMessage(ctx, op, now, second.ID); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	if got, err := signSheet(a, now, h, o[1], "watch"); err != nil || !got.Signed.IsZero() || got.Next == "" {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		who  stationtest.Officer
		role string
		says string
	}{
		"in another role":         {o[2], "releasing", "role watch"},
		"who neither comes":       {o[0], "watch", "neither goes nor comes"},
		"the counterpart's":       {b.Cast.Officers[0], "watch", ""},
		"a role that is not held": {o[2], "negotiating", ""},
	} {
		if _, err := signSheet(a, now, h, c.who, c.role); !errors.Is(err, station.ErrRefused) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	done, err := signSheet(a, now, h, o[2], "watch")
	if err != nil || done.Signed.IsZero() || len(done.Signers) != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	kept, err := a.Handover(ctx, op, now.AddDate(3, 0, 0), h.ID)
	if err != nil || string(kept.Sheet.Bytes()) != string(h.Sheet.Bytes()) || len(kept.Approvals) != 2 {
		t.Errorf("three years later: %+v, %v", kept, err)
	}
	lines, err := a.Log(ctx, op, now, station.LogQuery{Kind: string(watch.LogHandover)}, 0)
	if err != nil || len(lines) != 1 || lines[0].Ref != h.Sheet.Digest().String() {
		t.Errorf("the log book: %+v, %v", lines, err)
	}
	checkLine(t, l, a, b)
}

// One officer who both goes and comes cannot sign for both, and an old sheet is
// signed no more.
// covers P8
func TestHandoverOneOfficer(t *testing.T) {
	a, _, _ := pair(t)
	o := withRoster(t, a)
	draft := station.SheetDraft{Desk: "watch", Out: []string{o[0].Pseudonym}, In: []string{o[0].Pseudonym, o[1].Pseudonym}}
	h, err := a.ProposeHandover(ctx, op, start, draft)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := signSheet(a, start, h, o[0], "watch"); err != nil || !got.Signed.IsZero() {
		t.Fatalf("one officer signed for both: %+v, %v", got, err)
	}
	if got, err := signSheet(a, start, h, o[0], "watch"); err == nil && !got.Signed.IsZero() {
		t.Error("one officer signed for both by signing twice")
	}
	if _, err := signSheet(a, start.Add(station.SheetStands+time.Second), h, o[1], "watch"); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("a sheet of an hour ago: %v", err)
	}
	if _, err := a.ProposeHandover(ctx, op, start, station.SheetDraft{Desk: "watch", Out: []string{"ARD-99"}, In: []string{o[1].Pseudonym}}); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("somebody who is no officer here: %v", err)
	}
	if h, err = a.ProposeHandover(ctx, op, start.Add(time.Minute), draft); err != nil {
		t.Fatal(err)
	}
	if _, err := signSheet(a, start.Add(time.Minute), h, o[1], "watch"); err != nil {
		t.Fatal(err)
	}
	if got, err := signSheet(a, start.Add(time.Minute), h, o[0], "watch"); err != nil || got.Signed.IsZero() {
		t.Errorf("two officers: %+v, %v", got, err)
	}
}

// Who waits for a FLASH has not read it, and is told nothing of what it says.
// covers P16
func TestPeekOpensNothing(t *testing.T) {
	a, b, l := pair(t)
	withRoster(t, a)
	now := time.Date(2026, 11, 23, 16, 2, 0, 0, time.UTC)
	sent := flash(t, now, l, b, a)
	officer := officerActor("ARD-01")
	r, err := a.Peek(ctx, officer, now, sent.ID)
	if err != nil || !strings.HasPrefix(r.Citation, "BOR/ARD-N1-") || r.ID != sent.ID {
		t.Fatalf("%+v, %v", r, err)
	}
	if r.Plain != nil || r.Entry.Body.Bytes() != nil || r.Refs != nil {
		t.Errorf("a peek tells what the message says: %+v", r)
	}
	for _, opened := range []bool{false, true} {
		n, err := a.WatchNow(ctx, officer, now)
		if err != nil || len(n.Sheet.FlashUnread) == 0 != opened {
			t.Errorf("opened %v: unread are %v, %v", opened, n.Sheet.FlashUnread, err)
		}
		if _, err := a.ReadMessage(ctx, officer, now, sent.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Peek(ctx, officer, now, message.ID{7}); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("an unknown message: %v", err)
	}
	if _, err := a.Peek(ctx, station.Actor{Name: "draft", Roles: []string{station.RoleDraft}}, now, sent.ID); !errors.Is(err, station.ErrRefused) {
		t.Errorf("without a role that reads: %v", err)
	}
}
