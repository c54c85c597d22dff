package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/identity"
)

// A receipt says that entries are held, not that they were understood: so a
// delivery is verified, stored and cosigned in one transaction, and what it says
// is read in the next one, when the cosignature is on its way. Line.TakenEra and
// Line.TakenSize say up to where the counterpart's logs have been read. Nothing is
// appended to the own log, and nothing more is cosigned, before that has caught
// up: an own entry never says that it has seen what was not read, and a refusal
// stands no later than the first entry that has seen what it refuses.

// unread notes that entries of the counterpart were cosigned and not read yet.
// opened may be nil.
func (s *Station) unread(l identity.Line, opened *lookahead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.lines[l]
	if st == nil {
		return
	}
	st.unread, st.opened = true, opened
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

// Arrived returns a channel that yields when a counterpart's entries were
// receipted and TakeIn has to read them. There is one channel, for one reader.
func (s *Station) Arrived() <-chan struct{} { return s.arrived }

// TakeIn reads what counterparts have delivered since it was last called: it
// opens and judges each entry, fills the tables and answers what cannot be
// accepted. It is called after each answer to a counterpart and after a start; a
// runner does so by Arrived. Where it fails all stays unread, and Tick tries again.
// It is safe for concurrent use, and after a crash goes on where it was.
func (s *Station) TakeIn(ctx context.Context, now time.Time) error {
	var failed error
	for _, l := range s.LineNames() {
		if !s.isUnread(l) {
			continue
		}
		err := s.update(ctx, now, func(tx Tx) error {
			row, err := tx.Line(l)
			if err != nil {
				return err
			}
			return s.readUnread(tx, now, &row)
		})
		if err != nil {
			s.unread(l, nil)
			failed = errors.Join(failed, fmt.Errorf("reading what came on line %s: %w", l, err))
		}
	}
	return failed
}

// isUnread reports whether a line has entries to read, and takes it that they
// will be.
func (s *Station) isUnread(l identity.Line) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.lines[l]
	if st == nil || !st.unread {
		return false
	}
	st.unread = false
	return true
}

// readUnread reads, within a transaction, all that is stored of the counterpart's
// logs and was not read yet, and stores the line's row where there was anything.
func (s *Station) readUnread(tx Tx, now time.Time, row *Line) error {
	quota, read := row.PeerQuota, int64(0)
	for era := max(row.TakenEra, 1); ; era++ {
		o := row.Line.Log(row.Line.Other(s.name), era)
		log, ok, err := tx.Log(o)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		from, end := int64(0), log.Size
		if era == row.TakenEra {
			from = row.TakenSize
		}
		if log.Ended != nil {
			end = min(end, log.Ended.Size)
		}
		if from < end {
			if err := s.readLog(tx, now, row, o, from, end); err != nil {
				return err
			}
			read += end - from
		}
	}
	if read == 0 {
		return nil
	}
	if err := s.comparePeerSeen(tx, now, *row); err != nil {
		return err
	}
	s.heed(row.Line)
	if row.PeerQuota != quota {
		s.touch(row.Line) // the machine may send more, or less
	}
	return tx.PutLine(*row)
}

// readLog reads a range of a counterpart's log.
func (s *Station) readLog(tx Tx, now time.Time, row *Line, o identity.Origin, from, to int64) error {
	s.mu.Lock()
	var opened *lookahead
	if st := s.lines[row.Line]; st != nil {
		opened = st.opened
	}
	s.mu.Unlock()
	for ; from < to; from += healPiece {
		entries, err := tx.Entries(o, from, min(from+healPiece, to))
		if err != nil {
			return err
		}
		for i, sealed := range entries {
			index := from + int64(i)
			in, ok := opened.at(o, index)
			if !ok {
				in = s.open(sealed, false)
			}
			if err := s.takeIn(tx, now, row, o, index, in, true); err != nil {
				return fmt.Errorf("entry %d of %s: %w", index, o, err)
			}
		}
	}
	return nil
}
