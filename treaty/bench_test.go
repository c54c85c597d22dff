package treaty

import (
	"fmt"
	"testing"
	"time"

	"detente/message"
)

// BenchmarkPut takes messages one after another, each of which makes duties arise.
func BenchmarkPut(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("open=%d", n), func(b *testing.B) {
			s := filled(b, n)
			b.ResetTimer()
			for i := range b.N {
				e := s.all[i%len(s.all)]
				e.Place.Index, e.ID, e.Received = int64(n+i), idOf(n+i+1), s.now.Add(time.Duration(i)*time.Second)
				s.l.Put(e)
			}
		})
	}
}

// BenchmarkAt asks what is owed while many obligations are open.
func BenchmarkAt(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprintf("open=%d", n), func(b *testing.B) {
			s := filled(b, n)
			for b.Loop() {
				if len(s.l.At(s.now).Owed(boreal)) < n {
					b.Fatal("too few are owed")
				}
			}
		})
	}
}

func filled(b *testing.B, n int) *stage {
	s := play(b, model(b))
	for range n {
		s.says(arden, "210", message.Routine, `{"kind":"scan"}`)
		s.later(time.Second)
	}
	s.l.At(s.now)
	return s
}
