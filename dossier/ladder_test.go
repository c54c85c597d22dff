package dossier

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Matters that climb the ladder: each line says what stands with a dossier.
var ladderStories = map[string]struct {
	text string
	want []string
}{
	"each step refers to the one below": {`
		0s arden 210 Q
		1h arden 230 S -> Q
		2h arden 270 C urgency=ordinary facts=#1 -> S
		3h arden 400 M why=unresolved -> C`,
		[]string{"Q on L4", "Q L1 by Q first", "Q L2 by S up below Q", "Q L3 by C up below S", "Q L4 by M up below C", "C on L4", "S on L4"}},
	"a step left out is flagged, and told by whom": {`
		0s arden 210 Q
		2h boreal 270 C urgency=ordinary facts=#1 -> Q`,
		[]string{"Q on L3", "Q L3 by C up step-skipped", "C on L3", "C L3 by C up step-skipped"}},
	"urgency is a reason, by code or by FLASH where there is no code": {`
		0s arden 270 C urgency=urgent facts=#1
		1h arden 230 S prec=FLASH
		2h arden 230 T prec=PRIORITY`,
		[]string{"C L3 by C up urgent", "S L2 by S up urgent", "T L2 by T up step-skipped"}},
	"a reply stands where what it answers stands": {`
		0s arden 270 C urgency=urgent facts=#1
		1h boreal 271 R facts=1:no-facts -> C
		2h arden 400 M why=unresolved -> R`,
		[]string{"C on L4", "M L4 by M up below C"}},
	"on the same step it is no step up": {`
		0s arden 230 S prec=FLASH
		1h arden 250 H -> S`,
		[]string{"H L2 by H first", "S on L2"}},
	"what was taken back or refused takes no step": {`
		0s arden 210 Q
		1h arden 230 S -> Q
		2h arden 019 X kind=recall -> S
		3h arden 270 C urgency=ordinary facts=#1 -> Q
		4h boreal 002 N refuses=C`,
		[]string{"Q on L1"}},
	"a message of no step is on none": {`
		0s arden 110 N window=@200h..@201h`,
		[]string{"N on -"}},
}

func (s *story) ladder(d Dossier, name string) []string {
	of := func(id fmt.Stringer) string {
		for n, known := range s.names {
			if known == id {
				return n
			}
		}
		return "?"
	}
	rung := string(d.Ladder.Rung)
	if rung == "" {
		rung = "-"
	}
	all := []string{name + " on " + rung}
	for _, x := range d.Ladder.Steps {
		text := fmt.Sprintf("%s %s by %s", name, x.Rung, of(x.By))
		for _, w := range []struct {
			is   bool
			word string
		}{{!x.Up, "first"}, {x.Up, "up"}, {x.Up && x.Urgent, "urgent"}, {x.Up && x.Below != [16]byte{}, "below " + of(x.Below)}, {x.Skipped(), string(FlagStepSkipped)}} {
			if w.is {
				text += " " + w.word
			}
		}
		all = append(all, text)
	}
	return all
}

// Which step a matter stands on, and how it came there, is the same on both
// sides.
// covers P10
func TestLadder(t *testing.T) {
	for name, c := range ladderStories {
		t.Run(name, func(t *testing.T) {
			s := tell(t, c.text)
			w := s.check(byHand(), start.Add(100*time.Hour))
			for _, want := range c.want {
				i := slices.IndexFunc(w.Dossiers, func(d Dossier) bool { return d.ID == s.names[want[:1]] })
				if i < 0 {
					t.Fatalf("%s: no such dossier", want)
				}
				if all := s.ladder(w.Dossiers[i], want[:1]); !slices.Contains(all, want) {
					t.Errorf("%q is not so; what is so:\n\t%s", want, strings.Join(all, "\n\t"))
				}
			}
		})
	}
}

// As of a second before a step was taken nobody stands on it.
func TestLadderAsOf(t *testing.T) {
	s := tell(t, ladderStories["each step refers to the one below"].text)
	for hours, want := range []Rung{RungInquiry, RungStop, RungClaim, RungConsultation} {
		w := s.check(byHand(), start.Add(time.Duration(hours)*time.Hour))
		i := slices.IndexFunc(w.Dossiers, func(d Dossier) bool { return d.ID == s.names["Q"] })
		if got := w.Dossiers[i].Ladder.Rung; got != want {
			t.Errorf("after %dh it stands on %q, and should stand on %q", hours, got, want)
		}
	}
}

// Of a matter that a crowd of messages refers to the same steps are found,
// whatever the order in which they came, and not without bound.
func TestLadderIsBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("0s arden 210 Q\n")
	for i := range 2 * maxLadder {
		fmt.Fprintf(&text, "%ds boreal 270 C%d urgency=urgent facts=#1 -> Q\n", i+1, i)
	}
	s := tell(t, text.String())
	w := s.check(byHand(), start.Add(100*time.Hour))
	i := slices.IndexFunc(w.Dossiers, func(d Dossier) bool { return d.ID == s.names["Q"] })
	if n := len(w.Dossiers[i].Ladder.Steps); n != maxLadder+1 {
		t.Errorf("%d steps", n)
	}
}
