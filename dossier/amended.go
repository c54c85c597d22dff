package dossier

import (
	"fmt"

	"detente/message"
)

// What comes of what was said: the answer to a recall or a correction says what was
// done, and an analysis of evidence is attached to it and never put in its place.

// deedAsked is what a recall or a correction asks for, of those that ask for a deed.
func deedAsked(f Facts) string {
	if ask := f.Words["ask"]; ask != "note" {
		return ask
	}
	return ""
}

// Answered returns a *FitError where an answer to a recall or a correction of the
// other side (019) says that it is understood and not what was done, where
// something is asked for, and where one that answers neither says that anything
// was done. It is asked before a message is released; of a peer's the fold flags
// it. Nil for all other formats than 012.
func Answered(b message.Body, about []message.Body) error {
	if b.Format != "012" {
		return nil
	}
	said, amended := FactsOf(b), false
	for _, a := range about {
		if a.Format != "019" || a.From == b.From {
			continue
		}
		amended = true
		if ask := deedAsked(FactsOf(a)); ask != "" && said.Words["state"] == "UND" && said.Words["done"] == "" {
			return &FitError{b.Format, "done", fmt.Sprintf("the message that it answers asks for %q, and it does not say what was done", ask), "say it, not-done included"}
		}
	}
	if said.Words["done"] != "" && !amended {
		return &FitError{b.Format, "done", "it answers no recall or correction of the other side", "leave it out, or name the message"}
	}
	return nil
}

// deed flags an answer to a recall or a correction that does not say what was done.
func (f *fold) deed(c *call) {
	if c.form.Move != "understand" || c.it.State != "UND" || c.refused || c.it.Facts.Words["done"] != "" {
		return
	}
	for _, ref := range f.l.refs(c.it) {
		asked, ok := f.byID[ref]
		if ok && asked.form.Move == "amend" && asked.it.Origin.Writer != c.it.Origin.Writer && deedAsked(asked.it.Facts) != "" {
			f.flag(c.it.ID, FlagDeedUntold)
			return
		}
	}
}
