package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/watch"
)

// OnDuty is an officer's time at a desk.
type OnDuty struct {
	Officer string    `json:"officer"`
	Desk    string    `json:"desk"`
	Shift   string    `json:"shift,omitempty"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Why     string    `json:"why" doc:"turn, swap, override or surge"`
}

// Change is a change of officers at a desk.
type Change struct {
	At   time.Time `json:"at"`
	Desk string    `json:"desk"`
	Out  []string  `json:"out"`
	In   []string  `json:"in"`
}

// Swap is an exchange of two shifts.
type Swap struct {
	Number int      `json:"number" doc:"from 1, as it is agreed to"`
	First  Slot     `json:"first"`
	Second Slot     `json:"second"`
	Agreed []string `json:"agreed"`
	Holds  bool     `json:"holds" doc:"both have agreed"`
}

// Slot is an officer's shift, by the second at which it begins.
type Slot struct {
	Officer string    `json:"officer"`
	Desk    string    `json:"desk"`
	Begin   time.Time `json:"begin"`
}

// Roster is a roster and what it means now.
type Roster struct {
	Version  uint64   `json:"version"`
	Document string   `json:"document" doc:"canonical JSON, as it is set"`
	On       []OnDuty `json:"on"`
	Next     *Change  `json:"next,omitempty" doc:"the next change of officers; absent: none within four days"`
	Swaps    []Swap   `json:"swaps"`
	Unlisted []string `json:"unlisted" doc:"officers who are not on this station's list, or revoked"`
}

// Version is the version of a roster after a change.
type Version struct {
	Version uint64 `json:"version"`
	Swaps   []Swap `json:"swaps"`
}

// Risk is what will go wrong on watch.
type Risk struct {
	Kind  string            `json:"kind"`
	From  time.Time         `json:"from"`
	To    time.Time         `json:"to"`
	Texts map[string]string `json:"texts" doc:"by language"`
}

func shownDuties(all []watch.Duty) []OnDuty {
	out := make([]OnDuty, 0, len(all))
	for _, d := range all {
		out = append(out, OnDuty{d.Officer, d.Desk, d.Shift, d.From.UTC(), d.To.UTC(), string(d.Why)})
	}
	return out
}

func shownChange(h watch.Handover) *Change {
	if h.At.IsZero() {
		return nil
	}
	return &Change{h.At.UTC(), h.Desk, append([]string{}, h.Out...), append([]string{}, h.In...)}
}

func shownSwaps(all []watch.Swap) []Swap {
	out := make([]Swap, 0, len(all))
	for i, s := range all {
		slot := func(s watch.Slot) Slot { return Slot{s.Officer, s.Desk, s.Begin.UTC()} }
		out = append(out, Swap{i + 1, slot(s.First), slot(s.Second), append([]string{}, s.Agreed...), s.Effective()})
	}
	return out
}

// langs reads a list of languages; none means English.
func langs(all []string) ([]book.Lang, error) {
	if len(all) == 0 {
		all = []string{"en"}
	}
	var out []book.Lang
	for _, l := range all {
		known := false
		for _, k := range book.Langs() {
			known = known || k == book.Lang(l)
		}
		if !known {
			return nil, huma.Error422UnprocessableEntity("lang: " + l + " is none of en, ru, zh, es, fr, ar")
		}
		out = append(out, book.Lang(l))
	}
	return out, nil
}

// inLangs renders something in several languages.
func inLangs(all []book.Lang, render func(book.Lang) (string, error)) (map[string]string, error) {
	texts := make(map[string]string)
	for _, l := range all {
		text, err := render(l)
		if err != nil {
			return nil, err
		}
		texts[string(l)] = text
	}
	return texts, nil
}

func (s *Server) watch(api huma.API) {
	s.roster(api)
	s.rosterChanges(api)
	s.contacts(api)
	s.contactActs(api)
	s.desks(api)
	s.handovers(api)
	s.sheets(api)
	s.logBook(api)
	s.calls(api)
	s.now(api)
}

func (s *Server) roster(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/roster", "roster", "The roster, who is on and who comes next"),
		func(ctx context.Context, _ *struct{}) (*out[Roster], error) {
			v, err := s.Station.Roster(ctx, actorOf(ctx), s.Now())
			if err != nil {
				return nil, problem(err)
			}
			return answer(Roster{Version: v.Roster.Version, Document: string(v.Roster.Bytes()), On: shownDuties(v.On), Next: shownChange(v.Next),
				Swaps: shownSwaps(v.Roster.Swaps), Unlisted: append([]string{}, v.Unlisted...)}, nil)
		})
	set := operation(http.MethodPut, "/roster", "set-roster", "Put a roster in force; all that is wrong with it is told")
	set.MaxBodyBytes = watch.MaxDocument
	set.SkipValidateBody = true // it is judged, byte by byte, by what reads rosters
	huma.Register(api, set,
		func(ctx context.Context, in *struct {
			RawBody []byte `contentType:"application/json"`
		}) (*out[Version], error) {
			r, err := s.Station.SetRoster(ctx, actorOf(ctx), s.Now(), in.RawBody)
			return answer(Version{r.Version, shownSwaps(r.Swaps)}, err)
		})
	huma.Register(api, operation(http.MethodGet, "/roster/risks", "risks", "What will go wrong on watch if the roster stays as it is"),
		func(ctx context.Context, in *struct {
			Hours int      `query:"hours" default:"336" minimum:"1" maximum:"2208"`
			Lang  []string `query:"lang"`
		}) (*out[[]Risk], error) {
			all, err := langs(in.Lang)
			if err != nil {
				return nil, err
			}
			risks, err := s.Station.Risks(ctx, actorOf(ctx), s.Now(), time.Duration(in.Hours)*time.Hour)
			if err != nil {
				return nil, problem(err)
			}
			return answer(s.shownRisks(risks, all))
		})
}

func (s *Server) shownRisks(risks []watch.Risk, all []book.Lang) ([]Risk, error) {
	words, err := s.Station.WatchWords()
	if err != nil {
		return nil, err
	}
	shown := make([]Risk, 0, len(risks))
	for _, r := range risks {
		texts, err := inLangs(all, func(l book.Lang) (string, error) { return words.Risk(r, l) })
		if err != nil {
			return nil, err
		}
		shown = append(shown, Risk{string(r.Kind), r.From.UTC(), r.To.UTC(), texts})
	}
	return shown, nil
}

func (s *Server) rosterChanges(api huma.API) {
	changed := func(r watch.Roster, err error) (*out[Version], error) {
		return answer(Version{r.Version, shownSwaps(r.Swaps)}, err)
	}
	huma.Register(api, operation(http.MethodPost, "/roster/leave", "add-leave", "Take an officer off all desks for a while"),
		func(ctx context.Context, in *struct {
			Body struct {
				Officer string    `json:"officer"`
				From    time.Time `json:"from"`
				To      time.Time `json:"to"`
			}
		}) (*out[Version], error) {
			return changed(s.Station.AddLeave(ctx, actorOf(ctx), s.Now(), watch.Leave{Officer: in.Body.Officer, From: in.Body.From.UTC(), To: in.Body.To.UTC()}))
		})
	huma.Register(api, operation(http.MethodPost, "/roster/overrides", "add-override", "Let officers keep a desk in place of, or besides, those of the turns"),
		func(ctx context.Context, in *struct {
			Body struct {
				Desk     string    `json:"desk"`
				Officers []string  `json:"officers"`
				From     time.Time `json:"from"`
				To       time.Time `json:"to"`
				Besides  bool      `json:"besides,omitempty"`
			}
		}) (*out[Version], error) {
			o := watch.Temporary{Desk: in.Body.Desk, Officers: in.Body.Officers, From: in.Body.From.UTC(), To: in.Body.To.UTC()}
			return changed(s.Station.AddOverride(ctx, actorOf(ctx), s.Now(), o, in.Body.Besides))
		})
	huma.Register(api, operation(http.MethodPost, "/roster/swaps", "ask-swap", "Ask for the exchange of two shifts, one of them the caller's"),
		func(ctx context.Context, in *struct {
			Body struct {
				First  Slot `json:"first"`
				Second Slot `json:"second"`
			}
		}) (*out[Version], error) {
			slot := func(s Slot) watch.Slot {
				return watch.Slot{Officer: s.Officer, Desk: s.Desk, Begin: s.Begin.UTC()}
			}
			return changed(s.Station.AskSwap(ctx, actorOf(ctx), s.Now(), slot(in.Body.First), slot(in.Body.Second)))
		})
	huma.Register(api, operation(http.MethodPost, "/roster/swaps/{number}/agree", "agree-swap", "Agree to a swap, as the other officer"),
		func(ctx context.Context, in *struct {
			Number int `path:"number"`
		}) (*out[Version], error) {
			return changed(s.Station.AgreeSwap(ctx, actorOf(ctx), s.Now(), in.Number))
		})
}

// Desk is what was said of a desk.
type Desk struct {
	Status    string     `json:"status" doc:"manned, degraded, unmanned, or unknown: nothing is said of it, or not any more"`
	Languages []string   `json:"languages"`
	Said      *time.Time `json:"said,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	Age       int64      `json:"age_seconds,omitempty" doc:"how old the word is"`
}

// Desks are the desks of both ends.
type Desks struct {
	ByRoster *Desk      `json:"by_roster,omitempty" doc:"the own desk as the roster has it; absent: there is no roster"`
	Lines    []LineDesk `json:"lines"`
}

// LineDesk is what each end of a line said of its desk last.
type LineDesk struct {
	Line   string `json:"line"`
	Own    Desk   `json:"own"`
	Theirs Desk   `json:"their"`
}

func shownDesk(d station.DeskWord) Desk {
	return Desk{d.Status, append([]string{}, d.Languages...), optional(d.Said), optional(d.Until), int64(d.Age / time.Second)}
}

func (s *Server) desks(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/desk", "desk", "How the desks are manned: the own by the roster, both as they were said"),
		func(ctx context.Context, _ *struct{}) (*out[Desks], error) {
			v, err := s.Station.Desks(ctx, actorOf(ctx), s.Now())
			shown := Desks{Lines: []LineDesk{}}
			if r := v.Roster; r.Status != "" {
				shown.ByRoster = &Desk{Status: r.Status, Languages: append([]string{}, r.Languages...), Until: optional(r.Until)}
			}
			for _, l := range v.Lines {
				shown.Lines = append(shown.Lines, LineDesk{l.Line.String(), shownDesk(l.Own), shownDesk(l.Theirs)})
			}
			return answer(shown, err)
		})
	huma.Register(api, operation(http.MethodPost, "/desk", "set-desk", "Tell the counterparts how the desk is manned"),
		func(ctx context.Context, in *struct {
			Body struct {
				Status string     `json:"status" enum:"manned,degraded,unmanned,by-roster"`
				Until  *time.Time `json:"until,omitempty" doc:"needed unless by-roster"`
				Line   string     `json:"line,omitempty" doc:"this line only"`
				Langs  []string   `json:"languages,omitempty" doc:"default: those of the roster"`
			}
		}) (*out[[]Queued], error) {
			var until time.Time
			if in.Body.Until != nil {
				until = *in.Body.Until
			}
			var only identity.Line
			if in.Body.Line != "" {
				var err error
				if only, err = identity.ParseLine(in.Body.Line); err != nil {
					return nil, huma.Error422UnprocessableEntity(err.Error())
				}
			}
			list, err := s.Station.SetDesk(ctx, actorOf(ctx), s.Now(), watch.DeskStatus{Status: in.Body.Status, Languages: in.Body.Langs, Until: until}, only)
			return answer(s.queuedAll(list), err)
		})
}

func (s *Server) queuedAll(list []station.Outgoing) []Queued {
	all := make([]Queued, 0, len(list))
	for _, q := range list {
		all = append(all, s.queued(q))
	}
	return all
}

// Handover is a sheet, proposed or signed.
type Handover struct {
	ID       string            `json:"id,omitempty" doc:"absent: it is not frozen"`
	Desk     string            `json:"desk"`
	At       time.Time         `json:"at"`
	Out      []string          `json:"out"`
	In       []string          `json:"in"`
	Body     []byte            `json:"body" doc:"the sheet's bytes; once frozen these are signed"`
	Digest   string            `json:"digest"`
	Role     string            `json:"role" doc:"in which it is signed"`
	Signers  []string          `json:"signers"`
	Signed   *time.Time        `json:"signed,omitempty" doc:"by both; absent: not yet"`
	Next     string            `json:"next,omitempty" doc:"what is still needed"`
	Approval [][]byte          `json:"approvals,omitempty"`
	Texts    map[string]string `json:"texts,omitempty" doc:"by language"`
}

func (s *Server) shownSheet(sheet watch.Sheet, all []book.Lang) (Handover, error) {
	h := Handover{Desk: sheet.Desk, At: sheet.At, Out: append([]string{}, sheet.Out...), In: append([]string{}, sheet.In...), Body: sheet.Bytes(),
		Digest: sheet.Digest().String(), Role: station.RoleOfWatch, Signers: []string{}}
	words, err := s.Station.WatchWords()
	if err != nil {
		return h, err
	}
	h.Texts, err = inLangs(all, func(l book.Lang) (string, error) { return words.Sheet(sheet, l) })
	return h, err
}

func (s *Server) shownHandover(v station.Handover, all []book.Lang) (Handover, error) {
	h, err := s.shownSheet(v.Sheet, all)
	h.ID, h.Signers, h.Signed, h.Next, h.Approval = v.ID.String(), append(h.Signers, v.Signers...), optional(v.Signed), v.Next, v.Approvals
	return h, err
}

// SheetBody is what is said of a handover by hand.
type SheetBody struct {
	Desk     string   `json:"desk,omitempty" query:"desk" doc:"default: the one whose officers change now"`
	Out      []string `json:"out,omitempty" query:"out" doc:"who goes; default: by the roster"`
	In       []string `json:"in,omitempty" query:"in" doc:"who comes; default: by the roster"`
	Remarks  []string `json:"remarks,omitempty" query:"remarks"`
	Language string   `json:"language,omitempty" query:"language" doc:"of the remarks; default: en"`
}

func (b SheetBody) draft() station.SheetDraft {
	d := station.SheetDraft{Desk: b.Desk, Out: b.Out, In: b.In}
	if b.Language == "" {
		b.Language = "en"
	}
	for _, r := range b.Remarks {
		d.Remarks = append(d.Remarks, watch.Remark{Language: book.Lang(b.Language), Text: r})
	}
	return d
}

func (s *Server) handoverAnswer(v station.Handover, err error, all []book.Lang) (*out[Handover], error) {
	if err != nil {
		return nil, problem(err)
	}
	return answer(s.shownHandover(v, all))
}

func (s *Server) handovers(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/handovers", "handovers", "Handovers that wait for a signature, and those of the last week"),
		func(ctx context.Context, _ *struct{}) (*out[[]Handover], error) {
			list, err := s.Station.Handovers(ctx, actorOf(ctx), s.Now())
			all := make([]Handover, 0, len(list))
			for _, v := range list {
				h, failed := s.shownHandover(v, nil)
				if err == nil {
					err = failed
				}
				all = append(all, h)
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodGet, "/handover-sheet", "handover-sheet", "What would be handed over now; nothing is frozen"),
		func(ctx context.Context, in *struct {
			SheetBody
			Lang []string `query:"lang"`
		}) (*out[Handover], error) {
			all, err := langs(in.Lang)
			if err != nil {
				return nil, err
			}
			sheet, err := s.Station.HandoverSheet(ctx, actorOf(ctx), s.Now(), in.draft())
			if err != nil {
				return nil, problem(err)
			}
			return answer(s.shownSheet(sheet, all))
		})
	huma.Register(api, operation(http.MethodPost, "/handovers", "propose-handover", "Freeze the sheet of this moment, to be signed"),
		func(ctx context.Context, in *struct{ Body SheetBody }) (*out[Handover], error) {
			v, err := s.Station.ProposeHandover(ctx, actorOf(ctx), s.Now(), in.Body.draft())
			return s.handoverAnswer(v, err, nil)
		})
}

// sheets are the verbs about one frozen sheet.
func (s *Server) sheets(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/handovers/{id}", "handover", "A handover, with the bytes that are signed"),
		func(ctx context.Context, in *struct {
			ByID
			Lang []string `query:"lang"`
		}) (*out[Handover], error) {
			all, err := langs(in.Lang)
			if err != nil {
				return nil, err
			}
			id, err := message.ParseID(in.ID)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			v, err := s.Station.Handover(ctx, actorOf(ctx), s.Now(), id)
			return s.handoverAnswer(v, err, all)
		})
	huma.Register(api, signed(http.MethodPost, "/handovers/{id}/signatures", "sign-handover", "Give an officer's signature under a sheet"),
		func(ctx context.Context, in *signedByID) (*out[Handover], error) {
			id, a, err := in.decision()
			if err != nil {
				return nil, err
			}
			v, err := s.Station.SignHandover(ctx, actorOf(ctx), s.Now(), id, a)
			return s.handoverAnswer(v, err, nil)
		})
}
