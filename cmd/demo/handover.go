package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"detente/cmd/internal/rig"
)

// stopRequest lets Boreal ask Arden to stop, by FLASH, on one officer's word.
// Nobody at Arden has read it yet.
func (p *play) stopRequest(ctx context.Context) (string, error) {
	p.tell("At night, with one officer on watch, Boreal asks Arden by FLASH to stop (A13). It leaves PROVISIONAL; the\n    release policy gives %s to confirm it.", confirmWithin)
	now := time.Now()
	said := []string{"assets=domain:scada.grid.boreal.example", "observed=scanning", span(now.Add(-time.Hour), now), "danger=service", "ask=stop", "by=" + second(now.Add(2*time.Hour))}
	var q rig.Queued
	if err := p.boreal.Run(ctx, &q, append([]string{"msg", "send", "230", "--line", p.Line.String()}, values(said)...)...); err != nil {
		return "", err
	}
	if err := p.boreal.Release(ctx, q.ID, 1); err != nil {
		return "", err
	}
	if err := p.boreal.Run(ctx, &q, "release", "alone", q.ID); err != nil {
		return "", err
	}
	m, err := p.boreal.Receipted(ctx, q.ID)
	if err != nil {
		return "", err
	}
	p.cited[q.ID] = m.Citation
	p.detail("%s  Boreal → Arden  FLASH  received %s; released by one officer, and nobody at Arden has opened it", m.Citation, m.Receipt)
	_, err = p.answer(ctx, p.boreal, p.arden, "018", q.ID, []string{"decision=confirm", "reason=reviewed"}, "en")
	return q.ID, err
}

// handover lets Arden's watch change. That is impossible while the FLASH is
// unread.
func (p *play) handover(ctx context.Context) error {
	id, err := p.stopRequest(ctx)
	if err != nil {
		return err
	}
	goes, comes := p.arden.Officers[0], p.arden.Officers[1]
	p.tell("Arden's watch wants to change: %s goes, %s comes. There is no handover while a FLASH is unread.", goes.Pseudonym, comes.Pseudonym)
	propose := []string{"handover", "propose", "--desk", "watch", "--out", goes.Pseudonym, "--in", comes.Pseudonym, "--remark", "the stop request is answered; look for its echo"}
	err = p.arden.Run(ctx, nil, propose...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != refused {
		return fmt.Errorf("a handover over an unread FLASH ended with %v and should be refused", err)
	}
	_, why, _ := strings.Cut(err.Error(), "detente: ")
	p.detail("refused (exit code %d): %s", refused, why)
	p.tell("It is opened, seen and answered: stopped.")
	if err := p.said(ctx, p.boreal, p.arden, id, nil, "en", "ru"); err != nil {
		return err
	}
	if _, err := p.answer(ctx, p.arden, p.boreal, "017", id, []string{"role=watch", "at=" + stamp()}, "en"); err != nil {
		return err
	}
	if _, err := p.answer(ctx, p.arden, p.boreal, "231", id, []string{"answer=stopped", "at=" + stamp()}, "en", "ar"); err != nil {
		return err
	}
	p.tell("Now both officers sign one sheet, computed by the station, and the watch is handed over.")
	return p.signSheet(ctx, propose, goes, comes)
}

// refused is what a command ends with that the station refuses.
const refused = 4

// signSheet has a sheet proposed, shows it, and lets officers sign it.
func (p *play) signSheet(ctx context.Context, propose []string, officers ...rig.Officer) error {
	var h struct {
		ID     string     `json:"id"`
		Digest string     `json:"digest"`
		Signed *time.Time `json:"signed"`
	}
	if err := p.arden.Run(ctx, &h, propose...); err != nil {
		return err
	}
	for _, lang := range []string{"en", "fr"} {
		text, err := p.arden.Text(ctx, "handover", "show", h.ID, "--lang", lang)
		if err != nil {
			return err
		}
		p.text(text)
	}
	for _, o := range officers {
		args := append([]string{"handover", "sign", h.ID, "--digest", h.Digest[:12], "--key", o.KeyFile, "--cert", o.CertFile}, p.arden.Secrets()...)
		if err := p.arden.Run(ctx, &h, args...); err != nil {
			return err
		}
		p.detail("%s has signed the digest %s", o.Pseudonym, h.Digest[:12])
	}
	if h.Signed == nil {
		return errors.New("two officers have signed, and the watch is not handed over")
	}
	p.detail("handed over at %s; the log book has it", second(*h.Signed))
	return nil
}
