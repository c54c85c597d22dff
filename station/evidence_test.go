package station_test

import (
	"net/http"
	"testing"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
	"detente/record"
	"detente/station"

	"golang.org/x/mod/sumdb/tlog"
)

// receipt is what the hostile side's keys make of a head of the victim's log.
func receipt(t *testing.T, v, h *side, size int64, at time.Time) []byte {
	t.Helper()
	c, err := journal.NewCosigner(string(h.Name())+"/mirror", h.Cast.Keys.Cosigner)
	if err != nil {
		t.Fatal(err)
	}
	var given journal.Cosignature
	v.view(func(tx station.Tx) error {
		root, err := journal.RootAt(tx, v.log(), size)
		if err != nil {
			return err
		}
		given, err = c.Cosign(journal.Head{Origin: v.log(), Size: size, Root: root}, at)
		return err
	})
	return given.Lines
}

// offer lets the victim say something and returns what it then sends.
func offer(t *testing.T, v *side, now time.Time, text string) station.Step {
	t.Helper()
	if _, err := v.Say(ctx, now, station.Draft{Line: v.line, Format: "600"}, "text="+text); err != nil {
		t.Fatal(err)
	}
	step, err := v.Step(ctx, now, v.line)
	if err != nil || step.Request == nil || step.Request.Op != line.OpDeliver {
		t.Fatalf("nothing is delivered: %+v, %v", step, err)
	}
	return step
}

// wantEvidence looks for evidence of a kind that verifies by itself, and for no
// more than it.
func wantEvidence(t *testing.T, kind string, want int, v, h *side) {
	t.Helper()
	held, err := v.Evidences(ctx, op, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range held {
		if e.Kind != kind {
			continue
		}
		n++
		got := record.VerifyEvidence(e.File, []identity.Bundle{h.Cast.Bundle, v.Cast.Bundle}, []identity.Root{h.Cast.RootInfo, v.Cast.RootInfo})
		if got.Verdict != record.Valid || got.Who != string(h.Name()) {
			t.Errorf("%s: the file is %s against %q: %s", kind, got.Verdict, got.Who, got.Reason)
		}
		flipped := []byte(string(e.File))
		flipped[len(flipped)/2] ^= 1
		if got := record.VerifyEvidence(flipped, []identity.Bundle{h.Cast.Bundle, v.Cast.Bundle}, []identity.Root{h.Cast.RootInfo, v.Cast.RootInfo}); got.Verdict == record.Valid {
			t.Errorf("%s: the file with a flipped bit is valid: %s", kind, got.Reason)
		}
		if got := record.VerifyEvidence(e.File, nil, []identity.Root{v.Cast.RootInfo}); got.Verdict == record.Valid {
			t.Errorf("%s: the file is valid without the root of who signed it", kind)
		}
	}
	if n != want {
		t.Errorf("%d pieces of evidence of %q are held, want %d: %+v", n, kind, want, held)
	}
}

// A second time for one size, and seconds that fall as sizes grow, are kept as
// evidence that verifies; the first receipt stays the receipt. Two seconds in one
// cosignature are no receipt.
// covers P5 P11
func TestSecondsThatDoNotGoTogether(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Hour)
	answer := func(step station.Step, lines []byte) {
		t.Helper()
		if err := v.Answered(ctx, now, v.line, step, line.Response{Status: 200, Type: line.TypeText, Body: lines}, nil); err != nil {
			t.Fatal(err)
		}
	}
	first := offer(t, v, now, "one")
	size := v.size(v.log())
	ed, _ := cut(receipt(t, v, h, size, now))
	_, ml := cut(receipt(t, v, h, size, now.Add(time.Second)))
	answer(first, append(ed, ml...))
	if s := v.acked(h); s == size {
		t.Error("a cosignature of two seconds was taken as a receipt")
	}

	again, err := v.Step(ctx, now.Add(time.Hour), v.line)
	if err != nil || again.Request == nil {
		t.Fatalf("nothing is sent again: %+v %v", again, err)
	}
	for again.Request.Op != line.OpDeliver {
		if err := v.Answered(ctx, now, v.line, again, line.Response{Status: http.StatusNotFound}, nil); err != nil {
			t.Fatal(err)
		}
		now = now.Add(11 * time.Minute)
		if again, err = v.Step(ctx, now, v.line); err != nil || again.Request == nil {
			t.Fatalf("nothing is sent again: %+v %v", again, err)
		}
	}
	answer(again, receipt(t, v, h, size, now))
	if s := v.acked(h); s != size {
		t.Fatalf("%d entries are receipted, want %d", s, size)
	}
	answer(again, receipt(t, v, h, size, now.Add(5*time.Second)))
	answer(again, receipt(t, v, h, size, now.Add(5*time.Second)))
	wantEvidence(t, journal.ContradictsTimes, 1, v, h)

	second := offer(t, v, now, "two")
	answer(second, receipt(t, v, h, size+1, now.Add(-time.Hour)))
	if s := v.acked(h); s != size+1 {
		t.Errorf("%d entries are receipted, want %d", s, size+1)
	}
	wantEvidence(t, journal.ContradictsTimes, 2, v, h)
	found, err := v.Doctor(ctx, op, now, false)
	if err != nil || len(found) > 0 {
		t.Errorf("doctor finds %v, %v", found, err)
	}
}

// cut takes a pair of signature lines apart.
func cut(lines []byte) (first, second []byte) {
	for i, b := range lines {
		if b == '\n' {
			return append([]byte(nil), lines[:i+1]...), append([]byte(nil), lines[i+1:]...)
		}
	}
	return lines, nil
}

// acked is how far the hostile side has receipted the victim's log.
func (s *side) acked(h *side) (n int64) {
	s.view(func(tx station.Tx) error {
		c, _, err := tx.LastCosignature(s.log(), string(h.Name())+"/mirror")
		n = c.Size
		return err
	})
	return n
}

// A counterpart that forks again and again is caught once for each pair of sizes,
// and fills no disk with it.
// covers P7 P14
func TestForksFillNoDisk(t *testing.T) {
	v, h := duo(t)
	signer, err := journal.NewSigner(h.log(), h.Cast.Keys.Logs[h.log()])
	if err != nil {
		t.Fatal(err)
	}
	size := v.size(h.log())
	for i := range 200 {
		now := start.Add(time.Duration(i) * time.Second)
		note, err := signer.Sign(journal.Head{Origin: h.log(), Size: size, Root: tlog.RecordHash([]byte{byte(i)})}, now)
		if err != nil {
			t.Fatal(err)
		}
		body, err := line.AddCheckpoint{Old: size, Checkpoint: note}.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		r := line.Request{Op: line.OpAddCheckpoint, Peer: h.Name(), Origin: h.log(), Body: body}
		if a := served(t, v.Station, now, r); a.Status != http.StatusUnprocessableEntity {
			t.Fatalf("a second history is answered %d: %s", a.Status, a.Body)
		}
	}
	wantEvidence(t, "fork", 1, v, h)
}

// At each line test heads are compared: a counterpart that shows another history
// of its log there is caught.
// covers P7
func TestForkInHeads(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	if _, err := h.Submit(ctx, op, now, station.Draft{Line: h.line, Format: "010", Marking: tlp, Language: "en", Params: lineTest(t, h)}); err != nil {
		t.Fatal(err)
	}
	deliver(t, v, h, now)
	step, err := v.Step(ctx, now, v.line)
	if err != nil || step.Request == nil || step.Request.Op != line.OpHeads {
		t.Fatalf("after a line test no heads are asked for: %+v %v", step, err)
	}
	signer, err := journal.NewSigner(h.log(), h.Cast.Keys.Logs[h.log()])
	if err != nil {
		t.Fatal(err)
	}
	note, err := signer.Sign(journal.Head{Origin: h.log(), Size: v.size(h.log()) - 1, Root: tlog.RecordHash([]byte("another history"))}, now)
	if err != nil {
		t.Fatal(err)
	}
	body, err := line.HeadsAnswer{Heads: []line.Head{{Origin: h.log(), Checkpoint: note}}}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Answered(ctx, now, v.line, step, line.Response{Status: 200, Type: line.TypeJSON, Body: body}, nil); err != nil {
		t.Fatal(err)
	}
	wantEvidence(t, "fork", 1, v, h)
	meet(t, now, v, h)
	if got, all := v.size(h.log()), h.size(h.log()); got != all {
		t.Errorf("%d of %d entries are held: a head that is shown stops nothing", got, all)
	}
}

// show lets the hostile side show cards and notes of succession.
func show(t *testing.T, v, h *side, now time.Time, b identity.Bundle, notes ...[]byte) int {
	t.Helper()
	body, err := line.Cards{Bundle: b.Bytes(), Successions: notes}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	r := line.Request{Op: line.OpCards, Peer: h.Name(), Body: body}
	return served(t, v.Station, now, r).Status
}

// Two endorsed cards with different keys for one log, two notes of succession
// with different ends, and an end below what the log has signed: each is kept,
// and verifies.
// covers P7
func TestErasThatDoNotGoTogether(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	old := h.Cast.Card
	old.Logs = append([]identity.LogKey(nil), old.Logs...)
	bundle, key, err := h.Cast.NextEra(h.log())
	if err != nil {
		t.Fatal(err)
	}
	var held journal.Log
	v.view(func(tx station.Tx) (err error) {
		held, _, err = tx.Log(h.log())
		return err
	})
	end := func(size int64, root tlog.Hash) []byte {
		note, err := identity.SignSuccession(key, identity.Succession{Old: h.log(), Size: size, Root: identity.Digest(root), Reason: "choice", New: h.line.Log(h.Name(), 2), At: now})
		if err != nil {
			t.Fatal(err)
		}
		return note
	}
	var below tlog.Hash
	v.view(func(tx station.Tx) (err error) {
		below, err = journal.RootAt(tx, h.log(), held.Size-1)
		return err
	})
	if got := show(t, v, h, now, bundle, end(held.Size-1, tlog.RecordHash([]byte("another")))); got == http.StatusOK {
		t.Error("an end with another root than what is held was taken")
	}
	wantEvidence(t, journal.ContradictsEnds, 1, v, h)
	if got := show(t, v, h, now, bundle, end(held.Size-1, below)); got != http.StatusOK {
		t.Fatalf("the note of succession is answered %d", got)
	}
	wantEvidence(t, journal.ContradictsEnds, 2, v, h)
	if got := show(t, v, h, now, bundle, end(held.Size-1, below)); got != http.StatusOK {
		t.Errorf("the same end, signed again, is answered %d", got)
	}
	if got := show(t, v, h, now, bundle, end(held.Size, held.Root)); got == http.StatusOK {
		t.Error("a second end was taken")
	}
	wantEvidence(t, journal.ContradictsEnds, 3, v, h)

	stranger, err := identity.GenerateKey(identity.UseLog, v.random())
	if err != nil {
		t.Fatal(err)
	}
	forged := h.Cast.Card
	forged.Serial += 5
	forged.Logs = append([]identity.LogKey(nil), forged.Logs...)
	for i, l := range forged.Logs {
		if l.Class == identity.Notification && l.Era == 1 {
			forged.Logs[i].Key = stranger.Public()
		}
	}
	twice := bundle
	if twice.Station, err = identity.EndorseCard(h.Cast.Root, forged); err != nil {
		t.Fatal(err)
	}
	if got := show(t, v, h, now, twice); got == http.StatusOK {
		t.Error("a card with another key for a known log was taken")
	}
	wantEvidence(t, journal.ContradictsCards, 1, v, h)
}

// A counterpart that answers 503 though the day's bytes do not bear that out
// withholds; once its own log grows meanwhile that is kept as a file that
// verifies, once. It ends with the receipt.
// covers P11
func TestWithheld(t *testing.T) {
	v, h := duo(t)
	now := start.Add(time.Minute)
	step := offer(t, v, now, "one")
	size := v.size(v.log())
	busy := line.Response{Status: http.StatusServiceUnavailable, RetryAfter: time.Second}
	wait := func(d time.Duration) {
		t.Helper()
		for end := now.Add(d); now.Before(end); now = now.Add(time.Minute) {
			if step.Request != nil {
				if err := v.Answered(ctx, now, v.line, step, busy, nil); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			if step, err = v.Step(ctx, now, v.line); err != nil {
				t.Fatal(err)
			}
		}
	}
	alarms := func() line.Alarms {
		t.Helper()
		list, err := v.Lines(ctx, op)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v %v", list, err)
		}
		return list[0].Alarms
	}
	wait(3 * time.Minute)
	if a := alarms(); a != 0 {
		t.Errorf("after three minutes alarms are %s", a)
	}
	wait(10 * time.Minute)
	if a := alarms(); a != line.AlarmWithheld {
		t.Errorf("a 503 that nothing bears out raises %s", a)
	}
	wantEvidence(t, "withheld", 0, v, h)
	if _, err := h.Say(ctx, now, station.Draft{Line: h.line, Format: "600"}, "text=I am alive"); err != nil {
		t.Fatal(err)
	}
	deliver(t, v, h, now)
	wait(30 * time.Minute)
	if a := alarms(); a != line.AlarmWithheld {
		t.Errorf("while the counterpart's log grows alarms are %s", a)
	}
	wantEvidence(t, "withheld", 1, v, h)
	for step.Request == nil {
		now = now.Add(time.Minute)
		var err error
		if step, err = v.Step(ctx, now, v.line); err != nil {
			t.Fatal(err)
		}
	}
	if step.Request.Op == line.OpDeliver {
		if err := v.Answered(ctx, now, v.line, step, line.Response{Status: 200, Body: receipt(t, v, h, size, now)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	meet(t, now.Add(time.Hour), v, h)
	if got := v.acked(h); got < size {
		t.Errorf("%d entries are receipted, want %d", got, size)
	}
}

// deliver lets the hostile side deliver its log to the victim.
func deliver(t *testing.T, v, h *side, now time.Time) {
	t.Helper()
	for range 20 {
		step, err := h.Step(ctx, now, h.line)
		if err != nil {
			t.Fatal(err)
		}
		if step.Request == nil {
			return
		}
		r := *step.Request
		r.Peer = h.Name()
		a := served(t, v.Station, now, r)
		if err := h.Answered(ctx, now, h.line, step, a, nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the delivery does not end")
}
