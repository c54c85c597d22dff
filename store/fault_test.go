package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"detente/station"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/vfs"
)

// onDisk opens a store over a disk of the test's own.
func onDisk(t *testing.T, d *disk, dir string) *Store {
	t.Helper()
	name := fmt.Sprintf("test-%p", d)
	vfs.Register(name, d)
	t.Cleanup(func() { vfs.Unregister(name) })
	s, err := openDriver(t.Context(), dir, Options{}, "sqlite3", "&vfs="+name, withoutIndex(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// withoutIndex are the steps by which the tables are made, but for the index: the
// driver that lets a disk of Go stand beneath has no FTS5. A store that it leaves
// gets the index when the driver that ships opens it.
func withoutIndex(t *testing.T) fs.FS {
	t.Helper()
	steps := fstest.MapFS{}
	all, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "fts5") {
			steps[name] = &fstest.MapFile{Data: text}
		}
	}
	return steps
}

// pairOf is what one transaction writes under two names: it is there under
// both, or under none.
func pairOf(i int) (a, b string, value []byte) {
	return fmt.Sprintf("a/%d", i), fmt.Sprintf("b/%d", i), bytes.Repeat([]byte{byte(i), 'x'}, 1+i*997%6000)
}

func put(s *Store, i int) error {
	return s.Update(context.Background(), func(tx station.Tx) error {
		a, b, v := pairOf(i)
		return errors.Join(tx.PutSetting(a, v), tx.PutSetting(b, v))
	})
}

// wantPairs opens a store anew, with the driver that ships, and looks for what
// was acknowledged, and for halves.
func wantPairs(t *testing.T, dir string, acknowledged map[int]bool, tried int) {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatalf("it does not open again: %v", err)
	}
	found, err := s.Check(t.Context())
	if err != nil || len(found) > 0 {
		t.Errorf("SQLite finds %v, %v", found, err)
	}
	err = s.View(t.Context(), func(tx station.Tx) error {
		for i := range tried {
			a, b, v := pairOf(i)
			one, err := tx.Setting(a)
			if err != nil {
				return err
			}
			two, err := tx.Setting(b)
			if err != nil {
				return err
			}
			if !bytes.Equal(one, two) || one != nil && !bytes.Equal(one, v) {
				t.Errorf("transaction %d is there by half", i)
			}
			if acknowledged[i] && one == nil {
				t.Errorf("transaction %d was acknowledged and is lost", i)
			}
		}
		return nil
	})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
}

const tries = 60

// The power fails at any write or sync; writes that were not synced are lost,
// torn or reordered. What was acknowledged is there, and nothing by half.
// covers P1 P21
func TestPowerLoss(t *testing.T) {
	died := 0
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		d := newDisk(random)
		s := onDisk(t, d, t.TempDir())
		d.plan(1+random.IntN(500), 0)
		acknowledged := make(map[int]bool)
		for i := range tries {
			acknowledged[i] = put(s, i) == nil
		}
		if d.dead {
			died++
		}
		left := t.TempDir()
		if err := d.leave(left); err != nil {
			t.Fatal(err)
		}
		_ = s.Close() // its disk is dead
		wantPairs(t, left, acknowledged, tries)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if died < 20 {
		t.Errorf("the power failed in %d of 40 runs only", died)
	}
}

// One write or sync fails, or finds the disk full, and the next do not. The
// store says so to whom it concerns, and goes on.
// covers P1 P21
func TestFailingDisk(t *testing.T) {
	for _, code := range []sqlite3.ErrorCode{sqlite3.IOERR, sqlite3.FULL} {
		refused := 0
		for seed := range uint64(30) {
			random := rand.New(rand.NewPCG(seed, 2))
			d := newDisk(random)
			dir := t.TempDir()
			s := onDisk(t, d, dir)
			d.plan(1+random.IntN(300), code)
			acknowledged := make(map[int]bool)
			for i := range tries {
				err := put(s, i)
				acknowledged[i] = err == nil
				if err != nil {
					refused++
				}
			}
			if !acknowledged[tries-1] {
				t.Errorf("seed %d: the store did not go on after %v", seed, code)
			}
			if err := s.Close(); err != nil {
				t.Logf("closing: %v", err) // the trouble may come here
			}
			wantPairs(t, dir, acknowledged, tries)
			if t.Failed() {
				t.Fatalf("seed %d, %v", seed, code)
			}
		}
		if refused == 0 {
			t.Errorf("no transaction met %v", code)
		}
	}
}

// A disk that is full is told as that, and takes transactions again once there
// is room.
// covers P21
func TestFull(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.cache.exec("PRAGMA max_page_count = 1"); err != nil { // SQLite raises it to the present size
		t.Fatal(err)
	}
	acknowledged := make(map[int]bool)
	full := false
	for i := range tries {
		err := put(s, i)
		acknowledged[i] = err == nil
		full = full || errors.Is(err, station.ErrFull)
	}
	if !full {
		t.Error("the store filled and did not say so")
	}
	if _, err := s.cache.exec("PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	if err := put(s, tries); err != nil {
		t.Errorf("with room again: %v", err)
	}
	acknowledged[tries] = true
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantPairs(t, dir, acknowledged, tries+1)
}
