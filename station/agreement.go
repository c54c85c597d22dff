package station

import (
	"context"
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/treaty"
)

const (
	// agreementsKey is where the store lists the texts that lie in the station.
	agreementsKey = "agreements"
	// agreementKey, and a hash, is where the text of that hash lies.
	agreementKey = "agreement/"
	// maxAgreements is how many texts a station holds: an agreement, its
	// amendments and their drafts, with each of some counterparts. A text may be
	// a mebibyte, and all that are signed are held in memory.
	maxAgreements = 32
)

// AgreementText is an agreement whose text lies in the station.
type AgreementText struct {
	Hash  identity.Digest // over all its languages
	ID    string          // by which messages call it
	Added time.Time
	By    string // who added it
}

// keptText is such a text as the store lists it.
type keptText struct {
	Hash  string    `json:"hash"`
	ID    string    `json:"id"`
	Added time.Time `json:"added"`
	By    string    `json:"by"`
}

// keptTexts lists the texts that lie in the station, the first added first, and
// the list as it is stored.
func keptTexts(tx Tx) (list []keptText, stored string, err error) {
	text, err := tx.Setting(agreementsKey)
	if err != nil || text == nil {
		return nil, "", err
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, "", fmt.Errorf("internal error: stored list of agreements: %w", err)
	}
	return list, string(text), nil
}

// keptAgreement returns the agreement of a hash; nil where its text does not lie
// in the station.
func keptAgreement(tx Tx, hash string) (*treaty.Agreement, error) {
	text, err := tx.Setting(agreementKey + hash)
	if err != nil || text == nil {
		return nil, err
	}
	a, err := treaty.ParseAgreement(text)
	if err != nil {
		return nil, fmt.Errorf("internal error: stored agreement %s: %w", hash, err)
	}
	return a, nil
}

// AddAgreement keeps the text of an agreement by its hash. That alone puts
// nothing in force: both sides have to have signed the same hash. A text that
// treaty.Check finds a fault in is refused with all of them. One that is there
// already is left as it was.
func (s *Station) AddAgreement(ctx context.Context, actor Actor, now time.Time, text []byte) (AgreementText, error) {
	const act = "agreement add"
	if err := actor.must("add the text of an agreement", RoleOperator); err != nil {
		return AgreementText{}, s.refused(ctx, now, actor, act, "", err)
	}
	a, err := treaty.ParseAgreement(text)
	if err != nil {
		return AgreementText{}, s.refused(ctx, now, actor, act, "", fmt.Errorf("%w: this is no agreement: %w", ErrInvalid, err))
	}
	if faults := treaty.Check(a, s.book); len(faults) > 0 {
		said := make([]string, 0, len(faults))
		for _, f := range faults {
			said = append(said, f.String())
		}
		return AgreementText{}, s.refused(ctx, now, actor, act, a.ID,
			fmt.Errorf("%w: the agreement has %d faults: %s; mend them until `detente agreement check` finds none", ErrInvalid, len(faults), strings.Join(said, "; ")))
	}
	hash, err := a.Hash()
	if err != nil {
		return AgreementText{}, s.refused(ctx, now, actor, act, a.ID, err)
	}
	canonical, err := a.Bytes()
	if err != nil {
		return AgreementText{}, s.refused(ctx, now, actor, act, a.ID, err)
	}
	added := keptText{hash.String(), a.ID, second(now), actor.Name}
	err = s.update(ctx, now, func(tx Tx) error {
		list, _, err := keptTexts(tx)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(list, func(k keptText) bool { return k.Hash == added.Hash }); i >= 0 {
			added = list[i]
			return s.audit(tx, now, actor, act, added.Hash, "done", "it was there already")
		}
		if len(list) >= maxAgreements {
			return fmt.Errorf("%w: %d texts lie in the station, and no more fit", ErrConflict, len(list))
		}
		stored, err := json.Marshal(append(list, added), json.Deterministic(true))
		if err != nil {
			return err
		}
		if err := tx.PutSetting(agreementKey+added.Hash, canonical); err != nil {
			return err
		}
		if err := tx.PutSetting(agreementsKey, stored); err != nil {
			return err
		}
		return s.audit(tx, now, actor, act, added.Hash, "done", added.ID)
	})
	if err != nil {
		return AgreementText{}, s.refused(ctx, now, actor, act, a.ID, err)
	}
	return shownText(added)
}

func shownText(k keptText) (AgreementText, error) {
	hash, err := identity.ParseDigest(k.Hash)
	if err != nil {
		return AgreementText{}, fmt.Errorf("internal error: stored list of agreements: %w", err)
	}
	return AgreementText{hash, k.ID, k.Added.UTC(), k.By}, nil
}

// Agreements lists the texts that lie in the station, the first added first. That
// the list was read is noted in the audit trail.
func (s *Station) Agreements(ctx context.Context, actor Actor, now time.Time) (list []AgreementText, err error) {
	if err := actor.must("list agreements", RoleRead, RoleOperator); err != nil {
		return nil, s.refused(ctx, now, actor, "agreement list", "", err)
	}
	err = s.store.View(ctx, func(tx Tx) error {
		kept, _, err := keptTexts(tx)
		if err != nil {
			return err
		}
		for _, k := range kept {
			t, err := shownText(k)
			if err != nil {
				return err
			}
			list = append(list, t)
		}
		return nil
	})
	return list, s.looked(ctx, now, actor, "agreement list", "", fmt.Sprintf("%d texts", len(list)), err)
}
