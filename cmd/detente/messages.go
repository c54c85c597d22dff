package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"

	"github.com/spf13/cobra"
)

// draftFlags describe a message.
type draftFlags struct {
	id, line, precedence, tlp, pap, lang string
	refs, params                         []string
	expires                              time.Duration
}

func (d *draftFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&d.line, "line", "", "the line, as one/other/class")
	f.StringArrayVarP(&d.params, "param", "p", nil, "a parameter, as name=value; a list by naming it again; @FILE in place of the value reads a file")
	f.StringVar(&d.precedence, "precedence", "", "ROUTINE, PRIORITY, IMMEDIATE or FLASH (default: the format's usual one)")
	f.StringVar(&d.tlp, "tlp", "AMBER", "CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
	f.StringVar(&d.pap, "pap", "", "CLEAR, GREEN, AMBER or RED")
	f.StringVar(&d.lang, "text-lang", "en", "the language of free text")
	f.StringArrayVar(&d.refs, "ref", nil, "the id of a message on the same line that this one answers or refers to")
	f.DurationVar(&d.expires, "expires", 0, "after which the message must not be sent any more")
	f.StringVar(&d.id, "id", "", "32 hexadecimal digits, to repeat a submission safely (default: a random one)")
}

func (a *app) msg() *cobra.Command {
	var d draftFlags
	var langs []string
	var limit int
	var before, after int64
	var state, until string
	var within time.Duration
	var reason string
	return noun("msg", "Messages",
		verb("send FORMAT", "fix the bytes of a message and ask for its release", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.submit(c, args[0], d)
		}, d.add, func(c *cobra.Command) {
			c.Long = "Fixes the bytes of a message in a format of the signal book and puts it before the releasing\nofficers. `detente book show FORMAT` lists its parameters."
			c.Example = "  detente msg send 600 --line one/other/notification -p text='good day'"
		}),
		verb("list", "list messages, newest first", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			return a.call(c, "GET", fmt.Sprintf("/messages?before=%d&limit=%d", before, limit), nil)
		}, func(c *cobra.Command) {
			c.Flags().IntVar(&limit, "limit", 50, "how many")
			c.Flags().Int64Var(&before, "before", 0, "seq of the last one seen")
		}),
		verb("show ID", "read a message", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.showMessage(c, args[0], langs)
		}, func(c *cobra.Command) {
			c.Flags().StringSliceVar(&langs, "lang", []string{"en"}, "languages: en, ru, zh, es, fr, ar")
		}),
		verb("queue", "list outgoing messages: why each waits, and what happens next", cobra.NoArgs, func(c *cobra.Command, _ []string) error {
			return a.call(c, "GET", fmt.Sprintf("/queue?state=%s&after=%d", url.QueryEscape(state), after), nil)
		}, func(c *cobra.Command) {
			c.Flags().StringVar(&state, "state", "awaiting", "awaiting, waiting, appended, withdrawn, expired, rejected or spent")
			c.Flags().Int64Var(&after, "after", 0, "order of the last one seen")
		}),
		verb("withdraw ID", "take back a message that is not in the log yet", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.call(c, "POST", "/queue/"+args[0]+"/withdraw", map[string]string{"reason": reason})
		}, func(c *cobra.Command) { c.Flags().StringVar(&reason, "reason", "", "why") }),
		verb("wait ID", "wait until a message of ours is appended or receipted, or one of theirs has come", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.waitFor(c, args[0], until, within)
		}, func(c *cobra.Command) {
			c.Flags().StringVar(&until, "until", "receipted", "appended, receipted or received")
			c.Flags().DurationVar(&within, "within", time.Minute, "how long to wait")
		}),
		verb("tail", "follow events as they happen", cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.tail(c, after) },
			func(c *cobra.Command) {
				c.Flags().Int64Var(&after, "after", 0, "the number of the last event seen")
			}))
}

// submit submits a draft.
func (a *app) submit(c *cobra.Command, format string, d draftFlags) error {
	edition, err := book.Embedded()
	if err != nil {
		return err
	}
	typed := make([]string, 0, len(d.params))
	for _, p := range d.params {
		name, value, _ := strings.Cut(p, "=")
		if file, ok := strings.CutPrefix(value, "@"); ok {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			p = name + "=" + strings.TrimSuffix(string(text), "\n")
		}
		typed = append(typed, p)
	}
	params, err := edition.Compose(message.Format(format), typed)
	if err != nil {
		return usage("%v", err)
	}
	in := struct {
		ID         string                    `json:"id,omitempty"`
		Line       string                    `json:"line"`
		Format     string                    `json:"format"`
		Precedence string                    `json:"precedence,omitempty"`
		TLP        string                    `json:"tlp"`
		PAP        string                    `json:"pap,omitempty"`
		Language   string                    `json:"language,omitempty"`
		Expires    *time.Time                `json:"expires,omitempty"`
		Refs       []string                  `json:"refs,omitempty"`
		Params     map[string]jsontext.Value `json:"params,omitempty"`
	}{d.id, d.line, format, d.precedence, d.tlp, d.pap, d.lang, nil, d.refs, params}
	if d.expires > 0 {
		at := now().Add(d.expires).UTC().Truncate(time.Second)
		in.Expires = &at
	}
	return a.call(c, "POST", "/messages", in)
}

func (a *app) showMessage(c *cobra.Command, id string, langs []string) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	q := url.Values{"lang": {strings.Join(langs, ",")}}
	var m map[string]any
	if err := cl.do(c.Context(), "GET", "/messages/"+id+"?"+q.Encode(), nil, &m); err != nil {
		return err
	}
	return a.print(m, func() {
		texts, _ := m["texts"].(map[string]any)
		a.say("%v  %v", m["citation"], m["precedence"])
		for _, l := range langs {
			a.say("\n%v", texts[l])
		}
		for _, k := range []string{"at", "received", "receipt", "problem", "field"} {
			if v, ok := m[k]; ok {
				a.say("%s: %v", k, v)
			}
		}
	})
}

// waitFor asks until a message stands as it should.
func (a *app) waitFor(c *cobra.Command, id, until string, within time.Duration) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	reached, ok := map[string]func(map[string]any) bool{
		"appended":  func(m map[string]any) bool { return m["citation"] != nil },
		"received":  func(m map[string]any) bool { return m["citation"] != nil },
		"receipted": func(m map[string]any) bool { return m["receipt"] != nil || m["received"] != nil },
	}[until]
	if !ok {
		return usage("--until: %q: appended, receipted or received", until)
	}
	ctx, cancel := context.WithTimeout(c.Context(), within)
	defer cancel()
	const every = 50 * time.Millisecond
	look := time.NewTicker(every)
	defer look.Stop()
	for {
		var m map[string]any
		err := cl.do(ctx, "GET", "/messages/"+id, nil, &m)
		if err == nil && reached(m) {
			return a.print(m, func() { a.say("%v: %s", m["citation"], until) })
		}
		if err != nil && ctx.Err() == nil && codeOf(ctx, err) != exitNotFound {
			return err
		}
		select {
		case <-ctx.Done():
			if c.Context().Err() != nil {
				return c.Context().Err()
			}
			return exitError{exitTimeout, fmt.Errorf("message %s is not %s after %s; it goes on by itself: see `detente msg queue`", id, until, within)}
		case <-look.C:
		}
	}
}

// tail prints events as they come.
func (a *app) tail(c *cobra.Command, after int64) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, err := cl.raw(c.Context(), "GET", fmt.Sprintf("/stream?after=%d", after), "", nil)
	if err != nil {
		return err
	}
	defer r.Close()
	lines := bufio.NewScanner(r)
	var event string
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if event == "hb" {
			event = ""
			continue
		}
		if a.json {
			a.say("%s", data)
			continue
		}
		var e struct {
			Number int64  `json:"number"`
			At     string `json:"at"`
			Kind   string `json:"kind"`
			Ref    string `json:"ref"`
			Text   string `json:"text"`
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("the station's answer: %w", err)
		}
		a.say("%d %s %s %s: %s", e.Number, e.At, e.Kind, e.Ref, e.Text)
	}
	if c.Context().Err() != nil {
		return nil
	}
	return lines.Err()
}

func (a *app) release() *cobra.Command {
	var o officerFlags
	var langs []string
	var digest string
	decide := func(decision string) func(*cobra.Command, []string) error {
		return func(c *cobra.Command, args []string) error { return a.decide(c, args[0], decision, digest, &o) }
	}
	withDigest := func(c *cobra.Command) {
		c.Flags().StringVar(&digest, "digest", "", "the first eight or more digits of the digest that `release show` gave: what you read is what you sign")
	}
	return noun("release", "The release of messages by officers",
		verb("list", "list what awaits release", cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.call(c, "GET", "/queue?state=awaiting", nil) }),
		verb("show ID", "what would be released: text and digest, computed here from the bytes", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.showRelease(c, args[0], langs)
		}, func(c *cobra.Command) {
			c.Long = "Fetches the bytes and computes digest and text from them on this machine, so that a station\nthat shows one thing and asks to sign another is found out. Run it on a machine of your own."
			c.Flags().StringSliceVar(&langs, "lang", []string{"en"}, "languages: en, ru, zh, es, fr, ar")
		}),
		verb("approve ID", "sign that the message may go", cobra.ExactArgs(1), decide("approve"), o.add, withDigest),
		verb("reject ID", "sign that it may not", cobra.ExactArgs(1), decide("reject"), o.add, withDigest),
		verb("alone ID", "send on one officer's word, PROVISIONAL, where the policy lets it", cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
			return a.call(c, "POST", "/releases/"+args[0]+"/alone", struct{}{})
		}))
}

// request is a request for release as the API shows it.
type request struct {
	toSign
	Frozen []byte `json:"-"`
	State  string `json:"state"`
	Have   int    `json:"have"`
	Need   int    `json:"need"`
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
	if err := cl.do(ctx, "GET", "/releases/"+id, nil, &in); err != nil {
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

func (a *app) showRelease(c *cobra.Command, id string, langs []string) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, f, err := a.fetch(c.Context(), cl, id)
	if err != nil {
		return err
	}
	edition, err := book.Embedded()
	if err != nil {
		return err
	}
	texts := make(map[string]string)
	for _, l := range langs {
		if texts[l], err = edition.Render(f.Body(), book.Lang(l)); err != nil {
			return err
		}
	}
	return a.print(map[string]any{"id": id, "digest": r.Body, "texts": texts, "have": r.Have, "need": r.Need, "state": r.State}, func() {
		for _, l := range langs {
			a.say("%s", texts[l])
		}
		a.say("digest: %s\n%d of %d officers have approved", f.Digest().Groups(), r.Have, r.Need)
	})
}

// leastDigest is how many digits of a digest an officer has to repeat.
const leastDigest = 8

func (a *app) decide(c *cobra.Command, id, decision, digest string, o *officerFlags) error {
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
		return usage("--digest: %d or more digits of the message's digest are needed, and they must fit: read it with `detente release show %s`", leastDigest, id)
	}
	q, err := r.request(o.role, decision)
	if err != nil {
		return err
	}
	approval, err := o.sign(q)
	if err != nil {
		return err
	}
	return a.send(c, "/releases/"+id+"/approvals", approval)
}

// send posts bytes that are JSON already and prints the answer.
func (a *app) send(c *cobra.Command, path string, body []byte) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, err := cl.raw(c.Context(), "POST", path, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer r.Close()
	var out any
	if err := json.UnmarshalRead(r, &out); err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return a.print(out, func() { a.table(out) })
}

// table prints an answer for people: a line a row, its fields by name.
func (a *app) table(v any) {
	rows, ok := v.([]any)
	if !ok {
		rows = []any{v}
	}
	for _, row := range rows {
		m, ok := row.(map[string]any)
		if !ok {
			if row != nil {
				a.say("%v", row)
			}
			continue
		}
		writeRow(a.out, m)
	}
	if len(rows) == 0 {
		a.say("nothing")
	}
}

// writeRow prints an object: what names it first, then its other fields.
func writeRow(w io.Writer, m map[string]any) {
	var head, rest []string
	for _, k := range []string{"citation", "id", "line", "station", "pseudonym", "number", "format", "precedence", "state"} {
		if v, ok := m[k]; ok && v != "" {
			head = append(head, fmt.Sprint(plain(v)))
		}
	}
	known := "|citation|id|line|station|pseudonym|number|format|precedence|state|$schema|"
	for _, k := range sortedKeys(m) {
		if v := plain(m[k]); !strings.Contains(known, "|"+k+"|") && v != "" {
			rest = append(rest, fmt.Sprintf("  %s: %s", k, v))
		}
	}
	fmt.Fprintln(w, strings.Join(head, "  "))
	for _, r := range rest {
		fmt.Fprintln(w, r)
	}
}

// plain writes a value in a line.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// digestOf reads a digest of an argument.
func digestOf(s string) (identity.Digest, error) {
	d, err := identity.ParseDigest(s)
	if err != nil {
		return d, usage("%v", err)
	}
	return d, nil
}
