package simulate

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"detente/identity"
	"detente/line"
	"detente/message"
	"detente/station"
)

// shelf keeps a node's blobs. It lies beside the store, survives crashes and is
// not put back with it.
type shelf struct {
	whole, coming map[identity.Digest][]byte
}

func newShelf() *shelf {
	return &shelf{whole: make(map[identity.Digest][]byte), coming: make(map[identity.Digest][]byte)}
}

// Put implements station.Blobs.
func (s *shelf) Put(write func(io.Writer) error) (identity.Digest, int64, error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return identity.Digest{}, 0, err
	}
	hash := identity.Sum(b.Bytes())
	s.whole[hash] = b.Bytes()
	return hash, int64(b.Len()), nil
}

// Extend implements station.Blobs.
func (s *shelf) Extend(hash identity.Digest, offset int64, data []byte) (int64, error) {
	if whole, ok := s.whole[hash]; ok {
		return int64(len(whole)), nil
	}
	if have := s.coming[hash]; int64(len(have)) == offset {
		s.coming[hash] = append(have, data...)
	}
	return int64(len(s.coming[hash])), nil
}

// Finish implements station.Blobs.
func (s *shelf) Finish(hash identity.Digest) error {
	if _, ok := s.whole[hash]; ok {
		return nil
	}
	data := s.coming[hash]
	delete(s.coming, hash)
	if identity.Sum(data) != hash {
		return errors.New("a blob with another hash")
	}
	s.whole[hash] = data
	return nil
}

// Open implements station.Blobs.
func (s *shelf) Open(hash identity.Digest) (io.ReadSeekCloser, error) {
	data, ok := s.whole[hash]
	if !ok {
		return nil, station.ErrNotFound
	}
	return openBlob{bytes.NewReader(data)}, nil
}

// openBlob is a blob that is being read.
type openBlob struct{ *bytes.Reader }

// Close implements io.Closer.
func (openBlob) Close() error { return nil }

const fetchEvery = 10 * time.Minute // what is offered of blobs

// fetchBlobs lets a node fetch what the other one offers, as its runner does,
// while the wires hold.
func (w *world) fetchBlobs(ctx context.Context, n *node) error {
	from := w.other(n)
	if !n.up || !from.up || !n.wrong.IsZero() || !from.wrong.IsZero() || w.cut != [2]bool{} || w.closing() {
		return nil
	}
	wanted, _, err := n.end.WantedBlobs(ctx, w.line, identity.Digest{})
	if err != nil {
		return err
	}
	host := station.At(from.end.Station, func() time.Time { return w.clock(from) })
	for _, b := range wanted {
		a := line.Serve(ctx, host, line.Request{Op: line.OpBlob, Peer: n.name, Hash: b.Hash, Offset: b.Have})
		if a.Err() != nil || len(a.Body) == 0 {
			continue // it is not given yet, and asked for again
		}
		if _, err := n.end.TakeBlob(ctx, w.clock(n), b, b.Have, a.Body); err != nil {
			return err
		}
		w.kick(ctx, n)
	}
	return nil
}

// share tells the other side of an indicator, in a bundle of its own.
func (w *world) share(ctx context.Context, n *node) error {
	on := w.awake(n)
	if len(on) == 0 {
		return nil
	}
	now := w.clock(n).UTC().Truncate(time.Second)
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", w.rand.Uint32(), w.rand.IntN(1<<16), w.rand.IntN(1<<12), w.rand.IntN(1<<12), w.rand.Int64N(1<<48))
	}
	stamp := now.Format("2006-01-02T15:04:05.000Z")
	text := fmt.Sprintf(`{"type":"bundle","id":"bundle--%s","objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--%s","created":"%s","modified":"%[3]s",`+
		`"name":"Beacon %d","pattern":"[ipv4-addr:value = '192.0.2.%d']","pattern_type":"stix","valid_from":"%[3]s","object_marking_refs":["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"]}]}`,
		uuid(), uuid(), stamp, len(w.said), w.rand.IntN(256))
	blob, err := n.end.AddBlob(ctx, as(on[0]), w.clock(n), w.line, station.StixType, strings.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s adds a bundle: %w", n.name, err)
	}
	_, ok, err := w.speak(ctx, n, station.Draft{Format: "240"}, "kinds=control", "bundle="+string(blob), "bundle_hash="+identity.Sum([]byte(text)).String(), "objects=1", "origin_hint=unknown",
		"handling=AMBER", "permitted_actions=AMBER", "first_seen="+now.Add(-48*time.Hour).Format(time.RFC3339), "last_seen="+now.Add(-time.Hour).Format(time.RFC3339),
		"ask=check", "by="+now.Add(5*24*time.Hour).Format(time.RFC3339))
	if ok {
		w.result.Shared++
	}
	return err
}

// bundleIn returns the blob that a message of format 240 names.
func bundleIn(m station.Message) (identity.Digest, error) {
	e, err := message.ParseEntry(m.Plain)
	if err != nil {
		return identity.Digest{}, err
	}
	var v struct {
		Hash string `json:"hash"`
	}
	if err := json.Unmarshal(e.Body.Body().Params["bundle"], &v); err != nil {
		return identity.Digest{}, err
	}
	return identity.ParseDigest(v.Hash)
}

// feedback judges what the other side shared, object by object. ErrNotFound: it
// has not been fetched yet.
func (w *world) feedback(ctx context.Context, n *node, m station.Message) ([]string, bool, error) {
	hash, err := bundleIn(m)
	if err != nil {
		return nil, false, err
	}
	r, err := n.end.ReadBundle(ctx, as(n.crew.onDuty(w.now)[0]), w.clock(n), hash)
	if err != nil {
		return nil, false, fmt.Errorf("%s reads the bundle of %s: %w", n.name, w.cite(m.Origin, m.Index), err)
	}
	codes := []string{"useful", "false", "acted"}
	counts := make([]int, len(codes))
	var typed []string
	for _, o := range r.Bundle.Objects {
		i := w.rand.IntN(len(codes))
		counts[i]++
		typed = append(typed, fmt.Sprintf("items=%s@%s/%s", o.ID, o.Hash, codes[i]))
	}
	return append(typed, fmt.Sprintf("useful=%d", counts[0]), fmt.Sprintf("false_positive=%d", counts[1]), fmt.Sprintf("acted=%d", counts[2])), true, nil
}

// judged joins feedback to what was shared: each verdict is about an object as it
// was sent.
func (w *world) judged(ctx context.Context, n *node, m station.Message) error {
	var hash identity.Digest
	if err := view(n, func(tx station.Tx) error {
		shared, err := tx.MessageByID(m.Refs[0])
		if err == nil {
			hash, err = bundleIn(shared)
		}
		return err
	}); err != nil {
		return err
	}
	results, err := n.end.MatchFeedback(ctx, as(n.crew.onDuty(w.now)[0]), w.clock(n), hash, m.ID)
	if err != nil {
		return fmt.Errorf("%s reads feedback: %w", n.name, err)
	}
	for _, r := range results {
		if !r.Held || !r.Same {
			return w.oracle.broken("P3", "%s judges an object that %s did not send so: %s", w.cite(m.Origin, m.Index), n.name, r.Object)
		}
	}
	w.result.Judged += len(results)
	return nil
}
