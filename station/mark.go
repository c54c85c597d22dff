package station

import (
	"fmt"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
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

// markSize returns the size up to which this station has let out a cosignature
// of a log; zero where the mark says nothing of it. A mark of a later era says
// that all of an earlier one was.
func (s *Station) markSize(o identity.Origin) int64 {
	p := s.marked(o.Line(), o.Writer)
	if p == nil || p.Era != o.Era {
		return 0
	}
	return p.Size
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
	s.high.Saved(number, now)
	return nil
}
