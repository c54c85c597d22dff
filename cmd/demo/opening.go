package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"detente/cmd/internal/rig"
	"detente/message"
)

func (p *play) start(ctx context.Context) error {
	p.tell("Each party has made its root key, its station's keys and three officers' keys. Both stations start.")
	for _, e := range p.Ends {
		if err := e.Start(ctx); err != nil {
			return err
		}
		p.detail("%s: station %s, process %d; its watch talks to http://%s, the other station to https://%s", e.Country, e.Name, e.Pid(), e.API, e.Wire.Address())
	}
	return nil
}

func (p *play) pair(ctx context.Context) error {
	p.tell("The stations exchange cards. By telephone each side reads half of the digits over both cards aloud,\n    and the other types what it hears. Two officers confirm at each side.")
	return p.Introduce(ctx, func(e *rig.End, digits string) { p.detail("%s reads: %s", e.Country, digits) })
}

// terms are the texts that the demonstration's line runs under, beside its
// release policy.
const terms = `Terms of the line between Arden and Boreal, both fictional.
The line is tested every hour. Each side takes 256 MiB a day.
`

// confirmWithin is how long an officer who sends a FLASH alone has to find a
// second one, by the release policy of the demonstration's line.
const confirmWithin = 20 * time.Second

// policy is the usual release policy with that clock.
func policy() message.Policy {
	p := message.DefaultPolicy()
	for i := range p.Rules {
		if p.Rules[i].Alone {
			p.Rules[i].ConfirmWithin = confirmWithin
		}
	}
	return p
}

func (p *play) open(ctx context.Context) error {
	texts, rules := filepath.Join(p.Dir, "terms.txt"), filepath.Join(p.Dir, "policy.json")
	if err := errors.Join(os.WriteFile(texts, []byte(terms), 0o600), os.WriteFile(rules, policy().Bytes(), 0o600)); err != nil {
		return err
	}
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(terms)))
	p.tell("Both open the line %s. Where clocks are short in this play,\n    a text that both hold says so.", p.Line)
	p.detail("terms: %s, whose SHA-256 both logs begin with: %s…", p.file(texts), hash[:16])
	p.detail("release policy: %s, SHA-256 %s…, which every approval names:", p.file(rules), policy().Digest().String()[:16])
	p.detail("who sends a FLASH alone has %s to find a second officer", confirmWithin)
	return p.Open(ctx, "--texts", "sha256:"+hash, "--policy", rules, "--test-every", "1h", "--quota", fmt.Sprint(256<<20))
}

// allLangs are the languages of the signal book.
var allLangs = []string{"en", "ru", "zh", "es", "fr", "ar"}

func (p *play) test(ctx context.Context) error {
	p.tell("A line test: Arden sends check groups, an officer of Boreal reads them back. This first message is\n    shown whole; further ones without the lines that every message has.")
	var q rig.Queued
	if err := p.arden.Run(ctx, &q, "line", "test", p.Line.String()); err != nil {
		return err
	}
	if err := p.said(ctx, p.arden, p.boreal, q.ID, nil, "en", "fr"); err != nil {
		return err
	}
	there, err := p.boreal.Arrived(ctx, q.ID, allLangs...)
	if err != nil {
		return err
	}
	p.learn(there.Texts)
	groups := "unreadable"
	for l := range strings.Lines(there.Texts["en"]) {
		if _, v, ok := strings.Cut(l, "Check groups: "); ok {
			groups = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	_, err = p.answer(ctx, p.boreal, p.arden, "011", q.ID, []string{"read_back=" + groups, "received=" + stamp(), "quality=clear"}, "en", "ru")
	return err
}

// intoService has both sides say that the line works.
func (p *play) intoService(ctx context.Context) error {
	p.tell("Both sides take the line into service: from now on it is manned.")
	said := []string{"line=" + p.Line.String(), "state=in-service", "basis=tests-passed", "from=" + stamp()}
	id, err := p.send(ctx, p.arden, p.boreal, append([]string{"026"}, values(said)...), nil, "en", "zh")
	if err != nil {
		return err
	}
	if _, err := p.answer(ctx, p.boreal, p.arden, "026", id, said, "en"); err != nil {
		return err
	}
	for i, e := range p.Ends {
		if err := p.manned(ctx, e, p.Ends[1-i]); err != nil {
			return err
		}
	}
	return nil
}

// manned lets an end say that its desk is.
func (p *play) manned(ctx context.Context, from, to *rig.End) error {
	var said struct {
		Items []rig.Queued `json:"items"`
	}
	if err := from.Run(ctx, &said, "desk", "set", "manned", "--until", "8h", "--speaks", "en,fr", "--line", p.Line.String()); err != nil {
		return err
	}
	for _, q := range said.Items {
		a, err := from.Ask(ctx, q.ID)
		if err != nil {
			return err
		}
		if err := from.Release(ctx, q.ID, a.Need); err != nil {
			return err
		}
		if err := p.said(ctx, from, to, q.ID, nil, "en"); err != nil {
			return err
		}
	}
	return nil
}
