package api

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"detente/identity"
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
}

func (s *Server) records(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/audit", "audit", "Lines of the audit trail"),
		func(ctx context.Context, in *struct {
			From  int64 `query:"from" default:"1"`
			Limit int   `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		}) (*out[[]Audit], error) {
			list, err := s.Station.AuditTrail(ctx, actorOf(ctx), s.Now(), in.From, in.Limit)
			all := make([]Audit, 0, len(list))
			for _, a := range list {
				all = append(all, Audit{a.Number, a.At.UTC(), a.Actor, a.Act, a.Object, a.Result, a.Detail, a.Hash.String()})
			}
			return answer(all, err)
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
		s.raw(w, r, func(actor station.Actor) error {
			l, err := identity.ParseLine(r.URL.Query().Get("line"))
			if err != nil {
				return errors.Join(station.ErrInvalid, err)
			}
			mediaType := r.Header.Get("Content-Type")
			ref, err := s.Station.AddBlob(r.Context(), actor, s.Now(), l, mediaType, io.LimitReader(r.Body, station.MaxBlob))
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", "application/json")
			_, err = w.Write(ref)
			return err
		})
	})
	mux.HandleFunc("GET /api/v1/blobs/{hash}", func(w http.ResponseWriter, r *http.Request) {
		s.raw(w, r, func(actor station.Actor) error {
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
		s.raw(w, r, func(actor station.Actor) error {
			q := r.URL.Query()
			e := station.Export{Message: q.Get("message"), Dossier: q.Get("dossier"), Line: q.Get("line"), Disclose: q.Get("disclose") == "true"}
			w.Header().Set("Content-Type", "application/zip")
			return s.Station.Export(r.Context(), actor, s.Now(), e, w)
		})
	})
}

// raw runs a handler outside the described operations, with the same
// authentication and errors.
func (s *Server) raw(w http.ResponseWriter, r *http.Request, do func(station.Actor) error) {
	actor, err := s.actor(r.Context(), r.Header.Get("Authorization"))
	status := http.StatusUnauthorized
	if err == nil {
		err = do(actor)
		status = statusOf(err)
	}
	if err != nil {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_ = writeProblem(w, status, err) // the connection is gone where this fails
	}
}

func hexID(id [16]byte) string { return hex.EncodeToString(id[:]) }
