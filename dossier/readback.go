package dossier

import (
	"fmt"
	"strconv"

	"detente/identity"
	"detente/message"
)

// readBackParam lists, in a message of understanding (012), what its author
// understood: a field of the message and its code or value, one after another.
const readBackParam = "understood"

// Understanding is what the reader of a message says it understood, field by field,
// beside what its author wrote. A difference is shown to both; nothing else comes
// of it.
type Understanding struct {
	Of     message.ID // the message that was read
	By     message.ID // the one that reads back
	From   identity.Station
	Fields []UnderstoodField // in the order of the one that reads back
}

// UnderstoodField is a field that was read back.
type UnderstoodField struct {
	Name  string
	Wrote string // as its author wrote it; empty: the message has no such field of one code or value
	Read  string // as it was understood
}

// Alike reports whether both mean the same.
func (f UnderstoodField) Alike() bool { return f.Wrote == f.Read && f.Wrote != "" }

// Differs reports whether a field was understood differently.
func (r Understanding) Differs() bool {
	for _, f := range r.Fields {
		if !f.Alike() {
			return true
		}
	}
	return false
}

// value writes a field as it is read back: a code, text or time as it stands, a
// count in digits, a window as from/to. False where the message has no such field
// of one value.
func (f Facts) value(name string) (string, bool) {
	if w, ok := f.Words[name]; ok {
		return w, true
	}
	if n, ok := f.Counts[name]; ok {
		return strconv.FormatInt(n, 10), true
	}
	if w, ok := f.Windows[name]; ok {
		return stamp(w.From) + "/" + stamp(w.To), true
	}
	return "", false
}

// readBacks compares what was read back in a dossier with what was written.
func (f *fold) readBacks() (list []Understanding) {
	for _, c := range f.calls {
		if c.it.Format != understoodFormat || c.refused || len(c.it.Facts.Records[readBackParam]) == 0 {
			continue
		}
		for _, ref := range f.l.refs(c.it) {
			asked, ok := f.byID[ref]
			if !ok || asked.it.Origin.Writer == c.it.Origin.Writer {
				continue
			}
			r := Understanding{Of: ref, By: c.it.ID, From: c.it.Origin.Writer}
			for _, said := range c.it.Facts.Records[readBackParam] {
				wrote, _ := asked.it.Facts.value(said["field"])
				r.Fields = append(r.Fields, UnderstoodField{said["field"], wrote, said["value"]})
			}
			if list = append(list, r); r.Differs() {
				f.flag(c.it.ID, FlagReadDiffers)
			}
		}
	}
	return list
}

// fieldsThere checks that the fields that are read back stand in the message. It
// says nothing of whether they were understood: that is what reading back is for.
func fieldsThere(b, about message.Body) error {
	there := FactsOf(about)
	for i, said := range FactsOf(b).Records[readBackParam] {
		if _, ok := there.value(said["field"]); !ok {
			return &FitError{b.Format, fmt.Sprintf("%s [%d].field", readBackParam, i+1), fmt.Sprintf("the message has no field %q of one code or value", said["field"]), "name a field that it has"}
		}
	}
	return nil
}

// ofOriginal checks that a translation is of the text that it refers to: bound to
// the hash of its body, and into another language.
func ofOriginal(b, about message.Body) error {
	f, err := about.Freeze()
	if err != nil {
		return &FitError{b.Format, "original", "the text that it refers to cannot be read", "name another message"}
	}
	said := FactsOf(b)
	if is := said.Words["original"]; is != f.Digest().String() {
		return &FitError{b.Format, "original", fmt.Sprintf("it is %s, and the text that it refers to has %s", is, f.Digest()), "give the hash of that text, or name the right one"}
	}
	if into := said.Words["into"]; into == about.Language {
		return &FitError{b.Format, "into", "the original is in " + into, "give the language of the translation"}
	}
	return nil
}

// original flags a translation that is of no text that it refers to.
func (f *fold) original(c *call) {
	if c.it.Format != "601" || c.refused {
		return
	}
	texts := 0
	for _, ref := range f.l.refs(c.it) {
		asked, ok := f.byID[ref]
		if !ok || asked.it.Format != "600" {
			continue
		}
		if texts++; asked.it.Body.String() == c.it.Facts.Words["original"] {
			return
		}
	}
	if texts > 0 || c.it.ID == f.d.ID {
		f.flag(c.it.ID, FlagOtherOriginal)
	}
}

type readBackJSON struct {
	By     string           `json:"by"`
	Fields []readFieldJSON  `json:"fields"`
	From   identity.Station `json:"from"`
	Of     string           `json:"of"`
}

type readFieldJSON struct {
	Alike bool   `json:"alike"`
	Name  string `json:"name"`
	Read  string `json:"read"`
	Wrote string `json:"wrote,omitempty"`
}

func (r Understanding) json() readBackJSON {
	out := readBackJSON{By: r.By.String(), From: r.From, Of: r.Of.String(), Fields: []readFieldJSON{}}
	for _, f := range r.Fields {
		out.Fields = append(out.Fields, readFieldJSON{f.Alike(), f.Name, f.Read, f.Wrote})
	}
	return out
}
