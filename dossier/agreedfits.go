package dossier

import (
	"fmt"
	"slices"
	"strings"

	"detente/message"
)

// agreedFits are the formats of instruments and of what they bring about that
// have to fit what they refer to: an answer to a note over another text, a
// signature of a text that nobody drafted, the change of an election that the
// other side declared.
var agreedFits = map[message.Format]fit{
	"120": {about: []message.Format{"120"}, other: true, each: true, check: sameWords("exercise"), when: saysOne("step", "accept", "decline", "other-dates")},
	"121": {about: []message.Format{"120", "121"}, each: true, check: sameWords("exercise")},
	"122": {about: []message.Format{"122"}, other: true, each: true, check: sameWords("exercise", "text"), when: says("position", "agree")},
	"301": {about: []message.Format{"300"}, other: true, check: sameGuarantee},
	"302": {about: []message.Format{"300", "301"}, each: true, check: sameWords("note", "text")},
	"311": {about: []message.Format{"310", "311"}, own: true, each: true, check: sameWords("election")},
	"401": {about: []message.Format{"400", "410", "420"}, other: true},
	"421": {about: []message.Format{"421"}, other: true, each: true, check: sameWords("text"), when: says("position", "agree")},
	"451": {about: []message.Format{"450"}, other: true, check: sameMeasure},
	"452": {about: []message.Format{"450"}, each: true, check: stepThere, when: says("state", "done")},
	"501": {about: []message.Format{"500", "501"}, each: true, check: sameWords("instrument", "text")},
	"511": {about: []message.Format{"510"}, own: true, each: true, check: suspendedThere},
	"521": {about: []message.Format{"520"}, other: true, check: sameAmendment},
	"522": {about: []message.Format{"501", "520", "521", "522"}, each: true, check: sameWords("text")},
	"531": {about: []message.Format{"530"}, own: true, each: true, check: sameWords("agreement"), when: says("effect", "withdrawn")},
	"540": {about: []message.Format{"540"}, other: true, each: true, check: sameWords("station", "card", "capacity"), when: saysOne("step", "consent", "decline")},
	"550": {about: []message.Format{"550"}, own: true, each: true, check: sameWords("declaration"), when: saysOne("step", "restate", "withdraw")},
}

// saysOne reports of a message's facts whether a code has one of some values.
func saysOne(param string, codes ...string) func(Facts) bool {
	return func(f Facts) bool { return slices.Contains(codes, f.Words[param]) }
}

// sameWords checks that parameters are what they are in the message referred to.
func sameWords(params ...string) func(b, about message.Body) error {
	return func(b, about message.Body) error {
		for _, p := range params {
			if err := sameWord(p)(b, about); err != nil {
				return err
			}
		}
		return nil
	}
}

// sameGuarantee checks a reply to a guarantee note: it names the note and its
// text; in the same words it takes up every undertaking of it, with a
// reservation none that was not offered.
func sameGuarantee(b, about message.Body) error {
	if err := sameWords("note", "text")(b, about); err != nil {
		return err
	}
	reply, offer := FactsOf(b), FactsOf(about)
	for _, list := range []string{"undertakings", "further"} {
		for _, u := range reply.Lists[list] {
			if !slices.Contains(offer.Lists[list], u) {
				return &FitError{b.Format, list, u + " was not offered", fmt.Sprintf("name of %v, or propose other words", offer.Lists[list])}
			}
		}
		for _, u := range offer.Lists[list] {
			if reply.Words["decision"] == "same-words" && !slices.Contains(reply.Lists[list], u) {
				return &FitError{b.Format, list, "it is in the same words, and lacks " + u, "name it, or reply with a reservation"}
			}
		}
	}
	return nil
}

// sameMeasure checks an answer to a measure: its number and version, and where it
// accepts also its text.
func sameMeasure(b, about message.Body) error {
	if err := sameWord("measure")(b, about); err != nil {
		return err
	}
	answer, proposal := FactsOf(b), FactsOf(about)
	if is, was := answer.Counts["version"], proposal.Counts["version"]; is != was {
		return &FitError{b.Format, "version", fmt.Sprintf("it is %d, and %d in the message that it answers", is, was), "answer the version that it names"}
	}
	if answer.Words["decision"] == "accept" {
		return sameWord("text")(b, about)
	}
	return nil
}

// stepThere checks that a step that is said to be done is one of the measure.
func stepThere(b, about message.Body) error {
	if err := sameWord("measure")(b, about); err != nil {
		return err
	}
	step := FactsOf(b).Words["step"]
	var names []string
	for _, s := range stepsOf(FactsOf(about)) {
		names = append(names, s.name)
	}
	if !slices.Contains(names, step) {
		return &FitError{b.Format, "step", fmt.Sprintf("the measure has no step %q", step), "name one of " + strings.Join(names, ", ")}
	}
	return nil
}

// suspendedThere checks that articles that are resumed were suspended.
func suspendedThere(b, about message.Body) error {
	if err := sameWord("agreement")(b, about); err != nil {
		return err
	}
	suspended := FactsOf(about).Lists["articles"]
	for i, a := range FactsOf(b).Lists["articles"] {
		if !slices.Contains(suspended, a) {
			return &FitError{b.Format, fmt.Sprintf("articles [%d]", i+1), a + " was not suspended by it", fmt.Sprintf("name of %v", suspended)}
		}
	}
	return nil
}

// sameAmendment checks an answer to an amendment: its number, and unless it
// proposes another text also its text.
func sameAmendment(b, about message.Body) error {
	if err := sameWord("amendment")(b, about); err != nil {
		return err
	}
	if FactsOf(b).Words["decision"] == "counter" {
		return nil
	}
	return sameWord("text")(b, about)
}
