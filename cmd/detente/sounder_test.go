package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"detente/interop/outlet"
)

// A sounder sounds for what is not acknowledged and not silenced, and says no
// more until it is due again; a station that is lost is sounded for too.
// covers P16
func TestSounder(t *testing.T) {
	open, quiet := 1, ""
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/stream") {
			fmt.Fprint(w, "event: hb\ndata: {}\n\nevent: event\ndata: {}\n\n")
			return
		}
		fmt.Fprintf(w, `{"station":"nrrc.arden.example","groups":[{"kind":"missed-test","line":"x","level":"PRIORITY","count":1,"open":%d,"since":"2026-11-24T02:00:00Z"}],"alarms":[{"kind":"missed-test","line":"x","level":"PRIORITY","since":"2026-11-24T02:00:00Z","count":1,"stands":true%s}]}`, open, quiet)
	}))
	defer api.Close()
	heard := filepath.Join(t.TempDir(), "heard")
	command, err := outlet.NewCommand(outlet.CommandConfig{Argv: []string{"/bin/sh", "-c", `echo "$DETENTE_CODE" >> "$0"`, heard}})
	if err != nil {
		t.Fatal(err)
	}
	s := &sounder{app: &app{out: io.Discard, err: io.Discard}, out: command, station: "nrrc.arden.example"}
	cl := &client{base: api.URL, token: "x"}
	sounded := func(want string) {
		t.Helper()
		got, err := os.ReadFile(heard)
		if err != nil && !os.IsNotExist(err) || string(got) != want {
			t.Fatalf("heard %q, %v; want %q", got, err, want)
		}
	}
	look := func() {
		t.Helper()
		if err := s.look(t.Context(), cl); err != nil {
			t.Fatal(err)
		}
	}
	open = 0
	look()
	sounded("")
	open, quiet = 1, `,"silenced_until":"`+now().Add(time.Minute).UTC().Format(time.RFC3339)+`"`
	look()
	sounded("")
	quiet = ""
	look()
	look() // within fifteen seconds: it has sounded
	sounded("alarm.missed-test\n")
	s.last = time.Time{}
	s.lost(t.Context(), io.ErrUnexpectedEOF)
	sounded("alarm.missed-test\nalarm.stale-screen\n")

	var beats []bool
	var ended error
	for beat, err := range cl.beats(context.Background()) {
		if err != nil {
			ended = err
			break
		}
		beats = append(beats, beat)
	}
	if fmt.Sprint(beats) != "[true false]" || ended == nil {
		t.Errorf("beats %v, ended by %v", beats, ended)
	}
}
