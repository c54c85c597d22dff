package dossier

import (
	"time"

	"detente/message"
)

// Item returns the message that stands at a place, as it was put last. False
// where none was put.
func (l *Line) Item(p Place) (Item, bool) {
	it, ok := l.items[p]
	return it, ok
}

// Stages returns how far each message of one dossier has come as of a second: of
// the dossier that Dossier returns for the same message and second. Nil where
// that one is absent.
func (l *Line) Stages(id message.ID, at time.Time) map[message.ID]Stages {
	at = at.UTC().Truncate(time.Second)
	it, ok := l.get(id, at)
	if !ok {
		return nil
	}
	head, _ := l.get(l.heads(it, at)[0], at)
	f := l.fold(head, at)
	stages := make(map[message.ID]Stages, len(f.calls))
	for _, c := range f.calls {
		c.stages.Dossier = f.d.ID
		stages[c.it.ID] = c.stages
	}
	return stages
}
