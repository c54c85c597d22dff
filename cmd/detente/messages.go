package main

import (
	"encoding/json/jsontext"
	"fmt"
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
	wait                                 waitFlag
}

func (d *draftFlags) add(c *cobra.Command) {
	d.frame(c)
	f := c.Flags()
	f.StringVar(&d.line, "line", "", "the line, as one/other/class")
	f.StringArrayVarP(&d.params, "param", "p", nil, "a parameter, as name=value; a list by naming it again; @FILE in place of the value reads a file")
}

// frame adds what a message of any format says about itself.
func (d *draftFlags) frame(c *cobra.Command) {
	f := c.Flags()
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
	var e exportFlags
	var paper, done string
	const send = "  detente msg send 600 --line nrrc.arden.example/nrrc.boreal.example/notification -p text='good day'"
	c := noun(about{"msg", "messages: say, read, withdraw, follow",
		"A message follows a format of the signal book and reads the same in six languages. Its bytes are\nfixed when it is sent; then officers release it, and the counterpart receipts it.", send},
		verb(about{"send FORMAT", "fix the bytes of a message and ask for its release",
			"Fixes the bytes of a message in a format of the signal book and puts it before the releasing\nofficers. \"detente book show FORMAT\" lists its parameters. Ends with 7, and prints the id, where\nofficers have to release it first.", send},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.submit(c, args[0], d) }, d.add, d.wait.add, a.changes),
		verb(about{"compose FORMAT", "show what a message would say, without a station",
			"Checks parameters against the signal book and prints the message as it would read. Nothing is sent,\nand no station is needed.", "  detente msg compose 600 -p text='good day' --lang en,ar"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.compose(args[0], d) }, d.add),
		verb(about{"ack ID", "say to the counterpart that its message is understood",
			"Answers a received message with a receipt of understanding (format 012). An officer of the watch\nreleases it. An acknowledgement is a person's word; the receipt of the machine came before.", "  detente msg ack ID"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.acknowledge(c, args[0], done, d) }, a.changes, d.wait.add, func(c *cobra.Command) {
				c.Flags().StringVar(&done, "done", "", "of a recall or a correction: what was done, such as stopped-use, replaced, partly or not-done")
			}),
		verb(about{"answer ID [FORMAT]", "answer a message, on its line; without a format, list those that answer it",
			"Sends a message on the line of the one that it answers and refers to it. Without a format nothing is\nsent: the formats that answer the message are listed, with what each discharges and by when.", "  detente msg answer ID\n  detente msg answer ID 211 -p answer=not-ours -p action=examining"},
			cobra.RangeArgs(1, 2), func(c *cobra.Command, args []string) error {
				if len(args) == 1 {
					return a.replies(c, args[0])
				}
				return a.answer(c, args[0], args[1], d)
			}, d.add, d.wait.add, a.changes),
		a.msgList(), a.msgSearch(),
		verb(about{"show ID", "read a message", "Shows a message in the languages of --lang, with its times. That it was read is audited.", "  detente msg show ID --lang en,ru"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.showMessage(c, args[0]) }),
		verb(about{"entry LOG INDEX", "read an entry by its log and index",
			"Shows an entry of either log by its place. An entry that could not be read as a message has no id\nand is found only so; \"msg list\" names log and index of each.", "  detente msg entry nrrc.boreal.example/to/nrrc.arden.example/notification/1 0"},
			cobra.ExactArgs(2), func(c *cobra.Command, args []string) error {
				q := url.Values{"log": {args[0]}, "index": {args[1]}, "lang": {strings.Join(a.langs, ",")}}
				return a.showAt(c, "/entries?"+q.Encode())
			}),
		verb(about{"render ID", "print only the text of a message", "Prints the text of a message in the languages of --lang, and nothing else.", "  detente msg render ID --lang zh"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.renderMessage(c, args[0]) }),
		verb(about{"print ID", "put a message on paper, in the languages of --lang",
			"Prints a message by an outlet of kind print (\"detente alarm outlet add print\"), a text in each\nlanguage, with its marking, citation and digest on each page. Who prints it has read it.", "  detente msg print ID --outlet paper --lang en,ru"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.call(c, "POST", at("/messages/%s/print", args[0]), map[string]any{"outlet": paper, "lang": a.langs})
			}, a.changes, func(c *cobra.Command) { c.Flags().StringVar(&paper, "outlet", "print", "the outlet that prints") }),
		verb(about{"export ID", "export one message as a record that anybody can verify offline",
			"Writes one message with its proof and receipt into a new file. --disclose adds the key that opens it.", "  detente msg export ID --disclose --out inquiry.record"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				e.id = args[0]
				return a.export(c, e)
			}, a.changes, func(c *cobra.Command) {
				c.Flags().BoolVar(&e.disclose, "disclose", false, "let the key go along that opens this message, and no other")
				c.Flags().StringVar(&e.tlp, "tlp", "", "with --disclose: what its reader may see, such as RED (default: AMBER+STRICT, and PAP AMBER)")
				c.Flags().StringVar(&e.pap, "pap", "", "with --disclose and --tlp: likewise")
				c.Flags().StringVar(&e.out, "out", "", "a new file, such as inquiry.record")
			}))
	c.AddCommand(a.msgFollow()...)
	return c
}

// typed reads typed parameters against the signal book.
func (d draftFlags) typed(edition *book.Edition, format string) (map[string]jsontext.Value, error) {
	if _, ok := edition.Format(message.Format(format)); !ok {
		return nil, exitError{exitUnknownFormat, fmt.Errorf("format %q is not in edition %s of the signal book: see `detente book list`", format, edition.Name())}
	}
	typed := make([]string, 0, len(d.params))
	for _, p := range d.params {
		name, value, _ := strings.Cut(p, "=")
		if file, ok := strings.CutPrefix(value, "@"); ok {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			p = name + "=" + strings.TrimSuffix(string(text), "\n")
		}
		typed = append(typed, p)
	}
	params, err := edition.Compose(message.Format(format), typed)
	if err != nil {
		return nil, usage("%v; see `detente book show %s`", err, format)
	}
	return params, nil
}

// submit submits a draft.
func (a *app) submit(c *cobra.Command, format string, d draftFlags) error {
	edition, err := book.Embedded()
	if err != nil {
		return err
	}
	params, err := d.typed(edition, format)
	if err != nil {
		spoken, other := a.spokenOn(c, d.line)
		if !other {
			return err
		}
		if params, err = d.typed(spoken, format); err != nil {
			return err
		}
	}
	return a.submitParams(c, format, d, params)
}

// submitParams submits a draft whose parameters are read already.
func (a *app) submitParams(c *cobra.Command, format string, d draftFlags, params map[string]jsontext.Value) error {
	in, err := d.request(format, params)
	if err != nil {
		return err
	}
	return a.enqueue(c, "/messages", in, d.wait)
}

// draftRequest is a draft as the API takes it.
type draftRequest struct {
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
}

// request is what the station is asked to submit.
func (d draftFlags) request(format string, params map[string]jsontext.Value) (draftRequest, error) {
	if _, err := identity.ParseLine(d.line); err != nil {
		return draftRequest{}, usage("--line: %v", err)
	}
	in := draftRequest{d.id, d.line, format, d.precedence, d.tlp, d.pap, d.lang, nil, d.refs, params}
	if d.expires > 0 {
		at := now().Add(d.expires).UTC().Truncate(time.Second)
		in.Expires = &at
	}
	return in, nil
}

// compose renders a message that is not sent.
func (a *app) compose(format string, d draftFlags) error {
	edition, err := book.Embedded()
	if err != nil {
		return err
	}
	params, err := d.typed(edition, format)
	if err != nil {
		return err
	}
	b, err := d.body(edition, format)
	if err != nil {
		return err
	}
	b.Params = params
	texts := make(map[string]string)
	for _, l := range a.langs {
		if texts[l], err = edition.Render(b, book.Lang(l)); err != nil {
			return usage("%v", err)
		}
	}
	return a.print(map[string]any{"format": format, "params": params, "texts": texts}, func() { a.texts(texts) })
}

// placeholder is the line of a message that is composed for none.
const placeholder = "from.example/to.example/notification"

// body is a message's frame, as it would be sent.
func (d draftFlags) body(edition *book.Edition, format string) (b message.Body, err error) {
	f, _ := edition.Format(message.Format(format))
	b = message.Body{Edition: edition.Hash(), Format: f.Number, Precedence: f.Usual(), Language: d.lang, Marking: message.Marking{TLP: d.tlp, PAP: d.pap}}
	if d.precedence != "" {
		if b.Precedence, err = message.ParsePrecedence(d.precedence); err != nil {
			return b, usage("--precedence: %v", err)
		}
	}
	if d.id != "" {
		if b.ID, err = message.ParseID(d.id); err != nil {
			return b, usage("--id: %v", err)
		}
	}
	for _, r := range d.refs {
		ref, err := message.ParseID(r)
		if err != nil {
			return b, usage("--ref: %v", err)
		}
		b.Refs = append(b.Refs, ref)
	}
	if d.expires > 0 {
		b.Expires = now().Add(d.expires).UTC().Truncate(time.Second)
	}
	on := d.line
	if on == "" {
		on = placeholder
	}
	if b.Line, err = identity.ParseLine(on); err != nil {
		return b, usage("--line: %v", err)
	}
	b.From, b.To = b.Line.A, b.Line.B
	return b, nil
}

// texts prints renderings in the order of the languages asked for.
func (a *app) texts(by map[string]string) {
	for i, l := range a.langs {
		if i > 0 {
			a.say("")
		}
		a.say("%s", strings.TrimRight(by[l], "\n"))
	}
}

// received is what of a message its answer needs.
type received struct {
	ID       string            `json:"id"`
	Citation string            `json:"citation"`
	Log      string            `json:"log"`
	Received *time.Time        `json:"received"`
	Texts    map[string]string `json:"texts"`
}

// line is the line on which a message came.
func (r received) line() (string, error) {
	o, err := identity.ParseOrigin(r.Log)
	return o.Line().String(), err
}

// read reads a message in the languages asked for.
func (a *app) read(c *cobra.Command, id string, out any) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	q := url.Values{"lang": {strings.Join(a.langs, ",")}}
	return cl.do(c.Context(), "GET", at("/messages/%s", id)+"?"+q.Encode(), nil, out)
}

// answer sends a message that refers to another one, on its line.
func (a *app) answer(c *cobra.Command, id, format string, d draftFlags) error {
	var m received
	if err := a.read(c, id, &m); err != nil {
		return err
	}
	on, err := m.line()
	if err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	if d.line != "" && d.line != on {
		return usage("--line: %s came on %s, and is answered there", id, on)
	}
	d.line, d.refs = on, append(d.refs, id)
	return a.submit(c, format, d)
}

// acknowledge says that a message is understood.
func (a *app) acknowledge(c *cobra.Command, id, done string, d draftFlags) error {
	var m received
	if err := a.read(c, id, &m); err != nil {
		return err
	}
	at := now()
	if m.Received != nil {
		at = *m.Received
	}
	d.tlp, d.params = "AMBER", []string{"state=UND", "role=watch", "received=" + at.UTC().Format(time.RFC3339)}
	if done != "" {
		d.params = append(d.params, "done="+done)
	}
	return a.answer(c, id, "012", d)
}

func (a *app) renderMessage(c *cobra.Command, id string) error {
	var m received
	if err := a.read(c, id, &m); err != nil {
		return err
	}
	return a.print(map[string]any{"id": m.ID, "citation": m.Citation, "texts": m.Texts}, func() { a.texts(m.Texts) })
}

func (a *app) showMessage(c *cobra.Command, id string) error {
	q := url.Values{"lang": {strings.Join(a.langs, ",")}}
	return a.showAt(c, at("/messages/%s", id)+"?"+q.Encode())
}

// showAt prints the message at a path of the API.
func (a *app) showAt(c *cobra.Command, path string) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var m map[string]any
	if err := cl.do(c.Context(), "GET", path, nil, &m); err != nil {
		return err
	}
	return a.print(m, func() {
		texts, _ := m["texts"].(map[string]any)
		a.say("%v  %v", m["citation"], m["precedence"])
		for _, l := range a.langs {
			a.say("\n%v", texts[l])
		}
		for _, k := range []string{"at", "received", "receipt", "problem", "field"} {
			if v, ok := m[k]; ok {
				a.say("%s: %v", k, v)
			}
		}
	})
}
