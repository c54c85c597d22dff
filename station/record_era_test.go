package station_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/record"
	"detente/station"
	"detente/station/stationtest"
)

// A record of a line over two eras verifies as one: the note of succession is
// verified, and the release policy is carried over. Without the note, or with
// another, that is said.
// covers P19
func TestRecordOfEras(t *testing.T) {
	a, b, l := pair(t)
	now := start.Add(time.Minute)
	say := func(now time.Time) {
		t.Helper()
		out, err := a.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=good day")
		if err != nil {
			t.Fatal(err)
		}
		arrives(t, l, a, b, now, out.ID)
	}
	say(now)
	old := l.Log(arden, 1)
	cards, key, err := a.Cast.NextEra(old)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	if err := a.OpenEra(ctx, op, now, l, station.EraByChoice, cards, a.Cast.RootInfo.Key, key); err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
		t.Fatal(err)
	}
	say(now.Add(time.Minute))
	roots := []identity.Root{a.Cast.RootInfo, b.Cast.RootInfo}
	var files [2][]byte
	for i, e := range []stationtest.End{a, b} {
		var buf bytes.Buffer
		if err := e.Export(ctx, op, now, station.Export{Line: l.String(), Disclose: true}, &buf); err != nil {
			t.Fatal(err)
		}
		files[i] = buf.Bytes()
		if r := verify(t, files[i], roots); r.Verdict != record.Valid || r.Verified != r.Messages {
			t.Fatalf("exported by %s: %+v", e.Name(), r)
		}
	}
	const name = "successions/nrrc.arden.example-nrrc.boreal.example-N2.note"
	m := unpack(t, files[0])
	good := m[name]
	delete(m, name)
	found(t, verify(t, m.pack(t), roots), record.Indeterminate, record.CheckFork, "not in the record")
	for says, s := range map[string]identity.Succession{
		"another root": {Old: old, Size: 3, Root: identity.Sum([]byte("x")), Reason: "choice", New: l.Log(arden, 2), At: now},
	} {
		if m[name], err = identity.SignSuccession(key, s); err != nil {
			t.Fatal(err)
		}
		found(t, verify(t, m.pack(t), roots), record.Invalid, record.CheckFork, says)
	}
	m[name] = bytes.Replace(good, []byte(`"size":3`), []byte(`"size":2`), 1)
	found(t, verify(t, m.pack(t), roots), record.Invalid, record.CheckFork, "does not verify")
	for n := range m {
		if strings.HasPrefix(n, "ARD-BOR-N1/") {
			delete(m, n)
		}
	}
	m[name] = good
	m.index(t, func(x *indexOf) { x.Logs = x.Logs[1:] })
	found(t, verify(t, m.pack(t), roots), record.Indeterminate, record.CheckComplete, "not in the record")
}

// A size that a record claims costs its reader nothing: what lacks is named, the
// first entries one by one and the rest by its ends.
// covers P15 P19
func TestRecordClaimsASize(t *testing.T) {
	file, roots, _ := exported(t, station.Export{Disclose: true})
	m := unpack(t, file)
	m.index(t, func(x *indexOf) { x.Logs[0].Size = 1 << 62 })
	r := verify(t, m.pack(t), roots)
	found(t, r, record.Indeterminate, record.CheckComplete, "ARD/BOR-N1-4611686018427387903")
	if len(r.Findings) > 1100 {
		t.Errorf("%d findings", len(r.Findings))
	}
	m.index(t, func(x *indexOf) {
		x.Logs[0].Size, x.Logs[0].Indexes = int64(len(x.Logs[0].Indexes)), x.Logs[0].Indexes[1:]
	})
	found(t, verify(t, m.pack(t), roots), record.Invalid, record.CheckComplete, "not in the record")
}
