package watch

import (
	"fmt"

	"detente/message"
)

// Check returns what a state of alarms breaks of what always holds after a
// step: keys in order and once each, no acknowledgement twice or on an alarm
// that ended, no silence beyond MaxSilence, and a timer for each group that
// somebody still has to be told of (P16).
func (s Alarms) Check(c Config) error {
	var errs []error
	bad := func(k Key, format string, args ...any) {
		if len(errs) < maxFaults {
			errs = append(errs, fmt.Errorf("alarm %s %s %s: %s", k.Kind, lineText(k.Line), k.Ref, fmt.Sprintf(format, args...)))
		}
	}
	open := map[Key]message.Precedence{}
	for i, a := range s.Alarms {
		if i > 0 && s.Alarms[i-1].Compare(a.Key) >= 0 {
			bad(a.Key, "out of order, or twice")
		}
		a.check(s, bad)
		if a.Stands() && !a.Acknowledged() {
			open[a.group()] = max(open[a.group()], a.Level)
		}
	}
	for i, r := range s.Rings {
		if i > 0 && s.Rings[i-1].Group.Compare(r.Group) >= 0 || r.Group.Ref != "" || r.Group.Kind.Level() == 0 {
			bad(r.Group, "a ring out of order, twice, of one alarm, or of no kind")
		}
		if r.Rung < RungWatch || r.Rung > lastRung || r.Repeats < 0 || r.Last.After(s.At) {
			bad(r.Group, "a ring on no rung, or of the future")
		}
		level, stands := open[r.Group]
		m := c.manner(level)
		if stands && m.Repeat > 0 && r.Next.IsZero() {
			bad(r.Group, "nobody has acknowledged it and it will not ring again")
		}
		if stands && r.Next.IsZero() && r.Last.IsZero() {
			bad(r.Group, "it stands and never rang")
		}
		if !stands && !r.idle() {
			bad(r.Group, "it rings for nothing")
		}
		delete(open, r.Group)
	}
	for k := range open {
		bad(k, "nobody has acknowledged it and it has no ring")
	}
	return joined(errs)
}

func (a Alarm) check(s Alarms, bad func(Key, string, ...any)) {
	if a.Kind.Level() == 0 || a.Level < message.Routine || a.Level > message.Flash || a.Count < 1 || a.Count > maxCount || a.Reopened < 0 {
		bad(a.Key, "no kind, no level or no count")
	}
	if a.Ref != "" && checkRef(a.Ref, MaxRef) != "" {
		bad(a.Key, "a reference that cannot be shown")
	}
	if !a.Stands() && (len(a.Acks) > 0 || !a.Silenced.IsZero()) {
		bad(a.Key, "it ended and is still acknowledged or silenced")
	}
	if a.Silenced.After(s.At.Add(MaxSilence)) {
		bad(a.Key, "silenced until %s, longer than %s", stamp(a.Silenced), MaxSilence)
	}
	for i, k := range a.Acks {
		if !pseudonymForm.MatchString(k.Officer) || k.At.After(s.At) {
			bad(a.Key, "acknowledged by nobody, or in the future")
		}
		for _, o := range a.Acks[:i] {
			if o.Officer == k.Officer {
				bad(a.Key, "acknowledged twice by %s", k.Officer)
			}
		}
	}
}
