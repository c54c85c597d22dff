package dossier

import (
	"cmp"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Indicator is something that is counted of how tense a line is, a code. They
// stand side by side: no number is made of them all.
type Indicator string

// The indicators, in the order in which they are told.
const (
	AnswersOverdue  Indicator = "overdue"       // by precedence
	FlashSent       Indicator = "flash"         // in seven days
	ImmediateSent   Indicator = "immediate"     // in seven days
	TestsMissed     Indicator = "tests-missed"  // in seven days
	ReceiptsHeld    Indicator = "held-back"     // who owes is alive and withholds
	ClaimsOpen      Indicator = "claims-open"   // by the level of their evidence
	SuspensionsOn   Indicator = "suspensions"   // in force
	WindowsOpen     Indicator = "windows-open"  // of notices, exercises and elections
	NoticesTooShort Indicator = "short-notices" // in seven days
	LadderSteps     Indicator = "ladder"        // of matters that are not at rest, by step
)

var indicators = []Indicator{
	AnswersOverdue, FlashSent, ImmediateSent, TestsMissed, ReceiptsHeld, ClaimsOpen, SuspensionsOn, WindowsOpen, NoticesTooShort, LadderSteps,
}

// tensionWeek is how far back what is counted by messages goes: a week has every
// shift of both watches in it once.
const tensionWeek = 7 * 24 * time.Hour

// tensionDay is the time whose changes are told: a watch and its handover look
// back as far.
const tensionDay = 24 * time.Hour

// Sign is an entry of the record for which an indicator counts.
type Sign struct {
	Indicator Indicator
	Of        string // the precedence, the level of evidence, the step; empty: the indicator is not told apart
	Place     Place
	Message   message.ID
	Since     time.Time // since when it counts
}

// key is what makes a sign the same at two seconds.
func (s Sign) key() Sign { s.Since = time.Time{}; return s }

// Reading is how an indicator stands. One without signs is told too: that there
// is nothing is an answer.
type Reading struct {
	Indicator Indicator
	Of        string
	Signs     []Sign // by their places
}

// Tension is how tense a line is as of a second, by the record alone: both sides
// say the same of the same record. It triggers nothing.
type Tension struct {
	At       time.Time
	Readings []Reading // by indicator, then by what it is told apart by
	Came     []Sign    // that count now and did not a day before
	Went     []Sign    // that counted a day before and do not now
	Unlisted []Waiting // whose receipts are past due: each side may know others, so they are in no digest
}

// Tension returns how tense the line is as of a second.
func (l *Line) Tension(at time.Time) Tension {
	w := l.At(at)
	at = w.At
	t := Tension{At: at, Unlisted: slices.DeleteFunc(slices.Clone(w.Unlisted), func(u Waiting) bool { return u.State == Open })}
	now, then := make(signs), l.signsBefore(w, at.Add(-tensionDay))
	for i := range w.Dossiers {
		now.add(l, &w.Dossiers[i], at)
	}
	t.Came, t.Went = now.without(then), then.without(now)
	all := now.list()
	for _, ind := range indicators {
		r := Reading{Indicator: ind}
		for _, s := range all {
			if s.Indicator != ind {
				continue
			}
			if len(r.Signs) > 0 && r.Of != s.Of {
				t.Readings, r = append(t.Readings, r), Reading{Indicator: ind}
			}
			r.Of = s.Of
			r.Signs = append(r.Signs, s)
		}
		t.Readings = append(t.Readings, r)
	}
	return t
}

// signs are signs by their keys: an entry that is in several dossiers counts
// once.
type signs map[Sign]time.Time

func (m signs) list() []Sign {
	list := make([]Sign, 0, len(m))
	for s, since := range m {
		s.Since = since
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Sign) int {
		return cmp.Or(cmp.Compare(slices.Index(indicators, a.Indicator), slices.Index(indicators, b.Indicator)), compareOf(a.Of, b.Of), byPlace(a.Place, b.Place))
	})
	return list
}

// compareOf orders what an indicator is told apart by: the most urgent
// precedence first, levels and steps upwards.
func compareOf(a, b string) int {
	p, err := message.ParsePrecedence(a)
	q, err2 := message.ParsePrecedence(b)
	if err == nil && err2 == nil && p != q {
		return cmp.Compare(q, p)
	}
	return cmp.Compare(a, b)
}

func (m signs) without(other signs) []Sign {
	left := make(signs)
	for s, since := range m {
		if _, ok := other[s]; !ok {
			left[s] = since
		}
	}
	return left.list()
}

// note notes a sign of a message of a dossier's timeline.
func (m signs) note(ind Indicator, of string, e Entry, since time.Time) {
	s := Sign{Indicator: ind, Of: of, Place: e.Place, Message: e.Message}
	if old, ok := m[s.key()]; !ok || since.Before(old) {
		m[s.key()] = since
	}
}

// add adds the signs of a dossier as of a second. Of the second it needs only
// that nothing of the dossier changed since but by what is compared here.
func (m signs) add(l *Line, d *Dossier, at time.Time) {
	entries := make(map[message.ID]Entry)
	for _, e := range d.Timeline {
		if !slices.Contains(e.Flags, FlagDouble) {
			entries[e.Message] = e
		}
	}
	for _, e := range d.Timeline {
		if _, counts := entries[e.Message]; counts && !slices.Contains(e.Flags, FlagDouble) {
			m.entry(l, e, at)
		}
	}
	for _, duty := range d.Duties {
		if e, ok := entries[duty.Of]; ok {
			m.duty(l, duty, e, at)
		}
	}
	m.matter(l, d, entries, at)
}

// entry adds what a message counts for by itself.
func (m signs) entry(l *Line, e Entry, at time.Time) {
	if e.Received.After(at) || !e.Received.After(at.Add(-tensionWeek)) {
		return
	}
	if prec := l.items[e.Place].Precedence; l.form(l.items[e.Place]).Clocks[prec].Seen > 0 { // what only confirms calls nobody
		switch prec {
		case message.Flash:
			m.note(FlashSent, "", e, e.Received)
		case message.Immediate:
			m.note(ImmediateSent, "", e, e.Received)
		}
	}
	if slices.Contains(e.Flags, FlagShortNotice) {
		m.note(NoticesTooShort, "", e, e.Received)
	}
}

// duty adds what is past and not done.
func (m signs) duty(l *Line, d Duty, e Entry, at time.Time) {
	if d.State == WithheldState {
		m.note(ReceiptsHeld, "", e, d.From)
	}
	past := d.Owed() && at.After(d.last())
	if !past || d.Act != ActAnswered && d.Act != ActFull && d.Act != ActInterim {
		return
	}
	if e.Move == "test" && l.form(l.items[e.Place]).Kind == KindService {
		if d.last().After(at.Add(-tensionWeek)) {
			m.note(TestsMissed, "", e, d.last())
		}
		return
	}
	m.note(AnswersOverdue, l.items[e.Place].Precedence.String(), e, d.last())
}

// matter adds what a dossier counts for as a whole.
func (m signs) matter(l *Line, d *Dossier, entries map[message.ID]Entry, at time.Time) {
	first, ok := entries[d.ID]
	if !ok {
		return
	}
	rest := slices.Contains(machines[d.Kind].rest, d.Stage)
	switch {
	case d.Kind == KindClaim && !rest && d.Stage != Unopened:
		level := l.items[first.Place].Facts.Words["evidence_level"]
		if level == "" {
			level = "0" // a claim without evidence is one of level 0
		}
		m.note(ClaimsOpen, level, first, first.Received)
	case d.Kind == KindSuspension && (d.Stage == Suspended || d.Stage == PartlyResumed || d.Stage == ResumptionAnnounced && d.ChangesTo == Resumed):
		m.note(SuspensionsOn, "", first, d.Since)
	}
	if w := d.Window; w != (Window{}) && d.Stage != Withdrawn && d.Stage != Cancelled && d.Stage != Lapsed && d.Stage != Completed && !at.Before(w.From) && !at.After(w.To) {
		m.note(WindowsOpen, "", first, later(w.From, first.Received))
	}
	if d.Closed {
		return
	}
	var top Step
	for _, s := range d.Ladder.Steps {
		if _, own := entries[s.By]; own && s.Rung > top.Rung {
			top = s
		}
	}
	if top.Rung > RungTechnical {
		m.note(LadderSteps, string(top.Rung), entries[top.By], top.At)
	}
}

// signsBefore returns the signs as of a second before that of w. Only matters in
// which something came or changed between the two are folded anew.
func (l *Line) signsBefore(w Whole, before time.Time) signs {
	all, done := make(signs), make(map[message.ID]bool)
	for i := range w.Dossiers {
		d := &w.Dossiers[i]
		if !d.changedSince(before) {
			all.add(l, d, before)
			continue
		}
		for _, e := range d.Timeline {
			if e.Received.After(before) || done[e.Message] {
				continue
			}
			it, ok := l.get(e.Message, before)
			if !ok {
				continue
			}
			for _, head := range l.heads(it, before) {
				h, _ := l.get(head, before)
				past := l.fold(h, before).view()
				for _, was := range past.Timeline {
					done[was.Message] = done[was.Message] || l.kind(l.items[was.Place]) != KindAny
				}
				all.add(l, &past, before)
			}
		}
	}
	return all
}

// changedSince reports whether a dossier may have been another one at an earlier
// second, beyond what comparing its times with that second shows.
func (d *Dossier) changedSince(before time.Time) bool {
	if d.Last.After(before) || d.Since.After(before) || d.LapsesAt.After(before) || d.Window.To.After(before) {
		return true
	}
	return slices.ContainsFunc(d.Duties, func(x Duty) bool {
		return x.From.After(before) || x.Met.After(before) || x.Stopped.After(before) || x.State == WithheldState || x.State == Unreadable
	})
}

type tensionJSON struct {
	At       string        `json:"at"`
	Came     []signJSON    `json:"came"`
	Readings []readingJSON `json:"readings"`
	Went     []signJSON    `json:"went"`
}

type readingJSON struct {
	Indicator Indicator  `json:"indicator"`
	Of        string     `json:"of,omitempty"`
	Signs     []signJSON `json:"signs"`
}

type signJSON struct {
	ID        string    `json:"id"`
	Index     int64     `json:"index"`
	Indicator Indicator `json:"indicator"`
	Log       string    `json:"log"`
	Of        string    `json:"of,omitempty"`
	Since     string    `json:"since"`
}

// JSON returns the tension in the canonical form of RFC 8785, without what is
// unlisted: both sides have the same bytes for the same record and second.
func (t Tension) JSON() []byte {
	list := func(all []Sign) []signJSON {
		out := make([]signJSON, 0, len(all))
		for _, s := range all {
			out = append(out, signJSON{s.Message.String(), s.Place.Index, s.Indicator, s.Place.Origin.String(), s.Of, stamp(s.Since)})
		}
		return out
	}
	out := tensionJSON{At: stamp(t.At), Came: list(t.Came), Went: list(t.Went), Readings: []readingJSON{}}
	for _, r := range t.Readings {
		out.Readings = append(out.Readings, readingJSON{r.Indicator, r.Of, list(r.Signs)})
	}
	return canonical(out)
}

// Digest returns the digest of JSON.
func (t Tension) Digest() identity.Digest { return identity.Sum(t.JSON()) }
