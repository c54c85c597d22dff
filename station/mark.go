package station

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/journal/mirror"
	"detente/line"

	"golang.org/x/mod/sumdb/tlog"
)

// marked returns how far a direction of a line was let out by the high-water
// mark; nil where there is no mark.
func (s *Station) marked(l identity.Line, writer identity.Station) *line.Point {
	s.markMu.Lock()
	defer s.markMu.Unlock()
	m, ok := s.high.Mark(line.Direction{Line: l, Writer: writer})
	if !ok {
		return nil
	}
	p := m.Point()
	return &p
}

// markOf returns how far this station has let out cosignatures of a log; the
// zero mark where nothing is said of it.
func (s *Station) markOf(o identity.Origin) mirror.Mark {
	s.markMu.Lock()
	defer s.markMu.Unlock()
	m, ok := s.high.Mark(line.Direction{Line: o.Line(), Writer: o.Writer})
	if ok && m.Origin.Era > o.Era {
		return mirror.Mark{Size: math.MaxInt64} // all of an earlier era was receipted before
	}
	if !ok || m.Origin != o || m.Size == 0 {
		return mirror.Mark{}
	}
	lines := journal.LinesOf(s.mirror.Cosigner.Name(), m.Head)
	return mirror.Mark{Size: m.Size, Root: tlog.Hash(m.Root), Lines: lines, Checkpoint: bytes.TrimSuffix(m.Head, lines)}
}

// raise notes, after the commit, that a log stands at size, and makes sure that
// something of it may be let out now: the saved mark is never more than
// line.MarkSlack behind. Where it cannot be saved, nothing may.
func (s *Station) raise(now time.Time, m line.Mark) error {
	s.markMu.Lock()
	defer s.markMu.Unlock()
	if err := s.high.Raise(now, m); err != nil {
		return err
	}
	if s.high.MayLetOut(now) {
		return nil
	}
	return s.saveMark(now)
}

// raiseOwn notes the newest checkpoint of an own log before it is offered.
func (s *Station) raiseOwn(now time.Time, log journal.Log) error {
	return s.raise(now, line.Mark{Origin: log.Origin, Written: true, Size: log.Size, Root: identity.Digest(log.Root), Head: log.Checkpoint})
}

// raiseGiven notes a cosignature before it is let out.
func (s *Station) raiseGiven(now time.Time, c journal.Cosignature) error {
	head := append(append([]byte{}, c.Checkpoint...), c.Lines...)
	return s.raise(now, line.Mark{Origin: c.Origin, Size: c.Size, Root: identity.Digest(c.Root), Head: head})
}

// SaveMark saves the high-water mark if it has changed. A runner calls it each
// second, and Close at the end.
func (s *Station) SaveMark(now time.Time) error {
	s.markMu.Lock()
	defer s.markMu.Unlock()
	return s.saveMark(now)
}

func (s *Station) saveMark(now time.Time) error {
	marks, number, ok := s.high.Unsaved()
	if !ok {
		return nil
	}
	if err := s.marks.Save(marks); err != nil {
		return fmt.Errorf("saving the high-water mark: %w; nothing is let out until it can be saved", err)
	}
	s.high.Saved(number, marks.Trail, now)
	return nil
}
