package main

import (
	"context"
	"time"
)

// span is a window as the command takes it.
func span(from, to time.Time) string {
	return "window=" + from.UTC().Format(time.RFC3339) + "/" + to.UTC().Format(time.RFC3339)
}

func (p *play) inquiry(ctx context.Context) error {
	p.tell("Arden inquires about activity that it cannot explain.")
	now := time.Now().UTC()
	asked := []string{"kind=scanning", span(now.Add(-2*time.Hour), now.Add(-time.Hour)), "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1",
		"concern=pattern", "ask=inform", "by=" + now.Add(24*time.Hour).Format(time.RFC3339)}
	id, err := p.send(ctx, p.arden, p.boreal, append([]string{"210", "--precedence", "IMMEDIATE"}, values(asked)...), "en", "zh")
	if err != nil {
		return err
	}
	p.tell("Boreal's watch has seen it, understands it, and answers.")
	if _, err := p.answer(ctx, p.boreal, p.arden, "017", id, []string{"role=watch", "at=" + stamp()}, "en"); err != nil {
		return err
	}
	if err := p.understood(ctx, p.boreal, p.arden, id, "en", "es"); err != nil {
		return err
	}
	_, err = p.answer(ctx, p.boreal, p.arden, "211", id, []string{"answer=looking", "action=examining", "by=" + now.Add(12*time.Hour).Format(time.RFC3339)}, "en", "ar")
	return err
}
