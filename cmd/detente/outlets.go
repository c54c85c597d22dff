package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"detente/book"
	"detente/identity"
	"detente/interop/outlet"
	"detente/station"
	"detente/watch"

	"github.com/spf13/cobra"
)

// outletConfig is one outlet in a station's station.json. Secrets are not among
// them: they stand in files of their own.
type outletConfig struct {
	Name         string   `json:"name"`
	Kind         string   `json:"kind"` // exec, mail, webhook, print
	Lang         string   `json:"lang,omitempty"`
	Argv         []string `json:"argv,omitempty"`          // exec, print
	Dir          string   `json:"dir,omitempty"`           // print
	Address      string   `json:"address,omitempty"`       // mail
	From         string   `json:"from,omitempty"`          // mail
	To           []string `json:"to,omitempty"`            // mail
	User         string   `json:"user,omitempty"`          // mail
	PasswordFile string   `json:"password_file,omitempty"` // mail
	ImplicitTLS  bool     `json:"implicit_tls,omitempty"`  // mail
	RootsFile    string   `json:"roots_file,omitempty"`    // mail, webhook
	URL          string   `json:"url,omitempty"`           // webhook
	SecretFiles  []string `json:"secret_files,omitempty"`  // webhook
	WithText     bool     `json:"with_text,omitempty"`     // webhook
}

// maxOutlets bounds the outlets of a station: each notice goes to all of a class.
const maxOutlets = 32

// outletClasses says which notices go to which kind of outlet.
var outletClasses = map[string]watch.Outlet{"exec": watch.Sounder, "mail": watch.Mail, "webhook": watch.Webhook, "print": watch.Printer}

var outletName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// open makes the outlet, and says what is wrong with its settings.
func (c outletConfig) open() (outlet.Outlet, error) {
	if !outletName.MatchString(c.Name) {
		return nil, usage("outlet: the name %q is not up to 32 of a-z, 0-9 and hyphen", c.Name)
	}
	if c.Lang != "" && !slices.Contains(book.Langs(), book.Lang(c.Lang)) {
		return nil, usage("outlet %s: there is no language %q: use en, ru, zh, es, fr or ar", c.Name, c.Lang)
	}
	var o outlet.Outlet
	var err error
	switch c.Kind {
	case "exec":
		o, err = outlet.NewCommand(outlet.CommandConfig{Argv: c.Argv})
	case "mail":
		m := outlet.MailConfig{Addr: c.Address, From: c.From, To: c.To, User: c.User, PasswordFile: c.PasswordFile, RootsFile: c.RootsFile}
		if c.ImplicitTLS {
			m.Security = outlet.ImplicitTLS
		}
		o, err = outlet.NewMail(m)
	case "webhook":
		o, err = outlet.NewWebhook(outlet.WebhookConfig{URL: c.URL, SecretFiles: c.SecretFiles, RootsFile: c.RootsFile, WithText: c.WithText}, now)
	case "print":
		o, err = outlet.NewPrinter(outlet.PrinterConfig{Argv: c.Argv, Dir: c.Dir})
	default:
		return nil, usage("outlet %s: the kind %q is none of exec, mail, webhook, print", c.Name, c.Kind)
	}
	if err != nil {
		return nil, usage("outlet %s: %v", c.Name, err)
	}
	return o, nil
}

// outlets are a station's outlets, as it uses them. They implement
// station.Outlets.
type outlets struct {
	station identity.Station
	words   watch.Words
	list    []openOutlet
}

type openOutlet struct {
	outletConfig
	outlet.Outlet
}

func openOutlets(name identity.Station, e *book.Edition, list []outletConfig) (*outlets, error) {
	words, err := watch.LoadWords(e)
	if err != nil {
		return nil, err
	}
	o := &outlets{station: name, words: words}
	if len(list) > maxOutlets {
		return nil, usage("outlets: there are %d, and %d at most", len(list), maxOutlets)
	}
	for _, c := range list {
		if o.find(c.Name) != nil {
			return nil, usage("outlets: %s stands there twice", c.Name)
		}
		ready, err := c.open()
		if err != nil {
			return nil, err
		}
		o.list = append(o.list, openOutlet{c, ready})
	}
	return o, nil
}

func (o *outlets) find(name string) *openOutlet {
	for i := range o.list {
		if o.list[i].Name == name {
			return &o.list[i]
		}
	}
	return nil
}

// Named implements station.Outlets.
func (o *outlets) Named() []station.OutletName {
	var all []station.OutletName
	for _, c := range o.list {
		all = append(all, station.OutletName{Name: c.Name, Class: outletClasses[c.Kind]})
	}
	return all
}

// Tell implements station.Outlets.
func (o *outlets) Tell(ctx context.Context, name string, t station.Telling) error {
	to := o.find(name)
	if to == nil {
		return fmt.Errorf("%w: there is no outlet %s any more", station.ErrInvalid, name)
	}
	lang := book.Lang(to.Lang)
	if lang == "" {
		lang = "en"
	}
	n := outlet.Test(t.ID, o.station, lang, t.At)
	if !t.Test {
		var err error
		if n, err = o.notice(t, lang); err != nil {
			return err
		}
	}
	err := to.Notify(ctx, n)
	if refused, ok := errors.AsType[*outlet.Error](err); ok && !refused.Again {
		return errors.Join(station.ErrInvalid, err)
	}
	return err
}

// Print implements station.Outlets.
func (o *outlets) Print(ctx context.Context, name string, p station.Page) error {
	to := o.find(name)
	if to == nil {
		return fmt.Errorf("%w: there is no outlet %s any more", station.ErrInvalid, name)
	}
	printer, ok := to.Outlet.(*outlet.Printer)
	if !ok {
		return fmt.Errorf("%w: the outlet %s does not print", station.ErrInvalid, name)
	}
	err := printer.Print(ctx, outlet.Sheet{ID: p.ID, Ref: p.Citation, Digest: p.Digest, Level: p.Level, Marking: p.Marking, Station: o.station, At: p.At, Lang: p.Lang, Text: p.Text})
	if refused, ok := errors.AsType[*outlet.Error](err); ok && !refused.Again {
		return errors.Join(station.ErrInvalid, err)
	}
	return err
}

// notice writes a notice in a language: what is wrong and on which line, and
// nothing of what a message says.
func (o *outlets) notice(t station.Telling, l book.Lang) (outlet.Notice, error) {
	text, err := o.words.Notice(t.Notice, l)
	if err != nil {
		return outlet.Notice{}, err
	}
	k := t.Notice.Group
	what, _ := o.words.Label("alarm", string(k.Kind), l)
	event, _ := o.words.Label("event", string(t.Notice.Event), l)
	ref := ""
	if k.Line != (identity.Line{}) {
		ref = k.Line.String()
	}
	return outlet.Notice{ID: t.ID, Code: "alarm." + string(k.Kind), Level: t.Notice.Level, Ref: ref, Station: o.station, At: t.At, Lang: l,
		Title: t.Notice.Level.String() + ": " + what + ": " + event, Text: text}, nil
}

// outletFlags are what `alarm outlet add` is told.
type outletFlags struct {
	c outletConfig
}

func (f *outletFlags) add(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.c.Name, "name", "", "what the outlet is called (default: its kind)")
	s.StringVar(&f.c.Lang, "in", "", "the language that it tells in: en, ru, zh, es, fr, ar (default: en)")
	s.StringVar(&f.c.Address, "address", "", "mail: host and port of the mail server")
	s.StringVar(&f.c.From, "from", "", "mail: the sender's address")
	s.StringSliceVar(&f.c.To, "to", nil, "mail: the recipients' addresses")
	s.StringVar(&f.c.User, "user", "", "mail: whom to log in as (default: nobody)")
	s.StringVar(&f.c.PasswordFile, "password-file", "", "mail: file of the password")
	s.BoolVar(&f.c.ImplicitTLS, "implicit-tls", false, "mail: the connection begins with TLS, as on port 465")
	s.StringVar(&f.c.RootsFile, "roots-file", "", "mail, webhook: certificates that may stand behind the receiver's (default: the system's)")
	s.StringVar(&f.c.URL, "url", "", "webhook: where notices are posted")
	s.StringSliceVar(&f.c.SecretFiles, "secret-file", nil, "webhook: file of the secret that signs; two while it is exchanged")
	s.BoolVar(&f.c.WithText, "with-text", false, "webhook: titles and texts go out too, and not only codes")
	s.StringVar(&f.c.Dir, "dir", "", "print: the folder that pages are put into, instead of a command")
}

func (a *app) outletCommands() *cobra.Command {
	var f outletFlags
	return noun(about{"outlet", "the ways by which notices leave the station",
		"Outlets tell people at a distance: a command, mail, a signed webhook, a printer. A station takes\nthem from its station.json when it starts. Secrets stand in files, never among the settings.",
		"  detente alarm outlet list"},
		verb(about{"list", "list the outlets of a running station, and how each does",
			"Lists outlets with how many notices each was told, failed to take, and still waits for.", "  detente alarm outlet list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/outlets", nil) }),
		verb(about{"add KIND [COMMAND…]", "add an outlet to the station's settings: exec, mail, webhook or print",
			"Adds an outlet to station.json in the data directory; the station uses it from its next start. A\ncommand is given by its absolute path and arguments; no shell reads them. Try each outlet with\n\"detente alarm test\".",
			"  detente alarm outlet add exec /usr/bin/aplay /etc/detente/alarm.wav --name horn --data /var/lib/detente\n  detente alarm outlet add webhook --url https://oncall.arden.example/hook --secret-file /etc/detente/hook.secret --data /var/lib/detente"},
			cobra.MinimumNArgs(1), func(_ *cobra.Command, args []string) error { return a.addOutlet(f.c, args) }, a.changes, f.add),
		verb(about{"remove NAME", "take an outlet out of the station's settings",
			"Takes an outlet out of station.json in the data directory, from the station's next start on.", "  detente alarm outlet remove horn --data /var/lib/detente"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.removeOutlet(args[0]) }, a.changes))
}

func (a *app) addOutlet(c outletConfig, args []string) error {
	conf, err := a.readFile()
	if err != nil {
		return err
	}
	c.Kind, c.Argv = args[0], args[1:]
	if c.Name == "" {
		c.Name = c.Kind
	}
	if _, err := c.open(); err != nil {
		return err
	}
	if slices.ContainsFunc(conf.Outlets, func(o outletConfig) bool { return o.Name == c.Name }) {
		return exitError{exitConflict, fmt.Errorf("there is an outlet %s: give another --name, or remove it first", c.Name)}
	}
	if len(conf.Outlets) >= maxOutlets {
		return exitError{exitConflict, fmt.Errorf("there are %d outlets, and more are not told: remove one first", maxOutlets)}
	}
	conf.Outlets = append(conf.Outlets, c)
	return a.putOutlets(conf, c)
}

func (a *app) removeOutlet(name string) error {
	conf, err := a.readFile()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(conf.Outlets, func(o outletConfig) bool { return o.Name == name })
	if i < 0 {
		return exitError{exitNotFound, fmt.Errorf("there is no outlet %s in %s", name, filepath.Join(a.data, configName))}
	}
	gone := conf.Outlets[i]
	conf.Outlets = slices.Delete(conf.Outlets, i, i+1)
	return a.putOutlets(conf, gone)
}

// putOutlets writes the settings, and shows the outlet that changed.
func (a *app) putOutlets(conf config, c outletConfig) error {
	if err := a.putJSON(filepath.Join(a.data, configName), conf, 0o600); err != nil {
		return err
	}
	return a.print(c, func() {
		a.say("%s  %s  %s", c.Name, c.Kind, strings.Join(c.Argv, " "))
		a.tell("the station takes it from its next start on; then try it with `detente alarm test %s`", c.Name)
	})
}
