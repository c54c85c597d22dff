package book

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"time"

	"detente/message"
)

// RuleKind is a kind of condition between parameters.
type RuleKind string

// The kinds of conditions. One that speaks of a parameter which is absent
// holds, but for needs and any-of.
const (
	RuleNeeds     RuleKind = "needs"      // Param must stand where the code When is one of Is
	RuleOnly      RuleKind = "only"       // Param may stand only where the code When is one of Is
	RuleAfter     RuleKind = "after"      // the time Param is later than the time Than
	RuleNotBefore RuleKind = "not-before" // the time Param is no earlier than the time Than
	RuleDiffers   RuleKind = "differs"    // Param is not what Than is
	RulePairs     RuleKind = "pairs"      // the lists Param and Than have one length
	RuleDistinct  RuleKind = "distinct"   // no item of the list Param, or no value of the field Field of its records, stands twice
	RuleAnyOf     RuleKind = "any-of"     // at least one of Params stands
	RuleInside    RuleKind = "inside"     // each window or time Param, or in the field Field of the records Param, lies in the window Than
	RuleApart     RuleKind = "apart"      // no value of the list Param is what Than is
)

// Rule is a condition between parameters of a format that the type of none of
// them can say. What merely should be so, such as a lead time, is no rule: it
// is shown as a flag and refuses nothing.
type Rule struct {
	Rule   RuleKind `json:"rule"`
	Param  string   `json:"param,omitempty"`
	Params []string `json:"params,omitempty"`
	Than   string   `json:"than,omitempty"`
	When   string   `json:"when,omitempty"`
	Field  string   `json:"field,omitempty"`
	Is     []string `json:"is,omitempty"`
}

// named is the parameter that an error of the rule points at.
func (r Rule) named() string {
	if r.Rule == RuleAnyOf && len(r.Params) > 0 {
		return r.Params[0]
	}
	return r.Param
}

// broken returns what is wrong and what to do, both empty where the rule holds.
// Every parameter that stands is sound in itself.
func (r Rule) broken(b message.Body) (reason, next string) {
	v, stands := b.Params[r.Param]
	than, other := b.Params[r.Than]
	when := oneCode(b.Params[r.When])
	switch r.Rule {
	case RuleNeeds:
		if !stands && slices.Contains(r.Is, when) {
			return fmt.Sprintf("it is missing, and %s is %s", r.When, when), "give it"
		}
	case RuleOnly:
		if stands && !slices.Contains(r.Is, when) {
			return fmt.Sprintf("it stands only where %s is %s", r.When, strings.Join(r.Is, " or ")), "leave it out"
		}
	case RuleAfter, RuleNotBefore:
		if !stands || !other {
			return "", ""
		}
		a, _, okA := moment(b, r.Param)
		c, _, okC := moment(b, r.Than)
		if okA && okC && (a.Before(c) || r.Rule == RuleAfter && a.Equal(c)) {
			return fmt.Sprintf("it is too early: %s is %s", r.Than, c.UTC().Format(time.RFC3339)), "give a later time"
		}
	case RuleDiffers:
		if stands && other && string(v) == string(than) {
			return "it is the same as " + r.Than, "give another value"
		}
	case RulePairs:
		if stands && other && count(v) != count(than) {
			return fmt.Sprintf("it has %d values, and %s has %d", count(v), r.Than, count(than)), "give one value for each"
		}
	case RuleDistinct:
		if name, twice := repeated(v, r.Field); twice {
			return fmt.Sprintf("%q stands twice", clip(name)), "give each item once"
		}
	case RuleInside:
		return r.inside(v, than)
	case RuleApart:
		if stands && other && among(v, than) {
			return "it names what " + r.Than + " is", "leave it out of the list, or correct " + r.Than
		}
	case RuleAnyOf:
		if !slices.ContainsFunc(r.Params, func(p string) bool { _, ok := b.Params[p]; return ok }) {
			return "none of " + strings.Join(r.Params, ", ") + " stands", "give at least one of them"
		}
	}
	return "", ""
}

// oneCode returns the code in a value, or nothing.
func oneCode(v jsontext.Value) string {
	var s string
	if len(v) == 0 || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

func count(v jsontext.Value) int {
	var list []jsontext.Value
	if json.Unmarshal(v, &list) != nil {
		return 1
	}
	return len(list)
}

// repeated returns the first item of a list, or value of a field of its
// records, that stands in it twice.
func repeated(v jsontext.Value, field string) (string, bool) {
	var list []map[string]jsontext.Value
	if len(v) == 0 || json.Unmarshal(v, &list) != nil {
		return "", false
	}
	if field == "" {
		field = "item"
	}
	seen := make(map[string]bool, len(list))
	for _, it := range list {
		one, stands := it[field]
		if name := strings.Trim(string(one), `"`); stands && seen[name] {
			return name, true
		} else if stands {
			seen[name] = true
		}
	}
	return "", false
}

// among reports whether a list holds a value.
func among(list, v jsontext.Value) bool {
	var all []jsontext.Value
	return json.Unmarshal(list, &all) == nil && slices.ContainsFunc(all, func(one jsontext.Value) bool { return string(one) == string(v) })
}

// timed are the types in which a rule can look for a time.
var timed = []Type{TypeTime, TypeWindow}

// rule returns what is wrong with a rule of a format in itself.
func (e *Edition) rule(f Format, r Rule) []string {
	var out []string
	param := func(name string, want func(Param) bool, what string) {
		p, ok := f.param(name)
		if !ok || want != nil && !want(p) {
			out = append(out, fmt.Sprintf("%s: %q is not %s of the format", r.Rule, name, what))
		}
	}
	many := func(p Param) bool { return p.Many }
	switch r.Rule {
	case RuleNeeds, RuleOnly:
		param(r.Param, func(p Param) bool { return p.Optional }, "an optional parameter")
		param(r.When, func(p Param) bool { return p.Type == TypeCode && !p.Many }, "a code")
		when, _ := f.param(r.When)
		for _, c := range r.Is {
			if _, ok := e.lists[when.List].find(c); !ok {
				out = append(out, fmt.Sprintf("%s: %q is not in the list %s", r.Rule, c, when.List))
			}
		}
		if len(r.Is) == 0 {
			out = append(out, string(r.Rule)+": it names no code")
		}
	case RuleAfter, RuleNotBefore:
		isTime := func(p Param) bool { return !p.Many && slices.Contains(timed, p.Type) }
		param(r.Param, isTime, "a time")
		param(r.Than, isTime, "a time")
	case RuleDiffers:
		param(r.Param, nil, "a parameter")
		param(r.Than, nil, "a parameter")
	case RulePairs:
		param(r.Param, many, "a list")
		param(r.Than, many, "a list")
	case RuleInside:
		param(r.Param, func(p Param) bool {
			if f, ok := p.field(r.Field); ok {
				p = f
			}
			return slices.Contains(timed, p.Type)
		}, "a time")
		param(r.Than, func(p Param) bool { return !p.Many && p.Type == TypeWindow }, "a window")
	case RuleDistinct:
		param(r.Param, func(p Param) bool {
			_, named := p.field(r.Field)
			return p.Many && (p.Type == TypeItem && r.Field == "" || p.Type == TypeRecord && named)
		}, "a list of items, or of records with the field,")
	case RuleApart:
		param(r.Param, many, "a list")
		of, _ := f.param(r.Param)
		param(r.Than, func(p Param) bool { return !p.Many && p.Type == of.Type }, "a single value of the same type")
	case RuleAnyOf:
		if len(r.Params) < 2 {
			out = append(out, "any-of: it names fewer than two parameters")
		}
		for _, name := range r.Params {
			param(name, func(p Param) bool { return p.Optional }, "an optional parameter")
		}
	default:
		out = append(out, fmt.Sprintf("there is no rule %q", r.Rule))
	}
	return out
}
