package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"detente/identity"
	"detente/message"

	"github.com/spf13/cobra"
)

func (a *app) peer() *cobra.Command {
	var root, cards, typed string
	o := officerFlags{secretFlags: secretFlags{app: a}}
	c := noun(about{"peer", "counterparts: their cards, and the ceremony by which they are pinned",
		"A counterpart is trusted only after a ceremony: its cards are held, the digits over both cards\nare read aloud in halves and typed, and two officers confirm. \"peer list\" shows how far it is:\ncard held, digits checked, two-person confirmed, lines proven; or held.",
		"  detente peer list"},
		verb(about{"add", "hold a counterpart's root and cards; nothing is trusted by it",
			"Takes a counterpart's cards. Where its root came by a way of its own, give that with --root:\nthe cards must then fit it.",
			"  detente peer add --cards boreal.cards --root boreal.example.root"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error {
				if cards == "" {
					return usage("--cards is missing: the counterpart's file of cards")
				}
				b, _, err := readBundle(cards)
				if err != nil {
					return err
				}
				note := b.Root
				if root != "" {
					if note, err = os.ReadFile(root); err != nil {
						return err
					}
				}
				return a.call(c, "POST", "/peers", map[string][]byte{"root": note, "cards": b.Bytes()})
			}, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&cards, "cards", "", "the counterpart's file of cards")
				c.Flags().StringVar(&root, "root", "", "the counterpart's root, if it came by a way of its own")
			}),
		verb(about{"list", "list the stations whose cards are held", "Lists counterparts with the word for how far each is trusted.", "  detente peer list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/peers", nil) }),
		verb(about{"show STATION", "how far one counterpart is trusted, and by whom", "Shows one counterpart as the store has it: the word, the officers who confirmed, the card's digest.",
			"  detente peer show nrrc.boreal.example"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.pick(c, "/peers", "station", args[0]) }),
		verb(about{"digits STATION", "read out half of the digits over both cards, or type the half that was heard",
			"Shows the half of the twelve groups of five digits over both stations' cards that this station\nreads aloud. The other half is heard from the counterpart and typed here with --heard. A wrong\ndigit is refused: then somebody stands between the two, or one of you misread.",
			"  detente peer digits nrrc.boreal.example\n  detente peer digits nrrc.boreal.example --heard '47993 80254 29500 50369 77428 06806'"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.digits(c, args[0], typed) }, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&typed, "heard", "", "the half that the counterpart read aloud")
			}),
		verb(about{"confirm STATION", "sign, as an officer, that the counterpart's cards are its own",
			"Signs with an officer's key that the counterpart's cards are its own. Two officers have to. After\nthe first the command ends with 7.",
			"  detente peer confirm nrrc.boreal.example --key ARD-R-01.key.age --cert ARD-R-01.cert --passphrase-file FILE"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.signPeer(c, args[0], "confirm", &o) }, o.add, a.changes),
		verb(about{"hold STATION", "stop all lines to a counterpart",
			"Stops all lines to a counterpart: nothing of it is cosigned and nothing is sent, until two officers\nend the hold with \"peer resume\", or its cards, or new ones, go through the ceremony again, from the\ndigits on.", "  detente peer hold nrrc.boreal.example"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				if err := a.ask("Stop all lines to %s?", args[0]); err != nil {
					return err
				}
				return a.call(c, "POST", at("/peers/%s/hold", args[0]), struct{}{})
			}, a.changes),
		a.peerResume(), a.peerRemove())
	c.AddCommand(a.challenges()...)
	return c
}

// pick prints the one row of a list that a field names.
func (a *app) pick(c *cobra.Command, path, field, value string) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var list []map[string]any
	if err := cl.do(c.Context(), "GET", path, nil, &list); err != nil {
		return err
	}
	for _, m := range list {
		if m[field] == value {
			return a.print(m, func() { a.table(m) })
		}
	}
	return exitError{exitNotFound, fmt.Errorf("this station has no %s %s: see `%s list`", field, value, c.Parent().CommandPath())}
}

func (a *app) digits(c *cobra.Command, name, typed string) error {
	if typed != "" {
		return a.call(c, "POST", at("/peers/%s/digits", name), map[string]string{"typed": typed})
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var d struct {
		Groups []string `json:"groups"`
		Reads  string   `json:"reads"`
	}
	if err := cl.do(c.Context(), "GET", at("/peers/%s/digits", name), nil, &d); err != nil {
		return err
	}
	say, hear := identity.OddHalf(d.Groups), "even"
	if d.Reads == "even" {
		say, hear = identity.EvenHalf(d.Groups), "odd"
	}
	return a.print(map[string]string{"say": say, "hear": hear}, func() {
		a.say("%s", say)
		a.tell("read these %s groups aloud, then type the %s groups that you hear: detente peer digits %s --heard '…'", d.Reads, hear, name)
	})
}

// officerFlags are what an officer signs with.
type officerFlags struct {
	secretFlags
	key, cert, role string
}

func (o *officerFlags) add(c *cobra.Command) {
	o.opens(c)
	c.Flags().StringVar(&o.key, "key", "", "the officer's key file")
	c.Flags().StringVar(&o.cert, "cert", "", "the officer's certificate")
	c.Flags().StringVar(&o.role, "role", "releasing", "the role that the officer acts in")
}

// sign signs a request with the officer's key, on this machine.
func (o *officerFlags) sign(r identity.Request) ([]byte, error) {
	if o.key == "" || o.cert == "" {
		return nil, usage("--key and --cert are missing: the files of the officer's key and certificate")
	}
	key, err := o.read(o.key, identity.UseOfficer)
	if err != nil {
		return nil, err
	}
	cert, err := os.ReadFile(o.cert)
	if err != nil {
		return nil, err
	}
	approval, err := identity.ApproveWithKey(key, cert, r)
	if err != nil {
		return nil, err
	}
	return approval.Bytes(), nil
}

// toSign is a request as the API shows it.
type toSign struct {
	Body    string    `json:"body"`
	Request string    `json:"request"`
	Policy  string    `json:"policy"`
	Expires time.Time `json:"expires"`
}

func (t toSign) request(role, decision string) (r identity.Request, err error) {
	if r.Body, err = identity.ParseDigest(t.Body); err != nil {
		return r, err
	}
	if r.Policy, err = identity.ParseDigest(t.Policy); err != nil {
		return r, err
	}
	id, err := hex.DecodeString(t.Request)
	if err != nil || len(id) != len(r.ID) {
		return r, fmt.Errorf("the station's answer: request %q is not sixteen bytes in hexadecimal", t.Request)
	}
	copy(r.ID[:], id)
	r.Role, r.Decision, r.Expires = role, decision, t.Expires
	return r, nil
}

// lineFlags are what `line open` is told.
type lineFlags struct {
	every  time.Duration
	quota  int64
	texts  string
	policy string
	wait   waitFlag
}

func (a *app) lineCommands() *cobra.Command {
	var f lineFlags
	var as atFlag
	c := noun(about{"line", "lines to counterparts",
		"A line joins two stations. It has a class: technical, notification or leadership; and it is named\nby both stations and the class: nrrc.arden.example/nrrc.boreal.example/notification.", "  detente line list"},
		verb(about{"open LINE", "open this station's direction of a line",
			"Queues the first entry of this station's log, which states cards, edition and terms, and asks two\nofficers to release the line's first release policy. The line is open once both ends have done so.",
			"  detente line open nrrc.arden.example/nrrc.boreal.example/notification --test-every 1h"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.openLine(c, args[0], f) }, a.changes, f.wait.add, func(c *cobra.Command) {
				c.Flags().DurationVar(&f.every, "test-every", 0, "how often the line is tested (default: the terms' own)")
				c.Flags().Int64Var(&f.quota, "quota", 0, "bytes a day that the counterpart may send (default: the terms' own)")
				c.Flags().StringVar(&f.texts, "texts", "", "the texts that the line runs under")
				c.Flags().StringVar(&f.policy, "policy", "", "file of the release policy (default: the usual one, which detente policy show prints)")
			}),
		verb(about{"list", "how each line stands", "Lists lines: state, guard, how far each log has come and been receipted, what waits, alarms.", "  detente line list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/lines", nil) }),
		verb(about{"show LINE", "how one line stands", "Shows one line: state, guard, how far each log has come and been receipted, what waits, alarms.",
			"  detente line show nrrc.arden.example/nrrc.boreal.example/notification"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.pick(c, "/lines", "line", args[0]) }),
		a.lineTest(),
		verb(about{"state LINE", "both logs of a line, summed up: the same at both stations",
			"Reckons from both logs how far every message has come and where every matter stands as of a second,\nand prints the digests of that. Both stations and an arbiter with the exported record come to the\nsame digests.",
			"  detente line state nrrc.arden.example/nrrc.boreal.example/notification --at 2026-11-24T14:00:00Z"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				q := url.Values{"line": {args[0]}}
				if err := as.put(q); err != nil {
					return err
				}
				return a.call(c, "GET", "/state?"+q.Encode(), nil)
			}, as.add))
	c.AddCommand(a.lineWatch()...)
	return c
}

func (a *app) openLine(c *cobra.Command, name string, f lineFlags) error {
	if _, err := identity.ParseLine(name); err != nil {
		return usage("%v", err)
	}
	in := map[string]any{"line": name, "test_every_seconds": int64(f.every / time.Second), "quota_bytes": f.quota, "texts": f.texts}
	if f.policy != "" {
		p, err := readPolicy(f.policy)
		if err != nil {
			return err
		}
		in["policy"] = p.Bytes()
	}
	return a.enqueue(c, "/lines", in, f.wait)
}

func (a *app) policy() *cobra.Command {
	var format, precedence string
	var file string
	var wait waitFlag
	return noun(about{"policy", "release policies: how many officers release which messages",
		"A release policy says, by format and precedence, how many officers a message needs and in which\nroles. It stands in the log as a message of format 005, released by two officers under the policy\nbefore it, and the counterpart counts by it too.", "  detente policy show"},
		verb(about{"show", "print the usual release policy, to begin one's own with",
			"Prints the release policy that a line gets where nobody says otherwise. Save it, change it, give\nit to \"line open --policy\"; on an open line to \"policy change\".", "  detente policy show > policy.json"},
			cobra.NoArgs, func(*cobra.Command, []string) error {
				text := message.DefaultPolicy().Bytes()
				return a.print(jsontext.Value(text), func() { a.say("%s", bytes.TrimSpace(text)) })
			}),
		verb(about{"change LINE", "ask for another release policy on an open line",
			"Asks two officers to release another release policy for this station's messages on a line, as a\nmessage of format 005. It holds for the entries after its own, here and at the counterpart.",
			"  detente policy change nrrc.arden.example/nrrc.boreal.example/notification --file policy.json"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.changePolicy(c, args[0], file, wait) }, a.changes, wait.add, func(c *cobra.Command) {
				c.Flags().StringVar(&file, "file", "", "file of the new policy")
			}),
		verb(about{"test", "say what a policy asks for a message",
			"Says how many officers a release policy asks for a message of a format and precedence, and whether\none may send it alone as PROVISIONAL.", "  detente policy test --format 222 --precedence FLASH\n  detente policy test --file policy.json --format 600"},
			cobra.NoArgs, func(*cobra.Command, []string) error { return a.testPolicy(file, format, precedence) }, func(c *cobra.Command) {
				c.Flags().StringVar(&file, "file", "", "file of the policy (default: the usual one)")
				c.Flags().StringVar(&format, "format", "600", "the format's number")
				c.Flags().StringVar(&precedence, "precedence", "ROUTINE", "ROUTINE, PRIORITY, IMMEDIATE or FLASH")
			}))
}

// readPolicy reads a release policy's file.
func readPolicy(path string) (message.Policy, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return message.Policy{}, err
	}
	p, err := message.ParsePolicy(text)
	if err != nil {
		return p, usage("%s: %v", path, err)
	}
	return p, nil
}

// changePolicy submits a release policy for a line.
func (a *app) changePolicy(c *cobra.Command, name, file string, wait waitFlag) error {
	if file == "" {
		return usage("--file is missing: the new policy; begin with what `detente policy show` prints")
	}
	p, err := readPolicy(file)
	if err != nil {
		return err
	}
	params, err := p.Params()
	if err != nil {
		return err
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var lines []struct {
		Line string `json:"line"`
		Own  struct {
			Size int64 `json:"size"`
		} `json:"own"`
	}
	if err := cl.do(c.Context(), "GET", "/lines", nil, &lines); err != nil {
		return err
	}
	for _, l := range lines {
		if l.Line == name { // the earliest entry that it can hold for is the one after its own
			params["from_entry"] = jsontext.Value(fmt.Sprint(l.Own.Size + 1))
			return a.submitParams(c, "005", draftFlags{line: name, tlp: "AMBER", wait: wait}, params)
		}
	}
	return exitError{exitNotFound, fmt.Errorf("this station has no line %s: see `detente line list`", name)}
}

func (a *app) testPolicy(file, format, precedence string) error {
	p := message.DefaultPolicy()
	if file != "" {
		var err error
		if p, err = readPolicy(file); err != nil {
			return err
		}
	}
	f, err := message.ParseFormat(format)
	if err != nil {
		return usage("--format: %v", err)
	}
	pr, err := message.ParsePrecedence(precedence)
	if err != nil {
		return usage("--precedence: %v", err)
	}
	r := p.Judge(message.Body{Format: f, Precedence: pr}, nil)
	one := p.Judge(message.Body{Format: f, Precedence: pr}, []message.Approver{{Pseudonym: "X", Role: "releasing", Decision: "approve"}})
	alone := one.Verdict == message.Provisional
	if r.Verdict == message.Refused {
		return exitError{exitRefused, errors.New(r.Reason)}
	}
	return a.print(map[string]any{"format": f, "precedence": pr.String(), "officers": r.Need, "provisional": alone}, func() {
		a.say("%s %s: %d officers", f, pr, r.Need)
		if alone {
			a.say("one officer may send it alone, PROVISIONAL, to be confirmed in time")
		}
	})
}
