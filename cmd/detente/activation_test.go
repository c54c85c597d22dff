package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"detente/cmd/internal/rig"
)

// A station takes its sockets from systemd, by name: whoever calls while it starts
// anew waits in the socket, and is answered. A socket of another name is refused,
// and one of the API that is not on loopback too.
// covers P21
func TestSocketActivation(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	bin, err := exec.LookPath(program) // what TestMain has put into the path
	if err != nil {
		t.Fatal(err)
	}
	r, err := rig.New(ctx, bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	e := r.Ends[0]
	line, _ := socket(t)
	forAPI, api := socket(t)
	files := []*os.File{line, forAPI}
	serve := func(names string) *exec.Cmd {
		args := append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, bin, "station", "serve", "--data", e.Data, "--api", "127.0.0.1:1"}, e.Secrets()...)
		c := exec.CommandContext(ctx, "sh", args...)
		c.ExtraFiles = files
		c.Env = append(os.Environ(), "LISTEN_FDS=2", "LISTEN_FDNAMES="+names)
		return c
	}
	if text, err := serve("line:other").CombinedOutput(); err == nil || !strings.Contains(string(text), `named "other"`) {
		t.Errorf("a socket of another name: %s, %v", text, err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c := serve("line:api")
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+api+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req) // it is asked before the program listens to anything
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s, %v", resp.Status, err)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // ended by the signal
	said, err := os.ReadFile(log.Name())
	if err != nil || !strings.Contains(string(said), `"api":"`+api+`"`) {
		t.Errorf("%s, %v", said, err)
	}
}

// socket makes a listening socket as systemd hands it over, and says where.
func socket(t *testing.T) (*os.File, string) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = l.Close(), f.Close() })
	return f, l.Addr().String()
}
