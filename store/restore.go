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
// place is returned. A crash on the way leaves either store, or neither in its
// place, which Open refuses with the command to give again; both copies are
// still there.
func Restore(dir, backup string, now time.Time) (aside string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	next := filepath.Join(dir, nextFile)
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
	if err := syncDir(dir); err != nil {
		return aside, err // else the new store could stand beside the old one's log of changes
	}
	return aside, errors.Join(os.Rename(next, filepath.Join(dir, file)), syncDir(dir))
}

// nextFile is a copy that is about to take the store's place.
const nextFile = file + ".next"

// syncDir makes the renaming of files in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// restored returns an error where a restore broke off between the old store and
// the new one: an empty store must not be made in their place.
func restored(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, file)); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, nextFile)); errors.Is(err, os.ErrNotExist) {
		return nil // a new store
	} else if err != nil {
		return err
	}
	return fmt.Errorf("%s: a restore broke off before the copy took the store's place: run `detente station restore FILE` again; what was there lies in the folder before-… beside it", dir)
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
