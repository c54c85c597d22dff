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

// DeskView is how the desks of a line's two ends are manned.
type DeskView struct {
	Line   identity.Line
	Peer   identity.Station
	Own    DeskWord // what this station said of itself last
	Theirs DeskWord // what the counterpart said of itself last
}

// DeskWord is what was said of a desk, and how old that is.
type DeskWord struct {
	Status    string // manned, degraded, unmanned; unknown: nothing is said of it, or not any more
	Languages []string
	Said      time.Time // zero: nothing was ever said
	Until     time.Time
	Age       time.Duration
}

// DesksView is the own desk as the roster has it, and what stands on each line.
type DesksView struct {
	Roster watch.DeskStatus // zero status: there is no roster
	Lines  []DeskView
}

// Desks returns how the desks are manned.
func (s *Station) Desks(ctx context.Context, actor Actor, now time.Time) (DesksView, error) {
	if err := actor.must("see the desks", RoleWatch, RoleRead, RoleOperator); err != nil {
		return DesksView{}, s.refused(ctx, now, actor, "desk show", "", err)
	}
	var v DesksView
	err := s.store.View(ctx, func(tx Tx) error {
		r, err := s.roster(tx)
		if err == nil {
			v.Roster = r.DeskStatus(second(now))
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		rows, err := tx.Lines()
		if err != nil {
			return err
		}
		for _, row := range rows {
			said, _, err := s.record(tx, row, now)
			if err != nil {
				return err
			}
			v.Lines = append(v.Lines, s.deskView(row.Line, plainSaid(said), now))
		}
		return nil
	})
	if err == nil {
		err = s.noted(ctx, now, actor, "desk show", "", "")
	}
	return v, err
}

func (s *Station) deskView(l identity.Line, said []watch.Said, now time.Time) DeskView {
	v := DeskView{Line: l, Peer: l.Other(s.name)}
	v.Own, v.Theirs = deskWord(said, s.name, l, now), deskWord(said, v.Peer, l, now)
	return v
}

func deskWord(said []watch.Said, by identity.Station, l identity.Line, now time.Time) DeskWord {
	d, ok := watch.FoldDesk(said, by, l)
	if !ok {
		return DeskWord{Status: watch.DeskUnknown}
	}
	status, age := d.At(second(now))
	return DeskWord{Status: status, Languages: d.Languages, Said: d.Said, Until: d.Until, Age: age}
}

// DeskByRoster as a status says the desk as the roster has it.
const DeskByRoster = "by-roster"

// SetDesk tells the counterparts of all lines, or of one, how this station's
// desk is manned, in which languages (none: those of the roster) and until when.
// With DeskByRoster as its status the roster says all three.
func (s *Station) SetDesk(ctx context.Context, actor Actor, now time.Time, word watch.DeskStatus, only identity.Line) ([]Outgoing, error) {
	status := word.Status
	if err := actor.must("say how the desk is manned", RoleDraft); err != nil {
		return nil, s.refused(ctx, now, actor, "desk set", status, err)
	}
	var drafts []Draft
	err := s.store.View(ctx, func(tx Tx) error {
		said := word
		said.Until = second(word.Until)
		r, err := s.roster(tx)
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return err
		case status == DeskByRoster && err != nil:
			return err
		case status == DeskByRoster:
			said = r.DeskStatus(second(now))
		case err == nil && len(said.Languages) == 0:
			said.Languages = r.DeskStatus(second(now)).Languages
		}
		if !said.Until.After(second(now)) {
			return fmt.Errorf("%w: until: %s is not ahead: say until when it is so", ErrInvalid, said.Until.Format(time.RFC3339))
		}
		_, _, lines, err := s.openLines(tx)
		if err != nil {
			return err
		}
		if only != (identity.Line{}) {
			lines = slices.DeleteFunc(lines, func(l identity.Line) bool { return l != only })
		}
		for _, l := range lines {
			d, err := deskDraft(l, said)
			if err != nil {
				return err
			}
			drafts = append(drafts, d)
		}
		if len(drafts) == 0 {
			return fmt.Errorf("%w: there is no such line: see `detente line list`", ErrNotFound)
		}
		return nil
	})
	if err != nil {
		return nil, s.refused(ctx, now, actor, "desk set", status, err)
	}
	return s.submitAll(ctx, actor, now, drafts)
}

func deskDraft(l identity.Line, d watch.DeskStatus) (Draft, error) {
	params := map[string]any{"status": d.Status, "until": d.Until.Format(time.RFC3339), "lines": []string{l.String()}}
	if len(d.Languages) > 0 {
		params["languages"] = d.Languages
	}
	values, err := paramValues(params)
	return Draft{Line: l, Format: "024", Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: values}, err
}
