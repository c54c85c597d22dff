package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/identity"

	"github.com/spf13/cobra"
)

// secretFlags are the ways in which a secret comes: in files, never as an
// argument.
type secretFlags struct {
	passphraseFile, identityFile, recipient string
}

func (s *secretFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&s.passphraseFile, "passphrase-file", "", "a file that holds the passphrase of the key file")
	c.Flags().StringVar(&s.identityFile, "identity-file", "", "an age identity file that opens the key file")
	c.Flags().StringVar(&s.recipient, "recipient", "", "an age recipient to seal a new key file to, in place of a passphrase")
}

func (s *secretFlags) passphrase() (string, error) {
	if s.passphraseFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(s.passphraseFile)
	if err != nil {
		return "", err
	}
	p := strings.TrimRight(string(b), "\r\n")
	if p == "" {
		return "", errors.New("the passphrase file is empty")
	}
	return p, nil
}

// write makes a key and keeps it in an encrypted file.
func (s *secretFlags) write(path string, use identity.Use) (identity.PrivateKey, error) {
	if _, err := os.Stat(path); err == nil {
		return identity.PrivateKey{}, exitError{exitConflict, fmt.Errorf("%s exists: a key is never written over", path)}
	}
	key, err := identity.GenerateKey(use, rand.Reader)
	if err != nil {
		return key, err
	}
	pass, err := s.passphrase()
	if err != nil {
		return key, err
	}
	file, err := identity.EncryptKey(key.Secret(), pass, s.recipient)
	if err != nil {
		return key, usage("%v; use --passphrase-file or --recipient", err)
	}
	return key, writeFile(path, file, 0o600)
}

// credential is the name under which systemd hands the passphrase over.
const credential = "keys-passphrase"

// open opens an encrypted file of one secret.
func (s *secretFlags) open(path string) (string, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && s.passphraseFile == "" && s.identityFile == "" {
		s.passphraseFile = filepath.Join(dir, credential)
	}
	pass, err := s.passphrase()
	if err != nil {
		return "", err
	}
	var ids []byte
	if s.identityFile != "" {
		if ids, err = os.ReadFile(s.identityFile); err != nil {
			return "", err
		}
	}
	secret, err := identity.DecryptKey(file, pass, string(ids))
	if err != nil {
		return "", exitError{exitRefused, fmt.Errorf("%s: %w", path, err)}
	}
	return secret, nil
}

// read opens an encrypted key file.
func (s *secretFlags) read(path string, use identity.Use) (identity.PrivateKey, error) {
	secret, err := s.open(path)
	if err != nil {
		return identity.PrivateKey{}, err
	}
	return identity.ParsePrivateKey(use, secret)
}

// cardYears is how long a card is valid.
const cardYears = 2

func (a *app) party() *cobra.Command {
	var s secretFlags
	var dir, party, agency, request, out string
	return noun("party", "A party's offline work: its root key, and what the root endorses",
		verb("init", "make a party's root key", cobra.NoArgs, func(*cobra.Command, []string) error {
			return a.partyInit(&s, dir, party)
		}, s.add, func(c *cobra.Command) {
			c.Flags().StringVar(&dir, "dir", ".", "where the party's files are kept, offline")
			c.Flags().StringVar(&party, "party", "", "the party's name, such as arden.example")
		}),
		verb("agency", "make and endorse an agency's key", cobra.NoArgs, func(*cobra.Command, []string) error {
			return a.partyAgency(&s, dir, agency)
		}, s.add, func(c *cobra.Command) {
			c.Flags().StringVar(&dir, "dir", ".", "where the party's files are kept, offline")
			c.Flags().StringVar(&agency, "agency", "", "the agency's name, such as nrrc.arden.example")
		}),
		verb("endorse", "endorse a station's card", cobra.NoArgs, func(*cobra.Command, []string) error {
			return a.partyEndorse(&s, dir, request, out)
		}, s.add, func(c *cobra.Command) {
			c.Flags().StringVar(&dir, "dir", ".", "where the party's files are kept, offline")
			c.Flags().StringVar(&request, "request", "", "the station's request.json")
			c.Flags().StringVar(&out, "out", "", "where the endorsed cards are written")
		}))
}

func (a *app) partyInit(s *secretFlags, dir, name string) error {
	party, err := identity.ParseParty(name)
	if err != nil {
		return usage("--party: %v", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := s.write(filepath.Join(dir, "root.key.age"), identity.UseRoot)
	if err != nil {
		return err
	}
	note, err := identity.SignRoot(party, key)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, name+".root")
	if err := writeFile(path, note, 0o644); err != nil {
		return err
	}
	print := key.Public().Fingerprint()
	return a.print(map[string]string{"party": name, "root": path, "fingerprint": print.String()}, func() {
		a.say("root of %s: %s\nfingerprint: %s", name, path, print.Groups())
	})
}

func readRoot(dir string) (identity.Root, []byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.root"))
	if err != nil || len(files) != 1 {
		return identity.Root{}, nil, usage("%s: one party's .root file is expected there; make it with `detente party init`", dir)
	}
	note, err := os.ReadFile(files[0])
	if err != nil {
		return identity.Root{}, nil, err
	}
	root, err := identity.ParseRoot(note)
	return root, note, err
}

func (a *app) partyAgency(s *secretFlags, dir, name string) error {
	agency, err := identity.ParseAgency(name)
	if err != nil {
		return usage("--agency: %v", err)
	}
	root, _, err := readRoot(dir)
	if err != nil {
		return err
	}
	rootKey, err := s.read(filepath.Join(dir, "root.key.age"), identity.UseRoot)
	if err != nil {
		return err
	}
	key, err := s.write(filepath.Join(dir, name+".agency.key.age"), identity.UseAgency)
	if err != nil {
		return err
	}
	from := now().UTC().Truncate(time.Second)
	card, err := identity.EndorseAgency(rootKey, identity.AgencyCard{Party: root.Party, Agency: agency, Key: key.Public(), From: from, To: from.AddDate(cardYears, 0, 0)})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, name+".agency")
	if err := writeFile(path, card, 0o644); err != nil {
		return err
	}
	return a.print(map[string]string{"agency": name, "card": path}, func() { a.say("card of agency %s: %s", name, path) })
}

// earlierCards reads the cards that an agency had before: files of its card's
// name with a hyphen and anything behind it, the latest name first.
func earlierCards(dir string, agency identity.Agency) ([][]byte, error) {
	names, err := filepath.Glob(filepath.Join(dir, string(agency)+".agency-*"))
	if err != nil {
		return nil, err
	}
	var cards [][]byte
	for _, name := range slices.Backward(names) {
		card, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		cards = append(cards, card)
	}
	return cards, nil
}

func (a *app) partyEndorse(s *secretFlags, dir, request, out string) error {
	if request == "" || out == "" {
		return usage("--request and --out are needed")
	}
	card, err := readRequest(request)
	if err != nil {
		return err
	}
	root, note, err := readRoot(dir)
	if err != nil {
		return err
	}
	if card.Party != root.Party {
		return usage("the request is of a station of %s, and this is the root of %s", card.Party, root.Party)
	}
	agency, err := os.ReadFile(filepath.Join(dir, string(card.Agency)+".agency"))
	if err != nil {
		return fmt.Errorf("%w; endorse the agency first with `detente party agency`", err)
	}
	key, err := s.read(filepath.Join(dir, "root.key.age"), identity.UseRoot)
	if err != nil {
		return err
	}
	b := identity.Bundle{Root: note, Agency: agency}
	if b.Earlier, err = earlierCards(dir, card.Agency); err != nil {
		return err
	}
	if b.Station, err = identity.EndorseCard(key, card); err != nil {
		return err
	}
	if _, err := b.Verify(root.Key, now()); err != nil {
		return err
	}
	if err := writeFile(out, b.Bytes(), 0o644); err != nil {
		return err
	}
	digest := identity.Sum(b.Station)
	return a.print(map[string]string{"station": string(card.Station), "cards": out, "digest": digest.String()}, func() {
		a.say("cards of %s: %s\ndigest: %s", card.Station, out, digest.Groups())
	})
}

func (a *app) officer() *cobra.Command {
	var s secretFlags
	var dir, agency, name, pseudonym, stationName, roles, keyOut, certOut, cert string
	return noun("officer", "Officers: keys, certificates, and this station's list",
		verb("certify", "make an officer's key and certificate, offline, with the agency's key", cobra.NoArgs, func(*cobra.Command, []string) error {
			return a.officerCertify(&s, dir, agency, stationName, pseudonym, roles, keyOut, certOut)
		}, s.add, func(c *cobra.Command) {
			f := c.Flags()
			f.StringVar(&dir, "dir", ".", "where the party's files are kept, offline")
			f.StringVar(&agency, "agency", "", "the agency that certifies")
			f.StringVar(&stationName, "at", "", "the station at which the officer serves")
			f.StringVar(&pseudonym, "pseudonym", "", "how the counterpart knows the officer, such as ARD-R-01")
			f.StringVar(&roles, "roles", "watch", "roles, with commas: watch, releasing, …")
			f.StringVar(&keyOut, "key", "", "where the officer's key file is written")
			f.StringVar(&certOut, "cert", "", "where the certificate is written")
		}),
		verb("add", "put an officer's certificate on the station's list", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			note, err := os.ReadFile(cert)
			if err != nil {
				return err
			}
			return a.call(c, "POST", "/officers", map[string]any{"name": name, "certificate": note})
		}, func(c *cobra.Command) {
			c.Flags().StringVar(&name, "name", "", "the officer's name, known to this station only")
			c.Flags().StringVar(&cert, "cert", "", "the certificate's file")
		}),
		verb("list", "list the station's officers", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			return a.call(c, "GET", "/officers", nil)
		}),
		verb("revoke PSEUDONYM", "end an officer's approvals here", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.call(c, "POST", "/officers/"+args[0]+"/revoke", struct{}{})
		}))
}

func (a *app) officerCertify(s *secretFlags, dir, agency, at, pseudonym, roles, keyOut, certOut string) error {
	name, err := identity.ParseStation(at)
	if err != nil || keyOut == "" || certOut == "" || agency == "" {
		return usage("--agency, --at, --pseudonym, --key and --cert are needed: %v", err)
	}
	root, _, err := readRoot(dir)
	if err != nil {
		return err
	}
	agencyKey, err := s.read(filepath.Join(dir, agency+".agency.key.age"), identity.UseAgency)
	if err != nil {
		return err
	}
	key, err := s.write(keyOut, identity.UseOfficer)
	if err != nil {
		return err
	}
	from := now().UTC().Truncate(time.Second)
	note, err := identity.IssueCertificate(identity.Agency(agency), agencyKey, identity.Certificate{
		Party: root.Party, Station: name, Pseudonym: pseudonym, Roles: strings.Split(roles, ","), From: from, To: from.AddDate(1, 0, 0),
		Credential: identity.Credential{Kind: identity.CredentialKey, Key: key.Public()},
	})
	if err != nil {
		return usage("%v", err)
	}
	if err := writeFile(certOut, note, 0o644); err != nil {
		return err
	}
	return a.print(map[string]string{"pseudonym": pseudonym, "key": keyOut, "certificate": certOut}, func() {
		a.say("officer %s: key %s, certificate %s", pseudonym, keyOut, certOut)
	})
}

// call calls the API and prints what it answers.
func (a *app) call(c *cobra.Command, method, path string, in any) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var out any
	if err := cl.do(c.Context(), method, path, in, &out); err != nil {
		return err
	}
	return a.print(out, func() { a.table(out) })
}
