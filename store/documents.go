package store

import (
	"database/sql"
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/station"
)

// Small things are kept as documents: a kind, a name, and JSON.
const (
	kindPeer    = "peer"
	kindLine    = "line"
	kindOfficer = "officer"
	kindToken   = "token"
	kindSetting = "setting"
)

func putDocument[T any](t *tx, kind, name string, v T) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := t.put("INSERT OR REPLACE INTO documents (kind, name, body) VALUES (?, ?, ?)", kind, name, body); err != nil {
		return err
	}
	keep[documentKey, any](t.q.memo.document, documentKey{kind, name}, v)
	return nil
}

func document[T any](t *tx, kind, name string) (T, error) {
	var v T
	if known, ok := t.q.memo.document[documentKey{kind, name}].(T); ok {
		return known, nil
	}
	var body []byte
	err := t.q.row("SELECT body FROM documents WHERE kind = ? AND name = ?", kind, name).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return v, fmt.Errorf("%s %s: %w", kind, name, station.ErrNotFound)
	}
	if err == nil {
		err = json.Unmarshal(body, &v)
	}
	if err == nil {
		keep[documentKey, any](t.q.memo.document, documentKey{kind, name}, v)
	}
	return v, err
}

func documents[T any](t *tx, kind string) ([]T, error) {
	var list []T
	err := t.each(func(r *sql.Rows) error {
		var body []byte
		if err := r.Scan(&body); err != nil {
			return err
		}
		var v T
		defer func() { list = append(list, v) }()
		return json.Unmarshal(body, &v)
	}, "SELECT body FROM documents WHERE kind = ? ORDER BY name", kind)
	return list, err
}

// PutPeer implements station.Tx.
func (t *tx) PutPeer(p station.Peer) error { return putDocument(t, kindPeer, string(p.Station), p) }

// Peer implements station.Tx.
func (t *tx) Peer(s identity.Station) (station.Peer, error) {
	return document[station.Peer](t, kindPeer, string(s))
}

// Peers implements station.Tx.
func (t *tx) Peers() ([]station.Peer, error) { return documents[station.Peer](t, kindPeer) }

// PutLine implements station.Tx.
func (t *tx) PutLine(l station.Line) error { return putDocument(t, kindLine, l.Line.String(), l) }

// Line implements station.Tx.
func (t *tx) Line(l identity.Line) (station.Line, error) {
	return document[station.Line](t, kindLine, l.String())
}

// Lines implements station.Tx.
func (t *tx) Lines() ([]station.Line, error) { return documents[station.Line](t, kindLine) }

// PutOfficer implements station.Tx.
func (t *tx) PutOfficer(o station.Officer) error { return putDocument(t, kindOfficer, o.Pseudonym, o) }

// Officer implements station.Tx.
func (t *tx) Officer(pseudonym string) (station.Officer, error) {
	return document[station.Officer](t, kindOfficer, pseudonym)
}

// Officers implements station.Tx.
func (t *tx) Officers() ([]station.Officer, error) {
	return documents[station.Officer](t, kindOfficer)
}

// PutToken implements station.Tx.
func (t *tx) PutToken(k station.Token) error { return putDocument(t, kindToken, k.Digest.String(), k) }

// Token implements station.Tx.
func (t *tx) Token(d identity.Digest) (station.Token, error) {
	return document[station.Token](t, kindToken, d.String())
}

// Tokens implements station.Tx.
func (t *tx) Tokens() ([]station.Token, error) { return documents[station.Token](t, kindToken) }

// Setting implements station.Tx.
func (t *tx) Setting(name string) ([]byte, error) {
	key := documentKey{kindSetting, name}
	if known, ok := t.q.memo.document[key].([]byte); ok {
		return known, nil
	}
	var body []byte
	err := t.q.row("SELECT body FROM documents WHERE kind = ? AND name = ?", kindSetting, name).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		keep[documentKey, any](t.q.memo.document, key, body)
	}
	return body, err
}

// PutSetting implements station.Tx.
func (t *tx) PutSetting(name string, value []byte) error {
	delete(t.q.memo.document, documentKey{kindSetting, name}) // read anew when asked for
	if value == nil {
		return t.put("DELETE FROM documents WHERE kind = ? AND name = ?", kindSetting, name)
	}
	return t.put("INSERT OR REPLACE INTO documents (kind, name, body) VALUES (?, ?, ?)", kindSetting, name, value)
}

// PutBlob implements station.Tx.
func (t *tx) PutBlob(b station.Blob) error {
	body, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return t.put("INSERT OR REPLACE INTO blobs (hash, state, body) VALUES (?, ?, ?)", b.Hash[:], b.State, body)
}

func (t *tx) blobs(rest string, args ...any) ([]station.Blob, error) {
	var list []station.Blob
	err := t.each(func(r *sql.Rows) error {
		var body []byte
		if err := r.Scan(&body); err != nil {
			return err
		}
		var b station.Blob
		defer func() { list = append(list, b) }()
		return json.Unmarshal(body, &b)
	}, "SELECT body FROM blobs "+rest, args...)
	return list, err
}

// Blob implements station.Tx.
func (t *tx) Blob(hash identity.Digest) (station.Blob, error) {
	list, err := t.blobs("WHERE hash = ?", hash[:])
	if err != nil {
		return station.Blob{}, err
	}
	if len(list) == 0 {
		return station.Blob{}, fmt.Errorf("blob %s: %w", hash, station.ErrNotFound)
	}
	return list[0], nil
}

// BlobsIn implements station.Tx.
func (t *tx) BlobsIn(state station.BlobState, after identity.Digest, limit int) ([]station.Blob, error) {
	return t.blobs("WHERE state = ? AND hash > ? ORDER BY hash LIMIT ?", state, after[:], all(limit))
}

// PutEvidence implements station.Tx. The same evidence again changes nothing.
func (t *tx) PutEvidence(e station.Evidence) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return t.put("INSERT INTO evidence (body) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM evidence WHERE body = ?)", body, body)
}

// Evidences implements station.Tx.
func (t *tx) Evidences(limit int) ([]station.Evidence, error) {
	var list []station.Evidence
	err := t.each(func(r *sql.Rows) error {
		var body []byte
		if err := r.Scan(&body); err != nil {
			return err
		}
		var e station.Evidence
		defer func() { list = append(list, e) }()
		return json.Unmarshal(body, &e)
	}, "SELECT body FROM evidence ORDER BY number LIMIT ?", all(limit))
	return list, err
}

// AppendAudit implements station.Tx.
func (t *tx) AppendAudit(a station.Audit) (station.Audit, error) {
	last := &t.q.memo.audit
	if !last.known {
		var hash []byte
		err := t.q.row("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").Scan(&last.number, &hash)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return a, err
		}
		copy(last.hash[:], hash)
	}
	a.Number = last.number + 1
	a.Hash = station.AuditHash(last.hash, a)
	err := t.put("INSERT INTO audit (number, at, actor, act, object, result, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		a.Number, a.At.Unix(), a.Actor, a.Act, a.Object, a.Result, a.Detail, a.Hash[:])
	*last = lastAudit{known: err == nil, number: a.Number, hash: a.Hash}
	return a, err
}

// Audits implements station.Tx.
func (t *tx) Audits(from int64, limit int) ([]station.Audit, error) {
	return t.audits("WHERE number >= ? ORDER BY number LIMIT ?", from, all(limit))
}

// LastAudit implements station.Tx. It reads the row, whatever the memo holds of
// it: it is asked whether the row is there.
func (t *tx) LastAudit() (station.Audit, error) {
	list, err := t.audits("ORDER BY number DESC LIMIT 1")
	if err != nil || len(list) == 0 {
		return station.Audit{}, err
	}
	return list[0], nil
}

func (t *tx) audits(rest string, args ...any) ([]station.Audit, error) {
	var list []station.Audit
	err := t.each(func(r *sql.Rows) error {
		var a station.Audit
		var at int64
		var hash []byte
		if err := r.Scan(&a.Number, &at, &a.Actor, &a.Act, &a.Object, &a.Result, &a.Detail, &hash); err != nil {
			return err
		}
		a.At = time.Unix(at, 0).UTC()
		copy(a.Hash[:], hash)
		list = append(list, a)
		return nil
	}, "SELECT number, at, actor, act, object, result, detail, hash FROM audit "+rest, args...)
	return list, err
}

// AppendEvent implements station.Tx.
func (t *tx) AppendEvent(e station.Event) (station.Event, error) {
	if !t.writable {
		return e, errors.New("internal error: a reading transaction was asked to write")
	}
	res, err := t.q.exec("INSERT INTO events (at, kind, ref, text) VALUES (?, ?, ?, ?)", e.At.Unix(), e.Kind, e.Ref, e.Text)
	if err != nil {
		return e, err
	}
	e.Number, err = res.LastInsertId()
	return e, err
}

// EventsAfter implements station.Tx.
func (t *tx) EventsAfter(number int64, limit int) ([]station.Event, error) {
	var list []station.Event
	err := t.each(func(r *sql.Rows) error {
		var e station.Event
		var at int64
		if err := r.Scan(&e.Number, &at, &e.Kind, &e.Ref, &e.Text); err != nil {
			return err
		}
		e.At = time.Unix(at, 0).UTC()
		list = append(list, e)
		return nil
	}, "SELECT number, at, kind, ref, text FROM events WHERE number > ? ORDER BY number LIMIT ?", number, all(limit))
	return list, err
}

// LastEvent implements station.Tx.
func (t *tx) LastEvent() (n int64, err error) {
	err = t.each(func(r *sql.Rows) error { return r.Scan(&n) }, "SELECT coalesce(max(number), 0) FROM events")
	return n, err
}

var _ station.Tx = (*tx)(nil)
