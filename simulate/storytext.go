package simulate

import (
	"detente/book"
	"detente/identity"
	"detente/treaty"
)

// storyLanguages are those of the agreement, both equally authentic.
var storyLanguages = []book.Lang{"en", "fr"}

const (
	storyAgreement = "arden-boreal-incidents"
	storyAmendment = "arden-boreal-am-1"
)

// changed is a paragraph of the model as the two sides write it.
type changed struct {
	article   string
	paragraph int
	en, fr    string
}

// agreed are the paragraphs that Arden and Boreal write otherwise than the model,
// and periods are their duties: their line is tested daily.
var (
	agreed = []changed{
		{"A3", 1, "The line shall be tested each day by each of the parties, and a person shall read each test back in that person's own language.", "La ligne est essayée chaque jour par chacune des parties, et une personne relit chaque essai dans sa langue."},
		{"A25", 0, "Each party shall keep the logs of the line for at least ten years and shall tell the other each week the state that it computes from them.", "Chaque partie garde les journaux de la ligne au moins dix ans et dit chaque semaine à l'autre l'état qu'elle en calcule."},
	}
	amended = []changed{
		{"A9", 0, "A party that plans an activity that could endanger systems of the other party, or be taken for an attack, shall give notice at least five days ahead, as a rule ten. What is decided later shall be told as soon as it is decided; it counts as short notice and stands.", "Qui projette une activité pouvant mettre en danger des systèmes de l'autre partie, ou passer pour une attaque, en donne préavis au moins cinq jours avant, en règle dix. Ce qui est décidé plus tard est dit aussitôt ; le préavis est noté court et vaut."},
	}
)

const storyDay = 24 * 60 * 60 // seconds

// agreementText returns the agreement of the two sides, or the text that it has
// once it is amended.
func agreementText(amend bool) (*treaty.Agreement, error) {
	a, err := treaty.Model()
	if err != nil {
		return nil, err
	}
	a.ID, a.Status, a.Entry, a.Languages = storyAgreement, "agreed", treaty.EntryOnCompletion, storyLanguages
	a.Title = book.Text{"en": "Agreement on incidents in the information space", "fr": "Accord sur les incidents dans l'espace de l'information"}
	words := agreed
	if amend {
		words = append(append([]changed{}, agreed...), amended...)
	}
	for i := range a.Articles {
		art := &a.Articles[i]
		art.Title = book.Text{"en": art.Title["en"], "fr": art.Title["fr"]}
		art.Text = map[book.Lang][]string{"en": art.Text["en"], "fr": art.Text["fr"]}
		for _, c := range words {
			if c.article == art.ID {
				art.Text["en"][c.paragraph], art.Text["fr"][c.paragraph] = c.en, c.fr
			}
		}
		for j := range art.Duties {
			duty(&art.Duties[j], amend)
		}
	}
	return a, nil
}

// duty sets the times on which the two sides agree otherwise than the model.
func duty(d *treaty.Duty, amend bool) {
	switch {
	case d.ID == "A3.1" || d.ID == "A3.2":
		d.On.Every = treaty.Period{Seconds: storyDay}
	case d.ID == "A25.1":
		d.On.Every = treaty.Period{Seconds: 7 * storyDay}
	case d.ID == "A9.1" && amend:
		d.Lead.Least, d.Lead.Usual = treaty.Period{Seconds: 5 * storyDay}, treaty.Period{Seconds: 10 * storyDay}
	}
}

// draftText is the draft of a number: the words of the paragraphs in dispute, with
// what each side wants in brackets until they agree.
func draftText(number int, by identity.Party, base string) *treaty.Draft {
	text := func(c changed) book.Text { return book.Text{"en": c.en, "fr": c.fr} }
	watch, logs := agreed[0], agreed[1]
	hourly := book.Text{"en": "The line is tested each hour, by the parties in turn.", "fr": "La ligne est essayée chaque heure, à tour de rôle."}
	daily := book.Text{"en": "Each party tells the other each day the state that it computes from the logs.", "fr": "Chaque partie dit chaque jour à l'autre l'état qu'elle calcule des journaux."}
	d := &treaty.Draft{Instrument: storyAgreement, Number: number, By: by, Base: base, Languages: storyLanguages}
	switch number {
	case 1:
		d.Paragraphs = []treaty.DraftParagraph{{ID: "A3.2", Text: hourly}, {ID: "A25.1", Text: daily}}
	case 2:
		d.Paragraphs = []treaty.DraftParagraph{{ID: "A3.2", Text: hourly, Variants: []treaty.Variant{{By: by, Text: text(watch)}}}, {ID: "A25.1", Text: daily}}
	case 3:
		d.Paragraphs = []treaty.DraftParagraph{{ID: "A3.2", Text: text(watch)}, {ID: "A25.1", Text: daily, Variants: []treaty.Variant{{By: by, Text: text(logs)}}}}
	default:
		d.Paragraphs = []treaty.DraftParagraph{{ID: "A3.2", Text: text(watch)}, {ID: "A25.1", Text: text(logs)}}
	}
	return d
}
