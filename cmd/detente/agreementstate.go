package main

import (
	"encoding/json/jsontext"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/book"
	"detente/treaty"

	"github.com/spf13/cobra"
)

// lineAtFlags are one line, and the second as of which it is asked about.
type lineAtFlags struct {
	atFlag
	line string
}

func (f *lineAtFlags) add(c *cobra.Command) {
	f.atFlag.add(c)
	c.Flags().StringVar(&f.line, "line", "", "one line, as one/other/class (default: all)")
}

func (f *lineAtFlags) query() (url.Values, error) {
	q := url.Values{}
	if f.line != "" {
		q.Set("line", f.line)
	}
	return q, f.put(q)
}

// agreementVerbs are those that ask a station.
func (a *app) agreementVerbs() []*cobra.Command {
	var status, owed, explain lineAtFlags
	var all, guarantees bool
	var article string
	return []*cobra.Command{
		verb(about{"add FILE", "keep the text of an agreement in the station, by its hash",
			"Keeps the text of an agreement. That alone puts nothing in force: the agreement binds a line once\nboth sides have signed its hash (format 501), by the rule of entry in the text. A text in which\n\"detente agreement check\" finds a fault is refused.", "  detente agreement add ours.json"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				agreement, err := a.readAgreement(args[0])
				if err != nil {
					return err
				}
				text, err := agreement.Bytes()
				if err != nil {
					return err
				}
				return a.call(c, "POST", "/agreements", jsontext.Value(text))
			}, a.changes),
		verb(about{"list", "list the agreements whose texts lie in the station",
			"Lists the texts that lie in the station, with the hash that both sides sign.", "  detente agreement list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.listAgreements(c) }),
		verb(about{"status", "how agreements and guarantees stand on the lines",
			"Shows each agreement that anybody signed: whose signatures count, from when it is in force, in\nwhich interval one side alone could know so, what is suspended, which election windows there are,\nhow many duties are owed; and the guarantees." + noAdmission, "  detente agreement status\n  detente agreement status --at 2026-11-24T14:00:00Z --lang ru"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.agreementStatus(c, &status, guarantees) }, status.add,
			func(c *cobra.Command) { c.Flags().BoolVar(&guarantees, "guarantees", false, "the guarantees alone") }),
		verb(about{"owed", "what is owed by agreements: by whom, until when, under which article",
			"Lists what each side owes by the agreements in force, the first due first; with --all also what\nwas met, late or stopped. The name in the last column is what \"detente agreement explain\" takes." + noAdmission, "  detente agreement owed\n  detente agreement owed --article A12\n  detente agreement owed --all --at 2026-11-24T14:00:00Z"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.agreementOwed(c, &owed, all, article) }, owed.add,
			func(c *cobra.Command) {
				c.Flags().BoolVar(&all, "all", false, "what is not owed any more, too")
				c.Flags().StringVar(&article, "article", "", "one article alone, such as A12")
			}),
		verb(about{"explain NAME", "why an obligation stands as it does, step by step",
			"Tells step by step what triggered an obligation, under which article, how its clock ran, what met\nit and when, and how it stands." + noAdmission, "  detente agreement explain A12.1,boreal.example,ID,-"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.explainObligation(c, &explain, args[0]) }, explain.add),
	}
}

func (a *app) listAgreements(c *cobra.Command) error {
	var list []api.AgreementText
	text, err := a.get(c, "/agreements", &list)
	if err != nil {
		return err
	}
	return a.print(text, func() {
		t := a.agreementSheet()
		for _, one := range list {
			t.row(t.id(one.Agreement), t.id(one.Hash), t.when(one.Added), t.id(one.By))
		}
		t.flush()
	})
}

// agreementSheet is a sheet with the words of agreements.
func (a *app) agreementSheet() *sheet {
	t := a.newSheet()
	if words, err := treaty.Words(); err == nil {
		t.lists = words
	}
	return t
}

func (a *app) agreementState(c *cobra.Command, f *lineAtFlags) (api.AgreementState, any, error) {
	var st api.AgreementState
	q, err := f.query()
	if err != nil {
		return st, nil, err
	}
	text, err := a.get(c, "/agreement?"+q.Encode(), &st)
	return st, text, err
}

func (a *app) agreementStatus(c *cobra.Command, f *lineAtFlags, guarantees bool) error {
	st, text, err := a.agreementState(c, f)
	if err != nil {
		return err
	}
	return a.print(text, func() {
		t := a.agreementSheet()
		a.say("%s %s", t.p.of("as-of"), t.when(st.At))
		binding := guarantees
		for _, one := range st.Agreements {
			if guarantees {
				break
			}
			t.standing(one)
			binding = binding || one.InForce
		}
		if !binding {
			a.say("%s", t.p.of("agreement-none"))
		}
		if len(st.Guarantees) > 0 {
			t.part(t.p.of("agreement-guarantees"))
		}
		for _, g := range st.Guarantees {
			t.row(t.id(g.Citation), t.word("guarantee", g.State), t.id(strings.Join(g.Undertakings, ",")), t.sometimes(g.From), t.sometimes(g.Ends), t.oneSided(g.OneSidedFrom, g.OneSidedUntil))
		}
		t.flush()
	})
}

// sometimes writes a second, or that there is none.
func (s *sheet) sometimes(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return s.when(*at)
}

// oneSided says in which interval one side alone could know of an exchange.
func (s *sheet) oneSided(from, until *time.Time) string {
	if from == nil {
		return ""
	}
	end := s.p.of("agreement-lacks-until")
	if until != nil {
		end = s.when(*until)
	}
	return s.p.of("agreement-one-sided", s.when(*from), end)
}

// standing writes how one agreement stands.
func (s *sheet) standing(one api.Agreement) {
	s.part(s.p.row(one.Agreement, one.Line, one.Hash))
	say := func(text string) { s.row("  " + text) }
	for _, x := range one.Signed {
		say(s.p.of("agreement-signed", s.p.row(x.By, x.Officer, zulu(x.Received))))
	}
	if text := s.oneSided(one.OneSidedFrom, one.OneSidedUntil); text != "" {
		say(text)
	}
	switch {
	case one.InForce && one.From != nil:
		say(s.p.of("agreement-in-force", s.when(*one.From)))
	default:
		say(s.p.of("agreement-not-yet"))
	}
	if !one.Held {
		say(s.p.of("agreement-no-text"))
	}
	if one.Ends != nil {
		say(s.p.of("agreement-ends", s.when(*one.Ends)))
	}
	for _, x := range one.Suspended {
		say(s.p.row(s.p.of("agreement-suspended"), x.Article, x.By, zulu(x.From), s.sometimes(x.Until)))
	}
	for _, w := range one.Windows {
		say(s.p.row(s.p.of("agreement-windows"), w.Election, w.By, zulu(w.From), zulu(w.To)))
	}
	for _, r := range one.Refused {
		say(s.p.of("agreement-signature-void", s.p.row(r.Message, r.Article, r.Why)))
	}
	owed := 0
	for _, d := range one.Duties {
		if d.Owed {
			owed++
		}
	}
	say(s.p.row(s.p.of("agreement-owed"), fmt.Sprint(owed)))
	s.flush()
}

func (a *app) agreementOwed(c *cobra.Command, f *lineAtFlags, all bool, article string) error {
	st, _, err := a.agreementState(c, f)
	if err != nil {
		return err
	}
	list := []api.AgreementDuty{}
	binding := false
	for _, one := range st.Agreements {
		binding = binding || one.InForce
		for _, d := range one.Duties {
			of, _, _ := strings.Cut(d.Duty, ".")
			if (all || d.Owed) && (article == "" || of == article) {
				list = append(list, d)
			}
		}
	}
	slices.SortStableFunc(list, func(x, y api.AgreementDuty) int { return dueOf(x).Compare(dueOf(y)) })
	return a.print(list, func() {
		t := a.agreementSheet()
		if !binding {
			a.say("%s", t.p.of("agreement-none"))
		}
		t.columns(len(list), "col-due", "col-article", "col-by", "col-state", "col-formats", "col-name")
		for _, d := range list {
			t.row(t.sometimes(d.Due), t.id(d.Duty), t.owing(d), t.treatyState(d), t.id(strings.Join(d.Formats, ",")), t.id(d.Name))
		}
		t.flush()
	})
}

// dueOf is when a duty is due; what has no end now comes last.
func dueOf(d api.AgreementDuty) time.Time {
	if d.Due == nil {
		return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	}
	return *d.Due
}

// owing is whose a duty is.
func (s *sheet) owing(d api.AgreementDuty) string {
	if d.By == "" {
		return s.p.of("agreement-both")
	}
	return s.id(d.By)
}

func (s *sheet) treatyState(d api.AgreementDuty) string {
	word := s.word("state", d.State)
	if d.LateSeconds == 0 {
		return word
	}
	return word + " · " + book.Span(time.Duration(d.LateSeconds)*time.Second, s.lang)
}

func (a *app) explainObligation(c *cobra.Command, f *lineAtFlags, name string) error {
	q, err := f.query()
	if err != nil {
		return err
	}
	q.Set("name", name)
	var x api.AgreementExplained
	text, err := a.get(c, "/agreement/explanation?"+q.Encode(), &x)
	if err != nil {
		return err
	}
	return a.print(text, func() {
		t := a.agreementSheet()
		t.row(t.id(x.Duty.Duty), t.id(x.Agreement), t.owing(x.Duty), t.treatyState(x.Duty), t.id(x.Line))
		for i, step := range x.Steps {
			value := step.Value
			if step.Code == "judged" {
				value = t.word("state", value)
			}
			t.row(t.id(fmt.Sprintf("%d.", i+1)), t.word("step", step.Code), t.sometimes(step.At), t.id(step.Citation), t.p.ltr(value))
		}
		t.flush()
	})
}
