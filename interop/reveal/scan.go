package reveal

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"io"

	"detente/identity"
)

// Set is the hashes of a bundle's objects, in the order of the bundle.
type Set struct{ hashes []identity.Digest }

// Len returns how many objects there are.
func (s Set) Len() int { return len(s.hashes) }

// object is one object as it is read.
type object struct {
	index int64
	id    string // what it calls itself; empty where it has no id
	kind  string
	text  jsontext.Value // canonical JSON
}

// idOf is what of an object is read; the rest may say what it likes.
type idOf struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// maxID bounds an id or type that is told.
const maxID = 300

// Scan reads a bundle, a JSON object with a list objects, and holds no more of it
// than one object and the hash of each. Beyond MaxObjects and MaxObject it
// refuses, with the number of the object. It does not judge the objects: that is
// interop/stix's, before evidence is sealed.
func Scan(r io.Reader) (set Set, err error) {
	err = each(r, func(o object) error {
		set.hashes = append(set.hashes, identity.Sum(o.text))
		return nil
	})
	return set, err
}

// each reads the objects of a bundle one by one.
func each(r io.Reader, visit func(object) error) error {
	gate := &gate{r: r}
	d := jsontext.NewDecoder(gate)
	gate.room = MaxObject
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return refuse("the file is no JSON object with a list \"objects\"; give a bundle of STIX 2.1")
	}
	found := false
	for d.PeekKind() != '}' {
		gate.room = MaxObject
		name, err := d.ReadToken()
		if err != nil {
			return malformed(gate, d, err)
		}
		if name.String() != "objects" || d.PeekKind() != '[' {
			if err := d.SkipValue(); err != nil {
				return malformed(gate, d, err)
			}
			continue
		}
		found = true
		if err := list(gate, d, visit); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return malformed(gate, d, err)
	}
	if !found {
		return refuse("the bundle has no list \"objects\"")
	}
	gate.room = MaxObject
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return refuse("something follows the bundle at byte %d", d.InputOffset())
	}
	return nil
}

// list reads the list of objects.
func list(gate *gate, d *jsontext.Decoder, visit func(object) error) error {
	if _, err := d.ReadToken(); err != nil {
		return malformed(gate, d, err)
	}
	index := int64(0)
	for ; d.PeekKind() != ']'; index++ {
		if index == MaxObjects {
			return refuse("the bundle holds more than %d objects: split it, and commit to each part", MaxObjects)
		}
		gate.room = MaxObject
		v, err := d.ReadValue()
		if err != nil {
			return malformed(gate, d, err)
		}
		if v.Kind() != '{' || len(v) > MaxObject {
			return refuse("/objects/%d is no JSON object of at most %d bytes", index, MaxObject)
		}
		o, err := canonical(index, v)
		if err != nil {
			return err
		}
		if err := visit(o); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// canonical returns an object in its one form.
func canonical(index int64, v jsontext.Value) (object, error) {
	v = v.Clone()
	if err := v.Canonicalize(); err != nil {
		return object{}, refuse("/objects/%d: %v", index, err)
	}
	var named idOf
	if err := json.Unmarshal(v, &named); err != nil || len(named.ID) > maxID || len(named.Type) > maxID {
		named = idOf{} // it has no id that is worth telling; it is what it is
	}
	return object{index: index, id: named.ID, kind: named.Type, text: v}, nil
}

// malformed says where reading ended.
func malformed(g *gate, d *jsontext.Decoder, err error) error {
	if g.shut {
		return refuse("%s holds one value of more than %d bytes", d.StackPointer(), MaxObject)
	}
	return refuse("%s, byte %d: %v", d.StackPointer(), d.InputOffset(), err)
}

// gate lets through what one object may have, and then shuts, so that a value
// without end is not held.
type gate struct {
	r    io.Reader
	room int64
	shut bool
}

// chunk is how much is read at once: what the decoder may hold beyond an object.
const chunk = 64 << 10

var errShut = errors.New("a value is too long")

// Read reads.
func (g *gate) Read(p []byte) (int, error) {
	if g.room <= -chunk {
		g.shut = true
		return 0, errShut
	}
	n, err := g.r.Read(p[:min(len(p), chunk)])
	g.room -= int64(n)
	return n, err
}
