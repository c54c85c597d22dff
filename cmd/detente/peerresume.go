package main

import (
	"detente/station"

	"github.com/spf13/cobra"
)

func (a *app) peerResume() *cobra.Command {
	o := officerFlags{secretFlags: secretFlags{app: a}}
	return verb(about{"resume STATION", "end a hold, by two officers",
		"Ends a hold that an operator put on a counterpart: it is again what it was, under the cards that were\nconfirmed then. Two officers sign; after the first the command ends with 7. A hold that other cards\nbrought about ends by the ceremony alone, from the digits on: then this is refused.",
		"  detente peer resume nrrc.boreal.example --key ARD-R-01.key.age --cert ARD-R-01.cert --passphrase-file FILE"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.signPeer(c, args[0], "resume", &o) }, o.add, a.changes)
}

// peerSigned says, by what officers decide of a peer, under which path they do and
// in which state the peer stays until another officer has.
var peerSigned = map[string]struct{ path, until string }{
	"confirm": {"confirmation", station.PeerDigits},
	"resume":  {"resumption", station.PeerStopped},
}

// signPeer signs, as an officer, a decision on a peer.
func (a *app) signPeer(c *cobra.Command, name, decision string, o *officerFlags) error {
	path := at("/peers/%s/", name) + peerSigned[decision].path
	cl, err := a.client()
	if err != nil {
		return err
	}
	var t toSign
	if err := cl.do(c.Context(), "GET", path, nil, &t); err != nil {
		return err
	}
	r, err := t.request(o.role, "confirm")
	if err != nil {
		return err
	}
	approval, err := o.sign(r)
	if err != nil {
		return err
	}
	p, err := cl.send(c.Context(), path+"s", approval)
	if err != nil {
		return err
	}
	if err := a.print(p, func() { a.table(p) }); err != nil {
		return err
	}
	if p["state"] == peerSigned[decision].until {
		a.tell("one more officer has to %s %s", decision, name)
		return exitError{code: exitSecondPerson}
	}
	return nil
}
