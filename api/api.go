package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"detente/identity"
	"detente/line"
	"detente/station"
)

// Server serves a station's API.
type Server struct {
	Station *station.Station
	Now     func() time.Time
	Version string

	// Keeper keeps what lies outside the station's store. If nil, eras cannot be
	// opened and no backups made through the API.
	Keeper Keeper

	// Transport reaches counterparts. If nil, nothing is put back from them.
	Transport line.Transport
}

// Keeper keeps what lies outside a station's store: its keys, its own cards,
// and copies of the store.
type Keeper interface {
	// LogKey returns the private key of an own log, read anew.
	LogKey(identity.Origin) (identity.PrivateKey, error)
	// PutCards keeps the station's own new cards for its next start.
	PutCards(identity.Bundle) error
	// Backup copies the store to a new file.
	Backup(ctx context.Context, to string) error
}

// maxToken bounds the Authorization header that is looked up.
const maxToken = 256

// Handler returns the API under /api/v1, with its OpenAPI document at
// /api/openapi.json.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Détente", s.Version)
	config.Info.Description = "What changes something can be tried: under " + tryPath + " in place of /api/v1/ it is checked, and not done; the answer has dry_run true and says what would be done."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/openapi", "", "/api/schemas"
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "a token that the station's operator made with `detente token add`"},
	}
	config.Transformers = append(config.Transformers, withType)
	config.Security = []map[string][]string{{"token": {}}}
	config.Formats = strict()
	api := humago.New(mux, config)
	api.UseMiddleware(func(c huma.Context, next func(huma.Context)) { s.authenticate(api, c, next) })
	s.messages(api)
	s.onMessages(api)
	s.releases(api)
	s.decisions(api)
	s.lines(api)
	s.matters(api)
	s.tension(api)
	s.agreements(api)
	s.editions(api)
	s.consults(api)
	s.people(api)
	s.watch(api)
	s.records(api)
	s.standings(api)
	s.searches(api)
	s.bundles(api)
	s.border(api)
	s.upkeep(api)
	s.alarms(api)
	s.challenges(api)
	s.stream(api)
	s.blobs(mux)
	s.exports(mux)
	describeRaw(api)
	return http.NewCrossOriginProtection().Handler(tryable(mux))
}

// authStatus is the status of a caller whose token does not hold, or could not
// be looked up.
func authStatus(err error) int {
	if errors.Is(err, station.ErrRefused) {
		return http.StatusUnauthorized
	}
	return http.StatusServiceUnavailable
}

type actorKey struct{}

// authenticate turns the bearer token into the actor of the call.
func (s *Server) authenticate(api huma.API, c huma.Context, next func(huma.Context)) {
	actor, err := s.actor(c.Context(), c.Header("Authorization"))
	if err != nil {
		_ = huma.WriteErr(api, c, authStatus(err), err.Error()) // the connection is gone where this fails
		return
	}
	next(huma.WithValue(c, actorKey{}, actor))
}

func (s *Server) actor(ctx context.Context, header string) (station.Actor, error) {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok || len(token) > maxToken {
		return station.Actor{}, errSignIn
	}
	return s.Station.Authenticate(ctx, s.Now(), token)
}

var errSignIn = errors.Join(station.ErrRefused, errors.New("sign in: send the header Authorization: Bearer with a token of this station"))

// actorOf returns who calls. The middleware has put it there.
func actorOf(ctx context.Context) station.Actor {
	a, _ := ctx.Value(actorKey{}).(station.Actor)
	return a
}

// out is an answer with a body.
type out[T any] struct{ Body T }

func answer[T any](body T, err error) (*out[T], error) {
	if err != nil {
		return nil, problem(err)
	}
	return &out[T]{Body: body}, nil
}

func operation(method, path, id, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary}
}

// signed is an operation whose body is an officer's signed decision: its bytes
// are taken as they are, and judged by what verifies them.
func signed(method, path, id, summary string) huma.Operation {
	o := operation(method, path, id, summary)
	o.SkipValidateBody = true
	return o
}
