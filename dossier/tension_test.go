package dossier

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/book"
)

const tenseStory = `
	0s arden 210 Q prec=IMMEDIATE
	1h boreal 110 N window=@2h..@30h
	2h arden 270 C prec=FLASH urgency=urgent facts=#1 evidence_level=2
	3h boreal 010 T
	4h arden 510 S from=@5h`

// What is said of a line is said of entries of it, the same by both sides, and
// what changed in a day is told.
// covers P10
func TestTension(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  []string
	}{
		{2 * time.Hour, []string{"overdue 0", "flash 1 C", "immediate 1 Q", "claims-open/2 1 C", "windows-open 1 N", "short-notices 1 N", "ladder/L1 1 Q", "ladder/L3 1 C", "+ claims-open/2 C"}},
		{26 * time.Hour, []string{"overdue/IMMEDIATE 1 Q", "tests-missed 1 T", "suspensions 1 S", "+ overdue/IMMEDIATE Q"}},
		{40 * time.Hour, []string{"windows-open 0", "- windows-open N", "ladder/L6 0"}},
		{9 * 24 * time.Hour, []string{"flash 0", "immediate 0", "short-notices 0", "overdue/IMMEDIATE 1 Q", "claims-open/2 1 C", "tests-missed 0"}},
	} {
		s := tell(t, tenseStory)
		ends := s.ends(byHand())
		got, other := ends[0].Tension(start.Add(c.after)), ends[1].Tension(start.Add(c.after))
		if string(got.JSON()) != string(other.JSON()) {
			t.Errorf("after %s the two sides differ:\n%s\n%s", c.after, got.JSON(), other.JSON())
		}
		all := s.tense(got)
		for _, want := range c.want {
			if !slices.Contains(all, want) && !(strings.HasSuffix(want, " 0") && !strings.Contains(strings.Join(all, "\n"), strings.TrimSuffix(want, "0"))) {
				t.Errorf("after %s %q is not so; what is so:\n\t%s", c.after, want, strings.Join(all, "\n\t"))
			}
		}
	}
}

func (s *story) tense(t Tension) (all []string) {
	name := func(x Sign) string {
		for n, id := range s.names {
			if id == x.Message {
				return n
			}
		}
		return "?"
	}
	what := func(i Indicator, of string) string { return strings.TrimSuffix(string(i)+"/"+of, "/") }
	for _, r := range t.Readings {
		line := fmt.Sprintf("%s %d", what(r.Indicator, r.Of), len(r.Signs))
		for _, x := range r.Signs {
			line += " " + name(x)
		}
		all = append(all, line)
	}
	for _, x := range t.Came {
		all = append(all, "+ "+what(x.Indicator, x.Of)+" "+name(x))
	}
	for _, x := range t.Went {
		all = append(all, "- "+what(x.Indicator, x.Of)+" "+name(x))
	}
	return all
}

// What changed in a day is what the plain comparison of two whole folds says,
// and whatever order messages came in, the bytes are the same.
// covers P10
func TestTensionIsThePlainOne(t *testing.T) {
	b, changed := byHand(), 0
	for seed := range uint64(records) {
		c := newChance(seed, b)
		items := c.record(40)
		l, other := fill(b, items), NewLine(b)
		for _, i := range c.r.Perm(len(items)) {
			other.Put(items[i])
		}
		for range 4 {
			at := start.Add(time.Duration(c.r.IntN(40*24*3600)) * time.Second)
			got := l.Tension(at)
			if string(got.JSON()) != string(other.Tension(at).JSON()) {
				t.Fatalf("seed %d, as of %s: the order of arrival counts", seed, at)
			}
			now, then := plainSigns(b, items, at), plainSigns(b, items, at.Add(-tensionDay))
			if !slices.Equal(got.Came, now.without(then)) || !slices.Equal(got.Went, then.without(now)) {
				t.Fatalf("seed %d, as of %s: came %v, went %v; should be %v, %v", seed, at, got.Came, got.Went, now.without(then), then.without(now))
			}
			changed += len(got.Came) + len(got.Went)
		}
	}
	if changed < records {
		t.Errorf("%d changes: nothing was tried", changed)
	}
}

func plainSigns(b Book, items []Item, at time.Time) signs {
	l, all := fill(b, items), make(signs)
	w := l.At(at)
	for i := range w.Dossiers {
		all.add(l, &w.Dossiers[i], w.At)
	}
	return all
}

// Every indicator has its sentence in each language, and no number is made of
// them all.
// covers P13
func TestTensionSentences(t *testing.T) {
	s := tell(t, tenseStory)
	tense := s.ends(byHand())[0].Tension(start.Add(2 * time.Hour))
	for _, lang := range book.Langs() {
		words, err := Sentences(lang)
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for _, r := range tense.Readings {
			text := words.Reading(r)
			if seen[text] || !strings.Contains(text, fmt.Sprint(len(r.Signs))) || !strings.Contains(text, r.Of) {
				t.Errorf("%s: %s %s: %q", lang, r.Indicator, r.Of, text)
			}
			seen[text] = true
		}
		for _, x := range tense.Came {
			if words.Came(x) == words.Went(x) {
				t.Errorf("%s: %q", lang, words.Came(x))
			}
		}
	}
	if _, err := Sentences("xx"); err == nil {
		t.Error("sentences of a language that there is not")
	}
}
