// Command demo plays the main job: two stations of fictional parties, each a
// process of the real program, pair, open a line, and talk, through a cut, a
// crash and a store put back; then everything is exported and verified offline
// by a process of its own.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"detente/cmd/internal/rig"
)

// outDir is where everything stays for a look afterwards.
const outDir = "demo-out"

// longest bounds the whole play: whatever hangs is a failure.
const longest = 5 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo: failed:", err)
		os.Exit(1)
	}
}

// play is a performance under way.
type play struct {
	*rig.Rig
	arden, boreal *rig.End
	out           io.Writer
	began         time.Time
	scene         int
}

func run(ctx context.Context) error {
	whole, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := os.RemoveAll(outDir); err != nil {
		return err
	}
	p := &play{out: os.Stdout, began: time.Now()}
	var err error
	p.tell("Two fictional parties, Arden and Boreal, make their root keys, stations and officers.")
	if p.Rig, err = rig.New(whole, filepath.Join("bin", "detente"), outDir); err != nil {
		return err
	}
	p.arden, p.boreal = p.Ends[0], p.Ends[1]
	err = p.all(whole)
	if err == nil && os.Getenv("KEEP") != "" {
		err = p.keep(ctx)
	}
	return errors.Join(err, p.Close())
}

// all plays every scene.
func (p *play) all(ctx context.Context) error {
	for _, e := range p.Ends {
		if err := e.Start(ctx); err != nil {
			return err
		}
		p.detail("station %s: process %d, API http://%s, line https://%s", e.Name, e.Pid(), e.API, e.Wire.Address())
	}
	for _, scene := range []func(context.Context) error{p.pair, p.open, p.test, p.inquiry, p.backlog, p.cut, p.crash, p.putBack} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	return p.prove(ctx)
}

func (p *play) tell(format string, args ...any) {
	p.scene++
	fmt.Fprintf(p.out, "\n%2d. %s\n", p.scene, fmt.Sprintf(format, args...))
}

func (p *play) detail(format string, args ...any) {
	fmt.Fprintf(p.out, "    %s\n", fmt.Sprintf(format, args...))
}

// text shows a rendering, a line a line.
func (p *play) text(rendering string) {
	for l := range strings.Lines(rendering) {
		fmt.Fprintf(p.out, "      | %s", l)
	}
	fmt.Fprintln(p.out)
}

func (p *play) pair(ctx context.Context) error {
	p.tell("The stations exchange cards. By telephone each reads half of the digits over both cards aloud;\n    the other types what it hears. Two officers confirm at each side.")
	return p.Introduce(ctx, func(e *rig.End, digits string) { p.detail("%s reads: %s", e.Country, digits) })
}

// terms are the texts that the demonstration's line runs under: its clocks are
// short because these say so.
const terms = `Terms of the line between Arden and Boreal, both fictional.
The line is tested every ten seconds. Each side takes 256 MiB a day.
An answer to an inquiry is due within one minute.
`

func (p *play) open(ctx context.Context) error {
	path := filepath.Join(p.Dir, "terms.txt")
	if err := os.WriteFile(path, []byte(terms), 0o600); err != nil {
		return err
	}
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(terms)))
	p.tell("Both open the line %s under terms of their own.", p.Line)
	p.detail("terms: %s", path)
	p.detail("SHA-256 of the terms, as entry 0 of both logs states it: %s", hash)
	return p.Open(ctx, "--texts", "sha256:"+hash, "--test-every", "10s", "--quota", fmt.Sprint(256<<20))
}

// said shows a message as the other end reads it, in two languages.
func (p *play) said(ctx context.Context, from, to *rig.End, id string, langs ...string) error {
	m, err := from.Receipted(ctx, id)
	if err != nil {
		return err
	}
	there, err := to.Arrived(ctx, id, langs...)
	if err != nil {
		return err
	}
	p.detail("%s  %s → %s  %s  received %s, by %s's cosignature", m.Citation, from.Country, to.Country, m.Precedence, m.Receipt, to.Country)
	for _, l := range langs {
		p.text(there.Texts[l])
	}
	return nil
}

// answer says something that refers to a message.
func (p *play) answer(ctx context.Context, from, to *rig.End, format, ref string, params []string, langs ...string) (string, error) {
	args := []string{"msg", "send", format, "--line", p.Line.String(), "--ref", ref}
	for _, v := range params {
		args = append(args, "-p", v)
	}
	var q rig.Queued
	if err := from.Run(ctx, &q, args...); err != nil {
		return "", err
	}
	a, err := from.Ask(ctx, q.ID)
	if err != nil {
		return "", err
	}
	if err := from.Release(ctx, q.ID, a.Need); err != nil {
		return "", err
	}
	return q.ID, p.said(ctx, from, to, q.ID, langs...)
}

func stamp() string { return time.Now().UTC().Format(time.RFC3339) }

func (p *play) test(ctx context.Context) error {
	p.tell("A line test: Arden sends check groups, an officer of Boreal reads them back.")
	var q rig.Queued
	if err := p.arden.Run(ctx, &q, "line", "test", p.Line.String()); err != nil {
		return err
	}
	if err := p.said(ctx, p.arden, p.boreal, q.ID, "en", "fr"); err != nil {
		return err
	}
	there, err := p.boreal.Arrived(ctx, q.ID, "en")
	if err != nil {
		return err
	}
	groups := "unreadable"
	for l := range strings.Lines(there.Texts["en"]) {
		if _, v, ok := strings.Cut(l, "Check groups: "); ok {
			groups = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	_, err = p.answer(ctx, p.boreal, p.arden, "011", q.ID, []string{"read_back=" + groups, "received=" + stamp(), "quality=clear"}, "en", "ru")
	return err
}

// evidence is a STIX 2.1 bundle of our own writing, over documentation
// addresses only.
const evidence = `{"type":"bundle","id":"bundle--6f3c2a9e-3d1b-4a35-9a74-0d6f6a1b7c11","objects":[
{"type":"identity","spec_version":"2.1","id":"identity--0b1d3f52-8a3e-4a9e-8a39-6f5d7c2e9b10","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","name":"Computer emergency response team of Arden","identity_class":"organization"},
{"type":"observed-data","spec_version":"2.1","id":"observed-data--a2f1c4d6-5b7e-4c89-9d01-1e2f3a4b5c6d","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","first_observed":"2026-11-01T00:00:00Z","last_observed":"2026-11-01T01:00:00Z","number_observed":412,"object_refs":["ipv4-addr--7c1e0f7a-2b3d-5e4f-8a6b-9c0d1e2f3a4b"]},
{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--7c1e0f7a-2b3d-5e4f-8a6b-9c0d1e2f3a4b","value":"192.0.2.17"}]}
`

// evidenceFile returns the bundle to send: ours, or the one that STIX names.
func (p *play) evidenceFile() (string, error) {
	if named := os.Getenv("STIX"); named != "" {
		return named, nil
	}
	path := filepath.Join(p.Dir, "evidence.stix.json")
	return path, os.WriteFile(path, []byte(evidence), 0o600)
}

// addEvidence adds a file as a bundle of STIX, or, where it is none that the
// profile accepts, as a file that is carried unread. It returns the parameter
// that names it, and the marking that a message needs which names it.
func (p *play) addEvidence(ctx context.Context, path string) (blob map[string]any, marking []string, err error) {
	var read struct {
		Accepted bool   `json:"accepted"`
		TLP      string `json:"tlp"`
		PAP      string `json:"pap"`
	}
	if err := p.arden.Run(ctx, &read, "evidence", "check", path); err != nil || !read.Accepted {
		p.detail("it is no bundle that the profile accepts (`detente evidence check` says why), and is carried unread")
		return blob, nil, p.arden.Run(ctx, &blob, "blob", "add", path, "--line", p.Line.String(), "--type", "application/octet-stream")
	}
	p.detail("read as a bundle of STIX 2.1 under the profile")
	if read.TLP == "RED" || read.TLP == "AMBER+STRICT" { // above what messages have by themselves
		marking = append(marking, "--tlp", read.TLP)
	}
	if read.PAP != "" {
		marking = append(marking, "--pap", read.PAP)
	}
	return blob, marking, p.arden.Run(ctx, &blob, "evidence", "add", path, "--line", p.Line.String())
}

func (p *play) inquiry(ctx context.Context) error {
	path, err := p.evidenceFile()
	if err != nil {
		return err
	}
	p.tell("Arden inquires about activity that it cannot explain. The evidence, %s, travels beside the message.", path)
	blob, marking, err := p.addEvidence(ctx, path)
	if err != nil {
		return err
	}
	ref := fmt.Sprintf(`{"hash":%q,"size":%.0f,"type":%q}`, blob["hash"], blob["size"], blob["type"])
	now := time.Now().UTC()
	var q rig.Queued
	args := []string{"msg", "send", "210", "--line", p.Line.String(), "--precedence", "IMMEDIATE", "-p", "kind=scanning",
		"-p", "window=" + now.Add(-2*time.Hour).Format(time.RFC3339) + "/" + now.Add(-time.Hour).Format(time.RFC3339),
		"-p", "source_assets=prefix:192.0.2.0/24", "-p", "target_sector=energy", "-p", "effect=1", "-p", "concern=pattern", "-p", "ask=inform",
		"-p", "by=" + now.Add(24*time.Hour).Format(time.RFC3339), "-p", "evidence=" + ref}
	args = append(args, marking...)
	if err := p.arden.Run(ctx, &q, args...); err != nil {
		return err
	}
	p.detail("%s: %s", q.State, q.Reason)
	if err := p.arden.Release(ctx, q.ID, 2); err != nil {
		return err
	}
	if err := p.said(ctx, p.arden, p.boreal, q.ID, "en", "zh"); err != nil {
		return err
	}
	if err := p.fetched(ctx, fmt.Sprint(blob["hash"]), path); err != nil {
		return err
	}
	p.tell("Boreal's watch has seen it, understands it, and answers.")
	if _, err := p.answer(ctx, p.boreal, p.arden, "017", q.ID, []string{"role=watch", "at=" + stamp()}, "en"); err != nil {
		return err
	}
	if _, err := p.answer(ctx, p.boreal, p.arden, "012", q.ID, []string{"state=UND", "received=" + stamp(), "role=watch"}, "en", "es"); err != nil {
		return err
	}
	_, err = p.answer(ctx, p.boreal, p.arden, "211", q.ID, []string{"answer=looking", "action=examining", "by=" + now.Add(12*time.Hour).Format(time.RFC3339)}, "en", "ar")
	return err
}

// fetched waits until Boreal holds the evidence, and compares it.
func (p *play) fetched(ctx context.Context, hash, path string) error {
	copied := filepath.Join(p.Dir, "evidence-at-boreal")
	err := rig.Until(ctx, func() (bool, error) {
		return p.boreal.Run(ctx, nil, "blob", "get", hash, "--out", copied) == nil, nil
	})
	if err != nil {
		return fmt.Errorf("the evidence did not arrive: %w", err)
	}
	a, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(copied)
	if err != nil {
		return err
	}
	if string(a) != string(b) {
		return errors.New("the evidence that arrived is not what was sent")
	}
	p.detail("evidence fetched by Boreal and opened: %d bytes, the same", len(b))
	return nil
}

const (
	slowRate = 96 << 10 // bytes a second: a slow line
	backlog  = 40
)

func (p *play) backlog(ctx context.Context) error {
	p.tell("The line is slow. %d ROUTINE messages of Arden's wait; a FLASH is released last and passes them.", backlog)
	p.boreal.Wire.Slow(slowRate)
	defer p.boreal.Wire.Slow(0)
	filler := strings.Repeat("table-top exercise ", 150)
	var routine []string
	for n := range backlog {
		q, err := p.arden.Say(ctx, rig.Draft{Format: "600", Params: []string{fmt.Sprintf("text=%d %s", n+1, filler)}})
		if err != nil {
			return err
		}
		routine = append(routine, q.ID)
	}
	s, err := p.arden.Status(ctx)
	if err != nil {
		return err
	}
	p.detail("%d wait in Arden's queue, %d stand in the log unreceipted", s.Queue(), s.Own.Size-s.Own.Cosigned)
	now := time.Now().UTC()
	var q rig.Queued
	if err := p.arden.Run(ctx, &q, "msg", "send", "222", "--line", p.Line.String(), "--precedence", "FLASH", "-p", "activity=availability",
		"-p", "window="+now.Add(-time.Hour).Format(time.RFC3339)+"/"+now.Format(time.RFC3339), "-p", "assets=domain:grid.example", "-p", "certainty=likely"); err != nil {
		return err
	}
	if err := p.arden.Release(ctx, q.ID, 2); err != nil {
		return err
	}
	if err := p.said(ctx, p.arden, p.boreal, q.ID, "en", "ru"); err != nil {
		return err
	}
	flash, err := p.arden.Show(ctx, q.ID)
	if err != nil {
		return err
	}
	p.boreal.Wire.Slow(0)
	if err := p.Settled(ctx); err != nil {
		return err
	}
	passed := 0
	for _, id := range routine {
		m, err := p.arden.Show(ctx, id)
		if err != nil {
			return err
		}
		if m.Index > flash.Index {
			passed++
		}
	}
	if passed == 0 {
		return errors.New("the FLASH passed nothing")
	}
	p.detail("the FLASH stands at entry %d; %d messages that were released before it stand after it", flash.Index, passed)
	return nil
}

func (p *play) cut(ctx context.Context) error {
	p.tell("The line is cut both ways. Both go on writing; once it is mended it catches up by itself.")
	for _, e := range p.Ends {
		e.Wire.Cut()
	}
	var ids [2]string
	for i, e := range p.Ends {
		q, err := e.Say(ctx, rig.Draft{Format: "600", Params: []string{"text=said while the line was cut"}})
		if err != nil {
			return err
		}
		ids[i] = q.ID
		m, err := e.Show(ctx, q.ID)
		if err != nil {
			return err
		}
		if m.Receipt != "" {
			return errors.New("a receipt came over a cut line")
		}
		p.detail("%s: %s, no receipt", m.Citation, q.State)
	}
	for _, e := range p.Ends {
		e.Wire.Mend()
	}
	for i, e := range p.Ends {
		if err := p.said(ctx, e, p.Ends[1-i], ids[i], "en", "fr"); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) crash(ctx context.Context) error {
	p.tell("Boreal's station is killed at once (kill -9), and started again.")
	before := p.boreal.Pid()
	if err := p.boreal.Kill(); err != nil {
		return err
	}
	q, err := p.arden.Say(ctx, rig.Draft{Format: "600", Params: []string{"text=said while the other station was dead"}})
	if err != nil {
		return err
	}
	if err := p.boreal.Start(ctx); err != nil {
		return err
	}
	p.detail("process %d is dead, process %d goes on with the same store", before, p.boreal.Pid())
	return p.said(ctx, p.arden, p.boreal, q.ID, "en", "zh")
}

func (p *play) putBack(ctx context.Context) error {
	p.tell("Arden's store is put back to an older copy. Its high-water mark, kept elsewhere, tells it so;\n    it takes its own messages back from Boreal's copy before it signs anything.")
	copied := filepath.Join(p.Dir, "Arden", "backup.db")
	if err := p.arden.Run(ctx, nil, "station", "backup", "--to", copied); err != nil {
		return err
	}
	for n := range 3 {
		q, err := p.arden.Say(ctx, rig.Draft{Format: "600", Params: []string{fmt.Sprintf("text=said after the copy was made, %d", n+1)}})
		if err != nil {
			return err
		}
		if _, err := p.arden.Receipted(ctx, q.ID); err != nil {
			return err
		}
	}
	before, err := p.arden.Status(ctx)
	if err != nil {
		return err
	}
	if err := p.arden.Stop(); err != nil {
		return err
	}
	if err := p.arden.Run(ctx, nil, "station", "restore", copied); err != nil {
		return err
	}
	if err := p.arden.Start(ctx); err != nil {
		return err
	}
	if err := p.arden.Ready(ctx); err != nil {
		return err
	}
	after, err := p.arden.Status(ctx)
	if err != nil {
		return err
	}
	if after.Own.Size < before.Own.Size {
		return fmt.Errorf("the log stands at %d and stood at %d", after.Own.Size, before.Own.Size)
	}
	p.detail("the log stood at %d entries, and stands at %d after healing", before.Own.Size, after.Own.Size)
	var doctor struct {
		Items []struct {
			What string `json:"what"`
		} `json:"items"`
	}
	if err := p.arden.Run(ctx, &doctor, "station", "doctor", "--repair"); err != nil {
		return err
	}
	for _, f := range doctor.Items { // its audit trail since the copy: gone, and written down as that
		p.detail("doctor: %s", f.What)
	}
	q, err := p.arden.Say(ctx, rig.Draft{Format: "600", Params: []string{"text=said after the store was put back"}})
	if err != nil {
		return err
	}
	return p.said(ctx, p.arden, p.boreal, q.ID, "en", "ar")
}

// report is what `detente record verify --json` says.
type report struct {
	Verdict  string `json:"verdict"`
	Messages int    `json:"messages"`
	Receipts int    `json:"receipts"`
	Verified int    `json:"verified"`
}

// prove exports the whole line at both ends and verifies it offline.
func (p *play) prove(ctx context.Context) error {
	// What is said last lists the receipts of what was said before.
	for _, e := range p.Ends {
		if _, err := e.Say(ctx, rig.Draft{Format: "600", Params: []string{"text=end of the play"}}); err != nil {
			return err
		}
	}
	if err := p.Settled(ctx); err != nil {
		return err
	}
	p.tell("Each side exports the whole line. A process without network, keys or configuration verifies both\n    records from the two roots alone.")
	var last report
	for _, e := range p.Ends {
		path, err := e.Export(ctx, p.Dir, strings.ToLower(e.Country)+".record")
		if err != nil {
			return err
		}
		var r report
		if err := p.Verify(ctx, path, &r); err != nil {
			return err
		}
		p.detail("%s: %s, %d messages, %d receipts, %d verified", filepath.Join(outDir, filepath.Base(path)), r.Verdict, r.Messages, r.Receipts, r.Verified)
		if r.Verdict != "valid" || r.Messages == 0 || r.Messages != r.Verified || last.Messages != 0 && r != last {
			return fmt.Errorf("%s: %+v", path, r)
		}
		last = r
	}
	fmt.Fprintf(p.out, "\ndemo: ok messages=%d receipts=%d verified=%d seconds=%.0f\n", last.Messages, last.Receipts, last.Verified, time.Since(p.began).Seconds())
	return nil
}

// keep leaves the stations up until it is interrupted.
func (p *play) keep(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "\nThe stations stay up until you press Ctrl+C. In another terminal, for example:")
	for _, e := range p.Ends {
		fmt.Fprintf(os.Stderr, "  bin/detente --data %s msg list\n", e.Data)
	}
	fmt.Fprintf(os.Stderr, "  bin/detente --data %s msg send 600 --line %s -p text='good day'\n", p.arden.Data, p.Line)
	fmt.Fprintf(os.Stderr, "  bin/detente --data %s release list\n", p.arden.Data)
	fmt.Fprintf(os.Stderr, "  bin/detente --data %s release approve ID --digest … --key %s --cert %s %s\n",
		p.arden.Data, p.arden.Officers[0].KeyFile, p.arden.Officers[0].CertFile, strings.Join(p.arden.Secrets(), " "))
	<-ctx.Done()
	return nil
}
