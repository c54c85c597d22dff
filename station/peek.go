package station

import (
	"context"
	"fmt"
	"time"

	"detente/message"
)

// Peek says where a message stands and what is known of its receipt, and nothing
// of what it says: who waits for a message has not read it, and a FLASH that was
// only waited for is unread. Where it is unknown the error is ErrNotFound.
func (s *Station) Peek(ctx context.Context, actor Actor, now time.Time, id message.ID) (Read, error) {
	if err := actor.must("see where a message stands", RoleRead); err != nil {
		return Read{}, s.refused(ctx, now, actor, "peek", id.String(), err)
	}
	var r Read
	err := s.update(ctx, now, func(tx Tx) error {
		m, err := tx.MessageByID(id)
		if err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
		if r, err = s.readable(tx, actor, m); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "peek", r.Citation, "done", "")
	})
	if err != nil {
		return Read{}, s.refused(ctx, now, actor, "peek", id.String(), err)
	}
	r.Entry, r.Plain, r.Refs = message.Entry{}, nil, nil
	return r, nil
}
