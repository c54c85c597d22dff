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

// Release is a request for release, with all that an officer's own machine
// needs to compute the digest and the text again from the bytes.
type Release struct {
	Queued
	Body    []byte    `json:"body" doc:"the frozen bytes"`
	Digest  string    `json:"digest" doc:"SHA-256 of the bytes"`
	Request string    `json:"request" doc:"hexadecimal"`
	Policy  string    `json:"policy" doc:"digest of the release policy that counts"`
	Expires time.Time `json:"expires"`
	Have    int       `json:"have"`
	Need    int       `json:"need"`
}

// ByID names a message in a path.
type ByID struct {
	ID string `path:"id"`
}

// releases are the verbs by which one sees what is on its way out.
func (s *Server) releases(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/queue", "queue", "List outgoing messages in a state, oldest first"),
		func(ctx context.Context, in *struct {
			State string `query:"state" default:"awaiting" enum:"awaiting,waiting,appended,withdrawn,expired,rejected,spent"`
			After int64  `query:"after"`
			Limit int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
		}) (*page[Queued], error) {
			state, err := station.ParseOutState(in.State)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			list, err := s.Station.Queue(ctx, actorOf(ctx), s.Now(), state, in.After, in.Limit)
			all := make([]Queued, 0, len(list))
			next := int64(0)
			for _, q := range list {
				all = append(all, s.queued(q))
				next = q.Order
			}
			return paged(all, err, in.Limit, "/queue?state=%s&after=%d&limit=%d", in.State, next, in.Limit)
		})
	huma.Register(api, operation(http.MethodGet, "/queue/{id}", "queued", "Where an outgoing message stands"),
		func(ctx context.Context, in *ByID) (*out[Queued], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			q, err := s.Station.Outgoing(ctx, actorOf(ctx), s.Now(), id)
			return answer(s.queued(q), err)
		})
	huma.Register(api, operation(http.MethodPost, "/queue/{id}/withdraw", "withdraw", "Take back a message that is not in the log yet"),
		func(ctx context.Context, in *struct {
			ByID
			Body struct {
				Reason string `json:"reason,omitempty" maxLength:"500"`
			}
		}) (*out[Queued], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			q, err := s.Station.Withdraw(ctx, actorOf(ctx), s.Now(), id, in.Body.Reason)
			return answer(s.queued(q), err)
		})
}

// decisions are the verbs of officers.
func (s *Server) decisions(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/releases/{id}", "release", "A request for release, with its bytes"),
		func(ctx context.Context, in *ByID) (*out[Release], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			r, err := s.Station.Release(ctx, actorOf(ctx), s.Now(), id)
			if err != nil {
				return nil, problem(err)
			}
			q := r.Request("", "")
			return answer(Release{
				Queued: s.queued(r.Outgoing), Body: r.Frozen.Bytes(), Digest: r.Frozen.Digest().String(), Request: message.ID(q.ID).String(),
				Policy: r.Policy.String(), Expires: q.Expires, Have: r.Have, Need: r.Need,
			}, nil)
		})
	huma.Register(api, signed(http.MethodPost, "/releases/{id}/approvals", "approve", "Give an officer's signed decision"),
		func(ctx context.Context, in *signedByID) (*out[Queued], error) {
			id, a, err := in.decision()
			if err != nil {
				return nil, err
			}
			q, err := s.Station.Approve(ctx, actorOf(ctx), s.Now(), id, a)
			return answer(s.queued(q), err)
		})
	huma.Register(api, operation(http.MethodPost, "/releases/{id}/alone", "release-alone", "Send on one officer's word, PROVISIONAL, where the policy lets it"),
		func(ctx context.Context, in *ByID) (*out[Queued], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			q, err := s.Station.ReleaseAlone(ctx, actorOf(ctx), s.Now(), id)
			return answer(s.queued(q), err)
		})
}

// signedByID is an officer's signed approval, of what an id names.
type signedByID struct {
	ByID
	RawBody []byte `contentType:"application/json"`
}

// decision reads what was sent. Its error is the answer.
func (in *signedByID) decision() (id message.ID, a identity.Approval, err error) {
	if id, err = message.ParseID(in.ID); err == nil {
		a, err = identity.ParseApproval(in.RawBody)
	}
	if err != nil {
		return id, a, huma.Error422UnprocessableEntity(err.Error())
	}
	return id, a, nil
}
