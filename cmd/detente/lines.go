package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/message"

	"github.com/spf13/cobra"
)

func (a *app) peer() *cobra.Command {
	var root, cards, typed string
	var o officerFlags
	return noun("peer", "Counterparts: their cards, and the ceremony by which they are pinned",
		verb("add", "hold a counterpart's root and cards; nothing is trusted by it", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
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
		}, func(c *cobra.Command) {
			c.Flags().StringVar(&cards, "cards", "", "the counterpart's file of cards")
			c.Flags().StringVar(&root, "root", "", "the counterpart's root, if it came by a road of its own")
		}),
		verb("list", "list the stations whose cards are held", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			return a.call(c, "GET", "/peers", nil)
		}),
		verb("digits STATION", "read out half of the digits over both cards, or type the half that was heard", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.digits(c, args[0], typed)
		}, func(c *cobra.Command) {
			c.Long = "Shows the twelve groups of five digits over both stations' cards. By telephone this station\nreads one half aloud; the other half is heard from the counterpart and typed here with --heard."
			c.Flags().StringVar(&typed, "heard", "", "the half that the counterpart read aloud")
		}),
		verb("confirm STATION", "sign, as an officer, that the counterpart's cards are its own", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.confirmPeer(c, args[0], &o)
		}, o.add),
		verb("hold STATION", "stop all lines to a counterpart", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.call(c, "POST", "/peers/"+args[0]+"/hold", struct{}{})
		}))
}

func (a *app) digits(c *cobra.Command, name, typed string) error {
	if typed != "" {
		return a.call(c, "POST", "/peers/"+name+"/digits", map[string]string{"typed": typed})
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	var d struct {
		Groups []string `json:"groups"`
		Reads  string   `json:"reads"`
	}
	if err := cl.do(c.Context(), "GET", "/peers/"+name+"/digits", nil, &d); err != nil {
		return err
	}
	say, hear := identity.OddHalf(d.Groups), "even"
	if d.Reads == "even" {
		say, hear = identity.EvenHalf(d.Groups), "odd"
	}
	return a.print(map[string]string{"say": say, "hear": hear}, func() {
		a.say("read aloud (the %s groups): %s\nthen type the %s groups that you hear: detente peer digits %s --heard '…'", d.Reads, say, hear, name)
	})
}

// officerFlags are what an officer signs with.
type officerFlags struct {
	secretFlags
	key, cert, role string
}

func (o *officerFlags) add(c *cobra.Command) {
	o.secretFlags.add(c)
	c.Flags().StringVar(&o.key, "key", "", "the officer's key file")
	c.Flags().StringVar(&o.cert, "cert", "", "the officer's certificate")
	c.Flags().StringVar(&o.role, "role", "releasing", "the role that the officer acts in")
}

// sign signs a request with the officer's key, on this machine.
func (o *officerFlags) sign(r identity.Request) ([]byte, error) {
	if o.key == "" || o.cert == "" {
		return nil, usage("--key and --cert are needed")
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

func (a *app) confirmPeer(c *cobra.Command, name string, o *officerFlags) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var t toSign
	if err := cl.do(c.Context(), "GET", "/peers/"+name+"/confirmation", nil, &t); err != nil {
		return err
	}
	r, err := t.request(o.role, "confirm")
	if err != nil {
		return err
	}
	approval, err := o.sign(r)
	if err != nil {
		return err
	}
	return a.send(c, "/peers/"+name+"/confirmations", approval)
}

func (a *app) lineCommands() *cobra.Command {
	var every time.Duration
	var quota int64
	var texts, policy, bearer string
	return noun("line", "Lines to counterparts",
		verb("open LINE", "open this station's direction of a line", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			in := map[string]any{"line": args[0], "test_every_seconds": int64(every / time.Second), "quota_bytes": quota, "texts": texts}
			if policy != "" {
				b, err := os.ReadFile(policy)
				if err != nil {
					return err
				}
				in["policy"] = b
			}
			return a.call(c, "POST", "/lines", in)
		}, func(c *cobra.Command) {
			c.Long = "Queues entry 0, which states cards, edition and terms, and asks two officers for the line's\nfirst release policy. A line is named by both stations and its class:\nnrrc.arden.example/nrrc.boreal.example/notification"
			c.Flags().DurationVar(&every, "test-every", 0, "how often the line is tested (default: the terms' own)")
			c.Flags().Int64Var(&quota, "quota", 0, "bytes a day that the counterpart may send (default: the terms' own)")
			c.Flags().StringVar(&texts, "texts", "", "the texts that the line runs under")
			c.Flags().StringVar(&policy, "policy", "", "a file of the release policy (default: the usual one)")
		}),
		verb("list", "how each line stands", cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/lines", nil) }),
		verb("policy", "print the usual release policy, to begin one's own with", cobra.NoArgs, func(*cobra.Command, []string) error {
			_, err := a.out.Write(message.DefaultPolicy().Bytes())
			return err
		}),
		verb("test LINE", "test a line: the counterpart reads the check groups back", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.testLine(c, args[0], texts, bearer)
		}, func(c *cobra.Command) {
			c.Flags().StringVar(&texts, "text", "T1", "the test text's name")
			c.Flags().StringVar(&bearer, "bearer", "direct", "the way that the test takes")
		}),
		verb("state LINE", "both logs of a line folded: the same at both stations", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.call(c, "GET", "/state?line="+args[0], nil)
		}))
}

// testLine sends a test with check groups that the counterpart reads back.
func (a *app) testLine(c *cobra.Command, name, text, bearer string) error {
	id, err := newToken()
	if err != nil {
		return err
	}
	groups := strings.ToUpper(id[len(id)-8:len(id)-4] + " " + id[len(id)-4:])
	d := draftFlags{line: name, tlp: "AMBER", params: []string{
		"test_no=" + now().UTC().Format(time.RFC3339), "text_id=" + text, "check_groups=" + groups, "bearer=" + bearer,
	}}
	return a.submit(c, "010", d)
}

// sortedKeys returns the keys of an object in order.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
