package main

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// lineState is what of a state file the arbiter's answer is made from.
type lineState struct {
	At         string `json:"at"`
	Agreements []struct {
		Agreement   string      `json:"agreement"`
		From        string      `json:"from"`
		OneSided    *interval   `json:"one_sided"`
		Signed      []signature `json:"signed"`
		Obligations []owes      `json:"obligations"`
	} `json:"agreements"`
	Guarantees []struct {
		State        string              `json:"state"`
		From         string              `json:"from"`
		OneSided     *interval           `json:"one_sided"`
		Undertakings []string            `json:"undertakings"`
		OnlyOffered  []string            `json:"only_offered"`
		Reservations map[string][]string `json:"reservations"`
	} `json:"guarantees"`
}

type interval struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type signature struct {
	By       string `json:"by"`
	Officer  string `json:"officer"`
	Received string `json:"received"`
}

// owes is what somebody owes, or owed, under an article.
type owes struct {
	Duty  string `json:"duty"`
	By    string `json:"by"` // empty: both together
	State string `json:"state"`
	Due   string `json:"due"`
	Met   string `json:"met"`
	MetBy string `json:"met_by"`
	Late  int64  `json:"late_seconds"`
}

// arbitrate shows what an arbiter answers who holds a record, the two roots and
// the text that was signed, and nothing else.
func (p *play) arbitrate(ctx context.Context) error {
	p.tell("An arbiter holds Arden's record, the two root keys and the text that was signed, and nothing else. What did each\n    side promise, from when; what was done; what was missed, by how much?")
	state, err := p.rebuilt(ctx)
	if err != nil {
		return err
	}
	for _, a := range state.Agreements {
		p.detail("Agreement %s, in force from %s; one side alone could know it from %s to %s. Signed by:", a.Agreement, a.From, a.OneSided.From, a.OneSided.To)
		for _, s := range a.Signed {
			p.detail("  %s, officer %s, received %s", s.By, s.Officer, s.Received)
		}
	}
	for _, g := range state.Guarantees {
		p.detail("Guarantee of non-interference: %s, %s from %s; offered by one side alone: %s", strings.Join(g.Undertakings, " "), strings.ReplaceAll(g.State, "-", " "), g.From, strings.Join(g.OnlyOffered, " "))
		for by, all := range g.Reservations {
			p.detail("  reservation of %s: %s", by, strings.Join(all, "; "))
		}
	}
	for _, a := range state.Agreements {
		p.account(a.Obligations)
	}
	p.tell("What was claimed, on which facts, what was answered to each, what stayed open?")
	report, err := p.arden.Text(ctx, append([]string{"record", "verify", filepath.Join(p.Dir, "arden.record")}, p.roots()...)...)
	if err != nil {
		return err
	}
	_, stated, _ := strings.Cut(report, "\n§")
	p.text("§" + stated)
	return nil
}

// roots are the flags that name both parties' root keys.
func (p *play) roots() (args []string) {
	for _, e := range p.Ends {
		args = append(args, "--root", e.Root())
	}
	return args
}

// rebuilt has the state of the line made from the record alone, and compares it
// with what both stations write of the same second.
func (p *play) rebuilt(ctx context.Context) (lineState, error) {
	var state lineState
	path := filepath.Join(p.Dir, "arbiter.state")
	args := append([]string{"record", "state", filepath.Join(p.Dir, "arden.record"), "--agreement", filepath.Join(p.Dir, "agreement.json"), "--out", path}, p.roots()...)
	if err := p.Offline(ctx, args...); err != nil {
		return state, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return state, err
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return state, err
	}
	if len(state.Agreements) == 0 || len(state.Guarantees) == 0 {
		return state, errors.New("the record tells of no agreement or guarantee")
	}
	for _, e := range p.Ends {
		own := filepath.Join(p.Dir, strings.ToLower(e.Country)+".state")
		if err := e.Run(ctx, nil, "record", "state", "--line", p.Line.String(), "--at", state.At, "--out", own); err != nil {
			return state, err
		}
		theirs, err := os.ReadFile(own)
		if err != nil {
			return state, err
		}
		if !bytes.Equal(text, theirs) {
			return state, fmt.Errorf("%s and %s differ", path, own)
		}
	}
	p.detail("%s, made from the record by a process without station or key: %d bytes, the same that both stations write", p.file(path), len(text))
	return state, nil
}

// account says what each side did of what it owed by the agreement.
func (p *play) account(all []owes) {
	counts := make(map[string]map[string]int)
	for _, o := range all {
		by := o.By
		if by == "" {
			by = "both together"
		}
		if counts[by] == nil {
			counts[by] = make(map[string]int)
		}
		counts[by][o.State]++
	}
	for _, by := range sorted(counts) {
		var parts []string
		for _, state := range sorted(counts[by]) {
			parts = append(parts, fmt.Sprintf("%d %s", counts[by][state], state))
		}
		p.detail("Duties of %s: %s", by, strings.Join(parts, ", "))
	}
	for _, o := range all {
		if o.Late > 0 {
			p.detail("  %s of %s, due %s: %s by %s, with %s of %s", o.Duty, o.By, o.Due, o.State, time.Duration(o.Late)*time.Second, p.cited[o.MetBy], o.Met)
		}
	}
}

func sorted[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
