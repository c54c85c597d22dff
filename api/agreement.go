package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/treaty"
)

// AgreementText is an agreement whose text lies in the station.
type AgreementText struct {
	Hash      string    `json:"hash" doc:"over all its languages: what both sides sign"`
	Agreement string    `json:"agreement"`
	Added     time.Time `json:"added"`
	By        string    `json:"by" doc:"who added it"`
}

// AgreementSignature is one side's signature of a text.
type AgreementSignature struct {
	By       string    `json:"by"`
	Message  string    `json:"message"`
	Officer  string    `json:"officer"`
	Received time.Time `json:"received"`
}

// AgreementRefusal is a message that changed nothing, and why.
type AgreementRefusal struct {
	Message string `json:"message"`
	Article string `json:"article,omitempty"`
	Why     string `json:"why"`
}

// AgreementWindow is a period in which a side votes.
type AgreementWindow struct {
	By        string     `json:"by"`
	Election  string     `json:"election"`
	From      time.Time  `json:"from"`
	To        time.Time  `json:"to"`
	CoreFrom  *time.Time `json:"core_from,omitempty"`
	CoreTo    *time.Time `json:"core_to,omitempty"`
	Short     bool       `json:"short" doc:"told less than its articles ask ahead"`
	Cancelled bool       `json:"cancelled"`
}

// AgreementSuspension is a time in which an article binds neither side.
type AgreementSuspension struct {
	Article string     `json:"article"`
	By      string     `json:"by"`
	From    time.Time  `json:"from"`
	Until   *time.Time `json:"until,omitempty" doc:"absent: until it is resumed"`
}

// AgreementDenunciation is a note that ends an agreement, or did.
type AgreementDenunciation struct {
	By        string     `json:"by"`
	Message   string     `json:"message"`
	Ends      time.Time  `json:"ends"`
	Withdrawn *time.Time `json:"withdrawn,omitempty"`
}

// AgreementDuty is what one side owes by an article, or owed. Nothing in it says
// or implies that anybody admits anything.
type AgreementDuty struct {
	Name        string     `json:"name" doc:"by which it is explained"`
	Duty        string     `json:"duty"`
	Article     string     `json:"article"`
	By          string     `json:"by,omitempty" doc:"the party that owes it; absent: both together"`
	Of          string     `json:"of,omitempty" doc:"the message that triggered it"`
	Formats     []string   `json:"formats" doc:"that discharge it"`
	From        time.Time  `json:"from"`
	Due         *time.Time `json:"due,omitempty" doc:"the second itself is in time"`
	Second      *time.Time `json:"second,omitempty" doc:"by when by the disputing entry's second"`
	Phase       string     `json:"phase"`
	Raise       string     `json:"raise,omitempty" doc:"the least precedence at which to send it"`
	Needed      int        `json:"needed"`
	Done        int        `json:"done"`
	Extended    int        `json:"extended,omitempty" doc:"1 by right, 2 by consent"`
	Met         *time.Time `json:"met,omitempty"`
	MetBy       string     `json:"met_by,omitempty"`
	Period      int        `json:"period,omitempty"`
	Periods     int        `json:"periods,omitempty" doc:"so many in a row stand so"`
	State       string     `json:"state"`
	Flag        string     `json:"flag"`
	Owed        bool       `json:"owed" doc:"it still waits for an act"`
	LateSeconds int64      `json:"late_seconds,omitempty"`
	Next        []string   `json:"next" doc:"what the other side may send where it is amiss"`
	Why         string     `json:"why,omitempty"`
}

// Agreement is how an agreement stands on a line.
type Agreement struct {
	Line          string                  `json:"line"`
	Agreement     string                  `json:"agreement"`
	Hash          string                  `json:"hash"`
	Held          bool                    `json:"held" doc:"its text lies in the station"`
	Signed        []AgreementSignature    `json:"signed"`
	OneSidedFrom  *time.Time              `json:"one_sided_from,omitempty" doc:"since when one side could know that both signed, and the other not"`
	OneSidedUntil *time.Time              `json:"one_sided_until,omitempty"`
	InForce       bool                    `json:"in_force"`
	From          *time.Time              `json:"from,omitempty"`
	TextInForce   string                  `json:"text_in_force,omitempty" doc:"the hash with its amendments"`
	Term          int                     `json:"term,omitempty"`
	TermEnds      *time.Time              `json:"term_ends,omitempty"`
	Ends          *time.Time              `json:"ends,omitempty"`
	Phase         string                  `json:"phase,omitempty"`
	Digest        string                  `json:"digest,omitempty" doc:"what both sides compare"`
	Denounced     []AgreementDenunciation `json:"denounced"`
	Suspended     []AgreementSuspension   `json:"suspended"`
	Windows       []AgreementWindow       `json:"windows"`
	Duties        []AgreementDuty         `json:"duties"`
	Refused       []AgreementRefusal      `json:"refused"`
}

// AgreementGuarantee is how an exchange of notes of guarantee stands.
type AgreementGuarantee struct {
	Line          string     `json:"line"`
	Message       string     `json:"message"`
	Citation      string     `json:"citation"`
	By            string     `json:"by"`
	State         string     `json:"state"`
	Undertakings  []string   `json:"undertakings"`
	OnlyOffered   []string   `json:"only_offered"`
	OnlyAnswered  []string   `json:"only_answered"`
	From          *time.Time `json:"from,omitempty"`
	OneSidedFrom  *time.Time `json:"one_sided_from,omitempty"`
	OneSidedUntil *time.Time `json:"one_sided_until,omitempty"`
	Ends          *time.Time `json:"ends,omitempty"`
	Why           string     `json:"why,omitempty"`
}

// AgreementState is what binds the two sides of lines, as of a second.
type AgreementState struct {
	At         time.Time            `json:"at"`
	Agreements []Agreement          `json:"agreements"`
	Guarantees []AgreementGuarantee `json:"guarantees"`
}

// AgreementStep is one step of why an obligation stands as it does.
type AgreementStep struct {
	Code     string     `json:"code"`
	At       *time.Time `json:"at,omitempty"`
	Of       string     `json:"of,omitempty"`
	Citation string     `json:"citation,omitempty"`
	Value    string     `json:"value,omitempty"`
}

// AgreementExplained is one obligation, and why it stands so.
type AgreementExplained struct {
	Line      string          `json:"line"`
	Agreement string          `json:"agreement"`
	At        time.Time       `json:"at"`
	Duty      AgreementDuty   `json:"duty"`
	Steps     []AgreementStep `json:"steps"`
}

func (s *Server) agreements(api huma.API) {
	add := operation(http.MethodPost, "/agreements", "add-agreement", "Keep the text of an agreement by its hash; it binds once both sides signed that hash")
	add.MaxBodyBytes = treaty.MaxAgreement
	add.SkipValidateBody = true // it is judged, byte by byte, by what reads agreements
	huma.Register(api, add,
		func(ctx context.Context, in *struct {
			RawBody []byte `contentType:"application/json"`
		}) (*out[AgreementText], error) {
			t, err := s.Station.AddAgreement(ctx, actorOf(ctx), s.Now(), in.RawBody)
			return answer(shownAgreementText(t), err)
		})
	huma.Register(api, operation(http.MethodGet, "/agreements", "agreements", "The agreements whose texts lie in the station"),
		func(ctx context.Context, _ *struct{}) (*out[[]AgreementText], error) {
			list, err := s.Station.Agreements(ctx, actorOf(ctx), s.Now())
			all := make([]AgreementText, 0, len(list))
			for _, t := range list {
				all = append(all, shownAgreementText(t))
			}
			return answer(all, err)
		})
	huma.Register(api, operation(http.MethodGet, "/agreement", "agreement-state", "What both sides owe by the agreements in force, and the guarantees in force"),
		func(ctx context.Context, in *struct {
			LineQuery
			AsOf
		}) (*out[AgreementState], error) {
			l, err := in.which()
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			v, err := s.Station.AgreementState(ctx, actorOf(ctx), s.Now(), station.AgreementQuery{Line: l, At: s.second(in.AsOf)})
			if err != nil {
				return nil, problem(err)
			}
			return answer(shownAgreementState(v))
		})
	huma.Register(api, operation(http.MethodGet, "/agreement/explanation", "explain-obligation", "Why an obligation stands as it does, step by step"),
		func(ctx context.Context, in *struct {
			LineQuery
			AsOf
			Name string `query:"name" required:"true" maxLength:"300" doc:"the obligation's name"`
		}) (*out[AgreementExplained], error) {
			l, err := in.which()
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			x, err := s.Station.ExplainObligation(ctx, actorOf(ctx), s.Now(), station.AgreementQuery{Line: l, At: s.second(in.AsOf)}, in.Name)
			if err != nil {
				return nil, problem(err)
			}
			return answer(shownExplained(x, in.Name), nil)
		})
}

func shownAgreementText(t station.AgreementText) AgreementText {
	return AgreementText{t.Hash.String(), t.ID, t.Added, t.By}
}

func shownAgreementState(v station.AgreementView) (AgreementState, error) {
	st := AgreementState{At: v.At, Agreements: []Agreement{}, Guarantees: []AgreementGuarantee{}}
	for _, a := range v.Agreements {
		one, err := shownStanding(a)
		if err != nil {
			return st, err
		}
		st.Agreements = append(st.Agreements, one)
	}
	for _, g := range v.Guarantees {
		st.Guarantees = append(st.Guarantees, AgreementGuarantee{
			Line: g.Line.String(), Message: g.Message.String(), Citation: g.Citation, By: string(g.By), State: string(g.State),
			Undertakings: append([]string{}, g.Undertakings...), OnlyOffered: append([]string{}, g.OnlyOffered...), OnlyAnswered: append([]string{}, g.OnlyAnswered...),
			From: optional(g.From), OneSidedFrom: optional(g.OneSidedFrom), OneSidedUntil: optional(g.OneSidedUntil), Ends: optional(g.Ends), Why: g.Why,
		})
	}
	return st, nil
}

func shownStanding(a station.Standing) (Agreement, error) {
	s := a.State
	v := Agreement{
		Line: a.Line.String(), Agreement: a.Name, Hash: a.Text.String(), Held: a.Held, Signed: []AgreementSignature{},
		OneSidedFrom: optional(a.OneSidedFrom), OneSidedUntil: optional(a.OneSidedUntil), InForce: s.InForce, From: optional(s.From), Term: s.Term,
		TermEnds: optional(s.TermEnds), Ends: optional(s.Ends), Phase: string(s.Phase),
		Denounced: []AgreementDenunciation{}, Suspended: []AgreementSuspension{}, Windows: []AgreementWindow{}, Duties: []AgreementDuty{}, Refused: []AgreementRefusal{},
	}
	for _, one := range a.Signed {
		v.Signed = append(v.Signed, AgreementSignature{string(one.By), one.Message.String(), one.Certificate.Pseudonym, one.Received.UTC()})
	}
	for _, r := range a.Refused {
		v.Refused = append(v.Refused, AgreementRefusal{Message: r.Message.String(), Why: r.Why})
	}
	if s.Agreement == "" {
		return v, nil
	}
	digest, err := s.Digest()
	if err != nil {
		return v, err
	}
	v.Digest = digest.String()
	if s.Text != (identity.Digest{}) {
		v.TextInForce = s.Text.String()
	}
	for _, d := range s.Denounced {
		v.Denounced = append(v.Denounced, AgreementDenunciation{string(d.By), d.Message.String(), d.Ends.UTC(), optional(d.Withdrawn)})
	}
	for _, x := range s.Suspended {
		v.Suspended = append(v.Suspended, AgreementSuspension{x.Article, string(x.By), x.From.UTC(), optional(x.Until)})
	}
	for _, w := range s.Windows {
		v.Windows = append(v.Windows, AgreementWindow{string(w.By), w.Election, w.From.UTC(), w.To.UTC(), optional(w.CoreFrom), optional(w.CoreTo), w.Short, w.Cancelled})
	}
	for _, o := range s.Obligations {
		v.Duties = append(v.Duties, shownTreatyDuty(o, s.At))
	}
	for _, r := range s.Refused {
		v.Refused = append(v.Refused, AgreementRefusal{r.Message.String(), r.Article, r.Why})
	}
	return v, nil
}

func shownTreatyDuty(o treaty.Obligation, at time.Time) AgreementDuty {
	v := AgreementDuty{
		Name: station.ObligationName(o.Key), Duty: o.Duty, Article: o.Article, By: string(o.By), Formats: texts(o.Formats), From: o.From.UTC(), Due: optional(o.Due),
		Second: optional(o.Second), Phase: string(o.Phase), Raise: o.Raise, Needed: o.Needed, Done: o.Done, Extended: o.Extended, Met: optional(o.Met),
		Period: o.Period, Periods: o.Periods, State: string(o.State), Flag: string(o.Flag), Owed: o.Owed(), LateSeconds: int64(o.Over(at) / time.Second),
		Next: texts(o.Next), Why: o.Why,
	}
	if o.Of != (message.ID{}) {
		v.Of = o.Of.String()
	}
	if o.MetBy != (message.ID{}) {
		v.MetBy = o.MetBy.String()
	}
	return v
}

func shownExplained(x station.ExplainedObligation, name string) AgreementExplained {
	v := AgreementExplained{Line: x.Line.String(), Agreement: x.Agreement, At: x.At, Duty: shownTreatyDuty(x.Obligation, x.At), Steps: []AgreementStep{}}
	v.Duty.Name = name
	for _, step := range x.Steps {
		one := AgreementStep{Code: step.Code, At: optional(step.At), Citation: x.Citations[step.Of], Value: step.Value}
		if step.Of != (message.ID{}) {
			one.Of = step.Of.String()
		}
		v.Steps = append(v.Steps, one)
	}
	return v
}
