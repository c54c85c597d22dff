package api

import (
	"context"
	"encoding/json/v2"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"detente/station"
)

// ProblemPrefix begins the type of every problem. What follows it stays the
// same from version to version; callers may branch on it.
const ProblemPrefix = "urn:detente:problem:"

// kinds are the kinds of errors of a station, with the status and the problem's
// type by which a caller learns of them. The first that fits counts.
var kinds = []struct {
	err    error
	status int
	name   string
}{
	{station.ErrNotFound, http.StatusNotFound, "not-found"},
	{station.ErrRefused, http.StatusForbidden, "refused"},
	{station.ErrConflict, http.StatusConflict, "conflict"},
	{station.ErrInvalid, http.StatusUnprocessableEntity, "invalid"},
	{station.ErrLineDown, http.StatusServiceUnavailable, "line-down"},
	{station.ErrClockUnsafe, http.StatusServiceUnavailable, "clock-unsafe"},
	{station.ErrFull, http.StatusInsufficientStorage, "full"},
	{station.ErrOutcomeUnknown, http.StatusServiceUnavailable, "outcome-unknown"},
	{context.Canceled, http.StatusServiceUnavailable, "stopping"},
}

// byStatus are the types of problems that the station has no part in.
var byStatus = map[int]string{
	http.StatusBadRequest: "bad-request", http.StatusUnauthorized: "not-signed-in", http.StatusNotFound: "not-found", http.StatusMethodNotAllowed: "bad-request",
	http.StatusRequestEntityTooLarge: "too-large", http.StatusUnsupportedMediaType: "bad-request", http.StatusUnprocessableEntity: "invalid",
	http.StatusServiceUnavailable: "unavailable", http.StatusForbidden: "refused",
}

// modelOf writes an error of the station as RFC 9457 says.
func modelOf(err error) *huma.ErrorModel {
	m := &huma.ErrorModel{Type: ProblemPrefix + "internal", Status: http.StatusInternalServerError, Detail: err.Error()}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			m.Type, m.Status = ProblemPrefix+k.name, k.status
			break
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		m.Type, m.Status = ProblemPrefix+"too-large", http.StatusRequestEntityTooLarge
	}
	m.Title = titleOf(m.Type)
	if f, ok := errors.AsType[station.FindingsError](err); ok {
		for _, one := range f.Findings {
			m.Errors = append(m.Errors, &huma.ErrorDetail{Message: one.String(), Location: string(one.Pointer), Value: shownFinding(one)})
		}
	}
	return m
}

// titleOf is a problem's title: its type in words.
func titleOf(kind string) string {
	return strings.ReplaceAll(strings.TrimPrefix(kind, ProblemPrefix), "-", " ")
}

// problem gives an error of the station its HTTP status and type.
func problem(err error) error {
	if err == nil {
		return nil
	}
	if t, only := triedOf(err); only {
		return t
	}
	return modelOf(err)
}

// withType gives a problem that was found before the station was asked its
// type.
func withType(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok || m.Type != "" {
		return v, nil
	}
	name, known := byStatus[m.Status]
	if !known {
		name = "internal"
	}
	m.Type = ProblemPrefix + name
	m.Title = titleOf(m.Type)
	return m, nil
}

// writeProblem writes a problem outside the described operations.
func writeProblem(w http.ResponseWriter, m *huma.ErrorModel) error {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(m.Status)
	return json.MarshalWrite(w, m)
}

// started is a writer that knows whether anything was written.
type started struct {
	http.ResponseWriter
	yes bool
}

// Write writes.
func (s *started) Write(p []byte) (int, error) {
	s.yes = true
	return s.ResponseWriter.Write(p)
}

var _ io.Writer = (*started)(nil)
