package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"encoding/json/jsontext"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/station"
)

// Draft is a message to be submitted.
type Draft struct {
	ID         string                     `json:"id,omitempty" doc:"32 hexadecimal digits; repeated with the same draft it changes nothing. If absent a random one is chosen"`
	Line       string                     `json:"line" doc:"station/station/class"`
	Format     string                     `json:"format" doc:"three digits, as in the signal book" example:"210"`
	Precedence string                     `json:"precedence,omitempty" enum:"ROUTINE,PRIORITY,IMMEDIATE,FLASH" doc:"if absent the format's usual one"`
	TLP        string                     `json:"tlp" enum:"CLEAR,GREEN,AMBER,AMBER+STRICT,RED"`
	PAP        string                     `json:"pap,omitempty"`
	Language   string                     `json:"language,omitempty" doc:"of free text; if absent en"`
	Expires    *time.Time                 `json:"expires,omitempty"`
	Refs       []string                   `json:"refs,omitempty" doc:"ids of messages on the same line"`
	Params     map[string]json.RawMessage `json:"params,omitempty" doc:"by the format's schema; see GET /book/{format}/schema"`
}

// Queued is an outgoing message and where it stands.
type Queued struct {
	ID          string     `json:"id"`
	Line        string     `json:"line"`
	Format      string     `json:"format"`
	Precedence  string     `json:"precedence"`
	State       string     `json:"state"`
	Reason      string     `json:"reason" doc:"why it waits, or ended"`
	Next        string     `json:"next" doc:"what happens next"`
	Try         *time.Time `json:"try,omitempty" doc:"when the station tries again by itself"`
	Until       *time.Time `json:"until,omitempty"`
	Provisional bool       `json:"provisional,omitempty"`
	Citation    string     `json:"citation,omitempty" doc:"once it stands in the log"`
	Order       int64      `json:"order" doc:"the list's cursor"`
}

// Message is an entry of either log as this station understands it.
type Message struct {
	Seq         int64             `json:"seq" doc:"the list's cursor"`
	Citation    string            `json:"citation"`
	Log         string            `json:"log"`
	Index       int64             `json:"index"`
	ID          string            `json:"id,omitempty"`
	Format      string            `json:"format,omitempty"`
	Precedence  string            `json:"precedence,omitempty"`
	At          *time.Time        `json:"at,omitempty" doc:"the writer's second"`
	Received    *time.Time        `json:"received,omitempty" doc:"by the earliest receipt in the record"`
	Receipt     *time.Time        `json:"receipt,omitempty" doc:"own messages: the counterpart's receipt that this station holds"`
	Provisional bool              `json:"provisional,omitempty"`
	Hidden      bool              `json:"hidden,omitempty" doc:"of a list: the caller may not read it, and nothing but its place is told"`
	Lapsed      bool              `json:"lapsed,omitempty" doc:"first received when an approval had expired: that it left in time only its writer says"`
	Problem     string            `json:"problem,omitempty"`
	Field       string            `json:"field,omitempty"`
	Refs        []string          `json:"refs,omitempty"`
	Body        json.RawMessage   `json:"body,omitempty"`
	Texts       map[string]string `json:"texts,omitempty" doc:"renderings by language"`
}

func (s *Server) messages(api huma.API) {
	huma.Register(api, operation(http.MethodPost, "/messages", "submit", "Fix the bytes of a message and ask for its release"),
		func(ctx context.Context, in *struct {
			Key  string `header:"Idempotency-Key" maxLength:"200" doc:"repeated with the same draft by the same caller it changes nothing"`
			Body Draft
		}) (*out[Queued], error) {
			d, err := in.Body.draft()
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			if in.Key != "" && in.Body.ID == "" {
				d.ID = idOf(actorOf(ctx), in.Key)
			}
			q, err := s.Station.Submit(ctx, actorOf(ctx), s.Now(), d)
			return answer(s.queued(q), err)
		})
	huma.Register(api, operation(http.MethodGet, "/messages", "list", "List messages of all lines, newest first"),
		func(ctx context.Context, in *struct {
			Before int64 `query:"before" doc:"seq of the last one seen; 0 for the newest"`
			Limit  int   `query:"limit" default:"50" minimum:"1" maximum:"500"`
		}) (*page[Message], error) {
			list, err := s.Station.List(ctx, actorOf(ctx), s.Now(), in.Before, in.Limit)
			all := make([]Message, 0, len(list))
			next := int64(0)
			for _, r := range list {
				m := shown(r)
				m.Body, next = nil, r.Seq
				all = append(all, m)
			}
			return paged(all, err, in.Limit, "/messages?before=%d&limit=%d", next, in.Limit)
		})
	huma.Register(api, operation(http.MethodGet, "/messages/{id}", "show", "Read a message, in the languages asked for"),
		func(ctx context.Context, in *struct {
			ID   string   `path:"id"`
			Lang []string `query:"lang" doc:"en, ru, zh, es, fr, ar"`
		}) (*out[Message], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			r, err := s.Station.ReadMessage(ctx, actorOf(ctx), s.Now(), id)
			if err != nil {
				return nil, problem(err)
			}
			return answer(s.rendered(r, in.Lang))
		})
	huma.Register(api, operation(http.MethodGet, "/entries", "entry", "Read an entry by log and index: one that could not be read as a message has no id"),
		func(ctx context.Context, in *struct {
			Log   string   `query:"log" required:"true" doc:"writer/to/reader/class/era"`
			Index int64    `query:"index" minimum:"0"`
			Lang  []string `query:"lang" doc:"en, ru, zh, es, fr, ar"`
		}) (*out[Message], error) {
			o, err := identity.ParseOrigin(in.Log)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			r, err := s.Station.ReadEntry(ctx, actorOf(ctx), s.Now(), o, in.Index)
			if err != nil {
				return nil, problem(err)
			}
			return answer(s.rendered(r, in.Lang))
		})
}

// idOf is the id of the message that a caller's Idempotency-Key stands for.
func idOf(actor station.Actor, key string) (id message.ID) {
	sum := sha256.Sum256([]byte("detente/idempotency/v1\x00" + actor.Name + "\x00" + key))
	copy(id[:], sum[:])
	return id
}

// rendered adds renderings to a message.
func (s *Server) rendered(r station.Read, langs []string) (Message, error) {
	m := shown(r)
	if m.Body == nil {
		return m, nil
	}
	for _, l := range langs {
		text, err := s.Station.Text(r.Entry.Body.Body(), book.Lang(l))
		if err != nil {
			return m, err
		}
		if m.Texts == nil {
			m.Texts = make(map[string]string)
		}
		m.Texts[l] = text
	}
	return m, nil
}

func shown(r station.Read) Message {
	m := Message{
		Seq: r.Seq, Citation: r.Citation, Log: r.Origin.String(), Index: r.Index, Problem: r.Problem, Field: r.Field,
		Received: optional(r.Received), Receipt: optional(r.Held), At: optional(r.At), Provisional: r.Provisional, Lapsed: r.Lapsed, Hidden: r.Hidden,
	}
	if r.ID != (message.ID{}) {
		m.ID, m.Format, m.Precedence = r.ID.String(), string(r.Format), r.Precedence.String()
	}
	for _, ref := range r.Refs {
		m.Refs = append(m.Refs, ref.String())
	}
	if b := r.Entry.Body.Bytes(); len(b) > 0 {
		m.Body = b
	}
	return m
}

func (s *Server) queued(q station.Outgoing) Queued {
	v := Queued{
		ID: q.ID.String(), Line: q.Line.String(), Format: string(q.Format), Precedence: q.Precedence.String(), State: q.State.String(),
		Reason: q.Reason, Next: q.Next, Try: optional(q.Try), Until: optional(q.Until), Provisional: q.Provisional, Order: q.Order,
	}
	if q.State == station.Appended || q.State == station.Spent {
		v.Citation = s.Station.Cite(q.Origin, q.Index)
	}
	return v
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// draft parses a draft at the door.
func (d Draft) draft() (station.Draft, error) {
	var v station.Draft
	var err error
	if d.ID != "" {
		if v.ID, err = message.ParseID(d.ID); err != nil {
			return v, err
		}
	}
	if v.Line, err = identity.ParseLine(d.Line); err != nil {
		return v, err
	}
	if v.Format, err = message.ParseFormat(d.Format); err != nil {
		return v, err
	}
	if d.Precedence != "" {
		if v.Precedence, err = message.ParsePrecedence(d.Precedence); err != nil {
			return v, err
		}
	}
	for _, r := range d.Refs {
		id, err := message.ParseID(r)
		if err != nil {
			return v, err
		}
		v.Refs = append(v.Refs, id)
	}
	v.Marking, v.Language = message.Marking{TLP: d.TLP, PAP: d.PAP}, d.Language
	if v.Language == "" {
		v.Language = "en"
	}
	if d.Expires != nil {
		v.Expires = d.Expires.UTC().Truncate(time.Second)
	}
	v.Params = make(map[string]jsontext.Value, len(d.Params))
	for k, p := range d.Params {
		v.Params[k] = p
	}
	return v, nil
}
