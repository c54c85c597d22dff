// Package memory is a station's store in memory, for the simulator: it commits
// when told, can crash before or after a commit or leave its outcome unknown,
// and can be put back to an older state.
package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/station"

	"golang.org/x/mod/sumdb/tlog"
)

// Fate is what becomes of a commit.
type Fate uint8

// The fates of a commit.
const (
	Commit        Fate = iota
	CrashBefore        // the process dies before anything is durable
	CrashAfter         // it dies when all is durable and nobody was told
	Unknown            // it lives, and the store cannot say whether it happened; it did
	UnknownUndone      // the same, and it did not
	Full               // the disk is full
)

// ErrCrashed says that the process of this store has died: nothing more comes
// of it.
var ErrCrashed = errors.New("the process has crashed")

// Disk is what survives a crash. A store is opened on it, one at a time.
type Disk struct {
	st *state
}

// NewDisk returns an empty disk.
func NewDisk() *Disk { return &Disk{newState()} }

// Copy returns what is durable now, to be put back later.
func (d *Disk) Copy() *Disk { return &Disk{d.st.clone()} }

// PutBack replaces what is on the disk by an older copy.
func (d *Disk) PutBack(old *Disk) { d.st = old.st.clone() }

// Store is a station.Store on a disk.
type Store struct {
	disk    *Disk
	finish  station.Finish
	fate    func() Fate // of the next commit; nil: Commit
	crashed bool
}

// Open opens a store. fate is asked before each commit; nil lets all happen.
func Open(d *Disk, finish station.Finish, fate func() Fate) *Store {
	return &Store{disk: d, finish: finish, fate: fate}
}

// Crashed reports whether the process of this store has died.
func (s *Store) Crashed() bool { return s.crashed }

// Update implements station.Store. It is not safe for concurrent use: a
// simulator takes one step at a time.
func (s *Store) Update(ctx context.Context, do func(station.Tx) error) error {
	if s.crashed {
		return ErrCrashed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &tx{st: s.disk.st, writable: true}
	if err := do(t); err != nil {
		t.undoTo(0)
		return err
	}
	if s.finish != nil {
		mark := len(t.undo)
		if err := s.finish(t); err != nil {
			t.undoTo(mark)
		}
	}
	fate := Commit
	if s.fate != nil {
		fate = s.fate()
	}
	switch fate {
	case CrashBefore:
		t.undoTo(0)
		s.crashed = true
		return ErrCrashed
	case CrashAfter:
		s.crashed = true
		return ErrCrashed
	case Unknown:
		return station.ErrOutcomeUnknown
	case UnknownUndone:
		t.undoTo(0)
		return station.ErrOutcomeUnknown
	case Full:
		t.undoTo(0)
		return station.ErrFull
	}
	return nil
}

// View implements station.Store.
func (s *Store) View(ctx context.Context, do func(station.Tx) error) error {
	if s.crashed {
		return ErrCrashed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return do(&tx{st: s.disk.st})
}

// Close implements station.Store.
func (s *Store) Close() error {
	s.crashed = true
	return nil
}

type cosigner struct {
	origin identity.Origin
	by     string
}

type listing struct {
	origin identity.Origin
	seen   bool
}

type entryKey struct {
	origin identity.Origin
	index  int64
}

// state is everything that a store keeps.
type state struct {
	logs      map[identity.Origin]journal.Log
	entries   map[identity.Origin][][]byte
	hashes    map[identity.Origin][]tlog.Hash
	cosigned  map[cosigner][]journal.Cosignature // ascending by size
	outgoing  map[message.ID]station.Outgoing
	waiting   map[message.ID]bool // of outgoing those in state Awaiting or Waiting, and no others
	order     int64
	messages  map[entryKey]station.Message
	seq       []entryKey // by sequence number less one; zero where dropped
	byID      map[message.ID]entryKey
	referring map[message.ID][]entryKey
	listed    map[listing][]station.Listed // ascending by size
	peers     map[identity.Station]station.Peer
	lines     map[identity.Line]station.Line
	officers  map[string]station.Officer
	tokens    map[identity.Digest]station.Token
	blobs     map[identity.Digest]station.Blob
	evidence  []station.Evidence
	audits    []station.Audit
	events    []station.Event
	settings  map[string][]byte
	logbook   []station.LogLine
	opened    map[message.ID]station.Opened
	words     []indexed // ascending by sequence number
	indexed   station.IndexState

	vocabulary *vocabulary // of words
}

func newState() *state {
	return &state{
		logs: map[identity.Origin]journal.Log{}, entries: map[identity.Origin][][]byte{}, hashes: map[identity.Origin][]tlog.Hash{},
		cosigned: map[cosigner][]journal.Cosignature{}, outgoing: map[message.ID]station.Outgoing{}, waiting: map[message.ID]bool{},
		messages: map[entryKey]station.Message{}, byID: map[message.ID]entryKey{}, referring: map[message.ID][]entryKey{},
		listed: map[listing][]station.Listed{}, peers: map[identity.Station]station.Peer{}, lines: map[identity.Line]station.Line{},
		officers: map[string]station.Officer{}, tokens: map[identity.Digest]station.Token{}, blobs: map[identity.Digest]station.Blob{}, settings: map[string][]byte{},
		opened: map[message.ID]station.Opened{}, vocabulary: &vocabulary{numbers: map[string]uint32{}},
	}
}

// clone copies the state. Values are never changed in place, so they are shared.
func (s *state) clone() *state {
	c := *s
	c.logs, c.outgoing, c.waiting, c.messages, c.byID = maps.Clone(s.logs), maps.Clone(s.outgoing), maps.Clone(s.waiting), maps.Clone(s.messages), maps.Clone(s.byID)
	c.peers, c.lines, c.officers, c.tokens = maps.Clone(s.peers), maps.Clone(s.lines), maps.Clone(s.officers), maps.Clone(s.tokens)
	c.blobs, c.settings = maps.Clone(s.blobs), maps.Clone(s.settings)
	c.entries, c.hashes, c.cosigned = cloneLists(s.entries), cloneLists(s.hashes), cloneLists(s.cosigned)
	c.referring, c.listed = cloneLists(s.referring), cloneLists(s.listed)
	c.words = slices.Clone(s.words)
	c.seq, c.evidence, c.audits, c.events = slices.Clone(s.seq), slices.Clone(s.evidence), slices.Clone(s.audits), slices.Clone(s.events)
	c.logbook, c.opened = slices.Clone(s.logbook), maps.Clone(s.opened)
	return &c
}

func cloneLists[K comparable, V any](m map[K][]V) map[K][]V {
	c := make(map[K][]V, len(m))
	for k, v := range m {
		c[k] = slices.Clone(v)
	}
	return c
}

// tx is one transaction. Each write notes how it is undone.
type tx struct {
	st       *state
	writable bool
	undo     []func()
}

func (t *tx) undoTo(mark int) {
	for i := len(t.undo) - 1; i >= mark; i-- {
		t.undo[i]()
	}
	t.undo = t.undo[:mark]
}

var errReadOnly = errors.New("internal error: a reading transaction was asked to write")

// set puts a value into one of the state's maps.
func set[K comparable, V any](t *tx, m map[K]V, k K, v V) error {
	if !t.writable {
		return errReadOnly
	}
	before, ok := m[k]
	t.undo = append(t.undo, func() {
		if ok {
			m[k] = before
		} else {
			delete(m, k)
		}
	})
	m[k] = v
	return nil
}

// drop takes a key out of one of the state's maps.
func drop[K comparable, V any](t *tx, m map[K]V, k K) error {
	if !t.writable {
		return errReadOnly
	}
	if before, ok := m[k]; ok {
		t.undo = append(t.undo, func() { m[k] = before })
		delete(m, k)
	}
	return nil
}

func get[K comparable, V any](m map[K]V, k K, what string) (V, error) {
	v, ok := m[k]
	if !ok {
		return v, fmt.Errorf("%s %v: %w", what, k, station.ErrNotFound)
	}
	return v, nil
}

func clipped[V any](list []V, limit int) []V {
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return slices.Clone(list)
}
