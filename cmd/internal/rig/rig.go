// Package rig sets up two stations as processes of the real program on
// loopback, with a wire between them that can be cut and slowed, for the
// demonstration, the kill test and the benchmark. Its parties are fictional.
package rig

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"detente/book"
	"detente/identity"
	"detente/seal"
)

// Rig is two stations and what lies between them.
type Rig struct {
	Program string // the path of detente
	Dir     string
	Line    identity.Line
	Ends    [2]*End // Arden, Boreal

	book *book.Edition // what both speak
}

// End is one party with its station.
type End struct {
	Party, Name, Code, Country string

	Data     string // of the station
	Offline  string // of the party
	Mark     string
	Listen   string // where the station itself listens
	Wire     *Wire  // what its counterpart dials
	API      string
	Officers []Officer

	rig     *Rig
	process *exec.Cmd
	done    chan error
	log     *os.File
	token   string
	Stderr  string // the station's log file
}

// Officer is an officer with a key file.
type Officer struct {
	Pseudonym, KeyFile, CertFile string
	Key                          identity.PrivateKey
	Cert                         []byte
}

// New makes both parties' files in a directory: roots, agencies, stations,
// cards, three officers each. Nothing runs yet.
func New(ctx context.Context, program, dir string) (*Rig, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if program, err = filepath.Abs(program); err != nil {
		return nil, err
	}
	r := &Rig{Program: program, Dir: full}
	if r.book, err = book.Embedded(); err != nil {
		return nil, err
	}
	names := [2][3]string{{"arden.example", "ARD", "Arden"}, {"boreal.example", "BOR", "Boreal"}}
	for i, n := range names {
		r.Ends[i] = &End{
			Party: n[0], Name: "nrrc." + n[0], Code: n[1], Country: n[2], rig: r,
			Data: filepath.Join(full, n[2], "station"), Offline: filepath.Join(full, n[2], "offline"), Mark: filepath.Join(full, n[2], "mark", "high-water"),
			Stderr: filepath.Join(full, n[2], "station.log"),
		}
	}
	for i, e := range r.Ends {
		if err := e.prepare(ctx, r.Ends[1-i]); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Country, err)
		}
	}
	r.Line, err = identity.NewLine(identity.Station(r.Ends[0].Name), identity.Station(r.Ends[1].Name), identity.Notification)
	return r, err
}

// Stations listen below the ports that systems give to outgoing connections
// (32768 and up), so that none takes a station's port while it is down.
const (
	firstPort = 20000
	lastPort  = 32000
	portTries = 100
)

// freeAddress returns a loopback address on which nothing listens now.
func freeAddress() (address string, err error) {
	for range portTries {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", err
}

// prepare makes the files of one party.
func (e *End) prepare(ctx context.Context, other *End) error {
	if err := os.MkdirAll(e.Offline, 0o700); err != nil {
		return err
	}
	var err error
	if e.Listen, err = freeAddress(); err != nil {
		return err
	}
	if e.API, err = freeAddress(); err != nil {
		return err
	}
	if e.Wire, err = NewWire(e.Listen); err != nil {
		return err
	}
	id, err := seal.GenerateIdentity()
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.IdentityFile(), []byte(id.Secret()+"\n"), 0o600); err != nil {
		return err
	}
	to := id.Recipient().String()
	steps := [][]string{
		{"party", "init", "--dir", e.Offline, "--party", e.Party, "--recipient", to},
		{"party", "agency", "--dir", e.Offline, "--agency", e.Name, "--recipient", to, "--identity-file", e.IdentityFile()},
		{"station", "init", "--data", e.Data, "--party", e.Party, "--agency", e.Name, "--name", e.Name, "--code", e.Code, "--listen", e.Listen,
			"--endpoint", "https://" + e.Wire.Address(), "--api", e.API, "--mark", e.Mark, "--reader", other.Name, "--recipient", to},
		{"party", "endorse", "--dir", e.Offline, "--request", filepath.Join(e.Data, "request.json"), "--out", e.Cards(), "--identity-file", e.IdentityFile()},
		{"station", "card", "--data", e.Data, "--install", e.Cards()},
	}
	for n := 1; n <= 3; n++ {
		o := Officer{Pseudonym: fmt.Sprintf("%s-%02d", e.Code, n)}
		o.KeyFile, o.CertFile = filepath.Join(e.Offline, o.Pseudonym+".key.age"), filepath.Join(e.Offline, o.Pseudonym+".cert")
		e.Officers = append(e.Officers, o)
		roles := "watch,releasing"
		if n == 2 {
			roles += ",plenipotentiary" // who may sign agreements
		}
		steps = append(steps, []string{"officer", "certify", "--dir", e.Offline, "--agency", e.Name, "--at", e.Name, "--pseudonym", o.Pseudonym,
			"--roles", roles, "--key", o.KeyFile, "--cert", o.CertFile, "--recipient", to, "--identity-file", e.IdentityFile()})
	}
	for _, args := range steps {
		if _, err := e.rig.exec(ctx, args...); err != nil {
			return err
		}
	}
	return e.readSecrets()
}

// readSecrets reads what the rig itself signs and calls with.
func (e *End) readSecrets() error {
	id, err := os.ReadFile(e.IdentityFile())
	if err != nil {
		return err
	}
	for i := range e.Officers {
		o := &e.Officers[i]
		file, err := os.ReadFile(o.KeyFile)
		if err != nil {
			return err
		}
		secret, err := identity.DecryptKey(file, "", string(id))
		if err != nil {
			return err
		}
		if o.Key, err = identity.ParsePrivateKey(identity.UseOfficer, secret); err != nil {
			return err
		}
		if o.Cert, err = os.ReadFile(o.CertFile); err != nil {
			return err
		}
	}
	token, err := os.ReadFile(filepath.Join(e.Data, "operator.token"))
	e.token = strings.TrimSpace(string(token))
	return err
}

// IdentityFile is where the identity lies that opens the party's key files.
func (e *End) IdentityFile() string { return filepath.Join(e.Offline, "identity.txt") }

// Cards returns the file of the station's endorsed cards.
func (e *End) Cards() string { return filepath.Join(e.Offline, "station.cards") }

// Root returns the file of the party's root.
func (e *End) Root() string { return filepath.Join(e.Offline, e.Party+".root") }

// Secrets are the flags with which the end's key files are opened.
func (e *End) Secrets() []string { return []string{"--identity-file", e.IdentityFile()} }

// exec runs the program to its end and returns what it printed.
func (r *Rig) exec(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, r.Program, args...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("detente %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(words.String()))
	}
	return out.Bytes(), nil
}

// awaitsOfficer is what the program ends with where all went well and an
// officer has to act next.
const awaitsOfficer = 7

// Run runs a command against the end's station and decodes its JSON into out,
// which may be nil.
func (e *End) Run(ctx context.Context, out any, args ...string) error {
	text, err := e.rig.exec(ctx, append([]string{"--data", e.Data, "--json"}, args...)...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == awaitsOfficer {
		err = nil
	}
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("detente %s: its JSON: %w", strings.Join(args, " "), err)
	}
	return nil
}

// Text runs a command against the end's station and returns what a person reads.
func (e *End) Text(ctx context.Context, args ...string) (string, error) {
	text, err := e.rig.exec(ctx, append([]string{"--data", e.Data}, args...)...)
	return string(text), err
}

// Verify runs the offline verifier on a file, in a process of its own, and
// decodes its report. Its exit code is in the error.
func (r *Rig) Verify(ctx context.Context, file string, out any) error {
	args := []string{"record", "verify", file, "--json"}
	for _, e := range r.Ends {
		args = append(args, "--root", e.Root())
	}
	text, err := r.exec(ctx, args...)
	return errors.Join(err, json.Unmarshal(text, out))
}

// Offline runs a command that needs no station, in a process of its own that is
// told of none.
func (r *Rig) Offline(ctx context.Context, args ...string) error {
	_, err := r.exec(ctx, args...)
	return err
}

// Start starts the end's station and waits until its API answers.
func (e *End) Start(ctx context.Context) error {
	var err error
	if e.log, err = os.OpenFile(e.Stderr, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	e.process = exec.Command(e.rig.Program, append([]string{"station", "serve", "--data", e.Data}, e.Secrets()...)...)
	e.process.Stderr = e.log
	if err := e.process.Start(); err != nil {
		return errors.Join(err, e.log.Close())
	}
	done := make(chan error, 1)
	e.done = done
	process := e.process
	go func() { done <- process.Wait() }()
	return e.awaitAPI(ctx)
}

const startWithin = 20 * time.Second

// awaitAPI waits until the station is alive.
func (e *End) awaitAPI(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	return Until(ctx, func() (bool, error) {
		select {
		case err := <-e.done:
			e.done <- err
			return false, fmt.Errorf("the station %s ended at its start: %w; see %s", e.Name, err, e.Stderr)
		default:
		}
		return e.healthy(ctx, "/healthz"), nil
	})
}

// Hangup has a running station read its settings anew.
func (e *End) Hangup() error { return e.process.Process.Signal(syscall.SIGHUP) }

// Pid returns the process id of the running station.
func (e *End) Pid() int { return e.process.Process.Pid }

// Kill ends the station's process at once, as kill -9 does.
func (e *End) Kill() error { return e.end(os.Kill) }

// Stop asks the station's process to end, and waits for it.
func (e *End) Stop() error { return e.end(os.Interrupt) }

func (e *End) end(how os.Signal) error {
	if e.process == nil {
		return nil
	}
	err := e.process.Process.Signal(how)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-e.done //nolint:errcheck // its state is no news: it was told to end
	e.process = nil
	return errors.Join(err, e.log.Close())
}

// Close ends whatever runs.
func (r *Rig) Close() error {
	var all error
	for _, e := range r.Ends {
		if e == nil {
			continue
		}
		all = errors.Join(all, e.Stop())
		if e.Wire != nil {
			all = errors.Join(all, e.Wire.Close())
		}
	}
	return all
}

// pollEvery is how often a state is looked at that is waited for.
const pollEvery = 20 * time.Millisecond

// Until asks again and again whether something has come about.
func Until(ctx context.Context, reached func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		ok, err := reached()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
