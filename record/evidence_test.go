package record_test

import (
	"crypto/rand"
	"encoding/json/v2"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/book"
	"detente/identity"
	"detente/journal"
	"detente/record"
	"detente/station/stationtest"

	"golang.org/x/mod/sumdb/tlog"
)

var at = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)

// sides are two parties, whose logs the tests sign.
type sides struct {
	t    *testing.T
	a, b *stationtest.Cast
	own  identity.Origin      // a's log to b
	back identity.Origin      // b's log to a
	next *identity.PrivateKey // of b's next era; nil until a note needs it
}

func newSides(t *testing.T) *sides {
	t.Helper()
	s := &sides{t: t}
	var err error
	if s.a, err = stationtest.NewCast(rand.Reader, at, "arden.example", "ARD", "nrrc.boreal.example"); err != nil {
		t.Fatal(err)
	}
	if s.b, err = stationtest.NewCast(rand.Reader, at, "boreal.example", "BOR", "nrrc.arden.example"); err != nil {
		t.Fatal(err)
	}
	s.own = identity.Origin{Writer: s.a.Card.Station, Reader: s.b.Card.Station, Class: identity.Notification, Era: 1}
	s.back = identity.Origin{Writer: s.own.Reader, Reader: s.own.Writer, Class: s.own.Class, Era: 1}
	return s
}

// sign signs a head of a log.
func (s *sides) sign(c *stationtest.Cast, o identity.Origin, size int64, root byte) []byte {
	s.t.Helper()
	return s.signAt(c, o, size, root, at)
}

func (s *sides) signAt(c *stationtest.Cast, o identity.Origin, size int64, root byte, at time.Time) []byte {
	s.t.Helper()
	signer, err := journal.NewSigner(o, c.Keys.Logs[o])
	if err != nil {
		s.t.Fatal(err)
	}
	note, err := signer.Sign(journal.Head{Origin: o, Size: size, Root: tlog.Hash{root}}, at)
	if err != nil {
		s.t.Fatal(err)
	}
	return note
}

// judge judges a file with the cards of the given sides.
func (s *sides) judge(file []byte, err error, with ...*stationtest.Cast) record.EvidenceReport {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	var cards []identity.Bundle
	for _, c := range with {
		cards = append(cards, c.Bundle)
	}
	return record.VerifyEvidence(file, cards, []identity.Root{s.a.RootInfo, s.b.RootInfo})
}

func (s *sides) want(r record.EvidenceReport, verdict record.Verdict, code record.Reason) {
	s.t.Helper()
	if r.Verdict != verdict || r.Code != code || r.Reason == "" || r.Next == "" {
		s.t.Errorf("%+v; not %s, %s", r, verdict, code)
	}
}

// A fork is proven by the log's own two signatures and by nothing less.
// covers P7
func TestFork(t *testing.T) {
	s := newSides(t)
	one, other := s.sign(s.a, s.own, 5, 1), s.sign(s.a, s.own, 5, 2)
	file, err := journal.MarshalFork(journal.Fork{Origin: s.own, A: one, B: other})
	s.want(s.judge(file, err, s.a), record.Valid, record.ForkProven)
	s.want(s.judge(file, err), record.Indeterminate, record.LogCardMissing)
	s.want(s.judge(file, err, s.b), record.Indeterminate, record.LogCardMissing)
	same, err := journal.MarshalFork(journal.Fork{Origin: s.own, A: one, B: one})
	s.want(s.judge(same, err, s.a), record.Invalid, record.ForkUnproven)
	forged, err := journal.MarshalFork(journal.Fork{Origin: s.own, A: one, B: s.sign(s.b, s.back, 5, 2)})
	s.want(s.judge(forged, err, s.a), record.Invalid, record.ForkUnproven)
}

// That the counterpart was alive is shown by checkpoints that both sides signed;
// anybody could write a file that merely says so. What the file cannot show its
// text says.
// covers P7
func TestWithheld(t *testing.T) {
	s := newSides(t)
	offered, alive := s.sign(s.a, s.own, 5, 1), s.sign(s.b, s.back, 9, 2)
	file, err := journal.MarshalWithheld(journal.Withheld{Offered: offered, From: 3, Alive: alive})
	r := s.judge(file, err, s.a, s.b)
	s.want(r, record.Valid, record.ReceiptsWithheld)
	second := at.Format(time.RFC3339)
	if r.Who != "nrrc.boreal.example" || r.ExitCode() != 0 || !slices.Equal(r.Values, []string{"nrrc.arden.example", "3", second, "nrrc.boreal.example", second}) {
		t.Errorf("%+v", r)
	}
	s.want(s.judge(file, err, s.a), record.Indeterminate, record.LogCardMissing)
	for name, w := range map[string]journal.Withheld{
		"an entry that was not offered":  {Offered: offered, From: 5, Alive: alive},
		"a negative entry":               {Offered: offered, From: -1, Alive: alive},
		"a sign of life of the own log":  {Offered: offered, From: 3, Alive: offered},
		"an unsigned sign of life":       {Offered: offered, From: 3, Alive: alive[:len(alive)/3]},
		"no sign of life":                {Offered: offered, From: 3},
		"a sign of life before it":       {Offered: offered, From: 3, Alive: s.signAt(s.b, s.back, 9, 2, at.Add(-time.Second))},
		"nothing that was offered":       {From: 3, Alive: alive},
		"an offer that its log signs no": {Offered: append(slices.Clone(offered[:len(offered)-20]), '\n'), From: 3, Alive: alive},
	} {
		file, err := journal.MarshalWithheld(w)
		t.Run(name, func(t *testing.T) { s.want(s.judge(file, err, s.a, s.b), record.Invalid, record.WithheldUnproven) })
	}
}

// Two texts that one station signed and that do not go together prove it by its
// own keys; nothing less does.
// covers P7
func TestContradiction(t *testing.T) {
	s := newSides(t)
	cosigned := func(size int64, root byte, second time.Time) []byte {
		signer, err := journal.NewCosigner(s.b.Card.CosignerName(), s.b.Keys.Cosigner)
		if err != nil {
			t.Fatal(err)
		}
		h := journal.Head{Origin: s.own, Size: size, Root: tlog.Hash{root}}
		lines, err := signer.Cosign(h, second)
		if err != nil {
			t.Fatal(err)
		}
		return append(s.sign(s.a, s.own, size, root), lines.Lines...)
	}
	first, end := cosigned(5, 1, at), s.note(5)
	for name, c := range map[string]struct {
		kind    string
		a, b    []byte
		verdict record.Verdict
		code    record.Reason
	}{
		"two histories":      {journal.ContradictsTimes, first, cosigned(5, 2, at), record.Valid, record.ReceiptedTwice},
		"two seconds":        {journal.ContradictsTimes, first, cosigned(5, 1, at.Add(time.Second)), record.Valid, record.SecondsTwo},
		"a second that fell": {journal.ContradictsTimes, first, cosigned(6, 2, at.Add(-time.Second)), record.Valid, record.SecondsFall},
		"the same":           {journal.ContradictsTimes, first, first, record.Invalid, record.ClashUnproven},
		"no receipt":         {journal.ContradictsTimes, first, s.sign(s.a, s.own, 5, 2), record.Invalid, record.ClashUnproven},
		"two ends":           {journal.ContradictsEnds, end, s.note(6), record.Valid, record.EndsTwo},
		"one end":            {journal.ContradictsEnds, end, end, record.Invalid, record.ClashUnproven},
		"signed beyond":      {journal.ContradictsEnds, end, s.sign(s.b, s.back, 6, 1), record.Valid, record.EndsOtherwise},
		"signed before":      {journal.ContradictsEnds, end, s.sign(s.b, s.back, 4, 1), record.Invalid, record.ClashUnproven},
		"one card":           {journal.ContradictsCards, s.b.Bundle.Bytes(), s.b.Bundle.Bytes(), record.Invalid, record.ClashUnproven},
		"two keys":           {journal.ContradictsCards, s.b.Bundle.Bytes(), s.otherKey(), record.Valid, record.KeysTwo},
		"no kind":            {"mood", first, first, record.Invalid, record.ClashUnproven},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := journal.MarshalContradiction(journal.Contradiction{Kind: c.kind, Who: s.b.Card.Station, A: c.a, B: c.b})
			r := s.judge(file, err, s.a, s.b)
			s.want(r, c.verdict, c.code)
			if r.Kind != c.kind || r.Who != "nrrc.boreal.example" {
				t.Errorf("%+v", r)
			}
			for _, l := range book.Langs() {
				if text, err := r.Render(l); err != nil || strings.Contains(text, "{") {
					t.Errorf("%s: %q, %v", l, text, err)
				}
			}
			if c.kind != journal.ContradictsCards {
				s.want(s.judge(file, err, s.a), record.Indeterminate, record.CardMissing)
			}
		})
	}
}

// note ends b's log at a size.
func (s *sides) note(size int64) []byte {
	s.t.Helper()
	if s.next == nil {
		_, key, err := s.b.NextEra(s.back)
		if err != nil {
			s.t.Fatal(err)
		}
		s.next = &key
	}
	note, err := identity.SignSuccession(*s.next, identity.Succession{Old: s.back, Size: size, Root: identity.Digest{1}, Reason: "choice", New: s.back.Line().Log(s.back.Writer, 2), At: at})
	if err != nil {
		s.t.Fatal(err)
	}
	return note
}

// otherKey is b's cards with another key for its log.
func (s *sides) otherKey() []byte {
	s.t.Helper()
	key, err := identity.GenerateKey(identity.UseLog, rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	card := s.b.Card
	card.Serial += 5
	card.Logs = slices.Clone(card.Logs)
	for i, l := range card.Logs {
		if l.Class == s.back.Class && l.Era == s.back.Era {
			card.Logs[i].Key = key.Public()
		}
	}
	b := s.b.Bundle
	if b.Station, err = identity.EndorseCard(s.b.Root, card); err != nil {
		s.t.Fatal(err)
	}
	return b.Bytes()
}

// The JSON of reports keeps its members.
func TestReportForm(t *testing.T) {
	s := newSides(t)
	file, err := journal.MarshalWithheld(journal.Withheld{Offered: s.sign(s.a, s.own, 5, 1), From: 3, Alive: s.sign(s.b, s.back, 9, 2)})
	for want, v := range map[string]any{
		"code kind next reason report values verdict who":                                                              s.judge(file, err, s.a),
		"checks counted covers findings lapsed messages missing_receipts receipts report undisclosed verdict verified": record.Report{},
		"check code detail next reason refused result values where":                                                    record.Finding{Where: "x", Refused: "x", Detail: "x", Values: []string{"x"}},
		"check failed name not_checked passed result":                                                                  record.Tally{},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(m)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%v, not %v", got, strings.Fields(want))
		}
	}
}
