package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/watch"
)

const settingRoster = "watch/roster"

// ErrNoRoster says that no roster was set yet.
var ErrNoRoster = fmt.Errorf("%w: this station has no roster: an operator sets one with `detente roster set FILE`", ErrNotFound)

// RosterView is a roster with what it means at a second.
type RosterView struct {
	Roster   watch.Roster
	On       []watch.Duty
	Next     watch.Handover // the next change of officers; zero: none within four days
	Unlisted []string       // officers of the roster who are not on this station's list, or revoked: their signatures count for nothing
}

// lookAheadRoster is how far the next change of officers is looked for: past a
// weekend on which a desk is not manned.
const lookAheadRoster = 4 * 24 * time.Hour

// roster reads the roster that is in force; ErrNoRoster where there is none.
func (s *Station) roster(tx Tx) (watch.Roster, error) {
	text, err := tx.Setting(settingRoster)
	if err != nil {
		return watch.Roster{}, err
	}
	if text == nil {
		return watch.Roster{}, ErrNoRoster
	}
	return s.desk.roster(text)
}

// Roster returns the roster in force, who is on, and when that changes next.
func (s *Station) Roster(ctx context.Context, actor Actor, now time.Time) (RosterView, error) {
	if err := actor.must("see the roster", RoleWatch, RoleRead, RoleOperator); err != nil {
		return RosterView{}, s.refused(ctx, now, actor, "roster show", "", err)
	}
	var v RosterView
	err := s.update(ctx, now, func(tx Tx) (err error) {
		if v, err = s.rosterView(tx, now); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "roster show", versionOf(v.Roster), "done", "")
	})
	if err != nil {
		return RosterView{}, s.refused(ctx, now, actor, "roster show", "", err)
	}
	return v, nil
}

func (s *Station) rosterView(tx Tx, now time.Time) (RosterView, error) {
	r, err := s.roster(tx)
	if err != nil {
		return RosterView{}, err
	}
	v := RosterView{Roster: r, On: r.On(second(now))}
	if changes := r.Handovers(watch.Span{From: second(now).Add(time.Second), To: second(now).Add(lookAheadRoster)}); len(changes) > 0 {
		v.Next = changes[0]
	}
	for _, o := range r.Officers {
		held, err := tx.Officer(o.Pseudonym)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return v, err
		}
		if err != nil || !held.Revoked.IsZero() {
			v.Unlisted = append(v.Unlisted, o.Pseudonym)
		}
	}
	return v, nil
}

func versionOf(r watch.Roster) string { return fmt.Sprintf("version %d", r.Version) }

// SetRoster puts a roster in force: the first one, or the one with the next
// version. What is wrong with it is refused, all of it named at once.
func (s *Station) SetRoster(ctx context.Context, actor Actor, now time.Time, text []byte) (watch.Roster, error) {
	return s.changeRoster(ctx, actor, now, "roster set", RoleOperator, func(Tx, watch.Roster) (watch.Roster, string, error) {
		next, err := watch.ParseRoster(text)
		return next, "", err
	})
}

// changeRoster puts the roster that change returns in force. before is the zero
// value where there is none yet.
func (s *Station) changeRoster(ctx context.Context, actor Actor, now time.Time, act, role string, change func(tx Tx, before watch.Roster) (next watch.Roster, detail string, err error)) (watch.Roster, error) {
	if err := actor.must("change the roster", role); err != nil {
		return watch.Roster{}, s.refused(ctx, now, actor, act, "", err)
	}
	var next watch.Roster
	err := s.update(ctx, now, func(tx Tx) error {
		before, err := s.roster(tx)
		first := errors.Is(err, ErrNoRoster)
		if err != nil && !first {
			return err
		}
		var detail string
		if next, detail, err = change(tx, before); err != nil {
			return invalid(err)
		}
		if first {
			before = watch.Roster{Station: s.name, Version: next.Version - 1}
		}
		if err := before.CheckChange(next); err != nil {
			return invalid(err)
		}
		if err := s.audit(tx, now, actor, act, versionOf(next), "done", detail); err != nil {
			return err
		}
		return tx.PutSetting(settingRoster, next.Bytes())
	})
	if err != nil {
		return watch.Roster{}, s.refused(ctx, now, actor, act, "", err)
	}
	return next, nil
}

// invalid marks an error as one of the input, unless it has a kind already.
func invalid(err error) error {
	for _, kind := range []error{ErrInvalid, ErrRefused, ErrConflict, ErrNotFound} {
		if errors.Is(err, kind) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrInvalid, err)
}

// AddLeave takes an officer off all desks for a while.
func (s *Station) AddLeave(ctx context.Context, actor Actor, now time.Time, l watch.Leave) (watch.Roster, error) {
	return s.changeRoster(ctx, actor, now, "roster leave", RoleOperator, func(_ Tx, r watch.Roster) (watch.Roster, string, error) {
		if r.Version == 0 {
			return r, "", ErrNoRoster
		}
		r.Version, r.Leave = r.Version+1, append(slices.Clone(r.Leave), l)
		return r, l.Officer, nil
	})
}

// AddOverride lets officers keep a desk for a while in place of what the turns
// say, or besides them.
func (s *Station) AddOverride(ctx context.Context, actor Actor, now time.Time, o watch.Temporary, besides bool) (watch.Roster, error) {
	return s.changeRoster(ctx, actor, now, "roster override", RoleOperator, func(_ Tx, r watch.Roster) (watch.Roster, string, error) {
		if r.Version == 0 {
			return r, "", ErrNoRoster
		}
		r.Version++
		if besides {
			r.Surges = append(slices.Clone(r.Surges), o)
		} else {
			r.Overrides = append(slices.Clone(r.Overrides), o)
		}
		return r, o.Desk + " " + strings.Join(o.Officers, ","), nil
	})
}

// AskSwap asks for the exchange of two shifts. The actor is one of the two
// officers; nothing changes until the other has agreed.
func (s *Station) AskSwap(ctx context.Context, actor Actor, now time.Time, first, second watch.Slot) (watch.Roster, error) {
	return s.changeRoster(ctx, actor, now, "roster swap", RoleWatch, func(_ Tx, r watch.Roster) (watch.Roster, string, error) {
		if r.Version == 0 {
			return r, "", ErrNoRoster
		}
		if actor.Name != first.Officer && actor.Name != second.Officer {
			return r, "", fmt.Errorf("%w: %s asks for a swap of %s and %s: one of the two asks, with a token of one's own", ErrRefused, actor.Name, first.Officer, second.Officer)
		}
		if now.After(first.Begin) || now.After(second.Begin) {
			return r, "", fmt.Errorf("%w: a shift that has begun is no longer swapped: an operator puts it down with `detente roster override`", ErrConflict)
		}
		r.Version++
		r.Swaps = append(slices.Clone(r.Swaps), watch.Swap{First: first, Second: second, Agreed: []string{actor.Name}})
		return r, fmt.Sprintf("swap %d: %s, %s", len(r.Swaps), slotText(first), slotText(second)), nil
	})
}

func slotText(l watch.Slot) string {
	return l.Officer + " " + l.Desk + " " + l.Begin.UTC().Format(time.RFC3339)
}

// AgreeSwap lets the other officer agree to a swap, counted from 1 as the
// roster lists them. From then on it holds.
func (s *Station) AgreeSwap(ctx context.Context, actor Actor, now time.Time, number int) (watch.Roster, error) {
	return s.changeRoster(ctx, actor, now, "roster agree", RoleWatch, func(_ Tx, r watch.Roster) (watch.Roster, string, error) {
		if r.Version == 0 {
			return r, "", ErrNoRoster
		}
		if number < 1 || number > len(r.Swaps) {
			return r, "", fmt.Errorf("%w: the roster has no swap %d: see `detente roster show`", ErrNotFound, number)
		}
		swap := r.Swaps[number-1]
		switch {
		case actor.Name != swap.First.Officer && actor.Name != swap.Second.Officer:
			return r, "", fmt.Errorf("%w: swap %d is between %s and %s: %s has no part in it", ErrRefused, number, swap.First.Officer, swap.Second.Officer, actor.Name)
		case slices.Contains(swap.Agreed, actor.Name):
			return r, "", fmt.Errorf("%w: %s has agreed to swap %d already: the other officer is needed", ErrConflict, actor.Name, number)
		case now.After(swap.First.Begin) || now.After(swap.Second.Begin):
			return r, "", fmt.Errorf("%w: a shift of swap %d has begun: an operator puts it down with `detente roster override`", ErrConflict, number)
		}
		swap.Agreed = append(slices.Clone(swap.Agreed), actor.Name)
		r.Version, r.Swaps = r.Version+1, slices.Clone(r.Swaps)
		r.Swaps[number-1] = swap
		return r, fmt.Sprintf("swap %d", number), nil
	})
}

// Risks returns what will go wrong on watch within a time from now, if the
// roster stays as it is.
func (s *Station) Risks(ctx context.Context, actor Actor, now time.Time, within time.Duration) ([]watch.Risk, error) {
	if err := actor.must("see the roster", RoleWatch, RoleRead, RoleOperator); err != nil {
		return nil, s.refused(ctx, now, actor, "roster risks", "", err)
	}
	var risks []watch.Risk
	err := s.update(ctx, now, func(tx Tx) error {
		r, err := s.roster(tx)
		if err != nil {
			return err
		}
		if risks, err = r.Risks(second(now), second(now.Add(within))); err != nil {
			return invalid(err)
		}
		return s.audit(tx, now, actor, "roster risks", versionOf(r), "done", within.String())
	})
	if err != nil {
		return nil, s.refused(ctx, now, actor, "roster risks", "", err)
	}
	return risks, nil
}

// listedOfficer returns an error unless somebody is on this station's list of
// officers.
func listedOfficer(tx Tx, pseudonym string) error {
	o, err := tx.Officer(pseudonym)
	if err != nil {
		return fmt.Errorf("%w: %s is not on this station's list of officers: see `detente officer list`", ErrInvalid, pseudonym)
	}
	if !o.Revoked.IsZero() {
		return fmt.Errorf("%w: officer %s was revoked", ErrRefused, pseudonym)
	}
	return nil
}

// writer returns the officer in whose name a line of the log book is written:
// the actor; or, where an operator writes it down for somebody, that officer.
func (s *Station) writer(tx Tx, actor Actor, officer string) (string, error) {
	if officer == "" {
		officer = actor.Name
	}
	if officer != actor.Name && !slices.Contains(actor.Roles, RoleOperator) {
		return "", fmt.Errorf("%w: %s may not write in the name of %s: each writes for oneself", ErrRefused, actor.Name, officer)
	}
	return officer, listedOfficer(tx, officer)
}

// openLines returns the stations to which there is a line, in order, each with its
// first line by name that is open.
func (s *Station) openLines(tx Tx) (peers []identity.Station, first map[identity.Station]identity.Line, all []identity.Line, err error) {
	rows, err := tx.Lines()
	if err != nil {
		return nil, nil, nil, err
	}
	slices.SortFunc(rows, func(a, b Line) int { return strings.Compare(a.Line.String(), b.Line.String()) })
	first = make(map[identity.Station]identity.Line)
	for _, row := range rows {
		p := row.Line.Other(s.name)
		if row.OwnEra == 0 {
			continue
		}
		all = append(all, row.Line)
		if _, ok := first[p]; !ok {
			first[p] = row.Line
			peers = append(peers, p)
		}
	}
	return peers, first, all, nil
}
