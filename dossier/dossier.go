// Package dossier says where matters stand: a fold over the messages of both
// logs of a line and the receipts that stand in them. Both stations, and an
// arbiter with an exported record, come to the same result, whatever order the
// messages are given in.
//
// The package is pure.
package dossier

import (
	"cmp"
	"encoding/json/v2"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

// Item is a message as the fold takes it.
type Item struct {
	Origin      identity.Origin
	Index       int64
	ID          message.ID // zero where the entry cannot be read
	Format      message.Format
	At          time.Time // the wrapper's second
	Received    time.Time // the earliest receipt in the record; zero: none, so it is not folded
	Refs        []message.ID
	Provisional bool
	State       string          // of format 012: UND, NUN or COR
	Decision    string          // of format 018: confirm or withdraw
	Refused     *Refused        // of format 002
	Problem     string          // why it could not be accepted, if so
	Policy      *message.Policy // of format 005: who releases what from then on
	Rule        message.Body    // of a provisional message: what its writer's policy is asked with
}

// Refused is what a message of format 002 refuses.
type Refused struct {
	Era    identity.Era
	Index  int64
	Reason string
}

// Stages is how far a message has come. A zero time says: not yet.
type Stages struct {
	Received   time.Time // by the counterpart's station
	Seen       time.Time // by its watch
	Understood time.Time
	Reply      string // the state of the last 012: UND, NUN or COR
	Answered   time.Time
	Settled    string    // of a provisional message: confirm or withdraw
	ConfirmBy  time.Time // of a provisional message: until when its writer had to say so
	Late       bool      // it was said after ConfirmBy
	Refused    string    // the reason code of a refusal that stands
	Dossier    message.ID
}

// State is where the messages of a line stand.
type State struct {
	Messages map[message.ID]Stages
}

// Answers reports whether a format answers another.
type Answers func(asked, reply message.Format) bool

// Fold computes the state of a line. Messages whose receipt stands in neither
// log are left out: they are provisional, shown but not folded.
func Fold(items []Item, answers Answers) State {
	order := make([]Item, 0, len(items))
	byID := make(map[message.ID]Item, len(items))
	byPlace := make(map[place]message.ID, len(items))
	for _, it := range items {
		if it.Received.IsZero() || it.ID == (message.ID{}) || it.Problem != "" {
			continue
		}
		order = append(order, it)
		byID[it.ID] = it
		byPlace[place{it.Origin, it.Index}] = it.ID
	}
	slices.SortFunc(order, func(a, b Item) int {
		if c := a.Received.Compare(b.Received); c != 0 {
			return c
		}
		return cmp.Compare(a.ID.String(), b.ID.String())
	})
	s := State{Messages: make(map[message.ID]Stages, len(order))}
	for _, it := range order {
		s.Messages[it.ID] = Stages{Received: it.Received}
	}
	s.name(order)
	s.provisional(order)
	for _, it := range order {
		for _, ref := range it.Refs {
			if asked, ok := byID[ref]; ok && asked.Origin.Writer != it.Origin.Writer {
				s.Messages[ref] = reply(s.Messages[ref], asked, it, answers)
			} else if ok {
				s.Messages[ref] = settle(s.Messages[ref], asked, it)
			}
		}
		if it.Refused != nil {
			s.refuse(it, byPlace)
		}
	}
	return s
}

type place struct {
	origin identity.Origin
	index  int64
}

// reply notes what the counterpart's message says of one that it refers to. The
// first of each kind counts.
func reply(st Stages, asked, it Item, answers Answers) Stages {
	first := func(t *time.Time) {
		if t.IsZero() {
			*t = it.Received
		}
	}
	switch it.Format {
	case "017":
		first(&st.Seen)
	case "012":
		st.Reply = it.State
		if it.State == "UND" {
			first(&st.Understood)
		}
	}
	if answers(asked.Format, it.Format) {
		first(&st.Answered)
	}
	return st
}

// settle notes what the author's own message says of a provisional one.
func settle(st Stages, asked, it Item) Stages {
	if it.Format == "018" && asked.Provisional && st.Settled == "" {
		st.Settled = it.Decision
		st.Late = !st.ConfirmBy.IsZero() && it.Received.After(st.ConfirmBy)
	}
	return st
}

// provisional notes until when each provisional message is to be confirmed or
// withdrawn, by the release policy that stands in its log before it.
func (s State) provisional(order []Item) {
	var policies []Item
	for _, it := range order {
		if it.Policy != nil {
			policies = append(policies, it)
		}
	}
	for _, it := range order {
		if !it.Provisional {
			continue
		}
		var last *Item
		for i, p := range policies {
			if p.Origin.Writer == it.Origin.Writer && before(p, it) && (last == nil || before(*last, p)) {
				last = &policies[i]
			}
		}
		if last == nil {
			continue
		}
		if within := last.Policy.Judge(it.Rule, nil).ConfirmWithin; within > 0 {
			st := s.Messages[it.ID]
			st.ConfirmBy = it.Received.Add(within)
			s.Messages[it.ID] = st
		}
	}
}

// before reports whether one entry of a writer's logs stands before another.
func before(a, b Item) bool {
	return a.Origin.Era < b.Origin.Era || a.Origin.Era == b.Origin.Era && a.Index < b.Index
}

// refuse notes a refusal. One that the record disproves, of an entry that the
// refuser has acted on, has no effect.
func (s State) refuse(it Item, byPlace map[place]message.ID) {
	o := it.Origin.Line().Log(it.Origin.Reader, it.Refused.Era)
	id, ok := byPlace[place{o, it.Refused.Index}]
	if !ok {
		return
	}
	st := s.Messages[id]
	if st.Seen.IsZero() && st.Understood.IsZero() && st.Answered.IsZero() && st.Refused == "" {
		st.Refused = it.Refused.Reason
		s.Messages[id] = st
	}
}

// sets are messages that hang together by reference.
type sets map[message.ID]message.ID

// find returns what stands for the set of a message.
func (p sets) find(id message.ID) message.ID {
	for p[id] != id {
		p[id] = p[p[id]]
		id = p[id]
	}
	return id
}

// name puts messages that refer to each other into one dossier, named by the
// one of them that was received first.
func (s State) name(order []Item) {
	p := make(sets, len(order))
	for _, it := range order {
		p[it.ID] = it.ID
	}
	for _, it := range order {
		for _, ref := range it.Refs {
			if _, ok := p[ref]; ok {
				p[p.find(it.ID)] = p.find(ref)
			}
		}
	}
	names := make(map[message.ID]message.ID)
	for _, it := range order {
		set := p.find(it.ID)
		if _, ok := names[set]; !ok {
			names[set] = it.ID
		}
		st := s.Messages[it.ID]
		st.Dossier = names[set]
		s.Messages[it.ID] = st
	}
}

type stagesJSON struct {
	Answered   string `json:"answered,omitempty"`
	ConfirmBy  string `json:"confirm_by,omitempty"`
	Dossier    string `json:"dossier"`
	ID         string `json:"id"`
	Late       bool   `json:"late,omitempty"`
	Received   string `json:"received"`
	Refused    string `json:"refused,omitempty"`
	Reply      string `json:"reply,omitempty"`
	Seen       string `json:"seen,omitempty"`
	Settled    string `json:"settled,omitempty"`
	Understood string `json:"understood,omitempty"`
}

// Digest returns the digest of the state's JSON, its messages by id. Equal
// states have equal digests on any machine.
func (s State) Digest() identity.Digest {
	list := make([]stagesJSON, 0, len(s.Messages))
	for id, st := range s.Messages {
		list = append(list, stagesJSON{
			ID: id.String(), Dossier: st.Dossier.String(), Received: stamp(st.Received), Seen: stamp(st.Seen), Understood: stamp(st.Understood),
			Reply: st.Reply, Answered: stamp(st.Answered), Settled: st.Settled, ConfirmBy: stamp(st.ConfirmBy), Late: st.Late, Refused: st.Refused,
		})
	}
	slices.SortFunc(list, func(a, b stagesJSON) int { return cmp.Compare(a.ID, b.ID) })
	text, err := json.Marshal(list, json.Deterministic(true))
	if err != nil {
		panic("internal error: " + err.Error()) // strings only
	}
	return identity.Sum(text)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
