package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/station"

	"github.com/pelletier/go-toml/v2"
)

// config is a station's settings, checked. Each says in origin where it comes
// from.
type config struct {
	Station string // its name; by it the directory's keys and cards are known
	Listen  string // of the line
	API     string // loopback
	Mark    string // the high-water mark: outside the store and its backups
	Level   slog.Level
	Limits  station.Limits
	Clock   []timeSource
	Outlets []outletConfig

	text   map[string]string // each setting as it was written, by its name
	origin map[string]string // likewise; absent: the default
}

// confFile is a settings file as it is written. What is absent is nil.
type confFile struct {
	Station struct {
		Name   *string `toml:"name"`
		Listen *string `toml:"listen"`
		API    *string `toml:"api"`
		Mark   *string `toml:"mark"`
	} `toml:"station"`
	Log struct {
		Level *string `toml:"level"`
	} `toml:"log"`
	Limits struct {
		Approval      *string `toml:"approval"`
		ApprovalFlash *string `toml:"approval-flash"`
		ReleaseStands *string `toml:"release-stands"`
		ClockLeap     *string `toml:"clock-leap"`
	} `toml:"limits"`
	Clock struct {
		Sources []timeSource `toml:"source"`
	} `toml:"clock"`
	Outlets []outletConfig `toml:"outlet"`
}

// option is one setting that is a single value: its name as table and key, and as
// flag and environment variable, where it stands in a file, how its text is read,
// and its default. now says that a running station takes it anew on SIGHUP.
type option struct {
	table, key, name string
	in               func(*confFile) **string
	set              func(*config, string) error
	def              string
	now              bool
}

// options are all of them, in the order in which they are shown.
func options() []option {
	return []option{
		{"station", "name", "name", func(f *confFile) **string { return &f.Station.Name }, func(c *config, v string) error {
			_, err := identity.ParseStation(v)
			c.Station = v
			return err
		}, "", false},
		{"station", "listen", "listen", func(f *confFile) **string { return &f.Station.Listen }, func(c *config, v string) error { c.Listen = v; return hostPort(v) }, "", false},
		{"station", "api", "api", func(f *confFile) **string { return &f.Station.API }, func(c *config, v string) error { c.API = v; return hostPort(v) }, "127.0.0.1:8080", false},
		{"station", "mark", "mark", func(f *confFile) **string { return &f.Station.Mark }, func(c *config, v string) error {
			c.Mark = v
			if !filepath.IsAbs(v) {
				return errors.New("it is no absolute path, such as /var/lib/detente-mark/high-water")
			}
			return nil
		}, "", false},
		{"log", "level", "log-level", func(f *confFile) **string { return &f.Log.Level }, func(c *config, v string) error {
			if !slices.Contains([]string{"debug", "info", "warn", "error"}, v) {
				return errors.New("it is none of debug, info, warn, error")
			}
			return c.Level.UnmarshalText([]byte(v))
		}, "info", true},
		{"limits", "approval", "limits-approval", func(f *confFile) **string { return &f.Limits.Approval },
			between(func(c *config) *time.Duration { return &c.Limits.ApprovalRoutine }, 10*time.Minute, 7*24*time.Hour), "4h", true},
		{"limits", "approval-flash", "limits-approval-flash", func(f *confFile) **string { return &f.Limits.ApprovalFlash },
			between(func(c *config) *time.Duration { return &c.Limits.ApprovalFlash }, time.Minute, time.Hour), "10m", true},
		{"limits", "release-stands", "limits-release-stands", func(f *confFile) **string { return &f.Limits.ReleaseStands },
			between(func(c *config) *time.Duration { return &c.Limits.ReleaseStands }, time.Hour, 31*24*time.Hour), "168h", true},
		{"limits", "clock-leap", "limits-clock-leap", func(f *confFile) **string { return &f.Limits.ClockLeap },
			between(func(c *config) *time.Duration { return &c.Limits.Skew }, 10*time.Second, time.Hour), "1h", true},
	}
}

// hostPort checks an address to listen on.
func hostPort(v string) error {
	if _, _, err := net.SplitHostPort(v); err != nil {
		return errors.New("it is no address with a port, such as 127.0.0.1:8080")
	}
	return nil
}

// between reads a duration between two bounds.
func between(to func(*config) *time.Duration, least, most time.Duration) func(*config, string) error {
	return func(c *config, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil {
			return errors.New("it is no duration, such as 90s, 10m or 4h")
		}
		if d < least || d > most {
			return fmt.Errorf("it lies outside %s to %s", least, most)
		}
		*to(c) = d
		return nil
	}
}

// maxConf bounds a settings file: what is larger is another file.
const maxConf = 256 << 10

// confPath is where the station's settings lie: where --config says, or in the
// data directory.
func (a *app) confPath() (string, error) {
	switch {
	case a.conf != "":
		return a.conf, nil
	case a.data != "":
		return filepath.Join(a.data, configName), nil
	}
	return "", usage("--data is missing: the station's data directory")
}

// readConfig reads the station's settings. Its file goes before the defaults,
// what lies beside it in conf.d before the file, in the order of names; the
// environment before all files, and flags before that.
func (a *app) readConfig() (config, error) {
	path, err := a.confPath()
	if err != nil {
		return config{}, err
	}
	c := config{text: make(map[string]string), origin: make(map[string]string)}
	for _, o := range options() {
		if o.def != "" {
			if err := c.put(o, o.def, ""); err != nil {
				return c, fmt.Errorf("internal error: default of %s: %w", o.name, err)
			}
		}
	}
	parts, err := filepath.Glob(filepath.Join(filepath.Dir(path), confParts, "*.toml"))
	if err != nil {
		return c, err
	}
	slices.Sort(parts)
	for i, p := range append([]string{path}, parts...) {
		f, text, err := readConf(p)
		if errors.Is(err, fs.ErrNotExist) && i == 0 {
			return c, fmt.Errorf("%w: %w; make the station with `detente station init`, or give --config", station.ErrNotFound, err)
		}
		if err != nil {
			return c, err
		}
		if err := c.take(p, f, text); err != nil {
			return c, err
		}
	}
	for _, o := range options() {
		from, v := "environment "+envName(o.name), a.env(envName(o.name))
		if flag, ok := a.set[o.name]; ok {
			from, v = "flag --"+o.name, flag
		}
		if v == "" {
			continue
		}
		if err := c.put(o, v, from); err != nil {
			return c, usage("%s: %q: %v", from, v, err)
		}
	}
	for _, o := range options() {
		if o.def == "" && c.origin[o.name] == "" {
			return c, usage("%s: %s.%s is missing: add it under [%s]; `detente config init` prints all settings", path, o.table, o.key, o.table)
		}
	}
	return c, nil
}

// put sets one setting.
func (c *config) put(o option, v, from string) error {
	if err := o.set(c, v); err != nil {
		return err
	}
	c.text[o.name], c.origin[o.name] = v, from
	return nil
}

// readConf reads one settings file, and its text. An unknown key is an error.
func readConf(path string) (f confFile, text []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return f, nil, err
	}
	if info.Size() > maxConf {
		return f, nil, usage("%s: it has %d bytes, more than %d: this is no settings file", path, info.Size(), maxConf)
	}
	if text, err = os.ReadFile(path); err != nil {
		return f, nil, err
	}
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err = d.Decode(&f)
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var all []string
		for _, e := range unknown.Errors {
			row, column := e.Position()
			all = append(all, fmt.Sprintf("%s:%d:%d: there is no setting %s: take it out; `detente config init` prints all settings", path, row, column, strings.Join(e.Key(), ".")))
		}
		return f, text, usage("%s", strings.Join(all, "\n"))
	}
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := bad.Position()
		where := ""
		if key := strings.Join(bad.Key(), "."); key != "" {
			where = key + ": "
		}
		return f, text, usage("%s:%d:%d: %s%s: mend the line; `detente config init` prints how settings are written", path, row, column, where, strings.TrimPrefix(bad.Error(), "toml: "))
	}
	if err != nil {
		return f, text, usage("%s: %v", path, err)
	}
	return f, text, nil
}

// take puts what a file says over what is known.
func (c *config) take(path string, f confFile, text []byte) error {
	for _, o := range options() {
		v := *o.in(&f)
		if v == nil {
			continue
		}
		if err := c.put(o, *v, "file "+path); err != nil {
			return usage("%s:%s %s.%s: %q: %v", path, lineOf(text, o.table, o.key), o.table, o.key, *v, err)
		}
	}
	if f.Clock.Sources != nil {
		for _, s := range f.Clock.Sources {
			if err := s.check(); err != nil {
				return usage("%s:%s clock.source: %v", path, lineOf(text, "clock.source", ""), err)
			}
		}
		if c.Clock = f.Clock.Sources; len(c.Clock) > maxTimeSources {
			return usage("%s: there are %d clock sources, and %d at most", path, len(c.Clock), maxTimeSources)
		}
		c.origin["clock.source"] = "file " + path
	}
	for _, o := range f.Outlets {
		if _, err := o.open(); err != nil {
			return usage("%s:%s %v", path, lineOf(text, "outlet", ""), err)
		}
		if slices.ContainsFunc(c.Outlets, func(b outletConfig) bool { return b.Name == o.Name }) {
			return usage("%s:%s outlet %s stands there twice, or in another file too: give it another name", path, lineOf(text, "outlet", ""), o.Name)
		}
		c.Outlets = append(c.Outlets, o)
	}
	if len(c.Outlets) > maxOutlets {
		return usage("%s: there are %d outlets, and %d at most", path, len(c.Outlets), maxOutlets)
	}
	return nil
}

// lineOf returns "LINE:" of a key in a table of a file, or of the table's first
// header where no key is named; nothing where it is written in another way.
func lineOf(text []byte, table, key string) string {
	in, n := "", 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			in = strings.Trim(strings.TrimSpace(strings.SplitN(line, "#", 2)[0]), "[] ")
			if in == table && key == "" {
				return fmt.Sprintf("%d:", n)
			}
			continue
		}
		if name, _, ok := strings.Cut(line, "="); ok && in == table && strings.TrimSpace(name) == key {
			return fmt.Sprintf("%d:", n)
		}
	}
	return ""
}
