package main

import (
	"os"

	"github.com/spf13/cobra"
)

func (a *app) officerKey() *cobra.Command {
	var cert string
	return noun(about{"key", "an officer's keys at this station",
		"An officer may sign with several keys: a passkey, a key file, next year's. Each stands in a\ncertificate of its own, under one pseudonym, and all of them count as one person.", "  detente officer key list ARD-R-01"},
		verb(about{"list PSEUDONYM", "list an officer's certificates",
			"Lists the certificates of an officer, the one that was last enrolled first: the digest that names it,\nits kind, roles and validity, and whether it was revoked.", "  detente officer key list ARD-R-01"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.call(c, "GET", at("/officers/%s/keys", args[0]), nil)
			}),
		verb(about{"enrol PSEUDONYM", "enrol another certificate of an officer",
			"Puts another certificate of a listed officer on the list; the others go on. The agency issues it\noffline with \"officer certify\".", "  detente officer key enrol ARD-R-01 --cert ARD-R-01-next.cert"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				if cert == "" {
					return usage("--cert is missing: the certificate's file")
				}
				note, err := os.ReadFile(cert)
				if err != nil {
					return err
				}
				return a.call(c, "POST", at("/officers/%s/keys", args[0]), map[string][]byte{"certificate": note})
			}, a.changes, func(c *cobra.Command) { c.Flags().StringVar(&cert, "cert", "", "the certificate's file") }),
		verb(about{"revoke PSEUDONYM DIGEST", "end one certificate of an officer, and leave the others",
			"From now on nothing signed by this one certificate counts at this station, what waits in the queue\nincluded; it never serves again. \"officer key list\" names its digest. With the last one that serves\nthe officer is revoked. Tell the counterpart with format 033 what was signed by a stolen key.",
			"  detente officer key revoke ARD-R-01 DIGEST"},
			cobra.ExactArgs(2), func(c *cobra.Command, args []string) error {
				sum, err := digestOf(args[1])
				if err != nil {
					return err
				}
				if err := a.ask("End the certificate %s of %s for good?", sum, args[0]); err != nil {
					return err
				}
				return a.call(c, "POST", at("/officers/%s/keys/%s/revoke", args[0], sum.String()), struct{}{})
			}, a.changes))
}
