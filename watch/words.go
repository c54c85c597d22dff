package watch

import (
	_ "embed" // the texts are data
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"

	"detente/book"
)

//go:embed data/words.json
var wordsFile []byte

// Words are the texts of the watch in six languages: of alarms, risks and
// handovers. Every text stands beside its code, in labelled lines, so that
// there is no grammar to get wrong. They never change once loaded, and are safe
// for concurrent use.
type Words struct {
	status map[book.Lang]string // draft, checked or agreed, as of the signal book's packs
	groups map[string]map[string]book.Text
	lists  map[string]book.List // of the signal book: language, precedence, bearer, desk
}

// bookLists are the signal book's own lists that the watch shows codes of.
func bookLists() []string { return []string{"language", "precedence", "bearer", "desk"} }

// headings are the labels of lines.
func headings() []string {
	return strings.Fields(`alarm event level line count open lines-count since about to rung risk from until desk language clearance
		officer have need handover station at out in flash unacknowledged lines last-test missed their-desk deadlines late waiting
		alarms silenced outages planned unplanned calls remarks none more unknown digest exercise
		on-watch next-change unread no-roster fault to-sign`)
}

// rungCodes are the codes of rungs, in their order.
func rungCodes() []string { return []string{"watch", "next", "supervisor", "on-call"} }

// reasons are the codes of refused acts.
func reasons() []string {
	return []string{"unknown-alarm", "not-entitled", "already-acknowledged", "silenced-before", "no-such-time"}
}

// codes lists every code that somebody may be shown, by group.
func codes() map[string][]string {
	return map[string][]string{
		"alarm": strs(Kinds()), "event": strs(Events()), "risk": strs(RiskKinds()), "outlet": strs(Outlets()), "freshness": strs(Freshnesses()),
		"slot": strs(SlotStates()), "phase": strs(LinePhases()), "log": strs(LogKinds()), "why": {string(ByTurn), string(BySwap), string(ByOverride), string(BySurge)},
		"rung": rungCodes(), "reason": reasons(), "head": headings(),
	}
}

func strs[T ~string](l []T) (out []string) {
	for _, s := range l {
		out = append(out, string(s))
	}
	return out
}

// LoadWords returns the texts that ship with the program, with the labels of
// the signal book's lists. It fails where a code has no text in a language, or
// a text no code.
func LoadWords(e *book.Edition) (Words, error) {
	w := Words{lists: map[string]book.List{}}
	var file struct {
		Status map[book.Lang]string            `json:"status"`
		Groups map[string]map[string]book.Text `json:"groups"`
	}
	if err := json.Unmarshal(wordsFile, &file, json.RejectUnknownMembers(true)); err != nil {
		return Words{}, fmt.Errorf("texts of the watch: %w", err)
	}
	w.status, w.groups = file.Status, file.Groups
	for _, name := range bookLists() {
		l, ok := e.List(name)
		if !ok {
			return Words{}, fmt.Errorf("texts of the watch: edition %s has no list %s; use one that has", e.Name(), name)
		}
		w.lists[name] = l
	}
	return w, w.check()
}

// check returns what is missing or too much.
func (w Words) check() error {
	var f faults
	for _, l := range book.Langs() {
		if s := w.status[l]; s != "draft" && s != "checked" && s != "agreed" {
			f.add("status."+string(l), "it is neither draft, checked nor agreed", "say how far somebody has checked the texts")
		}
	}
	all := codes()
	for group, list := range all {
		for _, c := range list {
			for _, l := range book.Langs() {
				text := w.groups[group][c][l]
				if why := checkText(text, 100); why != "" || strings.Contains(text, ": ") || strings.Contains(text, between) {
					f.add(group+"."+c, fmt.Sprintf("its text in %s: %s", l, why), "write a short label without what separates labels")
				}
			}
		}
	}
	for group, texts := range w.groups {
		for c, t := range texts {
			if !slices.Contains(all[group], c) || len(t) != len(book.Langs()) {
				f.add(group+"."+c, "nothing uses it, or it has another language", "take it out")
			}
		}
	}
	return f.err()
}

// Label returns the text of a code in a language; false where there is none.
// Groups are alarm, event, risk, outlet, freshness, slot, phase, log, why,
// rung, reason and head, and desk, whose codes are the signal book's and
// DeskUnknown.
func (w Words) Label(group, code string, l book.Lang) (string, bool) {
	if group == "desk" {
		if code == DeskUnknown {
			return w.Label("head", "unknown", l)
		}
		for _, c := range w.lists["desk"].Codes {
			if c.Code == code {
				return c.Label[l], c.Label[l] != ""
			}
		}
		return "", false
	}
	t, ok := w.groups[group][code][l]
	return t, ok && t != ""
}

// between separates a code from its label, as in the signal book.
const between = " — "

// Marks that isolate left-to-right text in a right-to-left rendering (UAX 9).
const (
	isolate = "\u2066"
	popped  = "\u2069"
)

// page writes labelled lines in one language. A label or a code that has no
// text is an error, never a line that is left out.
type page struct {
	w    Words
	lang book.Lang
	out  strings.Builder
	err  error
}

func (w Words) page(l book.Lang) *page { return &page{w: w, lang: l} }

func (p *page) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *page) head(code string) string {
	t, ok := p.w.Label("head", code, p.lang)
	if !ok {
		p.fail("there is no text for %q in language %q: use en, ru, zh, es, fr or ar", code, clip(string(p.lang)))
	}
	return t
}

// line writes one line. What reads from left to right is isolated in Arabic.
func (p *page) line(head, value string) {
	if value == "" || strings.ContainsAny(value, "\r\n") {
		p.fail("internal error: the line %s is empty, or is two", head)
	}
	fmt.Fprintf(&p.out, "%s: %s\n", p.head(head), value)
}

func (p *page) ltr(s string) string {
	if p.lang == "ar" && s != "" {
		return isolate + s + popped
	}
	return s
}

// put writes a line with a value that no language changes.
func (p *page) put(head, value string) { p.line(head, p.ltr(value)) }

// code returns a code beside its label.
func (p *page) code(group, code string) string {
	t, ok := p.w.Label(group, code, p.lang)
	if !ok {
		p.fail("there is no text for %s %q in language %q", group, clip(code), clip(string(p.lang)))
	}
	return p.ltr(code) + between + t
}

// listed returns a code of the signal book beside its label.
func (p *page) listed(list, code string) string {
	for _, c := range p.w.lists[list].Codes {
		if c.Code == code && c.Label[p.lang] != "" {
			return p.ltr(code) + between + c.Label[p.lang]
		}
	}
	if list == "desk" && code == DeskUnknown {
		return p.ltr(code) + between + p.head("unknown")
	}
	p.fail("the list %s has no label for %q in language %q", list, clip(code), clip(string(p.lang)))
	return ""
}

// text returns what was written, or the first thing that could not be.
func (p *page) text() (string, error) {
	if p.err != nil {
		return "", p.err
	}
	return p.out.String(), nil
}
