package stix

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"regexp"
	"strings"

	"detente/identity"
)

// ID names a STIX object: its type, two dashes, a UUID. The zero value is none.
type ID string

var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]+[a-z0-9]--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$`)

// maxID bounds an id, in bytes: a type of 250, two dashes and a UUID.
const maxID = 288

// ParseID reads an id, like indicator--26ffb872-1dd9-446e-b6f5-d58527e5b5d2.
func ParseID(s string) (ID, error) {
	if len(s) > maxID || !idForm.MatchString(s) {
		return "", fmt.Errorf("%s is no id of STIX 2.1: a type, two dashes and a UUID are needed", show(s))
	}
	return ID(s), nil
}

// Type returns the type that the id names.
func (id ID) Type() string {
	t, _, _ := strings.Cut(string(id), "--")
	return t
}

// An Object is one object of a bundle.
type Object struct {
	ID       ID
	Known    bool            // its type is of the profile, and it is as the profile has it
	Hash     identity.Digest // SHA-256 of its canonical JSON (RFC 8785)
	Raw      jsontext.Value  // its bytes as they came, not to be changed
	Line     int             // where it begins, from 1
	Index    int             // its place in the bundle, from 0
	Created  string          // as it says; empty for most observables
	name     string          // what a person calls it, foreign text; may be empty
	short    string          // its beginning, where others mention it
	refs     []reference
	markings []ID // of the object and of parts of it
}

// A reference is one member of an object that names another.
type reference struct {
	member  string // object_refs, without its index
	pointer jsontext.Pointer
	to      ID
}

// Type returns the object's type.
func (o *Object) Type() string { return o.ID.Type() }

// members decodes the object. The bytes were checked when they were read.
func (o *Object) members() map[string]any {
	var m map[string]any
	if err := json.Unmarshal(o.Raw, &m); err != nil {
		panic("internal error: an object that was read does not read again: " + err.Error())
	}
	return m
}

// A Bundle is what was read of one bundle that was accepted.
type Bundle struct {
	ID      ID
	Digest  identity.Digest // SHA-256 of all its bytes
	Size    int64           // in bytes
	Objects []*Object       // in the order of the bundle, none twice
	Notes   []Finding       // what was kept and is to be known; at most MaxFindings
	More    int             // notes beyond them

	byID    map[ID]*Object
	defined map[ID]meaning // of the marking definitions in it
}

// Object returns the object of an id; ok is false where the bundle holds none.
func (b *Bundle) Object(id ID) (o *Object, ok bool) {
	o, ok = b.byID[id]
	return o, ok
}

// text returns a member that is a string, or "".
func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

// nameOf returns what a person would call an object.
func nameOf(m map[string]any) string {
	for _, member := range []string{"name", "value", "path", "key", "subject", "abstract", "command_line", "account_login", "user_id"} {
		if s := text(m, member); s != "" {
			return s
		}
	}
	return ""
}

// beginning returns the first characters of a name.
func beginning(name string) string {
	n := 0
	for i := range name {
		if n++; n > maxCalled {
			return name[:i] + "…"
		}
	}
	return name
}
