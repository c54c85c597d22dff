package station

import (
	"context"
	"fmt"
	"sort"
	"time"

	"detente/identity"
	"detente/record"
)

// StateFile returns where everything on a line stands as of a second (zero: now),
// by the record alone: matters with their duties, agreements with what is owed by
// them, guarantees, tension. Both stations write the same bytes, and so does
// whoever has an exported record and the agreements' texts (record.Rebuild). That
// it was written is noted in the audit trail. ErrNotFound where there is no such
// line.
func (s *Station) StateFile(ctx context.Context, actor Actor, now time.Time, l identity.Line, at time.Time) ([]byte, error) {
	const act = "state file"
	if err := actor.must("write a state file", RoleRead); err != nil {
		return nil, s.refused(ctx, now, actor, act, l.String(), err)
	}
	out := record.Stands{Line: l, At: second(asked(at, now)), Received: make(map[identity.Origin]int64)}
	err := s.matters(ctx, l, func(tx Tx, m *Matters) error {
		for o, log := range m.logs {
			out.Received[o] = log.until(out.At)
		}
		out.Whole, out.Tension = m.At(out.At), m.line.Tension(out.At)
		a, err := s.keepAccount(ctx, tx, m, l)
		if err != nil {
			return err
		}
		kept, _, err := keptTexts(tx)
		if err != nil {
			return err
		}
		out.Agreements, out.Guarantees = a.standings(kept, out.At), a.said.Guarantees(out.At)
		return nil
	})
	var file []byte
	if err == nil {
		file = record.LineStateOf(out).Bytes()
	}
	if err := s.looked(ctx, now, actor, act, l.String(), fmt.Sprintf("as of %s, %d bytes", out.At.Format(time.RFC3339), len(file)), err); err != nil {
		return nil, err
	}
	return file, nil
}

// until returns how many of a log's entries were received by a second.
func (t *foldedLog) until(at time.Time) int64 {
	// What is receipted with a larger size was received no earlier.
	i := sort.Search(len(t.steps), func(i int) bool { return t.steps[i].at.After(at) })
	if i == 0 {
		return 0
	}
	return min(t.steps[i-1].size, t.next)
}
