//go:build unix

package outlet_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"detente/interop/outlet"
)

func command(t *testing.T, argv ...string) *outlet.Command {
	t.Helper()
	c, err := outlet.NewCommand(outlet.CommandConfig{Argv: argv})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCommand runs a real command, which writes down what it was given.
func TestCommand(t *testing.T) {
	done := quiet(t)
	dir := t.TempDir()
	t.Setenv("SECRET_OF_THE_STATION", "hush")
	n := notice()
	n.Text += "\x1b[2J\r\n$(touch /x); \u202etxe"
	c := command(t, "/bin/sh", "-c", `cat > "$0/text"; env > "$0/env"; echo "$#" > "$0/args"`, dir)
	if err := c.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if text := read("text"); !strings.HasPrefix(text, n.Title+"\n\nالمحطة: \u2066nrrc.boreal.example\u2069\n") || strings.ContainsAny(text, "\x1b\r\u202e") || !strings.Contains(text, "$(touch /x)") {
		t.Errorf("text: %q", text)
	}
	env := read("env")
	for _, want := range []string{"DETENTE_ID=alarm-17", "DETENTE_CODE=alarm.peer-silent", "DETENTE_LEVEL=FLASH", "DETENTE_REF=ARD/BOR-N1-417", "DETENTE_STATION=" + station, "DETENTE_AT=2026-11-23T14:45:07Z", "DETENTE_LANG=ar", "DETENTE_TEST=\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("the environment lacks %q:\n%s", want, env)
		}
	}
	if strings.Contains(env, "hush") || strings.Contains(env, "HOME=") {
		t.Errorf("the station's environment leaks:\n%s", env)
	}
	if err := c.Notify(t.Context(), outlet.Test("test-1", station, "fr", at)); err != nil || !strings.Contains(read("env"), "DETENTE_TEST=1") {
		t.Errorf("test: %v", err)
	}
	done()
}

func TestCommandThatFails(t *testing.T) {
	e := failure(t, command(t, "/bin/sh", "-c", "echo no card; exit 3").Notify(t.Context(), notice()), `saying "no card\n"`)
	if !e.Again || !strings.Contains(e.Reason, "exit status 3") {
		t.Errorf("%+v", e)
	}
	e = failure(t, command(t, "/nonexistent/sounder").Notify(t.Context(), notice()), "/nonexistent/sounder")
	if e.Again || !errors.Is(e, os.ErrNotExist) {
		t.Errorf("%+v", e)
	}
	for _, argv := range [][]string{nil, {""}, {"aplay"}, {"./aplay"}, {"/bin/echo", "a\x00b"}} {
		if _, err := outlet.NewCommand(outlet.CommandConfig{Argv: argv}); err == nil {
			t.Errorf("configured: %q", argv)
		}
	}
}

// TestCommandThatSaysMuch writes without end, until its time is up.
//
// covers P14
func TestCommandThatSaysMuch(t *testing.T) {
	done := quiet(t)
	e := failure(t, command(t, "/usr/bin/yes").Notify(short(t), notice()), "did not answer in time")
	if len(e.Reason) > 8<<10 || !e.Again || !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("%d bytes of reason, %+v", len(e.Reason), e)
	}
	done()
}

// alive says whether a process runs. One that has ended and is not yet waited
// for by whoever inherited it runs no more.
func alive(t *testing.T, pidFile string) bool {
	t.Helper()
	raw, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// TestCommandLeavesNothing starts commands that leave a child behind, one that
// ends well and one that hangs: neither child outlives the call.
func TestCommandLeavesNothing(t *testing.T) {
	for name, script := range map[string]string{
		"ends well": `sleep 100 & echo $! > "$0"`,
		"hangs":     `sleep 100 & echo $! > "$0"; wait`,
		"detached":  `sleep 100 >/dev/null 2>&1 </dev/null & echo $! > "$0"`,
	} {
		t.Run(name, func(t *testing.T) {
			done := quiet(t)
			pid := filepath.Join(t.TempDir(), "pid")
			limit := time.Minute // a busy machine is no failure
			if name == "hangs" {
				limit = time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err := command(t, "/bin/sh", "-c", script, pid).Notify(ctx, notice())
			if (err != nil) != (name == "hangs") {
				t.Errorf("%v", err)
			}
			gone := time.After(10 * time.Second)
			for tick := time.NewTicker(2 * time.Millisecond); alive(t, pid); {
				select {
				case <-tick.C:
				case <-gone:
					t.Fatal("a child of the command still runs")
				}
			}
			done()
		})
	}
}
