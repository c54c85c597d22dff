package station

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/journal/mirror"
	"detente/line"
	"detente/message"
)

// Handle answers a counterpart's request. The peer in it must have been
// authenticated by the transport. It never fails: what is wrong is in the
// answer's status and text, and nothing is half done.
func (s *Station) Handle(ctx context.Context, now time.Time, r line.Request) line.Response {
	p, err := s.peerNamed(r.Peer)
	if err != nil {
		return line.Text(http.StatusForbidden, "this station is not paired with you")
	}
	if !p.confirmed() {
		return busy(retryGuard, "two officers have not confirmed your card here yet")
	}
	s.hear(r.Peer, now)
	var answer line.Response
	switch r.Op {
	case line.OpDeliver:
		answer, err = s.handleDeliver(ctx, now, p, r)
	case line.OpAddCheckpoint:
		answer, err = s.handleAddCheckpoint(ctx, now, p, r)
	case line.OpAddEntries:
		answer, err = s.handleAddEntries(ctx, now, p, r)
	case line.OpHeads:
		answer, err = s.handleHeads(ctx, p, r)
	case line.OpCosignatures:
		answer, err = s.handleCosignatures(ctx, p, r)
	case line.OpTile:
		answer, err = s.handleTile(ctx, p, r)
	case line.OpCards:
		answer, err = s.handleCards(ctx, now, p, r)
	default:
		return line.Text(http.StatusNotFound, "there is no such operation")
	}
	if err != nil {
		return s.answerError(ctx, now, r, err)
	}
	return answer
}

// answerError turns an error into the answer that the C2SP specifications and
// ours give for it.
func (s *Station) answerError(ctx context.Context, now time.Time, r line.Request, err error) line.Response {
	var conflict *mirror.Conflict
	var fork *journal.ForkError
	var quota *QuotaError
	var contradiction *contradictionError
	switch {
	case errors.As(err, &conflict):
		return conflictAnswer(r.Op, conflict)
	case errors.As(err, &fork):
		if err := s.keepFork(ctx, now, fork); err != nil {
			return busy(retryStore, "this head contradicts one that your log has signed, and the proof could not be kept: "+err.Error())
		}
		return line.Text(http.StatusUnprocessableEntity, "this head contradicts one that your log has signed; both are kept as proof")
	case errors.As(err, &contradiction):
		if err := s.keepContradiction(ctx, now, contradiction); err != nil {
			return busy(retryStore, "this contradicts what you have signed before, and the proof could not be kept: "+err.Error())
		}
		return line.Text(http.StatusForbidden, err.Error())
	case errors.As(err, &quota):
		return busy(quota.Wait, quota.Error())
	case errors.Is(err, ErrLineDown), errors.Is(err, ErrClockUnsafe), errors.Is(err, mirror.ErrBelowMark):
		return busy(retryGuard, err.Error())
	case errors.Is(err, journal.ErrUnknownLog), errors.Is(err, ErrNotFound), r.Op == line.OpTile && errors.Is(err, journal.ErrNoEntry):
		return line.Text(http.StatusNotFound, err.Error())
	case errors.Is(err, mirror.ErrBeyond), errors.Is(err, mirror.ErrEnded):
		return line.Text(http.StatusGone, err.Error()+"; go on with the next era")
	case errors.Is(err, errNotFollowed):
		return line.Text(http.StatusFailedDependency, err.Error())
	case errors.Is(err, ErrRefused):
		return line.Text(http.StatusForbidden, err.Error())
	case errors.Is(err, ErrFull), errors.Is(err, ErrOutcomeUnknown):
		return busy(retryStore, "the store cannot take entries now")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return busy(retryStore, "stopping")
	}
	return line.Text(http.StatusUnprocessableEntity, err.Error())
}

// How long a peer is asked to wait before it tries again.
const (
	retryGuard = 2 * time.Second
	retryStore = 10 * time.Second
)

// handleDeliver takes checkpoint and entries in one step: in one transaction
// it verifies, stores and cosigns. What the entries say is read when the answer has
// left (see TakeIn); they are opened already, beside the verification.
func (s *Station) handleDeliver(ctx context.Context, now time.Time, p *peer, r line.Request) (line.Response, error) {
	d, err := line.ParseDelivery(r.Body)
	if err != nil {
		return line.Text(http.StatusBadRequest, err.Error()), nil
	}
	if err := s.fromPeer(p, d.Origin); err != nil {
		return line.Response{}, err
	}
	if err := s.guarded(ctx, now, d.Origin.Line()); err != nil {
		return line.Response{}, err
	}
	pub, err := s.logKey(d.Origin)
	if err != nil {
		return line.Response{}, err
	}
	var given journal.Cosignature
	opened := s.lookAhead(p, d)
	err = s.update(ctx, now, func(tx Tx) error {
		if err := s.mayCosign(tx, now, d.Origin, d.Start, d.Entries); err != nil {
			return err
		}
		given, err = s.mirror.Deliver(tx, pub, d, second(now), s.markOf(d.Origin))
		return err
	})
	if err != nil {
		return line.Response{}, err
	}
	s.unread(d.Origin.Line(), opened)
	return s.letOut(now, given)
}

func (s *Station) handleAddCheckpoint(ctx context.Context, now time.Time, p *peer, r line.Request) (line.Response, error) {
	c, err := line.ParseAddCheckpoint(r.Body)
	if err != nil {
		return line.Text(http.StatusBadRequest, err.Error()), nil
	}
	claim, err := line.ReadClaim(c.Checkpoint)
	if err != nil {
		return line.Text(http.StatusBadRequest, err.Error()), nil
	}
	origin := claim.Origin
	if err := s.fromPeer(p, origin); err != nil {
		return line.Response{}, err
	}
	if err := s.guarded(ctx, now, origin.Line()); err != nil {
		return line.Response{}, err
	}
	pub, err := s.logKey(origin)
	if err != nil {
		return line.Response{}, err
	}
	err = s.update(ctx, now, func(tx Tx) error {
		if err := s.mayCosign(tx, now, origin, 0, nil); err != nil {
			return err
		}
		return s.mirror.AddCheckpoint(tx, pub, origin, c.Old, c.Proof, c.Checkpoint)
	})
	if err != nil {
		return line.Response{}, err
	}
	return line.Response{Status: http.StatusOK}, nil
}

// handleAddEntries takes one entry package of an upload.
func (s *Station) handleAddEntries(ctx context.Context, now time.Time, p *peer, r line.Request) (line.Response, error) {
	u, err := line.ParseUpload(r.Body)
	if err != nil {
		return line.Text(http.StatusBadRequest, err.Error()), nil
	}
	if err := s.fromPeer(p, u.Origin); err != nil {
		return line.Response{}, err
	}
	if err := s.guarded(ctx, now, u.Origin.Line()); err != nil {
		return line.Response{}, err
	}
	pub, err := s.logKey(u.Origin)
	if err != nil {
		return line.Response{}, err
	}
	var pack mirror.Package
	pack.Subtree, pack.Start, pack.End = u.UploadHead.Package(0)
	if len(u.Packages) > 0 {
		pack.Entries, pack.Proof = u.Packages[0].Entries, u.Packages[0].Proof
	} else {
		pack.End = pack.Start
	}
	var given journal.Cosignature
	var next int64
	var done bool
	err = s.update(ctx, now, func(tx Tx) error {
		if err := s.mayCosign(tx, now, u.Origin, pack.Start, pack.Entries); err != nil {
			return err
		}
		given, next, done, err = s.mirror.AddEntries(tx, pub, u.Origin, u.End, pack, second(now), s.markOf(u.Origin))
		return err
	})
	if err != nil {
		return line.Response{}, err
	}
	if !done {
		return line.Response{Status: http.StatusAccepted, Type: line.TypeMirrorInfo, Body: line.MirrorInfo{Size: u.End, Next: next}.Bytes()}, nil
	}
	s.unread(u.Origin.Line(), nil)
	return s.letOut(now, given)
}

// busy asks a peer to come back later.
func busy(wait time.Duration, why string) line.Response {
	r := line.Text(http.StatusServiceUnavailable, why)
	r.RetryAfter = wait
	return r
}

// conflictAnswer tells a peer where the mirror stands, in the form that each
// specification gives it.
func conflictAnswer(op line.Op, c *mirror.Conflict) line.Response {
	if op == line.OpAddCheckpoint {
		return line.Response{Status: http.StatusConflict, Type: line.TypeSize, Body: line.FormatSize(c.Size)}
	}
	return line.Response{Status: http.StatusConflict, Type: line.TypeMirrorInfo, Body: line.MirrorInfo{Size: c.Size, Next: c.Next}.Bytes()}
}

// fromPeer returns an error unless the peer writes the log for this station.
func (s *Station) fromPeer(p *peer, o identity.Origin) error {
	if o.Writer != p.Card.Station || o.Reader != s.name {
		return fmt.Errorf("%w: %s may not deliver the log %s here", ErrRefused, p.Card.Station, o)
	}
	return nil
}

// mayCosign returns an error that says why nothing may be cosigned now of a
// delivery of entries from start on. What was cosigned before and not read yet is
// read first: no more than one delivery is ever unread.
func (s *Station) mayCosign(tx Tx, now time.Time, o identity.Origin, start int64, entries [][]byte) error {
	p, err := s.peerNamed(o.Writer)
	if err != nil {
		return err
	}
	if !p.confirmed() {
		return fmt.Errorf("%w: two officers have not confirmed your card here yet", ErrLineDown)
	}
	if !p.Card.To.After(now) {
		return fmt.Errorf("%w: your card ended at %s: send a newer one", ErrLineDown, p.Card.To.UTC().Format(time.RFC3339))
	}
	row, err := tx.Line(o.Line())
	if err != nil {
		return fmt.Errorf("%w: the line %s is not open here", journal.ErrUnknownLog, o.Line())
	}
	if err := s.ClockSafe(now); err != nil {
		return err
	}
	if err := s.readUnread(tx, now, &row); err != nil {
		return err
	}
	if err := s.followEra(tx, &row, o.Era); err != nil {
		return err
	}
	log, _, err := tx.Log(o)
	if err != nil {
		return err
	}
	// What is held already costs nothing: a lost answer makes an honest sender
	// send the same again.
	held := min(max(log.Size, log.Next)-start, int64(len(entries)))
	return s.quota(tx, now, row, stored(entries[max(held, 0):]))
}

// comparePeerSeen raises an alarm where the counterpart says that it has seen
// another history of this station's log than the one that stands here: somebody
// else may hold the log's key.
func (s *Station) comparePeerSeen(tx Tx, now time.Time, row Line) error {
	seen := row.PeerSeen
	if seen.Size == 0 {
		return nil
	}
	own := row.Line.Log(s.name, seen.Era)
	log, ok, err := tx.Log(own)
	if err != nil || !ok || seen.Size > log.Size {
		return err // it may have been lost here, or is not written yet: heads tell
	}
	root := log.Root
	if seen.Size < log.Size {
		if root, err = journal.RootAt(tx, own, seen.Size); err != nil {
			return err
		}
	}
	if identity.Digest(root) == seen.Root {
		return nil
	}
	return s.event(tx, now, "alarm", row.Line.String(), fmt.Sprintf("the counterpart has seen another history of %s at size %d than the one that stands here", own, seen.Size))
}

// later returns the later time.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// further returns the head that lies further: of a later era, or larger.
func further(a, b message.Head) message.Head {
	if b.Era > a.Era || b.Era == a.Era && b.Size > a.Size {
		return b
	}
	return a
}

// judge is accept, but for entry 0: whose cards are whose changes with time, so
// that its refusal is kept and stands, however often the tables are made anew.
func (s *Station) judge(tx Tx, row *Line, o identity.Origin, index int64, in incoming, first bool) (problem, field string, err error) {
	if index != 0 || in.problem != "" {
		return s.accept(tx, row, o, index, in)
	}
	key := "opening/" + o.String()
	if !first {
		kept, err := tx.Setting(key)
		if err != nil {
			return "", "", err
		}
		if kept != nil {
			problem, field, _ = strings.Cut(string(kept), " ")
			return problem, field, nil
		}
	}
	if problem, field, err = s.accept(tx, row, o, index, in); err != nil || !first {
		return problem, field, err
	}
	return problem, field, tx.PutSetting(key, []byte(problem+" "+field))
}

// takeIn projects one entry of a counterpart's log. answer says whether what
// cannot be accepted is answered: on rebuilding it has been already.
func (s *Station) takeIn(tx Tx, now time.Time, row *Line, o identity.Origin, index int64, in incoming, answer bool) error {
	if o.Era > row.PeerEra {
		row.PeerAt, row.PeerSeen = time.Time{}, message.Head{} // a new log begins anew
	}
	problem, field, err := s.judge(tx, row, o, index, in, answer)
	if err != nil {
		return err
	}
	if in.problem != "" {
		err = s.projectUnread(tx, o, index, in)
	} else {
		err = s.project(tx, o, index, in.entry, in.plain, problem, field)
	}
	if err != nil {
		return err
	}
	row.PeerEra = max(row.PeerEra, o.Era)
	row.TakenEra, row.TakenSize = o.Era, index+1
	if in.problem == problemUnreadable {
		if err := s.noteUnread(tx, row, o, index); err != nil {
			return err
		}
	}
	if in.problem == "" {
		row.PeerAt = later(row.PeerAt, in.entry.Wrapper.At)
		row.PeerSeen = further(row.PeerSeen, in.entry.Wrapper.Seen)
	}
	if problem == "" {
		if err := s.takeOpening(tx, row, o, index, in.entry); err != nil {
			return err
		}
		if err := s.noteBlobs(tx, now, o, in.entry, answer); err != nil {
			return err
		}
	}
	if err := s.takeKey(tx, now, row, o, index, in, answer); err != nil {
		return err
	}
	if !answer {
		return nil
	}
	if problem == "" {
		if err := s.answerUnreadable(tx, now, o, in.entry.Body.Body()); err != nil {
			return err
		}
		if err := s.proven(tx, now, o, in.entry.Body.Body()); err != nil {
			return err
		}
		policy, err := s.policy(tx, o) // a policy itself never goes PROVISIONAL
		if err != nil {
			return err
		}
		if err := s.noteProvisional(tx, o, index, in.entry, policy.Policy); err != nil {
			return err
		}
		if in.entry.Body.Body().Format == "010" {
			s.mu.Lock()
			s.lines[o.Line()].compare = true
			s.mu.Unlock()
		}
	}
	if problem != "" {
		if err := s.refuse(tx, now, o, index, in, problem, field); err != nil {
			return err
		}
		return s.event(tx, now, "message", s.Cite(o, index), "could not be accepted: "+problem+" "+field)
	}
	return s.event(tx, now, "message", s.Cite(o, index), "received")
}

// letOut returns a cosignature to the peer, once the high-water mark holds it.
func (s *Station) letOut(now time.Time, c journal.Cosignature) (line.Response, error) {
	if c.Lines == nil {
		return line.Text(http.StatusGone, fmt.Sprintf("%s is held to its end at %d and gets no receipt there: a larger head was receipted, and its entries are lost; go on with the next era", c.Origin, c.Size)), nil
	}
	if err := s.raiseGiven(now, c); err != nil {
		return line.Response{}, fmt.Errorf("%w: %w", ErrLineDown, err)
	}
	return line.Response{Status: http.StatusOK, Type: line.TypeText, Body: c.Lines}, nil
}

// hear notes that a peer is alive. What waited since it could not be reached is
// sent at once.
func (s *Station) hear(peer identity.Station, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l, st := range s.lines {
		if l.Has(peer) && now.After(st.heard) {
			st.heard = now
		}
		if l.Has(peer) && st.machine != nil && st.machine.Contact() {
			st.wake()
		}
	}
}
