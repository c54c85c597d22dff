package dossier

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

// plainWhole folds every dossier of a line that was never asked before.
func plainWhole(b Book, items map[Place]Item, at time.Time) Whole {
	l := NewLine(b)
	for _, it := range items {
		l.Put(it)
	}
	w := Whole{At: at}
	for _, head := range l.allHeads(at) {
		w.Dossiers = append(w.Dossiers, l.fold(head, at).view())
	}
	for p, it := range l.items {
		if it.Received.IsZero() && it.ID != (message.ID{}) {
			w.Unlisted = append(w.Unlisted, l.waiting(it, at))
		} else if _, ok := l.listed(p, at); ok && l.hidden(p, at) {
			r, _ := l.refusal(p)
			w.Unreadable = append(w.Unreadable, Sealed{p, it.Received, r.ID})
		}
	}
	slices.SortFunc(w.Unlisted, func(a, b Waiting) int { return byPlace(a.Place, b.Place) })
	slices.SortFunc(w.Unreadable, func(a, b Sealed) int { return byPlace(a.Place, b.Place) })
	return w
}

// plot makes a record harder than chance does: references in circles, to what
// comes later, and one id in several entries.
func (c *chance) plot() {
	for i := range c.items {
		if it := &c.items[i]; c.r.IntN(8) == 0 {
			it.Refs = append(slices.Clip(it.Refs), c.items[c.r.IntN(len(c.items))].ID)
		}
		if c.r.IntN(40) == 0 {
			c.items[i].ID = c.items[c.r.IntN(len(c.items))].ID
		}
	}
}

// A line that was asked again and again, as of seconds forward and back, while
// messages and receipts came in any order, says each time what one says that is
// folded whole for the first time.
// covers P10
func TestKeptIsThePlainWhole(t *testing.T) {
	b := byHand()
	asked, differed := 0, 0
	for seed := range uint64(records) {
		c := newChance(seed+7000, b)
		items := c.record(40)
		if seed%2 == 0 {
			c.plot()
		}
		end := items[len(items)-1].At.Add(time.Duration(c.r.IntN(900)) * time.Hour)
		seconds := []time.Time{start, end, end.Add(time.Second)}
		for _, it := range items {
			seconds = append(seconds, it.At, it.Received.Add(-time.Second), it.Received)
		}
		for _, d := range plainWhole(b, byPlaces(items), end).Dossiers {
			for _, duty := range d.Duties {
				seconds = append(seconds, duty.Due, duty.Due.Add(time.Second))
			}
		}
		l := NewLine(b)
		has := make(map[Place]Item)
		var before identity.Digest
		for n, i := range append(c.r.Perm(len(items)), c.r.Perm(len(items))...) {
			it := items[i]
			if n < len(items) && c.r.IntN(2) == 0 {
				it.Received = time.Time{}
			}
			l.Put(it)
			has[it.Place()] = it
			if c.r.IntN(3) > 0 {
				continue
			}
			at := end
			if c.r.IntN(3) == 0 {
				at = seconds[c.r.IntN(len(seconds))]
			}
			got, want := l.At(at), plainWhole(b, has, at.UTC().Truncate(time.Second))
			if g, w := fmt.Sprintf("%s %+v %+v", got.JSON(), got.Unlisted, got.Unreadable), fmt.Sprintf("%s %+v %+v", want.JSON(), want.Unlisted, want.Unreadable); g != w {
				t.Fatalf("seed %d, after %d, as of %s: it says\n%s\nand should say\n%s", seed, n, at, g, w)
			}
			if asked++; got.Digest() != before {
				differed++
			}
			before = got.Digest()
		}
		checkKeep(t, l)
	}
	if asked < records || differed < asked/2 {
		t.Errorf("%d questions, of which %d had another answer than the one before: nothing was tried", asked, differed)
	}
}

func byPlaces(items []Item) map[Place]Item {
	m := make(map[Place]Item)
	for _, it := range items {
		m[it.Place()] = it
	}
	return m
}

// checkKeep looks at what is held beside the items.
func checkKeep(t *testing.T, l *Line) {
	t.Helper()
	noted, live := 0, 0
	for _, list := range l.keep.lookers {
		noted += len(list)
		for _, d := range list {
			if !d.gone {
				live++
			}
		}
	}
	if noted != l.keep.noted || live != l.keep.live {
		t.Errorf("%d notes are counted as %d, %d of them live as %d", noted, l.keep.noted, live, l.keep.live)
	}
	if l.trace != nil {
		t.Error("a trace is left")
	}
}

// One more message costs the same fold beside a long record as beside a short
// one when all matters are listed, and what is noted of those that are gone is
// swept up.
func TestListingFoldsWhatChanged(t *testing.T) {
	for _, n := range []int{400, 8_000} {
		l := fill(byHand(), watchDay(0, n))
		at := start.Add(time.Duration(n+400) * time.Minute)
		if w := l.At(at); len(w.Dossiers) != n/4 {
			t.Fatalf("%d dossiers", len(w.Dossiers))
		}
		notes := l.keep.live
		for _, it := range watchDay(n, 100) {
			l.Put(it)
			was := make(map[*kept]bool)
			for _, d := range l.keep.list {
				was[d] = true
			}
			w := l.At(at)
			folded := 0
			for _, d := range l.keep.list {
				if !was[d] {
					folded++
				}
			}
			if folded != 1 {
				t.Fatalf("beside %d messages %d dossiers were folded for one message, of %d", n, folded, len(w.Dossiers))
			}
		}
		if most := 2*(notes*(n+100)/n) + maxGoneNotes + n; l.keep.noted > 2*most {
			t.Errorf("beside %d messages %d notes are held, where %d were at first", n, l.keep.noted, notes)
		}
		checkKeep(t, l)
	}
}
