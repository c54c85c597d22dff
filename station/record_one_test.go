package station_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/message"
	"detente/record"
	"detente/station"
	"detente/station/stationtest"
)

// One message is exported with the release policies by which it counts, and is
// valid by itself; its entry and proof stand at the root, where tools of others
// look. Without those policies, and where the approvals name another one, it is
// indeterminate; what is there only for others to count by has to be that.
// covers P8 P19
func TestRecordOfOneMessage(t *testing.T) {
	a, b, l := pair(t)
	roots := []identity.Root{a.Cast.RootInfo, b.Cast.RootInfo}
	say := func(i int, d station.Draft, params ...string) string {
		t.Helper()
		now := start.Add(time.Duration(i) * time.Minute)
		d.Line = l
		out, err := a.Say(ctx, now, d, params...)
		if err != nil {
			t.Fatal(err)
		}
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
		return out.ID.String()
	}
	export := func(e station.Export) []byte {
		t.Helper()
		var buf bytes.Buffer
		e.Disclose = true
		if err := b.Export(ctx, op, start.Add(time.Hour), e, &buf); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	say(1, station.Draft{Format: "600"}, "text=good day")
	last := say(2, station.Draft{Format: "600"}, "text=good evening")
	green := say(3, station.Draft{Format: "600", Marking: message.Marking{TLP: "GREEN"}}, "text=good night")

	file := export(station.Export{Message: last})
	r := verify(t, file, roots)
	if r.Verdict != record.Valid || r.Messages != 1 || r.Receipts != 1 || r.Verified != 1 {
		t.Fatalf("%+v", r)
	}
	if want := []record.Counted{{Message: "ARD/BOR-N1-3", Policy: "ARD/BOR-N1-1"}}; !slices.Equal(r.Counted, want) {
		t.Errorf("it counts by %+v, not %+v", r.Counted, want)
	}
	text, err := r.Render("en")
	if err != nil || !strings.Contains(text, "ARD/BOR-N1-3 counts by the release policy at") {
		t.Errorf("%s, %v", text, err)
	}
	if m := unpack(t, file); m["entry.age"] == nil || m["ARD-BOR-N1/00000001/entry.age"] == nil {
		t.Error("the message does not stand at the root, or its policy not in its folder")
	}

	// Where the policy may not be shown, the record says that it is not there.
	r = verify(t, export(station.Export{Message: green, Marking: message.Marking{TLP: "GREEN"}}), roots)
	found(t, r, record.Indeterminate, record.CheckPolicy, "")
	if r.Messages != 1 || r.Verified != 1 || len(r.Counted) != 0 {
		t.Errorf("%+v", r)
	}

	for name, forge := range map[string]func(string) string{
		"the message itself as what it counts by": func(s string) string { return strings.Replace(s, `"support":[1]`, `"support":[1,3]`, 1) },
		"what is not there":                       func(s string) string { return strings.Replace(s, `"support":[1]`, `"support":[2]`, 1) },
		"twice":                                   func(s string) string { return strings.Replace(s, `"support":[1]`, `"support":[1,1]`, 1) },
		"in the record of a line":                 func(s string) string { return strings.Replace(s, `"message"`, `"line"`, 1) },
	} {
		m := unpack(t, file)
		was := string(m["record.json"])
		if m["record.json"] = []byte(forge(was)); string(m["record.json"]) == was {
			t.Fatalf("%s: nothing was forged in %s", name, was)
		}
		if r := verify(t, m.pack(t), roots); r.Verdict != record.Invalid {
			t.Errorf("%s: %s", name, r.Verdict)
		}
	}
}

// A record of a line says how far it goes and how far the logs are known to have
// gone: cut at its end, it is shorter than what is known.
// covers P19
func TestRecordCovers(t *testing.T) {
	file, roots, _ := exported(t, station.Export{Disclose: true})
	r := verify(t, file, roots)
	if len(r.Covers) != 2 {
		t.Fatalf("%+v", r.Covers)
	}
	for _, c := range r.Covers {
		if c.Size == 0 || c.Size != c.Receipted || c.Known != c.Size || c.At == nil {
			t.Errorf("%+v", c)
		}
	}
	text, err := r.Render("en")
	if err != nil || strings.Count(text, "covers entries up to") != 2 {
		t.Errorf("%s, %v", text, err)
	}
}
