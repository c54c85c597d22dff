package station

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/interop/stix"
	"detente/message"
)

// Right says who may read what: messages on a line, in a class or under a label
// of the Traffic Light Protocol. Exactly one of the three is given.
type Right struct {
	Line  string   `json:"line,omitzero"`  // one/other/class
	Class string   `json:"class,omitzero"` // technical, notification, leadership
	TLP   string   `json:"tlp,omitzero"`   // CLEAR, GREEN, AMBER, AMBER+STRICT, RED
	Roles []string `json:"roles"`          // one of them is enough; none: nobody
}

// Rights are the rules by which messages and evidence are read. An actor reads
// what every rule allows that speaks of its line, of its class and of its label.
// A line or class that no rule speaks of is open to whoever has the role read; a
// label that none speaks of is closed to everybody.
type Rights []Right

// MaxRights bounds the rules: a station has a few lines, three classes and five
// labels.
const MaxRights = 200

// DefaultRights are the rights of a station that has not set any: what is marked
// RED is for those who write and release messages, everything else for all who
// may read.
func DefaultRights() Rights {
	all := []string{RoleRead, RoleDraft}
	return Rights{
		{TLP: "CLEAR", Roles: all}, {TLP: "GREEN", Roles: all}, {TLP: "AMBER", Roles: all}, {TLP: "AMBER+STRICT", Roles: all},
		{TLP: "RED", Roles: []string{RoleDraft, "watch", "releasing"}},
	}
}

// check says what is wrong with rights.
func (r Rights) check() error {
	if len(r) > MaxRights {
		return fmt.Errorf("%w: %d rules, and %d are the most", ErrInvalid, len(r), MaxRights)
	}
	for i, one := range r {
		given := 0
		for _, s := range []string{one.Line, one.Class, one.TLP} {
			if s != "" {
				given++
			}
		}
		var err error
		switch {
		case given != 1:
			err = errors.New("one of line, class and tlp is needed: it says what the rule speaks of")
		case len(one.Roles) > MaxRights || slices.Contains(one.Roles, ""):
			err = errors.New("its roles are too many, or one has no name")
		case one.Line != "":
			_, err = identity.ParseLine(one.Line)
		case one.Class != "":
			_, err = identity.ParseClass(one.Class)
		default:
			_, err = stix.ParseMarking(message.Marking{TLP: one.TLP})
		}
		if err != nil {
			return fmt.Errorf("%w: rule %d: %w", ErrInvalid, i+1, err)
		}
	}
	return nil
}

// let reports whether an actor that may read at all may read what stands on a
// line under a label; without a label only line and class are asked.
func (r Rights) let(a Actor, l identity.Line, tlp string) bool {
	labelled := tlp == ""
	for _, one := range r {
		if one.Line != "" && one.Line != l.String() || one.Class != "" && one.Class != l.Class.String() || one.TLP != "" && one.TLP != tlp {
			continue
		}
		labelled = labelled || one.TLP != ""
		if !slices.ContainsFunc(one.Roles, func(role string) bool { return slices.Contains(a.Roles, role) }) {
			return false
		}
	}
	return labelled
}

// letMessage reports whether an actor may read a message. One that could not be
// opened says nothing, and has no label.
func (r Rights) letMessage(a Actor, m Read) bool {
	tlp := ""
	if len(m.Entry.Body.Bytes()) > 0 {
		if tlp = m.Entry.Body.Body().Marking.TLP; tlp == "" {
			return false
		}
	}
	return r.let(a, m.Origin.Line(), tlp)
}

// readable returns a message that an actor may read, and ErrRefused for another.
func (s *Station) readable(tx Tx, actor Actor, m Message) (Read, error) {
	rights, err := s.rights(tx)
	if err != nil {
		return Read{}, err
	}
	r, err := s.read(tx, m)
	if err == nil && !rights.letMessage(actor, r) {
		return Read{}, errRights(actor, r.Citation)
	}
	return r, err
}

// mayRead returns ErrRefused unless an actor may read what stands on a line under
// a label; what names it.
func (s *Station) mayRead(tx Tx, actor Actor, l identity.Line, tlp, what string) error {
	rights, err := s.rights(tx)
	if err == nil && !rights.let(actor, l, tlp) {
		return errRights(actor, what)
	}
	return err
}

// errRights is the refusal of what an actor's rights do not reach.
func errRights(a Actor, what string) error {
	return fmt.Errorf("%w: %s may not read %s: line, class or marking is for other roles; see `detente token rights`, and ask the operator for a token that carries one", ErrRefused, a.Name, what)
}

const settingRights = "rights"

// rights returns the rights in force. A document that cannot be read lets nobody
// read anything.
func (s *Station) rights(tx Tx) (Rights, error) {
	text, err := tx.Setting(settingRights)
	if err != nil || text == nil {
		return DefaultRights(), err
	}
	var r Rights
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("internal error: stored rights: %w; set them again with `detente token restrict`", err)
	}
	return r, nil
}

// Rights returns the rules by which messages and evidence are read here.
func (s *Station) Rights(ctx context.Context, actor Actor) (r Rights, err error) {
	if err := actor.must("see the rights", RoleOperator, RoleRead, RoleAudit); err != nil {
		return nil, s.denied(ctx, actor, "rights", err)
	}
	err = s.store.View(ctx, func(tx Tx) (err error) {
		r, err = s.rights(tx)
		return err
	})
	return r, err
}

// SetRights replaces the rules by which messages and evidence are read. Nil puts
// the default ones back.
func (s *Station) SetRights(ctx context.Context, actor Actor, now time.Time, r Rights) error {
	err := actor.must("set the rights", RoleOperator)
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return s.refused(ctx, now, actor, "rights set", "", err)
	}
	var text []byte
	if r != nil {
		if text, err = json.Marshal(r, json.Deterministic(true)); err != nil {
			return err
		}
	}
	return s.update(ctx, now, func(tx Tx) error {
		if err := tx.PutSetting(settingRights, text); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "rights set", "", "done", fmt.Sprintf("%d rules", len(r)))
	})
}
