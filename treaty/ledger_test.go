package treaty

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// whole is the edition with stand-ins, by their parameters, for formats of the
// agreement's life that it may lack.
type whole struct{ e *book.Edition }

func (w whole) Format(n message.Format) (book.Format, bool) {
	if f, ok := w.e.Format(n); ok {
		return f, true
	}
	params, ok := map[message.Format]string{
		"022": "digest:hash", "023": "ask:code", "120": "step:code window:window", "250": "case_id:id", "251": "answer:code",
		"270": "urgency:code undertaking:code", "271": "", "272": "", "273": "outcome:code",
		"300": "undertakings:code*", "301": "decision:code", "302": "effective:utc", "310": "election:id window:window core:window",
		"311": "election:id change:code window:window core:window", "312": "", "390": "", "391": "", "400": "subject:code", "420": "session:code window:window",
		"421": "position:code", "430": "", "440": "", "510": "agreement:id articles:id* from:utc until:utc", "511": "agreement:id extent:code articles:id* from:utc",
		"520": "", "521": "", "522": "", "530": "agreement:id ends:utc", "531": "agreement:id effect:code ends:utc",
	}[n]
	f := book.Format{Number: n}
	for _, p := range strings.Fields(params) {
		name, typ, _ := strings.Cut(p, ":")
		typ, many := strings.CutSuffix(typ, "*")
		f.Params = append(f.Params, book.Param{Name: name, Type: book.Type(typ), Many: many, Optional: true})
	}
	return f, ok
}

const (
	arden  identity.Party = "arden.example"
	boreal identity.Party = "boreal.example"
)

// stage is a ledger on which a story is played.
type stage struct {
	t   testing.TB
	l   *Ledger
	b   Book
	now time.Time
	n   map[identity.Party]int64
	all []Event
}

var begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) // of the agreement

func play(t testing.TB, a *Agreement) *stage {
	t.Helper()
	b := whole{edition(t)}
	l, err := NewLedger(Setup{Agreement: a.ID, Parties: [2]identity.Party{arden, boreal}, Versions: []Version{{From: begin, Text: a}}}, b)
	if err != nil {
		t.Fatal(err)
	}
	return &stage{t: t, l: l, b: b, now: begin, n: make(map[identity.Party]int64)}
}

func idOf(n int) (id message.ID) {
	copy(id[:], fmt.Sprintf("%016d", n))
	return id
}

// empty is the same ledger without a message.
func (l *Ledger) empty() *Ledger {
	return &Ledger{setup: l.setup, compiled: l.compiled, places: map[Place]*Event{}, ids: map[message.ID]*Event{}, named: map[message.ID][]*Event{}}
}

// says has a side send a message of a format at the stage's second; the parameters
// are JSON.
func (s *stage) says(by identity.Party, n message.Format, p message.Precedence, params string, refs ...message.ID) message.ID {
	s.t.Helper()
	to := boreal
	if by == boreal {
		to = arden
	}
	line, err := identity.NewLine("nrrc.arden.example", "nrrc.boreal.example", identity.Notification)
	if err != nil {
		s.t.Fatal(err)
	}
	body := message.Body{ID: idOf(len(s.all) + 1), Format: n, Precedence: p, Refs: refs, Params: map[string]jsontext.Value{}}
	if params != "" {
		if err := json.Unmarshal([]byte(params), &body.Params); err != nil {
			s.t.Fatal(err)
		}
	}
	e := Read(Place{line.Log(identity.Station("nrrc."+string(by)), 1), s.n[by]}, by, to, body, s.now, s.b)
	e.Received = s.now
	s.n[by]++
	s.put(e)
	return e.ID
}

func (s *stage) put(e Event) {
	i := slices.IndexFunc(s.all, func(o Event) bool { return o.Place == e.Place })
	if i < 0 {
		s.all = append(s.all, e)
	} else {
		s.all[i] = e
	}
	s.l.Put(e)
}

// later moves the stage's clock.
func (s *stage) later(d time.Duration) { s.now = s.now.Add(d) }

// duty returns an obligation as of the stage's second.
func (s *stage) duty(id string, of message.ID) Obligation {
	s.t.Helper()
	for _, o := range s.l.At(s.now).Obligations {
		if o.Duty == id && o.Of == of {
			return o
		}
	}
	s.t.Fatalf("%s: there is no obligation %s of %s", s.now, id, of)
	return Obligation{}
}

// is checks how an obligation stands as of the stage's second.
func (s *stage) is(id string, of message.ID, want StateCode) Obligation {
	s.t.Helper()
	o := s.duty(id, of)
	if o.State != want {
		s.t.Errorf("%s: %s is %s, want %s (due %s) %s", s.now, id, o.State, want, o.Due, o.Why)
	}
	return o
}

// none checks that a message made no duty arise.
func (s *stage) none(id string, of message.ID) {
	s.t.Helper()
	for _, o := range s.l.At(s.now).Obligations {
		if o.Duty == id && o.Of == of {
			s.t.Errorf("%s arose of %s", id, of)
		}
	}
}

// check ends every story: whatever the order in which the messages came, the
// account is the same, as of any second of the story; and each obligation has its
// reasons, which end with its state.
// covers P10
func (s *stage) check() {
	s.t.Helper()
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := s.l.empty()
		for _, i := range r.Perm(len(s.all)) {
			l.Put(s.all[i])
			l.Put(s.all[r.IntN(len(s.all))])
		}
		for _, e := range s.all {
			l.Put(e)
		}
		for range 6 {
			at := begin.Add(time.Duration(r.Int64N(int64(s.now.Sub(begin)) + int64(time.Second))))
			one, err1 := s.l.At(at).Digest()
			two, err2 := l.At(at).Digest()
			if one != two || err1 != nil || err2 != nil {
				s.t.Errorf("as of %s the order of coming counts: %v %v", at, err1, err2)
			}
		}
		if n, differ := FirstDifference(s.l.Trail(s.now), l.Trail(s.now)); differ {
			s.t.Errorf("the trails differ at %d", n)
		}
	}
	for _, o := range s.l.At(s.now).Obligations {
		steps := s.l.Explain(o.Key, s.now)
		n := slices.IndexFunc(steps, func(x Step) bool { return x.Code == "judged" })
		if n < 0 || o.Period == 0 && steps[n].Value != string(o.State) {
			s.t.Errorf("%s is %s and explained by %v", o.Duty, o.State, steps)
		}
	}
}

const hour = time.Hour

// An inquiry is answered in a day; the answer may ask for time once by right, and
// a second time by consent; there is no third.
func TestAnswerInTime(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	q := s.says(arden, "210", message.Immediate, `{"kind":"scan","effect":2}`)
	o := s.is("A12.1", q, Open)
	if o.By != boreal || !o.Due.Equal(begin.Add(24*hour)) || o.Article != "A12" {
		t.Errorf("%+v", o)
	}
	s.later(24 * hour)
	s.is("A12.1", q, Open) // the second itself is in time
	s.says(boreal, "202", message.Immediate, `{"reason":"checking","due":"2026-03-04T00:00:00Z","n":1}`, q)
	s.later(time.Second)
	if o := s.is("A12.1", q, Open); o.Extended != 1 || o.Due.Day() != 4 {
		t.Errorf("extended: %+v", o)
	}
	again := s.says(boreal, "202", message.Immediate, `{"reason":"checking","due":"2026-03-05T00:00:00Z","n":2}`, q)
	if o := s.is("A12.1", q, Open); o.Due.Day() != 4 {
		t.Errorf("moved without consent: %+v", o)
	}
	s.says(arden, "012", message.Immediate, `{"state":"UND"}`, again)
	if o := s.is("A12.1", q, Open); o.Extended != 2 || o.Due.Day() != 5 {
		t.Errorf("moved by consent: %+v", o)
	}
	third := s.says(boreal, "202", message.Immediate, `{"reason":"checking","due":"2026-03-09T00:00:00Z","n":3}`, q)
	s.says(arden, "012", message.Immediate, `{"state":"UND"}`, third)
	if o := s.is("A12.1", q, Open); o.Due.Day() != 5 {
		t.Errorf("moved a third time: %+v", o)
	}
	s.now = time.Date(2026, 3, 5, 1, 0, 0, 0, time.UTC)
	if o := s.is("A12.1", q, Missed); o.Flag != FlagMissing || !slices.Contains(o.Next, "400") || o.Over(s.now) != hour {
		t.Errorf("missed: %+v", o)
	}
	a := s.says(boreal, "211", message.Immediate, `{"answer":"looking"}`, q)
	if o := s.is("A12.1", q, Late); o.MetBy != a || o.Over(s.now) != hour {
		t.Errorf("late: %+v", o)
	}
	if o := s.is("A12.2", a, Open); o.By != boreal || !o.Due.Equal(s.now.Add(48*hour)) {
		t.Errorf("the full answer: %+v", o)
	}
	s.later(hour)
	s.says(boreal, "211", message.Immediate, `{"answer":"not-ours"}`, q)
	s.is("A12.2", a, Met)
	// As of a second in the past nothing of it is known.
	if o := s.l.At(begin.Add(hour)).Owed(boreal); len(o) == 0 || o[0].Due.Before(begin) {
		t.Errorf("as of the first hour: %+v", o)
	}
}

// A correction keeps the original's clock, a cancellation stops it and is itself
// to be understood; an answer that is taken back answers nothing.
func TestCorrectedAndTakenBack(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	n := s.says(boreal, "110", message.Priority, `{"kind":"mass-scan","window":{"from":"2026-03-08T00:00:00Z","to":"2026-03-09T00:00:00Z","zone":"UTC"}}`)
	s.is("A9.1", n, Met)
	s.later(hour)
	c := s.says(boreal, "019", message.Priority, `{"kind":"correct"}`, n)
	if o := s.is("A10.1", n, Open); !o.Due.Equal(begin.Add(24 * hour)) {
		t.Errorf("a correction moved the clock: %+v", o)
	}
	s.is("A6.1", c, Open)
	x := s.says(boreal, "111", message.Immediate, `{"change":"cancel"}`, n)
	s.is("A10.1", n, Stopped)
	s.is("A9.2", n, Stopped)
	if o := s.is("A6.1", x, Open); o.By != arden {
		t.Errorf("the cancellation is to be understood: %+v", o)
	}
	s.says(arden, "012", message.Immediate, `{"state":"UND"}`, x)
	s.is("A6.1", x, Met)

	q := s.says(arden, "210", message.Immediate, "")
	a := s.says(boreal, "211", message.Immediate, `{"answer":"not-ours"}`, q)
	s.is("A12.1", q, Met)
	s.says(arden, "019", message.Immediate, `{"kind":"recall"}`, a) // not its author
	s.is("A12.1", q, Met)
	s.says(boreal, "019", message.Immediate, `{"kind":"recall"}`, a)
	s.is("A12.1", q, Open)
	s.says(arden, "019", message.Immediate, `{"kind":"recall"}`, q)
	s.is("A12.1", q, Stopped)
}

// Less notice than three days is short notice: a flag, and the notice stands.
func TestShortNotice(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	n := s.says(arden, "110", message.Priority, `{"window":{"from":"2026-03-03T23:59:59Z","to":"2026-03-04T00:00:00Z","zone":"UTC"}}`)
	if o := s.is("A9.1", n, Late); o.Flag != FlagShort {
		t.Errorf("%+v", o)
	}
	n = s.says(arden, "110", message.Priority, `{"window":{"from":"2026-03-04T00:00:00Z","to":"2026-03-04T00:00:00Z","zone":"UTC"}}`)
	s.is("A9.1", n, Met)
	if o := s.is("A9.2", n, Open); !o.Due.Equal(time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("after the window: %+v", o)
	}
	late := s.says(arden, "220", message.Immediate, `{"found":"2026-02-27T23:59:59Z","effect":3,"status":"confirmed"}`)
	if o := s.is("A11.1", late, Late); o.Flag != FlagBreach {
		t.Errorf("%+v", o)
	}
	s.is("A11.2", late, Open)
	u := s.says(arden, "221", message.Immediate, `{"effect":1,"status":"closed"}`, late)
	s.is("A11.2", late, Met)
	s.none("A11.2", u)
}

// A window halves clocks, its core shortens them further and raises precedence;
// what began before it keeps its own clock. The strictest of both sides' counts.
func TestWindows(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	before := s.says(boreal, "210", message.Immediate, "")
	w := s.says(arden, "310", message.Priority, `{"election":"E1","window":{"from":"2026-03-01T00:00:01Z","to":"2026-05-01T00:00:00Z","zone":"UTC"},"core":{"from":"2026-04-01T00:00:00Z","to":"2026-04-10T00:00:00Z","zone":"UTC"}}`)
	if o := s.is("A17.1", w, Late); o.Flag != FlagShort {
		t.Errorf("%+v", o)
	}
	s.later(hour)
	open := s.says(boreal, "210", message.Immediate, "")
	if o := s.duty("A12.1", open); !o.Due.Equal(s.now.Add(12*hour)) || o.Phase != PhaseOpen || o.Raise != "IMMEDIATE" {
		t.Errorf("in the window: %+v", o)
	}
	if o := s.duty("A12.1", before); !o.Due.Equal(begin.Add(24 * hour)) {
		t.Errorf("before the window: %+v", o)
	}
	s.says(boreal, "310", message.Priority, `{"election":"B1","window":{"from":"2026-03-10T00:00:00Z","to":"2026-03-12T00:00:00Z","zone":"UTC"},"core":{"from":"2026-03-11T00:00:00Z","to":"2026-03-11T12:00:00Z","zone":"UTC"}}`)
	s.now = time.Date(2026, 3, 11, 12, 0, 0, 0, time.UTC)
	core := s.says(boreal, "210", message.Immediate, "")
	if o := s.duty("A12.1", core); !o.Due.Equal(s.now.Add(2*hour)) || o.Raise != "FLASH" {
		t.Errorf("in the other side's core: %+v", o)
	}
	s.later(time.Second)
	s.says(boreal, "311", message.Immediate, `{"election":"B1","change":"certified"}`)
	s.says(arden, "311", message.Immediate, `{"election":"E1","change":"cancel"}`)
	s.later(time.Second)
	after := s.says(boreal, "210", message.Immediate, "")
	if o := s.duty("A12.1", after); o.Phase != PhaseNone || !o.Due.Equal(s.now.Add(24*hour)) {
		t.Errorf("after both: %+v", o)
	}
	// One that ends before it begins is none, and a change of what was not told changes nothing.
	bad := s.says(arden, "310", message.Priority, `{"election":"E2","window":{"from":"2026-06-02T00:00:00Z","to":"2026-06-01T00:00:00Z","zone":"UTC"}}`)
	lone := s.says(arden, "311", message.Immediate, `{"election":"E9","change":"shift"}`)
	st := s.l.At(s.now)
	if len(st.Windows) != 2 || len(st.Refused) != 2 || st.Refused[0].Message != bad || st.Refused[1].Message != lone {
		t.Errorf("%+v", st.Refused)
	}
	s.is("A17.1", bad, Unclear)
}

// While an article is suspended its clocks stand still; those of others run, and
// some cannot be suspended at all.
func TestSuspension(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	q := s.says(arden, "210", message.Immediate, "")
	s.later(20 * hour)
	n := s.says(boreal, "510", message.Immediate, `{"agreement":"model-incidents","articles":["A12","A6","A77"],"from":"2026-03-01T00:00:00Z"}`)
	if o := s.is("A26.1", n, Late); o.Flag != FlagShort {
		t.Errorf("%+v", o)
	}
	s.later(hour)
	if o := s.is("A12.1", q, Suspended); !o.Due.IsZero() {
		t.Errorf("%+v", o)
	}
	if st := s.l.At(s.now); len(st.Suspended) != 1 || len(st.Refused) != 2 || st.Refused[0].Article != "A6" || st.Refused[1].Article != "A77" {
		t.Errorf("%+v %+v", st.Suspended, st.Refused)
	}
	in := s.says(arden, "210", message.Immediate, "")
	s.later(9 * hour)
	s.says(arden, "511", message.Priority, `{"agreement":"model-incidents","extent":"whole","from":"2026-03-01T00:00:00Z"}`) // not its own
	s.is("A12.1", q, Suspended)
	s.is("A6.1", q, Missed)
	s.says(boreal, "511", message.Priority, `{"agreement":"model-incidents","extent":"part","articles":["A12"],"from":"2026-03-01T00:00:00Z"}`)
	if o := s.is("A12.1", q, Open); !o.Due.Equal(begin.Add(34 * hour)) { // ten hours stood still
		t.Errorf("resumed: %+v", o)
	}
	if o := s.is("A12.1", in, Open); !o.Due.Equal(s.now.Add(24 * hour)) {
		t.Errorf("what came meanwhile: %+v", o)
	}
	s.later(4 * hour)
	s.is("A12.1", q, Open)
	s.later(time.Second)
	s.is("A12.1", q, Missed)
}

// While its article is suspended nobody owes a notice so long ahead; before and
// after, one that comes too late is short.
func TestSuspendedLead(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	notice := func() message.ID {
		return s.says(arden, "110", message.Priority, `{"kind":"test","window":{"from":"`+stamp(s.now.Add(24*hour))+`","to":"`+stamp(s.now.Add(26*hour))+`","zone":"UTC"}}`)
	}
	before := notice()
	s.says(boreal, "510", message.Immediate, `{"agreement":"model-incidents","articles":["A9"],"from":"2026-03-01T00:00:00Z"}`)
	s.later(hour)
	meanwhile := notice()
	s.later(hour)
	s.says(boreal, "511", message.Priority, `{"agreement":"model-incidents","extent":"whole","from":"2026-03-01T00:00:00Z"}`)
	s.later(hour)
	after := notice()
	for _, id := range []message.ID{before, after} {
		if o := s.is("A9.1", id, Late); o.Flag != FlagShort {
			t.Errorf("%+v", o)
		}
	}
	for _, o := range s.l.At(s.now).Obligations {
		if o.Duty == "A9.1" && o.Of == meanwhile {
			t.Errorf("what its article does not ask for is held against its author: %+v", o)
		}
	}
}

// A denunciation ends the agreement six calendar months after its receipt, across
// a renewal; duties live until then; one that is withdrawn ends nothing.
func TestDenunciation(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	s.now = time.Date(2028, 8, 31, 12, 0, 0, 0, time.UTC)
	s.says(arden, "530", message.Priority, `{"agreement":"model-incidents","ends":"2028-12-31T00:00:00Z"}`)
	st := s.l.At(s.now)
	if want := time.Date(2029, 2, 28, 12, 0, 0, 0, time.UTC); !st.Ends.Equal(want) || !st.Denounced[0].Short() || st.Term != 1 {
		t.Errorf("ends %s, want %s: %+v", st.Ends, want, st.Denounced)
	}
	s.says(boreal, "531", message.Priority, `{"agreement":"model-incidents","effect":"withdrawn"}`) // not its own
	s.says(arden, "531", message.Priority, `{"agreement":"model-incidents","effect":"withdrawn"}`)
	if st := s.l.At(s.now); !st.Ends.IsZero() || len(st.Refused) != 1 {
		t.Errorf("withdrawn: %+v", st)
	}
	s.now = time.Date(2028, 10, 1, 0, 0, 0, 0, time.UTC) // in the last six months of the term
	s.says(boreal, "530", message.Priority, `{"agreement":"model-incidents"}`)
	s.now = time.Date(2029, 3, 15, 0, 0, 0, 0, time.UTC)
	q := s.says(arden, "210", message.Immediate, "")
	st = s.l.At(s.now)
	if want := time.Date(2029, 4, 1, 0, 0, 0, 0, time.UTC); !st.Ends.Equal(want) || st.Term != 2 || !st.InForce {
		t.Errorf("carried past the renewal: term %d, ends %s", st.Term, st.Ends)
	}
	s.is("A12.1", q, Open)
	s.now = time.Date(2029, 3, 31, 12, 0, 0, 0, time.UTC)
	last := s.says(arden, "210", message.Immediate, "")
	s.now = time.Date(2029, 4, 1, 0, 0, 1, 0, time.UTC)
	s.is("A12.1", last, Ended)
	s.is("A12.1", q, Missed)
	if s.l.At(s.now).InForce {
		t.Error("it is still in force")
	}
	none := s.says(arden, "210", message.Immediate, "")
	s.none("A12.1", none)
}

// What recurs is counted by period; a run of missed ones is one obligation. What a
// suspension touches is held against nobody.
func TestRecurring(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	for range 3 {
		s.says(arden, "022", message.Routine, "")
		s.later(24 * hour)
	}
	s.later(4*24*hour + hour)
	var arden022 []Obligation
	for _, o := range s.l.At(s.now).Obligations {
		if o.Duty == "A25.1" && o.By == arden {
			arden022 = append(arden022, o)
		}
	}
	if len(arden022) != 2 || arden022[0].State != Missed || arden022[0].Period != 4 || arden022[0].Periods != 4 || arden022[1].State != Open || arden022[1].Period != 8 {
		t.Errorf("%+v", arden022)
	}
	i := slices.IndexFunc(s.l.At(s.now).Periods, func(p Periodic) bool { return p.Duty == "A25.1" && p.By == arden })
	if p := s.l.At(s.now).Periods[i]; p.Kept != 3 || p.Missed != 4 {
		t.Errorf("%+v", p)
	}
	// Contacts within sixty days of entry into force.
	s.now = begin.Add(60 * 24 * hour)
	s.is("A5.1", message.ID{}, Open)
	s.says(arden, "030", message.Priority, "")
	s.is("A5.1", message.ID{}, Met)
}

// A disputed receipt runs two clocks; what its reader refused, or whose evidence is
// not there, is shown as such; an exercise starts nothing.
func TestDisputedRefusedExercise(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	q := s.says(arden, "210", message.Immediate, "")
	e := s.all[0]
	e.Second = begin.Add(3 * hour)
	s.put(e)
	s.later(25 * hour)
	s.is("A12.1", q, LateTimeDisputed)
	s.says(boreal, "211", message.Immediate, `{"answer":"not-ours"}`, q)
	s.is("A12.1", q, LateTimeDisputed)
	a := s.all[1]
	a.At = begin.Add(23 * hour)
	s.put(a)
	s.is("A12.1", q, MetTimeDisputed)
	a.At, a.Received, a.Refused = begin.Add(23*hour), begin.Add(23*hour), true
	s.put(a)
	s.is("A12.1", q, MetDisputed)
	a.Refused, a.Awaited = false, true
	s.put(a)
	s.later(3 * hour)
	s.is("A12.1", q, EvidenceAwaited)

	x := Event{Place: Place{e.Place.Origin, 99}, ID: idOf(99), Format: "210", By: arden, To: boreal, At: s.now, Received: s.now, Facts: Facts{}, Exercise: true}
	s.put(x)
	s.none("A12.1", x.ID)
}

// A condition that fails on a message makes its duty unclear, with the place; it is
// no silent no. covers P14
func TestConditionFails(t *testing.T) {
	s := play(t, model(t))
	defer s.check()
	n := s.says(arden, "220", message.Immediate, `{"found":"2026-03-01T00:00:00Z"}`) // no effect given
	if o := s.is("A11.2", n, Unclear); !strings.Contains(o.Why, "A11.2: on.where") || !strings.Contains(o.Why, "no such") {
		t.Errorf("%+v", o)
	}
	u := s.says(arden, "221", message.Immediate, `{"effect":"three","status":"confirmed"}`, n) // of another type
	s.is("A11.2", u, Unclear)
	huge := s.says(arden, "110", message.Priority, "")
	s.is("A9.1", huge, Unclear)
}

// What an amendment changes holds for what arises after it; what it leaves goes on.
func TestAmendment(t *testing.T) {
	a := model(t)
	text, err := a.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b := parsed(t, []byte(strings.Replace(string(text), `"within":"PT24H"}],"source":"pattern: border`, `"within":"PT24H"}],"source":"pattern: border`, 1)))
	for i := range b.Articles {
		for j := range b.Articles[i].Duties {
			if d := &b.Articles[i].Duties[j]; d.ID == "A13.1" {
				d.Within = Period{Seconds: 3600}
			}
		}
	}
	s := play(t, a)
	s.l.setup.Versions = append(s.l.setup.Versions, Version{From: begin.Add(10 * hour), Text: b})
	l, err := NewLedger(s.l.setup, s.b)
	if err != nil {
		t.Fatal(err)
	}
	s.l = l
	defer s.check()
	s.later(9 * hour)
	one := s.says(arden, "230", message.Flash, "")
	s.later(hour)
	two := s.says(arden, "230", message.Flash, "")
	if o, p := s.duty("A13.1", one), s.duty("A13.1", two); o.Due.Sub(o.From) != 2*hour || p.Due.Sub(p.From) != hour {
		t.Errorf("%+v\n%+v", o, p)
	}
	s.later(48 * hour)
	for _, o := range s.l.At(s.now).Obligations {
		if o.Duty == "A25.1" && o.Period == 1 && !o.From.Equal(begin) {
			t.Errorf("what the amendment left began anew: %+v", o)
		}
	}
}

// FirstDifference names the first event that two sides do not take alike.
func TestTrail(t *testing.T) {
	s, o := play(t, model(t)), play(t, model(t))
	for i := range 10 {
		s.says(arden, "210", message.Immediate, "")
		s.later(hour)
		e := s.all[i]
		if i == 6 {
			e.Received = e.Received.Add(time.Second)
		}
		o.put(e)
	}
	if n, differ := FirstDifference(s.l.Trail(s.now), o.l.Trail(s.now)); !differ || n != 6 {
		t.Errorf("%d %v", n, differ)
	}
	if n, differ := FirstDifference(s.l.Trail(s.now)[:4], s.l.Trail(s.now)); !differ || n != 4 {
		t.Errorf("%d %v", n, differ)
	}
}
