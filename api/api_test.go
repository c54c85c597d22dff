package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
	"detente/station/stationtest"
	"detente/store"
)

var start = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)

const (
	operatorToken = "det_0123456789abcdef0123456789abcdef"
	readerToken   = "det_fedcba9876543210fedcba9876543210"
	auditorToken  = "det_00112233445566778899aabbccddeeff"
)

// desk is Arden's station behind its API, with Boreal at the line's other end.
type desk struct {
	t     *testing.T
	ends  [2]stationtest.End
	line  identity.Line
	url   string
	token string
	dirs  [2]string
}

func open(t *testing.T, c *stationtest.Cast, dir string) stationtest.End {
	t.Helper()
	blobs, err := store.OpenBlobDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := station.New(t.Context(), start, station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: line.NewMarkFile(filepath.Join(dir, "mark")), Blobs: blobs,
		Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(1, 2)),
	}, func(f station.Finish) (station.Store, error) {
		return store.Open(t.Context(), filepath.Join(dir, "store"), store.Options{Finish: f})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(start); err != nil {
			t.Error(err)
		}
	})
	return stationtest.End{Station: s, Cast: c}
}

// newDesk sets up two stations with an open line, and the API of the first.
func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, token: operatorToken}
	names := [2]identity.Station{"nrrc.arden.example", "nrrc.boreal.example"}
	for i, party := range []string{"arden.example", "boreal.example"} {
		c, err := stationtest.NewCast(rand.Reader, start, party, []identity.Code{"ARD", "BOR"}[i], names[1-i])
		if err != nil {
			t.Fatal(err)
		}
		d.dirs[i] = t.TempDir()
		d.ends[i] = open(t, c, d.dirs[i])
	}
	var err error
	if d.line, err = identity.NewLine(names[0], names[1], identity.Notification); err != nil {
		t.Fatal(err)
	}
	if err := stationtest.Introduce(t.Context(), start, d.ends[0], d.ends[1]); err != nil {
		t.Fatal(err)
	}
	for _, e := range d.ends {
		if err := errors.Join(e.OpenLine(t.Context(), start, d.line, station.DefaultTerms()), e.Tick(t.Context(), start)); err != nil {
			t.Fatal(err)
		}
	}
	d.settle()
	for token, roles := range map[string][]string{
		operatorToken: {station.RoleOperator, station.RoleDraft, station.RoleRead, station.RoleAudit}, readerToken: {station.RoleRead}, auditorToken: {station.RoleAudit},
	} {
		if err := d.ends[0].AddToken(t.Context(), stationtest.Operator(), start, token, station.Actor{Name: "desk", Roles: roles}, start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	s := &api.Server{Station: d.ends[0].Station, Now: func() time.Time { return start }, Version: "test"}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *desk) settle() {
	d.t.Helper()
	if err := stationtest.Settle(d.t.Context(), start, d.line, d.ends[0], d.ends[1]); err != nil {
		d.t.Fatal(err)
	}
}

// ask calls the API; body is JSON text, or empty.
func (d *desk) ask(method, path, body string, headers ...string) *http.Response {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// get decodes an answer that has to be a success.
func get[T any](d *desk, resp *http.Response) (v T) {
	d.t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		d.t.Fatalf("%s: %s, %v", resp.Status, text, err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		d.t.Fatalf("%v: %s", err, text)
	}
	return v
}

// refused demands a problem of a type.
func (d *desk) refused(resp *http.Response, status int, kind string) {
	d.t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &p, json.MatchCaseInsensitiveNames(true)); err != nil {
		d.t.Fatalf("%v: %s", err, text)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" || resp.StatusCode != status || p.Status != status || p.Type != api.ProblemPrefix+kind || p.Title == "" || p.Detail == "" {
		d.t.Errorf("%s %s: %s; not %d %s", ct, resp.Status, text, status, kind)
	}
}

func draft(l identity.Line, text string) string {
	return fmt.Sprintf(`{"line":%q,"format":"600","tlp":"AMBER","params":{"text":%q}}`, l, text)
}

// The document is OpenAPI 3.1 and describes every path with an id, words and
// the token.
func TestDocument(t *testing.T) {
	d := newDesk(t)
	d.token = ""
	doc := get[struct {
		OpenAPI  string                               `json:"openapi"`
		Security []map[string][]string                `json:"security"`
		Paths    map[string]map[string]map[string]any `json:"paths"`
	}](d, d.ask("GET", "/api/openapi.json", ""))
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("openapi %s", doc.OpenAPI)
	}
	if len(doc.Security) == 0 || len(doc.Paths) < 25 {
		t.Errorf("%d paths under %v", len(doc.Paths), doc.Security)
	}
	for path, operations := range doc.Paths {
		if !strings.HasPrefix(path, "/api/v1/") {
			t.Errorf("%s lies outside the version", path)
		}
		for method, o := range operations {
			if o["operationId"] == nil || o["summary"] == nil || o["responses"] == nil {
				t.Errorf("%s %s: too little is said of it", method, path)
			}
		}
	}
	for _, path := range []string{"/api/v1/messages", "/api/v1/blobs", "/api/v1/blobs/{hash}", "/api/v1/records", "/api/v1/stream"} {
		if doc.Paths[path] == nil {
			t.Errorf("%s is not described", path)
		}
	}
}

// Who does not sign in is told to; who may not is refused.
// covers P9
func TestSignIn(t *testing.T) {
	d := newDesk(t)
	for _, token := range []string{"", "det_ffffffffffffffffffffffffffffffff", strings.Repeat("x", 5000)} {
		d.token = token
		d.refused(d.ask("GET", "/api/v1/lines", ""), http.StatusUnauthorized, "not-signed-in")
		d.refused(d.ask("GET", "/api/v1/records?line=x", ""), http.StatusUnauthorized, "not-signed-in")
		d.refused(d.ask("GET", "/api/v1/stream", ""), http.StatusUnauthorized, "not-signed-in")
	}
	d.token = readerToken
	get[[]api.Line](d, d.ask("GET", "/api/v1/lines", ""))
	d.refused(d.ask("POST", "/api/v1/messages", draft(d.line, "good day")), http.StatusForbidden, "refused")
	d.refused(d.ask("GET", "/api/v1/audit", ""), http.StatusForbidden, "refused")
	d.refused(d.ask("POST", "/api/v1/doctor", "{}"), http.StatusForbidden, "refused")
	d.refused(d.ask("POST", "/api/v1/tokens", `{"token":"det_00000000000000000000000000000000","actor":"x","roles":["operator"],"until":"2027-01-01T00:00:00Z"}`), http.StatusForbidden, "refused")
	d.refused(d.ask("POST", "/api/v1/eras", `{"line":"x","reason":"choice","cards":"eA=="}`), http.StatusForbidden, "refused")
	d.token = auditorToken
	d.refused(d.ask("GET", "/api/v1/state?line="+d.line.String(), ""), http.StatusForbidden, "refused")
	d.refused(d.ask("GET", "/api/v1/peers/nrrc.boreal.example/digits", ""), http.StatusForbidden, "refused")
	d.refused(d.ask("GET", "/api/v1/peers/nrrc.boreal.example/confirmation", ""), http.StatusForbidden, "refused")
	d.token = readerToken
	// A page of another origin gets nothing done with what a browser holds.
	if resp := d.ask("POST", "/api/v1/messages", draft(d.line, "x"), "Sec-Fetch-Site", "cross-site"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("from another origin: %s", resp.Status)
	}
}

// What is wrong has a type that stays, and says what is wrong.
func TestProblems(t *testing.T) {
	d := newDesk(t)
	const nobody = "00000000000000000000000000000000"
	for _, c := range []struct {
		method, path, body string
		status             int
		kind               string
	}{
		{"GET", "/api/v1/messages/" + nobody, "", 404, "not-found"},
		{"GET", "/api/v1/messages/xyz", "", 422, "invalid"},
		{"GET", "/api/v1/releases/" + nobody, "", 404, "not-found"},
		{"POST", "/api/v1/queue/" + nobody + "/withdraw", "{}", 404, "not-found"},
		{"GET", "/api/v1/queue?state=asleep", "", 422, "invalid"},
		{"GET", "/api/v1/messages?limit=100000", "", 422, "invalid"},
		{"POST", "/api/v1/messages", "{", 400, "bad-request"},
		{"POST", "/api/v1/messages", `{"line":"x"}`, 422, "invalid"},
		{"POST", "/api/v1/messages", draft(d.line, ""), 422, "invalid"},
		{"POST", "/api/v1/messages", strings.Replace(draft(d.line, "x"), `"600"`, `"999"`, 1), 422, "invalid"},
		{"POST", "/api/v1/lines", fmt.Sprintf(`{"line":%q}`, d.line), 409, "conflict"},
		{"POST", "/api/v1/releases/" + nobody + "/approvals", "{}", 422, "invalid"},
		{"POST", "/api/v1/peers/nrrc.boreal.example/digits", `{"typed":"00000"}`, 403, "refused"},
		{"GET", "/api/v1/peers/nrrc.cassia.example/digits", "", 404, "not-found"},
		{"POST", "/api/v1/blobs?line=nowhere", "x", 422, "invalid"},
		{"GET", "/api/v1/blobs/" + strings.Repeat("0", 64), "", 404, "not-found"},
		{"GET", "/api/v1/records?message=" + nobody, "", 404, "not-found"},
		{"GET", "/api/v1/entries?log=nowhere&index=0", "", 422, "invalid"},
		{"POST", "/api/v1/backup", `{"to":"x"}`, 500, "internal"},
	} {
		resp := d.ask(c.method, c.path, c.body)
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			inner := *d
			inner.t = t
			inner.refused(resp, c.status, c.kind)
		})
	}
}

// A message goes through the API as an officer sends it: submitted once however
// often it is repeated, signed by two, delivered, read in two languages.
// covers P4 P5
func TestMessage(t *testing.T) {
	d := newDesk(t)
	q := get[api.Queued](d, d.ask("POST", "/api/v1/messages", draft(d.line, "good day"), "Idempotency-Key", "morning"))
	again := get[api.Queued](d, d.ask("POST", "/api/v1/messages", draft(d.line, "good day"), "Idempotency-Key", "morning"))
	if q.ID != again.ID || q.State != "awaiting" || again.Order != q.Order {
		t.Errorf("repeated: %+v, then %+v", q, again)
	}
	d.refused(d.ask("POST", "/api/v1/messages", draft(d.line, "good night"), "Idempotency-Key", "morning"), http.StatusConflict, "conflict")
	if other := get[api.Queued](d, d.ask("POST", "/api/v1/messages", draft(d.line, "good day"), "Idempotency-Key", "evening")); other.ID == q.ID {
		t.Error("another key gave the same message")
	}
	for n, o := range d.ends[0].Cast.Officers[:2] {
		r := get[api.Release](d, d.ask("GET", "/api/v1/releases/"+q.ID, ""))
		if r.Have != n || r.Need != 2 {
			t.Fatalf("%d of %d", r.Have, r.Need)
		}
		q = get[api.Queued](d, d.ask("POST", "/api/v1/releases/"+q.ID+"/approvals", string(sign(d, o, r))))
	}
	if q.State != "waiting" && q.State != "appended" {
		t.Fatalf("%+v", q)
	}
	d.settle()
	m := get[api.Message](d, d.ask("GET", "/api/v1/messages/"+q.ID+"?lang=en,ar", ""))
	if m.Receipt == nil || !strings.Contains(m.Texts["en"], "good day") || !strings.Contains(m.Texts["ar"], "good day") || m.Citation != "ARD/BOR-N1-2" {
		t.Errorf("%+v", m)
	}
	entry := get[api.Message](d, d.ask("GET", fmt.Sprintf("/api/v1/entries?log=%s&index=%d", m.Log, m.Index), ""))
	if entry.ID != m.ID {
		t.Errorf("the entry is %+v", entry)
	}
	resp := d.ask("GET", "/api/v1/records?disclose=true&message="+q.ID, "")
	if text, err := io.ReadAll(resp.Body); err != nil || resp.Header.Get("Content-Type") != "application/zip" || !bytes.HasPrefix(text, []byte("PK")) {
		t.Errorf("the record: %s, %v", resp.Status, err)
	}
}

// sign signs a request for release as an officer's own machine does.
func sign(d *desk, o stationtest.Officer, r api.Release) []byte {
	d.t.Helper()
	f, err := message.ParseBody(r.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	id, err := message.ParseID(r.Request)
	if err != nil {
		d.t.Fatal(err)
	}
	policy, err := identity.ParseDigest(r.Policy)
	if err != nil {
		d.t.Fatal(err)
	}
	a, err := o.Sign(identity.Request{Body: f.Digest(), ID: id, Policy: policy, Role: "releasing", Decision: "approve", Expires: r.Expires})
	if err != nil {
		d.t.Fatal(err)
	}
	return a.Bytes()
}

// Following the links of a list, whatever its length, one sees each row once.
func TestPages(t *testing.T) {
	d := newDesk(t)
	const messages = 5
	for i := range messages {
		get[api.Queued](d, d.ask("POST", "/api/v1/messages", draft(d.line, fmt.Sprint(i))))
	}
	for path, want := range map[string]int{"/api/v1/queue?state=awaiting&limit=2": messages, "/api/v1/messages?limit=2": 4, "/api/v1/audit?limit=7": 0} {
		seen := make(map[string]bool)
		parts := 0
		for next := path; next != ""; parts++ {
			resp := d.ask("GET", next, "")
			rows := get[[]map[string]any](d, resp)
			for _, r := range rows {
				key := fmt.Sprint(r["id"], r["seq"], r["number"])
				if seen[key] {
					t.Errorf("%s: %s stands twice", path, key)
				}
				seen[key] = true
			}
			next, _ = strings.CutSuffix(strings.TrimPrefix(resp.Header.Get("Link"), "<"), `>; rel="next"`)
			if parts > 200 {
				t.Fatalf("%s has no end", path)
			}
			if strings.Contains(path, "audit") && parts > 3 { // reading it makes it longer
				break
			}
		}
		if want > 0 && len(seen) != want || parts < 2 {
			t.Errorf("%s: %d rows in %d parts, not %d", path, len(seen), parts, want)
		}
	}
}

// event is one of the stream.
type event struct{ id, name, data string }

// follow reads events from a stream until one has the name, or names something.
func (d *desk) follow(until, query string, headers ...string) (all []event) {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.t.Context(), 10*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/api/v1/stream"+query, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" {
		d.t.Fatalf("%s %s", resp.Status, ct)
	}
	var e event
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			all = append(all, e)
			if e.name == until || strings.Contains(e.data, until) {
				return all
			}
			e = event{}
		}
	}
	d.t.Fatalf("the stream ended after %d events, before %q: %v", len(all), until, lines.Err())
	return nil
}

// A stream begins with a heartbeat, resumes behind the last event seen, repeats
// and leaves out none, and says so where it cannot.
func TestStream(t *testing.T) {
	d := newDesk(t)
	q := get[api.Queued](d, d.ask("POST", "/api/v1/messages", draft(d.line, "good day")))
	get[api.Queued](d, d.ask("POST", "/api/v1/queue/"+q.ID+"/withdraw", `{"reason":"the end"}`))
	all := d.follow(q.ID, "")
	if all[0].name != "hb" || len(all) < 3 {
		t.Fatalf("%+v", all)
	}
	last := all[len(all)-1]
	middle := all[len(all)/2]
	if middle.id == "" {
		t.Fatalf("%+v has no id", middle)
	}
	rest := d.follow(q.ID, "", "Last-Event-ID", middle.id)
	if len(rest)-1 != len(all)-1-len(all)/2 || rest[0].name != "hb" || rest[len(rest)-1] != last {
		t.Errorf("resumed at %s: %+v of %+v", middle.id, rest, all)
	}
	if again := d.follow(q.ID, "?after="+middle.id); len(again) != len(rest) {
		t.Errorf("resumed by query: %d events, not %d", len(again), len(rest))
	}
	newest, err := d.ends[0].LastEvent(t.Context(), stationtest.Operator())
	if err != nil {
		t.Fatal(err)
	}
	lost := d.follow("resync", "?after=100000000")
	if e := lost[len(lost)-1]; e.id != fmt.Sprint(newest) {
		t.Errorf("a reader who is ahead of the store is told to go on from %+v, and the newest event is %d", e, newest)
	}
}

// Evidence goes in and comes out as it was.
func TestBlob(t *testing.T) {
	d := newDesk(t)
	content := strings.Repeat("evidence ", 1000)
	ref := get[struct {
		Hash string `json:"hash"`
		Size int64  `json:"size"`
	}](d, d.ask("POST", "/api/v1/blobs?line="+d.line.String(), content, "Content-Type", "text/plain"))
	resp := d.ask("GET", "/api/v1/blobs/"+ref.Hash, "")
	text, err := io.ReadAll(resp.Body)
	if err != nil || string(text) != content || resp.Header.Get("Content-Disposition") != "attachment" {
		t.Errorf("%s: %d bytes, %v", resp.Status, len(text), err)
	}
}

// What operators ask for beyond messages.
func TestUpkeep(t *testing.T) {
	d := newDesk(t)
	if found := get[[]api.Finding](d, d.ask("POST", "/api/v1/doctor", "{}")); len(found) != 0 {
		t.Errorf("doctor: %+v", found)
	}
	lines := get[[]api.Line](d, d.ask("GET", "/api/v1/lines", ""))
	if len(lines) != 1 || lines[0].State != "open" || lines[0].Own.Size != 2 || lines[0].Own.Cosigned != 2 {
		t.Errorf("%+v", lines)
	}
	st := get[api.State](d, d.ask("GET", "/api/v1/state?line="+d.line.String(), ""))
	there, err := d.ends[1].State(t.Context(), stationtest.Operator(), d.line)
	if err != nil || st.Digest != there.Digest().String() {
		t.Errorf("the stations differ: %+v, %v", st, err)
	}
	if resp := d.ask("POST", "/api/v1/officers/ARD-03/revoke", "{}"); resp.StatusCode != http.StatusNoContent {
		t.Errorf("revoke: %s", resp.Status)
	}
	officers := get[[]api.Officer](d, d.ask("GET", "/api/v1/officers", ""))
	if len(officers) != 3 || officers[2].Revoked == nil {
		t.Errorf("%+v", officers)
	}
	held := get[api.Peer](d, d.ask("POST", "/api/v1/peers/nrrc.boreal.example/hold", "{}"))
	if peers := get[[]api.Peer](d, d.ask("GET", "/api/v1/peers", "")); held.State != "held" || len(peers) != 1 || peers[0].State != held.State {
		t.Errorf("%+v, %+v", held, peers)
	}
}
