package dossier

import (
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// owed is a message that its author owes after another one.
type owed struct {
	of      message.ID
	call    *call
	format  message.Format
	by      identity.Station
	due     time.Time
	window  bool          // due is counted from the end of the window that holds
	within  time.Duration // then
	step    string        // measure: of which it says that it is done; empty: any message of the format will do
	met     replies
	stopped time.Time
}

// end stops what is owed by follow-up where a matter has come to its end.
func (f *fold) end(it Item) {
	if slices.Contains(f.course.ends, f.course.stage) {
		f.stopOwed(it.Received, func(*owed) bool { return true })
	}
}

// effects notes what follows from a move that was made: what it discharges,
// what its author owes from then on, what an incident reports, what a notice
// announces.
func (f *fold) effects(it Item, form Form) {
	for _, o := range f.owed {
		if o.format == it.Format && o.by == it.Origin.Writer && !o.met.there() && o.stopped.IsZero() && o.takes(it) {
			o.met = append(o.met, f.byID[it.ID])
		}
	}
	f.notice(it, form)
	f.replan(it)
	f.steps(it, form)
	defer f.end(it)
	if s := it.Facts.Words["stage"]; f.kind == KindIncident && s != "" {
		f.d.Report = s
	}
	if it.Facts.Words["status"] == "closed" {
		return // nothing follows what is closed
	}
	due := make(map[message.Format]*owed)
	for _, u := range form.Followups {
		o, ok := f.followup(it, u)
		if !ok {
			continue
		}
		if first := due[u.Format]; first == nil {
			due[u.Format] = o
			f.owed = append(f.owed, o)
		} else if o.due.Before(first.due) {
			*first = *o // of one format only the earliest counts
		}
	}
}

// followup returns what a message's author owes by one rule. False: nothing.
func (f *fold) followup(it Item, u Followup) (*owed, bool) {
	o := &owed{of: it.ID, call: f.byID[it.ID], format: u.Format, by: it.Origin.Writer, within: u.Within}
	if u.Effect > 0 && it.Facts.Counts["effect"] < u.Effect {
		return nil, false
	}
	switch u.After {
	case "entry":
		o.due = it.Received.Add(u.Within)
	case "window":
		o.window = true
		return o, f.d.Window.ok()
	default:
		t, ok := it.Facts.Times[u.After]
		if !ok {
			return nil, false
		}
		o.due = t.Add(u.Within)
	}
	return o, true
}

// promise notes that its author said that something would be so by a time: it
// owes another message of the format by then.
func (f *fold) promise(it Item, form Form) {
	t := f.course.turns[form.Move]
	by, ok := it.Facts.Times[t.until]
	if !ok || f.l.kind(it) != f.kind || len(f.made) == 0 || f.made[len(f.made)-1].ID != it.ID {
		return
	}
	if _, coded := t.codes[it.Facts.Words[t.by]]; coded {
		f.owed = append(f.owed, &owed{of: it.ID, call: f.byID[it.ID], format: it.Format, by: it.Origin.Writer, due: by})
	}
}

// stopOwed stops what is still owed, where it fits.
func (f *fold) stopOwed(at time.Time, fits func(*owed) bool) {
	for _, o := range f.owed {
		if fits(o) && !o.met.there() && o.stopped.IsZero() {
			o.stopped = at
		}
	}
}

// duty judges what is owed.
func (f *fold) duty(o *owed) Duty {
	d := Duty{
		Of: o.of, Act: ActFollowed, By: o.by, Formats: []message.Format{o.format}, From: o.call.it.Received, Due: o.due, Stopped: o.stopped,
	}
	if o.window {
		d.Due = f.d.Window.To.Add(o.within)
	}
	f.judge(&d, o.met, o.call)
	return d
}
