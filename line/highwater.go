package line

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoMark says that there is no high-water mark.
var ErrNoMark = errors.New("there is no high-water mark")

// MarkStore keeps the high-water mark, outside the store and its backups.
type MarkStore interface {
	// Load returns what was saved last. It fails with ErrNoMark where nothing
	// ever was, and with ErrMarkDamaged where it cannot be believed.
	Load() (Marks, error)
	// Save makes marks durable in place of what was saved before, all or
	// nothing: after a crash within it Load returns the one or the other.
	Save(marks Marks) error
}

// HighWater is the high-water mark of a running station. It says whether
// anything may be let out: not while the saved mark is more than MarkSlack
// behind what was committed. So one write a second serves any number of
// messages. It is not safe for concurrent use, and does no writing itself:
//
//	commit; w.Raise(now, mark)
//	if !w.MayLetOut(now) { marks, n, _ := w.Unsaved(); store.Save(marks); w.Saved(n, marks.Trail, now) }
//	let out
//
// A mark is raised after the commit that it belongs to, never before: so a
// store behind its mark is a store that was put back.
type HighWater struct {
	marks   map[Direction]Mark
	raised  uint64    // counts changes
	saved   uint64    // the count that was saved
	oldest  time.Time // when the first change after saved was made
	present bool

	trail, savedTrail Trail
}

// LoadHighWater returns the high-water mark that s keeps. An absent one is no
// error: see HighWater.Present.
func LoadHighWater(s MarkStore) (*HighWater, error) {
	w := &HighWater{marks: make(map[Direction]Mark)}
	marks, err := s.Load()
	if errors.Is(err, ErrNoMark) {
		return w, nil
	}
	if err != nil {
		return nil, err
	}
	w.present = true
	for _, m := range marks.Logs {
		w.marks[m.Direction()] = m
	}
	w.trail, w.savedTrail = marks.Trail, marks.Trail
	return w, nil
}

// Present reports whether there was a mark at the start. A new station has
// none, and no line either.
func (w *HighWater) Present() bool { return w.present }

// Mark returns the mark of a direction; false where there is none.
func (w *HighWater) Mark(d Direction) (Mark, bool) {
	m, ok := w.marks[d]
	return m, ok
}

// Raise tells that a commit at now brought a log to m. A mark never falls:
// what lies at or below the present one changes nothing. A line that is opened
// raises a mark of size zero, so that a later start finds one.
func (w *HighWater) Raise(now time.Time, m Mark) error {
	if err := m.check(); err != nil {
		return fmt.Errorf("internal error: %w", err)
	}
	old, ok := w.marks[m.Direction()]
	if ok && !m.Point().Beyond(old.Point()) {
		return nil
	}
	if ok && old.Written != m.Written {
		return fmt.Errorf("internal error: log %s is both written and mirrored here", m.Origin)
	}
	if w.raised == w.saved {
		w.oldest = now
	}
	w.raised++
	w.marks[m.Direction()] = m
	return nil
}

// Trail returns how far the audit trail is known to have come.
func (w *HighWater) Trail() Trail { return w.trail }

// SetTrail notes how far the audit trail has come. It is read of what is
// committed, never of what is about to be: the mark may lag behind the trail, so
// that a trail behind the mark was cut. What is let out does not wait for it.
func (w *HighWater) SetTrail(t Trail) { w.trail = t }

// MayLetOut reports whether checkpoints and cosignatures may leave at now. A
// clock that went back means no.
func (w *HighWater) MayLetOut(now time.Time) bool {
	if w.raised == w.saved {
		return true
	}
	age := now.Sub(w.oldest)
	return age >= 0 && age <= MarkSlack
}

// Unsaved returns all that is to be saved, and a number for Saved. It returns
// false where all is saved.
func (w *HighWater) Unsaved() (marks Marks, number uint64, ok bool) {
	if w.raised == w.saved && w.trail == w.savedTrail {
		return Marks{}, 0, false
	}
	marks.Trail = w.trail
	for _, m := range w.marks {
		marks.Logs = append(marks.Logs, m)
	}
	slices.SortFunc(marks.Logs, func(a, b Mark) int {
		if a.Origin.String() < b.Origin.String() {
			return -1
		}
		return 1
	})
	return marks, w.raised, true
}

// Saved tells that what Unsaved returned with the number, and the trail in it, is
// durable. Unsaved was called at asked; what was raised later counts from then.
func (w *HighWater) Saved(number uint64, trail Trail, asked time.Time) {
	w.savedTrail = trail
	if number <= w.saved || number > w.raised {
		return
	}
	w.saved, w.present = number, true
	w.oldest = asked
}
