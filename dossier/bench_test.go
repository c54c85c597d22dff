package dossier

import (
	"encoding/binary"
	"fmt"
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
