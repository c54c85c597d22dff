package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"detente/book"
	"detente/watch"

	"github.com/spf13/cobra"
)

// alarmFlags are what the verbs of alarms are told.
type alarmFlags struct {
	line, ref, officer string
	all                bool
	last               time.Duration
	exec               string
}

func (f *alarmFlags) choose(c *cobra.Command) {
	c.Flags().StringVar(&f.line, "line", "", "the line that the alarm is of (default: of none)")
	c.Flags().StringVar(&f.ref, "ref", "", "which one of the kind and line (default: all of them)")
	c.Flags().StringVar(&f.officer, "officer", "", "who acts, by pseudonym (default: whom the token stands for)")
}

func (f alarmFlags) choice(kind string) map[string]any {
	return map[string]any{"kind": kind, "line": f.line, "ref": f.ref, "group": f.ref == "", "officer": f.officer}
}

func (a *app) alarm() *cobra.Command {
	var f alarmFlags
	c := noun(about{"alarm", "what is wrong, and who deals with it",
		"An alarm stands while something is wrong: a test that was missed, a counterpart that is silent, a\nFLASH that nobody has read. It rings until it is acknowledged, and an acknowledgement lapses while\nthe cause stands. A FLASH takes two officers.\n\nWith --exec this program runs a sounder on the machine that it is started on, again and again, for\nas long as an alarm is not acknowledged, or the station is not heard.",
		"  detente alarm list\n  detente alarm --exec '/usr/bin/aplay /etc/detente/alarm.wav'"},
		verb(about{"list", "list what is wrong, the gravest first",
			"Lists alarms by kind and line: level, since when, when it rings next, and who has acknowledged it.\nWith --all also those that ended lately.", "  detente alarm list --lang en,fr\n  detente alarm list --json"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.listAlarms(c, f.all) }, func(c *cobra.Command) {
				c.Flags().BoolVar(&f.all, "all", false, "also those that ended lately")
			}),
		verb(about{"ack KIND", "acknowledge alarms: seen, and being dealt with",
			"Acknowledges all alarms of a kind on a line, or the one that --ref names. It lapses after ten\nminutes while the cause stands. A FLASH takes two officers.",
			"  detente alarm ack missed-test --line nrrc.arden.example/nrrc.boreal.example/notification\n  detente alarm ack flash-unacknowledged --line LINE --ref ARD/BOR-N1-417 --officer BOR-01"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.actOnAlarm(c, "/alarms/acknowledgements", f.choice(args[0]))
			}, a.changes, f.choose),
		verb(about{"silence KIND", "turn the sound of alarms off, for two minutes at most",
			"Turns the sound off for up to two minutes, which is logged. The alarm must sound once more before\nit can be silenced again.", "  detente alarm silence disk-filling --for 90s"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				in := f.choice(args[0])
				in["seconds"] = int64(f.last / time.Second)
				return a.actOnAlarm(c, "/alarms/silences", in)
			}, a.changes, f.choose, func(c *cobra.Command) {
				c.Flags().DurationVar(&f.last, "for", watch.MaxSilence, "how long")
			}),
		verb(about{"test NAME", "try an outlet: it tells that nothing happened",
			"Lets a running station tell a test by an outlet, and says whether the outlet took it. Whether it\nwas heard, only who stands beside it can say. A sounder that nobody tried for a day is an alarm.", "  detente alarm test horn"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.call(c, "POST", at("/outlets/%s/test", args[0]), struct{}{})
			}, a.changes),
		a.outletCommands())
	c.Flags().StringVar(&f.exec, "exec", "", "a command, by its absolute path and arguments, that sounds once and ends")
	c.RunE = func(c *cobra.Command, args []string) error {
		if f.exec == "" {
			return unknown(c, args)
		}
		return a.sound(c, strings.Fields(f.exec))
	}
	return c
}

// board is what the API says of the alarms.
type board struct {
	Station string `json:"station"`
	Groups  []struct {
		Kind     string     `json:"kind"`
		Line     string     `json:"line"`
		Level    string     `json:"level"`
		Count    int        `json:"count"`
		Open     int        `json:"open"`
		Since    time.Time  `json:"since"`
		NextRing *time.Time `json:"next_ring"`
		Rung     int        `json:"rung"`
	} `json:"groups"`
	Alarms []struct {
		Kind    string     `json:"kind"`
		Line    string     `json:"line"`
		Ref     string     `json:"ref"`
		Level   string     `json:"level"`
		Since   time.Time  `json:"since"`
		Count   int        `json:"count"`
		Stands  bool       `json:"stands"`
		Cleared *time.Time `json:"cleared"`
		Enough  bool       `json:"acknowledged"`
		Acks    []struct {
			Officer string    `json:"officer"`
			At      time.Time `json:"at"`
		} `json:"acknowledged_by"`
		Silenced *time.Time `json:"silenced_until"`
	} `json:"alarms"`
}

// maxListed is how many alarms of a group are listed by name: --json has all.
const maxListed = 20

func (a *app) listAlarms(c *cobra.Command, all bool) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	if a.json || a.jsonl {
		return a.call(c, "GET", "/alarms", nil)
	}
	var b board
	if err := cl.do(c.Context(), "GET", "/alarms", nil, &b); err != nil {
		return err
	}
	return a.showAlarms(b, all)
}

// showAlarms prints alarms in each of the languages asked for.
func (a *app) showAlarms(b board, all bool) error {
	edition, err := book.Embedded()
	if err != nil {
		return err
	}
	words, err := watch.LoadWords(edition)
	if err != nil {
		return err
	}
	named := func(kind string) string {
		var texts []string
		for _, l := range a.langs {
			if t, ok := words.Label("alarm", kind, book.Lang(l)); ok {
				texts = append(texts, t)
			}
		}
		return strings.Join(texts, " / ")
	}
	p := a.phrases()
	for _, g := range b.Groups {
		a.say("%s", p.row(g.Level, g.Kind, named(g.Kind), g.Line))
		a.say("  %s", p.of("alarm-since", zulu(g.Since), g.Count, g.Open))
		if g.NextRing != nil {
			a.say("  %s", p.of("alarm-rings", zulu(*g.NextRing)))
		}
		listed := 0
		for _, m := range b.Alarms {
			if m.Kind != g.Kind || m.Line != g.Line || !m.Stands {
				continue
			}
			if listed++; listed > maxListed {
				a.say("  %s", p.of("alarm-more", g.Count-maxListed))
				break
			}
			row := "  - " + p.ltr(zulu(m.Since)+" "+m.Ref)
			for _, k := range m.Acks {
				row += "  " + p.of("alarm-acked", k.Officer, zulu(k.At))
			}
			if m.Silenced != nil {
				row += "  " + p.of("alarm-silenced", zulu(*m.Silenced))
			}
			a.say("%s", row)
		}
	}
	if len(b.Groups) == 0 {
		a.tell("%s", p.of("alarm-none"))
	}
	for _, m := range b.Alarms {
		if all && !m.Stands && m.Cleared != nil {
			a.say("%s", p.row(p.of("alarm-ended"), m.Kind, named(m.Kind), m.Line, m.Ref, zulu(m.Since)+"/"+zulu(*m.Cleared)))
		}
	}
	return nil
}

// actOnAlarm asks for an act and shows how the alarms stand after it.
func (a *app) actOnAlarm(c *cobra.Command, path string, in map[string]any) error {
	if a.json || a.jsonl {
		return a.call(c, "POST", path, in)
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var b board
	if err := cl.do(c.Context(), "POST", path, in, &b); err != nil {
		return err
	}
	return a.showAlarms(b, false)
}

// historyFlags are what the verbs of a line's history are told.
type historyFlags struct {
	last, from, until  string
	bearers            []string
	fallback, why, tlp string
	wait               waitFlag
}

func (a *app) lineWatch() []*cobra.Command {
	var f historyFlags
	span := func(c *cobra.Command) {
		c.Flags().StringVar(&f.last, "last", "24h", "how far back, such as 24h")
		c.Flags().StringVar(&f.from, "from", "", "from when, such as 2026-11-23T00:00:00Z (default: as --last says)")
		c.Flags().StringVar(&f.until, "until", "", "until when (default: now)")
	}
	return []*cobra.Command{
		verb(about{"history LINE", "each test of a line, its outages and silences, from the record",
			"Lists what the record shows of a line: each test that was due and what became of it, when the\nother side was silent, outages, and whether the line is in service.", "  detente line history nrrc.arden.example/nrrc.boreal.example/notification --last 72h"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.history(c, args[0], f, true) }, span),
		verb(about{"stats LINE", "how well a line answers: tests, times, availability",
			"Sums up a line's tests: sent, due, answered, the median and worst time to answer, and a strip with\na mark for each test: # answered, + late, ? wrong, - not answered, . missed, p planned outage,\nx unplanned outage, h on hold.", "  detente line stats nrrc.arden.example/nrrc.boreal.example/notification --last 720h"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.history(c, args[0], f, false) }, span),
		verb(about{"maintain LINE", "tell the counterpart of planned work, as a message of format 020",
			"Tells of an outage that is planned, at least 72 hours ahead. Tests that fall into it are no alarm,\nif it takes all bearers of the line.",
			"  detente line maintain nrrc.arden.example/nrrc.boreal.example/notification --from 2026-12-01T22:00:00Z --until 2026-12-02T02:00:00Z"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.maintain(c, args[0], f) }, a.changes, f.wait.add, func(c *cobra.Command) {
				c.Flags().StringVar(&f.from, "from", "", "when the work begins")
				c.Flags().StringVar(&f.until, "until", "", "when it ends")
				c.Flags().StringSliceVar(&f.bearers, "bearer", []string{"direct"}, "the bearers that are out")
				c.Flags().StringVar(&f.fallback, "fallback", "relay", "how to reach this station meanwhile, by the list fallback")
				c.Flags().StringVar(&f.why, "remarks", "", "a remark")
				c.Flags().StringVar(&f.tlp, "tlp", "AMBER", "who may see it: CLEAR, GREEN, AMBER, AMBER+STRICT, RED")
			}),
		verb(about{"watch LINE", "follow how a line stands, as it changes",
			"Prints how a line stands, and again whenever something happens on the station, until it is\ninterrupted.", "  detente line watch nrrc.arden.example/nrrc.boreal.example/notification"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.watchLine(c, args[0]) }),
	}
}

// span reads the times that are asked about.
func (f historyFlags) span() (from, until time.Time, err error) {
	until = now().UTC()
	if f.until != "" {
		if until, err = time.Parse(time.RFC3339, f.until); err != nil {
			return from, until, usage("--until: %q is no time such as 2026-11-23T00:00:00Z", f.until)
		}
	}
	if f.from != "" {
		if from, err = time.Parse(time.RFC3339, f.from); err != nil {
			return from, until, usage("--from: %q is no time such as 2026-11-23T00:00:00Z", f.from)
		}
		return from, until, nil
	}
	back, err := time.ParseDuration(f.last)
	if err != nil || back <= 0 {
		return from, until, usage("--last: %q is no span such as 24h", f.last)
	}
	return until.Add(-back), until, nil
}

func (a *app) history(c *cobra.Command, name string, f historyFlags, each bool) error {
	from, until, err := f.span()
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	q := url.Values{"line": {name}, "from": {zulu(from)}, "to": {zulu(until)}}
	var h map[string]any
	if err := cl.do(c.Context(), "GET", "/line-history?"+q.Encode(), nil, &h); err != nil {
		return err
	}
	return a.print(h, func() { a.showHistory(h, each) })
}

func (a *app) showHistory(h map[string]any, each bool) {
	a.say("%s  %s", plain(h["line"]), plain(h["phase"]))
	a.say("  tests: %s sent, %s due, %s answered, availability %s/1000", plain(h["sent"]), plain(h["expected"]), plain(h["answered"]), plain(h["available"]))
	a.say("  time to answer: median %s ms, worst %s ms", plain(h["median_ms"]), plain(h["worst_ms"]))
	a.say("  strip: [%s]", plain(h["strip"]))
	rows := func(name, label string, fields ...string) {
		list, _ := h[name].([]any)
		for _, v := range list {
			m, _ := v.(map[string]any)
			row := "  " + label
			for _, k := range fields {
				if s := plain(m[k]); s != "" {
					row += "  " + s
				}
			}
			a.say("%s", row)
		}
	}
	rows("silent", "silent:", "from", "to")
	if !each {
		return
	}
	rows("outages", "outage:", "from", "to", "by", "bearers")
	rows("tests", "test:", "at", "by", "state")
}

// maintain composes a message of format 020.
func (a *app) maintain(c *cobra.Command, name string, f historyFlags) error {
	if f.from == "" || f.until == "" {
		return usage("--from and --until are missing: when the work begins and ends")
	}
	d := draftFlags{line: name, tlp: f.tlp, wait: f.wait, params: []string{"window=" + f.from + "/" + f.until, "fallback=" + f.fallback}}
	for _, b := range f.bearers {
		d.params = append(d.params, "bearers="+b)
	}
	if f.why != "" {
		d.params = append(d.params, "remarks="+f.why)
	}
	return a.submit(c, "020", d)
}

// watchLine shows a line whenever something happens.
func (a *app) watchLine(c *cobra.Command, name string) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var shown string
	for beat, err := range cl.beats(c.Context()) {
		if err != nil {
			if c.Context().Err() != nil {
				return nil
			}
			return exitError{exitLineDown, fmt.Errorf("the station has ended the stream: %w", err)}
		}
		var list []map[string]any
		if err := cl.do(c.Context(), "GET", "/lines", nil, &list); err != nil {
			return err
		}
		for _, m := range list {
			if m["line"] != name {
				continue
			}
			seen := plain(m)
			if beat && seen == shown {
				continue
			}
			shown = seen
			if err := a.print(m, func() { a.say("%s", zulu(now())); a.table(m) }); err != nil {
				return err
			}
		}
		if shown == "" {
			return exitError{exitNotFound, fmt.Errorf("this station has no line %s: see `detente line list`", name)}
		}
	}
	return nil
}
