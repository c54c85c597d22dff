package api_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"detente/api"
	"detente/internal/decodertest"
	"detente/station"
	"detente/station/stationtest"
)

// besieged is a station's API with a token of its operator, for requests that
// nobody should send.
type besieged struct {
	t            *testing.T
	url, present string
	line         string
}

func besiege(t *testing.T) besieged {
	t.Helper()
	c, err := stationtest.NewCast(rand.Reader, start, "arden.example", "ARD", "nrrc.boreal.example")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, c, t.TempDir())
	token := station.TokenPrefix + strings.Repeat("0f", 16)
	if err := s.AddToken(t.Context(), stationtest.Operator(), start, token, stationtest.Operator(), start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer((&api.Server{Station: s.Station, Now: func() time.Time { return start }, Version: "test"}).Handler())
	t.Cleanup(srv.Close)
	return besieged{t, srv.URL + "/api/v1", token, "nrrc.arden.example/nrrc.boreal.example/notification"}
}

// refuse sends a request that must be refused by a problem that is fit to show,
// and returns its status.
func (b besieged) refuse(what, method, path, contentType string, body []byte) (status int) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, bytes.NewReader(body))
	if err != nil {
		return 0 // no client sends it
	}
	req.Header.Set("Authorization", "Bearer "+b.present)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Errorf("%s: %v", what, err)
		return 0
	}
	defer resp.Body.Close()
	if resp.StatusCode < 400 || resp.StatusCode >= 500 {
		b.t.Errorf("%s: status %d", what, resp.StatusCode)
	}
	if resp.Header.Get("X-Injected") != "" || resp.Header.Get("Set-Cookie") != "" {
		b.t.Errorf("%s: a header was injected", what)
	}
	var problem struct{ Title, Detail string }
	if resp.Header.Get("Content-Type") != "application/problem+json" {
		return resp.StatusCode // it met no operation of the API
	}
	if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil || problem.Title == "" {
		b.t.Errorf("%s: a problem that says nothing: %v", what, err)
	}
	if problem.Detail != "" {
		decodertest.Refusal(b.t, &refusal{problem.Detail})
	}
	return resp.StatusCode
}

type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// No hostile body is a draft, and no hostile text a part of a path or a query:
// each is answered by a problem, and by no fault of the station.
// covers P14
func TestHostileRequests(t *testing.T) {
	b := besiege(t)
	good, err := json.Marshal(map[string]any{"line": b.line, "format": "600", "tlp": "AMBER", "params": map[string]string{"text": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	// A good draft gets as far as the line, which was never opened.
	read := b.refuse("a good draft", http.MethodPost, "/messages", "application/json", good)
	for what, body := range decodertest.JSON(good) {
		if status := b.refuse(what, http.MethodPost, "/messages", "application/json", body); status == read {
			t.Errorf("%s: it was read: status %d", what, status)
		}
	}
	b.refuse("another type", http.MethodPost, "/messages", "text/plain", good)
	b.refuse("ten megabytes", http.MethodPost, "/messages", "application/json", append(bytes.Repeat([]byte(" "), 10<<20), good...))
	for name, text := range decodertest.Texts() {
		if len(text) > 4096 {
			text = text[:4096] // longer ones no server reads as a request line
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"id", "line", "format", "precedence", "tlp", "pap", "language", "expires"} {
			if name == "nothing" && member != "line" && member != "format" && member != "tlp" {
				continue // it is absent
			}
			var draft map[string]json.RawMessage
			if err := json.Unmarshal(good, &draft); err != nil {
				t.Fatal(err)
			}
			draft[member] = quoted
			body, err := json.Marshal(draft)
			if err != nil {
				t.Fatal(err)
			}
			b.refuse(name+" as "+member, http.MethodPost, "/messages", "application/json", body)
		}
		if text != "" {
			b.refuse(name+" in a path", http.MethodGet, "/messages/"+url.PathEscape(text), "", nil)
			b.refuse(name+" in a query", http.MethodGet, "/messages?limit="+url.QueryEscape(text), "", nil)
		}
	}
}
