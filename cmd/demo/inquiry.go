package main

import (
	"context"
	"fmt"
	"time"

	"detente/cmd/internal/rig"
)

func (p *play) inquiry(ctx context.Context) error {
	path, err := p.evidenceFile()
	if err != nil {
		return err
	}
	p.tell("Arden inquires about activity that it cannot explain. The evidence, %s, travels beside the message.", path)
	blob, marking, err := p.addEvidence(ctx, path)
	if err != nil {
		return err
	}
	ref := fmt.Sprintf(`{"hash":%q,"size":%.0f,"type":%q}`, blob["hash"], blob["size"], blob["type"])
	now := time.Now().UTC()
	var q rig.Queued
	args := []string{"msg", "send", "210", "--line", p.Line.String(), "--precedence", "IMMEDIATE", "-p", "kind=scanning",
		"-p", "window=" + now.Add(-2*time.Hour).Format(time.RFC3339) + "/" + now.Add(-time.Hour).Format(time.RFC3339),
		"-p", "source_assets=prefix:192.0.2.0/24", "-p", "target_sector=energy", "-p", "effect=1", "-p", "concern=pattern", "-p", "ask=inform",
		"-p", "by=" + now.Add(24*time.Hour).Format(time.RFC3339), "-p", "evidence=" + ref}
	args = append(args, marking...)
	if err := p.arden.Run(ctx, &q, args...); err != nil {
		return err
	}
	p.detail("%s: %s", q.State, q.Reason)
	if err := p.arden.Release(ctx, q.ID, 2); err != nil {
		return err
	}
	if err := p.said(ctx, p.arden, p.boreal, q.ID, "en", "zh"); err != nil {
		return err
	}
	if err := p.fetched(ctx, fmt.Sprint(blob["hash"]), path); err != nil {
		return err
	}
	p.tell("Boreal's watch has seen it, understands it, and answers.")
	if _, err := p.answer(ctx, p.boreal, p.arden, "017", q.ID, []string{"role=watch", "at=" + stamp()}, "en"); err != nil {
		return err
	}
	if _, err := p.answer(ctx, p.boreal, p.arden, "012", q.ID, []string{"state=UND", "received=" + stamp(), "role=watch"}, "en", "es"); err != nil {
		return err
	}
	_, err = p.answer(ctx, p.boreal, p.arden, "211", q.ID, []string{"answer=looking", "action=examining", "by=" + now.Add(12*time.Hour).Format(time.RFC3339)}, "en", "ar")
	return err
}
