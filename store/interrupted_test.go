package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/station"
	"detente/store"
)

// keep makes a store that holds a word, and returns its directory.
func keep(t *testing.T, word string) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir, nil)
	err := s.Update(ctx, func(tx station.Tx) error { return tx.PutSetting("word", []byte(word)) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// kept opens a directory and returns the word in it.
func kept(t *testing.T, dir string) (word string, err error) {
	t.Helper()
	s, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		return "", err
	}
	err = s.View(ctx, func(tx station.Tx) error {
		v, err := tx.Setting("word")
		word = string(v)
		return err
	})
	return word, errors.Join(err, s.Close())
}

// A restore that breaks off leaves the old store, or a directory that is refused
// with the command to give again, and never an empty store. Given again it is
// done.
// covers P21
func TestInterruptedRestore(t *testing.T) {
	move := func(t *testing.T, dir, name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "before-20261123T140000Z"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, "before-20261123T140000Z", name)); err != nil {
			t.Fatal(err)
		}
	}
	half := func(t *testing.T, dir string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "station.db.next"), []byte("half a co"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, left := range map[string]func(t *testing.T, dir string){
		"while it copies": half,
		"between the store and its log of changes": func(t *testing.T, dir string) {
			half(t, dir)
			move(t, dir, "station.db")
			if err := os.WriteFile(filepath.Join(dir, "station.db-wal"), []byte("of the old store"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"before the copy takes its place": func(t *testing.T, dir string) {
			half(t, dir)
			move(t, dir, "station.db")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, copied := keep(t, "old"), keep(t, "copied")
			backup := filepath.Join(copied, "station.db")
			left(t, dir)
			word, err := kept(t, dir)
			if (err != nil || word != "old") && (err == nil || !strings.Contains(err.Error(), "detente station restore")) {
				t.Errorf("it opens with %q, %v", word, err)
			}
			if _, err := store.Restore(dir, backup, time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)); err != nil {
				t.Fatal(err)
			}
			if word, err := kept(t, dir); err != nil || word != "copied" {
				t.Errorf("restored once more it opens with %q, %v", word, err)
			}
		})
	}
}

// A directory that the making of the tables left at any step opens, or is
// refused with what to do.
// covers P21
func TestInterruptedMigration(t *testing.T) {
	for name, statements := range map[string]string{
		"before the first table":           "DROP TABLE goose_db_version",
		"before the tables are made":       "DELETE FROM goose_db_version WHERE version_id > 0",
		"with versions that are not noted": "DELETE FROM goose_db_version",
		"with a table of a half-made one":  "DELETE FROM goose_db_version WHERE version_id > 0; CREATE TABLE events (half)",
	} {
		t.Run(name, func(t *testing.T) {
			dir := keep(t, "word")
			undo(t, filepath.Join(dir, "station.db"), statements)
			word, err := kept(t, dir)
			if err != nil && !strings.Contains(err.Error(), "detente station restore") || err != nil != strings.HasPrefix(name, "with") {
				t.Errorf("it opens with %q, %v", word, err)
			}
			if err == nil {
				return
			}
			if _, err := store.Restore(dir, filepath.Join(keep(t, "copied"), "station.db"), time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)); err != nil {
				t.Fatal(err)
			}
			if word, err := kept(t, dir); err != nil || word != "copied" {
				t.Errorf("restored it opens with %q, %v", word, err)
			}
		})
	}
}

// undo takes all tables but the list of versions away, and does what else is
// asked.
func undo(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	drop := dropAll(t, db)
	for _, s := range append(drop, statements) {
		if _, err := db.ExecContext(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// dropAll returns the statements that drop all tables but the list of versions.
func dropAll(t *testing.T, db *sql.DB) (drop []string) {
	t.Helper()
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		drop = append(drop, "DROP TABLE IF EXISTS "+name) // an index takes its own tables with it
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return drop
}
