package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"detente/cmd/internal/rig"
)

// measureName is the measure of this play.
const measureName = "M-2026-1"

// plan is the measure in words.
const plan = `Measure M-2026-1, Arden and Boreal (fictional).
Each side names its contact point for urgent matters, and the other rings it once.
`

// measure lets Arden draw up a measure, and Boreal take it up.
func (p *play) measure(ctx context.Context) error {
	path := filepath.Join(p.Dir, "measure.txt")
	if err := os.WriteFile(path, []byte(plan), 0o644); err != nil {
		return err
	}
	p.tell("A measure is drawn up from the catalogue: contact points named and tried. Each step has an owner and a day.\n    In words: %s.", p.file(path))
	p.measureText = fmt.Sprintf("text=%x", sha256.Sum256([]byte(plan)))
	due := time.Now().Add(30 * 24 * time.Hour).Truncate(24 * time.Hour)
	step := func(name string, owner *rig.End) string {
		return fmt.Sprintf("steps=step=%s;owner=%s;due=%s;what=Name the contact point and answer a call.", name, owner.Name, second(due))
	}
	said := []string{"measure=" + measureName, "version=1", "catalogue=OSCE-8", p.measureText, "own_owner=" + p.arden.Name, "other_owner=" + p.boreal.Name,
		step("1", p.arden), step("2", p.boreal), "proofs=joint-test", "proofs=record"}
	var err error
	if p.measureID, err = p.send(ctx, p.arden, p.boreal, append([]string{"450"}, values(said)...), nil, "en", "fr"); err != nil {
		return err
	}
	accept := []string{"measure=" + measureName, "version=1", "decision=accept", p.measureText, "owner=" + p.boreal.Name}
	_, err = p.answer(ctx, p.boreal, p.arden, "451", p.measureID, accept, "en")
	return err
}

// carryOut lets each side do its step, with evidence.
func (p *play) carryOut(ctx context.Context) error {
	p.tell("Each side carries out its step, and says so with evidence. Done is done once the other holds that evidence.")
	path := filepath.Join(p.Dir, "call-sheet.txt")
	if err := os.WriteFile(path, []byte("Called, answered at once, read back.\n"), 0o644); err != nil {
		return err
	}
	for i, e := range p.Ends {
		sheet, err := p.attach(ctx, e, path, "text/plain")
		if err != nil {
			return err
		}
		said := []string{"measure=" + measureName, fmt.Sprintf("step=%d", i+1), "state=done", "since=" + stamp(), "evidence=" + sheet.param()}
		id, err := p.answer(ctx, e, p.Ends[1-i], "452", p.measureID, said, "en")
		if err != nil {
			return err
		}
		if err := p.holds(ctx, p.Ends[1-i], sheet.Hash); err != nil {
			return err
		}
		if err := p.understood(ctx, p.Ends[1-i], e, id); err != nil {
			return err
		}
	}
	return nil
}

// signOff lets both sides sign the measure off as complete.
func (p *play) signOff(ctx context.Context) error {
	p.tell("Both sign it off as complete. One signature alone would not do.")
	said := []string{"measure=" + measureName, "position=sign", p.measureText, "completed=" + stamp()}
	id, err := p.answer(ctx, p.arden, p.boreal, "453", p.measureID, said, "en", "ru")
	if err != nil {
		return err
	}
	if id, err = p.answer(ctx, p.boreal, p.arden, "453", id, said, "en"); err != nil {
		return err
	}
	if err := p.understood(ctx, p.arden, p.boreal, id); err != nil {
		return err
	}
	return p.bothSay(ctx, asked{at: time.Now(), has: "nrrc.boreal.example  met in time", langs: [2]string{"en", "es"}}, "programme", "show", measureName, "--line", p.Line.String())
}
