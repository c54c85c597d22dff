package tribunal

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"detente/book"
)

// report is what `detente record verify --json` says, as far as it is judged.
type report struct {
	Verdict  string    `json:"verdict"`
	Findings []finding `json:"findings"`
	Claims   []struct {
		Citation string `json:"citation"`
	} `json:"claims"`
}

type finding struct {
	Code   string `json:"code"`
	Result string `json:"result"`
	Where  string `json:"where"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

// Judge gives a case to a verifier: a process of its own, without a network where
// the system can take it away. It returns what the verifier said that its caller
// did not expect, or did not say; nil where it is right.
func Judge(ctx context.Context, program, dir string, c Case) error {
	path := filepath.Join(dir, "case.record")
	if err := os.WriteFile(path, c.File, 0o600); err != nil {
		return err
	}
	args := []string{"record", "verify", path}
	for i, root := range c.Roots {
		name := filepath.Join(dir, fmt.Sprintf("root-%d", i))
		if err := os.WriteFile(name, root, 0o600); err != nil {
			return err
		}
		args = append(args, "--root", name)
	}
	text, err := verify(ctx, program, append(args, "--json"))
	if err != nil {
		return err
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("the verifier's report: %w", err)
	}
	found, err := c.Want.met(r, c.Fraud)
	if err != nil || !c.Fraud {
		return err
	}
	return inWords(ctx, program, args, found)
}

// met compares a report with what it must say, and returns the finding that names
// the fraud.
func (w Want) met(r report, fraud bool) (named finding, err error) {
	if r.Verdict != string(w.Verdict) {
		err = fmt.Errorf("the verdict is %s and not %s", r.Verdict, w.Verdict)
	}
	if len(r.Claims) != w.Claims {
		err = errors.Join(err, fmt.Errorf("it answers for %d claims and not %d", len(r.Claims), w.Claims))
	}
	for _, f := range r.Findings {
		switch {
		case fraud && f.Code == w.Code && f.Where == w.Where && f.By == w.By:
			named = f
		case slices.Contains(w.Also, f.Code) && f.Result != "fail":
		default:
			err = errors.Join(err, fmt.Errorf("it finds %s at %q by %q: %s", f.Code, f.Where, f.By, f.Reason))
		}
	}
	if fraud && named.Code == "" {
		err = errors.Join(err, fmt.Errorf("it does not name %s at %q by %q", w.Code, w.Where, w.By))
	}
	return named, err
}

// inWords checks that the report for people names the place in each language, and
// says in each something else.
func inWords(ctx context.Context, program string, args []string, f finding) error {
	said := make(map[string]book.Lang)
	for _, l := range book.Langs() {
		text, err := verify(ctx, program, append(slices.Clone(args), "--lang", string(l)))
		if err != nil {
			return err
		}
		var line string
		for s := range strings.Lines(string(text)) {
			if strings.Contains(s, " "+f.Where+": ") && (l != "en" || strings.Contains(s, f.Reason)) {
				line = strings.TrimSpace(s)
			}
		}
		if line == "" {
			return fmt.Errorf("in %s it does not speak of %s", l, f.Where)
		}
		if other, same := said[line]; same {
			return fmt.Errorf("it says in %s what it says in %s: %s", l, other, line)
		}
		said[line] = l
	}
	return nil
}

// Exit codes of the verifier that are verdicts.
const (
	exitInvalid       = 5
	exitIndeterminate = 6
)

// verify runs the verifier. A verdict is no error.
func verify(ctx context.Context, program string, args []string) ([]byte, error) {
	name, all := program, args
	if unshare, err := exec.LookPath("unshare"); err == nil && exec.CommandContext(ctx, unshare, "-rn", "true").Run() == nil {
		name, all = unshare, append([]string{"-rn", program}, args...)
	}
	cmd := exec.CommandContext(ctx, name, all...) //nolint:gosec // the program that was just built
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, []string{}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && (exit.ExitCode() == exitInvalid || exit.ExitCode() == exitIndeterminate) {
		return out.Bytes(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("the verifier: %w: %s", err, errs.Bytes())
	}
	return out.Bytes(), nil
}
