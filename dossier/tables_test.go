package dossier

import (
	"maps"
	"slices"
	"testing"
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
var byTime = map[Kind][]Stage{KindNotice: {Lapsed}}

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
			if f.Clocks[4].Answered == 0 {
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
