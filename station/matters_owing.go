package station

import (
	"context"
	"math"
	"slices"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/watch"
)

// lay lets what stands in no record as received yet count from the receipt that
// this station gave or holds, which the next entry of either side will list: on
// a quiet line nobody would otherwise see the clock of what came last.
func (s *Station) lay(tx Tx, row Line, m *Matters) error {
	p, err := s.peerOf(row.Line)
	if err != nil {
		return err
	}
	for o, log := range m.logs {
		by := p.cosigner
		if o.Writer != s.name {
			by = s.mirror.Cosigner.Name()
		}
		for from, to := log.unlisted(); from < to; from++ {
			place := dossier.Place{Origin: o, Index: from}
			it, ok := m.line.Item(place)
			if !ok || !it.Received.IsZero() {
				continue
			}
			c, ok, err := tx.CosignatureCovering(o, by, from)
			if err != nil {
				return err
			}
			if !ok {
				break // what comes after it is not covered either
			}
			it.Received, it.Withheld = second(c.At), false
			m.line.Put(it)
			m.laid = append(m.laid, place)
			m.version++
		}
	}
	return nil
}

// bare takes back what lay did: only the record's own receipts count.
func (m *Matters) bare() {
	for _, p := range m.laid {
		if it, ok := m.line.Item(p); ok {
			it.Received = m.logs[p.Origin].received(p.Index)
			m.line.Put(it)
		}
	}
	if len(m.laid) > 0 {
		m.version++
	}
	m.laid = nil
}

// owing returns what either side of a line owes by a second, the first due
// first, but for receipts: those the line itself watches.
func (s *Station) owing(tx Tx, row Line, m *Matters, now, by time.Time) ([]dossier.Duty, error) {
	if err := s.lay(tx, row, m); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(m.line.Owing(second(now), by), func(d dossier.Duty) bool { return d.Act == dossier.ActReceived }), nil
}

// owedKey tells deadlines apart for a person: what one message meets is one,
// though it does two things.
type owedKey struct {
	ref, what string
	by        identity.Station
}

// deadlines returns what either side owes on a line within the horizon of a
// handover, or has not done in time: of Obligations, as of now, the nearest.
// Where one format would meet two duties, the earlier is listed. tx has to be
// of a View.
func (s *Station) deadlines(ctx context.Context, tx Tx, row Line, now time.Time) (out []watch.Deadline, err error) {
	_, err = s.folded(ctx, tx, row, math.MaxInt, func(m *Matters) error {
		all, err := s.owing(tx, row, m, now, now.Add(watch.DeadlineHorizon))
		if err != nil {
			return err
		}
		known := make(map[owedKey]bool)
		for _, duty := range all {
			of, err := tx.MessageByID(duty.Of)
			if err != nil {
				return err
			}
			d := watch.Deadline{Ref: s.Cite(of.Origin, of.Index), What: whatMeets(duty), By: duty.By, At: duty.Due, Late: !duty.Due.After(second(now))}
			if key := (owedKey{d.Ref, d.What, d.By}); !known[key] {
				known[key] = true
				out = append(out, d)
			}
		}
		return nil
	})
	return out, err
}

// whatMeets is the first format that would meet a duty, or what is owed.
func whatMeets(d dossier.Duty) string {
	if len(d.Formats) > 0 {
		return string(d.Formats[0])
	}
	return string(d.Act)
}
