package main

import (
	"context"
	"fmt"
	"time"

	"detente/cmd/internal/rig"
)

// nextReport is how soon Arden says, in its second report, that the next one
// follows.
const nextReport = 3 * time.Second

// incident lets Arden tell of an incident with evidence, miss a report that it
// owes by its own word, and make it late.
func (p *play) incident(ctx context.Context) error {
	path, err := p.evidenceFile()
	if err != nil {
		return err
	}
	p.tell("Arden tells of an incident in its own grid. The evidence, %s, travels beside the message.", path)
	blob, marking, err := p.addEvidence(ctx, path)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	said := []string{"incident_id=ARD-2026-0112", "stage=early", "class=availability", "began=" + now.Add(-time.Hour).Format(time.RFC3339), "found=" + now.Add(-time.Minute).Format(time.RFC3339),
		"sector=energy", "effect=2", "cross_border=yes", "status=confirmed", "next_update=" + now.Add(time.Hour).Format(time.RFC3339), "ask=none",
		fmt.Sprintf(`evidence={"hash":%q,"size":%.0f,"type":%q}`, blob["hash"], blob["size"], blob["type"])}
	id, err := p.send(ctx, p.arden, p.boreal, append(append([]string{"220"}, marking...), values(said)...), "en", "zh")
	if err != nil {
		return err
	}
	if err := p.fetched(ctx, fmt.Sprint(blob["hash"]), path); err != nil {
		return err
	}
	if err := p.understood(ctx, p.boreal, p.arden, id, "en"); err != nil {
		return err
	}
	return p.lateReport(ctx, id)
}

// lateReport lets Arden promise a report, miss it, and make it late.
func (p *play) lateReport(ctx context.Context, incident string) error {
	p.tell("Arden reports again, and says that the next report follows in %s. By the book it owes it from then on.", nextReport)
	due := time.Now().UTC().Truncate(time.Second).Add(nextReport)
	interim := []string{"stage=interim", "status=contained", "effect=1", "cause=open", "next_update=" + due.Format(time.RFC3339), "ask=none"}
	id, err := p.answer(ctx, p.arden, p.boreal, "221", incident, interim, "en")
	if err != nil {
		return err
	}
	if err := p.understood(ctx, p.boreal, p.arden, id, "en"); err != nil {
		return err
	}
	p.tell("Arden misses it. Both stations show that by themselves, and nobody admits anything by it.")
	past := due.Add(time.Second)
	if now := time.Now(); now.After(past) {
		past = now
	}
	if err := p.owed(ctx, id, past, "missed", "obligations", "--overdue"); err != nil {
		return err
	}
	p.tell("The report comes late, and is shown as late on both sides.")
	final := []string{"stage=final", "status=closed", "effect=0", "cause=technical", "closed=" + stamp(), "ask=none"}
	report, err := p.answer(ctx, p.arden, p.boreal, "221", incident, final, "en", "fr")
	if err != nil {
		return err
	}
	// What Boreal says next lists its receipt: from then on the record has it.
	if err := p.understood(ctx, p.boreal, p.arden, report, "en"); err != nil {
		return err
	}
	return p.owed(ctx, id, time.Now(), "late", "matter", "show", id)
}

// obligation is a duty as `detente obligations --json` shows it.
type obligation struct {
	Of       string    `json:"of"`
	Citation string    `json:"citation"`
	Act      string    `json:"act"`
	By       string    `json:"by"`
	Formats  []string  `json:"formats"`
	Due      time.Time `json:"due"`
	State    string    `json:"state"`
	Late     int64     `json:"late_seconds"`
}

// owed waits until a second is over, and shows how the report that is owed after
// a message stands as of it, at both ends, by a command. They have to say the same.
func (p *play) owed(ctx context.Context, id string, at time.Time, want string, show ...string) error {
	at = at.UTC().Truncate(time.Second)
	if err := rig.Until(ctx, func() (bool, error) { return time.Now().After(at), nil }); err != nil {
		return err
	}
	var said [2]string
	for i, e := range p.Ends {
		var list struct {
			Items []obligation `json:"items"`
		}
		if err := e.Run(ctx, &list, "obligations", "--all", "--at", at.Format(time.RFC3339)); err != nil {
			return err
		}
		for _, o := range list.Items {
			if o.Of != id || o.Act != "followed" {
				continue
			}
			said[i] = fmt.Sprintf("%v owed by %s after %s, due %s: %s, by %d seconds", o.Formats, o.By, o.Citation, o.Due.UTC().Format(time.RFC3339), o.State, o.Late)
			if o.State != want {
				return fmt.Errorf("%s: %s, where %s was expected", e.Country, said[i], want)
			}
		}
		text, err := e.Text(ctx, append(show, "--at", at.Format(time.RFC3339), "--lang", [2]string{"en", "fr"}[i])...)
		if err != nil {
			return err
		}
		p.detail("%s, as of %s: %s", e.Country, at.Format(time.RFC3339), said[i])
		p.text(text)
	}
	if said[0] == "" || said[0] != said[1] {
		return fmt.Errorf("one end says %q, the other %q", said[0], said[1])
	}
	return nil
}
