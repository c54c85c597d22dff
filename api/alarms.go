package api

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/watch"
)

// Board is what stands on the watch.
type Board struct {
	Station string         `json:"station"`
	At      *time.Time     `json:"at,omitempty" doc:"when alarms last changed; absent before the first"`
	Groups  []AlarmGroup   `json:"groups" doc:"alarms of one kind on one line ring together; the gravest first"`
	Alarms  []Alarm        `json:"alarms" doc:"by kind, line and reference; those that ended for as long as they may come back"`
	Unacked map[string]int `json:"unacked" doc:"urgent messages that no person has acknowledged, by precedence"`
}

// AlarmGroup is the alarms of one kind on one line.
type AlarmGroup struct {
	Kind     string     `json:"kind"`
	Line     string     `json:"line,omitempty"`
	Level    string     `json:"level"`
	Count    int        `json:"count"`
	Open     int        `json:"open" doc:"of them, those that are not acknowledged"`
	Since    time.Time  `json:"since"`
	NextRing *time.Time `json:"next_ring,omitempty"`
	Rung     int        `json:"rung" doc:"how far it has climbed: 0 the watch, 1 the next shift, 2 supervisors, 3 on call"`
}

// Alarm is one thing that is wrong.
type Alarm struct {
	Kind     string     `json:"kind"`
	Line     string     `json:"line,omitempty"`
	Ref      string     `json:"ref,omitempty"`
	Level    string     `json:"level"`
	Since    time.Time  `json:"since"`
	Raised   time.Time  `json:"raised"`
	Count    int        `json:"count"`
	Stands   bool       `json:"stands"`
	Cleared  *time.Time `json:"cleared,omitempty"`
	Enough   bool       `json:"acknowledged" doc:"by enough officers: two for a FLASH"`
	Acks     []AlarmAck `json:"acknowledged_by,omitempty"`
	Silenced *time.Time `json:"silenced_until,omitempty"`
	Reopened int        `json:"reopened,omitempty"`
}

// AlarmAck is an officer's acknowledgement.
type AlarmAck struct {
	Officer string    `json:"officer"`
	At      time.Time `json:"at"`
}

// AlarmChoice says which alarms are meant, and by whom.
type AlarmChoice struct {
	Kind    string `json:"kind" maxLength:"40"`
	Line    string `json:"line,omitempty"`
	Ref     string `json:"ref,omitempty" maxLength:"200"`
	Group   bool   `json:"group,omitempty" doc:"all alarms of the kind and line"`
	Officer string `json:"officer,omitempty" maxLength:"80" doc:"a pseudonym; if absent, the caller"`
}

// Quieting asks for a while without sound.
type Quieting struct {
	AlarmChoice
	Seconds int64 `json:"seconds" minimum:"1" maximum:"120"`
}

// Outlet is a way by which notices leave the station.
type Outlet struct {
	Name    string     `json:"name"`
	Class   string     `json:"class"`
	Told    int64      `json:"told"`
	Failed  int64      `json:"failed" doc:"tries"`
	Dropped int64      `json:"dropped" doc:"notices that were given up"`
	Waiting int        `json:"waiting"`
	Last    *time.Time `json:"last,omitempty"`
	Error   string     `json:"error,omitempty" doc:"of the last try"`
	Tried   *time.Time `json:"tried,omitempty" doc:"by the test button"`
}

func (c AlarmChoice) act() (station.AlarmAct, error) {
	a := station.AlarmAct{Key: watch.Key{Kind: watch.Kind(c.Kind), Ref: c.Ref}, Group: c.Group, Officer: c.Officer}
	if c.Line == "" {
		return a, nil
	}
	var err error
	if a.Key.Line, err = identity.ParseLine(c.Line); err != nil {
		return a, huma.Error422UnprocessableEntity(err.Error())
	}
	return a, nil
}

func (s *Server) alarms(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/alarms", "alarms", "What is wrong, since when, and who has acknowledged it"),
		func(ctx context.Context, _ *struct{}) (*out[Board], error) {
			b, err := s.Station.Alarms(ctx, actorOf(ctx))
			if err != nil {
				return nil, problem(err)
			}
			return answer(s.board(b), nil)
		})
	huma.Register(api, operation(http.MethodPost, "/alarms/acknowledgements", "acknowledge-alarm", "Acknowledge alarms; a FLASH takes two officers"),
		func(ctx context.Context, in *struct{ Body AlarmChoice }) (*out[Board], error) {
			a, err := in.Body.act()
			if err != nil {
				return nil, err
			}
			return s.acted(ctx, s.Station.AcknowledgeAlarm(ctx, actorOf(ctx), s.Now(), a))
		})
	huma.Register(api, operation(http.MethodPost, "/alarms/silences", "silence-alarm", "Turn the sound of alarms off, for two minutes at most"),
		func(ctx context.Context, in *struct{ Body Quieting }) (*out[Board], error) {
			a, err := in.Body.act()
			if err != nil {
				return nil, err
			}
			a.Silence = time.Duration(in.Body.Seconds) * time.Second
			return s.acted(ctx, s.Station.SilenceAlarm(ctx, actorOf(ctx), s.Now(), a))
		})
	huma.Register(api, operation(http.MethodGet, "/outlets", "outlets", "The ways by which notices leave the station"),
		func(ctx context.Context, _ *struct{}) (*out[[]Outlet], error) {
			list, err := s.Station.Outlets(ctx, actorOf(ctx))
			all := make([]Outlet, 0, len(list))
			for _, o := range list {
				all = append(all, Outlet{Name: o.Name, Class: string(o.Class), Told: o.Told, Failed: o.Failed, Dropped: o.Dropped, Waiting: o.Waiting,
					Last: optional(o.Last), Error: o.Error, Tried: optional(o.Tried)})
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/outlets/{name}/test", "test-outlet", "Try an outlet: it tells that nothing happened"),
		func(ctx context.Context, in *struct {
			Name string `path:"name" maxLength:"40"`
		}) (*out[OutletTried], error) {
			err := s.Station.TestOutlet(ctx, actorOf(ctx), s.Now(), in.Name)
			return answer(OutletTried{Name: in.Name, Taken: err == nil}, err)
		})
	huma.Register(api, operation(http.MethodGet, "/line-history", "line-history", "What the record shows of a line's tests, outages and state"),
		func(ctx context.Context, in *struct {
			Line string    `query:"line" required:"true"`
			From time.Time `query:"from" required:"true"`
			To   time.Time `query:"to" required:"true"`
		}) (*out[LineHistory], error) {
			l, err := identity.ParseLine(in.Line)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			h, err := s.Station.LineHistory(ctx, actorOf(ctx), s.Now(), l, watch.Span{From: in.From.UTC(), To: in.To.UTC()})
			if err != nil {
				return nil, problem(err)
			}
			return answer(shownHistory(h), nil)
		})
}

// OutletTried says that an outlet took a test.
type OutletTried struct {
	Name  string `json:"name"`
	Taken bool   `json:"taken" doc:"the outlet has it; that somebody saw or heard it, only that person can say"`
}

// acted answers with how the alarms stand after an act.
func (s *Server) acted(ctx context.Context, err error) (*out[Board], error) {
	if err != nil {
		return nil, problem(err)
	}
	b, err := s.Station.Alarms(ctx, actorOf(ctx))
	if err != nil {
		return nil, problem(err)
	}
	return answer(s.board(b), nil)
}

func lineName(l identity.Line) string {
	if l == (identity.Line{}) {
		return ""
	}
	return l.String()
}

func (s *Server) board(b station.AlarmBoard) Board {
	w := Board{Station: string(s.Station.Name()), At: optional(b.Alarms.At), Groups: []AlarmGroup{}, Alarms: []Alarm{}, Unacked: counts(b.Unacked)}
	rings := make(map[watch.Key]watch.Ring, len(b.Alarms.Rings))
	for _, r := range b.Alarms.Rings {
		rings[r.Group] = r
	}
	for _, g := range b.Groups {
		r := rings[g.Key]
		w.Groups = append(w.Groups, AlarmGroup{Kind: string(g.Key.Kind), Line: lineName(g.Key.Line), Level: g.Level.String(), Count: g.Count, Open: g.Open,
			Since: g.Since.UTC(), NextRing: optional(r.Next), Rung: int(r.Rung)})
	}
	for _, a := range b.Alarms.Alarms {
		v := Alarm{Kind: string(a.Kind), Line: lineName(a.Line), Ref: a.Ref, Level: a.Level.String(), Since: a.Since.UTC(), Raised: a.Raised.UTC(), Count: a.Count,
			Stands: a.Stands(), Cleared: optional(a.Cleared), Enough: a.Stands() && a.Acknowledged(), Silenced: optional(a.Silenced), Reopened: a.Reopened}
		for _, k := range a.Acks {
			v.Acks = append(v.Acks, AlarmAck{k.Officer, k.At.UTC()})
		}
		w.Alarms = append(w.Alarms, v)
	}
	return w
}

// ChallengeShown is a challenge, what an officer signs to answer it, and what
// its answer proves.
type ChallengeShown struct {
	ID       string     `json:"id" doc:"of the message of format 015"`
	Line     string     `json:"line"`
	From     string     `json:"from"`
	To       string     `json:"to" doc:"whose officer answers"`
	Asked    time.Time  `json:"asked"`
	Answer   string     `json:"answer,omitempty" doc:"the message of format 016"`
	Received *time.Time `json:"received,omitempty"`
	Officer  string     `json:"officer,omitempty" doc:"who is proven to have answered in time; absent: nobody"`
	Why      string     `json:"why,omitempty" doc:"why the answer proves nothing"`
	Body     string     `json:"body" doc:"what the officer's signature refers to, as are request, policy and expires"`
	Request  string     `json:"request"`
	Policy   string     `json:"policy"`
	Expires  time.Time  `json:"expires"`
}

func (s *Server) challenges(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/challenges/{id}", "challenge", "A challenge, and which officer has answered it"),
		func(ctx context.Context, in *struct {
			ID string `path:"id"`
		}) (*out[ChallengeShown], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			st, err := s.Station.Challenge(ctx, actorOf(ctx), s.Now(), id)
			if err != nil {
				return nil, problem(err)
			}
			c := st.Challenge
			r := c.Request("")
			v := ChallengeShown{ID: c.ID.String(), Line: c.Line.String(), From: string(c.From), To: string(c.To), Asked: c.Asked, Received: optional(st.Received),
				Officer: st.Officer, Why: st.Why, Body: r.Body.String(), Request: hex.EncodeToString(r.ID[:]), Policy: r.Policy.String(), Expires: r.Expires}
			if st.Answer != (message.ID{}) {
				v.Answer = st.Answer.String()
			}
			return answer(v, nil)
		})
}
