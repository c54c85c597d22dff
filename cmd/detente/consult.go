package main

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/api"
	"detente/identity"
	"detente/treaty"

	"github.com/spf13/cobra"
)

// lineAt is one line as of a second, as these commands ask for it.
type lineAt struct {
	atFlag
	line string
}

func (f *lineAt) add(c *cobra.Command) {
	f.atFlag.add(c)
	c.Flags().StringVar(&f.line, "line", "", "the line, as one/other/class")
}

func (f lineAt) query() (url.Values, error) {
	if f.line == "" {
		return nil, usage("--line is missing: `detente line list` names the lines")
	}
	q := url.Values{"line": {f.line}}
	return q, f.put(q)
}

// consultationCommands are the nouns of consultations, of the programme of
// measures and of texts under negotiation.
func (a *app) consultationCommands() []*cobra.Command {
	return []*cobra.Command{a.consultation(), a.programme(), a.treatyText()}
}

// packFlags say of which period a data pack is made, and what becomes of it.
type packFlags struct{ line, from, to, out, expect string }

func (a *app) consultation() *cobra.Command {
	var p packFlags
	var f lineAt
	return noun(about{"consultation", "consultations: the data pack, records of both sides, what was left to be done",
		"What a consultation needs is made from the record, and is the same at both stations." + noAdmission, "  detente consultation list --line LINE"},
		verb(about{"pack", "make the data pack of a period from the record",
			"Counts, by side, what fell due and how it was answered, median times, notices, line tests, open\nclaims and windows, and fills the six heads of the agenda with what the record has for them. The\nhash is what a call (420) names; the other station makes the same once its record is the same.\n--out writes the canonical bytes. --expect ends with 5 where the hash is another.",
			"  detente consultation pack --line LINE --from 2026-05-01T00:00:00Z --to 2027-05-01T00:00:00Z --out pack.json"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.pack(c, p) }, func(c *cobra.Command) {
				c.Flags().StringVar(&p.line, "line", "", "the line, as one/other/class")
				c.Flags().StringVar(&p.from, "from", "", "first second of the period")
				c.Flags().StringVar(&p.to, "to", "", "its end, not in it")
				c.Flags().StringVar(&p.out, "out", "", "file to write the pack to, in its canonical form")
				c.Flags().StringVar(&p.expect, "expect", "", "the hash that it should have, as a call names it")
			}),
		verb(about{"list", "list them, with the record of each side and the actions",
			"Lists the consultations of a line: the calls, the record that both signed or the two versions with\nthe differences that each names, the next place and date; then the actions of all agreed records,\neach until a later agreed record ends it.",
			"  detente consultation list --line LINE --lang fr"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.consultations(c, f) }, f.add))
}

func (a *app) pack(c *cobra.Command, f packFlags) error {
	if f.line == "" || f.from == "" || f.to == "" {
		return usage("--line, --from and --to are needed: a pack is of one line and one period")
	}
	var p api.DataPack
	text, err := a.get(c, "/consultations/pack?"+url.Values{"line": {f.line}, "from": {f.from}, "to": {f.to}}.Encode(), &p)
	if err != nil {
		return err
	}
	if got := identity.Sum(p.Form).String(); got != p.Hash {
		return fmt.Errorf("the station's answer: the pack has the hash %s, and not %s", got, p.Hash)
	}
	if f.out != "" {
		if err := os.WriteFile(filepath.Clean(f.out), p.Form, 0o600); err != nil {
			return err
		}
	}
	if err := a.print(text, func() { a.newSheet().pack(p) }); err != nil {
		return err
	}
	if f.expect != "" && f.expect != p.Hash {
		a.tell("the pack has the hash %s, and not %s: compare the records (`detente line state`), the line and the period", p.Hash, f.expect)
		return exitError{code: exitInvalid}
	}
	return nil
}

// pack writes a data pack.
func (s *sheet) pack(p api.DataPack) {
	s.row(s.id(p.Hash))
	s.row(s.id(p.Pack.Line), s.id(p.Pack.From), s.id(p.Pack.To))
	s.flush()
	for _, x := range p.Pack.Answers {
		var states []string
		for _, st := range slices.Sorted(maps.Keys(x.States)) {
			states = append(states, s.counted("duty", string(st), x.States[st]))
		}
		median := "-"
		if x.Met > 0 {
			median = s.p.of("median", time.Duration(x.MedianSeconds)*time.Second)
		}
		s.row(s.id(string(x.By)), s.word("act", string(x.Act)), s.id(fmt.Sprint(x.Due)), median, strings.Join(states, ", "))
	}
	s.flush()
	for _, n := range p.Pack.Notices {
		s.row(s.id(string(n.By)), s.counted("lead", "usual", n.Usual), s.counted("lead", "least", n.Least), s.counted("lead", "short", n.Short))
	}
	for _, n := range p.Pack.Tests {
		s.row(s.id(string(n.By)), s.p.of("line-tests", n.Sent, n.InTime, n.Late, n.Never))
	}
	s.flush()
	for _, w := range p.Pack.Windows {
		s.row(s.p.of("window"), s.id(w.From), s.id(w.To), s.word("kind", string(w.Kind)), s.word("stage", string(w.Stage)), s.id(string(w.By)))
	}
	s.flush()
	for _, h := range p.Pack.Agenda {
		s.part(s.coded("agenda_head", h.Head) + " " + s.id(fmt.Sprint(h.Count)))
		for _, r := range h.Refs {
			s.row(s.id(p.Cited[r.ID]), s.word("kind", string(r.Kind)), s.word("stage", string(r.Stage)), s.why(string(r.Why)))
		}
		s.flush()
	}
}

func (s *sheet) counted(list, code string, n int) string {
	return s.word(list, code) + " " + s.id(fmt.Sprint(n))
}

func (a *app) consultations(c *cobra.Command, f lineAt) error {
	q, err := f.query()
	if err != nil {
		return err
	}
	var v api.Consultations
	text, err := a.get(c, "/consultations?"+q.Encode(), &v)
	if err != nil {
		return err
	}
	return a.print(text, func() { a.newSheet().consultations(v) })
}

func (s *sheet) consultations(v api.Consultations) {
	for _, x := range v.List {
		s.row(s.id(x.Citation), s.word("stage", x.Stage), s.when(x.Since), s.id(x.PackHash))
		for _, r := range x.Agreed {
			s.row("", s.word("stage", "record-agreed"), s.when(r.At), s.id(strings.Join(r.Citations, " ")), s.next(r.NextPlace, r.Next))
		}
		if len(x.Agreed) > 0 && len(x.Versions) > 0 && x.Agreed[len(x.Agreed)-1].Text == x.Versions[0].Text {
			continue
		}
		for _, r := range x.Versions {
			s.row("", s.coded("joint_text", r.Position), s.id(r.By), s.id(r.Citation), s.next(r.NextPlace, r.Next))
			for _, d := range r.Differences {
				s.row("", "", d)
			}
		}
	}
	s.flush()
	for _, x := range v.Actions {
		s.row(s.when(x.Due), s.id(x.Owner), s.id(x.Action), s.word("action", x.State), s.id(x.Citation), x.What, s.id(strings.Join(x.Said, " ")))
	}
	s.flush()
}

// next is the next place and date.
func (s *sheet) next(place string, w *api.Period) string {
	if w == nil {
		return place
	}
	return strings.TrimSpace(place + " " + s.when(w.From))
}

func (a *app) programme() *cobra.Command {
	var f lineAt
	return noun(about{"programme", "the programme of measures: owners, steps, what is overdue and whose",
		"What the record says of the measures of a line, the same at both stations." + noAdmission, "  detente programme list --line LINE"},
		verb(about{"list", "list the measures by name", "Lists the measures of a line: name, state, owners on both sides, how many steps are done.",
			"  detente programme list --line LINE"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				return a.programmeOf(c, f, func(s *sheet, p api.Programme) error {
					for _, m := range p.Measures {
						done := len(slices.DeleteFunc(slices.Clone(m.Steps), func(x api.MeasureStep) bool { return x.Done == nil }))
						s.row(s.id(m.Measure), s.word("measure", m.State), s.id(fmt.Sprintf("%d/%d", done, len(m.Steps))), s.id(strings.Join(m.Owners, " ")), s.id(m.Citation), m.Title)
					}
					return nil
				})
			}, f.add),
		verb(about{"show MEASURE", "show one measure with its steps", "Shows each step of a measure: when it is due, whose it is, how it stands, what was said of it last.",
			"  detente programme show m1 --line LINE"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.programmeOf(c, f, func(s *sheet, p api.Programme) error { return s.measures(p, args[0]) })
			}, f.add),
		verb(about{"overdue", "list the steps that are past and not done, and whose", "Lists the steps that are past and not done, the first due first.",
			"  detente programme overdue --line LINE"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				return a.programmeOf(c, f, func(s *sheet, p api.Programme) error {
					s.overdue(p.Review.Overdue)
					return nil
				})
			}, f.add),
		verb(about{"review", "count the programme as a yearly review (454) has to",
			"Counts the measures by state and lists what is overdue. A review that says another thing than the\nrecord is refused before its release.", "  detente programme review --line LINE --at 2027-01-01T00:00:00Z"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				return a.programmeOf(c, f, func(s *sheet, p api.Programme) error {
					r := p.Review
					for _, x := range []struct {
						state string
						n     int64
					}{{"proposed", r.Proposed}, {"running", r.Running}, {"signed-off", r.SignedOff}, {"declined", r.Declined}} {
						s.row(s.word("measure", x.state), s.id(fmt.Sprint(x.n)))
					}
					s.flush()
					s.overdue(r.Overdue)
					return nil
				})
			}, f.add))
}

func (a *app) programmeOf(c *cobra.Command, f lineAt, show func(*sheet, api.Programme) error) error {
	q, err := f.query()
	if err != nil {
		return err
	}
	var p api.Programme
	text, err := a.get(c, "/programme?"+q.Encode(), &p)
	if err != nil {
		return err
	}
	var shown error
	err = a.print(text, func() {
		s := a.newSheet()
		shown = show(s, p)
		s.flush()
	})
	if err != nil {
		return err
	}
	return shown
}

func (s *sheet) measures(p api.Programme, name string) error {
	found := false
	for _, m := range p.Measures {
		if m.Measure != name {
			continue
		}
		found = true
		s.row(s.id(m.Measure), s.word("measure", m.State), s.word("stage", m.Stage), s.id(m.Citation), m.Title)
		for _, x := range m.Steps {
			state, told := "-", "-"
			if x.State != "" {
				state = s.word("duty", x.State)
			}
			if x.Told != "" {
				told = s.coded("step_state", x.Told)
			}
			s.row(s.id(x.Step), s.when(x.Due), s.id(x.Owner), s.id(x.By), state, told, x.What)
		}
	}
	if !found {
		return fmt.Errorf("no measure is named %s on this line: `detente programme list` names them", name)
	}
	return nil
}

func (s *sheet) overdue(list []api.OverdueStep) {
	for _, o := range list {
		s.row(s.when(o.Due), s.id(o.By), s.id(o.Owner), s.id(o.Measure), s.id(o.Step))
	}
}

func (a *app) treatyText() *cobra.Command {
	var f lineAt
	return noun(about{"treaty", "texts under negotiation: drafts, redlines, signatures",
		"Drafts of one text on a line: who proposed what, what each changes, what is agreed, who has signed.", "  detente treaty list --line LINE"},
		verb(about{"check FILE", "check a draft and print its one hash",
			"Reads a draft as data and refuses it with its line where a paragraph does not stand in every\nlanguage. Prints the hash that a draft (500) and a signature (501) name. \"-\" reads standard input.\nIt needs no station.\nAdd it with \"detente blob add draft.json --type application/vnd.detente.draft+json\": then the station\nholds the message that carries it against it.", "  detente treaty check draft.json"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.checkDraft(args[0]) }),
		verb(about{"list", "list the instruments, with their last draft", "Lists the instruments that are negotiated on a line, where each stands, and the text that is agreed\nor signed.",
			"  detente treaty list --line LINE"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.negotiations(c, f, "") }, f.add),
		verb(about{"show INSTRUMENT", "show the drafts of one text along their chain, and its signatures",
			"Shows each draft with who proposed it and whose text it starts from, the passages in brackets by\nside, and each signature with why it does not count where it does not.", "  detente treaty show two-words --line LINE"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.negotiations(c, f, args[0]) }, f.add),
		verb(about{"redline OLDER NEWER", "show what one draft changes against another",
			"Compares the texts of two drafts (messages of format 500), paragraph by paragraph and word by word\nin each language. Kept words stand bare, removed ones in [-…-], added ones in {+…+}.", "  detente treaty redline ID ID --lang ru"},
			cobra.ExactArgs(2), func(c *cobra.Command, args []string) error { return a.redline(c, args[0], args[1]) }))
}

func (a *app) checkDraft(path string) error {
	text, err := a.readInput(path)
	if err != nil {
		return err
	}
	d, err := treaty.ParseDraft(text)
	if err != nil {
		a.tell("%s is no draft: %v", path, err)
		return exitError{code: exitInvalid}
	}
	hash, err := d.Hash()
	if err != nil {
		return err
	}
	open := ""
	if err := d.Agreed(); err != nil {
		open = err.Error()
	}
	return a.print(map[string]any{"instrument": d.Instrument, "draft": d.Number, "hash": hash.String(), "agreed": open == "", "open": open}, func() {
		a.say("%s", hash)
		if open != "" {
			a.say("%s", open)
		}
	})
}

func (a *app) negotiations(c *cobra.Command, f lineAt, only string) error {
	q, err := f.query()
	if err != nil {
		return err
	}
	var list []api.Negotiation
	text, err := a.get(c, "/negotiations?"+q.Encode(), &list)
	if err != nil {
		return err
	}
	if only != "" && !slices.ContainsFunc(list, func(n api.Negotiation) bool { return n.Instrument == only }) {
		return fmt.Errorf("no instrument is named %s on this line: `detente treaty list` names them", only)
	}
	return a.print(text, func() {
		s := a.newSheet()
		for _, n := range list {
			if only == "" || n.Instrument == only {
				s.negotiation(n, only != "")
			}
		}
		s.flush()
	})
}

func (s *sheet) negotiation(n api.Negotiation, full bool) {
	s.row(s.id(n.Instrument), s.word("stage", n.Stage), s.id(n.Citation), s.id(fmt.Sprint(len(n.Drafts))), s.id(n.Agreed), s.id(n.Signed))
	if !full {
		return
	}
	for _, d := range n.Drafts {
		s.row(s.id(fmt.Sprint(d.Draft)), s.coded("draft_status", d.Status), s.id(d.By), s.id(d.Citation), s.id(d.Text), s.id(d.BaseOf), s.id(d.BaseBy))
		for _, b := range d.Brackets {
			s.row("", s.coded("bracket_kind", b["kind"]), s.id(b["by"]), s.id(b["paragraph"]), b["text"])
		}
	}
	for _, x := range n.Signatures {
		s.row(s.word("stage", "signed-by-one"), s.coded("signature_kind", x.Kind), s.id(x.By), s.id(x.Citation), s.id(x.Text), x.Why)
	}
}

func (a *app) redline(c *cobra.Command, older, newer string) error {
	var r api.Redline
	text, err := a.get(c, "/negotiations/redline?"+url.Values{"older": {older}, "newer": {newer}}.Encode(), &r)
	if err != nil {
		return err
	}
	marks := map[string][2]string{"kept": {"", ""}, "removed": {"[-", "-]"}, "added": {"{+", "+}"}}
	return a.print(text, func() {
		for _, x := range r.Changes {
			var words strings.Builder
			for _, w := range x.Words {
				words.WriteString(marks[w.Op][0] + w.Text + marks[w.Op][1])
			}
			a.say("%s", strings.TrimSpace(strings.Join([]string{x.Paragraph, x.Kind, x.By, x.Lang, words.String()}, "  ")))
		}
	})
}

// why says why a message stands on an agenda: by a code of its own, or by a duty's
// state.
func (s *sheet) why(code string) string {
	if w := s.word("agenda", code); w != s.id(code) {
		return w
	}
	return s.word("duty", code)
}
