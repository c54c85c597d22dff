package station

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"detente/book"
	"detente/message"
)

// IndexTx is the part of a transaction in which the words of messages are kept.
// The index is a cache beside the messages: nothing that a line does waits for
// it. It is filled in the order of Message.Seq, and Tx.DropMessages drops all of
// it, since the messages that are put anew get other numbers.
type IndexTx interface {
	// IndexState says up to where messages are indexed.
	IndexState() (IndexState, error)
	// PutIndexed adds the words of messages, in ascending order of Seq and beyond
	// what is indexed, and says that all up to the last of them is indexed.
	PutIndexed([]Indexed) error
	// MessagesAfter lists messages of all lines, oldest first, after a sequence
	// number.
	MessagesAfter(seq int64, limit int) ([]Message, error)
	// CountAfter counts the messages of all lines after a sequence number, up to
	// most of them.
	CountAfter(seq int64, most int) (int, error)
	// EachIndexed calls do with each word of the index and the message that it is
	// of, in no order.
	EachIndexed(do func(seq int64, word string)) error
	// Reindex puts the words of an indexed message in the place of those that were
	// put of it, all of which before holds.
	Reindex(before, now Indexed) error
	// FindMessages lists indexed messages that have words for all the terms, of
	// which there is at least one, newest first, before a sequence number (zero:
	// from the newest).
	FindMessages(terms []Term, before int64, limit int) ([]Message, error)
}

// IndexState is how far the index has come.
type IndexState struct {
	To         int64 // the sequence number up to which messages are indexed
	Generation int64 // grows whenever the index is dropped: sequence numbers of another generation mean nothing
}

// Indexed is a message with the words by which it is found.
type Indexed struct {
	Seq   int64
	Words []string // sorted, none twice, without spaces
}

// indexAtOnce is how many messages one transaction indexes: the store is held up
// for some tens of milliseconds. Of long messages it is as many as have
// indexBytes of bodies together, and at least one. A quiet station does it up to
// indexRounds times a tick while more are waiting: fifteen hundred short messages,
// for half a second's work of one processor. One on which more than busyEvents
// happened since the last tick does it once, and for indexBusy of bodies: nothing
// that a line does waits for the index, and it catches up once the line is quiet.
const (
	indexAtOnce = 64
	indexBytes  = 128 << 10
	indexRounds = 24
	indexBusy   = 16 << 10
	busyEvents  = 32
)

// indexMore indexes what a tick may.
func (s *Station) indexMore(ctx context.Context, now time.Time) error {
	busy, err := s.busy(ctx)
	if err != nil {
		return err
	}
	if busy {
		_, err := s.indexSome(ctx, now, indexBusy)
		return err
	}
	for range indexRounds {
		if more, err := s.indexSome(ctx, now, indexBytes); err != nil || !more {
			return err
		}
	}
	return nil
}

// busy reports whether much has happened since it was last asked.
func (s *Station) busy(ctx context.Context) (bool, error) {
	var last int64
	err := s.store.View(ctx, func(tx Tx) (err error) {
		last, err = tx.LastEvent()
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.lastEvent
	s.lastEvent = last
	return last-before > busyEvents, err
}

// indexAll indexes all messages that are not yet.
func (s *Station) indexAll(ctx context.Context, now time.Time) error {
	for {
		if more, err := s.indexSome(ctx, now, indexBytes); err != nil || !more {
			return err
		}
	}
}

// indexSome indexes messages that are not yet, and reports whether there may be
// more. The texts are made outside the transaction that keeps their words, so
// that no message waits for that.
func (s *Station) indexSome(ctx context.Context, now time.Time, most int) (more bool, err error) {
	var state IndexState
	var some []Message
	err = s.store.View(ctx, func(tx Tx) (err error) {
		if state, err = tx.IndexState(); err != nil {
			return err
		}
		some, err = tx.MessagesAfter(state.To, indexAtOnce)
		return err
	})
	if err != nil || len(some) == 0 {
		return false, err
	}
	list := make([]Indexed, 0, len(some))
	known := make(spellings)
	for i, bytes := 0, 0; i < len(some) && bytes < most; i++ {
		r := s.opened(some[i])
		list = append(list, Indexed{Seq: r.Seq, Words: s.wordsKnowing(known, r)})
		bytes += len(r.Entry.Body.Bytes())
	}
	return len(list) < len(some) || len(some) == indexAtOnce, s.store.Update(ctx, func(tx Tx) error {
		s.batch.now = now
		if at, err := tx.IndexState(); err != nil || at != state {
			return err // somebody else was quicker, or the tables were made anew
		}
		return tx.PutIndexed(list)
	})
}

// reindex puts the words of a message in the place of those that it had before it
// was read anew, unless the index has not come to it yet.
func (s *Station) reindex(tx Tx, before, now Message) error {
	state, err := tx.IndexState()
	if err != nil || before.Seq > state.To {
		return err
	}
	return tx.Reindex(Indexed{Seq: before.Seq, Words: s.wordsOf(s.opened(before))}, Indexed{Seq: now.Seq, Words: s.wordsOf(s.opened(now))})
}

// wordsOf returns the words by which a message is found: of its texts in all six
// languages, of every text among its parameters, and of its names.
func (s *Station) wordsOf(r Read) []string { return s.wordsKnowing(make(spellings), r) }

// wordsKnowing does the same for one of several messages: a word is folded for
// the first that has it, and most of them stand in all messages of a format.
func (s *Station) wordsKnowing(known spellings, r Read) []string {
	set, seen := make(map[string]bool), make(map[string]bool)
	known.index(set, seen, r.Citation)
	if len(r.Entry.Body.Bytes()) > 0 {
		b := r.Entry.Body.Body()
		known.index(set, seen, b.ID.String())
		set[labelWord(b.Marking.TLP)] = true
		bare := withoutTexts(b)
		if edition, read := s.readAt(r.Origin, r.Index, b.Edition); read { // of another edition what the parameters say is found
			for _, l := range book.Langs() {
				if text, err := edition.Render(bare, l); err == nil {
					known.index(set, seen, text)
				}
			}
		}
		for _, v := range b.Params {
			eachText(v, func(text string) { known.index(set, seen, text) })
		}
	}
	words := make([]string, 0, len(set))
	for w := range set {
		words = append(words, w)
	}
	slices.Sort(words)
	return words
}

// longText is from how many bytes on a text is not looked through six times: it
// stands as it is in the message's texts in all languages. Whatever else is
// written as a text, a digest or a time, is shorter.
const longText = 512

// withoutTexts returns a body with a sign that is no word in the place of each
// long text among its parameters.
func withoutTexts(b message.Body) message.Body {
	bare := maps.Clone(b.Params)
	for name, v := range bare {
		if v.Kind() == '"' && len(v) > longText {
			bare[name] = jsontext.Value(`"…"`)
		}
	}
	b.Params = bare
	return b
}

// eachText calls do with each text in a JSON value.
func eachText(v jsontext.Value, do func(string)) {
	d := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		t, err := d.ReadToken()
		if err != nil {
			return
		}
		if t.Kind() == '"' {
			do(t.String())
		}
	}
}

// indexSum stands for the words of a message, in whatever order they come.
type indexSum struct {
	words int
	sum   uint64
}

func (i *indexSum) add(word string) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(word)) // never fails
	i.words++
	i.sum += h.Sum64()
}

// checkIndex compares the index with the messages that it says it holds. What
// waits to be indexed is no finding.
func (s *Station) checkIndex(ctx context.Context) ([]Finding, error) {
	held := make(map[int64]indexSum)
	var differ int
	err := s.store.View(ctx, func(tx Tx) error {
		state, err := tx.IndexState()
		if err != nil {
			return err
		}
		err = tx.EachIndexed(func(seq int64, word string) {
			i := held[seq]
			i.add(word)
			held[seq] = i
		})
		if err != nil {
			return err
		}
		for after := int64(0); after < state.To; {
			known := make(spellings)
			some, err := tx.MessagesAfter(after, indexAtOnce)
			if err != nil || len(some) == 0 {
				return err
			}
			for _, m := range some {
				if after = m.Seq; after > state.To {
					break
				}
				var want indexSum
				for _, w := range s.wordsKnowing(known, s.opened(m)) {
					want.add(w)
				}
				if held[m.Seq] != want {
					differ++
				}
				delete(held, m.Seq)
			}
		}
		return nil
	})
	if differ += len(held); err != nil || differ == 0 {
		return nil, err
	}
	what := fmt.Sprintf("the index of words differs from the record in %d messages: a search may miss them", differ)
	return []Finding{{Where: "search", What: what, Repair: "detente station doctor --repair"}}, nil
}
