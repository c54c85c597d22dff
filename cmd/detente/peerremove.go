package main

import (
	"github.com/spf13/cobra"
)

func (a *app) peerRemove() *cobra.Command {
	var reason string
	return verb(about{"remove STATION", "end the trust in a counterpart, by two operators",
		"Ends the trust in a counterpart: its keys open no connection any more, and nothing of it is cosigned or\nsent. Two operators have to, each with a token of their own; after the first the command ends with 7.\nThe record stays whole. While a line is open, --reason says why. Its cards, added again, begin the\nceremony from the start.",
		"  detente peer remove nrrc.boreal.example --reason 'the agency was dissolved' --token-file a.token"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.removePeer(c, args[0], reason) }, a.changes, func(c *cobra.Command) {
			c.Flags().StringVar(&reason, "reason", "", "why; needed while a line to it is open")
		})
}

func (a *app) removePeer(c *cobra.Command, name, reason string) error {
	if err := a.ask("End the trust in %s, and all lines to it?", name); err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var out struct {
		Station string `json:"station"`
		Removed bool   `json:"removed"`
		Next    string `json:"next,omitempty"`
	}
	if err := cl.do(c.Context(), "POST", at("/peers/%s/remove", name), map[string]string{"reason": reason}, &out); err != nil {
		return err
	}
	err = a.print(out, func() {
		if out.Removed {
			a.say("%s is removed; its record stays", out.Station)
			return
		}
		a.say("%s: one operator wants it removed", out.Station)
		a.tell("next: %s", out.Next)
	})
	if err == nil && !out.Removed {
		err = exitError{code: exitSecondPerson}
	}
	return err
}
