package dossier

import (
	"encoding/json/v2"
	"maps"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
)

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

// State is how far each message of a line has come. It knows no clock: Line.At
// says what is owed as of a second.
type State struct {
	Messages map[message.ID]Stages
}

// endOfTime is after every second that a record can hold.
func endOfTime() time.Time { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }

// Fold computes how far the messages of a line have come. Messages whose
// receipt stands in neither log are left out: they are provisional, shown but
// not folded.
func Fold(items []Item, b Book) State {
	l := NewLine(b)
	for _, it := range items {
		l.Put(it)
	}
	return l.Messages()
}

// Messages returns how far each message has come, by all of the record.
func (l *Line) Messages() State {
	s := State{Messages: make(map[message.ID]Stages, len(l.ids))}
	for _, head := range l.allHeads(endOfTime()) {
		f := l.fold(head, endOfTime())
		for _, c := range f.calls {
			if old, ok := s.Messages[c.it.ID]; ok {
				c.stages.Dossier = old.Dossier
			} else {
				c.stages.Dossier = f.home(c.it)
			}
			s.Messages[c.it.ID] = c.stages
		}
	}
	return s
}

// home returns the dossier that a message of this one belongs to first.
func (f *fold) home(it Item) message.ID {
	head := f.l.heads(it, f.at)[0]
	if c, ok := f.byID[head]; ok && f.l.kind(c.it) == f.kind {
		return f.d.ID
	}
	return f.l.idOf(head, f.at)
}

// allHeads returns one head of each dossier as of a second, by the dossier's id.
func (l *Line) allHeads(at time.Time) []Item {
	found := make(map[message.ID]bool)
	var heads []Item
	for id := range l.ids {
		it, ok := l.get(id, at)
		if !ok || found[id] {
			continue
		}
		for _, h := range l.heads(it, at) {
			head, ok := l.get(h, at)
			if !ok || found[h] {
				continue
			}
			cores := l.cores(head, at)
			for _, c := range cores {
				found[c.ID] = true
			}
			heads = append(heads, order(cores)[0])
		}
	}
	slices.SortFunc(heads, func(a, b Item) int { return compareIDs(a.ID, b.ID) })
	return heads
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
	for _, id := range slices.SortedFunc(maps.Keys(s.Messages), compareIDs) {
		st := s.Messages[id]
		list = append(list, stagesJSON{
			ID: id.String(), Dossier: st.Dossier.String(), Received: stamp(st.Received), Seen: stamp(st.Seen), Understood: stamp(st.Understood),
			Reply: st.Reply, Answered: stamp(st.Answered), Settled: st.Settled, ConfirmBy: stamp(st.ConfirmBy), Late: st.Late, Refused: st.Refused,
		})
	}
	text, err := json.Marshal(list, json.Deterministic(true))
	if err != nil {
		panic("internal error: " + err.Error()) // strings only
	}
	return identity.Sum(text)
}
