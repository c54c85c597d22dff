package stix

import (
	"bytes"
	"embed"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Profile is the name of the profile, as message 240 gives it.
const Profile = "detente-stix-1"

//go:embed schema
var schemaFiles embed.FS

// schemaRoot is what the schemas' own identifiers begin with. Nothing is
// fetched from it.
const schemaRoot = "https://detente.example/stix-1/"

// schemas are the files that define types of object.
var schemas = []string{"domain.json", "observable.json", "relation.json", "marking.json"}

// A shape is what the profile says of one type.
type shape struct {
	schema  *jsonschema.Schema
	members []string // those that the profile knows
}

// profile compiles the embedded schemas, once. That they compile is tested.
var profile = sync.OnceValue(func() map[string]shape {
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhere{})
	defs := map[string]map[string]schemaNode{}
	for _, name := range append([]string{"common.json"}, schemas...) {
		raw, err := schemaFiles.ReadFile("schema/" + name)
		must(err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		must(err)
		must(c.AddResource(schemaRoot+name, doc))
		var nodes struct {
			Defs map[string]schemaNode `json:"$defs"`
		}
		must(json.Unmarshal(raw, &nodes))
		defs[name] = nodes.Defs
	}
	shapes := map[string]shape{}
	for _, name := range schemas {
		for typ, node := range defs[name] {
			compiled, err := c.Compile(schemaRoot + name + "#/$defs/" + typ)
			must(err)
			known := node.names()
			if base, ok := strings.CutPrefix(node.Ref, "common.json#/$defs/"); ok {
				known = append(known, defs["common.json"][base].names()...)
			}
			shapes[typ] = shape{schema: compiled, members: known}
		}
	}
	return shapes
})

type schemaNode struct {
	Ref        string                    `json:"$ref"`
	Properties map[string]jsontext.Value `json:"properties"`
}

func (n schemaNode) names() (names []string) {
	for name := range n.Properties {
		names = append(names, name)
	}
	return names
}

// nowhere loads nothing: all schemas are embedded.
type nowhere struct{}

// Load refuses.
func (nowhere) Load(url string) (any, error) {
	return nil, fmt.Errorf("internal error: the schema %s is not embedded", url)
}

func must(err error) {
	if err != nil {
		panic("internal error: the embedded profile: " + err.Error())
	}
}

// Types returns the types of object that the profile holds, in order.
func Types() []string {
	var types []string
	for typ := range profile() {
		types = append(types, typ)
	}
	slices.Sort(types)
	return types
}

// judge returns what the profile finds wrong with an object of a known type.
func (s shape) judge(p place, id ID, m map[string]any) (found []Finding) {
	err := s.schema.Validate(m)
	if err == nil {
		return nil
	}
	failed, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		panic("internal error: a schema fails otherwise than by validation: " + err.Error())
	}
	failures := leaves(failed)
	failures = failures[:min(len(failures), maxFailures)]
	wanted := map[jsontext.Pointer]int64{}
	for _, leaf := range failures {
		wanted[pointerTo(leaf.InstanceLocation)] = 0
	}
	locate(p.raw, wanted)
	for _, leaf := range failures {
		at := pointerTo(leaf.InstanceLocation)
		f := p.at(CodeSchema, id, at, wanted[at], reason(leaf.ErrorKind), "mend it after STIX 2.1 and the profile "+Profile)
		if at == "/spec_version" {
			f.Code, f.Reason, f.Next = CodeVersion, "this object is of another version than STIX 2.1", "ask the sender for STIX 2.1, or convert it before it is sent"
		}
		if !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	return found
}

// leaves returns the innermost failures.
func leaves(e *jsonschema.ValidationError) (all []*jsonschema.ValidationError) {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf: // what each way lacks says less than that none is taken
		return []*jsonschema.ValidationError{e}
	}
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// reason says in words what a schema found.
func reason(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Required:
		return "it lacks " + strings.Join(k.Missing, ", ")
	case *kind.DependentRequired:
		return "it lacks " + strings.Join(k.Missing, ", ") + ", which " + k.Prop + " needs"
	case *kind.Type:
		return "it is of the kind " + k.Got + ", where " + strings.Join(k.Want, " or ") + " is needed"
	case *kind.Pattern:
		return show(k.Got) + " is not written as it must be: " + k.Want
	case *kind.Const:
		return fmt.Sprintf("it must be %v", k.Want)
	case *kind.Enum:
		return fmt.Sprintf("it must be one of %v", k.Want)
	case *kind.MinItems, *kind.MinProperties, *kind.MinLength:
		return "it is empty; what is empty is left out"
	case *kind.Minimum:
		return "it is less than " + k.Want.RatString()
	case *kind.Maximum:
		return "it is more than " + k.Want.RatString()
	case *kind.MaxLength:
		return fmt.Sprintf("it is longer than %d characters", k.Want)
	case *kind.PropertyNames:
		return "no member may be named " + show(k.Property)
	case *kind.AnyOf, *kind.OneOf:
		return "it holds none, or too many, of the members of which it needs one"
	case *kind.Not:
		return "it holds, or names, what is not allowed here"
	}
	return "it is not as the schema has it"
}

// maxFailures bounds what is told of one object: who sees twenty places to mend
// asks the sender for another one.
const maxFailures = 20

func pointerTo(steps []string) (at jsontext.Pointer) {
	for _, step := range steps {
		at = at.AppendToken(step)
	}
	return at
}

// locate fills in where the wanted values stand in an object, in one pass.
func locate(raw jsontext.Value, wanted map[jsontext.Pointer]int64) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		if _, err := dec.ReadToken(); err != nil {
			return
		}
		at := dec.StackPointer()
		if offset, ok := wanted[at]; ok && offset == 0 {
			wanted[at] = dec.InputOffset()
		}
	}
}
