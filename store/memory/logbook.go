package memory

import (
	"fmt"
	"slices"

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
	list := slices.DeleteFunc(slices.Clone(t.st.logbook[after:]), func(l station.LogLine) bool {
		return q.Kind != "" && l.Kind != q.Kind || !q.From.IsZero() && l.At.Before(q.From) || !q.To.IsZero() && !l.At.Before(q.To)
	})
	return clipped(list, limit), nil
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
