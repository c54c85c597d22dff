package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/identity"
	"detente/interop/outlet"
	"detente/line"
	"detente/station"
	"detente/station/stationtest"
	"detente/store"
	"detente/watch"
)

// unreached is a transport on which nobody is.
type unreached struct{}

func (unreached) Do(context.Context, identity.Station, line.Request) (line.Response, error) {
	return line.Response{}, &line.Error{Fault: line.Unreachable, Err: errors.New("not in this test")}
}

// An alarm of a running station reaches a sounder, a signed webhook and a
// printer, each in its language; the webhook fails once and is told again.
// covers P16
func TestOutletsThroughTheRunner(t *testing.T) {
	dir := t.TempDir()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	receiver, posts := receivePosts(t)
	paper := filepath.Join(dir, "paper")
	if err := os.Mkdir(paper, 0o700); err != nil {
		t.Fatal(err)
	}
	heard := filepath.Join(dir, "heard")
	c, err := stationtest.NewCast(rand.Reader, now(), "arden.example", "ARD", "nrrc.boreal.example")
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := watchOf(config{Station: string(c.Card.Station), Outlets: []outletConfig{
		{Name: "horn", Kind: "exec", Lang: "ru", Argv: []string{"/bin/sh", "-c", `cat >> "$0"`, heard}},
		{Name: "hook", Kind: "webhook", URL: receiver.URL, SecretFiles: []string{filepath.Join(dir, "secret")}, WithText: true, Lang: "fr"},
		{Name: "paper", Kind: "print", Dir: paper, Lang: "ar"},
	}}, c.Book, dir)
	if err != nil {
		t.Fatal(err)
	}
	begun := now()
	w.Disk = nil
	w.Others = func(time.Time) []watch.Condition {
		return []watch.Condition{{Key: watch.Key{Kind: watch.FlashUnread, Ref: "BOR/ARD-N1-7"}, Since: begun}}
	}
	s := watchingStation(t, c, dir, w)
	running, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	runner := &station.Runner{Station: s, Transport: unreached{}, Now: now, Log: slog.New(slog.DiscardHandler)}
	go func() { done <- runner.Run(running) }()
	waitTold(t, s, "horn", "hook", "paper")
	stop()
	if err := errors.Join(<-done, s.Close(now())); err != nil {
		t.Error(err)
	}
	p := <-posts
	parsed, err := outlet.ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := outlet.Verify([]outlet.Secret{parsed}, p.header, p.body, now(), time.Minute); err != nil {
		t.Errorf("the webhook's signature: %v", err)
	}
	if !strings.Contains(string(p.body), "alarm.flash-unacknowledged") || !strings.Contains(string(p.body), "BOR/ARD-N1-7") {
		t.Errorf("the webhook was told %s", p.body)
	}
	text, err := os.ReadFile(heard)
	if err != nil || !strings.Contains(string(text), "BOR/ARD-N1-7") || !strings.ContainsAny(string(text), "абвгдежзиклмнопрст") {
		t.Errorf("the sounder was told %q, %v", text, err)
	}
	if pages, err := os.ReadDir(paper); err != nil || len(pages) == 0 {
		t.Errorf("nothing was printed: %v", err)
	}
}

// post is a request that a receiver took.
type post struct {
	header http.Header
	body   []byte
}

// receivePosts takes what is posted, after it has refused the first.
func receivePosts(t *testing.T) (*httptest.Server, <-chan post) {
	posts := make(chan post, 16)
	first := true
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if first { // requests to one receiver come one at a time
			first = false
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		posts <- post{r.Header, body}
	}))
	t.Cleanup(receiver.Close)
	return receiver, posts
}

// watchingStation opens a station that has no line and keeps watch.
func watchingStation(t *testing.T, c *stationtest.Cast, dir string, w *station.Watch) *station.Station {
	t.Helper()
	blobs, err := store.OpenBlobDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := station.New(t.Context(), now(), station.Config{
		Root: c.RootInfo, Bundle: c.Bundle, Keys: c.Keys, Book: c.Book, Mark: line.NewMarkFile(filepath.Join(dir, "mark")), Blobs: blobs,
		Random: rand.Reader, Jitter: mathrand.New(mathrand.NewPCG(1, 2)), Watch: w,
	}, func(f station.Finish) (station.Store, error) {
		return store.Open(t.Context(), filepath.Join(dir, "store"), store.Options{Finish: f})
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// waitTold waits until each outlet was told something.
func waitTold(t *testing.T, s *station.Station, names ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		news := s.News()
		list, err := s.Outlets(ctx, itself)
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, o := range list {
			for _, n := range names {
				if o.Name == n && o.Told > 0 {
					told++
				}
			}
		}
		if told == len(names) {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("not all outlets were told: %+v", list)
		}
	}
}
