package rig

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
)

// Introduce takes both stations through the ceremony by the commands that their
// operators and officers use: officers, cards, digits read in halves, two
// officers at each side.
func (r *Rig) Introduce(ctx context.Context, told func(end *End, digits string)) error {
	for i, e := range r.Ends {
		other := r.Ends[1-i]
		for n, o := range e.Officers {
			if err := e.Run(ctx, nil, "officer", "add", "--name", fmt.Sprintf("Officer %d of %s", n+1, e.Country), "--cert", o.CertFile); err != nil {
				return err
			}
		}
		if err := e.Run(ctx, nil, "peer", "add", "--cards", other.Cards(), "--root", other.Root()); err != nil {
			return err
		}
	}
	for i, e := range r.Ends {
		other := r.Ends[1-i]
		var read struct {
			Say string `json:"say"`
		}
		if err := other.Run(ctx, &read, "peer", "digits", e.Name); err != nil {
			return err
		}
		told(other, read.Say)
		if err := e.Run(ctx, nil, "peer", "digits", other.Name, "--heard", read.Say); err != nil {
			return err
		}
		for _, o := range e.Officers[:2] {
			args := append([]string{"peer", "confirm", other.Name, "--key", o.KeyFile, "--cert", o.CertFile}, e.Secrets()...)
			if err := e.Run(ctx, nil, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Open opens the line at both ends under the same texts, and waits until both
// have said so. Where the terms do not say how often the line is tested, it is
// seldom: a full hour that passes must add nothing to what is counted.
func (r *Rig) Open(ctx context.Context, terms ...string) error {
	if !slices.Contains(terms, "--test-every") {
		terms = append(slices.Clone(terms), "--test-every", "168h")
	}
	for _, e := range r.Ends {
		var q Queued
		if err := e.Run(ctx, &q, append([]string{"line", "open", r.Line.String()}, terms...)...); err != nil {
			return err
		}
		a, err := e.Ask(ctx, q.ID)
		if err != nil {
			return err
		}
		for _, o := range e.Officers[:a.Need] {
			approval, err := o.Sign(a)
			if err != nil {
				return err
			}
			if _, err := e.Approve(ctx, q.ID, approval); err != nil {
				return err
			}
		}
	}
	return Until(ctx, func() (bool, error) {
		for _, e := range r.Ends {
			s, err := e.Status(ctx)
			if err != nil || s.State != "open" || s.Own.Cosigned < 2 {
				return false, err
			}
		}
		return true, nil
	})
}

// Release lets an end's officers approve a message by the command that they
// use: the text is computed anew, and the digest repeated.
func (e *End) Release(ctx context.Context, id string, officers int) error {
	for _, o := range e.Officers[:officers] {
		var shown struct {
			Digest string `json:"digest"`
		}
		if err := e.Run(ctx, &shown, "release", "show", id); err != nil {
			return err
		}
		args := append([]string{"release", "approve", id, "--digest", shown.Digest[:12], "--key", o.KeyFile, "--cert", o.CertFile}, e.Secrets()...)
		if err := e.Run(ctx, nil, args...); err != nil {
			return err
		}
	}
	return nil
}

// Export exports the whole line, disclosed, into a new file, and returns its
// path.
func (e *End) Export(ctx context.Context, dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	return path, e.Run(ctx, nil, "record", "export", "--line", e.rig.Line.String(), "--disclose", "--tlp", "RED", "--pap", "RED", "--out", path)
}
