package station_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/record"
	"detente/station"
	"detente/station/stationtest"
)

// After an officer's key was stolen its party disowns what it says that it never
// meant. Both ends and the record of the line show that as contested; the record
// is as valid as before, since by its approvals the message counts.
// covers P10 P19
func TestContested(t *testing.T) {
	a, b, l := pair(t)
	says := func(n int, d station.Draft, typed ...string) message.ID {
		t.Helper()
		now := start.Add(time.Duration(n) * time.Minute)
		out, err := a.Say(ctx, now, d, typed...)
		if err != nil {
			t.Fatal(err)
		}
		if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
			t.Fatal(err)
		}
		return out.ID
	}
	forged := says(1, station.Draft{Line: l, Format: "600"}, "text=stop all work")
	meant := says(2, station.Draft{Line: l, Format: "600"}, "text=good day")
	m, err := a.ReadMessage(ctx, op, start.Add(2*time.Minute), forged)
	if err != nil {
		t.Fatal(err)
	}
	cite := a.Cite(m.Origin, m.Index)
	says(3, station.Draft{Line: l, Format: "033", Precedence: message.Flash, Refs: []message.ID{forged}},
		"key_id=ARD-01", "key_purpose=release", "suspect_since="+start.UTC().Format(time.RFC3339), "extent=listed", "affected="+cite, "channel=tel:+99960200")
	// One entry more of each side, so that the receipt of the last one is listed.
	says(4, station.Draft{Line: l, Format: "600"}, "text=good day")
	now := start.Add(5 * time.Minute)
	if _, err := b.Say(ctx, now, station.Draft{Line: l, Format: "600"}, "text=understood"); err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Settle(ctx, now, l, a, b); err != nil {
		t.Fatal(err)
	}
	for _, end := range []stationtest.End{a, b} {
		for id, want := range map[message.ID]bool{forged: true, meant: false} {
			v, err := end.Matter(ctx, op, now, id, now)
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(v.Timeline[0].Flags, dossier.FlagContested); got != want {
				t.Errorf("%s: contested: %v, flags %v", end.Name(), got, v.Timeline[0].Flags)
			}
		}
		if end.Name() == b.Name() {
			continue
		}
		for _, e := range []station.Export{{Line: l.String()}, {Dossier: forged.String()}} {
			e.Disclose = true
			var buf bytes.Buffer
			if err := end.Export(ctx, op, now, e, &buf); err != nil {
				t.Fatal(err)
			}
			r := verify(t, buf.Bytes(), []identity.Root{a.Cast.RootInfo, b.Cast.RootInfo})
			if len(r.Contested) != 1 || r.Contested[0].First != cite || r.Contested[0].Entries != 1 || r.Verdict == record.Invalid {
				t.Errorf("%s: %+v %v", r.Kind, r.Contested, r.Findings)
			}
		}
	}
}
