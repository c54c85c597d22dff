package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/book"
	"detente/identity"
	"detente/station"
	"detente/watch"
)

// Contact is an entry of the directory, as format 030 has it.
type Contact struct {
	Owner     string    `json:"owner,omitempty" doc:"whose contact it is; this station's own where it is set"`
	Entry     string    `json:"entry"`
	Role      string    `json:"role"`
	Body      string    `json:"body"`
	Languages []string  `json:"languages"`
	Always    bool      `json:"always,omitempty" doc:"round the clock"`
	Hours     []string  `json:"hours,omitempty" doc:"UTC, like Mo-Fr 06:00-18:00"`
	Channels  []string  `json:"channels" doc:"like tel:+99950100, best first"`
	Key       string    `json:"key" doc:"identifier of its key"`
	Purpose   string    `json:"purpose,omitempty"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Replaces  string    `json:"replaces,omitempty" doc:"the entry whose place it takes"`
	Remarks   string    `json:"remarks,omitempty"`
}

// KnownContact is a contact and what is known of it.
type KnownContact struct {
	Contact
	Peer      string            `json:"peer,omitempty" doc:"with whom the record speaks of it; absent: it was imported"`
	Freshness string            `json:"freshness"`
	Since     *time.Time        `json:"since,omitempty"`
	Asked     *time.Time        `json:"asked,omitempty"`
	Answered  *time.Time        `json:"answered,omitempty"`
	Live      bool              `json:"live" doc:"neither replaced nor withdrawn"`
	Words     map[string]string `json:"words" doc:"the freshness, by language"`
}

// Directory is all contacts.
type Directory struct {
	Contacts []KnownContact `json:"contacts"`
	Refused  []string       `json:"refused" doc:"messages that changed nothing, and why"`
}

func (c Contact) contact() watch.Contact {
	w := watch.Contact{Entry: c.Entry, Role: c.Role, Body: c.Body, Always: c.Always, Hours: c.Hours, Channels: c.Channels, Key: c.Key,
		Purpose: c.Purpose, From: c.From.UTC(), To: c.To.UTC(), Replaces: c.Replaces, Remarks: c.Remarks}
	for _, l := range c.Languages {
		w.Languages = append(w.Languages, book.Lang(l))
	}
	return w
}

func shownContact(w watch.Contact) Contact {
	c := Contact{Owner: string(w.Owner), Entry: w.Entry, Role: w.Role, Body: w.Body, Languages: []string{}, Always: w.Always, Hours: w.Hours, Channels: w.Channels,
		Key: w.Key, Purpose: w.Purpose, From: w.From.UTC(), To: w.To.UTC(), Replaces: w.Replaces, Remarks: w.Remarks}
	for _, l := range w.Languages {
		c.Languages = append(c.Languages, string(l))
	}
	return c
}

func (s *Server) contacts(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/contacts", "contacts", "The directory: own contacts and counterparts', and how fresh each is"),
		func(ctx context.Context, in *struct {
			Lang []string `query:"lang"`
		}) (*out[Directory], error) {
			all, err := langs(in.Lang)
			if err != nil {
				return nil, err
			}
			words, err := s.Station.WatchWords()
			if err != nil {
				return nil, err
			}
			v, err := s.Station.Contacts(ctx, actorOf(ctx), s.Now())
			shown := Directory{Contacts: []KnownContact{}, Refused: []string{}}
			for _, c := range v.Contacts {
				k := KnownContact{Contact: shownContact(c.Contact), Peer: string(c.Peer), Freshness: string(c.Freshness), Since: optional(c.Since),
					Asked: optional(c.Asked), Answered: optional(c.Answered), Live: c.Live(), Words: map[string]string{}}
				for _, l := range all {
					k.Words[string(l)], _ = words.Label("freshness", string(c.Freshness), l) // each has one: LoadWords has checked
				}
				shown.Contacts = append(shown.Contacts, k)
			}
			for _, r := range v.Refusals {
				shown.Refused = append(shown.Refused, r.Message.String()+": "+r.Reason+": "+r.Detail)
			}
			return answer(shown, err)
		})
	huma.Register(api, operation(http.MethodGet, "/contacts/export", "export-contacts", "The live contacts as a document"),
		func(ctx context.Context, in *struct {
			Form string `query:"form" default:"json" enum:"json,vcard"`
		}) (*out[Exported], error) {
			text, err := s.Station.ExportContacts(ctx, actorOf(ctx), s.Now(), station.ContactForm(in.Form))
			return answer(Exported{string(text)}, err)
		})
	huma.Register(api, operation(http.MethodPost, "/contacts/import", "import-contacts", "Keep contacts that came by another way, in place of those imported before"),
		func(ctx context.Context, in *struct {
			Body struct {
				Form string `json:"form" enum:"json,vcard"`
				Text string `json:"text" doc:"the document"`
			}
		}) (*out[Imported], error) {
			n, err := s.Station.ImportContacts(ctx, actorOf(ctx), s.Now(), station.ContactForm(in.Body.Form), []byte(in.Body.Text))
			return answer(Imported{n}, err)
		})
}

// Exported is a document.
type Exported struct {
	Text string `json:"text"`
}

// Imported says how many contacts were imported.
type Imported struct {
	Contacts int `json:"contacts"`
}

func (s *Server) contactActs(api huma.API) {
	huma.Register(api, operation(http.MethodPost, "/contacts", "set-contact", "Tell the counterparts of an own contact, new or in place of another"),
		func(ctx context.Context, in *struct{ Body Contact }) (*out[[]Queued], error) {
			list, err := s.Station.SetContact(ctx, actorOf(ctx), s.Now(), in.Body.contact(), false)
			return answer(s.queuedAll(list), err)
		})
	huma.Register(api, operation(http.MethodPost, "/contacts/{entry}/withdraw", "withdraw-contact", "Tell the counterparts that an own contact is none any more"),
		func(ctx context.Context, in *struct {
			Entry string `path:"entry"`
		}) (*out[[]Queued], error) {
			list, err := s.Station.SetContact(ctx, actorOf(ctx), s.Now(), watch.Contact{Entry: in.Entry}, true)
			return answer(s.queuedAll(list), err)
		})
	huma.Register(api, operation(http.MethodPost, "/contacts/ping", "ping-contact", "Ask a counterpart whether a contact of its is reached"),
		func(ctx context.Context, in *struct {
			Body struct {
				Owner string `json:"owner"`
				Role  string `json:"role,omitempty"`
				Entry string `json:"entry,omitempty"`
			}
		}) (*out[Queued], error) {
			owner, err := identity.ParseStation(in.Body.Owner)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			q, err := s.Station.PingContact(ctx, actorOf(ctx), s.Now(), owner, in.Body.Role, in.Body.Entry)
			return answer(s.queued(q), err)
		})
}

// LogEntry is a line of the log book.
type LogEntry struct {
	Number  int64     `json:"number"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Officer string    `json:"officer,omitempty"`
	Actor   string    `json:"actor,omitempty" doc:"whose token wrote it; station: it wrote by itself"`
	Ref     string    `json:"ref,omitempty"`
	Remark  string    `json:"remark,omitempty"`
	Call    *Call     `json:"call,omitempty"`
	Line    string    `json:"line,omitempty" doc:"the line's bytes, canonical JSON: the next one names their hash"`
	Hash    string    `json:"hash,omitempty"`
}

// Call is a telephone call.
type Call struct {
	Caller   string    `json:"caller"`
	Called   string    `json:"called"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Bearer   string    `json:"bearer"`
	Officers []string  `json:"officers,omitempty" doc:"ours; default: who writes it down"`
	Other    string    `json:"other" doc:"who spoke on the other side, as they said"`
	Agreed   []string  `json:"agreed,omitempty"`
	Open     []string  `json:"open,omitempty"`
	Language string    `json:"language,omitempty" doc:"of the points; default: en"`
}

func (c Call) call() watch.Call {
	return watch.Call{Caller: identity.Station(c.Caller), Station: identity.Station(c.Called), From: c.From.UTC(), To: c.To.UTC(), Bearer: c.Bearer,
		Officers: c.Officers, Other: c.Other, Agreed: c.Agreed, Open: c.Open, Language: book.Lang(c.Language)}
}

func shownLogEntry(e watch.LogEntry) LogEntry {
	l := LogEntry{Number: e.Number, At: e.At.UTC(), Kind: string(e.Kind), Officer: e.Officer, Ref: e.Ref, Remark: e.Remark.Text}
	if c := e.Call; c != nil {
		l.Call = &Call{string(c.Caller), string(c.Station), c.From.UTC(), c.To.UTC(), c.Bearer, c.Officers, c.Other, c.Agreed, c.Open, string(c.Language)}
	}
	return l
}

func shownLogLine(e station.LogEntry) LogEntry {
	l := shownLogEntry(e.LogEntry)
	l.Actor, l.Line, l.Hash = e.Actor, string(e.Text), e.Hash.String()
	return l
}

// Checked says how many lines of the log book follow one from another.
type Checked struct {
	Lines int64 `json:"lines"`
}

func (s *Server) logBook(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/log", "log", "Lines of the log book"),
		func(ctx context.Context, in *struct {
			After int64     `query:"after"`
			From  time.Time `query:"from"`
			To    time.Time `query:"to"`
			Kind  string    `query:"kind"`
			Limit int       `query:"limit" default:"50" minimum:"1" maximum:"500"`
		}) (*page[LogEntry], error) {
			list, err := s.Station.Log(ctx, actorOf(ctx), s.Now(), station.LogQuery{After: in.After, From: in.From, To: in.To, Kind: in.Kind}, in.Limit)
			all := make([]LogEntry, 0, len(list))
			next, bounds := int64(0), ""
			for _, e := range list {
				all = append(all, shownLogLine(e))
				next = e.Number
			}
			for name, t := range map[string]time.Time{"from": in.From, "to": in.To} {
				if !t.IsZero() {
					bounds += "&" + name + "=" + t.UTC().Format(time.RFC3339)
				}
			}
			return paged(all, err, in.Limit, "/log?after=%d&limit=%d&kind=%s%s", next, in.Limit, in.Kind, bounds)
		})
	huma.Register(api, operation(http.MethodPost, "/log", "write-log", "Write a remark into the log book"),
		func(ctx context.Context, in *struct {
			Body struct {
				Officer  string `json:"officer,omitempty" doc:"default: the caller"`
				Language string `json:"language,omitempty" doc:"default: en"`
				Text     string `json:"text" minLength:"1" maxLength:"1000"`
			}
		}) (*out[LogEntry], error) {
			e, err := s.Station.WriteLog(ctx, actorOf(ctx), s.Now(), in.Body.Officer, in.Body.Language, in.Body.Text)
			return answer(shownLogLine(e), err)
		})
	huma.Register(api, operation(http.MethodGet, "/log/check", "check-log", "Whether each line of the log book follows from the one before it"),
		func(ctx context.Context, _ *struct{}) (*out[Checked], error) {
			n, err := s.Station.CheckLog(ctx, actorOf(ctx), s.Now())
			return answer(Checked{n}, err)
		})
}

func (s *Server) calls(api huma.API) {
	huma.Register(api, operation(http.MethodPost, "/calls", "log-call", "Write a telephone call into the log book"),
		func(ctx context.Context, in *struct {
			Body struct {
				Call
				Officer string `json:"officer,omitempty" doc:"who writes it down; default: the caller of the API"`
			}
		}) (*out[LogEntry], error) {
			e, err := s.Station.LogCall(ctx, actorOf(ctx), s.Now(), in.Body.Officer, in.Body.call())
			return answer(shownLogLine(e), err)
		})
	huma.Register(api, operation(http.MethodGet, "/calls", "unconfirmed-calls", "Telephone calls that nobody has confirmed in writing"),
		func(ctx context.Context, _ *struct{}) (*out[[]LogEntry], error) {
			list, err := s.Station.UnconfirmedCalls(ctx, actorOf(ctx), s.Now())
			all := make([]LogEntry, 0, len(list))
			for _, e := range list {
				all = append(all, shownLogEntry(e))
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodPost, "/calls/{number}/confirm", "confirm-call", "Put a call in writing for the counterpart: format 025"),
		func(ctx context.Context, in *struct {
			Number int64 `path:"number"`
		}) (*out[Queued], error) {
			q, err := s.Station.ConfirmCall(ctx, actorOf(ctx), s.Now(), in.Number)
			return answer(s.queued(q), err)
		})
}
