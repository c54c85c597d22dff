package station_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/watch"
)

// which returns the references of the alarms of a kind that stand.
func (g *guardhouse) which(e stationtest.End, k watch.Kind) (refs []string) {
	g.t.Helper()
	board, err := e.Alarms(ctx, stationtest.Operator())
	if err != nil {
		g.t.Fatal(err)
	}
	for _, a := range board.Alarms.Alarms {
		if a.Kind == k && a.Stands() {
			refs = append(refs, a.Ref)
		}
	}
	return refs
}

// want demands that an alarm of a kind whose reference contains a text stands,
// or does not.
func (g *guardhouse) want(e stationtest.End, k watch.Kind, ref string, want bool) {
	g.t.Helper()
	refs := g.which(e, k)
	if slices.ContainsFunc(refs, func(r string) bool { return strings.Contains(r, ref) }) != want {
		g.t.Fatalf("at %s %s: of %s there stand %v, and %s is among them: %v", g.now.Format(time.DateTime), e.Name(), k, refs, ref, !want)
	}
}

// say lets a side say something with its officers' word.
func (g *guardhouse) say(e stationtest.End, f message.Format, refs []message.ID, typed ...string) message.ID {
	g.t.Helper()
	out, err := e.Say(ctx, g.now, station.Draft{Line: g.line, Format: f, Refs: refs}, typed...)
	if err != nil {
		g.t.Fatal(err)
	}
	g.to(g.now)
	return out.ID
}

// A duty of either side is an alarm at both, shortly before it lapses and once
// it has, until it is met; where one message would meet two duties, it is one. A
// restart changes nothing of it.
// covers P16 P20
func TestDutyAlarms(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	asked := g.say(g.a, "210", nil, inquiry...)
	ends := []stationtest.End{g.a, g.b}
	for _, e := range ends {
		g.want(e, watch.DutyNear, "/", false)
	}
	list, err := g.b.Obligations(ctx, op, g.now, station.ObligationQuery{Owes: station.SideOwn})
	if err != nil || len(list) == 0 {
		t.Fatalf("nothing is owed: %v", err)
	}
	first := list[0] // its receipt stands in no record yet, and its clock runs
	if first.Of != asked {
		t.Fatalf("%+v", first)
	}
	g.to(first.Due.Add(-time.Minute))
	for _, e := range ends {
		g.want(e, watch.DutyNear, "/012/"+string(bor), true)
		g.want(e, watch.DutyLapsed, "/012/", false)
	}
	g.to(first.Due) // the second itself is in time
	g.want(g.b, watch.DutyLapsed, "/012/", false)
	g.to(first.Due.Add(time.Second))
	for _, e := range ends {
		g.want(e, watch.DutyLapsed, "/012/"+string(bor), true)
		g.want(e, watch.DutyNear, "/012/", false)
		if n := len(g.which(e, watch.DutyLapsed)); n != 1 {
			t.Errorf("%s: %v", e.Name(), g.which(e, watch.DutyLapsed))
		}
	}
	before := g.alarm(g.b, watch.DutyLapsed)
	if err := g.b.Close(g.now); err != nil {
		t.Fatal(err)
	}
	g.b = openWatch(t, g.now, g.b.Cast, g.dirs[1], g.wb)
	g.to(g.now.Add(time.Second))
	if after := g.alarm(g.b, watch.DutyLapsed); after == nil || !after.Raised.Equal(before.Raised) || !after.Stands() {
		t.Errorf("after a restart: %+v, before %+v", after, before)
	}
	g.say(g.b, "012", []message.ID{asked}, "state=UND", "role=watch", "received="+g.now.Format(time.RFC3339))
	for _, e := range []stationtest.End{g.a, g.b} {
		g.want(e, watch.DutyLapsed, "/012/", false)
	}
	g.to(start.Add(24*time.Hour + 10*time.Minute))
	for _, e := range []stationtest.End{g.a, g.b} {
		g.want(e, watch.DutyLapsed, "/"+string(bor), true)
	}
	g.say(g.b, "211", []message.ID{asked}, "answer=not-ours", "action=examining")
	for _, e := range []stationtest.End{g.a, g.b} {
		g.want(e, watch.DutyLapsed, "ARD/BOR-N1-1/", false) // what its answer asks for is another matter
	}
}

// A contact that nobody answers for is an alarm at both ends until somebody does.
// covers P16
func TestContactAlarm(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	out, err := g.a.SetContact(ctx, op, g.now, dutyDesk("watch-1", "K1"), false)
	if err != nil {
		t.Fatal(err)
	}
	g.now = start // the contact's first second
	approve := func(e stationtest.End, out station.Outgoing) {
		t.Helper()
		if out.State == station.Awaiting {
			r, err := e.Release(ctx, op, g.now, out.ID)
			if err == nil {
				err = e.Approve(ctx, g.now, out.ID, r.Need-r.Have)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		g.to(g.now)
	}
	approve(g.a, out[0])
	g.to(g.now.Add(time.Minute))
	ping, err := g.b.PingContact(ctx, op, g.now, arden, "", "watch-1")
	if err != nil {
		t.Fatal(err)
	}
	approve(g.b, ping)
	g.to(g.now.Add(23 * time.Hour))
	g.stands(g.a, watch.ContactStale, false)
	g.to(g.now.Add(2 * time.Hour))
	for _, e := range []stationtest.End{g.a, g.b} {
		g.want(e, watch.ContactStale, string(arden)+"/watch-1", true)
	}
	g.say(g.a, "031", []message.ID{ping.ID}, "step=answer", "roster_version=0", "role=watch", "entry=watch-1", "reached=yes", "at="+g.now.Format(time.RFC3339))
	for _, e := range []stationtest.End{g.a, g.b} {
		g.stands(e, watch.ContactStale, false)
	}
	g.to(start.AddDate(0, 7, 0)) // six months after the answer
	for _, e := range []stationtest.End{g.a, g.b} {
		g.want(e, watch.ContactStale, string(arden)+"/watch-1", true)
	}
}

// A counterpart that says that its desk is unmanned, or whose word no longer
// holds, is an alarm; so is an own desk that the roster leaves empty.
// covers P16
func TestDeskAlarms(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	until := g.now.Add(2 * time.Hour).Format(time.RFC3339)
	g.say(g.b, "024", nil, "status=unmanned", "until="+until, "lines="+g.line.String())
	g.want(g.a, watch.UnmannedDesk, string(bor), true)
	g.stands(g.b, watch.UnmannedDesk, false)
	g.to(g.now.Add(time.Minute))
	g.say(g.b, "024", nil, "status=manned", "until="+until, "lines="+g.line.String(), "languages=en")
	g.stands(g.a, watch.UnmannedDesk, false)
	g.to(g.now.Add(2 * time.Hour))
	g.want(g.a, watch.UnmannedDesk, string(bor), true) // its word is over

	o := withRoster(t, g.b)
	g.to(g.now.Add(time.Minute))
	g.want(g.b, watch.UnmannedDesk, "/watch", false)
	r := threeShifts(g.b)
	r.Version = 2
	r.Leave = []watch.Leave{{Officer: o[2].Pseudonym, From: r.Start, To: r.Start.AddDate(0, 1, 0)}}
	if _, err := g.b.SetRoster(ctx, op, g.now, r.Bytes()); err != nil {
		t.Fatal(err)
	}
	g.to(time.Date(2026, 11, 23, 16, 30, 0, 0, time.UTC)) // the evening's
	g.want(g.b, watch.UnmannedDesk, string(bor), true)
	g.to(time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC))
	g.want(g.b, watch.UnmannedDesk, string(bor), false)
}

// A change of officers that nobody signed for is an alarm a quarter of an hour
// after it, until both have.
// covers P8 P16
func TestHandoverAlarm(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	o := withRoster(t, g.a)
	g.to(time.Date(2026, 11, 23, 16, 14, 0, 0, time.UTC))
	g.want(g.a, watch.HandoverLate, "watch/2026-11-23T16:00:00Z", false)
	g.to(time.Date(2026, 11, 23, 16, 16, 0, 0, time.UTC))
	g.want(g.a, watch.HandoverLate, "watch/2026-11-23T16:00:00Z", true)
	h, err := g.a.ProposeHandover(ctx, officerActor(o[1].Pseudonym), g.now, station.SheetDraft{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signSheet(g.a, g.now, h, o[1], "watch"); err != nil {
		t.Fatal(err)
	}
	g.to(g.now.Add(time.Minute))
	g.want(g.a, watch.HandoverLate, "watch/2026-11-23T16:00:00Z", true) // one of two
	if _, err := signSheet(g.a, g.now, h, o[2], "watch"); err != nil {
		t.Fatal(err)
	}
	g.to(g.now.Add(time.Minute))
	g.want(g.a, watch.HandoverLate, "watch/2026-11-23T16:00:00Z", false)
	g.to(time.Date(2026, 11, 24, 0, 16, 0, 0, time.UTC))
	g.want(g.a, watch.HandoverLate, "watch/2026-11-24T00:00:00Z", true)
}

// answerNext lets a station's next request be answered so.
func (g *guardhouse) answerNext(e stationtest.End, r line.Response, failed error) {
	g.t.Helper()
	for range 20 {
		step, err := e.Step(ctx, g.now, g.line)
		if err != nil {
			g.t.Fatal(err)
		}
		if step.Request != nil {
			if err := e.Answered(ctx, g.now, g.line, step, r, failed); err != nil {
				g.t.Fatal(err)
			}
			return
		}
		g.now = g.now.Add(time.Minute)
	}
	g.t.Fatal("nothing is asked of the counterpart")
}

// TLS keys that are not the pinned ones are an alarm of the line, and end with
// the first answer.
// covers P16
func TestKeyRefusedAlarm(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	g.cut = true
	if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600"}, "text=good day"); err != nil {
		t.Fatal(err)
	}
	g.stands(g.a, watch.KeyRefused, false)
	g.answerNext(g.a, line.Response{}, &line.Error{Fault: line.Refused, Err: errors.New("wrong key")})
	g.to(g.now)
	g.want(g.a, watch.KeyRefused, string(bor), true)
	g.cut = false
	g.to(g.now.Add(time.Hour))
	g.stands(g.a, watch.KeyRefused, false)
}

// What a counterpart stores no more of for today is an alarm, and none that a
// receipt is withheld; it ends when it stores again.
// covers P15 P16
func TestQuotaAlarm(t *testing.T) {
	terms := station.DefaultTerms()
	terms.TestEvery, terms.Quota = 0, 1<<20
	g := newGuardhouseBy(t, station.Watch{}, station.Watch{}, terms)
	for range 60 { // more than routine may take in a day
		if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600"}, "text=routine"); err != nil {
			t.Fatal(err)
		}
	}
	g.to(g.now)
	g.stands(g.a, watch.Quota, false) // it waits here, and says so
	for i := 0; g.alarm(g.a, watch.Quota) == nil && i < 60; i++ {
		if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "222", Precedence: message.Flash},
			"activity=availability", "window=2026-11-23T13:00:00Z/2026-11-23T13:30:00Z", "assets=domain:grid.example", "certainty=likely"); err != nil {
			t.Fatal(err)
		}
		g.to(g.now)
	}
	g.want(g.a, watch.Quota, string(bor), true)
	g.walk(g.now.Add(6 * time.Minute))
	g.stands(g.a, watch.Withheld, false)
	g.to(g.now.Add(26 * time.Hour))
	g.walk(g.now.Add(3 * time.Minute))
	g.stands(g.a, watch.Quota, false)
}

// provisional lets side a send a FLASH on one officer's word.
func (g *guardhouse) provisional() message.ID {
	g.t.Helper()
	params, err := g.a.Book().Compose("222", []string{"activity=availability", "window=2026-11-23T10:00:00Z/2026-11-23T11:00:00Z", "assets=domain:grid.example", "certainty=likely"})
	if err != nil {
		g.t.Fatal(err)
	}
	out, err := g.a.Submit(ctx, stationtest.Operator(), g.now, station.Draft{Line: g.line, Format: "222", Precedence: message.Flash, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params})
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.a.Approve(ctx, g.now, out.ID, 1); err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.a.ReleaseAlone(ctx, stationtest.Operator(), g.now, out.ID); err != nil {
		g.t.Fatal(err)
	}
	return out.ID
}

// The half hour in which a PROVISIONAL message has to be confirmed is near its
// end in its last quarter, and not from its beginning; not even while the line
// is cut, when no fold knows of it yet. Once its writer has confirmed it, it
// never is.
// covers P16
func TestConfirmationNear(t *testing.T) {
	for _, confirmed := range []bool{false, true} {
		g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
		id := g.provisional()
		begun := g.now
		tick := func() {
			t.Helper()
			if err := g.a.Tick(ctx, g.now); err != nil {
				t.Fatal(err)
			}
		}
		tick()
		g.want(g.a, watch.DutyNear, "/018/", false)
		if confirmed {
			g.now = g.now.Add(time.Minute)
			if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "018", Refs: []message.ID{id}}, "decision=confirm", "reason=reviewed"); err != nil {
				t.Fatal(err)
			}
			g.to(g.now)
		}
		g.now = begun.Add(22 * time.Minute)
		tick()
		g.want(g.a, watch.DutyNear, "/018/", false)
		g.now = begun.Add(23 * time.Minute)
		tick()
		g.want(g.a, watch.DutyNear, "/018/", !confirmed)
	}
}
