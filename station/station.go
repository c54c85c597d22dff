package station

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"detente/book"
	"detente/identity"
	"detente/journal"
	"detente/journal/mirror"
	"detente/line"
	"detente/message"
	"detente/seal"
)

// Keys are a station's private keys. They lie outside the store and its
// backups.
type Keys struct {
	Logs     map[identity.Origin]identity.PrivateKey // of the logs this station writes
	Cosigner identity.PrivateKey
	Sealing  map[seal.Period]seal.Identity // what counterparts seal to
	Archive  map[seal.Period]seal.Identity // what this station seals its own entries to, besides
}

// Config is what a station is made of. All fields are needed but Limits,
// Watch and Steady.
type Config struct {
	Root   identity.Root
	Bundle identity.Bundle // its own cards
	Keys   Keys
	Book   *book.Edition
	Mark   line.MarkStore
	Blobs  Blobs
	Random io.Reader   // of ids
	Jitter line.Random // of the waits between retries
	Limits Limits
	Watch  *Watch // If nil, the station keeps no watch: it raises no alarms and sends no tests by itself.
	// Steady is a clock that nobody sets: how long the station has been up. If
	// nil, the monotonic reading of the times that the station is given.
	Steady func() time.Duration
}

// Limits bound what a station waits for. The zero value of each field means
// the default named in its comment.
type Limits struct {
	ApprovalRoutine time.Duration // how long a request for release stands; 4 h
	ApprovalFlash   time.Duration // the same for FLASH; 10 min
	ReleaseStands   time.Duration // how long what officers have released may wait for a line that is down; 7 d
	ListWithin      time.Duration // after which an unlisted cosignature is put into our own log; 10 min
	ReceiptWithin   time.Duration // after which a live peer that does not cosign withholds; line.ReceiptTime
	Skew            time.Duration // the largest leap of the clock taken without a word; 1 h
}

func (l Limits) withDefaults() Limits {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&l.ApprovalRoutine, 4*time.Hour)
	set(&l.ApprovalFlash, 10*time.Minute)
	set(&l.ReleaseStands, 7*24*time.Hour)
	set(&l.ListWithin, 10*time.Minute)
	set(&l.ReceiptWithin, line.ReceiptTime)
	set(&l.Skew, time.Hour)
	return l
}

// Station is one agency's service. Its methods may be called concurrently.
type Station struct {
	name     identity.Station // immutable, as are the fields down to since
	book     *book.Edition
	mirror   mirror.Mirror
	verifier *identity.Verifier // of certificates and approvals; safe for concurrent use
	limits   Limits             // as it was made; see bounds
	marks    line.MarkStore
	blobs    Blobs
	store    Store
	since    time.Time // when it started
	steady   func() time.Duration
	watching *watching // nil: it keeps no watch

	jitter   line.Random // used under mu
	random   io.Reader
	randomMu sync.Mutex // guards random

	own      atomic.Pointer[ownCards] // replaced when an era opens
	changing atomic.Pointer[Limits]   // limits as they were read last

	mu        sync.Mutex // guards the fields below; never held while the store is called
	keys      Keys
	sign      map[identity.Origin]journal.Signer
	peers     map[identity.Station]*peer
	lines     map[identity.Line]*lineState
	policies  map[identity.Origin]parsedPolicy // each as it was last read; never changed in place
	tokens    knownTokens
	forgot    int // how often tokens were forgotten: what was read before is not remembered after
	clock     clock
	arrived   chan struct{} // one slot: a counterpart's entries wait to be read
	lastEvent int64         // the newest event when the index was last filled
	stuck     error         // why the hook could not append; nil while it can
	news      chan struct{} // closed at the next commit; nil while nobody waits for it

	bodies  readings[message.Frozen] // of the messages that await release or their place in a log
	entries readings[message.Entry]  // that were read last
	shelf   shelf                    // of the editions that are read
	folds   folds                    // of the lines that were asked about
	desk    watchDesk                // what the watch has read of the store
	bundles sync.Mutex               // held while a bundle is read: one at a time is in memory

	markMu    sync.Mutex // guards the two below; held while marks is written
	high      *line.HighWater
	trailTold bool // it was told that the audit trail was cut

	// The fields below belong to the transaction under way: the store runs one
	// at a time.
	batch batch
}

// batch is what the transactions of one commit leave to the hook at its end.
type batch struct {
	now     time.Time
	dirty   map[identity.Line]bool // to be looked at by the hook
	touched []identity.Line        // by the transaction that runs
}

// New makes a station of cfg. open is called once, with the hook that the
// store has to run in each commit, and must open the station's store. Nothing
// is let out until Guard has passed.
func New(ctx context.Context, now time.Time, cfg Config, open func(Finish) (Store, error)) (*Station, error) {
	if cfg.Random == nil || cfg.Jitter == nil || cfg.Book == nil || cfg.Mark == nil || cfg.Blobs == nil {
		return nil, errors.New("internal error: a station needs a source of randomness, a signal book, a high-water mark and a place for blobs")
	}
	own, err := cfg.Bundle.Verify(cfg.Root.Key, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("this station's own cards: %w", err)
	}
	high, err := line.LoadHighWater(cfg.Mark)
	if err != nil {
		return nil, err
	}
	s := &Station{
		name: own.Card.Station, book: cfg.Book,
		limits: cfg.Limits.withDefaults(), marks: cfg.Mark, high: high, since: now, steady: cfg.Steady, blobs: cfg.Blobs, random: cfg.Random, jitter: cfg.Jitter,
		verifier: identity.NewVerifier(), keys: cfg.Keys, watching: newWatching(cfg.Watch),
		sign: make(map[identity.Origin]journal.Signer), arrived: make(chan struct{}, 1),
		peers: make(map[identity.Station]*peer),
		lines: make(map[identity.Line]*lineState), policies: make(map[identity.Origin]parsedPolicy), tokens: make(knownTokens),
		batch: batch{dirty: make(map[identity.Line]bool)}, desk: watchDesk{lines: make(map[identity.Line]*lineRead)},
	}
	s.bodies.parser, s.entries.parser = message.ParseBody, message.ParseEntry
	s.folds.forms = s.forms()
	s.own.Store(&ownCards{own, cfg.Bundle})
	s.changing.Store(&s.limits)
	cosigner, err := journal.NewCosigner(own.Card.CosignerName(), cfg.Keys.Cosigner)
	if err != nil {
		return nil, fmt.Errorf("cosigner key: %w", err)
	}
	if !cfg.Keys.Cosigner.Public().Equal(own.Card.Cosigner) {
		return nil, errors.New("cosigner key: it is not the one that this station's card lists: the key file is damaged or of another card; put it back from its backup")
	}
	s.mirror = mirror.Mirror{Cosigner: cosigner}
	for o, key := range cfg.Keys.Logs {
		if err := s.addSigner(o, key); err != nil {
			return nil, err
		}
	}
	if s.store, err = open(s.finish); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := errors.Join(s.load(ctx, now), s.loadShelf(ctx), s.noteTrail(ctx, now)); err != nil {
		return nil, errors.Join(err, s.store.Close())
	}
	return s, nil
}

// Name returns the station's name.
func (s *Station) Name() identity.Station { return s.name }

// Book returns the edition of the signal book that ships with the program: the
// one that lines speak from their opening on.
func (s *Station) Book() *book.Edition { return s.book }

// Own returns the station's own verified cards.
func (s *Station) Own() identity.Verified { return s.own.Load().Verified }

// ownCards are the station's cards, verified and as endorsed.
type ownCards struct {
	identity.Verified
	bundle identity.Bundle
}

// Close saves the high-water mark, that of the audit trail too, and closes the store. It may be called at
// any moment; what was acknowledged stays.
func (s *Station) Close(now time.Time) error {
	trail := s.noteTrail(context.Background(), now)
	return errors.Join(trail, s.SaveMark(now), s.store.Close())
}

// addSigner checks that the station's card endorses key for the log and keeps
// a signer for it.
func (s *Station) addSigner(o identity.Origin, key identity.PrivateKey) error {
	if o.Writer != s.name {
		return fmt.Errorf("log key for %s: this station is %s; take the key out of its folder", o, s.name)
	}
	if listed, ok := s.own.Load().Card.Log(o); ok && !listed.Equal(key.Public()) {
		return fmt.Errorf("log key for %s: it is not the one that this station's card lists: the key file is damaged or of another card; put it back from its backup", o)
	}
	signer, err := journal.NewSigner(o, key)
	if err != nil {
		return fmt.Errorf("log key for %s: %w", o, err)
	}
	s.sign[o] = signer
	return nil
}

// update runs do in a transaction at a time, tells the hook the time, and once
// all is durable wakes the lines that do has touched. What is only tried is taken
// back, and ends in a TriedError.
func (s *Station) update(ctx context.Context, now time.Time, do func(Tx) error) error {
	if trying(ctx) {
		return s.try(ctx, now, do)
	}
	var touched []identity.Line
	err := s.store.Update(ctx, func(tx Tx) error {
		s.batch.now = now
		s.batch.touched = nil
		err := do(tx)
		touched = s.batch.touched
		return err
	})
	if err == nil {
		s.wakeLines(touched)
		s.tellNews()
	}
	return err
}

// wakeLines wakes lines, and those that entries were appended to.
func (s *Station) wakeLines(touched []identity.Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l, st := range s.lines {
		if st.grown || slices.Contains(touched, l) {
			st.grown = false
			st.wake()
		}
	}
}

// News returns a channel that is closed once anything more was committed, and
// with it, perhaps, an event. Take it before looking, so that nothing slips in
// between.
func (s *Station) News() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.news == nil {
		s.news = make(chan struct{})
	}
	return s.news
}

func (s *Station) tellNews() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.news != nil {
		close(s.news)
		s.news = nil
	}
}

// touch tells the hook to look at a line's queue at the end of this commit, and
// wakes the line once that is durable. It may only be called in a transaction.
func (s *Station) touch(l identity.Line) {
	s.heed(l)
	s.batch.touched = append(s.batch.touched, l)
}

// heed is touch, but the line is woken only if the hook appends something: what
// the line's machine decides by is otherwise as it was, or whoever calls asks the
// machine next anyway.
func (s *Station) heed(l identity.Line) { s.batch.dirty[l] = true }

// Woken returns a channel that yields when a line has something new to do.
// There is one channel a line, for one reader.
func (s *Station) Woken(l identity.Line) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.lines[l]; ok {
		return st.woken
	}
	return nil
}

// wakeLine yields on a line's channel; waking one that is awake changes
// nothing.
func (s *Station) wakeLine(l identity.Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.lines[l]; ok {
		st.wake()
	}
}

// wake is called with the station's mu held.
func (st *lineState) wake() {
	select {
	case st.woken <- struct{}{}:
	default:
	}
}

// newID returns a random identifier.
func (s *Station) newID() (id message.ID, err error) {
	s.randomMu.Lock()
	defer s.randomMu.Unlock()
	_, err = io.ReadFull(s.random, id[:])
	return id, err
}

// second returns t in UTC, cut to the second, as it stands in records.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
