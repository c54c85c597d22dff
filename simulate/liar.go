package simulate

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
	"detente/message"
	"detente/record"
	"detente/seal"
	"detente/station"
	"detente/station/stationtest"

	"golang.org/x/mod/sumdb/tlog"
)

// liar is a counterpart that holds all keys of its station and says what it
// likes: it answers falsely, shows two histories, writes entries that nobody can
// accept, and now and then tells the truth. Its victim is the other station.
type liar struct {
	w      *world
	node   *node
	victim *node
	old    []line.Request // honest deliveries, to be sent again
	forked bool           // it has shown two histories of a size that the victim held
	bad    []int64        // entries of its log that cannot be accepted
}

// newLiar makes the second station of a world a liar, with entries that cannot
// be accepted and histories that contradict each other now and then.
func (w *world) newLiar(ctx context.Context) *liar {
	l := &liar{w: w, node: w.nodes[1], victim: w.nodes[0]}
	var again func() error
	again = func() error {
		if !w.now.Before(w.quiet) {
			return nil
		}
		w.at(w.now.Add(w.span(10*time.Minute, 90*time.Minute)), again)
		switch {
		case !l.node.up || !l.victim.up:
			return nil
		case w.chance(3):
			return l.fork(ctx)
		case w.chance(4):
			w.putBack(l.victim)
			l.forked = false // the proof may be gone with the store
			return nil
		case w.chance(3):
			return l.claim(ctx)
		}
		return l.write(ctx)
	}
	w.at(w.now.Add(time.Hour), again)
	return l
}

func (l *liar) origin() identity.Origin { return l.w.line.Log(l.node.name, 1) }

func (l *liar) lies() bool { return l.w.now.Before(l.w.quiet) && !l.w.chance(3) }

// request changes what the liar sends.
func (l *liar) request(r line.Request) line.Request {
	if r.Op == line.OpDeliver {
		l.old = append(l.old, r)
	}
	if !l.lies() || len(r.Body) == 0 {
		return r
	}
	l.w.fault("lie in a request")
	switch l.w.rand.IntN(4) {
	case 0: // a smaller tree again
		if r.Op == line.OpDeliver {
			return l.old[l.w.rand.IntN(len(l.old))]
		}
	case 1: // entries at another index, or fewer of them
		if d, err := line.ParseDelivery(r.Body); r.Op == line.OpDeliver && err == nil {
			d.Start += int64(l.w.rand.IntN(3) - 1)
			d.Entries = d.Entries[l.w.rand.IntN(len(d.Entries)):]
			if body, err := line.FormatDelivery(d); err == nil {
				r.Body = body
			}
		}
	case 2: // a flipped bit
		r.Body = bytes.Clone(r.Body)
		r.Body[l.w.rand.IntN(len(r.Body))] ^= 1 << l.w.rand.IntN(8)
	case 3: // cut off
		r.Body = r.Body[:l.w.rand.IntN(len(r.Body))]
	}
	return r
}

// answer changes what the liar answers.
func (l *liar) answer(r line.Request, a line.Response) line.Response {
	if !l.lies() {
		return a
	}
	l.w.fault("lie in an answer")
	text := func(status int) line.Response { return line.Text(status, "so the liar says") }
	switch l.w.rand.IntN(7) {
	case 0: // no receipt, for whatever reason
		return text([]int{http.StatusServiceUnavailable, http.StatusNotFound, http.StatusForbidden, http.StatusConflict, http.StatusGone, http.StatusFailedDependency, http.StatusTeapot}[l.w.rand.IntN(7)])
	case 1: // a receipt over another tree, or over the true one at another time
		return l.receipt(r, a)
	case 2:
		a.Body = nil
	case 3:
		a.Body = bytes.Repeat([]byte{0xff}, l.w.rand.IntN(1<<16))
	case 4: // a flipped bit
		if a.Body = bytes.Clone(a.Body); len(a.Body) > 0 {
			a.Body[l.w.rand.IntN(len(a.Body))] ^= 1 << l.w.rand.IntN(8)
		}
	case 5:
		if h, err := line.ParseHeadsAnswer(a.Body); r.Op == line.OpHeads && err == nil {
			return l.heads(h, a)
		}
	case 6: // that it stands elsewhere
		info := line.MirrorInfo{Size: int64(l.w.rand.IntN(1 << 20)), Next: int64(l.w.rand.IntN(1 << 20))}
		return line.Response{Status: http.StatusConflict, Type: line.TypeMirrorInfo, Body: info.Bytes()}
	}
	return a
}

// heads shows other heads than the true ones: that nothing is held of anything, or
// another history of the liar's own log.
func (l *liar) heads(h line.HeadsAnswer, a line.Response) line.Response {
	forked := false
	for i, head := range h.Heads {
		note, ok := l.another(head.Origin)
		h.Heads[i].Checkpoint, h.Heads[i].Pending, h.Heads[i].Next = nil, nil, 0
		if ok && l.w.chance(2) {
			h.Heads[i].Checkpoint, forked = note, true
		}
	}
	body, err := h.Bytes()
	if err != nil {
		return a
	}
	if forked {
		l.w.fault("two histories shown in heads")
	}
	a.Body = body
	return a
}

// another signs another history of the liar's log, of a size that the victim holds.
func (l *liar) another(o identity.Origin) ([]byte, bool) {
	if o != l.origin() {
		return nil, false
	}
	var held journal.Log
	err := view(l.victim, func(tx station.Tx) (err error) {
		held, _, err = tx.Log(o)
		return err
	})
	if err != nil || held.Size == 0 {
		return nil, false
	}
	signer, err := journal.NewSigner(o, l.node.cast.Keys.Logs[o])
	if err != nil {
		return nil, false
	}
	note, err := signer.Sign(journal.Head{Origin: o, Size: held.Size, Root: tlog.RecordHash([]byte("another history"))}, l.w.now.Truncate(time.Second))
	return note, err == nil
}

// receipt signs a receipt for a tree that is none, with the liar's true keys.
func (l *liar) receipt(r line.Request, a line.Response) line.Response {
	d, err := line.ParseDelivery(r.Body)
	if err != nil {
		return a
	}
	cosigner, err := journal.NewCosigner(string(l.node.name)+"/mirror", l.node.cast.Keys.Cosigner)
	if err != nil {
		return a
	}
	h := journal.Head{Origin: d.Origin, Size: d.Start + int64(len(d.Entries)) + int64(l.w.rand.IntN(3)), Root: tlog.RecordHash([]byte("another tree"))}
	if l.w.chance(2) {
		h.Size = d.Start + int64(len(d.Entries))
		err := view(l.victim, func(tx station.Tx) (err error) {
			h.Root, err = journal.RootAt(tx, d.Origin, h.Size)
			return err
		})
		if err != nil {
			return a
		}
		l.w.fault("receipt at another time")
	}
	c, err := cosigner.Cosign(h, l.w.now.Add(l.w.span(0, 96*time.Hour)-48*time.Hour).Truncate(time.Second))
	if err != nil {
		return a
	}
	a.Status, a.Type, a.Body = http.StatusOK, line.TypeText, c.Lines
	return a
}

// fork shows the victim a second history of a size that it holds, signed by the
// liar's true log key.
func (l *liar) fork(ctx context.Context) error {
	note, ok := l.another(l.origin())
	if !ok {
		return nil
	}
	shown, err := line.ReadClaim(note)
	if err != nil {
		return err
	}
	body, err := line.AddCheckpoint{Old: shown.Size, Checkpoint: note}.Bytes()
	if err != nil {
		return err
	}
	l.w.fault("two histories shown")
	r := line.Request{Op: line.OpAddCheckpoint, Peer: l.node.name, Origin: l.origin(), Body: body}
	now := func() time.Time { return l.w.clock(l.victim) }
	a := line.Serve(ctx, station.At(l.victim.end.Station, now), r)
	if a.OK() {
		return l.w.oracle.broken("P5", "%s takes a second history of %s at size %d", l.victim.name, l.origin(), shown.Size)
	}
	if a.Status == http.StatusUnprocessableEntity {
		l.forked = true
	}
	return nil
}

// write appends to the liar's own log, in a consistent tree, an entry that the
// victim cannot accept.
func (l *liar) write(ctx context.Context) error {
	entry, err := l.unacceptable()
	if err != nil || entry == nil {
		return err
	}
	l.w.fault("entry that cannot be accepted")
	index, err := l.append(ctx, entry)
	if err == nil {
		l.bad = append(l.bad, index)
	}
	return err
}

// append puts an entry into the liar's own log, under its true key, and returns
// its index.
func (l *liar) append(ctx context.Context, entry []byte) (index int64, err error) {
	signer, err := journal.NewSigner(l.origin(), l.node.cast.Keys.Logs[l.origin()])
	if err != nil {
		return 0, err
	}
	err = l.node.store.Update(ctx, func(tx station.Tx) error {
		h, err := journal.Append(tx, signer, [][]byte{entry}, l.w.now.Truncate(time.Second))
		index = h.Size - 1
		return err
	})
	l.w.kick(ctx, l.node)
	return index, err
}

// claim appends a message that says of an entry of the victim that it cannot be
// read, whatever the truth. That is a message like others, and refuses nothing.
func (l *liar) claim(ctx context.Context) error {
	size := l.w.oracle.final[l.w.line.Log(l.victim.name, 1)]
	err := view(l.victim, func(tx station.Tx) error {
		log, _, err := tx.Log(l.w.line.Log(l.victim.name, 1))
		size = log.Size
		return err
	})
	if err != nil || size == 0 {
		return err
	}
	l.w.fault("entry claimed unreadable")
	entry, err := l.service("002", func(*message.Wrapper) {}, "era=1", fmt.Sprintf("index=%d", l.w.rand.Int64N(size)), "reason=unreadable")
	if err != nil || entry == nil {
		return err
	}
	_, err = l.append(ctx, entry)
	return err
}

// service makes an entry of a format that needs nobody, with a wrapper changed at
// will. It is nil where the liar has said nothing yet.
func (l *liar) service(f message.Format, change func(*message.Wrapper), typed ...string) ([]byte, error) {
	params, err := l.node.cast.Book.Compose(f, typed)
	if err != nil {
		return nil, err
	}
	b := message.Body{
		Format: f, Edition: l.node.cast.Book.Hash(), Line: l.w.line, From: l.node.name, To: l.victim.name,
		Precedence: message.Priority, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params,
	}
	if _, err := l.w.ids.Read(b.ID[:]); err != nil {
		return nil, err
	}
	frozen, err := b.Freeze()
	if err != nil {
		return nil, err
	}
	last, ok, err := l.latest(1)
	if err != nil || !ok {
		return nil, err
	}
	w := message.Wrapper{At: last.Wrapper.At, Seen: last.Wrapper.Seen}
	change(&w)
	plain, err := message.Entry{Wrapper: w, Body: frozen}.Plain()
	if err != nil {
		return nil, err
	}
	return seal.Seal(plain, l.victim.cast.Keys.Sealing[seal.PeriodOf(l.w.clock(l.victim))].Recipient(), l.node.cast.Keys.Archive[seal.PeriodOf(l.w.clock(l.node))].Recipient())
}

// latest returns the newest entry of the liar's own that it can open, with so many
// approvals; where that is one, with any.
func (l *liar) latest(approvals int) (said message.Entry, ok bool, err error) {
	period := seal.PeriodOf(l.w.clock(l.victim))
	err = view(l.node, func(tx station.Tx) error {
		log, _, err := tx.Log(l.origin())
		for i := log.Size - 1; i >= 0 && err == nil; i-- {
			var sealed []byte
			if sealed, err = tx.Entry(l.origin(), i); err != nil {
				return err
			}
			plain, _, opened := seal.Open(sealed, l.node.cast.Keys.Archive[period])
			e, parsed := message.ParseEntry(plain)
			if opened == nil && parsed == nil && (len(e.Wrapper.Approvals) == approvals || approvals == 1) {
				said, ok = e, true
				return nil
			}
		}
		return err
	})
	return said, ok, err
}

// unacceptable makes an entry: noise of any size up to the limit, noise sealed to
// the victim, a message said before, one without its approvals, or one whose
// second or seen falls.
func (l *liar) unacceptable() ([]byte, error) {
	kind := l.w.rand.IntN(6)
	if kind >= 4 {
		return l.service("010", func(w *message.Wrapper) {
			if w.At = w.At.Add(-time.Minute); kind == 5 {
				w.At, w.Seen = w.At.Add(2*time.Minute), message.Head{}
			}
		}, "test_no=2026-11-01T00:00:00Z", "text_id=T1", "check_groups=4F2A 91C7", "bearer=direct")
	}
	if kind == 0 {
		noise := make([]byte, []int{0, 1, 300, journal.MaxEntry}[l.w.rand.IntN(4)])
		_, err := l.w.ids.Read(noise)
		return noise, err
	}
	period := seal.PeriodOf(l.w.clock(l.victim))
	to := l.victim.cast.Keys.Sealing[period].Recipient()
	if kind == 1 {
		return seal.Seal([]byte("{\"kind\":\"nonsense\"}\n{}\n"), to)
	}
	said, ok, err := l.latest(2)
	if err != nil || !ok {
		return nil, err
	}
	if kind == 2 {
		// The same said once more, by nobody, or by who approved the first.
		b := said.Body.Body()
		if _, err := l.w.ids.Read(b.ID[:]); err != nil {
			return nil, err
		}
		if said.Body, err = b.Freeze(); err != nil {
			return nil, err
		}
		if l.w.chance(2) {
			said.Wrapper.Approvals = nil
		}
	}
	plain, err := said.Plain()
	if err != nil {
		return nil, err
	}
	return seal.Seal(plain, to)
}

// end checks what a liar may not bring about, once it has told the truth for a
// while.
func (l *liar) end(ctx context.Context) error {
	o, n := l.w.oracle, l.victim
	if !n.up {
		return fmt.Errorf("%s did not come back", n.name)
	}
	if err := o.healthy(ctx, n); err != nil {
		return err
	}
	if err := o.spoken(n); err != nil {
		return err
	}
	if err := l.believed(); err != nil {
		return err
	}
	if err := l.refused(); err != nil {
		return err
	}
	return l.caught(ctx)
}

// believed looks at the receipts that the victim took: each is over its own
// tree, by the liar's key, and in the end over all of the log that it writes.
// covers P1 P2
func (l *liar) believed() error {
	eras := l.w.oracle.eras(l.victim, l.victim.name)
	return view(l.victim, func(tx station.Tx) error {
		for era := identity.Era(1); era <= eras; era++ {
			own := l.w.line.Log(l.victim.name, era)
			log, _, err := tx.Log(own)
			if err != nil {
				return err
			}
			last, err := l.verified(tx, own)
			if err != nil {
				return err
			}
			if era == eras && last != log.Size {
				return l.w.oracle.broken("P2", "%s wrote %d entries and holds receipts for %d: %s", l.victim.name, log.Size, last, l.w.oracle.standing(l.victim))
			}
		}
		return nil
	})
}

// verified verifies every receipt held of a log and returns the last one's size.
func (l *liar) verified(tx station.Tx, own identity.Origin) (last int64, err error) {
	by := string(l.node.name) + "/mirror"
	given, err := tx.CosignaturesAfter(own, by, 0, 0)
	if err != nil {
		return 0, err
	}
	for _, c := range given {
		root, err := journal.RootAt(tx, own, c.Size)
		if err != nil {
			return 0, err
		}
		if _, err := journal.OpenCosignature(by, l.node.cast.Card.Cosigner, journal.Head{Origin: own, Size: c.Size, Root: root}, c.Lines); err != nil {
			return 0, l.w.oracle.broken("P1", "%s shows size %d as delivered on a receipt that does not verify: %v", l.victim.name, c.Size, err)
		}
		last = c.Size
	}
	return last, nil
}

// refused looks at the entries that cannot be accepted: each is held, judged,
// and answered with its index.
// covers P15
func (l *liar) refused() error {
	answered := make(map[string]bool)
	for p, e := range l.w.oracle.plain {
		if b := e.Body.Body(); p.origin.Writer == l.victim.name && b.Format == "002" {
			answered[string(b.Params["index"])] = true
		}
	}
	return view(l.victim, func(tx station.Tx) error {
		for _, i := range l.bad {
			m, err := tx.Message(l.origin(), i)
			if err != nil {
				return l.w.oracle.broken("P15", "entry %d of %s is not held: %v", i, l.origin(), err)
			}
			if m.Problem == "" {
				return l.w.oracle.broken("P8", "entry %d of %s was accepted", i, l.origin())
			}
			if !answered[fmt.Sprint(i)] {
				return l.w.oracle.broken("P15", "entry %d of %s (%s) was not answered", i, l.origin(), m.Problem)
			}
		}
		return nil
	})
}

// caught looks for the proof of two histories, which verifies by itself.
// covers P7
func (l *liar) caught(ctx context.Context) error {
	if !l.forked {
		return nil
	}
	held, err := l.victim.end.Evidences(ctx, stationtest.Operator(), 0)
	if err != nil {
		return err
	}
	for _, e := range held {
		if e.Kind != "fork" {
			continue
		}
		got := record.VerifyEvidence(e.File, []identity.Bundle{l.node.cast.Bundle}, []identity.Root{l.node.cast.RootInfo})
		if got.Verdict == record.Valid {
			return nil
		}
		return l.w.oracle.broken("P7", "the proof of a fork is %s: %s", got.Verdict, got.Reason)
	}
	return l.w.oracle.broken("P7", "%s was shown two histories and holds no proof", l.victim.name)
}
