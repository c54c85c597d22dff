package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"detente/cmd/internal/rig"
)

// incident lets Arden tell of an incident with evidence.
func (p *play) incident(ctx context.Context) error {
	path, err := p.evidenceFile()
	if err != nil {
		return err
	}
	p.tell("Arden tells of a grave incident in its own grid (A11). Evidence travels beside the message: %s.", p.file(path))
	b, marking, err := p.addEvidence(ctx, path)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	said := []string{"incident_id=ARD-2026-0112", "stage=early", "class=availability", "began=" + second(now.Add(-time.Hour)), "found=" + second(now.Add(-time.Minute)),
		"sector=energy", "effect=3", "cross_border=yes", "status=confirmed", "next_update=" + second(now.Add(time.Hour)), "ask=none", "evidence=" + b.param()}
	if p.incidentID, err = p.send(ctx, p.arden, p.boreal, append(append([]string{"220"}, marking...), values(said)...), nil, "en", "zh"); err != nil {
		return err
	}
	if err := p.fetched(ctx, b.Hash, path, filepath.Join(p.Dir, "evidence-at-boreal")); err != nil {
		return err
	}
	return p.understood(ctx, p.boreal, p.arden, p.incidentID)
}

// lateReport lets Arden miss a report that it owes, and make it late.
func (p *play) lateReport(ctx context.Context) error {
	o, err := p.reportOwed(ctx, p.arden)
	if err != nil {
		return err
	}
	p.tell("By A11 Arden owed a further report by %s, and misses it. That shows by itself, at both ends.", second(o.Due))
	if err := p.bothSay(ctx, asked{at: o.Due.Add(time.Second), has: "not met, and past", langs: [2]string{"en", "fr"}}, "agreement", "owed", "--article", "A11"); err != nil {
		return err
	}
	p.tell("The report comes, late. Each station says why it is late, step by step; nobody admits anything by it.")
	final := []string{"stage=final", "status=closed", "effect=0", "cause=technical", "closed=" + stamp(), "ask=none"}
	report, err := p.answer(ctx, p.arden, p.boreal, "221", p.incidentID, final, "en", "fr")
	if err != nil {
		return err
	}
	// What Boreal says next lists its receipt: from then on the record has it.
	if err := p.understood(ctx, p.boreal, p.arden, report); err != nil {
		return err
	}
	return p.bothSay(ctx, asked{at: time.Now(), has: "met late", langs: [2]string{"en", "ar"}}, "agreement", "explain", o.Name)
}

// obligation is what is owed by an agreement, as `agreement owed --json` shows it.
type obligation struct {
	Name  string    `json:"name"`
	Duty  string    `json:"duty"`
	Due   time.Time `json:"due"`
	State string    `json:"state"`
}

// reportOwed returns the report that article A11 makes Arden owe.
func (p *play) reportOwed(ctx context.Context, e *rig.End) (obligation, error) {
	var list struct {
		Items []obligation `json:"items"`
	}
	if err := e.Run(ctx, &list, "agreement", "owed", "--all"); err != nil {
		return obligation{}, err
	}
	for _, o := range list.Items {
		if o.Duty == "A11.2" {
			return o, nil
		}
	}
	return obligation{}, fmt.Errorf("%s: %w", e.Country, errors.New("by article A11 no report is owed"))
}
