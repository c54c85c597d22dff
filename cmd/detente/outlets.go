package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"detente/book"
	"detente/identity"
	"detente/interop/outlet"
	"detente/station"
	"detente/watch"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
)

// outletConfig is one outlet in a station's settings. Secrets are not among them:
// they stand in files of their own.
type outletConfig struct {
	Name         string   `json:"name" toml:"name"`
	Kind         string   `json:"kind" toml:"kind"` // exec, mail, webhook, print
	Lang         string   `json:"lang,omitempty" toml:"lang,omitempty"`
	Argv         []string `json:"argv,omitempty" toml:"argv,omitempty"`                   // exec, print
	Dir          string   `json:"dir,omitempty" toml:"dir,omitempty"`                     // print
	Address      string   `json:"address,omitempty" toml:"address,omitempty"`             // mail
	From         string   `json:"from,omitempty" toml:"from,omitempty"`                   // mail
	To           []string `json:"to,omitempty" toml:"to,omitempty"`                       // mail
	User         string   `json:"user,omitempty" toml:"user,omitempty"`                   // mail
	PasswordFile string   `json:"password_file,omitempty" toml:"password-file,omitempty"` // mail
	ImplicitTLS  bool     `json:"implicit_tls,omitempty" toml:"implicit-tls,omitempty"`   // mail
	RootsFile    string   `json:"roots_file,omitempty" toml:"roots-file,omitempty"`       // mail, webhook
	URL          string   `json:"url,omitempty" toml:"url,omitempty"`                     // webhook
	SecretFiles  []string `json:"secret_files,omitempty" toml:"secret-files,omitempty"`   // webhook
	WithText     bool     `json:"with_text,omitempty" toml:"with-text,omitempty"`         // webhook
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
	list    atomic.Pointer[[]openOutlet] // replaced when settings are read anew
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
	return o, o.take(list)
}

// take opens outlets, and puts them in the place of those before. Where one cannot
// be opened those before stay.
func (o *outlets) take(list []outletConfig) error {
	if len(list) > maxOutlets {
		return usage("outlets: there are %d, and %d at most", len(list), maxOutlets)
	}
	open := make([]openOutlet, 0, len(list))
	for _, c := range list {
		if findOutlet(open, c.Name) != nil {
			return usage("outlets: %s stands there twice", c.Name)
		}
		ready, err := c.open()
		if err != nil {
			return err
		}
		open = append(open, openOutlet{c, ready})
	}
	o.list.Store(&open)
	return nil
}

func findOutlet(list []openOutlet, name string) *openOutlet {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// Named implements station.Outlets.
func (o *outlets) Named() []station.OutletName {
	var all []station.OutletName
	for _, c := range *o.list.Load() {
		all = append(all, station.OutletName{Name: c.Name, Class: outletClasses[c.Kind]})
	}
	return all
}

// Tell implements station.Outlets.
func (o *outlets) Tell(ctx context.Context, name string, t station.Telling) error {
	to := findOutlet(*o.list.Load(), name)
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
	to := findOutlet(*o.list.Load(), name)
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
		"Outlets tell people at a distance: a command, mail, a signed webhook, a printer. They stand in\nthe station's settings, which a running station reads anew on SIGHUP. Secrets stand in files, never\namong the settings.",
		"  detente alarm outlet list"},
		verb(about{"list", "list the outlets of a running station, and how each does",
			"Lists outlets with how many notices each was told, failed to take, and still waits for.", "  detente alarm outlet list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/outlets", nil) }),
		verb(about{"add KIND [COMMAND…]", "add an outlet to the station's settings: exec, mail, webhook or print",
			"Adds an outlet to conf.d/outlets.toml beside the station's settings; a running station takes it on\nSIGHUP (systemctl reload detente). A command is given by its absolute path and arguments; no shell\nreads them. Try each outlet with \"detente alarm test\".",
			"  detente alarm outlet add exec /usr/bin/aplay /etc/detente/alarm.wav --name horn --data /var/lib/detente\n  detente alarm outlet add webhook --url https://oncall.arden.example/hook --secret-file /etc/detente/hook.secret --data /var/lib/detente"},
			cobra.MinimumNArgs(1), func(_ *cobra.Command, args []string) error { return a.addOutlet(f.c, args) }, a.changes, f.add),
		verb(about{"remove NAME", "take an outlet out of the station's settings",
			"Takes an outlet out of conf.d/outlets.toml beside the station's settings. One that stands in another\nfile is taken out there, by hand.", "  detente alarm outlet remove horn --data /var/lib/detente"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.removeOutlet(args[0]) }, a.changes))
}

// outletsFile is the settings file that the program itself writes outlets into, so
// that a file that people write keeps its comments.
func (a *app) outletsFile() (path string, in []outletConfig, err error) {
	conf, err := a.confPath()
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(filepath.Dir(conf), confParts, outletsName)
	f, _, err := readConf(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil, nil
	}
	return path, f.Outlets, err
}

func (a *app) addOutlet(c outletConfig, args []string) error {
	conf, err := a.readConfig()
	if err != nil {
		return err
	}
	path, in, err := a.outletsFile()
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
	return a.putOutlets(path, append(in, c), c)
}

func (a *app) removeOutlet(name string) error {
	path, in, err := a.outletsFile()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(in, func(o outletConfig) bool { return o.Name == name })
	if i < 0 {
		return exitError{exitNotFound, fmt.Errorf("there is no outlet %s in %s: `detente config show --origin` says where settings stand", name, path)}
	}
	gone := in[i]
	return a.putOutlets(path, slices.Delete(in, i, i+1), gone)
}

// putOutlets writes the outlets, and shows the one that changed.
func (a *app) putOutlets(path string, list []outletConfig, c outletConfig) error {
	var b bytes.Buffer
	b.WriteString("# Written by `detente alarm outlet`; what people write belongs into files of their own.\n")
	if err := toml.NewEncoder(&b).Encode(map[string][]outletConfig{"outlet": list}); err != nil {
		return err
	}
	if err := errors.Join(a.mkdir(filepath.Dir(path)), a.put(path, b.Bytes(), 0o600)); err != nil {
		return err
	}
	return a.print(c, func() {
		a.say("%s  %s  %s", c.Name, c.Kind, strings.Join(c.Argv, " "))
		a.tell("a running station takes it on SIGHUP: `systemctl reload detente`; then try it with `detente alarm test %s`", c.Name)
	})
}
