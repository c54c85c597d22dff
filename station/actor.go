package station

import (
	"errors"
	"fmt"
	"slices"
)

// Actor is whoever acts on a station: an officer, an operator, a program, or
// the station itself. Each verb takes one, so that a verb without authority
// does not compile. The zero Actor may do nothing.
type Actor struct {
	Name  string   // as it stands in the audit trail
	Roles []string // from the token or credential by which it came
}

// The roles that verbs ask for. Roles of officers in certificates, such as
// watch and releasing, are agreed with the counterpart; these are the
// station's own.
const (
	RoleOperator = "operator" // keeps the station up: pairing, eras, backup
	RoleDraft    = "draft"    // drafts, submits and withdraws messages
	RoleRead     = "read"     // reads messages and lists
	RoleAudit    = "audit"    // reads the audit trail
	RoleWatch    = "watch"    // keeps the watch: log book, swaps, handovers; what it opens counts as read
)

// Itself is the actor of what a station does by itself: receipts, service
// messages, expiry.
var itself = Actor{Name: "station", Roles: []string{RoleOperator, RoleDraft, RoleRead}}

// Kinds of refusal. A caller asks with errors.Is; a person reads the text.
var (
	// ErrRefused says that the actor may not do this, or the policy refuses it.
	ErrRefused = errors.New("refused")
	// ErrConflict says that the thing is no longer in a state in which this can be done.
	ErrConflict = errors.New("conflict")
	// ErrInvalid says that the input is wrong.
	ErrInvalid = errors.New("invalid")
	// ErrLineDown says that the line or the guard does not let this happen now.
	ErrLineDown = errors.New("line down")
	// ErrClockUnsafe says that the clock leapt and nothing is stamped until it is confirmed.
	ErrClockUnsafe = errors.New("clock unsafe")
)

// must returns an error unless the actor has one of the roles.
func (a Actor) must(act string, roles ...string) error {
	for _, r := range roles {
		if slices.Contains(a.Roles, r) {
			return nil
		}
	}
	who := a.Name
	if who == "" {
		who = "nobody in particular"
	}
	return fmt.Errorf("%w: %s may not %s: it needs the role %s; ask the operator for a token that carries it", ErrRefused, who, act, roles[0])
}
