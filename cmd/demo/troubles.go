package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"detente/cmd/internal/rig"
)

const (
	slowRate = 96 << 10 // bytes a second: a slow line
	backlog  = 40
)

func (p *play) backlog(ctx context.Context) error {
	p.tell("The line is slow. %d ROUTINE messages of Arden's wait; a FLASH is released last and passes them.", backlog)
	p.boreal.Wire.Slow(slowRate)
	defer p.boreal.Wire.Slow(0)
	filler := strings.Repeat("table-top exercise ", 150)
	var routine []string
	for n := range backlog {
		q, err := p.arden.Say(ctx, rig.Draft{Format: "600", Params: []string{fmt.Sprintf("text=%d %s", n+1, filler)}})
		if err != nil {
			return err
		}
		routine = append(routine, q.ID)
	}
	s, err := p.arden.Status(ctx)
	if err != nil {
		return err
	}
	p.detail("%d wait in Arden's queue, %d stand in the log unreceipted", s.Queue(), s.Own.Size-s.Own.Cosigned)
	now := time.Now().UTC()
	var q rig.Queued
	if err := p.arden.Run(ctx, &q, "msg", "send", "222", "--line", p.Line.String(), "--precedence", "FLASH", "-p", "activity=availability",
		"-p", "window="+now.Add(-time.Hour).Format(time.RFC3339)+"/"+now.Format(time.RFC3339), "-p", "assets=domain:grid.example", "-p", "certainty=likely"); err != nil {
		return err
	}
	if err := p.arden.Release(ctx, q.ID, 2); err != nil {
		return err
	}
	if err := p.said(ctx, p.arden, p.boreal, q.ID, nil, "en", "ru"); err != nil {
		return err
	}
	flash, err := p.arden.Show(ctx, q.ID)
	if err != nil {
		return err
	}
	p.boreal.Wire.Slow(0)
	if err := p.Settled(ctx); err != nil {
		return err
	}
	passed := 0
	for _, id := range routine {
		m, err := p.arden.Show(ctx, id)
		if err != nil {
			return err
		}
		if m.Index > flash.Index {
			passed++
		}
	}
	if passed == 0 {
		return errors.New("the FLASH passed nothing")
	}
	p.detail("the FLASH stands at entry %d; %d messages that were released before it stand after it", flash.Index, passed)
	return nil
}

func (p *play) cut(ctx context.Context) error {
	p.tell("The line is cut both ways. Both go on writing; once it is mended it catches up by itself.")
	for _, e := range p.Ends {
		e.Wire.Cut()
	}
	var ids [2]string
	for i, e := range p.Ends {
		q, err := e.Say(ctx, rig.Draft{Format: "600", Params: []string{"text=said while the line was cut"}})
		if err != nil {
			return err
		}
		ids[i] = q.ID
		m, err := e.Show(ctx, q.ID)
		if err != nil {
			return err
		}
		if m.Receipt != "" {
			return errors.New("a receipt came over a cut line")
		}
		p.detail("%s: %s, no receipt", m.Citation, q.State)
	}
	for _, e := range p.Ends {
		e.Wire.Mend()
	}
	for i, e := range p.Ends {
		if err := p.said(ctx, e, p.Ends[1-i], ids[i], nil, "en"); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) crash(ctx context.Context) error {
	p.tell("Boreal's station is killed at once (kill -9), and started again.")
	before := p.boreal.Pid()
	if err := p.boreal.Kill(); err != nil {
		return err
	}
	q, err := p.arden.Say(ctx, rig.Draft{Format: "600", Params: []string{"text=said while the other station was dead"}})
	if err != nil {
		return err
	}
	if err := p.boreal.Start(ctx); err != nil {
		return err
	}
	p.detail("process %d is dead, process %d goes on with the same store", before, p.boreal.Pid())
	return p.said(ctx, p.arden, p.boreal, q.ID, nil, "en", "zh")
}

func (p *play) putBack(ctx context.Context) error {
	p.tell("Arden's store is put back to an older copy. Its high-water mark, kept elsewhere, tells it so;\n    it takes its own messages back from Boreal's copy before it signs anything.")
	copied := filepath.Join(p.Dir, "Arden", "backup.db")
	if err := p.arden.Run(ctx, nil, "station", "backup", "--to", copied); err != nil {
		return err
	}
	for n := range 3 {
		q, err := p.arden.Say(ctx, rig.Draft{Format: "600", Params: []string{fmt.Sprintf("text=said after the copy was made, %d", n+1)}})
		if err != nil {
			return err
		}
		if _, err := p.arden.Receipted(ctx, q.ID); err != nil {
			return err
		}
	}
	before, err := p.arden.Status(ctx)
	if err != nil {
		return err
	}
	if err := p.arden.Stop(); err != nil {
		return err
	}
	if err := p.arden.Run(ctx, nil, "station", "restore", copied); err != nil {
		return err
	}
	if err := p.arden.Start(ctx); err != nil {
		return err
	}
	if err := p.arden.Ready(ctx); err != nil {
		return err
	}
	after, err := p.arden.Status(ctx)
	if err != nil {
		return err
	}
	if after.Own.Size < before.Own.Size {
		return fmt.Errorf("the log stands at %d and stood at %d", after.Own.Size, before.Own.Size)
	}
	p.detail("the log stood at %d entries, and stands at %d after healing", before.Own.Size, after.Own.Size)
	var doctor struct {
		Items []struct {
			What string `json:"what"`
		} `json:"items"`
	}
	if err := p.arden.Run(ctx, &doctor, "station", "doctor", "--repair"); err != nil {
		return err
	}
	for _, f := range doctor.Items { // its audit trail since the copy: gone, and written down as that
		p.detail("doctor: %s", f.What)
	}
	q, err := p.arden.Say(ctx, rig.Draft{Format: "600", Params: []string{"text=said after the store was put back"}})
	if err != nil {
		return err
	}
	return p.said(ctx, p.arden, p.boreal, q.ID, nil, "en", "ar")
}
