package station

import (
	"encoding/json/v2"
	"errors"
	"fmt"

	"detente/book"
	"detente/identity"
	"detente/message"
	"detente/record"
)

// giveKey is the format by which an entry's file key goes to the counterpart that
// could not open it.
const giveKey message.Format = "006"

// closed reports whether a message stays closed in every record: it was said
// without prejudice, or it is of no matter of its own and refers to what was, such
// as a receipt that repeats it or a translation, or it hands over its key.
func (s *Station) closed(tx Tx, m Message) (bool, error) {
	seen := map[message.ID]bool{m.ID: true}
	for next := []Message{m}; len(next) > 0; next = next[1:] {
		at := next[0]
		if at.Format == book.WithoutPrejudice {
			return true, nil
		}
		if at.Format == giveKey {
			of, ok, err := s.keyOf(tx, at)
			if err != nil {
				return false, err
			}
			if ok && !seen[of.ID] {
				seen[of.ID] = true
				next = append(next, of)
			}
			continue
		}
		if f, ok := s.book.Format(at.Format); ok && f.Dossier != book.KindAny {
			continue
		}
		for _, ref := range at.Refs {
			if seen[ref] {
				continue
			}
			seen[ref] = true
			of, err := tx.MessageByID(ref)
			if errors.Is(err, ErrNotFound) {
				continue // it stands in no log yet
			} else if err != nil {
				return false, err
			}
			next = append(next, of)
		}
	}
	return false, nil
}

// keyOf returns the message whose file key a message hands over.
func (s *Station) keyOf(tx Tx, m Message) (of Message, ok bool, err error) {
	b := s.opened(m).Entry.Body.Body()
	var era identity.Era
	var index int64
	if json.Unmarshal(b.Params["era"], &era) != nil || json.Unmarshal(b.Params["index"], &index) != nil {
		return of, false, nil
	}
	of, err = tx.Message(m.Origin.Line().Log(m.Origin.Writer, era), index)
	if errors.Is(err, ErrNotFound) {
		return of, false, nil
	}
	return of, err == nil, err
}

// keepClosed tells a record which of its entries stay closed, and how many.
func (s *Station) keepClosed(tx Tx, o *record.Options) (int, error) {
	shut := make(map[record.Entry]bool)
	for _, e := range o.Entries {
		m, err := tx.Message(e.Origin, e.Index)
		if errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return 0, err
		}
		closed, err := s.closed(tx, m)
		if err != nil {
			return 0, err
		}
		if closed {
			shut[e] = true
		}
	}
	o.Closed = func(e record.Entry) bool { return shut[e] }
	if o.Kind == record.Message && len(shut) > 0 {
		e := o.Entries[0]
		return 0, fmt.Errorf("%w: %s was said without prejudice, and no record discloses it: export it without --disclose, which proves that it exists and when it was received", ErrRefused, s.Cite(e.Origin, e.Index))
	}
	return len(shut), nil
}
