package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
	"detente/message"
	"detente/station"
)

// Line is a line and how it stands.
type Line struct {
	Line     string         `json:"line"`
	Peer     string         `json:"peer"`
	Peering  string         `json:"peering" doc:"the state word of the peer, from the store"`
	State    string         `json:"state"`
	Guard    string         `json:"guard,omitempty" doc:"why the guard has not passed; absent once it has"`
	Reason   string         `json:"reason,omitempty" doc:"why the line does not deliver; absent while it does"`
	Alarms   string         `json:"alarms"`
	Heard    *time.Time     `json:"heard,omitempty"`
	Own      Position       `json:"own"`
	Theirs   Position       `json:"theirs"`
	Waiting  map[string]int `json:"waiting" doc:"by precedence"`
	Awaiting map[string]int `json:"awaiting" doc:"by precedence"`
}

// Position is how far a log has come.
type Position struct {
	Log      string `json:"log"`
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	Cosigned int64  `json:"cosigned"`
}

// Opening asks for a line to be opened.
type Opening struct {
	Line             string `json:"line"`
	TestEverySeconds int64  `json:"test_every_seconds,omitempty" minimum:"0"`
	QuotaBytes       int64  `json:"quota_bytes,omitempty" minimum:"0"`
	Texts            string `json:"texts,omitempty" maxLength:"200"`
	Policy           []byte `json:"policy,omitempty" doc:"a release policy; if absent the default one"`
}

func (s *Server) lines(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/lines", "lines", "How each line stands"),
		func(ctx context.Context, _ *struct{}) (*out[[]Line], error) {
			list, err := s.Station.Lines(ctx, actorOf(ctx))
			all := make([]Line, 0, len(list))
			for _, l := range list {
				all = append(all, shownLine(l))
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/lines", "open-line", "Open this station's direction of a line"),
		func(ctx context.Context, in *struct{ Body Opening }) (*out[Queued], error) {
			l, err := identity.ParseLine(in.Body.Line)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			policy := message.DefaultPolicy()
			if len(in.Body.Policy) > 0 {
				if policy, err = message.ParsePolicy(in.Body.Policy); err != nil {
					return nil, huma.Error422UnprocessableEntity(err.Error())
				}
			}
			q, err := s.Station.OpenLine(ctx, actorOf(ctx), s.Now(), l, in.Body.terms(), policy)
			return answer(s.queued(q), err)
		})
	huma.Register(api, operation(http.MethodGet, "/state", "state", "Both logs of a line, folded: the same at both stations"),
		func(ctx context.Context, in *struct {
			AsOf
			Line string `query:"line" required:"true"`
		}) (*out[State], error) {
			l, err := identity.ParseLine(in.Line)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			w, err := s.Station.Whole(ctx, actorOf(ctx), s.Now(), l, s.second(in.AsOf))
			if err != nil {
				return nil, problem(err)
			}
			st, err := s.Station.State(ctx, actorOf(ctx), l)
			if err != nil {
				return nil, problem(err)
			}
			return answer(State{
				Line: in.Line, Digest: st.Digest().String(), Messages: len(st.Messages), At: w.At, MattersDigest: w.Digest().String(), Matters: len(w.Dossiers),
				Unreadable: len(w.Unreadable), Unlisted: len(w.Unlisted),
			}, nil)
		})
	huma.Register(api, operation(http.MethodPost, "/clock", "confirm-clock", "Confirm the time after the clock leapt"),
		func(ctx context.Context, _ *struct{}) (*out[ClockState], error) {
			done, err := s.Station.ConfirmClock(ctx, actorOf(ctx), s.Now())
			if err != nil {
				return nil, problem(err)
			}
			c := ClockState{Confirmed: done}
			if !done {
				c.Next = "another operator confirms within ten minutes, with a token of their own"
			}
			return answer(c, nil)
		})
}

// ClockState says whether two operators have confirmed the clock.
type ClockState struct {
	Confirmed bool   `json:"confirmed"`
	Next      string `json:"next,omitempty"`
}

// State is what the fold of a line comes to.
type State struct {
	Line     string `json:"line"`
	Digest   string `json:"digest" doc:"equal at both stations for the same record"`
	Messages int    `json:"messages"`

	At            time.Time `json:"at" doc:"the second as of which the matters stand"`
	MattersDigest string    `json:"matters_digest" doc:"of all matters as of that second: equal at both stations that hold the same record"`
	Matters       int       `json:"matters"`
	Unreadable    int       `json:"unreadable" doc:"entries that their reader could not open"`
	Unlisted      int       `json:"unlisted" doc:"messages whose receipt stands in neither log yet; in no digest"`
}

func (o Opening) terms() station.Terms {
	t := station.DefaultTerms()
	if o.TestEverySeconds > 0 {
		t.TestEvery = time.Duration(o.TestEverySeconds) * time.Second
	}
	if o.QuotaBytes > 0 {
		t.Quota = o.QuotaBytes
	}
	if o.Texts != "" {
		t.Texts = o.Texts
	}
	return t
}

func shownLine(l station.LineStatus) Line {
	return Line{
		Line: l.Line.Line.String(), Peer: string(l.Peer), Peering: l.State, State: l.Line.State, Guard: l.Guard, Reason: l.Reason,
		Alarms: l.Alarms.String(), Heard: optional(l.Heard), Own: shownPosition(l.Own), Theirs: shownPosition(l.Theirs),
		Waiting: counts(l.Waiting), Awaiting: counts(l.Awaiting),
	}
}

func shownPosition(p station.Position) Position {
	if p.Origin.Era == 0 {
		return Position{}
	}
	return Position{Log: p.Origin.String(), Size: p.Size, Root: p.Root.String(), Cosigned: p.Cosigned}
}

func counts(by map[message.Precedence]int) map[string]int {
	m := make(map[string]int, len(by))
	for p, n := range by {
		m[p.String()] = n
	}
	return m
}
