package dossier

import (
	"maps"
	"slices"
	"testing"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// moves returns what a turn may do from a stage.
func (m machine) reached(from Stage, t turn) (to []Stage, allowed bool) {
	if len(t.targets()) == 0 {
		return nil, from != ""
	}
	for _, s := range t.targets() {
		if m.allows(from, s) {
			to = append(to, s)
		}
	}
	return to, len(to) > 0 || t.stays && from != ""
}

// byTime are the stages that no message leads to.
var byTime = map[Kind][]Stage{
	KindNotice: {Lapsed}, KindGuarantee: {GuaranteeInForce, GuaranteeEnded}, KindElection: {WindowOpen, WindowCore, WindowOver},
	KindPublication: {PublicationSilence},
	KindSuspension:  {Suspended, Resumed}, KindDenunciation: {AgreementEnded}, KindDeclaration: {DeclarationHolds, DeclarationEnded},
}

// onClaim are the questions that need a claim: without one they are flagged and
// call for nothing.
var onClaim = []message.Format{"272", "273"}

// Each table is closed: every stage is reached from the beginning, every stage
// that a move names is in the table, every way in the table is made by a move or
// by time, every move is allowed somewhere, and only a stage of rest has no way
// out.
func TestTablesAreClosed(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(machines)) {
		m := machines[kind]
		reached := map[Stage]bool{"": true}
		for again := true; again; {
			again = false
			for from := range maps.Clone(reached) {
				for _, turn := range m.turns {
					to, _ := m.reached(from, turn)
					for _, s := range to {
						again = again || !reached[s]
						reached[s] = true
					}
				}
				for _, s := range byTime[kind] {
					if m.allows(from, s) {
						again = again || !reached[s]
						reached[s] = true
					}
				}
			}
		}
		for stage, next := range m.next {
			if !reached[stage] {
				t.Errorf("%s: no message leads to %q", kind, stage)
			}
			if len(next) == 0 && !m.rests(stage) {
				t.Errorf("%s: from %q nothing leads on, and it is no stage of rest", kind, stage)
			}
			for _, to := range next {
				if _, ok := m.next[to]; !ok {
					t.Errorf("%s: %q leads to %q, which has no row", kind, stage, to)
				}
				made := slices.Contains(byTime[kind], to)
				for _, turn := range m.turns {
					made = made || slices.Contains(turn.targets(), to)
				}
				if !made {
					t.Errorf("%s: no move leads from %q to %q", kind, stage, to)
				}
			}
		}
		for move, turn := range m.turns {
			for _, s := range turn.targets() {
				if !slices.ContainsFunc(slices.Collect(maps.Values(m.next)), func(list []Stage) bool { return slices.Contains(list, s) }) {
					t.Errorf("%s: %s leads to %q, to which no stage allows a way", kind, move, s)
				}
			}
			if !slices.ContainsFunc(slices.Collect(maps.Keys(m.next)), func(s Stage) bool { _, ok := m.reached(s, turn); return ok }) {
				t.Errorf("%s: %s is allowed at no stage", kind, move)
			}
			for _, a := range turn.after {
				if _, ok := m.turns[a]; !ok {
					t.Errorf("%s: %s follows %s, which is no move", kind, move, a)
				}
			}
		}
		for _, s := range m.rest {
			if _, ok := m.next[s]; !ok && s != Withdrawn {
				t.Errorf("%s: %q is a stage of rest and in no row", kind, s)
			}
		}
	}
}

// Every format of the edition makes a move that its kind's table knows; what
// asks for an answer may be said at every stage; who answers is of the same kind
// or of none.
func TestEditionFitsTheTables(t *testing.T) {
	for _, b := range []Book{byHand(), ByEdition(edition(t))} {
		forms := make(map[string]Form)
		for _, f := range b.Forms() {
			forms[string(f.Format)] = f
		}
		for _, f := range b.Forms() {
			m := machines[f.Kind]
			turn, ok := m.turns[f.Move]
			if !ok {
				t.Errorf("format %s: %s has no move %s", f.Format, f.Kind, f.Move)
				continue
			}
			for _, r := range f.Replies {
				if k := forms[string(r)].Kind; k != f.Kind && k != KindAny {
					t.Errorf("format %s of %s is answered by %s of %s", f.Format, f.Kind, r, k)
				}
			}
			if f.Clocks[4].Answered == 0 || slices.Contains(onClaim, f.Format) {
				continue
			}
			for stage := range m.next {
				if _, allowed := m.reached(stage, turn); !allowed || len(turn.after) > 0 {
					t.Errorf("format %s asks for an answer, and %s does not allow it at %q", f.Format, f.Kind, stage)
				}
			}
		}
	}
}

// A move that is not allowed, at every stage by either side, changes nothing and
// is flagged; one that is allowed leads where the table has a way, or stays.
func TestEveryMoveAtEveryStage(t *testing.T) {
	line := identity.Line{A: arden, B: boreal, Class: identity.Notification}
	tried := 0
	for kind, m := range machines {
		for stage := range m.next {
			for move, turn := range m.turns {
				for _, made := range [][]identity.Station{nil, {arden}, {boreal}, {arden, boreal}} {
					words := []string{""}
					for code := range turn.codes {
						words = append(words, code)
					}
					for _, word := range words {
						c := course{machine: m, stage: stage, made: map[Move][]identity.Station{}}
						for _, a := range turn.after {
							c.made[a] = made
						}
						it := Item{Origin: line.Log(arden, 1), Facts: Facts{Words: map[string]string{turn.by: word}}}
						flag := c.move(move, it, false)
						tried++
						switch {
						case flag != "" && (c.stage != stage || len(turn.after) == 0 && len(c.made[move]) > 0):
							t.Errorf("%s: %s at %q was flagged %s and led to %q", kind, move, stage, flag, c.stage)
						case flag == "" && c.stage != stage && !m.allows(stage, c.stage):
							t.Errorf("%s: %s led from %q to %q", kind, move, stage, c.stage)
						case flag == "" && turn.who == same && !slices.Contains(made, arden), flag == "" && turn.who == other && !slices.Contains(made, boreal):
							t.Errorf("%s: %s was made at %q by the wrong side", kind, move, stage)
						}
					}
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d moves were tried", tried)
	}
}

// Every parameter and code that a table or the fold names is in the format of
// the edition that makes the move.
func TestTablesNameWhatTheEditionHas(t *testing.T) {
	e := edition(t)
	param := func(f book.Format, name string) book.Param {
		i := slices.IndexFunc(f.Params, func(p book.Param) bool { return p.Name == name })
		if i < 0 {
			t.Errorf("format %s has no parameter %s", f.Number, name)
			return book.Param{}
		}
		return f.Params[i]
	}
	has := func(f book.Format, name string, codes ...string) {
		if len(codes) == 0 {
			return
		}
		list, _ := e.List(param(f, name).List)
		for _, code := range codes {
			if !slices.ContainsFunc(list.Codes, func(c book.Code) bool { return c.Code == code }) {
				t.Errorf("format %s: %s has no code %q", f.Number, name, code)
			}
		}
	}
	for _, f := range e.Formats() {
		turn := machines[Kind(f.Dossier)].turns[Move(f.Transition)]
		if turn.by != "" {
			has(f, turn.by, slices.Collect(maps.Keys(turn.codes))...)
		}
		if turn.partly != "" {
			has(f, turn.by, turn.partly)
		}
		has(f, turn.by, turn.quiet...)
		has(f, turn.by, slices.Collect(maps.Keys(turn.needs))...)
		has(f, turn.by, slices.Collect(maps.Keys(turn.agreed))...)
		for _, name := range []string{turn.given, turn.until} {
			if name != "" {
				param(f, name)
			}
		}
	}
	for number, names := range map[message.Format][]string{
		"002": {"era", "index", "reason"}, "003": {"hash"}, "004": {"era", "index", "receipt_by"}, "012": {"state"}, "018": {"decision"},
		"019": {"kind"}, "110": {"window", "assets", "places", "sector"}, "111": {"window", "assets"}, "202": {"due"},
		"220": {"stage", "status", "effect", "next_update"}, "221": {"stage", "status", "effect", "next_update"},
		"270": {"facts", "urgency"}, "271": {"facts"}, "272": {"questions"}, "273": {"facts"}, "275": {"facts", "states"}, "276": {"facts", "state", "position"},
		"390": {"serials", "form"}, "391": {"answers"},
	} {
		f, _ := e.Format(number)
		for _, name := range names {
			param(f, name)
		}
	}
	amend, _ := e.Format("019")
	has(amend, "kind", "recall", "correct", "add", "marking")
	settle, _ := e.Format("018")
	has(settle, "decision", "withdraw", "confirm")
	refuse, _ := e.Format("002")
	has(refuse, "reason", unreadable)
	report, _ := e.Format("221")
	has(report, "status", "closed")
}
