package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/message"
	"detente/station"
)

// PutMessage implements station.Tx.
func (t *tx) PutMessage(m station.Message) error {
	log, err := t.makeLog(m.Origin)
	if err != nil {
		return err
	}
	var id any
	if m.ID != (message.ID{}) {
		id = m.ID[:]
	}
	err = t.put(`INSERT INTO messages (log, idx, id, format, precedence, at, plain, refs, provisional, problem, field) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (log, idx) DO UPDATE SET id = excluded.id, format = excluded.format, precedence = excluded.precedence, at = excluded.at, plain = excluded.plain,
		refs = excluded.refs, provisional = excluded.provisional, problem = excluded.problem, field = excluded.field`,
		log, m.Index, id, string(m.Format), m.Precedence, unix(m.At), m.Plain, packRefs(m.Refs), m.Provisional, m.Problem, m.Field)
	if err != nil || len(m.Refs) == 0 {
		return err
	}
	var seq int64
	if err := t.q.row("SELECT seq FROM messages WHERE log = ? AND idx = ?", log, m.Index).Scan(&seq); err != nil {
		return err
	}
	for _, r := range m.Refs {
		if err := t.put("INSERT OR IGNORE INTO refs (target, seq) VALUES (?, ?)", r[:], seq); err != nil {
			return err
		}
	}
	return nil
}

const messageColumns = "SELECT m.seq, l.origin, m.idx, m.id, m.format, m.precedence, m.at, m.plain, m.refs, m.provisional, m.problem, m.field FROM messages m JOIN logs l ON l.id = m.log "

func (t *tx) messages(rest string, args ...any) ([]station.Message, error) {
	var list []station.Message
	err := t.each(func(r *sql.Rows) error {
		var m station.Message
		var origin, format string
		var id, refs []byte
		var at sql.NullInt64
		if err := r.Scan(&m.Seq, &origin, &m.Index, &id, &format, &m.Precedence, &at, &m.Plain, &refs, &m.Provisional, &m.Problem, &m.Field); err != nil {
			return err
		}
		var err error
		if m.Origin, err = identity.ParseOrigin(origin); err != nil {
			return err
		}
		if len(id) == 16 {
			m.ID = message.ID(id)
		}
		m.Format, m.At, m.Refs = message.Format(format), fromUnix(at), unpackRefs(refs)
		list = append(list, m)
		return nil
	}, messageColumns+rest, args...)
	return list, err
}

func (t *tx) message(what string, rest string, args ...any) (station.Message, error) {
	list, err := t.messages(rest, args...)
	if err != nil {
		return station.Message{}, err
	}
	if len(list) == 0 {
		return station.Message{}, fmt.Errorf("message %s: %w", what, station.ErrNotFound)
	}
	return list[0], nil
}

// Message implements station.Tx.
func (t *tx) Message(o identity.Origin, index int64) (station.Message, error) {
	log, ok, err := t.logID(o)
	if err != nil {
		return station.Message{}, err
	}
	if !ok {
		log = -1
	}
	return t.message(fmt.Sprintf("%d of %s", index, o), "WHERE m.log = ? AND m.idx = ?", log, index)
}

// MessageByID implements station.Tx.
func (t *tx) MessageByID(id message.ID) (station.Message, error) {
	return t.message(id.String(), "WHERE m.id = ? ORDER BY m.seq LIMIT 1", id[:])
}

// Messages implements station.Tx.
func (t *tx) Messages(o identity.Origin, from int64, limit int) ([]station.Message, error) {
	log, ok, err := t.logID(o)
	if err != nil || !ok {
		return nil, err
	}
	return t.messages("WHERE m.log = ? AND m.idx >= ? ORDER BY m.idx LIMIT ?", log, from, all(limit))
}

// Referring implements station.Tx.
func (t *tx) Referring(id message.ID) ([]station.Message, error) {
	return t.messages("JOIN refs r ON r.seq = m.seq WHERE r.target = ? ORDER BY m.seq", id[:])
}

// RecentMessages implements station.Tx.
func (t *tx) RecentMessages(before int64, limit int) ([]station.Message, error) {
	if before <= 0 {
		before = 1 << 62
	}
	return t.messages("WHERE m.seq < ? ORDER BY m.seq DESC LIMIT ?", before, all(limit))
}

// DropMessages implements station.Tx.
func (t *tx) DropMessages(l identity.Line) error {
	var ids []int64
	err := t.each(func(r *sql.Rows) error {
		var id int64
		var origin string
		if err := r.Scan(&id, &origin); err != nil {
			return err
		}
		if o, err := identity.ParseOrigin(origin); err == nil && o.Line() == l {
			ids = append(ids, id)
		}
		return nil
	}, "SELECT id, origin FROM logs")
	for _, id := range ids {
		err = errors.Join(err,
			t.put("DELETE FROM refs WHERE seq IN (SELECT seq FROM messages WHERE log = ?)", id),
			t.put("DELETE FROM messages WHERE log = ?", id),
			t.put("DELETE FROM listed WHERE log = ?", id))
	}
	return errors.Join(err, t.dropIndex())
}

// PutListed implements station.Tx. Of two for one size the earlier counts.
func (t *tx) PutListed(l station.Listed) error {
	log, err := t.makeLog(l.Origin)
	if err != nil {
		return err
	}
	return t.put(`INSERT INTO listed (log, seen, size, at, by, idx) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (log, seen, size) DO UPDATE SET at = excluded.at, by = excluded.by, idx = excluded.idx WHERE excluded.at < at`,
		log, l.Seen, l.Size, l.At.Unix(), l.By.String(), l.Index)
}

// ReceiptOf implements station.Tx. The earliest second is not always that of the
// smallest size: a mirror whose store was put back gives a receipt of a smaller
// size later than one of a larger. It costs as much as receipts are listed above
// the index.
func (t *tx) ReceiptOf(o identity.Origin, index int64) (time.Time, error) {
	log, ok, err := t.logID(o)
	if err != nil {
		return time.Time{}, err
	}
	var at time.Time
	for _, seen := range []bool{false, true} {
		var second sql.NullInt64
		if ok {
			if err := t.q.row("SELECT min(at) FROM listed WHERE log = ? AND seen = ? AND size > ?", log, seen, index).Scan(&second); err != nil {
				return at, err
			}
		}
		if s := time.Unix(second.Int64, 0).UTC(); second.Valid && (at.IsZero() || s.Before(at)) {
			at = s
		}
	}
	if at.IsZero() {
		return at, fmt.Errorf("a listed receipt of entry %d of %s: %w", index, o, station.ErrNotFound)
	}
	return at, nil
}

// ListedOf implements station.Tx.
func (t *tx) ListedOf(o identity.Origin) ([]station.Listed, error) {
	log, ok, err := t.logID(o)
	if err != nil || !ok {
		return nil, err
	}
	var list []station.Listed
	err = t.each(func(r *sql.Rows) error {
		l := station.Listed{Origin: o}
		var at int64
		var by string
		if err := r.Scan(&l.Seen, &l.Size, &at, &by, &l.Index); err != nil {
			return err
		}
		l.At = time.Unix(at, 0).UTC()
		var err error
		l.By, err = identity.ParseOrigin(by)
		list = append(list, l)
		return err
	}, "SELECT seen, size, at, by, idx FROM listed WHERE log = ? ORDER BY size, seen", log)
	return list, err
}
