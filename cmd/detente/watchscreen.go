package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"detente/book"
	"detente/message"
	"detente/watch"

	"github.com/spf13/cobra"
)

type itemAnswer struct {
	Ref    string    `json:"ref"`
	What   string    `json:"what"`
	Since  time.Time `json:"since"`
	Detail string    `json:"detail,omitempty"`
}

// watchAnswer is what waits, as the API shows it.
type watchAnswer struct {
	Station   string         `json:"station"`
	At        time.Time      `json:"at"`
	Rostered  bool           `json:"rostered"`
	On        []dutyAnswer   `json:"on"`
	Next      *nextChange    `json:"next,omitempty"`
	Unread    map[string]int `json:"unread"`
	Flash     []itemAnswer   `json:"flash_unread"`
	Unacked   []itemAnswer   `json:"unacknowledged"`
	Waiting   []itemAnswer   `json:"awaiting_release"`
	Deadlines []struct {
		Ref  string    `json:"ref"`
		What string    `json:"what"`
		By   string    `json:"by"`
		At   time.Time `json:"at"`
		Late bool      `json:"late,omitempty"`
	} `json:"deadlines"`
	Alarms []struct {
		Kind  string    `json:"kind"`
		Line  string    `json:"line,omitempty"`
		Level string    `json:"level"`
		Since time.Time `json:"since"`
		Count int       `json:"count"`
		Open  int       `json:"open"`
	} `json:"alarms"`
	Lines []struct {
		Line     string `json:"line"`
		Phase    string `json:"phase"`
		Desk     string `json:"their_desk"`
		LastTest string `json:"last_test,omitempty"`
		Missed   int    `json:"missed"`
		Fault    string `json:"fault,omitempty"`
	} `json:"lines"`
	Calls     []itemAnswer     `json:"unconfirmed_calls"`
	Handovers []handoverAnswer `json:"handovers"`
	Risks     []map[string]any `json:"risks"`
}

func (a *app) watch() *cobra.Command {
	return verb(about{"watch", "one screen: who is on, and what waits now",
		"Shows who is on watch and who comes next, what is unread, what awaits release, what is due in the\nnext twelve hours, the alarms that stand, the lines with their last test, and what will be missing.",
		"  detente watch\n  detente watch --lang ru"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			var w watchAnswer
			q := url.Values{"lang": {strings.Join(a.langs, ",")}}
			if err := cl.do(c.Context(), "GET", "/watch?"+q.Encode(), nil, &w); err != nil {
				return err
			}
			words, err := watchWords()
			if err != nil {
				return err
			}
			return a.print(w, func() { a.screen(w, words) })
		})
}

// screen prints what waits in each of the languages asked for. What is gravest
// stands first.
func (a *app) screen(w watchAnswer, words watch.Words) {
	for i, l := range a.langs {
		if i > 0 {
			a.say("")
		}
		s := screen{a: a, words: words, lang: book.Lang(l), sheet: a.newSheet()}
		s.sheet.lang, s.sheet.p.lang = s.lang, s.lang
		a.say("%s", s.sheet.p.row(w.Station, zulu(w.At)))
		s.people(w)
		s.waits(w)
		s.lines(w)
		for _, r := range w.Risks {
			texts, _ := r["texts"].(map[string]any)
			a.say("%s: %s", s.head("risk"), strings.TrimSpace(plain(texts[l])))
		}
	}
}

// screen writes in one language.
type screen struct {
	a     *app
	words watch.Words
	lang  book.Lang
	sheet *sheet // for names of formats, and to line up what is listed
}

// head is a heading's text: LoadWords has checked that there is one.
func (s screen) head(code string) string { return s.label("head", code) }

func (s screen) label(group, code string) string {
	text, ok := s.words.Label(group, code, s.lang)
	if !ok {
		return code
	}
	return text
}

// maxOnScreen is how many items of a list the screen shows: the gravest lists
// together fit on one screen, and a command lists what is left out.
const maxOnScreen = 10

// list writes a heading with the number of items, and the items beneath, lined
// up; how many are left out, and which command lists them all.
func (s screen) list(head string, items [][]string, command string) {
	if len(items) == 0 {
		s.a.say("%s: %s", s.head(head), s.head("none"))
		return
	}
	s.a.say("%s: %d", s.head(head), len(items))
	for _, cells := range items[:min(len(items), maxOnScreen)] {
		for i, c := range cells {
			cells[i] = s.sheet.p.ltr(c)
		}
		cells[0] = "  " + cells[0]
		s.sheet.row(cells...)
	}
	s.sheet.flush()
	if n := len(items) - maxOnScreen; n > 0 {
		s.a.say("  %s: %d — %s", s.head("more"), n, s.sheet.p.ltr(command))
	}
}

// format is a format's number and name.
func (s screen) format(number string) string {
	if name := s.sheet.format(number); name != "-" {
		return s.sheet.p.ltr(number) + " " + name
	}
	return number
}

func (s screen) people(w watchAnswer) {
	if !w.Rostered {
		s.a.say("%s: %s", s.head("on-watch"), s.head("no-roster"))
		return
	}
	var on [][]string
	for _, d := range w.On {
		on = append(on, []string{d.Officer, d.Desk, zulu(d.From) + "/" + zulu(d.To)})
	}
	s.list("on-watch", on, "detente roster show")
	if n := w.Next; n != nil {
		s.a.say("%s: %s  %s  %s: %s  %s: %s", s.head("next-change"), zulu(n.At), n.Desk, s.head("out"), s.names(n.Out), s.head("in"), s.names(n.In))
	}
}

func (s screen) names(all []string) string {
	if len(all) == 0 {
		return s.head("none")
	}
	return strings.Join(all, " ")
}

func (s screen) waits(w watchAnswer) {
	s.list("flash", s.items(w.Flash), "detente matter list --owes own")
	var unread []string
	for _, p := range []string{"FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE"} {
		if n := w.Unread[p]; n > 0 {
			unread = append(unread, fmt.Sprintf("%s %d", p, n))
		}
	}
	if len(unread) == 0 {
		unread = []string{s.head("none")}
	}
	s.a.say("%s: %s", s.head("unread"), strings.Join(unread, ", "))
	s.list("unacknowledged", s.items(w.Unacked), "detente matter list --owes own")
	s.list("waiting", s.items(w.Waiting), "detente release list")
	var due [][]string
	for _, d := range w.Deadlines {
		late := ""
		if d.Late {
			late = s.head("late")
		}
		due = append(due, []string{zulu(d.At), d.By, d.Ref, s.format(d.What), late})
	}
	s.list("deadlines", due, "detente obligations --within 12h")
	var alarms [][]string
	for _, al := range w.Alarms {
		alarms = append(alarms, []string{al.Level, s.sheet.p.ltr(al.Kind) + " — " + s.label("alarm", al.Kind), al.Line, zulu(al.Since), fmt.Sprintf("%d/%d", al.Open, al.Count)})
	}
	s.list("alarms", alarms, "detente alarm list")
	s.list("calls", s.items(w.Calls), "detente log calls")
	for _, h := range w.Handovers {
		s.a.say("%s: %s  %s  %s", s.head("to-sign"), h.ID, h.Desk, s.names(h.Signers))
	}
}

// items are messages and calls: since when, which, what it is, and what else is
// said of it without its id, for the citation names it too.
func (s screen) items(all []itemAnswer) (rows [][]string) {
	for _, i := range all {
		var more []string
		for _, word := range strings.Fields(i.Detail) {
			if _, err := message.ParseID(word); err != nil {
				more = append(more, word)
			}
		}
		rows = append(rows, []string{zulu(i.Since), i.Ref, s.format(i.What), strings.Join(more, " ")})
	}
	return rows
}

func (s screen) lines(w watchAnswer) {
	var all [][]string
	for _, l := range w.Lines {
		test := s.head("unknown")
		if l.LastTest != "" {
			test = s.label("slot", l.LastTest)
		}
		line := []string{l.Line, s.label("phase", l.Phase), s.head("their-desk") + ": " + s.sheet.p.ltr(l.Desk) + " — " + s.label("desk", l.Desk),
			s.head("last-test") + ": " + test, s.head("missed") + ": " + s.sheet.p.ltr(fmt.Sprint(l.Missed))}
		if l.Fault != "" {
			line = append(line, s.head("fault")+": "+l.Fault)
		}
		all = append(all, line)
	}
	s.list("lines", all, "detente line list")
}
