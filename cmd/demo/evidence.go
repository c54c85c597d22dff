package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"detente/cmd/internal/rig"
)

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
