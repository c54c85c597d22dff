package book

import (
	"encoding/json/v2"
	"slices"
	"strings"

	"detente/identity"
)

// The natures of a change of edition, codes of the list edition_change.
const (
	ChangeNew     = "new"
	ChangeMeaning = "meaning" // what is said by it is another thing, or it is said in another way
	ChangeWording = "wording" // only texts for people
	ChangeDropped = "dropped"
)

// Nature is what an edition changes in one file of another.
type Nature struct {
	Item string // the file's name without its ending: formats/210, lists/sector, edition
	Code string
}

// Proposal is what a message that proposes an edition (034) says of it.
type Proposal struct {
	Edition, Base identity.Digest
	Name          string
	Changes       []Nature        // by item
	Packs         map[Lang]string // the status of each language pack
}

// Propose says how another edition changes this one. Equal editions have no
// changes.
func (e *Edition) Propose(next *Edition) Proposal {
	p := Proposal{Edition: next.hash, Base: e.hash, Name: next.Name(), Packs: make(map[Lang]string)}
	for _, l := range langs {
		p.Packs[l] = next.Status(l)
	}
	was, is := e.files(), next.files()
	for item, text := range is {
		old, ok := was[item]
		switch {
		case !ok:
			p.Changes = append(p.Changes, Nature{item, ChangeNew})
		case wordless(old) != wordless(text):
			p.Changes = append(p.Changes, Nature{item, ChangeMeaning})
		case old != text:
			p.Changes = append(p.Changes, Nature{item, ChangeWording})
		}
	}
	for item := range was {
		if _, ok := is[item]; !ok {
			p.Changes = append(p.Changes, Nature{item, ChangeDropped})
		}
	}
	slices.SortFunc(p.Changes, func(a, b Nature) int { return strings.Compare(a.Item, b.Item) })
	return p
}

// files are the parts of an edition, by the names of their files, as they read
// once loaded.
func (e *Edition) files() map[string]string {
	all := map[string]string{"edition": marshalled(e.meta)}
	for _, f := range e.formats {
		f.table = nil
		all["formats/"+string(f.Number)] = marshalled(f)
	}
	for name, l := range e.lists {
		all["lists/"+name] = marshalled(l)
	}
	return all
}

// wordless returns a part without the texts in the six languages.
func wordless(text string) string {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic("internal error: " + err.Error()) // what was read from JSON
	}
	return marshalled(bare(v))
}

func bare(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = bare(v[i])
		}
	case map[string]any:
		if isText(v) {
			return nil
		}
		for k := range v {
			v[k] = bare(v[k])
		}
	}
	return v
}

// isText reports whether an object holds a text by language.
func isText(v map[string]any) bool {
	for _, l := range langs {
		if s, ok := v[string(l)].(string); !ok || s == "" {
			return false
		}
	}
	return len(v) == len(langs)
}
