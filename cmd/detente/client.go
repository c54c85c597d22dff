package main

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"detente/station"

	"github.com/spf13/cobra"
)

// client calls a station's API.
type client struct {
	base  string
	token string
	dry   bool // what changes something is only tried
}

func (a *app) client() (*client, error) {
	c := &client{base: a.url, dry: a.dry}
	tokenFile := a.tokenFile
	if a.data != "" && (c.base == "" || tokenFile == "") {
		conf, err := a.readConfig()
		if err != nil {
			return nil, err
		}
		if c.base == "" {
			c.base = "http://" + conf.API
		}
		if tokenFile == "" {
			tokenFile = filepath.Join(a.data, tokenName)
		}
	}
	if c.base == "" || tokenFile == "" {
		return nil, usage("it is not said which station is meant: give --data DIR, or --station URL with --token-file FILE")
	}
	if err := tokenMayGo(c.base); err != nil {
		return nil, err
	}
	var err error
	if c.token, err = readToken(tokenFile); err != nil {
		return nil, exitError{exitNotSignedIn, fmt.Errorf("%w; an operator makes one with `detente token add`", err)}
	}
	c.base = strings.TrimSuffix(c.base, "/") + "/api/v1"
	return c, nil
}

// tokenMayGo refuses an address to which a token would travel in clear over a
// network.
func tokenMayGo(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usage("--station: %q is no address such as http://127.0.0.1:8080", address)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return usage("--station: %s would carry the token in clear over a network: use https, or run this on the station's machine", address)
}

// readToken reads a token from its file.
func readToken(path string) (string, error) {
	token, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return strings.TrimSpace(string(token)), nil
}

// at makes a path of the API; what comes from outside is escaped.
func at(format string, names ...string) string {
	escaped := make([]any, len(names))
	for i, n := range names {
		escaped[i] = url.PathEscape(n)
	}
	return fmt.Sprintf(format, escaped...)
}

// do calls the API; in and out are JSON, and may be nil.
func (c *client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in, json.Deterministic(true))
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := c.raw(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return nil
}

// problem is an error as RFC 9457 writes it.
type problem struct {
	Type   string `json:"type"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
}

// raw calls the API and returns the answer's body.
func (c *client) raw(ctx context.Context, method, path, contentType string, body io.Reader) (io.ReadCloser, error) {
	trial := c.dry && method != http.MethodGet
	if trial {
		path = "/dry-run" + path
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, usage("%v", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, exitError{exitLineDown, fmt.Errorf("the station does not answer: %w; start it with `detente station serve`", err)}
	}
	if resp.StatusCode < 300 && !trial {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		return nil, triedIn(resp.Body, method, path)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	var p problem
	if json.Unmarshal(text, &p) != nil || p.Detail == "" {
		p.Detail = resp.Status
	}
	for _, e := range p.Errors {
		if strings.HasPrefix(e.Message, "line ") { // a finding, which says itself where
			p.Detail += "\n  " + e.Message
			continue
		}
		p.Detail += "; " + e.Location + ": " + e.Message
	}
	return nil, kindOf(p, resp.StatusCode)
}

// triedIn reads what a station says that it would have done.
func triedIn(r io.Reader, method, path string) error {
	var t struct {
		DryRun bool    `json:"dry_run"`
		Would  []would `json:"would"`
	}
	if err := json.UnmarshalRead(io.LimitReader(r, 1<<20), &t); err != nil || !t.DryRun {
		return errors.Join(errors.New("internal error: the station did not say that this was only tried: see `detente audit list` for what was done"), err)
	}
	return dryRun{method: method, path: path, would: t.Would}
}

// kinds are the types of problem that the API names, as errors of this program.
var kinds = map[string]error{
	"not-found": station.ErrNotFound, "refused": station.ErrRefused, "conflict": station.ErrConflict, "invalid": station.ErrInvalid,
	"line-down": station.ErrLineDown, "clock-unsafe": station.ErrClockUnsafe, "full": station.ErrFull, "outcome-unknown": station.ErrOutcomeUnknown,
}

// kindOf turns an answer back into the kind of error it was.
func kindOf(p problem, status int) error {
	name, _ := strings.CutPrefix(p.Type, "urn:detente:problem:")
	if kind, ok := kinds[name]; ok {
		return told{p.Detail, kind}
	}
	switch status {
	case http.StatusUnauthorized:
		return exitError{exitNotSignedIn, errors.New(p.Detail)}
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return told{p.Detail, station.ErrInvalid}
	case http.StatusNotFound:
		return told{p.Detail, station.ErrNotFound}
	}
	return errors.New(p.Detail)
}

// told is an error in a station's own words.
type told struct {
	text string
	kind error
}

func (t told) Error() string { return t.text }

// Unwrap returns its kind.
func (t told) Unwrap() error { return t.kind }

// call calls the API and prints what it answers.
func (a *app) call(c *cobra.Command, method, path string, in any) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	var out any
	if err := cl.do(c.Context(), method, path, in, &out); err != nil {
		return err
	}
	return a.print(out, func() {
		if out == nil {
			a.tell("done")
			return
		}
		a.table(out)
	})
}

// send posts an officer's signature, bytes that are JSON already, and returns the
// answer. Where it is only tried it stays here: a signature that has left is one.
func (c *client) send(ctx context.Context, path string, body []byte) (map[string]any, error) {
	if c.dry {
		return nil, dryRun{method: http.MethodPost, path: path, body: string(body)}
	}
	var out map[string]any
	return out, c.do(ctx, http.MethodPost, path, jsontext.Value(body), &out)
}

// download saves what the API answers in a new file.
func (a *app) download(c *cobra.Command, path, to string) error {
	if to == "" {
		return usage("--out is missing: the new file that is to be written")
	}
	if _, err := os.Stat(to); err == nil {
		return exitError{exitConflict, fmt.Errorf("%s exists, and is not written over: give another --out", to)}
	}
	if a.dry {
		return dryRun{method: http.MethodGet, path: path, body: "into " + to}
	}
	cl, err := a.client()
	if err != nil {
		return err
	}
	r, err := cl.raw(c.Context(), http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return a.print(map[string]any{"file": to, "bytes": n}, func() { a.say("%s: %d bytes", to, n) })
}
