// Command demo tells in under a minute what Détente is for. Two stations of
// fictional parties, each a process of the real program, go through four
// proposals: the lines are restored, an agreement on preventing incidents is
// signed and kept, guarantees of non-interference are exchanged, a programme of
// practical measures is carried out; and what is done so that a dispute does not
// grow. Then everything is exported, and a process of its own says from the
// record alone what each side promised, said and left open.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"detente/cmd/internal/rig"
)

// outDir is where everything stays for a look afterwards.
const outDir = "demo-out"

// longest bounds the whole play: whatever hangs is a failure.
const longest = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo: failed:", err)
		os.Exit(1)
	}
}

// play is a performance under way.
type play struct {
	*rig.Rig
	arden, boreal *rig.End
	out           io.Writer
	began         time.Time
	scene         int
	cited         map[string]string          // of a message's id: its citation
	frame         map[string]map[string]bool // of a language: the labels that every message has

	// The ids of messages that others refer to later, and texts that are agreed on.
	draft, incidentID, reportID, claimID, measureID string
	agreement, measureText                          string
}

func run(ctx context.Context) error {
	whole, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := os.RemoveAll(outDir); err != nil {
		return err
	}
	p := &play{out: os.Stdout, began: time.Now(), cited: make(map[string]string), frame: make(map[string]map[string]bool)}
	p.preface()
	var err error
	if p.Rig, err = rig.New(whole, filepath.Join("bin", "detente"), outDir); err != nil {
		return err
	}
	p.arden, p.boreal = p.Ends[0], p.Ends[1]
	err = p.all(whole)
	if err == nil && os.Getenv("KEEP") != "" {
		err = p.keep(ctx)
	}
	return errors.Join(err, p.Close())
}

// chapter is one heading of the telling, with its scenes.
type chapter struct {
	heading string
	scenes  []func(context.Context) error
}

// chapters are the four proposals, and what belongs to all of them.
func (p *play) chapters() []chapter {
	return []chapter{
		{"1. The lines are restored", []func(context.Context) error{p.start, p.pair, p.open, p.test, p.intoService, p.backlog, p.cut, p.crash, p.putBack}},
		{"2. An agreement on preventing incidents in the information space", []func(context.Context) error{p.negotiate, p.sign, p.notice, p.incident, p.inquiry, p.lateReport, p.handover}},
		{"3. Guarantees of non-interference are exchanged", []func(context.Context) error{p.guarantee, p.report, p.guaranteeInForce, p.makeClaim, p.replyToClaim}},
		{"4. A programme of practical measures", []func(context.Context) error{p.measure, p.carryOut, p.signOff}},
		{"5. So that it does not grow", []func(context.Context) error{p.consult, p.howTense}},
		{"6. What anybody can check afterwards", []func(context.Context) error{p.printed, p.prove}},
	}
}

// all plays every scene.
func (p *play) all(ctx context.Context) error {
	for _, c := range p.chapters() {
		p.heading(c.heading)
		for _, scene := range c.scenes {
			if err := scene(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep leaves the stations up until it is interrupted.
func (p *play) keep(ctx context.Context) error {
	o := p.arden.Officers[0]
	fmt.Fprintf(os.Stderr, `
The stations stay up until you press Ctrl+C. In another terminal you are Arden's watch, for example:
  export DETENTE_DATA=%s
  bin/detente watch
  bin/detente msg list
  bin/detente msg send 600 --line %s -p text='good day'
  bin/detente release list
  bin/detente release show ID
  bin/detente release approve ID --digest FIRST-DIGITS --key %s --cert %s %s
Boreal's station is reached with DETENTE_DATA=%s
`, p.arden.Data, p.Line, o.KeyFile, o.CertFile, strings.Join(p.arden.Secrets(), " "), p.boreal.Data)
	<-ctx.Done()
	return nil
}
