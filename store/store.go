// Package store keeps a station's tables in SQLite.
//
// One writer goroutine commits: whatever calls wait when a commit ends make up
// the next one, each in a savepoint of its own, and the station's hook runs once
// at the end (see station.Store). The database is in WAL mode with
// synchronous=FULL, so that what Update acknowledged survives a loss of power.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"detente/station"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options are how a store is opened.
type Options struct {
	// Finish runs once in each commit. If nil, nothing runs.
	Finish station.Finish
	// MaxBatch is how many calls may share a commit. If zero, 256.
	MaxBatch int
}

// Store is a station.Store in a directory.
type Store struct {
	dir     string
	write   *sql.DB // one connection
	read    *sql.DB
	cache   *statements      // of write; used by the writer goroutine only
	readers chan *statements // of read, a connection each; whoever holds one reads by it
	views   int              // how many they are
	lock    *os.File
	finish  station.Finish
	most    int

	calls chan *call
	done  chan struct{} // closed when the writer goroutine has ended

	mu     sync.RWMutex // guards closed; held for reading while a call is handed over
	closed bool
}

const (
	file         = "station.db"
	lockFile     = "lock"
	defaultBatch = 256
	readers      = 4
	// pragmas of every connection: WAL with a sync at each commit, a modest
	// cache, and patience with a checkpoint of another connection. The log is
	// folded into the file at 4000 pages and no sooner: a message dirties some
	// forty, most of them again at the next.
	pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=wal_autocheckpoint(4000)&_pragma=temp_store(MEMORY)"
)

// ErrLocked says that another process has the directory open.
var ErrLocked = errors.New("another process has this data directory open: stop it first, two would fork the logs")

// Open opens the store in a directory, which it makes where there is none, and
// brings its tables up to date.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	return openDriver(ctx, dir, o, "sqlite", "", migrations)
}

// openDriver opens the store by a driver of database/sql, with more parameters
// for it, and the steps by which its tables are made: tests put a disk of their
// own beneath, by a driver that has no FTS5, and leave the index out.
func openDriver(ctx context.Context, dir string, o Options, driver, params string, steps fs.FS) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	if err := restored(dir); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s := &Store{dir: dir, lock: lock, finish: o.Finish, most: o.MaxBatch, calls: make(chan *call), done: make(chan struct{})}
	if s.most <= 0 {
		s.most = defaultBatch
	}
	if err := s.open(ctx, driver, params, steps); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	go s.run()
	return s, nil
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, ErrLocked), f.Close())
	}
	return f, nil
}

func (s *Store) open(ctx context.Context, driver, params string, steps fs.FS) error {
	path := "file:" + filepath.Join(s.dir, file) + pragmas + params
	var err error
	if s.write, err = sql.Open(driver, path+"&_txlock=immediate&_pragma=cache_size(-8192)"); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := migrate(ctx, s.write, steps); err != nil {
		return errors.Join(err, s.write.Close())
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return errors.Join(err, s.write.Close())
	}
	s.cache = newStatements(conn)
	if s.read, err = sql.Open(driver, path+"&_pragma=query_only(1)&_pragma=cache_size(-2048)"); err != nil {
		return errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(readers + 1) // one for Check
	s.readers = make(chan *statements, readers)
	for range readers {
		conn, err := s.read.Conn(ctx)
		if err != nil {
			return errors.Join(err, s.closeAll())
		}
		s.views++
		s.readers <- newStatements(conn)
	}
	return nil
}

// closeAll closes all connections.
func (s *Store) closeAll() error {
	var err error
	for range s.views {
		err = errors.Join(err, (<-s.readers).close())
	}
	return errors.Join(err, s.cache.close(), s.write.Close(), s.read.Close())
}

func migrate(ctx context.Context, db *sql.DB, all fs.FS) error {
	steps, err := fs.Sub(all, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, steps)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the tables up to date: %w; the data are as they were: start again, or put the backup made before the upgrade back with `detente station restore FILE`", err)
	}
	return nil
}

// Close waits for the transactions under way and closes the store. Calls after
// it fail.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.calls)
	<-s.done
	return errors.Join(s.closeAll(), s.lock.Close())
}

// Backup writes a consistent copy of the database to a new file while the store
// runs.
func (s *Store) Backup(ctx context.Context, dest string) error {
	if _, err := os.Stat(dest); err == nil {
		return fmt.Errorf("backup: %s exists: name a new file", dest)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, file)+pragmas)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", dest)
	if err = errors.Join(err, db.Close()); err != nil {
		_ = os.Remove(dest) // half a copy is none
		return fmt.Errorf("backup: %w", err)
	}
	f, err := os.OpenFile(dest, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Check asks SQLite whether the file is in order, and returns what it says is
// not.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, "PRAGMA integrity_check")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return found, err
		}
		if line != "ok" {
			found = append(found, line)
		}
	}
	return found, rows.Err()
}

// SQLite's result codes (sqlite.org/rescode.html) that callers are told of.
const (
	resultFull  = 13
	resultIOErr = 10
)

// kind gives an error of SQLite the kind that callers ask for.
func kind(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == resultFull {
		return fmt.Errorf("%w: %w", station.ErrFull, err)
	}
	return err
}
