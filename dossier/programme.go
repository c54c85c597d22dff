package dossier

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// MeasureState is how a measure counts in the yearly review, a code.
type MeasureState string

// The states of measures in a programme.
const (
	MeasureOffered   MeasureState = "proposed"   // proposed and not agreed, or each named another text
	MeasureUnderWay  MeasureState = "running"    // agreed, and not signed off by both
	MeasureSignedOff MeasureState = "signed-off" // by both, the same text
	MeasureRefused   MeasureState = "declined"
	MeasureTakenBack MeasureState = "withdrawn" // by its author; no review counts it
)

// Programme is the programme of measures of a line as of a second: by the name of
// the measure, then by dossier.
type Programme struct {
	At       time.Time
	Measures []Measure
}

// Measure is one measure as the record has it.
type Measure struct {
	Dossier   message.ID
	Place     Place // of its first message
	Name      string
	Version   int64
	Title     string // empty: none was given
	Catalogue string // empty: it is none of the catalogue
	Text      string // the hash that was agreed, or that was proposed last
	Stage     Stage
	State     MeasureState
	Owners    []identity.Station // on the side of who proposed it, and on the other
	Steps     []MeasureStep      // as its author numbered them
}

// MeasureStep is a step of a measure. Until the measure is agreed nobody owes it.
type MeasureStep struct {
	Name  string
	What  string
	Owner identity.Station // as the measure names it
	By    identity.Station // on whose side that is; empty: the measure is not agreed
	Due   time.Time
	State DutyState // empty: nobody owes it
	Done  time.Time // when the word was received that it is done; zero: it is not
	DoneBy,
	ToldBy message.ID // of that word, and of the last one on it; zero: none
	Told   string    // what the last one says: begun, on-time, delayed, held, done or dropped
	NewDue time.Time // what date it asks for, which moves none; zero: none
}

// Overdue reports whether the step is past and not done.
func (s MeasureStep) Overdue() bool {
	return s.State != "" && s.State != Open && s.Done.IsZero() && s.State != Stopped
}

// Programme returns the programme of measures as of a second, as At has its
// dossiers.
func (l *Line) Programme(at time.Time) Programme {
	w := l.At(at)
	p := Programme{At: w.At}
	for _, d := range w.Dossiers {
		if d.Kind != KindMeasure {
			continue
		}
		if m, ok := l.measure(d); ok {
			p.Measures = append(p.Measures, m)
		}
	}
	slices.SortStableFunc(p.Measures, func(a, b Measure) int { return cmp.Or(cmp.Compare(a.Name, b.Name), compareIDs(a.Dossier, b.Dossier)) })
	return p
}

// counts reports whether an entry of a timeline changed anything.
func (e Entry) counts() bool {
	return !slices.ContainsFunc(e.Flags, func(f Flag) bool {
		return f == FlagNotAllowed || f == FlagWrongSide || f == FlagRefused || f == FlagDouble || f == FlagRecalled || f == FlagUnknown
	})
}

// said returns the messages of a format in a dossier that changed something, in
// the order of its timeline.
func (l *Line) said(d Dossier, formats ...message.Format) (list []Item) {
	for _, e := range d.Timeline {
		if slices.Contains(formats, e.Format) && e.counts() {
			if it, ok := l.Item(e.Place); ok {
				list = append(list, it)
			}
		}
	}
	return list
}

// measure reads a measure from its dossier; false where nobody proposed it.
func (l *Line) measure(d Dossier) (Measure, bool) {
	proposals := l.said(d, "450")
	if len(proposals) == 0 {
		return Measure{}, false
	}
	proposal := proposals[len(proposals)-1]
	var accepted *Item
	for _, a := range slices.Backward(l.said(d, "451")) {
		i := slices.IndexFunc(proposals, func(p Item) bool {
			return p.Origin.Writer != a.Origin.Writer && p.Facts.Words["text"] == a.Facts.Words["text"]
		})
		if a.Facts.Words["decision"] == "accept" && i >= 0 {
			accepted, proposal = &a, proposals[i]
			break
		}
	}
	f := proposal.Facts
	m := Measure{
		Dossier: d.ID, Place: proposals[0].Place(), Name: f.Words["measure"], Version: f.Counts["version"], Title: f.Words["title"],
		Catalogue: f.Words["catalogue"], Text: f.Words["text"], Stage: d.Stage, State: measureState(d.Stage, accepted != nil),
	}
	for _, name := range []string{"own_owner", "other_owner"} {
		if s, err := identity.ParseStation(f.Words[name]); err == nil {
			m.Owners = append(m.Owners, s)
		}
	}
	for _, s := range stepsOf(f) {
		m.Steps = append(m.Steps, MeasureStep{Name: s.name, Owner: s.owner, Due: s.due, What: whatOf(f, s.name)})
	}
	if accepted != nil {
		m.owed(d, accepted.ID)
	}
	m.told(l.said(d, progressFormat))
	return m, true
}

func whatOf(f Facts, step string) string {
	for _, r := range f.Records["steps"] {
		if r["step"] == step {
			return r["what"]
		}
	}
	return ""
}

// measureState says how a measure counts that stands at a stage.
func measureState(s Stage, agreed bool) MeasureState {
	switch {
	case s == Withdrawn:
		return MeasureTakenBack
	case s == MeasureComplete:
		return MeasureSignedOff
	case s == MeasureDeclined:
		return MeasureRefused
	case s == MeasureAgreed || s == MeasureRunning || s == MeasureSigned || agreed && s == TextsDiffer:
		return MeasureUnderWay
	}
	return MeasureOffered
}

// owed takes from the dossier's own duties how each step stands: they arose in
// the order of the steps when the measure was agreed.
func (m *Measure) owed(d Dossier, accepted message.ID) {
	var duties []Duty
	for _, x := range d.Duties {
		if x.Of == accepted && x.Act == ActFollowed && slices.Contains(x.Formats, progressFormat) {
			duties = append(duties, x)
		}
	}
	if len(duties) != len(m.Steps) {
		return // it was never agreed by the table: nobody owes a step of it
	}
	for i, x := range duties {
		s := &m.Steps[i]
		s.By, s.State, s.Done, s.DoneBy = x.By, x.State, x.Met, x.MetBy
	}
}

// told notes what was said of each step last.
func (m *Measure) told(progress []Item) {
	for _, it := range progress {
		i := slices.IndexFunc(m.Steps, func(s MeasureStep) bool { return s.Name == it.Facts.Words["step"] })
		if i < 0 {
			continue
		}
		m.Steps[i].Told, m.Steps[i].NewDue, m.Steps[i].ToldBy = it.Facts.Words["state"], it.Facts.Times["new_due"], it.ID
	}
}

// OverdueStep is a step that is past and not done.
type OverdueStep struct {
	Measure string
	Step    string
	Owner   identity.Station
	By      identity.Station // on whose side
	Due     time.Time
}

// Review is what the yearly review of a programme (format 454) counts.
type Review struct {
	Proposed, Running, SignedOff, Declined int64
	Overdue                                []OverdueStep // by due, measure and step
}

// Review counts a programme.
func (p Programme) Review() (r Review) {
	for _, m := range p.Measures {
		switch m.State {
		case MeasureOffered:
			r.Proposed++
		case MeasureUnderWay:
			r.Running++
		case MeasureSignedOff:
			r.SignedOff++
		case MeasureRefused:
			r.Declined++
		case MeasureTakenBack:
		}
		for _, s := range m.Steps {
			if s.Overdue() {
				r.Overdue = append(r.Overdue, OverdueStep{m.Name, s.Name, s.Owner, s.By, s.Due})
			}
		}
	}
	slices.SortStableFunc(r.Overdue, func(a, b OverdueStep) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Measure, b.Measure), cmp.Compare(a.Step, b.Step))
	})
	return r
}

// ReviewFits returns a *FitError where a yearly review says another thing than
// the record that it is released from: the counts, the steps that are overdue, or
// a year that has not begun. Nil for every other format.
func (p Programme) ReviewFits(b message.Body) error {
	if b.Format != "454" {
		return nil
	}
	no := func(param, reason string) error {
		return &FitError{b.Format, param, reason, "take what `detente programme review` counts"}
	}
	f, r := FactsOf(b), p.Review()
	if year := int64(p.At.UTC().Year()); f.Counts["year"] > year {
		return no("year", fmt.Sprintf("it is %d, and the record ends in %d", f.Counts["year"], year))
	}
	for _, c := range []struct {
		param string
		is    int64
	}{{"proposed", r.Proposed}, {"running", r.Running}, {"signed_off", r.SignedOff}, {"declined", r.Declined}} {
		if said := f.Counts[c.param]; said != c.is {
			return no(c.param, fmt.Sprintf("it is %d, and %d by the record", said, c.is))
		}
	}
	said := f.Records["overdue"]
	for i, x := range said {
		if !slices.ContainsFunc(r.Overdue, func(o OverdueStep) bool { return o.is(x) }) {
			return no(fmt.Sprintf("overdue [%d]", i+1), fmt.Sprintf("step %s of %s is not overdue at %s by the record", x["step"], x["measure"], stamp(p.At)))
		}
	}
	for _, o := range r.Overdue {
		if !slices.ContainsFunc(said, o.is) {
			return no("overdue", fmt.Sprintf("step %s of %s was due at %s, and is not named", o.Step, o.Measure, stamp(o.Due)))
		}
	}
	return nil
}

// is reports whether a record of a review names the step.
func (o OverdueStep) is(r Record) bool {
	return r["measure"] == o.Measure && r["step"] == o.Step && r["owner"] == string(o.Owner) && r["due"] == stamp(o.Due)
}
