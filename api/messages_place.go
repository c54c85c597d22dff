package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"detente/message"
)

// Printed says that a printer took a message.
type Printed struct {
	Outlet string `json:"outlet"`
	Texts  int    `json:"texts" doc:"one in each language"`
}

// onMessages are the verbs on one message beyond reading it on a screen.
func (s *Server) onMessages(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/messages/{id}/place", "peek", "Where a message stands and when it was receipted, without what it says: it stays unread"),
		func(ctx context.Context, in *struct {
			ID string `path:"id"`
		}) (*out[Message], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			r, err := s.Station.Peek(ctx, actorOf(ctx), s.Now(), id)
			return answer(shown(r), err)
		})
	huma.Register(api, operation(http.MethodPost, "/messages/{id}/print", "print", "Put a message on paper, in the languages asked for: who prints it has read it"),
		func(ctx context.Context, in *struct {
			ID   string `path:"id"`
			Body struct {
				Outlet string   `json:"outlet" maxLength:"40" doc:"an outlet that prints"`
				Lang   []string `json:"lang,omitempty" maxItems:"6" doc:"en, ru, zh, es, fr, ar; if absent, en"`
			}
		}) (*out[Printed], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			all, err := langs(in.Body.Lang)
			if err != nil {
				return nil, err
			}
			n, err := s.Station.PrintMessage(ctx, actorOf(ctx), s.Now(), id, in.Body.Outlet, all...)
			return answer(Printed{Outlet: in.Body.Outlet, Texts: n}, err)
		})
}
