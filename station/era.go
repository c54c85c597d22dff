package station

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
	"detente/message"

	"golang.org/x/mod/sumdb/tlog"
)

// Reasons for which an era ends, as entry 0 of the next states them.
const (
	EraByChoice   = "choice"
	EraCompromise = "compromise"
	EraByLoss     = "loss"
)

// emptyRoot is the root of a tree without entries (RFC 6962, section 2.1).
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// OpenEra ends this station's log of a line and opens the next, with the card
// that endorses its keys. A note signed by the new log's keys says in clear
// where the old log ends; entry 0 of the new one repeats it. Up to its end the
// old log is still delivered and cosigned. Its caller backs the store up at
// once: a copy from before the opening knows nothing of the note.
func (s *Station) OpenEra(ctx context.Context, actor Actor, now time.Time, l identity.Line, reason string, cards identity.Bundle, root identity.PublicKey, key identity.PrivateKey) error {
	if err := actor.must("open an era", RoleOperator); err != nil {
		return s.refused(ctx, now, actor, "era open", l.String(), err)
	}
	if err := s.ClockSafe(now); err != nil {
		return s.refused(ctx, now, actor, "era open", l.String(), err) // a note of succession carries a second
	}
	next, err := cards.Verify(root, now)
	if err != nil {
		return s.refused(ctx, now, actor, "era open", l.String(), fmt.Errorf("%w: the new card: %w", ErrInvalid, err))
	}
	own := s.Own()
	if !next.Card.Cosigner.Equal(own.Card.Cosigner) {
		return s.refused(ctx, now, actor, "era open", l.String(), fmt.Errorf("%w: the new card lists another cosigner key than this station's, and receipts given so far would no longer verify: have a card endorsed with the key that it has", ErrInvalid))
	}
	if next.Card.Station != s.name || next.Card.Serial < own.Card.Serial || next.Card.Serial == own.Card.Serial && next.CardDigest != own.CardDigest {
		return s.refused(ctx, now, actor, "era open", l.String(), fmt.Errorf("%w: the new card must be of %s with a serial above %d, or the card that the station has", ErrInvalid, s.name, own.Card.Serial))
	}
	p, err := s.peerOf(l)
	if err != nil {
		return err
	}
	before := s.own.Load()
	var fresh identity.Origin
	err = s.update(ctx, now, func(tx Tx) (err error) {
		s.own.Store(&ownCards{next, cards}) // entry 0 names the new card
		fresh, err = s.endEra(tx, now, actor, l, reason, next, cards, key, p)
		if err != nil || trying(ctx) {
			s.own.Store(before) // before the next transaction looks
		}
		return err
	})
	if err != nil {
		s.own.Store(before)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.Logs[fresh] = key
	st := s.lines[l]
	st.pending, st.quota = nil, 0
	st.own = guardState{reason: notAsked, asked: now}
	return s.addSigner(fresh, key)
}

// NextLog returns the log that OpenEra would begin on a line.
func (s *Station) NextLog(ctx context.Context, actor Actor, l identity.Line) (o identity.Origin, err error) {
	if err := actor.must("open an era", RoleOperator); err != nil {
		return o, s.denied(ctx, actor, "era open", err)
	}
	err = s.store.View(ctx, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil {
			return fmt.Errorf("line %s: %w", l, err)
		}
		o = l.Log(s.name, row.OwnEra+1)
		return nil
	})
	return o, err
}

// endEra ends a line's log, signs the note of succession, and queues entry 0 of
// the next.
func (s *Station) endEra(tx Tx, now time.Time, actor Actor, l identity.Line, reason string, next identity.Verified, cards identity.Bundle, key identity.PrivateKey, p *peer) (identity.Origin, error) {
	row, err := tx.Line(l)
	if err != nil {
		return identity.Origin{}, err
	}
	old, fresh := l.Log(s.name, row.OwnEra), l.Log(s.name, row.OwnEra+1)
	if listed, ok := next.Card.Log(fresh); !ok || !listed.Equal(key.Public()) {
		return fresh, fmt.Errorf("%w: the new card lists no such key for the log %s", ErrInvalid, fresh)
	}
	log, ok, err := tx.Log(old)
	if err != nil {
		return fresh, err
	}
	if !ok {
		log = journal.Log{Origin: old, Own: true, Root: emptyRoot}
	}
	note, err := identity.SignSuccession(key, identity.Succession{Old: old, Size: log.Size, Root: identity.Digest(log.Root), Reason: reason, New: fresh, At: second(now)})
	if err != nil {
		return fresh, err
	}
	log.Ended = &journal.End{Size: log.Size, Root: log.Root}
	if err := errors.Join(tx.PutLog(log), tx.PutSetting("succession/"+fresh.String(), note), tx.PutSetting("own cards", cards.Bytes())); err != nil {
		return fresh, err
	}
	return fresh, s.beginEra(tx, now, actor, row, log, reason, p)
}

// beginEra queues entry 0 of a new log and carries the release policy over.
func (s *Station) beginEra(tx Tx, now time.Time, actor Actor, row Line, old journal.Log, reason string, p *peer) error {
	fresh := row.Line.Log(s.name, row.OwnEra+1)
	policy, err := s.policy(tx, old.Origin)
	if err != nil {
		return err
	}
	terms, err := s.termsOf(tx, old.Origin)
	if err != nil {
		return err
	}
	previous := map[string]any{
		"previous_era": row.OwnEra, "previous_size": old.Size, "previous_root": identity.Digest(old.Root).String(), "previous_reason": reason,
	}
	if m := s.marked(row.Line, s.name); m != nil && m.Era == row.OwnEra && m.Size > old.Size {
		previous["lost"] = fmt.Sprintf("entries %d to %d of era %d were let out and nobody holds them", old.Size, m.Size-1, m.Era)
	}
	opening, err := s.openingBody(now, row.Line, p, terms, previous)
	if err != nil {
		return err
	}
	row.OwnEra++
	row.LastAt = time.Time{} // after a false second the next log begins with a true one
	if err := errors.Join(tx.PutLine(row), tx.PutSetting("policy/"+fresh.String(), policy.Bytes())); err != nil {
		return err
	}
	request, err := s.newID()
	if err != nil {
		return err
	}
	if _, err := s.enqueueOpening(tx, now, opening, request); err != nil {
		return err
	}
	return s.audit(tx, now, actor, "era open", fresh.String(), "done", reason)
}

// Lost returns a head that this station let out on a line and whose entries
// nobody holds: its operator opens the next era, which names it. It returns
// false where there is none.
func (s *Station) Lost(l identity.Line) (line.Point, bool) {
	st, err := s.state(l)
	if err != nil {
		return line.Point{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.own.lost == nil || st.own.passed {
		return line.Point{}, false
	}
	return *st.own.lost, true
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
// the succession notes, in clear.
func (s *Station) announcement(tx Tx, o identity.Origin) ([]byte, error) {
	c := line.Cards{Bundle: s.own.Load().bundle.Bytes()}
	first := identity.Era(2)
	if o.Era > line.MaxSuccessions {
		first = o.Era - line.MaxSuccessions + 1 // earlier notes were taken long ago
	}
	for era := first; era <= o.Era; era++ {
		next := o
		next.Era = era
		note, err := tx.Setting("succession/" + next.String())
		if err != nil {
			return nil, err
		}
		if note != nil {
			c.Successions = append(c.Successions, note)
		}
	}
	return c.Bytes()
}

// cardsFor returns this station's cards and the newest notes of succession of the
// logs that it writes for a peer.
func (s *Station) cardsFor(ctx context.Context, p *peer) ([]byte, error) {
	c := line.Cards{Bundle: s.own.Load().bundle.Bytes()}
	err := s.store.View(ctx, func(tx Tx) error {
		rows, err := tx.Lines()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if !row.Line.Has(p.Card.Station) {
				continue
			}
			for era := identity.Era(2); era <= row.OwnEra; era++ {
				note, err := tx.Setting("succession/" + row.Line.Log(s.name, era).String())
				if err != nil {
					return err
				}
				if note != nil {
					c.Successions = append(c.Successions, note)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.Successions = c.Successions[max(len(c.Successions)-line.MaxSuccessions, 0):]
	return c.Bytes()
}

// handleCards takes a counterpart's newer cards and succession note. A card
// and a note that verify under the pinned root are accepted by the machine.
func (s *Station) handleCards(ctx context.Context, now time.Time, p *peer, r line.Request) (line.Response, error) {
	if len(r.Body) == 0 {
		body, err := s.cardsFor(ctx, p)
		return line.Response{Status: http.StatusOK, Type: line.TypeJSON, Body: body}, err
	}
	c, err := line.ParseCards(r.Body)
	if err != nil {
		return line.Text(http.StatusBadRequest, err.Error()), nil
	}
	cards, err := identity.ParseBundle(c.Bundle)
	if err != nil {
		return line.Text(http.StatusBadRequest, err.Error()), nil
	}
	next, err := cards.Verify(p.Root.Key, now)
	if err != nil {
		return line.Response{}, fmt.Errorf("card: %w", err)
	}
	if next.Card.Station != p.Card.Station || next.Card.Serial < p.Card.Serial {
		return line.Response{}, fmt.Errorf("%w: a card of %s with a serial from %d on is expected", ErrRefused, p.Card.Station, p.Card.Serial)
	}
	if o, forked := identity.CardConflict(p.Card, next.Card); forked {
		return line.Response{}, &contradictionError{
			Contradiction: journal.Contradiction{Kind: journal.ContradictsCards, Who: p.Card.Station, A: p.bundle.Bytes(), B: cards.Bytes()},
			on:            o.Line(), why: fmt.Sprintf("two endorsed cards give the log %s different keys: this is a fork and is kept as proof", o),
		}
	}
	switch {
	case !next.Card.Cosigner.Equal(p.Card.Cosigner):
		return line.Response{}, s.otherCosigner(ctx, now, p, next)
	case next.Card.Serial == p.Card.Serial && !next.Card.Same(p.Card):
		err := fmt.Errorf("%w: another card of %s with the serial %d is in use: have one with a higher serial endorsed", ErrRefused, p.Card.Station, p.Card.Serial)
		return line.Response{}, s.refused(ctx, now, Actor{Name: string(p.Card.Station)}, "cards", string(p.Card.Station), err)
	}
	cards = cards.After(p.bundle) // what officers signed under an earlier agency card stays verifiable
	if bytes.Equal(cards.Bytes(), p.bundle.Bytes()) && len(c.Successions) == 0 {
		return line.Response{Status: http.StatusOK}, nil // nothing new
	}
	var row Peer
	var stray *strayLogError
	err = s.update(ctx, now, func(tx Tx) (err error) {
		if row, err = tx.Peer(p.Card.Station); err != nil {
			return err
		}
		if err := s.keepsLogs(tx, p, next.Card); err != nil {
			return err
		}
		row.Bundle = cards.Bytes()
		if err := tx.PutPeer(row); err != nil {
			return err
		}
		for _, note := range c.Successions {
			if err := s.takeSuccession(tx, now, next, note); err != nil {
				return err
			}
		}
		return s.audit(tx, now, Actor{Name: string(p.Card.Station)}, "cards", string(p.Card.Station), "done", next.CardDigest.String())
	})
	if errors.As(err, &stray) {
		return line.Response{}, s.strayCards(ctx, now, p.Card.Station, next, stray)
	}
	if err != nil {
		return line.Response{}, err
	}
	return line.Response{Status: http.StatusOK}, s.loadPeer(row)
}

// otherCosigner holds all lines with a counterpart whose card lists another
// cosigner key than the one that was confirmed, and returns the refusal. The
// receipts it has given verify under the key that is pinned and under no other.
func (s *Station) otherCosigner(ctx context.Context, now time.Time, p *peer, next identity.Verified) error {
	name := p.Card.Station
	ceremony, err := s.newID()
	if err != nil {
		return err
	}
	refusal := fmt.Errorf("%w: this card of %s lists another cosigner key than the one that was confirmed, under which its receipts verify; its lines are held: a cosigner key is for a station's life", ErrRefused, name)
	var row Peer
	err = s.update(ctx, now, func(tx Tx) (err error) {
		if row, err = tx.Peer(name); err != nil {
			return err
		}
		row.State, row.Resumes, row.Confirmed, row.Ceremony, row.Since = PeerStopped, "", nil, ceremony, second(now)
		text := "a card of " + string(name) + " with another cosigner key has come and was refused: its lines are held until two officers have confirmed its cards: ask the counterpart, by a road of its own, which card is its"
		return errors.Join(tx.PutPeer(row), s.event(tx, now, "alarm", string(name), text),
			s.audit(tx, now, Actor{Name: string(name)}, "cards", string(name), "refused", next.CardDigest.String()+": another cosigner key: "+row.State))
	})
	if err != nil {
		return err
	}
	return errors.Join(refusal, s.changed(row))
}

// takeSuccession notes where a counterpart's log ends and which follows.
func (s *Station) takeSuccession(tx Tx, now time.Time, next identity.Verified, note []byte) error {
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
	if before != nil {
		first, err := identity.OpenSuccession(next.Card, before)
		if err != nil {
			return fmt.Errorf("the succession note for %s that was taken before: %w", n.New, err)
		}
		if first.Old == n.Old && first.Size == n.Size && first.Root == n.Root {
			return nil // the same end, signed once more
		}
		return &contradictionError{
			Contradiction: journal.Contradiction{Kind: journal.ContradictsEnds, Who: next.Card.Station, A: before, B: note},
			on:            n.Old.Line(), why: fmt.Sprintf("another succession note for %s was taken before: two notes with different ends are a fork and are kept as proof", n.New),
		}
	}
	log, ok, err := tx.Log(n.Old)
	if err != nil {
		return err
	}
	if ok {
		if err := s.endAgainst(tx, now, n, note, log); err != nil {
			return err
		}
	}
	if log.PendingSize > n.Size {
		log.Pending, log.PendingSize = nil, 0 // its entries will never come
	}
	log.Origin = n.Old
	log.Ended = &journal.End{Size: n.Size, Root: [32]byte(n.Root)}
	if err := tx.PutLog(log); err != nil {
		return err
	}
	if err := tx.PutSetting(key, note); err != nil || log.Size <= n.Size {
		return err
	}
	row, err := tx.Line(n.Old.Line())
	if err != nil {
		return err
	}
	if err := s.rebuild(tx, now, &row); err != nil {
		return fmt.Errorf("the tables without what is above the end of %s: %w", n.Old, err)
	}
	return tx.PutLine(row)
}

// endAgainst compares the end that a note gives a log with what is held of it.
// An end with another root contradicts. One below what is held does not: entries
// may be lost to their writer, and a counterpart that lied, or was cut off, did
// not give them back. What stands above stays here as evidence and is folded no
// more.
func (s *Station) endAgainst(tx Tx, now time.Time, n identity.Succession, note []byte, log journal.Log) error {
	c := journal.Contradiction{Kind: journal.ContradictsEnds, Who: n.Old.Writer, A: note, B: log.Checkpoint}
	if n.Size > 0 && log.Size >= n.Size {
		root, err := journal.RootAt(tx, n.Old, n.Size)
		if err != nil {
			return err
		}
		if identity.Digest(root) != n.Root {
			return &contradictionError{Contradiction: c, on: n.Old.Line(), why: fmt.Sprintf("the succession note ends %s with another root than the one stored here: both are kept as proof", n.Old)}
		}
	}
	if log.Size <= n.Size {
		return nil
	}
	summary := fmt.Sprintf("%s ended %s at %d, and its entries up to %d are held here", n.Old.Writer, n.Old, n.Size, log.Size)
	return s.putContradiction(tx, now, c, n.Old.Line(), summary)
}

// errNotFollowed says that a counterpart sends an era before the one that comes
// first is held to its end.
var errNotFollowed = errors.New("an earlier era comes first")

// followEra checks that entries of an era may be taken now: those of the era
// that is mirrored, or of one that follows it by notes of succession, each
// log on the way held to its end.
func (s *Station) followEra(tx Tx, row *Line, era identity.Era) error {
	at := s.mirrored(*row)
	at.Era = max(at.Era, 1)
	for ; at.Era < era; at.Era++ {
		next := at
		next.Era++
		note, err := tx.Setting("succession/" + next.String())
		if err != nil {
			return err
		}
		if note == nil {
			return fmt.Errorf("%w: no succession note for %s was taken: send cards and note first", ErrRefused, next)
		}
		old, _, err := tx.Log(at)
		if err != nil {
			return err
		}
		if old.Ended == nil || old.Size < old.Ended.Size {
			return fmt.Errorf("%w: the log %s is not held to its end yet: deliver it first", errNotFollowed, at)
		}
		if err := tx.PutSetting("policy/"+next.String(), s.policyBytes(tx, at)); err != nil {
			return err
		}
	}
	return nil
}

// turnEra notes which of its own logs this station has to deliver, as the
// counterpart's answer says: an earlier one that it does not hold to its end,
// or the next, since this one is done. It reports whether the answer said so.
func (s *Station) turnEra(ctx context.Context, now time.Time, l identity.Line, sent identity.Origin, status int) (turned bool, err error) {
	if status != http.StatusFailedDependency && status != http.StatusGone {
		return false, nil
	}
	err = s.update(ctx, now, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil || row.SendEra > sent.Era {
			return err
		}
		if status == http.StatusGone {
			log, _, err := tx.Log(sent)
			if err != nil || log.Ended == nil {
				return err
			}
			turned, row.SendEra = true, sent.Era+1
			return tx.PutLine(row)
		}
		for earlier := sent; earlier.Era > 1; {
			earlier.Era--
			log, _, err := tx.Log(earlier)
			if err != nil {
				return err
			}
			if log.Size > 0 {
				turned, row.SendEra = true, earlier.Era
				return tx.PutLine(row)
			}
		}
		return nil
	})
	return turned, err
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
