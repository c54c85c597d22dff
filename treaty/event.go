package treaty

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"maps"
	"slices"
	"strings"
	"time"

	"detente/book"
	"detente/identity"
	"detente/message"
)

// typeRecord is the type of a parameter that is a list of small records, in
// editions that have such.
const typeRecord book.Type = "record"

// Event is a message as the ledger takes it. All of it stands in the record.
// Whoever makes it gives the last five: they follow from other entries.
type Event struct {
	Place      Place
	ID         message.ID
	Format     message.Format
	Precedence message.Precedence
	By         identity.Party // whose station wrote it
	To         identity.Party
	At         time.Time // its wrapper's second
	Refs       []message.ID
	Facts      Facts

	Received time.Time // the earliest receipt in the record, or the entry of the depositary; zero: none, so it is not folded
	Second   time.Time // of a disputed receipt: the disputing entry's second; zero: it is not disputed
	Refused  bool      // its reader refused it, so what it meets is disputed
	Awaited  bool      // a blob that belongs to it is not receipted
	Exercise bool      // it stands in a log of exercises

	depth int // how many messages of the same second stand before it, one referring to the next
}

// Place is where an entry stands.
type Place struct {
	Origin identity.Origin
	Index  int64
}

// Facts are a message's parameters by name, as conditions see them: text, int64,
// time.Time, time.Duration, a window as map[string]time.Time with from and to, a
// record as map[string]any, or a list of one of these. What a body does not give,
// or gives in another form than its format asks for, is absent.
type Facts map[string]any

// Read makes an event of a message, but for what follows from other entries. Of a
// format that the book lacks there are no facts.
func Read(place Place, by, to identity.Party, body message.Body, at time.Time, b Book) Event {
	ev := Event{
		Place: place, ID: body.ID, Format: body.Format, Precedence: body.Precedence,
		By: by, To: to, At: at, Refs: body.Refs, Facts: Facts{},
	}
	f, ok := b.Format(body.Format)
	if !ok {
		return ev
	}
	for _, p := range f.Params {
		v, given := body.Params[p.Name]
		if !given {
			continue
		}
		if fact, ok := factOf(p, v); ok {
			ev.Facts[p.Name] = fact
		}
	}
	return ev
}

// factOf reads one parameter.
func factOf(p book.Param, v jsontext.Value) (any, bool) {
	if !p.Many {
		return valueOf(p.Type, v)
	}
	var list []jsontext.Value
	if v.Kind() != '[' || json.Unmarshal(v, &list) != nil || len(list) > maxList {
		return nil, false
	}
	out := []any{}
	for _, one := range list {
		fact, ok := valueOf(p.Type, one)
		if !ok {
			return nil, false
		}
		out = append(out, fact)
	}
	return out, true
}

func valueOf(t book.Type, v jsontext.Value) (any, bool) {
	switch t {
	case book.TypeCount:
		var n int64
		ok := v.Kind() == '0' && json.Unmarshal(v, &n) == nil
		return n, ok
	case book.TypeWindow:
		return windowOf(v)
	case book.TypeBlob, book.TypeItem, book.TypeRule, typeRecord:
		var m map[string]any
		ok := v.Kind() == '{' && json.Unmarshal(v, &m) == nil
		return m, ok
	}
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return nil, false
	}
	switch t {
	case book.TypeTime:
		at, err := ParseSecond(s)
		return at, err == nil
	case book.TypeDuration:
		d, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(s, "PT")))
		return d, err == nil
	}
	return s, true
}

// windowOf reads a window. One that ends before it begins is none.
func windowOf(v jsontext.Value) (any, bool) {
	var w struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	if v.Kind() != '{' || json.Unmarshal(v, &w) != nil {
		return nil, false
	}
	from, err1 := ParseSecond(w.From)
	to, err2 := ParseSecond(w.To)
	return map[string]time.Time{"from": from, "to": to}, err1 == nil && err2 == nil && !to.Before(from)
}

// given lists the parameters that are there, by name.
func (e *Event) given() []string { return sortedKeys(e.Facts) }

// word returns a text; empty where it is absent.
func (e *Event) word(name string) string {
	s, ok := e.Facts[name].(string)
	if !ok {
		return ""
	}
	return s
}

// words returns a list of texts.
func (e *Event) words(name string) (out []string) {
	list, ok := e.Facts[name].([]any)
	if !ok {
		return nil
	}
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// span returns a time as a window of one second, or a window; false where the
// parameter is absent.
func (e *Event) span(name string) (from, to time.Time, ok bool) {
	switch v := e.Facts[name].(type) {
	case time.Time:
		return v, v, true
	case map[string]time.Time:
		return v["from"], v["to"], true
	}
	return time.Time{}, time.Time{}, false
}

// before is the order of the record: by receipt, then what refers after what it
// refers to, then by writer and place.
func (e *Event) before(o *Event) int {
	if c := e.Received.Compare(o.Received); c != 0 {
		return c
	}
	if e.depth != o.depth {
		return e.depth - o.depth
	}
	if c := strings.Compare(e.Place.Origin.String(), o.Place.Origin.String()); c != 0 {
		return c
	}
	switch {
	case e.Place.Index < o.Place.Index:
		return -1
	case e.Place.Index > o.Place.Index:
		return 1
	}
	return 0
}

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
