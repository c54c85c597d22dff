package main

import (
	"context"
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
	return path, os.WriteFile(path, []byte(evidence), 0o644)
}

// blob is a sealed file beside the line, as messages name it.
type blob struct {
	Hash string `json:"hash"`
	Size int64  `json:"size"`
	Type string `json:"type"`
}

// param is the blob as a parameter's value.
func (b blob) param() string {
	return fmt.Sprintf(`{"hash":%q,"size":%d,"type":%q}`, b.Hash, b.Size, b.Type)
}

// attach seals a file to both stations and lays it beside the line.
func (p *play) attach(ctx context.Context, e *rig.End, path, kind string) (b blob, err error) {
	return b, e.Run(ctx, &b, "blob", "add", path, "--line", p.Line.String(), "--type", kind)
}

// addEvidence adds a file as a bundle of STIX, or, where it is none that the
// profile accepts, as a file that is carried unread. It returns what names it, and
// the marking that a message needs which names it.
func (p *play) addEvidence(ctx context.Context, path string) (b blob, marking []string, err error) {
	var read struct {
		Accepted bool   `json:"accepted"`
		TLP      string `json:"tlp"`
		PAP      string `json:"pap"`
	}
	if err := p.arden.Run(ctx, &read, "evidence", "check", path); err != nil || !read.Accepted {
		p.detail("It is no bundle that the profile accepts (`detente evidence check` says why), and is carried unread.")
		b, err = p.attach(ctx, p.arden, path, "application/octet-stream")
		return b, nil, err
	}
	p.detail("It is read as a bundle of STIX 2.1 under the agreed profile, and sealed to both stations.")
	if read.TLP == "RED" || read.TLP == "AMBER+STRICT" { // above what messages have by themselves
		marking = append(marking, "--tlp", read.TLP)
	}
	if read.PAP != "" {
		marking = append(marking, "--pap", read.PAP)
	}
	return b, marking, p.arden.Run(ctx, &b, "evidence", "add", path, "--line", p.Line.String())
}

// holds waits until an end has fetched a blob whole.
func (p *play) holds(ctx context.Context, e *rig.End, hash string) error {
	return rig.Until(ctx, func() (bool, error) {
		var b struct {
			State string `json:"state"`
		}
		err := e.Run(ctx, &b, "blob", "show", hash)
		return err == nil && b.State == "held", nil
	})
}

// fetched waits until Boreal holds a blob, opens it into a file, and compares it
// with what was sent.
func (p *play) fetched(ctx context.Context, hash, path, copied string) error {
	err := rig.Until(ctx, func() (bool, error) {
		return p.boreal.Run(ctx, nil, "blob", "get", hash, "--out", copied) == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%s did not arrive: %w", path, err)
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
		return fmt.Errorf("%s is not what was sent", copied)
	}
	p.detail("Fetched by Boreal and opened: %s, %d bytes, the same.", p.file(copied), len(b))
	return nil
}
