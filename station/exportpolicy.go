package station

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/record"
)

// policiesKey is where the indexes of a log's release policies stand, so that an
// export of one message need not look through its log for them.
func policiesKey(o identity.Origin) string { return "policies/" + o.String() }

// notePolicy notes that an accepted entry states a release policy. Noting it again
// changes nothing.
func notePolicy(tx Tx, o identity.Origin, index int64) error {
	list, err := policiesOf(tx, o)
	if err != nil || slices.Contains(list, index) {
		return err
	}
	list = append(list, index)
	slices.Sort(list)
	text, err := json.Marshal(list, json.Deterministic(true))
	if err != nil {
		return err
	}
	return tx.PutSetting(policiesKey(o), text)
}

func policiesOf(tx Tx, o identity.Origin) (list []int64, err error) {
	text, err := tx.Setting(policiesKey(o))
	if err != nil || text == nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("internal error: stored release policies of %s: %w; run `detente station doctor --repair`", o, err)
	}
	return list, nil
}

// support lists the entries by which those of a record count: the release policies
// before them, one approved under the other since the line's first. A policy that
// its reader may not see is left out, and the record says then that it is not there.
func (s *Station) support(tx Tx, actor Actor, entries []record.Entry, limit message.Marking) ([]record.Entry, error) {
	last := make(map[identity.Origin]int64)
	for _, e := range entries {
		last[e.Origin] = max(last[e.Origin], e.Index)
	}
	var list []record.Entry
	for o, below := range last {
		for at := o; at.Era > 0; at.Era-- {
			indexes, err := policiesOf(tx, at)
			if err != nil {
				return nil, err
			}
			end := below
			if at != o {
				if end, err = endOf(tx, at); err != nil {
					return nil, err
				}
			}
			for _, i := range indexes {
				e := record.Entry{Origin: at, Index: i}
				if i >= end || slices.Contains(entries, e) || slices.Contains(list, e) {
					continue
				}
				err := s.mayDisclose(tx, actor, []record.Entry{e}, limit)
				if errors.Is(err, ErrRefused) {
					continue
				}
				if err != nil {
					return nil, err
				}
				list = append(list, e)
			}
		}
	}
	return list, nil
}

// endOf returns where a log ends for its successor: by its note, or as it stands.
func endOf(tx Tx, o identity.Origin) (int64, error) {
	log, ok, err := tx.Log(o)
	if err != nil || !ok {
		return 0, err
	}
	return ended(log), nil
}

func ended(l journal.Log) int64 {
	if l.Ended != nil {
		return min(l.Size, l.Ended.Size)
	}
	return l.Size
}
