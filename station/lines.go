package station

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
	"detente/message"
	"detente/seal"
)

// The states of a line, as Line.State holds them.
const (
	LineOpening = "opening" // entry 0 is written or waits; the counterpart's has not come
	LineOpen    = "open"
	LineHeld    = "held" // by an officer or by a change that needs two persons
)

// The state words of a peer, as Peer.State holds them. They come from the
// store, never from the steps of a ceremony.
const (
	PeerHeld      = "card held"
	PeerDigits    = "digits checked"
	PeerConfirmed = "two-person confirmed"
	PeerProven    = "lines proven"
	PeerStopped   = "held"
)

// peer is what the station needs at hand of a counterpart: its verified cards
// and what is parsed of them.
type peer struct {
	identity.Verified
	bundle   identity.Bundle
	state    string     // as of the last ceremony; the store has the word that is shown
	ceremony message.ID // the one under way, or the last
	cosigner string     // its cosigner's name

	sealing atomic.Pointer[sealingKey] // the last one parsed
}

// sealingKey is a parsed key of a card.
type sealingKey struct {
	text string
	key  seal.Recipient
}

// confirmed reports whether two officers have confirmed the peer's cards.
func (p *peer) confirmed() bool { return p.state == PeerConfirmed || p.state == PeerProven }

// recipient returns what to seal to at a time.
func (p *peer) recipient(now time.Time) (seal.Recipient, error) {
	period := seal.PeriodOf(now)
	text, ok := p.Card.SealingFor(string(period))
	if !ok {
		return seal.Recipient{}, fmt.Errorf("the card of %s lists no sealing key for the period %s: ask it for a newer card", p.Card.Station, period)
	}
	if last := p.sealing.Load(); last != nil && last.text == text {
		return last.key, nil
	}
	key, err := seal.ParseRecipient(text)
	if err == nil {
		p.sealing.Store(&sealingKey{text, key})
	}
	return key, err
}

// lineState is what the station keeps in memory of a line. All of it can be
// made anew from the store.
type lineState struct {
	woken    chan struct{} // one slot
	machine  *line.Machine
	sending  identity.Origin // the log that machine sends
	sent     *line.Request   // the last one, for a repetition byte for byte
	serial   uint64          // its serial
	window   line.Window
	pending  []offered      // the entries that await the counterpart's cosignature
	grown    bool           // entries were appended since the line was last woken
	envelope *seal.Envelope // made ahead for the next entry; nil: none
	own      guardState     // of the log that this station writes
	theirs   guardState     // of the log that it mirrors
	heal     *healing
	unread   bool       // entries of the counterpart were cosigned that TakeIn has to read
	opened   *lookahead // of the last delivery; may be nil
	noNote   bool       // what is to be taken back follows a note of succession that is not held
	heard    time.Time  // when the counterpart was last heard
	alarms   line.Alarms
	compare  bool            // a line test came: heads are to be compared
	told     identity.Era    // the own era whose cards and notes the counterpart took since the start
	toldCard identity.Digest // of the own card that it took last
	tellAt   time.Time       // when to tell it again
	quota    int64           // bytes a day of our newest entry 0; zero: not read yet
	day      dayBytes        // receipted by the counterpart

	silentAfter time.Duration // after which a silent counterpart is an alarm; zero: never
}

// offered is an entry that awaits the counterpart's cosignature.
type offered struct {
	bytes int
	at    time.Time // its wrapper's second; zero where only the store knows it
}

// load reads peers and lines from the store at the start.
func (s *Station) load(ctx context.Context, now time.Time) error {
	return s.store.View(ctx, func(tx Tx) error {
		if err := s.beginClock(tx, now); err != nil {
			return err
		}
		peers, err := tx.Peers()
		if err != nil {
			return err
		}
		for _, row := range peers {
			if err := s.loadPeer(row); err != nil {
				return err
			}
		}
		rows, err := tx.Lines()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := s.loadLine(tx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// loadPeer reads what is pinned of a peer.
func (s *Station) loadPeer(row Peer) error {
	v, err := pinned(row)
	if err != nil {
		return err
	}
	b, err := identity.ParseBundle(row.Bundle)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers[row.Station] = &peer{Verified: v, bundle: b, state: row.State, ceremony: row.Ceremony, cosigner: v.Card.CosignerName()}
	return nil
}

func (s *Station) loadLine(tx Tx, row Line) error {
	st := &lineState{
		unread: true, // a crash may have come between
		woken:  make(chan struct{}, 1),
		own:    guardState{reason: notAsked, asked: s.since},
		theirs: guardState{reason: notAsked, asked: s.since},
	}
	pending, err := s.outstanding(tx, row)
	if err != nil {
		return err
	}
	st.pending = pending
	if err := st.day.read(tx, row.Line); err != nil {
		return err
	}
	told, err := tx.Setting(toldKey(row.Line))
	if err != nil {
		return err
	}
	if told != nil {
		if st.toldCard, err = identity.ParseDigest(string(told)); err != nil {
			return fmt.Errorf("internal error: stored digest of the card told on %s: %w", row.Line, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines[row.Line] = st
	return nil
}

// outstanding returns the sizes of the entries of the line's own log that the
// counterpart has not cosigned.
func (s *Station) outstanding(tx Tx, row Line) ([]offered, error) {
	own := row.Line.Log(s.name, row.OwnEra)
	log, ok, err := tx.Log(own)
	if err != nil || !ok {
		return nil, err
	}
	acked, err := s.acked(tx, own)
	if err != nil {
		return nil, err
	}
	return s.outstandingSizes(tx, own, acked, log.Size)
}

func (s *Station) outstandingSizes(tx Tx, own identity.Origin, acked, size int64) ([]offered, error) {
	var sizes []offered
	for ; acked < size; acked += healPiece {
		entries, err := tx.Entries(own, acked, min(acked+healPiece, size))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			sizes = append(sizes, offered{bytes: len(e)})
		}
	}
	return sizes, nil
}

// acked returns the size of an own log up to which the counterpart has
// cosigned it.
func (s *Station) acked(tx Tx, own identity.Origin) (int64, error) {
	p, err := s.peerNamed(own.Reader)
	if err != nil {
		return 0, err
	}
	c, ok, err := tx.LastCosignature(own, p.cosigner)
	if err != nil || !ok {
		return 0, err
	}
	return c.Size, nil
}

// peerOf returns the counterpart of a line.
func (s *Station) peerOf(l identity.Line) (*peer, error) { return s.peerNamed(l.Other(s.name)) }

func (s *Station) peerNamed(name identity.Station) (*peer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.peers[name]
	if !ok {
		return nil, fmt.Errorf("%w: station %s is not paired with this one: add its card with `detente peer add`", ErrNotFound, name)
	}
	return p, nil
}

// state returns what is kept in memory of a line.
func (s *Station) state(l identity.Line) (*lineState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.lines[l]
	if !ok {
		return nil, fmt.Errorf("%w: line %s: open it first with `detente line open`", ErrNotFound, l)
	}
	return st, nil
}

// LineNames lists the station's lines, sorted.
func (s *Station) LineNames() []identity.Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.lines), func(a, b identity.Line) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
}

// mayAppend returns an empty string if entries may be appended to a line's own
// log now, or else why not. What holds one line up must be said here and not
// fail in the hook, which appends for all lines.
func (s *Station) mayAppend(row Line, now time.Time) string {
	s.watchClock(now)
	p, err := s.peerOf(row.Line)
	if err != nil {
		return err.Error()
	}
	if _, err := p.recipient(now); err != nil {
		return err.Error()
	}
	own := s.own.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.lines[row.Line]
	_, archived := s.keys.Archive[seal.PeriodOf(now)]
	origin := row.Line.Log(s.name, row.OwnEra)
	_, signs := s.sign[origin]
	switch {
	case !ok:
		return "the line is not open"
	case row.State == LineHeld:
		return "the line is held"
	case !p.confirmed():
		return fmt.Sprintf("the line is held: %s is %q, and two officers confirm its cards first", p.Card.Station, p.state)
	case !st.own.passed:
		return strings.TrimSuffix("the guard has not passed: "+st.own.reason+"; "+st.own.next, "; ")
	case s.clock.why != "":
		return "the clock is not safe: " + s.clock.why + "; two operators confirm it with `detente station clock`"
	case !own.Card.To.After(now):
		return "this station's card ended at " + own.Card.To.UTC().Format(time.RFC3339) + ": have a newer one endorsed"
	case !p.Card.To.After(now):
		return "the card of " + string(p.Card.Station) + " ended at " + p.Card.To.UTC().Format(time.RFC3339) + ": ask it for a newer one"
	case !archived:
		return fmt.Sprintf("there is no archive key for the period %s: make one with `detente station rotate`", seal.PeriodOf(now))
	case !signs:
		return fmt.Sprintf("there is no key for the log %s among the station's keys", origin)
	}
	return ""
}

// noRoom says why a message may not be appended now, after a batch of so many
// bytes, or nothing where it may: too much awaits the counterpart's cosignature
// already, or the counterpart takes no more today.
func (s *Station) noRoom(row Line, now time.Time, out Outgoing, batch int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.lines[row.Line]
	if why := st.overQuota(now, row.PeerQuota, out.Precedence, batch+int64(len(out.Body))); why != "" {
		return why
	}
	if awaiting := st.awaiting() + batch; !st.window.Open(now, awaiting, int64(len(out.Body))) {
		return fmt.Sprintf("waits: %d bytes stand in the log before it and await the counterpart's receipt", awaiting)
	}
	return ""
}

// awaiting is how many bytes await the counterpart's cosignature.
func (st *lineState) awaiting() (n int64) {
	for _, e := range st.pending {
		n += int64(e.bytes)
	}
	return n
}

// appended notes entries that now await the counterpart's cosignature. Where
// the commit then fails, reload puts it right.
func (s *Station) appended(l identity.Line, entries [][]byte, opened []message.Entry, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.lines[l]
	for i, e := range entries {
		st.pending = append(st.pending, offered{len(e), opened[i].Wrapper.At})
	}
	st.window.Offered(now)
	st.grown = true
}

// receipted notes that the counterpart has cosigned an own log up to where
// left entries remain.
func (s *Station) receipted(tx Tx, l identity.Line, left int64, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.lines[l]
	done := len(st.pending) - int(left)
	if done <= 0 {
		return nil
	}
	var carried int64
	for _, e := range st.pending[:done] {
		carried += int64(e.bytes)
	}
	st.pending = slices.Delete(st.pending, 0, done)
	st.window.Carried(now, carried, st.awaiting())
	st.day.add(now, carried)
	return st.day.put(tx, l)
}

// mirrored is the name of the log of a line that the counterpart writes.
func (s *Station) mirrored(row Line) identity.Origin {
	return row.Line.Log(row.Line.Other(s.name), row.PeerEra)
}

// logKey returns the key that a party's card gives for a log: this station's
// own or a counterpart's.
func (s *Station) logKey(o identity.Origin) (identity.PublicKey, error) {
	card := s.own.Load().Card
	if o.Writer != s.name {
		p, err := s.peerNamed(o.Writer)
		if err != nil {
			return identity.PublicKey{}, err
		}
		card = p.Card
	}
	key, ok := card.Log(o)
	if !ok {
		return identity.PublicKey{}, fmt.Errorf("%w: the card of %s lists no key for the log %s", journal.ErrUnknownLog, o.Writer, o)
	}
	return key, nil
}
