package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/identity"
)

// strayLogError says that a card leaves a log without the key that it was
// written with: a log keeps its keys for life, and what was signed under them is
// verified by the newest card.
type strayLogError struct {
	origin  identity.Origin
	dropped bool // the card does not list the log at all
}

func (e *strayLogError) what() string {
	if e.dropped {
		return "the log " + e.origin.String() + " no key, and it is in use"
	}
	return "the log " + e.origin.String() + " another key than the one that it was written with"
}

// Error implements error.
func (e *strayLogError) Error() string { return "this card gives " + e.what() }

// keepsLogs returns a *strayLogError unless a newer card of a peer lists, with
// the keys of the pinned one, every log of it that is in use here: that was
// written, or that a note of succession has announced.
func (s *Station) keepsLogs(tx Tx, pinned *peer, card identity.Card) error {
	rows, err := tx.Lines()
	if err != nil {
		return err
	}
	for _, row := range rows {
		if !row.Line.Has(card.Station) {
			continue
		}
		for era := identity.Era(1); ; era++ {
			o := row.Line.Log(card.Station, era)
			used, err := inUse(tx, o)
			if err != nil {
				return err
			}
			if !used && era > row.PeerEra {
				break
			}
			listed, ok := card.Log(o)
			was, known := pinned.Card.Log(o)
			if used && (!ok || known && !listed.Equal(was)) {
				return &strayLogError{origin: o, dropped: !ok}
			}
		}
	}
	return nil
}

// inUse reports whether anything is kept of a counterpart's log.
func inUse(tx Tx, o identity.Origin) (bool, error) {
	log, ok, err := tx.Log(o)
	if err != nil || ok && (log.Size > 0 || log.PendingSize > 0) {
		return ok, err
	}
	note, err := tx.Setting("succession/" + o.String())
	return note != nil, err
}

// strayCards refuses a card that came over the wire and leaves a log in use
// without its key, with an alarm and a line of the audit trail. The pinned card
// stays in use, and the lines go on by it: what was written under its keys still
// verifies, and a slip at the counterpart's root cuts nobody off.
func (s *Station) strayCards(ctx context.Context, now time.Time, name identity.Station, next identity.Verified, stray *strayLogError) error {
	refusal := fmt.Errorf("%w: card %d of %s: %w: a log keeps its keys for life; have a card endorsed that lists every log so far with its key, and send that", ErrRefused, next.Card.Serial, name, stray)
	err := s.update(ctx, now, func(tx Tx) error {
		text := fmt.Sprintf("a newer card of %s has come and was refused: %s; the card that is pinned stays in use: tell the counterpart", name, stray)
		return s.event(tx, now, "alarm", string(name), text)
	})
	return s.refused(ctx, now, Actor{Name: string(name)}, "cards", string(name), errors.Join(refusal, err))
}
