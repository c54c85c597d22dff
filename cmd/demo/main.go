// Command demo plays the main job: two stations of fictional parties, each a
// process of the real program, pair, open a line, and talk; keep watch, with a
// notice, an incident, a duty missed, a stop request and a handover; go through a
// cut, a crash and a store put back; then everything is exported and verified offline
// by a process of its own.
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
}

func run(ctx context.Context) error {
	whole, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := os.RemoveAll(outDir); err != nil {
		return err
	}
	p := &play{out: os.Stdout, began: time.Now()}
	var err error
	p.tell("Two fictional parties, Arden and Boreal, make their root keys, stations and officers.")
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

// all plays every scene.
func (p *play) all(ctx context.Context) error {
	for _, e := range p.Ends {
		if err := e.Start(ctx); err != nil {
			return err
		}
		p.detail("station %s: process %d, API http://%s, line https://%s", e.Name, e.Pid(), e.API, e.Wire.Address())
	}
	for _, scene := range []func(context.Context) error{p.pair, p.open, p.test, p.inquiry, p.notice, p.incident, p.handover, p.backlog, p.cut, p.crash, p.putBack, p.printed} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return p.prove(ctx)
}

// keep leaves the stations up until it is interrupted.
func (p *play) keep(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "\nThe stations stay up until you press Ctrl+C. In another terminal, for example:")
	for _, e := range p.Ends {
		fmt.Fprintf(os.Stderr, "  bin/detente --data %s msg list\n", e.Data)
	}
	fmt.Fprintf(os.Stderr, "  bin/detente --data %s msg send 600 --line %s -p text='good day'\n", p.arden.Data, p.Line)
	fmt.Fprintf(os.Stderr, "  bin/detente --data %s release list\n", p.arden.Data)
	fmt.Fprintf(os.Stderr, "  bin/detente --data %s release approve ID --digest … --key %s --cert %s %s\n",
		p.arden.Data, p.arden.Officers[0].KeyFile, p.arden.Officers[0].CertFile, strings.Join(p.arden.Secrets(), " "))
	<-ctx.Done()
	return nil
}
