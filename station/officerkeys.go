package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
)

// maxOfficerKeys is how many certificates of an officer stand on the list, those
// that were ended included: a passkey, a key file and spares, renewed each year of
// a career.
const maxOfficerKeys = 64

// OfficerKey is a certificate by which an officer signs here.
type OfficerKey struct {
	Digest  identity.Digest // of the certificate's bytes
	Says    identity.Certificate
	Revoked bool // it serves no more, and never again
}

// with returns the officer with a certificate besides those already listed, as
// the one that was last enrolled. Listing one again changes no other.
func (o Officer) with(certificate []byte) (Officer, error) {
	sum := identity.Sum(certificate)
	if slices.Contains(o.Barred, sum) {
		return o, fmt.Errorf("%w: this certificate of %s was revoked: the agency issues another", ErrConflict, o.Pseudonym)
	}
	others := slices.DeleteFunc(append(slices.Clone(o.Others), o.Certificate), func(c []byte) bool {
		return len(c) == 0 || identity.Sum(c) == sum
	})
	if len(others) >= maxOfficerKeys {
		return o, fmt.Errorf("%w: %s has %d certificates on the list already, those that were ended included: the agency issues the next one under another pseudonym", ErrConflict, o.Pseudonym, len(others))
	}
	o.Others, o.Certificate, o.Revoked = others, certificate, time.Time{}
	return o, nil
}

// ended returns the officer with a certificate that never serves again.
func (o Officer) ended(sum identity.Digest) Officer {
	if !slices.Contains(o.Barred, sum) {
		o.Barred = append(slices.Clone(o.Barred), sum)
	}
	return o
}

// all returns the officer's certificates, the one that was last enrolled first.
func (o Officer) all() [][]byte {
	list := append(slices.Clone(o.Others), o.Certificate)
	slices.Reverse(list)
	return list
}

// serves reports whether a certificate on the list still does.
func (o Officer) serves() bool {
	return slices.ContainsFunc(o.all(), func(c []byte) bool { return !slices.Contains(o.Barred, identity.Sum(c)) })
}

// OfficerKeys lists the certificates of an officer, the one that was last
// enrolled first. An officer who is not listed is ErrNotFound.
func (s *Station) OfficerKeys(ctx context.Context, actor Actor, pseudonym string) ([]OfficerKey, error) {
	if err := actor.must("see an officer's keys", RoleOperator, RoleRead); err != nil {
		return nil, s.denied(ctx, actor, "officer keys", err)
	}
	var o Officer
	err := s.store.View(ctx, func(tx Tx) (err error) {
		o, err = tx.Officer(pseudonym)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("officer %s: %w: see `detente officer list`", pseudonym, err)
	}
	var list []OfficerKey
	for _, note := range o.all() {
		says, err := s.openOwn(note)
		if err != nil {
			return nil, fmt.Errorf("internal error: stored certificate of %s: %w", pseudonym, err)
		}
		sum := identity.Sum(note)
		list = append(list, OfficerKey{sum, says, slices.Contains(o.Barred, sum)})
	}
	return list, nil
}

// openOwn opens a certificate by any key that this station's agency has had: those
// of its earlier years stay readable.
func (s *Station) openOwn(note []byte) (cert identity.Certificate, err error) {
	own := s.own.Load()
	for _, a := range own.Agencies {
		if cert, err = identity.OpenCertificate(own.Agency.Agency, a.Key, note); err == nil {
			return cert, nil
		}
	}
	return cert, err
}

// EnrolKey puts another certificate on the list of an officer who is listed, and
// leaves the others as they are: a passkey beside a key file, or the next year's.
// One that was revoked, or that is another officer's, is refused. Enrolling one
// again changes nothing.
func (s *Station) EnrolKey(ctx context.Context, actor Actor, now time.Time, pseudonym string, certificate []byte) (OfficerKey, error) {
	const act = "officer key enrol"
	key := OfficerKey{Digest: identity.Sum(certificate)}
	err := actor.must("enrol an officer's key", RoleOperator)
	if err == nil {
		key.Says, err = s.certificateHere(certificate)
	}
	if err == nil && key.Says.Pseudonym != pseudonym {
		err = fmt.Errorf("%w: the certificate is for %s, and not for %s", ErrInvalid, key.Says.Pseudonym, pseudonym)
	}
	if err != nil {
		return OfficerKey{}, s.refused(ctx, now, actor, act, pseudonym, err)
	}
	err = s.update(ctx, now, func(tx Tx) error {
		o, err := tx.Officer(pseudonym)
		if errors.Is(err, ErrNotFound) {
			return fmt.Errorf("officer %s: %w: list the officer first with `detente officer add`", pseudonym, err)
		}
		if err != nil {
			return err
		}
		if !o.Revoked.IsZero() {
			return fmt.Errorf("%w: officer %s was revoked: list the officer again with `detente officer add`", ErrConflict, pseudonym)
		}
		if o, err = o.with(certificate); err != nil {
			return err
		}
		return errors.Join(s.audit(tx, now, actor, act, pseudonym, "done", key.Digest.String()), tx.PutOfficer(o))
	})
	if err != nil {
		return OfficerKey{}, s.refused(ctx, now, actor, act, pseudonym, err)
	}
	return key, nil
}

// RevokeKey ends one certificate of an officer from now on, those approvals by it
// included that wait in the queue; the officer's others go on. It never serves
// again. One that is not on the list may be named too: what the agency issued
// and nobody enrolled would else count. With the last one that served the officer
// is revoked as by RevokeOfficer.
func (s *Station) RevokeKey(ctx context.Context, actor Actor, now time.Time, pseudonym string, sum identity.Digest) error {
	const act = "officer key revoke"
	if err := actor.must("revoke an officer's key", RoleOperator); err != nil {
		return s.refused(ctx, now, actor, act, pseudonym, err)
	}
	err := s.update(ctx, now, func(tx Tx) error {
		o, err := tx.Officer(pseudonym)
		if err != nil {
			return fmt.Errorf("officer %s: %w: see `detente officer list`", pseudonym, err)
		}
		if len(o.Barred) >= 2*maxOfficerKeys && !slices.Contains(o.Barred, sum) {
			return fmt.Errorf("%w: %d certificates of %s were revoked: revoke the officer", ErrConflict, len(o.Barred), pseudonym)
		}
		detail := sum.String()
		if o = o.ended(sum); !o.serves() && o.Revoked.IsZero() {
			o.Revoked, detail = second(now), detail+": the last one, so the officer is revoked"
		}
		return errors.Join(s.audit(tx, now, actor, act, pseudonym, "done", detail), tx.PutOfficer(o))
	})
	if err != nil {
		return s.refused(ctx, now, actor, act, pseudonym, err)
	}
	return nil
}

// certificateHere opens a certificate that is to serve at this station.
func (s *Station) certificateHere(note []byte) (identity.Certificate, error) {
	own := s.own.Load()
	cert, err := identity.OpenCertificate(own.Agency.Agency, own.Agency.Key, note)
	if err != nil {
		return cert, fmt.Errorf("%w: certificate: %w", ErrInvalid, err)
	}
	if cert.Station != s.name {
		return cert, fmt.Errorf("%w: the certificate is for the station %s, and this is %s", ErrInvalid, cert.Station, s.name)
	}
	return cert, nil
}
