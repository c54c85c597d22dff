package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
	"detente/watch"
)

// AlarmBoard is what an officer sees of the alarms.
type AlarmBoard struct {
	Alarms   watch.Alarms
	Groups   []watch.Group              // that stand, the gravest first
	Unacked  map[message.Precedence]int // urgent messages that no person has acknowledged
	LastTest map[identity.Line]time.Time
}

// errNoWatch is of a station that was started without a watch.
var errNoWatch = fmt.Errorf("%w: this station keeps no watch", ErrConflict)

// Alarms returns the alarms that stand or ended lately.
func (s *Station) Alarms(ctx context.Context, actor Actor) (AlarmBoard, error) {
	if err := actor.must("see the alarms", RoleRead, RoleOperator); err != nil {
		return AlarmBoard{}, s.denied(ctx, actor, "alarms", err)
	}
	if s.watching == nil {
		return AlarmBoard{}, errNoWatch
	}
	b := AlarmBoard{Unacked: make(map[message.Precedence]int), LastTest: make(map[identity.Line]time.Time)}
	err := s.store.View(ctx, func(tx Tx) (err error) {
		b.Alarms, err = alarmState(tx, s.watching.Alarms)
		return err
	})
	if err != nil {
		return b, err
	}
	b.Groups = b.Alarms.Groups()
	w := s.watching
	w.mu.Lock()
	defer w.mu.Unlock()
	for l, f := range w.facts {
		for _, u := range f.Urgent {
			b.Unacked[u.Level]++
		}
		for _, t := range f.Tests {
			if t.Good && t.Answered.After(b.LastTest[l]) {
				b.LastTest[l] = t.Answered
			}
		}
	}
	return b, nil
}

// AlarmAct says which alarms an officer means: one, or all of its kind and line.
type AlarmAct struct {
	Key     watch.Key
	Group   bool
	Officer string        // by pseudonym; empty: the actor
	Silence time.Duration // zero: an acknowledgement
}

// AcknowledgeAlarm notes that an officer has seen an alarm and deals with it. It
// lapses if the condition still stands after a while; a FLASH needs two
// officers. What is not for the officer to acknowledge, or was already, is
// ErrRefused.
func (s *Station) AcknowledgeAlarm(ctx context.Context, actor Actor, now time.Time, a AlarmAct) error {
	a.Silence = 0
	return s.actOnAlarm(ctx, actor, now, "alarm ack", a)
}

// SilenceAlarm turns the sound of an alarm off for a while, two minutes at most.
// It must sound again before it can be silenced again.
func (s *Station) SilenceAlarm(ctx context.Context, actor Actor, now time.Time, a AlarmAct) error {
	if a.Silence <= 0 || a.Silence > watch.MaxSilence {
		err := fmt.Errorf("%w: an alarm is silenced for up to %s, and not for %s", ErrInvalid, watch.MaxSilence, a.Silence)
		return s.refused(ctx, now, actor, "alarm silence", keyText(a.Key), err)
	}
	return s.actOnAlarm(ctx, actor, now, "alarm silence", a)
}

func (s *Station) actOnAlarm(ctx context.Context, actor Actor, now time.Time, act string, a AlarmAct) error {
	err := actor.must("act on alarms", RoleDraft, RoleOperator)
	if err == nil && s.watching == nil {
		err = errNoWatch
	}
	if a.Officer == "" {
		a.Officer = actor.Name
	}
	if err == nil && a.Officer != actor.Name {
		err = s.store.View(ctx, func(tx Tx) error {
			o, err := tx.Officer(a.Officer)
			if errors.Is(err, ErrNotFound) || err == nil && !o.Revoked.IsZero() && !now.Before(o.Revoked) {
				return fmt.Errorf("%w: %q is no officer of this station: see `detente officer list`", ErrInvalid, a.Officer)
			}
			return err
		})
	}
	if a.Group {
		a.Key.Ref = ""
	}
	if err != nil {
		return s.refused(ctx, now, actor, act, keyText(a.Key), err)
	}
	w := s.watching
	w.mu.Lock()
	out, err := s.stepWatch(ctx, now, []watch.Act{{Officer: a.Officer, At: second(now), Key: a.Key, Group: a.Group, Silence: a.Silence}})
	w.mu.Unlock()
	_, tried := errors.AsType[*TriedError](err)
	if err == nil || tried {
		for _, n := range out.Notes {
			if n.Event == watch.ActRefused && n.Officer == a.Officer {
				err = refusedAct(n)
			}
		}
	}
	if err != nil {
		return s.refused(ctx, now, actor, act, keyText(a.Key), err)
	}
	if actor.Name == a.Officer {
		return nil // the step has noted it under that name
	}
	return s.update(ctx, now, func(tx Tx) error { return s.audit(tx, now, actor, act, keyText(a.Key), "done", "for "+a.Officer) })
}

// refusedAct says why an act was refused, and what helps.
func refusedAct(n watch.Note) error {
	next, kind := "see `detente alarm list`", ErrRefused
	switch n.Reason {
	case "unknown-alarm":
		kind = ErrNotFound
	case "not-entitled":
		next = "it is for those on watch and those whom it has reached: name one with --officer"
	case "already-acknowledged":
		kind, next = ErrConflict, "a FLASH needs another officer"
	case "silenced-before":
		kind, next = ErrConflict, "it must sound once more first"
	}
	return fmt.Errorf("%w: %s: %s", kind, n.Reason, next)
}

// mayAct adds to those on watch an actor who is no officer, where no roster says
// who is.
func (s *Station) mayAct(tx Tx, on []string, name string) []string {
	if r, err := s.onRoster(tx); err != nil || r.Station != "" || slices.Contains(on, name) {
		return on
	}
	return append(slices.Clone(on), name)
}

// Outlets lists the ways by which notices leave the station, and how each does.
func (s *Station) Outlets(ctx context.Context, actor Actor) ([]OutletState, error) {
	if err := actor.must("see the outlets", RoleRead, RoleOperator); err != nil {
		return nil, s.denied(ctx, actor, "outlets", err)
	}
	if s.watching == nil || s.watching.Outlets == nil {
		return nil, nil
	}
	var n notices
	if err := s.store.View(ctx, func(tx Tx) (err error) {
		n, err = readNotices(tx)
		return err
	}); err != nil {
		return nil, err
	}
	var out []OutletState
	for _, o := range s.watching.Outlets.Named() {
		r := n.Outlets[o.Name]
		st := OutletState{OutletName: o, Told: r.Told, Failed: r.Failed, Dropped: r.Dropped, Last: r.Last, Error: r.Error, Tried: r.Tried}
		for _, w := range n.Waiting {
			if w.Outlet == o.Name {
				st.Waiting++
			}
		}
		out = append(out, st)
	}
	return out, nil
}

// TestOutlet is the test button of an outlet: it tells a notice that says that
// nothing happened, once, and returns how that went.
func (s *Station) TestOutlet(ctx context.Context, actor Actor, now time.Time, name string) error {
	err := actor.must("try an outlet", RoleDraft, RoleOperator)
	if err == nil && (s.watching == nil || s.watching.Outlets == nil || !slices.ContainsFunc(s.watching.Outlets.Named(), func(o OutletName) bool { return o.Name == name })) {
		err = fmt.Errorf("%w: there is no outlet %q: see `detente alarm outlet list`", ErrNotFound, name)
	}
	if err != nil {
		return s.refused(ctx, now, actor, "alarm test", name, err)
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	if trying(ctx) {
		return s.update(ctx, now, func(tx Tx) error { return s.audit(tx, now, actor, "alarm test", name, "done", "") })
	}
	if err := s.watching.Outlets.Tell(within, name, Telling{ID: "test-" + id.String(), Outlet: name, At: second(now), Test: true}); err != nil {
		return s.refused(ctx, now, actor, "alarm test", name, err)
	}
	return s.update(ctx, now, func(tx Tx) error {
		n, err := readNotices(tx)
		if err != nil {
			return err
		}
		r := n.Outlets[name]
		r.Tried = second(now)
		n.Outlets[name] = r
		return errors.Join(n.put(tx), s.audit(tx, now, actor, "alarm test", name, "done", ""))
	})
}
