package station

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"strings"
	"time"

	"detente/identity"
)

// PeerRemoved is the state word of a counterpart whose cards are trusted no more.
const PeerRemoved = "removed"

// removal is the first person's word that a peer is to be removed.
type removal struct {
	By    string    `json:"by"`
	Until time.Time `json:"until"`
}

func removalKey(name identity.Station) string { return "removing/" + string(name) }

// RemovePeer ends the trust in a counterpart: from then on its keys open no
// connection, and nothing of it is cosigned or sent to. It takes two operators,
// each with a token of their own: the first call returns false, and one of another
// operator in the next ten minutes true. The record stays whole, and proves what it
// proved; the cards, added again, begin the ceremony from the start. While a line to
// it is open a reason has to be given. Removing one that is removed changes nothing.
func (s *Station) RemovePeer(ctx context.Context, actor Actor, now time.Time, name identity.Station, reason string) (removed bool, err error) {
	const act = "peer remove"
	if err := actor.must("remove a peer", RoleOperator); err != nil {
		return false, s.refused(ctx, now, actor, act, string(name), err)
	}
	ceremony, err := s.newID()
	if err != nil {
		return false, err
	}
	var row Peer
	err = s.update(ctx, now, func(tx Tx) (err error) {
		removed = false
		if row, err = tx.Peer(name); err != nil {
			return fmt.Errorf("station %s: %w: see `detente peer list`", name, err)
		}
		if row.State == PeerRemoved {
			removed = true
			return nil
		}
		if err := mayRemove(tx, name, reason); err != nil {
			return err
		}
		first, err := removalOf(tx, name)
		if err != nil {
			return err
		}
		if first.By == "" || first.By == actor.Name || due(now, first.Until, confirmTogether) {
			text, err := json.Marshal(removal{actor.Name, second(now).Add(confirmTogether)}, json.Deterministic(true))
			if err != nil {
				return err
			}
			if err := s.audit(tx, now, actor, act, string(name), "done", strings.TrimSuffix("waits for another operator: "+reason, ": ")); err != nil {
				return err
			}
			return tx.PutSetting(removalKey(name), text)
		}
		removed = true
		row.State, row.Resumes, row.Confirmed, row.Ceremony, row.Since = PeerRemoved, "", nil, ceremony, second(now)
		if err := s.audit(tx, now, actor, act, string(name), "done", strings.TrimSuffix("with "+first.By+": "+reason, ": ")); err != nil {
			return err
		}
		if err := s.event(tx, now, "alarm", string(name), string(name)+" was removed by two operators: its lines are stopped"); err != nil {
			return err
		}
		if err := tx.PutSetting(removalKey(name), nil); err != nil {
			return err
		}
		return tx.PutPeer(row)
	})
	if err != nil {
		return false, s.refused(ctx, now, actor, act, string(name), err)
	}
	if !removed {
		return false, nil
	}
	return true, s.changed(row)
}

// mayRemove returns an error where a line to a peer is open and nobody says why it
// is to be removed all the same.
func mayRemove(tx Tx, name identity.Station, reason string) error {
	rows, err := tx.Lines()
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Line.Has(name) && row.State == LineOpen && strings.TrimSpace(reason) == "" {
			return fmt.Errorf("%w: the line %s is open: say with --reason why its counterpart is removed all the same, or stop it with `detente peer hold %s`", ErrRefused, row.Line, name)
		}
	}
	return nil
}

func removalOf(tx Tx, name identity.Station) (r removal, err error) {
	text, err := tx.Setting(removalKey(name))
	if err != nil || len(text) == 0 {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("internal error: stored removal of %s: %w", name, err)
	}
	return r, nil
}

// removedAlready says what is to be done with a peer that was removed.
func removedAlready(name identity.Station) error {
	return fmt.Errorf("%w: %s was removed: add its cards again with `detente peer add`", ErrConflict, name)
}
