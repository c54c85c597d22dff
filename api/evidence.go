package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/book"
	"detente/identity"
	"detente/interop/stix"
	"detente/message"
	"detente/station"
)

// BundleFinding is one thing that is to be said of a bundle.
type BundleFinding struct {
	Code    string `json:"code"`
	Object  string `json:"object,omitempty"`
	Pointer string `json:"pointer,omitempty" doc:"RFC 6901, from the bundle"`
	Line    int    `json:"line"`
	Reason  string `json:"reason"`
	Next    string `json:"next,omitempty"`
}

func shownFinding(f stix.Finding) BundleFinding {
	return BundleFinding{string(f.Code), string(f.Object), string(f.Pointer), f.Line, f.Reason, f.Next}
}

// BundleObject is an object of a bundle, as its manifest lists it.
type BundleObject struct {
	ID      string `json:"id"`
	Hash    string `json:"hash" doc:"SHA-256 of its canonical JSON"`
	Created string `json:"created,omitempty"`
	TLP     string `json:"tlp,omitempty"`
	PAP     string `json:"pap,omitempty"`
}

// Bundle is a bundle of evidence as it was read.
type Bundle struct {
	Hash    string            `json:"hash" doc:"of the sealed blob, as messages name it"`
	ID      string            `json:"id"`
	Content string            `json:"content" doc:"SHA-256 of its bytes"`
	Size    int64             `json:"size"`
	TLP     string            `json:"tlp,omitempty" doc:"the most restrictive of its objects"`
	PAP     string            `json:"pap,omitempty"`
	Objects []BundleObject    `json:"objects"`
	Notes   []BundleFinding   `json:"notes"`
	More    int               `json:"more,omitempty" doc:"notes beyond these"`
	Texts   map[string]string `json:"texts,omitempty"`
}

// Indicator is one thing to look for.
type Indicator struct {
	Object     string     `json:"object"`
	Hash       string     `json:"hash" doc:"of the object"`
	Name       string     `json:"name,omitempty"`
	Kind       string     `json:"kind"`
	Value      string     `json:"value"`
	Language   string     `json:"language"`
	From       *time.Time `json:"from,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
	Confidence *int       `json:"confidence,omitempty"`
	Revoked    bool       `json:"revoked,omitempty"`
	TLP        string     `json:"tlp,omitempty"`
	PAP        string     `json:"pap,omitempty"`
}

// CustodyEvent is one act with a blob.
type CustodyEvent struct {
	Act     string    `json:"act"`
	At      time.Time `json:"at"`
	Station string    `json:"station"`
	Officer string    `json:"officer"`
	Other   string    `json:"other,omitempty"`
	Method  string    `json:"method,omitempty"`
	Result  string    `json:"result,omitempty"`
	Prev    string    `json:"prev,omitempty"`
}

// Custody is the chain of what was done with a blob.
type Custody struct {
	Artefact string         `json:"artefact"`
	Head     string         `json:"head" doc:"hash of the last event, which stands for the chain"`
	Events   []CustodyEvent `json:"events"`
	File     []byte         `json:"file" doc:"the chain as lines of canonical JSON"`
}

// Feedback is what the counterpart says came of one object.
type Feedback struct {
	Object string `json:"object"`
	Hash   string `json:"hash,omitempty"`
	Code   string `json:"code"`
	Held   bool   `json:"held" doc:"the bundle holds an object of that id"`
	Same   bool   `json:"same" doc:"and in the version that was judged"`
}

// ByHash names a blob in a path.
type ByHash struct {
	Hash string `path:"hash" doc:"of the sealed blob, as messages name it"`
}

func (b ByHash) digest() (identity.Digest, error) {
	d, err := identity.ParseDigest(b.Hash)
	if err != nil {
		return d, huma.Error422UnprocessableEntity(err.Error())
	}
	return d, nil
}

// bundles are the verbs about bundles of evidence.
func (s *Server) bundles(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/evidence/{hash}", "bundle", "Read a bundle of evidence, in the languages asked for"),
		func(ctx context.Context, in *struct {
			ByHash
			Lang []string `query:"lang" doc:"en, ru, zh, es, fr, ar"`
		}) (*out[Bundle], error) {
			hash, err := in.digest()
			if err != nil {
				return nil, err
			}
			langs := make([]book.Lang, 0, len(in.Lang))
			for _, l := range in.Lang {
				langs = append(langs, book.Lang(l))
			}
			r, err := s.Station.ReadBundle(ctx, actorOf(ctx), s.Now(), hash, langs...)
			if err != nil {
				return nil, problem(err)
			}
			return answer(shownBundle(r), nil)
		})
	huma.Register(api, operation(http.MethodGet, "/evidence/{hash}/indicators", "indicators", "What a bundle gives to look for"),
		func(ctx context.Context, in *ByHash) (*out[[]Indicator], error) {
			hash, err := in.digest()
			if err != nil {
				return nil, err
			}
			r, err := s.Station.ReadBundle(ctx, actorOf(ctx), s.Now(), hash)
			if err != nil {
				return nil, problem(err)
			}
			return answer(shownIndicators(r.Bundle), nil)
		})
	huma.Register(api, operation(http.MethodGet, "/evidence/{hash}/feedback", "match-feedback", "Join a message of feedback to the objects of a bundle"),
		func(ctx context.Context, in *struct {
			ByHash
			Message string `query:"message" required:"true" doc:"the id of a message of format 241"`
		}) (*out[[]Feedback], error) {
			hash, err := in.digest()
			if err != nil {
				return nil, err
			}
			id, err := message.ParseID(in.Message)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			list, err := s.Station.MatchFeedback(ctx, actorOf(ctx), s.Now(), hash, id)
			all := make([]Feedback, 0, len(list))
			for _, r := range list {
				f := Feedback{Object: string(r.Object), Code: r.Code, Held: r.Held, Same: r.Same}
				if r.Hash != (identity.Digest{}) {
					f.Hash = r.Hash.String()
				}
				all = append(all, f)
			}
			return answer(all, err)
		})
	s.custody(api)
}

// Attached is an analysis that was attached to a piece of evidence.
type Attached struct {
	Hash     string     `json:"hash"`
	Type     string     `json:"type"`
	By       string     `json:"by" doc:"the station that attached it"`
	Message  string     `json:"message"`
	Citation string     `json:"citation"`
	To       string     `json:"to" doc:"the message whose evidence it is attached to"`
	Received *time.Time `json:"received,omitempty"`
	Held     bool       `json:"held" doc:"the blob is in this station"`
}

// custody are the verbs about what was done with a blob.
func (s *Server) custody(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/evidence/{hash}/custody", "custody", "What was done with a blob, by whom, as a chain of hashes"),
		func(ctx context.Context, in *ByHash) (*out[Custody], error) {
			hash, err := in.digest()
			if err != nil {
				return nil, err
			}
			c, err := s.Station.Custody(ctx, actorOf(ctx), s.Now(), hash)
			return answer(shownCustody(hash, c), err)
		})
	huma.Register(api, operation(http.MethodGet, "/evidence/{hash}/attached", "attached", "The analyses that were attached to a piece of evidence; nothing of it was changed by them"),
		func(ctx context.Context, in *ByHash) (*out[[]Attached], error) {
			hash, err := in.digest()
			if err != nil {
				return nil, err
			}
			list, err := s.Station.AttachedTo(ctx, actorOf(ctx), s.Now(), hash)
			all := make([]Attached, 0, len(list))
			for _, a := range list {
				all = append(all, Attached{a.Hash.String(), a.Type, string(a.By), a.Message.String(), a.Citation, a.To.String(), optional(a.Received), a.Held})
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/evidence/{hash}/custody", "add-custody", "Note that a blob was examined, or released and to whom"),
		func(ctx context.Context, in *struct {
			ByHash
			Body struct {
				Act    string `json:"act" enum:"examined,released"`
				Method string `json:"method,omitempty" maxLength:"500"`
				Result string `json:"result,omitempty" maxLength:"500"`
			}
		}) (*out[Custody], error) {
			hash, err := in.digest()
			if err != nil {
				return nil, err
			}
			c, err := s.Station.AddCustody(ctx, actorOf(ctx), s.Now(), hash, stix.Act(in.Body.Act), in.Body.Method, in.Body.Result)
			return answer(shownCustody(hash, c), err)
		})
}

func shownBundle(r station.Reading) Bundle {
	most := stix.Ceiling(r.Bundle).Message()
	v := Bundle{
		Hash: r.Hash.String(), ID: string(r.Bundle.ID), Content: r.Bundle.Digest.String(), Size: r.Bundle.Size, TLP: most.TLP, PAP: most.PAP,
		Objects: make([]BundleObject, 0, len(r.Bundle.Objects)), Notes: make([]BundleFinding, 0, len(r.Bundle.Notes)), More: r.Bundle.More,
	}
	for _, o := range r.Bundle.Manifest() {
		m := o.Marking.Message()
		v.Objects = append(v.Objects, BundleObject{string(o.ID), o.Hash.String(), o.Created, m.TLP, m.PAP})
	}
	for _, n := range r.Bundle.Notes {
		v.Notes = append(v.Notes, shownFinding(n))
	}
	for l, text := range r.Texts {
		if v.Texts == nil {
			v.Texts = make(map[string]string)
		}
		v.Texts[string(l)] = text
	}
	return v
}

func shownIndicators(b *stix.Bundle) []Indicator {
	list := stix.Indicators(b)
	all := make([]Indicator, 0, len(list))
	for _, i := range list {
		m := i.Marking.Message()
		v := Indicator{
			Object: string(i.Object), Hash: i.Hash.String(), Name: i.Name, Kind: i.Kind, Value: i.Value, Language: i.Language,
			From: optional(i.From), Until: optional(i.Until), Revoked: i.Revoked, TLP: m.TLP, PAP: m.PAP,
		}
		if i.Confidence != stix.NoConfidence {
			v.Confidence = &i.Confidence
		}
		all = append(all, v)
	}
	return all
}

func shownCustody(hash identity.Digest, c stix.Custody) Custody {
	v := Custody{Artefact: hash.String(), Head: c.Head().String(), Events: make([]CustodyEvent, 0, len(c.Events())), File: c.Bytes()}
	for _, e := range c.Events() {
		one := CustodyEvent{Act: string(e.Act), At: e.At.UTC(), Station: string(e.Station), Officer: e.Officer, Other: string(e.Other), Method: e.Method, Result: e.Result}
		if e.Prev != (identity.Digest{}) {
			one.Prev = e.Prev.String()
		}
		v.Events = append(v.Events, one)
	}
	return v
}
