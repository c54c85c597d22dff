package book

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"detente/message"

	"golang.org/x/text/unicode/norm"
)

// Problem is something wrong with an edition.
type Problem struct {
	Where string
	What  string
}

// String returns place and problem in one line.
func (p Problem) String() string { return p.Where + ": " + p.What }

// words are the labels that every rendering needs.
var words = []string{"id", "edition", "line", "from", "to", "precedence", "tlp", "pap", "language", "expires", "ref", "act", "standing"}

// Lint returns what is wrong with an edition in itself: a text missing in a
// language, two labels in one list or one format that read alike, a list or a
// format that is named and not there, an example that its own format refuses.
func (e *Edition) Lint() []Problem {
	l := &linter{e: e}
	for _, w := range words {
		l.label("edition.json words."+w, e.meta.Words[w])
	}
	for _, lang := range langs {
		if s := e.meta.Status[lang]; s != "draft" && s != "checked" && s != "agreed" {
			l.add("edition.json", fmt.Sprintf("the status of %s must be draft, checked or agreed", lang))
		}
	}
	for _, name := range []string{"precedence", "tlp", "pap", "language", "act", "standing"} {
		if _, ok := e.lists[name]; !ok {
			l.add("lists/"+name, "every rendering needs this list")
		}
	}
	for _, list := range e.lists {
		l.list(list)
	}
	l.clocks()
	for _, f := range e.formats {
		l.format(f)
	}
	slices.SortFunc(l.found, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return l.found
}

// counting is what a rendering writes after the label of a list.
var counting = regexp.MustCompile(`\[[0-9]+/[0-9]+\]$`)

type linter struct {
	e     *Edition
	found []Problem
}

func (l *linter) add(where, what string) { l.found = append(l.found, Problem{where, what}) }

// text checks that a text exists in all six languages, on one line, with
// nothing hidden in it and nothing that a rendering sets off its parts by.
func (l *linter) text(where string, t Text) {
	for _, lang := range langs {
		s := t[lang]
		if strings.TrimSpace(s) == "" || s != strings.TrimSpace(s) || strings.ContainsFunc(s, message.Hidden) || strings.Contains(s, between) {
			l.add(where, fmt.Sprintf("its text in %s is missing or no plain line", lang))
		}
	}
	if len(t) != len(langs) {
		l.add(where, "it has a text in another language than the six")
	}
}

// label checks a text that stands before a value: nothing in it may look like
// what a rendering writes after it.
func (l *linter) label(where string, t Text) {
	l.text(where, t)
	for _, lang := range langs {
		if strings.Contains(t[lang], within) {
			l.add(where, fmt.Sprintf("its label in %s holds what sets a record off from its field", lang))
		}
		if strings.Contains(t[lang], ": ") {
			l.add(where, fmt.Sprintf("its label in %s holds a colon and a space, which end a label", lang))
		}
		if counting.MatchString(t[lang]) {
			l.add(where, fmt.Sprintf("its label in %s ends as that of a value in a list", lang))
		}
	}
}

func (l *linter) list(list List) {
	where := "lists/" + list.Name
	if len(list.Codes) == 0 {
		l.add(where, "it is empty")
	}
	for i, c := range list.Codes {
		l.text(where+" "+c.Code, c.Label)
		if c.Code == "" || strings.ContainsFunc(c.Code, func(r rune) bool { return r <= ' ' || r > '~' }) {
			l.add(where, fmt.Sprintf("code %q must be ASCII without spaces", c.Code))
		}
		for _, before := range list.Codes[:i] {
			if before.Code == c.Code {
				l.add(where, fmt.Sprintf("code %q stands twice", c.Code))
			}
			for _, lang := range langs {
				if alike(before.Label[lang], c.Label[lang]) {
					l.add(where, fmt.Sprintf("%s and %s have one label in %s", before.Code, c.Code, lang))
				}
			}
		}
	}
}

// alike reports whether two labels read alike: whatever their letters are made of,
// in capitals or not, and however wide.
func alike(a, b string) bool {
	return strings.EqualFold(norm.NFKC.String(a), norm.NFKC.String(b))
}

func (l *linter) format(f Format) {
	where := "formats/" + string(f.Number)
	l.text(where+" name", f.Name)
	l.text(where+" purpose", f.Purpose)
	if _, err := message.ParsePrecedence(f.Precedence); err != nil {
		l.add(where, err.Error())
	}
	l.act(where, f.Act)
	by, _ := f.param(f.ActBy)
	for code, act := range f.Acts {
		l.act(where, act)
		if _, ok := l.e.lists[by.List].find(code); !ok || by.Optional || by.Many {
			l.add(where, fmt.Sprintf("its act follows from the code %q of %q, which is not there", code, f.ActBy))
		}
	}
	l.course(where, f)
	for i, p := range f.Params {
		l.param(where+" "+p.Name, p)
		for _, before := range f.Params[:i] {
			if before.Name == p.Name {
				l.add(where, fmt.Sprintf("parameter %s stands twice", p.Name))
			}
			for _, lang := range langs {
				if before.Label[lang] == p.Label[lang] {
					l.add(where, fmt.Sprintf("%s and %s have one label in %s", before.Name, p.Name, lang))
				}
			}
		}
		for _, w := range words {
			for _, lang := range langs {
				if l.e.meta.Words[w][lang] == p.Label[lang] {
					l.add(where, fmt.Sprintf("%s has the label of the field %s in %s", p.Name, w, lang))
				}
			}
		}
	}
	for _, r := range f.Checks {
		for _, what := range l.e.rule(f, r) {
			l.add(where+" checks", what)
		}
	}
	if len(f.Examples) < leastExamples {
		l.add(where, fmt.Sprintf("it has %d examples, and %d are the least", len(f.Examples), leastExamples))
	}
	for _, p := range f.Params {
		if !slices.ContainsFunc(f.Examples, func(x message.Example) bool { _, ok := x[p.Name]; return ok }) {
			l.add(where, "no example shows "+p.Name)
		}
	}
	for i := range f.Examples {
		if err := l.e.Check(l.e.sample(f, i)); err != nil {
			l.add(fmt.Sprintf("%s example %d", where, i+1), err.Error())
		}
	}
}

func (l *linter) act(where, act string) {
	if _, ok := l.e.lists["act"].find(act); !ok {
		l.add(where, fmt.Sprintf("%q is not in the list act", act))
	}
}

// leastExamples is how many worked examples a format has: one shows what is
// needed, another what is optional.
const leastExamples = 2

// course checks what a format says of its dossier, of replies and of what
// follows.
func (l *linter) course(where string, f Format) {
	if !slices.Contains(kinds, f.Dossier) || f.Transition == "" {
		l.add(where, fmt.Sprintf("%q is no kind of dossier, or the transition is missing", f.Dossier))
	}
	for _, g := range l.e.formats {
		if g.Number < f.Number && g.Dossier == f.Dossier && g.Transition == f.Transition {
			l.add(where, fmt.Sprintf("format %s makes the transition %s of %s too", g.Number, f.Transition, f.Dossier))
		}
	}
	for _, r := range f.Replies {
		g, ok := l.e.Format(r)
		if !ok {
			l.add(where, fmt.Sprintf("format %s answers it and is not in the edition", r))
		} else if len(g.Refers) > 0 && !slices.Contains(g.Refers, AnyFormat) && !slices.Contains(g.Refers, f.Number) {
			l.add(where, fmt.Sprintf("format %s answers it and may not refer to it", r))
		}
	}
	for _, r := range f.Refers {
		if _, ok := l.e.Format(r); !ok && r != AnyFormat {
			l.add(where, fmt.Sprintf("it refers to format %s, which is not in the edition", r))
		}
	}
	if (f.ReplySeconds > 0 || f.HalfTime) && len(f.Replies) == 0 {
		l.add(where, "a reply is due and no format answers it")
	}
	l.replyBy(where, f)
	isTime := func(name string) bool {
		p, ok := f.param(name)
		return ok && !p.Many && slices.Contains(timed, p.Type)
	}
	if f.Lead != nil && !isTime(f.Lead.Param) {
		l.add(where, fmt.Sprintf("its lead is counted to %q, which is no time", f.Lead.Param))
	}
	if f.Lead != nil {
		l.codes(where, "its lead", f, f.Lead.By, slices.Collect(maps.Keys(f.Lead.LeastOf)))
	}
	if f.LapsesSeconds > 0 && !isTime("window") {
		l.add(where, "it lapses and has no window")
	}
	for _, u := range f.Followups {
		if _, ok := l.e.Format(u.Format); !ok || u.After != afterEntry && !isTime(u.After) {
			l.add(where, fmt.Sprintf("what follows it, format %s after %q, is not there", u.Format, u.After))
		}
	}
}

// codes checks that what is decided by a code names one that always stands, and
// values of it.
func (l *linter) codes(where, what string, f Format, by string, values []string) {
	if by == "" && len(values) == 0 {
		return
	}
	p, ok := f.param(by)
	list := l.e.lists[p.List]
	for _, v := range values {
		if _, there := list.find(v); !there {
			ok = false
		}
	}
	if !ok || p.Optional || p.Many || len(values) == 0 {
		l.add(where, fmt.Sprintf("%s follows from the code %q, which is not there, may be absent or lacks a value", what, by))
	}
}

// replyBy checks the times of a reply that a code of the message sets.
func (l *linter) replyBy(where string, f Format) {
	if f.ReplyBy == nil {
		return
	}
	p, ok := f.param(f.ReplyBy.Param)
	if !ok || p.Type != TypeCode || p.Many || p.Optional || len(f.Replies) == 0 || len(f.ReplyBy.Codes) == 0 {
		l.add(where, fmt.Sprintf("the time of its reply follows from %q, which is no code that always stands", f.ReplyBy.Param))
	}
	for code, c := range f.ReplyBy.Codes {
		if _, ok := l.e.lists[p.List].find(code); !ok || c.ReplySeconds <= 0 || c.InterimSeconds < 0 || c.InterimSeconds >= c.ReplySeconds {
			l.add(where, fmt.Sprintf("the times that %q sets are none", code))
		}
	}
}

// clocks checks the edition's table of times: one row a precedence, each stage
// no earlier than the one before.
func (l *linter) clocks() {
	for p := message.Routine; p <= message.Flash; p++ {
		row, ok := l.e.meta.Clocks[p.String()]
		if !ok || row.Received <= 0 || row.Seen < row.Received || row.Understood < row.Seen || row.Answered < row.Understood || row.Interim != 0 && row.Interim < row.Understood {
			l.add("edition.json clocks", fmt.Sprintf("the times of %s are missing or out of order", p))
		}
	}
	if len(l.e.meta.Clocks) != int(message.Flash-message.Routine)+1 {
		l.add("edition.json clocks", "it has a row for another word than a precedence")
	}
}

func (l *linter) param(where string, p Param) {
	l.label(where, p.Label)
	l.record(where, p)
	if _, ok := l.e.lists[p.List]; (p.Type == TypeCode || p.Type == TypeItem) != ok {
		l.add(where, "a code or an item, and nothing else, names a list that exists")
	}
	switch p.Type {
	case TypeCode, TypeTime, TypeWindow, TypeDuration, TypeCount, TypeHash, TypeHex, TypeBlob, TypeText, TypeID, TypeStation,
		TypeLine, TypeCite, TypeAsset, TypeGeo, TypeChannel, TypeHours, TypeItem, TypeRule, TypeRecord:
	default:
		l.add(where, fmt.Sprintf("there is no type %q", p.Type))
	}
}
