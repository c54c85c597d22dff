package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"detente/api"
	"detente/station"

	"github.com/spf13/cobra"
)

// claimFlags are what a claim says beside its frame.
type claimFlags struct {
	no, article, undertaking, norm, urgency, level, by string
	technical, political                               string // a code, or code=confidence
	facts, remedies, committed, evidence               []string
	remarks                                            string
}

const factForm = "'from=2026-11-22T10:00:00Z;asset=domain:grid.arden.example;act=scanning;effect=1;level=1'"

// claim is the noun of claims: what they are about, and the two ends of one.
func (a *app) claim(c *cobra.Command) *cobra.Command {
	var f claimFlags
	var make, reply draftFlags
	var answers replyFlags
	c.AddCommand(
		verb(about{"make", "claim a breach, each fact by itself, and ask for the claim's release",
			"Fixes the bytes of a claim (format 270) and puts it before the releasing officers. --article,\n--undertaking or --norm says what is held to be broken; without one the claim rests on none, as before\nany agreement. Each --fact is a line of the fact table: when, which asset, which act, its effect (0 to 5)\nand the level of evidence (0 to 4). That nobody is named is a value: so it is without --technical and\n--political. Ends with 7 where officers have to release it first.",
			"  detente claim make --line LINE --no ARD-2026-003 --article A8 --remedy explain --by 2026-12-01T00:00:00Z \\\n      --fact " + factForm},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.makeClaim(c, f, make) }, make.frame, make.wait.add, a.changes, func(c *cobra.Command) {
				p := c.Flags()
				p.StringVar(&make.line, "line", "", "the line, as one/other/class")
				p.StringVar(&f.no, "no", "", "the claim's number, by which both sides call it")
				p.StringVar(&f.article, "article", "", "the article that is held to be broken")
				p.StringVar(&f.undertaking, "undertaking", "", "the undertaking that is held to be broken")
				p.StringVar(&f.norm, "norm", "", "the norm that is held not to be kept")
				p.StringVar(&f.urgency, "urgency", "ordinary", "ordinary, urgent or election-core: by it the reply is due")
				p.StringArrayVar(&f.facts, "fact", nil, "a fact, as from=…;asset=…;act=…;effect=…;level=…, with to, place, exhibit and words where there are any; repeat for each")
				p.StringVar(&f.level, "evidence-level", "", "of the claim as a whole, 0 to 4 (default: the highest of its facts)")
				p.StringVar(&f.technical, "technical", "none", "technical attribution: none, or such as tools=likely")
				p.StringVar(&f.political, "political", "none", "political attribution: none, or such as territory=even")
				p.StringArrayVar(&f.remedies, "remedy", nil, "what is asked for: cease, explain, examine, repair, assure, consult, record; repeat for each")
				p.StringVar(&f.by, "by", "", "by when a reply is asked for")
				p.StringArrayVar(&f.committed, "committed", nil, "a commitment to evidence that is shown later; repeat for each")
				p.StringArrayVar(&f.evidence, "evidence", nil, "evidence, as \"evidence add\" prints it; repeat for each")
				p.StringVar(&f.remarks, "remarks", "", "free text, which is not translated")
			}),
		verb(about{"reply ID", "reply to a claim fact by fact; without a fact, list those that wait for an answer",
			"Fixes the bytes of a reply (format 271) to a claim and puts it before the releasing officers. Each --fact\ngives the number of a fact and the answer to it. A fact that was not claimed is refused with its place,\nand nothing is sent. Without --fact nothing is sent either: the facts are listed, and how each stands.\nA reply admits no responsibility, whatever it answers.",
			"  detente claim reply ID\n  detente claim reply ID --fact 1=not-ours --fact '2=partly;words=the dates are right'"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				if len(answers.facts) == 0 {
					return a.factsOf(c, args[0])
				}
				reply.params = answers.params()
				return a.answer(c, args[0], "271", reply)
			}, reply.frame, reply.wait.add, a.changes, answers.add))
	return c
}

// replyFlags are what a reply says, fact by fact.
type replyFlags struct {
	facts, measures, evidence []string
	done, explanation         string
}

func (r *replyFlags) add(c *cobra.Command) {
	p := c.Flags()
	p.StringArrayVar(&r.facts, "fact", nil, "a fact's number and the answer: N=accepted, partly, no-facts, outside-scope, not-ours, justified or referred, with ;words=… or ;exhibit=… where there are any; repeat for each")
	p.StringArrayVar(&r.measures, "measure", nil, "what was or is done about it; repeat for each")
	p.StringVar(&r.done, "done", "", "when it was or will be done")
	p.StringArrayVar(&r.evidence, "counter-evidence", nil, "counter-evidence, as \"evidence add\" prints it; repeat for each")
	p.StringVar(&r.explanation, "explanation", "", "free text, which is not translated")
}

// params are the parameters of the reply as a person types them.
func (r replyFlags) params() []string {
	var all []string
	for _, f := range r.facts {
		if n, answer, ok := strings.Cut(f, "="); ok {
			f = "fact=" + n + ";answer=" + answer
		}
		all = append(all, "facts="+f)
	}
	return append(all, typedParams(map[string][]string{"measures": r.measures, "done": {r.done}, "counter_evidence": r.evidence, "explanation": {r.explanation}})...)
}

// typedParams writes parameters as a person types them, without those that are
// empty.
func typedParams(of map[string][]string) (all []string) {
	for name, values := range of {
		for _, v := range values {
			if v != "" {
				all = append(all, name+"="+v)
			}
		}
	}
	slices.Sort(all)
	return all
}

// params are the claim's parameters as a person types them.
func (f claimFlags) params() ([]string, error) {
	if f.no == "" || len(f.facts) == 0 || len(f.remedies) == 0 || f.by == "" {
		return nil, usage("--no, --fact, --remedy and --by are needed: a claim has a number and facts, and says what is asked for and by when")
	}
	basis := "none"
	for name, v := range map[string]string{"article": f.article, "undertaking": f.undertaking, "norm": f.norm} {
		if v == "" {
			continue
		}
		if basis != "none" {
			return nil, usage("--article, --undertaking, --norm: a claim rests on one of them; make one claim for each")
		}
		basis = name
	}
	level := f.level
	for _, fact := range f.facts {
		if _, rest, ok := strings.Cut(fact, ";level="); ok && f.level == "" {
			one, _, _ := strings.Cut(rest, ";")
			level = max(level, one)
		}
	}
	of := map[string][]string{
		"claim_no": {f.no}, "basis": {basis}, "article": {f.article}, "undertaking": {f.undertaking}, "norm": {f.norm}, "urgency": {f.urgency}, "evidence_level": {level},
		"remedies": f.remedies, "by": {f.by}, "committed": f.committed, "evidence": f.evidence, "remarks": {f.remarks},
	}
	for name, v := range map[string]string{"technical": f.technical, "political": f.political} {
		code, confidence, _ := strings.Cut(v, "=")
		of[name], of[name+"_confidence"] = []string{code}, []string{confidence}
	}
	all := typedParams(of)
	for _, fact := range f.facts { // in the order in which they are given: their numbers follow from it
		all = append(all, "facts="+fact)
	}
	return all, nil
}

func (a *app) makeClaim(c *cobra.Command, f claimFlags, d draftFlags) error {
	var err error
	if d.params, err = f.params(); err != nil {
		return err
	}
	return a.submit(c, "270", d)
}

// factsOf lists what a claim or a report states, and how each fact stands.
func (a *app) factsOf(c *cobra.Command, id string) error {
	var m api.MatterDetail
	text, err := a.get(c, at("/matters/%s", id), &m)
	if errors.Is(err, station.ErrNotFound) {
		// Its receipt stands in the record with this station's next entry; what it
		// states can be answered before.
		if err := a.renderMessage(c, id); err != nil {
			return err
		}
		a.tell("nothing was sent: answer with --fact N=ANSWER, a fact at a time")
		return nil
	}
	if err != nil {
		return err
	}
	if len(m.Facts) == 0 {
		return usage("%s states no facts: `detente claim list` names the claims", id)
	}
	return a.print(text, func() {
		a.newSheet().stated(m)
		a.tell("nothing was sent: answer with --fact %s", fmt.Sprintf("N=ANSWER, a fact at a time; there are %d", len(m.Facts)))
	})
}

// reportAnswer is the verb by which a state that a report names answers it.
func (a *app) reportAnswer(c *cobra.Command) *cobra.Command {
	var d draftFlags
	var r replyFlags
	var state, position string
	c.AddCommand(verb(about{"answer ID", "answer a third party's report for a state that it names",
		"Fixes the bytes of an answer (format 276) to a report and puts it before the releasing officers: for\nwhich of the states that the report names, what the position is, and, fact by fact, what is said of each.\nA state that is not named, and a fact that is not stated, are refused with their place. An answer admits\nnothing.",
		"  detente report answer ID --state XB --position rejects\n  detente report answer ID --state XB --position shares-partly --fact 1=partly"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			if state == "" || position == "" {
				return usage("--state and --position are needed: for whom it is answered, and how")
			}
			d.params = append(r.params(), "state="+state, "position="+position)
			return a.answer(c, args[0], "276", d)
		}, d.frame, d.wait.add, a.changes, r.add, func(c *cobra.Command) {
			c.Flags().StringVar(&state, "state", "", "the state for which it is answered, as the report names it")
			c.Flags().StringVar(&position, "position", "", "rejects, shares, shares-partly, examines or no-comment")
		}))
	return c
}
