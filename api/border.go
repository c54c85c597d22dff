package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
)

// Commitment is what was committed to in a matter, and what was revealed of it.
type Commitment struct {
	Commitment string `json:"commitment" doc:"as the message states it"`
	By         string `json:"by"`
	Message    string `json:"message" doc:"that states it"`
	Citation   string `json:"citation"`
	State      string `json:"state" enum:"committed-not-revealed,revealed-as-committed,revealed-in-part,revealed-another"`
	Shown      int64  `json:"shown" doc:"objects shown by the fullest disclosure"`
	Objects    int64  `json:"objects" doc:"of the bundle; 0 until one is shown"`
	Blob       string `json:"blob,omitempty" doc:"the disclosure"`
	In         string `json:"in,omitempty" doc:"citation of the message that names it"`
	Reason     string `json:"reason,omitempty"`
}

// border are the verbs about evidence across a border.
func (s *Server) border(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/commitments", "commitments", "What was committed to in the dossier of a message, and what was revealed of it"),
		func(ctx context.Context, in *struct {
			Message string `query:"message" required:"true" doc:"the id of any message of the dossier"`
		}) (*out[[]Commitment], error) {
			list, err := s.Station.Commitments(ctx, actorOf(ctx), s.Now(), in.Message)
			all := make([]Commitment, 0, len(list))
			for _, c := range list {
				one := Commitment{Commitment: c.Commitment.String(), By: string(c.By), Message: c.Message.String(), Citation: c.Citation, State: string(c.State), Shown: c.Shown, Objects: c.Objects, In: c.In, Reason: c.Reason}
				if c.Blob != (identity.Digest{}) {
					one.Blob = c.Blob.String()
				}
				all = append(all, one)
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodGet, "/redactions", "redact", "A message's text with parameters given way to digests, and the digest that a proposal to publish it names"),
		func(ctx context.Context, in *struct {
			Message string   `query:"message" required:"true" doc:"the id of the message"`
			Field   []string `query:"field" doc:"parameters that give way"`
		}) (*out[Redaction], error) {
			r, err := s.Station.Redact(ctx, actorOf(ctx), s.Now(), in.Message, in.Field)
			return answer(Redaction{r.Citation, r.Digest.String(), string(r.Text)}, err)
		})
}

// Redaction is what is left of a message where parameters give way to digests.
type Redaction struct {
	Citation string `json:"citation"`
	Digest   string `json:"digest"`
	Text     string `json:"text" doc:"canonical JSON, as a publication shows it"`
}
