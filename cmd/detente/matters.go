package main

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"net/url"
	"strings"
	"time"

	"detente/api"
	"detente/dossier"

	"github.com/spf13/cobra"
)

// atFlag is the second as of which something is asked.
type atFlag struct{ at string }

func (f *atFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&f.at, "at", "", "as of which second, such as 2026-11-24T14:00:00Z (default: now)")
}

// put adds the second to a query.
func (f atFlag) put(q url.Values) error {
	if f.at == "" || f.at == "now" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, f.at)
	if err != nil {
		return usage("--at: %q is no second such as 2026-11-24T14:00:00Z", f.at)
	}
	q.Set("at", t.UTC().Format(time.RFC3339))
	return nil
}

// pageFlags say which part of a list is meant.
type pageFlags struct {
	atFlag
	line, after, owes string
	limit             int
}

func (f *pageFlags) add(c *cobra.Command) {
	f.atFlag.add(c)
	c.Flags().StringVar(&f.line, "line", "", "one line, as one/other/class (default: all)")
	c.Flags().StringVar(&f.owes, "owes", "", "own or counterpart: only where that side owes something")
	c.Flags().IntVar(&f.limit, "limit", 50, "how many")
	c.Flags().StringVar(&f.after, "after", "", "cursor of the last one seen")
}

// query is what is asked of the station.
func (f pageFlags) query() (url.Values, error) {
	q := url.Values{"limit": {fmt.Sprint(f.limit)}}
	if f.owes != "" && f.owes != "own" && f.owes != "counterpart" {
		return nil, usage("--owes: %q: it is own or counterpart", f.owes)
	}
	for name, v := range map[string]string{"line": f.line, "after": f.after, "owes": f.owes} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return q, f.atFlag.put(q)
}

// more says how a list goes on.
func (a *app) more(n, limit int, cursor string) {
	if n == limit && n > 0 {
		a.tell("%s", a.phrases().of("more", cursor))
	}
}

// get asks a path of the API, as JSON and as what it says.
func (a *app) get(c *cobra.Command, path string, v any) (jsontext.Value, error) {
	cl, err := a.client()
	if err != nil {
		return nil, err
	}
	var text jsontext.Value
	if err := cl.do(c.Context(), "GET", path, nil, &text); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return nil, fmt.Errorf("the station's answer: %w", err)
	}
	return text, nil
}

const noAdmission = "\nNothing in it says or implies that anybody admits anything: what is late is late, and no more."

// matterCommands are the nouns by which matters are seen: all of them, and
// incidents by themselves.
func (a *app) matterCommands() []*cobra.Command {
	return []*cobra.Command{
		a.matterNoun("matter", "matters: what was said on each, where it stands, who owes what", ""),
		a.incident(),
		a.claim(a.matterNoun("claim", "claims: each fact, what was answered to it, where it stands", string(dossier.KindClaim))),
		a.reportAnswer(a.matterNoun("report", "reports of third parties: each state named, and its answer", string(dossier.KindReport))),
		a.obligations(),
	}
}

// incident is the noun of incidents: their matters, and the evidence that goes
// with them.
func (a *app) incident() *cobra.Command {
	c := a.matterNoun("incident", "incidents and inquiries: where each stands, who owes what", string(dossier.KindIncident))
	c.AddCommand(noun(about{"evidence", "evidence of incidents: bundles of STIX 2.1",
		"Adds a bundle of evidence, as \"detente evidence add\" does. What it prints is the value of the\nevidence parameter of a message.", "  detente incident evidence add bundle.stix.json --line LINE"},
		a.addBundle("incident evidence")))
	return c
}

// matterNoun is a noun for matters of one kind, or of all.
func (a *app) matterNoun(name, short, kind string) *cobra.Command {
	var p pageFlags
	var of, stage string
	var as atFlag
	kinds := func(c *cobra.Command) {
		c.Flags().StringVar(&stage, "stage", "", "only those that stand at a stage, such as inquired")
		if kind == "" {
			c.Flags().StringVar(&of, "kind", "", "incident, notice, stop, technical, contact, service, consultation, assistance, vulnerability, claim, report, disclosure, publication, edition, glossary, statement, guarantee, election, measure, exercise, instrument, suspension, denunciation, accession, declaration or any (letters)")
		}
	}
	return noun(about{name, short, "What was said on one matter hangs together by references, and is shown with its clocks as of any\nsecond, the same at both stations." + noAdmission, "  detente " + name + " list"},
		verb(about{"list", "list them: those in which something is owed first, by when",
			"Lists them with the stage, and the duty that is due first: by when, whose, what and how it stands.\nThose in which nothing is owed come after, those at rest last.",
			fmt.Sprintf("  detente %s list --owes own\n  detente %s list --at 2026-11-24T14:00:00Z --lang ru", name, name)},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				q, err := p.query()
				if err != nil {
					return err
				}
				for key, v := range map[string]string{"kind": kind + of, "stage": stage} {
					if v != "" {
						q.Set(key, v)
					}
				}
				return a.listMatters(c, q, p.limit)
			}, p.add, kinds),
		verb(about{"show ID", "show one, by the id of any of its messages",
			"Shows the timeline as the record has it, how far each message has come, what is owed by whom and\nby when, what may come next, and what silence will mean.",
			fmt.Sprintf("  detente %s show ID\n  detente %s show ID --at 2026-11-24T14:00:00Z --json", name, name)},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				q := url.Values{}
				if err := as.put(q); err != nil {
					return err
				}
				return a.showMatter(c, args[0], q)
			}, as.add))
}

func (a *app) listMatters(c *cobra.Command, q url.Values, limit int) error {
	var list []api.Matter
	text, err := a.get(c, "/matters?"+q.Encode(), &list)
	if err != nil {
		return err
	}
	return a.print(text, func() {
		t := a.newSheet()
		t.columns(len(list), "col-reference", "col-kind", "col-stage", "col-due", "col-by", "col-act", "col-state", "col-id")
		cursor := ""
		for _, m := range list {
			due := []string{"-", "-", "-", "-"}
			if d := m.Next; d != nil {
				due = []string{t.when(d.Due), t.id(d.By), t.word("act", d.Act), t.state(*d)}
			}
			t.row(t.id(m.Citation), t.word("kind", m.Kind), t.word("stage", m.Stage), due[0], due[1], due[2], due[3], t.id(m.ID))
			cursor = m.Cursor
		}
		t.flush()
		a.more(len(list), limit, cursor)
	})
}

func (a *app) showMatter(c *cobra.Command, id string, q url.Values) error {
	var m api.MatterDetail
	text, err := a.get(c, at("/matters/%s", id)+"?"+q.Encode(), &m)
	if err != nil {
		return err
	}
	return a.print(text, func() { a.newSheet().matter(m) })
}

// obligations lists what both sides owe.
func (a *app) obligations() *cobra.Command {
	var p pageFlags
	var overdue, all, check bool
	var within time.Duration
	return verb(about{"obligations", "what both sides owe each other, the first due first",
		"Lists the duties of both sides by when they are due: whose, what, how it stands, by how much it is\npast, and the formats that discharge it. With --check it ends with 13 where something that this\nside owes is past." + noAdmission,
		"  detente obligations --within 12h\n  detente obligations --owes own --overdue --check"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			q, err := p.query()
			if err != nil {
				return err
			}
			if within < 0 || within%time.Second != 0 {
				return usage("--within: %s is no time of whole seconds", within)
			}
			q.Set("overdue", fmt.Sprint(overdue))
			q.Set("met", fmt.Sprint(all))
			q.Set("within_seconds", fmt.Sprint(int64(within/time.Second)))
			if err := a.listObligations(c, q, p.limit); err != nil || !check {
				return err
			}
			return a.checkOverdue(c, q)
		}, p.add, func(c *cobra.Command) {
			c.Flags().BoolVar(&overdue, "overdue", false, "only what is past and not done")
			c.Flags().BoolVar(&all, "all", false, "what was done, too")
			c.Flags().DurationVar(&within, "within", 0, "only what is due within this time, such as 12h, or past")
			c.Flags().BoolVar(&check, "check", false, "end with 13 where something that this side owes is past")
		})
}

func (a *app) listObligations(c *cobra.Command, q url.Values, limit int) error {
	var list []api.Obligation
	text, err := a.get(c, "/obligations?"+q.Encode(), &list)
	if err != nil {
		return err
	}
	return a.print(text, func() {
		t := a.newSheet()
		t.columns(len(list), "col-due", "col-by", "col-act", "col-state", "col-reference", "col-formats", "col-matter")
		cursor := ""
		for _, o := range list {
			t.duty(o.Duty, t.id(o.Matter))
			cursor = o.Cursor
		}
		t.flush()
		a.more(len(list), limit, cursor)
	})
}

// checkOverdue ends with a code of its own where something own is past, on any
// part of the list.
func (a *app) checkOverdue(c *cobra.Command, q url.Values) error {
	for name, v := range map[string]string{"owes": "own", "overdue": "true", "met": "false", "within_seconds": "0", "limit": "1", "after": ""} {
		q.Set(name, v)
	}
	var list []api.Obligation
	if _, err := a.get(c, "/obligations?"+q.Encode(), &list); err != nil {
		return err
	}
	if len(list) == 0 {
		return nil
	}
	a.tell("something that this side owes is past: %s was due at %s", strings.Join(append(list[0].Formats, list[0].Act), ", "), list[0].Due.Format(time.RFC3339))
	return exitError{code: exitOverdue}
}

// replies lists the formats by which a message can be answered, with what each
// discharges.
func (a *app) replies(c *cobra.Command, id string) error {
	var m api.MatterDetail
	var offers []offer
	_, err := a.get(c, at("/matters/%s", id), &m)
	switch code, _ := codeOf(c.Context(), err); code {
	case 0:
		offers = offersFor(id, m)
	case exitNotFound: // its receipt may stand in no entry of ours yet
		var byBook error
		if offers, byBook = a.offersByBook(c, id); byBook != nil {
			return err
		}
		a.tell("no dates: your station's receipt stands in the record with what it says next")
	default:
		return err
	}
	return a.print(offers, func() {
		t := a.newSheet()
		for _, o := range offers {
			acts := make([]string, 0, len(o.Acts))
			for _, act := range o.Acts {
				acts = append(acts, t.word("act", act))
			}
			due := "-"
			if o.Due != nil {
				due = t.when(*o.Due)
			}
			t.row(t.id(o.Format), t.format(o.Format), due, strings.Join(acts, ", "))
		}
		t.flush()
		if len(offers) == 0 {
			a.tell("nothing is owed to %s, and no format answers it", id)
			return
		}
		a.tell("answer with `detente msg answer %s FORMAT -p NAME=VALUE`; `detente book show FORMAT` lists its parameters", id)
	})
}

// offer is a format by which a message can be answered.
type offer struct {
	Format string     `json:"format"`
	Acts   []string   `json:"acts"` // what it discharges; none: it answers, and nothing is owed
	Due    *time.Time `json:"due,omitzero"`
}

// offersFor are the formats that the signal book has for a message's answer, and
// those that discharge what this side owes after it.
func offersFor(id string, m api.MatterDetail) []offer {
	offers := []offer{}
	index := make(map[string]int)
	find := func(f string) *offer {
		i, ok := index[f]
		if !ok {
			i = len(offers)
			index[f] = i
			offers = append(offers, offer{Format: f, Acts: []string{}})
		}
		return &offers[i]
	}
	for _, e := range m.Timeline {
		if e.ID == id {
			for _, f := range e.Replies {
				find(f)
			}
		}
	}
	for _, d := range m.Duties {
		if d.Of != id || d.Side != "own" || d.Met != nil || d.Stopped != nil {
			continue
		}
		for _, f := range d.Formats {
			o := find(f)
			o.Acts = append(o.Acts, d.Act)
			if o.Due == nil || d.Due.Before(*o.Due) {
				o.Due = &d.Due
			}
		}
	}
	return offers
}
