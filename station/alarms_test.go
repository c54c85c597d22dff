package station_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/store"
	"detente/watch"
)

// guardhouse is a pair of stations that keep watch, with a clock that is
// stepped.
type guardhouse struct {
	t      *testing.T
	now    time.Time
	a, b   stationtest.End
	line   identity.Line
	dirs   [2]string
	wa, wb station.Watch
	cut    bool
}

func openWatch(t *testing.T, now time.Time, c *stationtest.Cast, dir string, w station.Watch, steady ...func() time.Duration) stationtest.End {
	t.Helper()
	steady = append(steady, nil)
	blobs, err := store.OpenBlobDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := station.New(ctx, now, station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: line.NewMarkFile(filepath.Join(dir, "mark")), Blobs: blobs,
		Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(1, 2)), Watch: &w, Steady: steady[0],
	}, func(f station.Finish) (station.Store, error) {
		return store.Open(ctx, filepath.Join(dir, "store"), store.Options{Finish: f})
	})
	if err != nil {
		t.Fatal(err)
	}
	return stationtest.End{Station: s, Cast: c}
}

// newGuardhouse opens a line that is tested each hour, at 13:30Z.
func newGuardhouse(t *testing.T, wa, wb station.Watch, every time.Duration) *guardhouse {
	t.Helper()
	terms := station.DefaultTerms()
	terms.TestEvery = every
	return newGuardhouseBy(t, wa, wb, terms)
}

// newGuardhouseBy opens a line by terms.
func newGuardhouseBy(t *testing.T, wa, wb station.Watch, terms station.Terms) *guardhouse {
	t.Helper()
	g := &guardhouse{t: t, now: start.Add(-30 * time.Minute), dirs: [2]string{t.TempDir(), t.TempDir()}, wa: wa, wb: wb}
	ca, err := stationtest.NewCast(rand.Reader, g.now, "arden.example", "ARD", bor)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := stationtest.NewCast(rand.Reader, g.now, "boreal.example", "BOR", arden)
	if err != nil {
		t.Fatal(err)
	}
	g.a, g.b = openWatch(t, g.now, ca, g.dirs[0], wa), openWatch(t, g.now, cb, g.dirs[1], wb)
	t.Cleanup(func() {
		if err := errors.Join(g.a.Close(g.now), g.b.Close(g.now)); err != nil {
			t.Error(err)
		}
	})
	if err := stationtest.Introduce(ctx, g.now, g.a, g.b); err != nil {
		t.Fatal(err)
	}
	if g.line, err = identity.NewLine(arden, bor, identity.Notification); err != nil {
		t.Fatal(err)
	}
	for _, e := range []stationtest.End{g.a, g.b} {
		if err := e.OpenLine(ctx, g.now, g.line, terms); err != nil {
			t.Fatal(err)
		}
	}
	g.to(g.now)
	return g
}

// to steps the clock, lets both stations tick and the line settle.
func (g *guardhouse) to(at time.Time) {
	g.t.Helper()
	g.now = at
	for range 2 {
		for _, e := range []stationtest.End{g.a, g.b} {
			if err := e.Tick(ctx, g.now); err != nil {
				g.t.Fatal(err)
			}
		}
		if g.cut {
			continue
		}
		if err := stationtest.Settle(ctx, g.now, g.line, g.a, g.b); err != nil {
			g.t.Fatal(err)
		}
	}
	for _, e := range []stationtest.End{g.a, g.b} {
		if err := e.Tick(ctx, g.now); err != nil {
			g.t.Fatal(err)
		}
	}
}

// walk steps the clock on by the minute.
func (g *guardhouse) walk(until time.Time) {
	g.t.Helper()
	for g.now.Before(until) {
		g.to(g.now.Add(time.Minute))
	}
}

// alarm returns an alarm of a kind; nil where there is none.
func (g *guardhouse) alarm(e stationtest.End, k watch.Kind) *watch.Alarm {
	g.t.Helper()
	board, err := e.Alarms(ctx, stationtest.Operator())
	if err != nil {
		g.t.Fatal(err)
	}
	if err := board.Alarms.Check(watch.Config{}); err != nil {
		g.t.Error(err)
	}
	for _, a := range board.Alarms.Alarms {
		if a.Kind == k {
			return &a
		}
	}
	return nil
}

func (g *guardhouse) stands(e stationtest.End, k watch.Kind, want bool) {
	g.t.Helper()
	a := g.alarm(e, k)
	if got := a != nil && a.Stands(); got != want {
		board, err := e.Alarms(ctx, stationtest.Operator())
		g.t.Fatalf("at %s %s: the alarm %s stands: %v; %+v %v", g.now.Format(time.TimeOnly), e.Name(), k, got, board.Groups, err)
	}
}

// tests returns the tests that a station sent, by its own record.
func (g *guardhouse) tests(e stationtest.End) []watch.Test {
	g.t.Helper()
	h, err := e.LineHistory(ctx, stationtest.Operator(), g.now, g.line, watch.Span{From: g.now.Add(-24 * time.Hour), To: g.now.Add(time.Second)})
	if err != nil {
		g.t.Fatal(err)
	}
	return h.Tests
}

// readBack lets a station's officer read back the last test that came.
func (g *guardhouse) readBack(e stationtest.End) {
	g.t.Helper()
	list, err := e.List(ctx, stationtest.Operator(), g.now, 0, 100)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, m := range list {
		if m.Format != "010" || m.Origin.Writer == e.Name() {
			continue
		}
		groups := strings.Trim(string(m.Entry.Body.Body().Params["check_groups"]), `"`)
		if _, err := e.Say(ctx, g.now, station.Draft{Line: g.line, Format: "011", Refs: []message.ID{m.ID}},
			"read_back="+groups, "received="+g.now.UTC().Format(time.RFC3339), "quality=clear"); err != nil {
			g.t.Fatal(err)
		}
		g.to(g.now)
		return
	}
	g.t.Fatal("no test came")
}

// Lines are tested in turn, once each however often a station starts anew; a
// test that nobody answers is an alarm after its grace, and ends with the next
// that is answered.
// covers P16
func TestScheduledTests(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Tests: true}, station.Watch{Tests: true}, time.Hour)
	g.walk(start.Add(2 * time.Minute))
	if got := g.tests(g.a); len(got) != 1 || got[0].By != arden || !got[0].For.Equal(start) {
		t.Fatalf("at 14:02Z Arden has sent %+v", got)
	}
	if err := g.a.Close(g.now); err != nil {
		t.Fatal(err)
	}
	g.a = openWatch(t, g.now, g.a.Cast, g.dirs[0], g.wa)
	g.walk(start.Add(4 * time.Minute))
	if got := g.tests(g.a); len(got) != 1 {
		t.Fatalf("after a start anew Arden has sent %+v", got)
	}
	g.readBack(g.b)
	g.walk(start.Add(12 * time.Minute))
	g.stands(g.a, watch.MissedTest, false)
	g.stands(g.b, watch.MissedTest, false)
	g.walk(start.Add(70 * time.Minute)) // Boreal's of 15:00Z is answered by nobody
	g.stands(g.a, watch.MissedTest, true)
	g.stands(g.b, watch.MissedTest, true)
	g.walk(start.Add(121 * time.Minute))
	g.readBack(g.b)
	g.to(g.now)
	g.stands(g.a, watch.MissedTest, false)
	g.stands(g.b, watch.MissedTest, false)
	ha, err := g.a.LineHistory(ctx, stationtest.Operator(), g.now, g.line, watch.Span{From: start, To: g.now})
	if err != nil {
		t.Fatal(err)
	}
	hb, err := g.b.LineHistory(ctx, stationtest.Operator(), g.now, g.line, watch.Span{From: start, To: g.now})
	if err != nil {
		t.Fatal(err)
	}
	if ha.Statistics.Strip != "#-#" || hb.Statistics.Strip != "#-#" || ha.Statistics.Worst < time.Minute {
		t.Errorf("strips %q and %q, worst %s", ha.Statistics.Strip, hb.Statistics.Strip, ha.Statistics.Worst)
	}
	checkAudit(t, g.a, "alarm raised", "alarm cleared", "line test")
}

// checkAudit demands that a station's audit trail holds acts, and follows.
func checkAudit(t *testing.T, e stationtest.End, acts ...string) {
	t.Helper()
	if err := e.CheckAudit(ctx); err != nil {
		t.Error(err)
	}
	trail, err := e.AuditTrail(ctx, stationtest.Operator(), start, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range acts {
		if !slices.ContainsFunc(trail, func(a station.Audit) bool { return a.Act == act }) {
			t.Errorf("the audit trail has no %q", act)
		}
	}
}

// A line whose terms ask for no tests is tested by nobody, and no silence of it
// is an alarm.
func TestNoTestsWhereNoneAreAsked(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Tests: true}, station.Watch{Tests: true}, 0)
	g.walk(start.Add(5 * time.Minute))
	g.cut = true
	for range 30 {
		g.to(g.now.Add(time.Hour))
	}
	if got := g.tests(g.a); len(got) != 0 {
		t.Errorf("Arden has sent %+v", got)
	}
	g.stands(g.a, watch.SilentPeer, false)
	g.stands(g.a, watch.MissedTest, false)
}

// A line that is cut is an alarm at both ends, by silence and by the tests that
// are missed; what was not sent in time is not sent later.
// covers P16
func TestSilence(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Tests: true}, station.Watch{Tests: true}, time.Hour)
	g.walk(start.Add(-20 * time.Minute))
	g.cut = true
	g.walk(start.Add(9 * time.Minute))
	g.stands(g.a, watch.MissedTest, false)
	g.walk(start.Add(11 * time.Minute))
	g.stands(g.a, watch.MissedTest, true)
	g.stands(g.b, watch.MissedTest, true)
	g.stands(g.b, watch.SilentPeer, false)
	g.walk(start.Add(52 * time.Minute))
	g.stands(g.a, watch.SilentPeer, true)
	g.stands(g.b, watch.SilentPeer, true)
	g.walk(start.Add(200 * time.Minute))
	g.cut = false
	g.walk(start.Add(239 * time.Minute))
	g.stands(g.a, watch.SilentPeer, false)
	g.stands(g.b, watch.SilentPeer, false)
	g.walk(start.Add(242 * time.Minute))
	g.readBack(g.b)
	g.stands(g.a, watch.MissedTest, false)
	g.stands(g.b, watch.MissedTest, false)
}

// A FLASH rings at once and until two officers have acknowledged it, lapses
// while it is unread, and ends when its reader says that it was seen.
// covers P16
func TestFlash(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	out, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600", Precedence: message.Flash}, "text=at once")
	if err != nil {
		t.Fatal(err)
	}
	g.to(g.now)
	g.stands(g.b, watch.FlashUnread, true)
	g.stands(g.a, watch.FlashUnread, false)
	flash := g.alarm(g.b, watch.FlashUnread)
	if flash.Level != message.Flash || !strings.HasPrefix(flash.Ref, "ARD/BOR-N1-") {
		t.Errorf("%+v", flash)
	}
	board, err := g.b.Alarms(ctx, stationtest.Operator())
	if err != nil || board.Unacked[message.Flash] != 1 {
		t.Errorf("unacknowledged: %v %v", board.Unacked, err)
	}
	act := station.AlarmAct{Key: flash.Key, Officer: "BOR-01"}
	for i, want := range []error{nil, station.ErrConflict} {
		if err := g.b.AcknowledgeAlarm(ctx, stationtest.Operator(), g.now, act); !errors.Is(err, want) {
			t.Fatalf("acknowledgement %d: %v", i+1, err)
		}
	}
	if a := g.alarm(g.b, watch.FlashUnread); a.Acknowledged() {
		t.Error("one officer is enough for a FLASH")
	}
	act.Officer = "nobody"
	if err := g.b.AcknowledgeAlarm(ctx, stationtest.Operator(), g.now, act); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("an officer that nobody knows: %v", err)
	}
	act.Officer = "BOR-02"
	if err := g.b.AcknowledgeAlarm(ctx, stationtest.Operator(), g.now, act); err != nil {
		t.Fatal(err)
	}
	if a := g.alarm(g.b, watch.FlashUnread); !a.Acknowledged() {
		t.Errorf("two officers are not enough: %+v", a)
	}
	g.walk(g.now.Add(watch.DefaultAckHolds))
	if a := g.alarm(g.b, watch.FlashUnread); a.Acknowledged() || !a.Stands() {
		t.Errorf("the acknowledgement did not lapse: %+v", a)
	}
	if err := g.b.SilenceAlarm(ctx, stationtest.Operator(), g.now, station.AlarmAct{Key: flash.Key, Silence: 3 * time.Minute}); !errors.Is(err, station.ErrInvalid) {
		t.Errorf("three minutes of silence: %v", err)
	}
	if err := g.b.SilenceAlarm(ctx, stationtest.Operator(), g.now, station.AlarmAct{Key: watch.Key{Kind: watch.FlashUnread, Line: g.line}, Group: true, Silence: time.Minute}); err != nil {
		t.Error(err)
	}
	if _, err := g.b.Say(ctx, g.now, station.Draft{Line: g.line, Format: "017", Refs: []message.ID{out.ID}}, "role=watch", "at="+g.now.UTC().Format(time.RFC3339)); err != nil {
		t.Fatal(err)
	}
	g.to(g.now)
	g.stands(g.b, watch.FlashUnread, false)
	checkAudit(t, g.b, "alarm raised", "alarm acknowledged", "alarm acknowledgement-lapsed", "alarm silenced", "alarm cleared", "alarm ack")
}

// A restart in the midst of alarms forgets none and rings none anew.
// covers P16
func TestRestartMidAlarm(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600", Precedence: message.Flash}, "text=at once"); err != nil {
		t.Fatal(err)
	}
	g.to(g.now)
	before := g.alarm(g.b, watch.FlashUnread)
	if err := g.b.Close(g.now); err != nil {
		t.Fatal(err)
	}
	g.b = openWatch(t, g.now, g.b.Cast, g.dirs[1], g.wb)
	g.to(g.now.Add(time.Second))
	after := g.alarm(g.b, watch.FlashUnread)
	if before == nil || after == nil || !after.Raised.Equal(before.Raised) || after.Reopened != 0 || !after.Stands() {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// An IMMEDIATE rings once its time to be seen is over.
func TestImmediate(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	form, _ := g.b.Book().Format("600")
	within := form.Clocks(message.Immediate).Seen
	if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600", Precedence: message.Immediate}, "text=soon"); err != nil {
		t.Fatal(err)
	}
	g.to(g.now)
	g.to(g.now.Add(within - time.Minute))
	g.stands(g.b, watch.FlashUnread, false)
	g.to(g.now.Add(time.Minute))
	g.stands(g.b, watch.FlashUnread, true)
	if a := g.alarm(g.b, watch.FlashUnread); a.Level != message.Immediate {
		t.Errorf("%+v", a)
	}
}

// The disk, the clock and what others see raise and clear alarms; ten thousand
// of one kind are one group, and none is lost.
// covers P16
func TestMachine(t *testing.T) {
	var others []watch.Condition
	free, disk := int64(50<<30), error(nil)
	w := station.Watch{Disk: func() (int64, int64, error) { return free, 100 << 30, disk }, Others: func(time.Time) []watch.Condition { return others }}
	g := newGuardhouse(t, w, station.Watch{}, 0)
	g.stands(g.a, watch.DiskFilling, false)
	free = 1 << 30
	g.to(g.now.Add(time.Minute))
	g.stands(g.a, watch.DiskFilling, true)
	free = 50 << 30
	g.to(g.now.Add(time.Minute))
	g.stands(g.a, watch.DiskFilling, false)
	disk = errors.New("no such device")
	g.to(g.now.Add(time.Minute))
	g.stands(g.a, watch.DiskFilling, true)
	disk = nil
	since := g.now
	for i := range 10_000 {
		others = append(others, watch.Condition{Key: watch.Key{Kind: watch.StaleScreen, Ref: fmt.Sprintf("desk-%05d", i)}, Since: since})
	}
	g.to(g.now.Add(time.Minute))
	board, err := g.a.Alarms(ctx, stationtest.Operator())
	if err != nil || len(board.Groups) != 1 || board.Groups[0].Count != 10_000 || len(board.Alarms.Rings) == 0 {
		t.Fatalf("%d groups %+v, %v", len(board.Groups), board.Groups, err)
	}
	events, err := g.a.EventsAfter(ctx, stationtest.Operator(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, e := range events {
		if e.Kind == "alarm" && strings.Contains(e.Ref, "stale-screen") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("ten thousand alarms were told of %d times", told)
	}
	if err := g.a.AcknowledgeAlarm(ctx, stationtest.Operator(), g.now, station.AlarmAct{Key: watch.Key{Kind: watch.StaleScreen}, Group: true}); err != nil {
		t.Error(err)
	}
	others = nil
	g.to(g.now.Add(time.Minute))
	g.stands(g.a, watch.StaleScreen, false)
}

// A clock that leaps is an alarm and makes no other one, and ends with the leap.
// covers P16
func TestClockAlarm(t *testing.T) {
	up := time.Duration(0)
	g := newGuardhouse(t, station.Watch{Tests: true}, station.Watch{}, time.Hour)
	if err := g.a.Close(g.now); err != nil {
		t.Fatal(err)
	}
	g.a = openWatch(t, g.now, g.a.Cast, g.dirs[0], g.wa, func() time.Duration { return up })
	g.to(g.now)
	right := g.now
	for i := range 3 {
		up += time.Second
		if err := g.a.Tick(ctx, right.Add(30*time.Hour+time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	g.stands(g.a, watch.ClockUnsafe, true)
	g.stands(g.a, watch.SilentPeer, false)
	g.stands(g.a, watch.MissedTest, false)
	g.to(right.Add(up))
	g.stands(g.a, watch.ClockUnsafe, false)
}

// A guard that has not passed is an alarm after a minute, and ends when it
// passes.
// covers P16
func TestGuardAlarm(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	if err := g.a.Close(g.now); err != nil {
		t.Fatal(err)
	}
	g.a = openWatch(t, g.now, g.a.Cast, g.dirs[0], g.wa)
	g.cut = true
	g.to(g.now.Add(time.Second))
	g.stands(g.a, watch.GuardClosed, false)
	g.walk(g.now.Add(2 * time.Minute))
	g.stands(g.a, watch.GuardClosed, true)
	g.cut = false
	g.walk(g.now.Add(2 * time.Minute))
	g.stands(g.a, watch.GuardClosed, false)
}

// A counterpart that is alive and gives no receipt withholds it.
// covers P16
func TestWithheldAlarm(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	g.cut = true
	if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600"}, "text=good day"); err != nil {
		t.Fatal(err)
	}
	g.walk(g.now.Add(4 * time.Minute))
	g.stands(g.a, watch.Withheld, false)
	g.walk(g.now.Add(2 * time.Minute))
	g.stands(g.a, watch.Withheld, false) // it may be down
	if _, err := g.b.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600"}, "text=good day to you"); err != nil {
		t.Fatal(err)
	}
	for range 4 { // what Boreal sends arrives, what Arden sends does not
		step, err := g.b.Step(ctx, g.now, g.line)
		if err != nil {
			t.Fatal(err)
		}
		if step.Request == nil {
			break
		}
		r := *step.Request
		r.Peer = g.b.Name()
		if err := g.b.Answered(ctx, g.now, g.line, step, served(g.t, g.a.Station, g.now, r), nil); err != nil {
			t.Fatal(err)
		}
	}
	g.to(g.now)
	g.stands(g.a, watch.Withheld, true)
	g.cut = false
	g.walk(g.now.Add(time.Minute))
	g.stands(g.a, watch.Withheld, false)
}

// A shift in which no officer read a test back is told of at its end; a machine
// is no person.
// covers P16
func TestReadBackOfAShift(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Tests: true}, station.Watch{Tests: true}, 4*time.Hour)
	for g.now.Before(time.Date(2026, 11, 24, 0, 1, 0, 0, time.UTC)) {
		g.to(g.now.Add(5 * time.Minute))
	}
	g.stands(g.b, watch.NoReadBack, true) // from 16:00Z to 24:00Z Arden sent one, at 16:00Z
	g.readBack(g.b)
	g.to(g.now.Add(time.Minute))
	g.stands(g.b, watch.NoReadBack, false)
}

// fakeOutlets is one outlet of a class, which fails as often as it is told to.
type fakeOutlets struct {
	named []station.OutletName
	tell  func(name string, t station.Telling) error
	print func(name string, p station.Page) error
}

func (f fakeOutlets) Named() []station.OutletName { return f.named }
func (f fakeOutlets) Tell(_ context.Context, name string, t station.Telling) error {
	return f.tell(name, t)
}

func (f fakeOutlets) Print(_ context.Context, name string, p station.Page) error {
	return f.print(name, p)
}

// A Runner tells outlets what happened, again where one fails, and keeps none
// waiting for another.
// covers P16
func TestRunnerTells(t *testing.T) {
	told := make(chan station.Telling, 100)
	failures := make(chan error, 1)
	failures <- errors.New("the server is down")
	hang := make(chan struct{})
	wb := station.Watch{Outlets: fakeOutlets{
		[]station.OutletName{{Name: "mail", Class: watch.Mail}, {Name: "hook", Class: watch.Webhook}},
		func(name string, n station.Telling) error {
			if name == "mail" {
				<-hang
				return nil
			}
			select {
			case err := <-failures:
				return err
			default:
			}
			told <- n
			return nil
		}, nil,
	}}
	g := newGuardhouse(t, station.Watch{}, wb, 0)
	if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "600", Precedence: message.Flash}, "text=at once"); err != nil {
		t.Fatal(err)
	}
	g.to(g.now)
	if err := g.b.TestOutlet(ctx, stationtest.Operator(), g.now, "hook"); err == nil {
		t.Error("the first test did not fail")
	}
	if err := g.b.TestOutlet(ctx, stationtest.Operator(), g.now, "hook"); err != nil || !(<-told).Test {
		t.Errorf("the second test: %v", err)
	}
	running, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	runner := &station.Runner{Station: g.b.Station, Transport: noTransport{}, Now: func() time.Time { return g.now }, Log: slog.New(slog.DiscardHandler)}
	go func() { done <- runner.Run(running) }()
	n := <-told
	if n.Outlet != "hook" || n.Notice.Event != watch.Raised || n.Notice.Group.Kind != watch.FlashUnread || n.Notice.Level != message.Flash {
		t.Errorf("told %+v", n)
	}
	close(hang)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	list, err := g.b.Outlets(ctx, stationtest.Operator())
	if err != nil || len(list) != 2 || list[1].Failed != 0 || list[1].Tried.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
}

// noTransport reaches nobody.
type noTransport struct{}

func (noTransport) Do(context.Context, identity.Station, line.Request) (line.Response, error) {
	return line.Response{}, &line.Error{Fault: line.Unreachable, Err: errors.New("not in this test")}
}

// A quiet watch writes nothing.
func TestQuietWatchWritesNothing(t *testing.T) {
	g := newGuardhouse(t, station.Watch{Tests: true}, station.Watch{}, 0)
	g.to(g.now.Add(time.Minute))
	g.to(g.now.Add(time.Minute))
	before, err := g.a.LastEvent(ctx, stationtest.Operator())
	if err != nil {
		t.Fatal(err)
	}
	news := g.a.News()
	for range 5 {
		if err := g.a.Tick(context.Background(), g.now); err != nil {
			t.Fatal(err)
		}
	}
	after, err := g.a.LastEvent(ctx, stationtest.Operator())
	if err != nil || after != before {
		t.Errorf("%d events more, %v", after-before, err)
	}
	<-news // the tick itself commits
}

// A PROVISIONAL message that its writer does not confirm is an alarm at both
// ends, from shortly before its time until a word of its writer.
// covers P16
func TestUnconfirmedAlarm(t *testing.T) {
	g := newGuardhouse(t, station.Watch{}, station.Watch{}, 0)
	params, err := g.a.Book().Compose("222", []string{"activity=availability", "window=2026-11-23T10:00:00Z/2026-11-23T11:00:00Z", "assets=domain:grid.example", "certainty=likely"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := g.a.Submit(ctx, stationtest.Operator(), g.now, station.Draft{Line: g.line, Format: "222", Precedence: message.Flash, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.a.Approve(ctx, g.now, out.ID, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := g.a.ReleaseAlone(ctx, stationtest.Operator(), g.now, out.ID); err != nil {
		t.Fatal(err)
	}
	g.to(g.now)
	g.want(g.a, watch.DutyLapsed, "/018/", false)
	g.walk(g.now.Add(31 * time.Minute))
	g.want(g.a, watch.DutyLapsed, "/018/", true)
	g.want(g.b, watch.DutyLapsed, "/018/", true)
	g.walk(g.now.Add(5 * time.Minute))
	g.want(g.a, watch.DutyLapsed, "/018/", true)
	if _, err := g.a.Say(ctx, g.now, station.Draft{Line: g.line, Format: "018", Refs: []message.ID{out.ID}}, "decision=confirm", "reason=reviewed"); err != nil {
		t.Fatal(err)
	}
	g.to(g.now)
	g.want(g.a, watch.DutyLapsed, "/018/", false)
	g.want(g.b, watch.DutyLapsed, "/018/", false)
}
