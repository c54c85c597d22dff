package dossier

import (
	"fmt"
	"slices"
	"strconv"

	"detente/book"
	"detente/message"
)

// FitError says what in a message does not fit what it refers to.
type FitError struct {
	Format message.Format
	Param  string // with the number of the value and its field, where it has them
	Reason string
	Next   string
}

// Error returns format, parameter, reason and next step in one line.
func (e *FitError) Error() string {
	return fmt.Sprintf("format %s, %s: %s; %s", e.Format, e.Param, e.Reason, e.Next)
}

// fit is what a format has to fit.
type fit struct {
	about []message.Format // to one message of which it has to refer, the first of these that it refers to
	other bool             // that the counterpart wrote
	own   bool             // that its own author wrote
	each  bool             // to several of which it may refer, and fits if it fits one of them
	check func(b, about message.Body) error
	when  func(Facts) bool // nil: always
}

var fits = map[message.Format]fit{
	"012": {about: []message.Format{book.AnyFormat}, other: true, each: true, check: fieldsThere, when: readsBack},
	"035": {about: []message.Format{"034"}, other: true, check: sameEdition},
	"036": {about: []message.Format{"036", "037"}, other: true, check: sameWord("term_id"), when: says("step", "accepted")},
	"246": {about: []message.Format{"245"}, other: true},
	"251": {about: []message.Format{"250"}, other: true},
	"260": {about: []message.Format{"260"}, other: true, check: sameWord("case_id"), when: says("step", "answer")},
	"271": {about: []message.Format{"270"}, check: factsThere("facts")},
	"272": {about: []message.Format{"270"}, check: factsThere("questions")},
	"273": {about: []message.Format{"270"}, check: factsThere("facts")},
	"276": {about: []message.Format{"275"}, other: true, check: namedThere},
	"391": {about: []message.Format{"390"}, other: true, check: proposedThere},
	"601": {about: []message.Format{"600"}, each: true, check: ofOriginal},
}

// Refers reports whether Fits looks at what a message of a format refers to.
func Refers(n message.Format) bool { _, ok := fitOf(n); return ok }

// About returns the formats to a message of which one of a format has to refer,
// where Fits looks at it; nil for formats that Refers does not know.
func About(n message.Format) []message.Format {
	f, _ := fitOf(n)
	return slices.Clone(f.about)
}

func fitOf(n message.Format) (fit, bool) {
	if f, ok := fits[n]; ok {
		return f, true
	}
	f, ok := agreedFits[n]
	return f, ok
}

// Fitted reports whether Fits looks at what this message refers to: by its format
// and by what it says.
func Fitted(b message.Body) bool {
	f, ok := fitOf(b.Format)
	return ok && (f.when == nil || f.when(FactsOf(b)))
}

// Fits returns a *FitError where a message does not fit what it refers to: a
// reply to a claim that it does not name or to a fact that was not claimed, an
// answer for a state that a report does not name, consent to what was not
// proposed. It is asked before a message is released; what a peer sent is stored
// and flagged instead. about are the bodies of the messages that it refers to,
// in any order. Nil for formats that Refers does not know.
func Fits(b message.Body, about []message.Body) error {
	f, ok := fitOf(b.Format)
	if !ok || f.when != nil && !f.when(FactsOf(b)) {
		return nil
	}
	no := func(reason, next string) error { return &FitError{b.Format, "refs", reason, next} }
	of := slices.DeleteFunc(slices.Clone(about), func(a message.Body) bool {
		return !slices.Contains(f.about, a.Format) && !slices.Contains(f.about, book.AnyFormat) || f.other && a.From == b.From || f.own && a.From != b.From
	})
	switch {
	case len(of) == 0 && f.other:
		return no(fmt.Sprintf("it refers to no message of format %s of the other side", anyOf(f.about)), "name the message that it answers")
	case len(of) == 0 && f.own:
		return no(fmt.Sprintf("it refers to no message of format %s of our own", anyOf(f.about)), "name the message that it speaks of")
	case len(of) == 0 && f.each:
		return no(fmt.Sprintf("it refers to no message of format %s", anyOf(f.about)), "name the message that it speaks of")
	case len(of) == 0:
		return no(fmt.Sprintf("it refers to no message of format %s", anyOf(f.about)), "name the claim that it speaks of")
	case len(of) > 1 && f.check != nil && !f.each:
		return no(fmt.Sprintf("it refers to %d messages of format %s, and speaks of one", len(of), anyOf(f.about)), "send one message for each")
	}
	if b.Format == "271" && of[0].From == b.From && !slices.ContainsFunc(about, func(a message.Body) bool { return a.Format == "272" && a.From != b.From }) {
		return no("the claim is our own, and it refers to no question of the other side", "name the question (272) that it answers")
	}
	if f.check == nil {
		return nil
	}
	err := f.check(b, of[0])
	for _, a := range of[1:] {
		if err != nil {
			err = f.check(b, a)
		}
	}
	return err
}

func anyOf(list []message.Format) string {
	s := string(list[0])
	for _, n := range list[1:] {
		s += " or " + string(n)
	}
	return s
}

// says reports of a message's facts whether a code has a value.
func says(param, code string) func(Facts) bool {
	return func(f Facts) bool { return f.Words[param] == code }
}

// readsBack reports whether a message of understanding reads back anything.
func readsBack(f Facts) bool { return len(f.Records[readBackParam]) > 0 }

// sameWord checks that a parameter is what it is in the message referred to.
func sameWord(param string) func(b, about message.Body) error {
	return func(b, about message.Body) error {
		if is, was := FactsOf(b).Words[param], FactsOf(about).Words[param]; is != was {
			return &FitError{b.Format, param, fmt.Sprintf("it is %q, and %q in the message that it answers", is, was), "give the same, or name the right message"}
		}
		return nil
	}
}

func sameEdition(b, about message.Body) error { return sameWord("edition")(b, about) }

// factsThere checks that the facts that records speak of were stated.
func factsThere(param string) func(b, about message.Body) error {
	return func(b, about message.Body) error {
		stated := len(FactsOf(about).Records["facts"])
		for i, r := range FactsOf(b).Records[param] {
			if n, err := strconv.Atoi(r["fact"]); err == nil && n > stated {
				return &FitError{b.Format, fmt.Sprintf("%s [%d].fact", param, i+1), fmt.Sprintf("fact %d was not stated: there are %d", n, stated), "give the number that the fact has there"}
			}
		}
		return nil
	}
}

// namedThere checks an answer to a report: the state is named, the facts are
// there.
func namedThere(b, about message.Body) error {
	state, named := FactsOf(b).Words["state"], FactsOf(about).Lists["states"]
	if !slices.Contains(named, state) {
		return &FitError{b.Format, "state", fmt.Sprintf("the report does not name %s", state), fmt.Sprintf("answer for one of %v", named)}
	}
	return factsThere("facts")(b, about)
}

// proposedThere checks an answer to a proposal of publication: it speaks of what
// was proposed, and its decision is what it says of each message.
func proposedThere(b, about message.Body) error {
	f, proposed := FactsOf(b), FactsOf(about).Lists["serials"]
	consents := 0
	for i, r := range f.Records["answers"] {
		if !slices.Contains(proposed, r["item"]) {
			return &FitError{b.Format, fmt.Sprintf("answers [%d]", i+1), r["item"] + " was not proposed", fmt.Sprintf("answer for %v", proposed)}
		}
		if r["code"] == "consent" {
			consents++
		}
		if decision := f.Words["decision"]; decision == "none" && r["code"] != "refuse" {
			return &FitError{b.Format, "decision", "it is none, and " + r["item"] + " is consented to", "give part, or refuse all"}
		}
	}
	if f.Words["decision"] == "all" && consents != len(proposed) {
		return &FitError{b.Format, "decision", fmt.Sprintf("it is all, and %d of %d messages are consented to as proposed", consents, len(proposed)), "give part, or consent to all"}
	}
	return nil
}
