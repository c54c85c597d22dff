package main

import (
	"net/url"

	"detente/api"
	"detente/dossier"

	"github.com/spf13/cobra"
)

// tension says how tense the lines are.
func (a *app) tension() *cobra.Command {
	var as atFlag
	var name string
	return verb(about{"tension", "how tense a line is: named indicators, each citing its entries",
		"Says how each indicator stands, as of any second, with the entries for which it counts: answers\noverdue, FLASH and IMMEDIATE messages, missed tests, withheld receipts, open claims, suspensions,\nwindows, short notices, steps of the ladder; and what changed in 24 hours. There is no number of\nthem all, and nothing follows from one by itself. Both stations say the same of the same record." + noAdmission,
		"  detente tension\n  detente tension --line LINE --at 2026-11-24T14:00:00Z --lang ru"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			q := url.Values{}
			if name != "" {
				q.Set("line", name)
			}
			if err := as.put(q); err != nil {
				return err
			}
			var list []api.Tension
			text, err := a.get(c, "/tension?"+q.Encode(), &list)
			if err != nil {
				return err
			}
			return a.print(text, func() {
				for _, t := range list {
					a.newSheet().tension(t)
				}
			})
		}, as.add, func(c *cobra.Command) {
			c.Flags().StringVar(&name, "line", "", "one line, as one/other/class (default: all)")
		})
}

// tension writes how tense a line is.
func (s *sheet) tension(t api.Tension) {
	lang := string(s.lang)
	s.part(s.id(t.Line))
	s.row(s.p.of("as-of"), s.when(t.At))
	s.flush()
	for _, r := range t.Readings {
		s.row(r.Text[lang])
		for _, x := range r.Signs {
			s.row("  "+s.id(x.Citation), s.when(x.Since), s.id(x.ID))
		}
	}
	s.flush()
	for _, list := range [][]api.TensionSign{t.Came, t.Went} {
		for i, x := range list { // what changed of one indicator stands together, under one heading
			if i == 0 || x.Text[lang] != list[i-1].Text[lang] {
				s.row(x.Text[lang])
			}
			s.row("  "+s.id(x.Citation), s.when(x.Since), s.id(x.ID))
		}
	}
	for _, u := range t.Unlisted {
		due := "-"
		if u.Due != nil {
			due = s.when(*u.Due)
		}
		s.row(s.p.of("not-listed"))
		s.row("", s.id(u.Citation), due, s.id(u.ID), s.word("duty", u.State))
	}
	s.flush()
}

// ladder writes the steps of escalation of a matter.
func (s *sheet) ladder(m api.MatterDetail) {
	for _, x := range m.Ladder {
		why := ""
		switch {
		case len(x.Flags) > 0:
			why = s.word("flag", x.Flags[0])
		case x.Urgent:
			why = s.coded("raise_reason", "urgent")
		case x.Below != "":
			why = s.id(x.Below)
		}
		s.row(s.word("rung", x.Step), s.when(x.At), s.id(x.From), s.id(x.Format), s.id(x.By), why)
	}
	s.flush()
}

// readBacks writes what was read back in a matter, and where it differs.
func (s *sheet) readBacks(m api.MatterDetail) {
	for _, r := range m.ReadBacks {
		s.row(s.p.of("read-back"), s.id(r.From), s.id(r.OfCitation), s.id(r.Citation))
		for _, f := range r.Fields {
			state := s.p.of("read-alike")
			if !f.Alike {
				state = s.word("flag", string(dossier.FlagReadDiffers))
			}
			s.row("", s.id(f.Name), s.id(f.Wrote), s.id(f.Read), state)
		}
	}
	s.flush()
}
