package stix

import (
	_ "embed"
	"encoding/json/v2"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"detente/book"
)

//go:embed data/labels.json
var labelsFile []byte

// table holds labels by name, each in the six languages.
type table map[string][]string

// labels are the words of the rendering, as the data file has them.
type labels struct {
	Languages []book.Lang `json:"languages"`
	Words     table       `json:"words"`
	Notes     table       `json:"notes"`
	Types     table       `json:"types"`
	Members   table       `json:"members"`
	Relations table       `json:"relations"`
	Operators table       `json:"operators"`
}

// words6 reads the labels. That they read and are complete is tested.
var words6 = sync.OnceValue(func() (l labels) {
	must(json.Unmarshal(labelsFile, &l))
	return l
})

// Marks that isolate left-to-right text in a right-to-left line (UAX 9).
const (
	isolate = "\u2066"
	popped  = "\u2069"
)

// Render tells a bundle in a language, as labelled lines that need no knowledge
// of STIX. Every member of every object is shown; a list or an object within one
// tells the number of its parts, which follow further in. Text of others stands between
// quotation marks with all that is invisible written out; nothing in it is
// translated. It fails only where the language is none of the six.
func (b *Bundle) Render(l book.Lang) (string, error) {
	index := slices.Index(words6().Languages, l)
	if index < 0 {
		return "", fmt.Errorf("language %s: en, ru, zh, es, fr or ar", show(string(l)))
	}
	r := &teller{b: b, lang: index, rtl: l == "ar", names: map[ID]string{}}
	r.line(r.word("bundle"), r.ltr(string(b.ID)))
	r.line(r.word("digest"), r.ltr(b.Digest.String()))
	r.line(r.word("profile"), r.ltr(Profile))
	r.line(r.word("objects"), r.ltr(strconv.Itoa(len(b.Objects))))
	r.line(r.word("ceiling"), r.marking(Ceiling(b), nil))
	for _, o := range b.Objects {
		r.out.WriteByte('\n')
		r.object(o)
	}
	if len(b.Notes) > 0 {
		r.out.WriteByte('\n')
	}
	for _, n := range b.Notes {
		r.line(r.word("note"), r.ltr(place6(n))+" — "+words6().Notes[string(n.Code)][r.lang])
	}
	if b.More > 0 {
		r.line(r.word("more-notes"), r.ltr(strconv.Itoa(b.More)))
	}
	return r.out.String(), nil
}

// place6 says where a note belongs.
func place6(f Finding) string {
	if f.Object != "" {
		return string(f.Object) + " " + show(string(f.Pointer))
	}
	return show(string(f.Pointer))
}

type teller struct {
	b    *Bundle
	lang int
	rtl  bool
	out  strings.Builder

	names map[ID]string // what called returned
}

func (r *teller) word(name string) string { return words6().Words[name][r.lang] }

func (r *teller) line(label, value string) { fmt.Fprintf(&r.out, "%s: %s\n", label, value) }

// ltr isolates text that reads from left to right.
func (r *teller) ltr(s string) string {
	if r.rtl {
		return isolate + s + popped
	}
	return s
}

// foreign quotes text of others. In a right-to-left line it is isolated with
// its quotation marks, in the direction of its own first letter.
func (r *teller) foreign(s string) string { return "\u2068" + book.Quote(s) + popped }

func (r *teller) marking(m Marking, unreadable []ID) string {
	if len(unreadable) > 0 {
		return r.word("unreadable")
	}
	if m == (Marking{}) {
		return r.word("unmarked")
	}
	if m.TLP == 0 {
		return r.word("unmarked") + " / " + r.ltr("PAP:"+m.PAP.String())
	}
	return r.ltr(m.String())
}

// typeName returns the label of a type.
func (r *teller) typeName(typ string) string {
	if t, ok := words6().Types[typ]; ok {
		return t[r.lang]
	}
	return r.word("foreign-type") + " " + r.ltr(typ)
}

// called returns what a person calls the object of an id: its type and name.
func (r *teller) called(id ID) string {
	name, told := r.names[id]
	if !told {
		name = r.call(id)
		r.names[id] = name
	}
	return name
}

func (r *teller) call(id ID) string {
	o, held := r.b.Object(id)
	published, known := publishedMarkings()[id]
	switch {
	case known:
		return r.ltr(published.String())
	case !held:
		return r.typeName(id.Type()) + " " + r.ltr(string(id)) + " (" + r.word("not-held") + ")"
	case o.name == "":
		return r.typeName(id.Type()) + " " + r.ltr(string(id))
	}
	return r.typeName(id.Type()) + " " + r.foreign(o.short)
}

// maxCalled bounds a name where it is only mentioned; where the object itself is
// told, the whole name stands. A long name mentioned by many would make a short
// bundle a long text, and a long work.
const maxCalled = 60

// first are the members that a reader wants before all others; the rest follows
// in alphabetical order.
var first = []string{"name", "value", "description", "abstract", "content", "pattern", "pattern_type", "valid_from", "valid_until", "first_seen", "last_seen", "first_observed", "last_observed", "count", "number_observed", "confidence", "revoked"}

func (r *teller) object(o *Object) {
	m := o.members()
	r.line(r.word("object"), r.ltr(fmt.Sprintf("%d/%d", o.Index+1, len(r.b.Objects)))+" — "+r.typeName(o.Type()))
	r.line(r.word("id"), r.ltr(string(o.ID)))
	r.line(r.word("hash"), r.ltr(o.Hash.String()))
	marked, unreadable := r.b.marking(o)
	r.line(r.word("marking"), r.marking(marked, unreadable))
	if o.Type() == "relationship" && o.Known {
		r.statement(m)
	}
	if p, ok := ParsePattern(text(m, "pattern")); ok && o.Known && text(m, "pattern_type") == "stix" {
		r.line(r.word("in-words"), r.pattern(p))
	}
	names := sorted(m)
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	for _, name := range names {
		if name == "type" || name == "id" {
			continue
		}
		label := r.word("other") + " " + r.foreign(name)
		if l, ok := words6().Members[name]; ok {
			label = l[r.lang]
		}
		r.value("", label, m[name])
	}
}

func rank(name string) int {
	if i := slices.Index(first, name); i >= 0 {
		return i
	}
	return len(first)
}

// statement tells a relationship as one sentence: A — indicates → B.
func (r *teller) statement(m map[string]any) {
	how := r.foreign(text(m, "relationship_type"))
	if l, ok := words6().Relations[text(m, "relationship_type")]; ok {
		how = l[r.lang]
	}
	from, to := ID(text(m, "source_ref")), ID(text(m, "target_ref"))
	arrow := "→"
	if r.rtl {
		arrow = "←"
	}
	r.line(r.word("statement"), r.called(from)+" — "+how+" "+arrow+" "+r.called(to))
}

// pattern tells a simple pattern in words.
func (r *teller) pattern(p Pattern) string {
	join := " " + r.word("and") + " "
	if p.Any {
		join = " " + r.word("or") + " "
	}
	var terms []string
	for _, c := range p.Terms {
		what := r.typeName(c.Object)
		for _, step := range c.Path {
			if l, ok := words6().Members[step]; ok && step != "value" {
				what += " / " + l[r.lang]
			} else if step != "value" {
				what += " / " + r.foreign(step)
			}
		}
		var values []string
		for _, v := range c.Values {
			values = append(values, r.foreign(v))
		}
		op := words6().Operators[c.Op][r.lang]
		if c.Not {
			op = r.word("not") + " " + op
		}
		terms = append(terms, what+" "+op+" "+strings.Join(values, ", "))
	}
	return strings.Join(terms, join)
}

// formal are texts without language that cannot be taken for words: times,
// hashes, version numbers.
var formal = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|[0-9a-fA-F]{32,128}|[0-9]+(\.[0-9]+)*)$`)

// value writes one member. Lists and objects open a block: their parts follow,
// each on its line, further in. So a line is never longer for where it stands.
func (r *teller) value(indent, label string, v any) {
	put := func(value string) { r.line(indent+label, value) }
	switch v := v.(type) {
	case map[string]any:
		put(r.ltr("{" + strconv.Itoa(len(v)) + "}"))
		for _, name := range sorted(v) {
			r.value(indent+"  ", r.foreign(name), v[name])
		}
	case []any:
		if len(v) == 1 {
			r.value(indent, label, v[0])
			return
		}
		put(r.ltr("[" + strconv.Itoa(len(v)) + "]"))
		for i, one := range v {
			r.value(indent+"  ", r.ltr(strconv.Itoa(i+1)), one)
		}
	case string:
		switch id, err := ParseID(v); {
		case err == nil:
			put(r.ltr(v) + " — " + r.called(id))
		case formal.MatchString(v):
			put(r.ltr(v))
		default:
			put(r.foreign(v))
		}
	case bool:
		put(map[bool]string{true: r.word("yes"), false: r.word("no")}[v])
	case float64:
		n, err := json.Marshal(v)
		must(err)
		put(r.ltr(string(n)))
	default:
		panic(fmt.Sprintf("internal error: a value of the kind %T in an object that was checked", v))
	}
}
