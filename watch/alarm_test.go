package watch_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/watch"
)

var theLine = identity.Line{A: arden, B: boreal, Class: identity.Notification}

// night is who is where in the tests of alarms.
var night = watch.Posts{On: []string{"ARD-W-01", "ARD-W-02"}, Next: []string{"ARD-W-03"}, Supervisors: []string{"ARD-W-08"}, OnCall: []string{"ARD-W-09"}}

// desk plays a watch step by step and checks, at each, what always holds.
type desk struct {
	t     *testing.T
	state watch.Alarms
	c     watch.Config
	now   time.Time
	posts watch.Posts
}

func newDesk(t *testing.T) *desk {
	return &desk{t: t, now: at("2026-11-24T02:00:00Z"), posts: night}
}

// step goes on by some time. The state goes through its bytes each time, as
// over a restart.
func (d *desk) step(after time.Duration, acts []watch.Act, conditions ...watch.Condition) watch.Consequences {
	d.t.Helper()
	d.now = d.now.Add(after)
	before := d.state.Bytes()
	next, out := d.state.Step(watch.Moment{Now: d.now, Conditions: conditions, Acts: acts, Posts: d.posts}, d.c)
	if !bytes.Equal(before, d.state.Bytes()) {
		d.t.Fatal("a step changed the state that it was given")
	}
	checkAlarms(d.t, next, d.c, conditions, out)
	again, err := watch.ParseAlarms(next.Bytes(), d.c)
	if err != nil {
		d.t.Fatalf("%s: the state does not survive a restart: %v\n%s", d.now, err, next.Bytes())
	}
	d.state = again
	for _, n := range out.Notices {
		if n.Exercise != d.state.Exercise {
			d.t.Fatalf("%s: an exercise is told as real, or the other way round: %+v", d.now, n)
		}
	}
	return out
}

// checkAlarms checks what holds after every step, from outside: each condition
// is an alarm that stands, nothing else stands, no count is lost, the outlets
// are called a bounded number of times, and every notice can be read.
func checkAlarms(t *testing.T, s watch.Alarms, c watch.Config, conditions []watch.Condition, out watch.Consequences) {
	t.Helper()
	if err := s.Check(c); err != nil {
		t.Fatal(err)
	}
	wanted := map[watch.Key]int{}
	for _, k := range conditions {
		wanted[k.Key] = max(k.Count, 1)
	}
	total, stands := 0, 0
	for _, a := range s.Alarms {
		if !a.Stands() {
			continue
		}
		stands += a.Count
		if a.Ref != "and-more" && wanted[a.Key] == 0 {
			t.Fatalf("an alarm stands without its condition: %+v", a.Key)
		}
	}
	for _, n := range wanted {
		total += n
	}
	grouped := 0
	for _, g := range s.Groups() {
		grouped += g.Count
		if g.Open > g.Count {
			t.Fatalf("more are open than stand: %+v", g)
		}
	}
	if stands != total || grouped != total {
		t.Fatalf("%d conditions hold, %d alarms stand, groups count %d", total, stands, grouped)
	}
	if len(out.Notices) > 48 {
		t.Fatalf("the outlets are called for %d groups in one step", len(out.Notices))
	}
	for _, n := range out.Notices {
		if len(n.Outlets) == 0 || n.Count < 1 || n.Lines < 1 || len(n.Refs) > 3 {
			t.Fatalf("a notice that nobody hears, or of nothing: %+v", n)
		}
	}
}

// told writes notices shortly, as a watch officer would note them.
func told(out watch.Consequences) string {
	var s []string
	for _, n := range out.Notices {
		sound := ""
		if slices.Contains(n.Outlets, watch.Sounder) {
			sound = "!"
		}
		var to []string
		for _, o := range n.To {
			to = append(to, strings.TrimPrefix(o, "ARD-W-"))
		}
		s = append(s, fmt.Sprintf("%s %s%s x%d > %s", n.Group.Kind, n.Event, sound, n.Count, strings.Join(to, " ")))
	}
	return strings.Join(s, "; ")
}

func (d *desk) expect(what, got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("%s, %s: told %q, want %q", d.now.Format("15:04:05"), what, got, want)
	}
}

func notes(out watch.Consequences) string {
	var s []string
	for _, n := range out.Notes {
		s = append(s, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", n.Event, strings.TrimPrefix(n.Officer, "ARD-W-"), n.Count, n.Reason)))
	}
	return strings.Join(s, "; ")
}

func ack(officer string, when time.Time, k watch.Key) []watch.Act {
	return []watch.Act{{Officer: officer, At: when, Key: k}}
}

// covers P16
func TestANightAtTheDesk(t *testing.T) {
	d := newDesk(t)
	silent := watch.Condition{Key: watch.Key{Kind: watch.SilentPeer, Line: theLine}, Since: d.now.Add(-2 * time.Hour)}
	d.expect("nothing is wrong", told(d.step(0, nil)), "")
	d.expect("the peer falls silent", told(d.step(time.Second, nil, silent)), "silent-peer raised! x1 > 01 02")
	d.expect("before the minute", told(d.step(59*time.Second, nil, silent)), "")
	d.expect("the minute", told(d.step(time.Second, nil, silent)), "silent-peer repeated! x1 > 01 02")
	d.expect("five minutes unheard", told(d.step(4*time.Minute, nil, silent)), "silent-peer escalated! x1 > 01 02 03")
	out := d.step(time.Second, ack("ARD-W-01", d.now, silent.Key), silent)
	d.expect("acknowledged", told(out), "")
	d.expect("the log book", notes(out), "acknowledged 01 1")
	d.expect("nine minutes on", told(d.step(9*time.Minute, nil, silent)), "")
	out = d.step(time.Minute, nil, silent)
	d.expect("it still holds, and the acknowledgement lapses", told(out), "silent-peer acknowledgement-lapsed! x1 > 01 02")
	out = d.step(time.Second, ack("ARD-W-07", d.now, silent.Key), silent)
	d.expect("somebody who is not on watch", notes(out), "act-refused 07 0 not-entitled")
	out = d.step(time.Second, nil)
	d.expect("it is heard again", told(out), "silent-peer cleared x1 > 01 02")
	d.expect("the log book", notes(out), "cleared  1")
	d.expect("and falls silent again", told(d.step(time.Minute, nil, silent)), "silent-peer reopened! x1 > 01 02")
	out = d.step(time.Second, ack("ARD-W-02", d.now.Add(-time.Hour), silent.Key), silent)
	d.expect("an act of an hour ago", notes(out), "act-refused 02 0 no-such-time")
	out = d.step(time.Second, ack("ARD-W-02", d.now, watch.Key{Kind: watch.Quota}), silent)
	d.expect("an alarm that is none", notes(out), "act-refused 02 0 unknown-alarm")
}

// covers P16
func TestFlashNeedsBothOfficers(t *testing.T) {
	d := newDesk(t)
	flash := watch.Condition{Key: watch.Key{Kind: watch.FlashUnread, Line: theLine, Ref: "BOR/ARD-N1-7"}, Since: d.now}
	out := d.step(0, nil, flash)
	d.expect("a FLASH", told(out), "flash-unacknowledged raised! x1 > 01 02")
	if len(out.Notices[0].Outlets) != len(watch.Outlets()) {
		t.Errorf("a FLASH goes to %v", out.Notices[0].Outlets)
	}
	d.step(time.Second, ack("ARD-W-01", d.now.Add(time.Second), flash.Key), flash)
	d.expect("one has acknowledged", told(d.step(14*time.Second, nil, flash)), "flash-unacknowledged repeated! x1 > 01 02")
	out = d.step(time.Second, ack("ARD-W-01", d.now, flash.Key), flash)
	d.expect("the same one again", notes(out), "act-refused 01 0 already-acknowledged")
	d.expect("nobody else within two minutes", told(d.step(104*time.Second, nil, flash)), "flash-unacknowledged escalated! x1 > 01 02 03")
	out = d.step(time.Second, ack("ARD-W-03", d.now.Add(time.Second), flash.Key), flash)
	d.expect("whom it reached", notes(out), "acknowledged 03 1")
	for range 7 {
		d.expect("both have", told(d.step(time.Minute, nil, flash)), "")
	}
	d.expect("the first acknowledgement lapses", told(d.step(time.Minute, nil, flash)), "flash-unacknowledged acknowledgement-lapsed! x1 > 01 02")
}

func TestEmptyPostsAreSkipped(t *testing.T) {
	cond := watch.Condition{Key: watch.Key{Kind: watch.Withheld, Line: theLine}}
	for name, c := range map[string]struct {
		posts watch.Posts
		want  string
	}{
		"nobody on watch":     {watch.Posts{Next: []string{"ARD-W-03"}, OnCall: []string{"ARD-W-09"}}, "receipt-withheld raised! x1 > 03"},
		"only on call":        {watch.Posts{OnCall: []string{"ARD-W-09"}}, "receipt-withheld raised! x1 > 09"},
		"nobody in the world": {watch.Posts{}, "receipt-withheld raised! x1 > "},
	} {
		d := newDesk(t)
		d.posts = c.posts
		out := d.step(0, nil, cond)
		d.expect(name, told(out), c.want)
		if len(c.posts.OnCall) == 0 && !strings.Contains(notes(out), "nobody-to-call") {
			t.Errorf("%s: the log book says %q", name, notes(out))
		}
	}
	d := newDesk(t)
	d.posts = watch.Posts{On: []string{"ARD-W-01"}, OnCall: []string{"ARD-W-09"}}
	d.step(0, nil, cond)
	d.expect("no dead wait at two empty rungs", told(d.step(5*time.Minute, nil, cond)), "receipt-withheld escalated! x1 > 01 09")
	d.posts = watch.Posts{Supervisors: []string{"ARD-W-08"}}
	d.expect("all that were called have gone", told(d.step(time.Minute, nil, cond)), "receipt-withheld repeated! x1 > 08")
}

func TestSilence(t *testing.T) {
	d := newDesk(t)
	cond := watch.Condition{Key: watch.Key{Kind: watch.DiskFilling}}
	silence := func(when time.Time, long time.Duration) []watch.Act {
		return []watch.Act{{Officer: "ARD-W-01", At: when, Key: cond.Key, Silence: long}}
	}
	d.expect("raised", told(d.step(0, nil, cond)), "disk-filling raised! x1 > 01 02")
	out := d.step(time.Second, silence(d.now.Add(time.Second), time.Hour), cond)
	d.expect("silenced, for an hour it was asked", notes(out), "silenced 01 1")
	if a := d.state.Alarms[0]; a.Silenced.Sub(d.now) != watch.MaxSilence || a.Acknowledged() {
		t.Errorf("silent for %s, acknowledged %v", a.Silenced.Sub(d.now), a.Acknowledged())
	}
	d.expect("a minute on, on the screen", told(d.step(59*time.Second, nil, cond)), "disk-filling repeated x1 > 01 02")
	out = d.step(time.Second, silence(d.now, time.Minute), cond)
	d.expect("silenced while it is", notes(out), "act-refused 01 0 silenced-before")
	d.expect("it sounds again after two minutes", told(d.step(time.Minute, nil, cond)), "disk-filling repeated! x1 > 01 02")
	out = d.step(time.Second, silence(d.now, time.Minute), cond)
	d.expect("now it may be silenced again", notes(out), "silenced 01 1")
}

// covers P16
func TestTenThousandAtOnce(t *testing.T) {
	d := newDesk(t)
	var all []watch.Condition
	for i := range 10_000 {
		k := watch.Key{Kind: watch.DutyLapsed, Line: theLine, Ref: fmt.Sprintf("ARD/BOR-N1-%d", i)}
		if i%10 == 0 {
			k.Kind = watch.FlashUnread
		}
		all = append(all, watch.Condition{Key: k, Since: d.now})
	}
	out := d.step(0, nil, all...)
	d.expect("ten thousand", told(out), "flash-unacknowledged raised! x1000 > 01 02; duty-lapsed raised! x9000 > 01 02")
	d.expect("the log book", notes(out), "raised  9000; raised  1000")
	calls := 0
	for range 60 { // not through its bytes: a minute of them takes a minute
		d.now = d.now.Add(time.Second)
		next, out := d.state.Step(watch.Moment{Now: d.now, Conditions: all, Posts: d.posts}, d.c)
		d.state, calls = next, calls+len(out.Notices)
	}
	if calls > 10 {
		t.Errorf("in a minute the outlets were called %d times", calls)
	}
	group := func(o string) watch.Act {
		return watch.Act{Officer: o, At: d.now, Key: watch.Key{Kind: watch.DutyLapsed, Line: theLine}, Group: true}
	}
	out = d.step(time.Second, []watch.Act{group("ARD-W-01")}, all...)
	d.expect("one act for all of a group", notes(out), "acknowledged 01 9000")
	one := append(slices.Clone(all), watch.Condition{Key: watch.Key{Kind: watch.DutyLapsed, Line: theLine, Ref: "ARD/BOR-N1-99999"}})
	d.now = d.now.Add(time.Minute)
	if got := told(d.step(0, nil, one...)); !strings.Contains(got, "duty-lapsed raised! x1 > 01 02") {
		t.Errorf("one more after all were acknowledged: %q", got)
	}
	if got := told(d.step(time.Second, nil)); !strings.Contains(got, "duty-lapsed cleared x9001") {
		t.Errorf("all over: %q", got)
	}
}

// TestManyLines has more groups than outlets may be called for.
func TestManyLines(t *testing.T) {
	d := newDesk(t)
	var all []watch.Condition
	for i := range 500 {
		l, err := identity.NewLine(arden, identity.Station(fmt.Sprintf("s%d.example", i)), identity.Technical)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, watch.Condition{Key: watch.Key{Kind: watch.MissedTest, Line: l, Ref: "2026-11-24T02:00:00Z"}}, watch.Condition{Key: watch.Key{Kind: watch.SilentPeer, Line: l}})
	}
	d.expect("all lines down", told(d.step(0, nil, all...)), "silent-peer raised! x500 > 01 02; missed-test raised! x500 > 01 02")
	d.expect("all lines up", told(d.step(time.Minute, nil)), "silent-peer cleared x500 > 01 02; missed-test cleared x500 > 01 02")
}

// TestBeyondTheLimit has more alarms than are kept one by one.
func TestBeyondTheLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 100,001 alarms")
	}
	var all []watch.Condition
	for i := range watch.MaxAlarms + 1 {
		all = append(all, watch.Condition{Key: watch.Key{Kind: watch.DutyNear, Line: theLine, Ref: fmt.Sprint(i)}})
	}
	next, out := watch.Alarms{}.Step(watch.Moment{Now: monday, Conditions: all, Posts: night}, watch.Config{})
	checkAlarms(t, next, watch.Config{}, all, out)
	if len(next.Alarms) != watch.MaxAlarms/2+1 {
		t.Errorf("%d alarms are kept one by one", len(next.Alarms))
	}
}

// TestALongPause stops the station in the middle of an escalation.
func TestALongPause(t *testing.T) {
	d := newDesk(t)
	cond := watch.Condition{Key: watch.Key{Kind: watch.SilentPeer, Line: theLine}}
	d.step(0, nil, cond)
	out := d.step(30*24*time.Hour, nil, cond)
	d.expect("a month later", told(out), "silent-peer escalated! x1 > 01 02 03 08 09")
	d.expect("a second later", told(d.step(time.Second, nil, cond)), "")
	d.expect("a minute later", told(d.step(59*time.Second, nil, cond)), "silent-peer repeated! x1 > 01 02 03 08 09")
}

// TestAClockPutBack must not leave an alarm waiting for last year to end.
func TestAClockPutBack(t *testing.T) {
	d := newDesk(t)
	cond := watch.Condition{Key: watch.Key{Kind: watch.SilentPeer, Line: theLine}}
	d.step(0, nil, cond)
	d.step(time.Second, ack("ARD-W-01", d.now, cond.Key), cond)
	d.now = d.now.AddDate(-1, 0, 0)
	d.expect("the acknowledgement is of the future", told(d.step(0, nil, cond)), "silent-peer acknowledgement-lapsed! x1 > 01 02")
	d.expect("a minute on it rings", told(d.step(time.Minute, nil, cond)), "silent-peer repeated! x1 > 01 02")
}

// TestARoutineAlarmAndAClockPutBack rings what rings once and has no timer once
// more: it was told of at a second that has not come yet, and a state in which
// something stands and never rang is one that no station reads.
// covers P16
func TestARoutineAlarmAndAClockPutBack(t *testing.T) {
	d := newDesk(t)
	cond := watch.Condition{Key: watch.Key{Kind: watch.ContactStale, Line: theLine}}
	d.expect("it rings once", told(d.step(0, nil, cond)), "contact-stale raised x1 > 01 02")
	d.now = d.now.Add(-2 * time.Hour)
	d.expect("the clock was put back", told(d.step(0, nil, cond)), "contact-stale repeated x1 > 01 02")
	d.expect("and it rings no more", told(d.step(time.Hour, nil, cond)), "")
}

// TestAConditionThatFlaps comes and goes each second.
func TestAConditionThatFlaps(t *testing.T) {
	d := newDesk(t)
	cond := watch.Condition{Key: watch.Key{Kind: watch.Withheld, Line: theLine}}
	sounds := 0
	for i := range 600 {
		var now []watch.Condition
		if i%2 == 0 {
			now = append(now, cond)
		}
		for _, n := range d.step(time.Second, nil, now...).Notices {
			if n.Event != watch.Ended {
				sounds++
			}
		}
	}
	if sounds == 0 || sounds > 41 {
		t.Errorf("in ten minutes it rang %d times; 15 s lie between two rings", sounds)
	}
}

// covers P16
func TestRandomNights(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(9, seed))
		d := newDesk(t)
		holds := map[watch.Key]watch.Condition{}
		rang := map[watch.Key]time.Time{} // since when a group is owed a ring
		kinds := watch.Kinds()
		for range 200 {
			for range rng.IntN(3) {
				k := watch.Key{Kind: kinds[rng.IntN(len(kinds))], Ref: fmt.Sprintf("r%d", rng.IntN(3))}
				if rng.IntN(2) == 0 {
					k.Line = theLine
				}
				if _, ok := holds[k]; ok {
					delete(holds, k)
				} else {
					holds[k] = watch.Condition{Key: k, Since: d.now, Level: message.Precedence(rng.IntN(5))}
				}
			}
			var now []watch.Condition
			for _, c := range holds {
				now = append(now, c)
			}
			var acts []watch.Act
			for range rng.IntN(3) {
				a := watch.Act{Officer: fmt.Sprintf("ARD-W-%02d", 1+rng.IntN(9)), At: d.now.Add(-time.Duration(rng.IntN(30)) * time.Second), Key: watch.Key{Kind: kinds[rng.IntN(len(kinds))]}, Group: true}
				if rng.IntN(4) == 0 {
					a.Silence = time.Duration(1+rng.IntN(300)) * time.Second
				}
				acts = append(acts, a)
			}
			if rng.IntN(10) == 0 {
				d.posts = watch.Posts{OnCall: []string{"ARD-W-09"}}
			} else {
				d.posts = night
			}
			pause := time.Duration(rng.IntN(120)) * time.Second
			if due := d.state.Due(d.c); rng.IntN(2) == 0 && due.After(d.now) {
				pause = due.Sub(d.now)
			}
			out := d.step(pause, acts, now...)
			owed(t, d, out, rang)
		}
	}
}

// owed checks from outside that every group that nobody has acknowledged was
// told of, and is again before its repetition is over twice: once for a timer
// that began anew when the level changed.
func owed(t *testing.T, d *desk, out watch.Consequences, last map[watch.Key]time.Time) {
	t.Helper()
	for _, n := range out.Notices {
		if n.Event == watch.Ended {
			continue
		}
		last[n.Group] = d.now
		if n.Lines > 1 { // all of its kind
			last[watch.Key{Kind: n.Group.Kind}], last[watch.Key{Kind: n.Group.Kind, Line: theLine}] = d.now, d.now
		}
	}
	open := map[watch.Key]message.Precedence{}
	for _, a := range d.state.Alarms {
		if k := (watch.Key{Kind: a.Kind, Line: a.Line}); a.Stands() && !a.Acknowledged() {
			open[k] = max(open[k], a.Level)
		}
	}
	for k, level := range open {
		m := watch.DefaultManner(level)
		when, ok := last[k]
		if !ok || m.Repeat > 0 && d.now.Sub(when) > 2*max(m.Repeat, m.Gather) {
			t.Fatalf("%s: %s on %s is open, and was last told of at %s", d.now, k.Kind, k.Line, when)
		}
	}
}

func TestNoticesInSixLanguages(t *testing.T) {
	w := words(t)
	n := watch.Notice{Event: watch.Raised, Group: watch.Key{Kind: watch.FlashUnread, Line: theLine}, Level: message.Flash, Count: 2, Lines: 1, Since: monday, Refs: []string{"BOR/ARD-N1-7"}, To: night.On, Outlets: watch.Outlets()}
	for _, l := range book.Langs() {
		for _, k := range watch.Kinds() {
			n.Group.Kind = k
			text, err := w.Notice(n, l)
			if err != nil || !strings.Contains(text, string(k)) || !strings.Contains(text, "BOR/ARD-N1-7") {
				t.Errorf("%s %s: %q, %v", l, k, text, err)
			}
		}
	}
	text, err := w.Notice(n, "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if !strings.Contains(line, ": ") {
			t.Errorf("a line without a label: %q", line)
		}
	}
}
