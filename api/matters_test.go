package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/message"
	"detente/station"
)

// say lets Boreal or Arden say something, and the other test the line, so that the
// receipt stands in the record.
func (d *desk) say(end int, f message.Format, typed ...string) message.ID {
	d.t.Helper()
	out, err := d.ends[end].Say(d.t.Context(), start, station.Draft{Line: d.line, Format: f}, typed...)
	if err != nil {
		d.t.Fatal(err)
	}
	d.settle()
	test := []string{"check_groups=12345", "test_no=" + start.Format(time.RFC3339), "text_id=T1", "bearer=direct"}
	if _, err := d.ends[1-end].Say(d.t.Context(), start, station.Draft{Line: d.line, Format: "010"}, test...); err != nil {
		d.t.Fatal(err)
	}
	d.settle()
	return out.ID
}

// Matters and obligations come as of any second, in parts, and by any of a
// matter's messages.
// covers P10 P20
func TestMatters(t *testing.T) {
	d := newDesk(t)
	var asked message.ID
	for range 3 {
		asked = d.say(1, "210", "kind=scanning", "window=2026-11-23T13:00:00Z/2026-11-23T14:00:00Z", "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1",
			"concern=origin", "ask=inform", "by=2026-11-24T14:00:00Z")
	}
	seen := make(map[string]bool)
	path := "/api/v1/matters?kind=incident&owes=own&at=2026-11-23T15:00:00Z&limit=2&line=" + d.line.String()
	for path != "" {
		resp := d.ask("GET", path, "")
		next := resp.Header.Get("Link")
		for _, m := range get[[]api.Matter](d, resp) {
			if seen[m.ID] || m.Stage != "inquired" || m.Next == nil || m.Next.Side != "own" || m.Owed == 0 {
				t.Errorf("%+v", m)
			}
			seen[m.ID] = true
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(next, "<"), ">")
	}
	if len(seen) != 3 || !seen[asked.String()] {
		t.Errorf("listed are %v", seen)
	}
	m := get[api.MatterDetail](d, d.ask("GET", "/api/v1/matters/"+asked.String()+"?at=2026-11-24T15:00:00Z", ""))
	if m.Kind != "incident" || len(m.Timeline) != 1 || len(m.Duties) == 0 || len(m.Moves) == 0 || m.Timeline[0].Replies[0] != "211" || m.Timeline[0].Citation != "BOR/ARD-N1-4" {
		t.Errorf("%+v", m)
	}
	list := get[[]api.Obligation](d, d.ask("GET", "/api/v1/obligations?overdue=true&owes=own&at=2026-11-24T15:00:00Z", ""))
	late := 0
	for _, o := range list {
		if o.Act == "answered" && o.State == "missed" && o.LateSeconds == 3600 && o.Formats[0] == "211" {
			late++
		}
	}
	if late != 3 {
		t.Errorf("an hour late are %d of %+v", late, list)
	}
	st := get[api.State](d, d.ask("GET", "/api/v1/state?at=2026-11-24T15:00:00Z&line="+d.line.String(), ""))
	there, err := d.ends[1].Whole(t.Context(), station.Actor{Name: "desk", Roles: []string{station.RoleRead}}, start, d.line, start.Add(25*time.Hour))
	if err != nil || st.MattersDigest != there.Digest().String() || st.Matters != len(there.Dossiers) {
		t.Errorf("the stations differ: %+v, %v", st, err)
	}
	for _, bad := range []string{"/matters?kind=blame", "/matters?line=x", "/matters/x", "/obligations?owes=all", "/obligations?at=yesterday", "/obligations?limit=501"} {
		if resp := d.ask("GET", "/api/v1"+bad, ""); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s", bad, resp.Status)
		}
	}
	if resp := d.ask("GET", "/api/v1/matters/"+strings.Repeat("0", 32), ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a matter that nobody knows: %s", resp.Status)
	}
}
