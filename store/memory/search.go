package memory

import (
	"slices"

	"detente/station"
)

// IndexState implements station.IndexTx.
func (t *tx) IndexState() (station.IndexState, error) { return t.st.indexed, nil }

// PutIndexed implements station.IndexTx.
func (t *tx) PutIndexed(list []station.Indexed) error {
	if !t.writable {
		return errReadOnly
	}
	words, state := t.st.words, t.st.indexed
	t.undo = append(t.undo, func() { t.st.words, t.st.indexed = words, state })
	t.st.words = append(words[:len(words):cap(words)], list...)
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
		if t.st.words[i].Seq == before.Seq {
			t.st.words[i] = now
		}
	}
	return nil
}

// EachIndexed implements station.IndexTx.
func (t *tx) EachIndexed(do func(seq int64, word string)) error {
	for _, m := range t.st.words {
		for _, w := range m.Words {
			do(m.Seq, w)
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

// FindMessages implements station.IndexTx, by looking at each.
func (t *tx) FindMessages(terms []station.Term, before int64, limit int) ([]station.Message, error) {
	var list []station.Message
	for _, w := range slices.Backward(t.st.words) {
		if before > 0 && w.Seq >= before || limit > 0 && len(list) == limit {
			continue
		}
		if slices.ContainsFunc(terms, func(term station.Term) bool { return !term.Matches(w.Words) }) {
			continue
		}
		if m, ok := t.st.messages[t.st.seq[w.Seq-1]]; ok {
			list = append(list, m)
		}
	}
	return list, nil
}
