package station

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"slices"
	"time"

	"detente/book"
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

// indexAtOnce is how many messages a tick indexes: some tens of milliseconds'
// work, of which the store is held up for the last few. Of long messages it is as
// many as have indexBytes of bodies together, and at least one.
const (
	indexAtOnce = 128
	indexBytes  = 128 << 10
)

// indexSome indexes messages that are not yet. The texts are made outside the
// transaction that keeps their words, so that no message waits for that.
func (s *Station) indexSome(ctx context.Context, now time.Time) error {
	var state IndexState
	var some []Message
	err := s.store.View(ctx, func(tx Tx) (err error) {
		if state, err = tx.IndexState(); err != nil {
			return err
		}
		some, err = tx.MessagesAfter(state.To, indexAtOnce)
		return err
	})
	if err != nil || len(some) == 0 {
		return err
	}
	list := make([]Indexed, 0, len(some))
	for i, bytes := 0, 0; i < len(some) && bytes < indexBytes; i++ {
		r := s.opened(some[i])
		list = append(list, Indexed{Seq: r.Seq, Words: s.wordsOf(r)})
		bytes += len(r.Entry.Body.Bytes())
	}
	return s.store.Update(ctx, func(tx Tx) error {
		s.batch.now = now
		if at, err := tx.IndexState(); err != nil || at != state {
			return err // somebody else was quicker, or the tables were made anew
		}
		return tx.PutIndexed(list)
	})
}

// wordsOf returns the words by which a message is found: of its texts in all six
// languages, of every text among its parameters, and of its names.
func (s *Station) wordsOf(r Read) []string {
	set, seen := make(map[string]bool), make(map[string]bool)
	index(set, r.Citation)
	if len(r.Entry.Body.Bytes()) > 0 {
		b := r.Entry.Body.Body()
		index(set, b.ID.String())
		set[labelWord(b.Marking.TLP)] = true
		for _, l := range book.Langs() {
			if text, err := s.book.Render(b, l); err == nil { // of another edition what the parameters say is found
				indexNew(set, seen, text)
			}
		}
		for _, v := range b.Params {
			eachText(v, func(text string) { indexNew(set, seen, text) })
		}
	}
	words := make([]string, 0, len(set))
	for w := range set {
		words = append(words, w)
	}
	slices.Sort(words)
	return words
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
