package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"detente/station"
)

// Happening is an event of the stream. Its number is the stream's id, from
// which a reader resumes.
type Happening struct {
	Number int64     `json:"number"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind" doc:"message, receipt, release, line, blob, alarm"`
	Ref    string    `json:"ref"`
	Text   string    `json:"text"`
}

// Heartbeat says that the stream lives, and where it stands.
type Heartbeat struct {
	At     time.Time `json:"at"`
	Number int64     `json:"number"`
}

// Resync says that events between the last one that the reader saw and Number
// cannot be shown: the reader asks lists anew, and goes on from Number.
type Resync struct {
	At     time.Time `json:"at"`
	Number int64     `json:"number"`
}

const (
	heartbeatEvery = 5 * time.Second
	streamPage     = 200 // events read at once
)

func (s *Server) stream(api huma.API) {
	sse.Register(api, operation(http.MethodGet, "/stream", "stream", "Events as they happen; resumes at Last-Event-ID"),
		map[string]any{"event": Happening{}, "hb": Heartbeat{}, "resync": Resync{}},
		func(ctx context.Context, in *struct {
			After string `header:"Last-Event-ID"`
			From  int64  `query:"after" doc:"the number of the last event seen"`
		}, send sse.Sender) {
			after := in.From
			if n, err := strconv.ParseInt(in.After, 10, 64); err == nil {
				after = n
			}
			s.follow(ctx, actorOf(ctx), after, send)
		})
}

// follow sends events as they are committed, until the reader leaves.
func (s *Server) follow(ctx context.Context, actor station.Actor, after int64, send sse.Sender) {
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	alive := func() error { return send(sse.Message{Data: Heartbeat{At: s.Now().UTC(), Number: after}}) }
	if alive() != nil {
		return
	}
	last, err := s.Station.LastEvent(ctx, actor)
	if err != nil {
		return
	}
	if after > last { // the store was put back to an older copy
		after = last
		if send(sse.Message{ID: int(after), Data: Resync{At: s.Now().UTC(), Number: after}}) != nil {
			return
		}
	}
	for {
		news := s.Station.News()
		list, err := s.Station.EventsAfter(ctx, actor, after, streamPage)
		if err != nil {
			return // the reader comes back with the last number it saw
		}
		for _, e := range list {
			if e.Number != after+1 { // events are numbered without gaps, unless some were lost
				after = e.Number - 1
				if send(sse.Message{ID: int(after), Data: Resync{At: s.Now().UTC(), Number: after}}) != nil {
					return
				}
			}
			after = e.Number
			h := Happening{Number: e.Number, At: e.At.UTC(), Kind: e.Kind, Ref: e.Ref, Text: e.Text}
			if send(sse.Message{ID: int(e.Number), Data: h}) != nil {
				return
			}
		}
		if len(list) == streamPage {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-news:
		case <-beat.C:
			if alive() != nil {
				return
			}
		}
	}
}
