package main

import (
	_ "embed" // the texts are data
	"encoding/json/v2"
	"fmt"
	"strings"
	"time"

	"detente/book"
)

// sheetWords are the texts that stand about codes and values on the sheets of
// this program: headings, columns, labels. The program's own, in six languages,
// and drafts until somebody checked them.
//
//go:embed words/sheets.json
var sheetWords []byte

// phrases write in one language.
type phrases struct {
	lang  book.Lang
	texts map[string]book.Text
}

// phrases are those of the first language asked for. A program that was built
// wrongly shows the names of its texts.
func (a *app) phrases() phrases {
	var file struct {
		Status map[book.Lang]string `json:"status"`
		Texts  map[string]book.Text `json:"texts"`
	}
	if err := json.Unmarshal(sheetWords, &file, json.RejectUnknownMembers(true)); err != nil {
		a.tell("internal error: texts of sheets: %v", err)
	}
	return phrases{lang: a.lang(), texts: file.Texts}
}

// of returns a text with values in its places.
func (p phrases) of(key string, values ...any) string {
	text, ok := p.texts[key][p.lang]
	if !ok {
		return strings.TrimSpace(fmt.Sprintln(append([]any{key}, values...)...))
	}
	for i, v := range values {
		values[i] = p.ltr(fmt.Sprint(v))
	}
	return fmt.Sprintf(text, values...)
}

// ltr keeps what reads from left to right so in a language that does not. What is
// kept so already is left.
func (p phrases) ltr(v string) string {
	if p.lang != "ar" || v == "" || strings.HasPrefix(v, isolateLTR) && strings.Count(v, isolateLTR) == 1 && strings.HasSuffix(v, popIsolate) {
		return v
	}
	for _, r := range v {
		if r >= 0x600 && r < 0x700 { // it has words of the language's own
			return v
		}
	}
	return isolateLTR + v + popIsolate
}

// row joins cells, each kept in its own direction.
func (p phrases) row(cells ...string) string {
	kept := make([]string, 0, len(cells))
	for _, c := range cells {
		if c != "" {
			kept = append(kept, p.ltr(c))
		}
	}
	return strings.Join(kept, "  ")
}

// names lists names, or says that there is none.
func (p phrases) names(all []string) string {
	if len(all) == 0 {
		return p.of("nobody")
	}
	return p.ltr(strings.Join(all, " "))
}

// duty says who sits where, and from when to when.
func (p phrases) duty(d dutyAnswer) string {
	return p.row(d.Officer, d.Desk, p.of("span", zulu(d.From), zulu(d.To)), strings.TrimSpace(d.Shift+" ("+d.Why+")"))
}

// desk says how a desk stands, and since when that was said.
func (p phrases) desk(d deskAnswer) string {
	s := p.ltr(strings.TrimSpace(d.Status + " " + strings.Join(d.Languages, ",")))
	if d.Until != nil {
		s += " " + p.of("until", zulu(*d.Until))
	}
	if d.Said != nil {
		s += ", " + p.of("said", time.Duration(d.Age)*time.Second)
	}
	return s
}
