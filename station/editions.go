package station

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"detente/book"
	"detente/dossier"
	"detente/identity"
	"detente/message"
)

// editionProposed is the format that proposes an edition of the signal book.
const (
	editionProposed message.Format = "034"
	editionAdopted  message.Format = "035"
)

// keepsInUse returns ErrInvalid, with the place, where a proposed edition drops a
// format that is in use on the line: one of its newest messages, sent or waiting,
// is of it. What such a message says would be read by nobody.
func (s *Station) keepsInUse(tx Tx, b message.Body) error {
	dropped := make(map[message.Format]string)
	for i, r := range dossier.FactsOf(b).Records["changes"] {
		if n, ok := strings.CutPrefix(r["item"], "formats/"); ok && r["code"] == book.ChangeDropped {
			dropped[message.Format(n)] = fmt.Sprintf("changes [%d]", i+1)
		}
	}
	return s.noneInUse(tx, b, dropped)
}

// mayAdopt returns ErrInvalid, with the place, where an answer adopts an edition
// that this station does not read itself, or that drops a format in use: whoever
// adopts says that it understands what comes.
func (s *Station) mayAdopt(tx Tx, now time.Time, b message.Body) error {
	f := dossier.FactsOf(b)
	if d := f.Words["decision"]; d != "adopted" && d != "reservations" {
		return nil
	}
	d, err := identity.ParseDigest(f.Words["edition"])
	if err != nil {
		return fmt.Errorf("%w: format %s, edition: %w", ErrInvalid, b.Format, err)
	}
	next, ok := s.BookOf(d)
	if !ok {
		return fmt.Errorf("%w: format %s, edition: this station does not read %s: install it first (`detente book install`, then two officers `detente book sign`), or answer that it is examined", ErrInvalid, b.Format, d)
	}
	dropped := make(map[message.Format]string)
	for _, c := range s.speaks(now, b.Line).Propose(next).Changes {
		if n, ok := strings.CutPrefix(c.Item, "formats/"); ok && c.Code == book.ChangeDropped {
			dropped[message.Format(n)] = "edition"
		}
	}
	return s.noneInUse(tx, b, dropped)
}

// noneInUse returns ErrInvalid, with the place, where one of a line's newest
// messages is of a format that an edition drops.
func (s *Station) noneInUse(tx Tx, b message.Body, dropped map[message.Format]string) error {
	if len(dropped) == 0 {
		return nil
	}
	before := int64(0)
	for looked := 0; looked < maxSearched; {
		list, err := tx.RecentMessages(before, chunk)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		for _, m := range list {
			if place, ok := dropped[m.Format]; ok && m.Origin.Line() == b.Line {
				return fmt.Errorf("%w: format %s, %s: format %s is in use on this line, last by %s; keep it in the edition, or say there what replaces it first",
					ErrInvalid, b.Format, place, m.Format, s.Cite(m.Origin, m.Index))
			}
			before = m.Seq
		}
		if looked += len(list); len(list) < chunk {
			break
		}
	}
	return nil
}
