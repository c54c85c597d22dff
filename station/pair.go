package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// decisionConfirm is the decision that an officer signs to confirm a
// counterpart's cards, or that a hold of it is over.
const decisionConfirm = "confirm"

// AddPeer takes a counterpart's root and cards, which came by a road of their
// own, and keeps them as "card held". Nothing is trusted by it. Adding the same
// cards again changes nothing. Other cards for a peer whose cards are in use put
// its lines on hold, with an alarm, and begin the ceremony anew; cards that give
// a log another key than the one it was written with, or none, are refused, and put the
// lines on hold all the same, as are cards with another cosigner key than the one
// under which receipts of the peer are held.
func (s *Station) AddPeer(ctx context.Context, actor Actor, now time.Time, root identity.Root, cards identity.Bundle) (Peer, error) {
	if err := actor.must("add a peer", RoleOperator); err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer add", string(root.Party), err)
	}
	v, err := cards.Verify(root.Key, now)
	if err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer add", string(root.Party), fmt.Errorf("%w: card: %w", ErrInvalid, err))
	}
	if v.Card.Station == s.name {
		return Peer{}, s.refused(ctx, now, actor, "peer add", string(s.name), fmt.Errorf("%w: this is the station's own card; add the counterpart's", ErrInvalid))
	}
	ceremony, err := s.newID()
	if err != nil {
		return Peer{}, err
	}
	row := Peer{Station: v.Card.Station, Bundle: cards.Bytes(), State: PeerHeld, Since: second(now), Ceremony: ceremony}
	var clash error
	err = s.update(ctx, now, func(tx Tx) error {
		before, err := tx.Peer(row.Station)
		if errors.Is(err, ErrNotFound) {
			return errors.Join(s.audit(tx, now, actor, "peer add", string(row.Station), "done", v.CardDigest.String()), tx.PutPeer(row))
		}
		if err != nil {
			return err
		}
		if string(before.Bundle) == string(row.Bundle) && before.State != PeerRemoved {
			row = before
			return nil
		}
		row, clash, err = s.otherCards(tx, now, before, row, v)
		if err != nil {
			return err
		}
		return errors.Join(s.audit(tx, now, actor, "peer add", string(row.Station), "done", v.CardDigest.String()+": "+row.State), tx.PutPeer(row))
	})
	if err == nil {
		err = s.changed(row)
	}
	if err = errors.Join(err, clash); err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer add", string(row.Station), err)
	}
	return row, nil
}

// otherCards returns the row of a peer for which other cards have come, and an
// error besides where they cannot take the place of those that are held.
func (s *Station) otherCards(tx Tx, now time.Time, before, row Peer, v identity.Verified) (Peer, error, error) {
	held, err := pinned(before)
	if err != nil {
		return row, nil, err
	}
	if before.State != PeerHeld {
		if err := s.event(tx, now, "alarm", string(row.Station), "other cards have come for "+string(row.Station)+": its lines are held until two officers have confirmed them"); err != nil {
			return row, nil, err
		}
	}
	if held.Root.Key.Equal(v.Root.Key) {
		old, err := identity.ParseBundle(before.Bundle)
		if err != nil {
			return row, nil, err
		}
		fresh, err := identity.ParseBundle(row.Bundle)
		if err != nil {
			return row, nil, err
		}
		row.Bundle = fresh.After(old).Bytes()
	}
	stop := func(why string) (Peer, error, error) {
		before.State, before.Resumes, before.Confirmed, before.Ceremony, before.Since = PeerStopped, "", nil, row.Ceremony, row.Since
		return before, fmt.Errorf("%w: these cards give %s; its lines are held: ask the counterpart, by a road of its own, which cards are its", ErrRefused, why), nil
	}
	if before.State != PeerHeld && held.Root.Key.Equal(v.Root.Key) && held.Card.Serial == v.Card.Serial && !held.Card.Same(v.Card) {
		return stop(fmt.Sprintf("the serial %d to another card than the one that is in use", v.Card.Serial))
	}
	if !held.Card.Cosigner.Equal(v.Card.Cosigner) {
		if given, err := s.receiptsOf(tx, held.Card); err != nil {
			return row, nil, err
		} else if given {
			return stop("another cosigner key than the one under which receipts of " + string(row.Station) + " are held, and a cosigner key is for a station's life")
		}
	}
	var stray *strayLogError
	if err := s.keepsLogs(tx, &peer{Verified: held}, v.Card); errors.As(err, &stray) {
		return stop(stray.what())
	} else if err != nil {
		return row, nil, err
	}
	return row, nil, nil
}

// receiptsOf reports whether receipts by a peer's card for logs of this station
// are held.
func (s *Station) receiptsOf(tx Tx, card identity.Card) (bool, error) {
	rows, err := tx.Lines()
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if !row.Line.Has(card.Station) {
			continue
		}
		for era := identity.Era(1); era <= row.OwnEra; era++ {
			if _, ok, err := tx.LastCosignature(row.Line.Log(s.name, era), card.CosignerName()); err != nil || ok {
				return ok, err
			}
		}
	}
	return false, nil
}

// pinned returns what the cards of a row say. Their root is the one in the
// bundle, which officers confirmed or are to.
func pinned(row Peer) (identity.Verified, error) {
	b, err := identity.ParseBundle(row.Bundle)
	if err != nil {
		return identity.Verified{}, fmt.Errorf("pinned cards of %s: %w", row.Station, err)
	}
	root, err := identity.ParseRoot(b.Root)
	if err != nil {
		return identity.Verified{}, fmt.Errorf("pinned root of %s: %w", row.Station, err)
	}
	v, err := b.Verify(root.Key, time.Time{})
	if err != nil {
		return v, fmt.Errorf("pinned cards of %s: %w", row.Station, err)
	}
	return v, nil
}

// changed takes a peer's row into memory and lets its lines look at it.
func (s *Station) changed(row Peer) error {
	if err := s.loadPeer(row); err != nil {
		return err
	}
	for _, l := range s.LineNames() {
		if l.Has(row.Station) {
			s.wakeLine(l)
		}
	}
	return nil
}

// Digits returns the twelve groups of five digits over both stations' cards.
// Both stations show the same where they hold the same cards.
func (s *Station) Digits(ctx context.Context, actor Actor, name identity.Station) ([]string, error) {
	if err := actor.must("see the digits", RoleRead, RoleOperator); err != nil {
		return nil, s.denied(ctx, actor, "peer digits", err)
	}
	p, err := s.peerNamed(name)
	if err != nil {
		return nil, err
	}
	return identity.Digits(s.Own(), p.Verified), nil
}

// ReadsOdd says which half of the digits this station reads aloud to a peer: the
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
	pin, err := s.peerNamed(name)
	if err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer digits", string(name), err)
	}
	digits := identity.Digits(s.Own(), pin.Verified)
	heard := identity.OddHalf(digits)
	if s.ReadsOdd(name) {
		heard = identity.EvenHalf(digits)
	}
	if err := identity.CheckHalf(heard, typed); err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer digits", string(name), fmt.Errorf("%w: %w", ErrRefused, err))
	}
	return s.changePeer(ctx, now, actor, "peer digits", name, func(_ Tx, p *Peer) error {
		if p.Ceremony != pin.ceremony {
			return fmt.Errorf("%w: other cards of %s have come meanwhile: read the new digits", ErrConflict, name)
		}
		switch p.State {
		case PeerRemoved:
			return removedAlready(name)
		case PeerHeld, PeerStopped:
			p.State, p.Resumes, p.Confirmed = PeerDigits, "", nil
		}
		return nil
	})
}

// PeerRequest returns what an officer signs to confirm a peer's cards in the
// ceremony under way. Each ceremony has an id of its own, so that what was
// signed in one does not serve in another.
func (s *Station) PeerRequest(ctx context.Context, actor Actor, name identity.Station, role string, expires time.Time) (identity.Request, error) {
	if err := actor.must("see what is to be signed", RoleRead, RoleOperator); err != nil {
		return identity.Request{}, s.denied(ctx, actor, "peer confirm", err)
	}
	return s.peerRequest(name, role, cardItself, expires)
}

// cardItself is what officers sign to confirm a card: its digest.
func cardItself(card identity.Digest) identity.Digest { return card }

// peerRequest is what an officer signs of a peer's card.
func (s *Station) peerRequest(name identity.Station, role string, of func(identity.Digest) identity.Digest, expires time.Time) (identity.Request, error) {
	p, err := s.peerNamed(name)
	if err != nil {
		return identity.Request{}, err
	}
	r := identity.Request{Body: of(p.CardDigest), Role: role, Expires: second(expires), Policy: s.own.Load().CardDigest, Decision: decisionConfirm}
	r.ID = p.ceremony
	return r, nil
}

// ConfirmPeer takes an officer's signed confirmation of a peer's cards. The
// officer has to stand on this station's list. The second officer's makes the
// peer "two-person confirmed": from then on its entries are stored and cosigned.
func (s *Station) ConfirmPeer(ctx context.Context, actor Actor, now time.Time, name identity.Station, a identity.Approval) (Peer, error) {
	return s.signedPeer(ctx, actor, now, "peer confirm", cardItself, name, a, func(p *Peer, officer string) error {
		if p.State != PeerDigits && p.State != PeerConfirmed && p.State != PeerProven {
			return fmt.Errorf("%w: %s is %q: check the digits first with `detente peer digits`%s", ErrConflict, name, p.State, orResume(p))
		}
		if signed(p, officer) && p.State == PeerDigits {
			p.State = PeerConfirmed
		}
		return nil
	})
}

// neededOfficers is how many officers have to sign for a peer.
const neededOfficers = 2

// signed counts an officer's signature for a peer, once, and reports whether as
// many as are needed have signed.
func signed(p *Peer, officer string) bool {
	if !slices.Contains(p.Confirmed, officer) {
		p.Confirmed = append(p.Confirmed, officer)
	}
	return len(p.Confirmed) >= neededOfficers
}

// signedPeer changes a peer by an officer's signed decision in the ceremony under
// way. The officer has to stand on this station's list.
func (s *Station) signedPeer(ctx context.Context, actor Actor, now time.Time, act string, of func(identity.Digest) identity.Digest, name identity.Station, a identity.Approval, change func(p *Peer, officer string) error) (Peer, error) {
	cert, err := s.verifyApproval(a, now)
	if err != nil {
		return Peer{}, s.refused(ctx, now, actor, act, string(name), fmt.Errorf("%w: %w", ErrRefused, err))
	}
	actor.Name = cert.Pseudonym
	want, err := s.peerRequest(name, a.Request.Role, of, a.Request.Expires)
	if err == nil && !a.Request.Equal(want) {
		err = fmt.Errorf("%w: the signature was given for other cards, for something else, or in an earlier ceremony: sign anew", ErrRefused)
	}
	if err == nil && a.Request.Expires.IsZero() {
		err = fmt.Errorf("%w: the signature never expires: give one that does", ErrRefused)
	}
	if err != nil {
		return Peer{}, s.refused(ctx, now, actor, act, string(name), err)
	}
	return s.changePeer(ctx, now, actor, act, name, func(tx Tx, p *Peer) error {
		if err := s.officerStands(tx, a, cert, now); err != nil {
			return err
		}
		if p.Ceremony != want.ID {
			return fmt.Errorf("%w: other cards of %s have come meanwhile", ErrConflict, name)
		}
		return change(p, cert.Pseudonym)
	})
}

// HoldPeer stops all lines to a peer: nothing of it is cosigned and nothing is
// sent to it, until two officers resume it (ResumePeer) or its cards, or new
// ones, go through the ceremony again from the digits on.
func (s *Station) HoldPeer(ctx context.Context, actor Actor, now time.Time, name identity.Station) (Peer, error) {
	if err := actor.must("hold a peer", RoleOperator); err != nil {
		return Peer{}, s.refused(ctx, now, actor, "peer hold", string(name), err)
	}
	ceremony, err := s.newID()
	if err != nil {
		return Peer{}, err
	}
	return s.changePeer(ctx, now, actor, "peer hold", name, func(_ Tx, p *Peer) error {
		if p.State == PeerRemoved {
			return removedAlready(name)
		}
		if p.State == PeerConfirmed || p.State == PeerProven {
			p.Resumes = p.State
		}
		p.State, p.Confirmed, p.Ceremony = PeerStopped, nil, ceremony
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
	return row, s.changed(row)
}

// proven notes that the counterpart has read a line test back as it was sent.
// The peer is "lines proven" once all lines with it are.
func (s *Station) proven(tx Tx, now time.Time, o identity.Origin, b message.Body) error {
	if b.Format != "011" {
		return nil
	}
	good := false
	for _, ref := range b.Refs {
		m, err := tx.MessageByID(ref)
		if errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		test := s.opened(m).Entry.Body.Body()
		good = good || m.Origin.Writer == s.name && m.Origin.Line() == o.Line() && m.Format == "010" && len(b.Params["read_back"]) > 0 && string(b.Params["read_back"]) == string(test.Params["check_groups"])
	}
	if !good {
		return nil
	}
	if err := tx.PutSetting(provenKey(o.Line()), []byte(second(now).Format(time.RFC3339))); err != nil {
		return err
	}
	row, err := tx.Peer(o.Writer)
	if err != nil || row.State != PeerConfirmed {
		return err
	}
	lines, err := tx.Lines()
	if err != nil {
		return err
	}
	for _, l := range lines {
		if at, err := tx.Setting(provenKey(l.Line)); err != nil || at == nil && l.Line.Has(o.Writer) {
			return err
		}
	}
	row.State, row.Since = PeerProven, second(now)
	return errors.Join(s.audit(tx, now, itself, "peer proven", string(o.Writer), "done", o.Line().String()), tx.PutPeer(row))
}

func provenKey(l identity.Line) string { return "proven/" + l.String() }

// unproven takes "lines proven" back: a line was added that nothing has proven.
func (s *Station) unproven(tx Tx, now time.Time, l identity.Line) error {
	row, err := tx.Peer(l.Other(s.name))
	if err != nil || row.State != PeerProven {
		return err
	}
	row.State, row.Since = PeerConfirmed, second(now)
	return tx.PutPeer(row)
}
