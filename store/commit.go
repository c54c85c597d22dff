package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"detente/station"
)

// call is an Update that waits for a commit.
type call struct {
	ctx    context.Context
	do     func(station.Tx) error
	err    error
	panics any
	done   chan struct{}
}

var errClosed = errors.New("the store is closed")

// Update implements station.Store.
func (s *Store) Update(ctx context.Context, do func(station.Tx) error) error {
	c := &call{ctx: ctx, do: do, done: make(chan struct{})}
	if err := s.hand(ctx, c); err != nil {
		return err
	}
	<-c.done
	if c.panics != nil {
		panic(c.panics)
	}
	return c.err
}

func (s *Store) hand(ctx context.Context, c *call) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	select {
	case s.calls <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run is the writer goroutine.
func (s *Store) run() {
	defer close(s.done)
	for first := range s.calls {
		s.commit(s.gather(first))
	}
}

// gather takes whatever waits besides the first call.
func (s *Store) gather(first *call) []*call {
	batch := []*call{first}
	for len(batch) < s.most {
		select {
		case c, ok := <-s.calls:
			if !ok {
				return batch
			}
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// commit runs calls in one transaction, each in a savepoint, then the hook.
func (s *Store) commit(batch []*call) {
	err := s.begin()
	for _, c := range batch {
		if err != nil {
			c.err = err
			continue
		}
		switch c.err = c.ctx.Err(); {
		case c.err != nil:
		case len(batch) == 1:
			err = s.alone(c)
		default:
			err = s.savepoint(c)
		}
	}
	if err == nil {
		if err = s.hook(); err == nil {
			err = s.end()
		}
	}
	if err != nil {
		err = kind(errors.Join(err, s.abandon()))
		s.cache.forget()
	}
	for _, c := range batch {
		if err != nil && c.err == nil && c.panics == nil {
			c.err = err
		}
		close(c.done)
	}
}

// exec runs one of the fixed statements of the writer's connection. A commit is
// never cancelled halfway, so it has no context of a caller.
func (s *Store) exec(query string) error {
	_, err := s.cache.exec(query)
	return err
}

func (s *Store) begin() error { return s.exec("BEGIN IMMEDIATE") }

// end commits. Where it fails the outcome may be unknown: SQLite either kept
// the transaction open, then it is rolled back, or it is gone.
func (s *Store) end() error {
	if err := s.exec("COMMIT"); err != nil {
		return fmt.Errorf("%w: %w", station.ErrOutcomeUnknown, err)
	}
	return nil
}

func (s *Store) abandon() error {
	_ = s.exec("ROLLBACK") // where it fails SQLite has rolled back by itself
	return nil
}

// alone runs the only call of a transaction: where it fails, a new transaction
// takes the place of the one that it spoiled, for the hook.
func (s *Store) alone(c *call) error {
	if s.do(c) {
		return nil
	}
	return errors.Join(s.exec("ROLLBACK"), s.begin())
}

// savepoint runs one call of several so that its failure leaves no trace. It
// returns an error only where the whole transaction cannot go on.
func (s *Store) savepoint(c *call) error {
	s.cache.ahead = "SAVEPOINT one"
	return s.back("one", s.do(c))
}

// do runs one call, and reports whether it came to its end.
func (s *Store) do(c *call) bool {
	func() {
		defer func() { c.panics = recover() }()
		c.err = c.do(&tx{q: s.cache, writable: true})
	}()
	if c.err == nil && c.panics == nil {
		return true
	}
	c.err = kind(c.err)
	s.cache.forget()
	return false
}

// hook runs the station's hook. Its failure undoes only what it did.
func (s *Store) hook() error {
	if s.finish == nil {
		return nil
	}
	s.cache.ahead = "SAVEPOINT hook"
	err := s.finish(&tx{q: s.cache, writable: true})
	if err != nil {
		s.cache.forget()
	}
	return s.back("hook", err == nil)
}

// back ends a savepoint, where anything was written since it was asked for, and
// undoes what was unless it is to stay.
func (s *Store) back(name string, stays bool) error {
	if s.cache.ahead != "" {
		s.cache.ahead = ""
		return nil
	}
	if !stays {
		if err := s.exec("ROLLBACK TO " + name); err != nil {
			return err
		}
	}
	return s.exec("RELEASE " + name)
}

// View implements station.Store. It takes one of a few connections, and waits
// where all are in use.
func (s *Store) View(ctx context.Context, do func(station.Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	var r *statements
	select {
	case r = <-s.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.readers <- r }()
	r.forget()
	if _, err := r.exec("BEGIN"); err != nil {
		return err
	}
	// Also where do panics: the next reader begins anew.
	defer func() { _, _ = r.exec("ROLLBACK") }()
	return do(&tx{q: r})
}

// statements are prepared once for a connection, which one transaction at a
// time uses.
type statements struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	memo     *memo
	ahead    string // run before the next statement that writes; empty: none
}

func newStatements(conn *sql.Conn) *statements {
	return &statements{conn: conn, prepared: make(map[string]*sql.Stmt), memo: newMemo()}
}

// forget drops what was read and written: the transaction that saw it is gone.
func (c *statements) forget() { c.memo = newMemo() }

func (c *statements) stmt(query string) (*sql.Stmt, error) {
	if st, ok := c.prepared[query]; ok {
		return st, nil
	}
	st, err := c.conn.PrepareContext(context.Background(), query)
	if err == nil {
		c.prepared[query] = st
	}
	return st, err
}

// close closes the statements and their connection.
func (c *statements) close() error {
	var err error
	for _, st := range c.prepared {
		err = errors.Join(err, st.Close())
	}
	return errors.Join(err, c.conn.Close())
}

func (c *statements) exec(query string, args ...any) (sql.Result, error) {
	if first := c.ahead; first != "" {
		c.ahead = ""
		if _, err := c.exec(first); err != nil {
			c.ahead = first
			return nil, err
		}
	}
	st, err := c.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.Exec(args...)
}

func (c *statements) query(query string, args ...any) (*sql.Rows, error) {
	st, err := c.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.Query(args...)
}

func (c *statements) row(query string, args ...any) *sql.Row {
	st, err := c.stmt(query)
	if err != nil {
		return c.conn.QueryRowContext(context.Background(), query, args...) // reports the same error
	}
	return st.QueryRow(args...)
}
