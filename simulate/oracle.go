package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
	"detente/message"
	"detente/seal"
	"detente/station"
	"detente/station/stationtest"
	"detente/store/memory"

	"golang.org/x/mod/sumdb/tlog"
)

type originKey = identity.Origin

// head is a state of a log that somebody let out.
type head struct {
	origin identity.Origin
	size   int64
}

// place is an entry of a log.
type place struct {
	origin identity.Origin
	index  int64
}

// oracle checks promises from outside: from what stations let out, and from
// what lies on their disks.
type oracle struct {
	w        *world
	roots    map[head]tlog.Hash           // of every head let out, by writer or mirror
	notes    map[identity.Origin][]byte   // the last checkpoint let out by its writer
	largest  map[identity.Origin]int64    // of it
	leaves   map[place]tlog.Hash          // of every entry that was ever let out
	letOut   map[place]time.Time          // when it was, first
	lines    map[string][]byte            // cosignature let out, by cosigner, log and size
	given    map[string]time.Time         // when it was
	stamped  map[string]stamped           // the receipt over the largest size, by cosigner and log
	opened   map[tlog.Hash]message.Entry  // by the hash of the sealed entry
	receipts map[place]bool               // entries that their writer showed as delivered
	bodies   map[message.ID]place         // where each body stands
	plain    map[place]message.Entry      // opened with the archive
	order    map[identity.Origin][]string // ids as appended
	final    map[identity.Origin]int64    // sizes at the end of the world
	asked    int                          // events since the beginning
	tests    map[message.ID]time.Time     // the hour of each line test
	missed   error                        // the first condition that no alarm told of in time
}

func newOracle(w *world) *oracle {
	return &oracle{
		w: w, roots: make(map[head]tlog.Hash), notes: make(map[identity.Origin][]byte), largest: make(map[identity.Origin]int64), leaves: make(map[place]tlog.Hash), letOut: make(map[place]time.Time),
		lines: make(map[string][]byte), given: make(map[string]time.Time), stamped: make(map[string]stamped), opened: make(map[tlog.Hash]message.Entry), receipts: make(map[place]bool), bodies: make(map[message.ID]place), plain: make(map[place]message.Entry),
		order: make(map[identity.Origin][]string), final: make(map[identity.Origin]int64), tests: make(map[message.ID]time.Time),
	}
}

func (o *oracle) broken(promise, format string, args ...any) error {
	return &Violation{Seed: o.w.opt.Seed, Promise: promise, What: fmt.Sprintf(format, args...)}
}

// lies reports whether a node is one of which nothing is promised.
func (o *oracle) lies(n *node) bool { return o.w.liar != nil && n == o.w.liar.node }

// view reads a node's disk, as somebody with a screwdriver would.
func view(n *node, do func(station.Tx) error) error {
	return memory.Open(n.disk, nil, nil).View(context.Background(), do)
}

// sent sees each request that leaves a node: no two roots for one size, and no
// smaller checkpoint after a larger one.
// covers P4
func (o *oracle) sent(n *node, r line.Request) error {
	if o.lies(n) {
		return nil
	}
	var note []byte
	switch r.Op {
	case line.OpDeliver:
		d, err := line.ParseDelivery(r.Body)
		if err != nil {
			return o.broken("P15", "%s sends a delivery that does not parse: %v", n.name, err)
		}
		note = d.Checkpoint
		for i, e := range d.Entries {
			if err := o.leaf(place{d.Origin, d.Start + int64(i)}, e); err != nil {
				return err
			}
		}
	case line.OpAddCheckpoint:
		c, err := line.ParseAddCheckpoint(r.Body)
		if err != nil {
			return o.broken("P15", "%s sends a checkpoint that does not parse: %v", n.name, err)
		}
		note = c.Checkpoint
	default:
		return nil
	}
	c, err := line.ReadClaim(note)
	if err != nil {
		return o.broken("P4", "%s sends an unreadable checkpoint: %v", n.name, err)
	}
	if err := o.root(head{c.Origin, c.Size}, c.Root); err != nil {
		return err
	}
	if c.Size < o.largest[c.Origin] && !bytes.Equal(note, o.notes[c.Origin]) && o.signedAnew(n, c, note) {
		return o.broken("P4", "%s signs size %d of %s after size %d", n.name, c.Size, c.Origin, o.largest[c.Origin])
	}
	if c.Size >= o.largest[c.Origin] {
		o.largest[c.Origin], o.notes[c.Origin] = c.Size, bytes.Clone(note)
	}
	if key := noteKey(c); o.lines[key] == nil {
		o.lines[key] = bytes.Clone(note)
	}
	return nil
}

// signedAnew reports whether a note of a smaller size was made after the larger
// one. A repetition of what was sent before is none; nor is the end of a log
// that its writer, having lost the rest, ended there.
func (o *oracle) signedAnew(n *node, c line.Claim, note []byte) bool {
	if bytes.Equal(o.lines[noteKey(c)], note) {
		return false
	}
	ended := false
	err := view(n, func(tx station.Tx) error {
		l, _, err := tx.Log(c.Origin)
		ended = l.Ended != nil && l.Ended.Size == c.Size
		return err
	})
	return err != nil || !ended
}

// noteKey is where the first note of a size is kept.
func noteKey(c line.Claim) string { return fmt.Sprintf("note %s@%d", c.Origin, c.Size) }

// root keeps the root of a head, and finds a second one.
// covers P4
func (o *oracle) root(h head, root tlog.Hash) error {
	before, ok := o.roots[h]
	if ok && before != root && !o.forgotten(h.origin, h.size) {
		return o.broken("P4", "two roots of %s at size %d", h.origin, h.size)
	}
	o.roots[h] = root
	return nil
}

// forgotten reports whether the last entry below a size was let out so shortly
// before its writer's store was put back that the mark could not tell, and no
// mirror either: both stores were put back, or it was lost on its way.
func (o *oracle) forgotten(origin identity.Origin, size int64) bool {
	for _, n := range o.w.nodes {
		if n.name == origin.Writer {
			return n.forgot(o.letOut[place{origin, size - 1}])
		}
	}
	return false
}

// leaf keeps the hash of an entry, and finds a change.
// covers P3
func (o *oracle) leaf(p place, entry []byte) error {
	h := tlog.RecordHash(entry)
	before, ok := o.leaves[p]
	if !ok {
		o.letOut[p] = o.w.now
	}
	if ok && before != h && !o.forgotten(p.origin, p.index+1) {
		return o.broken("P3", "entry %d of %s was let out with two contents", p.index, p.origin)
	}
	o.leaves[p] = h
	return nil
}

// answered sees each answer that leaves a node. A receipt must be over what its
// maker holds in full, the same for ever, and honest deliveries are never
// refused.
// covers P5, P15
func (o *oracle) answered(n *node, r line.Request, a line.Response) error {
	if r.Op != line.OpDeliver && r.Op != line.OpAddEntries && r.Op != line.OpAddCheckpoint {
		return nil
	}
	if r.Origin.Era > 1 && (a.Status == http.StatusNotFound || a.Status == http.StatusForbidden || a.Status == http.StatusFailedDependency) {
		return nil // the cards, the note of succession or an earlier log have to come first
	}
	if o.lies(n) {
		return nil
	}
	switch a.Status {
	case http.StatusGone: // a log that was ended below what was receipted
	case http.StatusOK, http.StatusAccepted, http.StatusConflict, http.StatusServiceUnavailable:
	default:
		if o.w.liar != nil {
			break // what it answers may be no honest request
		}
		return o.broken("P15", "%s answers an honest %s of %s with %d: %s", n.name, r.Op, r.Origin, a.Status, a.Body)
	}
	if a.Status != http.StatusOK || len(a.Body) == 0 || r.Op == line.OpAddCheckpoint {
		return nil
	}
	size, err := o.receiptSize(r)
	if err != nil {
		return err
	}
	return view(n, func(tx station.Tx) error {
		root, err := journal.RootAt(tx, r.Origin, size)
		if err != nil {
			return o.broken("P5", "%s receipts %s at %d, which it does not hold: %v", n.name, r.Origin, size, err)
		}
		if _, err := tx.Entries(r.Origin, 0, size); err != nil {
			return o.broken("P5", "%s receipts %s at %d without its entries: %v", n.name, r.Origin, size, err)
		}
		if err := o.root(head{r.Origin, size}, root); err != nil {
			return err
		}
		c, err := journal.OpenCosignature(string(n.name)+"/mirror", n.cast.Card.Cosigner, journal.Head{Origin: r.Origin, Size: size, Root: root}, a.Body)
		if err != nil {
			return o.broken("P5", "%s gives a receipt that does not verify: %v", n.name, err)
		}
		if err := o.second(n, c); err != nil {
			return err
		}
		key := fmt.Sprintf("%s %s@%d", n.name, r.Origin, size)
		if before, ok := o.lines[key]; ok && !bytes.Equal(before, c.Lines) && !n.forgot(o.given[key]) {
			return o.broken("P5", "%s gives two receipts of %s at %d", n.name, r.Origin, size)
		}
		o.lines[key], o.given[key] = c.Lines, o.w.now
		return nil
	})
}

// mostSkew is how far a second that a station stamps may be from the world's time:
// what stops a station, and what its clock is wrong by without anybody seeing.
const mostSkew = 90*time.Minute + 5*time.Second

// second looks at the second of a receipt that was let out: it is never far from
// the world's, and never falls as sizes grow.
// covers P5, P11
func (o *oracle) second(n *node, c journal.Cosignature) error {
	key := fmt.Sprintf("%s %s", n.name, c.Origin)
	before, ok := o.stamped[key]
	if ok && c.Size > before.size && c.At.Before(before.at) && !n.forgot(before.given) {
		return o.broken("P5", "%s receipts %s at %d with %s, and at %d with %s", n.name, c.Origin, before.size, before.at, c.Size, c.At)
	}
	if !ok || c.Size > before.size {
		// What was receipted as the line opened was given before anybody looked, and
		// may be given again.
		if off := c.At.Sub(o.w.now).Abs(); off > mostSkew && !c.At.Equal(begin) && !n.stampedMute(c.At) {
			return o.broken("P11", "%s receipts %s at %d with %s, and it is %s", n.name, c.Origin, c.Size, c.At, o.w.now)
		}
		o.stamped[key] = stamped{c.Size, c.At, o.w.now}
	}
	return nil
}

// stamped is the last new receipt of a mirror.
type stamped struct {
	size  int64
	at    time.Time
	given time.Time // the world's time
}

func (o *oracle) receiptSize(r line.Request) (int64, error) {
	if r.Op == line.OpAddEntries {
		u, err := line.ParseUpload(r.Body)
		return u.End, err
	}
	d, err := line.ParseDelivery(r.Body)
	return d.Start + int64(len(d.Entries)), err
}

// look reads what is new on a node's disk: the messages of its own log, and
// which of them it shows as delivered.
func (o *oracle) look(n *node) error {
	if o.lies(n) {
		return nil
	}
	last := o.eras(n, n.name)
	for era := max(n.looked, 1); era <= last; era++ {
		if err := o.lookAt(n, o.w.line.Log(n.name, era)); err != nil {
			return err
		}
	}
	// An ended log still gets receipts; those before it are at rest.
	n.looked = max(last, 2) - 1
	return nil
}

// eras returns how many logs of a writer a node's disk has come to.
func (o *oracle) eras(n *node, writer identity.Station) (last identity.Era) {
	err := view(n, func(tx station.Tx) error {
		row, err := tx.Line(o.w.line)
		if last = row.OwnEra; writer != n.name {
			last = row.PeerEra
		}
		return err
	})
	if err != nil {
		return 0 // the line is not open yet
	}
	return last
}

func (o *oracle) lookAt(n *node, own identity.Origin) error {
	return view(n, func(tx station.Tx) error {
		l, ok, err := tx.Log(own)
		if err != nil || !ok {
			return err
		}
		for i := n.seen[own]; i < l.Size; i++ {
			if err := o.appended(n, tx, place{own, i}); err != nil {
				return err
			}
		}
		n.seen[own] = l.Size
		c, ok, err := tx.LastCosignature(own, string(o.w.other(n).name)+"/mirror")
		if err != nil || !ok {
			return err
		}
		for i := c.Size - 1; i >= 0 && !o.receipts[place{own, i}]; i-- {
			o.receipts[place{own, i}] = true
			o.w.result.Receipts++
		}
		return nil
	})
}

// appended opens a new entry with the writer's archive key. No body may stand in
// two places. An entry that nobody was sent may be lost with the store.
// covers P2, P6
func (o *oracle) appended(n *node, tx station.Tx, p place) error {
	sealed, err := tx.Entry(p.origin, p.index)
	if err != nil {
		return err
	}
	e, err := o.open(n, p, sealed)
	if err != nil {
		return err
	}
	id := e.Body.Body().ID
	if before, ok := o.bodies[id]; ok && before != p {
		stands, err := o.stands(tx, before, id)
		if err != nil {
			return err
		}
		if stands {
			return o.broken("P6", "message %s stands at %d and at %d of %s", id, before.index, p.index, p.origin)
		}
	}
	if err := o.wrapped(n, p, e); err != nil {
		return err
	}
	o.bodies[id], o.plain[p] = p, e
	if s, ok := o.w.said[id.String()]; ok && s.appended.IsZero() {
		s.appended = o.w.now
	}
	return nil
}

// open opens an entry with its writer's archive keys, once, and looks whether
// those who may release it did.
// covers P3, P8, P9
func (o *oracle) open(n *node, p place, sealed []byte) (message.Entry, error) {
	hash := tlog.RecordHash(sealed)
	if e, ok := o.opened[hash]; ok {
		return e, nil
	}
	var ids []seal.Identity
	if id, ok := n.cast.Keys.Archive[seal.PeriodOf(o.w.now)]; ok {
		ids = append(ids, id) // the likeliest first
	}
	ids = slices.AppendSeq(ids, maps.Values(n.cast.Keys.Archive))
	plain, _, err := seal.Open(sealed, ids...)
	if err != nil {
		return message.Entry{}, o.broken("P9", "%s cannot open its own entry %d: %v", n.name, p.index, err)
	}
	e, err := message.ParseEntry(plain)
	if err != nil {
		return e, o.broken("P3", "%s wrote an entry that does not parse: %v", n.name, err)
	}
	if err := o.released(p.origin, p.index, e); err != nil {
		return e, err
	}
	e.Wrapper.Approvals = nil // they were counted, and are what is longest in an entry
	o.opened[hash] = e
	o.w.result.Messages++
	return e, nil
}

// wrapped looks at what a station says beside a body. The second is near the
// world's when it is new, and neither it nor what was seen falls from one entry to
// the next.
// covers P11
func (o *oracle) wrapped(n *node, p place, e message.Entry) error {
	if old, ok := o.plain[p]; ok && old.Body.Digest() == e.Body.Digest() {
		return nil // it was looked at when it came
	}
	last, ok := o.plain[place{p.origin, p.index - 1}]
	if !ok {
		return nil
	}
	w, before := e.Wrapper, last.Wrapper
	if off := w.At.Sub(o.w.now).Abs(); off > mostSkew {
		return o.broken("P11", "%s appends entry %d of %s with %s, and it is %s", n.name, p.index, p.origin, w.At, o.w.now)
	}
	if w.At.Before(before.At) {
		return o.broken("P11", "%s appends entry %d of %s with %s after %s", n.name, p.index, p.origin, w.At, before.At)
	}
	if w.Seen.Era < before.Seen.Era || w.Seen.Era == before.Seen.Era && w.Seen.Size < before.Seen.Size {
		return o.broken("P11", "%s appends entry %d of %s that has seen %d of era %d, and the one before it %d of era %d", n.name, p.index, p.origin, w.Seen.Size, w.Seen.Era, before.Seen.Size, before.Seen.Era)
	}
	return nil
}

// stands reports whether a body still stands at a place of a node's own log: one
// that was lost with the store may be said again in the next era.
func (o *oracle) stands(tx station.Tx, p place, id message.ID) (bool, error) {
	l, ok, err := tx.Log(p.origin)
	if err != nil || !ok || l.Size <= p.index {
		return false, err
	}
	e, ok := o.plain[p]
	return ok && e.Body.Body().ID == id, nil
}

// end checks what must hold when troubles are over and the line has worked.
func (o *oracle) end(ctx context.Context) error {
	for _, n := range o.w.nodes {
		if !n.up {
			return fmt.Errorf("%s did not come back", n.name)
		}
		if err := o.delivered(n); err != nil {
			return err
		}
		if err := o.spoken(n); err != nil {
			return err
		}
		if err := o.healthy(ctx, n); err != nil {
			return err
		}
	}
	return o.alike(ctx)
}

// healthy lets doctor look at a node. That its audit trail was cut it may say of
// one whose store was put back, and of no other: a crash cuts no trail.
// covers P10, P22
func (o *oracle) healthy(ctx context.Context, n *node) error {
	found, err := n.end.Doctor(ctx, stationtest.Operator(), o.w.clock(n), false)
	if err != nil {
		return err
	}
	for _, f := range found {
		switch {
		case f.Where != "audit trail":
			return o.broken("P10", "%s: rebuilt tables differ: %v", n.name, found)
		case len(n.putBacks) == 0:
			return o.broken("P22", "%s: its audit trail was cut: %v", n.name, found)
		}
	}
	return nil
}

// delivered compares the two copies of a node's log, and looks for what it
// showed as delivered.
// covers P1, P2
func (o *oracle) delivered(n *node) error {
	mine, theirs := o.eras(n, n.name), o.eras(o.w.other(n), n.name)
	if mine != theirs {
		return o.broken("P2", "%s writes era %d and era %d arrived: %s", n.name, mine, theirs, o.standing(n))
	}
	for era := identity.Era(1); era <= mine; era++ {
		if err := o.deliveredLog(n, o.w.line.Log(n.name, era)); err != nil {
			return err
		}
	}
	return nil
}

func (o *oracle) deliveredLog(n *node, own identity.Origin) error {
	var mine, theirs [][]byte
	read := func(n *node, into *[][]byte) error {
		return view(n, func(tx station.Tx) error {
			l, _, err := tx.Log(own)
			if err != nil {
				return err
			}
			*into, err = tx.Entries(own, 0, l.Size)
			return err
		})
	}
	if err := errors.Join(read(n, &mine), read(o.w.other(n), &theirs)); err != nil {
		return err
	}
	if len(theirs) > len(mine) && o.namedLost(own) {
		// What was on its way when its writer ended the log without it.
		theirs = theirs[:len(mine)]
	}
	if len(mine) != len(theirs) {
		return o.broken("P2", "%s wrote %d entries and %d arrived: %s", n.name, len(mine), len(theirs), o.standing(n))
	}
	o.final[own] = int64(len(mine))
	for i := range mine {
		if !bytes.Equal(mine[i], theirs[i]) {
			return o.broken("P2", "entry %d of %s differs at the two ends", i, own)
		}
	}
	for p := range o.receipts {
		if p.origin != own {
			continue
		}
		if p.index >= int64(len(mine)) && o.namedLost(own) {
			continue
		}
		if p.index >= int64(len(mine)) || o.leaves[p] != (tlog.Hash{}) && tlog.RecordHash(mine[p.index]) != o.leaves[p] {
			return o.broken("P1", "entry %d of %s was shown as delivered and is not there", p.index, own)
		}
	}
	return nil
}

// namedLost reports whether entry 0 of the era after a log says that entries of
// it were let out and that nobody holds them: both stores were put back.
func (o *oracle) namedLost(own identity.Origin) bool {
	next := own
	next.Era++
	e, ok := o.plain[place{next, 0}]
	return ok && len(e.Body.Body().Params["lost"]) > 0
}

// standing says why a node's line does not go on, for people.
func (o *oracle) standing(n *node) string {
	lines, err := n.end.Lines(context.Background(), stationtest.Operator())
	if err != nil || len(lines) == 0 {
		return fmt.Sprint(err)
	}
	l := lines[0]
	return fmt.Sprintf("state %s, guard %q, reason %q, alarms %s, own %+v, theirs %+v", l.Line.State, l.Guard, l.Reason, l.Alarms, l.Own, l.Theirs)
}

// spoken looks at every message that the world let a node say: it stands in the
// log once, or ended visibly.
// covers P2
func (o *oracle) spoken(n *node) error {
	eras := o.eras(n, n.name)
	return view(n, func(tx station.Tx) error {
		ids := make(map[message.ID]place)
		for era := identity.Era(1); era <= eras; era++ {
			own := o.w.line.Log(n.name, era)
			l, _, err := tx.Log(own)
			if err != nil {
				return err
			}
			for i := range l.Size {
				p := place{own, i}
				if err := o.appended(n, tx, p); err != nil {
					return err
				}
				e := o.plain[p]
				id := e.Body.Body().ID
				if q, twice := ids[id]; twice {
					return o.broken("P2", "message %s stands at %v and %v", id, q, p)
				}
				ids[id] = p
			}
		}
		for _, s := range o.w.said {
			id, err := message.ParseID(s.id)
			if err != nil {
				return err
			}
			if _, ok := ids[id]; ok || s.by != n.name {
				continue
			}
			out, err := tx.Outgoing(id)
			if errors.Is(err, station.ErrNotFound) {
				continue // lost with a store that was put back, before anybody was sent it
			}
			if err != nil {
				return err
			}
			if out.State != station.Expired && out.State != station.Withdrawn && out.State != station.Awaiting {
				return o.broken("P2", "message %s of %s is %s and stands in no log: %s; %s", id, n.name, out.State, out.Reason, o.standing(n))
			}
		}
		return nil
	})
}

// released counts the approvals of an entry by the default policy.
func (o *oracle) released(origin identity.Origin, index int64, e message.Entry) error {
	need := 2
	switch e.Body.Body().Format {
	case "001", "002", "003", "006", "010", "022":
		need = 0
	case "011", "012", "013", "014", "015", "016", "017", "020", "021", "023", "024", "031", "121":
		need = 1
	}
	who := make(map[string]bool)
	for _, a := range e.Wrapper.Approvals {
		if a.Request.Body != e.Body.Digest() {
			return o.broken("P8", "entry %d of %s carries an approval of something else", index, origin)
		}
		who[string(a.Certificate)] = true
	}
	if len(who) < need {
		return o.broken("P8", "entry %d of %s left on %d approvals and needs %d", index, origin, len(who), need)
	}
	return nil
}

// alike folds the line at both ends, and reckons receipt times anew from the
// wrappers.
// covers P10, P11
func (o *oracle) alike(ctx context.Context) error {
	a, err := o.w.nodes[0].end.State(ctx, stationtest.Operator(), o.w.line)
	if err != nil {
		return err
	}
	b, err := o.w.nodes[1].end.State(ctx, stationtest.Operator(), o.w.line)
	if err != nil {
		return err
	}
	if a.Digest() != b.Digest() {
		for id, st := range a.Messages {
			if other, ok := b.Messages[id]; !ok || other != st {
				return o.broken("P10", "the two ends fold message %s differently: %+v and %+v", id, st, other)
			}
		}
		for id, st := range b.Messages {
			if _, ok := a.Messages[id]; !ok {
				return o.broken("P10", "one end folds message %s and the other does not: %+v", id, st)
			}
		}
	}
	all := o.facts()
	for _, n := range o.w.nodes {
		if err := o.listed(all, n); err != nil {
			return err
		}
	}
	for id, st := range a.Messages {
		p := o.bodies[id]
		if want := o.earliest(all, p); !want.Equal(st.Received) {
			return o.broken("P11", "message %s is folded as received at %v, and the record says %v", id, st.Received, want)
		}
	}
	return o.matters(ctx, all)
}
