package dossier

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

// The two sides say the same, though the reader of an entry that it cannot open
// knows its place and receipt alone.
// covers P10
func TestBothSides(t *testing.T) {
	b := byHand()
	sealed := 0
	for seed := range uint64(records) {
		c := newChance(seed, b)
		items := c.record(60)
		end := items[len(items)-1].At.Add(time.Duration(c.r.IntN(100)) * time.Hour)
		author := fill(b, items)
		reader := NewLine(b)
		for _, it := range items {
			if author.hidden(it.Place(), endOfTime()) {
				sealed++
				it = Item{Origin: it.Origin, Index: it.Index, Received: it.Received}
			}
			reader.Put(it)
		}
		ours, theirs := author.At(end), reader.At(end)
		if err := Check(theirs); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if ours.Digest() != theirs.Digest() {
			t.Fatalf("seed %d: as of %v the two sides differ:\n%s\n%s", seed, end, ours.JSON(), theirs.JSON())
		}
		if a, b := author.Messages().Digest(), reader.Messages().Digest(); a != b {
			t.Fatalf("seed %d: the two sides differ in how far messages have come", seed)
		}
	}
	if sealed == 0 {
		t.Error("no entry was sealed to its reader")
	}
}

// wild makes items of bytes that no honest station writes: references in
// circles and to what is not there, doubled ids and places, claims to have seen
// what is not written, windows that end before they begin, seconds out of order.
func wild(data []byte, forms []Form) (items []Item) {
	next := func() int64 {
		if len(data) == 0 {
			return 0
		}
		n := data[0]
		data = data[1:]
		return int64(n)
	}
	id := func() (id message.ID) { id[0] = byte(next() % 16); return id }
	second := func() time.Time { return start.Add(time.Duration(next()*next()) * 1000 * time.Second) }
	line := identity.Line{A: arden, B: boreal, Class: identity.Notification}
	place := func() *Place {
		return &Place{line.Log([]identity.Station{arden, boreal}[next()%2], identity.Era(next()%3)), next() % 16}
	}
	const most = 40
	for len(data) > 0 && len(items) < most {
		p := place()
		it := Item{
			Origin: p.Origin, Index: p.Index, ID: id(), Precedence: message.Precedence(next() % 6), At: second(), Received: second(),
			Seen: Seen{identity.Era(next() % 3), next() % 20}, Refs: []message.ID{id(), id()}, Provisional: next()%4 == 0,
		}
		if n := int(next()); n < len(forms) {
			it.Format = forms[n].Format
		}
		it.Facts.Words = map[string]string{"answer": "looking", "status": "closed", "change": "cancel", "kind": "recall", "at": "", "hash": identity.Digest{}.String()}
		it.Facts.Times = map[string]time.Time{"due": second(), "at": second(), "next_update": second()}
		it.Facts.Windows = map[string]Window{"window": {second(), second()}}
		it.Facts.Counts = map[string]int64{"effect": next() - 100}
		it.Facts.Blobs = make([]identity.Digest, next()%3)
		it.State, it.Decision = []string{"UND", ""}[next()%2], []string{"withdraw", "confirm"}[next()%2]
		switch next() % 8 {
		case 0:
			q := place()
			it.Refused = &Refused{q.Origin.Era, q.Index, []string{unreadable, "parameter", otherEdition}[next()%3]}
		case 1:
			it.Disputed = place()
		case 2:
			it.Key = place()
		case 3:
			it.Policy = &message.Policy{Rules: []message.Rule{{Alone: true, ConfirmWithin: time.Hour}}}
		case 4:
			it.Received = time.Time{}
		case 5:
			it.ID = message.ID{}
		}
		items = append(items, it)
	}
	return items
}

// FuzzFold holds that no record makes the fold panic, contradict itself or
// depend on the order of arrival.
// covers P10, P14
func FuzzFold(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 7))
	for n := range 60 {
		seed := make([]byte, 40*(n+1))
		for i := range seed {
			seed[i] = byte(r.IntN(256))
		}
		f.Add(seed)
	}
	b := byHand()
	f.Fuzz(func(t *testing.T, data []byte) {
		items := wild(data, b.Forms())
		var places []Place
		items = slices.DeleteFunc(items, func(it Item) bool { // an entry says one thing
			again := slices.Contains(places, it.Place())
			places = append(places, it.Place())
			return again
		})
		for _, at := range []time.Time{start, start.Add(1000 * time.Hour), start.Add(50000 * time.Hour)} {
			w := fill(b, items).At(at)
			if err := Check(w); err != nil {
				t.Fatal(err)
			}
			turned := slices.Clone(items)
			slices.Reverse(turned)
			if v := fill(b, turned).At(at); w.Digest() != v.Digest() {
				t.Fatalf("the order of arrival changed the state:\n%s\n%s", w.JSON(), v.JSON())
			}
		}
	})
}
