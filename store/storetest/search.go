package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"detente/message"
	"detente/station"
)

// putIndexed puts messages of which each has words.
func putIndexed(tx station.Tx, words ...[]string) error {
	state, err := tx.IndexState()
	if err != nil {
		return err
	}
	entries := make([][]byte, len(words))
	for i := range words {
		entries[i] = []byte{byte(i)}
	}
	if err := tx.PutEntries(origin, 0, entries); err != nil {
		return err
	}
	for i := range words {
		m := station.Message{Origin: origin, Index: int64(i), ID: message.ID{1, byte(i >> 8), byte(i)}, Format: "600", Precedence: message.Routine, At: at}
		if err := tx.PutMessage(m); err != nil {
			return err
		}
	}
	some, err := tx.MessagesAfter(state.To, 0)
	if err != nil {
		return err
	}
	list := make([]station.Indexed, len(some))
	for i, m := range some {
		list[i] = station.Indexed{Seq: m.Seq, Words: words[m.Index]}
	}
	return tx.PutIndexed(list)
}

// found lists the indexes of messages that have words for terms.
func found(tx station.Tx, before int64, limit int, terms ...station.Term) (string, int64) {
	list, err := tx.FindMessages(terms, before, limit)
	out, last := []int64{}, int64(0)
	for _, m := range list {
		out, last = append(out, m.Index), m.Seq
	}
	return show(out, err), last
}

// counted counts the messages after the oldest of four.
func counted(t *testing.T, tx station.Tx, oldest int64) {
	t.Helper()
	for _, c := range []struct {
		what  string
		after int64
		limit int
		want  string
	}{{"beyond the oldest", oldest, 10, "3 <nil>"}, {"no more are counted than asked", 0, 3, "3 <nil>"}, {"beyond all", 1 << 40, 3, "0 <nil>"}} {
		some, err := tx.CountAfter(c.after, c.limit)
		expect(t, c.what, show(some, err), c.want)
	}
}

func search(t *testing.T, s station.Store) {
	begins := func(text string) station.Term { return station.Term{Text: text} }
	whole := func(text string) station.Term { return station.Term{Text: text, Whole: true} }
	update(t, s, func(tx station.Tx) error {
		state, err := tx.IndexState()
		expect(t, "at first", show(state, err), show(station.IndexState{}, nil))
		return putIndexed(tx, []string{"192.0.2.0/24", "grid", "网", "网络"}, []string{"gridlock", "не", "сеть"}, []string{"and", "grid", "not", "\ue000tlp:amber+strict"}, []string{})
	})
	update(t, s, func(tx station.Tx) error {
		for _, c := range []struct {
			want  string
			terms []station.Term
		}{
			{"[2 1 0] <nil>", []station.Term{begins("grid")}},
			{"[2 0] <nil>", []station.Term{whole("grid")}},
			{"[0] <nil>", []station.Term{begins("grid"), begins("192.0.2")}},
			{"[] <nil>", []station.Term{whole("192.0.2")}},
			{"[0] <nil>", []station.Term{whole("网络")}},
			{"[1] <nil>", []station.Term{begins("сет")}},
			{"[2] <nil>", []station.Term{whole("and"), whole("not")}}, // words, and no operators
			{"[2] <nil>", []station.Term{whole("\ue000tlp:amber+strict")}},
			{"[] <nil>", []station.Term{begins(`"`)}},
			{"[] <nil>", []station.Term{begins("grid"), begins("absent")}},
		} {
			got, _ := found(tx, 0, 0, c.terms...)
			expect(t, show(c.terms), got, c.want)
		}
		var words []string
		err := tx.EachIndexed(func(seq int64, word string) { words = append(words, show(seq, word)) })
		slices.Sort(words)
		expect(t, "word by word", show(len(words), words[0], words[len(words)-1], err), show(11, show(1, "192.0.2.0/24"), show(3, "\ue000tlp:amber+strict"), nil))
		first, seq := found(tx, 0, 1, begins("grid"))
		expect(t, "a page", first, "[2] <nil>")
		next, _ := found(tx, seq, 1, begins("grid"))
		expect(t, "the next", next, "[1] <nil>")
		after, err := tx.MessagesAfter(0, 2)
		expect(t, "the oldest", show(len(after), after[0].Index, after[1].Index, err), "2 0 1 <nil>")
		counted(t, tx, after[0].Seq)
		state, err := tx.IndexState()
		expect(t, "indexed", show(state.To == seq+1 || state.To > 0, err), "true <nil>")
		return readAnew(t, tx)
	})
	// What a failed transaction indexed is not there, and a reader cannot index.
	if err := s.Update(context.Background(), func(tx station.Tx) error { return errors.Join(tx.DropMessages(line), errAny) }); !errors.Is(err, errAny) {
		t.Errorf("the failure came back as %v", err)
	}
	err := s.View(context.Background(), func(tx station.Tx) error {
		got, _ := found(tx, 0, 0, begins("grid"))
		expect(t, "after a failed drop", got, "[2 1 0] <nil>")
		if tx.PutIndexed([]station.Indexed{{Seq: 99, Words: []string{"x"}}}) == nil {
			t.Error("a view indexes")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	update(t, s, func(tx station.Tx) error {
		if err := tx.DropMessages(line); err != nil {
			return err
		}
		state, err := tx.IndexState()
		expect(t, "dropped", show(state, err), show(station.IndexState{Generation: 1}, nil))
		got, _ := found(tx, 0, 0, begins("grid"))
		expect(t, "after a drop", got, "[] <nil>")
		return nil
	})
}

// letters make words that are alike, so that beginnings and wholes differ.
var letters = []string{"a", "b", "ab", "网", "络", "ق", "ж", ".", "/", "0", "-"}

// SameFound demands that two stores find the same by the same terms: random
// words, many of which begin alike, from one seed.
func SameFound(t *testing.T, seed uint64, a, b station.Store) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the seed makes a run repeatable
	word := func() string {
		w := ""
		for range 1 + r.IntN(5) {
			w += letters[r.IntN(len(letters))]
		}
		return w
	}
	words := make([][]string, 60)
	for i := range words {
		for range r.IntN(8) {
			words[i] = append(words[i], word())
		}
		slices.Sort(words[i])
		words[i] = slices.Compact(words[i])
	}
	for _, s := range []station.Store{a, b} {
		update(t, s, func(tx station.Tx) error { return putIndexed(tx, words...) })
	}
	for range 100 {
		terms := make([]station.Term, 1+r.IntN(3))
		for i := range terms {
			terms[i] = station.Term{Text: word(), Whole: r.IntN(2) == 0}
		}
		limit, before := r.IntN(6), int64(r.IntN(70))
		var said [2]string
		for i, s := range []station.Store{a, b} {
			err := s.View(context.Background(), func(tx station.Tx) error {
				said[i], _ = found(tx, before, limit, terms...)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if said[0] != said[1] {
			t.Fatalf("seed %d: %v before %d, limit %d: %s, and %s", seed, terms, before, limit, said[0], said[1])
		}
	}
}

// readAnew tries that the words of a message are put in the place of others.
func readAnew(t *testing.T, tx station.Tx) error {
	word := func(text string) station.Term { return station.Term{Text: text, Whole: true} }
	closed, opened := station.Indexed{Seq: 2, Words: []string{"gridlock", "не", "сеть"}}, station.Indexed{Seq: 2, Words: []string{"gridiron", "не"}}
	for _, turn := range []struct {
		from, to station.Indexed
		want     string
	}{{closed, opened, "[] <nil> [1] <nil> [] <nil>"}, {opened, closed, "[1] <nil> [] <nil> [1] <nil>"}} {
		if err := tx.Reindex(turn.from, turn.to); err != nil {
			return err
		}
		lock, _ := found(tx, 0, 0, word("gridlock"))
		iron, _ := found(tx, 0, 0, word("gridiron"))
		net, _ := found(tx, 0, 0, word("сеть"))
		expect(t, "read anew", lock+" "+iron+" "+net, turn.want)
	}
	return nil
}
