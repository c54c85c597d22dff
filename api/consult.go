package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/station"
)

// DataPack is the data pack of a consultation: its bytes are what the hash is of,
// and the same at both stations.
type DataPack struct {
	Hash  string            `json:"hash" doc:"of form; format 420 names it"`
	Form  []byte            `json:"form" doc:"the pack in its canonical form"`
	Pack  dossier.Pack      `json:"pack"`
	Cited map[string]string `json:"cited" doc:"citations of the messages that the pack names, by their id"`
}

// RecordSaid is the record of a consultation as one side gave it.
type RecordSaid struct {
	By          string              `json:"by"`
	Citation    string              `json:"citation"`
	Position    string              `json:"position"`
	Text        string              `json:"text"`
	Items       []map[string]string `json:"items,omitempty"`
	Differences []string            `json:"differences,omitempty" doc:"as this side names them"`
	NextPlace   string              `json:"next_place,omitempty"`
	Next        *Period             `json:"next,omitempty"`
}

// RecordAgreed is a record of which both sides gave the same text.
type RecordAgreed struct {
	At        time.Time           `json:"at"`
	Text      string              `json:"text"`
	Citations []string            `json:"citations"`
	Items     []map[string]string `json:"items,omitempty"`
	NextPlace string              `json:"next_place,omitempty"`
	Next      *Period             `json:"next,omitempty"`
}

// Consultation is a consultation with its record.
type Consultation struct {
	ID       string         `json:"id"`
	Citation string         `json:"citation"`
	Stage    string         `json:"stage"`
	Since    time.Time      `json:"since"`
	Session  string         `json:"session,omitempty"`
	Year     int64          `json:"year,omitempty"`
	Window   *Period        `json:"window,omitempty"`
	Where    string         `json:"where,omitempty"`
	PackHash string         `json:"pack_hash,omitempty" doc:"that the call names"`
	Versions []RecordSaid   `json:"versions,omitempty"`
	Agreed   []RecordAgreed `json:"agreed,omitempty"`
}

// RecordAction is an action of an agreed record.
type RecordAction struct {
	Action   string    `json:"action"`
	Owner    string    `json:"owner"`
	Due      time.Time `json:"due"`
	What     string    `json:"what"`
	State    string    `json:"state"`
	Citation string    `json:"citation" doc:"of the record"`
	Said     []string  `json:"said,omitempty" doc:"citations of what its owner said since with reference to the record"`
}

// Consultations is the consultations of a line, and what they left to be done.
type Consultations struct {
	Line    string         `json:"line"`
	At      time.Time      `json:"at"`
	List    []Consultation `json:"consultations"`
	Actions []RecordAction `json:"actions"`
}

// OneLine is the line that is asked about, in the query of an operation.
type OneLine struct {
	Line string `query:"line" required:"true" doc:"station/station/class"`
}

func (q OneLine) parsed() (identity.Line, error) {
	l, err := identity.ParseLine(q.Line)
	if err != nil {
		return l, huma.Error422UnprocessableEntity("line: " + err.Error())
	}
	return l, nil
}

func (s *Server) consults(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/consultations/pack", "pack", "The data pack of a consultation, made from the record: both stations make the same"),
		func(ctx context.Context, in *struct {
			OneLine
			From time.Time `query:"from" required:"true" doc:"first second of the period"`
			To   time.Time `query:"to" required:"true" doc:"its end, not in it"`
		}) (*out[DataPack], error) {
			l, err := in.parsed()
			if err != nil {
				return nil, err
			}
			v, err := s.Station.Pack(ctx, actorOf(ctx), s.Now(), l, in.From, in.To)
			return answer(s.shownPack(v), err)
		})
	huma.Register(api, operation(http.MethodGet, "/consultations", "consultations", "Consultations of a line: calls, records of both sides, what was left to be done"),
		func(ctx context.Context, in *struct {
			OneLine
			AsOf
		}) (*out[Consultations], error) {
			l, err := in.parsed()
			if err != nil {
				return nil, err
			}
			v, err := s.Station.Consultations(ctx, actorOf(ctx), s.Now(), l, s.second(in.AsOf))
			return answer(s.shownConsultations(v), err)
		})
	s.programmes(api)
	s.negotiations(api)
}

func (s *Server) shownPack(v station.PackView) DataPack {
	p := DataPack{Hash: v.Hash.String(), Form: v.Bytes, Pack: v.Pack, Cited: make(map[string]string)}
	for _, h := range v.Pack.Agenda {
		for _, r := range h.Refs {
			if o, err := identity.ParseOrigin(r.Log); err == nil {
				p.Cited[r.ID] = s.Station.Cite(o, r.Index)
			}
		}
	}
	return p
}

func (s *Server) citedAt(p dossier.Place) string { return s.Station.Cite(p.Origin, p.Index) }

func (s *Server) citedAll(places []dossier.Place) (list []string) {
	for _, p := range places {
		list = append(list, s.citedAt(p))
	}
	return list
}

func period(w dossier.Window) *Period {
	if w == (dossier.Window{}) {
		return nil
	}
	return &Period{w.From.UTC(), w.To.UTC()}
}

func fields(list []dossier.Record) (all []map[string]string) {
	for _, r := range list {
		all = append(all, r)
	}
	return all
}

func (s *Server) shownConsultations(v station.ConsultationsView) Consultations {
	c := Consultations{Line: v.Line.String(), At: v.At, List: []Consultation{}, Actions: []RecordAction{}}
	for _, x := range v.List {
		one := Consultation{
			ID: x.Dossier.String(), Citation: s.citedAt(x.Place), Stage: string(x.Stage), Since: x.Since.UTC(), Session: x.Session, Year: x.Year,
			Window: period(x.Window), Where: x.Where, PackHash: x.PackHash,
		}
		for _, r := range x.Versions {
			one.Versions = append(one.Versions, RecordSaid{
				string(r.By), s.citedAt(r.Place), r.Position, r.Text, fields(r.Items), r.Differences, r.NextPlace, period(r.NextWindow),
			})
		}
		for _, a := range x.Agreed {
			one.Agreed = append(one.Agreed, RecordAgreed{a.At.UTC(), a.Text, s.citedAll(a.Places), fields(a.Items), a.NextPlace, period(a.NextWindow)})
		}
		c.List = append(c.List, one)
	}
	for _, a := range v.Actions {
		c.Actions = append(c.Actions, RecordAction{a.Number, string(a.Owner), a.Due.UTC(), a.What, string(a.State), s.citedAt(a.Of), s.citedAll(a.Said)})
	}
	return c
}

// MeasureStep is a step of a measure.
type MeasureStep struct {
	Step    string     `json:"step"`
	What    string     `json:"what,omitempty"`
	Owner   string     `json:"owner"`
	By      string     `json:"by,omitempty" doc:"on whose side; absent where nobody owes it yet"`
	Due     time.Time  `json:"due"`
	State   string     `json:"state,omitempty" doc:"of the duty"`
	Overdue bool       `json:"overdue"`
	Done    *time.Time `json:"done,omitempty"`
	Told    string     `json:"told,omitempty" doc:"what was said of it last"`
	NewDue  *time.Time `json:"new_due,omitempty" doc:"that was asked for; it moves nothing"`
}

// Measure is a measure of the programme.
type Measure struct {
	ID        string        `json:"id"`
	Citation  string        `json:"citation"`
	Measure   string        `json:"measure"`
	Version   int64         `json:"version,omitempty"`
	Title     string        `json:"title,omitempty"`
	Catalogue string        `json:"catalogue,omitempty"`
	Text      string        `json:"text"`
	State     string        `json:"state" enum:"proposed,running,signed-off,declined,withdrawn"`
	Stage     string        `json:"stage"`
	Owners    []string      `json:"owners"`
	Steps     []MeasureStep `json:"steps"`
}

// OverdueStep is a step that is past, as a review names it.
type OverdueStep struct {
	Measure string    `json:"measure"`
	Step    string    `json:"step"`
	Owner   string    `json:"owner"`
	By      string    `json:"by"`
	Due     time.Time `json:"due"`
}

// ProgrammeReview is what a yearly review (format 454) counts.
type ProgrammeReview struct {
	Proposed  int64         `json:"proposed"`
	Running   int64         `json:"running"`
	SignedOff int64         `json:"signed_off"`
	Declined  int64         `json:"declined"`
	Overdue   []OverdueStep `json:"overdue"`
}

// Programme is the programme of measures of a line.
type Programme struct {
	Line     string          `json:"line"`
	At       time.Time       `json:"at"`
	Measures []Measure       `json:"measures"`
	Review   ProgrammeReview `json:"review"`
}

func (s *Server) programmes(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/programme", "programme", "The programme of measures of a line: owners, steps, what is overdue and whose, the review's counts"),
		func(ctx context.Context, in *struct {
			OneLine
			AsOf
		}) (*out[Programme], error) {
			l, err := in.parsed()
			if err != nil {
				return nil, err
			}
			v, err := s.Station.Programme(ctx, actorOf(ctx), s.Now(), l, s.second(in.AsOf))
			return answer(s.shownProgramme(v), err)
		})
}

func (s *Server) shownProgramme(v station.ProgrammeView) Programme {
	r := v.Review()
	p := Programme{Line: v.Line.String(), At: v.At, Measures: []Measure{}, Review: ProgrammeReview{r.Proposed, r.Running, r.SignedOff, r.Declined, []OverdueStep{}}}
	for _, o := range r.Overdue {
		p.Review.Overdue = append(p.Review.Overdue, OverdueStep{o.Measure, o.Step, string(o.Owner), string(o.By), o.Due.UTC()})
	}
	for _, m := range v.Measures {
		one := Measure{
			m.Dossier.String(), s.citedAt(m.Place), m.Name, m.Version, m.Title, m.Catalogue, m.Text, string(m.State), string(m.Stage), texts(m.Owners), []MeasureStep{},
		}
		for _, x := range m.Steps {
			one.Steps = append(one.Steps, MeasureStep{
				x.Name, x.What, string(x.Owner), string(x.By), x.Due.UTC(), string(x.State), x.Overdue(), optional(x.Done), x.Told, optional(x.NewDue),
			})
		}
		p.Measures = append(p.Measures, one)
	}
	return p
}

// DraftSaid is a draft as it was put.
type DraftSaid struct {
	ID       string              `json:"id"`
	Citation string              `json:"citation"`
	By       string              `json:"by"`
	At       time.Time           `json:"at" doc:"of its receipt"`
	Draft    int64               `json:"draft"`
	Status   string              `json:"status"`
	Text     string              `json:"text"`
	Base     string              `json:"base,omitempty"`
	BaseBy   string              `json:"base_by,omitempty" doc:"who put the text that it starts from; absent where none on this line did"`
	BaseOf   string              `json:"base_of,omitempty" doc:"its citation"`
	Brackets []map[string]string `json:"brackets,omitempty"`
	Document string              `json:"document,omitempty"`
}

// TextSigned is a signature of a text.
type TextSigned struct {
	ID       string    `json:"id"`
	Citation string    `json:"citation"`
	By       string    `json:"by"`
	At       time.Time `json:"at" doc:"of its receipt"`
	Text     string    `json:"text"`
	Kind     string    `json:"kind"`
	Capacity string    `json:"capacity"`
	Entry    string    `json:"entry"`
	Counts   bool      `json:"counts" doc:"by a plenipotentiary's certificate, and over the text that was signed last"`
	Why      string    `json:"why,omitempty" doc:"why it does not count"`
}

// Negotiation is an instrument as it is negotiated.
type Negotiation struct {
	ID         string       `json:"id"`
	Citation   string       `json:"citation"`
	Instrument string       `json:"instrument"`
	Kind       string       `json:"kind,omitempty"`
	Stage      string       `json:"stage"`
	Drafts     []DraftSaid  `json:"drafts"`
	Agreed     string       `json:"agreed,omitempty" doc:"the text of the last draft, where nothing in it is open"`
	Signatures []TextSigned `json:"signatures"`
	Signed     string       `json:"signed,omitempty" doc:"the text that both ends signed"`
	Complete   *time.Time   `json:"complete,omitempty" doc:"when the second signature that counts was received"`
}

// RedlinePiece is a stretch of words: kept, added or removed.
type RedlinePiece struct {
	Op   string `json:"op" enum:"kept,added,removed"`
	Text string `json:"text"`
}

// RedlineChange is a difference between two drafts.
type RedlineChange struct {
	Paragraph string         `json:"paragraph"`
	Kind      string         `json:"kind"`
	By        string         `json:"by"`
	Lang      string         `json:"lang,omitempty"`
	Words     []RedlinePiece `json:"words,omitempty"`
}

// Redline is what one draft changes against another.
type Redline struct {
	Older   string          `json:"older" doc:"its citation"`
	Newer   string          `json:"newer"`
	Changes []RedlineChange `json:"changes"`
}

func (s *Server) negotiations(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/negotiations", "negotiations", "Instruments negotiated on a line: drafts, who proposed which, who signed what"),
		func(ctx context.Context, in *struct {
			OneLine
			AsOf
		}) (*out[[]Negotiation], error) {
			l, err := in.parsed()
			if err != nil {
				return nil, err
			}
			v, err := s.Station.Negotiations(ctx, actorOf(ctx), s.Now(), l, s.second(in.AsOf))
			all := make([]Negotiation, 0, len(v.List))
			for _, n := range v.List {
				all = append(all, s.shownNegotiation(n))
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodGet, "/negotiations/redline", "redline", "What one draft changes against another, by paragraph and language, word by word"),
		func(ctx context.Context, in *struct {
			Older string `query:"older" required:"true" doc:"id of a message of format 500"`
			Newer string `query:"newer" required:"true"`
		}) (*out[Redline], error) {
			older, err := message.ParseID(in.Older)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity("older: " + err.Error())
			}
			newer, err := message.ParseID(in.Newer)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity("newer: " + err.Error())
			}
			v, err := s.Station.Redline(ctx, actorOf(ctx), s.Now(), older, newer)
			return answer(shownRedline(v), err)
		})
}

func (s *Server) shownNegotiation(n station.NegotiationView) Negotiation {
	v := Negotiation{
		ID: n.Dossier.String(), Citation: s.citedAt(n.Place), Instrument: n.Instrument, Kind: n.Kind, Stage: string(n.Stage), Drafts: []DraftSaid{},
		Agreed: n.Clean, Signatures: []TextSigned{}, Signed: n.SignedText, Complete: optional(n.Complete),
	}
	for _, d := range n.Drafts {
		x := DraftSaid{
			ID: d.Message.String(), Citation: s.citedAt(d.Place), By: string(d.By), At: d.Received.UTC(), Draft: d.Number, Status: d.Status, Text: d.Text,
			Base: d.Base, BaseBy: string(d.BaseBy), Brackets: fields(d.Brackets),
		}
		if d.BaseOf != nil {
			x.BaseOf = s.citedAt(*d.BaseOf)
		}
		if d.Document != (identity.Digest{}) {
			x.Document = d.Document.String()
		}
		v.Drafts = append(v.Drafts, x)
	}
	refused := make(map[message.ID]string)
	for _, r := range n.Refused {
		refused[r.Message] = r.Why
	}
	for _, x := range n.Signatures {
		why := refused[x.Message]
		v.Signatures = append(v.Signatures, TextSigned{
			x.Message.String(), s.citedAt(x.Place), string(x.By), x.Received.UTC(), x.Text, x.Kind, x.Capacity, x.Entry, why == "", why,
		})
	}
	return v
}

func shownRedline(v station.RedlineView) Redline {
	r := Redline{Older: v.OldAt, Newer: v.NewAt, Changes: []RedlineChange{}}
	ops := strings.NewReplacer(" ", "kept", "+", "added", "-", "removed")
	for _, c := range v.Changes {
		x := RedlineChange{Paragraph: c.Paragraph, Kind: c.Kind, By: string(c.By), Lang: string(c.Lang)}
		for _, w := range c.Words {
			x.Words = append(x.Words, RedlinePiece{ops.Replace(string(w.Op)), w.Text})
		}
		r.Changes = append(r.Changes, x)
	}
	return r
}
