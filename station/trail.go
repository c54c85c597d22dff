package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/line"
)

// The audit trail's chain shows a line that was altered or taken out of its
// middle; lines cut off its end leave a chain that is whole. So the high-water
// mark, outside the store and its backups, holds how far the trail had come.
//
// The mark is raised from what a snapshot of the store shows, which holds
// nothing but what is durable, and saved after that: it may lag behind the
// trail, by the lines of the second before a crash, and never leads. A crash at
// any of these steps leaves a trail at or beyond its mark, which is in order.
// The other way round is told: of the lines that a crash loses from the lag
// nobody can tell whether they were cut.

// TrailError says that the audit trail is not the one that the high-water mark
// has seen: a store that was put back has such a trail too.
type TrailError struct {
	Anchored int64 // the lines that it had, by the mark
	Held     int64 // the lines that it has
}

// Error implements error.
func (e *TrailError) Error() string {
	if e.Held < e.Anchored {
		return fmt.Sprintf("the audit trail had %d lines, and has %d: lines %d to %d were cut off, or the store was put back to an older copy", e.Anchored, e.Held, e.Held+1, e.Anchored)
	}
	return fmt.Sprintf("line %d of the audit trail is another one than the high-water mark has seen: the trail was written anew from that line, or one before it, on, or the store was put back to an older copy", e.Anchored)
}

// trail reads how far the audit trail has come. Its error is a *TrailError where
// the trail is not a continuation of what the high-water mark holds.
func (s *Station) trail(ctx context.Context) (line.Trail, error) {
	s.markMu.Lock()
	anchor := s.high.Trail()
	s.markMu.Unlock()
	var now line.Trail
	err := s.store.View(ctx, func(tx Tx) error {
		last, err := tx.LastAudit()
		if err != nil {
			return err
		}
		now = line.Trail{Size: last.Number, Hash: last.Hash}
		if anchor.Size == 0 || now == anchor {
			return nil
		}
		at, err := tx.Audits(anchor.Size, 1)
		if err != nil {
			return err
		}
		if len(at) == 0 || at[0].Number != anchor.Size || at[0].Hash != anchor.Hash {
			return &TrailError{Anchored: anchor.Size, Held: last.Number}
		}
		return nil
	})
	return now, err
}

// noteTrail raises the high-water mark to the audit trail as it is committed, to
// be saved with it. A trail that was cut leaves the mark as it is, and is told
// once in the life of a process, by an event and in the trail itself.
func (s *Station) noteTrail(ctx context.Context, now time.Time) error {
	t, err := s.trail(ctx)
	cut, isCut := errors.AsType[*TrailError](err)
	s.markMu.Lock()
	told := s.trailTold
	s.trailTold = told || isCut
	if err == nil && t.Size > s.high.Trail().Size {
		s.high.SetTrail(t)
	}
	s.markMu.Unlock()
	switch {
	case !isCut:
		return err
	case told:
		return nil
	}
	return s.update(ctx, now, func(tx Tx) error {
		return errors.Join(s.event(tx, now, "alarm", "audit trail", cut.Error()), s.audit(tx, now, itself, "trail", "", "failed", cut.Error()))
	})
}

// acceptTrail lets the mark go on from the trail as it is, once a line of it
// says what is gone: whoever reads it later sees the gap.
func (s *Station) acceptTrail(ctx context.Context, actor Actor, now time.Time, cut *TrailError) error {
	err := s.update(ctx, now, func(tx Tx) error {
		return s.audit(tx, now, actor, "trail", "", "done", "taken as it is: "+cut.Error())
	})
	if err != nil {
		return err
	}
	s.markMu.Lock()
	s.high.SetTrail(line.Trail{})
	s.trailTold = false
	s.markMu.Unlock()
	if err := s.noteTrail(ctx, now); err != nil {
		return err
	}
	return s.SaveMark(now)
}

// checkTrail is what doctor says of the audit trail. With repair a trail that
// was cut is taken as it is.
func (s *Station) checkTrail(ctx context.Context, actor Actor, now time.Time, repair bool) ([]Finding, error) {
	var found []Finding
	if err := s.CheckAudit(ctx); err != nil {
		found = append(found, Finding{Where: "audit trail", What: err.Error(), Repair: "the trail cannot be mended: keep it, and restore a backup beside it to compare"})
	}
	_, err := s.trail(ctx)
	cut, ok := errors.AsType[*TrailError](err)
	if !ok {
		return found, err
	}
	found = append(found, Finding{Where: "audit trail", What: cut.Error(), Repair: "find out why; `detente station doctor --repair` writes into the trail what is missing, and goes on from there"})
	if !repair {
		return found, nil
	}
	return found, s.acceptTrail(ctx, actor, now, cut)
}
