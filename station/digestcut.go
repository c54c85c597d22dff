package station

import (
	"context"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/journal"
)

// extent is how much of both logs of a line a digest is of, as this station sees
// it. Cuts are comparable.
type extent struct {
	Own   extentEnd `json:"own"`
	Peers extentEnd `json:"peers"`
}

// extentEnd is up to where one log is meant: all earlier eras, and so much of this.
type extentEnd struct {
	Era  identity.Era `json:"era"`
	Size int64        `json:"size"`
	Root string       `json:"root"`
}

// errMisstated is the kind of a cut that is not of the logs as they stand here.
var errMisstated = errors.New("the digest is not of these logs")

// rooted returns the end of a log with the root that it has here.
func rooted(tx Tx, o identity.Origin, size int64) (extentEnd, error) {
	root, err := journal.RootAt(tx, o, size)
	return extentEnd{o.Era, size, identity.Digest(root).String()}, err
}

// checkCut returns an error that is errMisstated where a cut is not of the logs
// as they stand here.
func (s *Station) checkCut(tx Tx, l identity.Line, c extent) error {
	for _, side := range []struct {
		writer identity.Station
		end    extentEnd
	}{{s.name, c.Own}, {l.Other(s.name), c.Peers}} {
		o := l.Log(side.writer, side.end.Era)
		held, ok, err := tx.Log(o)
		if err == nil && (!ok || held.Size < side.end.Size) {
			return fmt.Errorf("%w: %s has no %d entries", errMisstated, o, side.end.Size)
		}
		if err != nil {
			return err
		}
		is, err := rooted(tx, o, side.end.Size)
		if err != nil {
			return err
		}
		if is != side.end {
			return fmt.Errorf("%w: %s has another root at %d", errMisstated, o, side.end.Size)
		}
	}
	return nil
}

// cutStep is how many entries of a record that is folded anew for a comparison
// are taken in one step of the watch: a fraction of a second.
const cutStep = 20_000

// cutFold is a line folded up to a cut and no further. What both sides compare
// is of what both hold, and what came since would alter it: a receipt that is
// listed later may say that an entry was received earlier.
type cutFold struct {
	of extent
	m  *Matters
}

// foldedTo returns the fold of a line up to a cut; nil while there is more to
// take than one step does. It is called in a View, with the watch's mu held.
func (s *Station) foldedTo(ctx context.Context, tx Tx, row Line, c extent) (*Matters, error) {
	w := s.watching
	made, err := generation(tx, row.Line)
	if err != nil {
		return nil, err
	}
	f := w.cuts[row.Line]
	delete(w.cuts, row.Line) // until it is whole again
	if f == nil || f.of != c || f.m.generation != made {
		f = &cutFold{c, NewMatters(s.folds.forms, s.name)}
		f.m.parse, f.m.generation, f.m.heldAt = s.entries.parse, made, s.heldSecond
	}
	more, err := f.m.takeTo(ctx, tx, row, c, cutStep)
	if err != nil {
		return nil, err
	}
	w.cuts[row.Line] = f
	if more {
		return nil, nil
	}
	return f.m, nil
}

// takeTo takes what lies within a cut, up to so many messages, and reports
// whether there are more.
func (m *Matters) takeTo(ctx context.Context, tx Tx, row Line, c extent, left int) (more bool, err error) {
	for _, side := range []struct {
		writer identity.Station
		end    extentEnd
	}{{m.own, c.Own}, {row.Line.Other(m.own), c.Peers}} {
		for era := identity.Era(1); era <= side.end.Era; era++ {
			o := row.Line.Log(side.writer, era)
			if m.logs[o] == nil {
				m.logs[o] = &foldedLog{}
			}
			most := left
			if era == side.end.Era {
				most = int(min(int64(left), side.end.Size-m.logs[o].next))
			}
			n, err := m.takeLog(ctx, tx, o, most)
			if err != nil {
				return false, fmt.Errorf("log %s: %w", o, err)
			}
			if left -= n; left <= 0 || era == side.end.Era && m.logs[o].next < side.end.Size {
				return true, nil
			}
		}
	}
	return false, nil
}

// cutNow returns how much of both logs a fold holds, with their roots.
func (m *Matters) cutNow(tx Tx, row Line) (c extent, err error) {
	own, peers := row.Line.Log(m.own, row.OwnEra), row.Line.Log(row.Line.Other(m.own), row.PeerEra)
	if m.logs[own] == nil || m.logs[peers] == nil {
		return c, fmt.Errorf("internal error: line %s is folded without its logs", row.Line)
	}
	c.Own, err = rooted(tx, own, m.logs[own].next)
	if err != nil {
		return c, err
	}
	c.Peers, err = rooted(tx, peers, m.logs[peers].next)
	return c, err
}

// said is what a side says of the state of a line: a digest of all matters, and
// one of what is owed by the agreements in force, empty where there is none whose
// text it holds.
type said struct {
	Matters string `json:"matters"`
	Owed    string `json:"owed,omitempty"`
}

// stateSaid is what this station says of a fold as of a second.
func (s *Station) stateSaid(ctx context.Context, tx Tx, m *Matters, l identity.Line, at time.Time) (out said, err error) {
	out.Matters = m.At(at).Digest().String()
	a, err := s.keepAccount(ctx, tx, m, l)
	if err != nil {
		return out, err
	}
	var owed []string
	for _, k := range a.kept {
		state := k.ledger.At(at)
		if !state.InForce && len(state.Obligations) == 0 {
			continue
		}
		d, err := state.Digest()
		if err != nil {
			return out, err
		}
		owed = append(owed, d.String())
	}
	if len(owed) > 0 {
		slices.Sort(owed)
		out.Owed = identity.Sum([]byte(strings.Join(owed, "\n"))).String()
	}
	return out, nil
}

// paramsOf are the parameters of a message of format 022.
func paramsOf(c extent, at time.Time, is said) (map[string]jsontext.Value, error) {
	params := map[string]any{
		"at": at.UTC().Format(time.RFC3339), "digest": is.Matters,
		"own_era": c.Own.Era, "own_size": c.Own.Size, "own_root": c.Own.Root,
		"peer_era": c.Peers.Era, "peer_size": c.Peers.Size, "peer_root": c.Peers.Root,
	}
	if is.Owed != "" {
		params["owed_digest"] = is.Owed
	}
	return paramValues(params)
}

// changeAt names what the state of a fold changed by in the second before at.
func (s *Station) changeAt(m *Matters, at time.Time) (refs []string, byTime bool) {
	before := m.At(at.Add(-time.Second))
	c := dossier.Between(before, m.At(at))
	for _, p := range c.Places {
		refs = append(refs, s.Cite(p.Origin, p.Index))
	}
	return refs, c.ByTime
}
