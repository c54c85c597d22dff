package station_test

import (
	"encoding/json/jsontext"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/dossier"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
)

var alleged = []string{
	"claim_no=ARD-2026-001", "basis=article", "article=A8", "urgency=urgent", "evidence_level=1", "technical=none", "political=none", "remedies=explain", "by=2026-11-30T00:00:00Z",
	"facts=from=2026-11-22T10:00:00Z;asset=domain:grid.arden.example;act=scanning;effect=1;level=1",
	"facts=from=2026-11-22T12:00:00Z;asset=domain:vote.arden.example;act=intrusion;effect=4;level=2;words=one table; read=twice",
}

// A claim is answered fact by fact and closed by both; as of each second both
// ends hold the same graph of what is agreed, contested and unanswered.
// covers P10 P11 P20
func TestClaim(t *testing.T) {
	w := newWatch(t)
	claim := w.say(w.a, time.Minute, "270", nil, alleged...)
	w.say(w.b, 20*time.Hour, "271", []message.ID{claim}, "facts=fact=1;answer=not-ours;words=the range is leased")
	w.say(w.b, 30*time.Hour, "271", []message.ID{claim}, "facts=fact=2;answer=partly")
	w.say(w.a, 40*time.Hour, "273", []message.ID{claim}, "outcome=settled", "publishable=no", "facts=fact=1;outcome=dropped")
	w.say(w.b, 41*time.Hour, "273", []message.ID{claim}, "outcome=settled", "publishable=no")
	w.equal(time.Hour, 20*time.Hour, 30*time.Hour, 42*time.Hour)
	for _, c := range []struct {
		after time.Duration
		stage dossier.Stage
		facts []dossier.FactStanding
	}{
		{time.Hour, dossier.ClaimMade, []dossier.FactStanding{dossier.FactUnanswered, dossier.FactUnanswered}},
		{21 * time.Hour, dossier.PartlyReplied, []dossier.FactStanding{dossier.FactContested, dossier.FactUnanswered}},
		{31 * time.Hour, dossier.Replied, []dossier.FactStanding{dossier.FactContested, dossier.FactPartly}},
		{42 * time.Hour, dossier.Settled, []dossier.FactStanding{dossier.FactDropped, dossier.FactPartly}},
	} {
		for _, e := range []stationtest.End{w.a, w.b} {
			v, err := e.Matter(ctx, stationtest.Operator(), at(43*time.Hour), claim, at(c.after))
			if err != nil || v.Kind != dossier.KindClaim || v.Stage != c.stage {
				t.Fatalf("%s after %s: %s at %s, %v", e.Name(), c.after, v.Kind, v.Stage, err)
			}
			var standing []dossier.FactStanding
			for _, f := range v.Facts {
				standing = append(standing, f.Standing)
			}
			if !slices.Equal(standing, c.facts) {
				t.Errorf("%s after %s: the facts stand %v, want %v", e.Name(), c.after, standing, c.facts)
			}
			if o, ok := w.answer(e, claim, c.after, station.ObligationQuery{Met: true}); !ok || !o.Due.Equal(at(48*time.Hour+time.Minute)) {
				t.Errorf("%s after %s: an urgent claim is answered %+v", e.Name(), c.after, o)
			}
		}
	}
}

// What does not fit what it speaks of is refused before release, with the place.
// covers P14
//
// long: one table, a line a case.
func TestMisfitsAreRefused(t *testing.T) {
	w := newWatch(t)
	claim := w.say(w.a, time.Minute, "270", nil, alleged...)
	letter := w.say(w.a, 2*time.Minute, "600", nil, "text=good day")
	report := w.say(w.a, 3*time.Minute, "275", nil, "source=Fjord Research", "source_kind=research", "title=Winter tools", "obtained=2026-11-22T10:00:00Z", "provenance=published",
		"original_language=en", "exhibit="+strings.Repeat("ab", 32), "states=XB", "technical=none", "political=none", "position=no-comment", "claim=none", "ask=position", "by=2026-11-30T00:00:00Z")
	proposal := w.say(w.a, 4*time.Minute, "390", nil, "serials=ARD/BOR-N1-2", "form=full", "at=2027-02-01T00:00:00Z", "where=both", "by=2027-01-01T00:00:00Z")
	edition := w.say(w.a, 5*time.Minute, "034", nil, "edition="+strings.Repeat("ab", 32), "base="+strings.Repeat("cd", 32), "name=2027.1", "changes=formats/262/new", "from=2027-03-01T00:00:00Z", "by=2027-01-31T00:00:00Z")
	for name, c := range map[string]struct {
		from   stationtest.End
		format message.Format
		refs   []message.ID
		typed  []string
		want   string // in the error; empty: taken
	}{
		"an article that does not exist": {w.a, "270", nil, append(slices.Clone(alleged), "article=A99")[1:], "article"},
		"a reply to no claim":            {w.b, "271", []message.ID{letter}, []string{"facts=fact=1;answer=accepted"}, "refs"},
		"a reply without a reference":    {w.b, "271", nil, []string{"facts=fact=1;answer=accepted"}, "refs"},
		"a reply to a fact not claimed":  {w.b, "271", []message.ID{claim}, []string{"facts=fact=1;answer=accepted", "facts=fact=3;answer=accepted"}, "facts [2].fact"},
		"a question on a fact not there": {w.b, "272", []message.ID{claim}, []string{"questions=ask=time;fact=3", "by=2026-11-30T00:00:00Z"}, "questions [1].fact"},
		"an end of a fact not there":     {w.a, "273", []message.ID{claim}, []string{"outcome=settled", "publishable=no", "facts=fact=3;outcome=dropped"}, "facts [1].fact"},
		"a fact answered twice":          {w.b, "271", []message.ID{claim}, []string{"facts=fact=1;answer=accepted", "facts=fact=1;answer=partly"}, "facts"},
		"a reply to one's own claim":     {w.a, "271", []message.ID{claim}, []string{"facts=fact=1;answer=accepted"}, "refs"},
		"a state that is not named":      {w.b, "276", []message.ID{report}, []string{"state=XC", "position=rejects"}, "state"},
		"a fact that no report states":   {w.b, "276", []message.ID{report}, []string{"state=XB", "position=rejects", "facts=fact=1;answer=partly"}, "facts [1].fact"},
		"an answer to one's own report":  {w.a, "276", []message.ID{report}, []string{"state=XB", "position=rejects"}, "refs"},
		"consent to what was not asked":  {w.b, "391", []message.ID{proposal}, []string{"decision=part", "answers=ARD/BOR-N1-9/consent"}, "answers [1]"},
		"consent to all but not to all":  {w.b, "391", []message.ID{proposal}, []string{"decision=all", "answers=ARD/BOR-N1-2/refuse"}, "decision"},
		"no consent that consents":       {w.b, "391", []message.ID{proposal}, []string{"decision=none", "answers=ARD/BOR-N1-2/consent"}, "decision"},
		"another edition":                {w.b, "035", []message.ID{edition}, []string{"decision=declined", "edition=" + strings.Repeat("ef", 32)}, "edition"},
		"a term of nobody":               {w.b, "036", nil, []string{"term_id=G-1", "step=accepted", "term=incident", "senses=no=1;language=en;words=x", "own_sense=1"}, "refs"},
		"a state that is the source":     {w.a, "275", nil, []string{"source=Corvia", "source_kind=state", "source_state=XC", "title=x", "obtained=2026-11-22T10:00:00Z", "provenance=unknown", "original_language=en", "exhibit=" + strings.Repeat("ab", 32), "states=XC", "technical=none", "political=none", "position=shares", "claim=none", "ask=note"}, "states"},
		"a fitting reply":                {w.b, "271", []message.ID{claim}, []string{"facts=fact=2;answer=accepted"}, ""},
		"a fitting answer":               {w.b, "276", []message.ID{report}, []string{"state=XB", "position=examines"}, ""},
		"a fitting consent":              {w.b, "391", []message.ID{proposal}, []string{"decision=all", "answers=ARD/BOR-N1-2/consent"}, ""},
	} {
		if name == "an article that does not exist" {
			c.typed = slices.DeleteFunc(c.typed, func(s string) bool { return s == "article=A8" })
			c.typed = append(c.typed, "claim_no=ARD-1")
		}
		_, err := c.from.Say(ctx, at(time.Hour), station.Draft{Line: w.line, Format: c.format, Refs: c.refs}, c.typed...)
		var fit *dossier.FitError
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), ", "+c.want+": ")):
			t.Errorf("%s: %v, want an error at %s", name, err, c.want)
		case errors.As(err, &fit) && (!errors.Is(err, station.ErrInvalid) || fit.Reason == "" || fit.Next == ""):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// From a peer the same is stored, and shown as what it is.
// covers P14 P15
func TestMisfitsOfAPeerAreShown(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	claim, err := v.Say(ctx, now, station.Draft{Line: v.line, Format: "270"}, alleged...)
	if err != nil {
		t.Fatal(err)
	}
	meet(t, now, v, h)
	now = now.Add(time.Minute)
	draft := station.Draft{Line: h.line, Format: "271", Refs: []message.ID{claim.ID}, Marking: message.Marking{TLP: "AMBER"}, Language: "en"}
	if draft.Params, err = h.Book().Compose("271", []string{"facts=fact=1;answer=accepted"}); err != nil {
		t.Fatal(err)
	}
	reply, err := h.Submit(ctx, op, now, draft)
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.Release(ctx, op, now, reply.ID)
	if err != nil {
		t.Fatal(err)
	}
	other := h.misfit(v, r, now)
	meet(t, now, v, h)
	for i := range 3 {
		meet(t, now.Add(time.Duration(i)*time.Minute), v, h)
	}
	for _, e := range []*side{v, h} {
		if _, err := e.Say(ctx, now.Add(4*time.Minute), station.Draft{Line: v.line, Format: "010"}, "check_groups=12345", "test_no="+now.Format(time.RFC3339), "text_id=T1", "bearer=direct"); err != nil {
			t.Fatal(err)
		}
		meet(t, now.Add(4*time.Minute), v, h)
	}
	m, err := v.Matter(ctx, op, now.Add(5*time.Minute), claim.ID, now.Add(5*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(m.Timeline, func(e dossier.Entry) bool { return e.Message == other })
	if i < 0 || !slices.Contains(m.Timeline[i].Flags, dossier.FlagNoFact) {
		t.Errorf("the peer's reply to fact 7 is shown as %+v; refused: %v", m.Timeline[max(i, 0)], v.answers())
	}
	if m.Facts[0].Standing != dossier.FactUnanswered || m.Facts[1].Standing != dossier.FactUnanswered {
		t.Errorf("the facts stand %+v", m.Facts)
	}
}

// misfit writes a reply, released as it should be, to a fact that was not
// claimed, as no honest station would.
func (s *side) misfit(to *side, r station.Release, now time.Time) message.ID {
	s.t.Helper()
	b := r.Frozen.Body()
	b.ID = message.ID{9}
	b.Params = map[string]jsontext.Value{"facts": jsontext.Value(`[{"answer":"accepted","fact":7}]`)}
	frozen, err := b.Freeze()
	if err != nil {
		s.t.Fatal(err)
	}
	r.Frozen = frozen
	w := s.last().Wrapper
	w.At, w.Receipts, w.Held, w.Approvals = now.UTC().Truncate(time.Second), nil, nil, nil
	for _, o := range s.Cast.Officers[:r.Need] {
		a, err := o.Sign(r.Request("releasing", "approve"))
		if err != nil {
			s.t.Fatal(err)
		}
		w.Approvals = append(w.Approvals, a)
	}
	plain, err := message.Entry{Wrapper: w, Body: frozen}.Plain()
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(now, sealed(s.t, to, now, plain))
	return b.ID
}
