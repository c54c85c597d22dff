package book

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"detente/message"
)

// Problem is something wrong with an edition.
type Problem struct {
	Where string
	What  string
}

// String returns place and problem in one line.
func (p Problem) String() string { return p.Where + ": " + p.What }

// words are the labels that every rendering needs.
var words = []string{"id", "edition", "line", "from", "to", "precedence", "tlp", "pap", "language", "expires", "ref"}

// Lint returns what is wrong with an edition in itself: a text missing in a
// language, two labels in one list or one format that read alike, a list or a
// format that is named and not there, an example that its own format refuses.
func (e *Edition) Lint() []Problem {
	l := &linter{e: e}
	for _, w := range words {
		l.text("edition.json words."+w, e.meta.Words[w])
	}
	for _, lang := range langs {
		if s := e.meta.Status[lang]; s != "draft" && s != "checked" && s != "agreed" {
			l.add("edition.json", fmt.Sprintf("the status of %s must be draft, checked or agreed", lang))
		}
	}
	for _, name := range []string{"precedence", "tlp", "pap", "language"} {
		if _, ok := e.lists[name]; !ok {
			l.add("lists/"+name, "every rendering needs this list")
		}
	}
	for _, list := range e.lists {
		l.list(list)
	}
	for _, f := range e.formats {
		l.format(f)
	}
	slices.SortFunc(l.found, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return l.found
}

type linter struct {
	e     *Edition
	found []Problem
}

func (l *linter) add(where, what string) { l.found = append(l.found, Problem{where, what}) }

// text checks that a text exists in all six languages, on one line.
func (l *linter) text(where string, t Text) {
	for _, lang := range langs {
		s := t[lang]
		if strings.TrimSpace(s) == "" || s != strings.TrimSpace(s) || strings.ContainsFunc(s, unicode.IsControl) || strings.Contains(s, between) {
			l.add(where, fmt.Sprintf("its text in %s is missing or no plain line", lang))
		}
	}
	if len(t) != len(langs) {
		l.add(where, "it has a text in another language than the six")
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
				if strings.EqualFold(before.Label[lang], c.Label[lang]) {
					l.add(where, fmt.Sprintf("%s and %s have one label in %s", before.Code, c.Code, lang))
				}
			}
		}
	}
}

func (l *linter) format(f Format) {
	where := "formats/" + string(f.Number)
	l.text(where+" name", f.Name)
	if _, err := message.ParsePrecedence(f.Precedence); err != nil {
		l.add(where, err.Error())
	}
	for _, r := range f.Replies {
		if _, ok := l.e.Format(r); !ok {
			l.add(where, fmt.Sprintf("format %s answers it and is not in the edition", r))
		}
	}
	if f.ReplySeconds > 0 && len(f.Replies) == 0 {
		l.add(where, "a reply is due and no format answers it")
	}
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
	if err := l.e.Check(message.Body{Format: f.Number, Params: f.Example}); err != nil {
		l.add(where+" example", err.Error())
	}
}

func (l *linter) param(where string, p Param) {
	l.text(where, p.Label)
	if _, ok := l.e.lists[p.List]; (p.Type == TypeCode) != ok {
		l.add(where, "a code, and only a code, names a list that exists")
	}
	switch p.Type {
	case TypeCode, TypeTime, TypeWindow, TypeDuration, TypeCount, TypeHash, TypeBlob, TypeText, TypeStation, TypeAsset, TypeRule:
	default:
		l.add(where, fmt.Sprintf("there is no type %q", p.Type))
	}
}
