package station

import (
	"errors"
	"fmt"
	"strings"

	"detente/book"
	"detente/dossier"
	"detente/message"
)

// editionProposed is the format that proposes an edition of the signal book.
const editionProposed message.Format = "034"

// keepsInUse returns ErrInvalid, with the place, where a proposed edition drops a
// format that is in use on the line: one of its newest messages, sent or waiting,
// is of it. What such a message says would be read by nobody.
func (s *Station) keepsInUse(tx Tx, b message.Body) error {
	dropped := make(map[message.Format]int)
	for i, r := range dossier.FactsOf(b).Records["changes"] {
		if n, ok := strings.CutPrefix(r["item"], "formats/"); ok && r["code"] == book.ChangeDropped {
			dropped[message.Format(n)] = i + 1
		}
	}
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
			if n, ok := dropped[m.Format]; ok && m.Origin.Line() == b.Line {
				return fmt.Errorf("%w: format %s, changes [%d]: format %s is in use on this line, last by %s; keep it in the edition, or say there what replaces it first",
					ErrInvalid, b.Format, n, m.Format, s.Cite(m.Origin, m.Index))
			}
			before = m.Seq
		}
		if looked += len(list); len(list) < chunk {
			break
		}
	}
	return nil
}
