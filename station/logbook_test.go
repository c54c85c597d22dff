package station_test

import (
	"errors"
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

// said submits messages that were composed, approves and delivers them.
func said(t *testing.T, now time.Time, l identity.Line, from, to stationtest.End, all ...station.Outgoing) {
	t.Helper()
	for _, out := range all {
		if out.State != station.Awaiting {
			continue
		}
		r, err := from.Release(ctx, op, now, out.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := from.Approve(ctx, now, out.ID, r.Need-r.Have); err != nil {
			t.Fatal(err)
		}
	}
	settleBoth(t, now, l, from, to)
}

// settleBoth delivers what waits, and lets both sides' logs list the receipts.
func settleBoth(t *testing.T, now time.Time, l identity.Line, ends ...stationtest.End) {
	t.Helper()
	if err := stationtest.Settle(ctx, now, l, ends...); err != nil {
		t.Fatal(err)
	}
	for _, e := range []int{1, 0} {
		if _, err := ends[e].Say(ctx, now.Add(time.Second), station.Draft{Line: l, Format: "600"}, "text=received"); err != nil {
			t.Fatal(err)
		}
		if err := stationtest.Settle(ctx, now.Add(time.Second), l, ends...); err != nil {
			t.Fatal(err)
		}
	}
}

func dutyDesk(entry, key string) watch.Contact {
	return watch.Contact{Entry: entry, Role: "watch", Body: "Duty desk", Languages: []book.Lang{"en"}, Always: true, Channels: []string{"tel:+99950100"}, Key: key,
		From: start, To: start.AddDate(1, 0, 0)}
}

// A contact is told, seen by both, checked and answered for; one whose key is
// another's is refused before it is sent, and when it is imported.
// covers P10
func TestDirectory(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	out, err := a.SetContact(ctx, op, now, dutyDesk("watch-1", "K1"), false)
	if err != nil || len(out) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	said(t, now, l, a, b, out...)
	for _, e := range []stationtest.End{a, b} {
		v, err := e.Contacts(ctx, op, now)
		if err != nil || len(v.Contacts) != 1 || v.Contacts[0].Owner != arden || v.Contacts[0].Freshness != watch.NeverAsked {
			t.Fatalf("%s: %+v, %v", e.Name(), v, err)
		}
	}
	for name, c := range map[string]watch.Contact{"key-of-another": dutyDesk("watch-2", "K1"), "entry-used": dutyDesk("watch-1", "K2")} {
		if _, err := a.SetContact(ctx, op, now, c, false); !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	foreign := dutyDesk("fake", "K1")
	foreign.Owner = bor
	if _, err := b.ImportContacts(ctx, op, now, station.ContactsJSON, watch.ExportContacts([]watch.Contact{foreign})); !errors.Is(err, station.ErrInvalid) || !strings.Contains(err.Error(), "K1") {
		t.Errorf("an import with another's key: %v", err)
	}
	ping, err := b.PingContact(ctx, op, now, arden, "", "watch-1")
	if err != nil {
		t.Fatal(err)
	}
	said(t, now.Add(time.Minute), l, b, a, ping)
	answer, err := a.Say(ctx, now.Add(2*time.Minute), station.Draft{Line: l, Format: "031", Refs: refsTo(ping)}, "step=answer", "roster_version=0", "role=watch", "entry=watch-1", "reached=yes", "at=2026-11-23T14:02:00Z")
	if err != nil {
		t.Fatal(err)
	}
	said(t, now.Add(3*time.Minute), l, a, b, answer)
	v, err := b.Contacts(ctx, op, now.Add(5*time.Minute))
	if err != nil || v.Contacts[0].Freshness != watch.Fresh {
		t.Errorf("after an answered ping: %+v, %v", v, err)
	}
	for _, form := range []station.ContactForm{station.ContactsJSON, station.ContactsVCard} {
		text, err := b.ExportContacts(ctx, op, now, form)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := b.ImportContacts(ctx, op, now, form, text); err != nil || n != 1 {
			t.Errorf("%s: %d contacts came back, %v", form, n, err)
		}
	}
	if out, err = a.SetContact(ctx, op, now.Add(5*time.Minute), watch.Contact{Entry: "watch-1"}, true); err != nil {
		t.Fatal(err)
	}
	said(t, now.Add(5*time.Minute), l, a, b, out...)
	if v, err := b.Contacts(ctx, op, now.Add(6*time.Minute)); err != nil || v.Contacts[0].Freshness != watch.Gone {
		t.Errorf("after it was withdrawn: %+v, %v", v, err)
	}
	checkLine(t, l, a, b)
}

// The desk is told by the roster, seen by the other side with its age, and
// unknown once its time is over.
// covers P16
func TestDesk(t *testing.T) {
	a, b, l := pair(t)
	withRoster(t, a)
	now := start.Add(time.Minute)
	out, err := a.SetDesk(ctx, op, now, watch.DeskStatus{Status: station.DeskByRoster}, identity.Line{})
	if err != nil {
		t.Fatal(err)
	}
	said(t, now, l, a, b, out...)
	v, err := b.Desks(ctx, op, now.Add(10*time.Minute))
	if err != nil || len(v.Lines) != 1 {
		t.Fatalf("%+v, %v", v, err)
	}
	their := v.Lines[0].Theirs
	if their.Status != "manned" && their.Status != "degraded" || their.Age < 9*time.Minute || !their.Until.Equal(start.Add(2*time.Hour)) {
		t.Errorf("their desk: %+v", their)
	}
	if v, err := b.Desks(ctx, op, start.Add(3*time.Hour)); err != nil || v.Lines[0].Theirs.Status != watch.DeskUnknown {
		t.Errorf("what was said until 16:00Z is shown at 17:00Z: %+v, %v", v.Lines[0].Theirs, err)
	}
	if _, err := a.SetDesk(ctx, op, now, watch.DeskStatus{Status: "manned", Languages: []string{"en"}, Until: now.Add(-time.Hour)}, identity.Line{}); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("until an hour ago: %v", err)
	}
}

// A call is listed until it is confirmed in writing; nobody writes in another's
// name; the log book is chained.
// covers P22
func TestLogBook(t *testing.T) {
	a, b, l := pair(t)
	o := withRoster(t, a)
	now := start.Add(time.Hour)
	me := officerActor(o[0].Pseudonym)
	call := watch.Call{Caller: bor, Station: arden, From: now.Add(-10 * time.Minute), To: now, Bearer: "voice", Other: "watch officer", Agreed: []string{"the test is left out"}}
	line, err := a.LogCall(ctx, me, now, "", call)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.WriteLog(ctx, me, now, "", "en", "relief is late"); err != nil {
		t.Fatal(err)
	}
	refusals := map[string]error{}
	_, refusals["in another's name"] = a.WriteLog(ctx, me, now, o[1].Pseudonym, "en", "x")
	_, refusals["without the role"] = a.WriteLog(ctx, station.Actor{Name: o[0].Pseudonym, Roles: []string{station.RoleRead}}, now, "", "en", "x")
	for name, err := range refusals {
		if !errors.Is(err, station.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrong := call
	wrong.Bearer = "telegraph"
	if _, err := a.LogCall(ctx, me, now, "", wrong); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("a bearer that is none: %v", err)
	}
	if open, err := a.UnconfirmedCalls(ctx, me, now); err != nil || len(open) != 1 || open[0].Number != line.Number {
		t.Fatalf("%+v, %v", open, err)
	}
	out, err := a.ConfirmCall(ctx, me, now, line.Number)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.ConfirmCall(ctx, me, now, line.Number+1); !errors.Is(err, station.ErrNotFound) {
		t.Errorf("a remark was confirmed as a call: %v", err)
	}
	said(t, now, l, a, b, out)
	if open, err := a.UnconfirmedCalls(ctx, me, now.Add(time.Minute)); err != nil || len(open) != 0 {
		t.Errorf("after the confirmation: %+v, %v", open, err)
	}
	for _, e := range []stationtest.End{a, b} {
		all, err := e.Log(ctx, op, now.Add(time.Minute), station.LogQuery{Kind: string(watch.LogMessage)}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, l := range all {
			text.WriteString(l.Remark.Text + "\n")
		}
		for _, says := range []string{"released", "receipted at", "received", "appended"} {
			if !strings.Contains(text.String(), says) {
				t.Errorf("%s: the log book has no line that says %q", e.Name(), says)
			}
		}
		if n, err := e.CheckLog(ctx, op, now); err != nil || n == 0 {
			t.Errorf("%s: %d lines, %v", e.Name(), n, err)
		}
	}
	between, err := a.Log(ctx, op, now, station.LogQuery{From: now, To: now.Add(time.Second), Kind: string(watch.LogRemark)}, 0)
	if err != nil || len(between) != 1 || between[0].Officer != o[0].Pseudonym {
		t.Errorf("by time: %+v, %v", between, err)
	}
}

func refsTo(out station.Outgoing) []message.ID { return []message.ID{out.ID} }
