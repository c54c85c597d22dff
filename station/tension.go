package station

import (
	"context"
	"time"

	"detente/dossier"
	"detente/identity"
)

// LineTension is how tense a line is as of a second.
type LineTension struct {
	dossier.Tension
	Line identity.Line
}

// Tension returns how tense a line is, or each line (zero), as of a second
// (zero: now), by named indicators that cite the entries they count. Both
// stations that hold the same record return the same digest. It triggers
// nothing. That it was read is noted in the audit trail. The caller changes
// nothing in it.
func (s *Station) Tension(ctx context.Context, actor Actor, now time.Time, l identity.Line, at time.Time) ([]LineTension, error) {
	if err := actor.must("see the tension of a line", RoleRead, RoleOperator); err != nil {
		return nil, s.refused(ctx, now, actor, "tension", object(l), err)
	}
	at = asked(at, now)
	var list []LineTension
	err := s.eachLine(ctx, l, func(_ Tx, m *Matters, name identity.Line) error {
		list = append(list, LineTension{m.line.Tension(at), name})
		return nil
	})
	if err := s.looked(ctx, now, actor, "tension", object(l), "as of "+at.Format(time.RFC3339), err); err != nil {
		return nil, err
	}
	return list, nil
}

// object names a line in the audit trail; all of them where it is none.
func object(l identity.Line) string {
	if l == (identity.Line{}) {
		return ""
	}
	return l.String()
}
