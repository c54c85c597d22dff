package api

import (
	"encoding/json/v2"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"detente/station"
)

// tryPath is where everything that changes something can be tried: what stands
// under /api/v1 stands there once more. It is a path and no parameter, so that a
// station that knows nothing of it answers 404 and does nothing.
const tryPath = "/api/v1/dry-run/"

// Tried is the answer to what was only tried, and would have been done.
type Tried struct {
	DryRun bool    `json:"dry_run"` // always true
	Would  []Would `json:"would"`
}

// Would is an act that was not done, as the audit trail would have named it.
type Would struct {
	Act    string `json:"act"`
	Object string `json:"object,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Error implements error: a trial ends a handler as an error does.
func (t *Tried) Error() string { return "only tried" }

// GetStatus implements huma.StatusError.
func (t *Tried) GetStatus() int { return http.StatusOK }

// ContentType implements huma.ContentTypeFilter: it is an answer and no problem.
func (t *Tried) ContentType(string) string { return "application/json" }

var _ huma.StatusError = (*Tried)(nil)

// triedOf returns the answer to what was only tried; false where an error is one.
func triedOf(err error) (*Tried, bool) {
	only, ok := errors.AsType[*station.TriedError](err)
	if !ok {
		return nil, false
	}
	t := &Tried{DryRun: true, Would: make([]Would, 0, len(only.Would))}
	for _, a := range only.Would {
		t.Would = append(t.Would, Would{a.Act, a.Object, a.Detail})
	}
	return t, true
}

// writeTried writes it outside the described operations.
func writeTried(w http.ResponseWriter, t *Tried) error {
	w.Header().Set("Content-Type", "application/json")
	return json.MarshalWrite(w, t)
}

// tryable serves what lies under tryPath as next serves what lies under /api/v1,
// but changes nothing. What only reads is not tried: it is asked.
func tryable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, under := strings.CutPrefix(r.URL.EscapedPath(), tryPath)
		if !under {
			next.ServeHTTP(w, r)
			return
		}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			m := &huma.ErrorModel{Status: http.StatusMethodNotAllowed, Detail: "what only reads is not tried: ask for it under /api/v1"}
			_, _ = withType(nil, "", m) // never fails
			_ = writeProblem(w, m)      // the connection is gone where this fails
			return
		}
		path, err := url.PathUnescape("/api/v1/" + rest)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		r = r.Clone(station.Trying(r.Context()))
		r.URL.Path, r.URL.RawPath = path, "/api/v1/"+rest
		next.ServeHTTP(w, r)
	})
}
