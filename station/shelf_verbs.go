package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
)

// ownFormats are those that a station writes or acts on by itself: an edition that
// changed them would need another program. So they are the same in all editions,
// and are judged whatever edition they name: a log opens, its release policy
// counts and an edition is adopted between stations that have none in common yet.
var ownFormats = []string{"001", "002", "003", "005", "006", "010", "011", "018", "022", "034", "035"}

// EditionState is an edition on the shelf, and where it is spoken.
type EditionState struct {
	KeptEdition
	Lines []SpokenOn // by line
}

// SpokenOn is a line on which an edition is, or will be, spoken.
type SpokenOn struct {
	Line identity.Line
	From time.Time // zero: since the log was opened
	Now  bool      // it is the one in which this station writes now
}

// InstallEdition brings a packed edition to the station. It is read once two
// officers have signed it (SignEdition). Nothing is taken that has faults, lacks
// a format for a turn of a matter, or changes what stations write by themselves:
// all that is wrong is told, with its place. Bringing one that is there already
// changes nothing.
func (s *Station) InstallEdition(ctx context.Context, actor Actor, now time.Time, pack []byte) (EditionState, error) {
	const act = "edition install"
	if err := actor.must("install an edition", RoleOperator); err != nil {
		return EditionState{}, s.refused(ctx, now, actor, act, "", err)
	}
	e, err := s.soundEdition(pack)
	if err != nil {
		return EditionState{}, s.refused(ctx, now, actor, act, "", fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	ceremony, err := s.newID()
	if err != nil {
		return EditionState{}, err
	}
	k := KeptEdition{Hash: e.Hash(), Name: e.Name(), State: EditionOffered, Since: second(now), By: actor.Name, Packs: packsOf(e), Ceremony: ceremony}
	err = s.update(ctx, now, func(tx Tx) error {
		list, err := editionList(tx)
		if err != nil {
			return err
		}
		if slices.Contains(list, k.Hash.String()) {
			k, err = settingOf[KeptEdition](tx, editionKey(e.Hash()))
			k.Hash = e.Hash()
			return errors.Join(err, s.audit(tx, now, actor, act, e.Hash().String(), "done", "it is there already: "+k.State))
		}
		if len(list) >= maxEditions {
			return fmt.Errorf("%w: %d editions are kept, and no more are", ErrRefused, maxEditions)
		}
		return errors.Join(s.shelve(tx, k, pack), s.audit(tx, now, actor, act, k.Hash.String(), "done", k.Name+" waits for two officers"))
	})
	if err == nil {
		err = s.loadShelf(ctx)
	}
	if err != nil {
		return EditionState{}, s.refused(ctx, now, actor, act, e.Hash().String(), err)
	}
	return EditionState{KeptEdition: k}, nil
}

// soundEdition opens a packed edition and returns all that is wrong with it.
func (s *Station) soundEdition(pack []byte) (*book.Edition, error) {
	e, err := book.OpenPack(pack)
	if err != nil {
		return nil, err
	}
	if e.Hash() == s.book.Hash() {
		return nil, fmt.Errorf("edition %s is the one in this program: it is read already", e.Name())
	}
	var all []error
	for _, p := range e.Lint() {
		all = append(all, errors.New(p.String()))
	}
	if len(all) == 0 {
		c := e.Cover(dossier.Needs())
		for _, need := range c.Missing {
			all = append(all, errors.New(need.String()))
		}
		for _, p := range c.Faults {
			all = append(all, errors.New(p.String()))
		}
	}
	all = append(all, s.book.Keeps(e, ownFormats...))
	if err := errors.Join(all...); err != nil {
		return nil, fmt.Errorf("edition %s: %w", e.Name(), err)
	}
	return e, nil
}

// EditionRequest returns what an officer signs so that an edition is read here.
func (s *Station) EditionRequest(ctx context.Context, actor Actor, d identity.Digest, role string, expires time.Time) (identity.Request, error) {
	if err := actor.must("see what is to be signed", RoleRead, RoleOperator); err != nil {
		return identity.Request{}, s.denied(ctx, actor, "edition sign", err)
	}
	return s.editionRequest(d, role, expires)
}

func (s *Station) editionRequest(d identity.Digest, role string, expires time.Time) (identity.Request, error) {
	k, ok := s.shelf.find(d)
	if !ok || k.State == EditionProgram {
		return identity.Request{}, fmt.Errorf("edition %s: %w: bring it first with `detente book install`", d, ErrNotFound)
	}
	return identity.Request{ID: k.Ceremony, Body: d, Role: role, Expires: second(expires), Policy: s.own.Load().CardDigest, Decision: decisionConfirm}, nil
}

// SignEdition takes an officer's signature under an edition, who has to stand on
// this station's list. With the second officer's it is installed: what comes in
// it from then on is read, without a restart, beside all that was read before.
func (s *Station) SignEdition(ctx context.Context, actor Actor, now time.Time, d identity.Digest, a identity.Approval) (EditionState, error) {
	const act = "edition sign"
	k, err := s.signEdition(ctx, &actor, now, d, a)
	if err == nil {
		err = s.loadShelf(ctx)
	}
	if err != nil {
		return EditionState{}, s.refused(ctx, now, actor, act, d.String(), err)
	}
	return EditionState{KeptEdition: k}, nil
}

func (s *Station) signEdition(ctx context.Context, actor *Actor, now time.Time, d identity.Digest, a identity.Approval) (k KeptEdition, err error) {
	cert, err := s.verifyApproval(a, now)
	if err != nil {
		return k, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	actor.Name = cert.Pseudonym
	want, err := s.editionRequest(d, a.Request.Role, a.Request.Expires)
	if err != nil {
		return k, err
	}
	if !a.Request.Equal(want) || a.Request.Expires.IsZero() {
		return k, fmt.Errorf("%w: the signature is for another edition, in an earlier ceremony, or never expires: sign anew", ErrRefused)
	}
	return k, s.update(ctx, now, func(tx Tx) error {
		if err := s.officerStands(tx, a, cert, now); err != nil {
			return err
		}
		if k, err = settingOf[KeptEdition](tx, editionKey(d)); err != nil {
			return err
		}
		k.Hash = d
		signs := func(e EditionSignature) bool { return e.Officer == cert.Pseudonym }
		if k.Ceremony != want.ID || k.State != EditionOffered || slices.ContainsFunc(k.Signed, signs) {
			return s.audit(tx, now, *actor, "edition sign", d.String(), "done", "it is "+k.State+" as before")
		}
		k.Signed = append(k.Signed, EditionSignature{cert.Pseudonym, a.Bytes()})
		if len(k.Signed) < 2 {
			return errors.Join(s.shelve(tx, k, nil), s.audit(tx, now, *actor, "edition sign", d.String(), "done", "one more officer has to sign"))
		}
		k.State, k.Since = EditionInstalled, second(now)
		if k.Known, err = s.takenSizes(tx); err != nil {
			return err
		}
		if err := s.install(ctx, tx, k); err != nil {
			return err
		}
		text := fmt.Sprintf("edition %s of the signal book is read from now on, signed by %s", k.Name, strings.Join([]string{k.Signed[0].Officer, k.Signed[1].Officer}, " and "))
		return errors.Join(s.audit(tx, now, *actor, "edition sign", d.String(), "done", "installed"), s.event(tx, now, "edition", d.String(), text))
	})
}

// install stores an edition as read and reads it, in one transaction: what is
// judged after this one is judged by it.
func (s *Station) install(ctx context.Context, tx Tx, k KeptEdition) error {
	pack, err := tx.Setting(packKey(k.Hash))
	if err != nil {
		return err
	}
	e, err := openKept(k.Hash, pack)
	if err != nil {
		return err
	}
	if err := s.shelve(tx, k, nil); err != nil || trying(ctx) {
		return err
	}
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	s.shelf.kept[k.Hash], s.shelf.books[k.Hash] = k, e
	return nil
}

// Editions lists what stands on the shelf, the program's own edition first, and
// the lines on which each is spoken.
func (s *Station) Editions(ctx context.Context, actor Actor, now time.Time) ([]EditionState, error) {
	if err := actor.must("see the editions", RoleRead, RoleOperator); err != nil {
		return nil, s.refused(ctx, now, actor, "editions", "", err)
	}
	if err := s.readSpoken(ctx); err != nil {
		return nil, err
	}
	own := KeptEdition{Hash: s.book.Hash(), Name: s.book.Name(), State: EditionProgram, By: itself.Name, Packs: packsOf(s.book)}
	all := []EditionState{{KeptEdition: own}}
	s.shelf.mu.Lock()
	for d, k := range s.shelf.kept {
		if d == own.Hash {
			all[0].KeptEdition = k
			continue
		}
		all = append(all, EditionState{KeptEdition: k})
	}
	spoken := s.shelf.spoken
	s.shelf.mu.Unlock()
	slices.SortFunc(all[1:], func(a, b EditionState) int { return strings.Compare(a.Name+a.Hash.String(), b.Name+b.Hash.String()) })
	for i := range all {
		for _, l := range s.LineNames() {
			writes := s.speaks(now, l).Hash() == all[i].Hash
			on := SpokenOn{Line: l, Now: writes}
			later := false
			for _, said := range spoken[l] {
				if said.Edition == all[i].Hash.String() {
					on.From, later = said.From, later || said.From.After(now)
				}
			}
			if writes || later {
				all[i].Lines = append(all[i].Lines, on)
			}
		}
	}
	return all, s.noted(ctx, now, actor, "editions", "", fmt.Sprint(len(all)))
}

// Edition returns an edition of the shelf, packed, and how it stands: one that is
// only offered too, so that who is to sign it can read it.
func (s *Station) Edition(ctx context.Context, actor Actor, now time.Time, d identity.Digest) (k KeptEdition, pack []byte, err error) {
	const act = "edition read"
	if err := actor.must("see the editions", RoleRead, RoleOperator, RoleDraft); err != nil {
		return k, nil, s.refused(ctx, now, actor, act, d.String(), err)
	}
	err = s.store.View(ctx, func(tx Tx) error {
		if pack, err = tx.Setting(packKey(d)); err == nil && pack == nil {
			return fmt.Errorf("edition %s: %w: `detente book editions` lists those that are", d, ErrNotFound)
		}
		if err != nil {
			return err
		}
		k, err = settingOf[KeptEdition](tx, editionKey(d))
		return err
	})
	if err != nil {
		return k, nil, s.refused(ctx, now, actor, act, d.String(), err)
	}
	k.Hash = d
	return k, pack, s.noted(ctx, now, actor, act, d.String(), k.Name)
}
