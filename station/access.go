package station

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
)

// TokenPrefix begins every token of the API, so that a scanner finds one that
// was left where it does not belong.
const TokenPrefix = "det_"

// AddToken lets whoever holds a token act as named, with the roles, until a
// time. Only the token's digest is kept.
func (s *Station) AddToken(ctx context.Context, actor Actor, now time.Time, secret string, as Actor, until time.Time) error {
	if err := actor.must("add a token", RoleOperator); err != nil {
		return s.refused(ctx, now, actor, "token add", as.Name, err)
	}
	if !strings.HasPrefix(secret, TokenPrefix) || len(secret) < len(TokenPrefix)+32 {
		return s.refused(ctx, now, actor, "token add", as.Name, fmt.Errorf("%w: a token begins with %s and has at least 32 random characters after it", ErrInvalid, TokenPrefix))
	}
	t := Token{Digest: identity.Sum([]byte(secret)), Actor: as.Name, Roles: as.Roles, Until: second(until)}
	err := s.update(ctx, now, func(tx Tx) error {
		if err := s.audit(tx, now, actor, "token add", as.Name, "done", strings.Join(as.Roles, ",")); err != nil {
			return err
		}
		return tx.PutToken(t)
	})
	s.forgetTokens()
	return err
}

// forgetTokens has every token looked up anew. It follows each writing of one.
func (s *Station) forgetTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
	s.forgot++
}

// Tokens lists the tokens that were given out, by whom they stand for. Of a
// token itself nothing is known but its digest.
func (s *Station) Tokens(ctx context.Context, actor Actor) ([]Token, error) {
	if err := actor.must("see the tokens", RoleOperator); err != nil {
		return nil, err
	}
	var list []Token
	err := s.store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Tokens()
		return err
	})
	slices.SortFunc(list, func(a, b Token) int {
		return cmp.Or(strings.Compare(a.Actor, b.Actor), a.Until.Compare(b.Until))
	})
	return list, err
}

// RevokeTokens ends all tokens that stand for somebody, and returns how many
// held until now. Where none was ever given out it is ErrNotFound.
func (s *Station) RevokeTokens(ctx context.Context, actor Actor, now time.Time, name string) (n int, err error) {
	if err := actor.must("revoke a token", RoleOperator); err != nil {
		return 0, s.refused(ctx, now, actor, "token revoke", name, err)
	}
	err = s.update(ctx, now, func(tx Tx) error {
		list, err := tx.Tokens()
		if err != nil {
			return err
		}
		n = 0
		known := false
		for _, t := range list {
			if t.Actor != name {
				continue
			}
			known = true
			if t.Revoked || !now.Before(t.Until) {
				continue
			}
			t.Revoked = true
			n++
			if err := tx.PutToken(t); err != nil {
				return err
			}
		}
		if !known {
			return fmt.Errorf("%w: no token stands for %q: see `detente token list`", ErrNotFound, name)
		}
		return s.audit(tx, now, actor, "token revoke", name, "done", fmt.Sprintf("%d tokens", n))
	})
	s.forgetTokens()
	return n, err
}

// Authenticate returns the actor whose token secret is. One that is unknown,
// revoked or past its time is ErrRefused, and the attempt is audited.
func (s *Station) Authenticate(ctx context.Context, now time.Time, secret string) (Actor, error) {
	digest := identity.Sum([]byte(secret))
	s.mu.Lock()
	t, known := s.tokens[digest]
	forgot := s.forgot
	s.mu.Unlock()
	var err error
	if !known {
		err = s.store.View(ctx, func(tx Tx) (err error) {
			t, err = tx.Token(digest)
			return err
		})
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return Actor{}, s.refused(ctx, now, Actor{Name: "unknown"}, "sign in", "", fmt.Errorf("%w: this token is not known here", ErrRefused))
	case err != nil:
		return Actor{}, err
	case !t.valid(now):
		return Actor{}, s.refused(ctx, now, Actor{Name: t.Actor}, "sign in", "", fmt.Errorf("%w: the token of %s has ended; ask the operator for a new one", ErrRefused, t.Actor))
	}
	if !known {
		s.mu.Lock()
		if s.forgot == forgot { // else it may have been revoked since it was read
			s.tokens.keep(t)
		}
		s.mu.Unlock()
	}
	return Actor{Name: t.Actor, Roles: t.Roles}, nil
}

// knownTokens are the tokens that have signed in since they last changed, so
// that not every call of the API asks the store. All writing of tokens forgets
// them.
type knownTokens map[identity.Digest]Token

// maxKnownTokens bounds them; a station has a token an officer and program.
const maxKnownTokens = 1024

// keep remembers a token.
func (k knownTokens) keep(t Token) {
	if len(k) >= maxKnownTokens {
		clear(k)
	}
	k[t.Digest] = t
}

// valid reports whether a token lets its holder in.
func (t Token) valid(now time.Time) bool { return !t.Revoked && now.Before(t.Until) }

// AddOfficer puts an officer's certificate on this station's list. name is
// known to this station only.
func (s *Station) AddOfficer(ctx context.Context, actor Actor, now time.Time, name string, certificate []byte) (Officer, error) {
	if err := actor.must("add an officer", RoleOperator); err != nil {
		return Officer{}, s.refused(ctx, now, actor, "officer add", name, err)
	}
	cert, err := s.certificateHere(certificate)
	if err != nil {
		return Officer{}, s.refused(ctx, now, actor, "officer add", name, err)
	}
	o := Officer{Pseudonym: cert.Pseudonym, Name: name}
	err = s.update(ctx, now, func(tx Tx) error {
		before, err := tx.Officer(o.Pseudonym)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case before.Name != name:
			return fmt.Errorf("%w: the pseudonym %s belongs to another officer: one pseudonym is one person", ErrConflict, o.Pseudonym)
		default:
			o = before
		}
		if o, err = o.with(certificate); err != nil {
			return err
		}
		if err := s.audit(tx, now, actor, "officer add", o.Pseudonym, "done", strings.Join(cert.Roles, ",")); err != nil {
			return err
		}
		return tx.PutOfficer(o)
	})
	if err != nil {
		return Officer{}, s.refused(ctx, now, actor, "officer add", o.Pseudonym, err)
	}
	return o, nil
}

// RevokeOfficer ends an officer's approvals at this station from now on, those
// included that wait in the queue. None of the certificates on the list ever
// serves again; the officer may, with another one.
func (s *Station) RevokeOfficer(ctx context.Context, actor Actor, now time.Time, pseudonym string) error {
	if err := actor.must("revoke an officer", RoleOperator); err != nil {
		return s.refused(ctx, now, actor, "officer revoke", pseudonym, err)
	}
	err := s.update(ctx, now, func(tx Tx) error {
		o, err := tx.Officer(pseudonym)
		if err != nil {
			return fmt.Errorf("officer %s: %w", pseudonym, err)
		}
		if o.Revoked.IsZero() {
			o.Revoked = second(now)
			for _, c := range o.all() {
				o = o.ended(identity.Sum(c))
			}
		}
		if err := s.audit(tx, now, actor, "officer revoke", pseudonym, "done", ""); err != nil {
			return err
		}
		return tx.PutOfficer(o)
	})
	if err != nil {
		return s.refused(ctx, now, actor, "officer revoke", pseudonym, err)
	}
	return nil
}

// Officers lists the officers of this station.
func (s *Station) Officers(ctx context.Context, actor Actor) ([]Officer, error) {
	if err := actor.must("see the officers", RoleOperator, RoleRead); err != nil {
		return nil, s.denied(ctx, actor, "officers", err)
	}
	var list []Officer
	err := s.store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Officers()
		return err
	})
	return list, err
}

// Peers lists the stations whose cards are held.
func (s *Station) Peers(ctx context.Context, actor Actor) ([]Peer, error) {
	if err := actor.must("see the peers", RoleOperator, RoleRead); err != nil {
		return nil, s.denied(ctx, actor, "peers", err)
	}
	var list []Peer
	err := s.store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Peers()
		return err
	})
	return list, err
}
