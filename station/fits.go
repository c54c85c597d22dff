package station

import (
	"fmt"

	"detente/dossier"
	"detente/message"
)

// fits returns ErrInvalid, with the place, where a body that is to be released
// does not fit what it refers to. It costs nothing for formats that speak of no
// single point of another message.
func (s *Station) fits(tx Tx, b message.Body) error {
	if b.Format == editionProposed {
		return s.keepsInUse(tx, b)
	}
	if b.Format == editionAdopted {
		if err := s.mayAdopt(tx, s.batch.now, b); err != nil {
			return err
		}
	}
	attaches := len(b.Params[counterParam]) > 0
	if !dossier.Fitted(b) && !attaches && b.Format != understood {
		return nil
	}
	var about []message.Body
	for _, ref := range b.Refs {
		body, err := s.bodyOf(tx, ref)
		if err != nil {
			return fmt.Errorf("%w: refs: %w", ErrInvalid, err)
		}
		about = append(about, body)
	}
	if err := dossier.Fits(b, about); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := dossier.Answered(b, about); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !attaches {
		return nil
	}
	return s.attaches(tx, b, about)
}

// understood is the format by which a person says that a message is understood.
const understood message.Format = "012"

// bodyOf returns the body of a message that stands in a log or waits to; of one
// that cannot be read an empty one, which nothing fits.
func (s *Station) bodyOf(tx Tx, id message.ID) (message.Body, error) {
	if m, err := tx.MessageByID(id); err == nil {
		return s.opened(m).Entry.Body.Body(), nil
	}
	out, err := tx.Outgoing(id)
	if err != nil {
		return message.Body{}, err
	}
	frozen, err := message.ParseBody(out.Body)
	if err != nil {
		return message.Body{}, err
	}
	return frozen.Body(), nil
}
