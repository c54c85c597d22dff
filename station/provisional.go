package station

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
)

// unsettled is a PROVISIONAL message that its writer has to confirm or withdraw.
type unsettled struct {
	ID    message.ID       `json:"id"`
	Log   string           `json:"log"`
	Index int64            `json:"index"`
	Since time.Time        `json:"since,omitzero"` // zero: it was noted by a program that did not say
	Until time.Time        `json:"until"`
	By    identity.Station `json:"by"`
}

// unsettledKey is where the store keeps the PROVISIONAL messages of both sides
// whose time runs. They are few: the fold says what became of each, this only
// when to look.
const unsettledKey = "provisional"

// maxUnsettled bounds the list: a counterpart may send as many as it likes, and
// an alarm about the thousandth tells nobody more.
const maxUnsettled = 1000

// noteProvisional begins to watch for the confirmation of a message, from the
// second of its wrapper and by the policy in force before it.
func (s *Station) noteProvisional(tx Tx, o identity.Origin, index int64, e message.Entry, p message.Policy) error {
	if !e.Wrapper.Provisional {
		return nil
	}
	within := p.Judge(e.Body.Body(), nil).ConfirmWithin
	list, err := s.unsettled(tx)
	if err != nil || within <= 0 || len(list) >= maxUnsettled {
		return err
	}
	return putUnsettled(tx, append(list, unsettled{e.Body.Body().ID, o.String(), index, e.Wrapper.At, e.Wrapper.At.Add(within), o.Writer}))
}

func (s *Station) unsettled(tx Tx) (list []unsettled, err error) {
	text, err := tx.Setting(unsettledKey)
	if err != nil || text == nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("internal error: stored list of PROVISIONAL messages: %w", err)
	}
	return list, nil
}

func putUnsettled(tx Tx, list []unsettled) error {
	if len(list) == 0 {
		return tx.PutSetting(unsettledKey, nil)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return tx.PutSetting(unsettledKey, text)
}

// watchProvisional raises an alarm, once, for each PROVISIONAL message whose
// time ran out without a word of its writer.
func (s *Station) watchProvisional(tx Tx, now time.Time) error {
	list, err := s.unsettled(tx)
	if err != nil || len(list) == 0 {
		return err
	}
	var left []unsettled
	for _, u := range list {
		if u.Until.After(now) {
			left = append(left, u)
			continue
		}
		settled, err := s.settled(tx, u)
		if err != nil {
			return err
		}
		if settled {
			continue
		}
		o, err := identity.ParseOrigin(u.Log)
		if err != nil {
			return fmt.Errorf("internal error: stored list of PROVISIONAL messages: %w", err)
		}
		why := fmt.Sprintf("%s went PROVISIONAL, and %s has neither confirmed nor withdrawn it by %s", s.Cite(o, u.Index), u.By, u.Until.UTC().Format(time.RFC3339))
		if err := errors.Join(s.event(tx, now, "alarm", u.ID.String(), why), s.audit(tx, now, itself, "confirmation due", u.ID.String(), "failed", why), s.noteUnconfirmed(tx, u)); err != nil {
			return err
		}
	}
	if len(left) == len(list) {
		return nil
	}
	return putUnsettled(tx, left)
}

// settled reports whether a message of format 018 of the same writer refers to
// a message.
func (s *Station) settled(tx Tx, u unsettled) (bool, error) {
	around, err := tx.Referring(u.ID)
	if err != nil {
		return false, err
	}
	for _, m := range around {
		if m.Format == "018" && m.Origin.Writer == u.By && m.Problem == "" {
			return true, nil
		}
	}
	return false, nil
}

// unconfirmedKey is where the store keeps the PROVISIONAL messages whose time
// ran out, until their writer says a word: the alarm stands that long.
const unconfirmedKey = "provisional/late"

// maxUnconfirmed bounds them: each is looked up at every look at the alarms.
const maxUnconfirmed = 100

// noteUnconfirmed keeps a message whose time ran out.
func (s *Station) noteUnconfirmed(tx Tx, u unsettled) error {
	list, err := s.unsettledLate(tx)
	if err != nil || len(list) >= maxUnconfirmed {
		return err
	}
	text, err := json.Marshal(append(list, u))
	if err != nil {
		return err
	}
	return tx.PutSetting(unconfirmedKey, text)
}

// unsettledLate lists those of which their writer has still said nothing.
func (s *Station) unsettledLate(tx Tx) (list []unsettled, err error) {
	text, err := tx.Setting(unconfirmedKey)
	if err != nil || text == nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("internal error: stored list of unconfirmed messages: %w", err)
	}
	open := list[:0]
	for _, u := range list {
		settled, err := s.settled(tx, u)
		if err != nil {
			return nil, err
		}
		if !settled {
			open = append(open, u)
		}
	}
	return open, nil
}
