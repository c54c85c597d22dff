package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/message"
	"detente/station"
	"detente/watch"
)

// Item is something that waits.
type Item struct {
	Ref    string    `json:"ref"`
	What   string    `json:"what"`
	Since  time.Time `json:"since"`
	Detail string    `json:"detail,omitempty"`
}

// Due is a duty of either side that runs out.
type Due struct {
	Ref  string    `json:"ref"`
	What string    `json:"what" doc:"the format that would meet it"`
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Late bool      `json:"late,omitempty"`
}

// WatchedLine is where a line stands.
type WatchedLine struct {
	Line     string `json:"line"`
	Phase    string `json:"phase"`
	Desk     string `json:"their_desk"`
	LastTest string `json:"last_test,omitempty" doc:"absent: none was due yet"`
	Missed   int    `json:"missed" doc:"tests of the shift that failed"`
	Fault    string `json:"fault,omitempty" doc:"why it does not work"`
}

// StandingAlarm is a group of alarms that stand.
type StandingAlarm struct {
	Kind  string    `json:"kind"`
	Line  string    `json:"line,omitempty"`
	Level string    `json:"level"`
	Since time.Time `json:"since"`
	Count int       `json:"count"`
	Open  int       `json:"open" doc:"not acknowledged"`
}

// Watch is what an officer who comes has to see at once.
type Watch struct {
	Station   string          `json:"station"`
	At        time.Time       `json:"at"`
	Rostered  bool            `json:"rostered" doc:"there is a roster"`
	On        []OnDuty        `json:"on"`
	Next      *Change         `json:"next,omitempty"`
	Unread    map[string]int  `json:"unread" doc:"by precedence"`
	Flash     []Item          `json:"flash_unread"`
	Unacked   []Item          `json:"unacknowledged" doc:"received, and neither understood nor answered"`
	Waiting   []Item          `json:"awaiting_release"`
	Deadlines []Due           `json:"deadlines" doc:"of the next 12 hours, and those that have run out: the own side's first"`
	Alarms    []StandingAlarm `json:"alarms"`
	Lines     []WatchedLine   `json:"lines"`
	Calls     []Item          `json:"unconfirmed_calls"`
	Handovers []Handover      `json:"handovers" doc:"that wait for a signature"`
	Risks     []Risk          `json:"risks" doc:"of the next day"`
}

func shownItems(all []watch.OpenItem) []Item {
	out := make([]Item, 0, len(all))
	for _, i := range all {
		out = append(out, Item{i.Ref, i.What, i.Since.UTC(), i.Detail})
	}
	return out
}

func (s *Server) now(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/watch", "watch", "Who is on, and what waits now"),
		func(ctx context.Context, in *struct {
			Lang []string `query:"lang"`
		}) (*out[Watch], error) {
			all, err := langs(in.Lang)
			if err != nil {
				return nil, err
			}
			n, err := s.Station.WatchNow(ctx, actorOf(ctx), s.Now())
			if err != nil {
				return nil, problem(err)
			}
			w := shownNow(n)
			if w.Risks, err = s.shownRisks(n.Risks, all); err != nil {
				return nil, err
			}
			for _, h := range n.Open {
				shown, err := s.shownHandover(h, nil)
				if err != nil {
					return nil, err
				}
				w.Handovers = append(w.Handovers, shown)
			}
			return answer(w, nil)
		})
}

func shownNow(n station.Now) Watch {
	w := Watch{Station: string(n.Sheet.Station), At: n.Sheet.At, Rostered: n.Rostered, On: shownDuties(n.On), Next: shownChange(n.Next), Unread: map[string]int{},
		Flash: shownItems(n.Sheet.FlashUnread), Unacked: shownItems(n.Sheet.Unacked), Waiting: shownItems(n.Sheet.Waiting), Calls: shownItems(n.Sheet.Calls),
		Deadlines: []Due{}, Alarms: []StandingAlarm{}, Lines: []WatchedLine{}, Handovers: []Handover{}}
	for p := message.Flash; p >= message.Routine; p-- {
		if count := n.Unread[p]; count > 0 {
			w.Unread[p.String()] = count
		}
	}
	for _, d := range n.Sheet.Deadlines {
		w.Deadlines = append(w.Deadlines, Due{d.Ref, d.What, string(d.By), d.At.UTC(), d.Late})
	}
	for _, g := range n.Sheet.Alarms {
		a := StandingAlarm{Kind: string(g.Key.Kind), Level: g.Level.String(), Since: g.Since.UTC(), Count: g.Count, Open: g.Open}
		if g.Key.Line.A != "" {
			a.Line = g.Key.Line.String()
		}
		w.Alarms = append(w.Alarms, a)
	}
	for _, l := range n.Sheet.Lines {
		w.Lines = append(w.Lines, WatchedLine{l.Line.String(), string(l.Phase), l.Desk, string(l.LastTest), l.Missed, n.Faults[l.Line]})
	}
	return w
}
