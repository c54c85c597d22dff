package main

import (
	"crypto/rand"
	"encoding/json/v2"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/line"
	"detente/station"
	"detente/station/stationtest"
	"detente/store"
)

// serveTest returns what callers reach of a real station that has no line yet.
func serveTest(t *testing.T) http.Handler {
	t.Helper()
	c, err := stationtest.NewCast(rand.Reader, now(), "arden.example", "ARD", "nrrc.boreal.example")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	blobs, err := store.OpenBlobDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	s := &serving{}
	s.station, err = station.New(t.Context(), now(), station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: line.NewMarkFile(filepath.Join(dir, "mark")), Blobs: blobs,
		Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(1, 2)),
	}, func(f station.Finish) (station.Store, error) {
		return store.Open(t.Context(), filepath.Join(dir, "store"), store.Options{Finish: f})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.station.Close(now()); err != nil {
			t.Error(err)
		}
	})
	return s.calls()
}

func fetchPath(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// Health is told in a word, or check by check.
func TestHealth(t *testing.T) {
	h := serveTest(t)
	for _, path := range []string{"/livez", "/healthz", "/readyz"} {
		if w := fetchPath(h, path); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	var verbose struct {
		Status string  `json:"status"`
		Checks []check `json:"checks"`
	}
	if err := json.Unmarshal(fetchPath(h, "/readyz?verbose").Body.Bytes(), &verbose); err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(verbose.Checks))
	for _, c := range verbose.Checks {
		names = append(names, c.Name)
	}
	if verbose.Status != "ok" || !slices.Equal(names, []string{"store", "clock", "keys"}) {
		t.Errorf("%+v", verbose)
	}
}

// A check that fails is named, with what to do.
func TestHealthNamesWhatFails(t *testing.T) {
	bad := []check{{Name: "store", OK: true}, checked("clock", station.ErrClockUnsafe), checked("keys", keysHold(identity.Card{To: time.Unix(0, 0)}, now()))}
	w := httptest.NewRecorder()
	answerHealth(w, httptest.NewRequest(http.MethodGet, "/readyz", nil), bad)
	if w.Code != http.StatusServiceUnavailable || !strings.HasPrefix(w.Body.String(), "clock: clock unsafe\nkeys: the card ended") || !strings.Contains(w.Body.String(), "station rotate") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	answerHealth(w, httptest.NewRequest(http.MethodGet, "/readyz?verbose", nil), bad)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"status":"not ok"`) {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if err := keysHold(identity.Card{To: now().Add(time.Hour)}, now()); err == nil || !strings.Contains(err.Error(), "no sealing key") {
		t.Errorf("a card without sealing keys: %v", err)
	}
}

// Metrics are ours by name, and name no content.
func TestMetrics(t *testing.T) {
	h := serveTest(t)
	text := fetchPath(h, "/metrics").Body.String()
	for _, want := range []string{`detente_build_info{`, "detente_clock_safe 1", "detente_card_ends_timestamp_seconds ", `detente_release_pending{precedence="FLASH"} 0`, "go_goroutines"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	var v build
	if err := json.Unmarshal(fetchPath(h, "/version").Body.Bytes(), &v); err != nil || v.Go == "" || v.Edition == "" {
		t.Errorf("version: %+v, %v", v, err)
	}
}

// The unit that is shipped runs a command that exists, with flags that exist,
// and is hardened.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile("../../packaging/systemd/detente.service")
	if err != nil {
		t.Fatal(err)
	}
	settings := make(map[string][]string)
	for l := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(l), "="); ok && !strings.HasPrefix(l, "#") {
			settings[name] = append(settings[name], value)
		}
	}
	words := strings.Fields(settings["ExecStart"][0])
	a := &app{out: io.Discard, err: io.Discard, env: func(string) string { return "" }}
	c, rest, err := a.root().Find(words[1:])
	if err != nil || c.Name() != "serve" {
		t.Fatalf("%v: %v", words, err)
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Errorf("%v: %v", rest, err)
	}
	if !slices.ContainsFunc(settings["LoadCredentialEncrypted"], func(v string) bool { return strings.HasPrefix(v, credential+":") }) {
		t.Errorf("the unit hands over no credential %s", credential)
	}
	for name, want := range map[string]string{
		"Type": "notify-reload", "WatchdogSec": "30", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "MemoryDenyWriteExecute": "yes",
		"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX", "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE", "PrivateDevices": "yes",
	} {
		if !slices.Contains(settings[name], want) {
			t.Errorf("%s is %v, not %s", name, settings[name], want)
		}
	}
}
