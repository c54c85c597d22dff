package main

import (
	"encoding/json/jsontext"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// when reads a time that is typed: UTC with a Z, now, or so long from now.
func when(flag, typed string) (time.Time, error) {
	if typed == "now" {
		return now().UTC().Truncate(time.Second), nil
	}
	if d, err := time.ParseDuration(typed); err == nil {
		return now().Add(d).UTC().Truncate(time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, typed)
	if err != nil {
		return t, usage("--%s: %q is no time: write it like 2026-11-23T14:00:00Z, or so long from now like 4h", flag, typed)
	}
	return t.UTC(), nil
}

// spanFlags are two times.
type spanFlags struct{ from, to string }

func (s *spanFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&s.from, "from", "now", "from when: UTC like 2026-11-23T14:00:00Z, now, or so long from now like 4h or -10m")
	c.Flags().StringVar(&s.to, "to", "", "until when, the same way")
}

func (s *spanFlags) times() (from, to time.Time, err error) {
	if from, err = when("from", s.from); err != nil {
		return from, to, err
	}
	to, err = when("to", s.to)
	return from, to, err
}

// rosterAnswer is a roster as the API shows it.
type rosterAnswer struct {
	Version  int64        `json:"version"`
	Document string       `json:"document"`
	On       []dutyAnswer `json:"on"`
	Next     *nextChange  `json:"next"`
	Swaps    []struct {
		Number        int `json:"number"`
		First, Second struct {
			Officer, Desk string
			Begin         time.Time
		}
		Agreed []string `json:"agreed"`
		Holds  bool     `json:"holds"`
	} `json:"swaps"`
	Unlisted []string `json:"unlisted"`
}

type dutyAnswer struct {
	Officer string    `json:"officer"`
	Desk    string    `json:"desk"`
	Shift   string    `json:"shift"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Why     string    `json:"why"`
}

type nextChange struct {
	At   time.Time `json:"at"`
	Desk string    `json:"desk"`
	Out  []string  `json:"out"`
	In   []string  `json:"in"`
}

// zulu writes a time as the watch reads it.
func zulu(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func listed(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, " ")
}

func (a *app) roster() *cobra.Command {
	c := noun(about{"roster", "the roster: who is on, who comes next, and what will go wrong",
		"A roster says who sits at which desk, and when: shifts, turns, leave, swaps and overrides, in UTC.\nOperators set it; officers swap shifts among themselves, each with a token of one's own.",
		"  detente roster show\n  detente roster risks --hours 72"},
		verb(about{"show", "show who is on, who comes next, and the swaps", "Shows who is on watch now, when that changes and to whom, and the swaps with their numbers.\n--json has the roster's document, to be changed and set again.", "  detente roster show"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.rosterShow(c) }),
		verb(about{"set FILE", "put a roster in force; all that is wrong with it is told",
			"Puts the roster of a JSON file in force. Its version is one more than that of the one in force.\nA roster with a hole or a double is refused, and every fault in it is named.", "  detente roster set roster.json"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.rosterSet(c, args[0]) }, a.changes))
	c.AddCommand(a.rosterRisks(), a.rosterLeave(), a.rosterOverride(), a.rosterSwap(), a.rosterAgree())
	return c
}

func (a *app) rosterShow(c *cobra.Command) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var r rosterAnswer
	if err := cl.do(c.Context(), "GET", "/roster", nil, &r); err != nil {
		return err
	}
	return a.print(r, func() {
		p := a.phrases()
		a.say("%s", p.of("roster", r.Version))
		if len(r.On) == 0 {
			a.say("%s", p.of("on-now", p.of("nobody")))
		}
		for _, d := range r.On {
			a.say("%s", p.of("on-now", p.duty(d)))
		}
		if n := r.Next; n != nil {
			a.say("%s", p.of("next-change", p.row(zulu(n.At), n.Desk, p.of("goes-comes", p.names(n.Out), p.names(n.In)))))
		}
		for _, s := range r.Swaps {
			state := p.of("swap-waits")
			if s.Holds {
				state = p.of("swap-holds")
			}
			first, second := s.First.Officer+" "+s.First.Desk+" "+zulu(s.First.Begin), s.Second.Officer+" "+s.Second.Desk+" "+zulu(s.Second.Begin)
			a.say("%s", p.of("swap", s.Number, first, second, state))
		}
		if len(r.Unlisted) > 0 {
			a.tell("%s", p.of("unlisted", p.names(r.Unlisted)))
		}
	})
}

// rosterSet sends a roster in the one form that it has, however it was typed.
func (a *app) rosterSet(c *cobra.Command, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	value := jsontext.Value(text)
	if err := value.Canonicalize(); err != nil {
		return usage("%s: %v", file, err)
	}
	return a.call(c, "PUT", "/roster", value)
}

func (a *app) rosterRisks() *cobra.Command {
	var hours int
	return verb(about{"risks", "tell what will go wrong on watch, before it does",
		"Tells in words when nobody, too few, or nobody who reads a language or holds a clearance will be on,\nwho is on too long or rests too little, and which swaps still wait.", "  detente roster risks --hours 72 --lang en"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			var risks []map[string]any
			if err := cl.do(c.Context(), "GET", fmt.Sprintf("/roster/risks?hours=%d&lang=%s", hours, strings.Join(a.langs, ",")), nil, &risks); err != nil {
				return err
			}
			return a.print(risks, func() { a.sayRisks(risks) })
		}, func(c *cobra.Command) {
			c.Flags().IntVar(&hours, "hours", 336, "how many hours to look ahead, 2208 at most")
		})
}

func (a *app) sayRisks(risks []map[string]any) {
	for _, r := range risks {
		texts, _ := r["texts"].(map[string]any)
		for _, l := range a.langs {
			a.say("%s", strings.TrimSpace(plain(texts[l])))
		}
	}
	if len(risks) == 0 {
		a.tell("nothing will be missing in that time")
	}
}

func (a *app) rosterLeave() *cobra.Command {
	var s spanFlags
	return verb(about{"leave OFFICER", "take an officer off all desks for a while",
		"Puts an officer on leave. Leave goes before everything: the officer is shown nowhere while it lasts.\nLook at the risks afterwards: nobody is put in the officer's place.", "  detente roster leave ARD-W-07 --from 2026-12-24T00:00:00Z --to 2026-12-27T00:00:00Z"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			from, to, err := s.times()
			if err != nil {
				return err
			}
			return a.call(c, "POST", "/roster/leave", map[string]any{"officer": args[0], "from": from, "to": to})
		}, s.add, a.changes)
}

func (a *app) rosterOverride() *cobra.Command {
	var s spanFlags
	var officers []string
	var besides bool
	return verb(about{"override DESK", "let officers keep a desk for a while, in place of the turns",
		"Lets the named officers keep a desk in place of those whom the turns name, or besides them.", "  detente roster override watch --officer ARD-W-03 --officer ARD-W-04 --from now --to 8h"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			from, to, err := s.times()
			if err != nil {
				return err
			}
			return a.call(c, "POST", "/roster/overrides", map[string]any{"desk": args[0], "officers": officers, "from": from, "to": to, "besides": besides})
		}, s.add, a.changes, func(c *cobra.Command) {
			c.Flags().StringArrayVar(&officers, "officer", nil, "who keeps the desk, by pseudonym; again for another")
			c.Flags().BoolVar(&besides, "besides", false, "besides those of the turns, not in their place")
		})
}

func (a *app) rosterSwap() *cobra.Command {
	return verb(about{"swap OFFICER/DESK/BEGIN OFFICER/DESK/BEGIN", "ask another officer to exchange a shift",
		"Asks for the exchange of two shifts, each named by officer, desk and the second at which it begins.\nOne of the two officers asks, with a token of one's own; nothing changes until the other agrees.",
		"  detente roster swap ARD-W-01/watch/2026-11-24T00:00:00Z ARD-W-02/watch/2026-11-25T00:00:00Z"},
		cobra.ExactArgs(2), func(c *cobra.Command, args []string) error {
			var slots [2]map[string]any
			for i, typed := range args {
				f := strings.Split(typed, "/")
				if len(f) != 3 {
					return usage("%q is no shift: write OFFICER/DESK/BEGIN, like ARD-W-01/watch/2026-11-24T00:00:00Z", typed)
				}
				begin, err := when("begin", f[2])
				if err != nil {
					return err
				}
				slots[i] = map[string]any{"officer": f[0], "desk": f[1], "begin": begin}
			}
			return a.call(c, "POST", "/roster/swaps", map[string]any{"first": slots[0], "second": slots[1]})
		}, a.changes)
}

func (a *app) rosterAgree() *cobra.Command {
	return verb(about{"agree NUMBER", "agree to a swap, as the other officer",
		"Agrees to the swap with a number that \"roster show\" gives. The other of the two officers agrees,\nwith a token of one's own. From then on the swap holds.", "  detente roster agree 1"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.call(c, "POST", at("/roster/swaps/%s/agree", args[0]), struct{}{})
		}, a.changes)
}

// queuedAll asks for something that puts messages into the queue, and prints
// where they stand. While officers have to release one, the command ends with a
// code that says so.
func (a *app) queuedAll(c *cobra.Command, path string, in any) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var all []map[string]any
	if err := cl.do(c.Context(), "POST", path, in, &all); err != nil {
		return err
	}
	if err := a.print(all, func() {
		for _, q := range all {
			a.table(q)
		}
	}); err != nil {
		return err
	}
	var last error
	for _, q := range all {
		if err := a.pending(plain(q["id"]), plain(q["state"])); err != nil {
			last = err
		}
	}
	return last
}

func (a *app) deskCommands() *cobra.Command {
	var until, line string
	var speaks []string
	return noun(about{"desk", "how the desks of both ends are manned",
		"Each side tells the other how its desk is manned, in which languages, and until when. Once that time\nis over the desk is unknown: nothing stale is shown as well.", "  detente desk show"},
		verb(about{"show", "show how the desks are manned", "Shows the own desk as the roster has it, and for each line what both ends said last, with its age.", "  detente desk show"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.deskShow(c) }),
		verb(about{"set STATUS", "tell the counterparts how the desk is manned",
			"Tells the counterparts of all lines that the desk is manned, degraded or unmanned, until a time;\nor, with by-roster, what the roster says, until its officers change.", "  detente desk set manned --until 8h --speaks en,fr\n  detente desk set by-roster"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				in := map[string]any{"status": args[0]}
				if line != "" {
					in["line"] = line
				}
				if len(speaks) > 0 {
					in["languages"] = speaks
				}
				if until != "" {
					at, err := when("until", until)
					if err != nil {
						return err
					}
					in["until"] = at
				} else if args[0] != "by-roster" {
					return usage("--until is missing: until when the desk is %s", args[0])
				}
				return a.queuedAll(c, "/desk", in)
			}, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&until, "until", "", "until when: UTC like 2026-11-23T14:00:00Z, or so long from now like 8h")
				c.Flags().StringVar(&line, "line", "", "on this line only")
				c.Flags().StringSliceVar(&speaks, "speaks", nil, "languages read at the desk, with commas (default: those of the roster)")
			}))
}

type deskAnswer struct {
	Status    string     `json:"status"`
	Languages []string   `json:"languages"`
	Said      *time.Time `json:"said,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	Age       int64      `json:"age_seconds,omitempty"`
}

func (a *app) deskShow(c *cobra.Command) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var v struct {
		ByRoster *deskAnswer `json:"by_roster,omitempty"`
		Lines    []struct {
			Line   string     `json:"line"`
			Own    deskAnswer `json:"own"`
			Theirs deskAnswer `json:"their"`
		} `json:"lines"`
	}
	if err := cl.do(c.Context(), "GET", "/desk", nil, &v); err != nil {
		return err
	}
	return a.print(v, func() {
		p := a.phrases()
		if v.ByRoster != nil {
			a.say("%s", p.of("desk-own", p.desk(*v.ByRoster)))
		}
		for _, l := range v.Lines {
			a.say("%s\n  %s\n  %s", p.ltr(l.Line), p.of("desk-ours", p.desk(l.Own)), p.of("desk-theirs", p.desk(l.Theirs)))
		}
	})
}

// contactFlags describe a contact.
type contactFlags struct {
	role, body, key, purpose, from, to, replaces, remarks string
	languages, channels, hours                            []string
}

func (f *contactFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.role, "role", "watch", "watch, technical, diplomatic, leadership, legal or station")
	c.Flags().StringVar(&f.body, "body", "", "the body, as it calls itself")
	c.Flags().StringVar(&f.key, "key", "", "identifier of the contact's own key")
	c.Flags().StringVar(&f.purpose, "purpose", "", "of the key: seal, sign, cosign, release, voice or transport")
	c.Flags().StringVar(&f.from, "from", "now", "valid from: UTC like 2026-11-23T14:00:00Z, or so long from now")
	c.Flags().StringVar(&f.to, "to", "8760h", "valid to, the same way")
	c.Flags().StringVar(&f.replaces, "replaces", "", "the entry whose place it takes")
	c.Flags().StringVar(&f.remarks, "remarks", "", "in one line")
	c.Flags().StringSliceVar(&f.languages, "speaks", []string{"en"}, "languages, with commas")
	c.Flags().StringArrayVar(&f.channels, "channel", nil, "such as tel:+99950100 or email:watch@arden.example, best first; again for another")
	c.Flags().StringArrayVar(&f.hours, "hours", nil, "such as 'Mo-Fr 06:00-18:00', UTC; none: round the clock")
}

func (f *contactFlags) contact(entry string) (map[string]any, error) {
	from, err := when("from", f.from)
	if err != nil {
		return nil, err
	}
	to, err := when("to", f.to)
	if err != nil {
		return nil, err
	}
	m := map[string]any{"entry": entry, "role": f.role, "body": f.body, "languages": f.languages, "always": len(f.hours) == 0, "channels": f.channels,
		"key": f.key, "from": from, "to": to}
	for name, v := range map[string]string{"purpose": f.purpose, "replaces": f.replaces, "remarks": f.remarks} {
		if v != "" {
			m[name] = v
		}
	}
	if len(f.hours) > 0 {
		m["hours"] = f.hours
	}
	return m, nil
}

func (a *app) contact() *cobra.Command {
	var f contactFlags
	c := noun(about{"contact", "the directory of contacts, own and counterpart's, and how fresh each is",
		"The directory says whom to turn to at a body, in which role, how, and with which key. It is drawn from\nthe record; a contact is fresh while a person answered a check within six months.", "  detente contact list\n  detente poc list"},
		verb(about{"list", "list the contacts, with their freshness", "Lists contacts by owner and entry, and the messages that changed nothing, with the reason.", "  detente contact list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.contactList(c) }),
		verb(about{"set ENTRY", "tell the counterparts of an own contact",
			"Tells the counterparts of an own contact: new, or with --replaces in place of another. An entry's name\nand a key are used once for ever; what is another's is refused before anything is sent.",
			"  detente contact set watch-1 --body 'Duty desk' --channel tel:+99950100 --key K1"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				in, err := f.contact(args[0])
				if err != nil {
					return err
				}
				return a.queuedAll(c, "/contacts", in)
			}, f.add, a.changes),
		verb(about{"withdraw ENTRY", "tell the counterparts that an own contact is none any more", "Withdraws an own contact. Its name is never used again.", "  detente contact withdraw watch-1"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.queuedAll(c, at("/contacts/%s/withdraw", args[0]), struct{}{})
			}, a.changes))
	c.Aliases = []string{"poc"}
	c.AddCommand(a.contactPing(), a.contactImport(), a.contactExport())
	return c
}

func (a *app) contactList(c *cobra.Command) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var v struct {
		Contacts []map[string]any `json:"contacts"`
		Refused  []string         `json:"refused"`
	}
	q := url.Values{"lang": {strings.Join(a.langs, ",")}}
	if err := cl.do(c.Context(), "GET", "/contacts?"+q.Encode(), nil, &v); err != nil {
		return err
	}
	return a.print(v, func() {
		p := a.phrases()
		for _, m := range v.Contacts {
			words, _ := m["words"].(map[string]any)
			a.say("%s", p.row(plain(m["owner"]), plain(m["entry"]), plain(m["role"]), plain(m["body"]), plain(m["channels"])))
			a.say("  %s — %s  %s", p.ltr(plain(m["freshness"])), plain(words[a.langs[0]]), p.of("contact-key", plain(m["key"])))
		}
		for _, r := range v.Refused {
			a.say("%s", p.of("changed-nothing", r))
		}
		if len(v.Contacts) == 0 {
			a.tell("%s", p.of("no-contact"))
		}
	})
}

func (a *app) contactPing() *cobra.Command {
	var role, entry string
	var wait waitFlag
	return verb(about{"ping STATION", "ask a counterpart whether a contact of its is reached",
		"Asks whether a contact, or those of a role, are reached. The answer makes the contact fresh.", "  detente contact ping nrrc.boreal.example --entry watch-1"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.enqueue(c, "/contacts/ping", map[string]any{"owner": args[0], "role": role, "entry": entry}, wait)
		}, wait.add, a.changes, func(c *cobra.Command) {
			c.Flags().StringVar(&entry, "entry", "", "the contact")
			c.Flags().StringVar(&role, "role", "", "all contacts of a role, where no entry is given")
		})
}

func (a *app) contactImport() *cobra.Command {
	var vcard bool
	return verb(about{"import FILE", "keep contacts that came by another way",
		"Keeps the contacts of a file, as \"contact export\" writes it, in place of those imported before. They\nare shown where no record speaks of the entry. A key of two contacts is refused.", "  detente contact import contacts.json\n  detente contact import contacts.vcf --vcard"},
		cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			return a.call(c, "POST", "/contacts/import", map[string]any{"form": contactForm(vcard), "text": string(text)})
		}, a.changes, func(c *cobra.Command) { c.Flags().BoolVar(&vcard, "vcard", false, "the file is vCard 4.0") })
}

func contactForm(vcard bool) string {
	if vcard {
		return "vcard"
	}
	return "json"
}

func (a *app) contactExport() *cobra.Command {
	var vcard bool
	var to string
	return verb(about{"export", "write the live contacts into a new file", "Writes the contacts that are neither replaced nor withdrawn, as JSON or as vCard 4.0.", "  detente contact export --out contacts.json"},
		cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			if to == "" {
				return usage("--out is missing: the new file that is to be written")
			}
			cl, err := a.client()
			if err != nil {
				return err
			}
			var out struct {
				Text string `json:"text"`
			}
			if err := cl.do(c.Context(), "GET", "/contacts/export?form="+contactForm(vcard), nil, &out); err != nil {
				return err
			}
			return a.exported(to, []byte(out.Text))
		}, a.changes, func(c *cobra.Command) {
			c.Flags().BoolVar(&vcard, "vcard", false, "as vCard 4.0")
			c.Flags().StringVar(&to, "out", "", "a new file, such as contacts.json")
		})
}

// exported writes a result into a new file.
func (a *app) exported(to string, text []byte) error {
	if _, err := os.Stat(to); err == nil {
		return exitError{exitConflict, fmt.Errorf("%s exists, and is not written over: give another --out", to)}
	}
	if err := a.put(to, text, 0o600); err != nil {
		return err
	}
	return a.print(map[string]any{"file": to, "bytes": len(text)}, func() { a.say("%s: %d bytes", to, len(text)) })
}
