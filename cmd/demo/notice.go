package main

import (
	"context"
	"time"
)

// span is a window as the command takes it.
func span(from, to time.Time) string { return "window=" + second(from) + "/" + second(to) }

// notice lets Boreal tell ahead of what could be taken for an attack.
func (p *play) notice(ctx context.Context) error {
	p.tell("Boreal gives advance notice of a scan of its own, six days ahead (article A9: three at least), with the\n    marker by which to know it. Arden says that its operational watch has been told (A10).")
	from := time.Now().Add(6 * 24 * time.Hour).Truncate(time.Hour)
	said := []string{"kind=mass-scan", span(from, from.Add(4*time.Hour)), "sector=energy", "markers=prefix:198.51.100.64/26", "expected_effect=alarms",
		"stop_contact=tel:+99950100", "ask=tell-watch", "by=" + second(from.Add(-time.Hour))}
	id, err := p.send(ctx, p.boreal, p.arden, append([]string{"110"}, values(said)...), nil, "en", "es")
	if err != nil {
		return err
	}
	_, err = p.answer(ctx, p.arden, p.boreal, "014", id, []string{"body=Arden National Grid Watch", "delivered=" + stamp()}, "en", "ru")
	return err
}

// inquiry lets Arden ask, and Boreal answer in time.
func (p *play) inquiry(ctx context.Context) error {
	p.tell("Meanwhile Arden inquires about activity that it cannot explain; Boreal answers at once (A12: in a day).")
	now := time.Now().UTC()
	asked := []string{"kind=scanning", span(now.Add(-2*time.Hour), now.Add(-time.Hour)), "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1",
		"concern=pattern", "ask=inform", "by=" + second(now.Add(24*time.Hour))}
	id, err := p.send(ctx, p.arden, p.boreal, append([]string{"210"}, values(asked)...), nil, "en", "zh")
	if err != nil {
		return err
	}
	answered, err := p.answer(ctx, p.boreal, p.arden, "211", id, []string{"answer=ours-stopping", "action=stopped"}, "en", "ar")
	if err != nil {
		return err
	}
	return p.understood(ctx, p.arden, p.boreal, answered)
}
