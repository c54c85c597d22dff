package station_test

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/line"
	"detente/message"
	"detente/station"
)

// said makes the plaintext of an entry of a side, as an honest station would.
func (s *side) said(now time.Time, f message.Format, q message.Precedence, params map[string]jsontext.Value) []byte {
	s.t.Helper()
	var id message.ID
	if _, err := s.random().Read(id[:]); err != nil {
		s.t.Fatal(err)
	}
	frozen, err := message.Body{
		ID: id, Format: f, Edition: s.Book().Hash(), Line: s.line, From: s.Name(), To: s.line.Other(s.Name()),
		Precedence: q, Marking: tlp, Language: "en", Params: params,
	}.Freeze()
	if err != nil {
		s.t.Fatal(err)
	}
	plain, err := message.Entry{Wrapper: message.Wrapper{At: now.UTC().Truncate(time.Second)}, Body: frozen}.Plain()
	if err != nil {
		s.t.Fatal(err)
	}
	return plain
}

// succeeds begins the next era of a side's log as its station does, but with
// entries of a test's own, and delivers them.
func (s *side) succeeds(v *side, now time.Time, entries func(previous map[string]jsontext.Value) [][]byte) identity.Origin {
	s.t.Helper()
	bundle, key, err := s.Cast.NextEra(s.log())
	if err != nil {
		s.t.Fatal(err)
	}
	fresh := s.line.Log(s.Name(), 2)
	var old journal.Log
	opening := make(map[string]jsontext.Value)
	s.view(func(tx station.Tx) error {
		var err error
		if old, _, err = tx.Log(s.log()); err != nil {
			return err
		}
		m, err := tx.Message(s.log(), 0)
		if err != nil {
			return err
		}
		e, err := message.ParseEntry(m.Plain)
		opening = maps.Clone(e.Body.Body().Params)
		return err
	})
	note, err := identity.SignSuccession(key, identity.Succession{Old: s.log(), Size: old.Size, Root: identity.Digest(old.Root), Reason: "choice", New: fresh, At: now})
	if err != nil {
		s.t.Fatal(err)
	}
	if got := show(s.t, v, s, now, bundle, note); got != http.StatusOK {
		s.t.Fatalf("card and note are answered %d", got)
	}
	for name, value := range map[string]any{"previous_era": 1, "previous_size": old.Size, "previous_root": identity.Digest(old.Root).String(), "previous_reason": "choice"} {
		text, err := json.Marshal(value)
		if err != nil {
			s.t.Fatal(err)
		}
		opening[name] = text
	}
	signer, err := journal.NewSigner(fresh, key)
	if err != nil {
		s.t.Fatal(err)
	}
	d := journal.Delivery{Origin: fresh, Entries: entries(opening)}
	err = s.store.Update(ctx, func(tx station.Tx) error {
		if _, err := journal.Append(tx, signer, d.Entries, now); err != nil {
			return err
		}
		l, _, err := tx.Log(fresh)
		d.Checkpoint = l.Checkpoint
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := line.FormatDelivery(d)
	if err != nil {
		s.t.Fatal(err)
	}
	r := line.Request{Op: line.OpDeliver, Peer: s.Name(), Origin: fresh, Body: body}
	if a := served(s.t, v.Station, now, r); a.Status != http.StatusOK {
		s.t.Fatalf("the era is answered %d: %s", a.Status, a.Body)
	}
	return fresh
}

// What entry 0 says has to be so as far as its reader can tell; what is not is
// answered with the parameter's name, and what follows is taken all the same.
// covers P15
func TestHostileOpening(t *testing.T) {
	set := func(name, value string) func(map[string]jsontext.Value) {
		return func(p map[string]jsontext.Value) { p[name] = jsontext.Value(value) }
	}
	zeros := `"` + strings.Repeat("0", 64) + `"`
	now := start.Add(time.Minute)
	for name, c := range map[string]struct {
		change func(map[string]jsontext.Value)
		want   string // of the refusal; empty: it is accepted
	}{
		"as it should be":      {func(map[string]jsontext.Value) {}, ""},
		"another edition":      {set("edition", zeros), "parameter edition"},
		"another era before":   {set("previous_era", "7"), "parameter previous_era"},
		"another end":          {set("previous_size", "1"), "parameter previous_size"},
		"another root":         {set("previous_root", zeros), "parameter previous_root"},
		"another reason":       {set("previous_reason", `"loss"`), "parameter previous_reason"},
		"no era before":        {func(p map[string]jsontext.Value) { delete(p, "previous_era") }, "parameter previous_era"},
		"a test in a year":     {set("test_every", `"PT99999999999S"`), "parameter test_every"},
		"a quota below none":   {set("quota_bytes", "-1"), "parameter quota_bytes"},
		"terms of wrong shape": {set("test_every", `{"every":["PT1S"]}`), "parameter test_every"},
		"unknown card":         {set("own_card", zeros), ""},
	} {
		t.Run(name, func(t *testing.T) {
			v, h := duo(t)
			fresh := h.succeeds(v, now, func(opening map[string]jsontext.Value) [][]byte {
				c.change(opening)
				return [][]byte{
					sealed(t, v, now, h.said(now, "001", message.Flash, opening)),
					sealed(t, v, now, h.said(now, "010", message.Routine, lineTest(t, h))),
				}
			})
			judged(t, v, fresh, c.want)
		})
	}
	t.Run("the reader's card as its own", func(t *testing.T) {
		v, h := duo(t)
		fresh := h.succeeds(v, now, func(opening map[string]jsontext.Value) [][]byte {
			opening["own_card"] = opening["peer_card"]
			return [][]byte{sealed(t, v, now, h.said(now, "001", message.Flash, opening)), sealed(t, v, now, h.said(now, "010", message.Routine, lineTest(t, h)))}
		})
		judged(t, v, fresh, "parameter own_card")
	})
	t.Run("another format", func(t *testing.T) {
		v, h := duo(t)
		fresh := h.succeeds(v, now, func(map[string]jsontext.Value) [][]byte {
			plain := h.said(now, "010", message.Routine, lineTest(t, h))
			return [][]byte{sealed(t, v, now, plain), sealed(t, v, now, h.said(now, "010", message.Routine, lineTest(t, h)))}
		})
		judged(t, v, fresh, "parameter format")
	})
	t.Run("noise", func(t *testing.T) {
		v, h := duo(t)
		fresh := h.succeeds(v, now, func(map[string]jsontext.Value) [][]byte {
			return [][]byte{{1}, sealed(t, v, now, h.said(now, "010", message.Routine, lineTest(t, h)))}
		})
		judged(t, v, fresh, "unreadable")
	})
}

// judged checks what a side made of a log's entry 0, and that it took the entry
// after it. A rebuild of its tables changes neither.
func judged(t *testing.T, v *side, o identity.Origin, want string) {
	t.Helper()
	var first, second station.Message
	look := func() {
		t.Helper()
		v.view(func(tx station.Tx) (err error) {
			if first, err = tx.Message(o, 0); err == nil {
				second, err = tx.Message(o, 1)
			}
			return err
		})
	}
	look()
	if got := strings.TrimSpace(first.Problem + " " + first.Field); got != want {
		t.Errorf("entry 0: %q, want %q", got, want)
	}
	if second.Problem != "" {
		t.Errorf("entry 1: %q %q", second.Problem, second.Field)
	}
	if want == "" {
		return
	}
	now := start.Add(2 * time.Minute)
	if err := v.Tick(ctx, now); err != nil {
		t.Fatal(err)
	}
	if _, ok := v.answers()["0"]; !ok {
		t.Errorf("entry 0 is not answered: %v", v.answers())
	}
	if _, err := v.Doctor(ctx, op, now, true); err != nil {
		t.Fatal(err)
	}
	before := first
	if look(); first.Problem != before.Problem || first.Field != before.Field {
		t.Errorf("after a rebuild: %q %q", first.Problem, first.Field)
	}
}
