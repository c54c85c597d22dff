package treaty

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"detente/book"
	"detente/identity"
)

// Limits of drafts.
const (
	MaxDraft    = 1 << 20 // bytes
	maxDraftPar = 1000    // paragraphs
	maxVariants = 8       // of a paragraph
)

// Draft is a text under negotiation: its paragraphs, aligned over its languages,
// and in brackets what each side wants instead. Once there are no brackets it is
// the agreed text.
type Draft struct {
	Instrument string           `json:"instrument"`
	Number     int              `json:"draft"`          // the first is 1
	By         identity.Party   `json:"by"`             // who proposed it
	Base       string           `json:"base,omitempty"` // hash of the draft that it changes; empty: it is the first
	Languages  []book.Lang      `json:"languages"`
	Paragraphs []DraftParagraph `json:"paragraphs"`
}

// DraftParagraph is one paragraph. It keeps its id through all drafts.
type DraftParagraph struct {
	ID       string    `json:"paragraph"`
	Text     book.Text `json:"text,omitempty"` // what is agreed; empty: nothing is yet
	Variants []Variant `json:"variants,omitempty"`
}

// Variant is what one side wants a paragraph to say. An empty text says: leave it
// out.
type Variant struct {
	By   identity.Party `json:"by"`
	Text book.Text      `json:"text,omitempty"`
}

var paragraphID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

// ParseDraft reads a draft. An error is a *TextError with the line.
func ParseDraft(text []byte) (*Draft, error) {
	if len(text) > MaxDraft {
		return nil, &TextError{1, "", fmt.Sprintf("the text has %d bytes, more than %d", len(text), MaxDraft)}
	}
	var d Draft
	if err := decode(text, &d); err != nil {
		return nil, err
	}
	if pointer, err := d.valid(); err != nil {
		return nil, &TextError{lineOf(text, pointer), pointer, err.Error()}
	}
	return &d, nil
}

func (d *Draft) valid() (string, error) {
	switch {
	case !agreementID.MatchString(d.Instrument):
		return "/instrument", errors.New("the name is 1 to 40 small letters, digits and hyphens")
	case d.Number < 1 || (d.Number == 1) != (d.Base == ""):
		return "/draft", errors.New("the first draft is 1 and has no base; each other names the hash of its base")
	case len(d.Languages) == 0:
		return "/languages", errors.New("at least one language is needed")
	case len(d.Paragraphs) == 0 || len(d.Paragraphs) > maxDraftPar:
		return "/paragraphs", fmt.Errorf("1 to %d paragraphs are needed", maxDraftPar)
	}
	if _, err := identity.ParseParty(string(d.By)); err != nil {
		return "/by", errors.New("it is no name of a party")
	}
	if d.Base != "" {
		if _, err := identity.ParseDigest(d.Base); err != nil {
			return "/base", errors.New("it is no hash")
		}
	}
	for i, l := range d.Languages {
		if !known(l) || slices.Index(d.Languages, l) != i {
			return fmt.Sprintf("/languages/%d", i), errors.New("it is unknown or named twice")
		}
	}
	seen := make(map[string]bool)
	for i, p := range d.Paragraphs {
		at := fmt.Sprintf("/paragraphs/%d", i)
		if !paragraphID.MatchString(p.ID) || seen[p.ID] {
			return at + "/paragraph", errors.New("the id is malformed or stands twice")
		}
		seen[p.ID] = true
		if err := d.aligned(p.Text); err != nil {
			return at + "/text", err
		}
		if len(p.Variants) > maxVariants || len(p.Text) == 0 && len(p.Variants) == 0 {
			return at, fmt.Errorf("it says nothing, or has more than %d variants", maxVariants)
		}
		for j, v := range p.Variants {
			if _, err := identity.ParseParty(string(v.By)); err != nil {
				return fmt.Sprintf("%s/variants/%d/by", at, j), errors.New("it is no name of a party")
			}
			if err := d.aligned(v.Text); err != nil {
				return fmt.Sprintf("%s/variants/%d/text", at, j), err
			}
		}
	}
	return "", nil
}

// aligned checks that a text stands in all languages of the draft or in none.
func (d *Draft) aligned(t book.Text) error {
	if len(t) == 0 {
		return nil
	}
	for _, l := range d.Languages {
		if t[l] == "" {
			return fmt.Errorf("it has no %s: a paragraph stands in all languages or in none", l)
		}
	}
	if len(t) != len(d.Languages) {
		return errors.New("it has a language that the draft has not")
	}
	return checkText(t)
}

// Hash returns the one hash of the draft, over all languages and brackets.
func (d *Draft) Hash() (identity.Digest, error) {
	text, err := json.Marshal(d, json.Deterministic(true))
	if err != nil {
		return identity.Digest{}, fmt.Errorf("draft %d of %s: %w", d.Number, d.Instrument, err)
	}
	return sumCanonical(text)
}

// ErrOpen is what a text that is not agreed yet is refused with.
var ErrOpen = errors.New("the text is not agreed")

// Agreed returns nil where no bracket is left; else an error that names the first
// paragraph and whose variant it is. Only such a text can be signed.
func (d *Draft) Agreed() error {
	for _, p := range d.Paragraphs {
		if len(p.Variants) > 0 {
			return fmt.Errorf("%w: paragraph %s has a variant of %s", ErrOpen, p.ID, p.Variants[0].By)
		}
	}
	return nil
}

// Change is one difference between two drafts.
type Change struct {
	Paragraph string
	Kind      string         // added, removed, moved, text or variant
	By        identity.Party // who proposed it: of a variant its side, else whose draft it is
	Lang      book.Lang      // of text and variant
	Words     []Piece        // of text and variant
}

// Piece is a stretch of words that stayed, came or went.
type Piece struct {
	Op   byte // ' ', '+' or '-'
	Text string
}

// Redline returns what one draft changes against another, paragraph by paragraph
// in the order of the newer, what went last; in each language word by word.
func Redline(old, now *Draft) (list []Change) {
	find := func(d *Draft, id string) int {
		return slices.IndexFunc(d.Paragraphs, func(p DraftParagraph) bool { return p.ID == id })
	}
	last := -1
	for _, p := range now.Paragraphs {
		i := find(old, p.ID)
		if i < 0 {
			list = append(list, Change{Paragraph: p.ID, Kind: "added", By: now.By})
			list = append(list, textChanges(p.ID, "text", now.By, nil, p.Text)...)
			list = append(list, variantChanges(p.ID, nil, p.Variants)...)
			continue
		}
		if i < last {
			list = append(list, Change{Paragraph: p.ID, Kind: "moved", By: now.By})
		}
		last = max(last, i)
		was := old.Paragraphs[i]
		list = append(list, textChanges(p.ID, "text", now.By, was.Text, p.Text)...)
		list = append(list, variantChanges(p.ID, was.Variants, p.Variants)...)
	}
	for _, p := range old.Paragraphs {
		if find(now, p.ID) < 0 {
			list = append(list, Change{Paragraph: p.ID, Kind: "removed", By: now.By})
		}
	}
	return list
}

func textChanges(id, kind string, by identity.Party, was, is book.Text) (list []Change) {
	for _, l := range book.Langs() {
		if was[l] != is[l] {
			list = append(list, Change{id, kind, by, l, pieces(was[l], is[l])})
		}
	}
	return list
}

// variantChanges compares what each side wants: one side has one variant of a
// paragraph at a time; of several the last counts.
func variantChanges(id string, was, is []Variant) (list []Change) {
	var sides []identity.Party
	of := func(v []Variant) map[identity.Party]book.Text {
		m := make(map[identity.Party]book.Text)
		for _, x := range v {
			m[x.By] = x.Text
			if !slices.Contains(sides, x.By) {
				sides = append(sides, x.By)
			}
		}
		return m
	}
	before, after := of(was), of(is)
	for _, by := range sides {
		_, had := before[by]
		_, has := after[by]
		if had != has {
			list = append(list, Change{Paragraph: id, Kind: map[bool]string{true: "variant-added", false: "variant-removed"}[has], By: by})
		}
		list = append(list, textChanges(id, "variant", by, before[by], after[by])...)
	}
	return list
}
