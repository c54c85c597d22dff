package store

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
)

func packRefs(refs []message.ID) []byte {
	b := make([]byte, 0, 16*len(refs))
	for _, r := range refs {
		b = append(b, r[:]...)
	}
	return b
}

func unpackRefs(b []byte) []message.ID {
	var refs []message.ID
	for r := range slices.Chunk(b, 16) {
		if len(r) == 16 { // what is left over of a spoiled row refers to nothing
			refs = append(refs, message.ID(r))
		}
	}
	return refs
}

// PutOutgoing implements station.Tx.
func (t *tx) PutOutgoing(o station.Outgoing) error {
	var origin string
	if o.Origin.Era > 0 {
		origin = o.Origin.String()
	}
	err := t.put(`INSERT OR REPLACE INTO outgoing (id, line, format, precedence, lent, state, body, request, approvals, until, asked, released, ord, provisional, reason, next, refs, origin, idx)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.ID[:], o.Line.String(), string(o.Format), o.Precedence, o.Lent, o.State, notNull(o.Body), o.Request[:], packApprovals(o.Approvals), unix(o.Until), o.Asked.Unix(), unix(o.Released),
		o.Order, o.Provisional, o.Reason, o.Next, packRefs(o.Refs), origin, o.Index)
	if err == nil && t.writable {
		t.q.memo.putOutgoing(o)
	}
	return err
}

// packApprovals puts approvals into one column, a line each: an approval is
// canonical JSON, in which no line ends.
func packApprovals(approvals [][]byte) []byte { return notNull(bytes.Join(approvals, []byte("\n"))) }

// unpackApprovals reads what packApprovals wrote.
func unpackApprovals(b []byte) [][]byte {
	if len(b) == 0 {
		return nil
	}
	return bytes.Split(b, []byte("\n"))
}

// outgoing runs a query for outgoing messages.
func (t *tx) outgoing(rest string, args ...any) ([]station.Outgoing, error) {
	var list []station.Outgoing
	err := t.each(func(r *sql.Rows) error {
		o, err := scanOutgoing(r)
		list = append(list, o)
		return err
	}, "SELECT id, line, format, precedence, lent, state, body, request, approvals, until, asked, released, ord, provisional, reason, next, refs, origin, idx FROM outgoing "+rest, args...)
	return list, err
}

func scanOutgoing(r *sql.Rows) (station.Outgoing, error) {
	var o station.Outgoing
	var id, request, approvals, refs []byte
	var line, format, origin string
	var until, released sql.NullInt64
	var asked int64
	err := r.Scan(&id, &line, &format, &o.Precedence, &o.Lent, &o.State, &o.Body, &request, &approvals, &until, &asked, &released, &o.Order, &o.Provisional,
		&o.Reason, &o.Next, &refs, &origin, &o.Index)
	if err != nil {
		return o, err
	}
	if len(id) != 16 || len(request) != 16 || len(refs)%16 != 0 {
		return o, errDamagedQueue
	}
	o.ID, o.Request, o.Format, o.Refs = message.ID(id), [16]byte(request), message.Format(format), unpackRefs(refs)
	o.Until, o.Asked, o.Released = fromUnix(until), time.Unix(asked, 0).UTC(), fromUnix(released)
	if o.Line, err = identity.ParseLine(line); err != nil {
		return o, err
	}
	if origin != "" {
		if o.Origin, err = identity.ParseOrigin(origin); err != nil {
			return o, err
		}
	}
	o.Approvals = unpackApprovals(approvals)
	return o, nil
}

// Outgoing implements station.Tx.
func (t *tx) Outgoing(id message.ID) (station.Outgoing, error) {
	if o, ok := t.q.memo.outgoing[id]; ok {
		return o, nil
	}
	list, err := t.outgoing("WHERE id = ?", id[:])
	if err != nil {
		return station.Outgoing{}, err
	}
	if len(list) == 0 {
		return station.Outgoing{}, fmt.Errorf("message %s in the queue: %w", id, station.ErrNotFound)
	}
	return list[0], nil
}

// NextWaiting implements station.Tx.
func (t *tx) NextWaiting(line identity.Line, limit int) (ids []message.ID, err error) {
	err = t.each(func(r *sql.Rows) error {
		var id []byte
		if err := r.Scan(&id); err != nil {
			return err
		}
		if len(id) != len(message.ID{}) {
			return errDamagedQueue
		}
		ids = append(ids, message.ID(id))
		return nil
	}, "SELECT id FROM outgoing WHERE line = ? AND state = ? ORDER BY lent DESC, ord LIMIT ?", line.String(), station.Waiting, all(limit))
	return ids, err
}

var errDamagedQueue = errors.New("internal error: a row of the queue is damaged; run `detente station doctor`")

// OutgoingIn implements station.Tx.
func (t *tx) OutgoingIn(state station.OutState, after int64, limit int) ([]station.Outgoing, error) {
	return t.outgoing("WHERE state = ? AND ord > ? ORDER BY ord LIMIT ?", state, after, all(limit))
}

// ExpiringOutgoing implements station.Tx.
func (t *tx) ExpiringOutgoing(at time.Time, limit int) ([]station.Outgoing, error) {
	return t.outgoing("WHERE until IS NOT NULL AND state IN (1, 2) AND until <= ? ORDER BY until, ord LIMIT ?", at.Unix(), all(limit))
}

// CountOutgoing implements station.Tx.
func (t *tx) CountOutgoing(line identity.Line, state station.OutState) (map[message.Precedence]int, error) {
	counts := make(map[message.Precedence]int)
	err := t.each(func(r *sql.Rows) error {
		var p message.Precedence
		var n int
		if err := r.Scan(&p, &n); err != nil {
			return err
		}
		counts[p] = n
		return nil
	}, "SELECT precedence, count(*) FROM outgoing WHERE line = ? AND state = ? GROUP BY precedence", line.String(), state)
	return counts, err
}

// NextOrder implements station.Tx.
func (t *tx) NextOrder() (int64, error) {
	if err := t.put("INSERT INTO counters (name, value) VALUES ('order', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"); err != nil {
		return 0, err
	}
	var n int64
	return n, t.q.row("SELECT value FROM counters WHERE name = 'order'").Scan(&n)
}
