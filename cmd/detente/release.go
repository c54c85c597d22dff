package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"

	"github.com/spf13/cobra"
)

func (a *app) release() *cobra.Command {
	o := officerFlags{secretFlags: secretFlags{app: a}}
	var digest string
	var wait waitFlag
	decide := func(decision string) func(*cobra.Command, []string) error {
		return func(c *cobra.Command, args []string) error { return a.decide(c, args[0], decision, digest, &o, wait) }
	}
	withDigest := func(c *cobra.Command) {
		c.Flags().StringVar(&digest, "digest", "", "the first eight or more digits of the digest that release show gave: what you read is what you sign")
	}
	const signs = " ID --digest 3f2a90c1 --key ARD-R-01.key.age --cert ARD-R-01.cert --passphrase-file FILE"
	return noun(about{"release", "the release of messages by officers",
		"A message leaves only once as many officers as the release policy asks have signed exactly its\nbytes. Each reads it with \"release show\" and signs with \"release approve\".", "  detente release list"},
		verb(about{"list", "list what awaits release", "Lists messages that await officers: how many have approved, until when, and what happens next.", "  detente release list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/queue?state=awaiting", nil) }),
		verb(about{"show ID", "what would be released: text and digest, computed here from the bytes",
			"Fetches the bytes and computes digest and text from them on this machine, so that a station\nthat shows one thing and asks to sign another is found out. Run it on a machine of your own.",
			"  detente release show ID --lang en,fr"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.showRelease(c, args[0]) }),
		verb(about{"approve ID", "sign that the message may go",
			"Signs with an officer's key, on this machine, that exactly these bytes may go. Give the first\ndigits of the digest that you read. Ends with 7 while another officer has to sign.", "  detente release approve" + signs},
			cobra.ExactArgs(1), decide("approve"), o.add, a.changes, withDigest, wait.add),
		verb(about{"reject ID", "sign that the message may not go",
			"Signs with an officer's key that these bytes may not go. That ends the message; a new one is a new draft.", "  detente release reject" + signs},
			cobra.ExactArgs(1), decide("reject"), o.add, a.changes, withDigest),
		verb(about{"alone ID", "send on one officer's word, PROVISIONAL, where the policy lets it",
			"Sends a message that one officer has approved, marked PROVISIONAL, where the release policy lets\nthat go. It has to be confirmed or withdrawn in time, by a message of format 018 that two release.", "  detente release alone ID --wait 30s"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.enqueue(c, at("/releases/%s/alone", args[0]), struct{}{}, wait)
			}, a.changes, wait.add))
}

// request is a request for release as the API shows it.
type request struct {
	toSign
	State string `json:"state"`
	Have  int    `json:"have"`
	Need  int    `json:"need"`
}

// fetch gets a request for release, and computes from its bytes what they say.
func (a *app) fetch(ctx context.Context, cl *client, id string) (request, message.Frozen, error) {
	var in struct {
		Body    []byte    `json:"body"`
		Digest  string    `json:"digest"`
		Request string    `json:"request"`
		Policy  string    `json:"policy"`
		Expires time.Time `json:"expires"`
		State   string    `json:"state"`
		Have    int       `json:"have"`
		Need    int       `json:"need"`
	}
	if err := cl.do(ctx, "GET", at("/releases/%s", id), nil, &in); err != nil {
		return request{}, message.Frozen{}, err
	}
	f, err := message.ParseBody(in.Body)
	if err != nil {
		return request{}, f, fmt.Errorf("the station's bytes are no message: %w", err)
	}
	if f.Digest().String() != in.Digest {
		return request{}, f, exitError{exitRefused, fmt.Errorf("the station names the digest %s and its bytes have %s: sign nothing, and report it", in.Digest, f.Digest())}
	}
	return request{toSign: toSign{in.Digest, in.Request, in.Policy, in.Expires}, State: in.State, Have: in.Have, Need: in.Need}, f, nil
}

func (a *app) showRelease(c *cobra.Command, id string) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, f, err := a.fetch(c.Context(), cl, id)
	if err != nil {
		return err
	}
	edition, err := a.editionFor(c, f.Body().Edition)
	if err != nil {
		return err
	}
	texts := make(map[string]string)
	for _, l := range a.langs {
		if texts[l], err = edition.Render(f.Body(), book.Lang(l)); err != nil {
			return err
		}
	}
	return a.print(map[string]any{"id": id, "digest": r.Body, "texts": texts, "have": r.Have, "need": r.Need, "state": r.State}, func() {
		for _, l := range a.langs {
			a.say("%s", texts[l])
		}
		a.say("digest: %s\n%d of %d officers have approved", f.Digest().Groups(), r.Have, r.Need)
		if r.State != "awaiting" {
			a.tell("nothing is to be signed any more: the message is %s", r.State)
			return
		}
		a.tell("if this is what should go: detente release approve %s --digest %s --key FILE --cert FILE", id, f.Digest().String()[:leastDigest])
	})
}

// leastDigest is how many digits of a digest an officer has to repeat.
const leastDigest = 8

func (a *app) decide(c *cobra.Command, id, decision, digest string, o *officerFlags, wait waitFlag) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, f, err := a.fetch(c.Context(), cl, id)
	if err != nil {
		return err
	}
	typed := strings.ReplaceAll(digest, " ", "")
	if len(typed) < leastDigest || !strings.HasPrefix(f.Digest().String(), typed) {
		return usage("--digest: the first %d or more digits of the message's digest are needed, and these are not: read it with `detente release show %s`", leastDigest, id)
	}
	q, err := r.request(o.role, decision)
	if err != nil {
		return err
	}
	approval, err := o.sign(q)
	if err != nil {
		return err
	}
	out, err := cl.send(c.Context(), at("/releases/%s/approvals", id), approval)
	if err != nil {
		return err
	}
	return a.queued(c, cl, out, wait)
}

// digestOf reads a digest of an argument.
func digestOf(s string) (identity.Digest, error) {
	d, err := identity.ParseDigest(s)
	if err != nil {
		return d, usage("%v", err)
	}
	return d, nil
}
