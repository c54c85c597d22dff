package station

import (
	"errors"

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

// confirmations returns which PROVISIONAL messages of a line are to be confirmed
// and by when, or were not. The fold has them as duties too, but not before they
// are receipted.
func (s *Station) confirmations(tx Tx, l identity.Line) ([]watch.Deadline, error) {
	list, err := s.unsettled(tx)
	if err != nil {
		return nil, err
	}
	late, err := s.unsettledLate(tx)
	if err != nil {
		return nil, err
	}
	var out []watch.Deadline
	for i, u := range append(late, list...) {
		o, err := identity.ParseOrigin(u.Log)
		if err != nil || o.Line() != l {
			continue
		}
		out = append(out, watch.Deadline{Ref: s.Cite(o, u.Index), What: "018", By: u.By, At: u.Until, Late: i < len(late)})
	}
	return out, nil
}
