package station_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/record"
	"detente/seal"
	"detente/station"
)

// keysOf lists the entries whose file keys a side has given, by index.
func (s *side) keysOf() (given []string) {
	s.t.Helper()
	s.view(func(tx station.Tx) error {
		list, err := tx.Messages(s.log(), 0, 0)
		for _, m := range list {
			if e, err := message.ParseEntry(m.Plain); err == nil && m.Format == "006" {
				given = append(given, string(e.Body.Body().Params["index"]))
			}
		}
		return err
	})
	return given
}

// dutiesOf returns how the duties after a message stand at a side.
func dutiesOf(t *testing.T, s *side, id message.ID, at time.Time) (dossier.Dossier, []dossier.Duty) {
	t.Helper()
	m, err := s.Matter(ctx, op, at, id, at)
	if err != nil {
		t.Fatal(err)
	}
	var list []dossier.Duty
	for _, d := range m.Dossier.Duties {
		if d.Of == id {
			list = append(list, d)
		}
	}
	return m.Dossier, list
}

// december lets both sides go on in the next month, in which one has another
// sealing key than its card lists.
func december(t *testing.T, v, h *side) time.Time {
	t.Helper()
	now := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	sealingKey(t, h, now, false)
	v.begin(now)
	h.begin(now)
	meet(t, now, v, h)
	return now.Add(time.Minute)
}

// asks lets a side put a question at IMMEDIATE.
func asks(t *testing.T, s *side, now time.Time) message.ID {
	t.Helper()
	out, err := s.Say(ctx, now, station.Draft{Line: s.line, Format: "210", Precedence: message.Immediate}, question...)
	if err != nil {
		t.Fatal(err)
	}
	return out.ID
}

// sealingKey gives a side another sealing key of the month; with a card, one that
// lists it.
func sealingKey(t *testing.T, s *side, now time.Time, inCard bool) {
	t.Helper()
	id, err := seal.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	period := seal.PeriodOf(now)
	s.Cast.Keys.Sealing[period] = id
	if inCard {
		s.Cast.Bundle = reissued(t, s, func(c *identity.Card) {
			c.Serial++
			c.Sealing = slices.Clone(c.Sealing)
			for i, k := range c.Sealing {
				if k.Period == string(period) {
					c.Sealing[i].Recipient = id.Recipient().String()
				}
			}
		})
	}
}

// A station whose sealing key is lost says that it cannot read; the author answers
// with the file key of that entry, which cannot be read either, and gives it once
// more when there is another sealing key. Then the entry is read, both ends fold
// alike, its clocks run from the key's receipt, and a record of it verifies.
// covers P9 P10 P11 P15
func TestAFileKeyAnswersUnreadable(t *testing.T) {
	v, h := duo(t)
	now := december(t, v, h)
	began := now
	id := asks(t, v, now)
	index := v.size(v.log()) - 1
	now = now.Add(time.Minute)
	meet(t, now, v, h)
	if got := h.answers()[decimal(index)]; got != "unreadable " {
		t.Fatalf("it is answered %q", got)
	}
	if given := v.keysOf(); !slices.Equal(given, []string{decimal(index)}) {
		t.Fatalf("file keys given: %v", given)
	}
	for range 3 {
		now = now.Add(time.Minute)
		meet(t, now, v, h)
	}
	if given := v.keysOf(); len(given) != 1 {
		t.Fatalf("under the same sealing key it was given again: %v", given)
	}
	if _, duties := dutiesOf(t, v, id, now); slices.ContainsFunc(duties, func(d dossier.Duty) bool { return d.State == dossier.WithheldState || d.State == dossier.Missed }) {
		t.Errorf("it is held against who could not read it: %v", duties)
	}
	now = now.Add(time.Hour)
	sealingKey(t, h, now, true)
	h.begin(now)
	if got := show(t, v, h, now, h.Cast.Bundle); got != 200 {
		t.Fatalf("the card is answered %d", got)
	}
	for range 3 {
		meet(t, now, v, h)
		now = now.Add(time.Second)
	}
	if given := v.keysOf(); !slices.Equal(given, []string{decimal(index), decimal(index)}) {
		t.Fatalf("file keys given: %v", given)
	}
	r, err := h.ReadEntry(ctx, op, now, v.log(), index)
	if err != nil || r.Entry.Body.Body().ID != id || r.Problem != "" {
		t.Fatalf("after the key it is %+v, %v", r, err)
	}
	for _, s := range []*side{v, h} { // each lists the other's receipts
		if _, err := s.Say(ctx, now, station.Draft{Line: v.line, Format: "600"}, "text=good day"); err != nil {
			t.Fatal(err)
		}
		meet(t, now, v, h)
		now = now.Add(time.Second)
	}
	for _, s := range []*side{v, h} {
		d, duties := dutiesOf(t, s, id, now)
		if !slices.Contains(d.Timeline[0].Flags, dossier.FlagKeyDisclosed) {
			t.Errorf("%s: flags %v", s.Name(), d.Timeline[0].Flags)
		}
		i := slices.IndexFunc(duties, func(d dossier.Duty) bool { return d.Act == dossier.ActAnswered })
		if i < 0 || duties[i].From.Before(began.Add(time.Hour)) || duties[i].State != dossier.Open {
			t.Errorf("%s: the clock of the answer: %+v", s.Name(), duties)
		}
	}
	checkLine(t, v.line, v.End, h.End)
	provesOpened(t, v, h, now, id)
}

// provesOpened checks that both ends export an entry that its file key opened, and
// that no record of it is invalid.
func provesOpened(t *testing.T, v, h *side, now time.Time, id message.ID) {
	t.Helper()
	for _, s := range []*side{v, h} {
		var file bytes.Buffer
		if err := s.Export(ctx, op, now, station.Export{Message: id.String(), Disclose: true}, &file); err != nil {
			t.Fatal(err)
		}
		report := verify(t, file.Bytes(), []identity.Root{v.Cast.RootInfo, h.Cast.RootInfo})
		if report.Verdict == record.Invalid || report.Messages != 1 || len(report.Undisclosed) > 0 {
			t.Errorf("exported by %s: %+v", s.Name(), report)
		}
		file.Reset()
		if err := s.Export(ctx, op, now, station.Export{Line: v.line.String(), Disclose: true}, &file); err != nil {
			t.Fatal(err)
		}
		if report := verify(t, file.Bytes(), []identity.Root{v.Cast.RootInfo, h.Cast.RootInfo}); report.Verdict == record.Invalid {
			t.Errorf("the line, exported by %s: %+v", s.Name(), report)
		}
	}
}

// A key that opens nothing is refused, and changes nothing; one of the other's
// entry, of a later one, or of none, is no answer.
// covers P9 P14 P15
func TestAWrongFileKeyIsRefused(t *testing.T) {
	v, h := duo(t)
	now := december(t, v, h)
	asks(t, v, now)
	meet(t, now, v, h)
	now = now.Add(time.Minute)
	sealingKey(t, h, now, true)
	h.begin(now)
	show(t, v, h, now, h.Cast.Bundle)
	unread := v.size(v.log())
	for typed, want := range map[string]string{
		"index=2": "parameter key", "index=9999": "parameter index", "index=0": "parameter key",
	} {
		out, err := v.Say(ctx, now, station.Draft{Line: v.line, Format: "006"}, "era=1", typed, "key="+hex.EncodeToString(make([]byte, 16)))
		if err != nil {
			t.Fatal(err)
		}
		meet(t, now, v, h)
		sent, err := v.Outgoing(ctx, op, now, out.ID)
		if err != nil || sent.Index < unread {
			t.Fatalf("%+v %v", sent, err)
		}
		if got := h.answers()[decimal(sent.Index)]; got != want {
			t.Errorf("%s is answered %q", typed, got)
		}
	}
	checkLine(t, v.line, v.End, h.End)
}

// Who says of an entry that it cannot be read, gets its key, and says so again,
// withholds: both ends see it.
// covers P11
func TestASecondRefusalWithholds(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	id := asks(t, v, now)
	index := v.size(v.log()) - 1
	meet(t, now, v, h)
	deny := func() {
		t.Helper()
		now = now.Add(time.Minute)
		if _, err := h.Say(ctx, now, station.Draft{Line: v.line, Format: "002"}, "era=1", "index="+decimal(index), "reason=unreadable"); err != nil {
			t.Fatal(err)
		}
		meet(t, now, v, h)
		now = now.Add(time.Minute)
		meet(t, now, v, h)
	}
	deny()
	if given := v.keysOf(); !slices.Equal(given, []string{decimal(index)}) {
		t.Fatalf("file keys given: %v", given)
	}
	deny()
	if given := v.keysOf(); len(given) != 1 {
		t.Errorf("a second refusal is answered: %v", given)
	}
	if _, err := v.Say(ctx, now, station.Draft{Line: v.line, Format: "600"}, "text=good day"); err != nil {
		t.Fatal(err)
	}
	meet(t, now, v, h)
	late := now.Add(30 * 24 * time.Hour)
	for _, s := range []*side{v, h} {
		_, duties := dutiesOf(t, s, id, late)
		if !slices.ContainsFunc(duties, func(d dossier.Duty) bool { return d.State == dossier.WithheldState }) {
			t.Errorf("%s: nothing is withheld: %+v", s.Name(), duties)
		}
	}
	checkLine(t, v.line, v.End, h.End)
}

// question is an inquiry, typed.
var question = []string{
	"kind=scanning", "window=2026-11-23T13:00:00Z/2026-11-23T14:00:00Z", "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1",
	"concern=origin", "ask=inform", "by=2026-12-24T14:00:00Z",
}

// A record tries the file keys that it holds: a key that opens nothing speaks
// against its writer where its reader did not refuse it.
// covers P19
func TestARecordTriesFileKeys(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	asks(t, v, now)
	if _, err := v.Say(ctx, now, station.Draft{Line: v.line, Format: "006"}, "era=1", "index=2", "key="+hex.EncodeToString(make([]byte, 16))); err != nil {
		t.Fatal(err)
	}
	meet(t, now, v, h)
	var file bytes.Buffer
	if err := v.Export(ctx, op, now, station.Export{Line: v.line.String(), Disclose: true}, &file); err != nil {
		t.Fatal(err)
	}
	roots := []identity.Root{v.Cast.RootInfo, h.Cast.RootInfo}
	if r := verify(t, file.Bytes(), roots); r.Verdict == record.Invalid {
		t.Errorf("what its reader refused makes the record %+v", r)
	}
	list, err := v.List(ctx, op, now, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(r station.Read) bool { return r.Format == "006" })
	if i < 0 {
		t.Fatal("the key is not listed")
	}
	file.Reset()
	if err := v.Export(ctx, op, now, station.Export{Message: list[i].ID.String(), Disclose: true}, &file); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, file.Bytes(), roots); r.Verdict == record.Invalid {
		t.Errorf("alone, without the entry that it names: %+v", r)
	}
}
