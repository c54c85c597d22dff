package station

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// Matters is one line as it is folded: the messages of both logs, opened, with
// the earliest receipts of them that the record shows. It is filled from the
// store and goes on from where it was: what was committed since costs what it
// costs, however long the record is. It is not safe for concurrent use. After an
// error it holds a part and is to be thrown away.
type Matters struct {
	line       *dossier.Line
	own        identity.Station
	parse      func(plain []byte) (message.Entry, error)
	heldAt     func(by identity.Origin, h message.Held) (time.Time, error) // nil: by what the store took as listed
	logs       map[identity.Origin]*foldedLog
	generation int64 // of the tables that it was filled from
	messages   int   // held
	version    int64 // grows with all that changes what it says

	whole        dossier.Whole // as asked last; it holds while its version does
	wholeVersion int64
	laid         []dossier.Place // entries that count from a receipt that stands in no record yet

	instruments []dossier.Place           // the messages by which agreements and guarantees come about
	marks       []dossier.Place           // the refusals and disputes
	again       []dossier.Place           // entries that were opened after all, since the account was kept
	moved       map[identity.Origin]int64 // by log, the first entry whose receipt changed since the account was kept
	account     *account                  // nil: nobody has asked what is owed by an agreement
}

// foldedLog is how far one log was taken.
type foldedLog struct {
	next  int64  // the index of the first entry not taken yet
	steps []step // of its receipts, ascending by size and by second, no two alike
}

// step says that what stands below a size was received by a second.
type step struct {
	size int64
	at   time.Time
}

// NewMatters returns the empty fold of a line of the station own.
func NewMatters(b dossier.Book, own identity.Station) *Matters {
	return &Matters{line: dossier.NewLine(b), own: own, parse: message.ParseEntry, logs: make(map[identity.Origin]*foldedLog), moved: make(map[identity.Origin]int64), version: 1}
}

// matterPage is how many messages are read from the store at a time: some
// megabytes, where all are as long as may be.
const matterPage = 64

// Take takes what the store holds of the line beyond what was taken before.
// The transactions of its calls have to follow each other in time.
func (m *Matters) Take(ctx context.Context, tx Tx, row Line) error {
	_, err := m.takeSome(ctx, tx, row, math.MaxInt)
	return err
}

// takeSome takes up to so many messages, and reports whether there are more.
func (m *Matters) takeSome(ctx context.Context, tx Tx, row Line, left int) (more bool, err error) {
	for _, side := range []struct {
		writer identity.Station
		last   identity.Era
	}{{m.own, row.OwnEra}, {row.Line.Other(m.own), row.PeerEra}} {
		for era := identity.Era(1); era <= side.last; era++ {
			o := row.Line.Log(side.writer, era)
			if m.logs[o] == nil {
				m.logs[o] = &foldedLog{}
			}
			n, err := m.takeLog(ctx, tx, o, left)
			if err != nil {
				return false, fmt.Errorf("log %s: %w", o, err)
			}
			if left -= n; left <= 0 {
				return true, nil
			}
		}
	}
	return false, nil
}

// takeLog takes the entries of a log from where it was left, up to so many, and
// the receipts that their wrappers list. It returns how many it took.
func (m *Matters) takeLog(ctx context.Context, tx Tx, o identity.Origin, most int) (taken int, err error) {
	log := m.logs[o]
	for taken < most {
		if err := ctx.Err(); err != nil {
			return taken, err
		}
		page := min(matterPage, most-taken)
		list, err := tx.Messages(o, log.next, page)
		if err != nil {
			return taken, err
		}
		for _, msg := range list {
			if err := m.take(tx, log, msg); err != nil {
				return taken, fmt.Errorf("entry %d: %w", msg.Index, err)
			}
			log.next = msg.Index + 1
		}
		if taken += len(list); len(list) < page {
			break
		}
	}
	return taken, nil
}

// take takes one entry.
func (m *Matters) take(tx Tx, log *foldedLog, msg Message) error {
	if msg.Problem == problemBeyond {
		return nil // evidence and no message: its writer's log ends below it
	}
	it := dossier.Item{Origin: msg.Origin, Index: msg.Index, Received: log.received(msg.Index)}
	if msg.Problem != problemUnreadable && len(msg.Plain) > 0 {
		if e, err := m.parse(msg.Plain); err == nil {
			if err := m.receipts(tx, msg.Origin, e.Wrapper); err != nil {
				return err
			}
			it = dossier.Read(msg.Origin, msg.Index, log.received(msg.Index), e)
			if it.Key, err = m.keyIn(tx, msg, e); err != nil {
				return err
			}
		}
	}
	m.line.Put(it)
	if it.Refused != nil || it.Disputed != nil {
		m.marks = append(m.marks, it.Place())
	}
	if slices.Contains(instrumentFormats, it.Format) {
		m.instruments = append(m.instruments, it.Place())
	}
	m.messages++
	m.version++
	return nil
}

// keyIn returns which entry the file key in a message opens, nil where none, and
// takes that entry anew: it may have been opened since it was taken.
func (m *Matters) keyIn(tx Tx, msg Message, e message.Entry) (*dossier.Place, error) {
	of, ok, err := keyOpens(tx, msg.Origin, msg.Index, e.Body.Body())
	if err != nil || !ok {
		return nil, err
	}
	place := dossier.Place(of)
	taken, known := m.line.Item(place)
	if log := m.logs[of.Origin]; known && taken.ID == (message.ID{}) && log != nil {
		opened, err := tx.Message(of.Origin, of.Index)
		if err != nil || opened.Problem == problemUnreadable {
			return &place, err
		}
		m.messages--
		m.again = append(m.again, place)
		return &place, m.take(tx, log, opened)
	}
	return &place, nil
}

// receipts takes the receipts that a wrapper lists: those its author gave, and
// what it has seen, as they stand; those it holds of its own log only as far as
// the store took them, which had them verified.
func (m *Matters) receipts(tx Tx, o identity.Origin, w message.Wrapper) error {
	if w.Seen.Size > 0 {
		m.receive(o.Line().Log(o.Reader, w.Seen.Era), step{w.Seen.Size, w.At})
	}
	for _, r := range w.Receipts {
		m.receive(o.Line().Log(o.Reader, r.Era), step{r.Size, r.At})
	}
	for _, h := range w.Held {
		if h.Size < 1 {
			continue
		}
		held := o.Line().Log(o.Writer, h.Era)
		if m.heldAt != nil {
			if at, err := m.heldAt(o, h); err == nil { // else it proves nothing
				m.receive(held, step{h.Size, at})
			}
			continue
		}
		at, err := tx.ReceiptOf(held, h.Size-1)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		m.receive(held, step{h.Size, at})
	}
	return nil
}

// receive takes a receipt of a log. Entries that it shows to have been received
// earlier than was known are folded anew when they are asked for.
func (m *Matters) receive(o identity.Origin, s step) {
	log := m.logs[o]
	if log == nil {
		log = &foldedLog{}
		m.logs[o] = log
	}
	s.at = s.at.UTC().Truncate(time.Second)
	from, news := log.add(s)
	if !news {
		return
	}
	m.version++
	if first, ok := m.moved[o]; !ok || from < first {
		m.moved[o] = from
	}
	for i := from; i < min(s.size, log.next); i++ {
		if it, ok := m.line.Item(dossier.Place{Origin: o, Index: i}); ok {
			it.Received, it.Withheld = log.received(i), false
			m.line.Put(it)
		}
	}
}

// add notes a step and returns the first index of which it says anything new;
// false where it says nothing new.
func (t *foldedLog) add(s step) (from int64, news bool) {
	i, _ := slices.BinarySearchFunc(t.steps, s.size, func(e step, size int64) int { return cmp.Compare(e.size, size) })
	if i < len(t.steps) && !s.at.Before(t.steps[i].at) {
		return 0, false // a larger head was receipted no later
	}
	end := i
	if end < len(t.steps) && t.steps[end].size == s.size {
		end++
	}
	for i > 0 && !t.steps[i-1].at.Before(s.at) {
		i-- // a smaller one, no earlier
	}
	if i > 0 {
		from = t.steps[i-1].size
	}
	t.steps = slices.Replace(t.steps, i, end, s)
	return from, true
}

// received returns when an entry was received by the earliest receipt in the
// record; zero where none stands in it.
func (t *foldedLog) received(index int64) time.Time {
	i, _ := slices.BinarySearchFunc(t.steps, index+1, func(e step, size int64) int { return cmp.Compare(e.size, size) })
	if i == len(t.steps) {
		return time.Time{}
	}
	return t.steps[i].at
}

// unlisted returns the places of a log's entries that no receipt in the record
// covers.
func (t *foldedLog) unlisted() (from, to int64) {
	if n := len(t.steps); n > 0 {
		return min(t.steps[n-1].size, t.next), t.next
	}
	return 0, t.next
}

// withhold notes of which entries of an own log the counterpart, though alive,
// withholds the receipt: those from an index on; none where it is negative.
func (m *Matters) withhold(o identity.Origin, from int64) {
	log := m.logs[o]
	if log == nil {
		return
	}
	start, end := log.unlisted()
	for i := start; i < end; i++ {
		p := dossier.Place{Origin: o, Index: i}
		it, ok := m.line.Item(p)
		if withheld := from >= 0 && i >= from; ok && it.Withheld != withheld {
			it.Withheld = withheld
			m.line.Put(it)
			m.version++
		}
	}
}

// At returns where all matters stand as of a second, as dossier.Line.At does.
// The caller changes nothing in it: asked again, nothing having come meanwhile,
// the same is returned.
func (m *Matters) At(at time.Time) dossier.Whole {
	if at = second(at); m.wholeVersion != m.version || !m.whole.At.Equal(at) {
		m.whole, m.wholeVersion = m.line.At(at), m.version
	}
	return m.whole
}

// Dossier returns one dossier as of a second, as dossier.Line.Dossier does.
func (m *Matters) Dossier(id message.ID, at time.Time) (dossier.Dossier, bool) {
	return m.line.Dossier(id, at)
}

// Len returns how many messages are held.
func (m *Matters) Len() int { return m.messages }

// tablesKey is where the store counts how often the tables of a line were made
// anew. A fold goes on only from tables that it began with: what is rebuilt may
// say less than it did.
func tablesKey(l identity.Line) string { return "tables/" + l.String() }

// generation returns how often the tables of a line were made anew.
func generation(tx Tx, l identity.Line) (int64, error) {
	text, err := tx.Setting(tablesKey(l))
	if err != nil || text == nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("internal error: stored count of the tables of %s: %w", l, err)
	}
	return n, nil
}

// tablesAnew counts that the tables of a line are made anew, in the transaction
// that does it: who reads them by the same snapshot knows.
func tablesAnew(tx Tx, l identity.Line) error {
	n, err := generation(tx, l)
	if err != nil {
		return err
	}
	return tx.PutSetting(tablesKey(l), strconv.AppendInt(nil, n+1, 10))
}
