package main

import (
	"context"
	"database/sql"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"detente/cmd/internal/rig"
	"detente/seal"

	"github.com/rogpeppe/go-internal/testscript"
)

// program is the name under which scripts find the real main; the command
// detente of the scripts runs it and keeps its exit code.
const program = "detente-program"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){program: main})
}

// TestScripts drives the program as those do who use it. The commands that the
// scripts have beyond testscript's own are those of duty, below.
// covers P4 P5 P19
func TestScripts(t *testing.T) {
	d := duty{}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LINE", "nrrc.arden.example/nrrc.boreal.example/notification")
			env.Values[stageKey{}] = &stage{}
			id, err := seal.GenerateIdentity()
			if err != nil {
				return err
			}
			env.Setenv("TO", id.Recipient().String())
			return os.WriteFile(filepath.Join(env.WorkDir, "id"), []byte(id.Secret()+"\n"), 0o600)
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			case "userns": // a process of anybody's may have a network of its own
				return exec.Command("unshare", "-rn", "true").Run() == nil, nil
			}
			return false, fmt.Errorf("no condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"detente": d.detente, "stations": d.stations, "arden": d.station(0), "boreal": d.station(1),
			"arden-1": d.officer(0, 0), "arden-2": d.officer(0, 1), "arden-3": d.officer(0, 2), "boreal-1": d.officer(1, 0), "boreal-2": d.officer(1, 1),
			"code": d.code, "keep": d.keep, "field": d.field, "eventually": d.eventually, "start": d.start, "spoil": d.spoil, "halt": d.halt, "cut": d.cut, "mend": d.mend,
			"flip": d.flip, "hangup": d.hangup, "logged": d.logged, "append": d.append, "release": d.release,
		},
	})
}

// duty are the commands of the scripts. A script's state is kept by its
// environment, so that scripts run beside each other.
type duty struct{}

// within bounds whatever a script waits for.
const within = 30 * time.Second

// stage is what a script has set up.
type stage struct{ rig *rig.Rig }

type stageKey struct{}

// rigOf returns the stations that the script set up.
func rigOf(ts *testscript.TestScript) *rig.Rig {
	s, ok := ts.Value(stageKey{}).(*stage)
	if !ok || s.rig == nil {
		ts.Fatalf("there are no stations: begin with `stations`")
	}
	return s.rig
}

// run runs the program, keeps its output for the script and its exit code for
// the command code. A failure that the script does not expect ends it; that
// another person is needed is none.
func (duty) run(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(program, args...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("detente: %v", err)
	}
	ts.Setenv("code", strconv.Itoa(code))
	if failed := code != 0 && code != exitSecondPerson; failed != neg {
		ts.Fatalf("detente %s: exit code %d: %s", strings.Join(args, " "), code, ts.ReadFile("stderr"))
	}
}

// detente ARGS… runs the program.
func (d duty) detente(ts *testscript.TestScript, neg bool, args []string) { d.run(ts, neg, args) }

// arden ARGS… and boreal ARGS… run the program for a station.
func (d duty) station(end int) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		d.run(ts, neg, append([]string{"--data", rigOf(ts).Ends[end].Data}, args...))
	}
}

// arden-1 ARGS… runs the program for a station, with an officer's key.
func (d duty) officer(end, n int) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		e := rigOf(ts).Ends[end]
		o := e.Officers[n]
		args = append([]string{"--data", e.Data}, args...)
		d.run(ts, neg, append(append(args, "--key", o.KeyFile, "--cert", o.CertFile), e.Secrets()...))
	}
}

// code N demands the exit code of the last run.
func (duty) code(ts *testscript.TestScript, _ bool, args []string) {
	if got := ts.Getenv("code"); len(args) != 1 || got != args[0] {
		ts.Fatalf("exit code %s, not %v", got, args)
	}
}

// object reads the JSON object that the last command printed.
func object(ts *testscript.TestScript) map[string]jsontext.Value {
	var m map[string]jsontext.Value
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &m); err != nil {
		ts.Fatalf("the last output is no JSON object: %v: %s", err, ts.ReadFile("stdout"))
	}
	return m
}

// text returns a JSON string's text, and any other value as it is written.
func text(v jsontext.Value) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// keep NAME FIELD keeps a field of the JSON that was printed. LENGTH, where it
// is given, is how many characters are kept.
func (duty) keep(ts *testscript.TestScript, _ bool, args []string) {
	v, ok := object(ts)[args[1]]
	if !ok {
		ts.Fatalf("no field %q in %s", args[1], ts.ReadFile("stdout"))
	}
	s := text(v)
	if len(args) > 2 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		s = s[:n]
	}
	ts.Setenv(args[0], s)
}

// field NAME VALUE demands a field of the JSON that was printed.
func (duty) field(ts *testscript.TestScript, neg bool, args []string) {
	if got := text(object(ts)[args[0]]); (got == args[1]) == neg {
		ts.Fatalf("%s is %q, not %q", args[0], got, args[1])
	}
}

// eventually TEXT COMMAND… runs a command until it prints the text.
func (d duty) eventually(ts *testscript.TestScript, _ bool, args []string) {
	end := 0
	if args[1] == "boreal" {
		end = 1
	}
	full := append([]string{"--data", rigOf(ts).Ends[end].Data}, args[2:]...)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	err := rig.Until(ctx, func() (bool, error) {
		_ = ts.Exec(program, full...) // what it prints decides
		return strings.Contains(ts.ReadFile("stdout"), args[0]), nil
	})
	if err != nil {
		ts.Fatalf("%v has not printed %q: %s", args[1:], args[0], ts.ReadFile("stdout"))
	}
}

// release END ID lets the officers of a station release a message, as many as
// the policy asks, and waits until the other station has it.
func (d duty) release(ts *testscript.TestScript, neg bool, args []string) {
	end := 0
	if args[0] == "boreal" {
		end = 1
	}
	d.run(ts, false, []string{"--data", rigOf(ts).Ends[end].Data, "release", "show", args[1], "--json"})
	digest := text(object(ts)["digest"])[:12]
	for n := range 2 {
		d.officer(end, n)(ts, neg, []string{"release", "approve", args[1], "--digest", digest})
		if ts.Getenv("code") != strconv.Itoa(exitSecondPerson) {
			break
		}
	}
	if !neg {
		d.run(ts, false, []string{"--data", rigOf(ts).Ends[1-end].Data, "msg", "wait", args[1], "--until", "received"})
	}
}

// stations [offline|running|paired] sets up Arden and Boreal, two fictional
// parties, up to a state; without a word the line between them is open.
func (d duty) stations(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	path, err := exec.LookPath(program)
	ts.Check(err)
	r, err := rig.New(ctx, path, ts.MkAbs("stations"))
	ts.Check(err)
	ts.Defer(func() {
		if err := r.Close(); err != nil {
			ts.Logf("stations: %v", err)
		}
	})
	ts.Setenv("ARDEN_ROOT", r.Ends[0].Root())
	ts.Setenv("BOREAL_ROOT", r.Ends[1].Root())
	ts.Setenv("BOREAL_CARDS", r.Ends[1].Cards())
	ts.Setenv("ARDEN_CARDS", r.Ends[0].Cards())
	ts.Setenv("ARDEN", r.Ends[0].Data)
	ts.Setenv("ARDEN_API", r.Ends[0].API)
	for i, e := range r.Ends {
		for n, o := range e.Officers {
			ts.Setenv(fmt.Sprintf("CERT_%d_%d", i, n+1), o.CertFile)
		}
	}
	ts.Setenv("ARDEN_ID", r.Ends[0].Secrets()[1])
	secret, err := os.ReadFile(r.Ends[0].Secrets()[1])
	ts.Check(err)
	id, err := seal.ParseIdentity(strings.TrimSpace(string(secret)))
	ts.Check(err)
	ts.Setenv("ARDEN_RECIPIENT", id.Recipient().String())
	held, _ := ts.Value(stageKey{}).(*stage)
	held.rig = r
	upTo := "open"
	if len(args) > 0 {
		upTo = args[0]
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"offline", func() error { return nil }},
		{"running", func() error { return errors.Join(r.Ends[0].Start(ctx), r.Ends[1].Start(ctx)) }},
		{"paired", func() error { return r.Introduce(ctx, func(*rig.End, string) {}) }},
		{"open", func() error { return r.Open(ctx) }},
	}
	for _, s := range steps {
		ts.Check(s.do())
		if s.name == upTo {
			return
		}
	}
	ts.Fatalf("stations: %q", upTo)
}

// start NAME and halt NAME start and kill a station.
func (duty) start(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	ts.Check(endOf(ts, args[0]).Start(ctx))
}

func (duty) halt(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(endOf(ts, args[0]).Stop())
}

// spoil FILE STATEMENT… runs SQL on a station's database, as a disk's fault would.
func (duty) spoil(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.db"))
	ts.Check(err)
	if len(files) != 1 {
		ts.Fatalf("databases: %v", files)
	}
	db, err := sql.Open("sqlite", files[0])
	ts.Check(err)
	for _, statement := range args[1:] {
		r, err := db.Exec(statement)
		ts.Check(err)
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			ts.Fatalf("%s: %d rows, %v", statement, n, err)
		}
	}
	ts.Check(db.Close())
}

// append FILE LINE… adds lines to a file.
func (duty) append(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0]) + strings.Join(args[1:], "\n") + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// hangup END has a running station read its settings anew.
func (duty) hangup(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(endOf(ts, args[0]).Hangup())
}

// logged END TEXT waits until a station has logged the text.
func (duty) logged(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	ts.Check(rig.Until(ctx, func() (bool, error) {
		log, err := os.ReadFile(endOf(ts, args[0]).Stderr)
		return strings.Contains(string(log), args[1]), err
	}))
}

// cut and mend cut and mend the wires between the stations.
func (duty) cut(ts *testscript.TestScript, _ bool, _ []string) {
	for _, e := range rigOf(ts).Ends {
		e.Wire.Cut()
	}
}

func (duty) mend(ts *testscript.TestScript, _ bool, _ []string) {
	for _, e := range rigOf(ts).Ends {
		e.Wire.Mend()
	}
}

func endOf(ts *testscript.TestScript, name string) *rig.End {
	for _, e := range rigOf(ts).Ends {
		if strings.EqualFold(e.Country, name) {
			return e
		}
	}
	ts.Fatalf("there is no station %q", name)
	return nil
}

// flip FILE COPY writes a copy of a file in which one bit is another.
func (duty) flip(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}
