package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"detente/message"
	"detente/station"
)

// PutLogLine implements station.Tx.
func (t *tx) PutLogLine(l station.LogLine) error {
	last, err := t.LastLogLine()
	if err != nil {
		return err
	}
	if l.Number != last.Number+1 {
		return fmt.Errorf("internal error: log book: line %d after line %d", l.Number, last.Number)
	}
	return t.put("INSERT INTO logbook (number, at, kind, actor, text, hash) VALUES (?, ?, ?, ?, ?, ?)", l.Number, l.At.Unix(), l.Kind, l.Actor, l.Text, l.Hash[:])
}

// LastLogLine implements station.Tx.
func (t *tx) LastLogLine() (station.LogLine, error) {
	list, err := t.logLines("ORDER BY number DESC LIMIT 1")
	if err != nil || len(list) == 0 {
		return station.LogLine{}, err
	}
	return list[0], nil
}

// LogLines implements station.Tx.
func (t *tx) LogLines(q station.LogQuery, limit int) ([]station.LogLine, error) {
	where, args := "WHERE number > ?", []any{q.After}
	if q.Kind != "" {
		where, args = where+" AND kind = ?", append(args, q.Kind)
	}
	if !q.From.IsZero() {
		where, args = where+" AND at >= ?", append(args, q.From.Unix())
	}
	if !q.To.IsZero() {
		where, args = where+" AND at < ?", append(args, q.To.Unix())
	}
	return t.logLines(where+" ORDER BY number LIMIT ?", append(args, all(limit))...)
}

func (t *tx) logLines(rest string, args ...any) ([]station.LogLine, error) {
	var list []station.LogLine
	err := t.each(func(r *sql.Rows) error {
		var l station.LogLine
		var at int64
		var hash []byte
		if err := r.Scan(&l.Number, &at, &l.Kind, &l.Actor, &l.Text, &hash); err != nil {
			return err
		}
		l.At = time.Unix(at, 0).UTC()
		copy(l.Hash[:], hash)
		list = append(list, l)
		return nil
	}, "SELECT number, at, kind, actor, text, hash FROM logbook "+rest, args...)
	return list, err
}

// PutOpened implements station.Tx.
func (t *tx) PutOpened(o station.Opened) error {
	return t.put("INSERT OR IGNORE INTO opened (id, at, actor) VALUES (?, ?, ?)", o.ID[:], o.At.Unix(), o.By)
}

// Opened implements station.Tx.
func (t *tx) Opened(id message.ID) (station.Opened, error) {
	o := station.Opened{ID: id}
	var at int64
	err := t.q.row("SELECT at, actor FROM opened WHERE id = ?", id[:]).Scan(&at, &o.By)
	if errors.Is(err, sql.ErrNoRows) {
		return station.Opened{}, fmt.Errorf("opening of %s: %w", id, station.ErrNotFound)
	}
	o.At = time.Unix(at, 0).UTC()
	return o, err
}
