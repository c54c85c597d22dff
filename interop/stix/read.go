package stix

import (
	"bufio"
	"bytes"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"detente/identity"
)

// Read reads a bundle from a stream, to its end. It fails with a *[Refused]
// where the bundle is not acceptable, and otherwise only with the error of the
// stream. It holds at most about MaxBytes of the bundle at once, whatever
// comes.
func Read(r io.Reader) (*Bundle, error) {
	src := bufio.NewReader(r)
	in := newIntake(src)
	rd := &reader{in: in, b: &Bundle{byID: map[ID]*Object{}, defined: map[ID]meaning{}}}
	head, _ := src.Peek(4)
	if f, bad := foreignBytes(head); bad {
		rd.faults.add(f)
		return nil, rd.refusal()
	}
	rd.dec = jsontext.NewDecoder(in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	rd.bundle()
	if in.err != nil {
		return nil, fmt.Errorf("read the bundle: %w", in.err)
	}
	if len(rd.faults.found) == 0 {
		rd.whole()
	}
	if len(rd.faults.found) > 0 {
		return nil, rd.refusal()
	}
	rd.b.Digest, rd.b.Size = in.digest(), in.size
	rd.b.Notes, rd.b.More = rd.notes.found, rd.notes.more
	return rd.b, nil
}

// reader is the state of one reading.
type reader struct {
	in     *intake
	dec    *jsontext.Decoder
	b      *Bundle
	count  int // objects met
	values int // in them
	faults list
	notes  list
}

func (rd *reader) refusal() error {
	return &Refused{Findings: rd.faults.found, More: rd.faults.more}
}

// foreignBytes knows what is no JSON by how it begins.
func foreignBytes(head []byte) (Finding, bool) {
	for _, known := range []struct {
		begins, reason, next string
		code                 Code
	}{
		{"\xef\xbb\xbf", "it begins with a byte order mark", "save it as UTF-8 without the mark", CodeText},
		{"\xff\xfe", "it is UTF-16", "save it as UTF-8", CodeText},
		{"\xfe\xff", "it is UTF-16", "save it as UTF-8", CodeText},
		{"\x1f\x8b", "it is compressed with gzip; nothing is unpacked here", "unpack it and attach the bundle itself", CodeNotBundle},
		{"PK\x03\x04", "it is a zip archive; nothing is unpacked here", "unpack it and attach the bundle itself", CodeNotBundle},
		{"<", "it is XML or HTML: STIX 1 was XML", "ask the sender for a bundle of STIX 2.1", CodeNotBundle},
		{"%PDF", "it is a PDF document", "send it as an artefact of its own", CodeNotBundle},
	} {
		if bytes.HasPrefix(head, []byte(known.begins)) {
			return Finding{Code: known.code, Line: 1, Reason: known.reason, Next: known.next}, true
		}
	}
	return Finding{}, false
}

// foreignMembers tells other formats by the members of their outermost object.
var foreignMembers = map[string]string{
	"Event": "an event of MISP", "response": "a collection of MISP", "Attribute": "an event of MISP", "Orgc": "an event of MISP", "Galaxy": "an event of MISP",
	"document": "an advisory in CSAF", "vulnerabilities": "an advisory in CSAF", "product_tree": "an advisory in CSAF",
	"cdxVersion": "a bill of materials", "bomFormat": "a bill of materials", "spdxVersion": "a bill of materials",
}

func (rd *reader) fault(c Code, pointer jsontext.Pointer, reason, next string) {
	rd.faults.add(Finding{Code: c, Pointer: pointer, Line: rd.in.line(max(rd.dec.InputOffset(), rd.in.done)), Reason: reason, Next: next})
}

// broken notes what ends the reading.
func (rd *reader) broken(err error) {
	again := "ask the sender for the bundle anew"
	switch {
	case rd.in.err != nil:
	case rd.in.limit != "":
		rd.fault(CodeTooLarge, "", rd.in.limit, "split the bundle, and send artefacts as blobs of their own")
	case strings.Contains(err.Error(), "max depth"):
		rd.fault(CodeTooDeep, "/objects/"+jsontext.Pointer(strconv.Itoa(max(rd.count-1, 0))), "it is nested thousands of levels deep", again)
	default:
		rd.fault(CodeSyntax, rd.dec.StackPointer(), "it is no JSON: "+show(err.Error()), again)
	}
}

// bundle reads the outermost object and what follows it.
func (rd *reader) bundle() {
	if k := rd.dec.PeekKind(); k != '{' {
		if _, err := rd.dec.ReadToken(); err != nil {
			rd.broken(err)
			return
		}
		rd.fault(CodeNotBundle, "", "it is JSON, but no bundle: a bundle is one object", "attach a bundle of STIX 2.1")
		return
	}
	_, _ = rd.dec.ReadToken()
	seen := map[string]bool{}
	for rd.dec.PeekKind() != '}' {
		tok, err := rd.dec.ReadToken()
		if err != nil {
			rd.broken(err)
			return
		}
		name := tok.String()
		if seen[name] {
			rd.fault(CodeDuplicate, jsontext.Pointer("").AppendToken(name), "the bundle has the member "+show(name)+" twice", "ask the sender which one is meant")
		}
		seen[name] = true
		if len(seen) > maxMembers {
			rd.fault(CodeNotBundle, "", "it has many members that no bundle has", "attach a bundle of STIX 2.1")
			return
		}
		if !rd.member(name, seen["type"]) {
			return
		}
		rd.in.pass(rd.dec.InputOffset())
	}
	_, _ = rd.dec.ReadToken()
	for _, need := range []string{"type", "id", "objects"} {
		if !seen[need] {
			rd.fault(CodeNotBundle, "", "it has no "+need+", so it is no bundle of STIX 2.1", "attach a bundle of STIX 2.1")
		}
	}
	if _, err := rd.dec.ReadToken(); !errors.Is(err, io.EOF) && rd.in.err == nil {
		rd.fault(CodeSyntax, "", "something follows the end of the bundle", "cut off what follows, or ask the sender for the bundle anew")
	}
}

// member reads one member of the bundle itself; it returns false at the end of
// what can be read.
func (rd *reader) member(name string, typed bool) bool {
	pointer := jsontext.Pointer("").AppendToken(name)
	if name == "objects" {
		return rd.objects()
	}
	if what, ok := foreignMembers[name]; ok && !typed {
		rd.fault(CodeNotBundle, pointer, "it is "+what+", and no bundle of STIX 2.1", "export it as STIX 2.1, or send it as an artefact of its own")
		return false
	}
	raw, err := rd.dec.ReadValue()
	if err != nil {
		rd.broken(err)
		return false
	}
	var value string
	readable := raw.Kind() == '"' && json.Unmarshal(raw, &value) == nil
	switch name {
	case "type":
		if value != "bundle" {
			rd.fault(CodeNotBundle, pointer, "its type is "+show(value)+": it is no bundle", "put single objects into a bundle")
			return false
		}
	case "id":
		id, err := ParseID(value)
		if !readable || err != nil || id.Type() != "bundle" {
			rd.fault(CodeSchema, pointer, show(value)+" is no id of a bundle", "use bundle-- and a UUID")
		}
		rd.b.ID = id
	case "spec_version":
		rd.fault(CodeVersion, pointer, "the bundle itself says a version, "+show(value)+": it is STIX 2.0, and 2.1 is needed", "ask the sender for STIX 2.1, or convert it before it is sent")
	default:
		_, _, found := scanObject(place{pointer, rd.in.line(rd.dec.InputOffset()), raw})
		for _, f := range found {
			rd.faults.add(f)
		}
		rd.notes.add(Finding{Code: CodeUnknown, Pointer: pointer, Line: rd.in.line(rd.dec.InputOffset()), Reason: "the bundle has a member that the profile does not know; it is kept"})
	}
	return true
}

// objects reads the list of objects, one at a time.
func (rd *reader) objects() bool {
	if rd.dec.PeekKind() != '[' {
		rd.fault(CodeSchema, "/objects", "it must be a list of objects", "ask the sender for the bundle anew")
		return false
	}
	_, _ = rd.dec.ReadToken()
	for rd.dec.PeekKind() != ']' {
		rd.in.pass(rd.dec.InputOffset())
		if rd.count++; rd.count > MaxObjects {
			rd.fault(CodeTooLarge, "/objects", fmt.Sprintf("it holds more than %d objects", MaxObjects), "split the bundle")
			return false
		}
		raw, err := rd.dec.ReadValue()
		if err != nil {
			rd.broken(err)
			return false
		}
		rd.object(bytes.Clone(raw))
		if rd.values > MaxValues {
			rd.fault(CodeTooLarge, "/objects", fmt.Sprintf("it holds more than %d values", MaxValues), "split the bundle")
			return false
		}
	}
	if _, err := rd.dec.ReadToken(); err != nil {
		rd.broken(err)
		return false
	}
	if rd.count == 0 {
		rd.fault(CodeSchema, "/objects", "it holds no object", "leave an empty bundle out")
	}
	return true
}

// object judges one object and takes it into the bundle.
func (rd *reader) object(raw jsontext.Value) {
	index := rd.count - 1
	p := place{pointer: "/objects/" + jsontext.Pointer(strconv.Itoa(index)), line: rd.in.line(rd.dec.InputOffset() - int64(len(raw))), raw: raw}
	if raw.Kind() != '{' {
		rd.faults.add(p.at(CodeSchema, "", "", 0, "it is no object", "ask the sender for the bundle anew"))
		return
	}
	id, values, found := scanObject(p)
	rd.values += values
	var m map[string]any
	if len(found) == 0 {
		must(json.Unmarshal(raw, &m))
		if id == "" || id.Type() != text(m, "type") {
			found = append(found, p.at(CodeSchema, id, "/id", 0, show(text(m, "id"))+" is no id of an object of the type "+show(text(m, "type")), "use the type, two dashes and a UUID"))
		}
	}
	if len(found) > 0 {
		for _, f := range found {
			rd.faults.add(f)
		}
		return
	}
	o := &Object{ID: id, Raw: raw, Line: p.line, Index: index, Created: text(m, "created"), name: nameOf(m)}
	o.short = beginning(o.name)
	canonical := bytes.Clone(raw)
	must((*jsontext.Value)(&canonical).Canonicalize())
	o.Hash = identity.Sum(canonical)
	rd.check(o, p, m)
	if earlier, twice := rd.b.byID[id]; twice {
		rd.faults.add(p.at(CodeDuplicate, id, "/id", 0, fmt.Sprintf("this id stands also at line %d", earlier.Line), "send one version of an object in a bundle"))
		return
	}
	rd.b.byID[id] = o
	rd.b.Objects = append(rd.b.Objects, o)
}

// check holds an object to the profile, and collects what it refers to.
func (rd *reader) check(o *Object, p place, m map[string]any) {
	typ := o.ID.Type()
	s, known := profile()[typ]
	version := text(m, "spec_version")
	switch {
	case known:
		found := s.judge(p, o.ID, m)
		found = append(found, checkTimes(p, o.ID, m)...)
		o.Known = len(found) == 0
		for _, f := range found {
			rd.faults.add(f)
		}
		rd.strangers(o, p, m, s)
	case m["spec_version"] != nil && version != "2.1":
		rd.faults.add(p.at(CodeVersion, o.ID, "/spec_version", 0, "this object is of another version than STIX 2.1", "ask the sender for STIX 2.1, or convert it before it is sent"))
	default:
		rd.notes.add(p.at(CodeUnknown, o.ID, "/type", 0, "the profile "+Profile+" has no type "+show(typ)+"; the object is kept and shown as it came", ""))
	}
	if reason := attributes(typ, m); reason != "" {
		rd.notes.add(p.at(CodeAttribution, o.ID, "", 0, reason, "say who is behind it in a claim or a consultation, on the agreed scale"))
	}
	if n := collect(o, p.pointer, m); n > MaxReferences {
		rd.faults.add(p.at(CodeTooLarge, o.ID, "", 0, fmt.Sprintf("it has more than %d references", MaxReferences), "split the object"))
	}
	if typ == "marking-definition" {
		what, err := define(o.ID, m)
		if err != nil {
			rd.faults.add(p.at(CodeMarkingDef, o.ID, "", 0, err.Error(), "use the definitions that OASIS publishes"))
		}
		rd.b.defined[o.ID] = what
	}
}

// strangers notes members and extensions that the profile does not know.
func (rd *reader) strangers(o *Object, p place, m map[string]any, s shape) {
	var names []string
	for name := range m {
		if !slices.Contains(s.members, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		at := jsontext.Pointer("").AppendToken(name)
		rd.notes.add(p.at(CodeUnknown, o.ID, at, 0, "the profile does not know this member; it is kept and shown as it came", ""))
	}
	extensions, _ := m["extensions"].(map[string]any)
	names = names[:0]
	for name := range extensions {
		if !knownExtension(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		at := jsontext.Pointer("/extensions").AppendToken(name)
		rd.notes.add(p.at(CodeUnknown, o.ID, at, 0, "the profile does not know this extension; it is kept and shown as it came", ""))
	}
}

// attributes says why an object attributes, or "".
func attributes(typ string, m map[string]any) string {
	switch {
	case typ == "threat-actor":
		return "the object speaks of a threat actor"
	case typ == "relationship" && text(m, "relationship_type") == "attributed-to":
		return "the relationship attributes"
	case typ == "intrusion-set" && text(m, "resource_level") == "government":
		return "the object says that a government's means are behind it"
	case typ == "campaign" || typ == "intrusion-set" || typ == "indicator":
		if types, ok := m["indicator_types"].([]any); ok && slices.Contains(types, any("attribution")) {
			return "the indicator is said to attribute"
		}
	}
	return ""
}
