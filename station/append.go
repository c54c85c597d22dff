package station

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/seal"
)

// maxBatch bounds the entries that one commit appends to one log, so that a
// long queue does not hold up what arrives meanwhile.
const maxBatch = 256

// finish is the hook that the store runs once in each commit: it appends what
// the queues of the touched lines hold, as far as the lines have room.
func (s *Station) finish(tx Tx) error {
	now := s.batch.now
	var failed error
	for l := range s.batch.dirty {
		delete(s.batch.dirty, l)
		if err := s.appendWaiting(tx, l, now); err != nil {
			failed = errors.Join(failed, fmt.Errorf("appending on line %s: %w", l, err))
		}
	}
	s.mu.Lock()
	s.stuck = failed
	s.mu.Unlock()
	return failed
}

// appendWaiting moves messages of a line's queue into its log: highest
// precedence first, then oldest, each after the waiting messages that it
// refers to. It stops when the line has no more room, when the guard has not
// passed, or when the line is not open.
func (s *Station) appendWaiting(tx Tx, l identity.Line, now time.Time) error {
	row, err := tx.Line(l)
	if err != nil {
		return err
	}
	if s.mayAppend(row, now) != "" {
		return nil
	}
	// Where a long queue waits for room, most commits find none: its head alone
	// tells that.
	waiting, err := tx.NextWaiting(l, 2)
	if err != nil || len(waiting) == 0 {
		return err
	}
	first, err := tx.Outgoing(waiting[0])
	if err != nil || s.noRoom(row, now, first, 0) != "" {
		return err
	}
	if err := s.readUnread(tx, now, &row); err != nil {
		return err
	}
	if len(waiting) == 2 {
		if waiting, err = tx.NextWaiting(l, maxBatch); err != nil {
			return err
		}
	}
	b, err := s.newBatch(tx, row, now)
	if err != nil {
		return err
	}
	if err := s.takeAll(tx, b, waiting, now); err != nil {
		return err
	}
	if len(b.entries) == 0 {
		return nil
	}
	b.unlist()
	return s.commitBatch(tx, b, now)
}

// maxLooked bounds how much of a queue one commit looks at where those at its
// head wait for others that await release.
const maxLooked = 16 * maxBatch

// takeAll takes waiting messages into the batch, in their order, as long as the
// line has room. Where a whole page waits for other messages it looks further:
// they must not hold up what is less urgent and may go.
func (s *Station) takeAll(tx Tx, b *appending, waiting []message.ID, now time.Time) error {
	seen := make(map[message.ID]bool)
	for limit := maxBatch; ; limit *= 2 {
		for _, id := range waiting {
			if seen[id] {
				continue
			}
			out, err := tx.Outgoing(id)
			if err != nil {
				return err
			}
			if len(b.entries) >= maxBatch || s.noRoom(b.row, now, out, b.bytes) != "" {
				return nil
			}
			if err := s.takeWithRefs(tx, b, out, seen, 0, now); err != nil {
				return err
			}
		}
		if len(waiting) < limit || len(b.entries) > 0 || limit >= maxLooked {
			return nil // what was appended makes room for the rest at the next commit
		}
		var err error
		if waiting, err = tx.NextWaiting(b.row.Line, 2*limit); err != nil {
			return err
		}
	}
}

// takeWithRefs takes a waiting message into the batch, after those that it
// refers to and that wait on the same line: a message lends them its
// precedence. Where they do not all fit into the batch it waits for the next.
func (s *Station) takeWithRefs(tx Tx, b *appending, out Outgoing, seen map[message.ID]bool, depth int, now time.Time) error {
	if seen[out.ID] || depth > maxBatch {
		return nil
	}
	seen[out.ID] = true
	for _, ref := range out.Refs {
		earlier, err := tx.Outgoing(ref)
		if errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		if earlier.State == Waiting && earlier.Line == out.Line {
			if err := s.takeWithRefs(tx, b, earlier, seen, depth+1, now); err != nil {
				return err
			}
			if earlier, err = tx.Outgoing(ref); err != nil {
				return err
			}
		}
		switch {
		case earlier.State == Awaiting:
			why := "waits for the release of " + ref.String() + ", to which it refers"
			if out.Reason == why {
				return nil
			}
			out.Reason = why
			out.Next = "that message is released, or this one is withdrawn"
			return tx.PutOutgoing(out)
		case earlier.State == Waiting && earlier.Line == out.Line && !b.holds(ref):
			return nil
		}
	}
	if len(b.entries) >= maxBatch {
		return nil
	}
	return s.take(tx, b, out, now)
}

// holds reports whether the batch has a message.
func (b *appending) holds(id message.ID) bool {
	return slices.ContainsFunc(b.taken, func(o Outgoing) bool { return o.ID == id })
}

// appending is a batch on its way into a log.
type appending struct {
	row     Line
	head    journal.Log // the log before the batch; zero before entry 0
	policy  inForce
	wrapper message.Wrapper // of the next entry
	before  Line            // the row before the wrapper's receipts counted as listed
	reader  seal.Recipient
	archive seal.Recipient
	ready   *seal.Envelope // made ahead, for one entry; may be nil
	entries [][]byte
	taken   []Outgoing
	opened  []message.Entry
	under   []inForce // in force at each
	plain   [][]byte
	bytes   int64
	more    bool // the last entry had no room for all that is to be listed
}

func (s *Station) newBatch(tx Tx, row Line, now time.Time) (*appending, error) {
	origin := row.Line.Log(s.name, row.OwnEra)
	head, _, err := tx.Log(origin)
	if err != nil {
		return nil, err
	}
	policy, err := s.policy(tx, origin)
	if err != nil {
		return nil, err
	}
	p, err := s.peerOf(row.Line)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	archive := s.keys.Archive[seal.PeriodOf(now)] // mayAppend has looked
	s.mu.Unlock()
	b := &appending{row: row, before: row, head: head, policy: policy, archive: archive.Recipient()}
	if b.reader, err = p.recipient(now); err != nil {
		return nil, err
	}
	b.ready = s.takeEnvelope(row.Line)
	if b.wrapper, err = s.nextWrapper(tx, &b.row, now); err != nil {
		return nil, err
	}
	return b, nil
}

// unlist takes back that receipts were listed where no entry of the batch had
// room for them: the next batch lists them.
func (b *appending) unlist() {
	if len(b.wrapper.Receipts)+len(b.wrapper.Held) == 0 {
		return
	}
	b.row.ListedEra, b.row.ListedSize = b.before.ListedEra, b.before.ListedSize
	b.row.HeldEra, b.row.HeldSize = b.before.HeldEra, b.before.HeldSize
}

// take checks a released message once more, at the second that its wrapper will
// say and by the policy in force at its place, wraps and seals it. A message
// whose approvals no longer satisfy the policy goes back to the officers. One
// that can never be appended ends with its reason: it must not hold up what
// waits behind it.
func (s *Station) take(tx Tx, b *appending, out Outgoing, now time.Time) error {
	frozen, err := s.bodies.parse(out.Body)
	if err != nil {
		return s.end(tx, now, out, "internal error: its stored body is damaged: "+err.Error(), "run `detente station doctor`, and submit it again")
	}
	at := b.wrapper.At
	if !out.Until.IsZero() && !out.Until.After(at) {
		return nil // expire ends it, with its reason
	}
	counted, dropped, err := s.recount(tx, &out, frozen, b.policy, at)
	if err != nil {
		return err
	}
	v := b.policy.Judge(frozen.Body(), counted)
	if v.Verdict != message.Released && !(v.Verdict == message.Provisional && out.Provisional) {
		return s.backToOfficers(tx, now, out, frozen, v, dropped)
	}
	if b.more {
		b.more = false
		if err := s.listFurther(tx, b, now); err != nil {
			return err
		}
	}
	w := b.wrapper
	w.Provisional = v.Verdict == message.Provisional
	if w.Approvals, err = s.parseApprovals(out.Approvals); err != nil {
		return err
	}
	entry, plain, sealed, err := b.sealed(w, frozen)
	if errors.Is(err, seal.ErrTooLarge) {
		return s.end(tx, now, out, err.Error(), "submit it again in parts, with fewer approvals, or with its text as a blob")
	}
	if err != nil {
		return fmt.Errorf("message %s: %w", out.ID, err)
	}
	if listed := entry.Wrapper; len(listed.Receipts)+len(listed.Held) > 0 {
		b.before = b.row // they are listed, and stand in one entry of the batch
		b.more = len(listed.Receipts) == message.MaxListed || len(listed.Held) == message.MaxHeld
		b.wrapper.Receipts, b.wrapper.Held = nil, nil
	}
	out.Provisional = w.Provisional
	b.entries, b.taken = append(b.entries, sealed), append(b.taken, out)
	b.opened, b.under, b.plain = append(b.opened, entry), append(b.under, b.policy), append(b.plain, plain)
	b.bytes += int64(len(sealed))
	if frozen.Body().Format == "005" {
		p, err := message.PolicyOf(frozen.Body())
		if err != nil {
			return fmt.Errorf("internal error: release policy %s: %w", out.ID, err)
		}
		b.policy = ruling(p)
	}
	return nil
}

// sealed wraps and seals a body. Where the entry would be too large it leaves
// the receipts to the next one.
func (b *appending) sealed(w message.Wrapper, f message.Frozen) (message.Entry, []byte, []byte, error) {
	entry := message.Entry{Wrapper: w, Body: f}
	plain, err := entry.Plain()
	if err != nil {
		return entry, nil, nil, fmt.Errorf("wrapping: %w", err)
	}
	closed, err := b.close(plain)
	if errors.Is(err, seal.ErrTooLarge) && len(w.Receipts)+len(w.Held) > 0 {
		w.Receipts, w.Held = nil, nil
		return b.sealed(w, f)
	}
	return entry, plain, closed, err
}

// close seals a plain text, in the envelope that was made ahead where it fits.
func (b *appending) close(plain []byte) ([]byte, error) {
	if b.ready.For(b.reader, b.archive) {
		return b.ready.Seal(plain)
	}
	return seal.Seal(plain, b.reader, b.archive)
}

// end ends a waiting message that cannot be appended.
func (s *Station) end(tx Tx, now time.Time, out Outgoing, why, next string) error {
	out.State, out.Reason, out.Next = Rejected, why, next
	if err := errors.Join(s.audit(tx, now, itself, "append", out.ID.String(), "failed", why), s.event(tx, now, "release", out.ID.String(), why)); err != nil {
		return err
	}
	return tx.PutOutgoing(out)
}

// backToOfficers asks for the release of a message anew: what it was approved
// by no longer counts, or no longer suffices.
func (s *Station) backToOfficers(tx Tx, now time.Time, out Outgoing, f message.Frozen, v message.Release, dropped []string) error {
	out.State, out.Provisional, out.Released = Awaiting, false, time.Time{}
	out.Reason = "awaits release again: " + v.Reason
	if len(dropped) > 0 {
		out.Reason += "; no longer counted: " + strings.Join(dropped, ", ")
	}
	out.Next, out.Until = nextApproval(out.ID), s.requestEnds(now, f.Body())
	if err := errors.Join(s.audit(tx, now, itself, "append", out.ID.String(), "refused", out.Reason), s.event(tx, now, "release", out.ID.String(), out.Reason)); err != nil {
		return err
	}
	return tx.PutOutgoing(out)
}

// commitBatch puts the batch into the log and notes what became of each
// message.
func (s *Station) commitBatch(tx Tx, b *appending, now time.Time) error {
	origin := b.row.Line.Log(s.name, b.row.OwnEra)
	s.mu.Lock()
	signer, ok := s.sign[origin]
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("no key for the log %s among the station's keys", origin)
	}
	first := b.head.Size
	if _, err := journal.Append(tx, signer, b.entries, second(now)); err != nil {
		return err
	}
	for i, out := range b.taken {
		out.State, out.Origin, out.Index = Appended, origin, first+int64(i)
		out.Body, out.Approvals = nil, nil // they stand in the entry
		out.Reason, out.Next = "stands in the log, awaits the counterpart's receipt", "the station offers it until it is receipted"
		if err := tx.PutOutgoing(out); err != nil {
			return err
		}
		if err := s.project(tx, origin, out.Index, b.opened[i], b.plain[i], "", ""); err != nil {
			return err
		}
		if err := s.noteProvisional(tx, origin, out.Index, b.opened[i], b.under[i].Policy); err != nil {
			return err
		}
		if err := s.event(tx, now, "message", s.Cite(origin, out.Index), "appended, message "+out.ID.String()); err != nil {
			return err
		}
	}
	s.appended(b.row.Line, b.entries, b.opened, now)
	return tx.PutLine(b.row)
}

// nextWrapper returns the wrapper of the next entry: its second, what this
// station has seen of the counterpart's log, and the receipts that it has
// given or holds and that stand in no log yet. It notes in row what it lists.
func (s *Station) nextWrapper(tx Tx, row *Line, now time.Time) (message.Wrapper, error) {
	at := second(now)
	if row.LastAt.After(at) {
		at = row.LastAt // the second of a wrapper never falls
	}
	row.LastAt = at
	w := message.Wrapper{At: at}
	if row.PeerEra == 0 {
		return w, nil
	}
	theirs := row.Line.Log(row.Line.Other(s.name), row.PeerEra)
	log, ok, err := tx.Log(theirs)
	if err != nil || !ok {
		return w, err
	}
	// A store that was put back may hold less of the counterpart's log than an
	// earlier wrapper has seen. What was said stays said: seen never falls.
	row.Seen = further(row.Seen, message.Head{Era: theirs.Era, Size: log.Size, Root: identity.Digest(log.Root)})
	w.Seen = row.Seen
	if w.Receipts, err = s.unlisted(tx, row, theirs); err != nil {
		return w, err
	}
	w.Held, err = s.held(tx, row, now)
	return w, err
}

// listFurther puts into an entry of a batch what the one before had no room for:
// more receipts given, more cosignatures held. It is called for an entry that
// comes for certain: what it lists is not looked at again.
func (s *Station) listFurther(tx Tx, b *appending, now time.Time) (err error) {
	theirs := b.row.Line.Log(b.row.Line.Other(s.name), b.row.PeerEra)
	if b.wrapper.Receipts, err = s.unlisted(tx, &b.row, theirs); err != nil {
		return err
	}
	b.wrapper.Held, err = s.held(tx, &b.row, now)
	return err
}

// unlisted returns the receipts that this station gave on the counterpart's
// log since it last listed some: one a second, the largest size of each.
func (s *Station) unlisted(tx Tx, row *Line, theirs identity.Origin) ([]message.Listed, error) {
	var listed []message.Listed
	for era := max(row.ListedEra, 1); era <= theirs.Era && len(listed) < message.MaxListed; era++ {
		from := row.ListedSize
		if row.ListedEra != era {
			from = 0
		}
		log := theirs
		log.Era = era
		given, err := tx.CosignaturesAfter(log, s.mirror.Cosigner.Name(), from, message.MaxListed-len(listed))
		if err != nil {
			return nil, err
		}
		for _, c := range given {
			l := message.Listed{Era: era, Size: c.Size, At: c.At}
			if n := len(listed); n > 0 && listed[n-1].Era == era && listed[n-1].At.Equal(c.At) {
				listed[n-1] = l
			} else {
				listed = append(listed, l)
			}
			row.ListedEra, row.ListedSize = era, c.Size
		}
	}
	return listed, nil
}

// held returns cosignatures of the counterpart on this station's logs, whole and
// oldest first, that the counterpart had time to list and that stand in no log, or
// in one with a later second than they carry. It notes in row up to where it has
// looked.
func (s *Station) held(tx Tx, row *Line, now time.Time) ([]message.Held, error) {
	p, err := s.peerOf(row.Line)
	if err != nil {
		return nil, err
	}
	var out []message.Held
	for looked := 0; looked < maxHeldLook && len(out) < message.MaxHeld; looked++ {
		own := row.Line.Log(s.name, max(row.HeldEra, 1))
		next, err := tx.CosignaturesAfter(own, p.cosigner, row.HeldSize, 1)
		if err != nil {
			return nil, err
		}
		if len(next) == 0 {
			if own.Era >= row.OwnEra {
				break
			}
			row.HeldEra, row.HeldSize = own.Era+1, 0
			continue
		}
		c := next[0]
		if now.Sub(c.At).Abs() < s.limits.ListWithin {
			break // the counterpart may list it yet; one of the far past or future has had its time
		}
		listed, err := tx.ReceiptOf(own, c.Size-1)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err != nil || listed.After(c.At) {
			out = append(out, message.Held{Era: own.Era, Size: c.Size, Root: identity.Digest(c.Root), Lines: string(c.Lines)})
		}
		row.HeldEra, row.HeldSize = own.Era, c.Size
	}
	return out, nil
}

// lookAgain lets a cosignature be looked at that came after larger ones were: its
// answer was late, or it was taken back. It reports whether it had been passed.
func (l *Line) lookAgain(era identity.Era, size int64) bool {
	passed := era < l.HeldEra || era == l.HeldEra && size <= l.HeldSize
	if passed {
		l.HeldEra, l.HeldSize = era, size-1
	}
	return passed
}

// maxHeldLook bounds how many cosignatures one entry looks at. There is about one
// an entry, so that looking keeps up; mostly the counterpart has listed it.
const maxHeldLook = 8
