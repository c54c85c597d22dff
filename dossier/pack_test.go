package dossier

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

// packStory is a year's record in short: an inquiry answered and one not, a claim,
// two line tests, a notice that came too late, two records of consultations.
const packStory = `
	0s arden 010 T1
	1m boreal 011 B1 -> T1
	1h boreal 010 T2
	2h arden 210 Q1
	5h boreal 211 A1 -> Q1
	6h arden 210 Q2
	7h boreal 110 N window=@8h..@10h
	8h boreal 270 K facts=#1 urgency=urgent
	9h arden 500 D instrument=a1 draft=#1 status=draft text=a
	10h arden 430 REC
	100h arden 421 R position=draft text=t
	101h boreal 421 S position=agree text=t -> R`

func packOf(t *testing.T, l *Line, from, to string) Pack {
	t.Helper()
	p, err := l.Pack(identity.Line{A: arden, B: boreal, Class: identity.Notification}, span(t, from), span(t, to))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Both sides make the same data pack of the same record, byte for byte, whatever
// order the messages came in.
// covers P7
func TestBothSidesMakeTheSamePack(t *testing.T) {
	ends := tell(t, packStory).ends(byHand())
	mine, theirs := packOf(t, ends[0], "0h", "200h"), packOf(t, ends[1], "0h", "200h")
	a, err := mine.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b, err := theirs.Bytes()
	if err != nil || !bytes.Equal(a, b) {
		t.Fatalf("the packs differ (%v):\n%s\n%s", err, a, b)
	}
	other, err := packOf(t, ends[0], "0h", "199h").Bytes()
	if err != nil || bytes.Equal(a, other) {
		t.Errorf("another period has the same bytes (%v)", err)
	}
}

func TestPackCountsWhatFellDue(t *testing.T) {
	p := packOf(t, tell(t, packStory).ends(byHand())[0], "0h", "200h")
	i := slices.IndexFunc(p.Answers, func(a PackAnswers) bool { return a.By == boreal && a.Act == ActAnswered })
	if i < 0 {
		t.Fatalf("boreal owed no answer: %+v", p.Answers)
	}
	// the test of 0s, the inquiries of 2h and 6h; the record's counter-signature is due later
	if a := p.Answers[i]; a.States[Met] < 2 || a.States[Missed] != 1 || a.Met < 2 {
		t.Errorf("boreal's answers are %+v", a)
	}
	want := []PackTests{{By: arden, Sent: 1, InTime: 1}, {By: boreal, Sent: 1, Never: 1}}
	if !slices.Equal(p.Tests, want) {
		t.Errorf("the tests are %+v, not %+v", p.Tests, want)
	}
	if n := p.Notices[1]; n.By != boreal || n.Short != 1 || n.Usual+n.Least != 0 {
		t.Errorf("the notices are %+v", p.Notices)
	}
	if len(p.Claims) != 1 || p.Claims[0].Kind != KindClaim {
		t.Errorf("the claims are %+v", p.Claims)
	}
	if len(p.Windows) != 1 || p.Windows[0].Kind != KindNotice {
		t.Errorf("the windows are %+v", p.Windows)
	}
}

func TestMedianIsTheLowerMiddle(t *testing.T) {
	p := packOf(t, tell(t, `
		0s arden 210 A
		1h boreal 211 a -> A
		0s arden 210 B
		3h boreal 211 b -> B`).ends(byHand())[0], "0h", "48h")
	for _, a := range p.Answers {
		if a.By == boreal && a.Act == ActAnswered && (a.Met != 2 || a.MedianSeconds != 3600) {
			t.Errorf("the median of one and three hours is %d s of %d", a.MedianSeconds, a.Met)
		}
	}
	half := packOf(t, tell(t, "0s arden 210 A").ends(byHand())[0], "0h", "24h")
	if i := slices.IndexFunc(half.Answers, func(a PackAnswers) bool { return a.Act == ActAnswered }); i >= 0 {
		t.Errorf("what is due at the period's end counts in it: %+v", half.Answers[i])
	}
}

// The agenda has the six heads in their order, filled from the record.
func TestAgendaIsFilledFromTheRecord(t *testing.T) {
	p := packOf(t, tell(t, packStory).ends(byHand())[0], "0h", "200h")
	var heads []string
	why := make(map[string][]Why)
	for _, h := range p.Agenda {
		heads = append(heads, h.Head)
		for _, r := range h.Refs {
			why[h.Head] = append(why[h.Head], r.Why)
		}
	}
	if !slices.Equal(heads, []string{"practice", "signals", "thresholds", "exchange", "extension", "next-meeting"}) {
		t.Errorf("the heads are %v", heads)
	}
	for head, want := range map[string]Why{"practice": whyOpen, "thresholds": whyRecommended, "extension": whySaid, "next-meeting": whyRecord} {
		if !slices.Contains(why[head], want) {
			t.Errorf("%s has %v, and not %s", head, why[head], want)
		}
	}
	for _, want := range []Why{whyShort, Why(Missed)} {
		if !slices.Contains(why["practice"], want) {
			t.Errorf("practice has %v, and not %s", why["practice"], want)
		}
	}
}

func TestPackOfNoPeriod(t *testing.T) {
	l := NewLine(byHand())
	if _, err := l.Pack(identity.Line{A: arden, B: boreal}, start, start); !errors.Is(err, ErrPeriod) {
		t.Errorf("a period without a second gives %v", err)
	}
}

// withActions gives a record of a story its actions.
func withActions(s *story, name string, actions ...Record) {
	for i := range s.items {
		if s.items[i].ID == s.names[name] {
			put(&s.items[i].Facts.Records, "actions", actions)
		}
	}
}

func action(number string, owner identity.Station, due time.Time) Record {
	return Record{"action": number, "owner": string(owner), "due": stamp(due), "what": "told"}
}

// An action of an agreed record is followed until a later agreed record ends it;
// what its owner said is shown and ends nothing by itself.
func TestActionsAreFollowedUp(t *testing.T) {
	s := tell(t, `
		0s arden 421 R position=draft text=t
		1h boreal 421 S position=agree text=t -> R
		5h boreal 440 W -> R
		100h boreal 421 R2 position=draft text=u
		101h arden 421 S2 position=agree text=u -> R2`)
	withActions(s, "R", action("1", boreal, span(t, "10h")), action("2", arden, span(t, "20h")))
	withActions(s, "R2", action("2", arden, span(t, "200h")))
	l := s.ends(byHand())[1]
	states := func(at string) (list []string) {
		_, actions := l.Consultations(span(t, at))
		for _, a := range actions {
			list = append(list, a.Number+" "+string(a.State))
		}
		return list
	}
	for at, want := range map[string]string{
		"0h": "", "1h": "1 open,2 open", "10h1s": "1 overdue,2 open", "50h": "1 overdue,2 overdue", "101h": "1 ended,2 carried,2 open",
	} {
		if got := strings.Join(states(at), ","); got != want {
			t.Errorf("at %s the actions are %q, not %q", at, got, want)
		}
	}
	_, actions := l.Consultations(span(t, "50h"))
	if len(actions[0].Said) != 1 || l.items[actions[0].Said[0]].ID != s.names["W"] || len(actions[1].Said) != 0 {
		t.Errorf("what was said of the actions is %v and %v", actions[0].Said, actions[1].Said)
	}
}

// Two versions of a record stand side by side, with the differences that each
// names.
func TestTwoVersionsStand(t *testing.T) {
	s := tell(t, `
		0s arden 421 R position=draft text=t
		1h boreal 421 S position=differ text=u -> R`)
	s.items[1].Facts.Lists = map[string][]string{"differences": {"item 3"}}
	list, _ := s.ends(byHand())[0].Consultations(span(t, "2h"))
	if len(list) != 1 || len(list[0].Agreed) != 0 || len(list[0].Versions) != 2 || !slices.Equal(list[0].Versions[1].Differences, []string{"item 3"}) {
		t.Errorf("the consultations are %+v", list)
	}
}

const programmeStory = `
	0s arden 450 M measure=m1 version=#1 text=a own_owner=mfa.arden.example other_owner=mfa.boreal.example steps=1/mfa.arden.example/@100h,2/mfa.boreal.example/@200h
	10h boreal 451 A decision=accept measure=m1 version=#1 text=a -> M
	60h arden 452 P measure=m1 step=1 state=done -> M
	70h boreal 452 O measure=m1 step=2 state=delayed new_due=@300h -> M
	80h boreal 450 N measure=m2 text=b steps=1/nrrc.boreal.example/@90h`

func TestProgrammeSaysWhoseIsOverdue(t *testing.T) {
	l := tell(t, programmeStory).ends(byHand())[0]
	p := l.Programme(span(t, "250h"))
	if len(p.Measures) != 2 || p.Measures[0].State != MeasureUnderWay || p.Measures[1].State != MeasureOffered {
		t.Fatalf("the programme is %+v", p)
	}
	one, two := p.Measures[0].Steps[0], p.Measures[0].Steps[1]
	if one.By != arden || one.Done.IsZero() || one.Overdue() || two.By != boreal || !two.Overdue() || two.Told != "delayed" || two.NewDue.IsZero() {
		t.Errorf("the steps are %+v and %+v", one, two)
	}
	if s := p.Measures[1].Steps[0]; s.Overdue() || s.State != "" {
		t.Errorf("a step that nobody agreed to is owed: %+v", s)
	}
	r := p.Review()
	if r.Proposed != 1 || r.Running != 1 || r.SignedOff+r.Declined != 0 || len(r.Overdue) != 1 || r.Overdue[0].By != boreal || r.Overdue[0].Step != "2" {
		t.Errorf("the review is %+v", r)
	}
	if early := l.Programme(span(t, "200h")).Review(); len(early.Overdue) != 0 {
		t.Errorf("what is due at a second is past at it: %+v", early)
	}
}

// A yearly review that contradicts the record is refused with its place.
func TestReviewFits(t *testing.T) {
	p := tell(t, programmeStory).ends(byHand())[0].Programme(span(t, "250h"))
	over := `[{"measure":"m1","step":"2","owner":"mfa.boreal.example","due":"` + stamp(span(t, "200h")) + `"}]`
	good := map[string]string{"year": "2028", "proposed": "1", "running": "1", "signed_off": "0", "declined": "0", "overdue": over}
	for name, test := range map[string]struct{ param, value, refused string }{
		"what the record says": {"", "", ""},
		"a year to come":       {"year", "2029", "year"},
		"one too many":         {"running", "2", "running"},
		"none declined":        {"declined", "1", "declined"},
		"nothing overdue":      {"overdue", "[]", "overdue"},
		"another's step":       {"overdue", strings.Replace(over, "boreal", "arden", 1), "overdue [1]"},
	} {
		params := make(map[string]string)
		for k, v := range good {
			params[k] = v
		}
		if test.param != "" {
			params[test.param] = test.value
		}
		err := p.ReviewFits(bodyOf("454", params))
		var fit *FitError
		if test.refused == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.As(err, &fit) || fit.Param != test.refused {
			t.Errorf("%s: refused with %v, not at %s", name, err, test.refused)
		}
	}
	if err := p.ReviewFits(message.Body{Format: "450"}); err != nil {
		t.Errorf("another format: %v", err)
	}
}

func TestNegotiationShowsTheChain(t *testing.T) {
	l := tell(t, `
		0s arden 500 D1 instrument=a1 kind=agreement draft=#1 status=draft text=a
		1h boreal 500 D2 instrument=a1 kind=agreement draft=#2 status=variant text=b base=a -> D1
		2h arden 500 D3 instrument=a1 kind=agreement draft=#3 status=clean text=c base=b -> D2
		3h arden 501 S1 instrument=a1 text=c -> D3
		4h boreal 501 S2 instrument=a1 text=c -> D3`).ends(byHand())[1]
	n := l.Negotiations(span(t, "2h"))
	if len(n) != 1 || len(n[0].Drafts) != 3 || n[0].Drafts[2].BaseBy != boreal || n[0].Drafts[1].BaseOf == nil || n[0].Drafts[0].BaseOf != nil || n[0].Clean != "c" || n[0].SignedText != "" {
		t.Fatalf("the negotiations are %+v", n)
	}
	if n = l.Negotiations(span(t, "4h")); n[0].SignedText != "c" || len(n[0].Signatures) != 2 || !n[0].Signatures[0].CleanWhenPut {
		t.Errorf("the signatures are %+v", n[0])
	}
}

func bodyOf(n message.Format, params map[string]string) message.Body {
	b := message.Body{Format: n, Params: make(map[string]jsontext.Value)}
	for k, v := range params {
		b.Params[k] = jsontext.Value(v)
	}
	return b
}
