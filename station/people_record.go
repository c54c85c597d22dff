package station

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/journal"
	"detente/message"
	"detente/watch"
)

// watchDesk is what the watch has read of the store, so that it is not read
// anew at each question. All of it can be forgotten at any moment. Its mutex is
// taken in transactions only and never held while one is waited for. The record
// is read in Views alone: what a transaction that writes has read may yet be
// undone.
type watchDesk struct {
	mu     sync.Mutex // guards the fields below
	text   []byte     // of the roster below
	parsed watch.Roster
	lines  map[identity.Line]*lineRead
	forms  map[message.Format]dossier.Form // of the signal book; nil: not read yet
	due    shiftLook
}

// lineRead is what was read of a line's record.
type lineRead struct {
	own, peer identity.Era // of the row it was read by: with another era it is read anew
	next      map[identity.Origin]int64
	said      []saidAt                  // of the formats that the watch folds, in the order in which they were read
	refused   map[entryAt]bool          // by the other side
	sealed    map[entryAt]bool          // could not be opened when they were read
	waits     map[message.ID]waitingFor // received, and not answered by us, or, where no answer is due, not understood
}

type entryAt struct {
	origin identity.Origin
	index  int64
}

// saidAt is a message that the watch folds, with its place.
type saidAt struct {
	entryAt
	at   time.Time // the wrapper's second
	refs []message.ID
	watch.Said
}

// waitingFor is a received message that a person of this station has to answer.
type waitingFor struct {
	entryAt
	id         message.ID
	format     message.Format
	precedence message.Precedence
	since      time.Time // the wrapper's second: the receipt may stand in no log yet
	reply      bool      // it is itself the answer to ours, and is to be understood only
}

// Bounds of what is read and kept.
const (
	testsKept   = 48 * time.Hour // line tests: two days answer what the watch asks
	settled     = 24 * time.Hour // after which no earlier receipt of a message comes into the record any more; a restart reads all anew
	maxWaiting  = 5000           // of a line; beyond, the oldest are counted no more
	maxSaidKept = 20000          // of a line: a directory, its pings and two days of tests, ten times over
)

// roster parses a roster, once for each text.
func (d *watchDesk) roster(text []byte) (watch.Roster, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if bytes.Equal(d.text, text) {
		return d.parsed, nil
	}
	r, err := watch.ParseRoster(text)
	if err != nil {
		return r, err
	}
	d.text, d.parsed = bytes.Clone(text), r
	return r, nil
}

// folded reports whether the watch folds messages of a format.
func folded(f message.Format) bool {
	return slices.Contains([]message.Format{"010", "011", "020", "021", "024", "025", "026", "030", "031"}, f)
}

// serviceFormat reports whether a format is a station's own, and so no answer of a
// person.
func serviceFormat(f message.Format) bool { return f <= "006" }

// record returns what was said on a line and receipted of the formats that the
// watch folds, in the order of its folds, and what waits for a person of this
// station. tx has to be of a View.
func (s *Station) record(tx Tx, row Line, now time.Time) ([]saidAt, []waitingFor, error) {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	l, _, err := s.readLine(tx, row, now, math.MaxInt)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.peerOf(row.Line)
	if err != nil {
		return nil, nil, err
	}
	if err := l.receipts(tx, now, map[identity.Station]string{s.name: p.cosigner, p.Card.Station: s.mirror.Cosigner.Name()}); err != nil {
		return nil, nil, err
	}
	said := slices.DeleteFunc(slices.Clone(l.said), func(m saidAt) bool { return m.Received.IsZero() || l.refused[m.entryAt] })
	said = watch.Ordered(said, func(m saidAt) watch.Said { return m.Said })
	waits := make([]waitingFor, 0, len(l.waits))
	for _, w := range l.waits {
		waits = append(waits, w)
	}
	slices.SortFunc(waits, func(a, b waitingFor) int {
		if c := a.since.Compare(b.since); c != 0 {
			return c
		}
		return bytes.Compare(a.id[:], b.id[:])
	})
	return said, waits, nil
}

// readSome reads up to so many messages more of a line's record, and reports
// whether there are more. tx has to be of a View.
func (s *Station) readSome(tx Tx, row Line, now time.Time, most int) (more bool, err error) {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	_, more, err = s.readLine(tx, row, now, most)
	return more, err
}

// readLine reads up to so many messages that were added to a line's logs since
// it was read last. The caller holds the desk's mutex.
func (s *Station) readLine(tx Tx, row Line, now time.Time, most int) (l *lineRead, more bool, err error) {
	l = s.desk.lines[row.Line]
	if l == nil || l.own != row.OwnEra || l.peer != row.PeerEra {
		l = &lineRead{own: row.OwnEra, peer: row.PeerEra, next: map[identity.Origin]int64{}, refused: map[entryAt]bool{}, sealed: map[entryAt]bool{}, waits: map[message.ID]waitingFor{}}
		s.desk.lines[row.Line] = l
	}
	for _, side := range []struct {
		writer identity.Station
		last   identity.Era
	}{{s.name, row.OwnEra}, {row.Line.Other(s.name), row.PeerEra}} {
		for era := identity.Era(1); era <= side.last; era++ {
			n, err := s.readOn(tx, l, row.Line.Log(side.writer, era), now, most)
			if err != nil {
				return l, false, err
			}
			if most -= n; most <= 0 {
				return l, true, nil
			}
		}
	}
	return l, false, nil
}

// readOn reads up to so many messages that were added to a log since it was read
// last, and returns how many they were.
func (s *Station) readOn(tx Tx, l *lineRead, o identity.Origin, now time.Time, most int) (taken int, err error) {
	for taken < most {
		page, err := tx.Messages(o, l.next[o], min(matterPage, most-taken))
		if err != nil || len(page) == 0 {
			return taken, err
		}
		for _, m := range page {
			if err := s.takeRead(tx, l, m, now); err != nil {
				return taken, err
			}
			l.next[o] = m.Index + 1
		}
		taken += len(page)
	}
	return taken, nil
}

// takeRead takes one message of either log.
func (s *Station) takeRead(tx Tx, l *lineRead, m Message, now time.Time) error {
	place := entryAt{m.Origin, m.Index}
	if m.Problem == problemUnreadable {
		l.sealed[place] = true // until its author gives its key
	}
	if m.Problem != "" {
		return nil
	}
	if of, _, ok := dossier.Disclosed(m.Origin, m.Index, s.opened(m).Entry.Body.Body()); ok && l.sealed[entryAt{of.Origin, of.Index}] {
		delete(l.sealed, entryAt{of.Origin, of.Index})
		opened, err := tx.Message(of.Origin, of.Index)
		if err == nil && opened.Problem != problemUnreadable {
			err = s.takeRead(tx, l, opened, now)
		}
		if err != nil {
			return err
		}
	}
	if m.Origin.Writer == s.name {
		if !serviceFormat(m.Format) {
			for _, ref := range m.Refs {
				if w, ok := l.waits[ref]; ok && (w.reply || s.settles(w.format, w.precedence, m.Format)) {
					delete(l.waits, ref)
				}
			}
		}
	} else if s.callsForPerson(m.Format, m.Precedence) && len(l.waits) < maxWaiting {
		reply, err := s.isReply(tx, m)
		if err != nil {
			return err
		}
		answered, err := s.answered(tx, m, reply)
		if err != nil {
			return err
		}
		if !answered {
			l.waits[m.ID] = waitingFor{place, m.ID, m.Format, m.Precedence, m.At, reply}
		}
	}
	if m.Format == "002" {
		if r := dossier.Read(m.Origin, m.Index, time.Time{}, s.opened(m).Entry).Refused; r != nil {
			l.refused[entryAt{m.Origin.Line().Log(m.Origin.Reader, r.Era), r.Index}] = true
		}
	}
	test := m.Format == "010" || m.Format == "011"
	if !folded(m.Format) || test && now.Sub(m.At) > testsKept || len(l.said) >= maxSaidKept {
		return nil
	}
	l.said = append(l.said, saidAt{place, m.At, m.Refs, watch.Said{Body: s.opened(m).Entry.Body.Body(), Log: m.Origin, Index: m.Index}})
	return nil
}

// answered reports whether a message of our own has done what a message calls
// for. A reply calls for no more than to be understood.
func (s *Station) answered(tx Tx, m Message, reply bool) (bool, error) {
	all, err := tx.Referring(m.ID)
	return slices.ContainsFunc(all, func(r Message) bool {
		return r.Origin.Writer == s.name && !serviceFormat(r.Format) && r.Problem == "" && (reply || s.settles(m.Format, m.Precedence, r.Format))
	}), err
}

// isReply reports whether a message is of a format that answers itself alone,
// such as a signature, and answers one of ours: it is the second of the two that
// the exchange takes, and no third is waited for. The caller holds the desk's
// mutex.
func (s *Station) isReply(tx Tx, m Message) (bool, error) {
	if !slices.Equal(s.form(m.Format).Replies, []message.Format{m.Format}) {
		return false, nil
	}
	for _, ref := range m.Refs {
		first, err := tx.MessageByID(ref)
		if err == nil && first.Format == m.Format && first.Origin.Writer == s.name {
			return true, nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return false, err
		}
	}
	return false, nil
}

// settles reports whether a message of a format does what a received one calls
// for: where an answer is due, only an answer does, and no word that it is
// understood. The caller holds the desk's mutex.
func (s *Station) settles(f message.Format, p message.Precedence, by message.Format) bool {
	form := s.form(f)
	return form.Clocks[p].Answered == 0 || slices.Contains(form.Replies, by)
}

// callsForPerson reports whether a message is to be understood or answered by a
// person. The caller holds the desk's mutex.
func (s *Station) callsForPerson(f message.Format, p message.Precedence) bool {
	c := s.form(f).Clocks[p]
	return c.Understood+c.Interim+c.Answered > 0
}

// form returns what a format is to the watch; the zero value where the signal
// book does not know it. The caller holds the desk's mutex.
func (s *Station) form(f message.Format) dossier.Form {
	if s.desk.forms == nil {
		s.desk.forms = map[message.Format]dossier.Form{}
		for _, form := range dossier.ByEdition(s.book).Forms() {
			s.desk.forms[form.Format] = form
		}
	}
	return s.desk.forms[f]
}

// receipts looks up the receipts of what was read, as far as they may have come
// since, and lets go of line tests that nobody asks for any more. What stands in
// no log yet counts from the receipt that this station has given or holds, which
// will: on a quiet line the watch would otherwise see last what came last. by
// names who receipts each writer's log.
func (l *lineRead) receipts(tx Tx, now time.Time, by map[identity.Station]string) error {
	l.said = slices.DeleteFunc(l.said, func(m saidAt) bool {
		return (m.Body.Format == "010" || m.Body.Format == "011") && now.Sub(m.at) > testsKept
	})
	for i, m := range l.said {
		if !m.Received.IsZero() && now.Sub(m.Received) > settled {
			continue
		}
		at, err := tx.ReceiptOf(m.origin, m.index)
		if errors.Is(err, ErrNotFound) {
			var c journal.Cosignature
			c, _, err = tx.CosignatureCovering(m.origin, by[m.origin.Writer], m.index)
			at = c.At
		}
		if err != nil {
			return err
		}
		l.said[i].Received = at
	}
	return nil
}

// plainSaid are the messages as the folds of the watch take them.
func plainSaid(all []saidAt) []watch.Said {
	out := make([]watch.Said, len(all))
	for i, m := range all {
		out[i] = m.Said
	}
	return out
}

// WatchWords returns the texts of the watch, in the words of the station's signal book.
func (s *Station) WatchWords() (watch.Words, error) { return watch.LoadWords(s.book) }

// langOf reads a language; an empty one is English.
func langOf(l string) book.Lang {
	if l == "" {
		return book.Lang("en")
	}
	return book.Lang(strings.ToLower(l))
}

// noteOpened notes that an officer of the watch has opened a received message.
// Readers without that role are programs and others: a message that they read
// is still unread.
func (s *Station) noteOpened(tx Tx, now time.Time, actor Actor, m Message) error {
	if m.Origin.Writer == s.name || m.ID == (message.ID{}) || !slices.Contains(actor.Roles, RoleWatch) {
		return nil
	}
	return tx.PutOpened(Opened{ID: m.ID, At: second(now), By: actor.Name})
}
