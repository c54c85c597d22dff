package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/identity"

	"github.com/spf13/cobra"
)

// certifyFlags are what `officer certify` is told.
type certifyFlags struct {
	partyFlags
	at, pseudonym, roles, key, cert string
}

func (a *app) officer() *cobra.Command {
	f := certifyFlags{partyFlags: partyFlags{secretFlags: secretFlags{app: a}}}
	var name, cert string
	return noun(about{"officer", "officers: keys, certificates, and this station's list",
		"Officers sign with keys of their own. An agency certifies them offline, under a pseudonym by\nwhich the counterpart knows them; the station keeps the list of those who may act here.",
		"  detente officer list --data /var/lib/detente"},
		verb(about{"certify", "make an officer's key and certificate, offline, with the agency's key",
			"Makes an officer's key in an encrypted file, and a certificate with the officer's pseudonym and\nroles, signed by the agency. The counterpart sees the pseudonym and never the name.",
			"  detente officer certify --dir OFFLINE --agency nrrc.arden.example --at nrrc.arden.example \\\n      --pseudonym ARD-R-01 --roles watch,releasing --key ARD-R-01.key.age --cert ARD-R-01.cert --passphrase-file FILE"},
			cobra.NoArgs, func(*cobra.Command, []string) error { return a.officerCertify(&f) }, f.add, f.partyFlags.at, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&f.agency, "agency", "", "the agency that certifies")
				c.Flags().StringVar(&f.at, "at", "", "the station at which the officer serves")
				c.Flags().StringVar(&f.pseudonym, "pseudonym", "", "how the counterpart knows the officer, such as ARD-R-01")
				c.Flags().StringVar(&f.roles, "roles", "watch", "roles, with commas: watch, releasing, …")
				c.Flags().StringVar(&f.key, "key", "", "file for the officer's key")
				c.Flags().StringVar(&f.cert, "cert", "", "file for the certificate")
			}),
		verb(about{"add", "put an officer's certificate on the station's list",
			"Puts an officer on this station's list. From then on the officer's signatures count here. More keys\nof the same officer are enrolled with \"officer key enrol\".",
			"  detente officer add --name 'A. Officer' --cert ARD-R-01.cert"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				if name == "" || cert == "" {
					return usage("--name and --cert are missing: who the officer is, and the certificate's file")
				}
				note, err := os.ReadFile(cert)
				if err != nil {
					return err
				}
				return a.call(c, "POST", "/officers", map[string]any{"name": name, "certificate": note})
			}, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&name, "name", "", "the officer's name, known to this station only")
				c.Flags().StringVar(&cert, "cert", "", "the certificate's file")
			}),
		verb(about{"list", "list the station's officers", "Lists officers by pseudonym and name, and since when one is revoked.", "  detente officer list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/officers", nil) }),
		verb(about{"revoke PSEUDONYM", "end an officer's approvals here",
			"From now on nothing that the officer signs counts at this station, with whatever key on the list. What\nwas released before stays. The pseudonym cannot be taken again.", "  detente officer revoke ARD-R-01"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				if err := a.ask("End the approvals of %s for good?", args[0]); err != nil {
					return err
				}
				return a.call(c, "POST", at("/officers/%s/revoke", args[0]), struct{}{})
			}, a.changes),
		a.officerKey())
}

func (a *app) officerCertify(f *certifyFlags) error {
	if f.agency == "" || f.at == "" || f.pseudonym == "" || f.key == "" || f.cert == "" {
		return usage("--agency, --at, --pseudonym, --key and --cert are all needed")
	}
	name, err := identity.ParseStation(f.at)
	if err != nil {
		return usage("--at: %v", err)
	}
	root, _, err := readRoot(f.dir)
	if err != nil {
		return err
	}
	agencyKey, err := f.read(filepath.Join(f.dir, f.agency+".agency.key.age"), identity.UseAgency)
	if err != nil {
		return err
	}
	if _, err := os.Stat(f.cert); !errors.Is(err, os.ErrNotExist) {
		return exitError{exitConflict, errors.New(f.cert + " exists: a certificate is never written over")}
	}
	key, err := f.write(f.key, identity.UseOfficer)
	if err != nil {
		return err
	}
	from := now().UTC().Truncate(time.Second)
	note, err := identity.IssueCertificate(identity.Agency(f.agency), agencyKey, identity.Certificate{
		Party: root.Party, Station: name, Pseudonym: f.pseudonym, Roles: strings.Split(f.roles, ","), From: from, To: from.AddDate(1, 0, 0),
		Credential: identity.Credential{Kind: identity.CredentialKey, Key: key.Public()},
	})
	if err != nil {
		return usage("%v", err)
	}
	if err := a.put(f.cert, note, 0o644); err != nil {
		return err
	}
	return a.print(map[string]string{"pseudonym": f.pseudonym, "key": f.key, "certificate": f.cert}, func() {
		a.say("officer %s: key %s, certificate %s", f.pseudonym, f.key, f.cert)
		a.tell("next: at the station, `detente officer add --name NAME --cert %s`", f.cert)
	})
}
