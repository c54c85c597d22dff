package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// setting is a setting, its value, and where that came from.
type setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

func (a *app) config() *cobra.Command {
	var origin bool
	return noun(about{"config", "settings: what holds, and where it comes from",
		"Shows and checks the settings of this program and of a station. A flag goes before the\nenvironment, the environment before the station's file, the file before the default.", "  detente config show --origin --data /var/lib/detente"},
		verb(about{"show", "show every setting",
			"Shows every setting with its value; with --origin also where the value comes from: a flag,\nthe environment, the station's file, or the default. No setting is a secret.",
			"  detente config show --data /var/lib/detente\n  DETENTE_API=127.0.0.1:9090 detente config show --origin --data /var/lib/detente"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				list, err := a.settings(c)
				if err != nil {
					return err
				}
				return a.print(list, func() {
					for _, s := range list {
						if origin {
							a.say("%-10s %-40s %s", s.Name, s.Value, s.Origin)
						} else {
							a.say("%-10s %s", s.Name, s.Value)
						}
					}
				})
			}, func(c *cobra.Command) { c.Flags().BoolVar(&origin, "origin", false, "say where each value comes from") }),
		verb(about{"init", "print a settings file with every setting and its default",
			"Prints a settings file in which every setting stands with its default and what it is for. \"station\ninit\" writes one; this is to compare with, or to begin anew.", "  detente config init > /etc/detente/detente.toml"},
			cobra.NoArgs, func(*cobra.Command, []string) error {
				text := confText("nrrc.arden.example", "0.0.0.0:8443", "127.0.0.1:8080", "/var/lib/detente-mark/high-water")
				return a.print(map[string]string{"text": string(text)}, func() { a.say("%s", strings.TrimSpace(string(text))) })
			}),
		verb(about{"check", "check a station's settings and files before it is started",
			"Reads the station's settings and what lies in conf.d beside them, its cards and its token, and looks\nwhether the high-water mark lies outside the data directory. It opens no key and starts\nnothing. What is wrong is told with file, line and setting.",
			"  detente config check --data /var/lib/detente"},
			cobra.NoArgs, func(*cobra.Command, []string) error { return a.checkConfig() }))
}

// settings lists the settings of the program and, where a data directory is
// known, of the station.
func (a *app) settings(c *cobra.Command) ([]setting, error) {
	var list []setting
	for _, s := range []struct{ name, value string }{{"data", a.data}, {"config", a.conf}, {"station", a.url}, {"token-file", a.tokenFile}, {"lang", join(a.langs)}} {
		origin := "default"
		switch {
		case c.Flags().Changed(s.name):
			origin = "flag --" + s.name
		case a.env(envName(s.name)) != "":
			origin = "environment " + envName(s.name)
		}
		list = append(list, setting{s.name, s.value, origin})
	}
	if a.data == "" {
		return list, nil
	}
	conf, err := a.readConfig()
	if err != nil {
		return nil, err
	}
	for _, o := range options() {
		origin := conf.origin[o.name]
		if origin == "" {
			origin = "default"
		}
		list = append(list, setting{o.name, conf.text[o.name], origin})
	}
	return list, nil
}

func (a *app) checkConfig() error {
	conf, err := a.readConfig()
	if err != nil {
		return err
	}
	if err := outside(a.data, conf.Mark); err != nil {
		return err
	}
	cards := filepath.Join(a.data, cardsName)
	b, root, err := readBundle(cards)
	if err != nil {
		return noCards(err)
	}
	v, err := b.Verify(root.Key, now())
	if err != nil {
		return exitError{exitInvalid, err}
	}
	if string(v.Card.Station) != conf.Station {
		return usage("%s: these are the cards of %s, and this is %s", cards, v.Card.Station, conf.Station)
	}
	for _, name := range []string{keysName, tokenName} {
		if _, err := os.Stat(filepath.Join(a.data, name)); err != nil {
			return err
		}
	}
	valid := v.Card.To.UTC().Format("2006-01-02")
	return a.print(map[string]string{"station": conf.Station, "valid_until": valid}, func() { a.say("%s: all in order; its card holds until %s", conf.Station, valid) })
}
