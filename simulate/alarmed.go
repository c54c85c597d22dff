package simulate

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/watch"
)

// ledger is what the oracle has read of a node's disk, and which conditions it
// has seen: a model of its own of what should be alarmed.
type ledger struct {
	at        map[identity.Origin]int64
	letters   map[message.ID]*letter     // of the other side, that ask for a person
	tests     map[message.ID]*testLetter // of both sides
	answered  time.Time                  // the hour of the last test that was read back
	backs     []time.Time                // when read-backs of a person of this side came to stand in its log
	came      []time.Time                // when tests of the other side did
	outages   []watch.Span               // that were told of as planned
	handovers []time.Time                // signed

	text     []byte // of the alarms, as last read
	standing map[watch.Key]watch.Alarm
	raised   map[watch.Key]time.Time
	seen     map[condition]*verdict
	since    map[condition]time.Time // when the oracle saw first that it holds, of what follows from both sides' words
	alone    time.Time               // since when nobody is at the desk; zero: somebody is
	righted  time.Time               // when the clock was set right last

	read        *reading
	spoken      spokenOf
	spokenSizes [2]int64 // of read, as of which it is
}

// letter is a message of the other side that calls for a person of this one.
type letter struct {
	ref     string
	level   message.Precedence
	came    time.Time
	handled bool
}

type testLetter struct {
	at     time.Time
	groups string
	by     identity.Station
}

// condition is something that the oracle says is wrong.
type condition struct {
	kind watch.Kind
	ref  string // of the alarm, or how it begins
}

// demand is a condition and by when an alarm has to tell of it.
type demand struct {
	condition
	due time.Time
}

// verdict is what came of a condition.
type verdict struct{ counted, missed bool }

// reset forgets what was read: the disk is another one.
func (l *ledger) reset(n *node) {
	l.read, l.spoken = newReading(n), spokenOf{}
	l.at, l.letters, l.tests = make(map[identity.Origin]int64), make(map[message.ID]*letter), make(map[message.ID]*testLetter)
	l.answered, l.backs, l.came, l.outages = time.Time{}, nil, nil, nil
	if l.seen == nil {
		l.since = make(map[condition]time.Time)
		l.seen, l.raised = make(map[condition]*verdict), make(map[watch.Key]time.Time)
	}
}

// watched looks at what a node's alarms tell, as its world keeps watch.
// covers P16
func (o *oracle) watched(n *node) error {
	switch {
	case o.w.opt.Manned:
		return o.audited(n)
	case o.w.opt.Watch:
		return o.announced(n)
	}
	return nil
}

// audited compares what the oracle sees with the alarms that stand on a node's
// disk. What no alarm tells in time is counted and named at the end.
// covers P16
func (o *oracle) audited(n *node) error {
	l := &n.crew.ledger
	var demands []demand
	if err := view(n, func(tx station.Tx) error {
		if err := o.readAlarms(tx, l); err != nil {
			return err
		}
		if err := o.readDisk(tx, n, l); err != nil {
			return err
		}
		var err error
		demands, err = o.demands(tx, n, l)
		return err
	}); err != nil {
		return err
	}
	if n.began.After(o.w.now.Add(-shiftSlack)) {
		return nil // it has not had the time yet
	}
	holds := make(map[condition]bool, len(demands))
	for _, d := range demands {
		holds[d.condition] = true
		if o.w.now.Before(d.due) {
			continue
		}
		v := l.seen[d.condition]
		if v == nil {
			v = &verdict{}
			l.seen[d.condition] = v
		}
		if !v.counted {
			v.counted = true
			o.w.result.Conditions++
			o.w.result.Seen[string(d.kind)]++
		}
		if !v.missed && !l.tells(d.condition) {
			v.missed = true
			o.w.result.Missed++
			o.w.result.Untold[string(d.kind)]++
			if o.missed == nil {
				o.missed = o.broken("P16", "at %s %s has %s %s since before %s, and no alarm stands", o.w.now.Format(time.RFC3339), n.name, d.kind, d.ref, d.due.Format(time.RFC3339))
			}
		}
	}
	for c := range l.seen {
		if !holds[c] {
			delete(l.seen, c)
		}
	}
	for c := range l.since {
		if !holds[c] {
			delete(l.since, c)
		}
	}
	return nil
}

// tells reports whether an alarm stands that tells of a condition.
func (l *ledger) tells(c condition) bool {
	for k := range l.standing {
		if k.Kind == c.kind && strings.HasPrefix(k.Ref, c.ref) {
			return true
		}
	}
	return false
}

// readAlarms reads the alarms that stand, and counts those that were raised.
func (o *oracle) readAlarms(tx station.Tx, l *ledger) error {
	text, err := tx.Setting("alarms")
	if err != nil || bytes.Equal(text, l.text) {
		return err
	}
	l.text, l.standing = bytes.Clone(text), make(map[watch.Key]watch.Alarm)
	if text == nil {
		return nil
	}
	state, err := watch.ParseAlarms(text, watch.Config{})
	if err != nil {
		return err
	}
	for _, a := range state.Alarms {
		if !l.raised[a.Key].Equal(a.Raised) {
			l.raised[a.Key] = a.Raised
			o.w.result.Alarms++
		}
		if a.Stands() {
			l.standing[a.Key] = a
		}
	}
	return nil
}

// readDisk reads what is new in both logs: the other side's first, since this
// one's answers stand after what they answer.
func (o *oracle) readDisk(tx station.Tx, n *node, l *ledger) error {
	var backs []station.Message // once the tests of both sides are read
	for _, writer := range []identity.Station{o.w.other(n).name, n.name} {
		for era := identity.Era(1); era <= o.eras(n, writer); era++ {
			log := o.w.line.Log(writer, era)
			list, err := tx.Messages(log, l.at[log], 0)
			if err != nil {
				return err
			}
			for _, m := range list {
				l.at[log] = m.Index + 1
				if m.Problem != "" {
					continue
				}
				if m.Format == "011" {
					e, err := message.ParseEntry(m.Plain)
					if err != nil {
						return err
					}
					if err := l.read.take(m, e); err != nil {
						return err
					}
					backs = append(backs, m)
					continue
				}
				if err := o.readLetter(n, l, m); err != nil {
					return err
				}
			}
		}
	}
	for _, m := range backs {
		if err := o.readBack(n, l, m); err != nil {
			return err
		}
	}
	return nil
}

// readBack takes one read-back of a test.
func (o *oracle) readBack(n *node, l *ledger, m station.Message) error {
	e, err := message.ParseEntry(m.Plain)
	if err != nil {
		return err
	}
	for _, ref := range m.Refs {
		t := l.tests[ref]
		if t == nil || t.by == m.Origin.Writer || param(e, "read_back") != t.groups {
			continue
		}
		l.answered = later(l.answered, t.at)
		if m.Origin.Writer == n.name {
			l.backs = append(l.backs, o.w.now)
		}
	}
	return nil
}

// param is a parameter of an entry that is one word.
func param(e message.Entry, name string) string {
	return strings.Trim(string(e.Body.Body().Params[name]), `"`)
}

// forPersons are the formats that call for a person of the watch.
var forPersons = map[message.Format]bool{
	"013": true, "015": true, "020": true, "021": true, "110": true, "111": true, "112": true, "202": true, "210": true, "211": true,
	"220": true, "221": true, "222": true, "230": true, "231": true, "270": true, "271": true, "410": true, "401": true, "600": true, "025": true, "030": true, "031": true,
}

// readLetter takes one message of either side.
func (o *oracle) readLetter(n *node, l *ledger, m station.Message) error {
	own := m.Origin.Writer == n.name
	e, err := message.ParseEntry(m.Plain)
	if err != nil {
		return err
	}
	if err := l.read.take(m, e); err != nil {
		return err
	}
	switch m.Format {
	case "010":
		at, err := time.Parse(time.RFC3339, param(e, "test_no"))
		if err != nil {
			return err
		}
		l.tests[m.ID] = &testLetter{at, param(e, "check_groups"), m.Origin.Writer}
		if !own {
			l.came = append(l.came, o.w.now)
		}
	case "020":
		var span watch.Span
		if span, err = windowOf(string(e.Body.Body().Params["window"])); err != nil {
			return err
		}
		l.outages = append(l.outages, span)
	}
	if !own && forPersons[m.Format] {
		l.letters[m.ID] = &letter{ref: o.w.cite(m.Origin, m.Index), level: m.Precedence, came: o.w.now}
	}
	for _, ref := range m.Refs {
		if x := l.letters[ref]; own && x != nil && len(e.Wrapper.Approvals) > 0 {
			x.handled = true
		}
	}
	return nil
}

// windowOf reads a window of the record.
func windowOf(text string) (watch.Span, error) {
	var from, to string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(`{},"`, r) }) {
		if at, err := time.Parse(time.RFC3339, part); err == nil {
			if from == "" {
				from = at.Format(time.RFC3339)
			} else {
				to = at.Format(time.RFC3339)
			}
		}
	}
	f, err := time.Parse(time.RFC3339, from)
	if err != nil {
		return watch.Span{}, fmt.Errorf("a window: %w", err)
	}
	t, err := time.Parse(time.RFC3339, to)
	return watch.Span{From: f, To: t}, err
}
