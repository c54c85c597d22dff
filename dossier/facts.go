package dossier

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"time"

	"detente/identity"
	"detente/message"
)

// Window is a period, both ends in it.
type Window struct{ From, To time.Time }

// ok reports whether it is a period at all: one that ends before it begins is
// none.
func (w Window) ok() bool { return !w.From.IsZero() && !w.To.Before(w.From) }

// overlaps reports whether two windows have a second in common.
func (w Window) overlaps(v Window) bool {
	return w.ok() && v.ok() && !w.To.Before(v.From) && !v.To.Before(w.From)
}

// Facts are a message's parameters as far as matters follow from them, by the
// parameter's name. What a body does not give is absent; a nil map is none.
type Facts struct {
	Words   map[string]string    // codes and texts; of a text longer than LongestWord its digest alone
	Times   map[string]time.Time // of texts that are times of records
	Counts  map[string]int64
	Windows map[string]Window   // those that end after they begin
	Assets  []string            // of the parameter assets
	Places  []string            // of the parameter places
	Blobs   []identity.Digest   // of all parameters, in their order by name
	Records map[string][]Record // of lists of records and of items
	Lists   map[string][]string // of the parameters serials, states, undertakings, further, articles, matters and differences
}

// LongestWord is how many bytes a text may have to be kept as it is. Matters
// follow from codes and short texts; a longer one is only ever compared, so its
// digest stands for it, and a long line's memory does not grow with what was said.
const LongestWord = 1024

// Record is one of a list of records or items: its codes, texts and numbers by
// the field's name.
type Record map[string]string

// FactsOf reads the parameters of a body. It takes what it understands by form
// and leaves the rest: whether a body is as its format asks for is the signal
// book's to check.
func FactsOf(b message.Body) Facts {
	var f Facts
	for _, name := range sortedKeys(b.Params) {
		f.take(name, b.Params[name])
	}
	return f
}

type windowJSON struct {
	From string `json:"from"`
	To   string `json:"to"`
}

func (f *Facts) take(name string, v jsontext.Value) {
	switch v.Kind() {
	case '"':
		var s string
		if json.Unmarshal(v, &s) != nil {
			return
		}
		if len(s) > LongestWord {
			put(&f.Words, name, identity.Sum([]byte(s)).String())
			return
		}
		put(&f.Words, name, s)
		if t, ok := second(s); ok {
			put(&f.Times, name, t)
		}
	case '0':
		var n int64
		if json.Unmarshal(v, &n) == nil {
			put(&f.Counts, name, n)
		}
	case '{':
		f.object(name, v)
	case '[':
		var list []jsontext.Value
		if json.Unmarshal(v, &list) != nil {
			return
		}
		for _, one := range list {
			f.each(name, one)
		}
	}
}

// object takes a window or a blob.
func (f *Facts) object(name string, v jsontext.Value) {
	var w windowJSON
	if json.Unmarshal(v, &w) == nil {
		from, ok1 := second(w.From)
		to, ok2 := second(w.To)
		if win := (Window{from, to}); ok1 && ok2 && win.ok() {
			put(&f.Windows, name, win)
			return
		}
	}
	f.blob(v)
}

func (f *Facts) blob(v jsontext.Value) {
	var blob struct {
		Hash string `json:"hash"`
	}
	if json.Unmarshal(v, &blob) != nil {
		return
	}
	if d, err := identity.ParseDigest(blob.Hash); err == nil {
		f.Blobs = append(f.Blobs, d)
	}
}

// each takes a member of a list.
func (f *Facts) each(name string, v jsontext.Value) {
	if v.Kind() == '{' {
		f.record(name, v)
		return
	}
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return
	}
	switch name {
	case "assets":
		f.Assets = append(f.Assets, s)
	case "places":
		f.Places = append(f.Places, s)
	case "serials", "states", "undertakings", "further", "articles", "matters", "differences":
		if f.Lists == nil {
			f.Lists = make(map[string][]string)
		}
		f.Lists[name] = append(f.Lists[name], s)
	}
}

// record takes a blob, or a record: of its fields texts and numbers.
func (f *Facts) record(name string, v jsontext.Value) {
	blobs := len(f.Blobs)
	if f.blob(v); len(f.Blobs) > blobs {
		return
	}
	var fields map[string]jsontext.Value
	if json.Unmarshal(v, &fields) != nil {
		return
	}
	r := make(Record, len(fields))
	for field, one := range fields {
		var s string
		switch {
		case one.Kind() == '"' && json.Unmarshal(one, &s) == nil:
			r[field] = s
		case one.Kind() == '0':
			r[field] = string(one)
		}
	}
	put(&f.Records, name, append(f.Records[name], r))
}

// second reads a time of records: whole seconds, in UTC.
func second(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil && t.UTC().Format(time.RFC3339) == s
}

func put[V any](m *map[string]V, name string, v V) {
	if *m == nil {
		*m = make(map[string]V)
	}
	(*m)[name] = v
}
