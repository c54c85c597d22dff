package api_test

import (
	"net/http"
	"testing"

	"detente/api"
	"detente/dossier"
	"detente/message"
	"detente/station"
)

// Matters are listed by each kind that there is.
func TestMatterKinds(t *testing.T) {
	d := newDesk(t)
	words, err := dossier.Words()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range words["kind"].Codes {
		if resp := d.ask("GET", "/api/v1/matters?kind="+c.Code, ""); resp.StatusCode != http.StatusOK {
			t.Errorf("matters of the kind %s: %s", c.Code, resp.Status)
		}
	}
}

// A claim shows each fact with what was said to it, a report each state that it
// names, a proposal of publication each message.
// covers P10 P20
func TestStated(t *testing.T) {
	d := newDesk(t)
	answer := func(end int, of message.ID, f message.Format, typed ...string) {
		t.Helper()
		if _, err := d.ends[end].Say(t.Context(), start, station.Draft{Line: d.line, Format: f, Refs: []message.ID{of}}, typed...); err != nil {
			t.Fatal(err)
		}
		d.settle()
		d.say(1-end, "600", "text=good day")
	}
	show := func(id message.ID) api.MatterDetail {
		return get[api.MatterDetail](d, d.ask("GET", "/api/v1/matters/"+id.String(), ""))
	}
	claim := d.say(1, "270", "claim_no=B-1", "basis=none", "urgency=ordinary", "evidence_level=1", "technical=none", "political=none", "remedies=record", "by=2026-11-30T00:00:00Z",
		"facts=from=2026-11-22T10:00:00Z;asset=domain:grid.boreal.example;act=scanning;effect=1;level=1", "facts=from=2026-11-22T11:00:00Z;asset=asn:64496;act=other;effect=0;level=0")
	answer(0, claim, "271", "facts=fact=2;answer=not-ours")
	m := show(claim)
	if len(m.Facts) != 2 || m.Facts[0].Standing != "unanswered" || m.Facts[1].Standing != "contested" || m.Facts[1].N != 2 || m.Facts[1].Said["asset"] != "asn:64496" ||
		len(m.Facts[1].Answers) != 1 || m.Facts[1].Answers[0].Code != "not-ours" || m.Facts[1].Answers[0].Citation == "" || m.Facts[0].Citation != m.Citation {
		t.Errorf("the claim's facts are %+v", m.Facts)
	}
	proposal := d.say(1, "390", "serials="+m.Citation, "form=full", "at=2027-02-01T00:00:00Z", "where=both", "by=2027-01-01T00:00:00Z")
	if m := show(proposal); len(m.Serials) != 1 || m.Serials[0].Form != "full" || m.Serials[0].Answer != "" {
		t.Errorf("the messages proposed are %+v", m.Serials)
	}
	answer(0, proposal, "391", "decision=all", "answers="+m.Citation+"/consent")
	if m := show(proposal); m.Stage != "publication-agreed" || m.Serials[0].Answer != "consent" || m.Serials[0].By == "" {
		t.Errorf("the messages proposed are %+v at %s", m.Serials, m.Stage)
	}
}
