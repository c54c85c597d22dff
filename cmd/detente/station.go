package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"detente/identity"
	"detente/seal"
	"detente/station"
	"detente/store"

	"github.com/spf13/cobra"
	"rsc.io/qr"
)

// stationFlags are the flags of `station init`.
type stationFlags struct {
	secretFlags
	party, agency, name, code, listen, api, mark string
	endpoints, readers                           []string
}

func (f *stationFlags) all(c *cobra.Command) {
	c.Flags().StringVar(&f.party, "party", "", "the party, such as arden.example")
	c.Flags().StringVar(&f.agency, "agency", "", "the agency, such as nrrc.arden.example")
	c.Flags().StringVar(&f.name, "name", "", "the station's name, such as nrrc.arden.example")
	c.Flags().StringVar(&f.code, "code", "", "the short code that citations use, such as ARD")
	c.Flags().StringVar(&f.listen, "listen", "", "address that counterparts reach, such as 0.0.0.0:8443")
	c.Flags().StringArrayVar(&f.endpoints, "endpoint", nil, "URL of it as counterparts see it; several: the preferred first")
	c.Flags().StringVar(&f.api, "api", "127.0.0.1:8080", "loopback address of the API")
	c.Flags().StringVar(&f.mark, "mark", "", "file of the high-water mark, outside the data directory and its backups")
	c.Flags().StringArrayVar(&f.readers, "reader", nil, "a counterpart's station to hold lines with; repeat for several")
}

func (a *app) stationCommands() *cobra.Command {
	f := stationFlags{secretFlags: secretFlags{app: a}}
	return noun(about{"station", "a station: make it, run it, look after it",
		"A station is an agency's installation: its keys, its store, its lines. One process serves it.", "  detente station status --data /var/lib/detente"},
		verb(about{"init", "make a station's keys and the request for its card",
			"Makes a station's data directory: its private keys in an encrypted file, an operator's token, and\nrequest.json, which the party endorses offline with \"detente party endorse\". The high-water mark\nlies outside the data directory: by it the station notices that it was put back to an older copy.",
			"  detente station init --data /var/lib/detente --party arden.example --agency nrrc.arden.example \\\n      --name nrrc.arden.example --code ARD --listen 0.0.0.0:8443 --endpoint https://line.arden.example:8443 \\\n      --mark /var/lib/detente-mark/high-water --reader nrrc.boreal.example --passphrase-file FILE"},
			cobra.NoArgs, func(*cobra.Command, []string) error { return a.stationInit(f) }, f.add, f.all, a.changes),
		a.stationCardCommand(),
		a.stationServe(),
		a.stationRotate(),
		verb(about{"status", "how the station and its lines stand", "Lists lines: state, guard, how far each log has come and been receipted, what waits, alarms.", "  detente station status"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/lines", nil) }),
		a.stationDoctor(),
		a.stationBackup(),
		verb(about{"restore FILE", "put a backup in the place of a stopped station's store",
			"Puts a backup in the place of the store; what was there is kept beside it. The station has to be\nstopped. At its next start it sees by its mark what it lacks, and heals before it signs anything.",
			"  detente station restore backup.sqlite --data /var/lib/detente"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.restore(args[0]) }, a.changes),
		a.stationClock(),
		a.versionCommand("station version"))
}

func (a *app) stationCardCommand() *cobra.Command {
	s := secretFlags{app: a}
	var cards, reader, era string
	var codes bool
	return verb(about{"card", "install endorsed cards, show them, or ask for new keys",
		"Without a flag it shows the station's cards and their digest. --install puts endorsed cards in\nplace. --reader and --era make keys and a request.json for the card that lists them.",
		"  detente station card --data /var/lib/detente --install station.cards\n  detente station card --data /var/lib/detente --qr"},
		cobra.NoArgs, func(*cobra.Command, []string) error { return a.stationCard(&s, cards, reader, era, codes) }, s.add, a.changes, func(c *cobra.Command) {
			c.Flags().StringVar(&cards, "install", "", "a file of endorsed cards to install; start the station anew afterwards")
			c.Flags().StringVar(&reader, "reader", "", "make log keys for lines with one more station, and a request for the card that lists them")
			c.Flags().StringVar(&era, "era", "", "make the key of a line's next era, and a request for the card that lists it")
			c.Flags().BoolVar(&codes, "qr", false, "draw the cards as QR codes")
		})
}

func (a *app) stationServe() *cobra.Command {
	s := secretFlags{app: a}
	return verb(about{"serve", "run the station",
		"Runs the station until it is interrupted. Stopping is safe at any moment, kill -9 included. The key\nfile's passphrase comes from --passphrase-file, or from systemd as the credential keys-passphrase.\nOn SIGHUP it reads anew what may change while it runs, and names what holds from the next start only.\nIt takes listening sockets named line and api from systemd, so that a restart drops no caller.",
		"  detente station serve --data /var/lib/detente --passphrase-file FILE"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.serve(c.Context(), &s) }, s.opens, func(c *cobra.Command) {
			for _, o := range []struct{ name, what string }{
				{"listen", "address that counterparts reach"}, {"api", "loopback address of the API"}, {"mark", "file of the high-water mark"},
				{"log-level", "debug, info, warn or error"},
			} {
				c.Flags().String(o.name, "", o.what+", in place of what the settings say")
			}
		})
}

func (a *app) stationRotate() *cobra.Command {
	s := secretFlags{app: a}
	return verb(about{"rotate", "make sealing keys for the months ahead, and the request for the card that lists them",
		"Makes what is missing of the sealing and archive keys of this month and the thirteen after it,\nand renews the card's validity. The party endorses the request; then \"detente station card\n--install\" and a restart bring it into force, and the station shows its new card to every\ncounterpart by itself. Once a year is enough.",
		"  detente station rotate --data /var/lib/detente --passphrase-file FILE"},
		cobra.NoArgs, func(*cobra.Command, []string) error {
			if a.data == "" {
				return usage("--data is missing: the station's data directory")
			}
			return a.requestKeys(&s, filepath.Join(a.data, cardsName), keyRequest{periods: true})
		}, s.add, a.changes)
}

func (a *app) stationDoctor() *cobra.Command {
	var c checkup
	return verb(about{"doctor", "check every tree, hash and table",
		"Checks every log, hash and table of a running station. Ends with 5 where something is wrong. With\n--repair the tables are made anew from the logs; no log is touched. With --from-counterpart besides,\nwhat is damaged or absent in a log is put back from the counterpart's copy: only what leads to a\nhead of the log whose signatures stand here. What cannot be put back is named, and ends with 5.",
		"  detente station doctor\n  detente station doctor --repair\n  detente station doctor --repair --from-counterpart"},
		cobra.NoArgs, func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd, c) }, a.changes, func(cmd *cobra.Command) {
			cmd.Flags().BoolVar(&c.Repair, "repair", false, "make the tables anew from the logs")
			cmd.Flags().BoolVar(&c.FromCounterpart, "from-counterpart", false, "with --repair: put back what is damaged in a log, from the counterpart's copy")
		})
}

func (a *app) stationBackup() *cobra.Command {
	var to string
	return verb(about{"backup", "copy the running station's store to a new file",
		"Copies the store of a running station into a new file on the station's machine, whole and synced.\nKeep keys.age, cards, detente.toml, conf.d/ and blobs/ beside it, and never the high-water mark.", "  detente station backup --to /var/backups/detente-1.sqlite"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			if to == "" {
				return usage("--to is missing: a new file on the station's machine")
			}
			full, err := filepath.Abs(to)
			if err != nil {
				return err
			}
			return a.call(c, "POST", "/backup", map[string]string{"to": full})
		}, a.changes, func(c *cobra.Command) { c.Flags().StringVar(&to, "to", "", "a new file on the station's machine") })
}

func (a *app) stationClock() *cobra.Command {
	return verb(about{"clock", "confirm the time after the clock leapt",
		"After a leap of the clock the station stamps nothing until two operators have confirmed the time\nwithin ten minutes, each with a token of their own. Ends with 7 after the first of them.", "  detente station clock --token-file a.token"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.confirmClock(c) }, a.changes)
}

func (a *app) confirmClock(c *cobra.Command) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var out struct {
		Confirmed bool   `json:"confirmed"`
		Next      string `json:"next,omitempty"`
	}
	if err := cl.do(c.Context(), "POST", "/clock", nil, &out); err != nil {
		return err
	}
	err = a.print(out, func() {
		if out.Confirmed {
			a.say("the time is confirmed")
			return
		}
		a.say("confirmed by one operator")
		a.tell("next: %s", out.Next)
	})
	if err == nil && !out.Confirmed {
		err = exitError{code: exitSecondPerson}
	}
	return err
}

// sealingAhead is for how many months sealing keys are made in advance.
const sealingAhead = 14

func (a *app) stationInit(f stationFlags) error {
	if a.data == "" || f.mark == "" || f.listen == "" || len(f.endpoints) == 0 {
		return usage("--data, --listen, --endpoint and --mark are all needed")
	}
	if _, err := identity.ParseStation(f.name); err != nil {
		return usage("--name: %v", err)
	}
	if _, err := os.Stat(filepath.Join(a.data, configName)); err == nil {
		return exitError{exitConflict, fmt.Errorf("%s holds a station already", a.data)}
	}
	mark, err := filepath.Abs(f.mark)
	if err != nil {
		return err
	}
	if err := outside(a.data, mark); err != nil {
		return err
	}
	from := now().UTC().Truncate(time.Second)
	card := identity.Card{
		Party: identity.Party(f.party), Agency: identity.Agency(f.agency), Station: identity.Station(f.name), Code: identity.Code(f.code), Serial: 1,
		From: from, To: from.AddDate(cardYears, 0, 0), Endpoints: f.endpoints,
	}
	k := keyFile{Logs: map[string]string{}, Sealing: map[string]string{}, Archive: map[string]string{}}
	cosigner, err := identity.GenerateKey(identity.UseCosigner, rand.Reader)
	if err != nil {
		return err
	}
	k.Cosigner, card.Cosigner = cosigner.Secret(), cosigner.Public()
	secret, spki, err := newTLS()
	if err != nil {
		return err
	}
	k.TLS, card.TLS = secret, []identity.TLSKey{{SPKI: spki, From: card.From, To: card.To}}
	if err := k.addPeriods(&card, seal.PeriodOf(from)); err != nil {
		return err
	}
	for _, r := range f.readers {
		if err := k.addReader(&card, r); err != nil {
			return usage("--reader: %v", err)
		}
	}
	if err := a.mkdir(a.data); err != nil {
		return err
	}
	token, err := newToken()
	if err != nil {
		return err
	}
	err = errors.Join(f.writeKeys(a.data, k), a.put(filepath.Join(a.data, tokenName), []byte(token+"\n"), 0o600), a.putJSON(filepath.Join(a.data, requestName), card, 0o644))
	if err == nil {
		err = a.put(filepath.Join(a.data, configName), confText(f.name, f.listen, f.api, mark), 0o600) // last: what makes it a station
	}
	if err != nil {
		return err
	}
	request := filepath.Join(a.data, requestName)
	return a.print(map[string]string{"station": f.name, "request": request}, func() {
		a.say("station %s made in %s", f.name, a.data)
		a.tell("next: the party endorses %s, then `detente station card --install FILE`", request)
	})
}

// outside returns an error unless a file lies outside a directory.
func outside(dir, file string) error {
	full, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(full, file); err == nil && filepath.IsLocal(rel) {
		return usage("--mark: %s lies in the data directory: it must survive when that is put back to an older copy", file)
	}
	return nil
}

// newToken returns a random token of the API.
func newToken() (string, error) {
	var b [24]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return station.TokenPrefix + hex.EncodeToString(b[:]), nil
}

// addPeriods makes sealing keys for the months ahead.
func (k keyFile) addPeriods(card *identity.Card, p seal.Period) error {
	for range sealingAhead {
		if _, have := k.Sealing[string(p)]; !have {
			to, err := seal.GenerateIdentity()
			if err != nil {
				return err
			}
			archive, err := seal.GenerateIdentity()
			if err != nil {
				return err
			}
			k.Sealing[string(p)], k.Archive[string(p)] = to.Secret(), archive.Secret()
			card.Sealing = append(card.Sealing, identity.SealingKey{Period: string(p), Recipient: to.Recipient().String()})
		}
		next, err := p.Next()
		if err != nil {
			return err
		}
		p = next
	}
	return nil
}

// addReader makes log keys for lines of all classes with a station.
func (k keyFile) addReader(card *identity.Card, reader string) error {
	name, err := identity.ParseStation(reader)
	if err != nil {
		return err
	}
	for class := identity.Technical; class <= identity.Leadership; class++ {
		if err := k.addLog(card, identity.Origin{Writer: card.Station, Reader: name, Class: class, Era: 1}); err != nil {
			return err
		}
	}
	return nil
}

// addLog makes the key of a log, once.
func (k keyFile) addLog(card *identity.Card, o identity.Origin) error {
	if _, have := k.Logs[o.String()]; have {
		return nil
	}
	key, err := identity.GenerateKey(identity.UseLog, rand.Reader)
	if err != nil {
		return err
	}
	k.Logs[o.String()] = key.Secret()
	card.Logs = append(card.Logs, identity.LogKey{Reader: o.Reader, Class: o.Class, Era: o.Era, Key: key.Public()})
	return nil
}

func (a *app) stationCard(s *secretFlags, install, reader, era string, codes bool) error {
	if a.data == "" {
		return usage("--data is missing: the station's data directory")
	}
	path := filepath.Join(a.data, cardsName)
	switch {
	case install != "":
		return a.installCards(install, path)
	case reader != "" || era != "":
		return a.requestKeys(s, path, keyRequest{reader: reader, era: era})
	}
	b, _, err := readBundle(path)
	if err != nil {
		return noCards(err)
	}
	parts := b.Parts()
	if codes {
		for _, p := range parts {
			if err := drawQR(a.out, p); err != nil {
				return err
			}
		}
		return nil
	}
	return a.print(map[string]any{"digest": identity.Sum(b.Station).String(), "parts": parts}, func() {
		a.say("%s", b.Bytes())
		a.say("digest: %s", identity.Sum(b.Station).Groups())
	})
}

// noCards says what to do where a station has no cards.
func noCards(err error) error {
	return fmt.Errorf("%w; install the endorsed cards with `detente station card --install FILE`", err)
}

func (a *app) installCards(from, path string) error {
	conf, err := a.readConfig()
	if err != nil {
		return err
	}
	b, root, err := readBundle(from)
	if err != nil {
		return err
	}
	v, err := b.Verify(root.Key, now())
	if err != nil {
		return err
	}
	if string(v.Card.Station) != conf.Station {
		return usage("these are the cards of %s, and this is %s", v.Card.Station, conf.Station)
	}
	if before, _, err := readBundle(path); err == nil {
		if err := follows(before, root, v.Card); err != nil {
			return exitError{exitConflict, err}
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := a.put(path, b.Bytes(), 0o644); err != nil {
		return err
	}
	return a.print(map[string]string{"cards": path, "digest": v.CardDigest.String()}, func() {
		a.say("cards of %s installed: %s", v.Card.Station, v.CardDigest.Groups())
		a.tell("next: start the station, or start it anew: `detente station serve`")
	})
}

// follows returns an error unless a station's card may take the place of the one
// that is installed: counterparts refuse it otherwise.
func follows(installed identity.Bundle, root identity.Root, card identity.Card) error {
	v, err := installed.Verify(root.Key, time.Time{})
	if err != nil {
		return fmt.Errorf("the installed cards: %w", err)
	}
	switch {
	case !card.Cosigner.Equal(v.Card.Cosigner):
		return errors.New("this card lists another cosigner key than the installed one, and a cosigner key is for a station's life: the receipts given so far would no longer verify; have the request endorsed that this station made")
	case card.Serial < v.Card.Serial, card.Serial == v.Card.Serial && !card.Same(v.Card):
		return fmt.Errorf("this card has the serial %d, and another with %d is installed: have one with a higher serial endorsed", card.Serial, v.Card.Serial)
	}
	return nil
}

// keyRequest says which keys are made for a card.
type keyRequest struct {
	reader  string // logs towards this station
	era     string // the next log of this line
	periods bool   // the sealing keys of the months ahead
}

// requestKeys makes keys and the request for the card that lists them.
func (a *app) requestKeys(s *secretFlags, path string, r keyRequest) error {
	b, root, err := readBundle(path)
	if err != nil {
		return err
	}
	v, err := b.Verify(root.Key, now())
	if err != nil {
		return err
	}
	k, err := s.openKeys(a.data)
	if err != nil {
		return err
	}
	card := v.Card
	card.Serial, card.Logs, card.Sealing = card.Serial+1, slices.Clone(card.Logs), slices.Clone(card.Sealing)
	card.From = now().UTC().Truncate(time.Second)
	if r.reader != "" {
		if err := k.addReader(&card, r.reader); err != nil {
			return usage("--reader: %v", err)
		}
	}
	if r.era != "" {
		if err := k.addEra(&card, r.era); err != nil {
			return err
		}
	}
	if r.periods {
		card.To = card.From.AddDate(cardYears, 0, 0)
		if err := k.addPeriods(&card, seal.PeriodOf(card.From)); err != nil {
			return err
		}
	}
	if len(card.Logs) == len(v.Card.Logs) && len(card.Sealing) == len(v.Card.Sealing) {
		return exitError{exitConflict, errors.New("the card lists these keys already")}
	}
	if err := s.writeKeys(a.data, k); err != nil {
		return err
	}
	request := filepath.Join(a.data, requestName)
	if err := a.putJSON(request, card, 0o644); err != nil {
		return err
	}
	return a.print(map[string]string{"request": request}, func() {
		a.say("%s", request)
		a.tell("next: the party endorses it with `detente party endorse`, then `detente station card --install FILE`")
	})
}

// addEra makes the key of a line's next era.
func (k keyFile) addEra(card *identity.Card, name string) error {
	l, err := identity.ParseLine(name)
	if err != nil || !l.Has(card.Station) {
		return usage("--era: a line of this station is needed, like one/other/notification: %v", err)
	}
	next := l.Log(card.Station, 1)
	for {
		if _, listed := card.Log(next); !listed {
			return k.addLog(card, next)
		}
		next.Era++
	}
}

// drawQR draws a QR code with half blocks, dark on light.
func drawQR(w io.Writer, text string) error {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return err
	}
	const margin = 2
	for y := -margin; y < code.Size+margin; y += 2 {
		for x := -margin; x < code.Size+margin; x++ {
			up, down := code.Black(x, y), code.Black(x, y+1)
			block := "█"
			switch {
			case up && down:
				block = " "
			case up:
				block = "▄"
			case down:
				block = "▀"
			}
			if _, err := io.WriteString(w, block); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	return nil
}

// checkup says what doctor is to do beside looking.
type checkup struct {
	Repair          bool `json:"repair,omitempty"`
	FromCounterpart bool `json:"from_counterpart,omitempty"`
}

func (a *app) doctor(c *cobra.Command, do checkup) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	question := ""
	switch {
	case do.FromCounterpart && !do.Repair:
		return usage("--from-counterpart goes with --repair")
	case do.FromCounterpart:
		question = "Put back what is damaged from the counterpart's copy, and make the tables anew?"
	case do.Repair:
		question = "Make the tables anew from the logs?"
	}
	if question != "" {
		if err := a.ask(question); err != nil {
			return err
		}
	}
	var found []struct {
		Where  string `json:"where"`
		What   string `json:"what"`
		Repair string `json:"repair"`
		Mended bool   `json:"mended,omitempty"`
	}
	if err := cl.do(c.Context(), "POST", "/doctor", do, &found); err != nil {
		return err
	}
	left := 0
	err = a.print(found, func() {
		for _, f := range found {
			switch {
			case f.Mended:
				a.say("%s: %s\n  mended", f.Where, f.What)
			case f.Repair != "":
				a.say("%s: %s\n  mend it: %s", f.Where, f.What, f.Repair)
			default:
				a.say("%s: %s\n  not mended", f.Where, f.What)
			}
		}
		if len(found) == 0 {
			a.tell("all in order")
		}
	})
	for _, f := range found {
		if !f.Mended {
			left++
		}
	}
	if err == nil && left > 0 && (!do.Repair || do.FromCounterpart) {
		err = exitError{code: exitInvalid}
	}
	return err
}

// restore puts a backup in the place of the store. What was there is kept
// beside it. The high-water mark is not touched: by it the station finds out at
// its next start what it lacks, and heals before it signs anything.
func (a *app) restore(backup string) error {
	if _, err := a.readConfig(); err != nil {
		return err
	}
	dir := filepath.Join(a.data, storeName)
	if err := store.CheckFile(context.Background(), backup); err != nil {
		return fmt.Errorf("%s: %w; nothing was changed", backup, err)
	}
	if a.dry {
		return a.print(map[string]string{"store": dir}, func() { a.say("would put %s in the place of %s", backup, dir) })
	}
	if err := a.ask("Put %s in the place of the store?", backup); err != nil {
		return err
	}
	aside, err := store.Restore(dir, backup, now())
	if err != nil {
		return err
	}
	return a.print(map[string]string{"store": dir, "before": aside}, func() {
		a.say("store put back from %s; what was there is in %s", backup, aside)
		a.tell("next: start the station; it heals from its counterparts before it signs anything")
	})
}

// readRequest reads a request for a card.
func readRequest(path string) (card identity.Card, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return card, err
	}
	if err := json.Unmarshal(text, &card, json.RejectUnknownMembers(true)); err != nil {
		return card, usage("%s: %v", path, err)
	}
	return card, nil
}
