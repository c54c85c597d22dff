package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/station"
)

// Hit is a message that was found, without its body.
type Hit struct {
	Message
	Snippet *Snippet `json:"snippet,omitempty" doc:"where a word stands; absent where none was asked for, or the message was found by its names"`
}

// Snippet is a piece of a message's text around a word. What is invisible stands
// as its number; it is text and no markup.
type Snippet struct {
	Lang   string `json:"lang"`
	Before string `json:"before"`
	Match  string `json:"match"`
	After  string `json:"after"`
}

// Hits are a page of what was found, newest first.
type Hits struct {
	Hits    []Hit  `json:"hits"`
	Hidden  int    `json:"hidden" doc:"messages of this page's stretch that the caller's rights hide; words are not looked for in them"`
	Pending int    `json:"pending" doc:"of the newest messages, how many are not indexed yet, so that no words find them; 10000: so many or more"`
	Next    string `json:"next,omitempty" doc:"give it as after to go on; absent at the end"`
}

// Right is a rule about who may read what.
type Right struct {
	Line  string   `json:"line,omitempty" doc:"one/other/class"`
	Class string   `json:"class,omitempty"`
	TLP   string   `json:"tlp,omitempty"`
	Roles []string `json:"roles" doc:"one of them is enough"`
}

// Question is what is looked for.
type Question struct {
	Words      string   `query:"words" maxLength:"1000" doc:"in any of the six languages; all of them, by their beginnings"`
	Ref        string   `query:"ref" maxLength:"100" doc:"a citation or an id: that message, and those that refer to it"`
	Format     []string `query:"format" maxItems:"50" doc:"one of them"`
	Since      string   `query:"since" doc:"written not before, as RFC 3339"`
	Until      string   `query:"until" doc:"written before, as RFC 3339"`
	Party      string   `query:"party" maxLength:"300" doc:"the other side's station or party"`
	Line       string   `query:"line"`
	Precedence string   `query:"precedence"`
	Direction  string   `query:"direction" enum:"in,out"`
	State      string   `query:"state" enum:"accepted,problem,provisional,receipted,unreceipted"`
	Lang       string   `query:"lang" enum:"en,ru,zh,es,fr,ar" doc:"of snippets"`
	After      string   `query:"after" maxLength:"60" doc:"next of the page before"`
	Limit      int      `query:"limit" default:"50" minimum:"1" maximum:"500"`
}

// search parses a question at the door.
func (q Question) search() (v station.Search, err error) {
	v = station.Search{Words: q.Words, Ref: q.Ref, Party: q.Party, Direction: q.Direction, State: q.State, Lang: book.Lang(q.Lang), After: q.After, Limit: q.Limit}
	for _, f := range q.Format {
		format, err := message.ParseFormat(f)
		if err != nil {
			return v, err
		}
		v.Formats = append(v.Formats, format)
	}
	for _, t := range []struct {
		text string
		to   *time.Time
	}{{q.Since, &v.Since}, {q.Until, &v.Until}} {
		if t.text == "" {
			continue
		}
		if *t.to, err = time.Parse(time.RFC3339, t.text); err != nil {
			return v, fmt.Errorf("time %q: write it like 2026-11-23T14:00:00Z", t.text)
		}
	}
	if q.Line != "" {
		if v.Line, err = identity.ParseLine(q.Line); err != nil {
			return v, err
		}
	}
	if q.Precedence != "" {
		v.Precedence, err = message.ParsePrecedence(q.Precedence)
	}
	return v, err
}

// next is the path of the page after one.
func (q Question) next(after string) string {
	v := url.Values{"after": {after}, "limit": {strconv.Itoa(q.Limit)}}
	for name, value := range map[string]string{
		"words": q.Words, "ref": q.Ref, "since": q.Since, "until": q.Until, "party": q.Party, "line": q.Line, "precedence": q.Precedence,
		"direction": q.Direction, "state": q.State, "lang": q.Lang,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for _, f := range q.Format {
		v.Add("format", f)
	}
	return "/api/v1/search?" + v.Encode()
}

// searches are the verbs by which messages are found, and who may find them.
func (s *Server) searches(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/search", "search", "Find messages by words in six languages, and by what they are; newest first"),
		func(ctx context.Context, in *Question) (*struct {
			Link string `header:"Link" doc:"the next part, as rel=next; absent at the end"`
			Body Hits
		}, error) {
			q, err := in.search()
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			h, err := s.Station.Search(ctx, actorOf(ctx), s.Now(), q)
			if err != nil {
				return nil, problem(err)
			}
			out := &struct {
				Link string `header:"Link" doc:"the next part, as rel=next; absent at the end"`
				Body Hits
			}{Body: Hits{Hits: make([]Hit, 0, len(h.List)), Hidden: h.Hidden, Pending: h.Pending, Next: h.Next}}
			for _, one := range h.List {
				hit := Hit{Message: shown(one.Read)}
				hit.Body = nil
				if p := one.Snippet; p.Match != "" {
					hit.Snippet = &Snippet{string(p.Lang), p.Before, p.Match, p.After}
				}
				out.Body.Hits = append(out.Body.Hits, hit)
			}
			if h.Next != "" {
				out.Link = "<" + in.next(h.Next) + `>; rel="next"`
			}
			return out, nil
		})
	huma.Register(api, operation(http.MethodGet, "/rights", "rights", "Who may read what: rules by line, class and marking"),
		func(ctx context.Context, _ *struct{}) (*out[[]Right], error) {
			r, err := s.Station.Rights(ctx, actorOf(ctx))
			all := make([]Right, 0, len(r))
			for _, one := range r {
				all = append(all, Right(one))
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPut, "/rights", "set-rights", "Replace the rules by which messages and evidence are read; none at all puts the default ones back"),
		func(ctx context.Context, in *struct {
			Body struct {
				Rights []Right `json:"rights" maxItems:"200"`
			}
		}) (*struct{}, error) {
			var r station.Rights
			for _, one := range in.Body.Rights {
				r = append(r, station.Right(one))
			}
			return nil, problem(s.Station.SetRights(ctx, actorOf(ctx), s.Now(), r))
		})
}
