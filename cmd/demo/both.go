package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"detente/cmd/internal/rig"
)

// agreeWithin is how long the two stations have to read what came last and say
// the same.
const agreeWithin = time.Minute

// asked is a question to both stations.
type asked struct {
	at    time.Time // as of when
	has   string    // what the English answer says once both have read what came last
	langs [2]string // in which it is shown
	only  string    // with which the lines begin that are shown; empty: all are
}

// bothSay asks both stations the same, as of one second, and shows the answer
// in two languages. Both have to say the same, to the letter.
func (p *play) bothSay(ctx context.Context, q asked, args ...string) error {
	at := q.at.UTC().Truncate(time.Second)
	if err := rig.Until(ctx, func() (bool, error) { return time.Now().After(at.Add(time.Second)), nil }); err != nil {
		return err // what falls within the second itself counts as of it
	}
	ctx, cancel := context.WithTimeout(ctx, agreeWithin)
	defer cancel()
	args = append(args, "--at", second(at), "--lang")
	for i, lang := range q.langs {
		var texts [2]string
		err := rig.Until(ctx, func() (bool, error) {
			for i, e := range p.Ends {
				var err error
				if texts[i], err = e.Text(ctx, append(args, lang)...); err != nil {
					return false, err
				}
			}
			return texts[0] == texts[1] && (lang != "en" || strings.Contains(texts[0], q.has)), nil
		})
		if err != nil {
			return fmt.Errorf("%w: wanted %q, Arden says %q, Boreal says %q", err, q.has, texts[0], texts[1])
		}
		if i > 0 {
			p.text("\n")
		}
		for l := range strings.Lines(strings.TrimSpace(texts[0])) {
			if strings.HasPrefix(l, q.only) {
				p.text(l)
			}
		}
	}
	p.detail("Both stations say so, to the letter, as of %s.", second(at))
	return nil
}
