package station_test

import (
	"crypto/rand"
	"testing"
	"time"

	"detente/message"
	"detente/station"
)

// craft appends to the side's own log a line test whose wrapper says what the
// side likes.
func (s *side) craft(now time.Time, to *side, say func(*message.Wrapper)) int64 {
	s.t.Helper()
	var id message.ID
	if _, err := rand.Read(id[:]); err != nil {
		s.t.Fatal(err)
	}
	params, err := s.Book().Compose("010", []string{"test_no=" + now.UTC().Format(time.RFC3339), "text_id=T1", "check_groups=4F2A 91C7", "bearer=direct"})
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := message.Body{
		ID: id, Format: "010", Edition: s.Book().Hash(), Line: s.line, From: s.Name(), To: to.Name(),
		Precedence: message.Priority, Marking: message.Marking{TLP: "AMBER"}, Language: "en", Params: params,
	}.Freeze()
	if err != nil {
		s.t.Fatal(err)
	}
	w := s.last().Wrapper
	w.At, w.Receipts, w.Held, w.Approvals = now.UTC().Truncate(time.Second), nil, nil, nil
	say(&w)
	plain, err := message.Entry{Wrapper: w, Body: body}.Plain()
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(now, sealed(s.t, to, now, plain))
	return s.size(s.log()) - 1
}

// What a counterpart's station says beside its bodies is judged: neither its
// second nor what it has seen falls, and no receipt goes beyond what it has seen.
// What breaks that is stored, cosigned and answered; the entries around it count.
// covers P11 P15
func TestWrappersThatFall(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Hour)
	head := func(size int64) message.Head { return message.Head{Era: 1, Size: size} }
	for _, c := range []struct {
		name, answer string
		say          func(*message.Wrapper)
	}{
		{"in order", "", func(w *message.Wrapper) { w.Seen = head(2) }},
		{"a falling second", "time at", func(w *message.Wrapper) { w.At, w.Seen = w.At.Add(-2*time.Hour), head(2) }},
		{"a falling seen", "parameter seen", func(w *message.Wrapper) { w.Seen = head(1) }},
		{"no seen any more", "parameter seen", func(w *message.Wrapper) { w.Seen = message.Head{} }},
		{"a receipt beyond seen", "parameter receipts", func(w *message.Wrapper) {
			w.Seen, w.Receipts = head(2), []message.Listed{{Era: 1, Size: 3, At: w.At}}
		}},
		{"a receipt of an era beyond", "parameter receipts", func(w *message.Wrapper) {
			w.Seen, w.Receipts = head(2), []message.Listed{{Era: 2, Size: 1, At: w.At}}
		}},
		{"in order again", "", func(w *message.Wrapper) { w.Seen, w.Receipts = head(2), []message.Listed{{Era: 1, Size: 2, At: w.At}} }},
	} {
		index := h.craft(now, v, c.say)
		deliver(t, v, h, now)
		if got := v.size(h.log()); got != index+1 {
			t.Fatalf("%s: entry %d was not taken", c.name, index)
		}
		meet(t, now, v, h)
		if got := v.answers()[decimal(index)]; got != c.answer {
			t.Errorf("%s is answered %q, want %q", c.name, got, c.answer)
		}
	}
	if found, err := v.Doctor(ctx, op, now, false); err != nil || len(found) > 0 {
		t.Errorf("rebuilt, the judgements differ: %v %v", found, err)
	}
}

// A cosignature that the other end does not list within ten minutes, or lists
// later than it says, stands with its signatures in its holder's own next entry,
// and counts with its own second at both ends.
// covers P11
func TestHeldCosignatures(t *testing.T) {
	for _, c := range []struct {
		name string
		list func(w *message.Wrapper, size int64, given time.Time)
		held bool
	}{
		{"listed in time", func(w *message.Wrapper, size int64, given time.Time) {
			w.Receipts = []message.Listed{{Era: 1, Size: size, At: given}}
		}, false},
		{"listed later than it says", func(w *message.Wrapper, size int64, given time.Time) {
			w.Receipts = []message.Listed{{Era: 1, Size: size, At: given.Add(9 * time.Minute)}}
		}, true},
		{"a later one listed", func(w *message.Wrapper, size int64, given time.Time) {
			w.Receipts = []message.Listed{{Era: 1, Size: size + 1, At: given.Add(time.Minute)}}
		}, true},
		{"not listed", func(*message.Wrapper, int64, time.Time) {}, true},
	} {
		t.Run(c.name, func(t *testing.T) { heldCosignature(t, c.list, c.held) })
	}
}

func heldCosignature(t *testing.T, list func(w *message.Wrapper, size int64, given time.Time), held bool) {
	v, h := duo(t)
	given := start.Add(time.Hour)
	say := func(now time.Time, text string) message.ID {
		out, err := v.Say(ctx, now, station.Draft{Line: v.line, Format: "600"}, "text="+text)
		if err != nil {
			t.Fatal(err)
		}
		deliver(t, h, v, now) // the victim's log, to the other side
		return out.ID
	}
	id := say(given, "one")
	size := v.size(v.log())
	say(given.Add(time.Minute), "two")

	now := given.Add(10*time.Minute - 2*time.Second)
	h.craft(now, v, func(w *message.Wrapper) {
		w.Seen = message.Head{Era: 1, Size: size + 1}
		// What seen says counts at the wrapper's second, which is later.
		list(w, size, given)
	})
	deliver(t, v, h, now)
	say(now, "nine minutes and more later")
	if got := heldSizes(v); len(got) != 0 && got[len(got)-1] >= size {
		t.Errorf("before ten minutes the receipt at %d is held already: %v", size, got)
	}
	now = given.Add(10 * time.Minute)
	say(now, "ten minutes later")
	found := false
	for _, n := range heldSizes(v) {
		found = found || n == size
	}
	if found != held {
		t.Errorf("the receipt at %d stands in its holder's log: %v, want %v (%v)", size, found, held, heldSizes(v))
	}
	for _, e := range []*side{v, h} {
		if e == h && !held {
			continue // what it crafted stands in its log, and in none of its tables
		}
		got, err := e.ReadMessage(ctx, op, now, id)
		if err != nil || !got.Received.Equal(given) {
			t.Errorf("%s: received at %v, want %v; %v", e.Name(), got.Received, given, err)
		}
	}
}

// heldSizes lists the sizes of cosignatures that stand whole in the side's own
// log.
func heldSizes(s *side) (sizes []int64) {
	s.view(func(tx station.Tx) error {
		list, err := tx.Messages(s.log(), 0, 0)
		for _, m := range list {
			if e, err := message.ParseEntry(m.Plain); err == nil {
				for _, c := range e.Wrapper.Held {
					sizes = append(sizes, c.Size)
				}
			}
		}
		return err
	})
	return sizes
}

// A station whose store was put back takes back what it had receipted, without
// anybody writing, and has seen no less meanwhile than it said before.
// covers P1 P2 P6 P11
func TestSeenNeverFalls(t *testing.T) {
	v, h := duo(t)
	old := v.disk.Copy()
	now := start.Add(time.Minute)
	for i := range 4 {
		now = now.Add(time.Minute)
		for _, s := range []*side{h, v} {
			if _, err := s.Say(ctx, now, station.Draft{Line: v.line, Format: "600"}, "text="+decimal(int64(i))); err != nil {
				t.Fatal(err)
			}
			meet(t, now, v, h)
		}
	}
	if err := v.SaveMark(now); err != nil {
		t.Fatal(err)
	}
	v.disk.PutBack(old)
	now = now.Add(time.Minute)
	v.begin(now)
	if _, err := v.Say(ctx, now, station.Draft{Line: v.line, Format: "600"}, "text=after the restore"); err != nil {
		t.Fatal(err)
	}
	meet(t, now, v, h)
	var last message.Wrapper
	v.view(func(tx station.Tx) error {
		list, err := tx.Messages(v.log(), 0, 0)
		for _, m := range list {
			e, err := message.ParseEntry(m.Plain)
			if err != nil {
				return err
			}
			if e.Wrapper.Seen.Size < last.Seen.Size || e.Wrapper.At.Before(last.At) {
				t.Errorf("entry %d: seen %d at %v after %d at %v", m.Index, e.Wrapper.Seen.Size, e.Wrapper.At, last.Seen.Size, last.At)
			}
			last = e.Wrapper
		}
		return err
	})
	if got, all := v.size(h.log()), h.size(h.log()); got != all {
		t.Errorf("%d of the %d entries that it had receipted were taken back, and nobody had to write", got, all)
	}
	takesTrail(t, now, v)
	checkLine(t, v.line, v.End, h.End)
}
