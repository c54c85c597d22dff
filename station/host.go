package station

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"detente/identity"
	"detente/line"
)

// host answers requests of a line for a station, at the time of a clock.
type host struct {
	station *Station
	now     func() time.Time
}

// At returns the station as what answers requests, at the time that now tells.
// Somebody has to call TakeIn after each answer: a Runner does.
func At(s *Station, now func() time.Time) line.Host { return host{s, now} }

// Handle implements line.Host.
func (h host) Handle(ctx context.Context, r line.Request) line.Response {
	return h.station.Handle(ctx, h.now(), r)
}

// Blob implements line.Host.
func (h host) Blob(ctx context.Context, peer identity.Station, hash identity.Digest, offset int64) (io.ReadCloser, int64, error) {
	r, size, err := h.station.OpenBlob(ctx, peer, hash)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, line.ErrNoBlob
	}
	if err != nil {
		return nil, 0, err
	}
	if _, err := r.Seek(offset, io.SeekStart); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("blob %s: %w", hash, err), r.Close())
	}
	return r, size, nil
}

// OriginOf returns the log of a line of this station that a hash names; false
// where it names none.
func (s *Station) OriginOf(hash identity.Digest) (found identity.Origin, ok bool) {
	err := s.store.View(context.Background(), func(tx Tx) error {
		rows, err := tx.Lines()
		for _, row := range rows {
			own, theirs := row.Line.Log(s.name, row.OwnEra), row.Line.Log(row.Line.Other(s.name), max(row.PeerEra, 1))
			for _, newest := range []identity.Origin{own, theirs} {
				if found, ok = named(newest, hash); ok {
					return nil
				}
			}
		}
		return err
	})
	return found, ok && err == nil
}

// named returns the log of a hash among a log and those of the eras before it,
// the newest first.
func named(o identity.Origin, hash identity.Digest) (identity.Origin, bool) {
	for ; o.Era > 0; o.Era-- {
		if line.OriginHash(o) == hash {
			return o, true
		}
	}
	return identity.Origin{}, false
}

// Trusted returns whose TLS key it is by the pinned cards; false where it is
// nobody's.
func (s *Station) Trusted(spki identity.Digest, now time.Time) (identity.Station, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.peers {
		if p.state != PeerRemoved && p.Card.TLSKnown(spki, now) {
			return name, true
		}
	}
	return "", false
}

// EndpointsOf returns where a peer is reached, and nil for an unknown one.
func (s *Station) EndpointsOf(name identity.Station) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.peers[name]; ok && p.state != PeerRemoved {
		return p.Card.Endpoints
	}
	return nil
}
