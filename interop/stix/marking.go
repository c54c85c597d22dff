package stix

import (
	_ "embed"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"detente/message"
)

// TLP is a label of the Traffic Light Protocol 2.0. Larger is more restrictive;
// the zero value is none.
type TLP uint8

// The labels, from the least restrictive.
const (
	TLPClear TLP = iota + 1
	TLPGreen
	TLPAmber
	TLPAmberStrict
	TLPRed
)

// PAP is a label of the Permissible Actions Protocol. Larger is more
// restrictive; the zero value is none, which restricts nothing.
type PAP uint8

// The labels, from the least restrictive.
const (
	PAPClear PAP = iota + 1
	PAPGreen
	PAPAmber
	PAPRed
)

var (
	tlpWords = []string{"", "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"}
	papWords = []string{"", "CLEAR", "GREEN", "AMBER", "RED"}
)

// String returns the label as messages have it, without "TLP:".
func (t TLP) String() string { return tlpWords[t] }

// String returns the label as messages have it, without "PAP:".
func (p PAP) String() string { return papWords[p] }

// Marking says who may see something and what may be done with it.
type Marking struct {
	TLP TLP
	PAP PAP
}

// ParseMarking reads the marking of a message.
func ParseMarking(m message.Marking) (Marking, error) {
	t, p := slices.Index(tlpWords, m.TLP), slices.Index(papWords, m.PAP)
	if t < 0 || p < 0 {
		return Marking{}, fmt.Errorf("marking %s / %s: TLP 2.0 and PAP labels are needed", show(m.TLP), show(m.PAP))
	}
	return Marking{TLP(t), PAP(p)}, nil
}

// Message returns the marking as messages have it.
func (m Marking) Message() message.Marking {
	return message.Marking{TLP: m.TLP.String(), PAP: m.PAP.String()}
}

// With returns the more restrictive of two markings, for each protocol.
func (m Marking) With(o Marking) Marking { return Marking{max(m.TLP, o.TLP), max(m.PAP, o.PAP)} }

// Within says whether the marking is no more restrictive than a limit. A limit
// without PAP label lets nothing through that has one above CLEAR: who reads
// the limit would act as if nothing were restricted.
func (m Marking) Within(limit Marking) bool {
	return m.TLP <= limit.TLP && m.PAP <= max(limit.PAP, PAPClear)
}

// A meaning is what a marking definition says, as far as machines can judge.
type meaning struct {
	Marking
	readable bool // a definition that states no level is readable too, as a copyright is
}

//go:embed data/markings.json
var markingFacts []byte

type markingFile struct {
	Source       string `json:"source"`
	TLPExtension string `json:"tlp_extension"`
	PAPExtension string `json:"pap_extension"`
	Markings     []struct {
		ID  ID     `json:"id"`
		TLP string `json:"tlp"`
		PAP string `json:"pap"`
	} `json:"markings"`
}

// facts reads the file of published markings. That it reads is tested.
var facts = sync.OnceValue(func() (f markingFile) {
	must(json.Unmarshal(markingFacts, &f))
	return f
})

// publishedMarkings are the definitions that everybody knows by their id.
var publishedMarkings = sync.OnceValue(func() map[ID]Marking {
	known := map[ID]Marking{}
	for _, f := range facts().Markings {
		m, err := ParseMarking(message.Marking{TLP: f.TLP, PAP: f.PAP})
		must(err)
		known[f.ID] = m
	}
	return known
})

func knownExtension(name string) bool {
	return name == facts().TLPExtension || name == facts().PAPExtension
}

// define reads a marking definition. It fails where a published id is given
// another meaning, or a published meaning another id.
func define(id ID, m map[string]any) (meaning, error) {
	said, err := saying(m)
	published, known := publishedMarkings()[id]
	if known {
		if err != nil || (said != Marking{} && said != published) {
			return meaning{published, true}, errors.New("its id is a published one, and it says something else than was published")
		}
		return meaning{published, true}, nil
	}
	if err != nil {
		return meaning{}, nil //nolint:nilerr // unreadable: kept, and judged as the most restrictive
	}
	if text(m, "definition_type") == "tlp" {
		return meaning{said, true}, errors.New("TLP 1 has four published definitions, and this id is none of them")
	}
	return meaning{said, true}, nil
}

var errLevel = errors.New("a level that is not known")

// saying returns the level that a definition's own members state.
func saying(m map[string]any) (said Marking, err error) {
	add := func(protocol, level string) {
		level = strings.ToUpper(level)
		if level == "WHITE" {
			level = "CLEAR" // TLP 1 and older lists
		}
		words := message.Marking{TLP: level}
		if protocol == "pap" {
			words = message.Marking{PAP: level}
		}
		one, e := ParseMarking(words)
		if e != nil || level == "" {
			err = errLevel
		}
		said = said.With(one)
	}
	extensions, _ := m["extensions"].(map[string]any)
	if e, ok := extensions[facts().TLPExtension].(map[string]any); ok {
		add("tlp", text(e, "tlp_2_0"))
	}
	if e, ok := extensions[facts().PAPExtension].(map[string]any); ok {
		add("pap", text(e, "pap"))
	}
	definition, _ := m["definition"].(map[string]any)
	if text(m, "definition_type") == "tlp" {
		add("tlp", text(definition, "tlp"))
	}
	// Programs without the extensions write the label as a statement, or as the name.
	for _, s := range []string{text(definition, "statement"), text(m, "name"), text(m, "definition_type")} {
		protocol, level, ok := strings.Cut(strings.ToLower(strings.TrimSpace(s)), ":")
		if ok && (protocol == "tlp" || protocol == "pap") {
			add(protocol, strings.TrimSpace(level))
		}
	}
	return said, err
}

// marking returns the most restrictive marking of an object and all its parts,
// and the ids of definitions that cannot be read; such a one counts as RED for
// both protocols.
func (b *Bundle) marking(o *Object) (most Marking, unreadable []ID) {
	for _, id := range o.markings {
		what, held := b.defined[id]
		if published, known := publishedMarkings()[id]; known {
			what, held = meaning{published, true}, true
		}
		if !held || !what.readable {
			unreadable = append(unreadable, id)
			what.Marking = Marking{TLPRed, PAPRed}
		}
		most = most.With(what.Marking)
	}
	return most, unreadable
}

// Ceiling returns the most restrictive marking that anything in the bundle has.
// A marking that cannot be read counts as RED; an object without marking counts
// nothing, so ask [Allowed] too.
func Ceiling(b *Bundle) (most Marking) {
	for _, o := range b.Objects {
		m, _ := b.marking(o)
		most = most.With(m)
	}
	return most
}

// Allowed finds what stands against letting a bundle out under a marking:
// objects that are marked above it, that have no TLP label, or whose marking
// cannot be read. It is empty where nothing does. It is asked at release and
// again at each export. Definitions of markings and of extensions need no
// marking of their own.
//
// Where the message states a handling for the bundle as a whole, a caller may
// take an object without label as covered by it, and pass over CodeUnmarked.
func Allowed(b *Bundle, limit Marking) (found []Finding) {
	for _, o := range b.Objects {
		at := Finding{Object: o.ID, Pointer: pointerOf(o), Line: o.Line}
		m, unreadable := b.marking(o)
		for _, id := range unreadable {
			at.Code, at.Reason, at.Next = CodeUnreadable, "its marking "+string(id)+" is not in the bundle, or says no level that is known; it counts as RED", "put the definition into the bundle, or use TLP 2.0"
			found = append(found, at)
		}
		defines := o.Type() == "marking-definition" || o.Type() == "extension-definition"
		switch {
		case len(unreadable) > 0:
		case m.TLP == 0 && !defines:
			at.Code, at.Reason, at.Next = CodeUnmarked, "it has no TLP marking", "mark it by the definition of TLP 2.0 that fits"
			found = append(found, at)
		case !m.Within(limit):
			at.Code, at.Reason, at.Next = CodeAbove, fmt.Sprintf("it is marked %s, above %s", m, limit), "leave it out, raise the marking of the message, or ask its originator"
			found = append(found, at)
		}
	}
	return found
}

// String returns the labels as people write them.
func (m Marking) String() string {
	s := "TLP:" + m.TLP.String()
	if m.TLP == 0 {
		s = "no TLP"
	}
	if m.PAP != 0 {
		s += " PAP:" + m.PAP.String()
	}
	return s
}
