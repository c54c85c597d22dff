package dossier

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// KindPublication is the kind of joint publications.
const KindPublication Kind = "publication"

// The stages of a joint publication. Silence is no consent: once the answer is
// overdue nothing may be published, unless consent is given after all.
const (
	PublicationProposed Stage = "publication-proposed"
	PublicationAgreed   Stage = "publication-agreed"
	PublicationPart     Stage = "publication-agreed-in-part"
	PublicationRefused  Stage = "publication-refused"
	PublicationSilence  Stage = "no-consent-by-silence" // by time alone
)

// publicationAll is where a proposal may come to from any stage.
var publicationAll = []Stage{PublicationProposed, PublicationAgreed, PublicationPart, PublicationRefused}

var publicationNext = map[Stage][]Stage{
	"":                  {PublicationProposed},
	PublicationProposed: slices.Concat(publicationAll, []Stage{PublicationSilence}),
	PublicationAgreed:   publicationAll,
	PublicationPart:     publicationAll,
	PublicationRefused:  publicationAll,
	PublicationSilence:  publicationAll,
}

var publicationTurns = map[Move]turn{
	"propose": {to: PublicationProposed},
	"answer": {to: PublicationAgreed, by: "decision", codes: map[string]Stage{"part": PublicationPart, "none": PublicationRefused},
		after: []Move{"propose"}, who: other},
}

// silence lets a proposal end without consent, where its answer was due before a
// second and did not come.
func (f *fold) silence(at time.Time) {
	if f.kind != KindPublication || f.course.stage != PublicationProposed {
		return
	}
	for _, c := range slices.Backward(f.proposals) {
		if c.recalled {
			continue
		}
		if by := c.lastDeadline(); f.l.past(by, at) && !c.answered.there() {
			f.course.stage, f.d.Since = PublicationSilence, by
		}
		return
	}
}

// Serial is a message whose publication was proposed, and what was answered to
// it last.
type Serial struct {
	Of     message.ID // the proposal
	Cite   string     // as it was cited
	Form   string     // that was proposed, a code
	Answer string     // a code; empty: none was given, which is no consent
	By     message.ID // that gives it
	From   identity.Station
}

// serials lists the messages whose publication was proposed, and flags answers
// for others.
func (f *fold) serials() []Serial {
	if f.kind != KindPublication {
		return nil
	}
	var list []Serial
	index := make(map[message.ID]map[string]int) // by proposal and citation
	for _, it := range f.made {
		if f.l.form(it).Move == "propose" {
			for _, cite := range it.Facts.Lists["serials"] {
				put2(index, it.ID, cite, len(list))
				list = append(list, Serial{Of: it.ID, Cite: cite, Form: it.Facts.Words["form"]})
			}
			continue
		}
		for _, r := range it.Facts.Records["answers"] {
			n := -1
			for _, ref := range f.l.refs(it) {
				if at, ok := index[ref][r["item"]]; ok && n < 0 {
					n = at
				}
			}
			if n < 0 {
				f.flag(it.ID, FlagNotProposed)
				continue
			}
			list[n].Answer, list[n].By, list[n].From = r["code"], it.ID, it.Origin.Writer
		}
	}
	return list
}

// looksAhead flags messages that refer to one that came after them, or to
// themselves: references in a circle always have one such.
func (f *fold) looksAhead() {
	for _, c := range f.calls {
		for _, ref := range f.l.refs(c.it) {
			if n, ok := f.entries[ref]; ok && n >= f.entries[c.it.ID] {
				f.flag(c.it.ID, FlagAhead)
			}
		}
	}
}
