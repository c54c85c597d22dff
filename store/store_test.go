package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"detente/station"
	"detente/store"
	"detente/store/memory"
	"detente/store/storetest"
)

var ctx = context.Background()

func open(t testing.TB, dir string, f station.Finish) *store.Store {
	t.Helper()
	s, err := store.Open(ctx, dir, store.Options{Finish: f})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, f station.Finish) station.Store { return open(t, t.TempDir(), f) })
}

// Two processes cannot open one directory.
// covers P4
func TestLock(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	if _, err := store.Open(ctx, dir, store.Options{}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second store on one directory: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, nil).Close(); err != nil {
		t.Error(err)
	}
}

// What was acknowledged is there after opening anew, and in a backup taken
// while the store ran.
// covers P1 P21
func TestReopenAndBackup(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := s.Update(ctx, func(tx station.Tx) error { return tx.PutSetting(string(rune('A'+i)), []byte("v")) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	backup := filepath.Join(t.TempDir(), "station.db")
	if err := s.Backup(ctx, backup); err != nil {
		t.Fatal(err)
	}
	if found, err := s.Check(ctx); err != nil || len(found) > 0 {
		t.Errorf("check found %v, %v", found, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(ctx, func(station.Tx) error { return nil }); err == nil {
		t.Error("a closed store takes a transaction")
	}
	for _, d := range []string{dir, filepath.Dir(backup)} {
		s := open(t, d, nil)
		err := s.View(ctx, func(tx station.Tx) error {
			for i := range 50 {
				if v, err := tx.Setting(string(rune('A' + i))); err != nil || string(v) != "v" {
					t.Errorf("%s: setting %d is %q, %v", d, i, v, err)
				}
			}
			return nil
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Error(err)
		}
	}
}

// What FTS5 finds is what looking at each message finds.
func TestSameFound(t *testing.T) {
	for seed := range uint64(8) {
		a, b := open(t, t.TempDir(), nil), memory.Open(memory.NewDisk(), nil, nil)
		storetest.SameFound(t, seed, a, b)
		if err := errors.Join(a.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	}
}
