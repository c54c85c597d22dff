package api

import (
	"context"
	"net/http"
	"time"

	"detente/identity"
	"detente/station"

	"github.com/danielgtaylor/huma/v2"
)

// Blob is how a blob stands.
type Blob struct {
	Hash      string     `json:"hash" doc:"of its ciphertext, as messages name it"`
	Line      string     `json:"line"`
	From      string     `json:"from"`
	Direction string     `json:"direction" doc:"out: ours; in: the counterpart's"`
	State     string     `json:"state" doc:"offered, held or receipted"`
	Size      int64      `json:"size" doc:"bytes of the ciphertext"`
	Have      int64      `json:"have" doc:"bytes that this station holds"`
	Message   string     `json:"message,omitempty" doc:"the citation of the message that names it"`
	Held      *time.Time `json:"held,omitempty" doc:"when it was whole here"`
	Receipted *time.Time `json:"receipted,omitempty" doc:"the second of the counterpart's receipt"`
	Withheld  *time.Time `json:"withheld_since,omitempty" doc:"out: since when its receipt should have come, though the message that names it was receipted"`
}

func shownBlob(b station.BlobStanding) Blob {
	out := Blob{
		Hash: b.Hash.String(), Line: b.Line.String(), From: string(b.From), Direction: "in", State: blobStates[b.State], Size: b.Size, Have: b.Have,
		Message: b.Citation, Withheld: optional(b.Missing),
	}
	if b.Ours {
		out.Direction = "out"
	}
	if b.State == station.BlobReceipted {
		out.Receipted = optional(b.At)
	} else {
		out.Held = optional(b.At)
	}
	return out
}

var blobStates = map[station.BlobState]string{station.BlobOffered: "offered", station.BlobHeld: "held", station.BlobReceipted: "receipted"}

// blobState reads a state's name; zero for none.
func blobState(name string) station.BlobState {
	for state, known := range blobStates {
		if known == name {
			return state
		}
	}
	return 0
}

// standings serves how blobs stand; their bytes are served by blobs.
func (s *Server) standings(api huma.API) {
	huma.Register(api, operation(http.MethodGet, "/blobs", "blobs", "How evidence stands: offered, held, receipted"),
		func(ctx context.Context, in *struct {
			State string `query:"state" enum:"offered,held,receipted" doc:"of the last one seen, with after; without, from the first"`
			After string `query:"after" doc:"the hash of the last one seen"`
			Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		}) (*page[Blob], error) {
			var after identity.Digest
			if in.After != "" {
				var err error
				if after, err = identity.ParseDigest(in.After); err != nil {
					return nil, huma.Error422UnprocessableEntity(err.Error())
				}
			}
			list, err := s.Station.ListBlobs(ctx, actorOf(ctx), s.Now(), blobState(in.State), after, in.Limit)
			all := make([]Blob, 0, len(list))
			for _, b := range list {
				all = append(all, shownBlob(b))
			}
			var last Blob
			if len(all) > 0 {
				last = all[len(all)-1]
			}
			return paged(all, err, in.Limit, "/blobs?state=%s&after=%s&limit=%d", last.State, last.Hash, in.Limit)
		})
	huma.Register(api, operation(http.MethodGet, "/blobs/{hash}/state", "blob", "How one piece of evidence stands"),
		func(ctx context.Context, in *struct {
			Hash string `path:"hash"`
		}) (*out[Blob], error) {
			hash, err := identity.ParseDigest(in.Hash)
			if err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			b, err := s.Station.ShowBlob(ctx, actorOf(ctx), s.Now(), hash)
			return answer(shownBlob(b), err)
		})
}
