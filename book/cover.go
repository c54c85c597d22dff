package book

import (
	"encoding/json/jsontext"
	"fmt"
	"maps"

	"detente/identity"
	"detente/message"
)

// Need is something that a duty or a dossier needs a format for: either a
// format by number, or any format that makes a transition of a dossier.
type Need struct {
	By         string         // what needs it, for people: "article A9", "dossier notice"
	Format     message.Format // empty: any that makes the transition
	Dossier    Kind           // with Transition; a format of any dossier serves too
	Transition Move
}

// String says what is needed and by what.
func (n Need) String() string {
	if n.Format != "" {
		return fmt.Sprintf("%s needs format %s", n.By, n.Format)
	}
	return fmt.Sprintf("%s needs a format that makes the transition %s of %s", n.By, n.Transition, n.Dossier)
}

// Coverage says what a signal book carries of what is needed.
type Coverage struct {
	Formats    int
	Languages  int
	Renderings int       // worked examples that read back from a language exactly
	Missing    []Need    // in the order of the needs; none: everything has its format
	Faults     []Problem // renderings that failed, or did not read back
}

// OK reports whether nothing is missing and every example renders and reads
// back in every language.
func (c Coverage) OK() bool { return len(c.Missing) == 0 && len(c.Faults) == 0 }

// Cover judges an edition by what duties and dossiers need, and renders every
// worked example of every format in every language and reads it back. It does
// not look for faults of the edition in itself: that is Lint's part. The needs
// may repeat; each is told as often as it is missing.
func (e *Edition) Cover(needs []Need) Coverage {
	c := Coverage{Formats: len(e.formats), Languages: len(langs)}
	for _, n := range needs {
		if !e.has(n) {
			c.Missing = append(c.Missing, n)
		}
	}
	for _, f := range e.formats {
		for i := range f.Examples {
			for _, l := range langs {
				if err := e.readsBack(e.sample(f, i), l); err != nil {
					c.Faults = append(c.Faults, Problem{fmt.Sprintf("formats/%s example %d in %s", f.Number, i+1, l), err.Error()})
					continue
				}
				c.Renderings++
			}
		}
	}
	return c
}

func (e *Edition) has(n Need) bool {
	if n.Format != "" {
		_, ok := e.Format(n.Format)
		return ok
	}
	for _, f := range e.formats {
		if f.Transition == n.Transition && (f.Dossier == n.Dossier || f.Dossier == KindAny) {
			return true
		}
	}
	return false
}

// readsBack renders a body and reads it back, and says where that fails.
func (e *Edition) readsBack(b message.Body, l Lang) error {
	want, err := b.Freeze()
	if err != nil {
		return err
	}
	text, err := e.Render(want.Body(), l)
	if err != nil {
		return err
	}
	got, lang, err := e.Parse(text)
	if err != nil {
		return err
	}
	again, err := got.Freeze()
	if err != nil {
		return err
	}
	if lang != l || string(again.Bytes()) != string(want.Bytes()) {
		return fmt.Errorf("it read back as %s in %s", clip(string(again.Bytes())), lang)
	}
	return nil
}

// sample puts a worked example of a format into a message between two stations
// that do not exist.
func (e *Edition) sample(f Format, i int) message.Body {
	const arden, boreal identity.Station = "nrrc.arden.example", "nrrc.boreal.example"
	params := make(map[string]jsontext.Value, len(f.Examples[i]))
	maps.Copy(params, f.Examples[i])
	b := message.Body{
		Format: f.Number, Edition: e.hash, From: arden, To: boreal,
		Line:       identity.Line{A: arden, B: boreal, Class: identity.Notification},
		Precedence: f.Usual(), Language: "en", Params: params, Marking: message.Marking{TLP: "AMBER"},
	}
	sum := identity.Sum(fmt.Appendf(nil, "worked example %d of format %s", i, f.Number))
	copy(b.ID[:], sum[:])
	if len(f.Refers) > 0 {
		var ref message.ID
		copy(ref[:], sum[len(ref):])
		b.Refs = []message.ID{ref}
	}
	return b
}
