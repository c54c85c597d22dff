package dossier

import (
	"slices"
	"testing"
	"time"

	"detente/book"
	"detente/message"
)

// agreedForms are the formats of guarantees, elections, consultations, measures,
// exercises and the life of an agreement as their table has it, written out.
func agreedForms() []Form {
	lead := func(f Form, l Lead) Form {
		f.Lead = &l
		return f
	}
	follows := func(f Form, u Followup) Form {
		f.Followups = []Followup{u}
		return f
	}
	exercise := form("120", KindExercise, "announce", 7*dayL, "120")
	exercise = lead(exercise, Lead{Param: "window", By: "step", LeastOf: map[string]time.Duration{"own": 3 * dayL, "joint": 14 * dayL, "other-dates": 14 * dayL}})
	election := lead(form("310", KindElection, "declare", dayL, "014"), Lead{Param: "window", Least: 60 * dayL})
	return []Form{
		receipt(form("022", KindService, "state-digest", dayL, "022", "023")), form("023", KindService, "report-discrepancy", 48*hour, "023", "012"),
		follows(exercise, Followup{Format: "122", Within: 30 * dayL, After: "window"}),
		form("121", KindExercise, "control", 15*time.Minute, "012"), form("122", KindExercise, "report", 30*dayL, "122"),
		form("300", KindGuarantee, "offer", 30*dayL, "301"), form("301", KindGuarantee, "reply", 0, "012"),
		lead(form("302", KindGuarantee, "withdraw", dayL, "012"), Lead{Param: "effective", Months: 6}),
		follows(election, Followup{Format: "312", Within: 30 * dayL, After: "window"}),
		form("311", KindElection, "change-window", hour, "012"), form("312", KindElection, "report", 0),
		form("400", KindConsultation, "propose", 48*hour, "401"), lead(form("420", KindConsultation, "call", 14*dayL, "401"), Lead{Param: "window", Least: 60 * dayL}),
		form("421", KindConsultation, "record", 14*dayL, "421"), form("430", KindConsultation, "recommend", 0),
		form("450", KindMeasure, "propose", 60*dayL, "451"), form("451", KindMeasure, "answer", 0),
		follows(form("452", KindMeasure, "progress", 30*dayL, "012"), Followup{Format: "452", After: "next_report"}),
		form("453", KindMeasure, "sign-off", 30*dayL, "453"), form("454", KindAny, "review-programme", 14*dayL, "454", "012"),
		form("500", KindInstrument, "draft", 30*dayL, "500", "501"), form("501", KindInstrument, "sign", 30*dayL, "501"),
		lead(form("510", KindSuspension, "suspend", hour, "012"), Lead{Param: "from", Least: 3 * dayL}), form("511", KindSuspension, "resume", 0, "012"),
		form("520", KindInstrument, "propose-amendment", 60*dayL, "521"), form("521", KindInstrument, "answer-amendment", 0),
		form("522", KindInstrument, "complete", 0, "012"),
		lead(form("530", KindDenunciation, "denounce", dayL, "012"), Lead{Param: "ends", Months: 6}), form("531", KindDenunciation, "settle", 0, "012"),
		form("540", KindAccession, "accede", 60*dayL, "540"), form("550", KindDeclaration, "declare", 0),
	}
}

// Every parameter and code by which two moves are compared, or by which time
// later does something, is in the format of the edition that makes the move.
func TestJointMovesNameWhatTheEditionHas(t *testing.T) {
	e := edition(t)
	param := func(f book.Format, name string) book.Param {
		i := slices.IndexFunc(f.Params, func(p book.Param) bool { return p.Name == name })
		if i < 0 {
			t.Errorf("format %s has no parameter %s", f.Number, name)
			return book.Param{}
		}
		return f.Params[i]
	}
	byMove := make(map[Kind]map[Move]book.Format)
	for _, f := range e.Formats() {
		if byMove[Kind(f.Dossier)] == nil {
			byMove[Kind(f.Dossier)] = make(map[Move]book.Format)
		}
		byMove[Kind(f.Dossier)][Move(f.Transition)] = f
	}
	compared := 0
	for kind, m := range machines {
		for move, turn := range m.turns {
			f, earlier := byMove[kind][move], byMove[kind][turn.earlier(move)]
			for _, name := range slices.Concat(turn.on, turn.same) {
				param(f, name)
				param(earlier, name)
				compared++
			}
			has := func(f book.Format, by string, codes []string) {
				if len(codes) == 0 {
					return
				}
				list, _ := e.List(param(f, by).List)
				for _, code := range codes {
					if !slices.ContainsFunc(list.Codes, func(c book.Code) bool { return c.Code == code }) {
						t.Errorf("format %s: %s has no code %q", f.Number, by, code)
					}
				}
			}
			has(f, turn.by, slices.Concat(turn.binds, turn.answering))
			has(earlier, m.turns[turn.earlier(move)].by, turn.against)
		}
	}
	if compared < 15 {
		t.Errorf("only %d parameters are compared", compared)
	}
	for number, names := range map[message.Format][]string{
		"120": {"window", "step"}, "300": {"undertakings", "further", "entry", "entry_date", "until", "text"}, "301": {"undertakings", "further", "text"}, "302": {"effective"},
		"310": {"window", "core"}, "311": {"window", "core", "change"}, "450": {"steps", "other_owner", "text"}, "451": {"decision", "text"}, "452": {"step", "state"},
		"510": {"from", "until"}, "511": {"from"}, "530": {"ends"}, "531": {"effect", "ends"}, "550": {"from"},
	} {
		f, _ := e.Format(number)
		for _, name := range names {
			param(f, name)
		}
	}
	steps := param(byMove[KindMeasure]["propose"], "steps")
	for _, name := range []string{"step", "owner", "due"} {
		if !slices.ContainsFunc(steps.Fields, func(p book.Param) bool { return p.Name == name }) {
			t.Errorf("the steps of a measure have no %s", name)
		}
	}
}

// What a measure and a guarantee say is read from the bodies of the edition's
// own examples.
func TestFactsOfTermsAndSteps(t *testing.T) {
	e := edition(t)
	facts := func(n message.Format, i int) Facts {
		f, _ := e.Format(n)
		return FactsOf(message.Body{Params: f.Examples[i]})
	}
	if got := terms(facts("301", 1)); !slices.Equal(got, []string{"U1", "U6", "ARD-BOR-P1:U12"}) {
		t.Errorf("the terms are %v", got)
	}
	got := stepsOf(facts("450", 0))
	want := step{"1", arden, time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)}
	if len(got) != 2 || got[0] != want || got[1].owner != boreal {
		t.Errorf("the steps are %v", got)
	}
	if w := facts("310", 0).Windows; !w["core"].overlaps(w["window"]) || w["core"].To.After(w["window"].To) {
		t.Errorf("the windows are %v", w)
	}
}
