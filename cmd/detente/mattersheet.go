package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"detente/api"
	"detente/book"
	"detente/dossier"
	"detente/message"
)

// sheet prints matters for people, in the first language asked for.
type sheet struct {
	w     *grid
	out   io.Writer
	lang  book.Lang
	lists map[string]book.List
	p     phrases
	book  *book.Edition // nil: formats go by their numbers
}

// newSheet begins a sheet. Words that cannot be had are left as codes: what is
// owed is shown all the same.
func (a *app) newSheet() *sheet {
	s := &sheet{w: &grid{out: a.out}, out: a.out, lang: a.lang(), p: a.phrases()}
	if lists, err := dossier.Words(); err == nil {
		s.lists = lists
	}
	if e, err := book.Embedded(); err == nil {
		s.book = e
	}
	return s
}

// row writes cells; flush aligns what was written since the last one.
func (s *sheet) row(cells ...string) { s.w.row(cells...) }

func (s *sheet) flush() { _ = s.w.flush() } // who cannot be written to is told nothing

// Marks that keep what reads from left to right so in a line from right to left.
const (
	isolateLTR = "\u2066"
	isolateAny = "\u2068" // whichever way its first letter reads
	popIsolate = "\u2069"
)

// id writes what is the same in all languages: ids, citations, names of stations,
// numbers.
func (s *sheet) id(v string) string {
	if v == "" {
		return "-"
	}
	if s.lang != "ar" {
		return v
	}
	return isolateLTR + v + popIsolate
}

// when writes a second.
func (s *sheet) when(t time.Time) string { return s.id(t.UTC().Format(time.RFC3339)) }

// word is a code's label.
func (s *sheet) word(list, code string) string {
	for _, c := range s.lists[list].Codes {
		if c.Code == code {
			return c.Label[s.lang]
		}
	}
	return s.id(code)
}

// format is the name of a format.
func (s *sheet) format(number string) string {
	if s.book != nil {
		if f, ok := s.book.Format(message.Format(number)); ok {
			return f.Name[s.lang]
		}
	}
	return "-"
}

// state says how a duty stands, and by how much it is past.
func (s *sheet) state(d api.Duty) string {
	word := s.word("duty", d.State)
	if d.LateSeconds == 0 {
		return word
	}
	return word + " · " + book.Span(time.Duration(d.LateSeconds)*time.Second, s.lang)
}

// duty writes a duty in a row.
func (s *sheet) duty(d api.Duty, more ...string) {
	s.row(append([]string{s.when(d.Due), s.id(d.By), s.word("act", d.Act), s.state(d), s.id(d.Citation), s.id(strings.Join(d.Formats, ","))}, more...)...)
}

// matter writes one matter in full.
func (s *sheet) matter(m api.MatterDetail) {
	s.row(s.id(m.Citation), s.word("kind", m.Kind), s.word("stage", m.Stage), s.when(m.Since), s.id(m.ID))
	s.row(s.p.of("as-of"), s.when(m.At))
	if m.Window != nil {
		s.row(s.p.of("window"), s.when(m.Window.From), s.when(m.Window.To))
	}
	if m.LapsesAt != nil {
		s.row(s.p.of("lapses"), s.when(*m.LapsesAt))
	}
	if m.ChangesAt != nil {
		s.row(s.p.of("comes-by-itself"), s.when(*m.ChangesAt), s.word("stage", m.ChangesTo))
	}
	for _, u := range m.Terms {
		s.row(s.p.of("term-in-common"), s.coded("undertaking", u))
	}
	s.ladder(m)
	s.flush()
	s.part(s.p.of("timeline"))
	for _, e := range m.Timeline {
		s.entry(e)
	}
	s.flush()
	for _, u := range m.Unlisted {
		receipt := s.word("duty", u.State)
		if u.Receipt {
			receipt = s.word("act", "received")
		}
		s.row(s.p.of("not-listed"), s.when(u.At), s.id(u.Citation), receipt, s.id(u.ID))
	}
	s.flush()
	s.stated(m)
	s.readBacks(m)
	s.part(s.p.of("duties"))
	for _, d := range m.Duties {
		s.duty(d)
	}
	s.flush()
	s.part(s.p.of("next"))
	for _, n := range m.Moves {
		to := make([]string, 0, len(n.To))
		for _, stage := range n.To {
			to = append(to, s.word("stage", stage))
		}
		for _, f := range n.Formats {
			s.row(s.id(f), s.format(f), s.id(strings.Join(n.From, ",")), strings.Join(to, " | "))
		}
	}
	s.flush()
	if d := m.Silence; d != nil {
		s.part(s.p.of("silence", s.when(d.Due)))
		s.row(s.id(d.By), s.word("act", d.Act), s.word("duty", string(dossier.Missed)), s.id(d.Citation))
		s.flush()
	}
	for _, l := range m.Links {
		s.row(s.p.of("link"), s.id(l.Matter), s.id(l.By))
	}
	for _, id := range m.Conflicts {
		s.row(s.p.of("conflicts"), s.id(id))
	}
	s.flush()
}

// columns heads a list, where it has rows.
func (s *sheet) columns(rows int, keys ...string) {
	if rows == 0 {
		return
	}
	heads := make([]string, len(keys))
	for i, k := range keys {
		heads[i] = s.p.of(k)
	}
	s.row(heads...)
}

// part begins a part of a sheet.
func (s *sheet) part(name string) { fmt.Fprintf(s.out, "\n%s\n", name) }

// entry writes a message of a timeline, and how far it has come.
func (s *sheet) entry(e api.TimelineEntry) {
	flags := make([]string, 0, len(e.Flags))
	for _, f := range e.Flags {
		flags = append(flags, s.word("flag", f))
	}
	s.row(s.when(e.Received), s.id(e.Citation), s.id(e.Format), s.format(e.Format), s.id(e.By), s.word("stage", e.Stage), s.id(e.ID), strings.Join(flags, "; "))
	for _, stage := range []struct {
		act, how string
		at       *time.Time
	}{{"seen", "", e.Seen}, {"understood", e.Reply, e.Understood}, {"answered", "", e.Answered}} {
		if stage.at != nil {
			s.row("", "", "", s.word("act", stage.act), s.when(*stage.at), stage.how)
		}
	}
}
