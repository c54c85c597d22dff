package main

import (
	"crypto/rand"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"detente/identity"
	"detente/interop/reveal"

	"github.com/spf13/cobra"
)

// revealFlags say which secret a commitment has, and what of a bundle is shown.
type revealFlags struct {
	secret, out, commitment string
	objects                 []string
	all                     bool
}

// maxSecretFile bounds a file with the secret of a commitment.
const maxSecretFile = 1 << 10

// reveals are the commands about what is committed to now and shown later.
func (a *app) reveals() []*cobra.Command {
	var f revealFlags
	return []*cobra.Command{
		verb(about{"commit FILE", "commit to a bundle without showing it, offline",
			"Makes a digest that stands for a bundle and hides it: each object is salted, so that nobody can try\nguesses against it. State the digest in a message, such as the parameter committed of a claim. The\nsecret in the file of --secret-file shows the bundle, or single objects of it, later: keep it as you keep\nthe bundle, and bring both. Without it the commitment can never be kept.",
			"  detente evidence commit bundle.stix.json --secret-file bundle.secret"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.commit(args[0], f.secret) }, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&f.secret, "secret-file", "", "the new file that takes the secret; an old one commits again to the same")
			}),
		verb(about{"disclose FILE", "show objects of a committed bundle, provably, and hide the rest, offline",
			"Writes a disclosure: the objects named, each with the proof that it is what was committed to. The\nothers cannot be told from it. With --all the whole bundle is shown. Send the file as a blob of type\n" + reveal.MediaType + "; anybody checks it with \"detente evidence verify\".",
			"  detente evidence disclose bundle.stix.json --secret-file bundle.secret --object indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2 --out one.disclosure"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.disclose(args[0], f) }, a.changes, func(c *cobra.Command) {
				c.Flags().StringVar(&f.secret, "secret-file", "", "the file with the secret")
				c.Flags().StringVar(&f.out, "out", "", "a new file, such as one.disclosure")
				c.Flags().StringArrayVar(&f.objects, "object", nil, "the id of an object that is shown; repeat for each")
				c.Flags().BoolVar(&f.all, "all", false, "show every object")
			}),
		verb(about{"verify FILE", "check what a disclosure shows against a commitment, offline",
			"Checks without configuration, key or network that what a disclosure shows is what was committed to.\n--commitment is the digest that the message states; without it the digest is printed, to be compared.\nEnds with 5 where it is something else, or was changed.",
			"  detente evidence verify one.disclosure --commitment 3f0c…"},
			cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error { return a.verifyDisclosure(args[0], f.commitment) }, func(c *cobra.Command) {
				c.Flags().StringVar(&f.commitment, "commitment", "", "the digest in the message")
			}),
		verb(about{"commitments ID", "what was committed to in a matter, and what was revealed of it",
			"Lists the commitments in the dossier of a message, each with how it stands: not revealed, revealed as\ncommitted, revealed in part, or revealed as another. What came is read when this is asked.", "  detente evidence commitments ID"},
			cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
				return a.commitments(c, args[0])
			}),
	}
}

// readSecret reads a file with a secret.
func readSecret(path string) (reveal.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return reveal.Secret{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil {
		return reveal.Secret{}, err
	}
	s, err := reveal.ParseSecret(strings.TrimSuffix(string(text), "\n"))
	if err != nil {
		return s, usage("%s: %v", path, err)
	}
	return s, nil
}

// commit prints the commitment to a bundle, and keeps its secret.
func (a *app) commit(path, secretFile string) error {
	if secretFile == "" {
		return usage("--secret-file is missing: the file that takes the secret, without which nothing can be revealed")
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	set, err := reveal.Scan(f)
	if err != nil {
		return refusedDisclosure(path, err)
	}
	secret, err := readSecret(secretFile)
	if errors.Is(err, os.ErrNotExist) {
		if secret, err = reveal.NewSecret(rand.Reader); err == nil {
			err = a.put(secretFile, []byte(secret.Text()+"\n"), 0o600)
		}
	}
	if err != nil {
		return err
	}
	c, err := reveal.Commit(set, secret)
	if err != nil {
		return refusedDisclosure(path, err)
	}
	shown := map[string]any{"commitment": c.Digest().String(), "objects": c.Objects, "secret": secretFile}
	return a.print(shown, func() { a.say("%s  %d objects; secret in %s", c.Digest(), c.Objects, secretFile) })
}

// disclose writes a disclosure.
func (a *app) disclose(path string, f revealFlags) error {
	if f.secret == "" || f.out == "" || f.all == (len(f.objects) > 0) {
		return usage("--secret, --out and either --object or --all are needed")
	}
	secret, err := readSecret(f.secret)
	if err != nil {
		return err
	}
	bundle, err := os.Open(path)
	if err != nil {
		return err
	}
	defer bundle.Close()
	if _, err := os.Stat(f.out); err == nil {
		return exitError{exitConflict, fmt.Errorf("%s exists, and is not written over: give another --out", f.out)}
	}
	if a.dry {
		return dryRun{method: "WRITE", path: f.out, body: "a disclosure of " + path}
	}
	found := make(map[string]bool)
	out, err := os.OpenFile(f.out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	c, err := reveal.Write(out, bundle, secret, func(_ int64, id string) bool {
		yes := f.all || slices.Contains(f.objects, id)
		found[id] = found[id] || yes
		return yes
	})
	for _, id := range f.objects {
		if err == nil && !found[id] {
			err = fmt.Errorf("%w: the bundle holds no object %q: see its ids with `detente evidence check`", reveal.ErrRefused, id)
		}
	}
	if err = errors.Join(refusedDisclosure(path, err), out.Close()); err != nil {
		return errors.Join(err, os.Remove(f.out))
	}
	shown := map[string]any{"file": f.out, "commitment": c.Digest().String(), "objects": c.Objects}
	return a.print(shown, func() { a.say("%s  of what was committed as %s", f.out, c.Digest()) })
}

// refusedDisclosure gives a refusal its exit code.
func refusedDisclosure(path string, err error) error {
	if errors.Is(err, reveal.ErrRefused) {
		return usage("%s: %v", path, err)
	}
	return err
}

// verifyDisclosure checks a disclosure.
func (a *app) verifyDisclosure(path, commitment string) error {
	var want identity.Digest
	if commitment != "" {
		d, err := digestOf(commitment)
		if err != nil {
			return err
		}
		if d == (identity.Digest{}) {
			return usage("--commitment %s is no digest of anything: copy it from the message", commitment)
		}
		want = d
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := reveal.Verify(f, want)
	if errors.Is(err, reveal.ErrRefused) {
		if said := a.print(map[string]any{"valid": false, "reason": err.Error()}, func() { a.say("%s", a.phrases().of("reveal-another")) }); said != nil {
			return said
		}
		return exitError{exitInvalid, fmt.Errorf("%s: %w", path, err)}
	}
	if err != nil {
		return err
	}
	objects := make([]map[string]any, 0, len(r.Shown))
	for _, o := range r.Shown {
		objects = append(objects, map[string]any{"index": o.Index, "id": o.ID, "hash": o.Hash.String()})
	}
	shown := map[string]any{"valid": true, "compared": commitment != "", "commitment": r.Commitment.Digest().String(), "objects": r.Commitment.Objects, "shown": objects}
	return a.print(shown, func() {
		p, state := a.phrases(), "reveal-part"
		if r.Whole() {
			state = "reveal-whole"
		}
		if commitment == "" {
			state = "reveal-compare"
		}
		a.say("%s  %s  %d/%d", r.Commitment.Digest(), p.of(state), len(r.Shown), r.Commitment.Objects)
		for _, o := range r.Shown {
			a.say("  %d  %s  %s", o.Index, orNone(printable(o.ID)), o.Hash)
		}
	})
}

// printable keeps a stranger's text from steering a terminal.
func printable(s string) string {
	quoted := fmt.Sprintf("%+q", s)
	return quoted[1 : len(quoted)-1]
}

// shownCommitment is a commitment as the API answers.
type shownCommitment struct {
	Commitment string `json:"commitment"`
	Citation   string `json:"citation"`
	State      string `json:"state"`
	Shown      int64  `json:"shown"`
	Objects    int64  `json:"objects"`
	By         string `json:"by"`
	Reason     string `json:"reason"`
}

func (a *app) commitments(c *cobra.Command, id string) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var raw jsontext.Value
	if err := cl.do(c.Context(), "GET", "/commitments?"+url.Values{"message": {id}}.Encode(), nil, &raw); err != nil {
		return err
	}
	var list []shownCommitment
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return a.print(raw, func() {
		p := a.phrases()
		for _, s := range list {
			a.say("%s", p.row(s.Citation, s.Commitment, p.of(s.State), fmt.Sprintf("%d/%d", s.Shown, s.Objects), s.By, printable(s.Reason)))
		}
	})
}
