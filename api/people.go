package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
	"detente/station"
)

// Peer is another station and what is pinned of it.
type Peer struct {
	Station   string    `json:"station"`
	State     string    `json:"state" doc:"card held, digits checked, two-person confirmed, lines proven, held, removed"`
	Resumes   string    `json:"resumes,omitempty" doc:"held by an operator: the state word that two officers bring back; absent: the ceremony ends a hold"`
	Confirmed []string  `json:"confirmed" doc:"pseudonyms of the officers who confirmed, or ended a hold"`
	Since     time.Time `json:"since"`
	Card      string    `json:"card,omitempty" doc:"digest of the pinned card"`
}

// Officer is an officer of this station.
type Officer struct {
	Pseudonym string     `json:"pseudonym"`
	Name      string     `json:"name" doc:"known to this station only"`
	Revoked   *time.Time `json:"revoked,omitempty"`
}

// PeerPath names a peer in a path.
type PeerPath struct {
	Station string `path:"station"`
}

func (p PeerPath) name() (identity.Station, error) {
	n, err := identity.ParseStation(p.Station)
	if err != nil {
		return n, huma.Error422UnprocessableEntity(err.Error())
	}
	return n, nil
}

func (s *Server) people(api huma.API) {
	s.peers(api)
	s.confirmations(api)
	huma.Register(api, operation(http.MethodGet, "/officers", "officers", "The officers of this station"),
		func(ctx context.Context, _ *struct{}) (*out[[]Officer], error) {
			list, err := s.Station.Officers(ctx, actorOf(ctx))
			all := make([]Officer, 0, len(list))
			for _, o := range list {
				all = append(all, Officer{Pseudonym: o.Pseudonym, Name: o.Name, Revoked: optional(o.Revoked)})
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/officers", "add-officer", "Put an officer's certificate on the list"),
		func(ctx context.Context, in *struct {
			Body struct {
				Name        string `json:"name" minLength:"1" maxLength:"200"`
				Certificate []byte `json:"certificate"`
			}
		}) (*out[Officer], error) {
			o, err := s.Station.AddOfficer(ctx, actorOf(ctx), s.Now(), in.Body.Name, in.Body.Certificate)
			return answer(Officer{Pseudonym: o.Pseudonym, Name: o.Name}, err)
		})
	huma.Register(api, operation(http.MethodPost, "/officers/{pseudonym}/revoke", "revoke-officer", "End an officer's approvals here"),
		func(ctx context.Context, in *struct {
			Pseudonym string `path:"pseudonym"`
		}) (*struct{}, error) {
			return nil, problem(s.Station.RevokeOfficer(ctx, actorOf(ctx), s.Now(), in.Pseudonym))
		})
	s.officerKeys(api)
	s.tokens(api)
}

// Token says whom a token stands for. The token itself is not kept.
type Token struct {
	Actor   string    `json:"actor"`
	Roles   []string  `json:"roles"`
	Until   time.Time `json:"until"`
	Revoked bool      `json:"revoked,omitempty"`
	Digest  string    `json:"digest" doc:"SHA-256 of the token"`
}

// RevokedTokens says how many tokens were ended.
type RevokedTokens struct {
	Actor   string `json:"actor"`
	Revoked int    `json:"revoked"`
}

func (s *Server) tokens(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/tokens", "tokens", "Whom tokens stand for, and until when"),
		func(ctx context.Context, _ *struct{}) (*out[[]Token], error) {
			list, err := s.Station.Tokens(ctx, actorOf(ctx))
			all := make([]Token, 0, len(list))
			for _, t := range list {
				all = append(all, Token{Actor: t.Actor, Roles: t.Roles, Until: t.Until.UTC(), Revoked: t.Revoked, Digest: t.Digest.String()})
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/tokens/{actor}/revoke", "revoke-tokens", "End all tokens that stand for somebody"),
		func(ctx context.Context, in *struct {
			Actor string `path:"actor"`
		}) (*out[RevokedTokens], error) {
			n, err := s.Station.RevokeTokens(ctx, actorOf(ctx), s.Now(), in.Actor)
			return answer(RevokedTokens{Actor: in.Actor, Revoked: n}, err)
		})
	huma.Register(api, operation(http.MethodPost, "/tokens", "add-token", "Let a caller act with some roles until a time"),
		func(ctx context.Context, in *struct {
			Body struct {
				Token string    `json:"token" doc:"det_ and at least 32 random characters"`
				Actor string    `json:"actor"`
				Roles []string  `json:"roles"`
				Until time.Time `json:"until"`
			}
		}) (*struct{}, error) {
			as := station.Actor{Name: in.Body.Actor, Roles: in.Body.Roles}
			return nil, problem(s.Station.AddToken(ctx, actorOf(ctx), s.Now(), in.Body.Token, as, in.Body.Until))
		})
}

func (s *Server) peers(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/peers", "peers", "The stations whose cards are held"),
		func(ctx context.Context, _ *struct{}) (*out[[]Peer], error) {
			list, err := s.Station.Peers(ctx, actorOf(ctx))
			all := make([]Peer, 0, len(list))
			for _, p := range list {
				all = append(all, shownPeer(p))
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/peers", "add-peer", "Hold a counterpart's root and cards; nothing is trusted by it"),
		func(ctx context.Context, in *struct {
			Body struct {
				Root  []byte `json:"root"`
				Cards []byte `json:"cards"`
			}
		}) (*out[Peer], error) {
			root, err := identity.ParseRoot(in.Body.Root)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			cards, err := identity.ParseBundle(in.Body.Cards)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			p, err := s.Station.AddPeer(ctx, actorOf(ctx), s.Now(), root, cards)
			return answer(shownPeer(p), err)
		})
	huma.Register(api, operation(http.MethodPost, "/peers/{station}/hold", "hold-peer", "Stop all lines to a peer"),
		func(ctx context.Context, in *PeerPath) (*out[Peer], error) {
			name, err := in.name()
			if err != nil {
				return nil, err
			}
			p, err := s.Station.HoldPeer(ctx, actorOf(ctx), s.Now(), name)
			return answer(shownPeer(p), err)
		})
	huma.Register(api, operation(http.MethodPost, "/peers/{station}/remove", "remove-peer", "End the trust in a peer: two operators, each with a token of their own"),
		func(ctx context.Context, in *struct {
			PeerPath
			Body struct {
				Reason string `json:"reason,omitempty" maxLength:"500" doc:"needed while a line to it is open"`
			}
		}) (*out[Removed], error) {
			name, err := in.name()
			if err != nil {
				return nil, err
			}
			done, err := s.Station.RemovePeer(ctx, actorOf(ctx), s.Now(), name, in.Body.Reason)
			r := Removed{Station: string(name), Removed: done}
			if !done {
				r.Next = "another operator does the same within ten minutes, with a token of their own"
			}
			return answer(r, err)
		})
}

// Removed says whether a peer was removed, or one more operator has to agree.
type Removed struct {
	Station string `json:"station"`
	Removed bool   `json:"removed"`
	Next    string `json:"next,omitempty"`
}

// Digits are the digits over both stations' cards, and which half this station
// reads aloud.
type Digits struct {
	Groups []string `json:"groups"`
	Reads  string   `json:"reads" doc:"odd or even: the half that this station reads aloud; it hears and types the other"`
}

// ToSign is what an officer signs of a peer's cards, with the decision confirm.
type ToSign struct {
	Body    string    `json:"body" doc:"digest of the peer's card; to end a hold, one made of it"`
	Request string    `json:"request"`
	Policy  string    `json:"policy" doc:"digest of this station's own card"`
	Expires time.Time `json:"expires"`
}

// confirmWithin is how long a request to confirm a peer's cards stands.
const confirmWithin = 4 * time.Hour

func (s *Server) confirmations(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/peers/{station}/digits", "digits", "The digits over both cards"),
		func(ctx context.Context, in *PeerPath) (*out[Digits], error) {
			name, err := in.name()
			if err != nil {
				return nil, err
			}
			groups, err := s.Station.Digits(ctx, actorOf(ctx), name)
			reads := "even"
			if s.Station.ReadsOdd(name) {
				reads = "odd"
			}
			return answer(Digits{Groups: groups, Reads: reads}, err)
		})
	huma.Register(api, operation(http.MethodPost, "/peers/{station}/digits", "check-digits", "Type the half that the counterpart read aloud"),
		func(ctx context.Context, in *struct {
			PeerPath
			Body struct {
				Typed string `json:"typed" maxLength:"200"`
			}
		}) (*out[Peer], error) {
			name, err := in.name()
			if err != nil {
				return nil, err
			}
			p, err := s.Station.CheckDigits(ctx, actorOf(ctx), s.Now(), name, in.Body.Typed)
			return answer(shownPeer(p), err)
		})
	s.peerSigned(api, signedOf{"confirmation", "confirm-peer", "What an officer signs to confirm the peer's cards", "Give an officer's signed confirmation"}, s.Station.PeerRequest, s.Station.ConfirmPeer)
	s.peerSigned(api, signedOf{"resumption", "resume-peer", "What an officer signs to end an operator's hold of the peer", "Give an officer's signed word that the hold is over"}, s.Station.ResumeRequest, s.Station.ResumePeer)
}

// signedOf names a decision on a peer that officers sign: the path, and the id,
// of what they sign; the id of giving it; and what each says of itself.
type signedOf struct{ name, give, asks, gives string }

// peerSigned registers a decision on a peer that officers sign.
func (s *Server) peerSigned(api huma.API, of signedOf,
	request func(context.Context, station.Actor, identity.Station, string, time.Time) (identity.Request, error),
	take func(context.Context, station.Actor, time.Time, identity.Station, identity.Approval) (station.Peer, error)) {
	huma.Register(api, operation(http.MethodGet, "/peers/{station}/"+of.name, of.name, of.asks),
		func(ctx context.Context, in *PeerPath) (*out[ToSign], error) {
			name, err := in.name()
			if err != nil {
				return nil, err
			}
			r, err := request(ctx, actorOf(ctx), name, "", s.Now().Add(confirmWithin))
			if err != nil {
				return nil, problem(err)
			}
			return answer(ToSign{Body: r.Body.String(), Request: hexID(r.ID), Policy: r.Policy.String(), Expires: r.Expires}, nil)
		})
	huma.Register(api, signed(http.MethodPost, "/peers/{station}/"+of.name+"s", of.give, of.gives),
		func(ctx context.Context, in *struct {
			PeerPath
			RawBody []byte `contentType:"application/json"`
		}) (*out[Peer], error) {
			name, err := in.name()
			if err != nil {
				return nil, err
			}
			a, err := identity.ParseApproval(in.RawBody)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			p, err := take(ctx, actorOf(ctx), s.Now(), name, a)
			return answer(shownPeer(p), err)
		})
}

func shownPeer(p station.Peer) Peer {
	v := Peer{Station: string(p.Station), State: p.State, Resumes: p.Resumes, Confirmed: p.Confirmed, Since: p.Since.UTC()}
	if b, err := identity.ParseBundle(p.Bundle); err == nil {
		v.Card = identity.Sum(b.Station).String()
	}
	return v
}
