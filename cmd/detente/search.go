package main

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"detente/station"

	"github.com/spf13/cobra"
)

// searchFlags narrow a list of messages.
type searchFlags struct {
	ref, since, until, party, line, precedence, state, after string
	from, to                                                 string
	formats                                                  []string
	limit                                                    int
}

func (s *searchFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.ref, "ref", "", "a citation or an id: that message, and those that refer to it")
	f.StringSliceVar(&s.formats, "format", nil, "formats, such as 210,211")
	f.StringVar(&s.since, "since", "", "written not before: a time such as 2026-11-23T14:00:00Z, or how long ago, such as 36h")
	f.StringVar(&s.until, "until", "", "written before: a time, or how long ago")
	f.StringVar(&s.from, "from", "", "written by this station or party")
	f.StringVar(&s.to, "to", "", "written to this station or party")
	f.StringVar(&s.party, "party", "", "to or from this station or party")
	f.StringVar(&s.line, "line", "", "the line, as one/other/class")
	f.StringVar(&s.precedence, "precedence", "", "ROUTINE, PRIORITY, IMMEDIATE or FLASH")
	f.StringVar(&s.state, "state", "", "accepted, problem, provisional, receipted or unreceipted")
	f.IntVar(&s.limit, "limit", 50, "how many")
}

// narrow reports whether anything but the length of the list is asked for.
func (s *searchFlags) narrow(c *cobra.Command) bool {
	for _, name := range []string{"ref", "format", "since", "until", "from", "to", "party", "line", "precedence", "state"} {
		if c.Flags().Changed(name) {
			return true
		}
	}
	return false
}

// moment reads a time, or how long ago it was.
func moment(flag, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now().Add(-ago).UTC().Format(time.RFC3339), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "", usage("--%s: %q is neither a time such as 2026-11-23T14:00:00Z nor how long ago, such as 36h", flag, text)
	}
	return at.UTC().Format(time.RFC3339), nil
}

// query writes the flags as the API reads them.
func (a *app) query(words []string, s searchFlags) (url.Values, error) {
	since, err := moment("since", s.since)
	if err != nil {
		return nil, err
	}
	until, err := moment("until", s.until)
	if err != nil {
		return nil, err
	}
	party, direction := s.party, ""
	switch {
	case s.from != "" && s.to != "" || s.party != "" && s.from+s.to != "":
		return nil, usage("give one of --from, --to and --party: the other end is this station")
	case s.from != "":
		party, direction = s.from, "in"
	case s.to != "":
		party, direction = s.to, "out"
	}
	q := url.Values{"limit": {strconv.Itoa(s.limit)}, "lang": {string(a.lang())}}
	for name, value := range map[string]string{
		"words": strings.Join(words, " "), "ref": s.ref, "since": since, "until": until, "party": party, "direction": direction,
		"line": s.line, "precedence": s.precedence, "state": s.state, "after": s.after, "format": strings.Join(s.formats, ","),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q, nil
}

// foundMessages is a page of what was found, as the API answers.
type foundMessages struct {
	Hits []struct {
		Citation   string `json:"citation"`
		ID         string `json:"id"`
		Format     string `json:"format"`
		Precedence string `json:"precedence"`
		At         string `json:"at"`
		Problem    string `json:"problem"`
		Snippet    *struct {
			Lang   string `json:"lang"`
			Before string `json:"before"`
			Match  string `json:"match"`
			After  string `json:"after"`
		} `json:"snippet"`
	} `json:"hits"`
	Hidden  int    `json:"hidden"`
	Pending int    `json:"pending"`
	Next    string `json:"next"`
}

// find asks the station and prints what it finds.
func (a *app) find(c *cobra.Command, words []string, s searchFlags) error {
	q, err := a.query(words, s)
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var raw map[string]any
	path := "/search?" + q.Encode()
	if a.json || a.jsonl {
		if err := cl.do(c.Context(), "GET", path, nil, &raw); err != nil {
			return err
		}
		if a.jsonl {
			return a.print(raw["hits"], func() {})
		}
		return a.print(raw, func() {})
	}
	var h foundMessages
	if err := cl.do(c.Context(), "GET", path, nil, &h); err != nil {
		return err
	}
	p := a.phrases()
	for _, m := range h.Hits {
		a.say("%s  %s  %s  %s  %s %s", m.Citation, m.ID, m.Format, m.Precedence, m.At, m.Problem)
		if s := m.Snippet; s != nil {
			text := "…" + s.Before + ">" + s.Match + "<" + s.After + "…"
			if p.lang == "ar" || s.Lang == "ar" {
				text = isolateAny + text + popIsolate
			}
			a.say("  [%s] %s", s.Lang, text)
		}
	}
	if h.Hidden > 0 {
		a.say("%s", p.of("hidden", h.Hidden))
	}
	switch {
	case h.Pending >= station.MaxPending:
		a.tell("%s", p.of("pending-more", h.Pending))
	case h.Pending > 0:
		a.tell("%s", p.of("pending", h.Pending))
	}
	if h.Next != "" {
		a.tell("%s", p.of("further", h.Next))
	} else if len(h.Hits) == 0 {
		a.tell("%s", p.of("nothing-found"))
	}
	return nil
}

func (a *app) msgSearch() *cobra.Command {
	var s searchFlags
	return verb(about{"search WORDS…", "find messages by words in any of the six languages",
		"Finds messages that have all the words, newest first, whatever language they were written or are\nread in. A word stands for all that begin so; case, accents and vowel signs do not matter. What\nyour rights hide is counted and not shown. That you searched, and for what, is audited.",
		"  detente msg search transformer grid.example --since 36h\n  detente msg search 扫描 --format 210 --from boreal.example"},
		cobra.MinimumNArgs(1), func(c *cobra.Command, args []string) error { return a.find(c, args, s) }, s.add, func(c *cobra.Command) {
			c.Flags().StringVar(&s.after, "after", "", "go on after the page that ended so")
		})
}

func (a *app) msgList() *cobra.Command {
	var s searchFlags
	var before int64
	return verb(about{"list", "list messages, newest first",
		"Lists messages of all lines, ours and theirs, newest first; flags narrow the list. --before goes on\nfrom the last one seen, and --after in a list that flags narrow.", "  detente msg list --limit 20\n  detente msg list --format 210 --from boreal.example --since 24h\n  detente msg list --jsonl"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			if s.narrow(c) || s.after != "" {
				if before != 0 {
					return usage("--before goes with the whole list; a list that flags narrow goes on with --after")
				}
				return a.find(c, nil, s)
			}
			return a.call(c, "GET", fmt.Sprintf("/messages?before=%d&limit=%d", before, s.limit), nil)
		}, s.add, func(c *cobra.Command) {
			c.Flags().Int64Var(&before, "before", 0, "seq of the last one seen")
			c.Flags().StringVar(&s.after, "after", "", "go on after the page that ended so")
		})
}

// showRights prints the rules about who may read what.
func (a *app) showRights(c *cobra.Command) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var raw jsontext.Value
	if err := cl.do(c.Context(), "GET", "/rights", nil, &raw); err != nil {
		return err
	}
	var rules []struct {
		Line  string   `json:"line"`
		Class string   `json:"class"`
		TLP   string   `json:"tlp"`
		Roles []string `json:"roles"`
	}
	if err := json.Unmarshal(raw, &rules); err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return a.print(raw, func() {
		p := a.phrases()
		for _, r := range rules {
			for key, value := range map[string]string{"right-line": r.Line, "right-class": r.Class, "right-tlp": r.TLP} {
				if value != "" { // a rule has one of them
					a.say("%s", p.row(p.of(key), value)+"  "+p.of("right-roles", strings.Join(r.Roles, " ")))
				}
			}
		}
		if len(rules) == 0 {
			a.tell("%s", p.of("no-rights"))
		}
	})
}

// rights are the commands about who may read what.
func (a *app) rights() []*cobra.Command {
	return []*cobra.Command{
		verb(about{"rights", "show who may read what: rules by line, class and marking",
			"Shows the rules by which messages and evidence are read. A message is read by who has a role of\nevery rule that speaks of its line, its class and its TLP label; a label of which no rule speaks is\nread by nobody.", "  detente token rights --json"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.showRights(c) }),
		verb(about{"restrict FILE", "replace the rules about who may read what",
			"Replaces all rules by those of a JSON file: a list of objects with one of line, class and tlp, and\nroles. An empty list puts the default rules back: RED for those who draft, watch or release, all\nelse for whoever reads.", "  detente token restrict rights.json"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				text, err := os.ReadFile(args[0])
				if err != nil {
					return err
				}
				var list []struct {
					Line  string   `json:"line,omitzero"`
					Class string   `json:"class,omitzero"`
					TLP   string   `json:"tlp,omitzero"`
					Roles []string `json:"roles"`
				}
				if err := json.Unmarshal(text, &list, json.RejectUnknownMembers(true)); err != nil {
					return usage("%s: %v", args[0], err)
				}
				return a.call(c, "PUT", "/rights", map[string]any{"rights": list})
			}, a.changes),
	}
}
