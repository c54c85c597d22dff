package line

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
)

// Cards is what a station shows of itself before any checkpoint under a new
// key: its cards, and the succession notes of its logs.
type Cards struct {
	Bundle      []byte   // as identity.Bundle.Bytes wrote it
	Successions [][]byte // signed notes, oldest first; at most MaxSuccessions
}

type cardsJSON struct {
	Cards       string   `json:"cards"`
	Successions []string `json:"successions,omitzero"`
}

// Bytes returns the cards' JSON, or says which limit it breaks.
func (c Cards) Bytes() ([]byte, error) {
	w := cardsJSON{Cards: string(c.Bundle)}
	for _, s := range c.Successions {
		w.Successions = append(w.Successions, string(s))
	}
	if err := checkCards(w); err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	b, err := json.Marshal(w)
	if err == nil && len(b) > MaxCards {
		return nil, fmt.Errorf("cards and succession notes have %d bytes, more than %d", len(b), MaxCards)
	}
	return b, err
}

// ParseCards reads what Cards.Bytes wrote. Nothing in it is verified.
func ParseCards(b []byte) (Cards, error) {
	var w cardsJSON
	if err := readJSON("cards", b, MaxCards, &w); err != nil {
		return Cards{}, err
	}
	if err := checkCards(w); err != nil {
		return Cards{}, err
	}
	c := Cards{Bundle: []byte(w.Cards)}
	for _, s := range w.Successions {
		c.Successions = append(c.Successions, []byte(s))
	}
	return c, nil
}

func checkCards(w cardsJSON) error {
	if w.Cards == "" {
		return errors.New("the cards are empty")
	}
	if len(w.Successions) > MaxSuccessions {
		return fmt.Errorf("%d succession notes are more than %d", len(w.Successions), MaxSuccessions)
	}
	for i, s := range w.Successions {
		if s == "" || len(s) > MaxNote {
			return fmt.Errorf("succession note %d has %d bytes: at least one and at most %d are allowed", i, len(s), MaxNote)
		}
	}
	return nil
}

// readJSON reads one JSON object: no unknown or repeated members, no broken
// UTF-8, nothing after it.
func readJSON(what string, b []byte, limit int, into any) error {
	if len(b) > limit {
		return fmt.Errorf("the %s has %d bytes, more than %d", what, len(b), limit)
	}
	if jsontext.Value(b).Kind() != jsontext.KindBeginObject {
		return fmt.Errorf("the %s is no JSON object", what)
	}
	if err := json.Unmarshal(b, into, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("the %s cannot be read: %s", what, printable([]byte(err.Error()), maxReason))
	}
	return nil
}
