package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
)

// Read is a message with what the record says of its receipt.
type Read struct {
	Message
	Citation string
	Entry    message.Entry // zero where it could not be opened
	Received time.Time     // by the record's earliest receipt; zero: none stands in it
	Held     time.Time     // own messages: the counterpart's receipt that this station holds; zero: none yet
	Hidden   bool          // of a list: the actor may not read it, and nothing but its place is told
	Lapsed   bool          // it was first received when an approval had expired: that it left in time only its writer says
}

// ReadMessage returns a message by its id, and notes in the audit trail that
// the actor read it.
func (s *Station) ReadMessage(ctx context.Context, actor Actor, now time.Time, id message.ID) (Read, error) {
	if err := actor.must("read a message", RoleRead); err != nil {
		return Read{}, s.refused(ctx, now, actor, "read", id.String(), err)
	}
	var r Read
	err := s.update(ctx, now, func(tx Tx) error {
		m, err := tx.MessageByID(id)
		if err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
		if r, err = s.readable(tx, actor, m); err != nil {
			return err
		}
		return errors.Join(s.noteOpened(tx, now, actor, m), s.audit(tx, now, actor, "read", r.Citation, "done", ""))
	})
	if err != nil {
		return Read{}, s.refused(ctx, now, actor, "read", id.String(), err)
	}
	return r, nil
}

// ReadEntry returns what stands at an index of a log, opened or not, and notes
// the read.
func (s *Station) ReadEntry(ctx context.Context, actor Actor, now time.Time, o identity.Origin, index int64) (Read, error) {
	if err := actor.must("read a message", RoleRead); err != nil {
		return Read{}, s.refused(ctx, now, actor, "read", s.Cite(o, index), err)
	}
	var r Read
	err := s.update(ctx, now, func(tx Tx) error {
		m, err := tx.Message(o, index)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Cite(o, index), err)
		}
		if r, err = s.readable(tx, actor, m); err != nil {
			return err
		}
		return errors.Join(s.noteOpened(tx, now, actor, m), s.audit(tx, now, actor, "read", r.Citation, "done", ""))
	})
	if err != nil {
		return Read{}, s.refused(ctx, now, actor, "read", s.Cite(o, index), err)
	}
	return r, nil
}

// opened returns a message with what it says, without its receipts.
func (s *Station) opened(m Message) Read {
	r := Read{Message: m, Citation: s.Cite(m.Origin, m.Index)}
	if m.Problem != problemUnreadable && len(m.Plain) > 0 {
		if e, err := s.entries.parse(m.Plain); err == nil {
			r.Entry = e
		}
	}
	return r
}

func (s *Station) read(tx Tx, m Message) (Read, error) {
	r := s.opened(m)
	at, err := tx.ReceiptOf(m.Origin, m.Index)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return r, err
	}
	r.Received = at
	if r, err = s.withHeld(tx, r); err != nil {
		return r, err
	}
	first, end := r.Held, r.Entry.Wrapper.Lapses()
	if first.IsZero() || !at.IsZero() && at.Before(first) {
		first = at
	}
	r.Lapsed = !first.IsZero() && !end.IsZero() && !first.Before(end)
	return r, nil
}

// withHeld adds the receipt that the station itself holds of an own message.
func (s *Station) withHeld(tx Tx, r Read) (Read, error) {
	m := r.Message
	if m.Origin.Writer == s.name {
		p, err := s.peerNamed(m.Origin.Reader)
		if err != nil {
			return r, err
		}
		c, ok, err := tx.CosignatureCovering(m.Origin, p.cosigner, m.Index)
		if err != nil {
			return r, err
		}
		if ok {
			r.Held = c.At
		}
	}
	return r, nil
}

// List returns messages of all lines, newest first, before a cursor (zero:
// from the newest). The list itself shows no content beyond format and state;
// it is noted in the audit trail as one read.
func (s *Station) List(ctx context.Context, actor Actor, now time.Time, before int64, limit int) ([]Read, error) {
	if err := actor.must("list messages", RoleRead); err != nil {
		return nil, s.refused(ctx, now, actor, "list", "messages", err)
	}
	var list []Read
	err := s.update(ctx, now, func(tx Tx) error {
		recent, err := tx.RecentMessages(before, limit)
		if err != nil {
			return err
		}
		rights, err := s.rights(tx)
		if err != nil {
			return err
		}
		for _, m := range recent {
			r, err := s.read(tx, m)
			if err != nil {
				return err
			}
			if !rights.letMessage(actor, r) {
				r = Read{Message: Message{Seq: r.Seq, Origin: r.Origin, Index: r.Index}, Citation: r.Citation, Hidden: true}
			}
			list = append(list, r)
		}
		return s.audit(tx, now, actor, "list", "messages", "done", fmt.Sprintf("%d messages", len(list)))
	})
	return list, err
}

// Queue lists outgoing messages in a state, oldest first, after a cursor. Each
// says why it waits as of now.
func (s *Station) Queue(ctx context.Context, actor Actor, now time.Time, state OutState, after int64, limit int) ([]Outgoing, error) {
	if err := actor.must("see the queue", RoleRead, RoleDraft); err != nil {
		return nil, s.refused(ctx, now, actor, "queue", state.String(), err)
	}
	var list []Outgoing
	err := s.store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.OutgoingIn(state, after, limit)
		for i := range list {
			err = errors.Join(err, s.explain(tx, now, &list[i]))
		}
		return err
	})
	return list, err
}

// explain says why a message is not at the counterpart yet, what happens next,
// and when the station tries again by itself, as of now. What waits for another
// message says so already.
func (s *Station) explain(tx Tx, now time.Time, out *Outgoing) error {
	if out.State != Waiting && out.State != Appended {
		return nil
	}
	row, err := tx.Line(out.Line)
	if err != nil {
		return err
	}
	if out.State == Appended {
		return s.explainAppended(tx, out)
	}
	if why := s.mayAppend(row, now); why != "" {
		out.Reason, out.Next = "waits: "+why, "it is appended by itself as soon as that has changed"
		out.Try = now.Add(tickEvery)
		s.mu.Lock()
		if st, ok := s.lines[out.Line]; ok && !st.own.passed && st.own.retry.After(out.Try) {
			out.Try = st.own.retry
		}
		s.mu.Unlock()
	} else if why := s.noRoom(row, now, *out, 0); why != "" {
		out.Reason, out.Next = why, "it is appended by itself as soon as there is room, before all of lower precedence"
		s.standing(out)
	}
	return nil
}

// explainAppended says of a message in the log whether it was receipted, or why
// not yet.
func (s *Station) explainAppended(tx Tx, out *Outgoing) error {
	acked, err := s.acked(tx, out.Origin)
	if err != nil {
		return err
	}
	if out.Index < acked {
		out.Reason, out.Next = "delivered: the counterpart has receipted it", "nothing is left to be done"
		return nil
	}
	s.standing(out)
	return nil
}

// standing adds what the line's sender says of itself.
func (s *Station) standing(out *Outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.lines[out.Line]
	if !ok || st.machine == nil {
		return
	}
	m := st.machine.Standing()
	out.Try = m.Until
	if m.Reason != "" {
		out.Reason += "; the line: " + m.Reason
	}
}

// Outgoing returns one outgoing message, with why it waits as of now.
func (s *Station) Outgoing(ctx context.Context, actor Actor, now time.Time, id message.ID) (Outgoing, error) {
	if err := actor.must("see the queue", RoleRead, RoleDraft); err != nil {
		return Outgoing{}, s.refused(ctx, now, actor, "queue", id.String(), err)
	}
	var out Outgoing
	err := s.store.View(ctx, func(tx Tx) (err error) {
		if out, err = tx.Outgoing(id); err != nil {
			return err
		}
		return s.explain(tx, now, &out)
	})
	return out, err
}

// LineStatus is a line as an officer has to see it.
type LineStatus struct {
	Line     Line
	Peer     identity.Station
	State    string // the peer's state word, from the store
	Guard    string // empty: passed; else why not
	Reason   string // why the line does not deliver; empty while it does
	Heard    time.Time
	Own      Position
	Theirs   Position
	Alarms   line.Alarms
	Waiting  map[message.Precedence]int
	Awaiting map[message.Precedence]int
}

// Position is how far a log has come.
type Position struct {
	Origin   identity.Origin
	Size     int64
	Root     identity.Digest
	Cosigned int64 // by its reader
}

// Lines returns the state of each line.
func (s *Station) Lines(ctx context.Context, actor Actor) ([]LineStatus, error) {
	if err := actor.must("see the lines", RoleRead, RoleOperator); err != nil {
		return nil, s.denied(ctx, actor, "lines", err)
	}
	var list []LineStatus
	err := s.store.View(ctx, func(tx Tx) error {
		rows, err := tx.Lines()
		if err != nil {
			return err
		}
		for _, row := range rows {
			st, err := s.lineStatus(tx, row)
			if err != nil {
				return err
			}
			list = append(list, st)
		}
		return nil
	})
	return list, err
}

func (s *Station) lineStatus(tx Tx, row Line) (LineStatus, error) {
	p, err := s.peerOf(row.Line)
	if err != nil {
		return LineStatus{}, err
	}
	st, err := s.state(row.Line)
	if err != nil {
		return LineStatus{}, err
	}
	pin, err := tx.Peer(p.Card.Station)
	if err != nil {
		return LineStatus{}, err
	}
	out := LineStatus{Line: row, Peer: p.Card.Station, State: pin.State}
	s.mu.Lock()
	out.Heard, out.Alarms = st.heard, st.alarms
	if st.machine != nil {
		out.Reason = st.machine.Standing().Reason
	}
	for _, g := range []guardState{st.own, st.theirs} {
		if !g.passed {
			out.Guard = g.reason + "; " + g.next
		}
	}
	s.mu.Unlock()
	if out.Own, err = s.position(tx, row.Line.Log(s.name, row.OwnEra), p.cosigner); err != nil {
		return out, err
	}
	if row.PeerEra > 0 {
		if out.Theirs, err = s.position(tx, s.mirrored(row), s.mirror.Cosigner.Name()); err != nil {
			return out, err
		}
	}
	if out.Waiting, err = tx.CountOutgoing(row.Line, Waiting); err != nil {
		return out, err
	}
	out.Awaiting, err = tx.CountOutgoing(row.Line, Awaiting)
	return out, err
}

func (s *Station) position(tx Tx, o identity.Origin, cosigner string) (Position, error) {
	p := Position{Origin: o}
	log, _, err := tx.Log(o)
	if err != nil {
		return p, err
	}
	p.Size, p.Root = log.Size, identity.Digest(log.Root)
	c, ok, err := tx.LastCosignature(o, cosigner)
	if ok {
		p.Cosigned = c.Size
	}
	return p, err
}

// EventsAfter lists events after a number, for streams that resume.
func (s *Station) EventsAfter(ctx context.Context, actor Actor, number int64, limit int) ([]Event, error) {
	if err := actor.must("follow events", RoleRead, RoleOperator); err != nil {
		return nil, s.denied(ctx, actor, "events", err)
	}
	var list []Event
	err := s.store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.EventsAfter(number, limit)
		return err
	})
	return list, err
}

// LastEvent returns the number of the newest event, 0 where there is none. A
// stream's reader who has seen a higher one has seen another store.
func (s *Station) LastEvent(ctx context.Context, actor Actor) (n int64, err error) {
	if err := actor.must("follow events", RoleRead, RoleOperator); err != nil {
		return 0, err
	}
	err = s.store.View(ctx, func(tx Tx) (err error) {
		n, err = tx.LastEvent()
		return err
	})
	return n, err
}

// AuditTrail lists lines of the audit trail from a number on. Reading it is
// itself noted.
func (s *Station) AuditTrail(ctx context.Context, actor Actor, now time.Time, from int64, limit int) ([]Audit, error) {
	if err := actor.must("read the audit trail", RoleAudit); err != nil {
		return nil, s.refused(ctx, now, actor, "audit", "trail", err)
	}
	var list []Audit
	err := s.update(ctx, now, func(tx Tx) (err error) {
		if list, err = tx.Audits(from, limit); err != nil {
			return err
		}
		return s.audit(tx, now, actor, "audit", "trail", "done", fmt.Sprintf("from %d", from))
	})
	return list, err
}

// Evidences lists what this station holds against counterparts.
func (s *Station) Evidences(ctx context.Context, actor Actor, limit int) ([]Evidence, error) {
	if err := actor.must("see evidence", RoleRead, RoleAudit); err != nil {
		return nil, s.denied(ctx, actor, "evidence", err)
	}
	var list []Evidence
	err := s.store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Evidences(limit)
		return err
	})
	return list, err
}
