package main

import (
	"context"
	"time"
)

// consult lets both sides agree to talk about what stayed open.
func (p *play) consult(ctx context.Context) error {
	p.tell("The claim stands on the third step of a ladder of eight. Before anything harder comes talk: Arden proposes\n    a consultation of experts and names the claim; Boreal offers another time.")
	day := time.Now().Add(3 * 24 * time.Hour).Truncate(time.Hour)
	said := []string{"subject=claim", "level=experts", "why=unresolved", "matters=" + p.cited[p.claimID], "articles=A15", "mode=video", "dates=" + second(day)}
	id, err := p.send(ctx, p.arden, p.boreal, append([]string{"400"}, values(said)...), []string{p.claimID}, "en", "ar")
	if err != nil {
		return err
	}
	if id, err = p.answer(ctx, p.boreal, p.arden, "401", id, []string{"decision=other-time", "at=" + second(day.Add(4*time.Hour)), "mode=video"}, "en", "es"); err != nil {
		return err
	}
	if err := p.understood(ctx, p.arden, p.boreal, id); err != nil {
		return err
	}
	return p.bothSay(ctx, asked{at: time.Now(), has: "L4", langs: [2]string{"en", "fr"}, only: "L"}, "claim", "show", p.claimID)
}

// howTense shows the indicators of the line.
func (p *play) howTense(ctx context.Context) error {
	p.tell("How tense is it? Named indicators, each with the entries that it counts; no score, and nothing follows by itself.")
	return p.bothSay(ctx, asked{at: time.Now(), has: "(L3): 1", langs: [2]string{"en", "ru"}}, "tension")
}
