package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
	"detente/station"
)

// Edition is an edition of the signal book that lies in the station.
type Edition struct {
	Hash   string            `json:"hash"`
	Name   string            `json:"name"`
	State  string            `json:"state" doc:"program: it ships with the program, or did with an earlier one; offered: it waits for two officers and is not read; installed: it is read"`
	Since  *time.Time        `json:"since,omitempty"`
	By     string            `json:"by" doc:"who brought it"`
	Packs  map[string]string `json:"packs" doc:"the status of each language pack: draft, checked, agreed"`
	Signed []string          `json:"signed,omitempty" doc:"the officers who signed it, by pseudonym"`
	Lines  []SpokenOn        `json:"lines,omitempty" doc:"where this station writes in it, or will"`
}

// SpokenOn is a line on which an edition is spoken.
type SpokenOn struct {
	Line string     `json:"line"`
	From *time.Time `json:"from,omitempty" doc:"absent: since the log was opened"`
	Now  bool       `json:"now"`
}

// PackedEdition is an edition with its files.
type PackedEdition struct {
	Edition
	Pack []byte `json:"pack" doc:"its files, packed: what names it is the hash over them"`
}

// EditionPath names an edition.
type EditionPath struct {
	Hash string `path:"hash" doc:"of its files, 64 hexadecimal digits"`
}

func (p EditionPath) digest() (identity.Digest, error) {
	d, err := identity.ParseDigest(p.Hash)
	if err != nil {
		return d, huma.Error422UnprocessableEntity(err.Error())
	}
	return d, nil
}

func shownEdition(e station.EditionState) Edition {
	v := Edition{Hash: e.Hash.String(), Name: e.Name, State: e.State, Since: optional(e.Since), By: e.By, Packs: make(map[string]string)}
	for l, status := range e.Packs {
		v.Packs[string(l)] = status
	}
	for _, sig := range e.Signed {
		v.Signed = append(v.Signed, sig.Officer)
	}
	for _, on := range e.Lines {
		v.Lines = append(v.Lines, SpokenOn{on.Line.String(), optional(on.From), on.Now})
	}
	return v
}

// editions are the operations on editions of the signal book.
func (s *Server) editions(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/editions", "editions", "The editions that lie in the station, and where each is spoken"),
		func(ctx context.Context, _ *struct{}) (*out[[]Edition], error) {
			list, err := s.Station.Editions(ctx, actorOf(ctx), s.Now())
			all := make([]Edition, 0, len(list))
			for _, e := range list {
				all = append(all, shownEdition(e))
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/editions", "install-edition", "Bring an edition; it is read once two officers have signed it"),
		func(ctx context.Context, in *struct {
			Body struct {
				Pack []byte `json:"pack" doc:"as \"detente book install\" packs its files"`
			}
		}) (*out[Edition], error) {
			e, err := s.Station.InstallEdition(ctx, actorOf(ctx), s.Now(), in.Body.Pack)
			return answer(shownEdition(e), err)
		})
	huma.Register(api, operation(http.MethodGet, "/editions/{hash}", "edition", "An edition with its files"),
		func(ctx context.Context, in *EditionPath) (*out[PackedEdition], error) {
			d, err := in.digest()
			if err != nil {
				return nil, err
			}
			k, pack, err := s.Station.Edition(ctx, actorOf(ctx), s.Now(), d)
			return answer(PackedEdition{shownEdition(station.EditionState{KeptEdition: k}), pack}, err)
		})
	huma.Register(api, operation(http.MethodGet, "/editions/{hash}/signing", "edition-request", "What an officer signs so that an edition is read here"),
		func(ctx context.Context, in *EditionPath) (*out[ToSign], error) {
			d, err := in.digest()
			if err != nil {
				return nil, err
			}
			r, err := s.Station.EditionRequest(ctx, actorOf(ctx), d, "", s.Now().Add(confirmWithin))
			if err != nil {
				return nil, problem(err)
			}
			return answer(ToSign{Body: r.Body.String(), Request: hexID(r.ID), Policy: r.Policy.String(), Expires: r.Expires}, nil)
		})
	huma.Register(api, signed(http.MethodPost, "/editions/{hash}/signatures", "sign-edition", "Give an officer's signature under an edition"),
		func(ctx context.Context, in *struct {
			EditionPath
			RawBody []byte `contentType:"application/json"`
		}) (*out[Edition], error) {
			d, err := in.digest()
			if err != nil {
				return nil, err
			}
			a, err := identity.ParseApproval(in.RawBody)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			e, err := s.Station.SignEdition(ctx, actorOf(ctx), s.Now(), d, a)
			return answer(shownEdition(e), err)
		})
}
