package treaty

import (
	"slices"
	"time"

	"detente/message"
)

// This file alone knows what the formats of an agreement's life are called and
// how their parameters are. All else asks it.

// extent of a resumption that names its articles.
const extentPart = "part"

// mute are formats that refer to a message and say nothing in reply to it: that
// it was seen, received, refused or disputed.
var mute = []message.Format{"002", "003", "004", "005", "017", "022"}

// takesBack reports whether a message takes back what it refers to: a recall, a
// provisional message withdrawn, a notice cancelled. A correction does not: the
// original's clocks go on.
func takesBack(e *Event) bool {
	switch e.Format {
	case "019":
		return e.word("kind") == "recall"
	case "018":
		return e.word("decision") == "withdraw"
	case "111":
		return e.word("change") == "cancel"
	}
	return false
}

// extension returns until when an interim answer asks for time.
func extension(e *Event) (until time.Time, ok bool) {
	if e.Format != "202" {
		return time.Time{}, false
	}
	until, ok = e.Facts["due"].(time.Time)
	return until, ok
}

// consents reports whether a message says that it understood what it refers to.
func consents(e *Event) bool { return e.Format == "012" && e.word("state") == "UND" }

// suspending is what a message of format 510 or 511 says.
type suspending struct {
	articles    []string // none: all that are suspended
	from, until time.Time
	resumes     bool
}

func suspension(e *Event, agreement string) (s suspending, ok bool) {
	if e.Format != "510" && e.Format != "511" || e.word("agreement") != agreement {
		return s, false
	}
	s.resumes = e.Format == "511"
	if s.articles = e.words("articles"); s.resumes && e.word("extent") != extentPart {
		s.articles = nil
	}
	s.from, _, ok = e.span("from")
	if _, until, given := e.span("until"); given {
		s.until = until
	}
	return s, ok && (s.resumes || len(s.articles) > 0)
}

// ending is what a message of format 530 or 531 says.
type ending struct {
	named                 time.Time // zero: none
	withdrawn, notRenewed bool
}

func denunciation(e *Event, agreement string) (d ending, ok bool) {
	if e.word("agreement") != agreement {
		return d, false
	}
	if _, ends, given := e.span("ends"); given {
		d.named = ends
	}
	switch e.Format {
	case "530":
		return d, true
	case "531":
		d.withdrawn, d.notRenewed = e.word("effect") == "withdrawn", e.word("effect") == "not-renewed"
		return d, d.withdrawn || d.notRenewed
	}
	return d, false
}

// voting is what a message of format 310 or 311 says of an election.
type voting struct {
	election  string
	open      span
	core      span
	ends      bool // the vote is certified or called off: its window ends with the receipt
	cancelled bool
	changes   bool
}

// span is a time from one second to another, both in it. The zero span is none.
type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool {
	return !s.from.IsZero() && !t.Before(s.from) && !t.After(s.to)
}

func election(e *Event) (v voting, ok bool) {
	if e.Format != "310" && e.Format != "311" {
		return v, false
	}
	v.election, v.changes = e.word("election"), e.Format == "311"
	if from, to, given := e.span("window"); given {
		v.open = span{from, to}
	}
	if from, to, given := e.span("core"); given {
		v.core = span{from, to}
	}
	change := e.word("change")
	v.cancelled = v.changes && change == "cancel"
	v.ends = v.changes && (change == "certified" || change == "cancel")
	return v, v.election != "" && (v.changes || v.open != span{})
}

// silent reports whether a format replies to nothing.
func silent(f message.Format) bool { return slices.Contains(mute, f) }
