package dossier

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

// watchDay makes the messages of a line in matters of four: an inquiry, seen,
// understood, answered.
func watchDay(from, n int) []Item {
	line := identity.Line{A: arden, B: boreal, Class: identity.Notification}
	items := make([]Item, n)
	for i := range items {
		k := from + i
		who, format := boreal, []message.Format{"210", "017", "012", "211"}[k%4]
		index := int64(k/4*3 + k%4 - 1)
		if k%4 == 0 {
			who, index = arden, int64(k/4)
		}
		at := start.Add(time.Duration(k) * time.Minute)
		it := Item{Origin: line.Log(who, 1), Index: index, Format: format, Precedence: message.Immediate, At: at, Received: at, State: "UND"}
		binary.BigEndian.PutUint64(it.ID[:], uint64(k)+1)
		if k%4 != 0 {
			var ref message.ID
			binary.BigEndian.PutUint64(ref[:], uint64(k/4*4)+1)
			it.Refs = []message.ID{ref}
		}
		items[i] = it
	}
	return items
}

// BenchmarkFold measures what one more message costs, its dossier folded anew,
// beside records of different lengths. It has to be flat.
func BenchmarkFold(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			if n > 100_000 && testing.Short() {
				b.Skip("a long record")
			}
			l := fill(byHand(), watchDay(0, n))
			more := watchDay(n, b.N)
			at := start.Add(time.Duration(n+b.N) * time.Minute)
			runtime.GC() // what was made before is no cost of a message
			b.ReportAllocs()
			b.ResetTimer()
			for _, it := range more {
				l.Put(it)
				if d, ok := l.Dossier(it.ID, at); !ok || len(d.Duties) == 0 {
					b.Fatalf("message %s is not folded", it.ID)
				}
			}
		})
	}
}

// Folding one more message does the same work beside a long record as beside a
// short one: as many allocations, which no other load on the machine changes.
func TestCostIsFlat(t *testing.T) {
	work := func(n int) float64 {
		const runs = 200
		l := fill(byHand(), watchDay(0, n))
		more := watchDay(n, runs+1)
		at := start.Add(time.Duration(n+len(more)) * time.Minute)
		return testing.AllocsPerRun(runs, func() {
			l.Put(more[0])
			if _, ok := l.Dossier(more[0].ID, at); !ok {
				t.Fatal("a message is not folded")
			}
			more = more[1:]
		})
	}
	short, long := work(400), work(40_000)
	if short == 0 || long > 1.1*short {
		t.Errorf("%v allocations a message beside 400 entries, %v beside 40,000", short, long)
	}
}
