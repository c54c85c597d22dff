package station

import (
	"errors"
	"time"

	"detente/identity"
	"detente/watch"
)

// What the alarms need of rosters and of PROVISIONAL messages.

// onRoster returns the roster in force. Its station is empty where none is kept:
// then every officer of the station counts as on watch.
func (s *Station) onRoster(tx Tx) (watch.Roster, error) {
	r, err := s.roster(tx)
	if errors.Is(err, ErrNoRoster) {
		return watch.Roster{}, nil
	}
	return r, err
}

// confirmations returns which PROVISIONAL messages of a line wait for their
// writer's word, shortly before their time runs out and after, and from when it
// runs as far as that is known. The fold has them as duties too, but not before
// they are receipted.
func (s *Station) confirmations(tx Tx, l identity.Line, now time.Time) (out []watch.Deadline, begun map[string]time.Time, err error) {
	list, err := s.unsettled(tx)
	if err != nil {
		return nil, nil, err
	}
	late, err := s.unsettledLate(tx)
	if err != nil {
		return nil, nil, err
	}
	begun = make(map[string]time.Time)
	for i, u := range append(late, list...) {
		o, err := identity.ParseOrigin(u.Log)
		if err != nil || o.Line() != l || now.Before(u.Until.Add(-watch.NearDuty)) {
			continue
		}
		if i >= len(late) { // it stays on the list until its time is over, and may have its word by now
			if settled, err := s.settled(tx, u); err != nil || settled {
				if err != nil {
					return nil, nil, err
				}
				continue
			}
		}
		ref := s.Cite(o, u.Index)
		out = append(out, watch.Deadline{Ref: ref, What: "018", By: u.By, At: u.Until, Late: i < len(late)})
		if !u.Since.IsZero() {
			begun[ref] = u.Since
		}
	}
	return out, begun, nil
}
