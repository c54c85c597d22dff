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
	*app
	passphraseFile, identityFile, recipient string
}

// opens adds the flags with which a key file is opened.
func (s *secretFlags) opens(c *cobra.Command) {
	c.Flags().StringVar(&s.passphraseFile, "passphrase-file", "", "file of the passphrase of the key file")
	c.Flags().StringVar(&s.identityFile, "identity-file", "", "file of the age identity that opens the key file")
}

// add adds the flags with which key files are opened and new ones sealed.
func (s *secretFlags) add(c *cobra.Command) {
	s.opens(c)
	c.Flags().StringVar(&s.recipient, "recipient", "", "age recipient to which a new key file is sealed, in place of a passphrase")
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
		return key, usage("%v: give --passphrase-file or --recipient", err)
	}
	return key, s.put(path, file, 0o600)
}

// credential is the name under which systemd hands the passphrase over.
const credential = "keys-passphrase"

// open opens an encrypted file of one secret.
func (s *secretFlags) open(path string) (string, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if dir := s.env("CREDENTIALS_DIRECTORY"); dir != "" && s.passphraseFile == "" && s.identityFile == "" {
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

// partyFlags are what a party's offline work is told.
type partyFlags struct {
	secretFlags
	dir, party, agency, request, out string
}

func (p *partyFlags) at(c *cobra.Command) {
	c.Flags().StringVar(&p.dir, "dir", ".", "directory of the party's files, on a machine without a network")
}

func (a *app) party() *cobra.Command {
	p := partyFlags{secretFlags: secretFlags{app: a}}
	return noun(about{"party", "a party's offline work: its root key, and what the root endorses",
		"A party's root key vouches for its agencies and for the cards of their stations. All of this is\ndone on a machine without a network; only cards and roots leave it.",
		"  detente party init --dir OFFLINE --party arden.example --passphrase-file FILE"},
		verb(about{"init", "make a party's root key",
			"Makes the party's root key in an encrypted file, and PARTY.root, which says whose key it is.\nGive PARTY.root to counterparts by a way that they trust, with its fingerprint read aloud.",
			"  detente party init --dir OFFLINE --party arden.example --passphrase-file FILE\n  detente party init --dir OFFLINE --party arden.example --recipient age1…"},
			cobra.NoArgs, func(*cobra.Command, []string) error { return a.partyInit(&p.secretFlags, p.dir, p.party) }, p.add, p.at, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&p.party, "party", "", "the party's name, such as arden.example")
			}),
		verb(about{"agency", "make an agency's key, and endorse it",
			"Makes the key by which an agency certifies its officers, and endorses it by the root.",
			"  detente party agency --dir OFFLINE --agency nrrc.arden.example --passphrase-file FILE"},
			cobra.NoArgs, func(*cobra.Command, []string) error { return a.partyAgency(&p.secretFlags, p.dir, p.agency) }, p.add, p.at, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&p.agency, "agency", "", "the agency's name, such as nrrc.arden.example")
			}),
		verb(about{"endorse", "endorse a station's card",
			"Endorses the card that a station asks for in its request.json, and writes it with the root and\nthe agency's card into one file, which the station installs and gives to counterparts.",
			"  detente party endorse --dir OFFLINE --request request.json --out station.cards --passphrase-file FILE"},
			cobra.NoArgs, func(*cobra.Command, []string) error { return a.partyEndorse(&p.secretFlags, p.dir, p.request, p.out) }, p.opens, p.at, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&p.request, "request", "", "the station's request.json")
				c.Flags().StringVar(&p.out, "out", "", "file for the endorsed cards")
			}))
}

func (a *app) partyInit(s *secretFlags, dir, name string) error {
	party, err := identity.ParseParty(name)
	if err != nil {
		return usage("--party: %v", err)
	}
	if err := a.mkdir(dir); err != nil {
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
	if err := a.put(path, note, 0o644); err != nil {
		return err
	}
	fingerprint := key.Public().Fingerprint()
	return a.print(map[string]string{"party": name, "root": path, "fingerprint": fingerprint.String()}, func() {
		a.say("root of %s: %s\nfingerprint: %s", name, path, fingerprint.Groups())
		a.tell("next: make the agency's key with `detente party agency`")
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
	if err := a.put(path, card, 0o644); err != nil {
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
		return usage("--request and --out are missing: the station's request.json, and the file for its cards")
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
	if err := a.put(out, b.Bytes(), 0o644); err != nil {
		return err
	}
	digest := identity.Sum(b.Station)
	return a.print(map[string]string{"station": string(card.Station), "cards": out, "digest": digest.String()}, func() {
		a.say("cards of %s: %s\ndigest: %s", card.Station, out, digest.Groups())
		a.tell("next: on the station's machine, `detente station card --install %s`", out)
	})
}
