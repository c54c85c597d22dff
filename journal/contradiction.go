package journal

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"time"

	"detente/identity"
)

// What a station may not sign twice.
const (
	// ContradictsTimes: two cosignatures of one mirror on one log, over one size
	// at two seconds or of two roots, or the later second over the smaller size.
	ContradictsTimes = "times"
	// ContradictsCards: two endorsed cards that give one log different keys.
	ContradictsCards = "cards"
	// ContradictsEnds: a succession note, and another for the same log with a
	// different end, or a head beyond the end that the log itself has signed.
	ContradictsEnds = "ends"
)

// Contradiction is two texts that one station or its party has signed and that do
// not go together. It verifies with that station's card and its party's root.
type Contradiction struct {
	Kind string
	Who  identity.Station
	A, B []byte
}

type contradictionJSON struct {
	A    string `json:"a"`
	B    string `json:"b"`
	Kind string `json:"kind"`
	What string `json:"what"`
	Who  string `json:"who"`
}

const contradictionTitle = "detente/contradiction/v1"

// maxContradiction bounds the file: two bundles of cards are the longest.
const maxContradiction = 1 << 20

// MarshalContradiction returns the contradiction as a file that verifies by
// itself.
func MarshalContradiction(c Contradiction) ([]byte, error) {
	return json.Marshal(contradictionJSON{string(c.A), string(c.B), contradictionTitle, c.Kind, string(c.Who)}, json.Deterministic(true))
}

// ParseContradiction reads what MarshalContradiction wrote. It verifies nothing.
func ParseContradiction(b []byte) (Contradiction, error) {
	var w contradictionJSON
	bad := errors.New("this is no proof of a contradiction")
	if len(b) > maxContradiction {
		return Contradiction{}, bad
	}
	if err := json.Unmarshal(b, &w, json.RejectUnknownMembers(true)); err != nil || w.Kind != contradictionTitle {
		return Contradiction{}, bad
	}
	who, err := identity.ParseStation(w.Who)
	if err != nil {
		return Contradiction{}, fmt.Errorf("contradiction: %w", err)
	}
	return Contradiction{Kind: w.What, Who: who, A: []byte(w.A), B: []byte(w.B)}, nil
}

// Verify returns what the two texts prove, or an error that says why they prove
// nothing. card is Who's, and root its party's.
func (c Contradiction) Verify(card identity.Card, root identity.PublicKey) (string, error) {
	switch c.Kind {
	case ContradictsTimes:
		return c.times(card)
	case ContradictsCards:
		return c.cards(root)
	case ContradictsEnds:
		return c.ends(card)
	}
	return "", fmt.Errorf("%q is no kind of contradiction", c.Kind)
}

// cosigned opens a note of a head under a mirror's two lines. Whether the log
// signed it does not matter: the mirror did.
func cosigned(card identity.Card, note []byte) (Cosignature, error) {
	text, _, err := splitNote(note)
	if err != nil {
		return Cosignature{}, err
	}
	h, err := parseHead(text)
	if err != nil {
		return Cosignature{}, err
	}
	return OpenCosignature(card.CosignerName(), card.Cosigner, h, LinesOf(card.CosignerName(), note))
}

func (c Contradiction) times(card identity.Card) (string, error) {
	a, err := cosigned(card, c.A)
	if err != nil {
		return "", err
	}
	b, err := cosigned(card, c.B)
	if err != nil {
		return "", err
	}
	switch {
	case a.Origin != b.Origin:
		return "", errors.New("the two cosignatures are of two logs")
	case a.Size == b.Size && a.Root != b.Root:
		return fmt.Sprintf("%s has receipted two histories of %s at size %d", a.By, a.Origin, a.Size), nil
	case a.Size == b.Size && !a.At.Equal(b.At):
		return fmt.Sprintf("%s has receipted %s at size %d at two seconds, %s and %s", a.By, a.Origin, a.Size, stamp(a.At), stamp(b.At)), nil
	case a.Size < b.Size && b.At.Before(a.At):
		return fmt.Sprintf("%s has receipted %s at size %d at %s, and at the larger size %d earlier, at %s", a.By, a.Origin, a.Size, stamp(a.At), b.Size, stamp(b.At)), nil
	}
	return "", errors.New("the two cosignatures go together")
}

func (c Contradiction) cards(root identity.PublicKey) (string, error) {
	var cards [2]identity.Card
	for i, b := range [][]byte{c.A, c.B} {
		bundle, err := identity.ParseBundle(b)
		if err != nil {
			return "", err
		}
		v, err := bundle.Verify(root, time.Time{})
		if err != nil {
			return "", err
		}
		cards[i] = v.Card
	}
	if cards[0].Station != c.Who || cards[1].Station != c.Who {
		return "", fmt.Errorf("the cards are not both of %s", c.Who)
	}
	o, forked := identity.CardConflict(cards[0], cards[1])
	if !forked {
		return "", errors.New("the two cards go together")
	}
	return fmt.Sprintf("the party of %s has endorsed two keys for the log %s", c.Who, o), nil
}

func (c Contradiction) ends(card identity.Card) (string, error) {
	if card.Station != c.Who {
		return "", fmt.Errorf("the card is not of %s", c.Who)
	}
	a, err := identity.OpenSuccession(card, c.A)
	if err != nil {
		return "", err
	}
	if b, err := identity.OpenSuccession(card, c.B); err == nil {
		if a.Old != b.Old || a.Size == b.Size && a.Root == b.Root {
			return "", errors.New("the two notes of succession go together")
		}
		return fmt.Sprintf("%s has ended the log %s at %d and at %d", c.Who, a.Old, a.Size, b.Size), nil
	}
	key, ok := card.Log(a.Old)
	if !ok {
		return "", fmt.Errorf("the card gives no key of %s", a.Old)
	}
	h, err := OpenCheckpoint(key, a.Old, c.B)
	if err != nil {
		return "", err
	}
	if h.Size < a.Size || h.Size == a.Size && identity.Digest(h.Root) == a.Root {
		return "", errors.New("the head and the note of succession go together")
	}
	return fmt.Sprintf("%s has signed %s at size %d and ended it at %d: what stands between was let out, and is disowned or lost", c.Who, a.Old, h.Size, a.Size), nil
}

// stamp writes a second as records do.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
