package treaty

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"detente/identity"
)

// recurring is a duty that recurs in each period from a start, for one owner.
// Only what was done is kept; periods in which nothing was are reckoned when
// asked, so that years of silence cost nothing to keep.
type recurring struct {
	d       *Duty
	article string
	by      identity.Party
	start   time.Time
	until   time.Time // an amendment took it away; zero: it goes on
	conds   conditions
	acts    []*Event // in the order of the record
	why     string
}

// count adds a message where it is an act of the duty.
func (r *recurring) count(f *folded, e *Event) {
	if !slices.Contains(r.d.Act.Formats, e.Format) || r.by != "" && r.by != e.By || e.Received.Before(r.start) {
		return
	}
	c, declared := r.conds.act[e.Format]
	if r.d.Act.Where != "" && !declared {
		r.why = fmt.Sprintf("%s: the signal book has no format %s, so its condition cannot be judged", r.d.ID, e.Format)
		return
	}
	yes, err := c.holds(e, f.phase(e.Received), f.refers(e))
	if err != nil {
		r.why = err.Error()
	}
	if yes {
		r.acts = append(r.acts, e)
	}
}

// occasions sets up what is owed by entry into force and what recurs. What an
// amendment leaves as it was goes on from its first start.
func (f *folded) occasions() {
	type last struct {
		d     *Duty
		rings []*recurring
	}
	running := make(map[string]last)
	for v, version := range f.setup.Versions {
		now := make(map[string]last)
		for i := range version.Text.Articles {
			art := &version.Text.Articles[i]
			for j := range art.Duties {
				d := &art.Duties[j]
				if d.On.Event != OnEntry && d.On.Every == (Period{}) {
					continue
				}
				was, known := running[d.ID]
				switch {
				case known && reflect.DeepEqual(*was.d, *d):
					now[d.ID] = was
				case d.On.Event == OnEntry:
					if !known {
						f.enter(d, art.ID, v)
					}
					now[d.ID] = last{d: d}
				default:
					now[d.ID] = last{d, f.recur(d, art.ID, v)}
				}
			}
		}
		for id, was := range running {
			if !reflect.DeepEqual(now[id], was) {
				for _, r := range was.rings {
					r.until = version.From
				}
			}
		}
		running = now
	}
}

// owners returns whom a duty without a message binds.
func (f *folded) owners(d *Duty) []identity.Party {
	if d.By == Either {
		return []identity.Party{""}
	}
	return f.setup.Parties[:]
}

// enter sets up what is owed by entry into force, or by that of an amendment.
func (f *folded) enter(d *Duty, article string, v int) {
	from := f.setup.Versions[v].From
	for _, by := range f.owners(d) {
		f.add(&duty{
			d: d, article: article, conds: f.compiled[v][d.ID], phase: PhaseNone,
			clocked: true, start: from, within: d.Within, due: d.Within.After(from),
		}, by)
	}
}

func (f *folded) recur(d *Duty, article string, v int) (list []*recurring) {
	for _, by := range f.owners(d) {
		r := &recurring{d: d, article: article, by: by, start: f.setup.Versions[v].From, conds: f.compiled[v][d.ID]}
		list = append(list, r)
	}
	f.recurring = append(f.recurring, list...)
	return list
}

// Periodic counts what recurs.
type Periodic struct {
	Duty      string
	By        identity.Party // empty: both together
	Kept      int            // periods that are over in which enough was done
	Missed    int            // in which it was not
	Suspended int            // that a suspension touches: nothing is held against anybody
}

// judge reckons the periods as of a second: their counts, the runs of missed ones,
// and the one that runs.
func (r *recurring) judge(f *folded, at time.Time) (Periodic, []Obligation) {
	p := Periodic{Duty: r.d.ID, By: r.by}
	var list []Obligation
	stop := at
	for _, end := range []time.Time{r.until, f.ends(at)} {
		if !end.IsZero() && end.Before(stop) {
			stop = end
		}
	}
	next := 0 // the first act not yet counted
	from := r.start
	for n := 1; from.Before(stop) || n == 1 && !at.Before(from); n++ {
		to := r.d.On.Every.times(n).After(r.start)
		o := Obligation{
			Key: Key{Duty: r.d.ID, By: r.by, Period: n}, Article: r.article, Formats: r.d.Act.Formats, From: from, Due: to,
			Phase: PhaseNone, Needed: max(r.d.Act.Count, 1), Periods: 1, Flag: FlagNone, Why: r.why,
		}
		for ; next < len(r.acts) && r.acts[next].Received.Before(to); next++ {
			if a := r.acts[next]; !f.back(a, at) {
				if o.Done++; o.Done == o.Needed {
					o.Met, o.MetBy = a.Received, a.ID
				}
			}
		}
		switch {
		case o.Done >= o.Needed:
			o.State = Met
		case f.touched(r.article, span{from, to}):
			o.State = Suspended
		case to.After(stop) && stop.Before(at):
			o.State = Ended
		case at.Before(to):
			o.State = Open
		default:
			o.State, o.Flag, o.Next = Missed, r.d.Miss.Flag, r.d.Miss.Next
		}
		if at.Before(to) {
			list = append(list, o) // it runs
			break
		}
		list = p.closed(list, o)
		from = to
	}
	return p, list
}

// closed counts a period that is over, and keeps it where it was missed: with the
// one before it, where that was too.
func (p *Periodic) closed(list []Obligation, o Obligation) []Obligation {
	switch o.State {
	case Met:
		p.Kept++
	case Suspended:
		p.Suspended++
	case Missed:
		p.Missed++
		if n := len(list) - 1; n >= 0 && list[n].State == Missed && list[n].Period+list[n].Periods == o.Period {
			list[n].Periods++
			list[n].Due = o.Due
			return list
		}
		return append(list, o)
	}
	return list
}

// back reports whether a message was taken back by a second.
func (f *folded) back(e *Event, at time.Time) bool {
	t, ok := f.taken[e.ID]
	return ok && !t.After(at)
}
