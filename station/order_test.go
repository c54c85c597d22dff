package station_test

import (
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// confirmAgain ends a hold by the whole ceremony.
func confirmAgain(t *testing.T, a, b stationtest.End) {
	t.Helper()
	if err := hear(a, b); err != nil {
		t.Fatal(err)
	}
	for _, o := range a.Cast.Officers[:2] {
		if _, err := a.ConfirmPeer(ctx, op, start, b.Name(), confirmation(t, a, o, b.Name(), nil)); err != nil {
			t.Fatal(err)
		}
	}
}

// What waits goes by precedence, then by the time it was released; a message
// lends its precedence to those that it refers to, which go before it; what is
// withdrawn or expires while it waits does not go, and says so.
// covers P2
func TestOrderOfTheQueue(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	if _, err := a.HoldPeer(ctx, op, now, bor); err != nil {
		t.Fatal(err)
	}
	queue := func(name string, p message.Precedence, expires time.Time, refs ...message.ID) message.ID {
		t.Helper()
		out, err := a.Say(ctx, now, station.Draft{Line: l, Format: "600", Precedence: p, Expires: expires, Refs: refs}, "text="+name)
		if err != nil || out.State != station.Waiting {
			t.Fatalf("%s: %+v, %v", name, out, err)
		}
		return out.ID
	}
	queue("routine 1", message.Routine, time.Time{})
	lent := queue("routine 2, referred to by a FLASH", message.Routine, time.Time{})
	queue("priority", message.Priority, time.Time{})
	queue("immediate 1", message.Immediate, time.Time{})
	queue("immediate 2", message.Immediate, time.Time{})
	gone := queue("withdrawn", message.Flash, time.Time{})
	late := queue("expired", message.Flash, now.Add(time.Minute))
	queue("flash", message.Flash, time.Time{}, lent)
	if _, err := a.Withdraw(ctx, op, now, gone, "said by telephone"); err != nil {
		t.Fatal(err)
	}
	confirmAgain(t, a, b)
	now = now.Add(2 * time.Minute)
	if err := a.Tick(ctx, now); err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := int64(2); ; i++ {
		r, err := b.ReadEntry(ctx, op, now, l.Log(arden, 1), i)
		if err != nil {
			break
		}
		got = append(got, strings.Trim(string(r.Entry.Body.Body().Params["text"]), `"`))
	}
	want := "routine 2, referred to by a FLASH | flash | immediate 1 | immediate 2 | priority | routine 1"
	if strings.Join(got, " | ") != want {
		t.Errorf("they went as\n%s, not\n%s", strings.Join(got, " | "), want)
	}
	for id, state := range map[message.ID]station.OutState{gone: station.Withdrawn, late: station.Expired} {
		if q := queued(t, a, now, id); q.State != state || q.Reason == "" || q.Next == "" {
			t.Errorf("%+v", q)
		}
	}
	checkLine(t, l, a, b)
}

// A dossier's record holds the messages that hang together by reference, of both
// sides, and no others; with one key it opens one.
// covers P9 P19
func TestRecordOfDossier(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	say := func(e stationtest.End, refs ...message.ID) message.ID {
		t.Helper()
		out, err := e.Say(ctx, now, station.Draft{Line: l, Format: "600", Refs: refs}, "text=good day")
		if err != nil {
			t.Fatal(err)
		}
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
		return out.ID
	}
	first := say(a)
	say(a)
	say(b, first)
	var buf strings.Builder
	if err := a.Export(ctx, op, now, station.Export{Dossier: first.String(), Disclose: true}, &buf); err != nil {
		t.Fatal(err)
	}
	roots := []identity.Root{a.Cast.RootInfo, b.Cast.RootInfo}
	file := []byte(buf.String())
	if r := verify(t, file, roots); r.Verdict != "valid" || r.Messages != 2 || r.Receipts != 2 || r.Verified != 2 {
		t.Errorf("%+v", r)
	}
	m := unpack(t, file)
	const one, other = "ARD-BOR-N1/00000002/filekey", "BOR-ARD-N1/00000002/filekey"
	m[one], m[other] = m[other], m[one]
	if r := verify(t, m.pack(t), roots); r.Verdict != "invalid" || r.Verified != 0 {
		t.Errorf("with each other's keys: %+v", r)
	}
}

// However many urgent messages wait for one that awaits release, others go; and
// a chain of messages that refer to each other goes in its order, over as many
// commits as it takes.
// covers P2
func TestManyThatWaitForOne(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	test := func(p message.Precedence, ref message.ID) message.ID {
		t.Helper()
		params, err := a.Book().Compose("010", readTest)
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.Submit(ctx, op, now, station.Draft{Line: l, Format: "010", Precedence: p, Refs: []message.ID{ref}, Params: params, Language: "en", Marking: message.Marking{TLP: "CLEAR"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.ID
	}
	const many = 300 // more than one commit appends
	first := draft600(t, a, now, station.Draft{Line: l})
	last := first.ID
	for range many {
		last = test(message.Immediate, last)
	}
	other, err := a.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=of another matter")
	if err != nil {
		t.Fatal(err)
	}
	arrives(t, l, a, b, now, other.ID)
	if q := queued(t, a, now, last); q.State != station.Waiting {
		t.Fatalf("%+v", q)
	}
	if err := a.Approve(ctx, now, first.ID, 2); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		now = now.Add(time.Second)
		if err := a.Tick(ctx, now); err != nil {
			t.Fatal(err)
		}
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
	}
	if q := queued(t, a, now, last); q.State != station.Appended || q.Index != 2+1+many {
		t.Errorf("the last of the chain: %s at %d: %s", q.State, q.Index, q.Reason)
	}
	checkLine(t, l, a, b)
}
