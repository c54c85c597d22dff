package memory

import (
	"slices"
	"strings"

	"detente/station"
)

// indexed is an entry of the index: its words by their numbers, since a month
// of messages in six languages says the same few thousand over and over.
type indexed struct {
	seq   int64
	words []uint32
}

// vocabulary numbers words. It only grows, and a disk shares it with its copies.
type vocabulary struct {
	numbers map[string]uint32
	words   []string
}

// number writes an entry of the index.
func (v *vocabulary) number(m station.Indexed) indexed {
	out := indexed{m.Seq, make([]uint32, len(m.Words))}
	for i, w := range m.Words {
		n, ok := v.numbers[w]
		if !ok {
			n = uint32(len(v.words)) //nolint:gosec // there are not that many words
			w = strings.Clone(w)
			v.numbers[w], v.words = n, append(v.words, w)
		}
		out.words[i] = n
	}
	return out
}

// spell returns the words of an entry of the index.
func (v *vocabulary) spell(m indexed) []string {
	out := make([]string, len(m.words))
	for i, n := range m.words {
		out[i] = v.words[n]
	}
	return out
}

// IndexState implements station.IndexTx.
func (t *tx) IndexState() (station.IndexState, error) { return t.st.indexed, nil }

// PutIndexed implements station.IndexTx.
func (t *tx) PutIndexed(list []station.Indexed) error {
	if !t.writable {
		return errReadOnly
	}
	words, state := t.st.words, t.st.indexed
	t.undo = append(t.undo, func() { t.st.words, t.st.indexed = words, state })
	t.st.words = words[:len(words):cap(words)]
	for _, m := range list {
		t.st.words = append(t.st.words, t.st.vocabulary.number(m))
	}
	if len(list) > 0 {
		t.st.indexed.To = list[len(list)-1].Seq
	}
	return nil
}

// Reindex implements station.IndexTx.
func (t *tx) Reindex(before, now station.Indexed) error {
	if !t.writable {
		return errReadOnly
	}
	words := t.st.words
	t.undo = append(t.undo, func() { t.st.words = words })
	t.st.words = slices.Clone(words)
	for i := range t.st.words {
		if t.st.words[i].seq == before.Seq {
			t.st.words[i] = t.st.vocabulary.number(now)
		}
	}
	return nil
}

// EachIndexed implements station.IndexTx.
func (t *tx) EachIndexed(do func(seq int64, word string)) error {
	for _, m := range t.st.words {
		for _, w := range m.words {
			do(m.seq, t.st.vocabulary.words[w])
		}
	}
	return nil
}

// dropIndex empties the index.
func (t *tx) dropIndex() {
	words, state := t.st.words, t.st.indexed
	t.undo = append(t.undo, func() { t.st.words, t.st.indexed = words, state })
	t.st.words, t.st.indexed = nil, station.IndexState{Generation: state.Generation + 1}
}

// MessagesAfter implements station.IndexTx.
func (t *tx) MessagesAfter(seq int64, limit int) ([]station.Message, error) {
	var list []station.Message
	for i := seq; i < int64(len(t.st.seq)) && (limit <= 0 || len(list) < limit); i++ {
		if m, ok := t.st.messages[t.st.seq[i]]; ok && m.Seq == i+1 {
			list = append(list, m)
		}
	}
	return list, nil
}

// CountAfter implements station.IndexTx.
func (t *tx) CountAfter(seq int64, most int) (int, error) {
	list, err := t.MessagesAfter(seq, most)
	return len(list), err
}

// FindMessages implements station.IndexTx, by looking at each.
func (t *tx) FindMessages(terms []station.Term, before int64, limit int) ([]station.Message, error) {
	var list []station.Message
	for _, w := range slices.Backward(t.st.words) {
		if before > 0 && w.seq >= before || limit > 0 && len(list) == limit {
			continue
		}
		words := t.st.vocabulary.spell(w)
		if slices.ContainsFunc(terms, func(term station.Term) bool { return !term.Matches(words) }) {
			continue
		}
		if m, ok := t.st.messages[t.st.seq[w.seq-1]]; ok {
			list = append(list, m)
		}
	}
	return list, nil
}
