package station

import (
	"errors"
	"time"

	"detente/identity"
	"detente/watch"
)

// What the alarms need of rosters, contacts, duties and handovers. Each
// function returns the zero value where the station keeps nothing of the kind.

// onRoster returns the roster in force. Its station is empty where none is kept:
// then every officer of the station counts as on watch.
func (s *Station) onRoster(tx Tx) (watch.Roster, error) {
	r, err := s.roster(tx)
	if errors.Is(err, ErrNoRoster) {
		return watch.Roster{}, nil
	}
	return r, err
}

// contacts returns the directory of contacts, as folded from the record.
func (s *Station) contacts(Tx) (watch.Directory, error) { return watch.Directory{}, nil }

// signedSheets returns, by desk, the seconds at which handovers of the last day
// were signed.
func (s *Station) signedSheets(Tx) (map[string][]time.Time, error) { return nil, nil }

// confirmations returns which PROVISIONAL messages of a line are to be confirmed
// and by when, or were not, and when each began to run, by reference.
func (s *Station) confirmations(tx Tx, l identity.Line, _ time.Time) ([]watch.Deadline, map[string]time.Time, error) {
	list, err := s.unsettled(tx)
	if err != nil {
		return nil, nil, err
	}
	late, err := s.unsettledLate(tx)
	if err != nil {
		return nil, nil, err
	}
	var out []watch.Deadline
	for i, u := range append(late, list...) {
		o, err := identity.ParseOrigin(u.Log)
		if err != nil || o.Line() != l {
			continue
		}
		out = append(out, watch.Deadline{Ref: s.Cite(o, u.Index), What: "018", By: u.By, At: u.Until, Late: i < len(late)})
	}
	return out, nil, nil
}
