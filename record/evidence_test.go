package record_test

import (
	"crypto/rand"
	"encoding/json/v2"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

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
	own  identity.Origin // a's log to b
	back identity.Origin // b's log to a
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

// That receipts were missing is shown by checkpoints that both sides signed;
// anybody could write a file that merely says so.
// covers P7
func TestWithheld(t *testing.T) {
	s := newSides(t)
	offered, alive := s.sign(s.a, s.own, 5, 1), s.sign(s.b, s.back, 9, 2)
	file, err := journal.MarshalWithheld(journal.Withheld{Offered: offered, From: 3, Alive: alive})
	r := s.judge(file, err, s.a, s.b)
	s.want(r, record.Indeterminate, record.ReceiptsWithheld)
	if r.Who != "nrrc.boreal.example" || r.ExitCode() != 6 || !slices.Equal(r.Values, []string{"3"}) {
		t.Errorf("%+v", r)
	}
	s.want(s.judge(file, err, s.a), record.Indeterminate, record.LogCardMissing)
	for name, w := range map[string]journal.Withheld{
		"an entry that was not offered":  {Offered: offered, From: 5, Alive: alive},
		"a negative entry":               {Offered: offered, From: -1, Alive: alive},
		"a sign of life of the own log":  {Offered: offered, From: 3, Alive: offered},
		"an unsigned sign of life":       {Offered: offered, From: 3, Alive: alive[:len(alive)/3]},
		"nothing that was offered":       {From: 3, Alive: alive},
		"an offer that its log signs no": {Offered: append(slices.Clone(offered[:len(offered)-20]), '\n'), From: 3, Alive: alive},
	} {
		file, err := journal.MarshalWithheld(w)
		t.Run(name, func(t *testing.T) { s.want(s.judge(file, err, s.a, s.b), record.Invalid, record.WithheldUnproven) })
	}
}

// The JSON of reports keeps its members.
func TestReportForm(t *testing.T) {
	s := newSides(t)
	file, err := journal.MarshalWithheld(journal.Withheld{Offered: s.sign(s.a, s.own, 5, 1), From: 3})
	for want, v := range map[string]any{
		"code kind next reason report values verdict who":                                        s.judge(file, err, s.a),
		"checks findings messages missing_receipts receipts report undisclosed verdict verified": record.Report{},
		"check code detail next reason result values where":                                      record.Finding{Where: "x", Detail: "x", Values: []string{"x"}},
		"check failed name not_checked passed result":                                            record.Tally{},
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
