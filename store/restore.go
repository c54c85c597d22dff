package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// CheckFile asks SQLite whether a copy of a store is whole, without changing it.
func CheckFile(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	var says string
	err = db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&says)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if says != "ok" {
		return fmt.Errorf("the copy is damaged: %s", says)
	}
	return nil
}

// Restore puts a copy, as Backup makes it, in the place of the store in a
// directory that no process has open. What was there is moved aside; its new
// place is returned. A crash on the way leaves either store or the message that
// there is none; both copies are still there.
func Restore(dir, backup string, now time.Time) (aside string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	next := filepath.Join(dir, file+".next")
	if err := copyFile(next, backup); err != nil {
		return "", err
	}
	aside = filepath.Join(dir, "before-"+now.UTC().Format("20060102T150405Z"))
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return "", err
	}
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		err := os.Rename(filepath.Join(dir, name), filepath.Join(aside, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return aside, err
		}
	}
	return aside, os.Rename(next, filepath.Join(dir, file))
}

func copyFile(to, from string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Sync(), w.Close())
}
