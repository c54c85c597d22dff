package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// published is a report of a third party, as its readers have it. All in it is
// fictional.
const published = `Fjord Threat Research (fictional): "Winter tools", summary.
1. On 20 November a table of the voters' register of Arden was read from 192.0.2.44.
2. The same tools scanned the count's network on 21 November.
3. On 22 November accounts that posed as Arden's election body spread a false date.
We name infrastructure, and nobody.
`

// report lets Arden put a third party's report on record, without a claim.
func (p *play) report(ctx context.Context) error {
	path := filepath.Join(p.Dir, "third-party-report.txt")
	if err := os.WriteFile(path, []byte(published), 0o644); err != nil {
		return err
	}
	p.tell("Researchers of a third country publish a report that names Boreal: %s.\n    Arden puts it on record with where it comes from. That is no claim.", p.file(path))
	now := time.Now()
	said := []string{"source=Fjord Threat Research", "source_kind=research", "title=Winter tools", "obtained=" + second(now.Add(-time.Hour)), "provenance=published", "original_language=en",
		fmt.Sprintf("exhibit=%x", sha256.Sum256([]byte(published))), "states=XB", "technical=infrastructure", "political=none", "position=examines", "claim=reserved", "ask=position", "by=" + second(now.Add(7*24*time.Hour))}
	var err error
	if p.reportID, err = p.send(ctx, p.arden, p.boreal, append([]string{"275"}, values(said)...), nil, "en", "es"); err != nil {
		return err
	}
	_, err = p.answer(ctx, p.boreal, p.arden, "276", p.reportID, []string{"state=XB", "position=shares-partly", "explanation=The address is ours; the accounts are not."}, "en")
	return err
}

// makeClaim lets Arden claim, fact by fact.
func (p *play) makeClaim(ctx context.Context) error {
	p.tell("On that report Arden claims a breach of undertaking U2, fact by fact, and attributes it to nobody.\n    An allegation is not a finding.")
	now := time.Now()
	fact := func(day int, asset, act, effect, level, words string) string {
		return fmt.Sprintf("facts=from=2026-11-%02dT00:00:00Z;asset=%s;act=%s;effect=%s;level=%s;words=%s", day, asset, act, effect, level, words)
	}
	said := []string{"claim_no=ARD-C-1", "basis=undertaking", "undertaking=U2", "urgency=urgent",
		fact(20, "domain:register.arden.example", "intrusion", "3", "2", "One table was read."),
		fact(21, "domain:count.arden.example", "scanning", "1", "2", "The same tools."),
		fact(22, "domain:vote.arden.example", "fraud", "2", "1", "A false date was spread."),
		"evidence_level=2", "technical=infrastructure", "technical_confidence=likely", "political=none", "remedies=cease", "remedies=explain", "by=" + second(now.Add(48*time.Hour))}
	var err error
	p.claimID, err = p.send(ctx, p.arden, p.boreal, append([]string{"270"}, values(said)...), []string{p.reportID}, "en", "fr")
	return err
}

// replyToClaim lets Boreal answer it fact by fact, and one fact not at all.
func (p *play) replyToClaim(ctx context.Context) error {
	p.tell("Boreal replies to each fact but the second. What is not answered is not conceded: it stays open.")
	reply := []string{"facts=fact=1;answer=partly;words=A leased machine of ours was used.", "facts=fact=3;answer=not-ours", "measures=blocked", "measures=logs-kept"}
	id, err := p.answer(ctx, p.boreal, p.arden, "271", p.claimID, reply, "en", "zh")
	if err != nil {
		return err
	}
	return p.understood(ctx, p.arden, p.boreal, id)
}
