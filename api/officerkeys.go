package api

import (
	"context"
	"net/http"
	"time"

	"detente/identity"
	"detente/station"

	"github.com/danielgtaylor/huma/v2"
)

// OfficerKey is a certificate by which an officer signs here.
type OfficerKey struct {
	Pseudonym string    `json:"pseudonym"`
	Digest    string    `json:"digest" doc:"SHA-256 of the certificate"`
	Kind      string    `json:"kind" doc:"key: a key file; webauthn: a passkey"`
	Roles     []string  `json:"roles"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Revoked   bool      `json:"revoked,omitempty" doc:"it serves no more, and never again"`
}

// OfficerPath names an officer in a path.
type OfficerPath struct {
	Pseudonym string `path:"pseudonym"`
}

func (s *Server) officerKeys(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/officers/{pseudonym}/keys", "officer-keys", "The certificates by which an officer signs"),
		func(ctx context.Context, in *OfficerPath) (*out[[]OfficerKey], error) {
			list, err := s.Station.OfficerKeys(ctx, actorOf(ctx), in.Pseudonym)
			all := make([]OfficerKey, 0, len(list))
			for _, k := range list {
				all = append(all, shownKey(k))
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/officers/{pseudonym}/keys", "enrol-key", "Enrol another certificate of an officer"),
		func(ctx context.Context, in *struct {
			OfficerPath
			Body struct {
				Certificate []byte `json:"certificate"`
			}
		}) (*out[OfficerKey], error) {
			k, err := s.Station.EnrolKey(ctx, actorOf(ctx), s.Now(), in.Pseudonym, in.Body.Certificate)
			return answer(shownKey(k), err)
		})
	huma.Register(api, operation(http.MethodPost, "/officers/{pseudonym}/keys/{digest}/revoke", "revoke-key", "End one certificate of an officer"),
		func(ctx context.Context, in *struct {
			OfficerPath
			Digest string `path:"digest"`
		}) (*struct{}, error) {
			sum, err := identity.ParseDigest(in.Digest)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			return nil, problem(s.Station.RevokeKey(ctx, actorOf(ctx), s.Now(), in.Pseudonym, sum))
		})
}

func shownKey(k station.OfficerKey) OfficerKey {
	return OfficerKey{
		Pseudonym: k.Says.Pseudonym, Digest: k.Digest.String(), Kind: k.Says.Credential.Kind, Roles: k.Says.Roles,
		From: k.Says.From.UTC(), To: k.Says.To.UTC(), Revoked: k.Revoked,
	}
}
