package dossier

import (
	"slices"
	"testing"
	"time"

	"detente/message"
)

// owedByAll is the plain reading: what At shows as owed, each once.
func owedByAll(w Whole) (all []Duty) {
	for _, d := range w.Dossiers {
		for _, duty := range d.Duties {
			if !slices.ContainsFunc(all, duty.same) {
				all = append(all, duty)
			}
		}
	}
	return slices.DeleteFunc(all, func(d Duty) bool { return !d.Owed() })
}

// What is kept up message by message is what the whole line shows as owed, in
// whatever order messages and receipts come, asked in between or not.
// covers P10
func TestOwingIsWhatAllOwe(t *testing.T) {
	b := byHand()
	for seed := range uint64(records / 3) { // each is asked many times
		c := newChance(seed, b)
		items := c.record(40)
		l := NewLine(b)
		at := start
		check := func() {
			t.Helper()
			want, got := owedByAll(l.At(at)), l.Owing(at, endOfTime())
			if len(want) != len(got) {
				t.Fatalf("seed %d as of %v: %d owed, want %d:\n%v\n%v", seed, at, len(got), len(want), got, want)
			}
			for i, d := range got {
				j := slices.IndexFunc(want, d.same)
				if j < 0 || !want[j].Due.Equal(d.Due) || want[j].By != d.By || !want[j].Owed() {
					t.Fatalf("seed %d as of %v: %+v is not owed so", seed, at, d)
				}
				if i > 0 && d.Due.Before(got[i-1].Due) {
					t.Fatalf("seed %d: not in order", seed)
				}
			}
			mid := at.Add(time.Hour)
			if near := l.Owing(at, mid); len(near) != len(slices.DeleteFunc(want, func(d Duty) bool { return d.Due.After(mid) })) {
				t.Fatalf("seed %d: %d are near", seed, len(near))
			}
		}
		order := slices.Clone(items)
		if seed%3 == 1 {
			c.r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		for _, it := range order {
			first := it
			if c.r.IntN(3) == 0 {
				first.Received = time.Time{}
			}
			if c.r.IntN(8) == 0 {
				first = Item{Origin: it.Origin, Index: it.Index} // not opened yet
			}
			l.Put(first)
			at = later(at, it.At)
			if c.r.IntN(2) == 0 {
				check()
			}
			l.Put(it)
			if c.r.IntN(2) == 0 {
				check()
			}
		}
		at = at.Add(400 * time.Hour)
		check()
		at = at.Add(-500 * time.Hour) // a clock that was put back
		check()
	}
}

// A question costs what came since, and not the line: matters of a few messages
// each, however many of them.
func BenchmarkOwing(b *testing.B) {
	const matter, messages = 6, 20000
	book := byHand()
	c := newChance(1, book)
	items := c.record(messages)
	group := make(map[message.ID]int, messages)
	for i := range items {
		it := &items[i]
		group[it.ID] = i / matter
		it.Refs = slices.DeleteFunc(it.Refs, func(id message.ID) bool { return group[id] != i/matter })
		it.Refused, it.Disputed, it.Key, it.Policy, it.Facts.Windows, it.Facts.Blobs = nil, nil, nil, nil, nil, nil
	}
	l := fill(book, items)
	at := items[len(items)-1].At
	l.Owing(at, at)
	for i := 0; b.Loop(); i++ {
		l.Put(items[i%messages])
		at = at.Add(time.Second)
		l.Owing(at, start)
	}
}
