package station

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/line"
)

// folds keeps the lines that were asked about folded in memory. Nothing is done
// for it where messages are appended, delivered or receipted: whoever asks takes
// what was committed since from the store. One question is answered at a time.
type folds struct {
	forms dossier.Book // immutable

	mu    sync.Mutex // guards the fields below; taken in Views alone, and never held while a transaction is waited for
	lines map[identity.Line]*Matters
	asked []identity.Line // those of lines, the one asked last at the end
}

// maxFolded is how many messages of all lines are kept folded between two
// questions: four hundred megabytes, at two kilobytes a message. One that a
// dossier hangs on cannot be told from one that it does not without folding it, so what is beyond
// the bound is not thinned out: the lines that were asked longest ago are let go
// and read anew when they are asked again, and one that is too long by itself is
// read for each question. At twenty messages a day from each side and a line test
// an hour, with what answers them, a line comes to this in three years.
const maxFolded = 200_000

// matters asks one line, folded up to what the store holds now, by the receipts
// of the record. What do is given is not to be kept after it returns, and
// nothing in it changed.
func (s *Station) matters(ctx context.Context, l identity.Line, do func(Tx, *Matters) error) error {
	return s.store.View(ctx, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil {
			return fmt.Errorf("line %s: %w", l, err)
		}
		_, err = s.folded(ctx, tx, row, math.MaxInt, func(m *Matters) error {
			m.bare()
			return do(tx, m)
		})
		return err
	})
}

// folded asks one line in a View, folded up to what the store holds, or by so
// many messages more: then more is true and nothing was asked.
func (s *Station) folded(ctx context.Context, tx Tx, row Line, most int, do func(*Matters) error) (more bool, err error) {
	f := &s.folds
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.lines[row.Line]
	f.forget(row.Line) // until it is whole again
	n, err := generation(tx, row.Line)
	if err != nil {
		return false, err
	}
	if m == nil || m.generation != n {
		m = NewMatters(f.forms, s.name)
		m.parse, m.code = s.entries.parse, s.code
		m.generation = n
	}
	if more, err = m.takeSome(ctx, tx, row, most); err != nil {
		return false, err
	}
	if err := s.tellWithheld(tx, row, m); err != nil {
		return false, err
	}
	defer f.keep(row.Line, m)
	if more {
		return true, nil
	}
	return false, do(m)
}

// forget lets go of a line.
func (f *folds) forget(l identity.Line) {
	delete(f.lines, l)
	f.asked = slices.DeleteFunc(f.asked, func(other identity.Line) bool { return other == l })
}

// keep keeps a line, and lets go of those that were asked longest ago where they
// are too much together.
func (f *folds) keep(l identity.Line, m *Matters) {
	if f.lines == nil {
		f.lines = make(map[identity.Line]*Matters)
	}
	f.lines[l], f.asked = m, append(f.asked, l)
	for f.held() > maxFolded {
		f.forget(f.asked[0])
	}
}

// held is how many messages are kept.
func (f *folds) held() (n int) {
	for _, m := range f.lines {
		n += m.Len()
	}
	return n
}

// tellWithheld tells the fold what no record says: that the counterpart, though
// alive, leaves what it was offered without a receipt. It is the alarm of this
// moment, whatever second is asked about, and stands in no digest.
func (s *Station) tellWithheld(tx Tx, row Line, m *Matters) error {
	if row.OwnEra == 0 {
		return nil
	}
	own := row.Line.Log(s.name, max(row.SendEra, 1))
	st, err := s.state(row.Line)
	if err != nil {
		return err
	}
	s.mu.Lock()
	alarms := st.alarms
	s.mu.Unlock()
	from := int64(-1)
	if alarms&line.AlarmWithheld != 0 {
		if from, err = s.acked(tx, own); err != nil {
			return err
		}
	}
	m.withhold(own, from)
	return nil
}

// State folds both logs of a line, as far as its receipts stand in the record.
// Both stations, and an arbiter with an exported record, come to the same.
func (s *Station) State(ctx context.Context, actor Actor, l identity.Line) (state dossier.State, err error) {
	if err := actor.must("see the lines", RoleRead, RoleOperator); err != nil {
		return state, s.denied(ctx, actor, "state", err)
	}
	err = s.matters(ctx, l, func(_ Tx, m *Matters) error {
		state = m.line.Messages()
		return nil
	})
	return state, err
}

// Whole returns where all matters of a line stand as of a second. Both stations
// that hold the same record return the same digest. The caller changes nothing
// in it.
func (s *Station) Whole(ctx context.Context, actor Actor, now time.Time, l identity.Line, at time.Time) (w dossier.Whole, err error) {
	if err := actor.must("see the matters of a line", RoleRead, RoleOperator); err != nil {
		return w, s.refused(ctx, now, actor, "state", l.String(), err)
	}
	err = s.matters(ctx, l, func(_ Tx, m *Matters) error {
		w = m.At(at)
		return nil
	})
	return w, s.looked(ctx, now, actor, "state", l.String(), "as of "+second(at).Format(time.RFC3339), err)
}

// looked notes in the audit trail that matters were looked at, or why not.
func (s *Station) looked(ctx context.Context, now time.Time, actor Actor, act, object, detail string, err error) error {
	if err != nil {
		return s.refused(ctx, now, actor, act, object, err)
	}
	return s.noted(ctx, now, actor, act, object, detail)
}
