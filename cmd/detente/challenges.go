package main

import (
	"crypto/rand"
	"encoding/hex"
	"os"

	"detente/identity"
	"detente/watch"

	"github.com/spf13/cobra"
)

// challenges are the verbs by which one asks who sits at the other end.
func (a *app) challenges() []*cobra.Command {
	var officer string
	var wait waitFlag
	o := officerFlags{secretFlags: secretFlags{app: a}}
	return []*cobra.Command{
		verb(about{"challenge LINE", "ask the counterpart for live proof of an officer",
			"Asks, as a message of format 015 with random bytes, for the signature of an officer of the\ncounterpart. The answer proves who was there, if it comes within five minutes.",
			"  detente peer challenge nrrc.arden.example/nrrc.boreal.example/notification --officer BOR-W-07"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				nonce := make([]byte, watch.MaxNonce)
				if _, err := rand.Read(nonce); err != nil {
					return err
				}
				d := draftFlags{line: args[0], tlp: "AMBER", wait: wait, params: []string{"nonce=" + hex.EncodeToString(nonce), "scheme=officer-key"}}
				if officer != "" {
					d.params = append(d.params, "officer="+officer)
				}
				return a.submit(c, "015", d)
			}, a.changes, wait.add, func(c *cobra.Command) {
				c.Flags().StringVar(&officer, "officer", "", "whose proof is asked for, by pseudonym (default: any officer's)")
			}),
		verb(about{"authenticate ID", "answer a challenge of the counterpart with an officer's signature",
			"Signs a challenge that came with an officer's key, on this machine, and sends the signature as a\nmessage of format 016. It proves that key and nothing else.",
			"  detente peer authenticate ID --key BOR-W-07.key.age --cert BOR-W-07.cert --passphrase-file FILE"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.authenticate(c, args[0], &o, wait) }, o.add, a.changes, wait.add),
		verb(about{"challenged ID", "which officer has answered a challenge, if any",
			"Verifies the answer to a challenge: by whom it was signed, and whether it came in time.", "  detente peer challenged ID"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.call(c, "GET", at("/challenges/%s", args[0]), nil)
			}),
	}
}

// keyDigits is how many digits of a certificate's digest name the key that
// answers: enough to tell a station's officers apart.
const keyDigits = 32

// authenticate answers a challenge.
func (a *app) authenticate(c *cobra.Command, id string, o *officerFlags, wait waitFlag) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var asked struct {
		toSign
		Line string `json:"line"`
		To   string `json:"to"`
	}
	if err := cl.do(c.Context(), "GET", at("/challenges/%s", id), nil, &asked); err != nil {
		return err
	}
	r, err := asked.request(o.role, "approve")
	if err != nil {
		return err
	}
	approval, err := o.sign(r)
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(o.cert)
	if err != nil {
		return err
	}
	d := draftFlags{line: asked.Line, tlp: "AMBER", wait: wait, refs: []string{id}, params: []string{"response=" + hex.EncodeToString(approval), "key_id=" + identity.Sum(cert).String()[:keyDigits]}}
	return a.submit(c, "016", d)
}
