package main

import (
	"bytes"
	"time"

	"detente/book"
	"detente/message"

	"github.com/spf13/cobra"
)

// printBook prints the book for paper.
func (a *app) printBook(b *bookFlags) *cobra.Command {
	var formats []string
	var html bool
	return verb(about{"print", "print the book in a language, for A4 paper",
		"Prints the edition as a page of HTML that a browser puts on A4, in the first language of --lang:\neach format with its parameters, codes and a worked example. --format prints single formats.",
		"  detente book print --lang ar --html > book.html\n  detente book print --lang zh --format 270 > claim.html"},
		cobra.NoArgs, b.with(func(e *book.Edition, _ []string) error {
			if !html {
				return usage("--html=false: the book is printed as HTML only; `detente book show` has a format as JSON Schema")
			}
			var only []message.Format
			for _, n := range formats {
				if _, ok := e.Format(message.Format(n)); !ok {
					_, err := e.Print(a.lang(), message.Format(n))
					return exitError{exitUnknownFormat, err}
				}
				only = append(only, message.Format(n))
			}
			text, err := e.Print(a.lang(), only...)
			if err != nil {
				return err
			}
			return a.print(map[string]string{"html": string(text)}, func() { a.say("%s", bytes.TrimRight(text, "\n")) })
		}), b.add, func(c *cobra.Command) {
			c.Flags().StringSliceVar(&formats, "format", nil, "only these formats (default: all)")
			c.Flags().BoolVar(&html, "html", true, "as HTML, the only form there is")
		})
}

// proposeBook says what a message that proposes another edition has to say.
func (a *app) proposeBook(b *bookFlags) *cobra.Command {
	var from, by, overlap string
	return verb(about{"propose DIR", "say how another edition changes this one, as message 034 says it",
		"Compares the edition in a directory with this one and prints the parameters of the message (034)\nthat proposes it: its hash, what is new, dropped, or changed in wording or meaning, and the status\nof the language packs. Send them with `detente msg send 034`; the answer is 035. --overlap says\nuntil when both editions are understood. An edition that does not change anything, or has faults,\nis not proposed.",
		"  detente book propose our-edition --from 2027-03-01T00:00:00Z --by 2027-01-31T00:00:00Z"},
		cobra.ExactArgs(1), b.with(func(e *book.Edition, args []string) error {
			next, err := loadBook(args[0])
			if err != nil {
				return err
			}
			times := map[string]string{"from": from, "by": by}
			if overlap != "" {
				times["overlap"] = overlap
			}
			for name, v := range times {
				if t, err := time.Parse(time.RFC3339, v); err != nil || t.UTC().Format(time.RFC3339) != v {
					return usage("--%s: %q is no second such as 2027-03-01T00:00:00Z", name, v)
				}
			}
			if faults := next.Lint(); len(faults) > 0 {
				a.tell("%s", faults[0])
				return exitError{code: exitInvalid}
			}
			p := e.Propose(next)
			if len(p.Changes) == 0 {
				return usage("the editions do not differ: there is nothing to propose")
			}
			return a.showProposal(p, times)
		}), b.add, func(c *cobra.Command) {
			c.Flags().StringVar(&from, "from", "", "from when the edition is to hold")
			c.Flags().StringVar(&by, "by", "", "by when the other side is asked to answer")
			c.Flags().StringVar(&overlap, "overlap", "", "until when both editions are understood")
		})
}

// showProposal prints the parameters of a proposal, each as -p takes it.
func (a *app) showProposal(p book.Proposal, times map[string]string) error {
	type item struct {
		Item string `json:"item"`
		Code string `json:"code"`
	}
	params := map[string]any{"edition": p.Edition.String(), "base": p.Base.String(), "name": p.Name}
	lines := []string{"edition=" + p.Edition.String(), "name=" + p.Name, "base=" + p.Base.String()}
	var changes, packs []item
	for _, c := range p.Changes {
		changes, lines = append(changes, item(c)), append(lines, "changes="+c.Item+"="+c.Code)
	}
	for _, l := range book.Langs() {
		packs, lines = append(packs, item{string(l), p.Packs[l]}), append(lines, "packs="+string(l)+"="+p.Packs[l])
	}
	params["changes"], params["packs"] = changes, packs
	for _, name := range []string{"from", "overlap", "by"} {
		if v, ok := times[name]; ok {
			params[name], lines = v, append(lines, name+"="+v)
		}
	}
	return a.print(map[string]any{"format": "034", "params": params}, func() {
		for _, l := range lines {
			a.say("-p %s", l)
		}
	})
}
