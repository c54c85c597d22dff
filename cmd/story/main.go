// Command story plays a year between two parties in the simulator, through the
// verbs that the API calls, and leaves in story-out where each side says that
// everything stands, the exported record, and where everything stands by that
// record alone: computed by the program, in a process of its own without a
// network. It ends with a line that says whether the three are one.
package main

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"detente/simulate"
)

// mostMemory is what a year is to be played in: two stations with their stores,
// what the oracle remembers, and the record as it is exported.
const mostMemory = 1500 << 20

func main() {
	debug.SetMemoryLimit(mostMemory)
	seed := flag.Uint64("seed", 1, "of the world")
	out := flag.String("out", "story-out", "the directory that is made anew")
	program := flag.String("program", "bin/detente", "what rebuilds the state from the record")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *seed, *out, *program); err != nil {
		fmt.Printf("story: %v\n", err)
		os.Exit(1)
	}
}

// files are where the files of a story lie.
type files struct {
	dir               string
	roots, agreements []string
}

func run(ctx context.Context, out io.Writer, seed uint64, dir, program string) error {
	told, err := simulate.Tell(ctx, simulate.StoryOptions{Seed: seed})
	for _, s := range told.Scenes {
		fmt.Fprintf(out, "  %s  %s\n", s.At.Format(time.DateOnly), s.What)
	}
	if err != nil {
		return err
	}
	f, err := leave(dir, told)
	if err != nil {
		return err
	}
	verified, err := f.verify(ctx, program)
	if err != nil {
		return err
	}
	if err := f.rebuild(ctx, out, program, told.At); err != nil {
		return err
	}
	arbiter, err := os.ReadFile(f.path("arbiter.state"))
	if err != nil {
		return err
	}
	n, err := count(arbiter)
	if err != nil {
		return err
	}
	equal, rebuilt := bytes.Equal(told.States["arden"], told.States["boreal"]), bytes.Equal(arbiter, told.States["arden"]) && bytes.Equal(arbiter, told.States["boreal"])
	word := "ok"
	if !equal || !rebuilt || !verified {
		word = "failed"
	}
	fmt.Fprintf(out, "story: %s messages=%d dossiers=%d obligations=%d late=%d equal=%s rebuilt=%s verified=%s\n", word, n.messages, n.dossiers, n.obligations, n.late, yes(equal), yes(rebuilt), yes(verified))
	if word != "ok" {
		return errors.New("the state files lie beside each other in " + dir)
	}
	return nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (f files) path(name string) string { return filepath.Join(f.dir, name) }

// leave makes the directory anew and puts into it what the year came to, but for
// what the program makes of it.
func leave(dir string, told simulate.Story) (files, error) {
	f := files{dir: dir}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return f, err
	}
	put := func(name string, text []byte) error { return os.WriteFile(f.path(name), text, 0o600) }
	err := put("line.record", told.Record)
	for name, text := range told.States {
		err = errors.Join(err, put(name+".state", text))
	}
	for _, name := range slices.Sorted(maps.Keys(told.Roots)) {
		err = errors.Join(err, put(name+".root", told.Roots[name]))
		f.roots = append(f.roots, "--root", f.path(name+".root"))
	}
	for _, name := range slices.Sorted(maps.Keys(told.Agreements)) {
		err = errors.Join(err, put(name+".json", told.Agreements[name]))
		f.agreements = append(f.agreements, "--agreement", f.path(name+".json"))
	}
	return f, err
}

// verify asks the program whether the record is valid.
func (f files) verify(ctx context.Context, program string) (bool, error) {
	text, err := exec.CommandContext(ctx, program, append([]string{"record", "verify", f.path("line.record"), "--json"}, f.roots...)...).Output()
	if _, judged := errors.AsType[*exec.ExitError](err); err != nil && !judged {
		return false, err
	}
	var report struct {
		Verdict string `json:"verdict"`
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return false, fmt.Errorf("the verdict on the record: %w", err)
	}
	return report.Verdict == "valid", nil
}

// rebuild has the program compute the state from the record: in a namespace
// without a network where the machine lets us make one.
func (f files) rebuild(ctx context.Context, out io.Writer, program string, at time.Time) error {
	args := append([]string{program, "record", "state", f.path("line.record"), "--at", at.UTC().Format(time.RFC3339), "--out", f.path("arbiter.state"), "--quiet"}, f.roots...)
	args = append(args, f.agreements...)
	alone := []string{"unshare", "--net"}
	if os.Geteuid() != 0 {
		alone = []string{"unshare", "--user", "--map-root-user", "--net"}
	}
	if exec.CommandContext(ctx, alone[0], append(alone[1:], "true")...).Run() == nil {
		args = append(alone, args...)
	} else {
		fmt.Fprintln(out, "story: no namespace without a network can be made here; the program is run as it is")
	}
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Env, c.Stderr = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir}, os.Stderr
	return c.Run()
}

// counted is what a state file holds.
type counted struct{ messages, dossiers, obligations, late int64 }

// count counts the messages that were received, the dossiers, and what was owed
// by the agreements: each period of what recurs is an obligation of its own. Late
// is what was met after it was due, or was not and is past.
func count(state []byte) (n counted, err error) {
	var s struct {
		Logs []struct {
			Size int64 `json:"size"`
		} `json:"logs"`
		Dossiers   []struct{} `json:"dossiers"`
		Agreements []struct {
			Agreement   string `json:"agreement"`
			Obligations []struct {
				Periods int64  `json:"periods"`
				State   string `json:"state"`
			} `json:"obligations"`
		} `json:"agreements"`
	}
	if err := json.Unmarshal(state, &s); err != nil {
		return n, fmt.Errorf("arbiter.state: %w", err)
	}
	for _, l := range s.Logs {
		n.messages += l.Size
	}
	n.dossiers = int64(len(s.Dossiers))
	for _, a := range s.Agreements {
		for _, o := range a.Obligations {
			n.obligations += o.Periods
			if o.State == "late" || o.State == "missed" || o.State == "late-time-disputed" || o.State == "evidence-outstanding" {
				n.late += o.Periods
			}
		}
	}
	return n, nil
}
