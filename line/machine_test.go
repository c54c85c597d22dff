package line

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

// most is a Random that takes nothing off.
type most struct{}

func (most) Int64N(int64) int64 { return 0 }

var start = time.Date(2026, 11, 3, 8, 0, 0, 0, time.UTC)

func view(size, acked int64) View {
	return View{Origin: abLog, Size: size, Acked: acked, Waiting: (size - acked) * 1000}
}

func info(size, next int64) Response {
	return Response{Status: http.StatusConflict, Type: TypeMirrorInfo, Body: MirrorInfo{Size: size, Next: next, Ticket: []byte("t")}.Bytes()}
}

func taken(size, next int64) Response {
	r := info(size, next)
	r.Status = http.StatusAccepted
	return r
}

func sized(n int64) Response {
	return Response{Status: http.StatusConflict, Type: TypeSize, Body: FormatSize(n)}
}

func status(n int) Response { return Text(n, "because") }

var (
	ok   = Response{Status: http.StatusOK}
	down = &Error{Fault: Unreachable, Err: errors.New("connection refused")}
	late = &Error{Fault: Timeout, Sent: true, Err: errors.New("no answer")}
	pin  = &Error{Fault: Refused, Err: errors.New("wrong key")}
	junk = &Error{Fault: Malformed, Sent: true, Err: errors.New("too long")}
)

// step is one question to a machine, the action expected, and what came of it.
type step struct {
	after time.Duration // since the step before
	view  View
	want  string // the action's kind and numbers
	resp  Response
	err   error
	out   OutcomeKind
}

func brief(a Action) string {
	switch a.Kind {
	case Deliver:
		return fmt.Sprintf("deliver %d:%d-%d", a.Old, a.From, a.To)
	case SendCheckpoint:
		return fmt.Sprintf("checkpoint %d:%d", a.Old, a.To)
	case SendEntries:
		return fmt.Sprintf("entries %d-%d %s", a.From, a.End, a.Ticket)
	case Wait:
		if !a.Until.IsZero() {
			return "wait " + a.Until.Sub(start).String()
		}
	}
	return a.Kind.String()
}

func large(v View) View { v.Waiting = MaxDelivery; return v }

// long: one table of what happens and what comes next.
// covers P2, P3, P18
func TestMachine(t *testing.T) {
	none := View{}
	for name, steps := range map[string][]step{
		"a message is delivered in one round trip": {
			{view: view(0, 0), want: "wait"},
			{view: view(1, 0), want: "deliver 0:0-1", resp: ok, out: Receipted},
			{view: view(1, 1), want: "wait"},
			{view: view(3, 1), want: "deliver 1:1-3", resp: ok, out: Receipted},
		},
		"an unreachable peer is tried again, later and later, within a minute": {
			{view: view(1, 0), want: "deliver 0:0-1", err: down},
			{view: view(1, 0), want: "wait 250ms"},
			{after: 250 * time.Millisecond, view: view(1, 0), want: "deliver 0:0-1", err: down},
			{view: view(1, 0), want: "wait 750ms"},
			{after: time.Hour, view: view(1, 0), want: "deliver 0:0-1", resp: ok, out: Receipted},
		},
		"what may have arrived is sent again as it was, though the log grew": {
			{view: view(2, 1), want: "deliver 1:1-2", err: late},
			{after: time.Minute, view: view(5, 1), want: "deliver 1:1-2", resp: ok, out: Receipted},
			{view: view(5, 2), want: "deliver 2:2-5", resp: ok, out: Receipted},
		},
		"what did not leave is made anew": {
			{view: view(2, 1), want: "deliver 1:1-2", err: pin},
			{after: time.Minute, view: view(5, 1), want: "deliver 1:1-5", resp: ok, out: Receipted},
		},
		"a repetition whose receipt came otherwise is dropped": {
			{view: view(2, 1), want: "deliver 1:1-2", err: late},
			{after: time.Minute, view: view(5, 3), want: "deliver 3:3-5", resp: ok, out: Receipted},
		},
		"a conflict moves it to where the peer stands": {
			{view: view(9, 0), want: "deliver 0:0-9", resp: info(4, 3), out: Advanced},
			{view: view(9, 0), want: "deliver 4:3-9", resp: ok, out: Receipted},
		},
		"a peer that lost its store is filled from there": {
			{view: view(9, 8), want: "deliver 8:8-9", resp: info(5, 5), out: Advanced},
			{view: view(9, 8), want: "checkpoint 5:9", resp: ok, out: Advanced},
			{view: view(9, 8), want: "entries 5-9 t", resp: ok, out: Receipted},
		},
		"a size beyond the log stops nothing and asks for heads": {
			{view: view(9, 8), want: "deliver 8:8-9", resp: info(12, 12), out: Suspect},
			{view: view(9, 8), want: "ask heads", resp: ok, out: Advanced},
			{view: view(9, 8), want: "deliver 8:8-9", resp: ok, out: Receipted},
		},
		"a mirror that knows no deliver is served by the standard pair": {
			{view: view(2, 0), want: "deliver 0:0-2", resp: status(405)},
			{view: view(2, 0), want: "checkpoint 0:2", resp: ok, out: Advanced},
			{view: view(2, 0), want: "entries 0-2 ", resp: ok, out: Receipted},
			{view: view(3, 2), want: "checkpoint 2:3", resp: ok, out: Advanced},
			{view: view(3, 2), want: "entries 2-3 ", resp: ok, out: Receipted},
			{after: standardFor, view: view(4, 3), want: "deliver 3:3-4", resp: ok, out: Receipted},
		},
		"an answer without a receipt is none": {
			{view: view(2, 0), want: "deliver 0:0-2", resp: ok, err: ErrNoReceipt},
			{view: view(2, 0), want: "checkpoint 0:2", resp: ok, out: Advanced},
			{view: view(2, 0), want: "entries 0-2 ", resp: ok, err: fmt.Errorf("%w: forged", ErrNoReceipt)},
			{view: view(2, 0), want: "checkpoint 0:2", resp: ok, out: Advanced},
		},
		"an answer that breaks the protocol leads to the standard pair": {
			{view: view(2, 0), want: "deliver 0:0-2", err: junk},
			{after: time.Second, view: view(2, 0), want: "checkpoint 0:2", resp: sized(1), out: Advanced},
			{view: view(2, 0), want: "entries 0-1 ", resp: taken(1, 1), out: Advanced},
			{view: view(2, 0), want: "entries 1-1 t", resp: ok, out: Receipted},
		},
		"a large backlog goes in parts": {
			{view: large(view(5000, 0)), want: "checkpoint 0:5000", resp: ok, out: Advanced},
			{view: large(view(5000, 0)), want: "entries 0-5000 ", resp: info(5000, 256), out: Advanced},
			{view: large(view(5001, 0)), want: "entries 256-5000 t", resp: taken(5000, 4096), out: Advanced},
			{view: large(view(5001, 0)), want: "entries 4096-5000 t", err: late},
			{after: time.Minute, view: large(view(5001, 0)), want: "entries 4096-5000 t", resp: ok, out: Receipted},
			{view: view(5001, 5000), want: "deliver 5000:5000-5001", resp: ok, out: Receipted},
		},
		"a part without progress is odd": {
			{view: large(view(5000, 0)), want: "checkpoint 0:5000", resp: ok, out: Advanced},
			{view: large(view(5000, 0)), want: "entries 0-5000 ", resp: taken(5000, 0)},
			{view: large(view(5000, 0)), want: "checkpoint 0:5000", resp: ok, out: Advanced},
		},
		"a peer that knows not the log is shown the cards": {
			{view: view(1, 0), want: "deliver 0:0-1", resp: status(404)},
			{view: view(1, 0), want: "show cards", resp: ok, out: Advanced},
			{view: view(1, 0), want: "deliver 0:0-1", resp: status(404)},
			{view: view(1, 0), want: "checkpoint 0:1", resp: ok, out: Advanced},
			{view: view(1, 0), want: "entries 0-1 ", resp: ok, out: Receipted},
		},
		"refused proofs ask for heads": {
			{view: view(3, 1), want: "deliver 1:1-3", resp: status(422)},
			{view: view(3, 1), want: "checkpoint 1:3", resp: status(422), out: Suspect},
			{view: view(3, 1), want: "ask heads", resp: ok, out: Advanced},
			{view: view(3, 1), want: "checkpoint 1:3", resp: ok, out: Advanced},
		},
		"a quarrel slows down": {
			{view: view(3, 1), want: "deliver 1:1-3", resp: status(500)},
			{view: view(3, 1), want: "checkpoint 1:3", resp: status(500)},
			{view: view(3, 1), want: "checkpoint 1:3", resp: status(500)},
			{view: view(3, 1), want: "checkpoint 1:3", resp: status(500)},
			{view: view(3, 1), want: "wait 250ms"},
		},
		"a clock put back ends a wait": {
			{view: view(1, 0), want: "deliver 0:0-1", err: down},
			{after: -365 * 24 * time.Hour, view: view(1, 0), want: "deliver 0:0-1", resp: ok, out: Receipted},
		},
		"an idle machine forgets a quarrel": {
			{view: view(3, 1), want: "deliver 1:1-3", resp: info(2, 2), out: Advanced},
			{view: view(3, 3), want: "wait"},
			{view: view(4, 3), want: "deliver 3:3-4", resp: ok, out: Receipted},
		},
		"nothing is sent of an empty log": {{view: none, want: "wait"}},
	} {
		t.Run(name, func(t *testing.T) { play(t, steps) })
	}
}

func play(t *testing.T, steps []step) {
	m, now := NewMachine(most{}), start
	serials := map[uint64]Action{}
	for i, s := range steps {
		now = now.Add(s.after)
		a := m.Next(now, s.view)
		if got := brief(a); got != s.want {
			t.Fatalf("step %d: %s, want %s", i, got, s.want)
		}
		if a.Kind == Wait {
			continue
		}
		if was, again := serials[a.Serial]; again && brief(was) != brief(a) {
			t.Fatalf("step %d: serial %d was %s and is %s", i, a.Serial, brief(was), brief(a))
		}
		serials[a.Serial] = a
		if again := m.Next(now, s.view); again.Kind != Wait {
			t.Fatalf("step %d: asked while one is under way: %s", i, brief(again))
		}
		if out := m.Answer(now, s.view, a, s.resp, s.err); out.Kind != s.out || out.Kind == Failed && out.Reason == "" {
			t.Fatalf("step %d: outcome %d (%s), want %d", i, out.Kind, out.Reason, s.out)
		}
	}
}

// covers P2: contact ends the wait for a peer that was not reached.
func TestContactEndsAWait(t *testing.T) {
	m := NewMachine(most{})
	v := view(1, 0)
	for range 20 {
		a := m.Next(start, v)
		m.Answer(start, v, a, Response{}, down)
		m.Contact()
	}
	if a := m.Next(start, v); a.Kind != Deliver {
		t.Errorf("after contact: %s", brief(a))
	}
	m = NewMachine(most{})
	m.Answer(start, v, m.Next(start, v), Response{Status: 503, RetryAfter: time.Second}, nil)
	m.Contact()
	if a := m.Next(start, v); a.Kind != Wait {
		t.Errorf("contact ended a wait that the peer asked for: %s", brief(a))
	}
}

// covers P15: amount alone is limited, visibly at this end too.
func TestQuota(t *testing.T) {
	full := Response{Status: 503, RetryAfter: 5 * time.Hour}
	v := view(9, 8)
	v.Quota, v.DayBytes = 10000, 9500
	v.Watch = Watch{Oldest: start.Add(-time.Hour), Heard: start, Grew: start}

	m := NewMachine(most{})
	if out := m.Answer(start, v, m.Next(start, v), full, nil); out.Kind != Limited {
		t.Errorf("outcome %d", out.Kind)
	}
	a := m.Next(start, v)
	if a.Kind != Wait || a.Until != start.Add(MaxQuotaWait) || a.Alarms != AlarmQuota {
		t.Errorf("a quota that is borne out: %s, alarms %s", brief(a), a.Alarms)
	}
	if s := m.Standing(); s.Condition != ConditionQuota || s.Reason == "" {
		t.Errorf("standing %+v", s)
	}
	v.Size++ // the station appended nevertheless: it was urgent
	if a := m.Next(start, v); a.Kind != Deliver {
		t.Errorf("after an urgent entry: %s", brief(a))
	}

	v.DayBytes = 0 // the last day's bytes do not bear it out
	m = NewMachine(most{})
	m.Answer(start, v, m.Next(start, v), full, nil)
	a = m.Next(start, v)
	if a.Until.After(start.Add(MaxBackoff)) || a.Alarms != AlarmWithheld || !a.Proven {
		t.Errorf("a quota that is not borne out: %s, alarms %s, proven %v", brief(a), a.Alarms, a.Proven)
	}
}

func TestRefusedIsAnAlarm(t *testing.T) {
	m, v := NewMachine(most{}), view(1, 0)
	m.Answer(start, v, m.Next(start, v), Response{}, pin)
	if a := m.Next(start, v); a.Alarms != AlarmRefused {
		t.Errorf("alarms %s", a.Alarms)
	}
}

func TestAnswersToNothing(t *testing.T) {
	m, v := NewMachine(most{}), view(1, 0)
	a := m.Next(start, v)
	m.Answer(start, v, a, ok, nil)
	if out := m.Answer(start, v, a, ok, nil); out.Kind != Failed {
		t.Errorf("an answer that comes twice: %d", out.Kind)
	}
}

// covers P2: never above a minute, whatever the failures and the jitter.
func TestBackoffIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 5000; n++ {
		if d := backoff(n, r); d <= 0 || d > MaxBackoff {
			t.Fatalf("after %d failures: %s", n, d)
		}
	}
}
