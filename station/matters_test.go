package station_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

// watchPair is two stations and the line between them, as time goes by.
type watchPair struct {
	t    *testing.T
	a, b stationtest.End
	line identity.Line
}

func newWatch(t *testing.T) *watchPair {
	a, b, l := pair(t)
	return &watchPair{t, a, b, l}
}

// at is the second a time after the start.
func at(d time.Duration) time.Time { return start.Add(d) }

// say lets a side say something, and carries it and its receipt into the record.
func (w *watchPair) say(e stationtest.End, after time.Duration, f message.Format, refs []message.ID, typed ...string) message.ID {
	w.t.Helper()
	out, err := e.Say(ctx, at(after), station.Draft{Line: w.line, Format: f, Refs: refs}, typed...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.pass(after)
	other := w.a
	if e.Name() == w.a.Name() {
		other = w.b
	}
	w.test(other, after+time.Minute)
	return out.ID
}

// test lets a side test the line: its entry lists what it has receipted.
func (w *watchPair) test(e stationtest.End, after time.Duration) {
	w.t.Helper()
	typed := []string{"check_groups=12345", "test_no=" + at(after).Format(time.RFC3339), "text_id=T1", "bearer=direct"}
	if _, err := e.Say(ctx, at(after), station.Draft{Line: w.line, Format: "010"}, typed...); err != nil {
		w.t.Fatal(err)
	}
	w.pass(after)
}

// pass lets time come to a second.
func (w *watchPair) pass(after time.Duration) {
	w.t.Helper()
	for _, e := range []stationtest.End{w.a, w.b} {
		if err := e.Tick(ctx, at(after)); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := stationtest.Settle(ctx, at(after), w.line, w.a, w.b); err != nil {
		w.t.Fatal(err)
	}
}

// equal demands that both ends come to the same as of each second, and that it
// is what a fold from nothing comes to.
func (w *watchPair) equal(seconds ...time.Duration) {
	w.t.Helper()
	for _, after := range seconds {
		var digests []identity.Digest
		for _, e := range []stationtest.End{w.a, w.b} {
			whole, err := e.Whole(ctx, stationtest.Operator(), at(after), w.line, at(after))
			if err != nil {
				w.t.Fatal(err)
			}
			if err := dossier.Check(whole); err != nil {
				w.t.Error(err)
			}
			digests = append(digests, whole.Digest())
		}
		if digests[0] != digests[1] {
			w.t.Errorf("after %s the two ends come to %s and %s", after, digests[0], digests[1])
		}
	}
	checkLine(w.t, w.line, w.a, w.b)
}

// answer returns the duty to answer a message, as a side lists it.
func (w *watchPair) answer(e stationtest.End, of message.ID, after time.Duration, q station.ObligationQuery) (station.Obligation, bool) {
	w.t.Helper()
	q.At, q.Line = at(after), w.line
	list, err := e.Obligations(ctx, stationtest.Operator(), at(100*time.Hour), q)
	if err != nil {
		w.t.Fatal(err)
	}
	if !slices.IsSortedFunc(list, func(a, b station.Obligation) int { return a.Due.Compare(b.Due) }) {
		w.t.Errorf("obligations are not sorted by when they are due")
	}
	for _, o := range list {
		if o.Of == of && o.Act == dossier.ActAnswered {
			return o, true
		}
	}
	return station.Obligation{}, false
}

var inquiry = []string{
	"kind=scanning", "window=2026-11-23T13:00:00Z/2026-11-23T14:00:00Z", "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1", "concern=origin",
	"ask=inform", "by=2026-11-24T14:00:00Z",
}

// An inquiry is understood, gets an interim answer by right and a full one an
// hour late. Each second of it, present or past, is the same at both ends.
// covers P10 P11 P20
func TestIncident(t *testing.T) {
	w := newWatch(t)
	asked := w.say(w.a, time.Minute, "210", nil, inquiry...)
	w.say(w.b, 20*time.Minute, "012", []message.ID{asked}, "state=UND", "role=watch", "received=2026-11-23T14:01:00Z")
	w.say(w.b, 20*time.Hour, "202", []message.ID{asked}, "reason=examining", "due=2026-11-25T06:00:00Z", "n=1") // 40 hours after the start
	answered := w.say(w.b, 41*time.Hour, "211", []message.ID{asked}, "answer=not-ours", "action=examining")
	w.equal(time.Hour, 30*time.Hour, 40*time.Hour, 40*time.Hour+time.Second, 41*time.Hour, 42*time.Hour)

	for _, c := range []struct {
		after, due, late time.Duration
		stage            dossier.Stage
		state            dossier.DutyState
		extended         int
	}{
		{time.Hour, 24*time.Hour + time.Minute, 0, dossier.Inquired, dossier.Open, 0},
		{30 * time.Hour, 40 * time.Hour, 0, dossier.Inquired, dossier.Open, 1},
		{40 * time.Hour, 40 * time.Hour, 0, dossier.Inquired, dossier.Open, 1},
		{40*time.Hour + 30*time.Minute, 40 * time.Hour, 30 * time.Minute, dossier.Inquired, dossier.Missed, 1},
		{42 * time.Hour, 40 * time.Hour, time.Hour, dossier.Responded, dossier.Late, 1},
	} {
		for _, e := range []stationtest.End{w.a, w.b} {
			v, err := e.Matter(ctx, stationtest.Operator(), at(43*time.Hour), asked, at(c.after))
			if err != nil || v.Stage != c.stage || v.ID != asked || v.Citation != "ARD/BOR-N1-2" {
				t.Fatalf("%s after %s: %s of %s, stage %s, %v", e.Name(), c.after, v.ID, v.Citation, v.Stage, err)
			}
			o, ok := w.answer(e, asked, c.after, station.ObligationQuery{Met: true})
			if !ok || o.State != c.state || !o.Due.Equal(at(c.due)) || o.Late != c.late || o.Extended != c.extended || o.By != bor || o.Matter != asked || o.Kind != dossier.KindIncident {
				t.Errorf("%s after %s: %+v", e.Name(), c.after, o)
			}
			if !slices.Contains(o.Formats, "211") {
				t.Errorf("%s after %s: an inquiry is answered by %v", e.Name(), c.after, o.Formats)
			}
			for side, has := range map[station.Side]bool{station.SideOwn: e.Name() == bor, station.SideCounterpart: e.Name() != bor} {
				if _, ok := w.answer(e, asked, c.after, station.ObligationQuery{Owes: side, Overdue: true}); ok != (has && c.state == dossier.Missed) {
					t.Errorf("%s after %s: %s is listed as overdue: %v", e.Name(), c.after, side, ok)
				}
			}
			if _, ok := w.answer(e, asked, c.after, station.ObligationQuery{Within: 12 * time.Hour}); ok != (c.after > 28*time.Hour && c.state != dossier.Late) {
				t.Errorf("%s after %s: listed as due within twelve hours: %v", e.Name(), c.after, ok)
			}
		}
	}

	// What may come next, what silence means, how far each message has come.
	v, err := w.b.Matter(ctx, stationtest.Operator(), at(43*time.Hour), answered, at(30*time.Hour))
	if !errors.Is(err, station.ErrNotFound) {
		t.Errorf("an answer that was not received yet is known: %+v, %v", v, err)
	}
	if v, err = w.b.Matter(ctx, stationtest.Operator(), at(43*time.Hour), asked, at(30*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if d, ok := v.Silence(); !ok || d.Act != dossier.ActAnswered || !d.Due.Equal(at(40*time.Hour)) || d.By != bor {
		t.Errorf("silence means %+v", d)
	}
	if st := v.Stages[asked]; st.Seen.IsZero() && st.Understood.IsZero() || !st.Answered.IsZero() || !st.Received.Equal(at(time.Minute)) {
		t.Errorf("the inquiry has come to %+v", st)
	}
	if !slices.ContainsFunc(v.Next, func(n dossier.Next) bool { return slices.Contains(n.Formats, "211") && slices.Contains(n.From, bor) }) {
		t.Errorf("what may come next: %+v", v.Next)
	}
	if len(v.Timeline) != 3 || v.Timeline[2].Flags == nil || !slices.Contains(v.Replies[asked], "211") {
		t.Errorf("the timeline is %+v", v.Timeline)
	}
}

// Lists of matters: those that wait first, in parts that miss and repeat
// nothing, by kind, stage and who owes.
func TestMatterList(t *testing.T) {
	w := newWatch(t)
	for i := range 3 {
		w.say(w.a, time.Duration(1+20*i)*time.Minute, "210", nil, inquiry...)
	}
	letter := w.say(w.b, 70*time.Minute, "600", nil, "text=good day")
	var all []station.Matter
	q := station.MatterQuery{Line: w.line, At: at(2 * time.Hour), Limit: 2}
	for {
		list, err := w.a.Matters(ctx, stationtest.Operator(), at(3*time.Hour), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		all = append(all, list...)
		q.After = list[len(list)-1].Cursor
	}
	seen := make(map[message.ID]bool)
	waits := true
	for i, m := range all {
		due, owed := m.Due()
		if seen[m.ID] || owed && !waits {
			t.Errorf("matter %d, %s: repeated, or out of order", i, m.Citation)
		}
		if before, ok := all[max(i-1, 0)].Due(); owed && ok && due.Due.Before(before.Due) {
			t.Errorf("matter %d, %s, is due at %s after %s", i, m.Citation, due.Due, before.Due)
		}
		seen[m.ID], waits = true, owed
	}
	whole, err := w.a.Whole(ctx, stationtest.Operator(), at(3*time.Hour), w.line, at(2*time.Hour))
	if err != nil || len(all) != len(whole.Dossiers) || !seen[letter] {
		t.Errorf("%d matters are listed of %d, %v", len(all), len(whole.Dossiers), err)
	}
	for _, c := range []struct {
		q    station.MatterQuery
		want int
	}{
		{station.MatterQuery{Kind: dossier.KindIncident}, 3},
		{station.MatterQuery{Kind: dossier.KindIncident, Stage: dossier.Responded}, 0},
		{station.MatterQuery{Kind: dossier.KindIncident, Owes: station.SideCounterpart}, 3},
		{station.MatterQuery{Kind: dossier.KindIncident, Owes: station.SideOwn}, 0},
		{station.MatterQuery{Kind: dossier.KindIncident, At: at(10 * time.Minute)}, 1},
	} {
		if c.q.At.IsZero() {
			c.q.At = at(2 * time.Hour)
		}
		if list, err := w.a.Matters(ctx, stationtest.Operator(), at(3*time.Hour), c.q); err != nil || len(list) != c.want {
			t.Errorf("%+v lists %d matters, %v", c.q, len(list), err)
		}
	}
}

// A FLASH that nobody answers is past at both ends, and says no more than that.
// covers P11 P20
func TestFlashUnanswered(t *testing.T) {
	w := newWatch(t)
	id := w.say(w.a, time.Minute, "230", nil, "assets=domain:scada.grid.arden.example", "observed=scanning", "window=2026-11-23T13:00:00Z/2026-11-23T14:20:00Z", "danger=service",
		"ask=stop", "by=2026-11-23T16:20:00Z")
	w.equal(time.Hour, 2*time.Hour+time.Minute, 3*time.Hour)
	for _, e := range []stationtest.End{w.a, w.b} {
		if o, ok := w.answer(e, id, 2*time.Hour+time.Minute, station.ObligationQuery{}); !ok || o.State != dossier.Open {
			t.Errorf("%s, at the last second: %+v", e.Name(), o)
		}
		if o, ok := w.answer(e, id, 3*time.Hour, station.ObligationQuery{Overdue: true}); !ok || o.State != dossier.Missed || o.Late != 59*time.Minute || o.By != bor {
			t.Errorf("%s, an hour late: %+v", e.Name(), o)
		}
	}
}

// Nobody without the right sees a matter, and each look is in the audit trail.
// covers P22
func TestMattersAreAudited(t *testing.T) {
	w := newWatch(t)
	id := w.say(w.a, time.Minute, "210", nil, inquiry...)
	now := at(time.Hour)
	for _, actor := range []station.Actor{{Name: "stranger"}, stationtest.Operator()} {
		_, list := w.a.Matters(ctx, actor, now, station.MatterQuery{})
		_, show := w.a.Matter(ctx, actor, now, id, time.Time{})
		_, duties := w.a.Obligations(ctx, actor, now, station.ObligationQuery{})
		_, state := w.a.Whole(ctx, actor, now, w.line, now)
		for _, err := range []error{list, show, duties, state} {
			if refused := errors.Is(err, station.ErrRefused); refused != (actor.Name == "stranger") {
				t.Errorf("%s: %v", actor.Name, err)
			}
		}
	}
	trail, err := w.a.AuditTrail(ctx, stationtest.Operator(), now, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, l := range trail {
		count[l.Act+" "+l.Result]++
	}
	for _, act := range []string{"matters", "matter", "obligations", "state"} {
		if count[act+" done"] != 1 || count[act+" refused"] != 1 {
			t.Errorf("%s: %d looks and %d refusals are in the audit trail", act, count[act+" done"], count[act+" refused"])
		}
	}
}

// A counterpart that is alive and leaves a message without a receipt is shown as
// withholding it: no clock of its officers runs, and no digest holds it.
// covers P11
func TestWithheldObligation(t *testing.T) {
	v, h := duo(t)
	now := at(time.Minute)
	step := offer(t, v, now, "one")
	busy := line.Response{Status: http.StatusServiceUnavailable, RetryAfter: time.Second}
	owed := func(second time.Time) []station.Obligation {
		t.Helper()
		list, err := v.Obligations(ctx, op, now, station.ObligationQuery{At: second})
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(list, func(o station.Obligation) bool { return o.Act != dossier.ActReceived })
	}
	if list := owed(now); len(list) != 1 || list[0].State != dossier.Open || list[0].By != h.Name() || list[0].Citation != "ARD/BOR-N1-2" {
		t.Errorf("at once: %+v", list)
	}
	if list := owed(start); len(list) != 0 {
		t.Errorf("before it was written: %+v", list)
	}
	whole, err := v.Whole(ctx, op, now, v.line, now)
	if err != nil {
		t.Fatal(err)
	}
	for end := now.Add(15 * time.Minute); now.Before(end); now = now.Add(time.Minute) {
		if step.Request != nil {
			if err := v.Answered(ctx, now, v.line, step, busy, nil); err != nil {
				t.Fatal(err)
			}
		}
		if step, err = v.Step(ctx, now, v.line); err != nil {
			t.Fatal(err)
		}
	}
	if list := owed(now); len(list) != 1 || list[0].State != dossier.WithheldState || list[0].Matter != (message.ID{}) {
		t.Errorf("withheld: %+v", list)
	}
	later, err := v.Whole(ctx, op, now, v.line, whole.At)
	if err != nil || later.Digest() != whole.Digest() {
		t.Errorf("what is withheld has changed a digest: %v", err)
	}
}
