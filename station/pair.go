package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
)

// decisionConfirm is the decision that an officer signs to confirm a
// counterpart's cards.
const decisionConfirm = "confirm"

// AddPeer takes a counterpart's root and cards, which came by a road of their
// own, and keeps them as "card held". Nothing is trusted by it. Adding the same
// cards again changes nothing; other cards for a confirmed peer put it on hold
// and begin the ceremony anew.
func (s *Station) AddPeer(ctx context.Context, actor Actor, now time.Time, root identity.Root, cards identity.Bundle) (Peer, error) {
	if err := actor.must("add a peer", RoleOperator); err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer add", string(root.Party), err)
	}
	v, err := cards.Verify(root.Key, now)
	if err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer add", string(root.Party), fmt.Errorf("%w: card: %w", ErrInvalid, err))
	}
	if v.Card.Station == s.name {
		return Peer{}, fmt.Errorf("%w: this is the station's own card; add the counterpart's", ErrInvalid)
	}
	row := Peer{Station: v.Card.Station, Bundle: cards.Bytes(), State: PeerHeld, Since: second(now)}
	err = s.update(ctx, now, func(tx Tx) error {
		before, err := tx.Peer(row.Station)
		switch {
		case err == nil && string(before.Bundle) == string(row.Bundle):
			row = before
			return nil
		case err == nil && before.State != PeerHeld && before.State != PeerStopped:
			return fmt.Errorf("%w: %s is paired with other cards: hold it first with `detente peer hold`, then add the new ones and check the digits again", ErrConflict, row.Station)
		case err != nil && !errors.Is(err, ErrNotFound):
			return err
		}
		if err := s.audit(tx, now, actor, "peer add", string(row.Station), "done", v.CardDigest.String()); err != nil {
			return err
		}
		return tx.PutPeer(row)
	})
	if err != nil {
		return Peer{}, err
	}
	return row, s.loadPeer(row)
}

// Digits returns the twelve groups of five digits over both stations' cards.
// Both stations show the same where they hold the same cards.
func (s *Station) Digits(name identity.Station) ([]string, error) {
	p, err := s.peerNamed(name)
	if err != nil {
		return nil, err
	}
	return identity.Digits(s.Own(), p.Verified), nil
}

// Reads says which half of the digits this station reads aloud to a peer: the
// odd groups where its name sorts first, else the even ones. It hears and
// types the other half.
func (s *Station) ReadsOdd(name identity.Station) bool { return s.name < name }

// CheckDigits takes what an officer typed of the half that the counterpart
// read aloud. Where it is right the peer's cards are "digits checked"; a wrong
// one is refused, audited, and changes nothing.
func (s *Station) CheckDigits(ctx context.Context, actor Actor, now time.Time, name identity.Station, typed string) (Peer, error) {
	if err := actor.must("check digits", RoleOperator); err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer digits", string(name), err)
	}
	digits, err := s.Digits(name)
	if err != nil {
		return Peer{}, err
	}
	heard := identity.OddHalf(digits)
	if s.ReadsOdd(name) {
		heard = identity.EvenHalf(digits)
	}
	if err := identity.CheckHalf(heard, typed); err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer digits", string(name), fmt.Errorf("%w: %w", ErrRefused, err))
	}
	return s.changePeer(ctx, now, actor, "peer digits", name, func(_ Tx, p *Peer) error {
		if p.State == PeerHeld || p.State == PeerStopped {
			p.State = PeerDigits
		}
		return nil
	})
}

// PeerRequest returns what an officer signs to confirm a peer's cards.
func (s *Station) PeerRequest(name identity.Station, role string, expires time.Time) (identity.Request, error) {
	p, err := s.peerNamed(name)
	if err != nil {
		return identity.Request{}, err
	}
	r := identity.Request{Body: p.CardDigest, Role: role, Expires: second(expires), Policy: s.own.Load().CardDigest, Decision: decisionConfirm}
	copy(r.ID[:], p.CardDigest[:])
	return r, nil
}

// ConfirmPeer takes an officer's signed confirmation of a peer's cards. The
// officer has to stand on this station's list. The second officer's makes the peer "two-person confirmed": from then on its
// entries are stored and cosigned.
func (s *Station) ConfirmPeer(ctx context.Context, actor Actor, now time.Time, name identity.Station, a identity.Approval) (Peer, error) {
	cert, err := s.verifyApproval(a, now)
	if err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer confirm", string(name), fmt.Errorf("%w: %w", ErrRefused, err))
	}
	want, err := s.PeerRequest(name, a.Request.Role, a.Request.Expires)
	if err != nil {
		return Peer{}, err
	}
	if !a.Request.Equal(want) {
		return Peer{}, s.refused(ctx, now, actor, "peer confirm", string(name), fmt.Errorf("%w: the confirmation was signed for other cards", ErrRefused))
	}
	actor.Name = cert.Pseudonym
	return s.changePeer(ctx, now, actor, "peer confirm", name, func(tx Tx, p *Peer) error {
		if err := s.officerStands(tx, cert, now); err != nil {
			return err
		}
		switch {
		case p.State != PeerDigits && p.State != PeerConfirmed && p.State != PeerProven:
			return fmt.Errorf("%w: %s is %q: check the digits first with `detente peer digits`", ErrConflict, name, p.State)
		case slices.Contains(p.Confirmed, cert.Pseudonym):
			return nil
		}
		p.Confirmed = append(p.Confirmed, cert.Pseudonym)
		if len(p.Confirmed) >= 2 && p.State == PeerDigits {
			p.State = PeerConfirmed
		}
		return nil
	})
}

// HoldPeer stops all lines to a peer: nothing of it is cosigned and nothing is
// sent to it, until its cards, or new ones, go through the ceremony again from
// the digits on.
func (s *Station) HoldPeer(ctx context.Context, actor Actor, now time.Time, name identity.Station) (Peer, error) {
	if err := actor.must("hold a peer", RoleOperator); err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer hold", string(name), err)
	}
	return s.changePeer(ctx, now, actor, "peer hold", name, func(_ Tx, p *Peer) error {
		p.State, p.Confirmed = PeerStopped, nil
		return nil
	})
}

// changePeer changes a peer's row in a transaction with its audit line.
func (s *Station) changePeer(ctx context.Context, now time.Time, actor Actor, act string, name identity.Station, change func(Tx, *Peer) error) (Peer, error) {
	var row Peer
	err := s.update(ctx, now, func(tx Tx) (err error) {
		if row, err = tx.Peer(name); err != nil {
			return fmt.Errorf("station %s: %w: add its card with `detente peer add`", name, err)
		}
		if err := change(tx, &row); err != nil {
			return err
		}
		row.Since = second(now)
		if err := s.audit(tx, now, actor, act, string(name), "done", row.State); err != nil {
			return err
		}
		return tx.PutPeer(row)
	})
	if err != nil {
		return Peer{}, s.refused(ctx, now, actor, act, string(name), err)
	}
	return row, s.loadPeer(row)
}
