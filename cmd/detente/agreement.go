package main

import (
	"encoding/json/jsontext"

	"detente/book"
	"detente/treaty"

	"github.com/spf13/cobra"
)

func (a *app) agreement() *cobra.Command {
	var b bookFlags
	c := noun(about{"agreement", "the agreement as data: what is owed, on what, by whom, until when",
		"An agreement is a file of articles in each of its languages, with the duties that follow from\nthem. check, hash and model need no station and no network.", "  detente agreement check agreement.json"},
		verb(about{"check FILE", "find what would make an agreement unworkable",
			"Reads an agreement and prints each fault with its article: duties that cannot arise or be\ndischarged, deadlines that contradict each other, two articles that owe the same for one event,\ncycles, languages or paragraphs that are missing, formats that the signal book lacks, conditions\nthat do not fit. \"-\" reads standard input. Ends with 0 where there is no fault and with 5 where\nthere is one.", "  detente agreement model > ours.json\n  detente agreement check ours.json"},
			cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error { return a.checkAgreement(e, args[0]) }), b.add),
		verb(about{"hash FILE", "print an agreement's one hash, over all its languages",
			"Prints the hash that both sides sign. It covers every language and every duty, and does not\ndepend on how the file is laid out.", "  detente agreement hash ours.json"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.hashAgreement(args[0]) }),
		verb(about{"model", "print the model agreement, to start from",
			"Prints the model agreement as one file: articles A1 to A30 in six languages. It is a draft and\nbinds nobody.", "  detente agreement model > ours.json"},
			cobra.NoArgs, func(*cobra.Command, []string) error { return a.modelAgreement() }))
	c.AddCommand(a.agreementVerbs()...)
	return c
}

func (a *app) readAgreement(path string) (*treaty.Agreement, error) {
	text, err := a.readInput(path)
	if err != nil {
		return nil, err
	}
	agreement, err := treaty.ParseAgreement(text)
	if err != nil {
		return nil, usage("%s is no agreement: %v", path, err)
	}
	return agreement, nil
}

func (a *app) checkAgreement(e *book.Edition, path string) error {
	agreement, err := a.readAgreement(path)
	if err != nil {
		return err
	}
	words, err := treaty.Words()
	if err != nil {
		return err
	}
	found := treaty.Check(agreement, e)
	rows := []map[string]string{}
	for _, f := range found {
		rows = append(rows, map[string]string{"article": f.Article, "duty": f.Duty, "fault": string(f.Fault), "label": labelOf(words["fault"], string(f.Fault), a.lang()), "what": f.What})
	}
	hash, err := agreement.Hash()
	if err != nil {
		return err
	}
	duties := 0
	for _, art := range agreement.Articles {
		duties += len(art.Duties)
	}
	result := map[string]any{"agreement": agreement.ID, "hash": hash.String(), "articles": len(agreement.Articles), "duties": duties, "findings": rows}
	err = a.print(result, func() {
		for i, f := range found {
			a.say("%s", f)
			if a.lang() != "en" {
				a.say("  %s", rows[i]["label"])
			}
		}
		a.say("agreement: articles=%d duties=%d languages=%d findings=%d", len(agreement.Articles), duties, len(agreement.Languages), len(found))
	})
	if err == nil && len(found) > 0 {
		err = exitError{code: exitInvalid}
	}
	return err
}

// labelOf returns what a code means in a language; the code itself where nothing
// says so.
func labelOf(l book.List, code string, lang book.Lang) string {
	for _, c := range l.Codes {
		if c.Code == code {
			return c.Label[lang]
		}
	}
	return code
}

func (a *app) hashAgreement(path string) error {
	agreement, err := a.readAgreement(path)
	if err != nil {
		return err
	}
	hash, err := agreement.Hash()
	if err != nil {
		return err
	}
	return a.print(map[string]string{"agreement": agreement.ID, "hash": hash.String()}, func() { a.say("%s", hash) })
}

func (a *app) modelAgreement() error {
	agreement, err := treaty.Model()
	if err != nil {
		return err
	}
	text, err := agreement.Bytes()
	if err != nil {
		return err
	}
	shown := jsontext.Value(text).Clone()
	if err := shown.Indent(); err != nil {
		return err
	}
	return a.print(jsontext.Value(text), func() { a.say("%s", shown) })
}
