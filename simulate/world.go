// Package simulate runs the real code of two stations, one step at a time, from
// a seed, over a network that is a queue and a store that remembers what was
// committed. It loses, repeats, reorders and delays what stations send, crashes
// them at each commit, puts their stores back to older copies and makes their
// clocks leap. Oracles that read the record from outside check the promises of
// docs/invariants.md.
//
// A seed fixes order, times and outcomes, not ciphertext: nothing that decides
// may depend on sealed bytes, signatures or hashes of them.
package simulate

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/store/memory"
)

// Options are how a world is run.
type Options struct {
	Seed     uint64
	Length   time.Duration // of the troubled time; quiet time to settle follows
	Messages float64       // a day and side, on average
	Tests    time.Duration // between line tests of a side; zero for none
	Faults   bool
	Watch    bool // stations keep watch: tests by schedule, alarms, wires that are cut; no other troubles
	Manned   bool // as Watch, with officers in three shifts at both ends, who say and do what a watch does; Messages and Tests are not asked
	Liar     bool // the second station says what it likes; no other troubles

	story *story // what is played in the world, by itself; nil: nothing is
}

// Result is what a run came to.
type Result struct {
	Messages int // appended on both sides
	Receipts int
	Faults   int
	Kinds    map[string]int // of faults

	Conditions int // that the oracle saw, at each look, and of which an alarm stood; of a manned world: each once

	// Of a manned world.
	Tests     int            // of the line, that the record has
	Handovers int            // signed by both officers
	Unread    int            // handovers that were refused since a FLASH was unread
	Alarms    int            // that the stations raised
	Missed    int            // conditions of which no alarm told in time
	Untold    map[string]int // the same, by kind
	Seen      map[string]int // conditions by kind
	Digests   int            // of the state that one side answered with its own, and that were one
	Shared    int            // bundles of indicators
	Judged    int            // objects of them on which feedback came back
	DaysOff   int            // of officers, each told with what it leaves open
	Equal     int            // how often the states of both sides were compared, byte for byte, and were one
}

// Violation is a promise that did not hold.
type Violation struct {
	Seed    uint64
	Promise string
	What    string
}

func (v *Violation) Error() string {
	return fmt.Sprintf("seed=%d promise=%s %s", v.Seed, v.Promise, v.What)
}

// begin is when every world begins.
var begin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// event is something that happens at a moment of the world.
type event struct {
	at  time.Time
	seq int
	do  func() error
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) } //nolint:errcheck // nothing else is pushed
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

// node is a station and what it stands on.
type node struct {
	name     identity.Station
	cast     *stationtest.Cast
	disk     *memory.Disk
	marks    *markStore
	store    *memory.Store
	end      stationtest.End
	up       bool
	gen      int           // counts starts, so that what was meant for an earlier one is dropped
	skew     time.Duration // of its clock
	wrong    time.Time     // since when the skew is more than what a station may stamp by; zero while it is not
	alarm    int           // counts the times at which the line wants to be asked again
	saving   bool          // the high-water mark is to be saved within a second, as a runner does
	waiting  bool          // a step is scheduled or a request under way
	copies   []*memory.Disk
	putBacks []time.Time               // when its store was put back to one of them
	mute     []time.Time               // when it died before it answered, by the world's time
	seen     map[identity.Origin]int64 // entries of its logs that the oracles have looked at
	looked   identity.Era              // up to where its logs are at rest
	began    time.Time                 // when its process was started, by the world's time
	heard    time.Time                 // when it was last in touch with the other one
	readTo   message.ID                // the test that its officers have read back last
	crew     *crew                     // nil: it is not manned
	blobs    station.Blobs             // beside the store
	moving   bool                      // it is on its way to another site, and not started meanwhile
	full     time.Time                 // since when its disk is nearly full; zero: it is not
	copied   time.Time                 // when the copy is made that its second site begins with; zero: never
}

// forgot reports whether a node's store was put back so soon after a moment that
// the high-water mark, which is saved once in line.MarkSlack, could not tell of
// it. What was let out then is made anew: the same head, at another second.
func (n *node) forgot(at time.Time) bool {
	for _, t := range n.putBacks {
		if d := t.Sub(at); d >= 0 && d <= line.MarkSlack {
			return true
		}
	}
	return false
}

// stampedMute reports whether a second may have been stamped as a node died: what
// was committed then is given again by the process that comes next, however much
// later somebody asks for it.
func (n *node) stampedMute(at time.Time) bool {
	return slices.ContainsFunc(n.mute, func(t time.Time) bool { return at.Sub(t).Abs() <= mostSkew })
}

// markStore keeps the high-water mark of a node. It survives crashes and is not
// put back with the store.
type markStore struct {
	marks line.Marks
	any   bool
}

// Load implements line.MarkStore.
func (m *markStore) Load() (line.Marks, error) {
	if !m.any {
		return line.Marks{}, line.ErrNoMark
	}
	return m.marks, nil
}

// Save implements line.MarkStore.
func (m *markStore) Save(marks line.Marks) error {
	m.marks, m.any = marks, true // a HighWater makes each anew
	return nil
}

// noBlobs is a place for blobs that holds none: evidence has its own tests.
type noBlobs struct{}

// Put implements station.Blobs.
func (noBlobs) Put(func(io.Writer) error) (identity.Digest, int64, error) {
	return identity.Digest{}, 0, station.ErrNotFound
}

// Extend implements station.Blobs.
func (noBlobs) Extend(identity.Digest, int64, []byte) (int64, error) { return 0, station.ErrNotFound }

// Finish implements station.Blobs.
func (noBlobs) Finish(identity.Digest) error { return station.ErrNotFound }

// Open implements station.Blobs.
func (noBlobs) Open(identity.Digest) (io.ReadSeekCloser, error) { return nil, station.ErrNotFound }

// world is two stations and what is between them.
type world struct {
	opt    Options
	rand   *mathrand.Rand
	ids    *mathrand.ChaCha8 // of message ids
	now    time.Time
	quiet  time.Time // when troubles end
	queue  events
	seq    int
	line   identity.Line
	nodes  [2]*node
	cut    [2]bool // of the way from node i to the other
	cuts   [2]int  // of a manned world: how many causes hold a way cut
	said   map[string]*saying
	oracle *oracle
	liar   *liar // nil in an honest world
	result Result

	// between, where it is not nil, stands between a station and its store: the
	// place of test doubles.
	between func(*node, station.Store) station.Store
}

// saying is a message that the world let a station say.
type saying struct {
	by       identity.Station
	id       string
	released time.Time // world's time; zero while it is not
	appended time.Time
	flash    int
}

// Run runs one world and returns what it came to, or the first *Violation.
func Run(ctx context.Context, o Options) (Result, error) { return run(ctx, o, nil) }

// run is Run, with a double between stations and their stores.
func run(ctx context.Context, o Options, between func(*node, station.Store) station.Store) (Result, error) {
	w, err := newWorld(ctx, o, between)
	if err != nil {
		return Result{}, err
	}
	if err := w.run(ctx); err != nil {
		var v *Violation
		if !errors.As(err, &v) {
			err = fmt.Errorf("seed=%d: %w", o.Seed, err)
		}
		return w.result, err
	}
	return w.result, nil
}

func newWorld(ctx context.Context, o Options, between func(*node, station.Store) station.Store) (*world, error) {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(o.Seed >> (8 * i))
	}
	w := &world{
		opt: o, rand: mathrand.New(mathrand.NewPCG(o.Seed, 1)), ids: mathrand.NewChaCha8(key), now: begin, quiet: begin.Add(o.Length),
		said: make(map[string]*saying), between: between,
	}
	w.result.Kinds, w.result.Seen, w.result.Untold = make(map[string]int), make(map[string]int), make(map[string]int)
	names := [2]string{"arden.example", "boreal.example"}
	codes := [2]identity.Code{"ARD", "BOR"}
	for i := range w.nodes {
		other := identity.Station("nrrc." + names[1-i])
		cast, err := stationtest.NewCast(w.ids, begin, names[i], codes[i], other)
		if err != nil {
			return nil, err
		}
		w.nodes[i] = &node{name: cast.Card.Station, cast: cast, disk: memory.NewDisk(), marks: &markStore{}, seen: make(map[identity.Origin]int64), blobs: noBlobs{}}
		if o.Manned || o.story != nil {
			w.nodes[i].blobs = newShelf()
		}
	}
	l, err := identity.NewLine(w.nodes[0].name, w.nodes[1].name, identity.Notification)
	if err != nil {
		return nil, err
	}
	w.line = l
	w.oracle = newOracle(w)
	for _, n := range w.nodes {
		if err := w.start(ctx, n, nil); err != nil {
			return nil, err
		}
	}
	return w, w.open(ctx)
}

// open takes the two stations through the ceremony and opens the line, before
// any trouble begins.
func (w *world) open(ctx context.Context) error {
	if err := stationtest.Introduce(ctx, w.now, w.nodes[0].end, w.nodes[1].end); err != nil {
		return err
	}
	for _, n := range w.nodes {
		terms := station.DefaultTerms()
		if w.opt.story != nil {
			terms.TestEvery = 24 * time.Hour
		}
		if err := n.end.OpenLine(ctx, w.now, w.line, terms); err != nil {
			return err
		}
	}
	if err := stationtest.Settle(ctx, w.now, w.line, w.nodes[0].end, w.nodes[1].end); err != nil {
		return err
	}
	for _, n := range w.nodes {
		if w.opt.Manned {
			if err := w.man(ctx, n); err != nil {
				return err
			}
		}
		w.restartWith(ctx, n)
	}
	return nil
}

// restartWith begins a node's life under the world's faults.
func (w *world) restartWith(ctx context.Context, n *node) {
	w.at(w.now, func() error { return w.start(ctx, n, w.fate(n)) })
}

// clock is a node's own time.
func (w *world) clock(n *node) time.Time { return w.now.Add(n.skew) }

// at schedules something.
func (w *world) at(t time.Time, do func() error) {
	w.seq++
	heap.Push(&w.queue, event{t, w.seq, do})
}

// start starts a node's process on its disk.
func (w *world) start(ctx context.Context, n *node, fate func() memory.Fate) error {
	n.gen++
	n.up, n.waiting, n.saving, n.began = true, false, false, w.now
	var keeps *station.Watch
	if w.opt.Watch || w.opt.Manned {
		keeps = &station.Watch{Tests: true, Digests: true, Disk: n.disc}
	}
	s, err := station.New(ctx, w.clock(n), station.Config{
		Root: n.cast.RootInfo, Bundle: n.cast.Bundle, Keys: n.cast.Keys, Book: n.cast.Book, Mark: n.marks, Blobs: n.blobs,
		Random: w.ids, Jitter: w.rand, Steady: func() time.Duration { return w.now.Sub(begin) }, Watch: keeps,
	}, func(f station.Finish) (station.Store, error) {
		n.store = memory.Open(n.disk, f, fate)
		if w.between != nil {
			return w.between(n, n.store), nil
		}
		return n.store, nil
	})
	if err != nil {
		return err
	}
	n.end = stationtest.End{Station: s, Cast: n.cast}
	if fate != nil {
		w.kick(ctx, n)
	}
	return nil
}

// run runs the world to its end.
func (w *world) run(ctx context.Context) error {
	w.plan(ctx)
	if err := w.play(ctx, w.quiet.Add(settle)); err != nil {
		return err
	}
	if w.liar != nil {
		return w.liar.end(ctx)
	}
	if err := w.oracle.end(ctx); err != nil || !w.opt.Manned {
		return err
	}
	return w.oracle.endOfWatch(ctx)
}

// play lets happen what is due up to a moment.
func (w *world) play(ctx context.Context, until time.Time) error {
	hour, busy := w.now, 0
	for w.queue.Len() > 0 && !w.queue[0].at.After(until) {
		e := heap.Pop(&w.queue).(event) //nolint:errcheck // nothing else was pushed
		if e.at.After(w.now) {
			w.now = e.at
		}
		if w.now.Sub(hour) >= time.Hour {
			hour, busy = w.now, 0
		}
		if busy++; busy > busyHour {
			return w.oracle.broken("P2", "the stations run in circles: %s; %s", w.oracle.standing(w.nodes[0]), w.oracle.standing(w.nodes[1]))
		}
		if err := w.survive(e.do()); err != nil {
			return err
		}
		for _, n := range w.nodes {
			if err := w.oracle.look(n); err != nil {
				return err
			}
		}
		if err := w.oracle.ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

// busyHour bounds the events of an hour: more of them say that the stations
// ask each other for ever.
const busyHour = 20_000

// settle is the quiet time at the end: everything must be delivered in it.
const settle = 6 * time.Hour

// survive turns the crash of a node into its restart a little later.
func (w *world) survive(err error) error {
	for _, n := range w.nodes {
		if n.up && n.store.Crashed() {
			w.crash(n, "crash at a commit")
			err = nil
		}
	}
	if errors.Is(err, memory.ErrCrashed) || errors.Is(err, station.ErrOutcomeUnknown) || errors.Is(err, station.ErrFull) || errors.Is(err, station.ErrLineDown) || errors.Is(err, station.ErrClockUnsafe) {
		return nil
	}
	return err
}

// saveSoon saves a node's high-water mark a second from now, as its runner
// would.
func (w *world) saveSoon(n *node) {
	if n.saving {
		return
	}
	n.saving = true
	gen := n.gen
	w.at(w.now.Add(time.Second), func() error {
		if !n.up || n.gen != gen {
			return nil
		}
		n.saving = false
		return n.end.SaveMark(w.clock(n))
	})
}

// crash ends a node's process and starts it again later.
func (w *world) crash(n *node, kind string) {
	n.up = false
	n.gen++
	w.fault(kind)
	w.at(w.now.Add(w.span(time.Second, 10*time.Minute)), func() error {
		if n.up || n.moving {
			return nil
		}
		if n.skew.Abs() == 2*time.Hour {
			n.setRight() // a start cannot tell that from a stop of some hours
		}
		return w.start(context.Background(), n, w.fate(n))
	})
}

func (w *world) fault(kind string) {
	w.result.Faults++
	w.result.Kinds[kind]++
}

// troubled reports whether troubles still happen.
func (w *world) troubled() bool { return w.opt.Faults && w.now.Before(w.quiet) }

// chance is true once in n.
func (w *world) chance(n int) bool { return w.rand.IntN(n) == 0 }

// span is a random time between two.
func (w *world) span(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rand.Int64N(int64(most-least)+1))
}

// fate decides what becomes of a node's next commit.
func (w *world) fate(*node) func() memory.Fate {
	return func() memory.Fate {
		if !w.troubled() || !w.chance(400) {
			return memory.Commit
		}
		f := []memory.Fate{memory.CrashBefore, memory.CrashAfter, memory.Unknown, memory.UnknownUndone, memory.Full}[w.rand.IntN(5)]
		if f >= memory.Unknown {
			w.fault("commit that failed or whose outcome is unknown")
		}
		return f
	}
}
