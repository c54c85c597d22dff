package station

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"detente/identity"
	"detente/watch"
)

// Watch is how a station keeps watch by itself. The zero value computes alarms
// of what the station knows, and tells nobody but those who follow its events.
type Watch struct {
	Tests   bool         // lines are tested by their schedules
	Digests bool         // both sides' states are compared each day
	Alarms  watch.Config // how alarms behave
	// Disk says how many bytes of the store's disk are free, of how many. If
	// nil, the disk is not looked at.
	Disk func() (free, size int64, err error)
	// Others says what is wrong that a station cannot see. It must give a
	// condition the same beginning each time. If nil, nothing is.
	Others  func(now time.Time) []watch.Condition
	Outlets Outlets // If nil, nothing leaves the station.
}

// watching is a station's watch under way. All of it but the configuration can
// be made anew from the store.
type watching struct {
	Watch              // immutable
	told  atomic.Int64 // counts what was stored of notices
	spare atomic.Int64 // told, as of which none waited for an outlet; below zero: not looked at

	mu       sync.Mutex // guards the fields below; held over the store, in which nobody waits for it
	loaded   bool
	state    watch.Alarms
	standing map[watch.Key]time.Time // since when each alarm of state stands
	last     []watch.Condition
	posts    watch.Posts
	facts    map[identity.Line]*lineFacts
	guards   map[identity.Line]time.Time // since when a guard has not passed
	people   *peopleLook
	duties   map[identity.Line]*dutyLook
	cuts     map[identity.Line]*cutFold // while a comparison needs them
}

func newWatching(w *Watch) *watching {
	if w == nil {
		return nil
	}
	out := &watching{Watch: *w}
	out.spare.Store(-1)
	out.forget()
	return out
}

// forget drops what is known, so that it is read anew. It is called with mu
// held.
func (w *watching) forget() {
	w.loaded, w.state, w.last, w.facts, w.guards = false, watch.Alarms{}, nil, make(map[identity.Line]*lineFacts), make(map[identity.Line]time.Time)
	w.standing, w.people, w.duties = nil, newPeopleLook(), make(map[identity.Line]*dutyLook)
	w.cuts = make(map[identity.Line]*cutFold)
}

// take keeps a state. It is called with mu held.
func (w *watching) take(state watch.Alarms) {
	w.loaded, w.state = true, state
	w.standing = make(map[watch.Key]time.Time, len(state.Alarms))
	for _, a := range state.Alarms {
		if a.Stands() {
			w.standing[a.Key] = a.Since
		}
	}
}

// alarmsKey is where the store keeps the state of the alarms.
const alarmsKey = "alarms"

// alarmState reads the state from the store.
func alarmState(tx Tx, c watch.Config) (watch.Alarms, error) {
	text, err := tx.Setting(alarmsKey)
	if err != nil || text == nil {
		return watch.Alarms{}, err
	}
	state, err := watch.ParseAlarms(text, c)
	if err != nil {
		return state, fmt.Errorf("internal error: stored alarms: %w", err)
	}
	return state, nil
}

// keepWatch raises and clears alarms and sends the line tests that are due. It
// writes nothing while nothing changes.
func (s *Station) keepWatch(ctx context.Context, now time.Time) error {
	w := s.watching
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	quiet := false
	err := s.store.View(ctx, func(tx Tx) (err error) {
		if err := s.look(ctx, tx, now); err != nil {
			return err
		}
		quiet, err = s.quiet(tx, now)
		return err
	})
	if err == nil && !quiet {
		_, err = s.stepWatch(ctx, now, nil)
	}
	if err != nil {
		return fmt.Errorf("alarms: %w", err)
	}
	return nil
}

// quiet reports whether a step would change nothing: no entry is new, no test
// is due, the same conditions hold, and no timer has run out. It is called with
// the watch's mu held.
func (s *Station) quiet(tx Tx, now time.Time) (bool, error) {
	w := s.watching
	if !w.loaded {
		return false, nil
	}
	if due := w.state.Due(w.Alarms); !due.IsZero() && !now.Before(due) {
		return false, nil
	}
	rows, err := tx.Lines()
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		f := w.facts[row.Line]
		if f == nil {
			return false, nil
		}
		heads, err := s.lineHeadsOf(tx, row)
		if err != nil || heads != f.heads || f.more || row.State == LineOpen && s.testDue(f, now) {
			return false, err
		}
	}
	conditions, posts, err := s.conditions(tx, rows, now)
	return slices.Equal(conditions, w.last) && samePosts(posts, w.posts), err
}

func samePosts(a, b watch.Posts) bool {
	return slices.Equal(a.On, b.On) && slices.Equal(a.Next, b.Next) && slices.Equal(a.Supervisors, b.Supervisors) && slices.Equal(a.OnCall, b.OnCall)
}

// stepWatch takes one step and stores what came of it, in one transaction. It
// is called with the watch's mu held.
func (s *Station) stepWatch(ctx context.Context, now time.Time, acts []watch.Act) (watch.Consequences, error) {
	w := s.watching
	var next watch.Alarms
	var out watch.Consequences
	var conditions []watch.Condition
	var posts watch.Posts
	err := s.update(ctx, now, func(tx Tx) error {
		if !w.loaded {
			state, err := alarmState(tx, w.Alarms)
			if err != nil {
				return err
			}
			w.take(state)
		}
		rows, err := tx.Lines()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := s.readFacts(tx, row, now); err != nil {
				return fmt.Errorf("line %s: %w", row.Line, err)
			}
			if err := s.sendTest(tx, row, now); err != nil {
				return fmt.Errorf("line %s: test: %w", row.Line, err)
			}
		}
		if conditions, posts, err = s.conditions(tx, rows, now); err != nil {
			return err
		}
		reached := posts
		for _, a := range acts {
			reached.On = s.mayAct(tx, reached.On, a.Officer)
		}
		next, out = w.state.Step(watch.Moment{Now: now, Conditions: slices.Clone(conditions), Acts: acts, Posts: reached}, w.Alarms)
		if err := s.putAlarms(tx, w.state, next); err != nil {
			return err
		}
		if err := s.noteAlarmSteps(tx, now, out); err != nil {
			return err
		}
		return s.queueNotices(tx, now, out.Notices)
	})
	if err != nil {
		w.forget()
		return out, err
	}
	w.take(next)
	w.last, w.posts = conditions, posts
	w.told.Add(1)
	return out, nil
}

// putAlarms stores a state, unless it is the one before but for its second.
func (s *Station) putAlarms(tx Tx, before, next watch.Alarms) error {
	if next.Same(before) {
		return nil
	}
	return tx.PutSetting(alarmsKey, next.Bytes())
}

// noteAlarmSteps writes the audit trail and the events of a step. What only
// repeats is no event: who follows them knows that it stands.
func (s *Station) noteAlarmSteps(tx Tx, now time.Time, out watch.Consequences) error {
	for _, n := range out.Notes {
		actor, result, detail := itself, "done", ""
		if n.Count > 0 {
			detail = strconv.Itoa(n.Count)
		}
		if n.Officer != "" {
			actor = Actor{Name: n.Officer}
		}
		if n.Event == watch.ActRefused {
			result, detail = "refused", n.Reason
		}
		if err := s.audit(tx, now, actor, "alarm "+string(n.Event), keyText(n.Key), result, detail); err != nil {
			return err
		}
	}
	for _, n := range out.Notices {
		if n.Event == watch.Repeated {
			continue
		}
		text := fmt.Sprintf("%s %s %s, %d", n.Event, n.Group.Kind, n.Level, n.Count)
		if len(n.Refs) > 0 {
			text += ": " + strings.Join(n.Refs, " ")
		}
		if err := s.event(tx, now, "alarm", keyText(n.Group), text); err != nil {
			return err
		}
	}
	return nil
}

// keyText names an alarm in one line.
func keyText(k watch.Key) string {
	parts := []string{string(k.Kind)}
	if k.Line != (identity.Line{}) {
		parts = append(parts, k.Line.String())
	}
	if k.Ref != "" {
		parts = append(parts, k.Ref)
	}
	return strings.Join(parts, " ")
}
