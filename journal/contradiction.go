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

// Clash says how two signed texts do not go together.
type Clash int

// The clashes.
const (
	NoClash         Clash = iota
	TwoHistories          // a mirror receipted two roots of one size
	TwoSeconds            // a mirror receipted one size at two seconds
	SecondFalls           // a mirror receipted the larger size at the earlier second
	TwoKeys               // a party endorsed two keys for one log
	TwoEnds               // two notes of succession end one log differently
	SignedOtherwise       // a log was signed otherwise than a note of succession ends it
)

// Proof is what a contradiction proves.
type Proof struct {
	Clash Clash
	Log   identity.Origin
	Sizes [2]int64     // of the two texts; zero where the clash is TwoKeys
	At    [2]time.Time // their seconds; zero unless the clash is one of seconds
}

// Verify returns what the two texts prove, or an error that says why they prove
// nothing. card is Who's, and root its party's.
func (c Contradiction) Verify(card identity.Card, root identity.PublicKey) (Proof, error) {
	switch c.Kind {
	case ContradictsTimes:
		return c.times(card)
	case ContradictsCards:
		return c.cards(root)
	case ContradictsEnds:
		return c.ends(card)
	}
	return Proof{}, fmt.Errorf("%q is no kind of contradiction", c.Kind)
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

func (c Contradiction) times(card identity.Card) (Proof, error) {
	a, err := cosigned(card, c.A)
	if err != nil {
		return Proof{}, err
	}
	b, err := cosigned(card, c.B)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{Log: a.Origin, Sizes: [2]int64{a.Size, b.Size}, At: [2]time.Time{a.At, b.At}}
	switch {
	case a.Origin != b.Origin:
		return Proof{}, errors.New("the two cosignatures are of two logs")
	case a.Size == b.Size && a.Root != b.Root:
		p.Clash = TwoHistories
	case a.Size == b.Size && !a.At.Equal(b.At):
		p.Clash = TwoSeconds
	case a.Size < b.Size && b.At.Before(a.At):
		p.Clash = SecondFalls
	default:
		return Proof{}, errors.New("the two cosignatures go together")
	}
	return p, nil
}

func (c Contradiction) cards(root identity.PublicKey) (Proof, error) {
	var cards [2]identity.Card
	for i, b := range [][]byte{c.A, c.B} {
		bundle, err := identity.ParseBundle(b)
		if err != nil {
			return Proof{}, err
		}
		v, err := bundle.Verify(root, time.Time{})
		if err != nil {
			return Proof{}, err
		}
		cards[i] = v.Card
	}
	if cards[0].Station != c.Who || cards[1].Station != c.Who {
		return Proof{}, fmt.Errorf("the cards are not both of %s", c.Who)
	}
	o, forked := identity.CardConflict(cards[0], cards[1])
	if !forked {
		return Proof{}, errors.New("the two cards go together")
	}
	return Proof{Clash: TwoKeys, Log: o}, nil
}

func (c Contradiction) ends(card identity.Card) (Proof, error) {
	if card.Station != c.Who {
		return Proof{}, fmt.Errorf("the card is not of %s", c.Who)
	}
	a, err := identity.OpenSuccession(card, c.A)
	if err != nil {
		return Proof{}, err
	}
	if b, err := identity.OpenSuccession(card, c.B); err == nil {
		if a.Old != b.Old || a.Size == b.Size && a.Root == b.Root {
			return Proof{}, errors.New("the two notes of succession go together")
		}
		return Proof{Clash: TwoEnds, Log: a.Old, Sizes: [2]int64{a.Size, b.Size}}, nil
	}
	key, ok := card.Log(a.Old)
	if !ok {
		return Proof{}, fmt.Errorf("the card gives no key of %s", a.Old)
	}
	h, err := OpenCheckpoint(key, a.Old, c.B)
	if err != nil {
		return Proof{}, err
	}
	if h.Size < a.Size || h.Size == a.Size && identity.Digest(h.Root) == a.Root {
		return Proof{}, errors.New("the head and the note of succession go together")
	}
	return Proof{Clash: SignedOtherwise, Log: a.Old, Sizes: [2]int64{a.Size, h.Size}}, nil
}

// stamp writes a second as records do.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
