package station

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/journal/mirror"
	"detente/line"
	"detente/message"
)

// Reasons for which an era ends, as entry 0 of the next states them.
const (
	EraByChoice   = "choice"
	EraCompromise = "compromise"
	EraLoss       = "loss"
)

// OpenEra ends this station's log of a line and opens the next, with the card
// that endorses its keys. A note signed by the new log's keys says in clear
// where the old log ends; entry 0 of the new one repeats it. Up to its end the
// old log is still delivered and cosigned. after is the size at which it ends,
// or a negative number for its present size; it cannot lie below what the
// counterpart has cosigned.
func (s *Station) OpenEra(ctx context.Context, actor Actor, now time.Time, l identity.Line, reason string, cards identity.Bundle, root identity.PublicKey, key identity.PrivateKey) error {
	if err := actor.must("open an era", RoleOperator); err != nil {
		return s.refused(ctx, now, actor, "era open", l.String(), err)
	}
	next, err := cards.Verify(root, now)
	if err != nil {
		return s.refused(ctx, now, actor, "era open", l.String(), fmt.Errorf("%w: the new card: %w", ErrInvalid, err))
	}
	if next.Card.Station != s.name || next.Card.Serial <= s.own.Card.Serial {
		return s.refused(ctx, now, actor, "era open", l.String(), fmt.Errorf("%w: the new card must be of %s with a serial above %d", ErrInvalid, s.name, s.own.Card.Serial))
	}
	p, err := s.peerOf(l)
	if err != nil {
		return err
	}
	return s.update(ctx, now, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil {
			return err
		}
		old, fresh := l.Log(s.name, row.OwnEra), l.Log(s.name, row.OwnEra+1)
		listed, ok := next.Card.Log(fresh)
		if !ok || !listed.Equal(key.Public()) {
			return fmt.Errorf("%w: the new card lists no such key for the log %s", ErrInvalid, fresh)
		}
		log, ok, err := tx.Log(old)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: the log %s is empty, there is nothing to end", ErrConflict, old)
		}
		note, err := identity.SignSuccession(key, identity.Succession{Old: old, Size: log.Size, Root: identity.Digest(log.Root), Reason: reason, New: fresh, At: second(now)})
		if err != nil {
			return err
		}
		log.Ended = &journal.End{Size: log.Size, Root: log.Root}
		if err := tx.PutLog(log); err != nil {
			return err
		}
		if err := tx.PutSetting("succession/"+fresh.String(), note); err != nil {
			return err
		}
		if err := tx.PutSetting("own cards", cards.Bytes()); err != nil {
			return err
		}
		return s.beginEra(tx, now, actor, row, log, reason, next, cards, key, p)
	})
}

// beginEra queues entry 0 of a new log and carries the release policy over.
func (s *Station) beginEra(tx Tx, now time.Time, actor Actor, row Line, old journal.Log, reason string, next identity.Verified, cards identity.Bundle, key identity.PrivateKey, p *peer) error {
	fresh := row.Line.Log(s.name, row.OwnEra+1)
	s.mu.Lock()
	s.own, s.bundle = next, cards
	s.keys.Logs[fresh] = key
	err := s.addSigner(fresh, key)
	st := s.lines[row.Line]
	st.pending, st.quota = nil, 0
	s.mu.Unlock()
	if err != nil {
		return err
	}
	policy, err := s.policy(tx, old.Origin)
	if err != nil {
		return err
	}
	terms, err := s.termsOf(tx, old.Origin)
	if err != nil {
		return err
	}
	opening, err := s.openingBody(now, row.Line, p, terms, map[string]any{
		"previous_era": row.OwnEra, "previous_size": old.Size, "previous_root": identity.Digest(old.Root).String(), "previous_reason": reason,
	})
	if err != nil {
		return err
	}
	row.OwnEra++
	row.ListedSize, row.ListedEra, row.HeldSize, row.HeldEra = 0, 0, 0, 0
	if err := tx.PutLine(row); err != nil {
		return err
	}
	if err := tx.PutSetting("policy/"+fresh.String(), policy.Bytes()); err != nil {
		return err
	}
	request, err := s.newID()
	if err != nil {
		return err
	}
	if _, err := s.enqueue(tx, now, opening, request); err != nil {
		return err
	}
	return s.audit(tx, now, actor, "era open", fresh.String(), "done", reason)
}

// termsOf reads the terms that entry 0 of an own log states.
func (s *Station) termsOf(tx Tx, o identity.Origin) (Terms, error) {
	t := DefaultTerms()
	m, err := tx.Message(o, 0)
	if errors.Is(err, ErrNotFound) {
		return t, nil
	} else if err != nil {
		return t, err
	}
	e, err := message.ParseEntry(m.Plain)
	if err != nil {
		return t, err
	}
	return t, readTerms(e.Body.Body(), &t)
}

// announcement is the body with which a new era is announced: the cards and
// the succession note, in clear.
func (s *Station) announcement(tx Tx, o identity.Origin) ([]byte, error) {
	note, err := tx.Setting("succession/" + o.String())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	cards := s.bundle
	s.mu.Unlock()
	c := line.Cards{Bundle: cards.Bytes()}
	if note != nil {
		c.Successions = [][]byte{note}
	}
	return c.Bytes()
}

// handleCards takes a counterpart's newer cards and succession note. A card
// and a note that verify under the pinned root are accepted by the machine.
func (s *Station) handleCards(ctx context.Context, now time.Time, p *peer, r line.Request) (line.Response, error) {
	if len(r.Body) == 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		body, err := line.Cards{Bundle: s.bundle.Bytes()}.Bytes()
		return line.Response{Status: http.StatusOK, Type: line.TypeJSON, Body: body}, err
	}
	c, err := line.ParseCards(r.Body)
	if err != nil {
		return line.Response{}, err
	}
	cards, err := identity.ParseBundle(c.Bundle)
	if err != nil {
		return line.Response{}, err
	}
	next, err := cards.Verify(p.Root.Key, now)
	if err != nil {
		return line.Response{}, fmt.Errorf("card: %w", err)
	}
	if next.Card.Station != p.Card.Station || next.Card.Serial < p.Card.Serial {
		return line.Response{}, fmt.Errorf("%w: a card of %s with a serial from %d on is expected", ErrRefused, p.Card.Station, p.Card.Serial)
	}
	if o, forked := identity.CardConflict(p.Card, next.Card); forked {
		return line.Response{}, fmt.Errorf("%w: two endorsed cards give the log %s different keys: this is a fork and is kept as proof", ErrRefused, o)
	}
	var row Peer
	err = s.update(ctx, now, func(tx Tx) (err error) {
		if row, err = tx.Peer(p.Card.Station); err != nil {
			return err
		}
		row.Bundle = cards.Bytes()
		if err := tx.PutPeer(row); err != nil {
			return err
		}
		for _, note := range c.Successions {
			if err := s.takeSuccession(tx, next, note); err != nil {
				return err
			}
		}
		return s.audit(tx, now, Actor{Name: string(p.Card.Station)}, "cards", string(p.Card.Station), "done", next.CardDigest.String())
	})
	if err != nil {
		return line.Response{}, err
	}
	return line.Response{Status: http.StatusOK}, s.loadPeer(row)
}

// takeSuccession notes where a counterpart's log ends and which follows.
func (s *Station) takeSuccession(tx Tx, next identity.Verified, note []byte) error {
	n, err := identity.OpenSuccession(next.Card, note)
	if err != nil {
		return fmt.Errorf("succession note: %w", err)
	}
	if n.Old.Reader != s.name || n.Old.Writer != next.Card.Station || n.New.Line() != n.Old.Line() || n.New.Era != n.Old.Era+1 {
		return fmt.Errorf("%w: the succession note is for the logs %s and %s, which are not the next on a line here", ErrRefused, n.Old, n.New)
	}
	key := "succession/" + n.New.String()
	before, err := tx.Setting(key)
	if err != nil {
		return err
	}
	if before != nil && string(before) != string(note) {
		return fmt.Errorf("%w: another succession note for %s was taken before: two notes with different ends are a fork", ErrRefused, n.New)
	}
	log, ok, err := tx.Log(n.Old)
	if err != nil {
		return err
	}
	if ok && log.Size > n.Size {
		return &mirror.Conflict{Size: log.Size, Next: log.Size}
	}
	if ok && log.Size == n.Size && identity.Digest(log.Root) != n.Root {
		return fmt.Errorf("%w: the succession note ends %s with another root than the one stored here", ErrRefused, n.Old)
	}
	log.Origin = n.Old
	log.Ended = &journal.End{Size: n.Size, Root: [32]byte(n.Root)}
	if err := tx.PutLog(log); err != nil {
		return err
	}
	return tx.PutSetting(key, note)
}

// followEra checks that entries of an era may be taken now: those of the era
// that is mirrored, or of the next once its note was taken and the one before
// is held to its end.
func (s *Station) followEra(tx Tx, row *Line, era identity.Era) error {
	if era <= max(row.PeerEra, 1) {
		return nil
	}
	if era != row.PeerEra+1 {
		return fmt.Errorf("%w: era %d does not follow era %d", ErrRefused, era, row.PeerEra)
	}
	fresh := row.Line.Log(row.Line.Other(s.name), era)
	note, err := tx.Setting("succession/" + fresh.String())
	if err != nil {
		return err
	}
	if note == nil {
		return fmt.Errorf("%w: no succession note for %s was taken: send cards and note first", ErrRefused, fresh)
	}
	old, _, err := tx.Log(s.mirrored(*row))
	if err != nil {
		return err
	}
	if old.Ended == nil || old.Size < old.Ended.Size {
		return fmt.Errorf("%w: the log %s is not held to its end yet: deliver it first", ErrRefused, s.mirrored(*row))
	}
	return tx.PutSetting("policy/"+fresh.String(), s.policyBytes(tx, s.mirrored(*row)))
}

// policyBytes returns the release policy that a log ends with; an era begins
// under the policy of the one before.
func (s *Station) policyBytes(tx Tx, o identity.Origin) []byte {
	p, err := s.policy(tx, o)
	if err != nil {
		return nil
	}
	return p.Bytes()
}
