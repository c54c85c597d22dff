package dossier

import (
	"cmp"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Rung is a step of the ladder of escalation, a code.
type Rung string

// The rungs, from the bottom.
const (
	RungTechnical    Rung = "L0" // technical matter
	RungInquiry      Rung = "L1" // formal inquiry
	RungStop         Rung = "L2" // request to stop, or for assistance
	RungClaim        Rung = "L3"
	RungConsultation Rung = "L4" // extraordinary consultation
	RungHighLevel    Rung = "L5" // high-level line
	RungSuspension   Rung = "L6" // notice of suspension
	RungDenunciation Rung = "L7"
)

// FlagStepSkipped says that a step up names neither a message of the step below
// nor the reason "urgent". It stands with the step, not on the timeline: it hangs
// on messages of other dossiers.
const FlagStepSkipped Flag = "step-skipped"

// rung is what a format does on the ladder.
type rung struct {
	step   int
	reason string // the code parameter that may give the reason "urgent"; empty: the format has none, and FLASH says it
	cites  string // the parameter that cites messages of any line; empty: none
}

// rungs are the formats that take a step. A matter begins at L0 or L1: to ask
// accuses nobody, and needs nothing below.
var rungs = map[message.Format]rung{
	"220": {step: 0}, "240": {step: 0}, "260": {step: 0},
	"210": {step: 1},
	"230": {step: 2}, "250": {step: 2},
	"270": {step: 3, reason: "urgency"},
	"400": {step: 4, reason: "why", cites: "matters"},
	"410": {step: 5, reason: "why", cites: "matters"},
	"510": {step: 6},
	"530": {step: 7},
}

// firstUp is the lowest step that is one up.
const firstUp = 2

// urgent is the code of the reason for which a step may be left out.
const urgent = "urgent"

func (r rung) code() Rung { return Rung("L" + string(rune('0'+r.step))) }

// Step is a step of the ladder that a message took.
type Step struct {
	Rung   Rung
	By     message.ID
	From   identity.Station
	Format message.Format
	At     time.Time  // of its receipt
	Below  message.ID // the message of the step below that it refers to; zero: none
	Cites  []string   // what it cites as gone before: it may stand on another line, so no fold follows it
	Urgent bool       // it gives the reason "urgent"
	Up     bool       // it is a step up: neither the first of a matter nor on the step of one that it refers to
}

// Skipped reports whether the step is flagged step-skipped.
func (s Step) Skipped() bool {
	return s.Up && !s.Urgent && s.Below == (message.ID{}) && len(s.Cites) == 0
}

// Ladder is where a matter stands on the ladder of escalation: by its own
// messages, and by those of other matters that take it further up. What its
// author took back or its reader refused takes no step. Nothing follows from a
// step by itself.
type Ladder struct {
	Rung  Rung   // the highest; empty: none
	Steps []Step // by receipt, then id
}

// maxLadder bounds the messages that are looked at for the steps of one matter
// beyond its own: more than an honest one has, and little work. The earliest
// received of each reach count.
const maxLadder = 256

// ladder finds the steps of a dossier.
func (f *fold) ladder() (ld Ladder) {
	l, at := f.l, f.at
	seen := make(map[message.ID]bool)
	var reach []Item
	for _, c := range f.calls {
		seen[c.it.ID] = true
		if r, ok := rungs[c.it.Format]; ok && !l.undone(c.it, at) {
			ld.Steps = append(ld.Steps, l.step(c.it, r, at))
		}
		reach = append(reach, c.it)
	}
	for looked := 0; len(reach) > 0 && looked < maxLadder; {
		var next []Item
		for _, it := range reach {
			for _, by := range l.referrers(it.ID, at) {
				up, ok := l.get(by, at)
				if !ok || seen[by] {
					continue
				}
				seen[by] = true
				next = append(next, up)
			}
		}
		slices.SortFunc(next, byReceipt)
		reach = nil
		for _, up := range next[:min(len(next), maxLadder-looked)] {
			r, ok := rungs[up.Format]
			switch {
			case ok && !l.undone(up, at):
				ld.Steps = append(ld.Steps, l.step(up, r, at))
				reach = append(reach, up)
			case !ok && l.replies(up, at):
				reach = append(reach, up)
			}
		}
		looked += len(next)
	}
	slices.SortFunc(ld.Steps, func(a, b Step) int {
		return cmp.Or(a.At.Compare(b.At), compareIDs(a.By, b.By))
	})
	for _, s := range ld.Steps {
		ld.Rung = max(ld.Rung, s.Rung)
	}
	return ld
}

func byReceipt(a, b Item) int {
	return cmp.Or(a.Received.Compare(b.Received), compareIDs(a.ID, b.ID))
}

// replies reports whether a message goes on with the matter of one that took a
// step: it is of its kind, so what refers to it refers to that matter.
func (l *Line) replies(it Item, at time.Time) bool {
	return slices.ContainsFunc(l.refs(it), func(ref message.ID) bool {
		up, ok := l.get(ref, at)
		_, steps := rungs[up.Format]
		return ok && steps && l.kind(up) == l.kind(it)
	})
}

// undone reports whether a message takes no step: its reader refused it, or its
// author took it back.
func (l *Line) undone(it Item, at time.Time) bool {
	if _, refused := l.refusal(it.Place()); refused {
		return true
	}
	return slices.ContainsFunc(l.referrers(it.ID, at), func(id message.ID) bool {
		by, ok := l.get(id, at)
		if !ok || by.Origin.Writer != it.Origin.Writer {
			return false
		}
		move := l.form(by).Move
		return move == "amend" && by.Facts.Words["kind"] == "recall" || move == "settle-provisional" && it.Provisional && by.Decision == "withdraw"
	})
}

// step says how a message takes its step.
func (l *Line) step(it Item, r rung, at time.Time) Step {
	s := Step{
		Rung: r.code(), By: it.ID, From: it.Origin.Writer, Format: it.Format, At: it.Received,
		Urgent: it.Facts.Words[r.reason] == urgent && r.reason != "" || r.reason == "" && it.Precedence == message.Flash,
		Up:     r.step >= firstUp, Cites: it.Facts.Lists[r.cites],
	}
	for _, ref := range l.refs(it) {
		on, stands, ok := l.standsOn(ref, at)
		switch {
		case !ok || stands > r.step:
			// a step down, or what stands nowhere
		case stands == r.step:
			s.Up = false
		case stands == r.step-1 && s.Below == (message.ID{}):
			s.Below = on
		}
	}
	return s
}

// standsOn returns the step on which a message stands, by itself or by one of
// its matter that it refers to, and the message that took the step.
func (l *Line) standsOn(id message.ID, at time.Time) (on message.ID, step int, ok bool) {
	it, known := l.get(id, at)
	if !known {
		return on, 0, false
	}
	if r, stands := rungs[it.Format]; stands && !l.undone(it, at) {
		return id, r.step, true
	}
	for _, ref := range l.refs(it) {
		up, known := l.get(ref, at)
		if r, stands := rungs[up.Format]; known && stands && l.kind(up) == l.kind(it) && !l.undone(up, at) {
			return ref, r.step, true
		}
	}
	return on, 0, false
}

type ladderJSON struct {
	Rung  Rung       `json:"rung"`
	Steps []stepJSON `json:"steps"`
}

type stepJSON struct {
	At      string           `json:"at"`
	Below   string           `json:"below,omitempty"`
	By      string           `json:"by"`
	Cites   []string         `json:"cites,omitempty"`
	Format  message.Format   `json:"format"`
	From    identity.Station `json:"from"`
	Rung    Rung             `json:"rung"`
	Skipped bool             `json:"skipped,omitzero"`
	Up      bool             `json:"up,omitzero"`
	Urgent  bool             `json:"urgent,omitzero"`
}

func (ld Ladder) json() *ladderJSON {
	if ld.Rung == "" {
		return nil
	}
	out := &ladderJSON{Rung: ld.Rung}
	for _, s := range ld.Steps {
		out.Steps = append(out.Steps, stepJSON{stamp(s.At), idText(s.Below), s.By.String(), s.Cites, s.Format, s.From, s.Rung, s.Skipped(), s.Up, s.Urgent})
	}
	return out
}

// ladder checks the steps of a dossier.
func (c *checker) ladder(d Dossier) {
	highest := Rung("")
	for _, s := range d.Ladder.Steps {
		highest = max(highest, s.Rung)
		if s.At.IsZero() || s.At.After(c.at) || s.By == s.Below {
			c.add(d, "step %s by %s is no step as of now", s.Rung, s.By)
		}
	}
	if highest != d.Ladder.Rung {
		c.add(d, "it stands on %q, and its highest step is %q", d.Ladder.Rung, highest)
	}
}
