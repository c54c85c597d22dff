package stix

import (
	"encoding/json/jsontext"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// collect notes what an object refers to and how it is marked, and returns the
// number of its references; beyond MaxReferences it stops.
func collect(o *Object, base jsontext.Pointer, m map[string]any) int {
	walk(base, m, func(member string, at jsontext.Pointer, value string) bool {
		id, err := ParseID(value)
		if err == nil {
			o.refs = append(o.refs, reference{member, at, id})
			if id.Type() == "marking-definition" && (member == "object_marking_refs" || member == "marking_ref") {
				o.markings = append(o.markings, id)
			}
		}
		return len(o.refs) <= MaxReferences
	})
	return len(o.refs)
}

// walk calls visit for each text in a member whose name ends in _ref or _refs,
// in one order, until it returns false.
func walk(at jsontext.Pointer, v any, visit func(member string, at jsontext.Pointer, value string) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sorted(v) {
			next := at.AppendToken(name)
			switch value := v[name].(type) {
			case string:
				if strings.HasSuffix(name, "_ref") && !visit(name, next, value) {
					return false
				}
			case []any:
				if strings.HasSuffix(name, "_refs") {
					for i, one := range value {
						if s, ok := one.(string); ok && !visit(name, next.AppendToken(strconv.Itoa(i)), s) {
							return false
						}
					}
					continue
				}
				if !walk(next, value, visit) {
					return false
				}
			default:
				if !walk(next, value, visit) {
					return false
				}
			}
		}
	case []any:
		for i, one := range v {
			if !walk(at.AppendToken(strconv.Itoa(i)), one, visit) {
				return false
			}
		}
	}
	return true
}

func sorted(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// whole judges what can only be told of all objects together.
func (rd *reader) whole() {
	for _, o := range rd.b.Objects {
		for _, r := range o.refs {
			_, held := rd.b.byID[r.to]
			if _, published := publishedMarkings()[r.to]; held || published {
				continue
			}
			rd.notes.add(Finding{Code: CodeDangling, Object: o.ID, Pointer: r.pointer, Line: o.Line, Reason: "it names " + string(r.to) + ", which the bundle does not hold"})
		}
	}
	for _, member := range holding {
		rd.cycles(member)
	}
	rd.reporters()
}

// reporters notes the reports that name whoever made them among what they report:
// it may be a slip, or somebody who reports on themselves as if another did.
func (rd *reader) reporters() {
	for _, o := range rd.b.Objects {
		if o.Type() != "report" {
			continue
		}
		var by ID
		for _, r := range o.refs {
			if r.member == "created_by_ref" {
				by = r.to
			}
		}
		for _, r := range o.refs {
			if r.member == "object_refs" && r.to == by {
				rd.notes.add(Finding{Code: CodeReporter, Object: o.ID, Pointer: r.pointer, Line: o.Line, Reason: "the report names " + string(by) + ", which made it, among what it reports", Next: "ask who made the report, and leave the reporter out of it"})
			}
		}
	}
}

// holding are the members by which one object lies in, or under, another. No
// object may lie in itself by one of them. Others may well run in circles: two
// hosts talk to each other.
var holding = []string{"object_refs", "contains_refs", "parent_ref", "parent_directory_ref", "child_refs", "encapsulates_refs", "encapsulated_by_ref", "object_marking_refs", "content_ref", "body_raw_ref", "raw_email_ref"}

// cycles finds objects that hold themselves by a member, without recursion: a
// chain may be as long as a bundle.
func (rd *reader) cycles(member string) {
	const (
		open = 1 // on the way from the root to here
		shut = 2 // known to be in no cycle
	)
	state := map[ID]int{}
	type step struct {
		o    *Object
		next int
	}
	for _, root := range rd.b.Objects {
		if state[root.ID] != 0 {
			continue
		}
		state[root.ID] = open
		for way := []step{{o: root}}; len(way) > 0; {
			top := &way[len(way)-1]
			if top.next == len(top.o.refs) {
				state[top.o.ID] = shut
				way = way[:len(way)-1]
				continue
			}
			r := top.o.refs[top.next]
			top.next++
			to, held := rd.b.byID[r.to]
			if r.member != member || !held || (member == "object_refs" && !lists(top.o, to)) {
				continue
			}
			switch state[to.ID] {
			case open:
				rd.faults.add(Finding{Code: CodeCycle, Object: top.o.ID, Pointer: r.pointer, Line: top.o.Line, Reason: fmt.Sprintf("by %s it holds %s, which holds it", member, to.ID), Next: "ask the sender which holds which"})
			case 0:
				state[to.ID] = open
				way = append(way, step{o: to})
			}
		}
	}
}

// lists says whether an object holds another by object_refs as a list does. A
// note speaks of objects and holds none.
func lists(o, to *Object) bool { return o.Type() != "note" && to.Type() != "note" }

// spans are the pairs of members of which the first may not be after the second.
var spans = [][2]string{
	{"created", "modified"}, {"first_seen", "last_seen"}, {"first_observed", "last_observed"}, {"start_time", "stop_time"},
	{"valid_from", "valid_until"}, {"start", "end"}, {"validity_not_before", "validity_not_after"},
}

// moments are members that hold a time and stand in no pair.
var moments = []string{"published", "date", "ctime", "mtime", "atime", "created_time", "modified_time", "account_created", "account_expires", "credential_last_changed", "account_first_login", "account_last_login"}

// checkTimes finds times that no calendar has and spans that end before they
// begin.
func checkTimes(p place, id ID, m map[string]any) (found []Finding) {
	read := func(name string) (time.Time, bool) {
		s, ok := m[name].(string)
		if !ok {
			return time.Time{}, false
		}
		t, err := parseTime(s)
		if err != nil {
			found = append(found, p.at(CodeTime, id, jsontext.Pointer("/"+name), 0, err.Error(), "write a time of UTC that the calendar has"))
		}
		return t, err == nil
	}
	for _, span := range spans {
		from, ok := read(span[0])
		to, also := read(span[1])
		if ok && also && to.Before(from) {
			found = append(found, p.at(CodeTime, id, jsontext.Pointer("/"+span[1]), 0, span[1]+" is before "+span[0], "mend one of the two"))
		}
	}
	for _, name := range moments {
		read(name)
	}
	return found
}

// parseTime reads a time of STIX. A leap second is taken for the one after it.
func parseTime(s string) (time.Time, error) {
	shown := s
	leap := strings.Contains(s, ":60")
	if leap {
		s = strings.Replace(s, ":60", ":59", 1)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || !strings.HasSuffix(s, "Z") {
		return time.Time{}, fmt.Errorf("%s is no time", show(shown))
	}
	if leap {
		t = t.Add(time.Second)
	}
	return t, nil
}
