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

func (p *play) pair(ctx context.Context) error {
	p.tell("The stations exchange cards. By telephone each reads half of the digits over both cards aloud;\n    the other types what it hears. Two officers confirm at each side.")
	return p.Introduce(ctx, func(e *rig.End, digits string) { p.detail("%s reads: %s", e.Country, digits) })
}

// terms are the texts that the demonstration's line runs under, beside its
// release policy.
const terms = `Terms of the line between Arden and Boreal, both fictional.
The line is tested every ten seconds. Each side takes 256 MiB a day.
Who tells of an incident says in it by when the next report follows, and owes it by then.
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
	p.tell("Both open the line %s under terms of their own.\n    Where clocks are short in this play, it is these texts that say so.", p.Line)
	p.detail("terms: %s", texts)
	p.detail("SHA-256 of the terms, as entry 0 of both logs states it: %s", hash)
	p.detail("release policy: %s: who sends a FLASH alone has %s to find a second officer", rules, confirmWithin)
	p.detail("SHA-256 of the policy, which both logs hold and every approval names: %s", policy().Digest())
	return p.Open(ctx, "--texts", "sha256:"+hash, "--policy", rules, "--test-every", "10s", "--quota", fmt.Sprint(256<<20))
}

func (p *play) test(ctx context.Context) error {
	p.tell("A line test: Arden sends check groups, an officer of Boreal reads them back.")
	var q rig.Queued
	if err := p.arden.Run(ctx, &q, "line", "test", p.Line.String()); err != nil {
		return err
	}
	if err := p.said(ctx, p.arden, p.boreal, q.ID, "en", "fr"); err != nil {
		return err
	}
	there, err := p.boreal.Arrived(ctx, q.ID, "en")
	if err != nil {
		return err
	}
	groups := "unreadable"
	for l := range strings.Lines(there.Texts["en"]) {
		if _, v, ok := strings.Cut(l, "Check groups: "); ok {
			groups = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	_, err = p.answer(ctx, p.boreal, p.arden, "011", q.ID, []string{"read_back=" + groups, "received=" + stamp(), "quality=clear"}, "en", "ru")
	return err
}
