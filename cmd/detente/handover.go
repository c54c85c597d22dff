package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"detente/book"
	"detente/watch"

	"github.com/spf13/cobra"
)

// handoverAnswer is a handover as the API shows it.
type handoverAnswer struct {
	ID      string     `json:"id,omitempty"`
	Desk    string     `json:"desk"`
	At      time.Time  `json:"at"`
	Out     []string   `json:"out"`
	In      []string   `json:"in"`
	Body    []byte     `json:"body,omitempty"`
	Digest  string     `json:"digest"`
	Role    string     `json:"role"`
	Signers []string   `json:"signers"`
	Signed  *time.Time `json:"signed,omitempty"`
	Next    string     `json:"next,omitempty"`
}

// sheetFlags say what the roster does not.
type sheetFlags struct {
	desk     string
	out, in  []string
	remarks  []string
	language string
}

func (f *sheetFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.desk, "desk", "", "the desk (default: the one whose officers change now)")
	c.Flags().StringSliceVar(&f.out, "out", nil, "who goes, by pseudonym (default: by the roster)")
	c.Flags().StringSliceVar(&f.in, "in", nil, "who comes, by pseudonym (default: by the roster)")
	c.Flags().StringArrayVar(&f.remarks, "remark", nil, "what else the next shift has to know, in one line; again for another")
	c.Flags().StringVar(&f.language, "text-lang", "en", "the language of the remarks")
}

func (a *app) handover() *cobra.Command {
	o := officerFlags{secretFlags: secretFlags{app: a}}
	var f sheetFlags
	var digest string
	var all bool
	return noun(about{"handover", "hand the watch over: the sheet that both officers sign",
		"A handover is a sheet of all that waits, computed by the station, that one officer who goes and one who\ncomes sign. There is none while a FLASH is unread. Once both have signed, the log book has it for ever.",
		"  detente handover show\n  detente handover propose --remark 'the generator is tested at 03:00Z'"},
		verb(about{"show [ID]", "show what would be handed over now, or a sheet by its id",
			"Shows what would be handed over now; with an id, the sheet that was frozen, computed here from its\nbytes. Of a long list the first ten are shown and the rest is counted; --all shows every line that is\nsigned. Ends with 4 while a FLASH is unread, and names it.", "  detente handover show\n  detente handover show ID --all --lang en,ru"},
			cobra.MaximumNArgs(1), func(c *cobra.Command, args []string) error { return a.handoverShow(c, args, f, all) }, f.add,
			func(c *cobra.Command) { c.Flags().BoolVar(&all, "all", false, "long lists whole") }),
		verb(about{"list", "list the handovers that wait for a signature, and those of the last week", "Lists handovers: who goes, who comes, who has signed, and what is still needed.", "  detente handover list"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.handoverList(c) }),
		verb(about{"propose", "freeze the sheet of this moment, to be signed",
			"Freezes the sheet of this moment. It stands for an hour, and takes the place of what was proposed for\nthe desk before.", "  detente handover propose"},
			cobra.NoArgs, func(c *cobra.Command, _ []string) error { return a.handoverPropose(c, f) }, f.add, a.changes),
		verb(about{"sign ID", "sign a sheet, as one who goes or one who comes",
			"Signs a sheet with an officer's key, on this machine. Give the first digits of the digest that you\nread. Ends with 7 while the other officer has to sign; one officer cannot sign for both.",
			"  detente handover sign ID --digest 3f2a90c1 --key ARD-W-01.key.age --cert ARD-W-01.cert --passphrase-file FILE"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error { return a.handoverSign(c, args[0], digest, &o) }, o.add, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&digest, "digest", "", "the first eight or more digits of the digest that handover show gave: what you read is what you sign")
				watchRole(c)
			}))
}

// watchRole lets officers sign in the role of the watch, unless another is said.
func watchRole(c *cobra.Command) {
	f := c.Flags().Lookup("role")
	f.DefValue = "watch"
	if err := f.Value.Set("watch"); err != nil {
		panic("internal error: " + err.Error()) // a text flag takes any text
	}
}

// fetchSheet gets a frozen sheet, and computes its digest from its bytes.
func (a *app) fetchSheet(ctx context.Context, cl *client, id string) (handoverAnswer, watch.Sheet, error) {
	var h handoverAnswer
	if err := cl.do(ctx, "GET", at("/handovers/%s", id), nil, &h); err != nil {
		return h, watch.Sheet{}, err
	}
	sheet, err := watch.ParseSheet(h.Body)
	if err != nil {
		return h, sheet, fmt.Errorf("the station's bytes are no sheet: %w", err)
	}
	if sheet.Digest().String() != h.Digest {
		return h, sheet, exitError{exitRefused, fmt.Errorf("the station names the digest %s and its bytes have %s: sign nothing, and report it", h.Digest, sheet.Digest())}
	}
	return h, sheet, nil
}

// sheetTexts renders a sheet on this machine.
func (a *app) sheetTexts(sheet watch.Sheet) (map[string]string, error) {
	words, err := watchWords()
	if err != nil {
		return nil, err
	}
	texts := make(map[string]string)
	for _, l := range a.langs {
		if texts[l], err = words.Sheet(sheet, book.Lang(l)); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func watchWords() (watch.Words, error) {
	edition, err := book.Embedded()
	if err != nil {
		return watch.Words{}, err
	}
	return watch.LoadWords(edition)
}

func (a *app) handoverShow(c *cobra.Command, args []string, f sheetFlags, all bool) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var h handoverAnswer
	var sheet watch.Sheet
	if len(args) == 1 {
		h, sheet, err = a.fetchSheet(c.Context(), cl, args[0])
	} else {
		q := url.Values{"desk": {f.desk}, "out": {strings.Join(f.out, ",")}, "in": {strings.Join(f.in, ",")}}
		for name := range q {
			if q.Get(name) == "" {
				q.Del(name)
			}
		}
		if err = cl.do(c.Context(), "GET", "/handover-sheet?"+q.Encode(), nil, &h); err == nil {
			sheet, err = watch.ParseSheet(h.Body)
		}
	}
	if err != nil {
		return err
	}
	texts, err := a.sheetTexts(sheet)
	if err != nil {
		return err
	}
	shown := map[string]any{"desk": h.Desk, "out": h.Out, "in": h.In, "digest": h.Digest, "signers": h.Signers, "texts": texts}
	for name, v := range map[string]string{"id": h.ID, "next": h.Next} {
		if v != "" {
			shown[name] = v
		}
	}
	return a.print(shown, func() {
		if !all {
			a.shorten(texts, strings.TrimSpace("detente handover show "+h.ID)+" --all")
		}
		a.texts(texts)
		p := a.phrases()
		switch {
		case h.ID == "":
			a.tell("nothing is frozen yet: detente handover propose")
		case h.Signed != nil:
			a.say("%s", p.row(p.of("agreement-signed", p.names(h.Signers)), zulu(*h.Signed)))
		default:
			a.say("%s", p.of("agreement-signed", p.names(h.Signers)))
			a.tell("if this is what is handed over: detente handover sign %s --digest %s --key FILE --cert FILE", h.ID, h.Digest[:leastDigest])
		}
	})
}

// shorten leaves the first items of each list of a sheet, and says how many more
// there are and which command shows them.
func (a *app) shorten(texts map[string]string, command string) {
	words, err := watchWords()
	if err != nil {
		return // whole is no harm
	}
	for lang, text := range texts {
		more := screen{a: a, words: words, lang: book.Lang(lang)}.head("more")
		var b strings.Builder
		items := 0
		end := func() {
			if items > maxOnScreen {
				fmt.Fprintf(&b, "- %s: %d — %s\n", more, items-maxOnScreen, command)
			}
			items = 0
		}
		for l := range strings.Lines(text) {
			if strings.HasPrefix(l, "- ") {
				if items++; items > maxOnScreen {
					continue
				}
			} else {
				end()
			}
			b.WriteString(l)
		}
		end()
		texts[lang] = b.String()
	}
}

func (a *app) handoverList(c *cobra.Command) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var all []handoverAnswer
	if err := cl.do(c.Context(), "GET", "/handovers", nil, &all); err != nil {
		return err
	}
	return a.print(all, func() {
		for _, h := range all {
			a.sayHandover(h)
		}
		if len(all) == 0 {
			a.tell("nothing")
		}
	})
}

func (a *app) sayHandover(h handoverAnswer) {
	state := h.Next
	if h.Signed != nil {
		state = "signed at " + zulu(*h.Signed)
	}
	a.say("%s  %s  %s  goes %s, comes %s  signed by %s  %s", h.ID, h.Desk, zulu(h.At), listed(h.Out), listed(h.In), listed(h.Signers), state)
}

func (a *app) handoverPropose(c *cobra.Command, f sheetFlags) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	in := map[string]any{"desk": f.desk, "out": f.out, "in": f.in, "remarks": f.remarks, "language": f.language}
	var h handoverAnswer
	if err := cl.do(c.Context(), "POST", "/handovers", in, &h); err != nil {
		return err
	}
	return a.print(h, func() {
		a.sayHandover(h)
		a.tell("both read it with `detente handover show %s` and sign it", h.ID)
	})
}

func (a *app) handoverSign(c *cobra.Command, id, digest string, o *officerFlags) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	_, sheet, err := a.fetchSheet(c.Context(), cl, id)
	if err != nil {
		return err
	}
	typed := strings.ReplaceAll(digest, " ", "")
	if len(typed) < leastDigest || !strings.HasPrefix(sheet.Digest().String(), typed) {
		return usage("--digest: the first %d or more digits of the sheet's digest are needed, and these are not: read it with `detente handover show %s`", leastDigest, id)
	}
	approval, err := o.sign(sheet.Request(o.role))
	if err != nil {
		return err
	}
	out, err := cl.send(c.Context(), at("/handovers/%s/signatures", id), approval)
	if err != nil {
		return err
	}
	if err := a.print(out, func() {
		if out["signed"] != nil {
			a.say("%s is handed over: signed by %s", plain(out["desk"]), plain(out["signers"]))
			return
		}
		a.say("signed by %s", plain(out["signers"]))
	}); err != nil {
		return err
	}
	if out["signed"] == nil {
		a.tell("the other officer has to sign: %s", plain(out["next"]))
		return exitError{code: exitSecondPerson}
	}
	return nil
}
