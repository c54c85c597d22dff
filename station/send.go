package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"

	"filippo.io/torchwood"
)

// Step is what a line has to do next: send a request, or wait.
type Step struct {
	Request *line.Request // nil: nothing to send
	Until   time.Time     // when to ask again if nothing happens before; zero: only when woken
	// Patience is how long to wait for the answer.
	Patience time.Duration

	kind       stepKind
	action     line.Action
	view       line.View
	decision   line.Decision
	checkpoint []byte          // that was offered
	card       identity.Digest // that was announced
}

// stepKind says who takes the answer.
type stepKind uint8

const (
	stepMachine stepKind = iota // the line's machine
	stepHeads                   // the guard
	stepPage                    // healing: a page of old cosignatures
	stepBundle                  // healing: a bundle of entries
	stepCards                   // the announcement of an era
	stepNotes                   // healing: the counterpart's cards and notes
)

// Step says what a line has to do now. It is called again after each answer,
// whenever the line is woken, and at Until. It changes nothing in the store.
func (s *Station) Step(ctx context.Context, now time.Time, l identity.Line) (Step, error) {
	st, err := s.state(l)
	if err != nil {
		return Step{}, err
	}
	if p, err := s.peerOf(l); err != nil || !p.confirmed() {
		return Step{}, err // held: nothing is sent until two officers have confirmed its cards, which wakes the line
	}
	if err := s.judgeGuards(ctx, now, l); err != nil {
		return Step{}, err
	}
	s.mu.Lock()
	passed, stuck := st.own.passed && st.theirs.passed, st.own.lost != nil
	lacking, retry := passed && st.theirs.lacking, st.own.retry
	s.mu.Unlock()
	if !passed && !stuck || lacking && due(now, retry, guardRetry) {
		return s.stepGuard(ctx, now, l, st)
	}
	s.mu.Lock()
	compare := passed && st.compare
	st.compare = st.compare && !compare
	s.mu.Unlock()
	if compare {
		return s.stepHeads(ctx, l) // heads of each log are compared at every line test
	}
	step, err := s.stepLog(ctx, now, l, st)
	if lacking && err == nil && step.Request == nil && (step.Until.IsZero() || retry.Before(step.Until)) {
		step.Until = retry
	}
	return step, err
}

// stepLog says what a line has to do to deliver its log.
func (s *Station) stepLog(ctx context.Context, now time.Time, l identity.Line, st *lineState) (Step, error) {
	var step Step
	var log journal.Log // that step offers
	err := s.store.View(ctx, func(tx Tx) (err error) {
		if step, err = s.announce(tx, now, l, st); err != nil || step.Request != nil {
			return err
		}
		v, err := s.view(tx, now, l, st)
		if err != nil {
			return err
		}
		if step, err = s.stepLine(tx, now, l, st, v); err != nil {
			return err
		}
		log, _, err = tx.Log(v.Origin)
		return err
	})
	if err != nil || step.Request == nil || step.kind == stepCards || step.Request.Op == line.OpHeads {
		return step, err
	}
	// Before a checkpoint leaves, the high-water mark holds it.
	return step, s.raiseOwn(now, log)
}

// announce tells the counterpart, before anything else, that this station's card
// is another than the one it was told of, or that a log has ended and which
// follows: what it seals to, and what it may receipt, depends on it.
func (s *Station) announce(tx Tx, now time.Time, l identity.Line, st *lineState) (Step, error) {
	row, err := tx.Line(l)
	if err != nil {
		return Step{}, err
	}
	s.mu.Lock()
	told := st.toldCard == s.own.Load().CardDigest && (st.told >= row.OwnEra || row.SendEra >= row.OwnEra)
	wait := !due(now, st.tellAt, guardRetry)
	s.mu.Unlock()
	if told || wait {
		return Step{}, nil
	}
	newest := l.Log(s.name, row.OwnEra)
	r := &line.Request{Op: line.OpCards, Peer: l.Other(s.name), Origin: newest}
	r.Body, err = s.announcement(tx, newest)
	return Step{Request: r, Patience: guardPatience, kind: stepCards, card: s.own.Load().CardDigest}, err
}

// announced notes what came of an announcement.
func (s *Station) announced(ctx context.Context, now time.Time, l identity.Line, step Step, r line.Response, failed error) error {
	st, err := s.state(l)
	if err != nil {
		return err
	}
	if failed != nil || !r.OK() {
		s.mu.Lock()
		defer s.mu.Unlock()
		st.tellAt = now.Add(guardRetry)
		return nil
	}
	if err := s.update(ctx, now, func(tx Tx) error { return tx.PutSetting(toldKey(l), []byte(step.card.String())) }); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.told, st.toldCard = max(st.told, step.Request.Origin.Era), step.card
	return nil
}

// toldKey is where the store keeps which card the counterpart of a line was
// told of.
func toldKey(l identity.Line) string { return "told/" + l.String() }

// stepLine asks the line's machine, and builds the request that it wants. A
// repetition is the same bytes.
func (s *Station) stepLine(tx Tx, now time.Time, l identity.Line, st *lineState, v line.View) (Step, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.machine == nil || st.sending != v.Origin {
		st.machine, st.sending, st.sent = line.NewMachine(s.jitter), v.Origin, nil
	}
	a := st.machine.Next(now, v)
	step := Step{Until: a.Until, action: a, view: v}
	if a.Kind == line.Wait {
		return step, nil
	}
	if st.sent == nil || st.serial != a.Serial {
		r, err := s.request(tx, l, v, a)
		if err != nil {
			st.machine.Answer(now, v, a, line.Response{}, err)
			return Step{Until: now.Add(guardRetry)}, err
		}
		st.sent, st.serial = r, a.Serial
	}
	step.Request = st.sent
	if log, ok, err := tx.Log(v.Origin); err == nil && ok && log.Size == max(a.To, a.End) {
		step.checkpoint = log.Checkpoint
	}
	step.Patience = st.window.Patience(now, int64(len(st.sent.Body)), a.Attempt)
	if a.Kind == line.AskHeads {
		step.kind = stepHeads
	}
	return step, nil
}

// view is what the machine of a line has to know of the logs.
func (s *Station) view(tx Tx, now time.Time, l identity.Line, st *lineState) (line.View, error) {
	row, err := tx.Line(l)
	if err != nil {
		return line.View{}, err
	}
	own := l.Log(s.name, max(row.SendEra, 1))
	log, _, err := tx.Log(own)
	for err == nil && log.Size == 0 && own.Era < row.OwnEra {
		own.Era++ // an era that was lost before its entry 0 holds nothing to send
		log, _, err = tx.Log(own)
	}
	if err != nil {
		return line.View{}, err
	}
	acked, err := s.acked(tx, own)
	if err != nil {
		return line.View{}, err
	}
	v := line.View{Origin: own, Size: log.Size, Acked: acked, Quota: row.PeerQuota}
	if v.Watch.Oldest, err = s.oldest(tx, st, row, own, acked, log.Size); err != nil {
		return v, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if own.Era < row.OwnEra && v.Acked >= v.Size {
		v.Acked = v.Size - 1 // the end of an earlier log is offered once more, so that the counterpart says that it holds it
	}
	if own.Era == row.OwnEra {
		if int64(len(st.pending)) != log.Size-acked {
			// A commit failed after its entries were counted: count anew.
			if st.pending, err = s.outstandingSizes(tx, own, acked, log.Size); err != nil {
				return v, err
			}
		}
		v.Waiting = st.awaiting() + 2*int64(len(st.pending))
	} else {
		v.Waiting = line.MaxDelivery + 1
	}
	v.DayBytes = st.day.sum(now)
	v.Watch.Grew, v.Watch.Heard, v.Watch.Listening = row.PeerAt, st.heard, s.since
	v.Watch.ReceiptTime, v.Watch.SilentAfter = s.limits.ReceiptWithin, st.silentAfter
	return v, nil
}

// oldest returns the second of the oldest entry of an own log that awaits the
// counterpart's cosignature; zero where there is none, or where the store does not
// know it.
func (s *Station) oldest(tx Tx, st *lineState, row Line, own identity.Origin, acked, size int64) (time.Time, error) {
	if acked >= size {
		return time.Time{}, nil
	}
	s.mu.Lock()
	var at time.Time
	if own.Era == row.OwnEra && int64(len(st.pending)) == size-acked {
		at = st.pending[0].at
	}
	s.mu.Unlock()
	if !at.IsZero() {
		return at, nil
	}
	m, err := tx.Message(own, acked)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return m.At, err
}

// request builds the request that an action asks for.
func (s *Station) request(tx Tx, l identity.Line, v line.View, a line.Action) (*line.Request, error) {
	r := &line.Request{Peer: l.Other(s.name), Origin: v.Origin}
	var err error
	switch a.Kind {
	case line.Deliver:
		r.Op = line.OpDeliver
		r.Body, err = s.deliverBody(tx, v, a)
	case line.SendCheckpoint:
		r.Op = line.OpAddCheckpoint
		r.Body, err = s.checkpointBody(tx, v, a)
	case line.SendEntries:
		r.Op = line.OpAddEntries
		r.Body, err = s.uploadBody(tx, v, a)
	case line.ShowCards:
		r.Op = line.OpCards
		r.Body, err = s.announcement(tx, v.Origin)
	case line.AskHeads:
		r.Op = line.OpHeads
		r.Body, err = line.HeadsQuery{Origins: []identity.Origin{v.Origin}}.Bytes()
	default:
		err = fmt.Errorf("internal error: the line asks for an unknown action %v", a.Kind)
	}
	return r, err
}

func (s *Station) deliverBody(tx Tx, v line.View, a line.Action) ([]byte, error) {
	d, err := s.delivery(tx, v.Origin, a.Old, a.From, a.To)
	if err != nil {
		return nil, err
	}
	return line.FormatDelivery(d)
}

func (s *Station) checkpointBody(tx Tx, v line.View, a line.Action) ([]byte, error) {
	d, err := s.delivery(tx, v.Origin, a.Old, a.To, a.To)
	if err != nil {
		return nil, err
	}
	return line.AddCheckpoint{Old: d.OldSize, Proof: d.Proof, Checkpoint: d.Checkpoint}.Bytes()
}

// delivery builds checkpoint, proof from old, and the entries from start to
// end, which is the log's size.
func (s *Station) delivery(tx Tx, o identity.Origin, old, start, end int64) (journal.Delivery, error) {
	log, ok, err := tx.Log(o)
	if err != nil {
		return journal.Delivery{}, err
	}
	if !ok || log.Size != end {
		return journal.Delivery{}, fmt.Errorf("the log %s stands at %d and no longer at %d", o, log.Size, end)
	}
	d := journal.Delivery{Origin: o, OldSize: old, Checkpoint: log.Checkpoint, Start: start}
	if old > 0 && old < log.Size {
		if d.Proof, err = journal.ProveTree(tx, o, old, log.Size); err != nil {
			return d, err
		}
	}
	d.Entries, err = tx.Entries(o, start, end)
	return d, err
}

// uploadBody builds entry packages towards a pending checkpoint: at least one,
// and no more once the body is large.
func (s *Station) uploadBody(tx Tx, v line.View, a line.Action) ([]byte, error) {
	h := line.UploadHead{Origin: v.Origin, Start: a.From, End: a.End, Ticket: []byte(a.Ticket)}
	return h.Fill(func(subtree, start, end int64) (p line.Package, err error) {
		if p.Entries, err = tx.Entries(v.Origin, start, end); err != nil {
			return p, err
		}
		proof, err := torchwood.ProveSubtree(a.End, subtree, end, journal.HashReader(tx, v.Origin))
		p.Proof = proof
		return p, err
	})
}

// Answered tells a line what came of a request: an answer, or the transport's
// error. A receipt is verified and stored before Answered returns.
func (s *Station) Answered(ctx context.Context, now time.Time, l identity.Line, step Step, r line.Response, failed error) error {
	st, err := s.state(l)
	if err != nil {
		return err
	}
	if failed == nil {
		s.hear(l.Other(s.name), now)
	}
	switch step.kind {
	case stepCards:
		return s.announced(ctx, now, l, step, r, failed)
	case stepNotes:
		return s.answeredNotes(ctx, now, l, r, failed)
	case stepPage, stepBundle:
		return s.answeredHeal(ctx, now, l, step, r, failed)
	case stepHeads:
		err = s.answeredHeads(ctx, now, l, r, failed)
		if step.action.Kind == line.Wait {
			return err
		}
	}
	if failed == nil && r.Status == 200 && (step.action.Kind == line.Deliver || step.action.Kind == line.SendEntries) {
		if failed = s.takeReceipt(ctx, now, l, step, r.Body); failed != nil && !errors.Is(failed, line.ErrNoReceipt) {
			err = failed // our own trouble, not the peer's: the machine tries again
		}
	}
	if failed == nil && step.kind == stepMachine {
		turned, turning := s.turnEra(ctx, now, l, step.view.Origin, r.Status)
		if turned || turning != nil {
			return errors.Join(err, turning)
		}
	}
	s.mu.Lock()
	before := st.alarms
	if st.sending == step.view.Origin {
		st.machine.Answer(now, step.view, step.action, r, failed)
	}
	st.alarms = step.action.Alarms
	s.mu.Unlock()
	return errors.Join(err, s.noteAlarms(ctx, now, l, before, step.action))
}

// takeReceipt stores the counterpart's cosignature and lets the queue go on.
// Lines that are no receipt are an error that wraps line.ErrNoReceipt.
func (s *Station) takeReceipt(ctx context.Context, now time.Time, l identity.Line, step Step, lines []byte) error {
	p, err := s.peerOf(l)
	if err != nil {
		return err
	}
	own := step.view.Origin
	size := max(step.action.To, step.action.End)
	s.mu.Lock()
	signer := s.sign[own]
	s.mu.Unlock()
	return s.update(ctx, now, func(tx Tx) error {
		acked, err := s.acked(tx, own)
		if err != nil {
			return err
		}
		before, given, err := tx.LastCosignature(own, p.cosigner)
		if err != nil {
			return err
		}
		c, err := journal.TakeReceipt(tx, signer, p.cosigner, p.Card.Cosigner, lines, size, step.checkpoint)
		if errors.Is(err, journal.ErrSecondTime) {
			return s.secondReceipt(tx, now, c)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", line.ErrNoReceipt, err)
		}
		if given && (c.At.Before(before.At) && c.Size > before.Size || before.At.Before(c.At) && before.Size > c.Size) {
			if err := s.keepTimes(tx, now, before, c); err != nil {
				return err
			}
		}
		row, err := tx.Line(l)
		if err != nil {
			return err
		}
		if row.lookAgain(own.Era, c.Size) {
			if err := tx.PutLine(row); err != nil {
				return err
			}
		}
		log, _, err := tx.Log(own)
		if err != nil {
			return err
		}
		if own.Era == row.OwnEra {
			if err := s.receipted(tx, l, log.Size-c.Size, now); err != nil {
				return err
			}
		} else if log.Ended != nil && c.Size >= log.Ended.Size && row.SendEra <= own.Era {
			row.SendEra = own.Era + 1
			if err := tx.PutLine(row); err != nil {
				return err
			}
		}
		for i := acked; i < c.Size; i++ {
			if err := s.event(tx, now, "receipt", s.Cite(own, i), "receipted at "+c.At.Format(time.RFC3339)); err != nil {
				return err
			}
		}
		s.heed(l) // there is room for what waits; the machine is asked next
		return nil
	})
}

// secondReceipt keeps, as evidence, a cosignature over a size of which another
// second is held already. The first stays the receipt.
func (s *Station) secondReceipt(tx Tx, now time.Time, c journal.Cosignature) error {
	first, ok, err := tx.Cosignature(c.Origin, c.By, c.Size)
	if err != nil || !ok || first.At.Equal(c.At) {
		return err
	}
	return s.keepTimes(tx, now, first, c)
}

// noteAlarms writes an event for each alarm that begins or ends on a line. A
// receipt that is withheld while the counterpart's own log grows is kept as
// evidence too.
func (s *Station) noteAlarms(ctx context.Context, now time.Time, l identity.Line, before line.Alarms, a line.Action) error {
	withheld := a.Alarms&line.AlarmWithheld != 0 && a.Proven
	if before == a.Alarms && !withheld {
		return nil
	}
	return s.update(ctx, now, func(tx Tx) error {
		if withheld {
			if err := s.keepWithheld(tx, now, l); err != nil {
				return err
			}
		}
		if before == a.Alarms {
			return nil
		}
		return s.event(tx, now, "alarm", l.String(), a.Alarms.String())
	})
}
