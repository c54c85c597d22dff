package treaty

import (
	"fmt"
	"strings"
	"time"

	"detente/message"
)

// Step is one step of why an obligation stands as it does: a code, whose words are
// in Words under step, and what it is about.
type Step struct {
	Code  string
	At    time.Time  // zero: the step has no second of its own
	Of    message.ID // the message; zero: none
	Value string     // codes, periods and formats; never prose but of a condition that failed
}

// find returns what an obligation is folded from; nil where there is none such, or
// it recurs.
func (f *folded) find(k Key, at time.Time) *duty {
	for _, o := range f.duties {
		if o.key == k {
			return o
		}
	}
	for _, r := range f.recurring {
		if r.d.ID == k.Duty && r.by == k.By && k.Period > 0 {
			from := r.start
			if k.Period > 1 {
				from = r.d.On.Every.times(k.Period - 1).After(r.start)
			}
			if from.After(at) {
				return nil
			}
			o := &duty{key: k, d: r.d, article: r.article, clocked: true, start: from, within: r.d.On.Every, phase: PhaseNone, due: r.d.On.Every.times(k.Period).After(r.start)}
			for _, a := range r.acts {
				if !a.Received.Before(from) && a.Received.Before(o.due) {
					o.acts = append(o.acts, a)
				}
			}
			return o
		}
	}
	return nil
}

// explain tells the steps, in the order in which they were taken.
func (f *folded) explain(o *duty, at time.Time) []Step {
	v := f.versionAt(o.start)
	steps := []Step{{Code: "in-force", At: v.From, Value: o.article}}
	if o.of != nil {
		steps = append(steps, Step{"triggered", o.of.Received, o.of.ID, string(o.of.Format)})
	} else {
		steps = append(steps, Step{Code: "occasion", At: o.start, Value: o.d.due()})
	}
	if o.d.On.Where != "" {
		steps = append(steps, Step{Code: "condition", Value: o.d.On.Where})
	}
	if o.why != "" {
		steps = append(steps, Step{Code: "unclear", Value: o.why})
	}
	if o.clocked {
		steps = append(steps, f.clockSteps(o, at)...)
	}
	out := f.judge(o, at)
	for i, a := range o.acts {
		switch {
		case f.back(a, at):
			steps = append(steps, Step{"stopped", f.taken[a.ID], a.ID, string(a.Format)})
		case o.needed() > 1:
			steps = append(steps, Step{"counted", a.Received, a.ID, fmt.Sprintf("%d/%d", i+1, o.needed())})
		default:
			steps = append(steps, Step{"acted", a.Received, a.ID, string(a.Format)})
		}
	}
	switch out.State {
	case Stopped:
		steps = append(steps, Step{Code: "stopped", At: o.stopped})
	case Suspended:
		steps = append(steps, Step{Code: "suspended", At: at, Value: o.article})
	case Ended:
		steps = append(steps, Step{Code: "ended", At: f.ends(at)})
	}
	steps = append(steps, Step{Code: "judged", At: at, Value: string(out.State)})
	if len(out.Next) > 0 {
		steps = append(steps, Step{Code: "next", Value: join(out.Next)})
	}
	return steps
}

// clockSteps tells how the deadline came about.
func (f *folded) clockSteps(o *duty, at time.Time) []Step {
	steps := []Step{{Code: "clock", At: o.start, Value: o.d.From}}
	switch {
	case o.lead:
		steps = append(steps, Step{Code: "lead", At: o.due, Value: o.within.String()})
	case o.tight:
		steps = append(steps, Step{Code: "tightened", Value: string(o.phase) + " " + o.within.String()})
	default:
		steps = append(steps, Step{Code: "within", Value: o.within.String()})
	}
	if o.raise != "" {
		steps = append(steps, Step{Code: "raised", Value: strings.ToUpper(o.raise)})
	}
	due := o.due
	for _, x := range o.exts {
		if !x.by.Received.After(at) {
			due = x.until
			steps = append(steps, Step{"extended", x.until, x.by.ID, ""})
		}
	}
	if second := o.second(); !second.IsZero() {
		steps = append(steps, Step{Code: "disputed", At: second, Of: o.of.ID})
	}
	moved, endless := f.stood(o.article, o.start, due, at)
	if endless {
		return append(steps, Step{Code: "stood-still", Value: o.article})
	}
	if !moved.Equal(due) {
		steps = append(steps, Step{Code: "stood-still", At: moved, Value: moved.Sub(due).String()})
	}
	return append(steps, Step{Code: "due", At: moved})
}
