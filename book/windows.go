package book

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
)

// inside judges the rule of that name. It returns what is wrong, with the place
// of the value in its list, and what to do; both empty where the rule holds, and
// where a parameter is absent.
func (r Rule) inside(v, than jsontext.Value) (reason, next string) {
	outer, ok := windowOf(than, "")
	if !ok || len(v) == 0 {
		return "", ""
	}
	list := []jsontext.Value{v}
	if v.Kind() == '[' && json.Unmarshal(v, &list) != nil {
		return "", ""
	}
	for i, one := range list {
		if w, ok := windowOf(one, r.Field); ok && (w.From < outer.From || w.To > outer.To) {
			return fmt.Sprintf("value %d, %s to %s, is not within %s, which is %s to %s", i+1, w.From, w.To, r.Than, outer.From, outer.To), "move one of them"
		}
	}
	return "", ""
}

// windowOf returns the window in a value, or in a field of a record; a time is a
// window of that second alone. Times of records are written one way, so that
// their texts compare as they do. False where there is none.
func windowOf(v jsontext.Value, field string) (window, bool) {
	if field != "" {
		fields, ok := fieldsOf(v)
		if !ok {
			return window{}, false
		}
		v = fields[field]
	}
	if len(v) == 0 {
		return window{}, false
	}
	if v.Kind() == '"' {
		s := oneCode(v)
		return window{From: s, To: s}, s != ""
	}
	var w window
	return w, json.Unmarshal(v, &w) == nil
}
