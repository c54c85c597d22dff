package store

import (
	"database/sql"
	"strings"

	"detente/station"
)

// Counters of the index, beside the queue's.
const (
	counterIndexed    = "indexed"
	counterGeneration = "index generation"
)

// IndexState implements station.IndexTx.
func (t *tx) IndexState() (s station.IndexState, err error) {
	err = t.each(func(r *sql.Rows) error {
		var name string
		var value int64
		if err := r.Scan(&name, &value); err != nil {
			return err
		}
		switch name {
		case counterIndexed:
			s.To = value
		case counterGeneration:
			s.Generation = value
		}
		return nil
	}, "SELECT name, value FROM counters WHERE name IN (?, ?)", counterIndexed, counterGeneration)
	return s, err
}

// PutIndexed implements station.IndexTx.
func (t *tx) PutIndexed(list []station.Indexed) error {
	for _, m := range list {
		if err := t.put("INSERT INTO search (rowid, words) VALUES (?, ?)", m.Seq, strings.Join(m.Words, " ")); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1].Seq
	return t.put("INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", counterIndexed, last)
}

// Reindex implements station.IndexTx. The index holds no content, so that what it
// forgets has to be named.
func (t *tx) Reindex(before, now station.Indexed) error {
	if err := t.put("INSERT INTO search (search, rowid, words) VALUES ('delete', ?, ?)", before.Seq, strings.Join(before.Words, " ")); err != nil {
		return err
	}
	return t.put("INSERT INTO search (rowid, words) VALUES (?, ?)", now.Seq, strings.Join(now.Words, " "))
}

// EachIndexed implements station.IndexTx.
func (t *tx) EachIndexed(do func(seq int64, word string)) error {
	return t.each(func(r *sql.Rows) error {
		var seq int64
		var word string
		if err := r.Scan(&seq, &word); err != nil {
			return err
		}
		do(seq, word)
		return nil
	}, "SELECT doc, term FROM search_words")
}

// dropIndex empties the index. It costs the same however much is in it.
func (t *tx) dropIndex() error {
	if err := t.put("INSERT INTO search (search) VALUES ('delete-all')"); err != nil {
		return err
	}
	if err := t.put("DELETE FROM counters WHERE name = ?", counterIndexed); err != nil {
		return err
	}
	return t.put("INSERT INTO counters (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", counterGeneration)
}

// MessagesAfter implements station.IndexTx.
func (t *tx) MessagesAfter(seq int64, limit int) ([]station.Message, error) {
	return t.messages("WHERE m.seq > ? ORDER BY m.seq LIMIT ?", seq, all(limit))
}

// CountAfter implements station.IndexTx.
func (t *tx) CountAfter(seq int64, most int) (n int, err error) {
	err = t.each(func(r *sql.Rows) error { return r.Scan(&n) }, "SELECT count(*) FROM (SELECT 1 FROM messages WHERE seq > ? LIMIT ?)", seq, most)
	return n, err
}

// FindMessages implements station.IndexTx.
func (t *tx) FindMessages(terms []station.Term, before int64, limit int) ([]station.Message, error) {
	if before <= 0 {
		before = 1 << 62
	}
	return t.messages("WHERE m.seq IN (SELECT rowid FROM search WHERE search MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?) ORDER BY m.seq DESC",
		match(terms), before, all(limit))
}

// match writes terms as FTS5 reads them: each a string, all of them needed.
func match(terms []station.Term) string {
	var b strings.Builder
	for i, t := range terms {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(`"` + strings.ReplaceAll(t.Text, `"`, `""`) + `"`)
		if !t.Whole {
			b.WriteString("*")
		}
	}
	return b.String()
}
