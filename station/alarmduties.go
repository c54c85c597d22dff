package station

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/watch"
)

// dutyLook is what the alarms know of a line's duties: those that run out soon
// or ran out, as the fold of the line's matters had them when it was asked last.
// It is asked again when something came, or when time brings others near.
type dutyLook struct {
	heads lineHeads
	at    time.Time // when it was asked; zero: it was not yet
	next  time.Time // not before it is asked again; zero: at once
	long  bool      // the line is too long to be kept folded
	whole bool      // due holds; while it does not, what stood stays
	due   []dueSoon
	known map[owedKey]bool
	cites map[message.ID]string
}

// dueSoon is a duty with what is wrong shortly before it lapses, and after.
type dueSoon struct{ near, lapsed watch.Condition }

const (
	// lookAhead is how far ahead duties are asked for, and lookAgain how soon
	// again though nothing came: what becomes near in between is known by then.
	lookAhead = watch.NearDuty + lookAgain
	lookAgain = 30 * time.Minute

	// dutyPage is how many messages more one step folds after a start: a tick of
	// some tenths of a second.
	dutyPage = 5000

	// longPause is how often a line is asked that is too long to be kept folded,
	// and is read for each question.
	longPause = 10 * time.Minute

	// lapsedStands is how long a duty that nobody met is an alarm: a week of
	// shifts has seen it by then. What is older stands in the record for ever, on
	// the screen of the watch and among the obligations, and rings no more.
	lapsedStands = 7 * 24 * time.Hour
)

// look brings what alarms need of the matters and of people up to date. It is
// called with the watch's mu held, in a View. While the clock is unsafe nothing
// is folded by it.
func (s *Station) look(ctx context.Context, tx Tx, now time.Time) error {
	if s.ClockSafe(now) != nil {
		return nil
	}
	rows, err := tx.Lines()
	if err != nil {
		return err
	}
	for _, row := range rows {
		heads, err := s.lineHeadsOf(tx, row)
		if err != nil {
			return err
		}
		if err := errors.Join(s.lookAtPeople(tx, row, heads, now), s.lookAtDuties(ctx, tx, row, heads, now)); err != nil {
			return fmt.Errorf("line %s: %w", row.Line, err)
		}
	}
	return nil
}

// lookAtDuties asks a line's matters what is due, where that may have changed.
func (s *Station) lookAtDuties(ctx context.Context, tx Tx, row Line, heads lineHeads, now time.Time) error {
	w := s.watching
	k := w.duties[row.Line]
	if k == nil {
		k = &dutyLook{}
		w.duties[row.Line] = k
	}
	back := now.Before(k.at)
	if k.whole && !back && (heads == k.heads && now.Before(k.at.Add(lookAgain)) || now.Before(k.next)) {
		return nil
	}
	most := dutyPage
	if k.long {
		most = math.MaxInt
	}
	more, err := s.folded(ctx, tx, row, most, func(m *Matters) error {
		all, err := s.owing(tx, row, m, now, now.Add(lookAhead))
		if err != nil {
			return err
		}
		return k.take(s, tx, row.Line, all, now)
	})
	if err != nil {
		return err
	}
	if k.long = !s.folds.holds(row.Line); k.long {
		k.next = now.Add(longPause)
	}
	if !more {
		k.whole, k.heads, k.at = true, heads, now
	}
	return nil
}

// holds reports whether a line is kept folded.
func (f *folds) holds(l identity.Line) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lines[l] != nil
}

// take keeps what is due. Of two duties that one message would meet the earlier
// is told.
func (k *dutyLook) take(s *Station, tx Tx, l identity.Line, all []dossier.Duty, now time.Time) error {
	before := k.cites
	k.due, k.known, k.cites = nil, make(map[owedKey]bool), make(map[message.ID]string)
	for _, duty := range all {
		if duty.Due.Add(lapsedStands).Before(now) {
			continue
		}
		ref, ok := before[duty.Of]
		if !ok {
			of, err := tx.MessageByID(duty.Of)
			if err != nil {
				return err
			}
			ref = s.Cite(of.Origin, of.Index)
		}
		k.cites[duty.Of] = ref
		d := watch.Deadline{Ref: ref, What: whatMeets(duty), By: duty.By, At: duty.Due}
		if key := (owedKey{d.Ref, d.What, d.By}); !k.known[key] {
			k.known[key] = true
			k.due = append(k.due, soon(l, d, duty.From))
		}
	}
	return nil
}

// soon returns what is wrong about a duty before and after it lapses.
func soon(l identity.Line, d watch.Deadline, begun time.Time) (out dueSoon) {
	from := map[string]time.Time{d.Ref: begun}
	for _, c := range watch.DeadlineConditions(l, []watch.Deadline{d}, from, d.At) {
		out.lapsed = c
	}
	for _, c := range watch.DeadlineConditions(l, []watch.Deadline{d}, from, d.At.Add(-time.Second)) {
		out.near = c
	}
	return out
}

// dutyConditions returns which duties of a line are about to lapse or have
// lapsed; confirmations are those that the station watches for by itself, begun
// from when the time of each runs. While the line is not folded yet, after a start, the alarms that stand stay.
func (s *Station) dutyConditions(l identity.Line, confirmations []watch.Deadline, begun map[string]time.Time, now time.Time) []watch.Condition {
	w := s.watching
	k := w.duties[l]
	if k == nil || !k.whole {
		return w.stood(func(key watch.Key) bool {
			return key.Line == l && (key.Kind == watch.DutyNear || key.Kind == watch.DutyLapsed)
		})
	}
	var out []watch.Condition
	for _, d := range k.due {
		switch {
		case now.After(d.lapsed.Since): // the second itself is in time
			out = append(out, d.lapsed)
		case d.near.Kind != "" && !now.Before(d.near.Since):
			out = append(out, d.near)
		}
	}
	confirmations = slices.DeleteFunc(confirmations, func(d watch.Deadline) bool { return k.known[owedKey{d.Ref, d.What, d.By}] })
	return append(out, watch.DeadlineConditions(l, confirmations, begun, now)...)
}

// stood returns the conditions of alarms that stand, as they are.
func (w *watching) stood(which func(watch.Key) bool) (out []watch.Condition) {
	for _, a := range w.state.Alarms {
		if a.Stands() && which(a.Key) {
			out = append(out, watch.Condition{Key: a.Key, Level: a.Level, Since: a.Since, Count: a.Count})
		}
	}
	return out
}
