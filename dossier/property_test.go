package dossier

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
)

// chance makes a record of two honest or careless writers from a source: every
// format, references to anything, receipts early, late and missing.
type chance struct {
	r     *rand.Rand
	forms []Form
	items []Item
	size  map[identity.Station]int64
	last  map[identity.Station]time.Time
}

func newChance(seed uint64, b Book) *chance {
	return &chance{
		r: rand.New(rand.NewPCG(seed, 1)), forms: b.Forms(),
		size: make(map[identity.Station]int64), last: make(map[identity.Station]time.Time),
	}
}

func (c *chance) pick(of ...string) string { return of[c.r.IntN(len(of))] }

// say adds a message at a second.
func (c *chance) say(n int, at time.Time) {
	line := identity.Line{A: arden, B: boreal, Class: identity.Notification}
	who := []identity.Station{arden, boreal}[c.r.IntN(2)]
	form := c.forms[c.r.IntN(len(c.forms))]
	it := Item{
		Origin: line.Log(who, 1), Index: c.size[who], Format: form.Format, Precedence: message.Precedence(1 + c.r.IntN(4)), At: at,
		Seen: Seen{1, c.r.Int64N(c.size[line.Other(who)] + 1)}, Provisional: c.r.IntN(20) == 0,
	}
	if c.r.IntN(40) == 0 {
		it.Format = "999"
	}
	sum := identity.Sum(fmt.Appendf(nil, "message %d", n))
	copy(it.ID[:], sum[:])
	c.size[who]++
	it.Received = at.Add(time.Duration(c.r.IntN(3)*c.r.IntN(3)*600) * time.Second)
	it.Received = later(it.Received, c.last[who])
	c.last[who] = it.Received
	for range c.r.IntN(3) {
		if len(c.items) > 0 {
			back := min(len(c.items), 12)
			if ref := c.items[len(c.items)-1-c.r.IntN(back)].ID; !slices.Contains(it.Refs, ref) {
				it.Refs = append(it.Refs, ref)
			}
		}
	}
	c.params(&it, at)
	c.items = append(c.items, it)
}

func (c *chance) params(it *Item, at time.Time) {
	hours := func() time.Time { return at.Add(time.Duration(c.r.IntN(300)) * time.Hour) }
	it.Facts.Words = map[string]string{
		"answer": c.pick("looking", "not-ours", "will-stop", "stopped"), "status": c.pick("closed", "suspected"), "change": c.pick("cancel", "shift", "new", "withdrawn", "run-off", "certified"),
		"kind": c.pick("recall", "correct", "repeat", "explain"), "step": c.pick("ping", "answer", "joint", "accept", "own", "propose", "consent", "declare", "withdraw"), "state": c.pick("held", "in-service", "start", "end", "no-play", "done"),
		"ask": c.pick("none", "check"), "decision": c.pick("other-time", "yes", "accept", "same-words", "with-reservation", "counter", "decline"), "hash": identity.Sum([]byte(c.pick("a", "b", "c"))).String(),
	}
	for name, of := range map[string][]string{
		"position": {"draft", "agree", "differ", "sign", "not-yet"}, "text": {"a", "b"}, "digest": {"a", "b"}, "effect": {"withdrawn", "not-renewed"},
		"scope": {"one-vote", "year"}, "extent": {"whole", "part"}, "entry": {"on-receipt", "on-date", "on-completion"},
	} {
		it.Facts.Words[name] = of[(it.Index+int64(len(c.items)))%int64(len(of))] // by no order of a map
	}
	put(&it.Facts.Lists, "undertakings", []string{c.pick("U1", "U2"), c.pick("U2", "U3")})
	put(&it.Facts.Records, "steps", []Record{
		{"step": c.pick("done", "own"), "owner": string(arden), "due": stamp(hours())}, {"step": "joint", "owner": string(boreal), "due": stamp(hours())},
	})
	it.Facts.Times = map[string]time.Time{"from": hours(), "ends": hours(), "until": hours(), "entry_date": hours(), "due": hours(), "at": hours(), "next_update": hours(), "effective": hours()}
	it.Facts.Counts = map[string]int64{"effect": c.r.Int64N(6)}
	from := hours()
	it.Facts.Windows = map[string]Window{"window": {from, from.Add(time.Duration(c.r.IntN(50)) * time.Hour)}}
	if c.r.IntN(2) == 0 {
		it.Facts.Windows["core"] = Window{from.Add(time.Hour), from.Add(20 * time.Hour)}
	}
	it.Facts.Assets = []string{c.pick("domain:a.example", "domain:b.a.example", "prefix:192.0.2.0/24", "prefix:192.0.2.0/28")}
	if c.r.IntN(6) == 0 {
		it.Facts.Blobs = []identity.Digest{identity.Sum([]byte(c.pick("a", "b", "c")))}
	}
	it.Facts.Words["urgency"], it.Facts.Words["outcome"] = c.pick("ordinary", "urgent", "election-core"), c.pick("settled", "withdrawn", "maintained")
	it.Facts.Words["position"] = c.pick("rejects", "examines")
	if slices.Contains([]message.Format{"036", "260"}, it.Format) {
		it.Facts.Words["step"] = c.pick("proposed", "accepted", "withdrawn", "notice", "answer")
	}
	it.Facts.Lists = map[string][]string{"states": {"XA", c.pick("XB", "XC")}, "serials": {"ARD/BOR-N1-1"}}
	it.Facts.Words["state"] = c.pick("XB", "held", "in-service")
	record := func() Record {
		return Record{"fact": c.pick("1", "2", "3", "x"), "answer": c.pick("accepted", "partly", "not-ours", "referred"), "outcome": c.pick("agreed", "dropped"), "ask": "evidence", "item": c.pick("ARD/BOR-N1-1", "BOR/ARD-N1-1"), "code": "consent"}
	}
	it.Facts.Records = map[string][]Record{"facts": {record(), record()}, "questions": {record()}, "answers": {record()}}
	it.State, it.Decision = c.pick("UND", "NUN", "COR"), c.pick("confirm", "withdraw")
	if len(c.items) == 0 {
		return
	}
	about := c.items[c.r.IntN(len(c.items))]
	p := about.Place()
	switch it.Format {
	case "002":
		if about.Origin.Writer != it.Origin.Writer {
			it.Refused = &Refused{p.Origin.Era, p.Index, c.pick(unreadable, "parameter", otherEdition)}
		}
	case "004":
		it.Disputed = &p
	case "005":
		it.Policy = &message.Policy{Rules: []message.Rule{{Alone: true, ConfirmWithin: time.Hour}}}
	case "600":
		if about.Origin.Writer == it.Origin.Writer && c.r.IntN(3) == 0 {
			it.Key = &p
		}
	}
}

// record makes a record of n messages, the last few of each log unreceipted.
func (c *chance) record(n int) []Item {
	at := start
	for i := range n {
		at = at.Add(time.Duration(c.r.IntN(7200)) * time.Second)
		c.say(i, at)
	}
	for _, w := range []identity.Station{arden, boreal} {
		for i := range c.items {
			if it := &c.items[i]; it.Origin.Writer == w && it.Index >= c.size[w]-2 {
				it.Received = time.Time{}
			}
		}
	}
	return c.items
}

func fill(b Book, items []Item) *Line {
	l := NewLine(b)
	for _, it := range items {
		l.Put(it)
	}
	return l
}

const records = 150

// In whatever order messages come, with or without their receipts at first, and
// asked in between or not, a line says byte for byte what one says that had them
// all at once; and the checker finds nothing.
// covers P10
func TestAnyOrderOfArrival(t *testing.T) {
	b := byHand()
	for seed := range uint64(records) {
		c := newChance(seed, b)
		items := c.record(40)
		end := c.items[len(items)-1].At.Add(time.Duration(c.r.IntN(500)) * time.Hour)
		want := fill(b, items).At(end)
		if err := Check(want); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(want.Dossiers) == 0 {
			t.Fatalf("seed %d: nothing was folded", seed)
		}
		l := NewLine(b)
		for _, i := range c.r.Perm(len(items)) {
			early := items[i]
			if c.r.IntN(2) == 0 {
				early.Received = time.Time{}
				l.Put(early)
			}
			l.Dossier(early.ID, end)
		}
		for _, i := range c.r.Perm(len(items)) {
			l.Put(items[i])
			if d, ok := l.Dossier(items[i].ID, end); ok && d.Last.After(end) {
				t.Errorf("seed %d: it knows what came after %v", seed, end)
			}
		}
		got := l.At(end)
		if got.Digest() != want.Digest() {
			t.Fatalf("seed %d: the order of arrival changed the state:\n%s\n%s", seed, got.JSON(), want.JSON())
		}
		if l.Messages().Digest() != Fold(items, b).Digest() {
			t.Fatalf("seed %d: the order of arrival changed how far messages have come", seed)
		}
	}
}

// Each dossier asked for by itself is the one among all; every message that was
// received is in one; and one matter may be folded from its own messages alone.
// covers P10
func TestOneDossierIsTheOneAmongAll(t *testing.T) {
	b := byHand()
	for seed := range uint64(records) {
		c := newChance(seed, b)
		items := c.record(40)
		end := items[len(items)-1].At.Add(24 * time.Hour)
		l := fill(b, items)
		w := l.At(end)
		if err := Check(w); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		in := make(map[message.ID]bool)
		for _, d := range w.Dossiers {
			one, ok := l.Dossier(d.ID, end)
			if !ok || string(one.JSON()) != string(d.JSON()) {
				t.Fatalf("seed %d: dossier %s is another one by itself:\n%s\n%s", seed, d.ID, one.JSON(), d.JSON())
			}
			alone := NewLine(b)
			for _, e := range d.Timeline {
				in[e.Message] = true
				alone.Put(l.items[e.Place])
			}
			for _, it := range items {
				if it.Refused != nil || it.Disputed != nil || it.Key != nil || it.Policy != nil || it.Format == "003" {
					alone.Put(it)
				}
			}
			few, _ := alone.Dossier(d.ID, end)
			few.Links, few.Conflicts, few.Ladder, d.Links, d.Conflicts, d.Ladder = nil, nil, Ladder{}, nil, nil, Ladder{}
			if string(few.JSON()) != string(d.JSON()) {
				t.Fatalf("seed %d: dossier %s is another one from its own messages alone:\n%s\n%s", seed, d.ID, few.JSON(), d.JSON())
			}
		}
		for _, it := range items {
			if _, ok := l.get(it.ID, end); ok && !in[it.ID] {
				t.Errorf("seed %d: message %s is lost", seed, it.ID)
			}
		}
	}
}

// As of a second in the past a line says what it said then: nothing that was
// received later shines through, but refusals, which hold from the receipt of
// what they refuse.
// covers P10
func TestAsOfThePast(t *testing.T) {
	b := byHand()
	for seed := range uint64(records) {
		c := newChance(seed, b)
		items := slices.DeleteFunc(c.record(40), func(it Item) bool { return it.Refused != nil })
		at := items[c.r.IntN(len(items))].At
		then := slices.DeleteFunc(slices.Clone(items), func(it Item) bool { return it.Received.IsZero() || it.Received.After(at) })
		now, past := fill(b, items).At(at), fill(b, then).At(at)
		if err := Check(now); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if now.Digest() != past.Digest() {
			t.Fatalf("seed %d: as of %v it says\n%s\nand said\n%s", seed, at, now.JSON(), past.JSON())
		}
	}
}

// The quick order is the plain reading of the rule.
// covers P10
func TestOrder(t *testing.T) {
	for seed := range uint64(records) {
		c := newChance(seed, byHand())
		items := slices.DeleteFunc(c.record(30), func(it Item) bool { return it.Received.IsZero() })
		c.r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		want := plainOrder(items)
		for i, it := range order(items) {
			if it.ID != want[i] {
				t.Fatalf("seed %d: message %d is %s, and should be %s", seed, i, it.ID, want[i])
			}
		}
	}
}

// plainOrder takes, again and again, the earliest of those whose causes are
// taken.
func plainOrder(items []Item) (ids []message.ID) {
	for left := slices.Clone(items); len(left) > 0; {
		best := -1
		for i, it := range left {
			free := !slices.ContainsFunc(left, func(o Item) bool {
				return o.Origin == it.Origin && o.Index < it.Index || o.Origin.Writer != it.Origin.Writer && o.Index < it.Seen.Size
			})
			if free && (best < 0 || sooner(it, left[best])) {
				best = i
			}
		}
		ids = append(ids, left[best].ID)
		left = slices.Delete(left, best, best+1)
	}
	return ids
}
