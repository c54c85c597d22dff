package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"detente/identity"
	"detente/journal"
	"detente/journal/mirror"
	"detente/line"
	"detente/message"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// healing is a piece of a log that is being taken back from a mirror's copy:
// up to a head that carries this station's own signatures.
type healing struct {
	origin  identity.Origin
	source  identity.Station
	page    line.CosignaturePage // receipts over the piece, ascending
	to      int64                // the size of the last of them
	entries [][]byte             // fetched so far, from the store's size on
	from    int64                // the store's size
}

// healPiece bounds the entries taken back in one transaction.
const healPiece = 2048

// stepHeal fetches what the store lacks: first the old cosignatures, which tell
// where signed heads lie, then the entries up to one of them.
func (s *Station) stepHeal(ctx context.Context, now time.Time, l identity.Line, d line.Decision) (Step, error) {
	st, err := s.state(l)
	if err != nil {
		return Step{}, err
	}
	s.mu.Lock()
	h, noNote := st.heal, st.noNote
	st.noNote = false
	s.mu.Unlock()
	if noNote {
		return Step{Request: &line.Request{Op: line.OpCards, Peer: l.Other(s.name)}, Patience: guardPatience, kind: stepNotes}, nil
	}
	if h == nil || h.origin != d.Origin || h.source != d.Source || h.from != d.From {
		r := &line.Request{Op: line.OpCosignatures, Peer: d.Source, Origin: d.Origin, Offset: d.From, By: s.receiptsOn(d.Origin)}
		return Step{Request: r, Patience: guardPatience, kind: stepPage, decision: d}, nil
	}
	next := h.from + int64(len(h.entries))
	n := next / torchwood.TileWidth
	width := min(int64(torchwood.TileWidth), h.to-n*torchwood.TileWidth)
	tile := tlog.Tile{H: torchwood.TileHeight, L: -1, N: n, W: int(width)}
	r := &line.Request{Op: line.OpTile, Peer: d.Source, Origin: d.Origin, Path: torchwood.TilePath(tile)}
	return Step{Request: r, Patience: guardPatience, kind: stepBundle, decision: d}, nil
}

// receiptsOn names the cosigner whose receipts on a log matter here: the
// counterpart's on an own log, this station's on a mirrored one.
func (s *Station) receiptsOn(o identity.Origin) string {
	if o.Writer != s.name {
		return s.mirror.Cosigner.Name()
	}
	p, err := s.peerNamed(o.Reader)
	if err != nil {
		return ""
	}
	return p.cosigner
}

// answeredHeal takes a page of old cosignatures or a bundle of entries.
func (s *Station) answeredHeal(ctx context.Context, now time.Time, l identity.Line, step Step, r line.Response, failed error) error {
	st, err := s.state(l)
	if err != nil {
		return err
	}
	again := func(err error) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		st.heal, st.own.retry = nil, now.Add(guardRetry)
		return err
	}
	switch {
	case failed != nil:
		return again(nil)
	case !r.OK():
		return again(fmt.Errorf("taking back %s: %w", step.decision.Origin, r.Err()))
	}
	if step.kind == stepPage {
		h, err := s.beginHeal(step.decision, r.Body)
		if err != nil {
			return again(err)
		}
		s.mu.Lock()
		st.heal = h
		s.mu.Unlock()
		return nil
	}
	s.mu.Lock()
	h := st.heal
	s.mu.Unlock()
	if h == nil {
		return nil
	}
	if err := h.take(r.Body); err != nil {
		return again(err)
	}
	if h.from+int64(len(h.entries)) < h.to {
		return nil
	}
	switch err := s.storeHealed(ctx, now, l, h); {
	case errors.Is(err, journal.ErrMoved):
		return again(nil) // its writer delivered them meanwhile: look again
	case errors.Is(err, ErrRefused), errors.Is(err, errNotFollowed):
		s.mu.Lock()
		st.noNote = true
		s.mu.Unlock()
		return again(nil)
	case err != nil:
		return again(err)
	}
	s.mu.Lock()
	st.heal = nil
	s.mu.Unlock()
	return s.judgeGuards(ctx, now, l)
}

// beginHeal reads a page of old cosignatures and chooses how far to go.
func (s *Station) beginHeal(d line.Decision, body []byte) (*healing, error) {
	page, err := line.ParseCosignaturePage(body)
	if err != nil {
		return nil, fmt.Errorf("old cosignatures of %s: %w", d.Origin, err)
	}
	h := &healing{origin: d.Origin, source: d.Source, from: d.From}
	for _, c := range page.Cosigned {
		if c.Size <= d.From || c.Size > d.From+healPiece && h.to > 0 {
			continue
		}
		h.page.Cosigned, h.to = append(h.page.Cosigned, c), c.Size
	}
	if h.to == 0 {
		// Its store may have been put back since it told its heads: ask again.
		return nil, fmt.Errorf("%w: %s showed a larger head of %s, and shows no cosignature that leads to it; its heads are asked for again", ErrLineDown, d.Source, d.Origin)
	}
	return h, nil
}

// answeredNotes takes the cards and notes of succession that the counterpart was
// asked for, as if it had shown them by itself.
func (s *Station) answeredNotes(ctx context.Context, now time.Time, l identity.Line, r line.Response, failed error) error {
	if failed != nil || !r.OK() {
		return nil //nolint:nilerr // it is asked again
	}
	p, err := s.peerOf(l)
	if err != nil {
		return err
	}
	if _, err := s.handleCards(ctx, now, p, line.Request{Op: line.OpCards, Peer: p.Card.Station, Body: r.Body}); err != nil {
		return fmt.Errorf("cards of %s: %w", p.Card.Station, err)
	}
	return nil
}

// take reads a bundle of entries and keeps those that are still lacking.
func (h *healing) take(bundle []byte) error {
	next := h.from + int64(len(h.entries))
	at := next / torchwood.TileWidth * torchwood.TileWidth
	for ; len(bundle) > 0; at++ {
		entry, rest, err := torchwood.ReadTileEntry(bundle)
		if err != nil {
			return fmt.Errorf("entries of %s: %w", h.origin, err)
		}
		if bundle = rest; at == h.from+int64(len(h.entries)) && at < h.to {
			h.entries = append(h.entries, entry)
		}
	}
	if h.from+int64(len(h.entries)) == next {
		return fmt.Errorf("entries of %s: the mirror's bundle does not hold entry %d", h.origin, next)
	}
	return nil
}

// storeHealed verifies the piece against the signed head at its end and stores
// it with its receipts. Each own entry is opened and its message marked as
// spent, so that nothing is sent twice.
func (s *Station) storeHealed(ctx context.Context, now time.Time, l identity.Line, h *healing) error {
	pub, err := s.logKey(h.origin)
	if err != nil {
		return err
	}
	return s.update(ctx, now, func(tx Tx) error {
		row, err := tx.Line(l)
		if err != nil {
			return err
		}
		own := h.origin.Writer == s.name
		if !own && h.origin.Era > max(row.PeerEra, 1) {
			// A later log of the counterpart than the store knows of: it is taken as
			// when it was delivered, after the note of succession, and under the
			// release policy that the log before it ended with.
			if err := s.followEra(tx, &row, h.origin.Era); err != nil {
				return err
			}
		}
		last := h.page.Cosigned[len(h.page.Cosigned)-1]
		if _, err := journal.TakeBack(tx, pub, h.origin, own, last.Checkpoint, h.from, h.entries); err != nil {
			return fmt.Errorf("taking back %s: %w", h.origin, err)
		}
		if err := s.takeBackReceipts(tx, h, pub); err != nil {
			return err
		}
		if own {
			row.lookAgain(h.origin.Era, h.page.Cosigned[0].Size)
		}
		if own && h.origin.Era > row.OwnEra {
			policy := s.policyBytes(tx, l.Log(s.name, row.OwnEra))
			if err := tx.PutSetting("policy/"+h.origin.String(), policy); err != nil {
				return err
			}
			row.OwnEra, row.SendEra = h.origin.Era, h.origin.Era
		}
		for i, sealed := range h.entries {
			index := h.from + int64(i)
			if err := s.takeBackEntry(tx, now, &row, h.origin, index, sealed); err != nil {
				return fmt.Errorf("entry %d of %s: %w", index, h.origin, err)
			}
		}
		if err := tx.PutLine(row); err != nil {
			return err
		}
		text := fmt.Sprintf("taken back from %s: entries %d to %d", h.source, h.from, h.to-1)
		if err := s.event(tx, now, "line", h.origin.String(), text); err != nil {
			return err
		}
		return s.audit(tx, now, itself, "heal", h.origin.String(), "done", text)
	})
}

func (s *Station) takeBackEntry(tx Tx, now time.Time, row *Line, o identity.Origin, index int64, sealed []byte) error {
	in := s.open(sealed, o.Writer == s.name)
	if o.Writer != s.name {
		return s.takeIn(tx, now, row, o, index, in, false)
	}
	if in.problem != "" {
		return s.projectUnread(tx, o, index, in)
	}
	row.LastAt = later(row.LastAt, in.entry.Wrapper.At)
	row.Seen = further(row.Seen, in.entry.Wrapper.Seen)
	s.relist(row, in.entry.Wrapper)
	if err := s.spent(tx, in.entry.Body.Body().ID, o, index); err != nil {
		return err
	}
	return s.project(tx, o, index, in.entry, in.plain, "", "")
}

// relist notes what an own entry that was taken back had listed, so that it is
// not listed again. Held cosignatures are looked at anew: what stood in the record
// then may be lost with the counterpart's store.
func (s *Station) relist(row *Line, w message.Wrapper) {
	for _, r := range w.Receipts {
		if r.Era > row.ListedEra || r.Era == row.ListedEra && r.Size > row.ListedSize {
			row.ListedEra, row.ListedSize = r.Era, r.Size
		}
	}
}

// takeBackReceipts verifies and stores the cosignatures of a piece.
func (s *Station) takeBackReceipts(tx Tx, h *healing, pub identity.PublicKey) error {
	name, key := s.mirror.Cosigner.Name(), s.own.Load().Card.Cosigner
	if h.origin.Writer == s.name {
		p, err := s.peerNamed(h.origin.Reader)
		if err != nil {
			return err
		}
		name, key = p.cosigner, p.Card.Cosigner
	}
	for _, c := range h.page.Cosigned {
		head, err := journal.OpenCheckpoint(pub, h.origin, c.Checkpoint)
		if err != nil {
			return err
		}
		root, err := journal.RootAt(tx, h.origin, head.Size)
		if err != nil {
			return err
		}
		if root != head.Root {
			return fmt.Errorf("a signed head of %s at size %d does not belong to its entries", h.origin, head.Size)
		}
		given, err := journal.OpenCosignature(name, key, head, c.Lines)
		if err != nil {
			return err
		}
		given.Checkpoint = c.Checkpoint
		if err := tx.PutCosignature(given); err != nil {
			return err
		}
	}
	return nil
}

// handleCosignatures gives a page of old cosignatures of a log.
func (s *Station) handleCosignatures(ctx context.Context, p *peer, r line.Request) (line.Response, error) {
	if !r.Origin.Line().Has(p.Card.Station) || !r.Origin.Line().Has(s.name) {
		return line.Response{}, fmt.Errorf("%w: the log %s is none of a line between us", ErrRefused, r.Origin)
	}
	by := r.By
	if by == "" {
		by = s.mirror.Cosigner.Name()
	}
	limit := int(min(max(r.Limit, 0), line.MaxCosignatures))
	if limit == 0 {
		limit = line.MaxCosignatures
	}
	var page line.CosignaturePage
	err := s.store.View(ctx, func(tx Tx) error {
		list, err := tx.CosignaturesAfter(r.Origin, by, r.Offset, limit+1)
		for _, c := range list {
			page.Cosigned = append(page.Cosigned, line.Cosigned{By: c.By, Size: c.Size, Checkpoint: c.Checkpoint, Lines: c.Lines})
		}
		return err
	})
	if err != nil {
		return line.Response{}, err
	}
	if len(page.Cosigned) > limit {
		page.Cosigned, page.More = page.Cosigned[:limit], true
	}
	body, err := page.Bytes()
	return line.Response{Status: 200, Type: line.TypeJSON, Body: body}, err
}

// handleTile serves checkpoint and tiles of a log to those the line names.
func (s *Station) handleTile(ctx context.Context, p *peer, r line.Request) (line.Response, error) {
	if !r.Origin.Line().Has(p.Card.Station) || !r.Origin.Line().Has(s.name) {
		return line.Response{}, fmt.Errorf("%w: the log %s is none of a line between us", ErrRefused, r.Origin)
	}
	var tile []byte
	err := s.store.View(ctx, func(tx Tx) (err error) {
		tile, err = mirror.ReadTile(tx, r.Origin, r.Path)
		return err
	})
	return line.Response{Status: 200, Type: line.TypeBytes, Body: tile}, err
}
