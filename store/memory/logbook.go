package memory

import (
	"fmt"

	"detente/message"
	"detente/station"
)

// PutLogLine implements station.Tx.
func (t *tx) PutLogLine(l station.LogLine) error {
	if n := int64(len(t.st.logbook)); l.Number != n+1 {
		return fmt.Errorf("internal error: log book: line %d after line %d", l.Number, n)
	}
	return push(t, &t.st.logbook, l)
}

// LastLogLine implements station.Tx.
func (t *tx) LastLogLine() (station.LogLine, error) {
	if n := len(t.st.logbook); n > 0 {
		return t.st.logbook[n-1], nil
	}
	return station.LogLine{}, nil
}

// LogLines implements station.Tx.
func (t *tx) LogLines(q station.LogQuery, limit int) ([]station.LogLine, error) {
	after := min(max(q.After, 0), int64(len(t.st.logbook)))
	var list []station.LogLine
	for i := range t.st.logbook[after:] { // a book of months is asked at each tick, and is not copied for that
		l := &t.st.logbook[after+int64(i)]
		if q.Kind != "" && l.Kind != q.Kind || !q.From.IsZero() && l.At.Before(q.From) || !q.To.IsZero() && !l.At.Before(q.To) {
			continue
		}
		if list = append(list, *l); limit > 0 && len(list) == limit {
			break
		}
	}
	return list, nil
}

// PutOpened implements station.Tx.
func (t *tx) PutOpened(o station.Opened) error {
	if _, ok := t.st.opened[o.ID]; ok && t.writable {
		return nil
	}
	return set(t, t.st.opened, o.ID, o)
}

// Opened implements station.Tx.
func (t *tx) Opened(id message.ID) (station.Opened, error) {
	return get(t.st.opened, id, "opening of")
}
