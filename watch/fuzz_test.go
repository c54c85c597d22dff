package watch_test

import (
	"bytes"
	"encoding/json/v2"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/internal/decodertest"
	"detente/message"
	"detente/watch"
)

// plain reads a document as any program would, without knowing its types: the
// second reading of each target below.
func plain(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatalf("what was accepted is no JSON: %v", err)
	}
	return doc
}

// entries counts a list of a document.
func entries(doc map[string]any, name string) int {
	list, _ := doc[name].([]any)
	return len(list)
}

// parsed runs one decoder over its accepted and rejected seeds and over what
// the fuzzer makes. What is accepted must be written as it was read.
func parsed[T any](f *testing.F, accepted, rejected [][]byte, parse func([]byte) (T, error), bytesOf func(T) []byte, second func(*testing.T, T, []byte)) {
	decodertest.Seeds(f, func(text []byte) error { _, err := parse(text); return err }, accepted, rejected)
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parse(text)
		if err != nil {
			decodertest.Short(t, err)
			return
		}
		if !bytes.Equal(bytesOf(v), text) {
			t.Errorf("it is not written as it was read:\n%s\n%s", bytesOf(v), text)
		}
		second(t, v, text)
	})
}

// spoilt are ways to break any document.
func spoilt(text []byte) [][]byte {
	s := string(text)
	return [][]byte{nil, []byte("{}"), []byte("null"), text[:len(text)-1], append([]byte(" "), text...), []byte("\ufeff" + s),
		[]byte(strings.Replace(s, "{", `{"a":1,`, 1)), []byte(strings.Replace(s, "/v1", "/v2", 1)), bytes.ReplaceAll(text, []byte("2026-11-2"), []byte("2026-02-3"))}
}

// covers P14
func FuzzParseRoster(f *testing.F) {
	r := ardens()
	r.Leave = []watch.Leave{{Officer: "ARD-W-01", From: monday, To: monday.Add(time.Hour)}}
	r.Shifts, r.Until = watch.DefaultShifts(), monday.AddDate(0, 0, 20)
	accepted := [][]byte{ardens().Bytes(), r.Bytes()}
	rejected := spoilt(r.Bytes())
	parsed(f, accepted, rejected, watch.ParseRoster, watch.Roster.Bytes, func(t *testing.T, r watch.Roster, text []byte) {
		doc := plain(t, text)
		if entries(doc, "turns") != len(r.Turns) || entries(doc, "officers") != len(r.Officers) || entries(doc, "leave") != len(r.Leave) || doc["station"] != string(r.Station) {
			t.Error("the plain reading finds another roster")
		}
		now := r.Start.Add(36 * time.Hour)
		want, got := plainOn(r, now), map[string]bool{}
		for _, d := range r.On(now) {
			got[d.Officer+"@"+d.Desk] = true
		}
		if len(want) != len(got) {
			t.Errorf("on watch %v, by hand %v", got, want)
		}
	})
}

// covers P14
func FuzzParseAlarms(f *testing.F) {
	var s watch.Alarms
	accepted := [][]byte{s.Bytes()}
	conditions := []watch.Condition{{Key: watch.Key{Kind: watch.SilentPeer, Line: theLine}}, {Key: watch.Key{Kind: watch.FlashUnread, Ref: "BOR/ARD-N1-7"}, Since: monday}}
	for i, c := range [][]watch.Condition{conditions, conditions, conditions[:1], nil} {
		now := monday.Add(time.Duration(i) * time.Minute)
		s, _ = s.Step(watch.Moment{Now: now, Conditions: c, Posts: night, Acts: ack("ARD-W-01", now, conditions[1].Key)}, watch.Config{})
		accepted = append(accepted, s.Bytes())
	}
	rejected := append(spoilt(accepted[1]), bytes.Replace(accepted[1], []byte("silent-peer"), []byte("silent-sea"), 1),
		bytes.Replace(accepted[1], []byte(`"next":"2026-11-23T00:01:00Z",`), nil, 1), bytes.ReplaceAll(accepted[1], []byte("silent-peer"), []byte("a-peer")))
	parse := func(text []byte) (watch.Alarms, error) { return watch.ParseAlarms(text, watch.Config{}) }
	parsed(f, accepted, rejected, parse, watch.Alarms.Bytes, func(t *testing.T, s watch.Alarms, text []byte) {
		doc := plain(t, text)
		if entries(doc, "alarms") != len(s.Alarms) || entries(doc, "rings") != len(s.Rings) {
			t.Error("the plain reading finds other alarms")
		}
		var hold []watch.Condition
		for _, a := range s.Alarms {
			if a.Stands() && a.Ref != "and-more" {
				hold = append(hold, watch.Condition{Key: a.Key, Level: a.Level, Since: a.Since, Count: a.Count})
			}
		}
		next, _ := s.Step(watch.Moment{Now: s.At.Add(time.Hour), Conditions: hold, Posts: night}, watch.Config{})
		if err := next.Check(watch.Config{}); err != nil {
			t.Errorf("a step from what was accepted: %v", err)
		}
	})
}

// covers P14
func FuzzParseContacts(f *testing.F) {
	e := edition(f)
	accepted := [][]byte{watch.ExportContacts(nil), watch.ExportContacts(book4())}
	rejected := append(spoilt(accepted[1]), bytes.Replace(accepted[1], []byte(`"no"`), []byte(`"maybe"`), 1), bytes.Replace(accepted[1], []byte(`"new"`), []byte(`"withdrawn"`), 1))
	parse := func(text []byte) ([]watch.Contact, error) { return watch.ParseContacts(e, text) }
	parsed(f, accepted, rejected, parse, watch.ExportContacts, func(t *testing.T, all []watch.Contact, text []byte) {
		if entries(plain(t, text), "contacts") != len(all) {
			t.Error("the plain reading finds other contacts")
		}
		again, err := watch.ParseVCards(e, watch.ExportVCards(all))
		if err != nil || len(again) != len(all) {
			t.Errorf("as vCards they are refused: %v", err)
		}
	})
}

// covers P14
func FuzzParseVCards(f *testing.F) {
	e := edition(f)
	good := watch.ExportVCards(book4())
	accepted := [][]byte{good}
	rejected := [][]byte{[]byte("BEGIN:VCARD\r\nEND:VCARD\r\n"), []byte("\r\n"), good[:len(good)-2], bytes.ReplaceAll(good, []byte("\r\n"), []byte("\n")), bytes.Replace(good, []byte("4.0"), []byte("3.0"), 1)}
	parse := func(text []byte) ([]watch.Contact, error) { return watch.ParseVCards(e, text) }
	parsed(f, accepted, rejected, parse, watch.ExportVCards, func(t *testing.T, all []watch.Contact, text []byte) {
		if n := strings.Count("\r\n"+string(text), "\r\nBEGIN:VCARD\r\n"); n != len(all) {
			t.Errorf("%d cards begin, %d contacts are read", n, len(all))
		}
		again, err := watch.ParseContacts(e, watch.ExportContacts(all))
		if err != nil || len(again) != len(all) {
			t.Errorf("as JSON they are refused: %v", err)
		}
	})
}

// covers P14
func FuzzParseChallenge(f *testing.F) {
	accepted := [][]byte{aChallenge().Bytes()}
	rejected := append(spoilt(accepted[0]), bytes.Replace(accepted[0], []byte("0707"), []byte("070A"), 1), bytes.Replace(accepted[0], []byte("07070707"), nil, 1))
	parsed(f, accepted, rejected, watch.ParseChallenge, watch.Challenge.Bytes, func(t *testing.T, c watch.Challenge, text []byte) {
		doc := plain(t, text)
		if doc["line"] != c.Line.String() || doc["id"] != c.ID.String() {
			t.Error("the plain reading finds another challenge")
		}
		if _, err := message.ParseBody(text); err == nil {
			t.Error("a challenge is a body too")
		}
		if c.Request("watch").Body != identity.Sum(text) {
			t.Error("what is signed is not what is written")
		}
	})
}

// covers P14
func FuzzParseSheet(f *testing.F) {
	s, err := watch.NewSheet(morning())
	if err != nil {
		f.Fatal(err)
	}
	accepted := [][]byte{s.Bytes()}
	rejected := append(spoilt(s.Bytes()), bytes.Replace(s.Bytes(), []byte(`"late":true,`), nil, 1), bytes.Replace(s.Bytes(), []byte("IMMEDIATE"), []byte("SOON"), 1))
	w := words(f)
	parsed(f, accepted, rejected, watch.ParseSheet, watch.Sheet.Bytes, func(t *testing.T, s watch.Sheet, text []byte) {
		doc := plain(t, text)
		for name, n := range map[string]int{"waiting": len(s.Waiting), "unacknowledged": len(s.Unacked), "deadlines": len(s.Deadlines), "lines": len(s.Lines), "remarks": len(s.Remarks)} {
			if entries(doc, name) != n {
				t.Errorf("the plain reading finds %d %s, and not %d", entries(doc, name), name, n)
			}
		}
		if page, err := w.Sheet(s, "ar"); err == nil && strings.Count(page, "\n- ") != len(s.Waiting)+len(s.Unacked)+len(s.Deadlines)+len(s.Lines)+len(s.Remarks)+len(s.Alarms)+len(s.Silenced)+len(s.Outages)+len(s.Calls) {
			t.Errorf("the page does not show each item once:\n%s", page)
		}
	})
}

// covers P14
func FuzzParseLogLine(f *testing.F) {
	var accepted [][]byte
	for _, l := range logOf() {
		accepted = append(accepted, l.Bytes())
	}
	rejected := append(spoilt(accepted[2]), bytes.Replace(accepted[2], []byte(`"call","`), []byte(`"remark","`), 1), bytes.Replace(accepted[1], []byte(`"raised"`), []byte(`"risen"`), 1))
	parsed(f, accepted, rejected, watch.ParseLogLine, watch.LogEntry.Bytes, func(t *testing.T, l watch.LogEntry, text []byte) {
		doc := plain(t, text)
		if doc["number"] != float64(l.Number) || doc["prev"] != l.Prev.String() || (doc["call"] != nil) != (l.Call != nil) {
			t.Error("the plain reading finds another line")
		}
	})
}
