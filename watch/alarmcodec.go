package watch

import (
	"fmt"
	"time"

	"detente/message"
)

const alarmsKind = "detente/alarms/v1"

type ackJSON struct {
	At      string `json:"at"`
	Officer string `json:"officer"`
}

type keyJSON struct {
	Kind string `json:"kind"`
	Line string `json:"line,omitempty"`
	Ref  string `json:"ref,omitempty"`
}

type alarmJSON struct {
	Acks     []ackJSON `json:"acks,omitempty"`
	Cleared  string    `json:"cleared,omitempty"`
	Count    int       `json:"count"`
	Key      keyJSON   `json:"key"`
	Level    string    `json:"level"`
	Raised   string    `json:"raised"`
	Reopened int       `json:"reopened,omitzero"`
	Silenced string    `json:"silenced,omitempty"`
	Since    string    `json:"since,omitempty"`
}

type ringJSON struct {
	Climb   string  `json:"climb,omitempty"`
	Group   keyJSON `json:"group"`
	Last    string  `json:"last,omitempty"`
	Next    string  `json:"next,omitempty"`
	Repeats int     `json:"repeats,omitzero"`
	Rung    int     `json:"rung,omitzero"`
}

type alarmsJSON struct {
	Alarms   []alarmJSON `json:"alarms"`
	At       string      `json:"at,omitempty"`
	Exercise bool        `json:"exercise,omitzero"`
	Kind     string      `json:"kind"`
	Rings    []ringJSON  `json:"rings"`
}

func (k Key) json() keyJSON { return keyJSON{string(k.Kind), lineText(k.Line), k.Ref} }

func (w keyJSON) key() (Key, error) {
	l, err := parseLine("line", w.Line)
	return Key{Kind(w.Kind), l, w.Ref}, err
}

// Bytes returns the state's canonical JSON.
func (s Alarms) Bytes() []byte {
	w := alarmsJSON{Kind: alarmsKind, At: stamp(s.At), Exercise: s.Exercise, Alarms: []alarmJSON{}, Rings: []ringJSON{}}
	for _, a := range s.Alarms {
		j := alarmJSON{Key: a.Key.json(), Level: a.Level.String(), Since: stamp(a.Since), Raised: stamp(a.Raised), Count: a.Count,
			Cleared: stamp(a.Cleared), Silenced: stamp(a.Silenced), Reopened: a.Reopened}
		for _, k := range a.Acks {
			j.Acks = append(j.Acks, ackJSON{stamp(k.At), k.Officer})
		}
		w.Alarms = append(w.Alarms, j)
	}
	for _, r := range s.Rings {
		w.Rings = append(w.Rings, ringJSON{stamp(r.Climb), r.Group.json(), stamp(r.Last), stamp(r.Next), r.Repeats, int(r.Rung)})
	}
	return canonical(w)
}

// ParseAlarms reads what Bytes wrote, and refuses a state that no step leaves.
func ParseAlarms(text []byte, c Config) (Alarms, error) {
	var w alarmsJSON
	if err := decode("alarms", text, &w); err != nil {
		return Alarms{}, err
	}
	if w.Kind != alarmsKind {
		return Alarms{}, fault("kind", fmt.Sprintf("%q is no state of alarms that is known here", clip(w.Kind)), "a newer program may have written it")
	}
	if len(w.Alarms) > 2*MaxAlarms+len(kindLevels)*MaxChanges || len(w.Rings) > 2*MaxAlarms {
		return Alarms{}, fault("alarms", fmt.Sprintf("%d are more than a step ever leaves", len(w.Alarms)), "take the state from its backup")
	}
	var p stamps
	s := Alarms{At: p.read("at", w.At), Exercise: w.Exercise}
	for i, j := range w.Alarms {
		a, err := j.alarm(&p, fmt.Sprintf("alarms[%d]", i))
		if err != nil {
			return Alarms{}, err
		}
		s.Alarms = append(s.Alarms, a)
	}
	for i, j := range w.Rings {
		entry := fmt.Sprintf("rings[%d]", i)
		k, err := j.Group.key()
		if err != nil {
			return Alarms{}, err
		}
		s.Rings = append(s.Rings, Ring{k, p.read(entry, j.Last), p.read(entry, j.Next), Rung(j.Rung), p.read(entry, j.Climb), j.Repeats})
	}
	if p.err != nil {
		return Alarms{}, p.err
	}
	if err := s.Check(c); err != nil {
		return Alarms{}, err
	}
	return s, oneForm("alarms", s.Bytes(), text)
}

func (j alarmJSON) alarm(p *stamps, entry string) (Alarm, error) {
	k, err := j.Key.key()
	if err != nil {
		return Alarm{}, err
	}
	level, err := message.ParsePrecedence(j.Level)
	if err != nil {
		return Alarm{}, fault(entry, err.Error(), "take the state from its backup")
	}
	a := Alarm{Key: k, Level: level, Since: p.read(entry, j.Since), Raised: p.read(entry, j.Raised), Count: j.Count,
		Cleared: p.read(entry, j.Cleared), Silenced: p.read(entry, j.Silenced), Reopened: j.Reopened}
	if j.Raised == "" {
		return Alarm{}, fault(entry, "it was never raised", "take the state from its backup")
	}
	for _, ack := range j.Acks {
		a.Acks = append(a.Acks, Ack{ack.Officer, p.read(entry, ack.At)})
	}
	return a, nil
}

// Group is what people are shown of alarms of one kind on one line.
type Group struct {
	Key   Key // without reference
	Level message.Precedence
	Count int // that stand
	Open  int // of them, those that are not acknowledged
	Since time.Time
}

// Groups returns the alarms that stand, by kind and line, the gravest first.
// The counts of all groups add up to the counts of all alarms.
func (s Alarms) Groups() []Group {
	at := map[Key]int{}
	var out []Group
	for _, a := range s.Alarms {
		if !a.Stands() {
			continue
		}
		i, ok := at[a.group()]
		if !ok {
			i = len(out)
			at[a.group()] = i
			out = append(out, Group{Key: a.group(), Since: a.Since})
		}
		g := &out[i]
		g.Level, g.Since, g.Count = max(g.Level, a.Level), earlier(g.Since, a.Since), g.Count+a.Count
		if !a.Acknowledged() {
			g.Open += a.Count
		}
	}
	sortGroups(out)
	return out
}
