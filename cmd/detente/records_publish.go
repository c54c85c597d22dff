package main

import (
	"net/url"
	"os"

	"detente/record"

	"github.com/spf13/cobra"
)

// publish is the command that writes what both sides consented to publish.
func (a *app) publish() *cobra.Command {
	var out string
	return verb(about{"publish ID", "export what both sides consented to publish, in the form that both named",
		"Writes a record of a proposal of a publication (format 390) and what the answers to it (391) consent\nto: in full, redacted, or only that it exists. The consents go along. A redacted message goes only\nwith the text whose digest both named; see \"detente record redact\". \"detente record verify\" finds\nwhat is published without consent, and a redaction that somebody changed.",
		"  detente record publish ID --out joint.record"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.download(c, "/records?"+url.Values{"publication": {args[0]}}.Encode(), out)
		}, a.changes, func(c *cobra.Command) {
			c.Flags().StringVar(&out, "out", "", "a new file, such as joint.record")
		})
}

// redact is the command that shows what is left of a message.
func (a *app) redact() *cobra.Command {
	var fields []string
	return verb(about{"redact ID", "show a message with parameters given way to digests, and the digest that both sides name",
		"Shows what is left of a message where whole parameters give way to salted digests. Both ends make\nthe same bytes. The digest stands in texts of the proposal and of the answer: so nothing can be\nchanged in a redacted text without being found.", "  detente record redact ID --field contact --field remarks"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.call(c, "GET", "/redactions?"+url.Values{"message": {args[0]}, "field": fields}.Encode(), nil)
		}, func(c *cobra.Command) {
			c.Flags().StringArrayVar(&fields, "field", nil, "a parameter that gives way; repeat for each")
		})
}

// tellClosed says how many messages a record keeps closed because they were said
// without prejudice.
func (a *app) tellClosed(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	n, err := record.WithoutPrejudice(f, info.Size())
	if err == nil && n > 0 {
		a.tell("%s", a.phrases().of("kept-closed", n))
	}
	return err
}
