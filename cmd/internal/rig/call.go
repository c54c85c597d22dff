package rig

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"detente/identity"
	"detente/message"
)

// client keeps connections to the stations' APIs open.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: time.Minute}

// Call calls the end's API. in and out are JSON, and may be nil; in may be
// []byte that are JSON already.
func (e *End) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	switch v := in.(type) {
	case nil:
	case []byte:
		body = bytes.NewReader(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+e.API+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+e.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return &StatusError{Status: resp.StatusCode, Text: string(text)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// StatusError is an answer of the API that is no success.
type StatusError struct {
	Status int
	Text   string
}

func (e *StatusError) Error() string { return fmt.Sprintf("HTTP %d: %s", e.Status, e.Text) }

// healthy reports whether a health endpoint says so.
func (e *End) healthy(ctx context.Context, path string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.API+path, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Ready waits until the end's station may sign on all its lines.
func (e *End) Ready(ctx context.Context) error {
	return Until(ctx, func() (bool, error) { return e.healthy(ctx, "/readyz"), nil })
}

// Queued is an outgoing message as the API shows it.
type Queued struct {
	ID       string `json:"id"`
	Format   string `json:"format"`
	State    string `json:"state"`
	Reason   string `json:"reason"`
	Next     string `json:"next"`
	Citation string `json:"citation"`
	Order    int64  `json:"order"`
}

// Message is a message as the API shows it.
type Message struct {
	ID         string            `json:"id"`
	Citation   string            `json:"citation"`
	Index      int64             `json:"index"`
	Format     string            `json:"format"`
	Precedence string            `json:"precedence"`
	Receipt    string            `json:"receipt"`
	Received   string            `json:"received"`
	Problem    string            `json:"problem"`
	Texts      map[string]string `json:"texts"`
}

// Draft is a message to be said.
type Draft struct {
	ID         string
	Format     message.Format
	Precedence message.Precedence // zero: the format's usual one
	Refs       []string
	Params     []string // name=value
}

// Submit has a message's bytes fixed.
func (e *End) Submit(ctx context.Context, d Draft) (q Queued, err error) {
	params, err := e.rig.book.Compose(d.Format, d.Params)
	if err != nil {
		return q, err
	}
	in := struct {
		ID         string                    `json:"id,omitempty"`
		Line       string                    `json:"line"`
		Format     string                    `json:"format"`
		Precedence string                    `json:"precedence,omitempty"`
		TLP        string                    `json:"tlp"`
		Refs       []string                  `json:"refs,omitempty"`
		Params     map[string]jsontext.Value `json:"params"`
	}{d.ID, e.rig.Line.String(), string(d.Format), "", "AMBER", d.Refs, params}
	if d.Precedence != 0 {
		in.Precedence = d.Precedence.String()
	}
	return q, e.Call(ctx, http.MethodPost, "/messages", in, &q)
}

// Asked is a request for release, ready to be signed.
type Asked struct {
	Have    int // officers who have approved
	Need    int
	request identity.Request
}

// Ask fetches the request for a message's release.
func (e *End) Ask(ctx context.Context, id string) (a Asked, err error) {
	var in struct {
		Body    []byte    `json:"body"`
		Request string    `json:"request"`
		Policy  string    `json:"policy"`
		Expires time.Time `json:"expires"`
		Have    int       `json:"have"`
		Need    int       `json:"need"`
	}
	if err := e.Call(ctx, http.MethodGet, "/releases/"+id, nil, &in); err != nil {
		return a, err
	}
	f, err := message.ParseBody(in.Body)
	if err != nil {
		return a, err
	}
	a.Have, a.Need = in.Have, in.Need
	a.request = identity.Request{Body: f.Digest(), Role: "releasing", Decision: "approve", Expires: in.Expires}
	if a.request.Policy, err = identity.ParseDigest(in.Policy); err != nil {
		return a, err
	}
	raw, err := hex.DecodeString(in.Request)
	copy(a.request.ID[:], raw)
	return a, err
}

// Sign lets an officer sign a request.
func (o Officer) Sign(a Asked) ([]byte, error) {
	approval, err := identity.ApproveWithKey(o.Key, o.Cert, a.request)
	if err != nil {
		return nil, err
	}
	return approval.Bytes(), nil
}

// Approve gives an officer's signed approval.
func (e *End) Approve(ctx context.Context, id string, approval []byte) (q Queued, err error) {
	return q, e.Call(ctx, http.MethodPost, "/releases/"+id+"/approvals", approval, &q)
}

// Say submits a message and lets as many officers approve it as the policy
// asks. Said again under the same id, it goes on where it was left.
func (e *End) Say(ctx context.Context, d Draft) (Queued, error) {
	q, err := e.Submit(ctx, d)
	if err != nil || q.State != "awaiting" {
		return q, err
	}
	a, err := e.Ask(ctx, q.ID)
	if err != nil {
		return q, err
	}
	for _, o := range e.Officers[a.Have:a.Need] {
		approval, err := o.Sign(a)
		if err != nil {
			return q, err
		}
		if q, err = e.Approve(ctx, q.ID, approval); err != nil {
			return q, err
		}
	}
	return q, nil
}

// Show reads a message, rendered in languages.
func (e *End) Show(ctx context.Context, id string, langs ...string) (m Message, err error) {
	path := "/messages/" + id
	for i, l := range langs {
		sep := ","
		if i == 0 {
			sep = "?lang="
		}
		path += sep + l
	}
	return m, e.Call(ctx, http.MethodGet, path, nil, &m)
}

// Receipted waits until the end holds the counterpart's receipt for a message.
func (e *End) Receipted(ctx context.Context, id string) (m Message, err error) {
	err = Until(ctx, func() (bool, error) {
		m, err = e.Show(ctx, id)
		return err == nil && m.Receipt != "", notYet(err)
	})
	return m, err
}

// Arrived waits until a message stands in the end's copy of a log.
func (e *End) Arrived(ctx context.Context, id string, langs ...string) (m Message, err error) {
	err = Until(ctx, func() (bool, error) {
		m, err = e.Show(ctx, id, langs...)
		return err == nil, notYet(err)
	})
	return m, err
}

// notYet drops the error of a message that is not there yet.
func notYet(err error) error {
	if s, ok := errors.AsType[*StatusError](err); ok && s.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// LineStatus is a line as the API shows it.
type LineStatus struct {
	State  string `json:"state"`
	Guard  string `json:"guard"`
	Reason string `json:"reason"`
	Alarms string `json:"alarms"`
	Own    struct {
		Size     int64 `json:"size"`
		Cosigned int64 `json:"cosigned"`
	} `json:"own"`
	Theirs struct {
		Size int64 `json:"size"`
	} `json:"theirs"`
	Waiting map[string]int `json:"waiting"`
}

// Status returns how the end's line stands.
func (e *End) Status(ctx context.Context) (LineStatus, error) {
	var all []LineStatus
	if err := e.Call(ctx, http.MethodGet, "/lines", nil, &all); err != nil {
		return LineStatus{}, err
	}
	if len(all) != 1 {
		return LineStatus{}, fmt.Errorf("%s has %d lines", e.Name, len(all))
	}
	return all[0], nil
}

// Queue counts messages in the queue.
func (l LineStatus) Queue() (n int) {
	for _, w := range l.Waiting {
		n += w
	}
	return n
}

// Settled waits until both ends have said everything and hold all receipts.
func (r *Rig) Settled(ctx context.Context) error {
	return Until(ctx, func() (bool, error) {
		for _, e := range r.Ends {
			s, err := e.Status(ctx)
			if err != nil {
				return false, err
			}
			if s.Guard != "" || s.Own.Cosigned != s.Own.Size || s.Queue() > 0 {
				return false, nil
			}
		}
		return true, nil
	})
}

// Stream opens the end's stream of events, from its beginning.
func (e *End) Stream(ctx context.Context) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.API+"/api/v1/stream", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+e.token)
	resp, err := (&http.Client{Transport: client.Transport}).Do(req) // without the time limit of a call
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(&StatusError{Status: resp.StatusCode}, resp.Body.Close())
	}
	return resp.Body, nil
}
