package watch

import (
	"fmt"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
)

// What is computed here are the conditions that follow from the state of this
// package. Those of the machine (clock, guard, disk, quota, keys, receipts) are
// the station's to add.

// Grace before an absence is an alarm.
const (
	HandoverGrace = 15 * time.Minute // after the roster's change of officers
	NearDuty      = 30 * time.Minute // before a duty lapses, or a quarter of its time if that is less
	SounderEvery  = 24 * time.Hour   // within which each sounder is heard by somebody
)

// Conditions returns what is wrong with the roster at a moment: nobody on watch
// at all, or nobody at a desk that is always manned. A roster that has not
// begun, or has ended, mans nothing.
func (r Roster) Conditions(now time.Time) []Condition {
	var out []Condition
	for _, m := range r.missing(r.On(now), r.Needs.filled()) {
		var ref string
		switch m.Kind {
		case RiskNobody:
			ref = string(r.Station)
		case RiskDesk:
			ref = string(r.Station) + "/" + m.Desk
		default:
			continue // thin, and a risk that was told before
		}
		out = append(out, Condition{Key: Key{Kind: UnmannedDesk, Ref: ref}, Since: r.emptySince(m.Desk, now)})
	}
	return out
}

// emptySince is when a desk, or all of them, was left, as far as a day back.
func (r Roster) emptySince(desk string, now time.Time) time.Time {
	since := now.Add(-day)
	for _, d := range r.Duties(Span{since, now}) {
		if desk == "" || d.Desk == desk {
			since = later(since, earlier(d.To, now))
		}
	}
	return since
}

// HandoverConditions returns which changes of officers at a desk were not
// handed over in time: those of the last day, on which both somebody went and
// somebody came, and after which no signed sheet has come within
// HandoverGrace. Signed are the seconds at which sheets of the desk were.
func (r Roster) HandoverConditions(desk string, signed []time.Time, now time.Time) []Condition {
	var out []Condition
	// A sheet that was signed a little early is of the change ahead, and makes good
	// none that is past.
	changes := r.Handovers(Span{now.Add(-day), now.Add(HandoverGrace + time.Second)})
	for i, h := range changes {
		if h.At.After(now.Add(-HandoverGrace)) {
			break
		}
		if h.Desk != desk || len(h.Out) == 0 || len(h.In) == 0 {
			continue
		}
		next := now
		for _, n := range changes[i+1:] {
			if n.Desk == desk && len(n.Out) > 0 && len(n.In) > 0 {
				next = n.At.Add(-HandoverGrace)
				break
			}
		}
		done := false
		for _, s := range signed { // early by a quarter of an hour is in time too
			done = done || !s.Before(h.At.Add(-HandoverGrace)) && !s.After(next)
		}
		if !done {
			out = append(out, Condition{Key: Key{Kind: HandoverLate, Ref: desk + "/" + stamp(h.At)}, Since: h.At.Add(HandoverGrace)})
		}
	}
	return out
}

// Conditions returns the contacts of an owner that somebody has to look after.
func (d Directory) Conditions(owner identity.Station, now time.Time) []Condition {
	var out []Condition
	for _, l := range d.Listings {
		f, since, _ := l.Freshness(now)
		if l.Owner == owner && l.Live() && f.Alarming() {
			out = append(out, Condition{Key: Key{Kind: ContactStale, Ref: string(owner) + "/" + l.Entry}, Since: since})
		}
	}
	return out
}

// Conditions returns the tests of a line that failed and after which none was
// answered yet: one alarm for each, gone with the next answer.
func (s Statistics) Conditions(line identity.Line) []Condition {
	var out []Condition
	for _, r := range s.Results {
		switch {
		case r.Missed():
			out = append(out, Condition{Key: Key{Kind: MissedTest, Line: line, Ref: stamp(r.At)}, Since: r.At})
		case r.State == SlotAnswered || r.State == SlotLate:
			out = nil
		}
	}
	return out
}

// ReadBackConditions returns the shifts in which no person read a test back.
func ReadBackConditions(line identity.Line, missing []Span) []Condition {
	var out []Condition
	for _, s := range missing {
		out = append(out, Condition{Key: Key{Kind: NoReadBack, Line: line, Ref: stamp(s.From)}, Since: s.To})
	}
	return out
}

// Condition returns what is wrong with the counterpart's desk at a moment, if
// anything: that it says it is unmanned, or that it has said nothing that still
// holds.
func (d DeskStatus) Condition(line identity.Line, now time.Time) (Condition, bool) {
	c := Condition{Key: Key{Kind: UnmannedDesk, Line: line, Ref: string(d.By)}, Since: d.Said}
	switch status, _ := d.At(now); status {
	case "unmanned":
		return c, true
	case DeskUnknown:
		c.Since, c.Level = d.Until, message.Priority
		return c, true
	}
	return c, false
}

// DeadlineConditions returns the duties that are about to lapse or have lapsed.
// A duty is near in its last half hour; one that was given no more than two
// hours, in the last quarter of them. Begun says when each duty began to run;
// a deadline of which it does not say so is near in the last half hour.
func DeadlineConditions(line identity.Line, all []Deadline, begun map[string]time.Time, now time.Time) []Condition {
	var out []Condition
	for _, d := range all {
		near := NearDuty
		if b, ok := begun[d.Ref]; ok && d.At.After(b) {
			near = min(near, d.At.Sub(b)/4)
		}
		c := Condition{Key: Key{Kind: DutyNear, Line: line, Ref: strings.Join([]string{d.Ref, d.What, string(d.By)}, "/")}, Since: d.At.Add(-near)}
		switch {
		case !now.Before(d.At):
			c.Kind, c.Since = DutyLapsed, d.At
		case now.Before(c.Since):
			continue
		}
		out = append(out, c)
	}
	return out
}

// SounderCondition returns whether an outlet has not been tried within
// SounderEvery. Heard is when somebody last said that it was heard; zero:
// never.
func SounderCondition(name string, heard, now time.Time) (Condition, bool) {
	c := Condition{Key: Key{Kind: SounderUntried, Ref: name}, Since: heard.Add(SounderEvery)}
	if heard.IsZero() {
		c.Since = now
	}
	return c, heard.IsZero() || !now.Before(c.Since)
}

// SilencedItems returns the alarms whose sound is off at a moment, as a
// handover lists them.
func (s Alarms) SilencedItems(now time.Time) []OpenItem {
	var out []OpenItem
	for _, a := range s.Alarms {
		if !a.Stands() || !a.Silenced.After(now) {
			continue
		}
		ref := string(a.Kind)
		if a.Ref != "" {
			ref = a.Ref
		}
		out = append(out, OpenItem{Ref: ref, What: string(a.Kind), Since: a.Raised, Detail: fmt.Sprintf("%s/%s", lineText(a.Line), stamp(a.Silenced))})
	}
	return out
}
