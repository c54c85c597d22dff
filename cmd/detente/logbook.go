package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// logAnswer is a line of the log book as the API shows it.
type logAnswer struct {
	Number  int64       `json:"number"`
	At      time.Time   `json:"at"`
	Kind    string      `json:"kind"`
	Officer string      `json:"officer,omitempty"`
	Actor   string      `json:"actor,omitempty"`
	Ref     string      `json:"ref,omitempty"`
	Remark  string      `json:"remark,omitempty"`
	Call    *callAnswer `json:"call,omitempty"`
	Line    string      `json:"line,omitempty"`
	Hash    string      `json:"hash,omitempty"`
}

type callAnswer struct {
	Caller   string    `json:"caller"`
	Called   string    `json:"called"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Bearer   string    `json:"bearer"`
	Officers []string  `json:"officers,omitempty"`
	Other    string    `json:"other"`
	Agreed   []string  `json:"agreed,omitempty"`
	Open     []string  `json:"open,omitempty"`
	Language string    `json:"language,omitempty"`
}

func (a *app) sayLog(l logAnswer) {
	p := a.phrases()
	who := l.Officer
	if who == "" {
		who = p.of("by-station")
	}
	a.say("%s", p.row(fmt.Sprint(l.Number), zulu(l.At), l.Kind, who, strings.TrimSpace(l.Ref+" "+l.Remark)))
	if c := l.Call; c != nil {
		a.say("  %s", p.of("call", c.Caller, c.Called, c.Bearer, zulu(c.From), zulu(c.To), p.names(c.Officers), c.Other))
		for _, point := range c.Agreed {
			a.say("  %s", p.of("call-agreed", point))
		}
		for _, point := range c.Open {
			a.say("  %s", p.of("call-open", point))
		}
	}
}

// logFlags say which lines are meant.
type logFlags struct {
	from, to, kind string
	after          int64
	limit          int
}

func (f *logFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.from, "from", "", "from when: UTC like 2026-11-23T14:00:00Z, or so long ago like -8h")
	c.Flags().StringVar(&f.to, "to", "", "until before when, the same way")
	c.Flags().StringVar(&f.kind, "kind", "", "message, line, call, remark, handover, shift, alarm or sounder")
}

func (f *logFlags) query(after int64, limit int) (string, error) {
	q := url.Values{"after": {fmt.Sprint(after)}, "limit": {fmt.Sprint(limit)}}
	if f.kind != "" {
		q.Set("kind", f.kind)
	}
	for name, typed := range map[string]string{"from": f.from, "to": f.to} {
		if typed == "" {
			continue
		}
		t, err := when(name, typed)
		if err != nil {
			return "", err
		}
		q.Set(name, zulu(t))
	}
	return "/log?" + q.Encode(), nil
}

func (a *app) log() *cobra.Command {
	var f logFlags
	var officer, language string
	c := noun(about{"log", "the log book: what happened, what was written down, and telephone calls",
		"The log book has lines that the station writes by itself and lines that officers write. Each names the\nhash of the one before it, so that none is changed or taken out without being seen.", "  detente log list --from -8h\n  detente log write 'relief called in sick, supervisor told'"},
		verb(about{"list", "list lines of the log book", "Lists lines by number, between two times, of one kind. --after goes on from the last one seen.", "  detente log list --from -8h\n  detente log list --kind call"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.logList(c, f) }, f.add, func(c *cobra.Command) {
				c.Flags().Int64Var(&f.after, "after", 0, "number of the last line seen")
				c.Flags().IntVar(&f.limit, "limit", 50, "how many, 500 at most")
			}),
		verb(about{"write TEXT", "write a remark into the log book", "Writes one line, in your name. It can be neither changed nor taken out; a mistake is put right by\nanother line.", "  detente log write 'relief called in sick, supervisor told'"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				in := map[string]any{"text": args[0], "language": language}
				if officer != "" {
					in["officer"] = officer
				}
				return a.logged(c, "/log", in)
			}, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&officer, "officer", "", "whose words they are, where an operator writes them down (default: yours)")
				c.Flags().StringVar(&language, "text-lang", "en", "the language of the text")
			}))
	c.AddCommand(a.logCall(), a.logCalls(), a.logConfirm(), a.logCheck(), a.logExport())
	return c
}

func (a *app) logList(c *cobra.Command, f logFlags) error {
	path, err := f.query(f.after, f.limit)
	if err != nil {
		return err
	}
	return a.logLines(c, path, f.limit)
}

// logLines prints a page of the log book, and how to go on where it is full. A
// limit of 0 says that all of them come at once.
func (a *app) logLines(c *cobra.Command, path string, limit int) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var all []logAnswer
	if err := cl.do(c.Context(), "GET", path, nil, &all); err != nil {
		return err
	}
	return a.print(all, func() {
		for _, l := range all {
			a.sayLog(l)
		}
		switch {
		case len(all) == 0:
			a.tell("%s", a.phrases().of("nothing"))
		case limit > 0 && len(all) >= limit:
			a.tell("%s", a.phrases().of("further", all[len(all)-1].Number))
		}
	})
}

// logged posts something that becomes a line, and prints the line.
func (a *app) logged(c *cobra.Command, path string, in any) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var l logAnswer
	if err := cl.do(c.Context(), "POST", path, in, &l); err != nil {
		return err
	}
	return a.print(l, func() { a.sayLog(l) })
}

func (a *app) logCall() *cobra.Command {
	var s spanFlags
	var caller, called, bearer, other, officer, language string
	var agreed, open []string
	return verb(about{"call", "write a telephone call into the log book",
		"Writes down who called whom, when, over which bearer, who spoke, and the points agreed or left open.\nUntil it is confirmed in writing it is listed by \"log calls\" and on every handover.",
		"  detente log call --caller nrrc.boreal.example --called nrrc.arden.example --bearer voice --other 'watch officer' \\\n      --from -10m --to now --agreed 'the test of 14:00Z is left out'"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			from, to, err := s.times()
			if err != nil {
				return err
			}
			in := map[string]any{"caller": caller, "called": called, "from": from, "to": to, "bearer": bearer, "other": other, "language": language}
			for name, v := range map[string][]string{"agreed": agreed, "open": open} {
				if len(v) > 0 {
					in[name] = v
				}
			}
			if officer != "" {
				in["officer"] = officer
			}
			return a.logged(c, "/calls", in)
		}, s.add, a.changes, func(c *cobra.Command) {
			c.Flags().StringVar(&caller, "caller", "", "the station that called")
			c.Flags().StringVar(&called, "called", "", "the station that was called")
			c.Flags().StringVar(&bearer, "bearer", "voice", "direct, relay, pouch or voice")
			c.Flags().StringVar(&other, "other", "", "who spoke on the other side, as they said: a role or a name")
			c.Flags().StringVar(&officer, "officer", "", "who of ours spoke, where an operator writes it down (default: you)")
			c.Flags().StringVar(&language, "text-lang", "en", "the language of the points")
			c.Flags().StringArrayVar(&agreed, "agreed", nil, "a point agreed, in one line; again for another")
			c.Flags().StringArrayVar(&open, "open", nil, "a point left open, in one line; again for another")
		})
}

func (a *app) logCalls() *cobra.Command {
	return verb(about{"calls", "list the calls that nobody has confirmed in writing", "Lists telephone calls of which no written confirmation, of either side, stands in the record.", "  detente log calls"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.logLines(c, "/calls", 0) })
}

func (a *app) logConfirm() *cobra.Command {
	var wait waitFlag
	return verb(about{"confirm NUMBER", "put a call in writing for the counterpart", "Sends the written confirmation, format 025, of a call of the log book. Ends with 7 where officers have to\nrelease it first.", "  detente log confirm 12"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.enqueue(c, at("/calls/%s/confirm", args[0]), struct{}{}, wait)
		}, wait.add, a.changes)
}

func (a *app) logCheck() *cobra.Command {
	return verb(about{"check", "check that each line follows from the one before it", "Reads the whole log book at the station, and names the first line that was altered or is missing.", "  detente log check"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			var out struct {
				Lines int64 `json:"lines"`
			}
			if err := cl.do(c.Context(), "GET", "/log/check", nil, &out); err != nil {
				return err
			}
			return a.print(out, func() { a.say("%d lines, each follows from the one before it", out.Lines) })
		})
}

func (a *app) logExport() *cobra.Command {
	var f logFlags
	var to string
	return verb(about{"export", "write lines of the log book into a new file", "Writes the lines themselves, one a line, each with the hash of the one before it.", "  detente log export --out november.log --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			if to == "" {
				return usage("--out is missing: the new file that is to be written")
			}
			cl, err := a.client()
			if err != nil {
				return err
			}
			const page = 500
			var text strings.Builder
			for after := int64(0); ; {
				path, err := f.query(after, page)
				if err != nil {
					return err
				}
				var lines []logAnswer
				if err := cl.do(c.Context(), "GET", path, nil, &lines); err != nil {
					return err
				}
				for _, l := range lines {
					text.WriteString(l.Line + "\n")
					after = l.Number
				}
				if len(lines) < page {
					return a.exported(to, []byte(text.String()))
				}
			}
		}, f.add, a.changes, func(c *cobra.Command) { c.Flags().StringVar(&to, "out", "", "a new file, such as november.log") })
}
