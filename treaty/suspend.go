package treaty

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Suspension is a time in which an article binds neither side.
type Suspension struct {
	Article string
	By      identity.Party
	Message message.ID
	From    time.Time // the date that the notice names, no earlier than its receipt
	Until   time.Time // that second is bound again; zero: until it is resumed
}

// running reports whether the article is suspended at a second.
func (s Suspension) running(at time.Time) bool {
	return !at.Before(s.From) && (s.Until.IsZero() || at.Before(s.Until))
}

// suspend notes what a message says of suspensions. Of an article that cannot be
// suspended, or that the agreement has not, it changes nothing.
func (f *folded) suspend(e *Event) {
	s, ok := suspension(e, f.setup.Agreement)
	if !ok {
		return
	}
	from := s.from
	if from.Before(e.Received) {
		from = e.Received // nothing is suspended before the other side could know
	}
	if s.resumes {
		f.resume(e, s.articles, from)
		return
	}
	text := f.versionAt(e.Received).Text
	for _, id := range s.articles {
		art, known := text.Article(id)
		switch {
		case !known:
			f.refuse(e, id, "the agreement has no such article")
		case !art.Suspendable:
			f.refuse(e, id, "the article cannot be suspended")
		default:
			f.suspended = append(f.suspended, Suspension{id, e.By, e.ID, from, s.until})
		}
	}
}

// resume ends suspensions that its side declared; those of the other go on.
func (f *folded) resume(e *Event, articles []string, from time.Time) {
	any := false
	for i := range f.suspended {
		s := &f.suspended[i]
		if s.By == e.By && (s.Until.IsZero() || s.Until.After(from)) && (len(articles) == 0 || slices.Contains(articles, s.Article)) {
			s.Until, any = from, true
			if s.Until.Before(s.From) {
				s.Until = s.From
			}
		}
	}
	if !any {
		f.refuse(e, "", "there is nothing of this side that it could resume")
	}
}

// suspendedAt reports whether an article is suspended at a second.
func (f *folded) suspendedAt(article string, at time.Time) bool {
	return slices.ContainsFunc(f.suspended, func(s Suspension) bool { return s.Article == article && s.running(at) })
}

// stood returns a deadline moved by the time that its article was suspended since
// its clock began, as far as suspensions have begun at a second; without end where
// one still runs that began before the deadline.
func (f *folded) stood(article string, start, due, at time.Time) (moved time.Time, endless bool) {
	var list []span
	for _, s := range f.suspended {
		if s.Article == article && !s.From.After(at) {
			list = append(list, span{s.From, s.Until})
		}
	}
	slices.SortFunc(list, func(a, b span) int { return a.from.Compare(b.from) })
	covered := start // up to where suspended time is counted
	for _, s := range list {
		from := s.from
		if from.Before(covered) {
			from = covered
		}
		if from.After(due) {
			break
		}
		if s.to.IsZero() {
			return time.Time{}, true
		}
		if s.to.After(from) {
			due = due.Add(s.to.Sub(from))
			covered = s.to
		}
	}
	return due, false
}

// touched reports whether an article was suspended for a second of a span.
func (f *folded) touched(article string, s span) bool {
	return slices.ContainsFunc(f.suspended, func(x Suspension) bool {
		return x.Article == article && x.From.Before(s.to) && (x.Until.IsZero() || x.Until.After(s.from))
	})
}
