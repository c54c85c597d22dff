package treaty

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/internal/decodertest"
	"detente/message"
)

func list(n int) (out []Protected) {
	for i := range n {
		out = append(out, Protected{fmt.Sprintf("domain:rolls-%d.arden.example", i), identity.Sum(fmt.Append(nil, "salt", i))})
	}
	return out
}

// Each asset of a list is proven to be on it, by a proof that names no other one;
// what is not on it has none, and a proof of another list, root or asset fails.
func TestProtected(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 64, 100} {
		l := list(n)
		c, err := Commit(l)
		if err != nil {
			t.Fatal(err)
		}
		for i, one := range l {
			p, err := Prove(l, one.Asset)
			if err != nil || c.Verify(p) != nil {
				t.Fatalf("%d of %d: %v %v", i, n, err, c.Verify(p))
			}
			text, err := p.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Count(text, []byte("rolls-")) != 1 {
				t.Errorf("the proof names more than its asset: %s", text)
			}
			for j, other := range l {
				if i != j && (bytes.Contains(text, []byte(other.Salt.String())) || bytes.Contains(text, []byte(identity.Sum(other.leaf()).String()))) {
					t.Errorf("the proof shows a salt or an unsalted hash of another asset")
				}
			}
			again, err := ParseListProof(text)
			if err != nil || c.Verify(again) != nil {
				t.Errorf("read back: %v", err)
			}
			p.Asset += "x"
			if c.Verify(p) == nil {
				t.Error("another asset is proven")
			}
			q := again
			q.Count++
			if c.Verify(q) == nil || (Commitment{identity.Sum(nil), c.Count}).Verify(again) == nil {
				t.Error("another list is proven")
			}
		}
		if _, err := Prove(l, "domain:elsewhere.example"); !errors.Is(err, ErrList) {
			t.Errorf("what is not on it: %v", err)
		}
		l[0], l[n-1] = l[n-1], l[0]
		if d, err := Commit(l); err != nil || d != c {
			t.Error("the order of the list counts")
		}
	}
	twice := list(2)
	twice[1].Salt = twice[0].Salt
	for _, bad := range [][]Protected{nil, twice, append(list(1), list(1)...), {{"domain:a.example", identity.Digest{}}}} {
		if _, err := Commit(bad); !errors.Is(err, ErrList) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func FuzzParseListProof(f *testing.F) {
	p, err := Prove(list(5), list(5)[2].Asset)
	if err != nil {
		f.Fatal(err)
	}
	good, err := p.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	c, err := Commit(list(5))
	if err != nil {
		f.Fatal(err)
	}
	read := func(b []byte) error { _, err := ParseListProof(b); return err }
	decodertest.Seeds(f, read, [][]byte{good}, [][]byte{nil, []byte("{}"), good[:40], bytes.Replace(good, []byte(`"count":5`), []byte(`"count":-5`), 1), make([]byte, MaxProof+1)})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := ParseListProof(b)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if c.Verify(q) == nil && q.Asset != p.Asset {
			on := false
			for _, x := range list(5) {
				on = on || x.Asset == q.Asset
			}
			if !on {
				t.Fatalf("%s is proven and on no list", q.Asset)
			}
		}
	})
}

func note(by identity.Party, n message.Format, received time.Time, facts Facts) Event {
	return Event{By: by, Format: n, Received: received, Facts: facts}
}

// Only what both notes name in words of one hash is in force, from the receipt of
// the second; until both can know it the exchange is under way, and that interval
// is shown. By a depositary there is none. covers P12
func TestGuarantee(t *testing.T) {
	offer := note(arden, "300", begin, Facts{"undertakings": []any{"U1", "U2", "U5"}, "text": "aa", "entry": "on-receipt"})
	reply := note(boreal, "301", begin.Add(48*hour), Facts{"undertakings": []any{"U2", "U5", "U9"}, "text": "aa", "decision": "with-reservation", "reservations": []any{"within our constitution"}})
	x := Exchange{Second: reply.Received, Known: begin.Add(50 * hour)}
	at := func(h int) Guarantee { return FoldGuarantee(offer, &reply, x, nil, begin.Add(time.Duration(h)*hour)) }
	for _, c := range []struct {
		hours int
		want  GuaranteeState
	}{{0, GuaranteeOffered}, {47, GuaranteeOffered}, {48, GuaranteeUnderWay}, {49, GuaranteeUnderWay}, {50, GuaranteeInForce}} {
		if g := at(c.hours); g.State != c.want {
			t.Errorf("after %d hours: %s, want %s", c.hours, g.State, c.want)
		}
	}
	g := at(60)
	if strings.Join(g.Undertakings, " ") != "U2 U5" || strings.Join(g.OnlyOffered, " ") != "U1" || strings.Join(g.OnlyAnswered, " ") != "U9" ||
		len(g.Reservations[boreal]) != 1 || !g.From.Equal(reply.Received) || !g.OneSidedFrom.Equal(reply.Received) || !g.OneSidedUntil.Equal(x.Known) {
		t.Errorf("%+v", g)
	}
	w := note(boreal, "302", time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC), Facts{"effective": begin.Add(100 * hour)})
	g = FoldGuarantee(offer, &reply, x, []Event{w}, w.Received)
	if want := time.Date(2027, 2, 28, 0, 0, 0, 0, time.UTC); g.State != GuaranteeWithdrawn || !g.Ends.Equal(want) {
		t.Errorf("withdrawn: %+v", g)
	}
	if g = FoldGuarantee(offer, &reply, x, []Event{w}, g.Ends.Add(time.Second)); g.State != GuaranteeEnded {
		t.Errorf("after its end: %s", g.State)
	}
	other := reply
	other.Facts = Facts{"undertakings": []any{"U2"}, "text": "bb", "decision": "same-words"}
	if g := FoldGuarantee(offer, &other, x, nil, begin.Add(60*hour)); g.State != GuaranteeDiffers || len(g.Undertakings) != 0 || g.Why == "" {
		t.Errorf("another hash: %+v", g)
	}
	offer.Facts["entry"] = "by-depositary"
	if g := FoldGuarantee(offer, &reply, x, nil, begin.Add(60*hour)); g.State != GuaranteeUnderWay || !g.From.IsZero() {
		t.Errorf("without the depositary's entry: %+v", g)
	}
	x.Depositary = begin.Add(61 * hour)
	if g := FoldGuarantee(offer, &reply, x, nil, begin.Add(62*hour)); g.State != GuaranteeInForce || !g.OneSidedFrom.IsZero() || !g.From.Equal(x.Depositary) {
		t.Errorf("by the depositary: %+v", g)
	}
}

// An instrument enters into force by the rule in its text.
func TestEntryIntoForce(t *testing.T) {
	day := func(n int) time.Time { return begin.AddDate(0, 0, n) }
	x := Exchange{Second: day(2), Completed: []time.Time{day(9), day(5)}}
	for _, c := range []struct {
		rule EntryRule
		date time.Time
		x    Exchange
		want time.Time
	}{
		{EntryOnReceipt, time.Time{}, x, day(2)}, {EntryOnDate, day(30), x, day(30)}, {EntryOnDate, day(1), x, day(2)},
		{EntryOnCompletion, time.Time{}, x, day(9)}, {EntryOnCompletion, time.Time{}, Exchange{Second: day(2), Completed: []time.Time{day(9)}}, time.Time{}},
		{EntryByDepositary, time.Time{}, x, time.Time{}}, {EntryOnReceipt, time.Time{}, Exchange{}, time.Time{}}, {EntryOnDate, day(30), Exchange{}, time.Time{}},
	} {
		if from, ok := c.x.InForce(c.rule, c.date); ok != !c.want.IsZero() || ok && !from.Equal(c.want) {
			t.Errorf("%s: %s %v, want %s", c.rule, from, ok, c.want)
		}
	}
}

// A signature counts by its side, its text, its officer's role and that role's time.
func TestSignatures(t *testing.T) {
	text := identity.Sum([]byte("text"))
	cert := func(p identity.Party, roles ...string) identity.Certificate {
		return identity.Certificate{Party: p, Roles: roles, From: begin, To: begin.AddDate(0, 1, 0)}
	}
	sign := func(n int, p identity.Party, h identity.Digest, c identity.Certificate, days int) Signature {
		return Signature{By: p, Message: idOf(n), Text: h, Certificate: c, Received: begin.AddDate(0, 0, days)}
	}
	both := [2]identity.Party{arden, boreal}
	good := sign(1, arden, text, cert(arden, RolePlenipotentiary), 1)
	for _, bad := range []Signature{
		sign(2, boreal, identity.Sum(nil), cert(boreal, RolePlenipotentiary), 2), sign(3, boreal, text, cert(boreal, "watch"), 2),
		sign(4, boreal, text, cert(boreal, RolePlenipotentiary), 60), sign(5, boreal, text, cert(arden, RolePlenipotentiary), 2), sign(6, "cyan.example", text, cert("cyan.example", RolePlenipotentiary), 2),
	} {
		count, complete, refused := Signed(text, both, []Signature{good, bad})
		if len(count) != 1 || !complete.IsZero() || len(refused) != 1 || refused[0].Message != bad.Message || refused[0].Why == "" {
			t.Errorf("%s: %v %v", bad.Message, count, refused)
		}
	}
	count, complete, refused := Signed(text, both, []Signature{good, good, sign(7, boreal, text, cert(boreal, RolePlenipotentiary), 3)})
	if len(count) != 2 || len(refused) != 0 || !complete.Equal(begin.AddDate(0, 0, 3)) {
		t.Errorf("%v %s %v", count, complete, refused)
	}
}

// An amendment needs the text in force as its base, the same hash from both, no
// objection in time, and an agreement that still lives.
func TestFoldAmendment(t *testing.T) {
	base := identity.Sum([]byte("base"))
	p := note(arden, "520", begin, Facts{"base": base.String(), "text": "new", "entry": "on-receipt"})
	answer := func(days int, decision, text string) []Event {
		return []Event{note(boreal, "521", begin.AddDate(0, 0, days), Facts{"decision": decision, "text": text})}
	}
	for _, c := range []struct {
		answers []Event
		base    identity.Digest
		ends    time.Time
		days    int
		want    AmendmentState
	}{
		{nil, base, time.Time{}, 60, AmendmentProposed}, {nil, base, time.Time{}, 61, AmendmentLapsed},
		{answer(30, "object", "new"), base, time.Time{}, 40, AmendmentObjected}, {answer(31, "object", "new"), base, time.Time{}, 40, AmendmentProposed},
		{answer(5, "accept", "new"), base, time.Time{}, 40, AmendmentInForce}, {answer(5, "accept", "other"), base, time.Time{}, 40, AmendmentCountered},
		{answer(61, "accept", "new"), base, time.Time{}, 70, AmendmentLapsed}, {answer(5, "counter", "else"), base, time.Time{}, 40, AmendmentCountered},
		{answer(5, "accept", "new"), identity.Sum(nil), time.Time{}, 40, AmendmentOtherBase},
		{answer(5, "accept", "new"), base, begin.AddDate(0, 0, 4), 40, AmendmentNoUse},
	} {
		x := Exchange{}
		if len(c.answers) > 0 {
			x.Second = c.answers[0].Received
		}
		if a := FoldAmendment(p, c.answers, x, c.base, c.ends, begin.AddDate(0, 0, c.days)); a.State != c.want {
			t.Errorf("%+v: %s, want %s", c, a.State, c.want)
		}
	}
}

const firstDraft = `{"instrument": "pact", "draft": 1, "by": "arden.example", "languages": ["en", "zh"], "paragraphs": [
 {"paragraph": "1", "text": {"en": "Each party answers within two days.", "zh": "各方在两天内答复。"}},
 {"paragraph": "2", "text": {"en": "It lives for three years.", "zh": "有效期三年。"}}]}`

// A redline tells word by word, in each language, what one draft changes, and whose
// variants came and went; a text with a bracket is not agreed.
func TestRedline(t *testing.T) {
	one, err := ParseDraft([]byte(firstDraft))
	if err != nil {
		t.Fatal(err)
	}
	h, err := one.Hash()
	if err != nil || one.Agreed() != nil {
		t.Fatal(err, one.Agreed())
	}
	two, err := ParseDraft([]byte(`{"instrument": "pact", "draft": 2, "by": "boreal.example", "base": "` + h.String() + `", "languages": ["en", "zh"], "paragraphs": [
 {"paragraph": "1", "text": {"en": "Each party answers within seven days.", "zh": "各方在七天内答复。"}, "variants": [{"by": "boreal.example"}]},
 {"paragraph": "3", "text": {"en": "New.", "zh": "新。"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Agreed(); !errors.Is(err, ErrOpen) || !strings.Contains(err.Error(), "paragraph 1") {
		t.Error(err)
	}
	var told []string
	for _, c := range Redline(one, two) {
		s := fmt.Sprintf("%s %s %s %s", c.Paragraph, c.Kind, c.By, c.Lang)
		for _, p := range c.Words {
			s += fmt.Sprintf(" [%c%s]", p.Op, p.Text)
		}
		told = append(told, strings.TrimSpace(s))
	}
	want := []string{
		"1 text boreal.example en [ Each party answers within ] [-two ] [+seven ] [ days.]",
		"1 text boreal.example zh [ 各方在] [-两] [+七] [ 天内答复。]",
		"1 variant-added boreal.example", "3 added boreal.example", "3 text boreal.example en [+New.]", "3 text boreal.example zh [+新。]", "2 removed boreal.example",
	}
	if strings.Join(told, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}

func FuzzParseDraft(f *testing.F) {
	read := func(b []byte) error { _, err := ParseDraft(b); return err }
	bad := func(old, new string) []byte { return []byte(strings.Replace(firstDraft, old, new, 1)) }
	decodertest.Seeds(f, read, [][]byte{[]byte(firstDraft)}, [][]byte{nil, []byte("{}"), bad(`, "zh": "有效期三年。"`, ""), bad(`"paragraph": "2"`, `"paragraph": "1"`), bad(`"draft": 1`, `"draft": 2`), bad("arden.example", "?")})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDraft(b)
		if err != nil {
			decodertest.Refusal(t, err)
			return
		}
		if _, err := d.Hash(); err != nil {
			t.Fatal(err)
		}
		if len(Redline(d, d)) != 0 {
			t.Fatal("a draft differs from itself")
		}
	})
}
