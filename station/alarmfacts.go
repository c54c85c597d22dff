package station

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/watch"
)

const (
	factsPage  = 500            // entries read of a log in one step: a long log is caught up with in several
	maxUrgent  = 1000           // unacknowledged messages kept one by one; what is beyond is counted
	maxTests   = 1000           // tests of a line that are kept
	keepTests  = 50 * time.Hour // of the last two days, and what is under way
	maxService = 1000           // notices of outages and of the line's state that are kept: of years
)

// lineFacts is what alarms need of a line's record. It is kept up entry by
// entry, so that a step costs what is new and not what is old.
type lineFacts struct {
	Theirs    readMark       `json:"theirs"`
	Own       readMark       `json:"own"`
	Urgent    []urgent       `json:"urgent,omitempty"`
	More      int            `json:"more,omitzero"` // urgent ones beyond maxUrgent
	MoreSince time.Time      `json:"more_since,omitzero"`
	Tests     []keptTest     `json:"tests,omitempty"`
	Backs     []servicePlace `json:"backs,omitempty"` // read-backs of tests that are not read yet
	Service   []servicePlace `json:"service,omitempty"`
	Opened    [2]opening     `json:"opened"` // ours and theirs
	States    states         `json:"states,omitzero"`

	of      identity.Line
	heads   lineHeads                     // as of which the facts are
	more    bool                          // there is more to read than one step takes
	sent    time.Time                     // the slot of the last own test that was looked after
	stated  time.Time                     // the day of the last own digest of the state that was looked after
	notices map[servicePlace]message.Body // of Service, as far as they were opened: a month of them at each new entry is what a watch spends most on
	outages []watch.Outage                // of Service
	phase   watch.LineState
	held    []watch.Span
}

// readMark is up to where a side's logs were read.
type readMark struct {
	Era   identity.Era `json:"era"`
	Index int64        `json:"index"`
}

// urgent is a message that no person has acknowledged.
type urgent struct {
	ID     message.ID         `json:"id"`
	Ref    string             `json:"ref"`
	Format message.Format     `json:"format"`
	Level  message.Precedence `json:"level"`
	Since  time.Time          `json:"since"`
}

// opening is what a side's entry 0 says: since when, and how often it tests.
type opening struct {
	At    time.Time `json:"at,omitzero"`
	Every int64     `json:"every,omitzero"` // seconds
}

// servicePlace is where a notice of an outage or of the line's state stands.
type servicePlace struct {
	Log   string `json:"log"`
	Index int64  `json:"index"`
}

// lineHeads is how far both logs of a line, and their receipts, have come.
type lineHeads struct {
	own, theirs           identity.Era
	ownSize, ownSigned    int64
	theirSize, theirSigns int64
}

func factsKey(l identity.Line) string { return "watch/" + l.String() }

func (s *Station) lineHeadsOf(tx Tx, row Line) (h lineHeads, err error) {
	h.own, h.theirs = row.OwnEra, row.PeerEra
	if h.own > 0 {
		p, err := s.peerOf(row.Line)
		if err != nil {
			return h, err
		}
		at, err := s.position(tx, row.Line.Log(s.name, row.OwnEra), p.cosigner)
		if err != nil {
			return h, err
		}
		h.ownSize, h.ownSigned = at.Size, at.Cosigned
	}
	if h.theirs > 0 {
		at, err := s.position(tx, s.mirrored(row), s.mirror.Cosigner.Name())
		if err != nil {
			return h, err
		}
		h.theirSize, h.theirSigns = at.Size, at.Cosigned
	}
	return h, nil
}

// readFacts brings the facts of a line up to date, and stores them where they
// changed. It is called with the watch's mu held.
func (s *Station) readFacts(tx Tx, row Line, now time.Time) error {
	f := s.watching.facts[row.Line]
	if f == nil {
		f = &lineFacts{of: row.Line}
		text, err := tx.Setting(factsKey(row.Line))
		if err != nil {
			return err
		}
		if text != nil {
			if err := json.Unmarshal(text, f); err != nil {
				return fmt.Errorf("internal error: stored facts of the alarms: %w", err)
			}
		}
	}
	heads, err := s.lineHeadsOf(tx, row)
	if err != nil {
		return err
	}
	if heads == f.heads && !f.more {
		s.watching.facts[row.Line] = f
		return nil
	}
	if heads.behind(f) {
		*f = lineFacts{of: row.Line} // the store was put back, and holds less: it is read anew
	}
	if err := s.readSides(tx, row, f, now); err != nil {
		return err
	}
	if err := s.readBacks(tx, f); err != nil {
		return err
	}
	if err := errors.Join(s.timeTests(tx, f), s.readService(tx, f, row.Line, now)); err != nil {
		return err
	}
	f.prune(now)
	f.States.prune(now)
	f.heads = heads
	st, err := s.state(row.Line)
	if err != nil {
		return err
	}
	schedule, ok := f.schedule(row.Line)
	s.mu.Lock()
	st.silentAfter = 0
	if ok {
		st.silentAfter = schedule.Interval + schedule.Within()
	}
	s.mu.Unlock()
	text, err := json.Marshal(f, json.Deterministic(true))
	if err != nil {
		return err
	}
	s.watching.facts[row.Line] = f
	return tx.PutSetting(factsKey(row.Line), text)
}

// behind reports whether a store holds less than was read of it.
func (h lineHeads) behind(f *lineFacts) bool {
	return f.Own.Era > h.own || f.Own.Era == h.own && f.Own.Index > h.ownSize ||
		f.Theirs.Era > h.theirs || f.Theirs.Era == h.theirs && f.Theirs.Index > h.theirSize
}

// readSides reads what is new in both logs: the counterpart's first, since ours
// acknowledge what stands there.
func (s *Station) readSides(tx Tx, row Line, f *lineFacts, now time.Time) error {
	f.more = false
	for _, side := range []struct {
		writer identity.Station
		at     *readMark
		last   identity.Era
	}{{row.Line.Other(s.name), &f.Theirs, row.PeerEra}, {s.name, &f.Own, row.OwnEra}} {
		for left := factsPage; side.last > 0; {
			side.at.Era = max(side.at.Era, 1)
			o := row.Line.Log(side.writer, side.at.Era)
			most := min(left, matterPage)
			page, err := tx.Messages(o, side.at.Index, most)
			if err != nil {
				return err
			}
			for _, m := range page {
				if err := s.readFact(tx, f, m, now); err != nil {
					return err
				}
				side.at.Index = m.Index + 1
			}
			if left -= len(page); left <= 0 {
				f.more = true
				return nil
			}
			if len(page) == most {
				continue
			}
			if side.at.Era >= side.last {
				break
			}
			*side.at = readMark{Era: side.at.Era + 1}
		}
	}
	if f.More > 0 && len(f.Urgent) == 0 { // those kept are dealt with: look for those counted
		f.Theirs, f.More, f.MoreSince, f.more = readMark{}, 0, time.Time{}, true
	}
	return nil
}

// readFact takes one entry.
func (s *Station) readFact(tx Tx, f *lineFacts, m Message, now time.Time) error {
	own := m.Origin.Writer == s.name
	if m.Problem == "" {
		switch m.Format {
		case "001":
			return s.readOpening(f, m, own)
		case "010":
			f.takeTest(s.opened(m))
		case "011":
			if len(f.Backs) < maxTests {
				f.Backs = append(f.Backs, servicePlace{m.Origin.String(), m.Index})
			}
		case "020", "021", "026":
			f.takeService(m)
		case "022":
			f.States.take(s.opened(m), own)
		}
	}
	if own {
		if len(f.Urgent) > 0 && len(m.Refs) > 0 && len(s.opened(m).Entry.Wrapper.Approvals) > 0 {
			f.Urgent = slices.DeleteFunc(f.Urgent, func(u urgent) bool { return slices.Contains(m.Refs, u.ID) })
		}
		return nil
	}
	if of, _, ok := dossier.Disclosed(m.Origin, m.Index, s.opened(m).Entry.Body.Body()); m.Format == "006" && m.Problem == "" && ok {
		opened, err := tx.Message(of.Origin, of.Index)
		if err != nil {
			return err
		}
		return s.readUrgent(tx, f, opened, now)
	}
	return s.readUrgent(tx, f, m, now)
}

// readUrgent takes what a counterpart's message asks of a person.
func (s *Station) readUrgent(tx Tx, f *lineFacts, m Message, now time.Time) error {
	if m.Precedence < message.Immediate || !s.needsPerson(m) {
		return nil
	}
	around, err := tx.Referring(m.ID)
	if err != nil {
		return err
	}
	for _, r := range around {
		if r.Origin.Writer == s.name && len(s.opened(r).Entry.Wrapper.Approvals) > 0 {
			return nil
		}
	}
	if slices.ContainsFunc(f.Urgent, func(u urgent) bool { return u.ID == m.ID }) {
		return nil
	}
	if len(f.Urgent) >= maxUrgent {
		if f.More++; f.MoreSince.IsZero() {
			f.MoreSince = second(now)
		}
		return nil
	}
	at, err := s.receivedAt(tx, m)
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = second(now)
	}
	f.Urgent = append(f.Urgent, urgent{m.ID, s.Cite(m.Origin, m.Index), m.Format, m.Precedence, at.UTC()})
	return nil
}

// needsPerson reports whether a message is more than service between stations
// and receipts. A format that this edition does not know is.
func (s *Station) needsPerson(m Message) bool {
	form, ok := s.book.Format(m.Format)
	return !ok || form.Clocks(m.Precedence).Seen > 0
}

// readOpening takes a side's entry 0: the first says since when, the newest how
// often the line is tested.
func (s *Station) readOpening(f *lineFacts, m Message, own bool) error {
	t := DefaultTerms()
	if readTerms(s.opened(m).Entry.Body.Body(), &t) != nil {
		return nil //nolint:nilerr // such an opening opens nothing
	}
	side := &f.Opened[1]
	if own {
		side = &f.Opened[0]
	}
	if side.At.IsZero() {
		side.At = m.At.UTC()
	}
	side.Every = int64(t.TestEvery / time.Second)
	return nil
}

// readBacks takes the read-backs that were found, once both sides are read.
func (s *Station) readBacks(tx Tx, f *lineFacts) error {
	if f.more {
		return nil
	}
	for _, p := range f.Backs {
		o, err := identity.ParseOrigin(p.Log)
		if err != nil {
			return fmt.Errorf("internal error: stored place of a read-back: %w", err)
		}
		m, err := tx.Message(o, p.Index)
		if errors.Is(err, ErrNotFound) {
			continue // it was taken back by a repair, and comes again
		}
		if err != nil {
			return err
		}
		f.takeTest(s.opened(m))
	}
	f.Backs = nil
	return nil
}

// takeService notes where a notice stands.
func (f *lineFacts) takeService(m Message) {
	p := servicePlace{m.Origin.String(), m.Index}
	if slices.Contains(f.Service, p) {
		return
	}
	if f.Service = append(f.Service, p); len(f.Service) > maxService {
		delete(f.notices, f.Service[0])
		f.Service = f.Service[1:]
	}
}

// prune drops tests that no longer matter.
func (f *lineFacts) prune(now time.Time) {
	f.Tests = slices.DeleteFunc(f.Tests, func(t keptTest) bool { return t.Sent.Before(now.Add(-keepTests)) })
	if over := len(f.Tests) - maxTests; over > 0 {
		f.Tests = slices.Delete(f.Tests, 0, over)
	}
}

// receivedAt returns when an entry was received first, by the record or by the
// receipt that this station gave or holds; zero where there is none.
func (s *Station) receivedAt(tx Tx, m Message) (time.Time, error) {
	at, err := tx.ReceiptOf(m.Origin, m.Index)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return at, err
	}
	name := s.mirror.Cosigner.Name()
	if m.Origin.Writer == s.name {
		p, err := s.peerNamed(m.Origin.Reader)
		if err != nil {
			return at, err
		}
		name = p.cosigner
	}
	c, ok, err := tx.CosignatureCovering(m.Origin, name, m.Index)
	if err != nil {
		return at, err
	}
	if ok && (at.IsZero() || c.At.Before(at)) {
		at = c.At
	}
	return at, nil
}
