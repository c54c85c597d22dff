package filler

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/message"
	"detente/station"
	"detente/store"
)

// foldMeasured is how many messages come one by one, each folded as it comes.
const foldMeasured = 1000

// Fold fills a store in a directory of its own, which it makes anew, with a line on
// which each message is answered, and returns what folding one more message costs
// on top of so many entries: it is read from the store, opened and put, with the
// receipts that it lists, and the matter that it belongs to is folded anew.
func Fold(ctx context.Context, dir string, entries int) (per time.Duration, err error) {
	if err := os.RemoveAll(dir); err != nil {
		return 0, err
	}
	s, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	t, err := newTalk()
	if err != nil {
		return 0, err
	}
	for t.said < int64(entries) {
		if err := s.Update(ctx, func(tx station.Tx) error { return t.say(tx, batchSize) }); err != nil {
			return 0, err
		}
	}
	m := station.NewMatters(dossier.ByEdition(t.book), t.line.A)
	take := func() error {
		return s.View(ctx, func(tx station.Tx) error {
			row, err := tx.Line(t.line)
			if err != nil {
				return err
			}
			return m.Take(ctx, tx, row)
		})
	}
	if err := take(); err != nil {
		return 0, err
	}
	var took time.Duration
	for range foldMeasured {
		if err := s.Update(ctx, func(tx station.Tx) error { return t.say(tx, 1) }); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := take(); err != nil {
			return 0, err
		}
		d, ok := m.Dossier(t.asked, t.at)
		took += time.Since(began)
		if answered := t.said%2 == 0; ok != answered || answered && len(d.Timeline) != 1 && len(d.Timeline) != 2 {
			return 0, fmt.Errorf("the matter of message %d holds %d messages", t.said, len(d.Timeline))
		}
	}
	return took / foldMeasured, nil
}

// talk is a line on which each side speaks in turn: one asks, the other answers.
type talk struct {
	book  *book.Edition
	line  identity.Line
	at    time.Time
	said  int64
	asked message.ID // the last question
}

func newTalk() (*talk, error) {
	e, err := book.Embedded()
	if err != nil {
		return nil, err
	}
	l, err := identity.NewLine("nrrc.arden.example", "nrrc.boreal.example", identity.Notification)
	return &talk{book: e, line: l, at: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}, err
}

// say writes so many messages into the tables, as they are projected.
func (t *talk) say(tx station.Tx, n int) error {
	row := station.Line{Line: t.line, OwnEra: 1, PeerEra: 1}
	if err := tx.PutLine(row); err != nil {
		return err
	}
	for range n {
		if err := t.one(tx); err != nil {
			return err
		}
	}
	return nil
}

// one writes the next message: a question of the first station, or its answer.
func (t *talk) one(tx station.Tx) error {
	t.at = t.at.Add(time.Second)
	index := t.said / 2
	from, seen := t.line.A, index
	b := message.Body{Edition: t.book.Hash(), Format: "210", Line: t.line, Precedence: message.Immediate, Language: "en", Marking: message.Marking{TLP: "AMBER"}}
	typed := []string{
		"kind=scanning", "window=2026-11-01T00:00:00Z/2026-11-01T01:00:00Z", "source_assets=prefix:192.0.2.0/24", "target_sector=energy", "effect=1", "concern=origin",
		"ask=inform", "by=2026-12-24T14:00:00Z",
	}
	if t.said%2 == 1 {
		from, seen = t.line.B, index+1
		b.Format, b.Refs, typed = "211", []message.ID{t.asked}, []string{"answer=not-ours", "action=examining"}
	}
	t.said++
	binary.BigEndian.PutUint64(b.ID[:], uint64(t.said)) //nolint:gosec // a count
	if b.Format == "210" {
		t.asked = b.ID
	}
	b.From, b.To = from, t.line.Other(from)
	var err error
	if b.Params, err = t.book.Compose(b.Format, typed); err != nil {
		return err
	}
	frozen, err := b.Freeze()
	if err != nil {
		return err
	}
	w := message.Wrapper{At: t.at}
	own, other := t.line.Log(from, 1), t.line.Log(t.line.Other(from), 1)
	if seen > 0 {
		w.Seen = message.Head{Era: 1, Size: seen, Root: identity.Sum(b.ID[:])}
		if err := tx.PutListed(station.Listed{Origin: other, Size: seen, At: t.at, Seen: true, By: own, Index: index}); err != nil {
			return err
		}
	}
	plain, err := message.Entry{Wrapper: w, Body: frozen}.Plain()
	if err != nil {
		return err
	}
	return tx.PutMessage(station.Message{Origin: own, Index: index, ID: b.ID, Format: b.Format, Precedence: b.Precedence, At: t.at, Plain: plain, Refs: b.Refs})
}
