package api

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/station"
)

// Matter is where one matter stands as of a second. Nothing in it says or implies
// that anybody admits anything.
type Matter struct {
	ID        string     `json:"id" doc:"of its first message"`
	Citation  string     `json:"citation"`
	Line      string     `json:"line"`
	Kind      string     `json:"kind"`
	Stage     string     `json:"stage"`
	Since     time.Time  `json:"since" doc:"since when the stage holds"`
	Last      time.Time  `json:"last" doc:"the latest receipt in it"`
	Closed    bool       `json:"closed" doc:"at rest, and nothing is owed but confirmations"`
	Report    string     `json:"report,omitempty" doc:"incident: early, interim or final"`
	Outcome   string     `json:"outcome,omitempty" doc:"the code of the last answer"`
	Lead      string     `json:"lead,omitempty" doc:"how long ahead something was announced: usual, least or short"`
	LapsesAt  *time.Time `json:"lapses_at,omitempty"`
	Owed      int        `json:"owed" doc:"how many duties wait for an act"`
	Next      *Duty      `json:"next,omitempty" doc:"the one that is due first"`
	Contested bool       `json:"contested,omitempty" doc:"the author of a message in it disowns that message"`
	Step      string     `json:"step,omitempty" doc:"of the ladder of escalation, L0 to L7; absent: on none"`
	Cursor    string     `json:"cursor" doc:"the list's cursor"`
}

// Duty is what one side owes after a message, and how it stands.
type Duty struct {
	Of          string     `json:"of" doc:"the message that calls for it"`
	Citation    string     `json:"citation,omitempty" doc:"of that message"`
	Act         string     `json:"act"`
	By          string     `json:"by" doc:"who owes it"`
	Side        string     `json:"side" enum:"own,counterpart"`
	Formats     []string   `json:"formats" doc:"that discharge it; none: a receipt of the station"`
	From        time.Time  `json:"from"`
	Due         time.Time  `json:"due" doc:"the second itself is in time"`
	Second      *time.Time `json:"second,omitempty" doc:"by when by the disputing entry's second"`
	Extended    int        `json:"extended,omitempty" doc:"1 by right, 2 by consent"`
	Met         *time.Time `json:"met,omitempty"`
	MetBy       string     `json:"met_by,omitempty"`
	MetCitation string     `json:"met_citation,omitempty"`
	Stopped     *time.Time `json:"stopped,omitempty"`
	State       string     `json:"state"`
	LateSeconds int64      `json:"late_seconds,omitempty" doc:"by how much it was met late, or is past"`
}

// Obligation is a duty on a line.
type Obligation struct {
	Duty
	Line   string `json:"line"`
	Matter string `json:"matter,omitempty" doc:"absent where the message is in none yet"`
	Kind   string `json:"kind,omitempty"`
	Cursor string `json:"cursor" doc:"the list's cursor"`
}

// Period is a time with both ends in it.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// TimelineEntry is a message of a matter, as the record has it.
type TimelineEntry struct {
	ID          string     `json:"id"`
	Citation    string     `json:"citation"`
	Log         string     `json:"log"`
	Index       int64      `json:"index"`
	Format      string     `json:"format"`
	Move        string     `json:"move,omitempty"`
	By          string     `json:"by"`
	At          time.Time  `json:"at" doc:"the writer's second"`
	Received    time.Time  `json:"received"`
	Seen        *time.Time `json:"seen,omitempty"`
	Understood  *time.Time `json:"understood,omitempty"`
	Reply       string     `json:"reply,omitempty" doc:"UND, NUN or COR"`
	Answered    *time.Time `json:"answered,omitempty"`
	Settled     string     `json:"settled,omitempty" doc:"of a provisional message: confirm or withdraw"`
	Refused     string     `json:"refused,omitempty" doc:"the reason of a refusal that stands"`
	Stage       string     `json:"stage" doc:"of the matter after it"`
	Flags       []string   `json:"flags,omitempty"`
	Replies     []string   `json:"replies,omitempty" doc:"the formats that answer it, by the signal book"`
	Blobs       int        `json:"blobs,omitempty"`
	Outstanding int        `json:"outstanding,omitempty" doc:"blobs that are not receipted yet"`
}

// NextMove is what may come next in a matter.
type NextMove struct {
	Move    string   `json:"move"`
	From    []string `json:"from"`
	Formats []string `json:"formats"`
	To      []string `json:"to,omitempty" doc:"stages, to one of which it leads; none: the stage stays"`
}

// MatterLink is a reference between matters.
type MatterLink struct {
	Matter string `json:"matter"`
	By     string `json:"by" doc:"the message that refers"`
}

// UnlistedMessage is a message of a matter whose receipt stands in neither log
// yet: it is shown, and not folded.
type UnlistedMessage struct {
	ID       string     `json:"id"`
	Citation string     `json:"citation"`
	At       time.Time  `json:"at"`
	Due      *time.Time `json:"due,omitempty" doc:"by when its receipt was due"`
	State    string     `json:"state"`
	Receipt  bool       `json:"receipt" doc:"there is a receipt, and the next entry lists it"`
}

// MatterDetail is one matter in full.
type MatterDetail struct {
	Matter
	At        time.Time         `json:"at" doc:"as of which second"`
	Window    *Period           `json:"window,omitempty"`
	ChangesAt *time.Time        `json:"changes_at,omitempty" doc:"when time alone leads to changes_to"`
	ChangesTo string            `json:"changes_to,omitempty" doc:"the stage that comes then"`
	Terms     []string          `json:"terms,omitempty" doc:"guarantees: the undertakings that both notes have in common"`
	Conflicts []string          `json:"conflicts,omitempty"`
	Timeline  []TimelineEntry   `json:"timeline"`
	Facts     []Fact            `json:"facts,omitempty" doc:"claims and reports: each fact stated"`
	Named     []NamedState      `json:"named,omitempty" doc:"reports: the states named"`
	Serials   []ProposedSerial  `json:"serials,omitempty" doc:"publications: the messages proposed"`
	Duties    []Duty            `json:"duties"`
	Moves     []NextMove        `json:"moves" doc:"what may come next"`
	Silence   *Duty             `json:"silence,omitempty" doc:"the duty that becomes late next if nothing comes"`
	Links     []MatterLink      `json:"links,omitempty"`
	ReadBacks []ReadBack        `json:"read_backs,omitempty" doc:"what readers say they understood, field by field"`
	Ladder    []LadderStep      `json:"ladder,omitempty" doc:"the steps of escalation, of this matter and of those that take it further up"`
	Unlisted  []UnlistedMessage `json:"unlisted,omitempty"`
}

// AsOf is the second that is asked about, in the query of an operation.
type AsOf struct {
	At time.Time `query:"at" doc:"as of which second, RFC 3339; if absent now"`
}

// LineQuery is one line, or all of them, in the query of an operation.
type LineQuery struct {
	Line string `query:"line" doc:"station/station/class; if absent all lines"`
}

func (q LineQuery) which() (identity.Line, error) {
	if q.Line == "" {
		return identity.Line{}, nil
	}
	return identity.ParseLine(q.Line)
}

// second is the second that is asked about; now where none is.
func (s *Server) second(q AsOf) time.Time {
	if q.At.IsZero() {
		q.At = s.Now()
	}
	return q.At.UTC().Truncate(time.Second)
}

func (s *Server) matters(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/matters", "matters", "Matters of all lines: those in which something is owed first, by when"),
		func(ctx context.Context, in *struct {
			LineQuery
			AsOf
			Kind  string `query:"kind" enum:"incident,notice,stop,technical,contact,service,consultation,assistance,vulnerability,claim,report,disclosure,publication,edition,glossary,statement,guarantee,election,measure,exercise,instrument,suspension,denunciation,accession,declaration,any"`
			Stage string `query:"stage" maxLength:"40"`
			Owes  string `query:"owes" enum:"own,counterpart" doc:"only where that side owes something"`
			After string `query:"after" maxLength:"600" doc:"cursor of the last one seen"`
			Limit int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
		}) (*page[Matter], error) {
			l, err := in.which()
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			at := s.second(in.AsOf)
			list, err := s.Station.Matters(ctx, actorOf(ctx), s.Now(), station.MatterQuery{
				Line: l, Kind: dossier.Kind(in.Kind), Stage: dossier.Stage(in.Stage), Owes: station.Side(in.Owes), At: at, After: in.After, Limit: in.Limit,
			})
			all, next := make([]Matter, 0, len(list)), ""
			for _, m := range list {
				all, next = append(all, s.shownMatter(m, at)), m.Cursor
			}
			q := url.Values{"line": {in.Line}, "kind": {in.Kind}, "stage": {in.Stage}, "owes": {in.Owes}, "at": {at.Format(time.RFC3339)}, "after": {next}}
			return paged(all, err, in.Limit, "/matters?%s&limit=%d", given(q), in.Limit)
		})
	huma.Register(api, operation(http.MethodGet, "/matters/{id}", "matter", "One matter, by any of its messages: timeline, duties, what may come next"),
		func(ctx context.Context, in *struct {
			AsOf
			ID string `path:"id"`
		}) (*out[MatterDetail], error) {
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			v, err := s.Station.Matter(ctx, actorOf(ctx), s.Now(), id, s.second(in.AsOf))
			if err != nil {
				return nil, problem(err)
			}
			return answer(s.shownMatterView(v), nil)
		})
	huma.Register(api, operation(http.MethodGet, "/obligations", "obligations", "What both sides owe each other, the first due first"),
		func(ctx context.Context, in *struct {
			LineQuery
			AsOf
			Owes          string `query:"owes" enum:"own,counterpart" doc:"only what that side owes"`
			Met           bool   `query:"met" doc:"those too that were met or stopped"`
			Overdue       bool   `query:"overdue" doc:"only those that are past and not met"`
			WithinSeconds int64  `query:"within_seconds" minimum:"0" maximum:"3153600000" doc:"only those that are due by then"`
			After         string `query:"after" maxLength:"600" doc:"cursor of the last one seen"`
			Limit         int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
		}) (*page[Obligation], error) {
			l, err := in.which()
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			at := s.second(in.AsOf)
			list, err := s.Station.Obligations(ctx, actorOf(ctx), s.Now(), station.ObligationQuery{
				Line: l, Owes: station.Side(in.Owes), Met: in.Met, Overdue: in.Overdue, Within: time.Duration(in.WithinSeconds) * time.Second,
				At: at, After: in.After, Limit: in.Limit,
			})
			all, next := make([]Obligation, 0, len(list)), ""
			for _, o := range list {
				all, next = append(all, s.shownObligation(o)), o.Cursor
			}
			q := url.Values{"line": {in.Line}, "owes": {in.Owes}, "at": {at.Format(time.RFC3339)}, "after": {next}}
			return paged(all, err, in.Limit, "/obligations?%s&met=%t&overdue=%t&within_seconds=%d&limit=%d", given(q), in.Met, in.Overdue, in.WithinSeconds, in.Limit)
		})
}

// given encodes the values of a query that are not empty.
func given(q url.Values) string {
	maps.DeleteFunc(q, func(_ string, v []string) bool { return v[0] == "" })
	return q.Encode()
}

func (s *Server) shownMatter(m station.Matter, at time.Time) Matter {
	v := Matter{
		ID: m.ID.String(), Citation: m.Citation, Line: m.Line.String(), Kind: string(m.Kind), Stage: string(m.Stage), Since: m.Since.UTC(), Last: m.Last.UTC(),
		Closed: m.Closed, Report: m.Report, Outcome: m.Outcome, Lead: string(m.Lead), LapsesAt: optional(m.LapsesAt), Owed: len(m.Owed()), Cursor: m.Cursor, Step: string(m.Ladder.Rung),
	}
	v.Contested = slices.ContainsFunc(m.Timeline, func(e dossier.Entry) bool { return slices.Contains(e.Flags, dossier.FlagContested) })
	if d, ok := m.Due(); ok {
		next := s.shownDuty(d, station.Lateness(d, at))
		next.Citation = s.cited(m.Timeline, d.Of)
		v.Next = &next
	}
	return v
}

// cited cites a message of a timeline; empty where it is in none.
func (s *Server) cited(timeline []dossier.Entry, id message.ID) string {
	for _, e := range timeline {
		if e.Message == id {
			return s.Station.Cite(e.Place.Origin, e.Place.Index)
		}
	}
	return ""
}

func (s *Server) shownDuty(d dossier.Duty, late time.Duration) Duty {
	side := station.SideCounterpart
	if d.By == s.Station.Name() {
		side = station.SideOwn
	}
	v := Duty{
		Of: d.Of.String(), Act: string(d.Act), By: string(d.By), Side: string(side), Formats: texts(d.Formats), From: d.From.UTC(), Due: d.Due.UTC(),
		Second: optional(d.Second), Extended: d.Extended, Met: optional(d.Met), Stopped: optional(d.Stopped), State: string(d.State), LateSeconds: int64(late / time.Second),
	}
	if d.MetBy != (message.ID{}) {
		v.MetBy = d.MetBy.String()
	}
	return v
}

func (s *Server) shownObligation(o station.Obligation) Obligation {
	v := Obligation{Duty: s.shownDuty(o.Duty, o.Late), Line: o.Line.String(), Kind: string(o.Kind), Cursor: o.Cursor}
	v.Citation, v.MetCitation = o.Citation, o.MetCitation
	if o.Matter != (message.ID{}) {
		v.Matter = o.Matter.String()
	}
	return v
}

func (s *Server) shownMatterView(m station.MatterView) MatterDetail {
	v := MatterDetail{Matter: s.shownMatter(m.Matter, m.At), At: m.At, Timeline: []TimelineEntry{}, Duties: []Duty{}, Moves: []NextMove{}}
	if m.Window != (dossier.Window{}) {
		v.Window = &Period{m.Window.From.UTC(), m.Window.To.UTC()}
	}
	v.ChangesAt, v.ChangesTo, v.Terms = optional(m.ChangesAt), string(m.ChangesTo), m.Terms
	for _, id := range m.Conflicts {
		v.Conflicts = append(v.Conflicts, id.String())
	}
	for _, e := range m.Timeline {
		v.Timeline = append(v.Timeline, shownEntry(m, e))
	}
	shown := func(d dossier.Duty) Duty {
		x := s.shownDuty(d, station.Lateness(d, m.At))
		x.Citation, x.MetCitation = m.Citations[d.Of], m.Citations[d.MetBy]
		return x
	}
	for _, d := range m.Duties {
		v.Duties = append(v.Duties, shown(d))
	}
	if d, ok := m.Silence(); ok {
		x := shown(d)
		v.Silence = &x
	}
	for _, n := range m.Dossier.Next {
		v.Moves = append(v.Moves, NextMove{string(n.Move), texts(n.From), texts(n.Formats), texts(n.To)})
	}
	v.stated(m)
	v.Ladder, v.ReadBacks = shownLadder(m), shownReadBacks(m)
	for _, l := range m.Links {
		v.Links = append(v.Links, MatterLink{l.Dossier.String(), l.By.String()})
	}
	for _, u := range m.Unlisted {
		v.Unlisted = append(v.Unlisted, UnlistedMessage{u.Message.String(), u.Citation, u.Written.UTC(), optional(u.Due), string(u.State), u.Receipt})
	}
	return v
}

func shownEntry(m station.MatterView, e dossier.Entry) TimelineEntry {
	st := m.Stages[e.Message]
	return TimelineEntry{
		ID: e.Message.String(), Citation: m.Citations[e.Message], Log: e.Place.Origin.String(), Index: e.Place.Index, Format: string(e.Format), Move: string(e.Move),
		By: string(e.By), At: e.At.UTC(), Received: e.Received.UTC(), Seen: optional(st.Seen), Understood: optional(st.Understood), Reply: st.Reply,
		Answered: optional(st.Answered), Settled: st.Settled, Refused: st.Refused, Stage: string(e.Stage), Flags: texts(e.Flags), Replies: texts(m.Replies[e.Message]),
		Blobs: e.Blobs, Outstanding: e.Outstanding,
	}
}

// texts are codes as strings; never nil.
func texts[S ~string](list []S) []string {
	all := make([]string, 0, len(list))
	for _, s := range list {
		all = append(all, string(s))
	}
	return all
}
