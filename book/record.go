package book

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"detente/message"
)

// within separates the label of a record from that of its field.
const within = " · "

// maxFields bounds the fields of a record: more is a format of its own.
const maxFields = 16

// field returns a field of a record by name.
func (p Param) field(name string) (Param, bool) {
	i := slices.IndexFunc(p.Fields, func(f Param) bool { return f.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return p.Fields[i], true
}

// fieldsOf returns the fields of a value; false where it is no object.
func fieldsOf(v jsontext.Value) (map[string]jsontext.Value, bool) {
	var fields map[string]jsontext.Value
	ok := v.Kind() == '{' && json.Unmarshal(v, &fields) == nil
	return fields, ok
}

// checkRecord returns what is wrong with a record, with the field's name: one
// that is missing, unknown or wrong in itself, or against a rule between them.
func (e *Edition) checkRecord(p Param, v jsontext.Value) error {
	fields, ok := fieldsOf(v)
	if !ok {
		return errors.New("a record of fields is needed")
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, ok := p.field(name); !ok {
			return fmt.Errorf("%s: the record has no such field", plain(name))
		}
	}
	for _, f := range p.Fields {
		one, stands := fields[f.Name]
		if !stands {
			if !f.Optional {
				return fmt.Errorf("%s: it is missing, and takes %s", f.Name, e.wanted(f))
			}
			continue
		}
		if err := e.checkOne(f, one); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	for _, r := range p.Checks {
		if reason, next := r.broken(message.Body{Params: fields}); reason != "" {
			return fmt.Errorf("%s: %s: %s", r.named(), reason, next)
		}
	}
	return nil
}

// record writes a record, a line a field: each has the record's own label
// before it, with its number where there may be several.
func (r *renderer) record(p Param, label string, v jsontext.Value) {
	fields, ok := fieldsOf(v)
	if !ok {
		r.err = errors.Join(r.err, fmt.Errorf("internal error: %s is no record", p.Name))
		return
	}
	for _, f := range p.Fields {
		if one, stands := fields[f.Name]; stands {
			r.line(label+within+f.Label[r.lang], r.value(f, one))
		}
	}
}

// record reads the fields that stand under a label back; nil where none does.
func (p *parser) record(param Param, label string) (jsontext.Value, error) {
	fields := make(map[string]jsontext.Value)
	for _, f := range param.Fields {
		text, ok := p.next(label + within + f.Label[p.lang])
		if !ok {
			if f.Optional || len(fields) == 0 {
				continue
			}
			return nil, p.fail(param.Name, "the line of "+f.Name+" is expected here")
		}
		v, err := p.value(Param{Name: param.Name, Type: f.Type, List: f.List}, text)
		if err != nil {
			return nil, err
		}
		fields[f.Name] = v
	}
	if len(fields) == 0 {
		return nil, nil
	}
	return marshal(fields)
}

// composeRecord reads a record as an officer types it: field=value;field=value.
// A semicolon ends a value only where a field's name and = follow it. A record
// may also be given as JSON.
func composeRecord(p Param, text string) (jsontext.Value, error) {
	if strings.HasPrefix(text, "{") {
		v := jsontext.Value(slices.Clone([]byte(text)))
		if err := v.Canonicalize(); err != nil {
			return nil, fmt.Errorf("%q is no JSON", clip(text))
		}
		return v, nil
	}
	fields := make(map[string]jsontext.Value)
	for rest := text; rest != ""; {
		var one string
		one, rest = cutField(p, rest)
		name, value, ok := strings.Cut(one, "=")
		f, known := p.field(name)
		if !ok || !known {
			return nil, fmt.Errorf("%q names no field of the record", clip(one))
		}
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("%s: it is given twice", name)
		}
		v, err := composeValue(f, value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fields[name] = v
	}
	if len(fields) == 0 {
		return nil, errors.New("no field is given")
	}
	return marshal(fields)
}

// cutField cuts a typed record at the first semicolon that a field follows.
func cutField(p Param, text string) (one, rest string) {
	for i, c := range text {
		if c != ';' {
			continue
		}
		name, _, ok := strings.Cut(text[i+1:], "=")
		if _, known := p.field(name); ok && known {
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}

// wantedRecord says which fields a record takes.
func (e *Edition) wantedRecord(p Param) string {
	var parts []string
	for _, f := range p.Fields {
		s := f.Name + "=…"
		if f.Optional {
			s = "[" + s + "]"
		}
		parts = append(parts, s)
	}
	return "a record like " + strings.Join(parts, ";") + ", or the same as JSON"
}

// schemaOfRecord returns the JSON Schema of a record.
func (e *Edition) schemaOfRecord(p Param) map[string]any {
	properties := make(map[string]any, len(p.Fields))
	required := []string{}
	for _, f := range p.Fields {
		one := e.schemaOf(f)
		one["title"] = f.Label["en"]
		properties[f.Name] = one
		if !f.Optional {
			required = append(required, f.Name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// record checks the fields of a record: each is one value and no record, the
// first always stands, so that a rendering shows where a record begins, and no
// two have one name or one label.
func (l *linter) record(where string, p Param) {
	if (p.Type == TypeRecord) != (len(p.Fields) > 0) || len(p.Fields) > maxFields || p.Type != TypeRecord && len(p.Checks) > 0 {
		l.add(where, fmt.Sprintf("a record, and nothing else, has 1 to %d fields, and rules between them", maxFields))
	}
	for i, f := range p.Fields {
		at := where + "." + f.Name
		if f.Many || f.Type == TypeRecord || f.Type == TypeBlob || f.Type == TypeRule || i == 0 && f.Optional || f.Name == "" || plain(f.Name) != f.Name {
			l.add(at, "a field is one value of a plain name, no record, blob or rule, and the first is not optional")
		}
		l.param(at, f)
		for _, before := range p.Fields[:i] {
			if before.Name == f.Name {
				l.add(where, fmt.Sprintf("field %s stands twice", f.Name))
			}
			for _, lang := range langs {
				if before.Label[lang] == f.Label[lang] {
					l.add(where, fmt.Sprintf("%s and %s have one label in %s", before.Name, f.Name, lang))
				}
			}
		}
	}
	for _, r := range p.Checks {
		for _, what := range l.e.rule(Format{Params: p.Fields}, r) {
			l.add(where+" checks", what)
		}
	}
}

// Sound returns what is wrong with one value of a parameter in itself, as Check
// would say it, without the parameter's name.
func (e *Edition) Sound(p Param, v jsontext.Value) error { return e.checkOne(p, v) }
