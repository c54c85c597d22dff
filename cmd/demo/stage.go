package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"detente/cmd/internal/rig"
)

func (p *play) tell(format string, args ...any) {
	p.scene++
	fmt.Fprintf(p.out, "\n%2d. %s\n", p.scene, fmt.Sprintf(format, args...))
}

func (p *play) detail(format string, args ...any) {
	fmt.Fprintf(p.out, "    %s\n", fmt.Sprintf(format, args...))
}

// text shows a rendering, a line a line.
func (p *play) text(rendering string) {
	for l := range strings.Lines(rendering) {
		fmt.Fprintf(p.out, "      | %s", l)
	}
	fmt.Fprintln(p.out)
}

// said shows a message as the other end reads it, in two languages.
func (p *play) said(ctx context.Context, from, to *rig.End, id string, langs ...string) error {
	m, err := from.Receipted(ctx, id)
	if err != nil {
		return err
	}
	there, err := to.Arrived(ctx, id, langs...)
	if err != nil {
		return err
	}
	p.detail("%s  %s → %s  %s  received %s, by %s's cosignature", m.Citation, from.Country, to.Country, m.Precedence, m.Receipt, to.Country)
	for _, l := range langs {
		p.text(there.Texts[l])
	}
	return nil
}

// send says something under the release policy of the line: as many officers
// approve it as that asks for.
func (p *play) send(ctx context.Context, from, to *rig.End, said []string, langs ...string) (string, error) {
	var q rig.Queued
	if err := from.Run(ctx, &q, append([]string{"msg", "send", "--line", p.Line.String()}, said...)...); err != nil {
		return "", err
	}
	a, err := from.Ask(ctx, q.ID)
	if err != nil {
		return "", err
	}
	if err := from.Release(ctx, q.ID, a.Need); err != nil {
		return "", err
	}
	if len(langs) == 0 { // nobody has read it yet
		_, err = from.Receipted(ctx, q.ID)
		return q.ID, err
	}
	return q.ID, p.said(ctx, from, to, q.ID, langs...)
}

// answer says something that refers to a message.
func (p *play) answer(ctx context.Context, from, to *rig.End, format, ref string, params []string, langs ...string) (string, error) {
	return p.send(ctx, from, to, append([]string{format, "--ref", ref}, values(params)...), langs...)
}

// values are parameters as the command takes them.
func values(params []string) (args []string) {
	for _, v := range params {
		args = append(args, "-p", v)
	}
	return args
}

// understood says that a message was seen and understood.
func (p *play) understood(ctx context.Context, from, to *rig.End, ref string, langs ...string) error {
	_, err := p.answer(ctx, from, to, "012", ref, []string{"state=UND", "received=" + stamp(), "role=watch"}, langs...)
	return err
}

func stamp() string { return time.Now().UTC().Format(time.RFC3339) }
