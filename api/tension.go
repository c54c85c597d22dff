package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/book"
	"detente/dossier"
	"detente/station"
)

// Tension is how tense a line is as of a second, by indicators that stand side
// by side: there is no number of them all. It triggers nothing, and nothing in it
// says or implies that anybody admits anything.
type Tension struct {
	Line     string              `json:"line"`
	At       time.Time           `json:"at" doc:"as of which second"`
	Readings []TensionReading    `json:"readings" doc:"every indicator, those that count nothing as well"`
	Came     []TensionSign       `json:"came" doc:"counts now, and did not 24 hours before"`
	Went     []TensionSign       `json:"went" doc:"counted 24 hours before, and does not now"`
	Unlisted []TensionUnreceived `json:"unlisted" doc:"entries whose receipts are past due, as this station sees it; in no digest"`
	Digest   string              `json:"digest" doc:"the same on both sides of the same record and second"`
}

// TensionReading is how one indicator stands.
type TensionReading struct {
	Indicator string            `json:"indicator"`
	Of        string            `json:"of,omitempty" doc:"the precedence, the level of evidence or the step"`
	Count     int               `json:"count"`
	Text      map[string]string `json:"text" doc:"as a sentence, by language"`
	Signs     []TensionSign     `json:"signs"`
}

// TensionSign is an entry for which an indicator counts.
type TensionSign struct {
	Indicator string            `json:"indicator"`
	Of        string            `json:"of,omitempty"`
	ID        string            `json:"id"`
	Citation  string            `json:"citation"`
	Since     time.Time         `json:"since"`
	Text      map[string]string `json:"text,omitempty" doc:"of a change: as a sentence, by language"`
}

// TensionUnreceived is an entry without a receipt in the record.
type TensionUnreceived struct {
	ID       string     `json:"id"`
	Citation string     `json:"citation"`
	Due      *time.Time `json:"due,omitempty"`
	State    string     `json:"state"`
}

func (s *Server) tension(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/tension", "tension", "How tense the lines are: named indicators, each citing its entries, and what changed in 24 hours"),
		func(ctx context.Context, in *struct {
			LineQuery
			AsOf
		}) (*out[[]Tension], error) {
			l, err := in.which()
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			words := make(map[book.Lang]dossier.TensionWords)
			for _, lang := range book.Langs() {
				if words[lang], err = dossier.Sentences(lang); err != nil {
					return nil, problem(err)
				}
			}
			list, err := s.Station.Tension(ctx, actorOf(ctx), s.Now(), l, s.second(in.AsOf))
			if err != nil {
				return nil, problem(err)
			}
			all := make([]Tension, 0, len(list))
			for _, t := range list {
				all = append(all, s.shownTension(t, words))
			}
			return answer(all, nil)
		})
}

func (s *Server) shownTension(t station.LineTension, words map[book.Lang]dossier.TensionWords) Tension {
	v := Tension{
		Line: t.Line.String(), At: t.At.UTC(), Digest: t.Digest().String(), Readings: []TensionReading{},
		Came: s.shownSigns(t.Came, words, dossier.TensionWords.Came), Went: s.shownSigns(t.Went, words, dossier.TensionWords.Went), Unlisted: []TensionUnreceived{},
	}
	for _, r := range t.Readings {
		x := TensionReading{Indicator: string(r.Indicator), Of: r.Of, Count: len(r.Signs), Text: make(map[string]string), Signs: s.shownSigns(r.Signs, nil, nil)}
		for lang, w := range words {
			x.Text[string(lang)] = w.Reading(r)
		}
		v.Readings = append(v.Readings, x)
	}
	for _, u := range t.Unlisted {
		v.Unlisted = append(v.Unlisted, TensionUnreceived{u.Message.String(), s.Station.Cite(u.Place.Origin, u.Place.Index), optional(u.Due), string(u.State)})
	}
	return v
}

func (s *Server) shownSigns(list []dossier.Sign, words map[book.Lang]dossier.TensionWords, say func(dossier.TensionWords, dossier.Sign) string) []TensionSign {
	all := make([]TensionSign, 0, len(list))
	for _, x := range list {
		v := TensionSign{
			Indicator: string(x.Indicator), Of: x.Of, ID: x.Message.String(), Citation: s.Station.Cite(x.Place.Origin, x.Place.Index), Since: x.Since.UTC(),
		}
		for lang, w := range words {
			if v.Text == nil {
				v.Text = make(map[string]string)
			}
			v.Text[string(lang)] = say(w, x)
		}
		all = append(all, v)
	}
	return all
}

// LadderStep is a step of escalation that a message took.
type LadderStep struct {
	Step     string    `json:"step" doc:"L0 to L7"`
	By       string    `json:"by" doc:"the message"`
	Citation string    `json:"citation,omitempty" doc:"absent where the message is in another matter"`
	Format   string    `json:"format"`
	From     string    `json:"from"`
	At       time.Time `json:"at" doc:"of its receipt"`
	Below    string    `json:"below,omitempty" doc:"the message of the step below that it refers to"`
	Cites    []string  `json:"cites,omitempty" doc:"what it cites as gone before, on any line"`
	Urgent   bool      `json:"urgent" doc:"it gives the reason urgent"`
	Flags    []string  `json:"flags,omitempty" doc:"step-skipped: neither the step below nor urgency is named"`
}

// shownLadder shows the steps of a matter.
func shownLadder(m station.MatterView) []LadderStep {
	var all []LadderStep
	for _, x := range m.Ladder.Steps {
		v := LadderStep{
			Step: string(x.Rung), By: x.By.String(), Citation: m.Citations[x.By], Format: string(x.Format), From: string(x.From), At: x.At.UTC(),
			Cites: x.Cites, Urgent: x.Urgent,
		}
		if x.Below != [16]byte{} {
			v.Below = x.Below.String()
		}
		if x.Skipped() {
			v.Flags = []string{string(dossier.FlagStepSkipped)}
		}
		all = append(all, v)
	}
	return all
}
