package store

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/identity"
	"detente/journal"

	"golang.org/x/mod/sumdb/tlog"
)

// tx is one transaction.
type tx struct {
	q        *statements
	writable bool
}

// unix writes a time as whole seconds; the zero time as NULL.
func unix(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// fromUnix reads what unix wrote.
func fromUnix(v sql.NullInt64) time.Time {
	if !v.Valid {
		return time.Time{}
	}
	return time.Unix(v.Int64, 0).UTC()
}

// put runs a statement that writes.
func (t *tx) put(query string, args ...any) error {
	if !t.writable {
		return errors.New("internal error: a reading transaction was asked to write")
	}
	_, err := t.q.exec(query, args...)
	return err
}

// each calls scan for each row of a query.
func (t *tx) each(scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := t.q.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// logID returns the row of a log; false where it has none.
func (t *tx) logID(o identity.Origin) (int64, bool, error) {
	if id, ok := t.q.memo.ids[o]; ok {
		return id, true, nil
	}
	var id int64
	err := t.q.row("SELECT id FROM logs WHERE origin = ?", o.String()).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	keep(t.q.memo.ids, o, id)
	return id, true, nil
}

// makeLog returns the row of a log, and makes an empty one where it has none.
func (t *tx) makeLog(o identity.Origin) (int64, error) {
	id, ok, err := t.logID(o)
	if err != nil || ok {
		return id, err
	}
	if !t.writable {
		return 0, errors.New("internal error: a reading transaction was asked to write")
	}
	res, err := t.q.exec("INSERT INTO logs (origin, own, size, root, edge, pending_size, next) VALUES (?, 0, -1, x'', x'', 0, 0)", o.String())
	if err != nil {
		return 0, err
	}
	if id, err = res.LastInsertId(); err == nil {
		keep(t.q.memo.ids, o, id)
	}
	return id, err
}

// errSpoiled says that a row is not what was written.
var errSpoiled = errors.New("is spoiled on the disk: stop the station and restore a backup: it heals from the counterpart's copy at the next start")

// Log implements journal.Tx. A row that only holds messages or receipts, made
// before the log's own, counts as none.
func (t *tx) Log(o identity.Origin) (journal.Log, bool, error) {
	if known, ok := t.q.memo.logs[o]; ok {
		return known, true, nil
	}
	l := journal.Log{Origin: o}
	var root, edge, endRoot []byte
	var endSize sql.NullInt64
	err := t.q.row("SELECT own, size, root, edge, checkpoint, pending, pending_size, next, end_size, end_root FROM logs WHERE origin = ? AND size >= 0", o.String()).
		Scan(&l.Own, &l.Size, &root, &edge, &l.Checkpoint, &l.Pending, &l.PendingSize, &l.Next, &endSize, &endRoot)
	if errors.Is(err, sql.ErrNoRows) {
		return journal.Log{}, false, nil
	}
	if err != nil {
		return journal.Log{}, false, err
	}
	if len(root) != tlog.HashSize || len(edge)%tlog.HashSize != 0 || endSize.Valid && len(endRoot) != tlog.HashSize {
		return journal.Log{}, false, fmt.Errorf("the row of log %s %w", o, errSpoiled)
	}
	l.Root = tlog.Hash(root)
	for b := range slices.Chunk(edge, tlog.HashSize) {
		l.Edge = append(l.Edge, tlog.Hash(b))
	}
	if endSize.Valid {
		l.Ended = &journal.End{Size: endSize.Int64, Root: tlog.Hash(endRoot)}
	}
	keep(t.q.memo.logs, o, l)
	return l, true, nil
}

// PutLog implements journal.Tx.
func (t *tx) PutLog(l journal.Log) error {
	id, err := t.makeLog(l.Origin)
	if err != nil {
		return err
	}
	var edge []byte
	for _, h := range l.Edge {
		edge = append(edge, h[:]...)
	}
	var endSize, endRoot any
	if l.Ended != nil {
		endSize, endRoot = l.Ended.Size, l.Ended.Root[:]
	}
	err = t.put("UPDATE logs SET own = ?, size = ?, root = ?, edge = ?, checkpoint = ?, pending = ?, pending_size = ?, next = ?, end_size = ?, end_root = ? WHERE id = ?",
		l.Own, l.Size, l.Root[:], notNull(edge), l.Checkpoint, l.Pending, l.PendingSize, l.Next, endSize, endRoot, id)
	if err == nil {
		keep(t.q.memo.logs, l.Origin, l)
	}
	return err
}

func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Entry implements journal.Tx.
func (t *tx) Entry(o identity.Origin, index int64) ([]byte, error) {
	id, ok, err := t.logID(o)
	if err != nil {
		return nil, err
	}
	var data []byte
	if ok {
		err = t.q.row("SELECT data FROM entries WHERE log = ? AND idx = ?", id, index).Scan(&data)
	}
	if !ok || errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %d of %s", journal.ErrNoEntry, index, o)
	}
	return data, err
}

// Entries implements journal.Tx.
func (t *tx) Entries(o identity.Origin, from, to int64) ([][]byte, error) {
	if from >= to {
		return nil, nil
	}
	id, ok, err := t.logID(o)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	if ok {
		err = t.each(func(r *sql.Rows) error {
			var data []byte
			defer func() { out = append(out, data) }()
			return r.Scan(&data)
		}, "SELECT data FROM entries WHERE log = ? AND idx >= ? AND idx < ? ORDER BY idx", id, from, to)
	}
	if err == nil && int64(len(out)) != to-from {
		err = fmt.Errorf("%w: %d to %d of %s", journal.ErrNoEntry, from, to-1, o)
	}
	return out, err
}

// PutEntries implements journal.Tx.
func (t *tx) PutEntries(o identity.Origin, from int64, entries [][]byte) error {
	id, err := t.makeLog(o)
	if err != nil {
		return err
	}
	held, ok := t.q.memo.held[id]
	if !ok {
		if err := t.q.row("SELECT coalesce(max(idx) + 1, 0) FROM entries WHERE log = ?", id).Scan(&held); err != nil {
			return err
		}
	}
	if held != from {
		return fmt.Errorf("%w: %s holds %d entries, and others were put from %d", journal.ErrMoved, o, held, from)
	}
	for i, e := range entries {
		if err := t.put("INSERT INTO entries (log, idx, data) VALUES (?, ?, ?)", id, from+int64(i), e); err != nil {
			return err
		}
	}
	keep(t.q.memo.held, id, from+int64(len(entries)))
	return nil
}

// Hashes implements journal.Tx.
func (t *tx) Hashes(o identity.Origin, indexes []int64) ([]tlog.Hash, error) {
	id, ok, err := t.logID(o)
	if err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		var h []byte
		if ok {
			err = t.q.row("SELECT hash FROM hashes WHERE log = ? AND idx = ?", id, x).Scan(&h)
		}
		if !ok || errors.Is(err, sql.ErrNoRows) || err == nil && len(h) != tlog.HashSize {
			return nil, fmt.Errorf("%w: stored hash %d of %s", journal.ErrNoEntry, x, o)
		}
		if err != nil {
			return nil, err
		}
		out[i] = tlog.Hash(h)
	}
	return out, nil
}

// PutHashes implements journal.Tx.
func (t *tx) PutHashes(o identity.Origin, first int64, hashes []tlog.Hash) error {
	id, err := t.makeLog(o)
	if err != nil {
		return err
	}
	for i, h := range hashes {
		if err := t.put("INSERT OR REPLACE INTO hashes (log, idx, hash) VALUES (?, ?, ?)", id, first+int64(i), h[:]); err != nil {
			return err
		}
	}
	return nil
}

// PutCosignature implements journal.Tx.
func (t *tx) PutCosignature(c journal.Cosignature) error {
	last, ok, err := t.LastCosignature(c.Origin, c.By)
	if err != nil {
		return err
	}
	newest := !ok || c.Size > last.Size
	if !newest {
		before, ok, err := t.Cosignature(c.Origin, c.By, c.Size)
		if err != nil {
			return err
		}
		if ok {
			if bytes.Equal(before.Lines, c.Lines) {
				return nil
			}
			return fmt.Errorf("%w: %s over %s at %d", journal.ErrSecondTime, c.By, c.Origin, c.Size)
		}
	}
	id, err := t.makeLog(c.Origin)
	if err != nil {
		return err
	}
	err = t.put("INSERT INTO cosignatures (log, by, size, root, at, lines, checkpoint) VALUES (?, ?, ?, ?, ?, ?, ?)",
		id, c.By, c.Size, c.Root[:], c.At.Unix(), c.Lines, c.Checkpoint)
	if err == nil && newest {
		keep(t.q.memo.last, cosignedBy{c.Origin, c.By}, c)
	}
	return err
}

// MendEntry implements station.Tx.
func (t *tx) MendEntry(o identity.Origin, index int64, entry []byte) error {
	id, err := t.makeLog(o)
	if err != nil {
		return err
	}
	delete(t.q.memo.held, id)
	return t.put("INSERT OR REPLACE INTO entries (log, idx, data) VALUES (?, ?, ?)", id, index, entry)
}

// MendCosignature implements station.Tx.
func (t *tx) MendCosignature(c journal.Cosignature) error {
	id, err := t.makeLog(c.Origin)
	if err != nil {
		return err
	}
	delete(t.q.memo.last, cosignedBy{c.Origin, c.By})
	return t.put("INSERT OR REPLACE INTO cosignatures (log, by, size, root, at, lines, checkpoint) VALUES (?, ?, ?, ?, ?, ?, ?)",
		id, c.By, c.Size, c.Root[:], c.At.Unix(), c.Lines, c.Checkpoint)
}

// cosigned runs a query for cosignatures of one cosigner on one log.
func (t *tx) cosigned(o identity.Origin, by, rest string, args ...any) ([]journal.Cosignature, error) {
	id, ok, err := t.logID(o)
	if err != nil || !ok {
		return nil, err
	}
	var out []journal.Cosignature
	err = t.each(func(r *sql.Rows) error {
		c := journal.Cosignature{Origin: o, By: by}
		var root []byte
		var at int64
		if err := r.Scan(&c.Size, &root, &at, &c.Lines, &c.Checkpoint); err != nil {
			return err
		}
		if len(root) != tlog.HashSize {
			return fmt.Errorf("the cosignature of %s over %s at %d %w", by, o, c.Size, errSpoiled)
		}
		c.Root, c.At = tlog.Hash(root), time.Unix(at, 0).UTC()
		out = append(out, c)
		return nil
	}, "SELECT size, root, at, lines, checkpoint FROM cosignatures WHERE log = ? AND by = ? "+rest, append([]any{id, by}, args...)...)
	return out, err
}

func one(list []journal.Cosignature, err error) (journal.Cosignature, bool, error) {
	if err != nil || len(list) == 0 {
		return journal.Cosignature{}, false, err
	}
	return list[0], true, nil
}

// Cosignature implements journal.Tx.
func (t *tx) Cosignature(o identity.Origin, by string, size int64) (journal.Cosignature, bool, error) {
	return one(t.cosigned(o, by, "AND size = ?", size))
}

// LastCosignature implements journal.Tx.
func (t *tx) LastCosignature(o identity.Origin, by string) (journal.Cosignature, bool, error) {
	if c, ok := t.q.memo.last[cosignedBy{o, by}]; ok {
		return c, true, nil
	}
	c, ok, err := one(t.cosigned(o, by, "ORDER BY size DESC LIMIT 1"))
	if err == nil && ok {
		keep(t.q.memo.last, cosignedBy{o, by}, c)
	}
	return c, ok, err
}

// CosignatureCovering implements journal.Tx.
func (t *tx) CosignatureCovering(o identity.Origin, by string, index int64) (journal.Cosignature, bool, error) {
	return one(t.cosigned(o, by, "AND size > ? ORDER BY size LIMIT 1", index))
}

// CosignaturesAfter implements journal.Tx.
func (t *tx) CosignaturesAfter(o identity.Origin, by string, size int64, limit int) ([]journal.Cosignature, error) {
	return t.cosigned(o, by, "AND size > ? ORDER BY size LIMIT ?", size, all(limit))
}

// all turns "no limit" into SQLite's.
func all(limit int) int {
	if limit <= 0 {
		return -1
	}
	return limit
}
