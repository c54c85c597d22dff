package main

import (
	"context"
	"time"
)

// notice lets Boreal tell ahead of what could be taken for an attack.
func (p *play) notice(ctx context.Context) error {
	p.tell("Boreal gives advance notice of a scan of its own, five days ahead and more, with the marker by which to know it.\n    Arden understands it, and says that it has reached the operational watch.")
	from := time.Now().Add(6 * 24 * time.Hour).Truncate(time.Hour)
	said := []string{"kind=mass-scan", span(from, from.Add(4*time.Hour)), "sector=energy", "markers=prefix:198.51.100.64/26", "expected_effect=alarms",
		"stop_contact=tel:+99950100", "ask=tell-watch", "by=" + from.Add(-time.Hour).UTC().Format(time.RFC3339)}
	id, err := p.send(ctx, p.boreal, p.arden, append([]string{"110"}, values(said)...), "en", "es")
	if err != nil {
		return err
	}
	if err := p.understood(ctx, p.arden, p.boreal, id, "en"); err != nil {
		return err
	}
	_, err = p.answer(ctx, p.arden, p.boreal, "014", id, []string{"body=Arden National Grid Watch", "delivered=" + stamp()}, "en", "ru")
	return err
}
