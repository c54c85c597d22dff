package api_test

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"detente/api"
	"detente/station"
	"detente/station/stationtest"
)

// What is found by words comes in pages that a caller follows by their links;
// what its rights hide is a number.
func TestSearch(t *testing.T) {
	d := newDesk(t)
	for i, tlp := range []string{"AMBER", "AMBER", "RED"} {
		q := get[api.Queued](d, d.ask("POST", "/api/v1/messages", strings.Replace(draft(d.line, fmt.Sprintf("observed %d", i)), "AMBER", tlp, 1)))
		out, err := d.ends[0].Queue(t.Context(), stationtest.Operator(), start, station.Awaiting, 0, 0)
		if err != nil || len(out) != 1 || out[0].ID.String() != q.ID {
			t.Fatalf("%v, %v", out, err)
		}
		if err := d.ends[0].Approve(t.Context(), start, out[0].ID, 2); err != nil {
			t.Fatal(err)
		}
	}
	d.token = readerToken
	resp := d.ask("GET", "/api/v1/search?words=observed&limit=1&format=600&format=210&line="+d.line.String(), "")
	one := get[api.Hits](d, resp)
	if len(one.Hits) != 1 || one.Hits[0].Body != nil || one.Hits[0].Snippet == nil || one.Hits[0].Snippet.Match != "observed" || one.Next == "" {
		t.Errorf("%+v", one)
	}
	link, ok := strings.CutPrefix(resp.Header.Get("Link"), "<")
	path, _, _ := strings.Cut(link, ">")
	two := get[api.Hits](d, d.ask("GET", path, ""))
	if !ok || len(two.Hits) != 1 || two.Hits[0].ID == one.Hits[0].ID || one.Hidden+two.Hidden != 1 {
		t.Errorf("%q: %+v after %+v", path, two, one)
	}
	for query, kind := range map[string]string{
		"words=…": "invalid", "format=x": "invalid", "since=yesterday": "invalid", "line=x": "invalid", "precedence=x": "invalid", "after=x": "invalid", "direction=up": "invalid",
		"limit=0": "invalid", "words=" + strings.Repeat("w", 2000): "invalid", "after=7.1": "conflict", "ref=x": "invalid",
	} {
		status := http.StatusUnprocessableEntity
		if kind == "conflict" {
			status = http.StatusConflict
		}
		d.refused(d.ask("GET", "/api/v1/search?"+query, ""), status, kind)
	}
	d.refused(d.ask("PUT", "/api/v1/rights", `{"rights":[]}`), http.StatusForbidden, "refused")
	d.token = auditorToken
	d.refused(d.ask("GET", "/api/v1/search?words=observed", ""), http.StatusForbidden, "refused")
	d.token = operatorToken
	d.refused(d.ask("PUT", "/api/v1/rights", `{"rights":[{"tlp":"PINK","roles":["read"]}]}`), http.StatusUnprocessableEntity, "invalid")
	if resp := d.ask("PUT", "/api/v1/rights", `{"rights":[{"tlp":"AMBER","roles":["nobody"]}]}`); resp.StatusCode >= 300 {
		t.Errorf("rights: %s", resp.Status)
	}
	if h := get[api.Hits](d, d.ask("GET", "/api/v1/search?words=observed", "")); len(h.Hits) != 0 || h.Hidden < 3 {
		t.Errorf("with no rights: %+v", h)
	}
	if r := get[[]api.Right](d, d.ask("GET", "/api/v1/rights", "")); len(r) != 1 || r[0].TLP != "AMBER" {
		t.Errorf("rights: %+v", r)
	}
}

const beacon = `{"type":"bundle","id":"bundle--6f3c2a9e-3d1b-4a35-9a74-0d6f6a1b7c11","objects":[
{"type":"indicator","spec_version":"2.1","id":"indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","name":"Beacon","pattern":"[ipv4-addr:value = '192.0.2.7']","pattern_type":"stix","valid_from":"2026-11-01T00:00:00Z","confidence":80}]}`

// A bundle is read as it comes in, shown, listed and kept in custody; what is
// wrong with one is a problem that lists every finding with its place.
func TestBundles(t *testing.T) {
	d := newDesk(t)
	post := func(text string) *http.Response {
		return d.ask("POST", "/api/v1/blobs?line="+d.line.String(), text, "Content-Type", station.StixType)
	}
	for _, bad := range []string{"{", beacon + "x", strings.Replace(beacon, `"name"`, `"name":"a","name"`, 1), strings.Replace(beacon, "2026-11-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", 2), strings.Repeat("[", 1<<16)} {
		p := post(bad)
		if p.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s", p.Status)
		}
		var v struct {
			Errors []struct {
				Message string            `json:"message"`
				Value   api.BundleFinding `json:"value"`
			} `json:"errors"`
		}
		decode(t, p, &v)
		if len(v.Errors) == 0 || v.Errors[0].Value.Line == 0 || v.Errors[0].Value.Reason == "" || v.Errors[0].Value.Code == "" {
			t.Errorf("%.40s: %+v", bad, v)
		}
	}
	ref := get[struct {
		Hash string `json:"hash"`
	}](d, post(beacon))
	base := "/api/v1/evidence/" + ref.Hash
	b := get[api.Bundle](d, d.ask("GET", base+"?lang=en,ar", ""))
	if len(b.Objects) != 1 || len(b.Objects[0].Hash) != 64 || len(b.Texts) != 2 || b.Size != int64(len(beacon)) {
		t.Errorf("%+v", b)
	}
	if i := get[[]api.Indicator](d, d.ask("GET", base+"/indicators", "")); len(i) != 1 || i[0].Value != "192.0.2.7" || i[0].Confidence == nil || *i[0].Confidence != 80 {
		t.Errorf("%+v", i)
	}
	c := get[api.Custody](d, d.ask("POST", base+"/custody", `{"act":"released","result":"to the court"}`))
	if n := len(c.Events); n < 3 || c.Events[n-1].Act != "released" || c.Events[n-1].Prev == "" {
		t.Errorf("%+v", c)
	}
	if again := get[api.Custody](d, d.ask("GET", base+"/custody", "")); again.Head != c.Head {
		t.Errorf("%+v, and then %+v", c, again)
	}
	d.refused(d.ask("POST", base+"/custody", `{"act":"sent"}`), http.StatusUnprocessableEntity, "invalid")
	d.refused(d.ask("POST", base+"/custody", `{"act":"examined"}`), http.StatusConflict, "conflict")
	d.refused(d.ask("GET", base+"?lang=xx", ""), http.StatusUnprocessableEntity, "invalid")
	d.refused(d.ask("GET", base+"/feedback?message=x", ""), http.StatusUnprocessableEntity, "invalid")
	d.refused(d.ask("GET", "/api/v1/evidence/x", ""), http.StatusUnprocessableEntity, "invalid")
	for _, sub := range []string{"", "/indicators", "/custody"} {
		d.refused(d.ask("GET", "/api/v1/evidence/"+strings.Repeat("0", 64)+sub, ""), http.StatusNotFound, "not-found")
	}
	d.token = auditorToken
	d.refused(d.ask("GET", base, ""), http.StatusForbidden, "refused")
	d.refused(d.ask("POST", base+"/custody", `{"act":"examined"}`), http.StatusForbidden, "refused")
}

// decode reads a problem's JSON.
func decode(t *testing.T, resp *http.Response, v any) {
	t.Helper()
	if err := json.UnmarshalRead(resp.Body, v); err != nil {
		t.Fatal(err)
	}
}
