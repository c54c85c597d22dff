package main

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"detente/station"
)

// client calls a station's API.
type client struct {
	base  string
	token string
}

func (a *app) client() (*client, error) {
	c := &client{base: a.url}
	tokenFile := a.tokenFile
	if a.data != "" {
		conf, err := readConfig(a.data)
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
		return nil, usage("say which station: --data DIR, or --station URL with --token-file FILE")
	}
	var err error
	if c.token, err = readToken(tokenFile); err != nil {
		return nil, exitError{exitNotSignedIn, err}
	}
	c.base = strings.TrimSuffix(c.base, "/") + "/api/v1"
	return c, nil
}

// readToken reads a token from its file.
func readToken(path string) (string, error) {
	token, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return strings.TrimSpace(string(token)), nil
}

// do calls the API; in and out are JSON, and may be nil.
func (c *client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
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
	if out == nil {
		return nil
	}
	if err := json.UnmarshalRead(r, out); err != nil {
		return fmt.Errorf("the station's answer: %w", err)
	}
	return nil
}

// problem is an error as RFC 9457 writes it.
type problem struct {
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
}

// raw calls the API and returns the answer's body.
func (c *client) raw(ctx context.Context, method, path, contentType string, body io.Reader) (io.ReadCloser, error) {
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
		return nil, exitError{exitLineDown, fmt.Errorf("the station does not answer at %s: %w; is it started?", c.base, err)}
	}
	if resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	var p problem
	if json.Unmarshal(text, &p) != nil || p.Detail == "" {
		p.Detail = resp.Status
	}
	for _, e := range p.Errors {
		p.Detail += "; " + e.Location + ": " + e.Message
	}
	return nil, kindOf(resp.StatusCode, p.Detail)
}

// kindOf turns an answer's status back into the kind of error it was.
func kindOf(status int, detail string) error {
	for kind, s := range map[error]int{
		station.ErrNotFound: http.StatusNotFound, station.ErrRefused: http.StatusForbidden, station.ErrConflict: http.StatusConflict,
		station.ErrInvalid: http.StatusUnprocessableEntity, station.ErrLineDown: http.StatusServiceUnavailable,
	} {
		if s == status {
			return told{detail, kind}
		}
	}
	if status == http.StatusUnauthorized {
		return exitError{exitNotSignedIn, fmt.Errorf("%s", detail)}
	}
	return fmt.Errorf("%s", detail)
}

// told is an error in a station's own words.
type told struct {
	text string
	kind error
}

func (t told) Error() string { return t.text }

// Unwrap returns its kind.
func (t told) Unwrap() error { return t.kind }
