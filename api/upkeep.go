package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
	"detente/station"
)

var errNoKeeper = errors.New("this station keeps neither keys nor copies that the API reaches")

// upkeep are the verbs of operators that reach beyond the store.
func (s *Server) upkeep(api huma.API) {
	huma.Register(api, operation(http.MethodPost, "/doctor", "doctor", "Check every tree, hash and table; with repair make the tables anew, from_counterpart put back what is damaged"),
		func(ctx context.Context, in *struct{ Body Checkup }) (*out[[]Finding], error) {
			return answer(s.doctor(ctx, in.Body))
		})
	huma.Register(api, operation(http.MethodPost, "/backup", "backup", "Copy the store to a new file on the station's machine"),
		func(ctx context.Context, in *struct {
			Body struct {
				To string `json:"to" minLength:"1"`
			}
		}) (*out[BackedUp], error) {
			err := s.Station.Backup(ctx, actorOf(ctx), s.Now(), func(ctx context.Context) error {
				if s.Keeper == nil {
					return errNoKeeper
				}
				return s.Keeper.Backup(ctx, in.Body.To)
			})
			return answer(BackedUp{To: in.Body.To}, err)
		})
	huma.Register(api, operation(http.MethodPost, "/eras", "open-era", "End this station's log of a line and begin the next"),
		func(ctx context.Context, in *struct{ Body NextEra }) (*out[BegunEra], error) {
			o, err := s.openEra(ctx, in.Body)
			return answer(BegunEra{Log: o.String()}, err)
		})
}

// Checkup says what doctor is to do beside looking.
type Checkup struct {
	Repair          bool `json:"repair,omitempty" doc:"make the tables anew from the logs"`
	FromCounterpart bool `json:"from_counterpart,omitempty" doc:"with repair: first put back what is damaged or absent in a log, from the counterpart's copy, where it leads to a head whose signatures stand here"`
}

// errRepairOnly says that nothing is put back where nothing is to be repaired.
var errRepairOnly = errors.Join(station.ErrInvalid, errors.New("from_counterpart goes with repair"))

// doctor looks a station over. Where it puts back what is damaged it looks once
// more at the end, and what is found then is left.
func (s *Server) doctor(ctx context.Context, c Checkup) ([]Finding, error) {
	all := []Finding{}
	if c.FromCounterpart {
		if !c.Repair {
			return nil, errRepairOnly
		}
		if s.Transport == nil {
			return nil, errNoKeeper
		}
		list, err := s.Station.Mend(ctx, actorOf(ctx), s.Now(), s.Transport.Do)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			all = append(all, Finding{Where: m.Where, What: m.What, Mended: m.Done})
		}
	}
	list, err := s.Station.Doctor(ctx, actorOf(ctx), s.Now(), c.Repair)
	for _, f := range list {
		all = append(all, Finding{Where: f.Where, What: f.What, Repair: f.Repair})
	}
	if err != nil || !c.FromCounterpart {
		return all, err
	}
	left, err := s.Station.Doctor(ctx, actorOf(ctx), s.Now(), false)
	for i, f := range all {
		all[i].Mended = f.Mended || f.Repair != "" && !slices.ContainsFunc(left, func(l station.Finding) bool { return l.Where == f.Where })
	}
	for _, l := range left {
		if !slices.ContainsFunc(all, func(f Finding) bool { return f.Where == l.Where && f.What == l.What }) {
			all = append(all, Finding{Where: l.Where, What: l.What, Repair: l.Repair})
		}
	}
	return all, err
}

// BackedUp says where a copy of the store was written.
type BackedUp struct {
	To string `json:"to"`
}

// NextEra asks for a line's next era. The card that lists its key was made with
// detente station card --era, and endorsed.
type NextEra struct {
	Line   string `json:"line"`
	Reason string `json:"reason" enum:"choice,compromise,loss"`
	Cards  []byte `json:"cards" doc:"the endorsed cards that list the new log's key"`
}

// BegunEra names the log that was begun.
type BegunEra struct {
	Log string `json:"log"`
}

func (s *Server) openEra(ctx context.Context, in NextEra) (o identity.Origin, err error) {
	l, malformed := identity.ParseLine(in.Line)
	o, err = s.Station.NextLog(ctx, actorOf(ctx), l)
	switch {
	case errors.Is(err, station.ErrRefused):
		return o, err // before what is asked is read, and before a key file is opened, which takes its time
	case malformed != nil:
		return o, errors.Join(station.ErrInvalid, malformed)
	case err != nil:
		return o, err
	}
	cards, err := identity.ParseBundle(in.Cards)
	if err != nil {
		return o, errors.Join(station.ErrInvalid, err)
	}
	if s.Keeper == nil {
		return o, errNoKeeper
	}
	key, err := s.Keeper.LogKey(o)
	if err != nil {
		return o, err
	}
	own := s.Station.Own()
	root, err := identity.ParseRoot(cards.Root)
	if err != nil || !root.Key.Equal(own.Root.Key) {
		return o, errors.Join(station.ErrRefused, errors.New("the new cards are of another root"), err)
	}
	if err := s.Station.OpenEra(ctx, actorOf(ctx), s.Now(), l, in.Reason, cards, own.Root.Key, key); err != nil {
		return o, err
	}
	return o, s.Keeper.PutCards(cards)
}
