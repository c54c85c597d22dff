package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// Search says which messages are looked for. Each field narrows; the zero value
// of each does not.
type Search struct {
	Words      string             // all of them, in any of the six languages, by their beginnings
	Ref        string             // a citation or an id: that message, and those that refer to it
	Formats    []message.Format   // one of them
	Since      time.Time          // written not before
	Until      time.Time          // written before
	Party      string             // the other side's station or party
	Line       identity.Line      // zero: all lines
	Precedence message.Precedence // zero: any
	Direction  string             // in, out, or empty: both
	State      string             // one of SearchStates, or empty: any
	Lang       book.Lang          // of snippets, where the words stand in it; empty: en
	After      string             // the cursor that a page ended with; empty: from the newest
	Limit      int                // of hits; zero: 50; at most MaxHits
}

// Limits of a search.
const (
	// MaxHits bounds a page of hits.
	MaxHits = 500
	// MaxWordsAsked bounds a question's text, in bytes.
	MaxWordsAsked = 1000
	// MaxPending is up to how many messages that are not indexed yet are counted:
	// the index takes as many in some ten seconds.
	MaxPending = 10_000
	// usualHits is the page where none is asked for.
	usualHits = 50
	// maxSearched bounds the messages that one page looks at, so that a question
	// which fits nothing does not read a whole station; the page's cursor goes on.
	maxSearched = 5000
	// chunk is how many messages are held in memory at a time.
	chunk = 200
)

// SearchStates are the states that a search can ask for: accepted as a message or
// refused with a reason, on fewer officers than asked, receipted or not yet.
func SearchStates() []string {
	return []string{"accepted", "problem", "provisional", "receipted", "unreceipted"}
}

// Hits are a page of what was found, newest first.
type Hits struct {
	List    []Hit
	Hidden  int    // on this page's stretch, hidden by the actor's rights: those that fit but for the words, which are not looked for in them
	Next    string // the cursor of the next page; empty: there is none
	Pending int    // of the newest messages, how many are not indexed yet, so that no words find them; MaxPending: so many or more
}

// Hit is a message that was found.
type Hit struct {
	Read
	Snippet Snippet // zero where no word was asked for, or the message was found by its names
}

// Snippet is where in a message's text a word stands. Every control, direction
// and zero-width character in it stands as its number.
type Snippet struct {
	Lang                 book.Lang
	Before, Match, After string
}

// Search finds messages. What the actor may not read is counted and not shown.
// The audit trail says what was asked and how many were found and hidden. A
// cursor from before the tables were made anew is ErrConflict.
func (s *Station) Search(ctx context.Context, actor Actor, now time.Time, q Search) (Hits, error) {
	err := actor.must("search messages", RoleRead)
	if err == nil {
		err = q.check()
	}
	if err != nil {
		return Hits{}, s.refused(ctx, now, actor, "search", q.String(), err)
	}
	if _, err := s.indexSome(ctx, now, indexBytes); err != nil { // what came since the last tick
		return Hits{}, err
	}
	if q.Limit == 0 {
		q.Limit = usualHits
	}
	var h Hits
	err = s.store.View(ctx, func(tx Tx) (err error) {
		h, err = s.search(tx, actor, q)
		return err
	})
	if err != nil {
		return Hits{}, s.refused(ctx, now, actor, "search", q.String(), err)
	}
	err = s.update(ctx, now, func(tx Tx) error {
		return s.audit(tx, now, actor, "search", q.String(), "done", fmt.Sprintf("%d found, %d hidden", len(h.List), h.Hidden))
	})
	if err != nil {
		return Hits{}, err
	}
	return h, nil
}

// check says what is wrong with a question.
func (q Search) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
	}
	asked := terms(q.Words)
	switch {
	case len(q.Words) > MaxWordsAsked || len(asked) > maxTerms:
		return bad("words: at most %d, and %d bytes", maxTerms, MaxWordsAsked)
	case len(asked) == 0 && strings.TrimSpace(q.Words) != "":
		return bad("words: there is no letter and no digit in %s", book.Quote(q.Words))
	case q.Limit < 0 || q.Limit > MaxHits:
		return bad("limit: %d to %d", 1, MaxHits)
	case !slices.Contains([]string{"", "in", "out"}, q.Direction):
		return bad("direction: it is in or out")
	case q.State != "" && !slices.Contains(SearchStates(), q.State):
		return bad("state: it is one of %s", strings.Join(SearchStates(), ", "))
	case q.Lang != "" && !slices.Contains(book.Langs(), q.Lang):
		return bad("language: it is one of %v", book.Langs())
	case !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until):
		return bad("since %s is not before until %s", q.Since.UTC().Format(time.RFC3339), q.Until.UTC().Format(time.RFC3339))
	case len(q.Party) > MaxWordsAsked || len(q.Formats) > MaxHits:
		return bad("party or formats: too long")
	}
	if q.Ref != "" {
		if _, err := message.ParseID(q.Ref); err == nil {
			return nil
		}
		if _, err := message.ParseCitation(q.Ref); err != nil {
			return bad("ref: %s is neither an id nor a citation such as ARD/BOR-N1-417", book.Quote(q.Ref))
		}
	}
	return nil
}

// String writes a question for the audit trail.
func (q Search) String() string {
	var b strings.Builder
	add := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", name, book.Quote(value[:min(len(value), MaxWordsAsked)]))
		}
	}
	add("words", q.Words)
	add("ref", q.Ref)
	for _, f := range q.Formats[:min(len(q.Formats), MaxHits)] {
		add("format", string(f))
	}
	if !q.Since.IsZero() {
		add("since", q.Since.UTC().Format(time.RFC3339))
	}
	if !q.Until.IsZero() {
		add("until", q.Until.UTC().Format(time.RFC3339))
	}
	add("party", q.Party)
	if q.Line != (identity.Line{}) {
		add("line", q.Line.String())
	}
	if q.Precedence != 0 {
		add("precedence", q.Precedence.String())
	}
	add("direction", q.Direction)
	add("state", q.State)
	add("after", q.After)
	return strings.TrimSpace(b.String())
}

// search looks at messages, newest first, until the page is full, enough was
// looked at, or there is no more.
func (s *Station) search(tx Tx, actor Actor, q Search) (h Hits, err error) {
	state, err := tx.IndexState()
	if err != nil {
		return h, err
	}
	from, err := state.after(q.After)
	if err != nil {
		return h, err
	}
	w := weighing{s: s, tx: tx, actor: actor, q: q, asked: terms(q.Words)}
	if w.rights, err = s.rights(tx); err != nil {
		return h, err
	}
	end, err := w.page(from, &h)
	if err != nil {
		return h, err
	}
	if end > 0 {
		h.Next = state.cursor(end)
	}
	if len(w.asked) == 0 || q.Ref != "" {
		return h, nil
	}
	if h.Pending, err = tx.CountAfter(state.To, MaxPending); err != nil {
		return h, err
	}
	h.Hidden, err = w.closed(from, end)
	return h, err
}

// weighing is a search under way.
type weighing struct {
	s      *Station
	tx     Tx
	actor  Actor
	rights Rights
	q      Search
	asked  []Term
}

// page fills a page with what stands before a sequence number, and returns where
// the next goes on; zero: nowhere.
func (w weighing) page(before int64, h *Hits) (end int64, err error) {
	for looked := 0; ; {
		some, err := w.s.candidates(w.tx, w.q, w.asked, before)
		if err != nil {
			return 0, err
		}
		for _, m := range some {
			before = m.Seq
			looked++
			if err := w.weigh(m, h); err != nil {
				return 0, err
			}
			if len(h.List) == w.q.Limit || looked == maxSearched {
				return before, nil
			}
		}
		if len(some) < chunk || w.q.Ref != "" {
			return 0, nil
		}
	}
}

// candidates lists messages that may fit, newest first, before a sequence
// number: a chunk, or all where a reference names them.
func (s *Station) candidates(tx Tx, q Search, asked []Term, before int64) ([]Message, error) {
	switch {
	case q.Ref != "":
		return s.referred(tx, q, before)
	case len(asked) > 0:
		return tx.FindMessages(asked, before, chunk)
	}
	return tx.RecentMessages(before, chunk)
}

// referred lists the message of a reference, and those that refer to it.
func (s *Station) referred(tx Tx, q Search, before int64) ([]Message, error) {
	m, err := s.cited(tx, q.Ref)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list := []Message{m}
	if m.ID != (message.ID{}) {
		more, err := tx.Referring(m.ID)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	list = slices.DeleteFunc(list, func(m Message) bool { return before > 0 && m.Seq >= before })
	slices.SortFunc(list, func(a, b Message) int { return int(b.Seq - a.Seq) })
	return slices.CompactFunc(list, func(a, b Message) bool { return a.Seq == b.Seq }), nil
}

// cited returns the message of an id or a citation.
func (s *Station) cited(tx Tx, ref string) (Message, error) {
	if id, err := message.ParseID(ref); err == nil {
		return tx.MessageByID(id)
	}
	c, err := message.ParseCitation(ref)
	if err != nil {
		return Message{}, fmt.Errorf("%w: ref: %w", ErrInvalid, err)
	}
	for _, l := range s.LineNames() {
		for _, writer := range []identity.Station{l.A, l.B} {
			if o := l.Log(writer, c.Era); l.Class == c.Class && s.code(o.Writer) == c.Writer && s.code(o.Reader) == c.Reader {
				if m, err := tx.Message(o, c.Index); err == nil || !errors.Is(err, ErrNotFound) {
					return m, err
				}
			}
		}
	}
	return Message{}, fmt.Errorf("%s: %w", ref, ErrNotFound)
}

// weigh adds a message to the hits where it fits. What the actor may not read is
// counted where no words are asked for; else closed counts it.
func (w weighing) weigh(m Message, h *Hits) error {
	r := w.s.opened(m)
	if fits, err := w.fits(r); err != nil || !fits {
		return err
	}
	if !w.rights.letMessage(w.actor, r) {
		if len(w.asked) == 0 || w.q.Ref != "" {
			h.Hidden++
		}
		return nil
	}
	if w.q.Ref != "" && slices.ContainsFunc(w.asked, func(t Term) bool { return !t.Matches(w.s.wordsOf(r)) }) {
		return nil
	}
	r, err := w.s.read(w.tx, m)
	if err != nil {
		return err
	}
	hit := Hit{Read: r}
	if len(w.asked) > 0 {
		hit.Snippet = w.s.snippet(r, w.q.Lang, w.asked)
	}
	h.List = append(h.List, hit)
	return nil
}

// fits reports whether a message is what is asked for, but for its words.
func (w weighing) fits(r Read) (bool, error) {
	if !w.q.fits(w.s.name, r.Message) || w.q.Party != "" && !w.s.isParty(r.Origin.Line().Other(w.s.name), w.q.Party) {
		return false, nil
	}
	if w.q.State != "receipted" && w.q.State != "unreceipted" {
		return true, nil
	}
	r, err := w.s.read(w.tx, r.Message)
	return (w.q.State == "receipted") == (!r.Received.IsZero() || !r.Held.IsZero()), err
}

// closed counts the messages between two sequence numbers that fit but for their
// words and that the actor may not read. Whether the words stand in them is not
// asked: the number would tell whoever tries one word after the other what is
// hidden. They are found by their labels; at most maxSearched are looked at.
func (w weighing) closed(from, end int64) (hidden int, err error) {
	for _, tlp := range labels() {
		if !slices.ContainsFunc(w.s.LineNames(), func(l identity.Line) bool { return !w.rights.let(w.actor, l, tlp) }) {
			continue
		}
		before := from
		for looked := 0; looked < maxSearched; looked += chunk {
			some, err := w.tx.FindMessages([]Term{{Text: labelWord(tlp), Whole: true}}, before, chunk)
			if err != nil {
				return hidden, err
			}
			for _, m := range some {
				if before = m.Seq; before < end {
					break
				}
				r := w.s.opened(m)
				if fits, err := w.fits(r); err != nil {
					return hidden, err
				} else if fits && !w.rights.letMessage(w.actor, r) {
					hidden++
				}
			}
			if len(some) < chunk || before < end {
				break
			}
		}
	}
	return hidden, nil
}

// labels are the labels of the Traffic Light Protocol.
func labels() []string { return []string{"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"} }

// labelWord is the word under which messages of a label are indexed. It begins
// with a character that no word of a text holds.
func labelWord(tlp string) string { return "\ue000tlp:" + strings.ToLower(tlp) }

// fits reports whether what the table says of a message is what is asked for.
func (q Search) fits(own identity.Station, m Message) bool {
	return (len(q.Formats) == 0 || slices.Contains(q.Formats, m.Format)) &&
		(q.Since.IsZero() || !m.At.Before(q.Since)) && (q.Until.IsZero() || m.At.Before(q.Until) && !m.At.IsZero()) &&
		(q.Line == identity.Line{} || q.Line == m.Origin.Line()) && (q.Precedence == 0 || q.Precedence == m.Precedence) &&
		(q.Direction == "" || (q.Direction == "out") == (m.Origin.Writer == own)) &&
		(q.State != "accepted" || m.Problem == "") && (q.State != "problem" || m.Problem != "") && (q.State != "provisional" || m.Provisional)
}

// isParty reports whether a counterpart is the station, or of the party, that a
// name names.
func (s *Station) isParty(other identity.Station, name string) bool {
	if string(other) == name {
		return true
	}
	p, err := s.peerNamed(other)
	return err == nil && string(p.Card.Party) == name
}

// cursor writes where a page ended.
func (i IndexState) cursor(seq int64) string { return fmt.Sprintf("%d.%d", i.Generation, seq) }

// after reads what cursor wrote; zero stands for the beginning.
func (i IndexState) after(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	generation, seq, ok := strings.Cut(cursor, ".")
	g, err1 := strconv.ParseInt(generation, 10, 64)
	n, err2 := strconv.ParseInt(seq, 10, 64)
	switch {
	case !ok || err1 != nil || err2 != nil || n <= 0:
		return 0, fmt.Errorf("%w: after: %s is no cursor of a search", ErrInvalid, book.Quote(cursor[:min(len(cursor), maxWord)]))
	case g != i.Generation:
		return 0, fmt.Errorf("%w: the tables were made anew since the page before: search again from the newest", ErrConflict)
	}
	return n, nil
}

// aroundMatch is how many letters of a text are shown at each side of a word.
const aroundMatch = 40

// snippet finds the first asked word in a message's text, in the language asked
// for before the others.
func (s *Station) snippet(r Read, lang book.Lang, asked []Term) Snippet {
	if len(r.Entry.Body.Bytes()) == 0 {
		return Snippet{}
	}
	if lang == "" {
		lang = "en"
	}
	for _, l := range slices.Concat([]book.Lang{lang}, book.Langs()) {
		text, err := s.Text(r.Entry.Body.Body(), l)
		if err != nil {
			continue
		}
		var found Snippet
		eachWord(text, func(from, to int, word string) bool {
			set := make(map[string]bool)
			index(set, word)
			for _, t := range asked {
				for w := range set {
					if t.Matches([]string{w}) {
						found = around(text, from, to, l)
						return false
					}
				}
			}
			return true
		})
		if found.Match != "" {
			return found
		}
	}
	return Snippet{}
}

// around cuts a piece out of a text.
func around(text string, from, to int, l book.Lang) Snippet {
	before, match, after := []rune(text[:from]), []rune(text[from:to]), []rune(text[to:])
	shown := func(r []rune) string {
		line := strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return ' '
			}
			return r
		}, string(r))
		return strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(book.Quote(line), `"`), `"`), `\"`, `"`)
	}
	return Snippet{
		Lang: l, Before: shown(before[max(0, len(before)-aroundMatch):]), Match: shown(match[:min(len(match), maxWord)]), After: shown(after[:min(len(after), aroundMatch)]),
	}
}
