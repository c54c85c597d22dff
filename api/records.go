package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
	"detente/message"
	"detente/station"
)

// Audit is a line of the audit trail.
type Audit struct {
	Number int64     `json:"number"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Act    string    `json:"act"`
	Object string    `json:"object"`
	Result string    `json:"result"`
	Detail string    `json:"detail,omitempty"`
	Hash   string    `json:"hash" doc:"over the previous line's hash and this line"`
}

// Evidence is what the station holds against a counterpart.
type Evidence struct {
	Kind    string    `json:"kind"`
	Line    string    `json:"line"`
	At      time.Time `json:"at"`
	Summary string    `json:"summary"`
	File    []byte    `json:"file" doc:"verifies with detente record verify"`
}

// Finding is something that doctor found wrong.
type Finding struct {
	Where  string `json:"where"`
	What   string `json:"what"`
	Repair string `json:"repair"`
	Mended bool   `json:"mended,omitempty" doc:"it was put back, or made anew"`
}

func (s *Server) records(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/audit", "audit", "Lines of the audit trail"),
		func(ctx context.Context, in *struct {
			From  int64 `query:"from" default:"1"`
			Limit int   `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		}) (*page[Audit], error) {
			list, err := s.Station.AuditTrail(ctx, actorOf(ctx), s.Now(), in.From, in.Limit)
			all := make([]Audit, 0, len(list))
			next := int64(0)
			for _, a := range list {
				all = append(all, Audit{a.Number, a.At.UTC(), a.Actor, a.Act, a.Object, a.Result, a.Detail, a.Hash.String()})
				next = a.Number + 1
			}
			return paged(all, err, in.Limit, "/audit?from=%d&limit=%d", next, in.Limit)
		})
	huma.Register(api, operation(http.MethodGet, "/evidence", "evidence", "Forks, withheld receipts and the like, as files that verify"),
		func(ctx context.Context, _ *struct{}) (*out[[]Evidence], error) {
			list, err := s.Station.Evidences(ctx, actorOf(ctx), 0)
			all := make([]Evidence, 0, len(list))
			for _, e := range list {
				all = append(all, Evidence{e.Kind, e.Line.String(), e.At.UTC(), e.Summary, e.File})
			}
			return answer(all, err)
		})
}

// blobs serves evidence: raw bytes in and out, which the document describes
// only in words.
func (s *Server) blobs(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/v1/blobs", func(w http.ResponseWriter, r *http.Request) {
		s.raw(w, r, func(actor station.Actor, w http.ResponseWriter) error {
			l, err := identity.ParseLine(r.URL.Query().Get("line"))
			if err != nil {
				return errors.Join(station.ErrInvalid, err)
			}
			mediaType := r.Header.Get("Content-Type")
			ref, err := s.Station.AddBlob(r.Context(), actor, s.Now(), l, mediaType, http.MaxBytesReader(w, r.Body, station.MaxBlob))
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "application/json")
			_, err = w.Write(ref)
			return err
		})
	})
	mux.HandleFunc("GET /api/v1/blobs/{hash}", func(w http.ResponseWriter, r *http.Request) {
		s.raw(w, r, func(actor station.Actor, w http.ResponseWriter) error {
			hash, err := identity.ParseDigest(r.PathValue("hash"))
			if err != nil {
				return errors.Join(station.ErrInvalid, err)
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Disposition", "attachment")
			return s.Station.ReadBlob(r.Context(), actor, s.Now(), hash, w)
		})
	})
}

// exports serves records.
func (s *Server) exports(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/records", func(w http.ResponseWriter, r *http.Request) {
		s.raw(w, r, func(actor station.Actor, w http.ResponseWriter) error {
			q := r.URL.Query()
			e := station.Export{Message: q.Get("message"), Dossier: q.Get("dossier"), Line: q.Get("line"), Publication: q.Get("publication"), For: q.Get("for"), Disclose: q.Get("disclose") == "true", Marking: message.Marking{TLP: q.Get("tlp"), PAP: q.Get("pap")}}
			w.Header().Set("Content-Type", "application/zip")
			return s.Station.Export(r.Context(), actor, s.Now(), e, w)
		})
	})
	mux.HandleFunc("GET /api/v1/state-file", func(w http.ResponseWriter, r *http.Request) {
		s.raw(w, r, func(actor station.Actor, w http.ResponseWriter) error {
			l, err := identity.ParseLine(r.URL.Query().Get("line"))
			if err != nil {
				return errors.Join(station.ErrInvalid, err)
			}
			var at time.Time
			if text := r.URL.Query().Get("at"); text != "" {
				if at, err = time.Parse(time.RFC3339, text); err != nil {
					return fmt.Errorf("%w: at: %q is no second such as 2026-11-24T14:00:00Z", station.ErrInvalid, text)
				}
			}
			file, err := s.Station.StateFile(r.Context(), actor, s.Now(), l, at)
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "application/json")
			_, err = w.Write(file)
			return err
		})
	})
}

// raw runs a handler outside the described operations, with the same
// authentication and errors.
func (s *Server) raw(w http.ResponseWriter, r *http.Request, do func(station.Actor, http.ResponseWriter) error) {
	actor, err := s.actor(r.Context(), r.Header.Get("Authorization"))
	if err != nil {
		m := &huma.ErrorModel{Status: authStatus(err), Detail: err.Error()}
		_, _ = withType(nil, "", m) // never fails
		_ = writeProblem(w, m)      // the connection is gone where this fails
		return
	}
	out := &started{ResponseWriter: w}
	if err = do(actor, out); err == nil {
		return
	}
	if t, only := triedOf(err); only && !out.yes {
		_ = writeTried(w, t) // likewise
		return
	}
	if out.yes { // too late for a problem: break off, so that nobody takes a part for the whole
		panic(http.ErrAbortHandler)
	}
	w.Header().Del("Content-Disposition")
	_ = writeProblem(w, modelOf(err)) // the connection is gone where this fails
}

// describeRaw puts the operations that move raw bytes into the document.
func describeRaw(api huma.API) {
	binary := func(mediaType string) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	}
	problems := &huma.Response{Description: "Problem", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/ErrorModel"}},
	}}
	query := func(name, what string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: what, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	add := operation(http.MethodPost, "/blobs", "add-blob", "Seal a file to a line's counterpart; the answer is the parameter that names it")
	add.Parameters = []*huma.Param{query("line", "the line")}
	add.RequestBody = &huma.RequestBody{Required: true, Content: binary("application/octet-stream")}
	add.Responses = map[string]*huma.Response{"200": {Description: "The parameter", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}, "default": problems}
	get := operation(http.MethodGet, "/blobs/{hash}", "get-blob", "Open a blob that the station holds")
	get.Parameters = []*huma.Param{{Name: "hash", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	get.Responses = map[string]*huma.Response{"200": {Description: "The file", Content: binary("application/octet-stream")}, "default": problems}
	export := operation(http.MethodGet, "/records", "export", "Export a message, a dossier, a line or a publication as a record")
	export.Parameters = []*huma.Param{query("message", "the id of one message"), query("dossier", "the id of any message of a dossier"), query("line", "a whole line"), query("publication", "the id of a proposal of a publication: what both consented to"), query("for", "of a disclosed record: the third party that gets it; then what the counterpart wrote needs its grant"),
		query("disclose", "true lets file keys go along"), query("tlp", "of a disclosed record: what its reader may see; if absent AMBER+STRICT and PAP AMBER"), query("pap", "likewise")}
	export.Responses = map[string]*huma.Response{"200": {Description: "The record", Content: binary("application/zip")}, "default": problems}
	state := operation(http.MethodGet, "/state-file", "state-file", "Where everything on a line stands, as a canonical file: the same bytes at both stations, and from a record")
	state.Parameters = []*huma.Param{query("line", "the line"), query("at", "as of which second; if absent now")}
	state.Responses = map[string]*huma.Response{"200": {Description: "The state", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}, "default": problems}
	for _, o := range []huma.Operation{add, get, export, state} {
		api.OpenAPI().AddOperation(&o)
	}
}

func hexID(id [16]byte) string { return hex.EncodeToString(id[:]) }
